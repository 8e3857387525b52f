"""An error of a library quotes what it met; raised anywhere in the corridor, none of it reaches a record.

The errors are raised by the libraries themselves, with a value that stands nowhere else, inside the real steps, and
carried out through Dagster as it comes: it keeps what is printed, and its history is searched. The control raises the
same errors in assets that are not ours.
"""

from __future__ import annotations

import datetime
import decimal
import json
import logging
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pydantic
import pytest
import sqlglot
from dagster._core.definitions.observe import observe

from privacy_assets import cli
from privacy_assets.build import _source, steps
from privacy_assets.contracts import promises
from privacy_assets.gate import Gate
from privacy_assets.stages import step as one_step
from privacy_assets.stages.asset import asset_of
from privacy_assets.stages.step import carry_out
from privacy_assets.techniques.pseudonymize import surrogate
from privacy_assets.warehouse.sources import files
from privacy_assets.words import AssetName, Stage
from tests.conftest import environment_in, write_tiny_project
from tests.under_fire.canaries import Person, people
from tests.under_fire.scanner import Scanner, summary

# ---- what is raised


def _sql(query: str, *before: str) -> Callable[[str], None]:
    def fails(value: str) -> None:
        with duckdb.connect() as con:
            for statement in before:
                con.execute(statement)
            con.execute(query.replace("VALUE", value), {"v": value} if "$v" in query else None)

    return fails


class _Row(pydantic.BaseModel):
    age: int


def _encoder(value: str) -> None:
    from sklearn.preprocessing import OneHotEncoder

    OneHotEncoder().fit(np.array([["x"]], dtype=object)).transform(np.array([[value]], dtype=object))


def _noted(value: str) -> None:
    error = RuntimeError("a row failed")
    error.add_note(value)
    raise error


def _chained(value: str) -> None:
    try:
        int(value)
    except ValueError as error:
        raise RuntimeError("a row failed") from error


def _while_handling(value: str) -> None:
    try:
        int(value)
    except ValueError:
        _ = {}["column"]


def _grouped(value: str) -> None:
    raise ExceptionGroup("rows failed", [ValueError(value), KeyError(value)])


def _panic(value: str) -> None:
    # what a bug in polars raises, which is no Exception
    raise pl.exceptions.PanicException(f"called `Option::unwrap()` on {value}")


def _asserted(value: str) -> None:
    raise AssertionError(f"{value!r} is no number")


KINDS: dict[str, Callable[[str], Any]] = {
    "duckdb cast": _sql("SELECT CAST(c AS INTEGER) FROM (SELECT 'VALUE' AS c)"),
    "duckdb bound value": _sql("SELECT CAST($v AS DATE)"),
    "duckdb duplicate key": _sql("INSERT INTO t VALUES ($v), ($v)", "CREATE TABLE t (c VARCHAR PRIMARY KEY)"),
    "duckdb strptime": _sql("SELECT strptime($v, '%Y')"),
    "duckdb enum": _sql("SELECT CAST($v AS e)", "CREATE TYPE e AS ENUM ('a')"),
    "duckdb syntax": _sql("SELECT 'VALUE' FROMM t"),
    "polars cast": lambda value: pl.Series([value]).cast(pl.Int64),
    "polars date": lambda value: pl.Series([value]).str.to_date("%Y"),
    "polars function": lambda value: pl.Series([value]).map_elements(int, return_dtype=pl.Int64),
    "polars panic": _panic,
    "pydantic": lambda value: _Row(age=value),  # type: ignore[arg-type]
    "int": int,
    "KeyError": lambda value: {}[value],
    "UnicodeDecodeError": lambda value: (value.encode() + b"\xff").decode(),
    "UnicodeEncodeError": lambda value: (value + "\N{SNOWMAN}").encode("ascii"),
    "JSON": json.loads,
    "scikit-learn": _encoder,
    "arrow": lambda value: pa.array([value]).cast(pa.int64()),
    "OSError": lambda value: Path("/nowhere", value).read_text(),
    "date": datetime.date.fromisoformat,
    "numpy": lambda value: np.array([value]).astype(float),
    "decimal": decimal.Decimal,
    "sqlglot": lambda value: sqlglot.parse_one(f"SELECT '{value}' FROM (", dialect="duckdb"),
    "assertion": _asserted,
    "cause": _chained,
    "context": _while_handling,
    "note": _noted,
    "group": _grouped,
    "SystemExit": sys.exit,
}

