"""Each column by itself: noisy counts of its values, under differential privacy. The baseline.

Learns: how often each value of each column is. Does not cover: anything between columns; what is drawn has none of it.
Sensitivities stand beside the counts (`_one_way`), what is spent in `_spending`.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from privacy_assets.coded import Coded
from privacy_assets.techniques.synthesize import _drawing, _one_way
from privacy_assets.techniques.synthesize._drawing import Ladder
from privacy_assets.techniques.synthesize._spending import Account, Private
from privacy_assets.techniques.synthesize._spending import cost as cost


class Parameters(Private):
    """What it may cost, for all columns together."""

    kind: Literal["independent_marginals"]


def synthesize(parameters: Parameters, table: Coded, *, rows: int | None, rows_per_person: int, seed: int) -> Coded:
    """Rows whose columns know nothing of each other. Noise takes no seed."""
    account = Account(parameters)
    histograms = _one_way.counted_all(table, rows_per_person, account, 1.0)
    total = _one_way.total(histograms)
    generator = _drawing.fresh()
    nobody = np.zeros(round(total) if rows is None else rows, dtype=np.int64)
    columns = [Ladder.of(histogram.shares(total)[None]).draw(nobody, generator) for histogram in histograms]
    return Coded(table.domains, np.stack(columns, axis=1).astype(np.int32))
