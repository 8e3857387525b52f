"""Places above the street: cities, districts, states, countries."""

from __future__ import annotations

from functools import cache
from typing import Literal

import polars as pl

from privacy_assets.drafting.detectors._asking import among, listed
from privacy_assets.words import Frozen, IdentifierDomain, Role

ROLE = Role.QUASI_IDENTIFIER
CATEGORY = "user.contact.address.city"
DOMAIN: IdentifierDomain | None = None
HEADERS: tuple[tuple[str, ...], ...] = (
    ("city",),
    ("town",),
    ("suburb",),
    ("county",),
    ("state",),
    ("province",),
    ("region",),
    ("country",),
    ("village",),
    ("municipality",),
    ("birthplace",),
    ("stadt",),
    ("ort",),
    ("land",),
    ("ward", "district"),
    ("district",),
    ("location",),
)


@cache
def _places() -> frozenset[str]:
    return listed(
        "address",
        "cities",
        "city_names",
        "countries",
        "states",
        "states_abbr",
        "provinces",
        "regions",
        "counties",
        "alpha_2_country_codes",
        "alpha_3_country_codes",
        "departments",
        "municipalities",
        "administrative_units",
    )


class Parameters(Frozen):
    """The share of values from which a column holds places."""

    kind: Literal["place"] = "place"
    at_least: float = 0.5


def fits(values: pl.Series) -> pl.Series:
    """In the lists of Faker of cities, states and countries, or their codes of two and three letters."""
    return among(values, _places())