SHARES = 11
"""Of all kinds at all places, each with every kind and every place; together they are all of them."""

_WITHHELD = re.compile("its text is withheld|a file cannot be read or written")
"""What is told in its place."""

# ---- where


class Failing:
    """The tiny project with stand-ins for addresses, all of it published, and ways to make each step of it fail."""

    def __init__(self, folder: Path) -> None:
        write_tiny_project(folder / "project")
        purpose = folder / "project" / "data/purposes/smoking.yaml"
        email = "      email: {why: letters, technique: {kind: surrogate, generator: email}}\n      sex:\n"
        purpose.write_text(purpose.read_text("utf-8").replace("      sex:\n", email, 1), "utf-8")
        self.gate = Gate.open(folder / "project", environment_in(folder))
        self.steps = steps(self.gate.project)
        for step in self.steps.values():
            carry_out(step, self.gate).raise_faults()

    @property
    def places(self) -> dict[str, Callable[[pytest.MonkeyPatch, Callable[[], None]], dg.AssetsDefinition]]:
        """Each place, with what makes an asset that fails there."""
        places = {f"writing {asset}": self._writing(asset) for asset in self.steps}
        pseudonymized = AssetName(Stage.PSEUDONYMIZED, "smoking", "patients")
        places["issuing stand-ins"] = self._patched(pseudonymized, surrogate, "issue")
        places["measuring"] = self._patched(AssetName(Stage.FEATURES, "smoking"), one_step, "measure")
        places["digesting a source"] = self._patched(
            AssetName(Stage.RAW, dataset="patients"), files.Delivered, "digest"
        )
        places["observing a source"] = self._observing
        return places

    def _writing(self, asset: AssetName) -> Callable[..., dg.AssetsDefinition]:
        def made(patch: pytest.MonkeyPatch, fails: Callable[[], None]) -> dg.AssetsDefinition:
            def write(work: object) -> None:
                self.steps[asset].write(work)  # type: ignore[arg-type]
                fails()

            write.__module__ = self.steps[asset].write.__module__
            return asset_of(self.gate.project, replace(self.steps[asset], write=write), lambda: self.gate)

        return made

    def _patched(self, asset: AssetName, module: Any, name: str) -> Callable[..., dg.AssetsDefinition]:
        def made(patch: pytest.MonkeyPatch, fails: Callable[[], None]) -> dg.AssetsDefinition:
            patch.setattr(module, name, lambda *_: fails())
            return asset_of(self.gate.project, self.steps[asset], lambda: self.gate)

        return made

    def _observing(self, patch: pytest.MonkeyPatch, fails: Callable[[], None]) -> dg.AssetsDefinition:
        patch.setattr(files.Delivered, "digest", lambda *_: fails())
        return _source(self.gate.project, self.gate.project.contracts["patients"], lambda: self.gate)


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Failing]:
    """The project; ten different addresses are many enough for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(promises, "SMALLEST_DOMAIN", 10)
        yield Failing(tmp_path_factory.mktemp("failing"))


@pytest.fixture(autouse=True)
def _streams_only() -> Iterator[None]:
    """Dagster prints as it does for a person, and pytest does not collect it a second time."""
    logger = logging.getLogger("dagster")
    before, logger.propagate = logger.propagate, False
    yield
    logger.propagate = before


def run(asset: dg.AssetsDefinition, instance: dg.DagsterInstance, carry: Callable[..., object] = dg.materialize) -> str:
    """One run, which fails; the exception as it would be printed with the variables of its frames, and its chain."""
    try:
        carry([asset], instance=instance, raise_on_error=True)
    except BaseException as error:
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        return "".join(told.format()) + "".join(map(repr, _chain(error)))
    raise AssertionError("it did not fail")


def _chain(error: BaseException) -> Iterator[Any]:
    """All that hangs on an exception, whether it is meant to be printed or not."""
    waiting, seen = [error], set()
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield from (one, one.args, vars(one), getattr(one, "__notes__", ()), getattr(one, "object", ""))
        waiting += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]


@pytest.mark.parametrize("share", [0, *(pytest.param(share, marks=pytest.mark.long) for share in range(1, SHARES))])
def test_no_error_takes_a_value_into_a_record(
    failing: Failing, tmp_path: Path, capfd: pytest.CaptureFixture[str], figures: Callable[..., None], share: int
) -> None:
    """T-LEAK-2: history, logs, streams, the exception that reaches Dagster's caller, the home: whatever fails where."""
    cases = [
        (place, kind)
        for row, place in enumerate(failing.places)
        for column, kind in enumerate(KINDS)
        if (row + column) % SHARES == share
    ]
    assert {place for place, _ in cases} == set(failing.places)
    assert {kind for _, kind in cases} == set(KINDS)
    planted = {person.number: person for person in people(len(cases), seed=2)}
    scanner = Scanner(canary for person in planted.values() for canary in person.canaries if canary.field == "name")
    found: list[Any] = []
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        for number, (place, kind) in enumerate(cases):
            with pytest.MonkeyPatch.context() as patch:
                fails = _once(KINDS[kind], planted[number])
                asset = failing.places[place](patch, fails)
                carried = run(asset, instance, observe if place == "observing a source" else dg.materialize)
            assert fails.called, (place, kind)
            assert _WITHHELD.search(carried), (place, kind)
            found += scanner.search(carried.encode("utf-8", "replace"), "the exception")
    said = capfd.readouterr()
    found += scanner.scan((said.out + said.err).encode(), "streams")
    found += scanner.scan_files(tmp_path)
    found += scanner.scan_files(failing.gate.home.path)
    figures(
        f"T-LEAK-2, share {share + 1} of {SHARES}",
        kinds=len(KINDS),
        places=len(failing.places),
        tried=len(cases),
        found=len(found),
    )
    assert summary(found) == {}, [cases[hit.owner] for hit in found]


