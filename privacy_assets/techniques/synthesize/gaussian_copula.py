"""SDV's Gaussian copula: each column's distribution, and how columns go up and down together. No differential privacy.

Learns: of each column a distribution of one family, and one correlation a pair; categories count as numbers, the more
frequent the wider. Does not cover: heaps (a point that many share), what is not monotone, three columns together; any
bound on what is told of a person. The ends of some families lie near the smallest and the largest value there is.
Source: Patki, Wedge, Veeramachaneni: "The Synthetic Data Vault" (DSAA 2016); the library is SDV 2.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from privacy_assets.coded import Coded
from privacy_assets.techniques.synthesize._sdv import learned_and_drawn
from privacy_assets.weakening import Weaker
from privacy_assets.words import Frozen

SLOW = True
"""What runs it dozens of times over takes minutes, or hours."""


class Parameters(Frozen):
    """The family of distributions that is fitted to each column."""

    kind: Literal["gaussian_copula"]
    distribution: Annotated[Literal["beta", "gamma", "gaussian_kde", "norm", "truncnorm", "uniform"], Weaker.ANY] = (
        "beta"
    )


def cost(parameters: Parameters) -> None:
    """No promise of differential privacy is made."""


def synthesize(parameters: Parameters, table: Coded, *, rows: int | None, rows_per_person: int, seed: int) -> Coded:
    """Rows drawn from the copula."""

    def make(metadata: Any) -> Any:
        from sdv.single_table import GaussianCopulaSynthesizer

        return GaussianCopulaSynthesizer(
            metadata,
            enforce_min_max_values=False,
            enforce_rounding=False,
            default_distribution=parameters.distribution,
        )

    return learned_and_drawn("gaussian_copula", make, table, rows, rows_per_person, seed)
