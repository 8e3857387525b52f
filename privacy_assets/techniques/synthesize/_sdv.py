"""SDV's synthesizers, let in: what they are given, what they may not do, and how what comes back is looked at.

They are given the values of codes: numbers for ordered columns, labels, and nothing where there is NULL, in columns
that are named by their place. What the columns are is said, never detected. A column in which all rows are alike has
nothing to learn, and is put back as it is. What they make is encoded strictly by the same domains.

Of several tables the keys are numbers of ours: places of people. What comes back has to name people who are there, and
each once.

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
from privacy_assets.errors import EngineFailed, Fault, NotKept, PrivacyAssetsError, raise_gathered
from privacy_assets.techniques.synthesize._linked import Child, Linked

FEWEST_ROWS = 50
"""Mixtures and copulas of fewer rows say more about single people than about all."""

_TABLE = "table"
_PEOPLE = "people"
_KEY, _PERSON = "key", "person"


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
    varied = _varied(table)
    codes = np.repeat(table.codes[:1], wanted, axis=0)
    if varied and wanted:
        frame = _told_by_kind(name, lambda: _made(make, table, varied, wanted, seed))
        codes[:, varied] = _taken_back(name, frame, table, varied, wanted)
    return Coded(table.domains, codes)


def linked_and_drawn(
    name: str, make: Callable[[Any], Any], tables: Linked, people: int | None, rows_per_person: int, seed: int
) -> Linked:
    """People with their rows of the synthesizer that `make` builds from metadata of SDV.

    Raises NotKept where there are too few people, where what comes back is not of the domains, where a key is not one
    person's or a row is nobody's, or where somebody has more than `rows_per_person` rows; EngineFailed where the
    library fails.
    """
    if tables.people.rows < FEWEST_ROWS:
        raise NotKept.of(
            "there are too few people to learn from",
            where=name,
            expected=f"at least {FEWEST_ROWS}",
            found=f"{tables.people.rows:,}",
            next_step="wait for more people",
        )
    wanted = tables.people.rows if people is None else people
    there = [place for place, child in enumerate(tables.children) if child.rows.rows]
    frames = _told_by_kind(name, lambda: _made_linked(make, tables, there, wanted, rows_per_person, seed))
    root = frames[_PEOPLE]
    own = _back(name, root, tables.people, wanted)
    keys = root[_KEY]
    if keys.isna().any() or keys.duplicated().any():
        raise _broken(name, "keys that are not one person's", int((keys.isna() | keys.duplicated(keep=False)).sum()))
    places = {key: place for place, key in enumerate(keys.tolist())}
    children = []
    for place, child in enumerate(tables.children):
        if place not in there:
            children.append(child)
            continue
        frame = frames[f"t{place}"]
        of = np.array([places.get(key, -1) for key in frame[_PERSON].tolist()], dtype=np.int32)
        if (of < 0).any():
            raise _broken(name, "rows of people who are not there", int((of < 0).sum()))
        if np.bincount(of, minlength=1).max() > rows_per_person:
            many = int((np.bincount(of) > rows_per_person).sum())
            raise _broken(name, f"people with over {rows_per_person} rows", many)
        children.append(Child(_back(name, frame, child.rows, len(frame)), of))
    return Linked(own, tuple(children))


def _broken(name: str, what: str, found: int) -> PrivacyAssetsError:
    return NotKept.of(
        f"the synthesizer made {what}",
        where=name,
        expected="each key once, and each row with its person",
        found=f"{found:,}",
        next_step="other parameters, or another synthesizer",
    )


def _told_by_kind(name: str, make: Callable[[], Any]) -> Any:
    try:
        return make()
    except Exception as error:  # of any kind: its text could hold a value
        raise EngineFailed.of(
            "the synthesizer failed",
            where=name,
            found=f"{type(error).__name__} (its text is withheld: it could hold data)",
            next_step="other parameters, or another synthesizer",
        ) from None


def _varied(table: Coded) -> list[int]:
    """The places of columns in which not all rows are alike."""
    return [place for place in range(len(table.domains)) if table.rows and np.ptp(table.codes[:, place])]


def _made_linked(
    make: Callable[[Any], Any], tables: Linked, there: list[int], wanted: int, rows_per_person: int, seed: int
) -> Any:
    """A pandas frame a table."""
    with _quiet(seed):
        import pandas as pd
        from sdv.metadata import Metadata

        columns, said = _given(tables.people, _varied(tables.people))
        frames = {_PEOPLE: pd.DataFrame({_KEY: np.arange(tables.people.rows), **columns})}
        told: dict[str, Any] = {_PEOPLE: {"columns": {_KEY: {"sdtype": "id"}, **said}, "primary_key": _KEY}}
        for place in there:
            child = tables.children[place]
            columns, said = _given(child.rows, _varied(child.rows))
            frames[f"t{place}"] = pd.DataFrame({_PERSON: child.of.astype(np.int64), **columns})
            told[f"t{place}"] = {"columns": {_PERSON: {"sdtype": "id"}, **said}}
        links = [
            {
                "parent_table_name": _PEOPLE,
                "parent_primary_key": _KEY,
                "child_table_name": f"t{place}",
                "child_foreign_key": _PERSON,
            }
            for place in there
        ]
        synthesizer = make(Metadata.load_from_dict({"tables": told, "relationships": links}))
        synthesizer.fit(frames)
        _bounded_and_seeded(synthesizer, rows_per_person, seed)
        return synthesizer.sample(wanted, _PEOPLE)


def _bounded_and_seeded(synthesizer: Any, rows_per_person: int, seed: int) -> None:
    """The most rows of a person are those that were declared, and not somebody's; everybody's rows are drawn by a seed
    of their own, where SDV draws all from the same one."""
    generator = np.random.default_rng(seed)
    synthesizer._max_child_rows = dict.fromkeys(synthesizer._max_child_rows, rows_per_person)
    synthesizer._min_child_rows = dict.fromkeys(synthesizer._min_child_rows, 0)
    for learned in synthesizer.extended_columns.values():
        for name, numbers in learned.items():
            if name.endswith("__num_rows"):
                numbers._min_value, numbers._max_value = 0, rows_per_person
    recreate = synthesizer._recreate_child_synthesizer

    def recreated(*whose: Any) -> Any:
        return seeded(recreate(*whose))

    def seeded(one: Any) -> Any:
        if one._model is not None:  # a table of keys alone has none
            one._set_random_state(int(generator.integers(2**32)))
        return one

    synthesizer._recreate_child_synthesizer = recreated
    for one in synthesizer._table_synthesizers.values():
        seeded(one)


def _given(table: Coded, varied: list[int]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The columns that SDV is given, named by their places, and what they are."""
    columns, said = {}, {}
    for place in varied:
        domain, codes = table.domains[place], table.codes[:, place]
        if domain.ordered:
            columns[f"c{place}"] = np.append(domain.numbers(), np.nan)[codes]
        else:
            columns[f"c{place}"] = np.array([*domain.labels, None], dtype=object)[codes]
        said[f"c{place}"] = {"sdtype": "numerical" if domain.ordered else "categorical"}
    return columns, said


def _back(name: str, frame: Any, table: Coded, wanted: int) -> Coded:
    """What came back of one table, with the columns in which all rows were alike."""
    varied = _varied(table)
    codes = np.repeat(table.codes[:1], wanted, axis=0)
    made = _taken_back(name, frame, table, varied, wanted)
    if varied:
        codes[:, varied] = made
    return Coded(table.domains, codes)


def _made(make: Callable[[Any], Any], table: Coded, varied: list[int], wanted: int, seed: int) -> Any:
    """A pandas frame."""
    with _quiet(seed):
        import pandas as pd
        from sdv.metadata import Metadata

        columns, said = _given(table, varied)
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
