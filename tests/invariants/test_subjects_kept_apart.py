"""subjects_kept_apart: cases, and what its own law is."""

from privacy_assets.invariants.subjects_kept_apart import Parameters, about

_PEOPLE = "SELECT * FROM (VALUES ('a'), ('a'), ('b'), (NULL)) AS v(\"patient id\")"
_ASKS = {"subject": "patient id", "token": "token"}


def _tokens(*tokens):
    return f"SELECT unnest([{', '.join(map(str, tokens))}]) AS token"


KEPT = [{"asks": _ASKS, "output": _tokens(7, 7, 8, "NULL"), "input": _PEOPLE, "numbers": {"subjects": 2, "tokens": 2}}]
BROKEN = [
    {"asks": _ASKS, "output": _tokens(7, 7, 7, "NULL"), "input": _PEOPLE, "numbers": {"tokens": 1}},
    {"asks": _ASKS, "output": _tokens(7, 8, 9, "NULL"), "input": _PEOPLE, "numbers": {"tokens": 3}},
]


def test_it_speaks_of_the_token():
    """The name is that of the column that leaves."""
    assert about(Parameters(kind="subjects_kept_apart", **_ASKS)) == "token"
