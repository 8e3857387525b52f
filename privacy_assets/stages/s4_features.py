"""features: the purpose's own SQL over its pseudonymized tables, with a declared unit of observation.

On arrival: the pseudonymized tables of one purpose. On leaving: one row a unit, told apart by its key, with the
person's token; only columns that the SQL names. Who may read it: training.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from privacy_assets.contracts import _features_language, features_sql
from privacy_assets.contracts.loading import Project
from privacy_assets.contracts.promises import DAYS
from privacy_assets.contracts.purpose import Purpose
from privacy_assets.errors import EngineFailed
from privacy_assets.lineage.columns import column_lineage
from privacy_assets.stages.step import Step, View, Work, declared, names
from privacy_assets.words import AssetName, Stage


def features(project: Project, purpose: Purpose) -> Step:
    """The step that joins what one purpose may use into one table."""
    analysed = project.features(purpose.purpose)
    views = {
        dataset: View(
            AssetName(Stage.PSEUDONYMIZED, purpose.purpose, dataset),
            names(project.pseudonymized_columns(purpose.purpose, dataset)),
            project.contracts[dataset].deliveries is not None,
        )
        for dataset in purpose.datasets
    }

    def write(work: Work) -> None:
        try:
            work.create(analysed.expression, "computing features")
        except EngineFailed as error:
            fault = replace(
                error.faults[0],
                where=project.where("purpose", purpose.purpose, "features", "sql"),
                next_step="the SQL fails on a value that is there: use TRY_CAST or a CASE, and look at each division",
            )
            raise EngineFailed(fault) from None

    return Step(
        asset=AssetName(Stage.FEATURES, purpose.purpose),
        views=views,
        columns=tuple(replace(column, technique=column.technique or "sql") for column in analysed.columns),
        query=analysed.expression,
        lineage=column_lineage(analysed.expression, {name: view.columns for name, view in views.items()}),
        write=write,
        declared=declared(("purpose", f"{purpose.purpose}@{purpose.version}", project.digest(purpose.purpose))),
        made_by=(sys.modules[__name__], features_sql, _features_language),
        epoch=purpose.epoch,
        references={f"{DAYS}{dataset}": dataset for dataset, view in views.items() if view.by_day},
    )
