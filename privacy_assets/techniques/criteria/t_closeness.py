"""t-closeness: a sensitive column is distributed within each class about as it is in the whole table.

EMD(P, Q) <= t, with P the shares of the values within the class, Q those of the whole published table, and the earth
mover's distance under a ground distance:

    equal          1/2 sum |p_i - q_i|
    ordered        1/(m - 1) sum_i | sum_(j<=i) (p_j - q_j) |, over m values in order
    hierarchical   sum over the inner nodes of height(N)/H * min(surplus below N, deficit below N)

Source: Li, Li, Venkatasubramanian: t-closeness (ICDE 2007), sections 4 and 5.

What it does not cover: which way a class differs; and the distance of a class may be small while a rare value doubles.
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from privacy_assets.techniques.criteria._classes import Bools, Classes, Floats, Values
from privacy_assets.weakening import Weaker
from privacy_assets.words import Column, Frozen

TOLERANCE = 1e-9
"""Sums of shares are exact but for the last bits."""

Texts = tuple[Annotated[str, Field(min_length=1, max_length=200)], ...]


class Parameters(Frozen):
    """Which column (None: each sensitive one), how close, by which ground distance.

    `order` lists the values of a text column for `ordered`; numbers and dates have an order of their own. `hierarchy`
    has one row for each value for `hierarchical`, from the value to the root, all of one length.
    """

    kind: Literal["t_closeness"]
    column: Annotated[str | None, Weaker.ANY] = None
    t: Annotated[float, Field(ge=0, le=1), Weaker.MORE]
    distance: Annotated[Literal["equal", "ordered", "hierarchical"], Weaker.ANY] = "equal"
    order: Annotated[Texts | None, Weaker.ANY] = None
    hierarchy: Annotated[tuple[Texts, ...] | None, Weaker.ANY] = None

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Parameters:
        if self.order is not None and self.distance != "ordered":
            raise ValueError("`order` goes with `distance: ordered`")
        if (self.hierarchy is not None) != (self.distance == "hierarchical"):
            raise ValueError("`hierarchy` goes with `distance: hierarchical`, and only with it")
        if self.hierarchy is not None:
            from privacy_assets.techniques.hierarchies.table import faults_of

            if faults := faults_of(self.hierarchy):
                raise ValueError(faults[0])
        return self


def merges(parameters: Parameters) -> bool:
    """What is far from the whole pulls along what is near."""
    return False


def holds(parameters: Parameters, classes: Classes) -> Bools:
    """distance <= t, for the column."""
    return distances(parameters, classes) <= parameters.t + TOLERANCE


def distances(parameters: Parameters, classes: Classes) -> Floats:
    """The earth mover's distance of each class to the whole, (classes,); infinite where a value has no place."""
    if parameters.column is None:
        raise ValueError("the column is not said")
    values = classes.values[parameters.column]
    shares = values.counts / np.maximum(values.counts.sum(axis=1, keepdims=True), 1)
    surplus: Floats = shares - values.whole / max(int(values.whole.sum()), 1)
    match parameters.distance:
        case "equal":
            moved: Floats = np.abs(surplus).sum(axis=1) / 2
            return moved
        case "ordered":
            return _ordered(parameters, values, surplus)
        case "hierarchical":
            return _hierarchical(parameters, values, surplus)


def _texts(values: Values) -> list[str]:
    """The values as they are written in an order or a hierarchy; NULL stands in none."""
    return ["" if label is None else str(label) for label in values.labels]


def _ordered(parameters: Parameters, values: Values, surplus: Floats) -> Floats:
    if parameters.order is not None:
        places = {label: place for place, label in enumerate(parameters.order)}
        if any(label not in places and count for label, count in zip(_texts(values), values.whole, strict=True)):
            return np.full(len(surplus), np.inf)
        spread = np.zeros((len(surplus), len(parameters.order)))
        for at, label in enumerate(_texts(values)):
            if label in places:
                spread[:, places[label]] += surplus[:, at]
        surplus = spread
    else:
        surplus = surplus[:, values.whole > 0]
    if surplus.shape[1] < 2:
        return np.zeros(len(surplus))
    moved: Floats = np.abs(np.cumsum(surplus, axis=1)[:, :-1]).sum(axis=1) / (surplus.shape[1] - 1)
    return moved


def _hierarchical(parameters: Parameters, values: Values, surplus: Floats) -> Floats:
    rows = {row[0]: row for row in parameters.hierarchy or ()}
    if any(label not in rows and count for label, count in zip(_texts(values), values.whole, strict=True)):
        return np.full(len(surplus), np.inf)
    height = len(next(iter(rows.values()))) - 1
    below: dict[str, Floats] = {label: surplus[:, at] for at, label in enumerate(_texts(values)) if label in rows}
    above = {label: rows[label] for label in below}
    total = np.zeros(len(surplus))
    for level in range(1, height + 1):
        nodes: dict[str, list[str]] = {}
        for node, row in above.items():
            nodes.setdefault(row[level], []).append(node)
        merged: dict[str, Floats] = {}
        kept: dict[str, tuple[str, ...]] = {}
        for node, children in nodes.items():
            extras = np.stack([below[child] for child in children])
            gains, lacks = np.maximum(extras, 0).sum(axis=0), np.maximum(-extras, 0).sum(axis=0)
            total += level / height * np.minimum(gains, lacks)
            merged[node], kept[node] = extras.sum(axis=0), above[children[0]]
        below, above = merged, kept
    return total


def nearest(parameters: Parameters, whole: Classes) -> str:
    """The whole table is as close to itself as can be; what is not in the order or hierarchy has no distance."""
    return f"values of {parameters.column} that all stand in its order or hierarchy: some rows have others"


def fault(parameters: Parameters, column: Column) -> str | None:
    """Text has no order of its own, and a declared order or hierarchy knows every declared value."""
    if parameters.distance == "ordered" and parameters.order is None and column.type in ("VARCHAR", "BOOLEAN"):
        return "text has no order of its own: list the values under `order`"
    known = set(parameters.order or ()) or {row[0] for row in parameters.hierarchy or ()}
    missing = set(column.domain or ()) - known if known else set()
    return f"{len(missing)} of its declared values stand nowhere in it" if missing else None
