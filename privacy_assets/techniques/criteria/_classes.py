"""What a criterion is told of classes: how many people and rows each has, and how often each sensitive value occurs.

Belongs here: counts. Does not belong here: how classes come about (`anonymize/`), what is asked of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Values:
    """Of one sensitive column: how often each value occurs in each class, and in all of them together.

    `counts` (classes, values) and `whole` (values,) count rows; `labels` are the values in their order, NULL as None:
    numbers and dates by size, text as it is sorted.
    """

    labels: tuple[object, ...]
    counts: Ints
    whole: Ints


@dataclass(frozen=True, slots=True)
class Classes:
    """Some classes: `people` and `rows` of each that would be published, (classes,), and `values` by column.

    `population` counts the rows that would be published and those that would not: everyone of whom the table could be.
    """

    people: Ints
    rows: Ints
    population: Ints
    values: Mapping[str, Values]

    def __len__(self) -> int:
        return len(self.rows)
