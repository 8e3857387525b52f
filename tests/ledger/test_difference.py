"""What was done to a list, told from two lists of hashes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy_assets.ledger.difference import difference

KNOWN = [bytes([number]) * 32 for number in range(8)]
OTHER = [bytes([number]) * 32 for number in range(100, 110)]


@pytest.mark.parametrize(
    ("held", "what", "position"),
    [
        ([*KNOWN[:3], OTHER[0], *KNOWN[4:]], "one entry was changed", 3),
        ([*KNOWN[:3], OTHER[0], OTHER[1], *KNOWN[5:]], "2 entries were changed", 3),
        ([*KNOWN[:3], *KNOWN[5:]], "2 entries were removed", 3),
        ([*KNOWN[:3], OTHER[0], *KNOWN[3:]], "one entry was inserted", 3),
        ([*KNOWN[:4], KNOWN[1], *KNOWN[4:]], "one entry was written twice", 4),
        ([*KNOWN[:3], KNOWN[5], KNOWN[4], KNOWN[3], *KNOWN[6:]], "entries were moved", 3),
        (KNOWN[:7], "the last entry was removed", 7),
        (KNOWN[:5], "the 3 last entries were removed", 5),
        ([], "all entries were removed", 0),
        (OTHER, "another ledger", 0),
        ([KNOWN[0], b"", *KNOWN[2:]], "one entry was changed", 1),
        ([KNOWN[1], OTHER[0], *KNOWN[3:], KNOWN[3]], "2 entries were removed and one entry was inserted and", 0),
    ],
)
def test_each_kind_has_its_name_and_first_position(held: list[bytes], what: str, position: int) -> None:
    """What was done to eight entries, in words, and where it begins."""
    found = difference(KNOWN, held)
    assert found is not None
    assert what in found.what
    assert found.position == position


@given(st.lists(st.sampled_from([*KNOWN, *OTHER, b""]), max_size=12))
def test_the_first_position_is_always_the_first(held: list[bytes]) -> None:
    """Before it both lists agree, at it they do not; there is none where nothing was done."""
    found = difference(KNOWN, held)
    if held == KNOWN:
        assert found is None
        return
    assert found is not None
    assert found.what
    assert held[: found.position] == KNOWN[: found.position]
    assert held[found.position : found.position + 1] != KNOWN[found.position : found.position + 1]
