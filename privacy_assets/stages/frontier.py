"""What other techniques and other k would cost a purpose: a sweep over its features, of which nothing is published.

Belongs here: reading the features as the stage `anonymized` does, and looking at each candidate. Does not belong here:
drawing and deciding (`reports/frontier.py`).

The same data and the same purpose give the same points: what a technique draws, it draws by its declared seed.
"""

from __future__ import annotations

from typing import Any

from privacy_assets.contracts import anonymity
from privacy_assets.errors import BadDeclaration, NotKept
from privacy_assets.gate import Gate
from privacy_assets.reports.frontier import Point
from privacy_assets.stages.s5_anonymized import Known, anonymized, tuples_of
from privacy_assets.stages.step import showing
from privacy_assets.techniques.anonymize import ANONYMIZE
from privacy_assets.warehouse.connections import engine_errors

SIZES = (2, 3, 5, 8, 10, 15, 20, 30, 50)
"""The k that are looked at beside the purpose's own."""


def frontier(gate: Gate, name: str) -> tuple[Point, ...]:
    """One point for each technique of the purpose and each k, its other criteria as they are.

    Raises BadDeclaration where the purpose is not there or asks for no anonymity; what the gate raises for features
    that may not be read.
    """
    project = gate.project
    purpose = project.purposes.get(name)
    if purpose is None:
        raise BadDeclaration.of(
            f"there is no purpose {name!r}", expected=f"one of {', '.join(sorted(project.purposes))}"
        )
    asked, kept = purpose.anonymized, purpose.guarantee.anonymity
    if asked is None or kept is None:
        raise BadDeclaration.of(
            f"the purpose {name!r} asks for no anonymity, so there is nothing to compare",
            where=project.where("purpose", name, "guarantee"),
            next_step="declare `guarantee.anonymity` and `anonymized`",
        )
    columns = project.features(name).columns
    criteria = [each.criterion for each in anonymity.asked_of(purpose, columns)]
    of_values = sorted({criterion.column for criterion in criteria if getattr(criterion, "column", None)})
    with showing(anonymized(project, purpose, asked, kept), gate) as con, engine_errors("counting combinations"):
        known = Known(
            con,
            anonymity.quasi_identifiers(purpose, columns),
            of_values,
            anonymity.member_column(purpose),
            str(purpose.features.subject),
        )
    tuples, _ = tuples_of(purpose, asked, criteria, known)
    own = max((criterion.k for criterion in criteria if criterion.kind == "k_anonymity"), default=1)
    at_most = anonymity.suppressed_at_most(kept)
    return tuple(
        _point(technique, k, k == own, criteria, tuples, at_most)
        for technique in asked.techniques
        for k in sorted({*SIZES, own})
    )


def _point(technique: Any, k: int, own: bool, criteria: list[Any], tuples: Any, at_most: float) -> Point:
    from privacy_assets.techniques.anonymize import _quality

    others = [
        criterion.model_copy(update={"k": k}) if criterion.kind == "k_anonymity" else criterion
        for criterion in criteria
    ]
    try:
        recoding = ANONYMIZE[technique.kind].recode(technique, tuples, others, at_most)
    except NotKept as error:
        return Point(technique.kind, k, own, {}, error.faults[0].what)
    return Point(technique.kind, k, own, _quality.measures(recoding, tuples))
