"""splits_filled: cases, and what its own law is."""

from privacy_assets.invariants.splits_filled import Parameters, judge

_ASKS = {"split": "split"}


def _rows(*splits):
    return f"SELECT unnest([{', '.join(splits)}]) AS split"


_ALL = ("'train'", "'validation'", "'test'")
KEPT = [
    {
        "asks": _ASKS,
        "output": _rows(*_ALL, "'train'"),
        "numbers": {"train": 2, "validation": 1, "test": 1, "other": 0},
    }
]
BROKEN = [
    {"asks": _ASKS, "output": _rows(*_ALL[:2])},
    {"asks": _ASKS, "output": _rows(*_ALL[1:])},
    {"asks": _ASKS, "output": _rows(*_ALL, "'holdout'"), "numbers": {"other": 1}},
    {"asks": _ASKS, "output": _rows(*_ALL, "NULL"), "numbers": {"other": 1}},
]


def test_no_rows_at_all_are_broken():
    """An empty training set is not a set with three splits."""
    numbers = dict.fromkeys(("train", "validation", "test", "other"), 0)
    assert not judge(Parameters(kind="splits_filled", split="split"), numbers).kept
