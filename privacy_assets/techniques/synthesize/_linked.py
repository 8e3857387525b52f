"""People with their rows in several tables, as a synthesizer of several tables sees and draws them.

Belongs here: the form. Does not belong here: which tables these are (`contracts/linked_tables.py`), values, and keys as
they are written (`stages/_linking.py`).

No key is a value here: a person is a place, and a row says at which place its person is. So no token is ever learned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from privacy_assets.coded import Coded, Codes


@dataclass(frozen=True, slots=True)
class Child:
    """The rows of one table of which a person has any number; `of` (rows,) is the place of each row's person."""

    rows: Coded
    of: Codes


@dataclass(frozen=True, slots=True)
class Linked:
    """One row a person, and the other tables. Raises ValueError for a row of nobody."""

    people: Coded
    children: tuple[Child, ...]

    def __post_init__(self) -> None:
        for child in self.children:
            if child.of.shape != (child.rows.rows,):
                raise ValueError("each row of another table names one person")
            if child.rows.rows and (child.of.min() < 0 or child.of.max() >= self.people.rows):
                raise ValueError("a row is of a person who is not there")

    def take(self, people: npt.NDArray[np.bool_]) -> Linked:
        """These people, with all their rows."""
        places = (np.cumsum(people) - 1).astype(np.int32)
        children = []
        for child in self.children:
            kept = people[child.of]
            children.append(Child(child.rows.take(kept), places[child.of[kept]]))
        return Linked(self.people.take(people), tuple(children))
