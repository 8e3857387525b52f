"""What was done to a list of entries, told from two lists of hashes: the one that was witnessed, and the one found.

Belongs here: naming the difference and the first position of it; pure functions. Does not belong here: whether the
first list can be believed (`log.py` holds it against a signed root), and any decision: the roots have decided already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """What was done, in words, and the first position (from 0) that is not what it was."""

    what: str
    position: int


def difference(known: Sequence[bytes], held: Sequence[bytes]) -> Difference | None:
    """How `held` differs from `known`, None if it does not. Each element is the hash of an entry, or b"" for no entry.

    The same entry in two places is one that was doubled: no two entries that were written have the same hash, since
    each has a salt of its own.
    """
    both = zip(known, held, strict=False)
    first = next((at for at, (one, other) in enumerate(both) if one != other), min(len(known), len(held)))
    if first == len(known) == len(held):
        return None
    missing, added = Counter(known) - Counter(held), Counter(held) - Counter(known)
    doubled = sum(number for leaf, number in added.items() if leaf in set(known))
    strange = added.total() - doubled
    if not held:
        what = "all entries were removed"
    elif first == len(held):
        what = (
            "the last entry was removed"
            if len(known) - first == 1
            else f"the {len(known) - first} last entries were removed"
        )
    elif not set(known) & set(held):
        what = "none of its entries is left: it is another ledger"
    elif not missing and not added:
        what = "entries were moved: the same ones stand in another order"
    elif strange and strange == missing.total() and not doubled and len(known) == len(held):
        what = f"{_counted(strange)} changed"
    else:
        done = (
            (missing.total(), "removed"),
            (strange, "inserted"),
            (doubled, "written twice"),
        )
        what = " and ".join(f"{_counted(number)} {how}" for number, how in done if number)
    return Difference(what, first)


def _counted(number: int) -> str:
    return "one entry was" if number == 1 else f"{number} entries were"
