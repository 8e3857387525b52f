"""hipaa_safe_harbor: dates, ages and places are as coarse as the Safe Harbor method of HIPAA asks for.

45 CFR 164.514(b)(2)(i)(B) and (C), and the guidance of HHS of 26 November 2012. Each value is read as text; a row
counts once for each of the three, and there may be none:

* `too_fine_dates`: a column of `years` tells more of a date than its year. A year (2019), an interval of years
  (2010-2019, [2010, 2020)) and a date on the 1st of January at 0:00, as a truncated date has it, do not;
* `too_old`: a column of `ages` tells an age over 89, but for the one category "90 or older". 90 itself stands for it
  (an age must have been cut off there, so that no row has 91), and so do the texts 90+, >=90 and >89. An interval must
  end at 89, or below 90;
* `too_small_areas`: a column of `zips` tells more than three digits of a ZIP code, or three digits of an area with
  20,000 people or fewer (17 in the census of 2000), which are to be 000. Fewer than three digits without a mask (36)
  are read as a number that lost its zeros (036); with one (36***) as the two digits.

NULL and * tell nothing; what is not understood counts as telling too much. `[a, b)` and `[a, b[` end below b, `[a, b]`
and `a-b` at b.

What it does not cover: the sixteen other identifiers, (A) and (D) to (R), which are the contract's roles and
`identifiers_absent`; free text; geography other than ZIP codes; a year that tells an age over 89 (a birth in 1920);
columns that are not named; and (b)(2)(ii): that nobody has actual knowledge that a person can still be recognized,
which no table can show. A newer census may name other areas; the guidance of 2012 names these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import model_validator
from sqlglot import exp

from privacy_assets.invariants._asking import ColumnName, ask, judged, named
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("rows", "too_fine_dates", "too_old", "too_small_areas")
NEXT_STEP = "truncate dates to years, put ages from 90 on into one category, cut ZIP codes to three digits or 000"

SMALL_AREAS = (
    "036", "059", "063", "102", "203", "556", "692", "790", "821",
    "823", "830", "831", "878", "879", "884", "890", "893",
)  # fmt: skip
"""The first three digits of ZIP codes where 20,000 people or fewer lived in 2000."""

_TO = r" ?(?:-|–|,|to) ?"
_YEAR = r"\d{4}"
_DATES = rf"{_YEAR}(?:-01-01(?: 00:00:00)?)?|{_YEAR}{_TO}{_YEAR}|[\[(]{_YEAR}{_TO}{_YEAR}[\])\[]"

_UP_TO_89 = r"(?:89(?:\.0+)?|(?:\d|[1-7]\d|8[0-8])(?:\.\d+)?)"
_90 = r"90(?:\.0+)?"
_AGES = "|".join(
    (
        rf"{_UP_TO_89}|{_90}",
        rf"(?:>=|≥) ?(?:{_UP_TO_89}|{_90})|> ?{_UP_TO_89}",
        rf"(?:{_UP_TO_89}|{_90}) ?(?:\+|(?:and|or) (?:over|older|above))",
        rf"(?:<=|≤) ?{_UP_TO_89}|< ?(?:{_UP_TO_89}|{_90})|under (?:{_UP_TO_89}|{_90})",
        rf"{_UP_TO_89}{_TO}{_UP_TO_89}|[\[(]{_UP_TO_89}{_TO}(?:{_UP_TO_89}[\])\[]|{_90}[)\[])",
    )
)
_ZIPS = r"\d{0,3}[*xX]*"


class Parameters(Frozen):
    """The columns that hold years at most, ages, and beginnings of ZIP codes. At least one is named."""

    kind: Literal["hipaa_safe_harbor"]
    years: Annotated[tuple[ColumnName, ...], Weaker.REMOVED] = ()
    ages: Annotated[tuple[ColumnName, ...], Weaker.REMOVED] = ()
    zips: Annotated[tuple[ColumnName, ...], Weaker.REMOVED] = ()

    @model_validator(mode="after")
    def _there_is_something_to_measure(self) -> Parameters:
        if not (self.years or self.ages or self.zips):
            raise ValueError("name a column of years, ages or zips")
        return self


def about(parameters: Parameters) -> str:
    """The whole table."""
    return ""


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts rows, and those that tell too much of a date, an age or a place."""
    return ask(
        """SELECT count(*) AS "rows", count_if($dates) AS "too_fine_dates", count_if($ages) AS "too_old",
                  count_if($areas) AS "too_small_areas"
           FROM $output""",
        output=output,
        dates=_any(_unlike(column, _DATES) for column in parameters.years),
        ages=_any(_unlike(column, _AGES) for column in parameters.ages),
        areas=_any(_tells_area(column) for column in parameters.zips),
    )


def _any(conditions: Iterable[exp.Expr]) -> exp.Expr:
    return exp.or_(exp.false(), *conditions)


def _unlike(column: str, pattern: str) -> exp.Expr:
    """Whether the value, as text, is neither * nor like the pattern as a whole; not for NULL."""
    return _written(
        "$column IS NOT NULL AND NOT regexp_full_match(trim(CAST($column AS TEXT)), $pattern)",
        column,
        pattern=rf"\*|{pattern}",
    )


def _tells_area(column: str) -> exp.Expr:
    """Whether it is more than three digits, or those of a small area."""
    small = _written(
        """$column IS NOT NULL AND trim(CAST($column AS TEXT)) <> ''
           AND lpad(regexp_replace(trim(CAST($column AS TEXT)), '^(\\d{3})[*xX]*$', '\\1'), 3, '0') IN $small""",
        column,
        small=SMALL_AREAS,
    )
    return exp.or_(_unlike(column, _ZIPS), small)


def _written(condition: str, column: str, **parts: object) -> exp.Expr:
    """A condition as a question is written: only what it selects by is wanted."""
    asked = ask(f"SELECT {condition}", column=exp.Column(this=named(column)), **parts)
    found: exp.Expr = asked.selects[0]
    return found


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept without a row that tells too much."""
    return judged(
        "hipaa_safe_harbor",
        about(parameters),
        "no date finer than a year, no age over 89, no small area",
        numbers,
        NUMBERS,
        lambda found: found["too_fine_dates"] == found["too_old"] == found["too_small_areas"] == 0,
    )
