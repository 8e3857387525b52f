"""Tries every attack of a purpose's threat model on rows or a model that is to be released, or was.

Belongs here: what an adversary is given of a stage, and the table that invariants judge. Does not belong here:
what an attack does (`attacks/`), how much may come of it (`threat_models/`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl

from privacy_assets import attacks
from privacy_assets.attacks import ATTACKS
from privacy_assets.attacks._generalized import Generalized
from privacy_assets.attacks._modelled import Modelled
from privacy_assets.attacks._shadows import PAIRS
from privacy_assets.attacks._suite import tried
from privacy_assets.attacks._trying import Target, Tries
from privacy_assets.coded import Coded
from privacy_assets.contracts import withstanding
from privacy_assets.contracts.purpose import Purpose
from privacy_assets.discovery import helpers
from privacy_assets.threat_models._asked import Settled
from privacy_assets.words import Column, Stage

TABLE = "candidate.main.attacks"

_COUNTED = [field.name for field in fields(Tries)]
_SCHEMA: dict[str, Any] = {"attack": pl.String} | {
    name: pl.String if name in ("about", "group") else pl.Int64 for name in _COUNTED
}


@dataclass(frozen=True, slots=True)
class Beside:
    """Synthetic rows, one row of each person whom they were learned from and of each other, and how to learn anew.

    `again` is told whom to learn from by a mask over `fitted` and then `control`.
    """

    released: Coded
    fitted: Coded
    control: Coded
    again: Callable[[np.ndarray], Coded]


Found = Sequence[tuple[str, Tries]]
"""The kind of each attack, with what was counted."""


def on_synthetic(
    purpose: Purpose, columns: Sequence[Column], beside: Beside, seed: int, when: Settled = Settled.BY_ATTACK
) -> Found:
    """Try each attack of the threat model on synthetic rows, or each of those that are tried `LATER`."""
    places = {domain.name: place for place, domain in enumerate(beside.released.domains)}
    who = withstanding.adversary(purpose, columns)
    known, secret = (tuple(places[name] for name in each) for each in (who.known, who.secret))
    target = Target(beside.released, beside.fitted, beside.control, known, secret, beside.again)
    return _all(purpose, columns, Stage.SYNTHETIC, target, seed, when)


def on_anonymized(purpose: Purpose, columns: Sequence[Column], tuples: Any, recoding: Any, seed: int) -> Found:
    """The same on generalized rows, as they were found: `tuples` and `recoding` of `techniques/anonymize/_tuples`."""
    return _all(purpose, columns, Stage.ANONYMIZED, generalized(tuples, recoding), seed)


def generalized(tuples: Any, recoding: Any) -> Generalized:
    """A recoding as an adversary meets it, with what is behind it."""
    labelled = all(cell.dtype == pl.String for cell in recoding.cells)  # numbers of Mondrian have no level
    levels = _levels(tuples, recoding) if labelled else [np.zeros(len(tuples.rows), np.int32)] * len(tuples.columns)
    return Generalized(
        tuple(np.stack(column.groups).astype(np.int32) for column in tuples.columns),
        tuples.codes.astype(np.int32),
        np.stack(list(levels), axis=1),
        recoding.classes.astype(np.int32),
        tuples.rows.astype(np.int32),
        {
            name: (held.tuples.astype(np.int32), held.values.astype(np.int32), held.counts.astype(np.int32))
            for name, held in (tuples.sensitive or {}).items()
        },
    )


def _levels(tuples: Any, recoding: Any) -> Iterator[np.ndarray]:
    """Of each column the level at which each combination was published: the finest whose label it has."""
    for place, column in enumerate(tuples.columns):
        found = np.full(len(tuples.rows), column.height, dtype=np.int32)
        for level in reversed(range(column.height)):
            labels = column.labels[level].gather(column.groups[level][tuples.codes[:, place]])
            found[labels.eq_missing(recoding.cells[place]).to_numpy()] = level
        yield found


def on_model(purpose: Purpose, columns: Sequence[Column], target: Modelled, seed: int) -> Found:
    """The same on a model."""
    return _all(purpose, columns, Stage.MODEL, target, seed)


def _all(
    purpose: Purpose,
    columns: Sequence[Column],
    stage: Stage,
    target: Any,
    seed: int,
    when: Settled = Settled.BY_ATTACK,
) -> Found:
    every = withstanding.withstood(purpose, columns, stage)
    asked = dict.fromkeys(asked.attack for asked in every if asked.settled is when)
    return tried(list(asked), target, seed)


def worst(tried_by: Sequence[Found]) -> Found:
    """Of each line that with which the adversary did best: by how much more on people of the release than on others."""
    kept: dict[tuple[str, str, str], tuple[str, Tries]] = {}
    for kind, tries in (one for found in tried_by for one in found):
        key = (kind, tries.about, tries.group)
        if key not in kept or _gained(tries) > _gained(kept[key][1]):
            kept[key] = (kind, tries)
    return list(kept.values())


def _gained(tries: Tries) -> float:
    if not tries.tried or not tries.control_tried:
        return float("-inf")
    return tries.succeeded / tries.tried - tries.control_succeeded / tries.control_tried


def counts(found: Found, kind: str, about: str, group: str) -> dict[str, float]:
    """The numbers by which `attack_excess` judges one line, as its question counts them in the table."""
    lines = {(attack, tries.about, tries.group): tries for attack, tries in found}
    line, pairs = lines.get((kind, about, group)), lines.get((kind, PAIRS, group))
    numbers = {name: float(getattr(line, name)) if line else 0.0 for name in _COUNTED if name not in ("about", "group")}
    won = {"paired": float(pairs.tried), "paired_won": float(pairs.succeeded)} if pairs else {}
    return {"measured": float(line is not None), **numbers, "paired": 0.0, "paired_won": 0.0, **won}


def frame(found: Found) -> pl.DataFrame:
    """A row for each variation and group, as invariants judge them."""
    return pl.DataFrame([(kind, *astuple(tries)) for kind, tries in found], schema=_SCHEMA, orient="row")


def made_by(purpose: Purpose, columns: Sequence[Column], stage: Stage) -> tuple[ModuleType | str, ...]:
    """The modules whose source says what was tried."""
    kinds = sorted({asked.attack.kind for asked in withstanding.withstood(purpose, columns, stage)})
    return (sys.modules[__name__], *(ATTACKS[kind] for kind in kinds), *(helpers(attacks.__name__) if kinds else ()))
