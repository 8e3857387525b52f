"""Names in SQL, made alike as DuckDB reads them: `Age`, `age` and `"AGE"` are one column.

Belongs here: the spelling of names in a query, and the dialect that takes them as they then stand. Does not belong
here: which names there may be (`features_sql.py`), or what they come from (`lineage/`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from sqlglot import exp

from privacy_assets.errors import BadDeclaration

DIALECT = "duckdb, normalization_strategy=case_sensitive"
"""For resolving names that were made alike: so that those which stay keep the spelling of the tables."""


def folded(name: str) -> str:
    """The form in which DuckDB compares names, quoted or not: ASCII letters in lower case, others as they are."""
    return re.sub("[A-Z]+", lambda upper: upper[0].lower(), name)


def spelled_alike(query: exp.Query, tables: Mapping[str, Iterable[str]]) -> exp.Query:
    """A copy of `query` in which the same name is always spelled the same; `tables` are columns by table name.

    The spelling of `tables` wins, then the first in the query. Raises BadDeclaration where two tables, or two
    columns of one, differ by case only.
    """
    spelling: dict[str, str] = {}
    for among in (list(tables), *map(list, tables.values())):
        if len(among) != len({folded(name) for name in among}):
            raise BadDeclaration.of(
                "two names differ by upper and lower case only, which the engine does not tell apart",
                found=", ".join(among),
            )
    for name in (*tables, *(column for columns in tables.values() for column in columns)):
        spelling.setdefault(folded(name), name)
    alike = query.copy()
    for identifier in alike.find_all(exp.Identifier):
        identifier.set("this", spelling.setdefault(folded(identifier.name), identifier.name))
    return alike
