"""Runs the themes, prints their tables, and writes docs/benchmarks.md if it is asked to."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table as Printed

from bench.measuring import ROOT, Run, Table

THEMES = (
    "corridor", "tokens", "anonymity", "synthesis", "risk_utility", "training", "attacks", "aggregates", "ledger",
    "sources", "lineage", "erasure",
)  # fmt: skip
LIBRARIES = ("duckdb", "polars", "polars-hash", "opendp", "pyarrow", "scikit-learn", "dagster", "cryptography")
PAGE = ROOT / "docs" / "benchmarks.md"


def main() -> None:
    """Parse the command, run what it names."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("themes", nargs="*", choices=[*THEMES, []], help="default: all")
    parser.add_argument("--rows", type=int, default=10_000_000, help="of the largest table (default: 10 million)")
    parser.add_argument("--times", type=int, default=5, help="how often each is measured (default: 5)")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md anew")
    asked = parser.parse_args()
    out = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="bench_"))
    try:
        tables = []
        for theme in asked.themes or THEMES:
            for table in import_module(f"bench.{theme}").rows(Run(asked.rows, asked.times, folder)):
                tables.append(table)
                _print(out, table)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    minutes = (time.monotonic() - began) / 60
    conditions = _conditions(asked.rows, asked.times, minutes)
    out.print(conditions)
    if asked.write:
        PAGE.write_text(_page(tables, conditions), encoding="utf-8")
        for name, drawn in (one for table in tables for one in table.pictures.items()):
            (PAGE.parent / name).write_bytes(drawn)


def _print(out: Console, table: Table) -> None:
    printed = Printed(*table.head, title=table.title, title_justify="left", box=None)
    for cells in table.texts():
        printed.add_row(*cells)
    out.print(printed)
    for note in table.notes:
        out.print(note, style="dim")
    out.print()


def _conditions(rows: int, times: int, minutes: float) -> str:
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "unknown"
    )
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"Measured {datetime.now(UTC):%Y-%m-%d} with {rows:,} rows, medians of {times}, in {minutes:.0f} minutes, on "
        f"{os.cpu_count()} cores ({model}), {gib:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}; {versions}."
    )


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _page(tables: list[Table], conditions: str) -> str:
    parts = [
        "# What it costs\n",
        "Written by `make bench`. Each figure stands beside a floor: the shortest hand-written program that does the "
        "same to the data on the same libraries, without gate, findings, ledger or Dagster (`bench/floors.py`). Both "
        "sides were measured in turn, each in a process of its own; ratios carry over to other machines, seconds do "
        "not.\n",
        f"{conditions}\n",
    ]
    for table in tables:
        parts.append(f"## {table.title}\n")
        lines = [table.head, tuple("---" for _ in table.head), *table.texts()]
        parts.append("\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n")
        parts += [f"{note}\n" for note in table.notes]
    kept = PAGE.read_text(encoding="utf-8").partition(_BY_HAND)[2] if PAGE.exists() else ""
    return "\n".join(parts) + f"\n{_BY_HAND}{kept or chr(10)}"


_BY_HAND = "<!-- what stands below is written by hand, and kept -->"

if __name__ == "__main__":
    main()
