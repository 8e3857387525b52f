"""anonymized: the features without keys and tokens, generalized until every class keeps what the purpose asks.

On arrival: features. On leaving: quasi-identifiers as labels, other columns as they were, no key, no token, no order of
rows that tells where they came from; rows that would stand out are left out, and counted. Beside the rows the version
keeps, encrypted, the class table (generalized tuples with their rows and people), those of earlier versions that were
delivered, hierarchies that were read off the data, and what it cost. Where the purpose says what the rows have to be
worth (`guarantee.anonymity.transfer`), a model that learned from them meets true rows of the features, of people whose
rows it did not learn from; only figures of that are left. Who may read it: training, and people through `read` and
`export`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from sqlglot import exp

from privacy_assets.contracts import anonymity, withstanding
from privacy_assets.contracts.loading import Project
from privacy_assets.contracts.promises import LINKED
from privacy_assets.contracts.purpose import Anonymity, Anonymized, Purpose
from privacy_assets.errors import Fault, NotKept, Refused
from privacy_assets.lineage.columns import Lineage
from privacy_assets.stages import _attacking, _combinations, _comparing, _transferring
from privacy_assets.stages._combinations import Known, tuples_of
from privacy_assets.stages.step import DATA, Step, View, Work, declared, names
from privacy_assets.techniques.anonymize import ANONYMIZE
from privacy_assets.techniques.hierarchies import HIERARCHIES
from privacy_assets.techniques.train import _splitting
from privacy_assets.warehouse.connections import engine_errors, governed, quoted
from privacy_assets.words import AssetName, Column, Stage

# by name: they bring libraries that only a run should pay for
TUPLES = "privacy_assets.techniques.anonymize._tuples"
QUALITY = "privacy_assets.techniques.anonymize._quality"
TOGETHER = "privacy_assets.techniques.anonymize._releases"
CLASSES = "candidate.main.classes"
HIERARCHY = "candidate.main.hierarchies"
MEASURES = "candidate.main.measures"
FIDELITY = "candidate.main.fidelity"
RELEASES = "candidate.main.releases"


def anonymized(project: Project, purpose: Purpose, asked: Anonymized, kept: Anonymity) -> Step:
    """The step that generalizes one purpose's features."""
    arrives = project.features(purpose.purpose).columns
    leaves = project.anonymized_columns(purpose.purpose)
    generalized = anonymity.quasi_identifiers(purpose, arrives)
    criteria = [each.criterion for each in anonymity.asked_of(purpose, arrives)]
    of_values = sorted(
        withstanding.counted(purpose, arrives) | {c.column for c in criteria if getattr(c, "column", None)}
    )
    member, subject = anonymity.member_column(purpose), str(purpose.features.subject)
    fair = purpose.guarantee.fairness.columns if purpose.guarantee.fairness else ()
    query = _query(purpose, leaves, generalized, member)

    def write(work: Work) -> None:
        with engine_errors("counting combinations"):
            known = Known(work.con, generalized, of_values, member, subject)
        tuples, recoding, measures, learned = _recode(purpose, asked, kept, criteria, known)
        earlier = _earlier(work)
        with engine_errors("writing what was generalized"):
            work.con.register("recoded", known.recoded(recoding).to_arrow())
            linked = query.copy().select(exp.column(subject, table="features", quoted=True), copy=False)
            if member:
                everyone = "recoded.class >= 0 AND coalesce(features.{0}, false) AS {0}".format(quoted(member))
                linked = linked.select(everyone, copy=False, dialect="duckdb")
                linked.set("where", None)
            work.con.execute(f"CREATE TABLE main.{LINKED} AS {linked.sql(dialect='duckdb')}")
            published = f"FROM main.{LINKED} WHERE {quoted(member) if member else 'true'}"
            # in the order of what they are, which tells nothing of where they stood
            columns = ", ".join(map(quoted, names(leaves)))
            work.con.execute(f"CREATE TABLE {DATA} AS SELECT {columns} {published} ORDER BY ALL")
            of_classes = ", ".join(quoted(column.name) for column in generalized)
            work.con.execute(
                f"CREATE TABLE {CLASSES} AS SELECT {of_classes}, count(*) AS _rows, "
                f"count(DISTINCT {quoted(subject)}) AS _people {published} GROUP BY ALL ORDER BY ALL"
            )
            left_out = _fairness(work, generalized, fair, member)
            measures = {**measures, **left_out, **_apart(tuples, recoding, earlier)}
            worth = _transferring.measured(work.con, purpose, arrives, known, tuples, recoding)
            measures |= _comparing.told(worth)
            found = [_disparity(left_out, measures["suppressed_share"], int(tuples.rows.sum())), *worth]
            work.write(FIDELITY, _comparing.frame(found))
            work.write(RELEASES, earlier)
            work.write(HIERARCHY, pl.DataFrame(learned, schema=_LEARNED, orient="row"))
            work.write(MEASURES, pl.DataFrame({"name": list(measures), "value": list(measures.values())}))
            work.con.unregister("recoded")
        if purpose.guarantee.withstands is not None:
            tried = _attacking.on_anonymized(purpose, arrives, tuples, recoding, 0)
            work.write(_attacking.TABLE, _attacking.frame(tried))

    def attack(work: Work, seed: int) -> _attacking.Found:
        with engine_errors("counting combinations"):
            known = Known(work.con, generalized, of_values, member, subject)
            classes = work.con.execute(f"SELECT _rows FROM {CLASSES} ORDER BY 1").fetchall()
        # nothing that is published says whose row is which, so it is found again
        tuples, recoding, *_ = _recode(purpose, asked, kept, criteria, known)
        rows = np.bincount(recoding.classes[recoding.classes >= 0], tuples.rows[recoding.classes >= 0])
        if sorted(rows[rows > 0]) != [row for (row,) in classes]:
            raise Refused.of(
                "the program does not generalize any more as it did, so this version cannot be attacked again",
                where=str(work.asset),
                next_step=f"materialize {work.asset} again: a new version is attacked before it is published",
            )
        return _attacking.on_anonymized(purpose, arrives, tuples, recoding, seed)

    return Step(
        asset=AssetName(Stage.ANONYMIZED, purpose.purpose),
        views={"features": View(AssetName(Stage.FEATURES, purpose.purpose), names(arrives))},
        columns=leaves,
        query=query,
        lineage=_lineage(leaves, generalized, of_values, member, subject),
        write=write,
        declared=declared(("purpose", f"{purpose.purpose}@{purpose.version}", project.digest(purpose.purpose))),
        made_by=(
            sys.modules[__name__],
            _combinations,
            *(sys.modules[module.__name__] for module in _made_by(purpose, asked, generalized)),
            *sorted({type(criterion).__module__ for criterion in criteria}),
            TUPLES,
            QUALITY,
            TOGETHER,
            _splitting,
            *_transferring.made_by(purpose),
            *_attacking.made_by(purpose, arrives, Stage.ANONYMIZED),
        ),
        references={"input": "features", LINKED: f"main.{LINKED}", "attacks": _attacking.TABLE, "fidelity": FIDELITY},
        measures=MEASURES,
        attack=attack if purpose.guarantee.withstands is not None else None,
        epoch=purpose.epoch,
    )


