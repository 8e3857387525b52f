"""SDV's HMA: people with their rows in several tables. No differential privacy.

Learns: of each person's rows in a table how many they are, where they lie and how they spread, one normal distribution
a column, and correlations; of these numbers, beside the columns of the people's own table, one Gaussian copula. So it
draws people, and of each person rows that hang together. What of them is released is what the purpose's SQL makes.
Does not cover: one row after another (the order of a person's rows); what is not normal within a person, categories
above all; how many rows there are beyond a truncated normal; any bound on what is told of a person. Numbers of
single people's rows end at the smallest and largest that there is.
Source: Patki, Wedge, Veeramachaneni: "The Synthetic Data Vault" (DSAA 2016), section IV; the library is SDV 2.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from privacy_assets.techniques.synthesize._linked import Linked
from privacy_assets.techniques.synthesize._sdv import linked_and_drawn
from privacy_assets.weakening import Weaker
from privacy_assets.words import Frozen

SLOW = True
"""It fits a model for each person: minutes for a few thousand, and what runs it dozens of times over takes hours."""

LINKED = True
"""It sees the people's tables, and not their features."""


class Parameters(Frozen):
    """The family of distributions of the people's own columns, and how many people are drawn (default: as learned)."""

    kind: Literal["hma"]
    distribution: Annotated[Literal["beta", "gamma", "norm", "truncnorm", "uniform"], Weaker.ANY] = "truncnorm"
    people: Annotated[Annotated[int, Field(ge=100, le=10_000_000)] | None, Weaker.ANY] = None


def cost(parameters: Parameters) -> None:
    """No promise of differential privacy is made."""


def synthesize(parameters: Parameters, table: Linked, *, people: int | None, rows_per_person: int, seed: int) -> Linked:
    """People and their rows, drawn from the copula."""

    def make(metadata: Any) -> Any:
        from sdv.multi_table import HMASynthesizer

        synthesizer = HMASynthesizer(metadata, verbose=False)
        for name in metadata.tables:
            own = metadata.tables[name].primary_key is not None
            synthesizer.set_table_parameters(
                name,
                {
                    "enforce_min_max_values": False,
                    "enforce_rounding": False,
                    "default_distribution": parameters.distribution if own else "norm",
                },
            )
        return synthesizer

    return linked_and_drawn("hma", make, table, people or parameters.people, rows_per_person, seed)
