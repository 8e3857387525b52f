"""reconstruction: who knows some people learns how rows were disguised, and finds others behind the disguise.

A release can be the very rows, every number shifted and every category renamed by one fixed rule: no row is close to
its own, and distances acquit it ("DCR-blind"; Yao et al., "The DCR delusion", 2025, arXiv 2505.01524). The adversary
knows the rows of some people, of whom a part is in the source (here half of each table, at most `learned_from`), and
learns a map of each column:

1. from the marginals: numbers by the shift, upwards or mirrored, under which the known values are most likely
   released, sum over v of known(v) log(released(v + shift) + 0.01); categories by the assignment under which they are;
2. `rounds` times from the joint: each known row, mapped, has a nearest released row; a column's map becomes what most
   known values are next to (categories: the assignment with most agreement; numbers: the most frequent shift);
3. the same from rows that are not disguised at all; of the two, the map is kept that finds more of the known.

Success is a person, not one of the known, whose mapped row was released: all but one column the same, or a mean Gower
distance of at most `within`. Baseline: mapped rows of values of the domains, each as likely. The same map is tried on
the control, so that what fits everybody is no success.

Not covered: rules across columns or other than shift, mirror and renaming; noise on top of them, beyond `within`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from privacy_assets.attacks._nearest import near, nearest
from privacy_assets.attacks._people import as_many, groups, strangers
from privacy_assets.attacks._rows import all_but_one, in_order
from privacy_assets.attacks._trying import Count, Target, Tries
from privacy_assets.coded import Coded, Codes, Domain
from privacy_assets.words import Frozen, Stage

ADVERSARY = "Who knows some people of the release, and undoes what was done to everybody's rows."
ON = Stage.SYNTHETIC
UNSEEN = 0.01
"""As how often a value counts that was not released: none is impossible."""
RENAMED_AT_MOST = 500
"""Categories of a column with more labels are taken as they are: an assignment of them is too long a search."""

Map = npt.NDArray[np.int32]


class Parameters(Frozen):
    """How often they try, how many people they know, how often they learn anew, and how near a row must be."""

    kind: Literal["reconstruction"]
    tries: Count = 2_000
    learned_from: Count = 1_000
    rounds: Annotated[int, Field(ge=0, le=10)] = 3
    within: Annotated[float, Field(ge=0, lt=1)] = 0.002


def attack(parameters: Parameters, target: Target, generator: np.random.Generator) -> Sequence[Tries]:
    """A line for each group."""
    released = in_order(target.released)
    fitted, control = as_many(target, generator)
    half = fitted.rows // 2
    known = np.concatenate([table.codes[: min(half, parameters.learned_from // 2)] for table in (fitted, control)])
    maps = _learned(Coded(released.domains, known), released, parameters.rounds)
    rest = np.arange(half, fitted.rows)
    found = []
    for group, *people in groups(fitted.take(rest), control.take(rest), parameters.tries, generator):
        tried = (*people, strangers(people[0], generator))
        hits, control_hits, baseline = (near(_mapped(some, maps), released, parameters.within) for some in tried)
        found.append(Tries.counted("", group, hits, control_hits, baseline))
    return found


def _mapped(people: Coded, maps: Sequence[Map]) -> Coded:
    columns = [new[people.codes[:, place]] for place, new in enumerate(maps)]
    return Coded(people.domains, np.stack(columns, axis=1)) if columns else people


def _learned(known: Coded, released: Coded, rounds: int) -> Sequence[Map]:
    """For each column, (size + 1,) what becomes of each code. NULL stays."""
    undisguised = [_same(domain) for domain in known.domains]
    guessed = [
        _by_marginals(known.codes[:, place], released.codes[:, place], domain)
        for place, domain in enumerate(known.domains)
    ]
    found = (_refined(start, known, released, rounds) for start in (undisguised, guessed))
    return max(found, key=lambda maps: int(all_but_one(_mapped(known, maps), released).sum()))


def _refined(maps: Sequence[Map], known: Coded, released: Coded, rounds: int) -> Sequence[Map]:
    for _ in range(rounds if released.rows and known.rows else 0):
        found = nearest(_mapped(known, maps), released, range(len(maps)))[0][:, 0]
        maps = [
            _by_pairs(known.codes[:, place], released.codes[found, place], domain, maps[place])
            for place, domain in enumerate(known.domains)
        ]
    return maps


def _by_marginals(known: Codes, released: Codes, domain: Domain) -> Map:
    """The map under which the known values are most likely released, by how often each value was."""
    size = domain.size
    counts, others = (np.bincount(codes, minlength=size + 1)[:size].astype(np.float64) for codes in (known, released))
    likely = np.log((others + UNSEEN) / UNSEEN)
    if not domain.ordered:
        return _renamed(domain, np.outer(counts, likely)) if size <= RENAMED_AT_MOST else _same(domain)
    (upward, shift), (downward, other) = _shifts(counts, likely), _shifts(counts[::-1], likely)
    return _shifted(domain, shift, False) if upward >= downward else _shifted(domain, other, True)


def _by_pairs(known: Codes, partners: Codes, domain: Domain, before: Map) -> Map:
    """The map that most of the pairs of a known value and its partner's agree with."""
    both = (known < domain.size) & (partners < domain.size)
    pairs, counts = np.unique(np.stack([known[both], partners[both]], axis=1), axis=0, return_counts=True)
    if not len(pairs):
        return before
    if not domain.ordered:
        if domain.size > RENAMED_AT_MOST:
            return before
        agreed = np.zeros((domain.size, domain.size))
        agreed[pairs[:, 0], pairs[:, 1]] = counts
        # what nobody knows stays as it was
        agreed[np.arange(domain.size), before[:-1]] += 0.5
        return _renamed(domain, agreed)
    ways = []
    for mirrored in (False, True):
        shifts, place = np.unique(pairs[:, 1] - _turned(pairs[:, 0], domain, mirrored), return_inverse=True)
        votes = np.bincount(place, weights=counts)
        ways.append((votes.max(), int(shifts[votes.argmax()]), mirrored))
    _, shift, mirrored = max(ways, key=lambda way: way[0])
    return _shifted(domain, shift, mirrored)


