"""What a purpose's anonymization could be: techniques and k, each with its risk and its utility, and the choice of one.

    features ─► combinations ─► recode with each (technique, k) ─► figures ─► points ─► decision in the ledger

Every other criterion, hierarchies, weights and the share that may be suppressed are as the purpose says. Nothing is
published: the rows stay in the connection that shows them, and only figures leave it. A point is a candidate and proves
nothing: what the purpose publishes is measured anew by invariants.

Belongs here: which candidates there are, which are Pareto-optimal, the entry that keeps a choice. Does not belong here:
figures and pages (`reports/frontier.py`), how a technique works (`techniques/anonymize/`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import duckdb
import polars as pl

from privacy_assets.contracts import anonymity
from privacy_assets.contracts.purpose import Anonymity, Anonymized, Model, Purpose
from privacy_assets.errors import BadDeclaration, NotKept, Refused
from privacy_assets.gate import Gate
from privacy_assets.reports.frontier import DECIDE, RISKS, Frontier, Point
from privacy_assets.stages._combinations import Known, tuples_of
from privacy_assets.stages.s5_anonymized import anonymized
from privacy_assets.stages.s9_model import inputs_of
from privacy_assets.stages.step import Step, names, showing
from privacy_assets.techniques.anonymize import ANONYMIZE
from privacy_assets.techniques.criteria import k_anonymity
from privacy_assets.warehouse.connections import engine_errors, quoted
from privacy_assets.words import AssetName, Column, Stage

KS = (2, 3, 5, 10, 20, 50)
"""The k that are tried beside the purpose's own."""

LONGEST_REASON = 500
"""How many characters a reason may have: it stays in the ledger for good."""

Learns = Callable[[Any], float | None]
"""What a model that learns from a recoding reaches; None where it cannot."""


def frontier(gate: Gate, purpose: str, *, seed: int | None = None, with_model: bool = False) -> Frontier:
    """All points of a purpose, from its features as they stand.

    `seed` takes the place of the seed of every technique that has one. The same features, purpose and seed give the
    same points. `with_model` fits the purpose's model on the train rows of each point and measures it on those of
    validation; those of test are not looked at, so that what is chosen can still be tested on them.

    Raises BadDeclaration where the purpose asks for no anonymity, or has no model that learns from it, and what the
    gate raises for features that may not be read.
    """
    declared, asked, kept = _asked(gate, purpose)
    model = _model(gate, declared) if with_model else None
    step = anonymized(gate.project, declared, asked, kept)
    arrives = gate.project.features(purpose).columns
    generalized = anonymity.quasi_identifiers(declared, arrives)
    criteria = [each.criterion for each in anonymity.asked_of(declared, arrives)]
    of_values = sorted({one.column for one in criteria if getattr(one, "column", None)})
    member, subject = anonymity.member_column(declared), str(declared.features.subject)
    features = AssetName(Stage.FEATURES, purpose)
    read = gate.require(features, Stage.ANONYMIZED)
    with showing(step, gate) as con:
        with engine_errors("counting combinations"):
            known = Known(con, generalized, of_values, member, subject)
        tuples, _ = tuples_of(declared, asked, criteria, known)
        others = _others(declared, asked, generalized)
        learns = _learning(con, gate, declared, model, step, known) if model else None
        points = sweep(tuples, asked, criteria, anonymity.suppressed_at_most(kept), others, seed=seed, learns=learns)
    if gate.require(features, Stage.ANONYMIZED).version != read.version:
        raise Refused.of("another version was published meanwhile", where=str(features), next_step="run it again")
    own = [one for one in criteria if one.kind != "k_anonymity"]
    from privacy_assets.techniques.anonymize._refusing import said

    return Frontier(
        purpose=purpose,
        declared=f"{purpose}@{declared.version}",
        digest=gate.project.digest(purpose),
        features=f"{read.asset} version {read.version}, ledger entry {read.position}",
        beside=tuple(map(said, own)),
        suppressed_at_most=anonymity.suppressed_at_most(kept),
        seed=seed,
        points=points,
        metric=_metric(declared, model) if model else None,
    )


def _asked(gate: Gate, name: str) -> tuple[Purpose, Anonymized, Anonymity]:
    purpose = gate.project.purposes.get(name)
    if purpose is None:
        raise BadDeclaration.of(
            f"there is no purpose {name!r}", expected=f"one of {', '.join(gate.project.purposes)}",
            next_step="name a purpose of this project",
        )  # fmt: skip
    if purpose.anonymized is None or purpose.guarantee.anonymity is None:
        raise BadDeclaration.of(
            f"{name} asks for no anonymity, so there is nothing to weigh",
            where=gate.project.where("purpose", name),
            expected="`guarantee.anonymity` and `anonymized`",
            next_step="add both, as a new major version of the purpose: what is to be kept, and by which techniques",
        )
    return purpose, purpose.anonymized, purpose.guarantee.anonymity


