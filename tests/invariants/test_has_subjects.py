"""has_subjects: cases, and what its own law is."""

from privacy_assets.invariants.has_subjects import Parameters, judge

_VISITS = "SELECT * FROM (VALUES ('a'), ('a'), ('b'), (NULL)) AS v(\"person id\")"
KEPT = [{"asks": {"column": "person id", "at_least": 2}, "output": _VISITS, "numbers": {"rows": 4, "subjects": 2}}]
BROKEN = [{"asks": {"column": "person id", "at_least": 3}, "output": _VISITS}]


def test_the_same_numbers_are_judged_by_the_threshold_of_the_day():
    """Twelve people pass five and ten, and not thirteen."""
    verdicts = [
        judge(Parameters(kind="has_subjects", column="p", at_least=least), {"rows": 20, "subjects": 12}).kept
        for least in (5, 10, 12, 13)
    ]
    assert verdicts == [True, True, True, False]