class _once:
    """Raises as asked, and remembers that it did."""

    def __init__(self, raises: Callable[[str], Any], person: Person) -> None:
        self.called = False
        self._raise = lambda: raises(person.values["name"])

    def __call__(self) -> None:
        self.called = True
        self._raise()


def _asset_of_others(kind: str, value: str) -> dg.AssetsDefinition:
    @dg.asset
    def other() -> None:
        KINDS[kind](value)

    return other


def test_the_same_errors_in_other_peoples_assets_are_recorded(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], figures: Callable[..., None]
) -> None:
    """T-LEAK-2, control: without our edge Dagster keeps and prints what the errors quote, and the search finds it."""
    planted = dict(zip(KINDS, people(len(KINDS), seed=3), strict=True))
    scanner = Scanner(canary for person in planted.values() for canary in person.canaries if canary.field == "name")
    kept: set[int] = set()
    carried: set[int] = set()
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        for kind, person in planted.items():
            other = _asset_of_others(kind, person.values["name"])
            carried |= {hit.owner for hit in scanner.search(run(other, instance).encode("utf-8", "replace"), "")}
    said = capfd.readouterr()
    kept |= {hit.owner for hit in scanner.scan((said.out + said.err).encode(), "")}
    kept |= {hit.owner for hit in scanner.scan_files(tmp_path)}
    figures("T-LEAK-2 controls", kinds=len(KINDS), kept_in_the_history=len(kept), carried=len(carried))
    assert len(kept) >= 19
    assert carried == set(range(len(KINDS)))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "SystemExit"])
def test_a_command_withholds_what_it_did_not_foresee(
    kind: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The command line tells the kind and the place of any error, never its text."""
    (person,) = people(1, seed=4)
    monkeypatch.setattr(cli, "app", lambda: KINDS[kind](person.values["name"]))
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    said = capfd.readouterr()
    assert _WITHHELD.search(said.err)
    assert not list(Scanner(person.canaries).scan((said.out + said.err).encode(), "streams"))
