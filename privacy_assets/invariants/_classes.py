"""Classes as SQL text: the rows of a table that agree in all their quasi-identifiers, and the values in each class.

Belongs here: what every measure over classes shares, so that all mean the same by a class. Does not belong here: any
measure; each has its own file.

Two rows are of one class where every quasi-identifier is equal or is unknown (NULL) in both: GROUP BY's own sense. The
columns are renamed by place (`q1`, `q2`, ...), so that none can be taken for a number of the question.
"""

from __future__ import annotations

from collections.abc import Sequence

from privacy_assets.invariants._asking import named


def renamed(columns: Sequence[str]) -> str:
    """The columns, each under the name of its place."""
    return ", ".join(
        f'{named(column).sql(dialect="duckdb")} AS "q{place}"' for place, column in enumerate(columns, start=1)
    )


def places(columns: Sequence[str]) -> str:
    """The names of the places."""
    return ", ".join(f'"q{place}"' for place, _ in enumerate(columns, start=1))


def cells(quasi_identifiers: Sequence[str]) -> str:
    """One row for each value of `$column` (NULL is one) in each class of `$output`: the `value`, how many `rows`."""
    return f"""SELECT {renamed(quasi_identifiers)}, $column AS "value", count(*) AS "rows"
               FROM $output GROUP BY ALL"""
