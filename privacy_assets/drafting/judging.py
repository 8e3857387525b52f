"""What each column says about a person: by values, by header, and the more protected role where neither is sure.

    values of a kind ─► header that names a kind ─► free text ─► numbers of something ─► the rest
                            each may settle it; what settles it last is only a guess, and says so

Belongs here: putting the evidence together. Does not belong here: a kind of value (`detectors/`), words of headers
(`headers.py`), what is written down (`writing.py`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import polars as pl

from privacy_assets.drafting import headers
from privacy_assets.drafting.detectors import DETECTORS, SEARCHERS
from privacy_assets.drafting.detectors._asking import words
from privacy_assets.drafting.naming import full_names
from privacy_assets.words import IdentifierDomain, Role

SAMPLED = 2_000
"""So many different values of a column are looked at."""

PROBED = 200
"""So many of them, by chance, first: none of them is of a kind that an eighth is of once in 10^11 times."""

FEW_VALUES, LONGEST_FLAG = 4, 5
FREE_TEXT, MEASURE, THING, SOMEBODY = "free text", "measure", "number of a thing", "number of somebody"
TEXT_WORDS, LONG_TEXT_WORDS = 6, 10
KEYS = 0.95

MANY = 10
"""From so many different ones on, numbers that come back are those of people: fewer are counts, grades and flags."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is counted of a column: rows, how many hold a value, how many different ones; and a sample of these.

    `type` is the engine's type that every value reads as. The sample is text, trimmed, each value once. `shared` holds
    the values of a text column if each of them is common (`looking.SHARED`), and is empty otherwise; `common` holds
    the common ones among others that are not, and `common_rows` is how many rows hold one of them.
    """

    name: str
    type: str
    rows: int
    filled: int
    distinct: int
    sample: pl.Series
    shared: tuple[str, ...] = ()
    common: tuple[str, ...] = ()
    common_rows: int = 0


@dataclass(frozen=True, slots=True)
class Guess:
    """The role of a column, and why: `evidence` holds counts and kinds, never values.

    `sure` is false where the role is the more protected of those that it could have. `needed` says that a person wants
    a text column although it has values that are not common.
    """

    facts: Facts
    kind: str
    role: Role
    category: str
    evidence: str
    sure: bool
    domain: IdentifierDomain | None = None
    needed: bool = False


def judge_all(columns: Sequence[Facts]) -> tuple[Guess, ...]:
    """The guess about each column, several at a time: most of the work is the engine's, which lets others go on."""
    with ThreadPoolExecutor((os.cpu_count() or 1) + 1) as pool:
        return tuple(pool.map(judge, columns))


def judge(facts: Facts) -> Guess:
    """The guess about one column, from its sample and its header."""
    said = words(facts.name)
    if facts.filled == 0:
        return _guess(facts, "empty", Role.QUASI_IDENTIFIER, "user", "no value at all", sure=False)
    found = _by_values(facts, said)
    if found is not None and found.sure:
        return found
    meant = headers.meaning(said)
    if meant is not None:
        return _guess(facts, meant.kind, meant.role, meant.category, "its header says so", sure=True)
    if found is not None:
        return found
    if headers.is_of_people(said) and facts.distinct >= MANY and facts.type in ("VARCHAR", "BIGINT"):
        evidence = f"its header names people, of whom there are {facts.distinct:,}"
        return _guess(facts, "number of a person", Role.DIRECT_IDENTIFIER, "user.unique_id", evidence, sure=False)
    return _by_shape(facts, said)


def _by_values(facts: Facts, said: tuple[str, ...]) -> Guess | None:
    """What the values are, or what the header says they are (then not sure); None where neither says so."""
    best: tuple[float, Guess] | None = None
    sentences = _words_each(facts) >= LONG_TEXT_WORDS
    for kind, detector in DETECTORS.items():
        named = _names(detector.HEADERS, said)
        parameters = detector.Parameters()
        few = facts.distinct < min(getattr(parameters, "different", 0), facts.filled / 2)
        # two or three values that come back are no places or dates; but one address is an address
        come_back = facts.distinct < FEW_VALUES <= facts.filled and kind not in SEARCHERS
        if not named and (sentences or come_back):
            continue
        # few words are no names, unless a given name stands before another one
        fits = full_names if few and not named else detector.fits
        share = _share(fits, facts.sample)
        needed = parameters.at_least
        # a header that names the kind is half of the evidence; without it the values have to say it alone
        if share < (needed / 4 if named else needed):
            continue
        evidence = f"{share:.0%} of {len(facts.sample):,} different values" + (", and its header" if named else "")
        guess = _guess(facts, kind, detector.ROLE, detector.CATEGORY, evidence, sure=True, domain=detector.DOMAIN)
        weight = share / needed + named
        if best is None or weight > best[0]:
            best = weight, guess
    if best is not None:
        return best[1]
    for kind, detector in DETECTORS.items():
        if detector.ROLE is Role.DIRECT_IDENTIFIER and _names(detector.HEADERS, said) and not _are_flags(facts, kind):
            evidence = "its header says so, its values do not"
            return _guess(facts, kind, detector.ROLE, detector.CATEGORY, evidence, sure=False)
    return None


