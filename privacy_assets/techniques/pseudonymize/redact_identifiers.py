"""Replaces what identifies somebody inside a free text by the kind of thing that stood there: `[phone]`, `[name]`.

Belongs here: free text that is needed as text. Does not belong here: text that nobody needs as such (`redact`); columns
that hold an identifier and nothing else (`token`, `surrogate`).

The argument has two parts. What is known of the row's own person (every direct identifier that the project holds of
them) is looked for as it is, whatever its case, accents and white space, and replaced by `[subject]`: that is exact,
and measured on the output (`own_identifiers_absent`). What is not known is looked for by its form. A form asks for no
check digit and no registry: a mistyped card number is still somebody's. It begins and ends anywhere, so that what it
takes out never brings another one forth: no text of such a form is left, which is measured as well (`violated`). Digits
of other scripts leave as 0 to 9, in which the forms are written.

What it does not cover: names that no list has, nicknames, names written small, misspelt or abbreviated identifiers of
the person, or with letters put to them (`zbrandvold`), places, employers, relatives, and everything that describes
somebody without naming them ("the mayor's eldest son"). How much is found is measured on labelled texts
(docs/privacy-promise.md), never promised. What leaves is personal data, and text in which people can be recognized; it
is for readers who may know them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Literal

import polars as pl
from pydantic import Field
from sqlglot import exp

from privacy_assets import word_lists
from privacy_assets.techniques.pseudonymize import _names
from privacy_assets.techniques.pseudonymize._columns import TEXT, reference, unlike
from privacy_assets.weakening import Weaker
from privacy_assets.words import Column, Frozen, Role

REDACTS = True
BUILT_OF = (_names, word_lists)

Kind = Literal[
    "email", "url", "ip_address", "iban", "national_number", "date", "address", "card", "phone", "number", "name"
]

SUBJECT = "[subject]"
_SEPARATORS = "-_./"
SHORTEST = 2
"""Identifiers of the person that are shorter than this are not looked for: `7` stands in every text."""

_GAP = r"[ \t\r\n\f]"
_APART = r" \t\r\n\f\[\]<>\""
"""What neither an address nor a link holds, for use in a class. Brackets are in no form: placeholders never match."""

_MONTHS = (
    "january|february|march|april|may|june|july|august|september|october|november|december|"
    "januar|februar|märz|mai|juni|juli|oktober|dezember|"
    "janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre|"
    "enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|"
    "gennaio|febbraio|aprile|maggio|giugno|luglio|settembre|ottobre|dicembre|"
    "jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|okt|nov|dec|dez"
)
_YEAR, _MONTH, _DAY = r"(?:1[89]|20)[0-9]{2}", r"(?:1[0-2]|0?[1-9])", r"(?:3[01]|[12][0-9]|0?[1-9])"
_TIME = r"(?:[T ][0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)?"
_NAME = r"\p{Lu}[\p{L}\p{M}'’-]*\.?"
_STREETS = (
    "Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Court|Ct|Boulevard|Blvd|Way|Place|Pl|Square|Sq|Terrace|Crescent|"
    "Close|Highway|Hwy|Parkway|Pkwy|Trail|Circle|Plaza|Row|Grove|Alley"
)
_JOINED = (
    "straße|strasse|str\\.|gasse|weg|platz|allee|ring|straat|laan|gracht|gatan|vägen|katu|tie|gade|vej|veien|utca|utja"
)

PLACEHOLDERS: dict[Kind, str] = {
    "email": "[e-mail]",
    "url": "[URL]",
    "ip_address": "[IP address]",
    "iban": "[IBAN]",
    "national_number": "[national number]",
    "date": "[date]",
    "address": "[address]",
    "card": "[card]",
    "phone": "[phone]",
    "number": "[number]",
    "name": "[name]",
}

FORMS: dict[Kind, tuple[str, ...]] = {
    "email": (rf"[^{_APART}@,;:()]+@[^{_APART}@,;:()]+\.\p{{L}}{{2,}}",),
    "url": (
        rf"(?i:https?|ftp)://[^{_APART}]+|(?i:www)\.[^{_APART}]+|"
        rf"[\p{{L}}\p{{N}}][\p{{L}}\p{{N}}.-]*\.(?i:com|net|org|edu|gov|info|biz|io|dev|app|eu|de|fr|uk|nl|ch|pl)|"
        rf"[\p{{L}}\p{{N}}][\p{{L}}\p{{N}}.-]*\.\p{{L}}{{2,}}/[^{_APART}]*",
    ),
    "ip_address": (
        r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|(?:[0-9A-Fa-f]{0,4}:){3,7}[0-9A-Fa-f]{1,4}|"
        r"[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){5}",
    ),
    "iban": (
        r"[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?",
        r"[A-Za-z]{2}[0-9]{2}[A-Za-z0-9]{11,30}",
    ),
    "national_number": (
        r"[0-9]{3}-[0-9]{2}-[0-9]{4}|[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}|756\.[0-9]{4}\.[0-9]{4}\.[0-9]{2}|"
        r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}|[0-9]{6,8}[-+A][0-9]{3}[0-9A-Z]|"
        r"[A-Z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]|[A-Z]{6}[0-9]{2}[A-Z][0-9]{2}[A-Z][0-9]{3}[A-Z]|"
        r"[0-9]{8}-?[A-Z]",
    ),
    "date": (
        rf"{_YEAR}[-/.]{_MONTH}[-/.]{_DAY}{_TIME}|{_DAY}[-/.] ?{_MONTH}[-/.] ?(?:{_YEAR}|[0-9]{{2}}){_TIME}|"
        rf"{_MONTH}[-/.]{_DAY}[-/.](?:{_YEAR}|[0-9]{{2}}){_TIME}|"
        rf"{_DAY}(?:st|nd|rd|th|\.)? ?(?:of |de )?-?(?i:{_MONTHS})\.?,?(?:[ -](?:de )?{_YEAR})?|"
        rf"(?i:{_MONTHS})\.? {_DAY}(?:st|nd|rd|th)?(?:,? {_YEAR})?|(?i:{_MONTHS})\.? {_YEAR}",
    ),
    "address": (
        rf"[0-9]{{1,6}}[A-Za-z]?,? (?:\p{{Lu}}[\p{{L}}\p{{M}}'’.-]* ){{1,4}}(?:{_STREETS})\.?",
        rf"(?:[0-9]{{1,6}} )?\p{{L}}[\p{{L}}\p{{M}}'’.-]* ?(?i:{_JOINED}) ?[0-9]{{1,5}}[A-Za-z]?",
        r"(?:P\.? ?O\.? )?(?i:apt|apartment|suite|unit|flat|box)\.? ?#?[0-9]+[A-Za-z]?",
        r"[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]",
        r"(?i:rue|avenue|av\.|calle|via|viale|piazza|rua|ulica|ul\.) (?:\p{L}[\p{L}\p{M}'’.-]* ){1,4}[0-9]{1,5}",
    ),
    "card": (r"[0-9](?:[ -]?[0-9]){11,18}",),
    "phone": (
        r"\+ ?[(]?[0-9](?:[() ./-]{0,3}[0-9]){6,14}(?: ?(?:x|ext\.?) ?[0-9]{1,6})?|"
        r"(?:[(][0-9]{2,5}[)][ ./-]{0,2}|[0-9]{2,5}[ ./-]{1,2})[0-9]{2,4}(?:[ ./-]{1,2}[0-9]{2,4}){1,4}"
        r"(?: ?(?:x|ext\.?) ?[0-9]{1,6})?|"
        r"(?:[(][0-9]{2,5}[)][ ./-]{0,2}|[0-9]{2,5}[ ./-]{1,2})[0-9]{3,4}[ ./-]?[0-9]{3,4}|"
        r"0[0-9]{8,12}|[0-9]{3}[ .-][0-9]{4}",
    ),
    "number": (
        r"[0-9](?:[ ./-]?[0-9]){5,}|[0-9]{5,}|(?:[A-Za-z]+-?[0-9]+){2,}[A-Za-z]*|(?:[0-9]+-?[A-Za-z]+){2,}[0-9]*|"
        r"[A-Z]{1,4}-?[0-9]{3,}",
    ),
    "name": (
        r"(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor|Sir|Madam|Herr|Frau|Mme|Mlle|Monsieur|Madame|Señora?|Signora?)"
        rf"\.?{_GAP}+{_NAME}(?: {_NAME})*|(?i:my name is|name:|named|i am called){_GAP}+{_NAME}(?: {_NAME})*",
    ),
}
"""How each kind is written, in the order in which they are looked for: the more particular before the more general.
A form that is large for the engine is several: one that does not fit into its cache costs it forty times as much.

