"""Contribution bounding: no person stands in the statistics with more rows than declared.

    kept(p) = the `rows` rows of person p with the smallest hash of the features' key

as rows whose place within their person is at most `rows`: a window, partitioned by person. Where the table is one file
the engine makes ARG_MIN of row numbers of it, so that other columns are only read of rows that are kept.

**The argument.** Which rows of a person are kept is a function of that person's rows alone: the hash looks at the key
of the row, rows are numbered within the person, and nothing is compared between people. So if D' is D with all
rows of one person added or taken away, bounded(D') is bounded(D) with at most `rows` rows added or taken away, and all
others are the same rows. Everything after it needs to know of one person only that number. Two rows with the same hash
(64 bits) are chosen between by chance, within the person.

What it does not cover: that the features' rows of one person depend on that person alone, which is asked of their SQL
(`contracts/person_wise.py`); and a bias, where people with many rows differ from others: they count for less.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from privacy_assets.techniques.aggregate._grouped import column, parse

FEATURES = "features"


def bounded(names: Sequence[str], subject: str, key: Sequence[str], rows: int, table: str = FEATURES) -> exp.Select:
    """At most `rows` rows of each person in the table, with the columns `names`."""
    chosen = parse(
        "SELECT * FROM $table QUALIFY ROW_NUMBER() OVER (PARTITION BY $subject ORDER BY HASH($key)) <= $rows",
        table=exp.to_identifier(table),
        subject=column(subject),
        key=exp.Tuple(expressions=[column(name) for name in key]) if len(key) > 1 else column(key[0]),
        rows=rows,
    )
    assert isinstance(chosen, exp.Select)
    return chosen.select(*map(column, names or [subject]), append=False)
