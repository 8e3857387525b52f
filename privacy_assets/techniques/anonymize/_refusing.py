"""What is said where a table cannot be anonymized as asked: which criterion, and the nearest that can be had."""

from __future__ import annotations

from typing import Any

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


def said(asked: Any) -> str:
    """A criterion in a few words, such as `l_diversity of ward (form distinct, l 3)`."""
    parts = [
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in asked.model_dump(exclude_none=True).items()
        if name not in ("kind", "column", "order", "hierarchy", "member")
    ]
    about = f" of {asked.column}" if getattr(asked, "column", None) else ""
    return f"{asked.kind}{about} ({', '.join(parts)})"