In the syntax that the regular expressions of polars (Rust) and of the engine (RE2) share. No form has an anchor or
looks at what stands beside it. So what is left after replacing every match of it holds none: a match in what is left
was there whole before, and was replaced or overlapped one that was, and then it is whole no more.
"""


class Parameters(Frozen):
    """`kinds` are what is looked for; without it all that is known.

    What is not asked for leaves as it is, unless it has the form of something else: 2020-05-03 could be a phone's.
    """

    kind: Literal["redact_identifiers"]
    kinds: Annotated[tuple[Kind, ...], Field(min_length=1), Weaker.REMOVED] = tuple(FORMS)


FUNCTION = ("VARCHAR", "VARCHAR[]", "VARCHAR[]", "VARCHAR")


def function(texts: pl.Series, kinds: pl.Series, known: pl.Series) -> pl.Series:
    """Each text without what identifies: its own `known` identifiers, and every one of the `kinds` (alike in all rows).

    None of them is null. The person's own identifiers are taken out first, while they stand as they were written, and
    once more at the end: one that touched another identifier stands alone only then.
    """
    if texts.is_empty():
        return texts
    wanted = set(kinds[0].to_list())
    own = known.to_list()
    left = _without_own(_with_our_digits(texts), own)
    for kind, forms in FORMS.items():
        for form in forms if kind in wanted else ():
            left = left.str.replace_all(form, PLACEHOLDERS[kind])
    if "name" in wanted:
        left = pl.Series(
            left.name, [_names.without_names(text, PLACEHOLDERS["name"]) for text in left.to_list()], pl.String
        )
    return _without_own(left, own)


def _with_our_digits(texts: pl.Series) -> pl.Series:
    """Digits of any script as 0 to 9, in which the forms are written."""
    others = texts.str.contains(r"[\p{Nd}--0-9]")
    if not others.any():
        return texts
    return pl.Series(
        texts.name,
        ["".join(str(unicodedata.decimal(one, one)) for one in text) if other else text
         for text, other in zip(texts.to_list(), others.to_list(), strict=True)],
        pl.String,
    )  # fmt: skip


def _without_own(texts: pl.Series, own: list[list[str | None]]) -> pl.Series:
    if not any(own):
        return texts
    return pl.Series(
        texts.name, [without(text, some) for text, some in zip(texts.to_list(), own, strict=True)], pl.String
    )


def without(text: str, identifiers: list[str | None]) -> str:
    """The text with `[subject]` for each of `identifiers` that stands in it by itself.

    Case, accents, white space and what is not seen say nothing: `AdaLovelace` finds `ada  lovelace`. Of an identifier
    with digits its separators say nothing either, unless little is left without them: `K-4711` finds `k 4711`, and `7.`
    no `7`. By itself: no letter touches a letter at its ends, no letter or digit a digit.
    """
    wanted: dict[str, set[str]] = {"": set(), _SEPARATORS: set()}
    for one in filter(None, identifiers):
        for apart in (_SEPARATORS, "") if any(map(str.isdigit, one)) else ("",):
            bare = "".join(letter for letter, _ in _letters(one, apart))
            if len(bare) >= SHORTEST:
                wanted[apart].add(bare)
                break
    found = [place for apart, some in wanted.items() if some for place in _places(text, some, apart)]
    return _replaced(text, found) if found else text


def _places(text: str, wanted: set[str], apart: str) -> Iterator[tuple[int, int]]:
    """From where to where one of `wanted` stands in the text by itself."""
    letters = _letters(text, apart)
    bare = "".join(letter for letter, _ in letters)
    for identifier in wanted:
        at = bare.find(identifier)
        while at >= 0:
            start, end = letters[at][1], letters[at + len(identifier) - 1][1] + 1
            if not (_goes_on(identifier[0], text[start - 1 : start]) or _goes_on(identifier[-1], text[end : end + 1])):
                yield start, end
            at = bare.find(identifier, at + 1)


def _goes_on(end: str, neighbour: str) -> bool:
    """Whether what touches an identifier's end makes it part of something longer."""
    return neighbour.isalpha() or (neighbour.isalnum() and not end.isalpha())