def _are_flags(facts: Facts, kind: str) -> bool:
    """Whether a column says of something that somebody has it (yes, no, A191), not which; short names are names."""
    short = bool((facts.sample.str.len_chars() <= LONGEST_FLAG).all())
    return facts.distinct < FEW_VALUES and short and (kind != "person_name" or facts.type != "VARCHAR")


def _share(fits: Callable[[pl.Series], pl.Series], sample: pl.Series) -> float:
    """The share of values that are of a kind; the rest is not looked at where none of the first is."""
    if not fits(sample.head(PROBED)).any():
        return 0.0
    return float(fits(sample).sum() / len(sample))


def _named_inside(texts: pl.Series) -> str:
    """How many of the texts hold an identifier, of each kind that can be found within one."""
    held = {one.CALLED: int((one.inside(texts) > 0).sum()) for one in SEARCHERS.values()}
    most = sorted((item for item in held.items() if item[1]), key=lambda item: (-item[1], item[0]))
    if not most:
        return f"; in {len(texts):,} different values no identifier was found, which does not mean that there is none"
    first, *others = (f"{count:,} {{}}{called}" for called, count in most)
    held_by = ", ".join([first.format("hold "), *(other.format("") for other in others)])
    return f"; of {len(texts):,} different values at least {held_by}"


def _words_each(facts: Facts) -> float:
    """How many words a value has, on average."""
    return sum(facts.sample.str.count_matches(r"\s+") + 1) / len(facts.sample)


def _names(known: tuple[tuple[str, ...], ...], said: tuple[str, ...]) -> bool:
    """Whether a header names a kind: the name of an order or a product is nobody's."""
    return any(set(said).issuperset(header) for header in known) and not headers.THINGS & set(said)


def _by_shape(facts: Facts, said: tuple[str, ...]) -> Guess:
    """What is left is judged by how many different values there are, and how they look."""
    is_text = facts.type == "VARCHAR"
    share = facts.distinct / facts.filled
    number_of = bool(headers.NUMBERED & set(said))
    if is_text and _words_each(facts) >= TEXT_WORDS:
        evidence = f"sentences, in which anybody can be named{_named_inside(facts.sample)}"
        return _guess(facts, FREE_TEXT, Role.DIRECT_IDENTIFIER, "user.content", evidence, sure=False)
    if headers.THINGS & set(said):
        return _guess(facts, THING, Role.ATTRIBUTE, "system", "its header names a thing", sure=True)
    if facts.distinct >= MANY and ((said and said[-1] in headers.IDS) or _are_long_numbers(facts)):
        evidence = f"{facts.distinct:,} different numbers or codes that call something"
        return _guess(facts, SOMEBODY, Role.DIRECT_IDENTIFIER, "user.unique_id", evidence, sure=False)
    if facts.type in ("DOUBLE", "BOOLEAN"):
        return _guess(facts, MEASURE, Role.ATTRIBUTE, "user", f"{facts.type.lower()} values", sure=False)
    if share >= KEYS and facts.distinct >= FEW_VALUES:
        evidence = f"{share:.0%} of the values occur once"
        if is_text or number_of:
            return _guess(facts, SOMEBODY, Role.DIRECT_IDENTIFIER, "user.unique_id", evidence, sure=number_of)
        return _guess(facts, "nearly unique", Role.QUASI_IDENTIFIER, "user", evidence, sure=False)
    evidence = f"{facts.distinct:,} different values in {facts.filled:,} rows"
    return _guess(facts, "category" if is_text else "number", Role.QUASI_IDENTIFIER, "user", evidence, sure=False)


def _are_long_numbers(facts: Facts) -> bool:
    """Whether they are text for having more digits than any measure: numbers of accounts, chips, people."""
    long = facts.sample.str.contains(r"^[+-]?\d{16,}(\.0*)?$").sum()
    return facts.type == "VARCHAR" and 2 * long > len(facts.sample)


def _guess(
    facts: Facts, kind: str, role: Role, category: str, evidence: str, *, sure: bool,
    domain: IdentifierDomain | None = None,
) -> Guess:  # fmt: skip
    return Guess(facts, kind, role, category, evidence, sure, domain)
