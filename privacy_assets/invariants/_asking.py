"""How a measure is written: a question as SQL text with parts, and a verdict that needs its evidence.

Belongs here: what every invariant shares so that none can get it wrong: quoting, legal names, "empty is not kept".
Does not belong here: any property; each has its own file.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import sqlglot
from pydantic import Field, StringConstraints
from sqlglot import exp

from privacy_assets.words import Finding, Numbers, Verdict

ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=128)]
ColumnNames = Annotated[tuple[ColumnName, ...], Field(min_length=1)]


def ask(text: str, **parts: Any) -> exp.Select:
    """The question written as DuckDB SQL, with every `$name` in it replaced by the part of that name.

    A part is an expression (a table, a `named` column), a plain value that becomes a literal, or a tuple of plain
    values. `$now` stays: it is bound when the question is asked.
    """
    filled = {name: exp.convert(part) if isinstance(part, tuple) else part for name, part in parts.items()}
    question = exp.replace_placeholders(sqlglot.parse_one(text, dialect="duckdb"), **filled)
    if not isinstance(question, exp.Select):
        raise TypeError("a question is one SELECT")
    return question


def named(column: str) -> exp.Identifier:
    """The name of a column, quoted whatever it looks like."""
    return exp.to_identifier(column, quoted=True)


def legal(*columns: str) -> str:
    """The columns' names as one that a check may have: letters, digits, `_`; two that differ never become one.

    A name that has to be changed, or put together from several, ends in the first 6 hex digits of its SHA-256.
    """
    plain = "_and_".join(re.sub(r"[^A-Za-z0-9_]", "_", column) for column in columns)
    if columns == (plain,):
        return plain
    return f"{plain}_{hashlib.sha256(chr(0).join(columns).encode()).hexdigest()[:6]}"


def judged(
    invariant: str,
    about: str,
    promise: str,
    numbers: Numbers,
    needed: Sequence[str],
    kept: Callable[[Numbers], bool],
    *,
    evidence: str | None = "rows",
) -> Finding:
    """The verdict: inconclusive where a needed number is missing or the `evidence` is not above zero, else as `kept`.

    `evidence` names the number that says how much was looked at; None where having nothing is itself the answer.
    """
    missing = any(name not in numbers for name in needed)
    if missing or (evidence is not None and not numbers[evidence] > 0):
        verdict = Verdict.INCONCLUSIVE
    else:
        verdict = Verdict.KEPT if kept(numbers) else Verdict.BROKEN
    return Finding(invariant, verdict, numbers, promise, about)
