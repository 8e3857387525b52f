"""How what people read is an asset of Dagster: after all others, written when somebody asks for it by name.

Belongs here: the frame that such assets share. Does not belong here: what is written (`reports/`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import dagster as dg

from privacy_assets.lineage.flows import Flows
from privacy_assets.stages.asset import guarded, key_of
from privacy_assets.stages.metadata import Fact, metadata


def page_asset(
    name: str, flows: Flows, about: str, kinds: set[str], write: Callable[[], Mapping[str, Fact]]
) -> dg.AssetsDefinition:
    """The asset `reports/<name>`. It depends on all others, so that Dagster shows it as old where one is newer.

    `write` writes the files, and says what Dagster is told of them.
    """
    key = dg.AssetKey(["reports", name])

    @dg.multi_asset(
        name="__".join(key.path),
        specs=[
            dg.AssetSpec(
                key,
                deps=[key_of(asset) for asset in flows.made],
                group_name="reports",
                description=f"{about} It holds names, counts and digests, no values.",
                kinds=kinds,
            )
        ],
    )
    def written() -> dg.MaterializeResult[None]:
        return dg.MaterializeResult(asset_key=key, metadata=guarded(lambda: metadata(write())))

    return written