def _model(gate: Gate, purpose: Purpose) -> Model:
    if purpose.model is None or purpose.training is None or purpose.training.source != "anonymized":
        raise BadDeclaration.of(
            f"{purpose.purpose} has no model that learns from anonymized rows",
            where=gate.project.where("purpose", purpose.purpose),
            expected="`model`, and `training` with `from: anonymized`",
            next_step="leave out --with-model: utility is information loss then",
        )
    return purpose.model


def _metric(purpose: Purpose, model: Model) -> str:
    """The metric that the purpose promises, or the first of its task."""
    if purpose.guarantee.utility is not None:
        return purpose.guarantee.utility.metric
    return "roc_auc" if model.task == "classification" else "r2"


def _learning(
    con: duckdb.DuckDBPyConnection, gate: Gate, purpose: Purpose, model: Model, step: Step, known: Known
) -> Learns:
    """What the model reaches on validation, of rows as the stage would publish them, in the order of what they are."""
    from privacy_assets.techniques.train import _fitting

    query, metric, split = step.query, _metric(purpose, model), anonymity.SPLIT
    assert query is not None
    inputs = inputs_of(purpose, model, gate.project.training_columns(purpose.purpose)[:-1])
    read = ", ".join(map(quoted, (*names(inputs), model.target, split)))

    def learns(recoding: Any) -> float | None:
        with engine_errors("recoding what a model would learn from"):
            con.register("recoded", known.recoded(recoding).to_arrow())
            told = con.execute(f"SELECT {read} FROM ({query.sql(dialect='duckdb')}) ORDER BY ALL").to_arrow_table()
            con.unregister("recoded")
        frame = pl.DataFrame(pl.from_arrow(told))
        try:
            fitted = _fitting.fit(
                frame, inputs=inputs, target=model.target, task=model.task, estimator=model.estimator, seed=model.seed
            )
        except NotKept:  # too little is left to learn from
            return None
        held = frame.filter(pl.col(split) == "validation")
        measured = _fitting.metrics(fitted, held, subject=None, seed=model.seed)
        found = measured.filter(pl.col("metric") == metric)["value"].to_list()
        return found[0] if found else None

    return learns


def _others(purpose: Purpose, asked: Anonymized, generalized: Sequence[Column]) -> tuple[Any, ...]:
    """The techniques that the purpose does not name, and that leave every column in the form of those that it does."""
    named = {technique.kind for technique in asked.techniques}

    def forms(technique: Any) -> list[tuple[str, Any]]:
        left = [ANONYMIZE[technique.kind].output(technique, one, anonymity.labels(purpose, one)) for one in generalized]
        return [(column.type, column.domain) for column in left]

    found = []
    for kind, module in ANONYMIZE.items():
        needed = {name for name, field in module.Parameters.model_fields.items() if field.is_required()}
        if kind not in named and needed == {"kind"}:
            technique = module.Parameters(kind=kind)
            if forms(technique) == forms(asked.techniques[0]):
                found.append(technique)
    return tuple(found)


def sweep(
    tuples: Any,
    asked: Anonymized,
    criteria: Sequence[Any],
    suppressed_at_most: float,
    others: Sequence[Any] = (),
    *,
    seed: int | None = None,
    learns: Learns | None = None,
) -> tuple[Point, ...]:
    """The points of a table as the search sees it: of each technique the purpose's own k, and those of `KS`."""
    from privacy_assets.techniques.anonymize import _quality

    own = next((one.k for one in criteria if one.kind == "k_anonymity"), None)
    ks = sorted({*KS, own} - {None}) if own is not None else [None, *KS]
    tried = [_seeded(technique, seed) for technique in (*asked.techniques, *others)]
    candidates = [(technique, k) for technique in tried for k in ks]
    # with another seed the purpose's own stand beside them
    candidates += [(one, own) for one in asked.techniques if (one, own) not in candidates]
    points: list[Point] = []
    for number, (technique, k) in enumerate(candidates, start=1):
        parameters = technique.model_dump(exclude={"kind"})
        declared = technique in asked.techniques and k == own
        figures: dict[str, float] = {}
        why: tuple[str, ...] = ()
        try:
            recoding = ANONYMIZE[technique.kind].recode(technique, tuples, with_k(criteria, k), suppressed_at_most)
            figures = dict(_quality.measures(recoding, tuples))
            if learns is not None and (learned := learns(recoding)) is not None:
                figures["model"] = learned
        except NotKept as error:
            why = tuple(dict.fromkeys(_reason(fault.what, fault.expected, fault.found) for fault in error.faults))
        points.append(Point(number, technique.kind, parameters, k, figures, why, declared))
    taken = min((one for one in points if one.declared and one.kept), key=_quality_of(asked, points), default=None)
    return tuple(replace(point, current=point is taken, optimal=_optimal(point, points)) for point in points)


