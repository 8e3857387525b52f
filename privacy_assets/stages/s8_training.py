"""training: the exact rows and columns that a model may see, with splits by subject.

On arrival: features; or anonymized or synthetic, which have their splits already. On leaving: the same rows where the
target is known, and `split`: train, validation or test; no person stands in two of them. Who may read it: model, and
people through `read` and `export`.
"""

from __future__ import annotations

import sys

from sqlglot import exp

from privacy_assets.contracts.anonymity import SPLIT, split_column
from privacy_assets.contracts.loading import Project
from privacy_assets.contracts.purpose import Purpose, Training
from privacy_assets.lineage.columns import column_lineage
from privacy_assets.stages.step import Step, View, Work, declared, names
from privacy_assets.techniques.train import _splitting
from privacy_assets.words import AssetName, Stage


def training(project: Project, purpose: Purpose, asked: Training) -> Step:
    """The step that deals one purpose's features into splits, or takes rows that were dealt before."""
    columns, arrives_from = project.training_columns(purpose.purpose), Stage(asked.source)
    arrives = columns[:-1] if arrives_from is Stage.FEATURES else columns
    unit = purpose.features.subject or purpose.features.key[0]
    dealt = _splitting.split_expression(exp.column(unit, quoted=True), asked.split, asked.split.seed)
    query = exp.select(*(exp.column(column.name, quoted=True) for column in arrives)).from_(arrives_from.value)
    if arrives_from is Stage.FEATURES:
        query = query.select(exp.alias_(dealt, SPLIT, quoted=True))
    if purpose.model:
        query = query.where(exp.column(purpose.model.target, quoted=True).is_(exp.null()).not_())
    view = View(AssetName(arrives_from, purpose.purpose), names(arrives))

    def write(work: Work) -> None:
        work.create(query, "dealing splits")

    return Step(
        asset=AssetName(Stage.TRAINING, purpose.purpose),
        views={arrives_from.value: view},
        columns=(*columns[:-1], split_column()),
        query=query,
        lineage=column_lineage(query, {arrives_from.value: view.columns}),
        write=write,
        declared=declared(("purpose", f"{purpose.purpose}@{purpose.version}", project.digest(purpose.purpose))),
        made_by=(sys.modules[__name__], _splitting),
        epoch=purpose.epoch,
    )