_LEARNED: dict[str, Any] = {"column": pl.String, "value": pl.String, "labels": pl.List(pl.String)}


def _made_by(purpose: Purpose, asked: Anonymized, generalized: Sequence[Column]) -> list[Any]:
    techniques = [ANONYMIZE[technique.kind] for technique in asked.techniques]
    kinds = {anonymity.hierarchy(purpose, column.name).kind for column in generalized}
    return [*techniques, *(HIERARCHIES[kind] for kind in sorted(kinds))]


def _query(purpose: Purpose, leaves: Sequence[Column], generalized: Sequence[Column], member: str | None) -> exp.Select:
    """The rows as they are published, from the features and the table of what each combination becomes."""
    places = {column.name: at for at, column in enumerate(generalized)}
    query = exp.select().from_("features")
    for column in leaves:
        if column.name in places:
            cell: exp.Expr = exp.column(f"cell_{places[column.name]}", table="recoded")
        elif column.name == anonymity.SPLIT and purpose.training is not None:
            subject = exp.column(str(purpose.features.subject), table="features", quoted=True)
            cell = _splitting.split_expression(subject, purpose.training.split, purpose.training.split.seed)
        else:
            cell = exp.column(column.name, table="features", quoted=True)
        query = query.select(exp.alias_(cell, column.name, quoted=True), copy=False)
    same = [
        exp.NullSafeEQ(
            this=exp.column(name, table="features", quoted=True), expression=exp.column(f"leaf_{at}", table="recoded")
        )
        for name, at in places.items()
    ]
    query = query.join("recoded", on=exp.and_(*same), copy=False).where("recoded.class >= 0", copy=False)
    if member:
        query = query.where(exp.column(member, table="features", quoted=True), copy=False)
    return query


def _lineage(
    leaves: Sequence[Column], generalized: Sequence[Column], of_values: Sequence[str], member: str | None, subject: str
) -> Lineage:
    """A cell comes from its own column; how coarse it is, and which rows there are, from all that classes are of."""
    of_classes = {*names(tuple(generalized)), *of_values, subject}
    decides = {("features", name, "group") for name in of_classes}
    if member:
        decides.add(("features", member, "filter"))
    sources = {column.name: subject if column.name == anonymity.SPLIT else column.name for column in leaves}
    return Lineage(
        {name: frozenset({("features", source)}) for name, source in sources.items()},
        dict.fromkeys(sources, frozenset(decides)),
    )


