"""consent_valid: nobody is in the table whose last decision for this purpose forbids it.

Of a subject's decisions for the purpose up to `$now`, the latest count (all of them, where several have the same
time). With basis `consent` a row is entitled if there is a decision and every latest one is `granted`; with another
basis also if there is none; a row about nobody known never is. A decision that is not `granted` and has no time counts
as the latest. Reference: `consents`. The rule that chooses rows (`techniques/minimize`) shares nothing with this.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from sqlglot import exp

from privacy_assets.invariants._asking import ColumnName, ask, judged, legal, named
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("rows", "not_entitled")
NEXT_STEP = "materialize it again, so that those who withdrew or objected leave"


class Parameters(Frozen):
    """The subject's column, the purpose, its kind of basis, and the columns of the consent records."""

    kind: Annotated[Literal["consent_valid"], Weaker.ELSEWHERE]
    subject: Annotated[ColumnName, Weaker.ANY]
    purpose: Annotated[str, Weaker.ANY]
    basis: Annotated[Literal["consent", "other"], Weaker.ANY]
    records_subject: Annotated[ColumnName, Weaker.ANY]
    records_purpose: Annotated[ColumnName, Weaker.ANY]
    records_decision: Annotated[ColumnName, Weaker.ANY]
    records_decided_at: Annotated[ColumnName, Weaker.ANY]


def about(parameters: Parameters) -> str:
    """The subject column."""
    return legal(parameters.subject)


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts rows, and those whose subject is not entitled at `$now`."""
    return ask(
        """WITH "said" AS (
             SELECT $records_subject AS "subject",
                    $decision IS NOT DISTINCT FROM 'granted' AS "granted",
                    rank() OVER (PARTITION BY $records_subject ORDER BY $decided_at DESC NULLS FIRST) AS "place"
             FROM $consents
             WHERE $records_purpose = $purpose
               AND ($decided_at <= $now OR ($decided_at IS NULL AND $decision IS DISTINCT FROM 'granted'))
           ), "standing" AS (
             SELECT "subject", bool_and("granted") AS "granted" FROM "said" WHERE "place" = 1 GROUP BY "subject"
           )
           SELECT count(*) AS "rows",
                  count_if("held".$subject IS NULL OR NOT coalesce("standing"."granted", $without)) AS "not_entitled"
           FROM $output AS "held" LEFT JOIN "standing" ON "held".$subject = "standing"."subject" """,
        output=output,
        consents=references["consents"],
        subject=named(parameters.subject),
        purpose=parameters.purpose,
        without=parameters.basis == "other",
        records_subject=named(parameters.records_subject),
        records_purpose=named(parameters.records_purpose),
        decision=named(parameters.records_decision),
        decided_at=named(parameters.records_decided_at),
    )


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept if every row is entitled."""
    said = "consented" if parameters.basis == "consent" else "not objected"
    return judged(
        "consent_valid",
        about(parameters),
        f"only people who have {said} to {parameters.purpose}, by their last decision",
        numbers,
        NUMBERS,
        lambda found: found["not_entitled"] == 0,
    )
