"""A tree of two-way marginals, under differential privacy: the MST family.

1. Noisy counts of each column (`_one_way`), of which its bins are made (`_bins`).
2. Pairs of columns are chosen one after the other, so that they make a spanning tree: each time a pair that, counted
   by bins, is far from what the columns would be without each other (in L1, by the noisy one-way shares).
3. Noisy counts of each chosen pair, and where there is a `target`, of the target with every other column.
4. Counts are brought to fit together (`_fitting`), and rows are drawn column by column, each from the one before it in
   the tree (and the target), then values within bins (`_drawing`). Steps 2 to 4 see people only through 1 to 3.

**Sensitivity.** A person has at most m rows. The counts of a pair: each row adds 1 to one cell or to none, so a person
moves all cells by at most m in L1, and in L2. The score of a pair is the sum over its cells of |count - expected|,
where what is expected is made of noisy shares, rounded to whole numbers: by the triangle inequality it moves by no
more than the counts do in L1, m; so all scores move by at most m in L∞.

Learns: columns, and the pairs of the tree. Does not cover: what three columns have only together; pairs that are in no
edge but through those between them; values within bins beyond their own column; order within a person's rows.
Source: McKenna, Miklau, Sheldon: "Winning the NIST Contest" (2021); with a target the tree is that of Friedman, Geiger,
Goldszmidt: "Bayesian Network Classifiers" (1997).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Annotated, Literal

import numpy as np
from pydantic import StringConstraints

from privacy_assets.coded import Coded, Codes
from privacy_assets.errors import BadDeclaration
from privacy_assets.techniques.synthesize import _drawing, _one_way
from privacy_assets.techniques.synthesize._bins import Bins, binned
from privacy_assets.techniques.synthesize._drawing import Dice, Floats, Ints, Ladder
from privacy_assets.techniques.synthesize._fitting import Edge, Pair, fitted, margins, raked
from privacy_assets.techniques.synthesize._spending import Account, Private
from privacy_assets.techniques.synthesize._spending import cost as cost
from privacy_assets.weakening import Weaker

ONE_WAY, CHOOSING, TWO_WAY = 0.25, 0.1, 0.65
"""The shares of ρ."""

ROWS_PER_SCALE = 4.0
"""A cell of a pair should count, on average, so many times the scale of its noise."""

FEWEST_BINS, MOST_BINS = 4, 32


Columns = Sequence[Codes]
"""(rows,) of each column: bins, -1 where there is none."""


class Parameters(Private):
    """`target` is a column of which every other should know by itself: what a model is to predict."""

    kind: Literal["marginal_tree"]
    target: Annotated[Annotated[str, StringConstraints(min_length=1, max_length=128)] | None, Weaker.ANY] = None


def synthesize(parameters: Parameters, table: Coded, *, rows: int | None, rows_per_person: int, seed: int) -> Coded:
    """Rows that agree with the noisy marginals of columns and of a tree of pairs. Noise takes no seed."""
    target = _place_of(parameters.target, table)
    account = Account(parameters)
    histograms = _one_way.counted_all(table, rows_per_person, account, ONE_WAY)
    total = _one_way.total(histograms)
    values = [histogram.shares(total) for histogram in histograms]
    most = _most_bins(total, rows_per_person, account.rho, len(values))
    bins = [binned(domain, shares, most) for domain, shares in zip(table.domains, values, strict=True)]
    codes = [cut.of.astype(np.int32)[table.codes[:, place]] for place, cut in enumerate(bins)]
    tree = chosen(codes, bins, total, target, rows_per_person, account)
    pairs = counted(codes, bins, [*tree, *_with(target, len(bins))], rows_per_person, account)
    scales = [histogram.steps[0].scale for histogram in histograms]
    shares = margins([cut.shares for cut in bins], scales, pairs, total)
    joint = {(one, two): fitted(pair, shares[one], shares[two], total) for (one, two), pair in pairs.items()}
    generator = _drawing.fresh()
    drawn = _drawn(shares, joint, tree, target, round(total) if rows is None else rows, generator)
    columns = [Ladder.of_parts(values[place], cut.of).draw(drawn[place], generator) for place, cut in enumerate(bins)]
    return Coded(table.domains, np.stack(columns, axis=1).astype(np.int32))


def _place_of(target: str | None, table: Coded) -> int | None:
    names = [domain.name for domain in table.domains]
    if target is not None and target not in names:
        raise BadDeclaration.of(
            "the target is no column of the table",
            where="marginal_tree: target",
            expected=f"one of {', '.join(names)}",
            found=repr(target),
            next_step="name a column, or leave `target` out",
        )
    return None if target is None else names.index(target)


def _with(target: int | None, columns: int) -> list[Edge]:
    """The pairs of the target and each other column."""
    if target is None:
        return []
    return [(min(target, place), max(target, place)) for place in range(columns) if place != target]


def _most_bins(total: float, rows_per_person: int, rho: float, columns: int) -> int:
    scale = rows_per_person / math.sqrt(2 * TWO_WAY * rho / max(columns - 1, 1))
    return int(min(max(math.sqrt(total / (ROWS_PER_SCALE * scale)), FEWEST_BINS), MOST_BINS))


def table_of(codes: Columns, bins: Sequence[Bins], edge: Edge) -> Ints:
    """(bins of one, bins of the other) how many rows have both. A row without a bin is in no cell."""
    one, two = edge
    shape = bins[one].count, bins[two].count
    cells = codes[one] * shape[1] + codes[two]
    there = (codes[one] >= 0) & (codes[two] >= 0)
    return np.bincount(cells[there], minlength=shape[0] * shape[1]).reshape(shape)


def scores(codes: Columns, bins: Sequence[Bins], edges: Sequence[Edge], total: float, scale: float) -> list[int]:
    """How far each pair is from two columns without each other, less what noise of this scale would hide of it."""
    found = []
    for edge in edges:
        one, two = (bins[place].shares for place in edge)
        expected = np.rint(np.outer(one, two) * total).astype(np.int64)
        hidden = round(math.sqrt(2 / math.pi) * scale * expected.size)
        found.append(int(np.abs(table_of(codes, bins, edge) - expected).sum()) - hidden)
    return found


def chosen(
    codes: Columns, bins: Sequence[Bins], total: float, target: int | None, rows_per_person: int, account: Account
) -> list[Edge]:
    """The edges of a tree over all columns but the target, by Kruskal's algorithm with noisy choices."""
    places = [place for place in range(len(bins)) if place != target]
    edges = list(combinations(places, 2))
    scale = rows_per_person / math.sqrt(2 * TWO_WAY * account.rho / max(len(bins) - 1, 1))
    known = scores(codes, bins, edges, total, scale)
    part = {place: place for place in places}
    tree: list[Edge] = []
    for _ in places[1:]:
        open_ = [at for at, (one, two) in enumerate(edges) if part[one] != part[two]]
        noise = account.selection(rows_per_person, CHOOSING / (len(places) - 1))
        one, two = edges[open_[noise.select_smallest([-known[at] for at in open_])]]
        tree.append((one, two))
        part = {place: part[one] if its == part[two] else its for place, its in part.items()}
    return tree


