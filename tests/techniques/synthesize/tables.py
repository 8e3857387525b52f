"""Small coded tables of several kinds of columns, and neighbours of them.

Belongs here: tables that the tests of all synthesizers use. Does not belong here: how synthesizers are judged.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from privacy_assets.coded import Coded, Domain

DOMAINS = (
    Domain("ward", ("heart", "lung", "skin")),
    Domain("age", low=18, high=90),
    Domain("cost", low=0, high=99_999),
    Domain("smoker", ("false", "true")),
)
SIZES = [domain.size for domain in DOMAINS]


def people(rows: int, seed: int = 5) -> Coded:
    """Older people smoke less, wards have their ages, a third costs nothing, and some ages are unknown."""
    dice = np.random.default_rng(seed)
    ward = dice.choice(3, rows, p=(0.5, 0.3, 0.2))
    age = np.clip(np.rint(15 + 18 * ward + dice.normal(0, 8, rows)), 0, 72)
    cost = np.where(dice.random(rows) < 1 / 3, 0, np.minimum(dice.exponential(9_000, rows), 99_999))
    smoker = dice.random(rows) < np.where(age > 35, 0.1, 0.7)
    age = np.where(dice.random(rows) < 0.05, SIZES[1], age)
    return coded(ward, age, cost, smoker)


def coded(*columns: Any, domains: tuple[Domain, ...] = DOMAINS) -> Coded:
    """The columns side by side."""
    return Coded(domains, np.stack(columns, axis=1).astype(np.int32))


def only(codes: list[int], domain: Domain) -> Coded:
    """A table of one column."""
    return coded(np.array(codes, dtype=np.int32), domains=(domain,))


_ROW = st.tuples(*(st.integers(0, size) for size in SIZES))


@st.composite
def neighbours(draw: st.DrawFn, most: int = 3) -> tuple[Coded, Coded, int]:
    """Two tables of which one has up to m rows of one person more, either first; and m."""
    others = draw(st.lists(_ROW, max_size=60))
    m = draw(st.integers(1, most))
    mine = draw(st.lists(_ROW, min_size=1, max_size=m))
    place = draw(st.integers(0, len(others)))
    with_, without = others[:place] + mine + others[place:], others
    tables = [Coded(DOMAINS, np.array(rows, dtype=np.int32).reshape(-1, len(DOMAINS))) for rows in (with_, without)]
    if draw(st.booleans()):
        tables.reverse()
    return tables[0], tables[1], m


def distance(one: Coded, other: Coded, place: int, parts: int = 10) -> float:
    """Half the L1 distance of the shares of one column, in so many parts of an ordered domain."""
    domain = one.domains[place]
    width = -(-domain.size // parts) if domain.ordered else 1
    shares = []
    for table in (one, other):
        codes = table.codes[:, place]
        cells = np.where(codes == domain.size, -(-domain.size // width), codes // width)
        shares.append(np.bincount(cells, minlength=domain.size // width + 2) / max(1, table.rows))
    return float(np.abs(shares[0] - shares[1]).sum() / 2)
