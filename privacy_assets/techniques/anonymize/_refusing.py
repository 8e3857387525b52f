"""What is said where a table cannot be anonymized as asked: which criterion, and the nearest that can be had."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from privacy_assets.errors import Fault, NotKept, raise_gathered
from privacy_assets.techniques.anonymize._tuples import Judge


def refuse_the_impossible(judge: Judge) -> None:
    """Raise NotKept for each criterion that not even all rows as one class keep."""
    raise_gathered(
        NotKept,
        [
            Fault(
                f"{said(asked)} cannot be kept by any recoding: not even all rows together keep it",
                expected=f"{judge.nearest(asked)}",
                found=f"{judge.tuples.number} rows",
                next_step="ask for what is possible as a new major version of the purpose, or take in more people",
            )
            for asked in judge.fails_at_the_root()
        ],
    )


def refuse(criteria: Sequence[Any], at_most: float, fewest: int, number: int) -> NoReturn:
    """Raise NotKept: each candidate suppresses more rows than may be."""
    raise NotKept.of(
        f"{', '.join(map(said, criteria))} cannot be kept within the rows that may be suppressed",
        expected=f"at most {at_most:.3%} of the rows suppressed",
        found=f"at least {fewest / max(number, 1):.3%} ({fewest} of {number} rows) in each candidate",
        next_step=f"allow `suppressed_at_most: {_rounded_up(fewest / max(number, 1))}`, ask for a weaker criterion, or "
        "leave out a quasi-identifier; each as a new major version",
    )


def said(asked: Any) -> str:
    """A criterion in a few words, such as `l_diversity of ward (form distinct, l 3)`."""
    parts = [
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in asked.model_dump(exclude_none=True).items()
        if name not in ("kind", "column", "order", "hierarchy", "member")
    ]
    about = f" of {asked.column}" if getattr(asked, "column", None) else ""
    return f"{asked.kind}{about} ({', '.join(parts)})"


def _rounded_up(share: float) -> str:
    return f"{min(share + 5e-4, 1):.3f}"
