"""The Safe Harbor method of HIPAA: identifiers gone, dates by year, ages of 90 and over together, ZIP codes by area.

Source: 45 CFR 164.514(b)(2). Dates are the columns of type DATE or TIMESTAMP, ages those of the category
`user.demographic.age_range`, ZIP codes those of a category that ends in `postal_code`; the other identifiers are the
contract's direct identifiers, which never get this far. **A column whose category says none of these is not looked at**
(an age that SQL made of two dates has the category that both share): name it in `criteria` by hand. It asks for no k:
somebody who is alone with a year, a sex and an area stays alone. What it does not promise: that, and that nobody knows
how the rest could be put together ((b)(2)(ii)), which no program can know.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from privacy_assets.techniques.criteria import hipaa_safe_harbor
from privacy_assets.words import Column, Frozen

SUPPRESSED_AT_MOST = 0.0


class Parameters(Frozen):
    """The name says it."""

    kind: Literal["hipaa_safe_harbor"]


def criteria(parameters: Parameters, columns: Sequence[Column]) -> tuple[Any, ...]:
    """The columns by their types and categories; nothing where none of them is one."""
    named = [column for column in columns if column.identifier_domain is None]
    years = tuple(one.name for one in named if one.type == "DATE" or one.type.startswith("TIMESTAMP"))
    ages = tuple(one.name for one in named if one.category == "user.demographic.age_range")
    zips = tuple(one.name for one in named if one.category.endswith("postal_code"))
    if not (years or ages or zips):
        return ()
    return (hipaa_safe_harbor.Parameters(kind="hipaa_safe_harbor", years=years, ages=ages, zips=zips),)
