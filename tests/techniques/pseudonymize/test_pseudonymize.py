"""The conformance suite of pseudonymize: every technique gets it by existing.

Parameters are drawn from the JSON Schema that a purpose is validated against, columns from all types and roles that the
technique accepts. So a new file is tested before anybody wrote a test for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, assume, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from pydantic import TypeAdapter, ValidationError
from sqlglot import exp

from privacy_assets.techniques import noise
from privacy_assets.techniques.pseudonymize import PSEUDONYMIZE, Technique
from privacy_assets.words import Column, Frozen, IdentifierDomain, Role

KEY, OTHER_KEY = "5e" * 32, "e5" * 32
PLAIN = IdentifierDomain(name="plain")
NOBODY = pl.DataFrame(schema={"mac": pl.String, "surrogate": pl.String})
REDACTING = [kind for kind, module in PSEUDONYMIZE.items() if hasattr(module, "REDACTS")]
DRAWING = [kind for kind, module in PSEUDONYMIZE.items() if hasattr(module, "DRAWS")]
KEYED = [kind for kind, module in PSEUDONYMIZE.items() if hasattr(module, "MAPS")]

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "VARCHAR": TEXTS,
    "TINYINT": st.integers(-(2**7), 2**7 - 1),
    "INTEGER": st.integers(-(2**31), 2**31 - 1),
    "UBIGINT": st.integers(0, 2**64 - 1),
    "HUGEINT": st.integers(-(2**100), 2**100),
    "DECIMAL(9,2)": st.decimals(-9_999_999, 9_999_999, places=2),
    "FLOAT": st.floats(width=32),
    "DOUBLE": st.floats(),
    "BOOLEAN": st.booleans(),
    "DATE": st.dates(date(1850, 1, 1), date(2150, 1, 1)),
    "TIMESTAMP": st.datetimes(datetime(1850, 1, 1), datetime(2150, 1, 1)),  # noqa: DTZ001 - the engine's is naive too
    "UUID": st.uuids().map(str),
}
STRANGE: dict[str, list[Any]] = {
    "VARCHAR": ["", "x" * 1000, "ada@hospital.org", "Ada Lovelace 1815"],
    "TINYINT": [-128, 127, 1],
    "INTEGER": [-(2**31), 2**31 - 1, 1],
    "UBIGINT": [0, 2**64 - 1, 1],
    "HUGEINT": [-(2**100), 2**100, 1],
    "DECIMAL(9,2)": [Decimal("-9999999.99"), Decimal("9999999.99"), Decimal("0.01")],
    "FLOAT": [-1e30, 1e30, 0.1],
    "DOUBLE": [-1e300, 1e300, 0.1],
    "BOOLEAN": [False, True],
    "DATE": [date(1987, 5, 17)],
    "TIMESTAMP": [datetime(1987, 5, 17, 3)],  # noqa: DTZ001
    "UUID": ["0" * 32, "6f9619ff-8b86-4011-b42d-00c04fc964ff"],
}


@cache
def columns() -> list[Column]:
    """One column for each type, role, and way to be an identifier, a category or free text."""
    phone = IdentifierDomain(name="telephone", normalization="phone", region="DE")
    domains: list[IdentifierDomain | None] = [None, PLAIN, phone]
    kinds = [(kind, None) for kind in VALUES] + [("VARCHAR", ("alpha", "beta", "béta", ""))]
    usual = [
        Column("the column", kind, role, "user.example", domain=categories, identifier_domain=domain)
        for kind, categories in kinds
        for role in Role
        for domain in domains
    ]
    return [*usual, *(Column("the column", "VARCHAR", role, "user.content", free_text=True) for role in Role)]


def drawn_from(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values for a JSON Schema as pydantic writes them for the parameters of a technique."""
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "anyOf" in schema:
        return st.one_of([drawn_from(branch) for branch in schema["anyOf"]])
    match schema.get("type"):
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(*_bounds(schema, 1))
        case "number":
            low, high = _bounds(schema, 0)
            return st.floats(low, high).map(lambda number: round(number, 3))
        case "string":
            if "pattern" in schema:
                return st.from_regex(schema["pattern"], fullmatch=True)
            return st.text(min_size=schema.get("minLength", 0), max_size=schema.get("maxLength", 20))
        case "array":
            least = schema.get("minItems", 0)
            items = st.lists(
                drawn_from(schema["items"]), min_size=least, max_size=schema.get("maxItems", least + 3), unique=True
            )
            # lists of numbers are bounds, and bounds rise
            return items.map(lambda found: sorted(found, key=lambda item: (str(type(item) is str), item)))
        case "object":
            required, properties = schema.get("required", []), schema["properties"]
            return st.fixed_dictionaries(
                {name: drawn_from(part) for name, part in properties.items() if name in required or name == "kind"},
                optional={
                    name: drawn_from(part)
                    for name, part in properties.items()
                    if name not in required and name != "kind"
                },
            )
    raise AssertionError(f"the conformance suite cannot draw values for {schema}: teach it")


