"""Numbers by which a state knows a person, of the countries that python-stdnum has, with their check digits."""

from __future__ import annotations

import importlib
from typing import Literal

import polars as pl

from privacy_assets.drafting.detectors._asking import confirmed, counted, like
from privacy_assets.words import Frozen, IdentifierDomain, Role

ROLE = Role.DIRECT_IDENTIFIER
CATEGORY = "user.government_id"
DOMAIN: IdentifierDomain | None = None
HEADERS: tuple[tuple[str, ...], ...] = (
    ("ssn",),
    ("social", "security"),
    ("soc", "sec"),
    ("national", "id"),
    ("nino",),
    ("nhs",),
    ("tax", "id"),
    ("tin",),
    ("passport",),
    ("license",),
    ("licence",),
    ("driver",),
    ("steuer",),
    ("dni",),
    ("cpf",),
    ("bsn",),
    ("personnummer",),
    ("aadhaar",),
)

FORMS = {
    "us.ssn": r"[0-9]{3}-[0-9]{2}-[0-9]{4}",
    "gb.nhs": r"[0-9]{3}[ -][0-9]{3}[ -][0-9]{4}",
    "de.idnr": r"[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}",
    "fr.nir": r"[12] ?[0-9]{2} ?[0-9]{2} ?[0-9AB]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}",
    "es.dni": r"[0-9]{8}-?[A-Z]",
    "it.codicefiscale": r"[A-Z]{6}[0-9]{2}[A-Z][0-9]{2}[A-Z][0-9]{3}[A-Z]",
    "br.cpf": r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}",
    "se.personnummer": r"[0-9]{6,8}[-+][0-9]{4}",
    "fi.hetu": r"[0-9]{6}[-+A][0-9]{3}[0-9A-Y]",
    "dk.cpr": r"[0-9]{6}-[0-9]{4}",
    "ch.ssn": r"756\.[0-9]{4}\.[0-9]{4}\.[0-9]{2}",
    "be.nn": r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}",
    "pl.pesel": r"[0-9]{11}",
    "in_.aadhaar": r"[2-9][0-9]{3} [0-9]{4} [0-9]{4}",
}
"""Module of stdnum -> how the number is written. Bare runs of digits are left out where one in ten passes the check."""


CALLED = "a national number"

BARE = ("de.idnr", "pl.pesel")
"""Those that may be eleven digits and nothing else: in a text these can be a number of anything."""


class Parameters(Frozen):
    """The share of values from which a column holds national numbers."""

    kind: Literal["national_number"] = "national_number"
    at_least: float = 0.8


def fits(values: pl.Series) -> pl.Series:
    """Of the form of one country's numbers, and confirmed by its check digits; the country that most values fit."""
    best = pl.Series(values.name, [False] * len(values), dtype=pl.Boolean)
    for module, form in FORMS.items():
        written = like(values, form)
        if written.sum() <= best.sum():
            continue
        known = confirmed(values, written, importlib.import_module(f"stdnum.{module}").is_valid)
        best = known if known.sum() > best.sum() else best
    return best


def inside(texts: pl.Series) -> pl.Series:
    """Of the form of any country's numbers, with its check digits, where no letter and no digit stands beside it."""
    forms = {module: form for module, form in FORMS.items() if module not in BARE}

    def known(found: pl.Series) -> pl.Series:
        right = pl.Series(found.name, [False] * len(found), dtype=pl.Boolean)
        for module, form in forms.items():
            right |= confirmed(found, like(found, form), importlib.import_module(f"stdnum.{module}").is_valid)
        return right

    return counted(texts, rf"\b(?:{'|'.join(forms.values())})\b", known)
