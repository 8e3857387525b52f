"""splits_filled: each of train, validation and test has rows, and there is no other split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from sqlglot import exp

from privacy_assets.invariants._asking import ColumnName, ask, judged, legal, named
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("train", "validation", "test", "other")
NEXT_STEP = "take in more people, or deal larger shares to the split that is empty"


class Parameters(Frozen):
    """The split's column."""

    kind: Annotated[Literal["splits_filled"], Weaker.ELSEWHERE]
    split: Annotated[ColumnName, Weaker.ANY]


def about(parameters: Parameters) -> str:
    """The split column."""
    return legal(parameters.split)


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts the rows of each split, and those of none of the three."""
    return ask(
        """SELECT count_if($split = 'train') AS "train",
                  count_if($split = 'validation') AS "validation",
                  count_if($split = 'test') AS "test",
                  count_if(coalesce($split NOT IN ('train', 'validation', 'test'), TRUE)) AS "other"
           FROM $output""",
        output=output,
        split=named(parameters.split),
    )


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept if all three have rows and nothing stands outside them."""
    return judged(
        "splits_filled",
        about(parameters),
        "rows in each of train, validation and test, and in no other split",
        numbers,
        NUMBERS,
        lambda found: all(found[split] > 0 for split in NUMBERS[:3]) and found["other"] == 0,
        evidence=None,
    )
