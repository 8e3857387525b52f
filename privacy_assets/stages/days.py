"""What is to be done where a dataset is delivered by day: new days, and days whose people's answers changed.

A day that stands is left alone: what a new day costs does not grow with the days before it. A day is made again where
its code or declarations changed, where somebody in it withdrew, objected or passed retention, or where somebody who was
left out may be used now. A day that is delivered a second time is made again by name; that there is one is said.

Belongs here: which days, and which steps of them. Does not belong here: carrying them out (`step.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp

from privacy_assets.contracts.contract import Contract
from privacy_assets.gate import Gate, Passport, Standing, moment_for
from privacy_assets.stages.s1_raw import source_key
from privacy_assets.stages.s2_minimized import CONSENTS
from privacy_assets.stages.step import Step, View, showing
from privacy_assets.warehouse import sources
from privacy_assets.warehouse.connections import engine_errors
from privacy_assets.words import AssetName, Stage


@dataclass(frozen=True, slots=True)
class Due:
    """A day of a dataset, and which of its assets are to be made."""

    dataset: str
    day: str
    steps: tuple[Step, ...]


def due(steps: Mapping[AssetName, Step], gate: Gate, contract: Contract) -> Iterator[Due]:
    """The days that are to be made, in order. Raises BadSource where the source cannot be looked at."""
    delivered = sources.days(contract, gate.project.root).taken
    raw = AssetName(Stage.RAW, dataset=contract.name)
    of_dataset = [step for asset, step in steps.items() if asset.dataset == contract.name]
    for day in sorted({*delivered, *(part.day for part in gate.parts(raw))}):
        made: list[Step] = []
        for step in (whole.of(day) for whole in of_dataset):
            if step.asset.stage is Stage.RAW and day not in delivered:
                continue  # its files are gone; what was taken in of them stands
            remade = {one.asset for one in made}
            if remade.intersection(step.inputs) or not is_current(step, gate):
                made.append(step)
        if made:
            yield Due(contract.name, day, tuple(made))


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """Days of a dataset that `due` leaves as they are, and that somebody should know of."""

    changed: tuple[str, ...]
    """What was delivered of them is not what was taken in."""
    passed_over: tuple[str, ...]
    """No date, before the first day, or after today."""


def left_alone(gate: Gate, contract: Contract) -> LeftAlone:
    """Of the days that stand only those are read whose files are newer. Raises BadSource."""
    found, key = sources.days(contract, gate.project.root), source_key(gate)
    raw = AssetName(Stage.RAW, dataset=contract.name)
    changed: list[str] = []
    for day, moment in found.taken.items():
        passport = gate.latest(raw.of(day))
        if passport is None or passport.measured_at is None or moment <= passport.measured_at:
            continue
        if sources.digest(contract, gate.project.root, gate.home.spill, key, day=day) != passport.source_digest:
            changed.append(day)
    return LeftAlone(tuple(changed), found.passed_over)


def is_current(step: Step, gate: Gate) -> bool:
    """Whether making this day of an asset again would give what stands, as far as can be told without making it."""
    closing = gate.closed(step.asset)
    if closing:
        as_it_was = (closing.code, closing.declared) == (step.code_version, step.declared)
        return (as_it_was or closing.asset != step.asset) and all(
            (latest := gate.latest(one.asset)) and latest.version == one.version for one in closing.inputs
        )
    passport = gate.latest(step.asset)
    if passport is None or (passport.code, dict(passport.declared)) != (step.code_version, dict(step.declared)):
        return False
    if passport.epoch != step.epoch or gate.examine(step.asset).standing is not Standing.KEPT:
        return False
    changed = {name for name, view in step.views.items() if _has_changed(view, gate, passport)}
    # who decided anew matters only where it lets in somebody of this day
    return not changed or (changed == {CONSENTS} and _admitted(step, gate) == passport.rows)


def _has_changed(view: View, gate: Gate, passport: Passport) -> bool:
    """Whether another content stands of an input than the one that was read, of whichever of its days."""
    used = {read.asset: gate.passport(read) for read in passport.inputs if view.asset in (read.asset, read.asset.whole)}
    parts = gate.parts(view.asset)
    return set(parts) != set(used) or any(
        (latest := gate.latest(part)) is None
        or (before := used[part]) is None
        or latest.content_digest != before.content_digest
        for part in parts
    )


def _admitted(step: Step, gate: Gate) -> int:
    """How many rows the step would hold now; nobody lapsed, so as many as there are means the same ones."""
    if step.query is None:
        return -1
    now = gate.moment()
    with showing(step, gate) as con, engine_errors("counting who may be used"):
        rows = step.query.copy()
        if isinstance(rows, exp.Select):
            rows = rows.select("1 AS counted", append=False)
        sql = f"SELECT count(*) FROM ({rows.sql(dialect='duckdb')})"
        found = con.execute(sql, moment_for(step.query, now)).fetchone()
    return int(found[0]) if found else -1
