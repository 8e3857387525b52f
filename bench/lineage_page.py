"""The lineage page: how large and how quick it is for 300 assets of 40 columns, and the picture that the README shows.

Belongs here: both, by a headless Chromium (`bench/browser.py`). `python -m bench.lineage_page` prints the figures;
with `--picture` it draws docs/lineage.png of the sample instead, as it was materialized (`make run`).
"""

from __future__ import annotations

import argparse
import io
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.browser import Page, browser
from bench.measuring import ROOT
from privacy_assets.build import flows, steps
from privacy_assets.gate import Gate
from privacy_assets.reports import lineage

PURPOSES, COLUMNS = 75, 40
PICTURE = ROOT / "docs" / "lineage.png"
LIT = ("raw/patients", "postcode")


def main() -> None:
    """Parse the command, do what it says."""
    parser = argparse.ArgumentParser(prog="python -m bench.lineage_page", description=__doc__)
    parser.add_argument("--picture", action="store_true", help="write docs/lineage.png of the sample")
    with tempfile.TemporaryDirectory(prefix="bench_") as made:
        if parser.parse_args().picture:
            PICTURE.write_bytes(picture(Path(made)))
            print(f"{PICTURE.name}: {PICTURE.stat().st_size:,} bytes")
        else:
            for what, figure in figures(Path(made)).items():
                print(f"{what}: {figure}")


def project(root: Path, purposes: int = PURPOSES) -> None:
    """A project of four assets a purpose, each of so many columns, all of one dataset."""
    names = [f"column_{number:02}" for number in range(COLUMNS - 1)]
    said = {"role": "sensitive", "category": "user.health_and_medical"}
    person = {"role": "direct_identifier", "category": "user.unique_id", "identifier_domain": {"name": "person_id"}}
    properties: list[dict[str, Any]] = [
        {"name": name, "logicalType": "string", "customProperties": [{"property": "privacy", "value": about}]}
        for name, about in (("person_id", person), *((name, said) for name in names))
    ]
    properties[0] |= {"required": True, "unique": True, "primaryKey": True}
    contract = {
        "apiVersion": "v3.2.0", "kind": "DataContract", "id": "people", "version": "1.0.0", "status": "active",
        "team": {"name": "bench"},
        "servers": [{"server": "file", "type": "local", "path": "people.csv", "format": "csv"}],
        "customProperties": [{"property": "privacy", "value": {
            "subject": {"kind": "person", "column": "person_id"}, "lawful_bases": ["legal_obligation"],
        }}],
        "schema": [{"name": "people", "properties": properties}],
    }  # fmt: skip
    _write(root / "data/contracts/people.odcs.yaml", contract)
    for number in range(purposes):
        name = f"purpose_{number:02}"
        needs = {column: {"why": "to be drawn", "technique": {"kind": "keep"}} for column in names}
        needs["person_id"] = {"why": "to be split by", "technique": {"kind": "token"}}
        purpose = {
            "kind": "Purpose", "purpose": name, "version": "1.0.0", "title": f"Number {number}", "why": "a large page",
            "owner": "team:bench", "lawful_basis": "legal_obligation", "retention_days": 365,
            "datasets": {"people": {"columns": needs}},
            "features": {
                "unit": "person", "key": ["person_id"], "subject": "person_id",
                "sql": f"SELECT person_id, {', '.join(names)} FROM people",
            },
            "guarantee": {"at_least_subjects": 5},
            "training": {
                "from": "features", "reason": "there is nobody in these tables",
                "split": {"train": 0.6, "validation": 0.2, "test": 0.2, "seed": 7},
            },
        }  # fmt: skip
        _write(root / f"data/purposes/{name}.yaml", purpose)


def _write(path: Path, told: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told, indent=1), encoding="utf-8")  # which is YAML


def figures(folder: Path) -> dict[str, str]:
    """What was measured, in words."""
    root = folder / "project"
    project(root)
    places = {"HOME": "home", "KEY_FILE": "guards/key", "WITNESS": "guards/witness"}
    gate = Gate.open(root, {f"PRIVACY_ASSETS_{name}": str(folder / place) for name, place in places.items()})
    graph = flows(steps(gate.project))
    began = time.perf_counter()
    file = lineage.write(gate, graph, folder / lineage.HTML)
    wrote = time.perf_counter() - began
    with browser(folder / "browser") as page:
        began = time.perf_counter()
        page.open(file)
        opened = time.perf_counter() - began
        clicks = {
            "an asset is opened": _click(page, '.node button[title="raw/people"]'),
            "a column that everything comes from is lit": _click(page, '[data-place="1"]'),
            "the same is cleared": _click(page, "#clear"),
            "the page is filtered": _timed(
                page, "const one = document.getElementById('purpose'); one.value = 'purpose_50'; "
                "one.dispatchEvent(new Event('change'))",
            ),
        }  # fmt: skip
        assert not page.complaints, page.complaints
    places_ = sum(len(made.columns) for made in graph.made.values())
    return {
        "assets and columns": f"{len(graph.made)} and {places_:,}",
        "size": f"{file.stat().st_size / 1e6:.2f} MB",
        "written in": f"{wrote:.2f} s",
        "opened in": f"{opened:.2f} s",
        **{what: f"{milliseconds:.0f} ms" for what, milliseconds in clicks.items()},
    }


def _click(page: Page, selector: str) -> float:
    return _timed(page, f"document.querySelector({json.dumps(selector)}).click()")


def _timed(page: Page, action: str) -> float:
    """Milliseconds until what the action changes is drawn."""
    return float(
        page.run(
            f"new Promise((done) => {{ const began = performance.now(); {action}; requestAnimationFrame(() => "
            "setTimeout(() => done(performance.now() - began))) })"
        )
    )


def place_of(page: Page, asset: str, column: str) -> int:
    """The number of a column among all columns of the page."""
    told = page.run("JSON.parse(document.getElementById('told').textContent)")
    every = [(one["name"], held["name"]) for one in told["assets"] for held in one["columns"]]
    return every.index((asset, column))


def picture(folder: Path) -> bytes:
    """The sample's page with a column lit, as a small PNG."""
    from PIL import Image

    gate = Gate.open(ROOT)
    file = lineage.write(gate, flows(steps(gate.project)), folder / lineage.HTML)
    with browser(folder / "browser", 1800, 700) as page:
        page.open(file)
        page.click(f'.node button[title="{LIT[0]}"]')
        page.click(f'[data-place="{place_of(page, *LIT)}"]')
        page.click("#fit")
        drawn = Image.open(io.BytesIO(page.picture())).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    out = io.BytesIO()
    drawn.save(out, "PNG", optimize=True)
    return out.getvalue()


if __name__ == "__main__":
    main()
