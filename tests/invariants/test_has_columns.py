"""has_columns: cases."""

KEPT = [
    {
        "asks": {"columns": [["a", "INTEGER"], ["b c", "VARCHAR"]]},
        "output": "SELECT 1 AS a, 'x' AS \"b c\"",
        "numbers": {"columns": 2, "missing": 0},
    },
    {
        "asks": {"columns": [["a", "DECIMAL(10,2)"]]},
        "output": "SELECT CAST(1 AS DECIMAL(10, 2)) AS a, 2 AS more",
        "numbers": {"columns": 2, "missing": 0},
    },
]
BROKEN = [
    {"asks": {"columns": [["a", "BIGINT"]]}, "output": "SELECT 1 AS a", "numbers": {"columns": 1, "missing": 1}},
    {"asks": {"columns": [["a", "INTEGER"], ["b", "DATE"]]}, "output": "SELECT 1 AS a", "numbers": {"missing": 1}},
]
