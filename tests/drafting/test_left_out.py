"""Precision and recall for each role on the public data sets, and with each of them left out of what is chosen on them.

Nothing is trained here; what could have been fitted to these very sets are the shares from which a detector believes
its values. So for each set they are chosen anew, by the other sets alone, and judged on the one that was left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from privacy_assets.drafting.detectors import DETECTORS
from privacy_assets.drafting.judging import Facts, judge
from privacy_assets.drafting.looking import look
from privacy_assets.words import Role

from . import test_judging
from .test_judging import DATA, LABELS, guesses

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the public data sets are not here")

SCALES = (0.5, 0.75, 1.0, 1.25, 1.5)
Judged = list[tuple[str, str, Role]]
"""Data set, column, and the role that it was given."""


def _right(name: str, column: str) -> set[str]:
    label = LABELS[name]["columns"][column]
    return {label["role"], label.get("or", label["role"])}


def _counted(judged: Judged) -> dict[str, Counter[str]]:
    """For each role: columns that have it, that were given it, and of each those that are right.

    Where two roles can be argued for, the one that was given counts as the column's.
    """
    counts: dict[str, Counter[str]] = {role.value: Counter() for role in Role}
    for name, column, given in judged:
        right = _right(name, column)
        true = given.value if given.value in right else LABELS[name]["columns"][column]["role"]
        counts[true]["labelled"] += 1
        counts[given.value]["given"] += 1
        counts[true]["right"] += given.value == true
    return counts


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Judged]:
    """Every labelled column of every set, as it is judged."""
    return {
        name: [(name, column, guess.role) for column, guess in guesses(name, tmp_path_factory.mktemp(name))]
        for name in LABELS
    }


def test_precision_and_recall_of_each_role(found: dict[str, Judged], figures: Callable[..., None]) -> None:
    """Of direct identifiers none is missed and nothing else is called one; what else is missed is over-protected."""
    counts = _counted([one for judged in found.values() for one in judged])
    for role, counted in counts.items():
        figures(f"drafting, role {role}", labelled=counted["labelled"], given=counted["given"], right=counted["right"])
    direct = counts[Role.DIRECT_IDENTIFIER.value]
    assert direct["right"] == direct["labelled"] == direct["given"] > 0
    for role in ("quasi_identifier", "sensitive"):
        assert counts[role]["right"] >= 0.95 * counts[role]["labelled"]
    # an attribute that nothing shows to be one is given the more protected role
    assert counts["attribute"]["right"] == counts["attribute"]["given"] > 0
    # the count itself can fail: a column that is called something else is missed, and wrongly called
    name, column, _ = found["febrl"][1]
    worse = _counted([(name, column, Role.ATTRIBUTE)])
    assert (worse["direct_identifier"]["right"], worse["attribute"]["given"]) == (0, 1)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_each_set_left_out(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, figures: Callable[..., None]
) -> None:
    """With shares that were chosen without a set, its direct identifiers are found all the same."""
    looks: dict[str, Any] = {}
    monkeypatch.setattr(test_judging, "look", lambda path, root: looks.setdefault(path, look(path, root)))
    by_scale: dict[float, dict[str, Judged]] = {}
    folders = {name: tmp_path_factory.mktemp(name) for name in LABELS}
    for scale in SCALES:
        with pytest.MonkeyPatch.context() as patch:
            for detector in DETECTORS.values():
                made = detector.Parameters()
                changed = made.model_copy(update={"at_least": min(0.99, made.at_least * scale)})
                patch.setattr(detector, "Parameters", lambda changed=changed: changed)
            by_scale[scale] = {name: _judged(name, folders[name]) for name in LABELS}
    missed = 0
    for left_out in LABELS:

        def right_elsewhere(scale: float, left_out: str = left_out) -> tuple[int, float]:
            others = [one for name, judged in by_scale[scale].items() if name != left_out for one in judged]
            return sum(given.value in _right(name, column) for name, column, given in others), -abs(scale - 1)

        chosen = max(SCALES, key=right_elsewhere)
        counts = _counted(by_scale[chosen][left_out])
        direct = counts["direct_identifier"]
        figures(
            f"drafting {left_out}, left out",
            columns=len(by_scale[chosen][left_out]),
            right=sum(counted["right"] for counted in counts.values()),
            **{"direct identifiers": direct["labelled"], "of them found": direct["right"]},
            **{"called one": direct["given"], "hundredths of each share": int(100 * chosen)},
        )
        missed += direct["labelled"] - direct["right"]
    assert missed == 0


def _judged(name: str, folder: Path) -> Judged:
    return [(name, column, guess.role) for column, guess in guesses(name, folder)]


def test_shares_are_what_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A share that cannot be reached finds nothing: the choice above is one."""
    columns: Sequence[Facts] = look(str((DATA / "febrl/dataset1.csv").resolve()), Path("/")).columns
    detector = DETECTORS["person_name"]
    made = detector.Parameters().model_copy(update={"at_least": 99.0})
    (surnames,) = [one for one in columns if one.name == "surname"]
    assert judge(surnames).sure
    monkeypatch.setattr(detector, "Parameters", lambda: made)
    assert not judge(surnames).sure, "only its header says so"
