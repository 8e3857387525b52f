"""SDV's CTGAN: two networks, of which one makes rows and the other tells them from people's. No differential privacy.

Learns: whatever the second network can tell, after so many `epochs`; 300 are the library's own, an hour for 30,000
rows of 15 columns on two cores. Does not cover: rare categories of small tables; any bound on what is told of a person.
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
    """How often all rows are shown, and how many at a time (in tens, as the second network looks at ten together)."""

    kind: Literal["ctgan"]
    epochs: Annotated[int, Field(ge=1, le=10_000), Weaker.MORE] = 300
    batch_size: Annotated[int, Field(ge=20, le=100_000, multiple_of=20), Weaker.ANY] = 500


def cost(parameters: Parameters) -> None:
    """No promise of differential privacy is made."""


def synthesize(parameters: Parameters, table: Coded, *, rows: int | None, rows_per_person: int, seed: int) -> Coded:
    """Rows made by the first network."""

    def make(metadata: Any) -> Any:
        from sdv.single_table import CTGANSynthesizer

        return CTGANSynthesizer(
            metadata,
            enforce_min_max_values=False,
            enforce_rounding=False,
            epochs=parameters.epochs,
            batch_size=parameters.batch_size,
            enable_gpu=False,
        )

    return learned_and_drawn("ctgan", make, table, rows, rows_per_person, seed)
