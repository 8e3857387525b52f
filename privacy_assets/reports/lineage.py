"""The lineage as one page to look through: what each column comes from and what comes of it, and what was proven of it.

    raw │ minimized │ pseudonymized │ features │ … │ model       a node an asset, a lane a purpose
         click on a column: all that it depends on, and all that depends on it

Belongs here: which facts of the graph and of the ledger stand on the page. Does not belong here: the graph
(`lineage/flows.py`), which roles are left (`lineage/roles.py`), how the page is drawn (`lineage.js`, `lineage.css`).

The page holds declared names, counts, measured numbers and digests; no value of a person, no category of a domain, no
text of a promise, which could list them. It speaks of the ledger alone: whether files are sound is what `verify` asks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from privacy_assets.contracts.promises import Promise, promises
from privacy_assets.gate import Gate, Passport
from privacy_assets.lineage.audit import NOT_MEASURED, judged
from privacy_assets.lineage.flows import VALUE, Flows, Place
from privacy_assets.lineage.roles import Roles, carried, declared, evidence
from privacy_assets.reports import _page
from privacy_assets.words import AssetName, Role, Stage, Verdict

HTML = "lineage.html"

_ROLES = tuple(role for role in Role if role is not Role.ATTRIBUTE)


def page(gate: Gate, flows: Flows) -> bytes:
    """The page, whole: it asks nothing of any network."""
    return _drawn(told(gate, flows))


def write(gate: Gate, flows: Flows, to: Path) -> Path:
    """Write the page; raises BadDeclaration for a file inside the home."""
    path = _page.file_for(gate, to)
    _page.write(path.parent, {path.name: page(gate, flows)})
    return path


def told(gate: Gate, flows: Flows) -> dict[str, Any]:
    """All that the page says, for its script.

    Assets stand in the order of the corridor; an asset is meant by its place there, a column by its place in its asset,
    a kind of edge by its place in `kinds` (0: value). `value` are a column's direct edges (asset, column), `decides`
    its indirect ones (asset, column, kind); what decides about every column alike stands once, as `every`.
    """
    assets = list(flows.made)
    known = any(gate.latest(part) for asset in assets for part in gate.parts(asset))
    found = {asset: evidence(gate, asset) if known else declared(gate.project, asset) for asset in assets}
    roles = carried(flows, found)
    at = {(asset, column): (place, number) for asset, place, number, column in _numbered(flows)}
    kinds = sorted({kind for edges in flows.into.values() for _, kind in edges}, key=lambda kind: (kind != VALUE, kind))
    return {
        "by": "ledger" if known else "declarations",
        "stages": list(Stage),
        "roles": list(_ROLES),
        "kinds": kinds,
        "purposes": {name: purpose.title for name, purpose in gate.project.purposes.items()},
        "assets": [_asset(gate, flows, asset, roles, at, kinds) for asset in assets],
    }


def _numbered(flows: Flows) -> Iterator[tuple[AssetName, int, int, str]]:
    for place, (asset, made) in enumerate(flows.made.items()):
        for number, column in enumerate(made.columns):
            yield asset, place, number, column.name


def _asset(
    gate: Gate,
    flows: Flows,
    asset: AssetName,
    roles: Mapping[Place, Roles],
    at: Mapping[Place, tuple[int, int]],
    kinds: Sequence[str],
) -> dict[str, Any]:
    made, order = flows.made[asset], {name: place for place, name in enumerate(flows.made)}
    into = {column.name: flows.into.get((asset, column.name), set()) for column in made.columns}
    deciding = [{edge for edge in edges if edge[1] != VALUE} for edges in into.values()]
    every = set.intersection(*deciding) if deciding else set()
    columns = []
    for column in made.columns:
        edges = into[column.name]
        columns.append(
            {
                "name": column.name,
                "type": column.type,
                "role": column.role,
                "left": [_ROLES.index(role) for role in _ROLES if role in roles[asset, column.name]],
                "category": column.category,
                "technique": column.technique,
                "value": sorted(at[source] for source, kind in edges if kind == VALUE),
                "decides": sorted((*at[source], kinds.index(kind)) for source, kind in edges - every if kind != VALUE),
            }
        )
    return {
        "name": str(asset),
        "stage": list(Stage).index(asset.stage),
        "purpose": asset.purpose,
        "dataset": asset.dataset,
        "reads": sorted({order[read] for read in made.reads.values()}),
        "columns": columns,
        "every": sorted((*at[source], kinds.index(kind)) for source, kind in every),
        **_evidence(gate, asset),
    }


def _evidence(gate: Gate, asset: AssetName) -> dict[str, Any]:
    """The passport of the version that stands, and its findings; of an asset kept by day, of the last day."""
    asked = promises(gate.project, asset)
    passports = [passport for part in gate.parts(asset) if (passport := gate.latest(part))]
    if not passports:
        return {"passport": None, "days": 0, "findings": [_finding(promise, NOT_MEASURED, {}) for promise in asked]}
    return {
        "passport": _passport(gate, passports[-1]),
        "days": len(passports) if passports[-1].asset.day else 0,
        "findings": [_worst(gate, promise, passports) for promise in asked],
    }


def _worst(gate: Gate, promise: Promise, passports: Sequence[Passport]) -> dict[str, Any]:
    """What came of a promise on the first version that does not keep it, or on the last."""
    found = [_judged(gate, promise, passport) for passport in passports]
    return next((one for one in found if one["verdict"] != Verdict.KEPT), found[-1])


def _judged(gate: Gate, promise: Promise, passport: Passport) -> dict[str, Any]:
    return _finding(promise, *judged(gate, promise, passport))


def _finding(promise: Promise, verdict: str, numbers: Mapping[str, float]) -> dict[str, Any]:
    told = {name: number for name, number in numbers.items() if math.isfinite(number)}  # JSON has no others
    return {"name": promise.name, "verdict": verdict, "where": promise.where, "numbers": told}


def _passport(gate: Gate, passport: Passport) -> dict[str, Any]:
    return {
        "day": passport.asset.day,
        "version": passport.version,
        "published": f"{passport.time:%Y-%m-%d %H:%M:%S} UTC",
        "entry": passport.position,
        "rows": passport.rows,
        "erased": gate.holds_erased(passport),
        "withdrawn": any(gate.withdrawn(made) is not None for made in gate.ancestry(passport)),
        "declared": dict(passport.declared),
        "digests": {
            name: digest
            for name, digest in (
                ("content", passport.content_digest),
                ("file", passport.file_digest),
                ("code", passport.code),
                ("source", passport.source_digest),
            )
            if digest
        },
        "inputs": {str(made_from.asset): made_from.version for made_from in passport.inputs},
    }


_BY = {
    "ledger": "Roles are those that are left by the ledger: a role ends only where a finding that says so was kept on "
    "the version that stands.",
    "declarations": "Nothing is published yet. Roles are those that would be left if everything that is promised were "
    "kept; nothing of it is proven.",
}


def _drawn(facts: Mapping[str, Any]) -> bytes:
    own = files("privacy_assets.reports")
    style, script = ((own / f"lineage.{kind}").read_text("utf-8") for kind in ("css", "js"))
    body = f"""
