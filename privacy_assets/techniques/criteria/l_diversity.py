"""l-diversity: in no class do few values of a sensitive column stand out.

With p the shares of the values within a class, and r their counts from the most frequent on:

    distinct    number of values >= l
    entropy     exp(-sum p ln p) >= l
    recursive   r_1 < c (r_l + r_(l+1) + ... + r_m)

Source: Machanavajjhala, Kifer, Gehrke, Venkitasubramaniam: l-diversity (ICDE 2006, TKDD 2007). NULL is a value.

What it does not cover: values that differ and mean the same, and classes whose values are frequent in a way that
already tells something (`t_closeness`). The entropy form does not survive merging with a class that breaks it.
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from privacy_assets.techniques.criteria._classes import Bools, Classes, Floats, Values
from privacy_assets.weakening import Weaker
from privacy_assets.words import Column, Frozen

TOLERANCE = 1e-9
"""Two equal values have an entropy of ln 2 but for the last bits."""


class Parameters(Frozen):
    """Which column (None: each sensitive one), which form, how diverse."""

    kind: Literal["l_diversity"]
    column: Annotated[str | None, Weaker.ANY] = None
    form: Annotated[Literal["distinct", "entropy", "recursive"], Weaker.ANY] = "distinct"
    l: Annotated[float, Field(ge=1), Weaker.LESS]  # noqa: E741  # the field's own name for it
    c: Annotated[Annotated[float, Field(gt=0)] | None, Weaker.MORE] = None

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Parameters:
        if (self.form == "recursive") != (self.c is not None):
            raise ValueError("`c` goes with `form: recursive`, and only with it")
        if self.form != "entropy" and self.l != int(self.l):
            raise ValueError("`l` is a whole number unless the form is `entropy`")
        return self


def merges(parameters: Parameters) -> bool:
    """Different values stay different; shares do not stay as they are."""
    return parameters.form == "distinct"


def holds(parameters: Parameters, classes: Classes) -> Bools:
    """The form's inequality, for the column or for each of them."""
    if parameters.column is None:
        raise ValueError("the column is not said")
    values = classes.values[parameters.column]
    match parameters.form:
        case "distinct":
            return np.asarray((values.counts > 0).sum(axis=1) >= parameters.l)
        case "entropy":
            return _exponential(values) >= parameters.l - TOLERANCE
        case "recursive":
            falling = -np.sort(-values.counts, axis=1)
            rest = falling[:, int(parameters.l) - 1 :].sum(axis=1)
            return np.asarray(falling[:, 0] < (parameters.c or 0) * rest)


def _exponential(values: Values) -> Floats:
    shares = values.counts / np.maximum(values.counts.sum(axis=1, keepdims=True), 1)
    logarithms = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    return np.asarray(np.exp(-(shares * logarithms).sum(axis=1)))


def nearest(parameters: Parameters, whole: Classes) -> str:
    """What all rows together have."""
    values = whole.values[parameters.column or ""]
    match parameters.form:
        case "distinct":
            return f"l of at most {int((values.whole > 0).sum())}, which is every value that {parameters.column} has"
        case "entropy":
            return f"l of about {float(_exponential(values)[0]):.2f}, which is the whole column's"
        case "recursive":
            falling = -np.sort(-values.counts, axis=1)
            rest = int(falling[0, int(parameters.l) - 1 :].sum())
            if not rest:
                return f"l of at most {int((values.whole > 0).sum())}, which is every value that it has"
            return f"c above {int(falling[0, 0]) / rest:.3g} for this l, which is the whole column's"


def fault(parameters: Parameters, column: Column) -> str | None:
    """Asks for no more values than are declared."""
    if column.domain is not None and parameters.form == "distinct" and parameters.l > len(column.domain) + 1:
        return f"it has {len(column.domain)} declared values, so no class can have {parameters.l:g} different ones"
    return None
