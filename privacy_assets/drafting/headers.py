"""What the header of a column says about it, where its values say nothing by themselves.

Belongs here: words that people put over columns. Does not belong here: values (`detectors/`), what follows when header
and values disagree (`judging.py`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from privacy_assets.words import Role


@dataclass(frozen=True, slots=True)
class Meaning:
    """What columns under such a header say about a person; `category` is a key of the Fides taxonomy."""

    kind: str
    role: Role
    category: str
    headers: tuple[tuple[str, ...], ...]


def _any(text: str) -> tuple[tuple[str, ...], ...]:
    """One header a word; `+` joins words that have to stand together."""
    return tuple(tuple(word.split("+")) for word in text.split())


DIRECT, QUASI, SENSITIVE, ATTRIBUTE = (
    Role.DIRECT_IDENTIFIER, Role.QUASI_IDENTIFIER, Role.SENSITIVE, Role.ATTRIBUTE,
)  # fmt: skip


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


THINGS = _words(
    "order invoice product item sku article transaction ticket batch shipment store shop warehouse model version "
    "parcel booking stock basket bestellung artikel rechnung produkt"
)
"""What numbers and codes are of, when they are not of people."""

NUMBERED = _words("id ids key number no nr num nummer code uuid guid identifier reference ref rec record")
"""What a header calls the number of something."""

IDS = _words("id ids uuid guid identifier")
"""Those of them that call nothing else: there are numbers of visits, and codes of regions."""

PEOPLE = _words(
    "patient patienten pat user subject person client customer cust employee emp member student participant "
    "respondent proband kunde kunden mitarbeiter mitglied versicherte versicherten versicherter personnel personal "
    "badge contact case"
)
"""Whom numbers are of."""

_ONE_WORD = re.compile(f"({'|'.join(sorted(PEOPLE, key=len, reverse=True))})s?({'|'.join(sorted(NUMBERED))})")

MEANINGS = (
    Meaning("number of a person", DIRECT, "user.unique_id", _any(
        "account+id rec+id record+id user+name username login handle mrn pid account+number vin plate device+id imei "
        "mac+address biometric fingerprint")),
    Meaning("age", QUASI, "user.demographic.age_range", _any("age alter edad")),
    Meaning("sex", QUASI, "user.demographic.gender", _any("sex gender geschlecht sexo")),
    Meaning("origin", QUASI, "user.demographic.race_ethnicity", _any(
        "race ethnicity ethnic nationality citizenship origin native+country foreign+worker foreign")),
    Meaning("language", QUASI, "user.demographic.language", _any("language mother+tongue")),
    Meaning("family", QUASI, "user.demographic.marital_status", _any(
        "marital marital+status relationship married family+status personal+status dependents children household "
        "people+liable spouse")),
    Meaning("education", QUASI, "user.demographic.profile", _any("education degree school university qualification")),
    Meaning("work", QUASI, "user.workplace", _any(
        "occupation job profession employer workclass employment position title company organization organisation "
        "industry employer+type type+employer")),
    Meaning("postal code", QUASI, "user.contact.address.postal_code", _any("postcode zip zipcode postal plz")),
    Meaning("house number", QUASI, "user.contact.address.street", _any("street+number house+number hausnummer")),
    Meaning("home", QUASI, "user.demographic", _any("housing residence dwelling home tenure")),
    Meaning("health", SENSITIVE, "user.health_and_medical", _any(
        "diagnosis disease health medical smoker drug medication treatment hiv icd allergy blood pregnant pregnancy "
        "disability symptom severity bmi cholesterol glucose")),
    Meaning("beliefs", SENSITIVE, "user.demographic.religious_belief", _any(
        "religion religious belief faith political party union orientation")),
    Meaning("law", SENSITIVE, "user.criminal_history", _any("criminal conviction offence offense arrest prison")),
    Meaning("money", SENSITIVE, "user.financial", _any(
        "income salary wage wages earnings gain loss capital balance debt debts savings loan credit checking property "
        "wealth pension installment mortgage rent gehalt")),
)  # fmt: skip


def meaning(words: Iterable[str]) -> Meaning | None:
    """What a header's words mean; of several meanings the one that takes most words to say."""
    said = frozenset(words)
    if any(map(_ONE_WORD.fullmatch, said)) or (said & PEOPLE and said & NUMBERED):
        return MEANINGS[0]
    best: tuple[int, Meaning] | None = None
    for one in MEANINGS:
        held = max((len(header) for header in one.headers if said.issuperset(header)), default=0)
        if held and (best is None or held > best[0]):
            best = held, one
    return best[1] if best else None


def is_of_people(words: Iterable[str]) -> bool:
    """Whether a header says no more than whom its values are of: `patient`, `customer 2`."""
    said = {word for word in words if not word.isdigit()}
    return bool(said) and said <= PEOPLE


def may_number_people(words: Collection[str]) -> bool:
    """Whether a header says that its values number people, or may do so."""
    return meaning(words) is MEANINGS[0] or is_of_people(words)
