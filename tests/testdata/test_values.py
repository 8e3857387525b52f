"""Values by contract alone: of the type, inside what is declared, marked where they are text, and in time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from privacy_assets.contracts.contract import ColumnPrivacy, ContractColumn
from privacy_assets.testdata import values
from privacy_assets.words import Role

DAY = date(2026, 11, 2)
SIZE = 2_000


def column(name: str, type_: str = "VARCHAR", category: str = "user", **promised: Any) -> ContractColumn:
    free = promised.pop("free_text", False)
    return ContractColumn(
        name, type_, ColumnPrivacy(role=Role.ATTRIBUTE, category=category, free_text=free), **promised
    )


def made(asked: ContractColumn, span: Any = None) -> Any:
    return values.values(asked, SIZE, np.random.default_rng(3), span)


@pytest.mark.parametrize("kind", ["SMALLINT", "INTEGER", "BIGINT", "DOUBLE", "FLOAT", "DECIMAL(6,2)"])
def test_numbers_fill_what_is_declared_and_no_more(kind: str) -> None:
    """Both ends are reached, or nearly; without bounds they are from 0 to 100, ages those of adults."""
    found = made(column("n", kind), (-3.0, 17.0))
    assert -3 <= found.min() < -2 and 16 < found.max() <= 17
    plain, age = made(column("n", kind)), made(column("age", kind, "user.demographic.age_range"))
    assert plain.min() >= 0 and plain.max() <= 100
    assert age.min() >= 18 and age.max() <= 95


def test_a_span_wider_than_the_type_is_cut() -> None:
    """What the type cannot hold is not made."""
    assert made(column("n", "SMALLINT"), (0.0, 1e9)).max() <= 2**15 - 1
    assert made(column("n", "DECIMAL(3,1)"), (0.0, 1e9)).max() <= 100


def test_declared_categories_all_occur_and_no_other() -> None:
    """Text and whole numbers."""
    assert set(made(column("sex", domain=("F", "M", "X")))) == {"F", "M", "X"}
    assert set(made(column("severity", "SMALLINT", domain=("1", "2")))) == {1, 2}
    assert set(made(column("smoker", "BOOLEAN"))) == {True, False}


@pytest.mark.parametrize(
    "category",
    ["user.name", "user.name.first", "user.name.last", "user.contact.address.street", "user.contact.address.city",
     "user.contact.address.postal_code", "user.contact.url", "user.workplace", "user.content", "user.behavior", "user"],
)  # fmt: skip
def test_text_that_no_list_declares_is_marked(category: str) -> None:
    """Whatever its category, and in every row."""
    assert all("test" in text.lower() for text in made(column("text", category=category)))


def test_addresses_of_devices_are_those_of_documents() -> None:
    """RFC 5737 keeps 192.0.2.0/24 for examples."""
    assert all(text.startswith("192.0.2.") for text in made(column("ip", category="user.device.ip_address")))


def test_free_text_is_sentences_that_say_what_they_are() -> None:
    """It begins with the mark."""
    assert all(text.startswith("Test: ") for text in made(column("note", free_text=True)))


@pytest.mark.parametrize(("kept", "back"), [(3650, 730), (30, 15), (1, 1)])
def test_days_lie_in_the_younger_half_of_retention_and_in_order(kept: int, back: int) -> None:
    """Before the day, none older than half of what is kept; within a row they come as the columns do."""
    columns = [
        column("came", "DATE"),
        column("left", "DATE"),
        column("told", "TIMESTAMP"),
        column("birth_date", "DATE"),
    ]
    found = values.days(columns, SIZE, np.random.default_rng(1), DAY, kept)
    assert found["came"].min() >= DAY - timedelta(days=back) and found["left"].max() < DAY
    assert (found["came"] <= found["left"]).all() and (found["left"] <= found["told"].cast(found["left"].dtype)).all()
    assert found["birth_date"].max() <= DAY - timedelta(days=18 * 365)


def test_days_of_which_none_comes_twice() -> None:
    """Each a day or a minute before the one before it."""
    for kind in ("DATE", "TIMESTAMP"):
        assert values.in_a_row(column("at", kind), SIZE, DAY).n_unique() == SIZE


def test_another_type_is_another_series() -> None:
    """Every type of a contract has one."""
    for kind in (*values.DTYPES, "DECIMAL(5,1)"):
        asked = replace(column("one"), type=kind)
        assert values.dtype(kind) is not None
        if kind not in ("DATE", "TIMESTAMP"):
            assert made(asked).dtype == values.dtype(kind)
