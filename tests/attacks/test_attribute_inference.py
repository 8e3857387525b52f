"""attribute_inference: whose value is guessed, and what is right."""

import numpy as np
import pytest

from privacy_assets.attacks._trying import Target
from privacy_assets.coded import Domain
from tests.attacks.hand_made import line, table

DOMAINS = (
    Domain("town", tuple("abcd")),
    Domain("age", low=0, high=100),
    Domain("ill", ("no", "yes")),
    Domain("income", low=1_000, high=2_000, step=10),
)
RELEASED = table(DOMAINS, [[0, 30, 1, 50], [1, 40, 0, 52], [2, 50, 0, 60], [3, 60, 1, 101]])


def _target(fitted: list[list[int]], known: tuple[int, ...] = (0, 1)) -> Target:
    people = table(DOMAINS, fitted)
    return Target(RELEASED, people, people, known, (2, 3))


def test_the_nearest_row_tells() -> None:
    """The first two are guessed from their towns and ages; the third is nearest to a row that says otherwise."""
    ill = line("attribute_inference", _target([[0, 31, 1, 0], [1, 44, 0, 0], [2, 50, 1, 0]]), "ill")
    assert (ill.tried, ill.succeeded, ill.control_succeeded) == (3, 2, 2)


@pytest.mark.parametrize(("tolerance", "right"), [(0.0, 1), (0.9, 3)])
def test_a_number_is_right_where_few_strangers_are_as_near(tolerance: float, right: int) -> None:
    """The very value counts at any tolerance; how near others are is what strangers' pairs say."""
    fitted = [[0, 30, 0, 50], [1, 40, 0, 51], [2, 50, 0, 55]]
    assert line("attribute_inference", _target(fitted), "income", tolerance=tolerance).succeeded == right


def test_what_is_near_depends_on_no_unit() -> None:
    """A day far from 1970 is not right by a few years: strangers are nearer than that to each other."""
    domains = (Domain("town", tuple(map(str, range(50)))), Domain("born", low=18_000, high=19_999))
    draw = np.random.default_rng(0)
    towns = np.arange(1_000)[:, None] % 50
    three = [table(domains, np.hstack([towns, draw.integers(2_000, size=(1_000, 1))]).tolist()) for _ in range(3)]
    found = line("attribute_inference", Target(*three, (0,), (1,)), "born")
    assert 0.02 < found.succeeded / found.tried < 0.1


def test_what_is_missing_is_guessed_by_what_is_missing() -> None:
    """NULL is right for NULL, and wrong for any number."""
    fitted = [[3, 60, 0, 101], [3, 60, 0, 100], [0, 30, 0, 101]]
    assert line("attribute_inference", _target(fitted), "income", tolerance=0.9).succeeded == 1


def test_a_secret_is_never_among_what_is_known() -> None:
    """With nothing said to be known, all the other columns are, and not the one that is wanted."""
    fitted = [[0, 30, 0, 50]]
    assert line("attribute_inference", _target(fitted, ()), "ill").succeeded == 0
    assert line("attribute_inference", _target(fitted, (0, 1, 2)), "ill").succeeded == 0


def test_the_guess_without_a_release_is_any_value_of_the_domain() -> None:
    """Half of the people are ill by such a guess."""
    fitted = np.tile([[0, 30, 1, 50]], (2_000, 1)).tolist()
    found = line("attribute_inference", _target(fitted), "ill")
    assert found.baseline_tried == 2_000
    assert 900 < found.baseline_succeeded < 1_100
