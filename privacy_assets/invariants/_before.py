"""The version before, as a measure sees it: the numbers that the same question had then, never its rows.

Belongs here: what every measure of drift shares, so that all mean the same by "nothing to compare with". Does not
belong here: any measure; each has its own file. Which version is compared with is not decided here either.

Reference of each: `previous` (name VARCHAR, value DOUBLE), a row for each number of each finding that was measured by
the very question that is asked now; the name is `<finding>.<number>`. A number that is not there was never measured, of
a first version for instance: `compared` is 0 then, the number before is told as 0, and the promise is kept.
"""

from __future__ import annotations

from privacy_assets.words import Numbers

PREVIOUS = "previous"
"""What the numbers of the version before are called among the references."""


def before(number: str) -> str:
    """Two numbers of a question: how often `$recorded` stands in `$previous`, and what it was there."""
    return f"""(SELECT count("value") FROM $previous WHERE "name" = $recorded) AS "compared",
               (SELECT coalesce(min("value"), 0) FROM $previous WHERE "name" = $recorded) AS "{number}_before" """


def recorded(kind: str, about: str, number: str) -> str:
    """Under which name a finding's number stands in `previous`."""
    return f"{kind}__{about}.{number}" if about else f"{kind}.{number}"


def is_first(numbers: Numbers) -> bool:
    """Whether there was nothing to compare with."""
    return numbers["compared"] == 0