def _recode(
    purpose: Purpose, asked: Anonymized, kept: Anonymity, criteria: Sequence[Any], known: Known
) -> tuple[Any, Any, Mapping[str, float], list[tuple[str, str | None, list[str | None]]]]:
    """The table as it is searched, the best recoding by the declared quality, its figures, and what was learned."""
    from privacy_assets.techniques.anonymize import _quality

    tuples, learned = tuples_of(purpose, asked, criteria, known)
    at_most = anonymity.suppressed_at_most(kept)
    found: list[tuple[float, int, Any, Mapping[str, float]]] = []
    faults: list[Fault] = []
    for place, technique in enumerate(asked.techniques):
        try:
            recoding = ANONYMIZE[technique.kind].recode(technique, tuples, criteria, at_most)
        except NotKept as error:
            faults += error.faults
            continue
        measures = _quality.measures(recoding, tuples)
        found.append((measures[asked.quality], place, recoding, measures))
    if not found:
        raise NotKept(*dict.fromkeys(faults))
    _, best, recoding, measures = min(found, key=lambda one: one[:2])
    told = dict(measures)
    for quality, place, each, _ in found:
        kind = asked.techniques[place].kind
        told |= {f"{asked.quality}[{kind}]": quality, f"chosen[{kind}]": float(place == best)}
        told |= {f"looks[{kind}]": float(each.looks), f"proven_optimal[{kind}]": float(each.optimal)}
    if recoding.levels is not None:
        told |= {f"level[{name}]": float(level) for name, level in zip(known.names, recoding.levels, strict=True)}
    return tuples, recoding, told, learned


_RELEASED: dict[str, Any] = {
    "version": pl.String,
    "own": pl.Boolean,
    "names": pl.List(pl.String),
    "labels": pl.List(pl.String),
    "people": pl.Int64,
}


def _earlier(work: Work) -> pl.DataFrame:
    """The class tables of the version before this one, and of those that were delivered before that.

    The version before is among them whether it was delivered or not: it can be while this one is being made. So are
    those that other purposes delivered about the same people to the same recipients, and their last ones.
    """
    gate = work.gate
    found = [pl.DataFrame(schema=_RELEASED)]
    for asset in gate.compared(work.asset):
        before = gate.latest(asset)
        if before is None or not gate.is_sound(before):
            continue
        delivered = set(gate.delivered(asset))
        with (
            governed(gate.home.spill, inputs={"before": gate.attachment(before)}, candidate=None) as con,
            engine_errors("reading what was released before"),
        ):
            held = con.execute("FROM before.main.releases").to_arrow_table()
            classes = pl.DataFrame(pl.from_arrow(con.execute("FROM before.main.classes").to_arrow_table()))
        names = [name for name in classes.columns if name not in ("_rows", "_people")]
        table = classes.select(
            pl.lit(before.version).alias("version"),
            pl.lit(asset == work.asset).alias("own"),
            pl.lit(names, dtype=pl.List(pl.String)).alias("names"),
            pl.concat_list(pl.col(name).cast(pl.String) for name in names).alias("labels"),
            pl.col("_people").cast(pl.Int64).alias("people"),
        )
        earlier = pl.DataFrame(pl.from_arrow(held), schema_overrides=_RELEASED)
        own = pl.lit(asset == work.asset).alias("own")
        found += [earlier.filter(pl.col("version").is_in(delivered)).with_columns(own), table]
    return pl.concat(found)


def _apart(tuples: Any, recoding: Any, earlier: pl.DataFrame) -> dict[str, float]:
    """Of each earlier release, how small the smallest group is that stands apart in both together; 0 where none."""
    from privacy_assets.techniques.anonymize._releases import ClassTable, smallest_apart

    found = {}
    for (version, own), table in earlier.group_by("version", "own", maintain_order=True):
        names = table["names"][0].to_list()
        labels = {name: table["labels"].list.get(place) for place, name in enumerate(names)}
        found[f"apart[{version}]"] = float(
            smallest_apart(tuples, recoding, ClassTable(labels, table["people"].to_numpy(), own=bool(own)))
        )
    return found


def _disparity(left_out: Mapping[str, float], share: float, rows: int) -> _comparing.Row:
    """By how much more rows are left out of the group that loses most than of everybody, as `fidelity` judges it."""
    most = max(left_out.values(), default=share) - share
    return "disparity", "", most, most, most, rows


def _fairness(work: Work, generalized: Sequence[Column], fair: Sequence[str], member: str | None) -> dict[str, float]:
    """The share of rows that are left out, of each group of the fairness columns."""
    same = " AND ".join(
        f"features.{quoted(column.name)} IS NOT DISTINCT FROM recoded.leaf_{at}"
        for at, column in enumerate(generalized)
    )
    measures: dict[str, float] = {}
    for name in fair:
        group = f"coalesce(CAST(features.{quoted(name)} AS VARCHAR), 'NULL')"
        where = f"WHERE features.{quoted(member)}" if member else ""
        shares = work.con.execute(
            f"SELECT {group}, count_if(recoded.class < 0) / count(*) FROM features JOIN recoded ON {same} {where} "
            "GROUP BY ALL"
        ).fetchall()
        measures |= {f"suppressed_share[{name}={value}]": float(share) for value, share in sorted(shares)}
    return measures
