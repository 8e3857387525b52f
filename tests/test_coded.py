"""Coded tables: what goes in comes out, and nothing comes in that was not declared."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy_assets.coded import Coded, Domain, decode, encode
from privacy_assets.errors import NotKept
from privacy_assets.words import Column

COLUMNS = (
    Column("ward", "VARCHAR", domain=("heart", "lung")),
    Column("emergency", "BOOLEAN"),
    Column("age", "BIGINT"),
    Column("weight", "DOUBLE"),
    Column("born", "DATE"),
)
DOMAINS = (
    Domain("ward", ("heart", "lung")),
    Domain("emergency", ("false", "true")),
    Domain("age", low=0, high=90),
    Domain("weight", low=0, high=200, step=0.5),
    Domain("born", low=-36_525, high=20_000),
)
ROWS = st.lists(
    st.tuples(
        st.sampled_from([None, "heart", "lung"]),
        st.sampled_from([None, True, False]),
        st.none() | st.integers(0, 90),
        st.none() | st.integers(0, 400).map(lambda steps: steps / 2),
        st.none() | st.dates(date(1900, 1, 1), date(2020, 1, 1)),
    ),
    max_size=20,
)
SCHEMA = {"ward": pl.String, "emergency": pl.Boolean, "age": pl.Int64, "weight": pl.Float64, "born": pl.Date}


@given(ROWS)
def test_what_is_inside_its_domain_comes_back_as_it_was(rows: list[tuple[object, ...]]) -> None:
    """Values, types and NULLs are the same after both ways."""
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    assert decode(encode(frame, DOMAINS), COLUMNS).equals(frame)


def test_numbers_beyond_their_bounds_become_the_nearest_bound() -> None:
    """Nobody's extreme is a value of its own."""
    ages = pl.DataFrame({"age": [-5, 200, 41]})
    assert encode(ages, [DOMAINS[2]]).codes[:, 0].tolist() == [0, 90, 41]
    assert encode(pl.DataFrame({"age": [float("inf"), -float("inf")]}), [DOMAINS[2]]).codes[:, 0].tolist() == [90, 0]


def test_a_text_that_is_not_declared_is_refused_without_being_named() -> None:
    """The error counts, and quotes nothing of anybody."""
    frame = pl.DataFrame({"ward": ["heart", "secret ward", None, "another"]})
    with pytest.raises(NotKept, match="2 other cells") as caught:
        encode(frame, [DOMAINS[0]])
    assert "secret" not in str(caught.value)


def test_a_number_that_is_none_is_refused() -> None:
    """NaN is no value of any domain, and no unknown one either."""
    with pytest.raises(NotKept, match="1 other cells"):
        encode(pl.DataFrame({"weight": [1.0, float("nan")]}), [DOMAINS[3]])


def test_a_code_outside_its_domain_is_no_table() -> None:
    """Size is NULL; beyond it is nothing."""
    Coded((DOMAINS[0],), np.array([[2]], np.int32))
    for code in (-1, 3):
        with pytest.raises(ValueError, match="no place"):
            Coded((DOMAINS[0],), np.array([[code]], np.int32))
    with pytest.raises(TypeError, match="int32"):
        Coded((DOMAINS[0],), np.array([[1]], np.int64))
