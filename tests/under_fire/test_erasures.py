"""An erasure under kill -9: whatever is read before it is resumed holds nobody who is erased; then nothing does."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Parent, Workshop
from .test_faults import calls_of, of_interest


@pytest.mark.needs("strace")
@pytest.mark.parametrize(
    "tries",
    [pytest.param(3, id="some"), pytest.param(100, id="long", marks=[pytest.mark.long, pytest.mark.timeout(3600)])],
)
def test_an_erasure_that_is_killed_is_finished(
    parent: Parent,
    tmp_path: Path,
    write_project: Callable[[Path], None],
    figures: Callable[..., None],
    tries: int,
) -> None:
    """T-ERASE-6: killed before any call that changes a file; one order to resume ends it, and everybody is out."""
    write_project(tmp_path / "project")
    shop, rng, counts = Workshop(tmp_path, parent), random.Random(tries), Counter[str]()
    shop.do("made", assets=CORRIDOR)
    said, log = shop.under("", "erased", people=["p-01"])
    assert said["status"] == 0, said
    places = [place for place, _, call in calls_of(log) if of_interest(call, tmp_path)]
    for number in range(tries):
        person = f"p-{2 + number % 58:02}"
        if number and number % 40 == 0:  # too few people are left to make anything of
            break
        said, _ = shop.under(f"{rng.choice(places)}:signal=KILL", "erased", people=[person])
        assert said["status"] in (-9, 0), said
        found = shop.do("resumed", people=[person])
        assert found["unclean"] == [], found
        counts["begun" if found["resumed"] else ("done" if said["status"] == 0 else "not begun")] += 1
        if not found["gone"]:  # it was killed before the ledger knew of it
            assert shop.do("erased", people=[person])["complete"]
    figures("T-ERASE-6 erasures that were killed", tried=counts.total(), **counts)
    assert counts["begun"]


CORRIDOR = [
    "raw/consents", "raw/patients", "minimized/smoking/patients", "pseudonymized/smoking/patients", "features/smoking",
]  # fmt: skip