def counted(
    codes: Columns, bins: Sequence[Bins], edges: Sequence[Edge], rows_per_person: int, account: Account
) -> dict[Edge, Pair]:
    """Noisy counts of the pairs. One of more cells is dealt more, by the power that makes the sum of errors least."""
    sizes = np.array([bins[one].count * bins[two].count for one, two in edges], dtype=np.float64) ** (2 / 3)
    found = {}
    for edge, share in zip(edges, sizes / sizes.sum(), strict=True):
        noise = account.additive(rows_per_person, TWO_WAY * float(share))
        exact = table_of(codes, bins, edge)
        noisy = np.array(noise.add(exact.ravel().tolist()), dtype=np.float64)
        found[edge] = Pair(noisy.reshape(exact.shape), noise.scale)
    return found


def _drawn(
    shares: Sequence[Floats],
    joint: Mapping[Edge, Floats],
    tree: Sequence[Edge],
    target: int | None,
    rows: int,
    generator: Dice,
) -> dict[int, Ints]:
    """(rows,) bins of each column: the target first, then a column of the tree, then those that hang on it."""
    drawn: dict[int, Ints] = {}
    labels = np.zeros(rows, dtype=np.int64)
    if target is not None:
        drawn[target] = labels = Ladder.of(shares[target][None]).draw(labels, generator)

    def given_target(place: int) -> Floats:
        return shares[place][None] if target is None else _between(joint, target, place)

    for place in range(len(shares)):
        if place not in drawn:
            drawn[place] = Ladder.of(given_target(place)).draw(labels, generator)
            break
    waiting = list(tree)
    while waiting:
        at = next(at for at, edge in enumerate(waiting) if (edge[0] in drawn) != (edge[1] in drawn))
        one, two = waiting.pop(at)
        parent, child = (one, two) if one in drawn else (two, one)
        between = _between(joint, parent, child)
        if target is None:
            drawn[child] = Ladder.of(between).draw(drawn[parent], generator)
            continue
        cube = clique(given_target(parent), between, given_target(child))
        flat = cube.transpose(1, 0, 2).reshape(-1, cube.shape[2])
        drawn[child] = Ladder.of(flat).draw(drawn[parent] * len(shares[target]) + labels, generator)
    return drawn


def _between(joint: Mapping[Edge, Floats], one: int, two: int) -> Floats:
    """(bins of one, bins of two)."""
    return joint[one, two] if (one, two) in joint else joint[two, one].T


def clique(target_parent: Floats, parent_child: Floats, target_child: Floats) -> Floats:
    """(bins of the target, of the parent, of the child) that has these three margins, and nothing more of its own."""
    start = target_parent[:, :, None] * parent_child[None] * target_child[:, None, :] + 1e-15
    return (
        raked(np.ones_like(start), {(0, 1): target_parent, (1, 2): parent_child, (0, 2): target_child}) + start * 1e-6
    )
