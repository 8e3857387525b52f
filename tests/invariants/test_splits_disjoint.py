"""splits_disjoint: cases, and what its own law is."""

from privacy_assets.invariants.splits_disjoint import Parameters, about

_ASKS = {"subject": "the person", "split": "split"}


def _rows(*rows):
    return f'SELECT * FROM (VALUES {", ".join(rows)}) AS v("the person", split)'


_CLEAN = ("(1, 'train')", "(1, 'train')", "(2, 'test')")
KEPT = [{"asks": _ASKS, "output": _rows(*_CLEAN), "numbers": {"subjects": 2, "shared": 0, "unassigned": 0}}]
BROKEN = [
    {"asks": _ASKS, "output": _rows(*_CLEAN, "(2, 'train')"), "numbers": {"shared": 1}},
    {"asks": _ASKS, "output": _rows(*_CLEAN, "(2, NULL)"), "numbers": {"shared": 0, "unassigned": 1}},
    {
        "asks": _ASKS,
        "output": _rows(*_CLEAN, "(NULL, 'test')", "(NULL, 'train')", "(NULL, NULL)"),
        "numbers": {"shared": 0, "unassigned": 3},
    },
]


def test_it_speaks_of_the_split():
    """The name is that of the split column."""
    assert about(Parameters(kind="splits_disjoint", **_ASKS)) == "split"
