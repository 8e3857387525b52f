"""What is told of several rounds of attacks: the round in which the adversary did best."""

from __future__ import annotations

from privacy_assets.attacks._trying import Tries
from privacy_assets.stages._attacking import frame, worst


def line(succeeded: int, control: int, group: str = "everyone", tried: int = 100) -> tuple[str, Tries]:
    return "copies", Tries("exact", group, tried, succeeded, tried, control, tried, 0)


def test_the_worst_of_each_line_is_kept() -> None:
    """By how much more it succeeded on people of the release than on others, group by group."""
    first = [line(50, 49), line(3, 3, "most_exposed")]
    second = [line(30, 10), line(2, 3, "most_exposed")]
    for rounds in ([first, second], [second, first]):
        assert set(worst(rounds)) == {line(30, 10), line(3, 3, "most_exposed")}
    assert worst([first]) == first


def test_what_was_not_tried_is_never_better_than_what_was() -> None:
    """A round without tries hides nothing of another."""
    empty = [line(0, 0, tried=0)]
    assert worst([empty, [line(1, 9)]]) == worst([[line(1, 9)], empty]) == [line(1, 9)]


def test_a_line_is_a_row_of_counts() -> None:
    """As the invariant reads them."""
    told = frame([line(5, 4)])
    assert told.columns[:3] == ["attack", "about", "group"]
    assert told.row(0) == ("copies", "exact", "everyone", 100, 5, 100, 4, 100, 0)