<header>
<h1>Lineage</h1>
<p id="by">{escape(_BY[facts["by"]])}</p>
<form>
{_select("purpose", "every purpose", facts["purposes"])}
{_select("dataset", "every dataset", sorted({one["dataset"] for one in facts["assets"] if one["dataset"]}))}
{_select("role", "every role", [*facts["roles"], "none"])}
<span class="buttons"><button type="button" id="smaller" aria-label="Smaller">−</button>
<button type="button" id="larger" aria-label="Larger">+</button>
<button type="button" id="fit">Fit</button>
<button type="button" id="clear" disabled>Clear (Esc)</button></span>
<p id="status" role="status"></p>
</form>
</header>
<main id="corridor" tabindex="-1"><div id="space"><div id="sheet"></div></div></main>
<aside id="panel" aria-live="polite" tabindex="0" aria-label="Details"></aside>
<footer>
<span class="role-0"><b>D</b> direct identifier</span>
<span class="role-1"><b>Q</b> quasi-identifier</span>
<span class="role-2"><b>S</b> sensitive</span>
<span class="role-none"><b>·</b> no role is left</span>
<span><svg width="36" height="8" aria-hidden="true"><path class="edge value" d="M0 4H36"/></svg> values flow</span>
<span><svg width="36" height="8" aria-hidden="true"><path class="edge" d="M0 4H36"/></svg> decides about rows</span>
<span class="keys">Tab, arrow keys: move. Enter: light a column, open an asset. Esc: clear.</span>
</footer>
<noscript>This page draws with a script of its own; nothing is loaded from anywhere.</noscript>
{_page.data("told", facts)}"""
    return _page.document("Lineage", body, style, script)


def _select(name: str, every: str, choices: Sequence[str] | Mapping[str, str]) -> str:
    options = "".join(f'<option value="{escape(one)}">{escape(one.replace("_", " "))}</option>' for one in choices)
    return f'<label>{name} <select id="{name}"><option value="">{every}</option>{options}</select></label>'
