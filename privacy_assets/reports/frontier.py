"""Risk against utility: the points that a sweep found, as a table, a picture and a page, and the decision for one.

Belongs here: what people look at when they choose, and the record of what they chose. Does not belong here: looking
for the points (`stages/frontier.py`). Nothing here is a value of a person: figures, names of techniques, and the reason
that somebody gives.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from privacy_assets.errors import BadDeclaration
from privacy_assets.gate import Gate

LONGEST_REASON = 500
"""Characters of a reason that are kept."""


@dataclass(frozen=True, slots=True)
class Point:
    """One candidate: a technique and a k. `own`: this k is the purpose's. Without `measures`, `why` it cannot be."""

    technique: str
    k: int
    own: bool
    measures: Mapping[str, float]
    why: str = ""

    @property
    def risk(self) -> float:
        """The prosecutor's: the chance of finding the person who is easiest to find."""
        return self.measures["prosecutor_risk"]

    @property
    def utility(self) -> float:
        """1 - loss."""
        return 1 - self.measures["loss"]


def best(points: Sequence[Point]) -> frozenset[int]:
    """The places of the points that no other beats in risk and utility both."""
    found = [(place, point) for place, point in enumerate(points) if point.measures]
    return frozenset(
        place
        for place, point in found
        if not any(
            other.risk <= point.risk
            and other.utility >= point.utility
            and (other.risk, other.utility) != (point.risk, point.utility)
            for _, other in found
        )
    )


def decide(gate: Gate, purpose: str, point: Point, reason: str) -> int:
    """Put on record, signed, which point was chosen and why; the position of the entry.

    Raises BadDeclaration for a point that cannot be kept, and for a reason that says nothing or too much.
    """
    reason = " ".join(reason.split())
    if not point.measures:
        raise BadDeclaration.of("this point cannot be kept, so it cannot be chosen", found=point.why)
    if not 20 <= len(reason) <= LONGEST_REASON:
        raise BadDeclaration.of(
            "a decision needs its reason",
            expected=f"20 to {LONGEST_REASON} characters",
            found=f"{len(reason)} characters",
            next_step="--because says why this point and no other; name nobody in it",
        )
    return gate.ledger.append(
        {
            "action": "decide",
            "about": "frontier",
            "purpose": purpose,
            "declared": {f"purpose {purpose}@{gate.project.purposes[purpose].version}": gate.project.digest(purpose)},
            "technique": point.technique,
            "k": point.k,
            "measures": dict(point.measures),
            "reason": reason,
            "actor_claimed": gate.actor(),
        }
    )


def picture(points: Sequence[Point], purpose: str) -> bytes:
    """A PNG of risk (x) against utility (y): the same points give the same bytes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6), dpi=110)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    pareto = best(points)
    for technique in dict.fromkeys(point.technique for point in points):
        mine = [(place, point) for place, point in enumerate(points) if point.technique == technique and point.measures]
        mine.sort(key=lambda one: one[1].k)
        risks, utilities = [point.risk for _, point in mine], [point.utility for _, point in mine]
        (line,) = axes.plot(risks, utilities, marker="o", markersize=4, linewidth=1, label=technique)
        for place, point in mine:
            if place in pareto:
                axes.plot(point.risk, point.utility, "o", markersize=9, markerfacecolor="none", color=line.get_color())
            if point.own:
                axes.plot(point.risk, point.utility, "*", markersize=15, color=line.get_color())
            axes.annotate(f"k {point.k}", (point.risk, point.utility), xytext=(4, 4), textcoords="offset points",
                          fontsize=7)  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlabel("risk: the chance of finding the person who is easiest to find (1 / people of the smallest class)")
    axes.set_ylabel("utility: 1 - information loss")
    axes.set_title(f"{purpose}: risk against utility (star: the k of the purpose; ring: nothing is better in both)")
    axes.title.set_fontsize(9)
    axes.grid(alpha=0.3)
    axes.legend(title="technique")
    figure.tight_layout()
    content = io.BytesIO()
    figure.savefig(content, format="png", metadata={"Software": None})
    return content.getvalue()


def page(points: Sequence[Point], purpose: str, decisions: Sequence[Mapping[str, Any]]) -> str:
    """One HTML file with the picture, the table and what was decided; it needs nothing else."""
    pareto = best(points)
    rows = "".join(
        f"<tr><td>{place}</td><td>{point.technique}</td><td>{point.k}{' *' if point.own else ''}</td>"
        + (
            "".join(f"<td>{value}</td>" for value in cells(point))
            + f"<td>{'nothing is better in both' if place in pareto else ''}</td></tr>"
            if point.measures
            else f"<td colspan=6>{html.escape(point.why)}</td></tr>"
        )
        for place, point in enumerate(points)
    )
    decided = "".join(
        f"<li>{html.escape(one['technique'])}, k {one['k']}: {html.escape(one['reason'])}</li>" for one in decisions
    )
    image = base64.b64encode(picture(points, purpose)).decode()
    return (
        f"<!doctype html><meta charset=utf-8><title>{purpose}: frontier</title>"
        "<style>body{font:15px sans-serif;margin:2em;max-width:70em}td,th{padding:.2em .8em;text-align:left}"
        "tr:nth-child(even){background:#f4f4f4}</style>"
        f"<h1>{purpose}: risk against utility</h1><img alt='risk against utility' src='data:image/png;base64,{image}'>"
        "<table><tr><th>point<th>technique<th>k (* the purpose's)<th>risk<th>utility<th>left out<th>classes"
        f"<th>found on average<th></tr>{rows}</table><h2>Decided</h2><ul>{decided or '<li>nothing yet</li>'}</ul>"
    )


def cells(point: Point) -> tuple[str, str, str, str, str]:
    """Risk, utility, rows left out, classes, and the share of people who are found on average, as text."""
    told = point.measures
    return (
        f"{point.risk:.4f}",
        f"{point.utility:.4f}",
        f"{told['suppressed_share']:.2%}",
        f"{told['classes']:,.0f}",
        f"{told['marketer_risk']:.4f}",
    )


def decisions(gate: Gate, purpose: str) -> tuple[Mapping[str, Any], ...]:
    """What was decided about the frontier of a purpose, oldest first."""
    return tuple(
        entry.body
        for entry in gate.ledger.entries()
        if entry.body["action"] == "decide" and entry.body["purpose"] == purpose
    )
