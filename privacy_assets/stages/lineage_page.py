"""The lineage page as Dagster sees it.

Belongs here: the asset, and what Dagster is told of it. Does not belong here: the page (`reports/lineage.py`), what all
such assets share (`_pages.py`).
"""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg

from privacy_assets.gate import Gate
from privacy_assets.lineage.flows import Flows
from privacy_assets.reports import lineage
from privacy_assets.stages._pages import page_asset
from privacy_assets.stages.metadata import Declared, Fact

KEY = dg.AssetKey(["reports", "lineage"])
FOLDER = "lineage"
"""Of the project, where the page is written."""


def lineage_page(flows: Flows, open_gate: Callable[[], Gate]) -> dg.AssetsDefinition:
    """The asset."""

    def write() -> dict[str, Fact]:
        gate = open_gate()
        path = lineage.write(gate, flows, gate.project.root / FOLDER / lineage.HTML)
        return {
            "file": Declared(f"{FOLDER}/{lineage.HTML}"),
            "bytes": path.stat().st_size,
            "assets": len(flows.made),
            "columns": sum(len(made.columns) for made in flows.made.values()),
        }

    about = (
        "What every column comes from and what comes of it, with passports and findings, as one page: "
        f"{FOLDER}/{lineage.HTML} in the project."
    )
    return page_asset("lineage", flows, about, {"html"}, write)
