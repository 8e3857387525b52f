"""SDV's TVAE: a network that writes each row as a few numbers, and another that reads them. No differential privacy.

Learns: rows that look like people's, after so many `epochs` (300 are the library's own). Does not cover: rare
categories, of which it makes too few; any bound on what is told of a person.
Source: Xu, Skoularidou, Cuesta-Infante, Veeramachaneni: "Modeling Tabular Data using Conditional GAN" (NeurIPS 2019);
the library is SDV 2, on the processor.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from privacy_assets.coded import Coded
from privacy_assets.techniques.synthesize._sdv import learned_and_drawn
from privacy_assets.weakening import Weaker
from privacy_assets.words import Frozen

SLOW = True
"""What runs it dozens of times over takes minutes, or hours."""


class Parameters(Frozen):
    """How often all rows are shown, and how many at a time."""

    kind: Literal["tvae"]
    epochs: Annotated[int, Field(ge=1, le=10_000), Weaker.MORE] = 300
    batch_size: Annotated[int, Field(ge=20, le=100_000), Weaker.ANY] = 500


def cost(parameters: Parameters) -> None:
    """No promise of differential privacy is made."""


def synthesize(parameters: Parameters, table: Coded, *, rows: int | None, rows_per_person: int, seed: int) -> Coded:
    """Rows that the second network reads out of random numbers."""

    def make(metadata: Any) -> Any:
        from sdv.single_table import TVAESynthesizer

        return TVAESynthesizer(
            metadata,
            enforce_min_max_values=False,
            enforce_rounding=False,
            epochs=parameters.epochs,
            batch_size=parameters.batch_size,
            enable_gpu=False,
        )

    return learned_and_drawn("tvae", make, table, rows, rows_per_person, seed)