def _letters(text: str, apart: str) -> list[tuple[str, int]]:
    """What is compared of a text, each letter with its place: no case, accents, spaces, nor any of `apart`."""
    if text.isascii():
        return [(one.lower(), at) for at, one in enumerate(text) if not one.isspace() and one not in apart]
    return [
        (folded, at)
        for at, one in enumerate(text)
        if one not in apart
        for folded in unicodedata.normalize("NFKD", one.casefold()).casefold()
        if not (folded.isspace() or unicodedata.category(folded)[0] == "M" or unicodedata.category(folded) == "Cf")
    ]


def _replaced(text: str, spans: list[tuple[int, int]]) -> str:
    pieces: list[str] = []
    upto = 0
    for start, end in sorted(spans):
        if start >= upto:
            pieces += text[upto:start], SUBJECT
        upto = max(upto, end)
    return "".join([*pieces, text[upto:]])


def expression(parameters: Parameters, column: Column, value: exp.Expr, mapped: exp.Expr | None) -> exp.Expr:
    """The text with placeholders; NULL for NULL."""
    kinds = exp.Array(expressions=[exp.Literal.string(kind) for kind in parameters.kinds])
    # a function of the engine has no answer where one of its arguments has none
    known = exp.cast(exp.Coalesce(this=mapped or exp.null(), expressions=[exp.Array()]), "TEXT[]")
    return exp.Anonymous(this=parameters.kind, expressions=[value, kinds, known])


def output(parameters: Parameters, column: Column) -> Column:
    """Text that names nobody by what was found; a reader may still know who is meant, so it is no mere attribute."""
    return replace(column, role=Role.QUASI_IDENTIFIER, technique=parameters.kind, domain=None, identifier_domain=None)


def violated(parameters: Parameters, column: Column) -> exp.Expr:
    """True for a text with anything of the forms in it; names by list are not looked for again."""
    # one by one: the engine takes many times as long for all of them in one expression
    forms = [form for kind in FORMS if kind in parameters.kinds for form in FORMS[kind]]
    return exp.or_(*(exp.RegexpLike(this=reference(column), expression=exp.Literal.string(form)) for form in forms))


def fault(parameters: Parameters, column: Column) -> str | None:
    """Fits text that the contract calls free text."""
    if what := unlike(column, TEXT, "text"):
        return what
    return None if column.free_text else "the contract does not say that it is text to read: `free_text: true`"