def _bounds(schema: dict[str, Any], step: int) -> tuple[Any, Any]:
    low = schema.get("minimum", schema.get("exclusiveMinimum", -1000 - step) + step)
    return low, schema.get("maximum", schema.get("exclusiveMaximum", low + 2000 + step) - step)


every = pytest.mark.parametrize("kind", list(PSEUDONYMIZE))
often = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)


@st.composite
def uses(draw: st.DrawFn, kind: str) -> tuple[Any, Column]:
    """Parameters of a technique, and a column that they fit."""
    module = PSEUDONYMIZE[kind]
    try:
        parameters = module.Parameters.model_validate(draw(drawn_from(module.Parameters.model_json_schema())))
    except ValidationError:
        parameters = None
    assume(parameters is not None)
    fitting = [column for column in columns() if module.fault(parameters, column) is None]
    assume(fitting)
    return parameters, draw(st.sampled_from(fitting))


def some_use(kind: str, wanted: Callable[[tuple[Any, Column]], bool] = lambda _: True) -> tuple[Any, Column]:
    """The first use of a technique that is as wanted; raises NoSuchExample if there is none among two hundred."""
    return find(uses(kind), wanted, settings=settings(often, max_examples=200, database=None, phases=[Phase.generate]))


def values_of(column: Column) -> st.SearchStrategy[Any]:
    """What may stand in the column, NULL among it."""
    there = st.sampled_from(column.domain) if column.domain is not None else VALUES[column.type]
    return st.none() | there


def plain(value: Any) -> Any:
    """A value that equals itself."""
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    return str(value) if isinstance(value, UUID) else value


@every
@often
@given(st.data())
def test_what_leaves_is_what_was_told(kind: str, bench: Any, data: st.DataObject) -> None:
    """Name, type, domain are as `output` says; nothing that leaves is violated; the order of rows changes nothing.

    Of a technique that draws the last does not hold: its distribution is looked at below.
    """
    parameters, column = data.draw(uses(kind))
    values = data.draw(st.lists(values_of(column), min_size=1, max_size=8))
    subjects = data.draw(st.lists(st.sampled_from("abcd"), min_size=len(values), max_size=len(values)))
    left = bench.leave(parameters, column, values, subjects)
    told = PSEUDONYMIZE[kind].output(parameters, column)
    assert told.name == column.name
    assert told.technique == kind
    assert exp.DataType.build(left.type, dialect="duckdb") == exp.DataType.build(told.type, dialect="duckdb")
    assert not any(left.violated)
    if told.domain is not None:
        assert {value for value in left.values if value is not None} <= set(told.domain)
    if kind in DRAWING:
        return
    backwards = bench.leave(parameters, column, values[::-1], subjects[::-1])
    assert [plain(value) for value in backwards.values[::-1]] == [plain(value) for value in left.values]


@every
@often
@given(st.data())
def test_no_direct_identifier_is_left(kind: str, data: st.DataObject) -> None:
    """A direct identifier does not fit, or is none afterwards."""
    parameters, column = data.draw(uses(kind))
    assert PSEUDONYMIZE[kind].output(parameters, column).role is not Role.DIRECT_IDENTIFIER


@every
@often
@given(st.data())
def test_a_fault_is_said_in_words(kind: str, data: st.DataObject) -> None:
    """`fault` answers for every type and role, with words or None, the same each time."""
    parameters, _ = data.draw(uses(kind))
    for column in columns():
        found = PSEUDONYMIZE[kind].fault(parameters, column)
        assert found is None or len(found.split()) > 3
        assert found == PSEUDONYMIZE[kind].fault(parameters, column)


@every
def test_a_value_that_was_let_through_is_noticed(kind: str, bench: Any) -> None:
    """`violated` is the constant false, said openly, or true for some value that the column could hold unmasked."""

    def noticed(use: tuple[Any, Column]) -> bool:
        parameters, column = use
        if PSEUDONYMIZE[kind].violated(parameters, column) == exp.false():
            return True
        told = PSEUDONYMIZE[kind].output(parameters, column)
        return any(bench.accused(parameters, told, STRANGE[told.type]))

    try:
        some_use(kind, noticed)
    except NoSuchExample:
        pytest.fail("no value is ever noticed")


@every
def test_parameters_are_closed(kind: str) -> None:
    """A parameter that does not exist is refused, and so is an unknown kind; parameters do not change."""
    adapter = TypeAdapter(Technique)
    parameters = some_use(kind)[0]
    assert adapter.validate_python(parameters.model_dump()) == parameters
    with pytest.raises(ValidationError):
        adapter.validate_python({**parameters.model_dump(), "no_such_parameter": 1})
    with pytest.raises(ValidationError):
        adapter.validate_python({"kind": f"not_{kind}"})
    with pytest.raises(ValidationError):
        parameters.kind = kind
    assert isinstance(parameters, Frozen)


