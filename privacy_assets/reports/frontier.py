"""Risk against utility of a purpose's anonymization: the points, one figure, one page, and what was decided by them.

    utility          1 - loss, the loss of Iyengar (KDD 2002): 1 keeps every value, 0 keeps none
    prosecutor risk  1 / people of the smallest class
    marketer risk    classes / people

Belongs here: how points are drawn and told, where the files may lie, decisions as the ledger holds them. Does not
belong here: how points are found (`stages/frontier.py`), what figures mean (`techniques/anonymize/_quality.py`).
Neither figure nor page holds a value of a person or anything from outside; the same points and decisions give the same
bytes.
"""

from __future__ import annotations

import io
import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from privacy_assets.gate import Gate
from privacy_assets.ledger.log import Entry
from privacy_assets.reports import _page
from privacy_assets.reports._page import COLOURS

DECIDE = "decide"
"""The action of a ledger entry that keeps a decision."""

RISKS = ("prosecutor", "marketer")
"""Whose risk is looked at, each against utility for itself."""

PNG, HTML = "frontier.png", "frontier.html"

TICKS = [lead * 10**-power for power in range(6, 0, -1) for lead in (1, 2, 5)] + [1]
"""The risks that are written at a logarithmic axis."""

OFFSETS = ((8, 7), (8, -13), (-8, 7), (-8, -13))
"""Where a point's number stands beside it, by technique, in points of 1/72 inch."""

MARKERS = ("o", "s", "^", "D", "v", "P")


@dataclass(frozen=True, slots=True)
class Point:
    """One technique with one k, and what comes of it.

    `k` is None where no k is asked for. `figures` are empty where it cannot be kept, and `why` says what stands in the
    way. `declared`: the purpose says exactly this; `current`: of these it is the one that is taken. `optimal` names the
    risks (`RISKS`) of which no other point has as little with as much utility, and less of it, or more utility.
    """

    number: int
    technique: str
    parameters: Mapping[str, Any]
    k: int | None
    figures: Mapping[str, float]
    why: tuple[str, ...] = ()
    declared: bool = False
    current: bool = False
    optimal: tuple[str, ...] = ()

    @property
    def kept(self) -> bool:
        """Whether every criterion is kept."""
        return bool(self.figures)

    @property
    def utility(self) -> float:
        """1 - loss."""
        return 1 - self.figures["loss"]

    @property
    def risks(self) -> tuple[float, float]:
        """The prosecutor's and the marketer's."""
        return self.figures["prosecutor_risk"], self.figures["marketer_risk"]

    @property
    def said(self) -> str:
        """The point in a few words, such as `local (seed 0), k 5`."""
        more = ", ".join(f"{name} {value}" for name, value in self.parameters.items())
        return self.technique + (f" ({more})" if more else "") + (f", k {self.k}" if self.k is not None else "")

    @property
    def marks(self) -> str:
        """What is special about it, in words."""
        optimal = f"Pareto-optimal: {' and '.join(self.optimal)}" if self.optimal else ""
        return "; ".join(word for word in ("taken now" if self.current else "", optimal) if word)


