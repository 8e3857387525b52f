"""The reports as Dagster sees them: an asset for each kind.

Belongs here: the assets, and what Dagster is told of them. Does not belong here: the reports (`reports/`), what all
such assets share (`_pages.py`).
"""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg

from privacy_assets.gate import Gate
from privacy_assets.lineage.flows import Flows
from privacy_assets.reports import _document
from privacy_assets.reports.reports import KINDS, Kind
from privacy_assets.stages._pages import page_asset
from privacy_assets.stages.metadata import Declared, Fact

FOLDER = "reports"
"""Of the project, where they are written."""


def report_pages(flows: Flows, open_gate: Callable[[], Gate]) -> list[dg.AssetsDefinition]:
    """One asset for each kind of report, about all purposes."""
    return [_page(name, kind, flows, open_gate) for name, kind in KINDS.items()]


def _page(name: str, kind: Kind, flows: Flows, open_gate: Callable[[], Gate]) -> dg.AssetsDefinition:
    def write() -> dict[str, Fact]:
        gate = open_gate()
        paths = _document.write(gate, name, kind.make(gate, flows, None), gate.project.root / FOLDER)
        return {
            **{path.suffix[1:]: Declared(f"{FOLDER}/{path.name}") for path in paths},
            "bytes": sum(path.stat().st_size for path in paths),
            "purposes": len(gate.project.purposes),
        }

    about = f"{kind.about} Of all purposes: {FOLDER}/{name}.html and {FOLDER}/{name}.md in the project."
    return page_asset(name, flows, about, {"html", "markdown"}, write)
