"""The ledger: what an append costs as it grows, and what verifying all of it costs."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

from bench.measuring import Clock, Row, Run, Table, alone, scratch

APPENDS = 500

APPENDING, VERIFYING = 2, 5
"""Goals: milliseconds of the slow appends, seconds of verifying 100,000 entries."""


def rows(run: Run) -> list[Table]:
    """The one table of this theme."""
    entries = max(APPENDS, run.rows // 100)
    with scratch(run, "ledger") as folder:
        found = alone("bench.ledger:appended", folder=str(folder), entries=entries)
        again = alone("bench.ledger:verified", folder=str(folder))
    return [
        Table(
            "Ledger",
            [
                _appends("an empty ledger", found["first"]),
                _appends(f"one of {entries:,} entries", found["last"]),
                Row(
                    f"open and verify {again['size']:,} entries",
                    f"{again['wall']:.2f} s",
                    goal=f"≤ {VERIFYING:g} s",
                    reached=again["wall"] <= VERIFYING,
                ),
                Row("the same, peak of memory", f"{again['peak']:,.0f} MiB"),
            ],
            ["Every append is signed, cosigned by the witness and on the disk when it returns."],
        )
    ]


def _appends(to: str, milliseconds: list[float]) -> Row:
    median, p95 = milliseconds
    what = f"append to {to}, of {APPENDS}: p50 / p95"
    return Row(what, f"{median:.1f} ms / {p95:.1f} ms", goal=f"p95 ≤ {APPENDING:g} ms", reached=p95 <= APPENDING)


def _open(folder: str) -> Any:
    from privacy_assets.ledger.log import Ledger

    place = Path(folder)
    return Ledger.open(place / "log", origin="bench/log", signing_seed=b"7" * 32, witness_folder=place / "witness")


def _appended(ledger: Any, number: int) -> list[float]:
    taken = []
    for place in range(number):
        body = {"action": "access", "asset": "training/readmission", "version": f"{place:032x}", "rows": place}
        began = time.perf_counter()
        ledger.append(body)
        taken.append((time.perf_counter() - began) * 1000)
    return [statistics.median(taken), statistics.quantiles(taken, n=20)[-1]]


def appended(folder: str, entries: int) -> dict[str, Any]:
    """Appends to an empty ledger, then, when it holds `entries`, again; p50 and p95 in milliseconds."""
    import os

    ledger = _open(folder)
    first = _appended(ledger, APPENDS)
    kept, os.fsync = os.fsync, lambda descriptor: None  # filling it is not what is measured
    try:
        for place in range(APPENDS, entries):
            ledger.append({"action": "access", "asset": "training/readmission", "version": f"{place:032x}"})
    finally:
        os.fsync = kept
    return {"first": first, "last": _appended(ledger, APPENDS)}


def verified(folder: str) -> dict[str, Any]:
    """Opened by a process that knows nothing of it: every entry is read and verified."""
    with Clock() as clock:
        size = _open(folder).size
    return {**clock.taken(), "size": size}