@dataclass(frozen=True, slots=True)
class Frontier:
    """All points of one purpose, and what they were computed from.

    `declared` is the purpose with its version, `digest` that of its text, `features` the version that was read,
    `beside` the criteria that are the same for every point, in words, `metric` the model's figure, if there is one.
    """

    purpose: str
    declared: str
    digest: str
    features: str
    beside: tuple[str, ...]
    suppressed_at_most: float
    seed: int | None
    points: tuple[Point, ...]
    metric: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Who chose which point of which purpose, and why, as the ledger holds it."""

    position: int
    time: datetime
    declared: str
    digest: str
    said: str
    utility: float
    risks: tuple[float, float]
    reason: str
    actor: str

    @classmethod
    def parse(cls, entry: Entry) -> Decision:
        """From its ledger entry."""
        body, figures = entry.body, entry.body["figures"]
        point = Point(body["number"], body["technique"], body["parameters"], body["k"], figures)
        name = f"{body['purpose']}@{body['version']}"
        told = (name, body["digest"], point.said, point.utility, point.risks)
        return cls(entry.position, entry.time, *told, body["reason"], body["actor_claimed"])


def decisions(gate: Gate, purpose: str) -> tuple[Decision, ...]:
    """What was decided for a purpose, the latest first."""
    found = (one for one in gate.ledger.entries() if one.body["action"] == DECIDE and one.body["purpose"] == purpose)
    return tuple(map(Decision.parse, found))[::-1]


def columns(frontier: Frontier) -> tuple[str, ...]:
    """What the table of points is headed."""
    more = (f"{frontier.metric} on validation",) if frontier.metric else ()
    return ("no.", "technique", "k", "utility", "prosecutor risk", "marketer risk", "suppressed", *more, "")


def rows(frontier: Frontier) -> Iterator[tuple[str, ...]]:
    """The table of points, as text; of what cannot be kept the reason is the last cell."""
    for point in frontier.points:
        technique = Point(0, point.technique, point.parameters, None, {}).said
        head = str(point.number), technique, "-" if point.k is None else str(point.k)
        more = 1 if frontier.metric else 0
        if not point.kept:
            yield (*head, *("-",) * (4 + more), "cannot be kept: " + "; ".join(point.why))
            continue
        prosecutor, marketer = point.risks
        learned = point.figures.get("model")
        yield (
            *head,
            f"{point.utility:.4f}",
            f"{prosecutor:.2%}",
            f"{marketer:.2%}",
            f"{point.figures['suppressed_share']:.2%}",
            *(("-" if learned is None else f"{learned:.4f}",) * more),
            point.marks,
        )


def figure_png(points: Sequence[Point]) -> bytes:
    """Both risks against utility as one PNG; points that cannot be kept are not in it."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    kept = [point for point in points if point.kept]
    kinds = list(dict.fromkeys(point.technique for point in points))
    styles = dict(zip(kinds, itertools.cycle(zip(COLOURS, MARKERS, strict=True)), strict=False))
    drawn = io.BytesIO()
    with _page.figure(11, 5, drawn) as figure:
        panels = figure.subplots(1, 2, sharey=True)
        titles = (
            "prosecutor risk: 1 / people of the smallest class (%)",
            "marketer risk: classes / people (%)",
        )
        for place, (panel, title) in enumerate(zip(panels, titles, strict=True)):
            panel.set_xlabel(title)
            panel.grid(alpha=0.3)
            if kept and all(point.risks[place] > 0 for point in kept):
                panel.set_xscale("log")
                panel.xaxis.set_major_locator(FixedLocator(TICKS))
                panel.xaxis.set_minor_locator(NullLocator())
                risks = [point.risks[place] for point in kept]
                # as wide as two ticks at least
                below = max((tick for tick in TICKS if tick < min(risks)), default=min(risks))
                above = min((tick for tick in TICKS if tick > max(risks)), default=max(risks))
                panel.set_xlim(below * 0.9, above * 1.15)
            panel.xaxis.set_major_formatter(FuncFormatter(lambda risk, _: f"{100 * risk:g}%"))
            for technique, (colour, marker) in styles.items():
                own = sorted((one.risks[place], one.utility) for one in kept if one.technique == technique)
                if own:
                    panel.plot(*zip(*own, strict=True), color=colour, marker=marker, alpha=0.7, lw=1, label=technique)
            for label, chosen, ring in (
                ("Pareto-optimal", [one for one in kept if RISKS[place] in one.optimal], (11, "black", 1.2)),
                ("taken now", [one for one in kept if one.current], (17, "#b00000", 2.2)),
            ):
                size, colour, width = ring
                if chosen:
                    xs, ys = [one.risks[place] for one in chosen], [one.utility for one in chosen]
                    panel.scatter(
                        xs, ys, s=size**2, facecolors="none", edgecolors=colour, linewidths=width, label=label
                    )
            at: dict[tuple[str, float, float], list[int]] = defaultdict(list)
            for point in kept:
                at[point.technique, round(point.risks[place], 6), round(point.utility, 6)].append(point.number)
            for (technique, *where), numbers in at.items():
                beside = OFFSETS[kinds.index(technique) % len(OFFSETS)]
                panel.annotate(
                    ", ".join(map(str, numbers)), where, xytext=beside, textcoords="offset points", fontsize=8,
                    color=styles[technique][0], ha="left" if beside[0] > 0 else "right",
                )  # fmt: skip
            if not kept:
                panel.text(0.5, 0.5, "no point can be kept", ha="center", transform=panel.transAxes)
        panels[0].set_ylabel("utility: 1 - information loss (share, 0 to 1)")
        if kept:
            panels[1].legend(loc="best", fontsize=8)
        figure.suptitle("Risk against utility; numbers are those of the table")
    return drawn.getvalue()


def page(frontier: Frontier, decided: Sequence[Decision] = ()) -> bytes:
    """The whole report as one HTML file, with the figure in it; it asks nothing of any network."""
    alt = "Both risks against utility, point by point, as in the table"
    now = [point.current for point in frontier.points]
    beside = "; ".join(frontier.beside) or "none"
    facts = (
        ("purpose", frontier.declared),
        ("digest of the purpose", frontier.digest),
        ("computed from", frontier.features),
        ("criteria beside k", beside),
        ("rows that may be suppressed", f"at most {frontier.suppressed_at_most:.2%}"),
        ("seed", "each technique's own" if frontier.seed is None else str(frontier.seed)),
    )
    history = _page.table(
        ("ledger entry", "when", "of", "point", "utility", "prosecutor risk", "marketer risk", "reason", "by"),
        [_told(one, frontier) for one in decided],
    )
    return _page.page(
        f"Risk against utility: {frontier.purpose}",
        f"""{_page.table(("", ""), facts)}
{_page.picture(alt, figure_png(frontier.points))}
<p>Utility is 1 - information loss: 1 keeps every value, 0 keeps none. Prosecutor risk is that of the person who is
easiest found, by one who knows that they are in the table; marketer risk is the share of people who are found on
average. A point is Pareto-optimal for a risk where no other has as little of it and as much utility, and less or more
of one. Both risks are models of an attacker who knows quasi-identifiers and nothing else.</p>
{_page.table(columns(frontier), rows(frontier), now)}
<h2>Decisions</h2>
{history if decided else "<p>None yet.</p>"}""",
    )


def _told(one: Decision, frontier: Frontier) -> tuple[str, ...]:
    of = one.declared if one.digest == frontier.digest else f"{one.declared}, whose text was another"
    figures = f"{one.utility:.4f}", *(f"{risk:.2%}" for risk in one.risks)
    return str(one.position), f"{one.time:%Y-%m-%d %H:%M} UTC", of, one.said, *figures, one.reason, one.actor


def folder_for(gate: Gate, purpose: str, to: Path | None) -> Path:
    """Where the files go: `to`, or `frontier/<purpose>` in the project. Raises BadDeclaration inside the home."""
    return _page.folder_for(gate, "frontier", purpose, to)


def write(folder: Path, frontier: Frontier, decided: Sequence[Decision]) -> tuple[Path, ...]:
    """Write the figure and the page into the folder, in the place of older ones."""
    return _page.write(folder, {PNG: figure_png(frontier.points), HTML: page(frontier, decided)})