def _renamed(domain: Domain, agreed: npt.NDArray[np.float64]) -> Map:
    """The assignment of labels to labels with the largest sum of `agreed`, (from, to)."""
    from scipy.optimize import linear_sum_assignment

    return np.append(linear_sum_assignment(agreed, maximize=True)[1], domain.size).astype(np.int32)


def _shifts(counts: npt.NDArray[np.float64], likely: npt.NDArray[np.float64]) -> tuple[float, int]:
    """The largest sum over v of counts(v) likely(v + shift), and its shift; nothing beyond the domain is likely."""
    size = len(counts)
    length = 1 << (2 * size - 1).bit_length()
    sums = np.fft.irfft(np.conj(np.fft.rfft(counts, length)) * np.fft.rfft(likely, length), length)
    sums = np.concatenate([sums[:size], sums[length - size + 1 :]])
    best = int(sums.round(6).argmax())
    return float(sums[best]), best if best < size else best - (2 * size - 1)


def _turned(codes: Codes, domain: Domain, mirrored: bool) -> Codes:
    return (domain.size - 1 - codes).astype(np.int32) if mirrored else codes


def _shifted(domain: Domain, shift: int, mirrored: bool) -> Map:
    codes = _turned(np.arange(domain.size, dtype=np.int32), domain, mirrored)
    return np.append(np.clip(codes + shift, 0, domain.size - 1), domain.size).astype(np.int32)


def _same(domain: Domain) -> Map:
    return np.arange(domain.size + 1, dtype=np.int32)
