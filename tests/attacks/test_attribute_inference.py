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


@pytest.mark.parametrize(("tolerance", "right"), [(0.0, 1), (0.01, 2), (0.05, 3)])
def test_a_number_is_right_within_a_part_of_the_truth(tolerance: float, right: int) -> None:
    """1,500 for 1,500 at any tolerance, 1,520 for 1,510 at one in a hundred, 1,600 for 1,550 at one in twenty."""
    fitted = [[0, 30, 0, 50], [1, 40, 0, 51], [2, 50, 0, 55]]
    assert line("attribute_inference", _target(fitted), "income", tolerance=tolerance).succeeded == right


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