def with_k(criteria: Sequence[Any], k: int | None) -> list[Any]:
    """The criteria with another k, which comes first where none was asked for."""
    if k is None:
        return list(criteria)
    of_k = k_anonymity.Parameters(kind="k_anonymity", k=k)
    if not any(one.kind == "k_anonymity" for one in criteria):
        return [of_k, *criteria]
    return [of_k if one.kind == "k_anonymity" else one for one in criteria]


def _seeded(technique: Any, seed: int | None) -> Any:
    if seed is None or "seed" not in type(technique).model_fields:
        return technique
    return technique.model_copy(update={"seed": seed})


def _reason(what: str, expected: str, found: str) -> str:
    more = ", ".join(f"{word} {text}" for word, text in (("expected", expected), ("found", found)) if text)
    return f"{what} ({more})" if more else what


def _quality_of(asked: Anonymized, points: Sequence[Point]) -> Callable[[Point], tuple[float, int]]:
    """As the stage orders its techniques: by the declared quality, and of equals by their place."""
    kinds = [technique.kind for technique in asked.techniques]
    return lambda point: (point.figures[asked.quality], kinds.index(point.technique))


def _optimal(point: Point, points: Sequence[Point]) -> tuple[str, ...]:
    """The risks for which no point is better: none has as little of it and as much utility, and is not the same."""
    kept = [one for one in points if one.kept]
    found = []
    for place, risk in enumerate(RISKS if point.kept else ()):
        own = (point.risks[place], -point.utility)
        others = [(one.risks[place], -one.utility) for one in kept]
        if not any(other != own and other[0] <= own[0] and other[1] <= own[1] for other in others):
            found.append(risk)
    return tuple(found)


def chosen(found: Frontier, number: int | None) -> Point:
    """The point of this number, or the one that the purpose takes now. Raises BadDeclaration where there is none."""
    kept = [point for point in found.points if point.kept]
    for point in kept:
        if point.number == number or (number is None and point.current):
            return point
    raise BadDeclaration.of(
        "the purpose as it is cannot be kept, so it cannot be chosen"
        if number is None
        else "there is no point of this number that can be kept",
        where="--choose",
        expected=f"one of {', '.join(str(point.number) for point in kept)}" if kept else "a point that can be kept",
        found="" if number is None else str(number),
        next_step="choose by the numbers in the table"
        if kept
        else "ask for weaker criteria as a new major version of the purpose, or take in more people",
    )


def sound_reason(because: str) -> str:
    """The reason as it is kept. Raises BadDeclaration where it is empty, too long, or no plain text."""
    reason = " ".join(because.split())
    odd = any(unicodedata.category(letter)[0] == "C" for letter in reason)
    if not reason or len(reason) > LONGEST_REASON or odd:
        raise BadDeclaration.of(
            "this is no reason that can be kept",
            where="--because",
            expected=f"1 to {LONGEST_REASON} characters of text",
            found="letters that cannot be seen" if odd else f"{len(reason)} characters",
            next_step="say in a sentence why this point was chosen, and name no person: it stays in the ledger",
        )
    return reason


def decide(gate: Gate, found: Frontier, point: Point, because: str) -> int:
    """Keep the choice of a point, with its reason, as a signed entry; its position in the ledger."""
    purpose = gate.project.purposes[found.purpose]
    return gate.ledger.append(
        {
            "action": DECIDE,
            "purpose": found.purpose,
            "version": str(purpose.version),
            "digest": found.digest,
            "features": found.features,
            "number": point.number,
            "technique": point.technique,
            "parameters": dict(point.parameters),
            "k": point.k,
            "beside": list(found.beside),
            "suppressed_at_most": found.suppressed_at_most,
            "figures": dict(point.figures),
            "as_declared": point.declared,
            "optimal": list(point.optimal),
            "seed": found.seed,
            "reason": sound_reason(because),
            "actor_claimed": gate.actor(),
        }
    )
