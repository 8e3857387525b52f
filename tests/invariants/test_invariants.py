"""The conformance suite: every invariant gets these laws by existing, on the cases of its own test file.

A test file `test_<kind>.py` has `KEPT` and `BROKEN`: lists of cases. A case is a mapping: `asks` (the parameters),
a table by name for `output` and each reference, as a query, and the `numbers` that are to be measured.
"""

import importlib.util
from functools import cache
from pathlib import Path

import duckdb
import pytest
import sqlglot
from pydantic import TypeAdapter
from sqlglot import exp

from privacy_assets.invariants import INVARIANTS, Invariant
from privacy_assets.words import Finding, Frozen, Verdict

HERE = Path(__file__).parent
NOW = "2026-06-15 12:00:00"
THRESHOLDS = {
    "at_least",
    "at_most",
    "excess_at_most",
    "tries_at_least",
    "k",
    "t",
    "c",
    "falls_at_most",
    "rises_at_most",
}
SCHEMA_ONLY = {"only_columns", "has_columns"}


def _cases(kind):
    spec = importlib.util.spec_from_file_location(f"cases_of_{kind}", HERE / f"test_{kind}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.KEPT, module.BROKEN


CASES = {kind: _cases(kind) for kind in INVARIANTS}
EACH = [
    pytest.param(kind, case, verdict, id=f"{kind}-{verdict}-{place}")
    for kind, pair in CASES.items()
    for verdict, cases in zip((Verdict.KEPT, Verdict.BROKEN), pair, strict=True)
    for place, case in enumerate(cases)
]
each_case = pytest.mark.parametrize(("kind", "case", "verdict"), EACH)
each_kind = pytest.mark.parametrize("kind", list(INVARIANTS))


def _parameters(kind, case):
    return INVARIANTS[kind].Parameters(kind=kind, **case["asks"])


def _tables(case):
    return {name: sql for name, sql in case.items() if name not in ("asks", "numbers")}


_MEASURED = {}


def _measure(kind, case, order="", where=""):
    """What the engine answers; the same question of the same case is asked once."""
    asked = (id(case), order, where)
    if asked not in _MEASURED:
        _MEASURED[asked] = _ask_engine(kind, case, order, where)
    return _MEASURED[asked]


@cache
def _engine():
    con = duckdb.connect()
    con.execute("ATTACH ':memory:' AS candidate")
    return con


def _ask_engine(kind, case, order, where):
    con, tables = _engine(), {}
    for name, sql in _tables(case).items():
        con.execute(f"CREATE OR REPLACE TABLE candidate.main.{name} AS SELECT * FROM ({sql}) {where} {order}")
        tables[name] = exp.to_table(f"candidate.main.{name}", dialect="duckdb")
    text = INVARIANTS[kind].question(_parameters(kind, case), tables.pop("output"), tables).sql(dialect="duckdb")
    cursor = con.execute(text, {"now": NOW} if "$now" in text else None)
    names = [column[0] for column in cursor.description]
    rows = cursor.fetchall()
    assert len(rows) == 1
    return {name: value for name, value in zip(names, rows[0], strict=True) if value is not None}


def _judge(kind, case, numbers):
    return INVARIANTS[kind].judge(_parameters(kind, case), numbers)


@each_kind
def test_every_invariant_has_cases_that_keep_and_that_break_it(kind):
    """An invariant that was never seen to break proves nothing."""
    kept, broken = CASES[kind]
    assert kept and broken


@each_kind
def test_an_invariant_says_what_it_is_and_what_to_do(kind):
    """Docstring, frozen parameters and a next step are there."""
    module = INVARIANTS[kind]
    assert module.__doc__.startswith(f"{kind}: ")
    assert module.NEXT_STEP
    assert issubclass(module.Parameters, Frozen)
    assert module.judge.__doc__ and module.question.__doc__ and module.Parameters.__doc__


@each_case
def test_each_case_has_the_verdict_that_it_should(kind, case, verdict):
    """Measured on real tables, the keeping cases are kept and the breaking ones broken."""
    numbers = _measure(kind, case)
    finding = _judge(kind, case, numbers)
    assert finding.verdict is verdict, numbers
    assert {name: numbers[name] for name in case.get("numbers", {})} == case.get("numbers", {})


@each_case
def test_a_finding_names_its_promise(kind, case, verdict):
    """The finding carries kind, column, promise in words and the numbers that were measured."""
    numbers = _measure(kind, case)
    finding = _judge(kind, case, numbers)
    assert isinstance(finding, Finding)
    assert finding.invariant == kind
    assert finding.about == INVARIANTS[kind].about(_parameters(kind, case))
    assert finding.promise
    assert dict(finding.numbers) == numbers


@each_case
def test_the_order_of_rows_does_not_matter(kind, case, verdict):
    """The same rows in another order give the same numbers."""
    assert _measure(kind, case, order="ORDER BY ALL") == _measure(kind, case, order="ORDER BY ALL DESC")


@each_case
def test_a_table_without_rows_keeps_nothing(kind, case, verdict):
    """No evidence is not a pass; only a schema is there without rows."""
    if kind not in SCHEMA_ONLY:
        assert not _judge(kind, case, _measure(kind, case, where="WHERE FALSE")).kept


@each_case
def test_a_missing_number_is_inconclusive(kind, case, verdict):
    """No numbers, a number too few, or one that is not finite decide nothing."""
    numbers = _measure(kind, case)
    assert set(INVARIANTS[kind].NUMBERS) >= set(numbers)
    assert _judge(kind, case, {}).verdict is Verdict.INCONCLUSIVE
    for name in INVARIANTS[kind].NUMBERS:
        without = {other: value for other, value in numbers.items() if other != name}
        assert _judge(kind, case, without).verdict is Verdict.INCONCLUSIVE
        assert _judge(kind, case, numbers | {name: float("nan")}).verdict is Verdict.INCONCLUSIVE


@each_case
def test_a_question_is_one_row_of_named_numbers(kind, case, verdict):
    """The answer's columns are the numbers that the verdict needs, and all are numbers."""
    asked = _question(kind, case)
    assert isinstance(asked, exp.Select)
    assert tuple(asked.named_selects) == INVARIANTS[kind].NUMBERS
    for value in _measure(kind, case).values():
        assert float(value) == value


@each_case
def test_a_question_quotes_every_name_and_binds_only_now(kind, case, verdict):
    """No name can be taken for a keyword, and nothing but the moment is left open."""
    asked = _question(kind, case)
    outside = [name for name in asked.find_all(exp.Identifier) if not isinstance(name.parent, exp.Table)]
    assert all(name.quoted for name in outside)
    assert {placeholder.this for placeholder in asked.find_all(exp.Placeholder)} <= {"now"}


@each_case
def test_a_question_is_the_same_text_each_time_and_after_reading_it_back(kind, case, verdict):
    """Its text can be recorded and compared."""
    text = _question(kind, case).sql(dialect="duckdb")
    assert text == _question(kind, case).sql(dialect="duckdb")
    assert sqlglot.parse_one(text, dialect="duckdb").sql(dialect="duckdb") == text


@each_case
def test_a_threshold_never_stands_in_the_question(kind, case, verdict):
    """Lowering or raising a threshold asks the same question."""
    for threshold in THRESHOLDS & set(case["asks"]):
        another = 77 if isinstance(case["asks"][threshold], int) else 0.5
        other = case | {"asks": case["asks"] | {threshold: another}}
        assert _question(kind, case) == _question(kind, other)


@each_case
def test_what_it_speaks_of_is_a_legal_name(kind, case, verdict):
    """Letters, digits and underscores, as a check's name may have."""
    name = INVARIANTS[kind].about(_parameters(kind, case))
    assert all(letter.isascii() and (letter.isalnum() or letter == "_") for letter in name)


@each_kind
def test_a_reference_that_is_not_there_is_a_key_error(kind):
    """Whoever asks without the table that the question compares with is told which one."""
    case = CASES[kind][0][0]
    for name in set(_tables(case)) - {"output"}:
        references = {other: exp.to_table(other) for other in _tables(case) if other not in (name, "output")}
        with pytest.raises(KeyError, match=name):
            INVARIANTS[kind].question(_parameters(kind, case), exp.to_table("output"), references)


@each_kind
def test_parameters_are_read_back_by_their_kind(kind):
    """The union of all parameters tells them apart."""
    parameters = _parameters(kind, CASES[kind][0][0])
    assert TypeAdapter(Invariant).validate_python(parameters.model_dump()) == parameters


def _question(kind, case):
    tables = {name: exp.to_table(name) for name in _tables(case)}
    return INVARIANTS[kind].question(_parameters(kind, case), tables.pop("output"), tables)
