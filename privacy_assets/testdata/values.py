"""Values that are no identifiers: by the contract's type, its category and declared lists, and by nobody's data.

    declared categories     one of them
    other text              invented by Faker, and marked: "Test-Anna", "12 Test Elm Street", "Test: …"
    numbers                 between what a purpose declares, else from 0 to 100 (ages: 18 to 95)
    days                    of the last two years, or the younger half of the retention; births are of adults

Belongs here: one value after another that fits its column. Does not belong here: keys, whose row it is, what is drawn
from noisy rows.

A text that no list declares always bears the mark, so that it is nobody's: a plain invented name is somebody's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from privacy_assets.contracts.contract import ContractColumn
from privacy_assets.testdata.copied import Span

DTYPES: dict[str, Any] = {
    "VARCHAR": pl.String,
    "BIGINT": pl.Int64,
    "INTEGER": pl.Int32,
    "SMALLINT": pl.Int16,
    "DOUBLE": pl.Float64,
    "FLOAT": pl.Float32,
    "BOOLEAN": pl.Boolean,
    "DATE": pl.Date,
    "TIMESTAMP": pl.Datetime("us"),
    "TIME": pl.Time,
}
"""The engine's types as polars has them; decimals apart (`dtype`)."""

DAYS = 730
"""So many days back days lie, unless retention ends earlier."""
FAR_BACK = 365 * 150
"""So many days back a day may lie where none may come twice."""
_ADULT, _OLDEST = 18 * 366, 90 * 365
_DIFFERENT = 1_000
"""So many different texts of a kind are invented; rows take them at random."""
_NUMBERS: Span = (0.0, 100.0)
_AGES: Span = (18.0, 95.0)
_BITS = {"SMALLINT": 15, "INTEGER": 31, "BIGINT": 53}

_FORMS: tuple[tuple[str, tuple[str, ...], Callable[..., str]], ...] = (
    ("user.name.first", ("first_name",), lambda first: f"Test-{first}"),
    ("user.name.last", ("last_name",), lambda last: f"Test-{last}"),
    ("user.name", ("first_name", "last_name"), lambda first, last: f"Test-{first} Test-{last}"),
    ("user.contact.address.street", ("building_number", "street_name"), lambda number, name: f"{number} Test {name}"),
    ("user.contact.address.city", ("city",), lambda city: f"Test {city}"),
    ("user.contact.address.postal_code", ("postcode",), lambda code: f"TEST {code}"),
    ("user.contact.address.country", ("country",), lambda country: f"Test {country}"),
    ("user.contact.url", ("domain_word",), lambda word: f"https://{word}.example.test/"),
    ("user.device.ip_address", ("random_int",), lambda number: f"192.0.2.{number % 256}"),
    ("user.workplace", ("job",), lambda job: f"Test {job}"),
    ("user.content", ("sentence",), lambda said: f"Test: {said}"),
)
"""Category of the Fides taxonomy -> what Faker calls the parts of such a text, and how it is marked."""


def dtype(kind: str) -> Any:
    """The engine's type as polars has it."""
    if kind.startswith("DECIMAL("):
        precision, scale = (int(part) for part in kind[8:-1].split(","))
        return pl.Decimal(precision, scale)
    return DTYPES[kind]


def is_text_of_faker(column: ContractColumn) -> bool:
    """Whether the contract says of a column no more than what sort of text it holds."""
    return column.type == "VARCHAR" and column.domain is None


def is_known(column: ContractColumn) -> bool:
    """Whether the category says what such a text looks like."""
    category = f"{column.privacy.category}."
    return column.privacy.free_text or any(category.startswith(f"{begins}.") for begins, *_ in _FORMS)


def is_birth(column: ContractColumn) -> bool:
    """Whether a day is that of a birth."""
    return "birth" in column.privacy.category or "birth" in column.name.lower()


def pool(kind: str, rng: np.random.Generator) -> list[str]:
    """Texts of Faker's, by what it calls them."""
    return _pool((kind,), lambda text: text, rng)


def _pool(kinds: Sequence[str], marked: Callable[..., str], rng: np.random.Generator) -> list[str]:
    from faker import Factory  # only a run should pay for it

    faker = Factory.create("en_US", use_weighting=False)
    faker.seed_instance(int(rng.integers(2**62)))
    return [marked(*(faker.format(kind) for kind in kinds)) for _ in range(_DIFFERENT)]


