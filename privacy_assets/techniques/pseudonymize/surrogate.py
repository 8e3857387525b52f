"""Replaces an identifier by an invented one of the same form, and remembers which: a token vault.

Belongs here: identifiers whose form is needed downstream (a program that parses e-mail addresses, a form that shows
names). Does not belong here: identifiers that are only joined by (`token`, which needs no vault and no luck).

The argument: the stand-in is drawn by the library Faker from a seed that only the key can make, and never equals a
value that is really there or a stand-in that somebody has; so it tells which rows are about the same person, and
which names are nobody's, and no more. E-mail addresses lie in the domains that RFC 2606 keeps for examples. What it
does not cover: a stand-in may be the name or the telephone number of somebody who is not in the data. As a `token`,
it singles out and links: a quasi-identifier, and still personal data.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Literal

import polars as pl
from sqlglot import exp

from privacy_assets.errors import BadDeclaration
from privacy_assets.techniques.pseudonymize._columns import TEXT, nameless, reference, unlike
from privacy_assets.techniques.pseudonymize._domains import normalized
from privacy_assets.techniques.pseudonymize._keyed import macs, pseudonyms
from privacy_assets.weakening import Weaker
from privacy_assets.words import Column, Frozen, IdentifierDomain, Role

if TYPE_CHECKING:
    from faker import Generator

MAPS = "value"
VAULT = True

TRIES_IN_VAIN = 10_000
"""After so many draws in a row that were taken already, the generator has no more to give."""

_FORMATTERS = {
    "email": "safe_email",
    "phone": "phone_number",
    "first_name": "first_name",
    "last_name": "last_name",
    "name": "name",
    "street_address": "street_address",
    "uuid": "uuid4",
}

_FORMS = {
    "email": r"^[^@\s]+@example\.(com|org|net)$",
    "phone": r"^[-0-9x +()./]+$",
    "first_name": r"^[^@0-9]+$",
    "last_name": r"^[^@0-9]+$",
    "name": r"^[^@0-9]+$",
    "street_address": r"^[^@]+$",
    "uuid": "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
}


class Parameters(Frozen):
    """What is invented (`generator`), and for which language and country (`locale`, as Faker names them)."""

    kind: Literal["surrogate"]
    generator: Annotated[
        Literal["email", "phone", "first_name", "last_name", "name", "street_address", "uuid"], Weaker.ANY
    ]
    locale: Annotated[Literal[
        "cs_CZ", "da_DK", "de_AT", "de_CH", "de_DE", "en_AU", "en_CA", "en_GB", "en_IE", "en_IN", "en_NZ", "en_US",
        "es_ES", "es_MX", "fi_FI", "fr_BE", "fr_CH", "fr_FR", "hu_HU", "it_IT", "ja_JP", "nl_BE", "nl_NL", "no_NO",
        "pl_PL", "pt_BR", "pt_PT", "ro_RO", "sv_SE", "tr_TR",
    ], Weaker.NONE] = "en_US"  # fmt: skip


def mapped_type(parameters: Parameters) -> str:
    """A stand-in is text."""
    return "VARCHAR"


def issue(
    parameters: Parameters, values: pl.Series, key: str, domain: IdentifierDomain, known: pl.DataFrame
) -> pl.DataFrame:
    """The rows that the vault needs before `values` can be mapped: `mac` and `surrogate`, both text, ordered by `mac`.

    A value needs a row if the vault has none for it, or if its stand-in is now a value that is really there. The
    n-th draw for a `mac` is seeded by the MAC of both; the first that is free is taken, where values compare as the
    domain writes them. Raises BadDeclaration where the generator has too few different ones to give.
    """
    written = normalized(values, domain)
    real = set(written.to_list())
    clashing = known.filter(normalized(known["surrogate"], domain).is_in(list(real)))["mac"]
    good = known.filter(~pl.col("mac").is_in(clashing.to_list()))["mac"]
    wanted = vault_macs(parameters, values, key, domain)
    waiting = pl.Series("mac", sorted(set(wanted.to_list()) - set(good.to_list())), pl.String)
    taken = real | set(normalized(known["surrogate"], domain).to_list())
    issued: dict[str, str] = {}
    draw, in_vain = 0, 0
    while len(waiting):
        seeds = macs(waiting + f"/{draw}", key, "surrogate/draw")
        drawn = pl.Series([_invent(parameters, seed) for seed in seeds.to_list()], dtype=pl.String)
        before = len(issued)
        for mac, surrogate, compared in zip(waiting, drawn, normalized(drawn, domain), strict=True):
            if compared not in taken:
                taken.add(compared)
                issued[mac] = surrogate
        in_vain = 0 if len(issued) > before else in_vain + len(waiting)
        if in_vain >= TRIES_IN_VAIN:
            raise BadDeclaration.of(
                f"the generator {parameters.generator} has too few stand-ins in {parameters.locale}",
                expected=f"{before + len(waiting)} different ones that are no real values",
                found=f"{before}",
                next_step="use `token` or `redact`, or a generator with more to give, such as name or email",
            )
        waiting = waiting.filter(~waiting.is_in(list(issued)))
        draw += 1
    rows = sorted(issued.items())
    return pl.DataFrame(rows, schema={"mac": pl.String, "surrogate": pl.String}, orient="row")


def map_values(
    parameters: Parameters, values: pl.Series, key: str, domain: IdentifierDomain, known: pl.DataFrame
) -> pl.Series:
    """The stand-in of each value, by the vault; raises ValueError where it was not issued before."""
    vault = known.unique("mac", keep="last")
    mac = vault_macs(parameters, values, key, domain)
    found = mac.replace_strict(vault["mac"], vault["surrogate"], default=None, return_dtype=pl.String)
    if found.null_count():
        raise ValueError("the vault has no stand-in for some of these values: issue them first")
    return found


def vault_macs(parameters: Parameters, values: pl.Series, key: str, domain: IdentifierDomain) -> pl.Series:
    """By which `mac` the vault knows each value."""
    return pseudonyms(values, key, domain, f"surrogate/{parameters.generator}/{parameters.locale}")


@lru_cache
def _generator(locale: str) -> Generator:
    # Faker takes a fifth of a second to import, which only a run should pay for.
    from faker import Factory

    # Drawing by real frequencies would be slower, and would run out of rare names last.
    return Factory.create(locale, use_weighting=False)


def _invent(parameters: Parameters, seed: str) -> str:
    faker = _generator(parameters.locale)
    faker.seed_instance(int(seed, 16))
    return str(faker.format(_FORMATTERS[parameters.generator]))


def expression(parameters: Parameters, column: Column, value: exp.Expr, mapped: exp.Expr | None) -> exp.Expr:
    """The stand-in in the column's type; a value that has none leaves as NULL, never as it was."""
    return exp.cast(mapped if mapped is not None else exp.null(), column.type, dialect="duckdb")


def output(parameters: Parameters, column: Column) -> Column:
    """The same type, for a person of whom no more is known; it keeps its identifier domain, within which it joins."""
    return replace(column, role=Role.QUASI_IDENTIFIER, technique=parameters.kind, domain=None)


def violated(parameters: Parameters, column: Column) -> exp.Expr:
    """True for a text of another form than the generator's: a real e-mail address lies in no example domain."""
    value = exp.cast(reference(column), "VARCHAR")
    return exp.RegexpLike(this=value, expression=exp.Literal.string(_FORMS[parameters.generator])).not_()


def fault(parameters: Parameters, column: Column) -> str | None:
    """Fits text that has an identifier domain; invented UUIDs fit UUIDs too."""
    fitting, wanted = (TEXT, "text")
    if parameters.generator == "uuid":
        fitting, wanted = TEXT | {exp.DType.UUID}, "text or a UUID"
    return nameless(column) or unlike(column, fitting, wanted)
