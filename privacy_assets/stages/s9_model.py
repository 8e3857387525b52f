"""model: the fitted model, its card, and the evidence that it carries.

On arrival: the training set of one purpose. On leaving: an encrypted file with the metrics and their confidence
intervals (`data`), the fitted pipeline as skops bytes, never a pickle (`artefact`), and the card (`card`). The same
training set and seed give the same bytes. Where the purpose names a threat model, the model that was written is asked
whom it learned from, and what came of that stands beside it (`attacks`). Who may read it: people, through `load_model`.

A differentially private one is paid for before noise is drawn, by every materialization, and is another each time; of
every person at most so many rows are learned from, and measured.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from privacy_assets.attacks._modelled import Modelled
from privacy_assets.contracts.anonymity import SPLIT
from privacy_assets.contracts.loading import Project
from privacy_assets.contracts.purpose import Model, Purpose
from privacy_assets.lineage.columns import Edge, Lineage, Source
from privacy_assets.stages import _attacking
from privacy_assets.stages.step import DATA, Step, View, Work, declared, names
from privacy_assets.techniques import noise
from privacy_assets.techniques.aggregate import _bounding
from privacy_assets.techniques.synthesize import _spending
from privacy_assets.techniques.train import TRAIN, _descent
from privacy_assets.warehouse.connections import engine_errors, quoted
from privacy_assets.words import AssetName, Column, Stage

# by name: it brings libraries that only a run should pay for
FITTING = "privacy_assets.techniques.train._fitting"
AGAIN = "privacy_assets.techniques.train._again"
ARTEFACT = "candidate.main.artefact"
CARD = "candidate.main.card"
MEASURES = "candidate.main.measures"
COLUMNS = (
    Column("metric", "VARCHAR"),
    Column("split", "VARCHAR"),
    Column("value", "DOUBLE"),
    Column("low", "DOUBLE"),
    Column("high", "DOUBLE"),
    Column("n", "BIGINT"),
)


def inputs_of(purpose: Purpose, model: Model, arrives: tuple[Column, ...]) -> tuple[Column, ...]:
    """The columns that a model learns from: all but key, subject and target."""
    apart = {*purpose.features.key, purpose.features.subject, model.target}
    return tuple(column for column in arrives if column.name not in apart)


def model(project: Project, purpose: Purpose, asked: Model) -> Step:
    """The step that fits what one purpose asks for."""
    arrives = project.training_columns(purpose.purpose)[:-1]
    inputs = inputs_of(purpose, asked, arrives)
    # rows of one person are resampled together, as far as it is known whose they are
    of_people = purpose.training is None or purpose.training.source == "features"
    unit = purpose.features.subject or purpose.features.key[0] if of_people else None
    attacked = purpose.guarantee.withstands is not None
    read = (*names(inputs), asked.target, *([unit] if unit else []), SPLIT)
    rows_per_person = asked.contribution.rows if asked.contribution else None
    key = purpose.features.key if rows_per_person else ()
    query = query_of(read, str(unit), purpose.features.key, rows_per_person)
    estimator = TRAIN[asked.estimator.kind]
    cost = estimator.cost(asked.estimator) if asked.differential else None
    asset = AssetName(Stage.MODEL, purpose.purpose)
    made_from = AssetName(Stage.TRAINING, purpose.purpose)

    def attack(work: Work, seed: int) -> _attacking.Found:
        from privacy_assets.techniques.train import _fitting

        with engine_errors("reading the model"):
            ((content,),) = work.con.execute(f"SELECT content FROM {ARTEFACT}").fetchall()
        released = _fitting.Fitted(_fitting.load(content), asked.task, asked.target, SPLIT)
        return _attacking.on_model(purpose, arrives, _modelled(released, asked, _rows(work, query), unit), seed)

    def write(work: Work) -> None:
        from privacy_assets.techniques.train import _fitting

        frame = _rows(work, query)
        if cost is not None:
            work.gate.debit(asset, cost, (asked.estimator.kind,))
        fitted = _fitting.fit(
            frame,
            inputs=inputs,
            target=asked.target,
            task=asked.task,
            estimator=asked.estimator,
            seed=asked.seed,
            declared=_declared(asked),
        )
        metrics = _fitting.metrics(fitted, frame, subject=unit, seed=asked.seed)
        (passport,) = work.inputs["training"]
        card = {
            "purpose": {"name": purpose.purpose, "version": purpose.version, "why": purpose.why},
            "task": asked.task,
            "target": asked.target,
            "estimator": asked.estimator.model_dump(),
            "seed": asked.seed,
            "inputs": [
                {"name": column.name, "type": column.type, "role": column.role, "technique": column.technique}
                for column in inputs
            ],
            "trained_on": {
                "asset": str(made_from),
                "version": passport.version,
                "content_digest": passport.content_digest,
                "rows": passport.rows,
                "ledger_entry": passport.position,
            },
            "is_personal_data": (purpose.training.reason or "") if purpose.training else "",
            "metrics": metrics.to_dicts(),
        }
        if cost is not None:
            card["differential_privacy"] = {
                "epsilon": cost.epsilon,
                "delta": cost.delta,
                "rho": cost.rho,
                "rows_per_person": rows_per_person,
                "of": "the weights, for people of train; metrics are of other people, without noise",
            }
            measures = {"epsilon": cost.epsilon, "delta": cost.delta}
            work.write(MEASURES, pl.DataFrame({"name": list(measures), "value": list(measures.values())}))
        with engine_errors("writing the model"):
            work.con.register("measured", metrics.to_arrow())
            work.con.execute(f"CREATE TABLE {DATA} AS SELECT metric, split, value, low, high, n FROM measured")
            work.con.unregister("measured")
            work.con.execute(f"CREATE TABLE {ARTEFACT} (format VARCHAR, content BLOB)")
            work.con.execute(f"INSERT INTO {ARTEFACT} VALUES ('skops', ?)", [_fitting.save(fitted)])
            work.con.execute(f"CREATE TABLE {CARD} (content VARCHAR)")
            work.con.execute(f"INSERT INTO {CARD} VALUES (?)", [json.dumps(card, sort_keys=True)])
        if attacked:
            work.write(_attacking.TABLE, _attacking.frame(attack(work, asked.seed)))

    sources = frozenset(("training", name) for name in (*names(inputs), asked.target))
    deciding = frozenset(("training", name, "filter") for name in (unit, SPLIT, *key) if name)
    return Step(
        asset=asset,
        views={"training": View(made_from, tuple(dict.fromkeys((*read, *key))))},
        columns=COLUMNS,
        query=None,
        lineage=_lineage(sources, deciding),
        write=write,
        declared=declared(("purpose", f"{purpose.purpose}@{purpose.version}", project.digest(purpose.purpose))),
        made_by=(
            sys.modules[__name__],
            FITTING,
            estimator,
            *((_bounding, _descent, _spending, noise) if cost is not None else ()),
            *((AGAIN, *_attacking.made_by(purpose, arrives, Stage.MODEL)) if attacked else ()),
        ),
        references={"metrics": DATA} | ({"attacks": _attacking.TABLE} if attacked else {}),
        tables=(DATA, ARTEFACT),
        measures=MEASURES if cost is not None else None,
        attack=attack if attacked else None,
        epoch=purpose.epoch,
    )


def _lineage(sources: frozenset[Source], deciding: frozenset[Edge]) -> Lineage:
    """Metrics are of all that the model learned from and was tried on; their names are declared, not computed."""
    nothing: frozenset[Source] = frozenset()
    direct = {column.name: nothing for column in COLUMNS} | dict.fromkeys(("value", "low", "high"), sources)
    return Lineage(direct, dict.fromkeys(direct, deciding))


def query_of(read: Sequence[str], unit: str, key: Sequence[str], rows_per_person: int | None) -> str:
    """The rows of the training set that are looked at: all, or of each person at most so many."""
    if rows_per_person is None:
        return f"SELECT {', '.join(map(quoted, read))} FROM training"
    bounded = _bounding.bounded(read, unit, key, rows_per_person)
    return bounded.with_(_bounding.FEATURES, as_="SELECT * FROM training").sql(dialect="duckdb")


def _rows(work: Work, query: str) -> pl.DataFrame:
    """The training set. The order of rows decides the order of sums: a fixed one makes the fit repeatable."""
    with engine_errors("reading the training set"):
        table = work.con.execute(f"{query} ORDER BY ALL").to_arrow_table()
    return pl.DataFrame(pl.from_arrow(table))


def _declared(asked: Model) -> Any:
    """What a private fit is told; None for any other."""
    from privacy_assets.techniques.train._fitting import Declared

    if asked.contribution is None:
        return None
    return Declared({name: bounds.days for name, bounds in asked.bounds.items()}, asked.contribution.rows)


def _modelled(released: Any, asked: Model, frame: pl.DataFrame, unit: str | None) -> Modelled:
    """The model as an adversary meets it; a row is a person of its own where nobody knows whose it is."""
    from privacy_assets.techniques.train._again import Again

    again = Again(released, frame, asked.estimator, asked.seed, _declared(asked))
    whose = frame[unit].rank("dense").to_numpy() - 1 if unit else np.arange(frame.height)
    member = (frame[SPLIT] == "train").to_numpy()
    return Modelled(whose.astype(np.intp), member, again.said(), again.learn, asked.task, again.inputs, again.plant)
