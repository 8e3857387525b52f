"""The benchmarks run, and their tables say what was asked for."""

import json
import os
import re
import sys
from importlib import import_module
from pathlib import Path

import pytest

from bench import anonymity, corridor, ledger, lineage, measuring, risk_utility, sources, synthesis, training
from bench.__main__ import THEMES, _page
from bench.measuring import Run, alone, compared, memory, python_with

ROOT = Path(__file__).parents[1]


def test_a_ratio_over_its_goal_is_said_to_be_missed():
    """More than is allowed, slower than was promised and larger than its bound are not reached; the rest is."""
    assert not compared("", 1.3, 1.0, at_most=1.25).reached and compared("", 1.2, 1.0, at_most=1.25).reached
    assert not compared("", 0.2, 1.0, at_least=10).reached and compared("", 0.1, 1.0, at_least=10).reached
    assert not memory("", 900, 0.8).reached and memory("", 800, 0.8).reached


def test_a_measurement_has_a_process_and_a_peak_of_its_own():
    """What a new process takes is told by that process, and what fails there is told here."""
    found = alone("bench.tokens:looped", rows=1_000)
    assert found["wall"] > 0 and 10 < found["peak"] < 500
    with pytest.raises(RuntimeError, match="TypeError"):
        alone("bench.tokens:looped", no_such_argument=1)


def test_another_program_is_run_by_the_first_python_that_has_it(monkeypatch):
    """Of several that are named; where none has it, none is run."""
    monkeypatch.setenv("PRIVACY_ASSETS_PEERS", f"{sys.executable}{os.pathsep}/no/such/python")
    assert python_with("duckdb") == sys.executable
    monkeypatch.setenv("PRIVACY_ASSETS_PEERS", sys.executable)
    assert python_with("no_such_module_anywhere") is None
    monkeypatch.delenv("PRIVACY_ASSETS_PEERS")
    assert python_with("duckdb") is None


def test_every_theme_runs_at_a_tiny_size(tmp_path, monkeypatch):
    """Every table stands on the page, with the goals, and what was made for it is gone or in the folder."""

    measured = {}

    def here(function, **arguments):
        # what two tables ask alike is measured once
        module, _, name = function.partition(":")
        asked = function, json.dumps(arguments, sort_keys=True)
        if asked not in measured:
            measured[asked] = {**getattr(import_module(module), name)(**arguments), "peak": 1.0}
        return dict(measured[asked])

    for module in (measuring, corridor, ledger, lineage):
        monkeypatch.setattr(module, "alone", here)
    monkeypatch.setattr(ledger, "APPENDS", 20)
    monkeypatch.setattr(sources, "PEER_ROWS", 50)
    monkeypatch.setattr(sources, "DAYS", (1, 2))
    monkeypatch.setattr(synthesis, "EPSILONS", (1.0,))
    monkeypatch.setattr(training, "EPSILONS", (1.0,))
    monkeypatch.setattr(synthesis, "SETTINGS", synthesis.SETTINGS[:1])
    monkeypatch.setattr(risk_utility, "RELEASES", risk_utility.RELEASES[:2])
    monkeypatch.setattr(anonymity, "ADULT_ROWS", 3_000)
    monkeypatch.setattr(anonymity, "TABLES", ((3_000, 0, 5),))
    # a corridor of fewer people keeps none of its promises
    runs = {theme: Run(corridor.SMALLEST if theme == "corridor" else 3_000, 1, tmp_path) for theme in THEMES}
    tables = [table for theme, run in runs.items() for table in import_module(f"bench.{theme}").rows(run)]
    page = _page(tables, "on this machine")
    for said in (
        "| ratio | goal | reached |",
        "≤ 1.25",
        "≤ 2.5",
        "≥ 10",
        "≥ 3",
        "≤ 0.8 GiB",
        "< 0.5 s",
        "≤ 4 GiB",
        "p95",
        "≥ 0.8",
        "< 10 s",
        "≥ 500,000",
        "≥ 80",
        "≥ 0.955" if synthesis.ADULT.exists() else "≥ 80",
    ):
        assert said in page, f"{said} is not in\n{page}"
    assert set(THEMES) == {path.stem for path in (ROOT / "bench").glob("*.py") if "def rows(run" in path.read_text()}


def test_the_readmes_picture_shows_what_was_measured():
    """Every release of the page's table stands in the picture, those over the ceiling in another colour."""
    page, svg = (
        (ROOT / "docs/benchmarks.md").read_text("utf-8"),
        (ROOT / "docs" / risk_utility.PICTURE).read_text("utf-8"),
    )
    table = page.partition("## Risk against utility\n")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")][2:]
    assert [name for name, *_ in rows] == [name for name, *_ in risk_utility.RELEASES]
    over = [name for name, excess, ceiling, *_ in rows if float(excess) > float(ceiling)]
    assert over and risk_utility.OTHERS not in over
    again = risk_utility._drawn([(name, float(excess), float(curve)) for name, excess, _, _, curve in rows], 0.05)
    for text in (svg, again.decode()):
        assert all(f">{name} <" in text for name, *_ in rows)
        assert text.count("#d55e00; stroke: #d55e00") == len(over)
    places = re.findall(r'<use [^>]* y="([0-9.]+)" style="(?:fill: )?([a-z]*:? ?#[0-9a-f]{6})', svg)
    axis = max(float(y) for y, colour in places if colour == "stroke: #000000")
    points = [float(y) for y, colour in places if colour in ("#0072b2", "#d55e00")]
    assert len(points) == len(rows) and max(points) <= axis, "a point lies outside of the picture"
    assert f"docs/{risk_utility.PICTURE}" in (ROOT / "README.md").read_text("utf-8")
