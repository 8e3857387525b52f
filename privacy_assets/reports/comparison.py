"""Synthetic rows beside the real ones: four pictures, one page, and the versions that there were.

    columns        shares of each column's values, released beside real; under differential privacy distances alone
    associations   by how much Cramér's V of each pair of columns differs
    attacks        excess of each attack with its 95 % interval, and the ceiling that it may not reach
    versions       what a model that learned from each version reaches, against the largest excess of its attacks

Belongs here: reading what a version keeps of its comparison, drawing, the page. Does not belong here: measuring
(`stages/_comparing.py`, `attacks/`). Pictures hold shares and counts, and no share of real rows of which fewer than
`FEWEST` are behind it; the same version gives the same bytes.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from privacy_assets.contracts.promises import promises
from privacy_assets.errors import BadDeclaration, Refused
from privacy_assets.gate import PERSON, Gate, Passport
from privacy_assets.invariants import attack_excess
from privacy_assets.reports import _page
from privacy_assets.reports._page import COLOURS
from privacy_assets.warehouse.connections import engine_errors, governed
from privacy_assets.words import AssetName, Stage

FEWEST = 20
"""A share of real rows with fewer than these is not shown."""

REAL, RELEASED = COLOURS[0], COLOURS[1]
HTML = "comparison.html"
MOST_EXPOSED = "most_exposed"
"""The group that is judged as counted, since it has too few people for an interval."""

MOST_PANELS = 12
"""How many columns have a panel of their own, those furthest from the real ones first."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is known of one version of synthetic rows.

    `shares` are for each column (label, released, real), real None where it is not shown, and empty where no real
    share is kept; `distances` the total variation distance of each column; `associations` (one, other, difference);
    `attacks` the finding's name with its counts and its ceiling; `fidelity` (measure, about, value, low, high);
    `versions` (version, synthesizer, largest excess, transfer or None), oldest first.
    """

    passport: Passport
    shares: Mapping[str, Sequence[tuple[str, float, float | None]]]
    distances: Mapping[str, float]
    associations: Sequence[tuple[str, str, float]]
    attacks: Sequence[tuple[str, Mapping[str, float], float]]
    fidelity: Sequence[tuple[str, str, float, float | None, float | None]]
    versions: Sequence[tuple[str, str, float, float | None]]


def comparison(gate: Gate, purpose: str) -> Comparison:
    """What the version that stands keeps of its comparison.

    Raises BadDeclaration where the purpose makes no synthetic rows, and what the gate raises for a read of them.
    """
    asset = AssetName(Stage.SYNTHETIC, purpose)
    if purpose not in gate.project.purposes or asset not in gate.project.assets():
        having = [name for name, each in gate.project.purposes.items() if each.synthetic]
        raise BadDeclaration.of(
            f"the purpose {purpose!r} makes no synthetic rows",
            expected=f"one of {', '.join(having)}" if having else "a purpose with `synthetic`",
            next_step="name one that does, or add `synthetic` to it",
        )
    return of_version(gate, gate.require(asset, PERSON))


def of_version(gate: Gate, passport: Passport) -> Comparison:
    """The same of a version that is sound."""
    with (
        governed(gate.home.spill, inputs={"held": gate.attachment(passport)}, candidate=None) as con,
        engine_errors("reading a comparison"),
    ):
        tables = {row[0] for row in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        if not {"shares", "associations", "fidelity"} <= tables:
            raise Refused.of(
                "this version keeps no comparison",
                where=f"{passport.asset} version {passport.version}",
                next_step=f"materialize {passport.asset} again",
            )
        shares: dict[str, list[tuple[str, float, float | None]]] = defaultdict(list)
        sql = 'SELECT "column", label, released, "real" FROM held.main.shares ORDER BY "column", place'
        for column, label, released, real in con.execute(sql).fetchall():
            shares[column].append((label, released, real))
        associations = con.execute("SELECT one, other, difference FROM held.main.associations").fetchall()
        fidelity = con.execute("SELECT measure, about, value, low, high FROM held.main.fidelity").fetchall()
    ceilings = {
        promise.name: promise.parameters.excess_at_most
        for promise in promises(gate.project, passport.asset)
        if promise.parameters.kind == "attack_excess"
    }
    found = [measured.finding for measured in passport.evidence if measured.finding.name in ceilings]
    return Comparison(
        passport,
        dict(shares),
        {about: value for measure, about, value, *_ in fidelity if measure == "marginals" and about},
        associations,
        [(one.about, one.numbers, ceilings[one.name]) for one in found],
        fidelity,
        [_version(one) for one in gate.history(passport.asset)],
    )


def _version(passport: Passport) -> tuple[str, str, float, float | None]:
    kinds = [name[12:-1] for name in passport.measures if name.startswith("synthesizer[")]
    findings = [each.finding.numbers for each in passport.evidence if each.finding.invariant == "attack_excess"]
    highest = max((_excess(numbers).high for numbers in findings if numbers.get("tried")), default=0.0)
    return passport.version, kinds[0] if kinds else "not recorded", highest, passport.measures.get("transfer")


def _excess(numbers: Mapping[str, float]) -> Any:
    return attack_excess.excess(numbers)


def figures(found: Comparison) -> dict[str, bytes]:
    """The pictures by name, as PNG."""
    return {
        "columns": _columns(found),
        "associations": _associations(found),
        "attacks": _attacks(found),
        "versions": _versions(found),
    }


def _columns(found: Comparison) -> bytes:
    drawn = io.BytesIO()
    if not found.shares:
        names = sorted(found.distances, key=lambda name: found.distances[name])
        with _page.figure(8, 1 + 0.35 * len(names), drawn) as figure:
            panel = figure.subplots()
            panel.barh(names, [found.distances[name] for name in names], color=RELEASED)
            panel.set_xlabel("total variation distance to the real rows (share, 0 to 1)")
            panel.grid(axis="x", alpha=0.3)
            figure.suptitle("Columns: distances alone, since shares of real rows would not be paid for")
        return drawn.getvalue()
    names = sorted(found.shares, key=lambda name: -found.distances.get(name, 0.0))[:MOST_PANELS]
    lines = -(-len(names) // 3)
    with _page.figure(12, 0.6 + 2.6 * lines, drawn) as figure:
        panels = figure.subplots(lines, 3, squeeze=False).ravel()
        for panel, name in zip(panels, names, strict=False):
            cells = found.shares[name]
            places = range(len(cells))
            panel.bar([at - 0.2 for at in places], [real or 0 for *_, real in cells], 0.4, color=REAL, label="real")
            panel.bar([at + 0.2 for at in places], [one for _, one, _ in cells], 0.4, color=RELEASED, label="released")
            for at, (*_, real) in enumerate(cells):
                if real is None:
                    panel.annotate("few", (at - 0.2, 0), ha="center", va="bottom", fontsize=6, rotation=90)
            panel.set_xticks(list(places), [label for label, *_ in cells], rotation=60, ha="right", fontsize=7)
            panel.set_title(f"{name} (distance {found.distances.get(name, 0.0):.3f})", fontsize=9)
            panel.grid(axis="y", alpha=0.3)
        for panel in panels[len(names) :]:
            panel.set_axis_off()
        panels[0].legend(fontsize=8)
        figure.supylabel("share of rows")
        figure.suptitle("Columns, released beside real: those that differ most")
    return drawn.getvalue()


def _associations(found: Comparison) -> bytes:
    names = sorted({name for one, other, _ in found.associations for name in (one, other)})
    grid = [[0.0] * len(names) for _ in names]
    for one, other, difference in found.associations:
        for first, second in ((one, other), (other, one)):
            grid[names.index(first)][names.index(second)] = difference
    drawn, side = io.BytesIO(), 2.5 + 0.45 * len(names)
    with _page.figure(side + 1, side, drawn) as figure:
        panel = figure.subplots()
        image = panel.imshow(grid, cmap="PuOr", vmin=-0.5, vmax=0.5)
        panel.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize=8)
        panel.set_yticks(range(len(names)), names, fontsize=8)
        figure.colorbar(image, label="Cramér's V, released minus real", shrink=0.8)
        figure.suptitle("Pairs of columns: lost (brown) and added (purple) association", fontsize=10)
    return drawn.getvalue()


def _attacks(found: Comparison) -> bytes:
    told = [(name, _excess(numbers), ceiling) for name, numbers, ceiling in found.attacks if numbers.get("tried")]
    drawn = io.BytesIO()
    with _page.figure(10, 1.2 + 0.3 * max(len(told), 1), drawn) as figure:
        panel = figure.subplots()
        for at, (name, excess, ceiling) in enumerate(reversed(told)):
            inside = (excess.value if name.endswith(MOST_EXPOSED) else excess.high) <= ceiling
            panel.plot([excess.low, excess.high], [at, at], color=REAL if inside else "#b00000", lw=2)
            panel.plot([excess.value], [at], "o", color=REAL if inside else "#b00000", ms=5)
            panel.plot([ceiling], [at], "|", color="black", ms=12, mew=2)
        panel.axvline(0, color="grey", lw=1)
        panel.set_yticks(range(len(told)), [name.replace("__", ", ") for name, *_ in reversed(told)], fontsize=8)
        panel.set_xlabel("excess: success on people of the release minus success on others; the bar is the ceiling")
        panel.grid(axis="x", alpha=0.3)
        figure.suptitle("Attacks, with 95 % intervals")
    return drawn.getvalue()


def _versions(found: Comparison) -> bytes:
    points = [(kind, excess, transfer) for _, kind, excess, transfer in found.versions if transfer is not None]
    kinds = list(dict.fromkeys(kind for kind, *_ in points))
    drawn = io.BytesIO()
    with _page.figure(7, 4.5, drawn) as figure:
        panel = figure.subplots()
        for place, kind in enumerate(kinds):
            own = [(excess, transfer) for name, excess, transfer in points if name == kind]
            panel.scatter(*zip(*own, strict=True), color=COLOURS[place % len(COLOURS)], label=kind, alpha=0.8)
        if points:
            _, excess, transfer = points[-1]
            panel.scatter(
                [excess], [transfer], s=220, facecolors="none", edgecolors="#b00000", lw=2, label="stands now"
            )
            panel.legend(fontsize=8)
        else:
            panel.text(0.5, 0.5, "no transfer was measured", ha="center", transform=panel.transAxes)
        panel.set_xlabel("risk: largest excess of an attack, at the upper end of its interval")
        panel.set_ylabel("utility: metric on real people")
        panel.grid(alpha=0.3)
        figure.suptitle("Versions that were published: utility against risk")
    return drawn.getvalue()


def rows(found: Comparison) -> Iterator[tuple[str, str, str]]:
    """What was compared: measure, value, interval."""
    for measure, about, value, low, high in found.fidelity:
        if value is not None:
            interval = f"{low:.4f} to {high:.4f}" if low is not None and high is not None else ""
            yield (f"{measure}: {about}" if about else measure), f"{value:.4f}", interval


def attacks(found: Comparison) -> Iterator[tuple[str, ...]]:
    """What was tried: attack, tried, succeeded, on others, excess with its interval, ceiling."""
    for name, numbers, ceiling in found.attacks:
        if not numbers.get("tried"):
            continue
        excess = _excess(numbers)
        counts = (f"{numbers[key]:,.0f}" for key in ("tried", "succeeded", "control_succeeded"))
        interval = f"{excess.low:+.3f} to {excess.high:+.3f}"
        yield name.replace("__", ", "), *counts, f"{excess.value:+.3f}", interval, f"{ceiling:g}"


def page(found: Comparison) -> bytes:
    """The whole report as one HTML file, with the pictures in it; it asks nothing of any network."""
    drawn, passport = figures(found), found.passport
    alt = {
        "columns": "Shares or distances of each column, as in the table of what was compared",
        "associations": "Differences of association of each pair of columns",
        "attacks": "Excess of each attack with its interval and ceiling, as in the table of attacks",
        "versions": "Utility against risk of every version, as in the table of versions",
    }
    heads = ("attack", "tried", "succeeded", "on others", "excess", "95 %", "at most")
    versions = [
        (version, kind, f"{excess:.3f}", "" if transfer is None else f"{transfer:.4f}")
        for version, kind, excess, transfer in found.versions
    ]
    body = f"""
{
        _page.table(
            ("", ""),
            [
                ("version", passport.version),
                ("ledger entry", str(passport.position)),
                ("published", f"{passport.time:%Y-%m-%d %H:%M} UTC"),
                ("rows", f"{passport.rows:,}"),
            ],
        )
    }
<h2>Attacks</h2>
<p>Each was tried on people whom the rows were made from, and on others of the same population whom they were not made
from. What succeeds as often on others tells nothing of the release; the excess is what could have come from it.</p>
{_page.picture(alt["attacks"], drawn["attacks"])}
{_page.table(heads, attacks(found))}
<h2>Likeness</h2>
{_page.picture(alt["columns"], drawn["columns"])}
{_page.picture(alt["associations"], drawn["associations"])}
{_page.table(("measure", "value", "95 %"), rows(found))}
<h2>Versions</h2>
{_page.picture(alt["versions"], drawn["versions"])}
{
        _page.table(
            ("version", "synthesizer", "largest excess", "transfer"),
            versions,
            [one[0] == passport.version for one in versions],
        )
    }"""
    return _page.page(f"Synthetic rows beside the real ones: {passport.asset.purpose}", body)


def write(gate: Gate, found: Comparison, to: Path | None) -> tuple[Path, ...]:
    """Write page and pictures; raises BadDeclaration for a folder inside the home."""
    folder = _page.folder_for(gate, "comparison", found.passport.asset.purpose, to)
    pictures = {f"{name}.png": png for name, png in figures(found).items()}
    return _page.write(folder, {HTML: page(found), **pictures})
