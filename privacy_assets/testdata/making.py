"""Test data for a purpose: what may be read for it, the rows, the check, the folder; in this order.

    purpose ─► noisy rows, if there are ─► people and rows ─► lineage of what was read ─► folder

Belongs here: that order, and what is told of it. Does not belong here: how a value or a file is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl

from privacy_assets.contracts.anonymity import SPLIT
from privacy_assets.contracts.contract import Contract, Files
from privacy_assets.contracts.promises import promises
from privacy_assets.contracts.purpose import Purpose
from privacy_assets.errors import BadDeclaration, Refused, Tampered
from privacy_assets.gate import Gate, Passport
from privacy_assets.lineage.protection import unprotected_paths
from privacy_assets.techniques.synthesize import SYNTHESIZE
from privacy_assets.testdata import files, people
from privacy_assets.testdata.copied import copies, declared
from privacy_assets.testdata.people import Asked, Invented, Noisy
from privacy_assets.warehouse.connections import engine_errors, quoted
from privacy_assets.words import AssetName, Stage

MOST_PEOPLE = 1_000_000
FIRST_DAY = date(1900, 1, 1)
FOLDER = "testdata"


@dataclass(frozen=True, slots=True)
class Made:
    """What was written, and of what: `read` are the versions that rows were drawn from, `notes` what to know of it."""

    data: Invented
    paths: tuple[Path, ...]
    read: tuple[Passport, ...]
    notes: tuple[str, ...]


def make(
    gate: Gate, purpose: str, *, rows: int, seed: int = 0, day: date | None = None, to: Path | None = None
) -> Made:
    """Write test data of `rows` people for a purpose into the folder `to` (default: testdata/<purpose>).

    The same seed, day (default: today, UTC), declarations and noisy version give the same bytes. Raises BadDeclaration
    for what cannot be made as asked, Refused where people's rows would be among what it is made from, Tampered where
    the evidence of the noisy version does not fit together. Nothing is written then.
    """
    project = gate.project
    if purpose not in project.purposes:
        raise BadDeclaration.of(
            f"there is no purpose {purpose!r}",
            expected=f"one of {', '.join(sorted(project.purposes))}" if project.purposes else "a purpose",
            next_step="name one of them, or declare it in data/purposes",
        )
    if not 1 <= rows <= MOST_PEOPLE:
        raise BadDeclaration.of(
            "so many people cannot be made",
            where="--rows",
            expected=f"a number of people from 1 to {MOST_PEOPLE:,}",
            found=f"{rows:,}",
            next_step="name another number",
        )
    day = day or gate.now().date()
    if day < FIRST_DAY:
        raise BadDeclaration.of(
            "nothing can lie before this day",
            where="--day",
            expected=f"{FIRST_DAY} or later",
            found=f"{day}",
            next_step="name a later day, or none: it is today's then",
        )
    folder = (to.expanduser() if to else project.root / FOLDER / purpose).resolve()
    if folder.is_relative_to(gate.home.path.resolve()):
        raise BadDeclaration.of(
            "the home keeps nothing but its own files", where=str(folder), next_step="name a folder outside the home"
        )
    files.require_free(folder)
    asked_for = project.purposes[purpose]
    asked = Asked(project, asked_for, rows, seed, day, copies(project, asked_for), declared(project, asked_for))
    people.require_makeable(asked)
    noisy, read, note = _noisy(gate, asked_for)
    data = people.invent(replace(asked, noisy=noisy))
    require_noise(gate, read)
    contracts = {name: project.contracts[name] for name in data.tables}
    paths = files.write(folder, contracts, data.tables)
    return Made(data, paths, read, (*note, *_too_few(gate, asked_for, data, rows)))


def require_noise(gate: Gate, read: Sequence[Passport]) -> None:
    """Raise Refused where something leads from what was read up to raw, and no differential privacy stands between."""
    if paths := unprotected_paths(gate, read):
        raise Refused.of(
            "test data would be made from people's rows",
            where=" ◄ ".join(map(str, paths[0])),
            expected="a release under differential privacy on every way up to raw",
            found=f"{len(paths)} ways without",
            next_step="nothing was written; make the release anew with a synthesizer that is differentially private",
        )


def _noisy(gate: Gate, purpose: Purpose) -> tuple[Noisy | None, tuple[Passport, ...], tuple[str, ...]]:
    """The purpose's rows under differential privacy, read through the gate; None, with the reason, without any."""
    asset = AssetName(Stage.SYNTHETIC, purpose.purpose)
    alone = "so nothing was read, and every column is made from declarations alone"
    if purpose.synthetic is None:
        return None, (), (f"{purpose.purpose} publishes no synthetic rows, {alone}.",)
    synthesizer = purpose.synthetic.synthesizer
    if SYNTHESIZE[synthesizer.kind].cost(synthesizer) is None:
        return None, (), (f"{asset} is made by {synthesizer.kind}, without differential privacy, {alone}.",)
    standing = gate.latest(asset)
    if standing is None:
        return None, (), (f"{asset} was never published, {alone}.",)
    if unprotected_paths(gate, (standing,)):
        return None, (), (f"{asset} version {standing.version} was not drawn under differential privacy, {alone}.",)
    try:
        with gate.open_version(asset, purpose=purpose.purpose) as (con, passport), engine_errors(f"reading {asset}"):
            columns = ", ".join(quoted(column) for column, _ in passport.columns if column != SPLIT)
            table = con.execute(f"SELECT {columns} FROM released.main.data ORDER BY ALL").to_arrow_table()
    except Tampered:
        raise
    except Refused as refused:
        return None, (), (f"{asset} cannot be read now ({refused.faults[0].what}), {alone}.",)
    frame = pl.DataFrame(pl.from_arrow(table))
    name = f"{asset} version {passport.version}, under ε = {passport.measures['epsilon']:g}"
    return Noisy(frame, name), (passport,), ()


def _too_few(gate: Gate, purpose: Purpose, data: Invented, rows: int) -> Iterator[str]:
    """What the purpose asks of numbers that these do not reach: a run on them would be stopped there."""
    if purpose.features.subject and rows < purpose.guarantee.at_least_subjects:
        yield (
            f"features/{purpose.purpose} asks for {purpose.guarantee.at_least_subjects:,} people: "
            "a run on these stops there."
        )
    for dataset in purpose.datasets:
        asset = AssetName(Stage.PSEUDONYMIZED, purpose.purpose, dataset)
        for promise in promises(gate.project, asset):
            if promise.parameters.kind == "large_domain":
                values = data.tables[dataset][promise.parameters.column].n_unique()
                if values < promise.parameters.at_least:
                    yield (
                        f"{asset} asks for {promise.parameters.at_least:,} different {promise.parameters.column}, and "
                        f"there are {values:,}: a run on these stops there; make more people."
                    )


def place_of(contract: Contract, day: date) -> str:
    """Where the contract looks for its file, or what it reads instead."""
    if not isinstance(contract.source, Files):
        return contract.source.place
    return contract.source.path.replace("{day}", f"{day:%Y-%m-%d}")
