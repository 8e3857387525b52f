"""rare_drift: not many more of the rows stand in rare groups than in the version before.

A group is all rows that agree in the `columns` (an unknown value, NULL, being one of its own), rare where it has fewer
than `fewer_than` people, or rows where nobody is named. `rare_share = rows in rare groups / rows`, and
`rare_share - rare_share_before <= rises_at_most`. So groups count that are new and rare, and those that were larger.
Reference: `previous` (`_before.py`).

Groups have no names in the record, as these would be values of people: a rare group that takes the place of another,
equally large one is not seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field
from sqlglot import exp

from privacy_assets.invariants._asking import ColumnName, ColumnNames, ask, judged, legal, named
from privacy_assets.invariants._before import PREVIOUS, before, is_first, recorded
from privacy_assets.invariants._classes import renamed
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("rows", "groups", "rare_share", "compared", "rare_share_before")
NEXT_STEP = "look at which groups have become rare; where that is meant, raise `share_rises_at_most` as a major version"
OF_PREVIOUS = True


class Parameters(Frozen):
    """What a group is, below how many people it is rare, and by how much the share of rows in such may rise."""

    kind: Annotated[Literal["rare_drift"], Weaker.ELSEWHERE]
    columns: Annotated[ColumnNames, Weaker.REMOVED]
    subject: Annotated[ColumnName | None, Weaker.ANY] = None
    fewer_than: Annotated[int, Field(ge=2), Weaker.LESS]
    rises_at_most: Annotated[float, Field(ge=0, le=1), Weaker.MORE]


def about(parameters: Parameters) -> str:
    """The column by whose values rows are grouped; the whole table, where it is the classes of several."""
    return legal(*parameters.columns) if len(parameters.columns) == 1 else ""


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts rows and groups, and the share of rows in rare ones, now and then."""
    size = "count(DISTINCT $subject)" if parameters.subject else "count(*)"
    return ask(
        f"""SELECT coalesce(sum("rows"), 0) AS "rows", count(*) AS "groups",
                   coalesce(sum("rows") FILTER (WHERE "size" < $fewer_than) / sum("rows"), 0) AS "rare_share",
                   {before("rare_share")}
            FROM (SELECT {renamed(parameters.columns)}, count(*) AS "rows", {size} AS "size"
                  FROM $output GROUP BY ALL) AS "groups" """,
        output=output,
        fewer_than=parameters.fewer_than,
        previous=references[PREVIOUS],
        recorded=recorded("rare_drift", about(parameters), "rare_share"),
        **({"subject": named(parameters.subject)} if parameters.subject else {}),
    )


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept where the share has risen by `rises_at_most` at most, or there was no version before."""
    return judged(
        "rare_drift",
        about(parameters),
        f"the share of rows in groups of fewer than {parameters.fewer_than} rises by at most "
        f"{parameters.rises_at_most:.4g} against the version before",
        numbers,
        NUMBERS,
        lambda found: is_first(found) or found["rare_share"] - found["rare_share_before"] <= parameters.rises_at_most,
    )
