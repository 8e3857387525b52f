"""How the loss of a purpose is dealt to its queries, and the one statement that counts for all of them.

Belongs here: what is decided from the declarations alone, before anything is counted. Does not belong here: drawing,
the ledger, connections.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from privacy_assets.techniques.aggregate import AGGREGATE
from privacy_assets.techniques.aggregate._bounding import bounded
from privacy_assets.techniques.aggregate._grouped import Columns
from privacy_assets.techniques.noise import Measure, Noise, rho_within, total
from privacy_assets.words import PrivacyLoss

_SHAVED = 1 - 1e-9  # what is dealt out adds up to no more than there is, whatever the rounding


@dataclass(frozen=True, slots=True)
class Plan:
    """Which mechanisms each query draws from, once each; `loss` is what all of them cost together."""

    measure: Measure
    delta: float
    mechanisms: Mapping[str, tuple[Noise, ...]]
    loss: PrivacyLoss


def planned(queries: Mapping[str, Any], *, epsilon: float, delta: float, rows: int) -> Plan:
    """Deal (ε, δ) to the queries by their weights: pure ε where δ is 0, else the ρ that implies it."""
    measure = Measure.ZCDP if delta else Measure.PURE
    whole = rho_within(epsilon, delta) if delta else epsilon
    weights = sum(query.weight for query in queries.values())
    mechanisms = {
        name: tuple(AGGREGATE[query.kind].plan(query, measure, whole * _SHAVED * query.weight / weights, rows))
        for name, query in queries.items()
    }
    losses = [noise.loss for each in mechanisms.values() for noise in each]
    return Plan(measure, delta, mechanisms, total(measure, losses, delta))


def reads(queries: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns that the queries look at, each once."""
    return tuple(dict.fromkeys(name for query in queries.values() for name in AGGREGATE[query.kind].reads(query)))


def counting(queries: Mapping[str, Any], columns: Columns) -> exp.Query:
    """All queries over `bounded` at once: `query`, `cell`, `exact_1`, `exact_2`."""
    selects = []
    for name, query in queries.items():
        select: exp.Select = AGGREGATE[query.kind].exact(query, columns)
        select.set("expressions", [exp.alias_(exp.Literal.string(name), "query", quoted=True), *select.expressions])
        selects.append(select)
    whole: exp.Query = exp.union(*selects, distinct=False) if len(selects) > 1 else selects[0]
    return whole


def statement(
    queries: Mapping[str, Any], columns: Columns, *, subject: str, key: Sequence[str], rows: int
) -> exp.Query:
    """The same over `features`, where nobody has more than `rows` rows: people are bounded once, for all queries."""
    held = bounded(reads(queries), subject, key, rows)
    found: exp.Query = counting(queries, columns).with_("bounded", as_=held, materialized=True)
    return found
