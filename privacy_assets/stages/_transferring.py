"""Measures what a model that learned from anonymized rows is worth to real people, against one that saw the true rows.

    released rows of `train`  ─► model ─┐
    true rows of `train`      ─► model ─┴► both meet the true rows of everybody else

Whoever is suppressed is missing among the first, and is there among the second and the third: what that costs is part
of the loss. A model learns from values that are drawn in the place of labels (`techniques/anonymize/_drawn.py`), so
that it can meet true rows: it never matters which labels these would have, and under l-diversity that would tell of
the target.

Belongs here: which rows, and in which form. Does not belong here: the comparison (`techniques/train/_transfer.py`),
how much is enough (the purpose says). What it does not cover: the labels were chosen for all rows together, those of
the others among them; and the purpose's own model, which learns from labels, is another.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import duckdb
import numpy as np
import polars as pl
from sqlglot import exp

from privacy_assets.contracts import anonymity, synthesis
from privacy_assets.contracts.promises import LINKED
from privacy_assets.contracts.purpose import Purpose
from privacy_assets.stages import _comparing
from privacy_assets.stages._combinations import Known, leaves_of
from privacy_assets.stages.step import names
from privacy_assets.techniques.train import _splitting
from privacy_assets.warehouse.connections import engine_errors
from privacy_assets.words import Column

# by name: it brings libraries that only a run should pay for
DRAWN = "privacy_assets.techniques.anonymize._drawn"

LEARNED, PERSON = "_learned", "_person"
RENAMED = {"disparity": "transfer_disparity"}
"""`disparity` of an anonymized table is of the rows that are left out."""


def measured(
    con: duckdb.DuckDBPyConnection,
    purpose: Purpose,
    columns: Sequence[Column],
    known: Known,
    tuples: Any,
    recoding: Any,
) -> list[_comparing.Row]:
    """`transfer`, `transfer_real`, `transfer_loss` of everybody and each group, `transfer_disparity`.

    Empty where the purpose does not ask for it. `con` shows the features, and the rows that are to be published as
    `LINKED`; `columns` are those of the features. Raises what `transfer` raises.
    """
    asked, model = purpose.guarantee.anonymity, anonymity.transferred(purpose)
    if asked is None or asked.transfer is None or model is None:
        return []
    from privacy_assets.techniques.anonymize import _drawn
    from privacy_assets.techniques.train._transfer import transfer

    true = anonymity.true_columns(purpose, columns)
    released, real = _read(con, purpose, names(true))
    generator = np.random.default_rng(model.seed)
    drawn = [
        _drawn.values(
            released[column.name],
            column,
            leaves_of(purpose, known, place),
            tuples.columns[place],
            tuples.codes[:, place],
            recoding.cells[place],
            generator,
        )
        for place, column in enumerate(known.columns)
    ]
    others = real.filter(~pl.col(LEARNED))
    found = transfer(
        released.with_columns(drawn),
        real.filter(LEARNED),
        others,
        inputs=[column for column in true if column.name != model.target],
        target=model.target,
        task=model.task,
        estimator=model.estimator,
        metric=asked.transfer.metric,
        people=(others[PERSON].rank("dense").to_numpy() - 1).astype(np.intp),
        groups=_comparing.groups(purpose, others),
        seed=model.seed,
    )
    return [(RENAMED.get(one.measure, one.measure), one.group, one.value, one.low, one.high, one.n) for one in found]


def _read(con: duckdb.DuckDBPyConnection, purpose: Purpose, leaves: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What is published of `train`, and the true rows of all who are or could have been, in orders that repeat."""
    subject, member = str(purpose.features.subject), anonymity.member_column(purpose)
    split = synthesis.split(purpose)
    token = exp.column(subject, quoted=True)
    of_train = _splitting.split_expression(token, split, split.seed).eq(exp.Literal.string("train"))
    fair = purpose.guarantee.fairness.columns if purpose.guarantee.fairness else ()
    released = exp.select(*(exp.column(name, quoted=True) for name in leaves)).from_(exp.to_table(f"main.{LINKED}"))
    released = released.where(of_train, copy=False)
    real = exp.select(*(exp.column(name, quoted=True) for name in dict.fromkeys((*leaves, *fair)))).from_("features")
    real = real.select(exp.alias_(of_train.copy(), LEARNED), exp.alias_(exp.cast(token.copy(), "text"), PERSON))
    if member:
        released, real = (query.where(exp.column(member, quoted=True)) for query in (released, real))
    with engine_errors("reading what a model would learn from"):
        # the order of rows decides the order of sums
        tables = [
            con.execute(f"{query.sql(dialect='duckdb')} ORDER BY ALL").to_arrow_table() for query in (released, real)
        ]
    first, second = (pl.DataFrame(pl.from_arrow(table)) for table in tables)
    return first, second


def made_by(purpose: Purpose) -> tuple[ModuleType | str, ...]:
    """The modules whose source says what was measured."""
    model = anonymity.transferred(purpose)
    return (sys.modules[__name__], _comparing, DRAWN, *_comparing.learned_by(model)) if model else ()
