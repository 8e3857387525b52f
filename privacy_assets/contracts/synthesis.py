"""What a purpose's synthetic rows mean for the columns of its features, from the declarations alone.

Belongs here: which columns are synthesized, what each of them can hold, and what is wrong with that. Does not belong
here: data, how rows are made (`techniques/synthesize/`), what is tried on them (`withstanding.py`), what is promised of
them (`promises.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from privacy_assets.coded import MOST_VALUES, Domain
from privacy_assets.contracts._faults import Faults
from privacy_assets.contracts._odcs import INTEGERS
from privacy_assets.contracts._yaml import Place
from privacy_assets.contracts.anonymity import SPLIT, leaving, split_column
from privacy_assets.contracts.purpose import Bounds, Model, Purpose, Split
from privacy_assets.words import Column

WIDTHS = {"TINYINT": 8, "SMALLINT": 16, "INTEGER": 32, "BIGINT": 54, "HUGEINT": 54}
"""Bits of each signed integer type, as far as a double counts them one by one."""


def synthetic_columns(purpose: Purpose, columns: Sequence[Column]) -> tuple[Column, ...]:
    """The columns of the features as they are synthesized; `split` comes last where a training set is made of them."""
    if purpose.synthetic is None:
        return ()
    kind = purpose.synthetic.synthesizer.kind
    found = [replace(column, technique=kind) for column in leaving(purpose, columns)]
    if purpose.training is not None and purpose.training.source == "synthetic":
        found.append(split_column())
    return tuple(found)


def split(purpose: Purpose) -> Split:
    """How people are dealt into those that are learned from and those that it is tried on."""
    return purpose.training.split if purpose.training is not None else Split()


def domains(bounds: Mapping[str, Bounds], columns: Sequence[Column]) -> tuple[Domain, ...]:
    """What each column can hold, in their order; KeyError for a number without bounds."""
    found = []
    for column in columns:
        if column.name == SPLIT:
            continue
        if labels := _labels(column):
            found.append(Domain(column.name, labels))
        else:
            ends = bounds[column.name]
            low, high = ends.days
            found.append(Domain(column.name, low=low, high=high, step=ends.step))
    return tuple(found)


def transferred(purpose: Purpose) -> Model | None:
    """The model by which it is measured what the rows are worth; None where none is asked for."""
    asked = purpose.guarantee.fidelity.transfer if purpose.guarantee.fidelity else None
    return (asked.model or purpose.model) if asked else None


def _labels(column: Column) -> tuple[str, ...]:
    return ("false", "true") if column.type == "BOOLEAN" else column.domain or ()


def check(purpose: Purpose, columns: Sequence[Column], faults: Faults) -> None:
    """Note what of `synthetic` does not fit the columns of the features."""
    asked = purpose.synthetic
    if asked is None:
        return
    leaves = {column.name: column for column in leaving(purpose, columns)}
    if purpose.features.subject is None:
        faults.add(("synthetic",), "the rows are about nobody", next_step="leave it out, or name a `subject`")
    if len(leaves) < 2:
        faults.add(("synthetic",), "there is too little to synthesize", expected="two columns or more that may leave")
    for name in asked.bounds:
        if name not in leaves:
            faults.unknown(("synthetic", "bounds", name), "no such column is synthesized", name, leaves)
    for column in leaves.values():
        check_column(("synthetic",), column, asked.bounds, faults)
    for name in (name for name in leaves if name.startswith("_")):
        faults.add(
            ("features", "sql"),
            f"`{name}` begins with `_`, as only columns of this program do",
            next_step="name yours otherwise",
        )
    target = getattr(asked.synthesizer, "target", None)
    if target is not None and target not in leaves:
        faults.unknown(("synthetic", "synthesizer", "target"), "no such column is synthesized", target, leaves)
    if SPLIT in map(str.lower, leaves) and purpose.training is not None:
        faults.add(("features", "sql"), f"`{SPLIT}` is a column that is added", next_step="name yours otherwise")


def with_domain(column: Column, values: tuple[str, ...] | None) -> Column:
    """The column with the values that are declared of it; as it is where none are."""
    return replace(column, domain=values) if values else column


def check_column(at: Place, column: Column, declared: Mapping[str, Bounds], faults: Faults) -> None:
    """Note why a column cannot be synthesized; `at` is where its `bounds` would stand."""
    place: Place = (*at, "bounds", column.name)
    bounds = declared.get(column.name)
    if _labels(column):
        if bounds is not None:
            faults.add(place, f"`{column.name}` has declared values, and needs no bounds")
        return
    if column.type == "VARCHAR":
        place = at if len(at) > 1 else ("features",)
        faults.add(
            at,
            f"the values of `{column.name}` are not declared, so that they would be read off people",
            next_step="declare `enum:` in its contract or "
            f"`{'.'.join(map(str, place))}.categories`, or leave the column out of the SQL",
        )
        return
    number = column.type in INTEGERS or column.type in ("DOUBLE", "FLOAT") or column.type.startswith("DECIMAL")
    if not number and column.type != "DATE":
        faults.add(
            at,
            f"`{column.name}` is a {column.type}, which is not synthesized",
            expected="text with declared values, true or false, a number or a DATE",
            next_step="make one of these of it " + ("by its technique" if len(at) > 1 else "in the features' SQL"),
        )
        return
    if bounds is None:
        faults.add(
            (*at, "bounds"),
            f"nothing says what `{column.name}` can be, and the largest value is somebody's",
            expected=f"`{column.name}: {{low: …, high: …}}`",
        )
        return
    if (column.type == "DATE") != (not isinstance(bounds.low, float)):
        faults.add(place, f"the bounds do not fit `{column.name}`", expected=f"ends of a {column.type}")
    if column.type in INTEGERS | {"DATE"} and any(number % 1 for number in (*bounds.days, bounds.step)):
        faults.add(place, f"`{column.name}` holds whole numbers", expected="whole `low`, `high` and `step`")
    low, high = bounds.days
    _check_type(place, column, (low, high, bounds.step), faults)
    if (high - low) / bounds.step >= MOST_VALUES:
        faults.add(
            (*place, "step"),
            f"`{column.name}` could have too many values",
            expected=f"at most {MOST_VALUES:,}",
            next_step="a larger `step`, or closer bounds",
        )


def _check_type(place: Place, column: Column, numbers: Sequence[float], faults: Faults) -> None:
    """Every number between the bounds can be written in the column's type: else it fails when it was paid for."""
    fits, said = True, column.type
    if column.type in WIDTHS or column.type.removeprefix("U") in WIDTHS:
        unsigned = column.type not in WIDTHS
        bits = WIDTHS[column.type.removeprefix("U")] - (0 if unsigned else 1)
        least = 0 if unsigned else -(2**bits)
        fits = all(least <= number < 2**bits for number in numbers[:2])
        said = f"{column.type}: from {least:,} to {2**bits - 1:,}"
    elif column.type.startswith("DECIMAL("):
        digits, scale = map(int, column.type.removeprefix("DECIMAL(").removesuffix(")").split(","))
        beyond = any(abs(number) >= 10 ** (digits - scale) for number in numbers[:2])
        finer = any(abs(number * 10**scale - round(number * 10**scale)) > 1e-6 for number in numbers)
        fits = not (beyond or finer)
        said = f"{column.type}: under {10 ** (digits - scale):,}, with {scale} digits after the point"
    if not fits:
        faults.add(place, f"`{column.name}` cannot hold what its bounds and step name", expected=said)
