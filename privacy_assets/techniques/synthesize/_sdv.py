"""SDV's synthesizers, let in: what they are given, what they may not do, and how what comes back is looked at.

They are given the values of codes: numbers for ordered columns, labels, and nothing where there is NULL, in columns
that are named by their place. What the columns are is said, never detected. A column in which all rows are alike has
nothing to learn, and is put back as it is. What they make is encoded strictly by the same domains.

They write no file, print nothing, and set no seed that others see. Where they fail, the kind of the failure is told and
not its text, which could hold a value.
"""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import polars as pl

from privacy_assets.coded import Coded, encode
from privacy_assets.errors import EngineFailed, Fault, NotKept, raise_gathered

FEWEST_ROWS = 50
"""Mixtures and copulas of fewer rows say more about single people than about all."""

_TABLE = "table"


def learned_and_drawn(
    name: str, make: Callable[[Any], Any], table: Coded, rows: int | None, rows_per_person: int, seed: int
) -> Coded:
    """Rows of the synthesizer that `make` builds from metadata of SDV.

    Raises NotKept where there are too few rows, or where what comes back is not of the domains; EngineFailed where the
    library fails.
    """
    if table.rows < FEWEST_ROWS * rows_per_person:
        raise NotKept.of(
            "there are too few rows to learn from",
            where=name,
            expected=f"at least {FEWEST_ROWS * rows_per_person:,} rows: {FEWEST_ROWS} people's",
            found=f"{table.rows:,} rows",
            next_step="wait for more rows",
        )
    wanted = table.rows if rows is None else rows
    varied = [place for place in range(len(table.domains)) if np.ptp(table.codes[:, place])]
    codes = np.repeat(table.codes[:1], wanted, axis=0)
    if varied and wanted:
        try:
            frame = _made(make, table, varied, wanted, seed)
        except Exception as error:  # of any kind: its text could hold a value
            raise EngineFailed.of(
                "the synthesizer failed",
                where=name,
                found=f"{type(error).__name__} (its text is withheld: it could hold data)",
                next_step="other parameters, or another synthesizer",
            ) from None
        codes[:, varied] = _taken_back(name, frame, table, varied, wanted)
    return Coded(table.domains, codes)


def _made(make: Callable[[Any], Any], table: Coded, varied: list[int], wanted: int, seed: int) -> Any:
    """A pandas frame."""
    with _quiet(seed):
        import pandas as pd
        from sdv.metadata import Metadata

        columns, said = {}, {}
        for place in varied:
            domain, codes = table.domains[place], table.codes[:, place]
            if domain.ordered:
                columns[f"c{place}"] = np.append(domain.numbers(), np.nan)[codes]
            else:
                columns[f"c{place}"] = np.array([*domain.labels, None], dtype=object)[codes]
            said[f"c{place}"] = {"sdtype": "numerical" if domain.ordered else "categorical"}
        synthesizer = make(Metadata.load_from_dict({"tables": {_TABLE: {"columns": said}}, "relationships": []}))
        synthesizer.fit({_TABLE: pd.DataFrame(columns)})
        # without it every sample is drawn from one seed of SDV's own
        synthesizer._set_random_state(seed % 2**32)
        return synthesizer.sample(wanted)[_TABLE]


@contextlib.contextmanager
def _quiet(seed: int) -> Iterator[None]:
    """No file, no output, no warning; the generators of numpy and torch are seeded, and put back afterwards."""
    before = os.environ.get("XDG_DATA_HOME")
    # SDV writes a log into the home of whoever imports it, unless it finds no place for it
    os.environ["XDG_DATA_HOME"] = os.devnull
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            import sdv.single_table  # noqa: F401
            import torch
            from ctgan.synthesizers.base import set_random_states

            threads = torch.get_num_threads()
            torch.set_num_threads(1)  # the order of sums decides their last digits, and so what is drawn
            states = np.random.RandomState(seed % 2**32), torch.Generator().manual_seed(seed % 2**32)
            try:
                with set_random_states(states, lambda _: None):
                    yield
            finally:
                torch.set_num_threads(threads)
    finally:
        if before is None:
            del os.environ["XDG_DATA_HOME"]
        else:
            os.environ["XDG_DATA_HOME"] = before


def _taken_back(name: str, frame: Any, table: Coded, varied: list[int], wanted: int) -> Any:
    """(rows, varied columns) codes."""
    if len(frame) != wanted:
        raise NotKept.of(
            "the synthesizer made another number of rows than was asked for",
            where=name,
            expected=f"{wanted:,}",
            found=f"{len(frame):,}",
            next_step="ask for fewer, or ask another synthesizer",
        )
    domains = [table.domains[place] for place in varied]
    columns = {}
    faults = []
    for place, domain in zip(varied, domains, strict=True):
        made = frame[f"c{place}"]
        empty = made.isna().to_numpy()
        if empty.any() and not (table.codes[:, place] == domain.size).any():
            faults.append(
                Fault(
                    f"`{domain.name}` was made with NULL, which it never held",
                    where=name,
                    expected="no NULL",
                    found=f"{int(empty.sum()):,} cells",
                    next_step="other parameters, or another synthesizer",
                )
            )
        values = [None if nothing else value for value, nothing in zip(made.tolist(), empty, strict=True)]
        kind = pl.Float64 if domain.ordered else pl.String
        columns[domain.name] = pl.Series(domain.name, values, dtype=kind)
    raise_gathered(NotKept, faults)
    return encode(pl.DataFrame(columns), domains).codes
