r"""own_identifiers_absent: no text of a row holds a direct identifier of the row's own person.

Every identifier that is known of the person (in the input, or in another dataset about the same people) is looked for
inside the text, whatever its case, accents and white space, where no letter or digit touches it; of a name each word of
three letters or more as well, or of two if it begins with a capital. Placeholders do not count: somebody's name may be
Card. What it does not find: an identifier of one letter, another way to write it, one that touches a letter or a digit,
one of somebody else. People are matched by their key as it is written; a row whose person is unknown is not looked at.

References: `input`, and each other dataset by the name that the parameters give it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field
from sqlglot import exp

from privacy_assets.invariants._asking import ColumnName, ColumnNames, ask, judged, legal, named
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("rows", "looked_at", "identifiers", "found")
NEXT_STEP = "the redaction did not do its work: report it as a fault of this program, and do not work around it"

_SPACE = r"[\s\v\p{Z}\p{Cf}\x1c-\x1f\x85]"
_WORD = r"[\p{L}\p{M}\p{N}]{3,}|\p{Lu}[\p{L}\p{M}]"


class Known(Frozen):
    """A table that knows identifiers of people, the column that says whose, and those of them that are names."""

    reference: Annotated[str, Weaker.ANY]
    subject: Annotated[ColumnName, Weaker.ANY]
    identifiers: Annotated[ColumnNames, Weaker.REMOVED]
    names: Annotated[tuple[ColumnName, ...], Weaker.REMOVED] = ()


class Parameters(Frozen):
    """The text, the column that says whose row it is, what is known, and what stands in the place of what was found."""

    kind: Annotated[Literal["own_identifiers_absent"], Weaker.ELSEWHERE]
    column: Annotated[ColumnName, Weaker.ANY]
    subject: Annotated[ColumnName, Weaker.ANY]
    known: Annotated[tuple[Known, ...], Field(min_length=1), Weaker.REMOVED]
    placeholders: Annotated[tuple[str, ...], Field(min_length=1), Weaker.ANY]


def about(parameters: Parameters) -> str:
    """The column."""
    return legal(parameters.column)


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts rows, those whose person is known, different identifiers, and how often one is found in a text."""
    return ask(
        r"""WITH "told" AS ($told),
           "bare" AS (
             SELECT "person", strip_accents(regexp_replace("value", $space, '', 'g')) AS "identifier" FROM "told"
           ),
           "known" AS (
             SELECT DISTINCT "person", "identifier", lower("identifier") AS "folded" FROM "bare"
             WHERE "person" IS NOT NULL AND length("identifier") >= 2
           ), "texts" AS (
             SELECT CAST($subject AS TEXT) AS "person",
                    strip_accents(regexp_replace($column, $placeholders, ' ', 'g')) AS "text"
             FROM $output
           ), "folded" AS (
             SELECT "person", "text", lower(regexp_replace("text", $space, '', 'g')) AS "folded" FROM "texts"
           ), "pairs" AS (
             SELECT "text", "identifier" FROM "folded" JOIN "known" ON "folded"."person" = "known"."person"
             WHERE contains("folded"."folded", "known"."folded")
           )
           SELECT (SELECT count(*) FROM $output) AS "rows",
                  (
                    SELECT count(*) FROM "texts" WHERE "person" IN (SELECT "person" FROM "known")
                  ) AS "looked_at",
                  (SELECT count(*) FROM "known") AS "identifiers",
                  (
                    SELECT count(*) FROM "pairs" WHERE regexp_matches("text", concat(
                      '(?i)(?:^|[^\p{L}\p{N}])', regexp_replace("identifier", '(.)', $letter, 'g'),
                      '(?:$|[^\p{L}\p{N}])'
                    ))
                  ) AS "found" """,
        output=output,
        told=_told(parameters, references),
        column=named(parameters.column),
        subject=named(parameters.subject),
        space=_SPACE,
        placeholders="|".join(map(re.escape, parameters.placeholders)),
        # each letter quoted, white space after it; a backslash of the pattern is two in what replaces
        letter=r"\\Q\1\\E" + _SPACE.replace("\\", r"\\") + "*",
    )


def _told(parameters: Parameters, references: Mapping[str, exp.Table]) -> exp.Query:
    parts: list[exp.Query] = []
    for known in parameters.known:
        table = references[known.reference]
        person = exp.alias_(exp.cast(exp.Column(this=named(known.subject)), "text"), "person", quoted=True)
        values = [exp.cast(exp.Column(this=named(name)), "text") for name in known.identifiers]
        whole = exp.alias_(exp.Explode(this=exp.Array(expressions=values)), "value", quoted=True)
        parts.append(exp.select(person, whole).from_(table.copy()))
        for name in known.names:
            words = exp.Anonymous(
                this="regexp_extract_all",
                expressions=[exp.cast(exp.Column(this=named(name)), "text"), exp.Literal.string(_WORD)],
            )
            word = exp.alias_(exp.Explode(this=words), "value", quoted=True)
            parts.append(exp.select(person.copy(), word).from_(table.copy()))
    return exp.union(*parts, distinct=False) if len(parts) > 1 else parts[0]


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept if none is found, and there were rows to look into."""
    return judged(
        "own_identifiers_absent",
        about(parameters),
        f"{parameters.column} holds no direct identifier of the row's own person",
        numbers,
        NUMBERS,
        lambda found: found["found"] == 0,
        evidence="looked_at",
    )
