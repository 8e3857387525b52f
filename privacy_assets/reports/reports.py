"""The reports that there are, by kind.

Belongs here: which, and what each is for in a sentence. Does not belong here: what they tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from privacy_assets.gate import Gate
from privacy_assets.lineage.flows import Flows
from privacy_assets.reports._document import Section
from privacy_assets.reports.assessment import assessment
from privacy_assets.reports.audit import pack
from privacy_assets.reports.record import record
from privacy_assets.reports.review import review


class Kind(NamedTuple):
    """How a report is made, of all purposes or of one, and what it is for."""

    make: Callable[[Gate, Flows, str | None], Section]
    about: str


KINDS: Mapping[str, Kind] = {
    "record": Kind(record, "The record of processing activities (GDPR art. 30)."),
    "assessment": Kind(
        assessment, "The skeleton of a data-protection impact assessment, with measured facts filled in."
    ),
    "review": Kind(review, "The packet for a design review: identifiers, hops, exposure, attributes, open questions."),
    "audit": Kind(pack, "Each clause with its control, its check and the latest evidence, and what is wrong."),
}