def values(column: ContractColumn, size: int, rng: np.random.Generator, span: Span | None) -> pl.Series:
    """Values of a column that is no day and no key; each may come again."""
    made: Any
    kind = column.type
    if column.domain is not None:
        made = [column.domain[at] for at in rng.integers(len(column.domain), size=size).tolist()]
        return pl.Series(column.name, made, pl.String).cast(dtype(kind))
    if kind == "VARCHAR":
        held = _texts(column, rng)
        made = [held[at] for at in rng.integers(len(held), size=size).tolist()]
    elif kind == "BOOLEAN":
        made = rng.random(size) < 0.5
    elif kind == "TIME":
        made = [time(at // 3600, at // 60 % 60, at % 60) for at in rng.integers(0, 86_400, size).tolist()]
    elif kind in _BITS:
        low, high = _span(column, span, 2 ** _BITS[kind] - 1)
        made = rng.integers(int(np.ceil(low)), int(np.floor(high)) + 1, size)
    elif kind.startswith("DECIMAL("):
        precision, scale = (int(part) for part in kind[8:-1].split(","))
        low, high = _span(column, span, 10 ** min(precision - scale, 12) - 1)
        least, greatest = int(np.ceil(low * 10**scale)), int(np.floor(high * 10**scale))
        made = [Decimal(one).scaleb(-scale) for one in rng.integers(least, greatest + 1, size).tolist()]
    else:
        low, high = _span(column, span, 1e300)
        made = np.round(rng.uniform(low, high, size), 3)
    return pl.Series(column.name, made, dtype(kind))


def _span(column: ContractColumn, span: Span | None, most: float) -> Span:
    aged = "age" in column.privacy.category.replace("_", ".").split(".") or column.name.lower() == "age"
    low, high = span or (_AGES if aged else _NUMBERS)
    return max(low, -most), min(high, most)


def _texts(column: ContractColumn, rng: np.random.Generator) -> list[str]:
    if column.privacy.free_text:
        return _pool(("sentence", "sentence"), lambda one, other: f"Test: {one} {other}", rng)
    category = f"{column.privacy.category}."
    for begins, kinds, marked in _FORMS:
        if category.startswith(f"{begins}."):
            return _pool(kinds, marked, rng)
    return _pool(("word",), lambda word: f"test {word}", rng)


def days(
    columns: Sequence[ContractColumn], size: int, rng: np.random.Generator, day: date, kept_days: int
) -> dict[str, pl.Series]:
    """The days and moments of a dataset's rows, all of them before `day`; within a row they come as the columns do.

    `kept_days` is how long the contract keeps a row: they lie in the younger half of that.
    """
    back = max(1, min(DAYS, kept_days // 2))
    since = [column for column in columns if not is_birth(column)]
    ago = -np.sort(-rng.integers(1, back + 1, (size, len(since))), axis=1)
    seconds = np.sort(rng.integers(8 * 3600, 18 * 3600, (size, len(since))), axis=1)
    found: dict[str, pl.Series] = {}
    for at, column in enumerate(since):
        found[column.name] = _moments(column, day, ago[:, at].tolist(), seconds[:, at].tolist())
    for column in (column for column in columns if is_birth(column)):
        found[column.name] = _moments(column, day, rng.integers(_ADULT + back, _OLDEST, size).tolist(), [0] * size)
    return found


def in_a_row(column: ContractColumn, size: int, day: date) -> pl.Series:
    """Different days or moments, one before the other, of a column in which none may come twice."""
    if column.type == "TIMESTAMP":
        return _moments(column, day, [1] * size, [-60 * at for at in range(size)])
    return _moments(column, day, list(range(1, size + 1)), [0] * size)


def _moments(column: ContractColumn, day: date, ago: Sequence[int], seconds: Sequence[int]) -> pl.Series:
    midnight = datetime.combine(day, time())
    pairs = zip(ago, seconds, strict=True)
    made = [midnight - timedelta(days=back) + timedelta(seconds=more) for back, more in pairs]
    series = pl.Series(column.name, made, pl.Datetime("us"))
    return series.cast(pl.Date) if column.type == "DATE" else series
