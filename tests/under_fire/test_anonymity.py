"""Anonymized tables under attack: what shows through a class, through two releases, and after people have gone.

Each attack sees only what somebody sees who has the tables, and a person's own quasi-identifiers; each has a control
that it breaks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from privacy_assets.attacks import downcoding, minimality
from privacy_assets.errors import NotKept
from privacy_assets.stages._attacking import generalized
from privacy_assets.techniques.anonymize import ANONYMIZE
from privacy_assets.techniques.anonymize._releases import smallest_apart
from tests.techniques.anonymize.tables import ILLS, TABLES, Row, asked, published, tuples_of
from tests.techniques.anonymize.test_releases import table

K = 3
TECHNIQUES = sorted(set(ANONYMIZE) - {"mondrian"})
WITH_K = [asked("k_anonymity", k=K)]
WITH_L = [*WITH_K, asked("l_diversity", column="ill", l=2)]


def people(rng: np.random.Generator, number: int) -> list[Row]:
    """People of a few towns; what they have depends on where they live, as it does."""
    places, years = [row[0] for row in TABLES["place"]], [row[0] for row in TABLES["year"]]
    rows = []
    for person in range(number):
        place = int(rng.integers(len(places)))
        ill = place % 3 if rng.random() < 0.8 else int(rng.integers(3))
        rows.append((places[place], years[int(rng.integers(8))], "fm"[int(rng.integers(2))], ILLS[ill], person))
    return rows


def shown(
    rows: list[Row], kind: str, criteria: list[object]
) -> tuple[dict[tuple[str, ...], list[Row]], object, object]:
    tuples, module = tuples_of(rows), ANONYMIZE[kind]
    recoding = module.recode(module.Parameters(kind=kind), tuples, criteria, 0.2)
    return published(rows, tuples, recoding), tuples, recoding


@pytest.mark.parametrize("kind", TECHNIQUES)
def test_what_all_of_a_class_have_is_known_of_each_without_l_diversity(kind: str, figures: Callable[..., None]):
    """T-ANON-2, homogeneity: whose class has one illness is found out; with l = 2 nobody is."""
    rng = np.random.default_rng(21)
    found = Counter()
    for _ in range(20):
        rows = people(rng, 120)
        for named, criteria in (("k alone", WITH_K), ("k and l", WITH_L)):
            seen, _, _ = shown(rows, kind, criteria)
            found[named] += sum(len(members) for members in seen.values() if len({row[3] for row in members}) == 1)
            found[f"people, {named}"] += sum(map(len, seen.values()))
    figures(f"T-ANON-2 homogeneity, {kind}", **found)
    assert found["k alone"] > 0
    assert found["k and l"] == 0


def test_a_minimal_table_can_be_undone_where_classes_are_pairs(figures: Callable[..., None]):
    """T-ANON-2, downcoding: of k = 2 rows are found far more often than by chance; of k = 5 they are not."""
    rng, excess = np.random.default_rng(23), {}
    for k in (2, 5):
        parameters, found = downcoding.Parameters(kind="downcoding", k=k), Counter()
        for _ in range(40):
            _, tuples, recoding = shown(people(rng, 60), "local", [asked("k_anonymity", k=k)])
            [tries] = downcoding.attack(parameters, generalized(tuples, recoding), rng)
            found += Counter(tried=tries.tried, found=tries.succeeded)
            found["by_chance"] += tries.control_succeeded / downcoding.STRANGERS
        figures(f"T-ANON-2 downcoding, k = {k}", **{name: round(number) for name, number in found.items()})
        excess[k] = (found["found"] - found["by_chance"]) / found["tried"]
    assert excess[2] > 0.2
    assert excess[5] < 0.05


def test_a_table_that_is_coarse_where_secrets_ask_for_it_tells_them(figures: Callable[..., None]):
    """T-ANON-2, minimality: `local` under l-diversity gives secrets away by its levels; by k alone it does not."""
    excess = {}
    for named, criteria in (("k alone", WITH_K), ("k and l", WITH_L)):
        rng, found = np.random.default_rng(29), Counter()
        for _ in range(10):
            # an illness that has nothing to do with where and when somebody lives
            rows = [(*row[:3], ILLS[int(rng.random() < 0.15)], row[4]) for row in people(rng, 400)]
            _, tuples, recoding = shown(rows, "local", criteria)
            parameters = minimality.Parameters(kind="minimality", secret="ill", tries=500)
            [tries] = minimality.attack(parameters, generalized(tuples, recoding), rng)
            found += Counter(tried=tries.tried, by_labels=tries.succeeded, by_values=tries.control_succeeded)
        figures(f"T-ANON-2 minimality, {named}", **found)
        excess[named] = (found["by_labels"] - found["by_values"]) / found["tried"]
    assert excess["k alone"] <= 0.05
    assert excess["k and l"] > 0.1


@pytest.mark.parametrize("attack", ["differencing", "intersection"])
def test_two_releases_that_isolate_are_found(attack: str, figures: Callable[..., None]):
    """T-ANON-2: an attacker who holds both tables isolates fewer than k people in the control; the guard says so.

    Differencing: people have gone in between, and a class has fewer than k people less. Intersection: the same people
    by two recodings, and fewer than k lie in one class of each that they must be in.
    """
    rng = np.random.default_rng(22)
    counts = Counter()
    for _ in range(40):
        rows = people(rng, 90)
        first, before_tuples, before = shown(rows, "full_domain", WITH_K)
        later = rows if attack == "intersection" else [row for row in rows if row[4] >= int(rng.integers(1, K))]
        weights = (1, 1, 1) if attack == "differencing" else tuple(rng.permutation([50, 1, 0.02]))
        tuples = tuples_of(later, weights=weights)
        module = ANONYMIZE["full_domain"]
        recoding = module.recode(module.Parameters(kind="full_domain"), tuples, WITH_K, 0.2)
        second = published(later, tuples, recoding)
        if attack == "differencing":
            changes = [abs(len(first[cells]) - len(second[cells])) for cells in first if cells in second]
            isolated = min((change for change in changes if change), default=0)
        else:
            of_first = {row[4]: cells for cells, members in first.items() for row in members}
            pairs = Counter(
                (of_first[row[4]], cells) for cells, members in second.items() for row in members if row[4] in of_first
            )
            isolated = min((number for (_, cells), number in pairs.items() if number < len(second[cells])), default=0)
        guarded = smallest_apart(tuples, recoding, table(rows, before_tuples, before))
        counts["tried"] += 1
        counts["isolated by the attacker"] += 0 < isolated < K
        counts["refused"] += 0 < guarded < K
        counts["missed"] += 0 < isolated < K and not 0 < guarded < K
    figures(f"T-ANON-2 {attack} of two releases", **counts)
    assert counts["isolated by the attacker"] > 0
    assert counts["missed"] == 0


@pytest.mark.parametrize("kind", TECHNIQUES)
def test_k_holds_after_people_have_gone(kind: str, figures: Callable[..., None]):
    """T-ANON-3: without m random people the table is made again, and every class has k people once more."""
    rng = np.random.default_rng(23)
    rounds, violations, broken_before = 0, 0, 0
    rows = people(rng, 150)
    for _ in range(200):
        gone = set(rng.choice(150, size=int(rng.integers(1, 40)), replace=False).tolist())
        left = [row for row in rows if row[4] not in gone]
        stale, _, _ = shown(rows, kind, WITH_K)
        broken_before += any(0 < sum(row[4] not in gone for row in members) < K for members in stale.values())
        try:
            seen, _, _ = shown(left, kind, WITH_K)
        except NotKept:
            continue
        rounds += 1
        violations += sum(len({row[4] for row in members}) < K for members in seen.values())
    figures(f"T-ANON-3 {kind}", rounds=rounds, violations=violations, broken_if_only_deleted=broken_before)
    assert rounds == 200
    assert violations == 0
    assert broken_before > 0
