"""Small tables of invented people for the tests beside this: as rows, and as the search sees them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from hypothesis import strategies as st

from privacy_assets.techniques.anonymize._tuples import Levels, Recoding, Sensitive, Tuples
from privacy_assets.techniques.criteria import CRITERIA

PLACES = [(f"{region}{town}", f"{region}*", "*") for region in "ab" for town in range(3)]
YEARS = [(str(year), f"{year // 2 * 2} or 1 more", f"{year // 4 * 4} or 3 more", "*") for year in range(8)]
SEXES = [("f", "*"), ("m", "*")]
TABLES = {"place": PLACES, "year": YEARS, "sex": SEXES}
ILLS = ("cold", "flu", "gout")

Row = tuple[str, str, str, str, int]
"""Place, year, sex, illness, and who it is."""

rows_of_people = st.lists(
    st.tuples(
        st.sampled_from([row[0] for row in PLACES]),
        st.sampled_from([row[0] for row in YEARS]),
        st.sampled_from(["f", "m"]),
        st.sampled_from(ILLS),
        st.integers(0, 30),
    ),
    min_size=1,
    max_size=60,
)


def asked(kind: str, **parameters: Any) -> Any:
    """A criterion."""
    return CRITERIA[kind].Parameters(kind=kind, **parameters)


def tuples_of(rows: Sequence[Row], *, people: bool = False, weights: Sequence[float] = (1, 1, 1)) -> Tuples:
    """The table as the search sees it; with `people`, rows of one number are one person's."""
    columns = tuple(
        Levels.of(
            name,
            [pl.Series([row[level] for row in table]) for level in range(len(table[0]))],
            weight,
            np.arange(8.0) if name == "year" else None,
        )
        for (name, table), weight in zip(TABLES.items(), weights, strict=True)
    )
    leaves = [[row[0] for row in table] for table in TABLES.values()]
    coded = [tuple(known.index(row[place]) for place, known in enumerate(leaves)) for row in rows]
    different = sorted(set(coded))
    number = {codes: place for place, codes in enumerate(different)}
    ills = Counter((number[codes], ILLS.index(row[3])) for codes, row in zip(coded, rows, strict=True))
    persons = sorted({(number[codes], row[4]) for codes, row in zip(coded, rows, strict=True)})
    return Tuples(
        columns,
        np.array(different),
        np.array([coded.count(codes) for codes in different]),
        people=tuple(np.array(part) for part in zip(*persons, strict=True)) if people else None,  # type: ignore[arg-type]
        sensitive={
            "ill": Sensitive(*(np.array(part) for part in zip(*ills, strict=True)), np.array(list(ills.values())), ILLS)
        },
    )


def published(rows: Sequence[Row], tuples: Tuples, recoding: Recoding) -> dict[tuple[Any, ...], list[Row]]:
    """The classes as somebody sees them who has the table: rows by their cells."""
    leaves = [[row[0] for row in table] for table in TABLES.values()]
    codes = {tuple(code): place for place, code in enumerate(tuples.codes.tolist())}
    seen: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        at = codes[tuple(known.index(row[place]) for place, known in enumerate(leaves))]
        if recoding.classes[at] >= 0:
            seen[tuple(cell[at] for cell in recoding.cells)].append(row)
    return seen


def holds(criterion: Any, rows: Sequence[Row], everyone: Sequence[Row], *, people: bool) -> bool:
    """Whether a class keeps a criterion, counted by hand."""
    ills = Counter(row[3] for row in rows)
    if criterion.kind == "k_anonymity":
        return (len({row[4] for row in rows}) if people else len(rows)) >= criterion.k
    if criterion.kind == "l_diversity":
        return len(ills) >= criterion.l
    whole = Counter(row[3] for row in everyone)
    far = sum(abs(ills[ill] / len(rows) - whole[ill] / len(everyone)) for ill in ILLS) / 2
    return bool(far <= criterion.t + 1e-9)
