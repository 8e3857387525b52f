"""Tries every attack of a purpose's threat model on a candidate, and writes what came of it beside the rows.

Belongs here: which attacks are tried, with which randomness, and the table that invariants judge. Does not belong
here: what an attack does (`attacks/`), how much may come of it (`threat_models/`).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import astuple, fields
from types import ModuleType

import numpy as np
import polars as pl

from privacy_assets.attacks import ATTACKS
from privacy_assets.attacks._trying import Target, Tries
from privacy_assets.coded import Coded
from privacy_assets.contracts import synthesis
from privacy_assets.contracts.purpose import Purpose
from privacy_assets.stages.step import Work
from privacy_assets.words import Column

TABLE = "candidate.main.attacks"


def write(
    work: Work,
    purpose: Purpose,
    columns: Sequence[Column],
    released: Coded,
    fitted: Coded,
    control: Coded,
    seed: int,
) -> None:
    """Try each attack, and write a row for each variation and group."""
    places = {domain.name: place for place, domain in enumerate(released.domains)}
    who = synthesis.adversary(purpose, columns)
    known, secret = (tuple(places[name] for name in each) for each in (who.known, who.secret))
    target = Target(released, fitted, control, known, secret)
    found = []
    for asked in synthesis.withstood(purpose, columns):
        kind = asked.attack.kind
        # each attack has randomness of its own: another one beside it changes nothing
        generator = np.random.default_rng([seed, *kind.encode()])
        found += [(kind, *astuple(tries)) for tries in ATTACKS[kind].attack(asked.attack, target, generator)]
    counted = [field.name for field in fields(Tries)]
    types = [pl.String if name in ("about", "group") else pl.Int64 for name in counted]
    schema = {"attack": pl.String, **dict(zip(counted, types, strict=True))}
    work.write(TABLE, pl.DataFrame(found, schema=schema, orient="row"))


def made_by(purpose: Purpose, columns: Sequence[Column]) -> tuple[ModuleType, ...]:
    """The modules whose source says what was tried."""
    kinds = sorted({asked.attack.kind for asked in synthesis.withstood(purpose, columns)})
    return (sys.modules[__name__], *(ATTACKS[kind] for kind in kinds))
