"""Where Dagster starts: everything that contracts and purposes declare."""

from pathlib import Path

from privacy_assets.build import build_definitions

defs = build_definitions(Path(__file__).parent)