@pytest.mark.parametrize("kind", REDACTING)
@often
@given(st.data())
def test_a_redaction_takes_free_text(kind: str, data: st.DataObject) -> None:
    """It fits free text with some parameters, is asked before anything else of it, and needs no key."""
    module = PSEUDONYMIZE[kind]
    parameters, column = data.draw(uses(kind).filter(lambda use: use[1].free_text))
    assert module.output(parameters, column).role is not Role.DIRECT_IDENTIFIER
    assert module.violated(parameters, column) != exp.false()
    assert not hasattr(module, "MAPS")
    assert hasattr(module, "PLACEHOLDERS") == hasattr(module, "SUBJECT")


@pytest.mark.parametrize("kind", DRAWING)
@often
@given(st.data())
def test_a_technique_that_draws_says_what_it_spends(kind: str, data: st.DataObject) -> None:
    """A finite ε above 0, the same each time; it draws in a function, and the wrapper of OpenDP is in its source."""
    module = PSEUDONYMIZE[kind]
    parameters, _ = data.draw(uses(kind))
    assert module.DRAWS is True
    assert 0 < module.local_epsilon(parameters) == module.local_epsilon(parameters) < math.inf
    assert noise in module.BUILT_OF
    assert callable(module.function)
    assert not hasattr(module, "REDACTS")
    assert not hasattr(module, "MAPS")


@pytest.mark.parametrize("kind", DRAWING)
def test_each_row_is_drawn_for_itself(kind: str, bench: Any) -> None:
    """Of 300 rows of one value, in twenty columns, some leave otherwise; and two runs are never alike."""
    for _ in range(20):
        parameters, column = some_use(kind, lambda use: PSEUDONYMIZE[kind].local_epsilon(use[0]) <= 2)
        value = next(value for value in STRANGE[column.type] if column.domain is None or value in column.domain)
        one, other = (bench.often(parameters, column, value, 300) for _ in range(2))
        assert len(set(map(plain, one))) > 1
        assert one != other


@pytest.mark.parametrize("kind", DRAWING)
def test_no_value_tells_more_than_was_said(kind: str, bench: Any, loss_shown: Any) -> None:
    """Of any two inputs, NULL among them, no output is more than e^ε times as probable from one as from the other."""
    parameters, column = some_use(kind, lambda use: 0.5 <= PSEUDONYMIZE[kind].local_epsilon(use[0]) <= 2)
    inputs = [None, *(column.domain or STRANGE[column.type])][:3]
    left = [list(map(plain, bench.often(parameters, column, value, 4000))) for value in inputs]
    spent = PSEUDONYMIZE[kind].local_epsilon(parameters)
    assert all(loss_shown(one, other) <= spent for one in left for other in left)


@pytest.mark.parametrize("kind", KEYED)
def test_a_keyed_technique_says_how(kind: str) -> None:
    """It names its map, the type in it, and its vault if it has one."""
    module = PSEUDONYMIZE[kind]
    parameters = some_use(kind)[0]
    assert module.MAPS in ("value", "subject")
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE t (mapped {module.mapped_type(parameters)})")
    assert callable(module.issue) if getattr(module, "VAULT", False) else not hasattr(module, "issue")


@pytest.mark.parametrize("kind", KEYED)
@often
@given(st.data())
def test_a_map_is_a_function_of_key_and_value(kind: str, data: st.DataObject) -> None:
    """One mapped value for each value, in order, castable; the same whatever stands beside it (without a vault)."""
    module = PSEUDONYMIZE[kind]
    parameters, column = data.draw(uses(kind))
    texts = data.draw(st.lists(TEXTS, min_size=1, max_size=6, unique=True))
    domain = column.identifier_domain or PLAIN

    def mapped(values: list[str], key: str) -> list[Any]:
        series = pl.Series("value", values, pl.String)
        if not getattr(module, "VAULT", False):
            return module.map_values(parameters, series, key, domain).to_list()
        issued = module.issue(parameters, series, key, domain, NOBODY)
        return module.map_values(parameters, series, key, domain, known=issued).to_list()

    found = mapped(texts, KEY)
    assert len(found) == len(texts)
    assert None not in found
    assert mapped(texts[::-1], KEY) == found[::-1]
    if not getattr(module, "VAULT", False):
        assert [mapped([text], KEY)[0] for text in texts] == found


@pytest.mark.parametrize("kind", KEYED)
def test_another_key_makes_another_map(kind: str) -> None:
    """Under another key a hundred values are mapped otherwise, but for what a small range (-1, 1) has in common."""
    module = PSEUDONYMIZE[kind]
    parameters = some_use(kind)[0]
    values = pl.Series("value", [f"person-{number}" for number in range(100)])
    maps = []
    for key in (KEY, OTHER_KEY):
        known = {}
        if getattr(module, "VAULT", False):
            known = {"known": module.issue(parameters, values, key, PLAIN, NOBODY)}
        maps.append(module.map_values(parameters, values, key, PLAIN, **known))
    same = sum(one == other for one, other in zip(*maps, strict=True))
    assert same < 60
