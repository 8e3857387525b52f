"""The lineage page as Dagster sees it: an asset after all others, written when somebody asks for it by name.

Belongs here: the asset, and what Dagster is told of it. Does not belong here: the page (`reports/lineage.py`).
"""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg

from privacy_assets.gate import Gate
from privacy_assets.lineage.flows import Flows
from privacy_assets.reports import lineage
from privacy_assets.stages.asset import guarded, key_of
from privacy_assets.stages.metadata import Declared, metadata

KEY = dg.AssetKey(["reports", "lineage"])
FOLDER = "lineage"
"""Of the project, where the page is written."""


def lineage_page(flows: Flows, open_gate: Callable[[], Gate]) -> dg.AssetsDefinition:
    """The asset. It depends on all others, so that Dagster shows it as old where one of them is newer."""

    @dg.multi_asset(
        name="__".join(KEY.path),
        specs=[
            dg.AssetSpec(
                KEY,
                deps=[key_of(asset) for asset in flows.made],
                group_name="reports",
                description="What every column comes from and what comes of it, with passports and findings, as one "
                f"page: {FOLDER}/{lineage.HTML} in the project. It holds names, counts and digests, no values.",
                kinds={"html"},
            )
        ],
    )
    def written() -> dg.MaterializeResult[None]:
        def work() -> dict[str, dg.MetadataValue]:
            gate = open_gate()
            path = lineage.write(gate, flows, gate.project.root / FOLDER / lineage.HTML)
            return metadata(
                {
                    "file": Declared(f"{FOLDER}/{lineage.HTML}"),
                    "bytes": path.stat().st_size,
                    "assets": len(flows.made),
                    "columns": sum(len(made.columns) for made in flows.made.values()),
                }
            )

        return dg.MaterializeResult(asset_key=KEY, metadata=guarded(work))

    return written
