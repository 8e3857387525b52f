"""Values in the place of labels: one of those that the label stands for, each with the same chance."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from privacy_assets.techniques.anonymize import _drawn
from privacy_assets.techniques.anonymize._tuples import Levels
from privacy_assets.techniques.hierarchies import dates, intervals, prefixes, table
from privacy_assets.words import Column

AGE = Column("age", "SMALLINT")
PLACE = Column("place", "VARCHAR", domain=("ab", "ac", "b"))
AGES = pl.Series("age", [20, 21, 24, 37], dtype=pl.Int16)
PLACES = pl.Series("place", ["ab", "ac", "b"])
ROWS = 3000


def levels(column: Column, kind: object, parameters: object, leaves: pl.Series) -> Levels:
    """The column as the search sees it; NULL, which comes last, is a value of its own below the root."""
    found = kind.levels(parameters, column, leaves.drop_nulls())  # type: ignore[attr-defined]
    if leaves.null_count():
        null = [*[None] * (len(found) - 1), "*"]
        found = [level.append(pl.Series([label], dtype=pl.String)) for level, label in zip(found, null, strict=True)]
    return Levels.of(column.name, found)


def of_ages(leaves: pl.Series = AGES) -> Levels:
    return levels(AGE, intervals, intervals.Parameters(kind="intervals", widths=(5, 20), low=20, high=60), leaves)


def of_places() -> Levels:
    return levels(PLACE, prefixes, prefixes.Parameters(kind="prefixes", keep=(1,)), PLACES)


def drawn(
    label: str | None, column: Column, leaves: pl.Series, found: Levels, cells: pl.Series | None = None
) -> pl.Series:
    """The values of many rows with one label; combinations have the labels of `cells`, or the finest ones."""
    labels = pl.repeat(label, ROWS, dtype=pl.String, eager=True)
    cells = found.labels[0].gather(found.groups[0]) if cells is None else cells
    return _drawn.values(labels, column, leaves, found, np.arange(len(cells)), cells, np.random.default_rng(1))


@pytest.mark.parametrize(
    ("label", "values"),
    [("21", [21]), ("[20,25)", [20, 21, 24]), ("[20,40)", [*AGES]), ("*", [*AGES])],
)
def test_each_value_that_a_label_stands_for_is_as_likely_as_another(label: str, values: list[int]):
    """And no other value comes out."""
    found = dict(drawn(label, AGE, AGES, of_ages()).value_counts().iter_rows())
    assert found == pytest.approx(dict.fromkeys(values, ROWS / len(values)), rel=0.15)


def test_texts_are_drawn_as_numbers_are():
    """By the hierarchy alone: who has which value does not matter."""
    found = dict(drawn("a*", PLACE, PLACES, of_places()).value_counts().iter_rows())
    assert found == pytest.approx({"ab": ROWS / 2, "ac": ROWS / 2}, rel=0.15)
    assert set(drawn("*", PLACE, PLACES, of_places())) == {"ab", "ac", "b"}


@pytest.mark.parametrize(
    ("column", "leaves"),
    [
        (AGE, AGES),
        (PLACE, PLACES),
        (Column("flag", "BOOLEAN"), pl.Series("flag", [False, True])),
        (Column("day", "DATE"), pl.Series("day", [date(2026, 1, 1), date(2026, 3, 2)])),
    ],
    ids=["number", "text", "true or false", "date"],
)
def test_a_value_that_was_kept_is_itself(column: Column, leaves: pl.Series):
    """With its type, NULL among them."""
    leaves = leaves.extend_constant(None, 1)
    texts = leaves.cast(pl.String)
    root = pl.repeat("*", len(leaves), dtype=pl.String, eager=True)
    finest = Levels.of(column.name, [texts, root])
    told = _drawn.values(texts, column, leaves, finest, np.arange(len(leaves)), texts, np.random.default_rng(1))
    assert told.equals(leaves, check_dtypes=True, null_equal=True)


def test_what_is_unknown_stays_so():
    """NULL is no value that somebody has; behind a root are those who are known."""
    leaves = AGES.extend_constant(None, 1)
    assert drawn(None, AGE, leaves, of_ages(leaves)).null_count() == ROWS
    assert set(drawn("*", AGE, leaves, of_ages(leaves))) == set(AGES)
    nobody = pl.Series("age", [None], dtype=pl.String)
    assert drawn("*", AGE, nobody, Levels.of("age", [nobody, pl.Series(["*"])])).null_count() == ROWS


def test_dates_lie_in_their_month():
    """As dates, which a model counts as days."""
    column, days = Column("day", "DATE"), pl.Series("day", [date(1970, 1, 1), date(1970, 1, 3), date(1970, 2, 1)])
    asked = dates.Parameters(kind="dates", units=("month", "year"), since=1970, until=1970)
    assert set(drawn("1970-01", column, days, levels(column, dates, asked, days))) == {*days[:2]}


def test_a_public_table_says_what_a_label_stands_for():
    """Also of values that nobody has, and of numbers and days; a label of two levels may mean all of the higher one."""
    column = Column("grade", "SMALLINT")
    rows = (("1", "low", "low", "*"), ("2", "low", "low", "*"), ("6", "mid", "low", "*"), ("9", "high", "high", "*"))
    leaves = pl.Series("grade", [row[0] for row in rows])
    found = levels(column, table, table.Parameters(kind="table", rows=rows), leaves)
    assert set(drawn("low", column, leaves, found)) == {1, 2, 6}
    assert set(drawn("mid", column, leaves, found)) == {6}
    days = pl.Series("day", ["2026-01-01", "2026-03-02"])
    of_days = Levels.of("day", [days, pl.Series(["*", "*"])])
    found = drawn("*", Column("day", "DATE"), days, of_days)
    assert set(found.dt.date()) == {date(2026, 1, 1), date(2026, 3, 2)}


def test_a_list_of_values_stands_for_those_who_have_it():
    """Mondrian's texts stand in no hierarchy, and its numbers are the middle already."""
    flat = Levels.of("place", [PLACES, pl.Series(["*", "*", "*"])])
    cells = pl.Series("place", ["ab|b", "ac", "ab|b"])
    assert set(drawn("ab|b", PLACE, PLACES, flat, cells)) == {"ab", "b"}
    assert set(drawn("ac", PLACE, PLACES, flat, cells)) == {"ac"}
    middle = pl.Series("age", [22.5, None])
    assert _drawn.values(middle, AGE, AGES, of_ages(), np.arange(2), middle, np.random.default_rng(1)).equals(middle)


def test_the_same_seed_draws_the_same():
    """What is measured can be measured again."""
    assert drawn("*", AGE, AGES, of_ages()).equals(drawn("*", AGE, AGES, of_ages()))
