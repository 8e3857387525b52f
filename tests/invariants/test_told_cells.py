"""told_cells: cases for the conformance suite."""

FEATURES = """SELECT * FROM (VALUES
    ('a', 'p1', 1.0), ('a', 'p2', 2.0), ('a', 'p3', 3.0), ('a', 'p3', 4.0),
    ('b', 'p4', 1.0), ('b', 'p5', NULL), (NULL, 'p6', 1.0)) AS t(ward, person, days)"""
WARD = {"column": "ward"}
INTERVALS = [{"label": "<2", "low": None, "high": 2}, {"label": ">=2", "low": 2, "high": None}]
DAYS = {"column": "days", "intervals": INTERVALS}
AMOUNT = {"column": "days", "low": 0, "high": 9}
SUM = {"query": "sum", "axes": [WARD], "amount": AMOUNT}
ASKS = {
    "at_least_subjects": 3,
    "largest": 1,
    "share_at_most": 0.7,
    "subject": "person",
    "tables": [
        {"query": "rows", "axes": [WARD]},
        {"query": "all", "axes": []},
        {"query": "days", "axes": [WARD, DAYS]},
        SUM,
    ],
}


def _told(*rows, **asks):
    output = f"SELECT * FROM (VALUES {', '.join(rows)}) AS t(query, cell, measure, value)"
    return {"asks": ASKS | asks, "output": output, "input": FEATURES}


TWO = {"at_least_subjects": 2}
KEPT = [
    _told("('rows', 'ward=a', 'count', 4.0)", "('rows', 'ward=b', 'count', NULL)")
    | {"numbers": {"told": 1, "smallest": 3, "dominant": 0.5}},
    _told("('all', 'all', 'count', 7.0)") | {"numbers": {"smallest": 6, "unfounded": 0, "otherwise": 0}},
    _told("('days', 'ward=a, days=>=2', 'count', 3.0)", **TWO) | {"numbers": {"smallest": 2}},
    _told("('sum', 'ward=a', 'sum', 10.0)") | {"numbers": {"smallest": 3, "dominant": 0.7}},
]
BROKEN = [
    _told("('rows', 'ward=b', 'count', 2.0)") | {"numbers": {"smallest": 2}},
    _told("('rows', 'ward=a', 'count', 5.0)") | {"numbers": {"otherwise": 1}},
    _told("('rows', 'ward=a', 'count', 4.0)", "('rows', 'ward=c', 'count', 0.0)") | {"numbers": {"unfounded": 1}},
    _told("('rows', 'ward=a', 'count', 4.0)", share_at_most=0.4) | {"numbers": {"dominant": 0.5}},
    _told("('sum', 'ward=a', 'sum', 10.0)", share_at_most=0.6) | {"numbers": {"dominant": 0.7}},
    # everybody is at a bound: the sum tells the number of each
    _told("('sum', 'ward=a', 'sum', 10.0)")
    | {"asks": ASKS | {"tables": [SUM | {"amount": AMOUNT | {"low": 4}}]}, "numbers": {"varied": 0}},
    _told("('sum', 'ward=a', 'sum', 4.0)")
    | {"asks": ASKS | {"tables": [SUM | {"amount": AMOUNT | {"high": 1}}]}, "numbers": {"varied": 0}},
    # the person whose number is not known adds nothing, and does not count
    _told("('sum', 'ward=b', 'sum', 1.0)", at_least_subjects=2, share_at_most=0.99) | {"numbers": {"smallest": 1}},
]
INCONCLUSIVE = [_told("('rows', 'ward=b', 'count', NULL::DOUBLE)")]
