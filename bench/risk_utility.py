"""Risk against utility: what attacks on several releases of one table come to, beside what a model learns from them.

Belongs here: one table, and the picture of it that the README shows. Half of Adult's people (as in `synthesis`) are
learned from, a quarter are the control. Each release is attacked by all that `public_release` names but shadows, with
as many tries; told is the largest excess over everyone, at the upper end of its interval, and the area under the
curve of gradient boosting that learned `income` from the release, on 16,281 others. Two releases are no
synthesizer's: people's own rows, which tell everything, and the rows of the last quarter, which tell nothing of them.
"""

from __future__ import annotations

import io
from typing import Any

from bench.measuring import Run, Table
from bench.synthesis import ADULT, DELTA, NAMES, NUMBERS, ROWS, TARGET, _curves, _domains, _people

OWN, OTHERS = "people's own rows", "other people's rows"
RELEASES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (OWN, "", {}),
    (OTHERS, "", {}),
    ("sequential_trees", "sequential_trees", {}),
    ("gaussian_copula", "gaussian_copula", {}),
    ("marginal_tree, ε 10", "marginal_tree", {"epsilon": 10.0, "delta": DELTA, "target": TARGET}),
    ("marginal_tree, ε 1", "marginal_tree", {"epsilon": 1.0, "delta": DELTA, "target": TARGET}),
    ("marginal_tree, ε 0.1", "marginal_tree", {"epsilon": 0.1, "delta": DELTA, "target": TARGET}),
    ("independent_marginals, ε 1", "independent_marginals", {"epsilon": 1.0, "delta": DELTA}),
)
PICTURE = "risk-utility.svg"
NAMED, GAP = 0.011, 0.026
"""Where the names of points end, and how far apart they stand."""


def rows(run: Run) -> list[Table]:
    """The one table, with its picture."""
    head = ("release of Adult", "largest excess, upper end", "ceiling", "attack", "area under the curve")
    table = Table("Risk against utility", head=head)
    if not (ADULT / "adult.data").exists():
        table.notes.append("Adult is not among the test data: nothing was measured.")
        return [table]
    from privacy_assets.threat_models import THREAT_MODELS

    ceiling = THREAT_MODELS["public_release"].Parameters(kind="public_release").excess_at_most
    found = [(name, *_told(name, kind, said, min(run.rows, ROWS))) for name, kind, said in RELEASES]
    table.rows = [
        (name, f"{excess:.3f}", f"{ceiling:g}", attack, f"{curve:.3f}") for name, excess, attack, curve in found
    ]
    table.notes.append(
        "Excess: how much more often an attack succeeds on people of the release than on others, of everyone. Each "
        f"once; δ {DELTA:g}. Curve: gradient boosting learned from the release, on 16,281 others."
    )
    table.pictures[PICTURE] = _drawn([(name, excess, curve) for name, excess, _, curve in found], ceiling)
    return [table]


def _told(name: str, kind: str, said: dict[str, Any], size: int) -> tuple[float, str, float]:
    """The largest excess, of which attack, and the area under the curve of one release."""
    import numpy as np
    import polars as pl

    from privacy_assets.attacks._suite import tried
    from privacy_assets.attacks._trying import Target
    from privacy_assets.coded import decode, encode
    from privacy_assets.invariants._intervals import difference
    from privacy_assets.threat_models import THREAT_MODELS
    from privacy_assets.words import Column

    table = encode(_people("adult.data")[:size], _domains())
    order = np.random.default_rng(7).permutation(size)
    fitted, control, others = (table.take(part) for part in np.split(order, [size // 2, size // 4 * 3]))
    released = {OWN: fitted, OTHERS: others}.get(name) or _made(kind, said, fitted)
    secret = NAMES.index(TARGET)
    target = Target(released, fitted, control, tuple(at for at in range(len(NAMES)) if at != secret), (secret,))
    model = THREAT_MODELS["public_release"]
    every = model.on_synthetic(model.Parameters(kind="public_release"), (TARGET,))
    attacks = dict.fromkeys(each.attack for each in every if each.attack.kind != "shadow_releases")
    lines = [(kind, line) for kind, line in tried(list(attacks), target, 7) if line.group == "everyone" and line.tried]
    worst = {
        f"{attack} {line.about}".strip().replace("_", " "): difference(
            line.succeeded, line.tried, line.control_succeeded, line.control_tried
        ).high
        for attack, line in lines
    }
    columns = [Column(name, "BIGINT" if name in NUMBERS else "VARCHAR") for name in NAMES]
    learned = decode(released, columns).with_columns(pl.col(list(NUMBERS)).cast(pl.Int64))
    attack = max(worst, key=worst.__getitem__)
    return worst[attack], attack, _curves(learned, _people("adult.test"))[0]


def _made(kind: str, said: dict[str, Any], fitted: Any) -> Any:
    from privacy_assets.techniques.synthesize import SYNTHESIZE

    module = SYNTHESIZE[kind]
    return module.synthesize(module.Parameters(kind=kind, **said), fitted, rows=None, rows_per_person=1, seed=7)


def _drawn(points: list[tuple[str, float, float]], ceiling: float) -> bytes:
    """The picture, as SVG."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    drawn = io.BytesIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": PICTURE, "font.family": "sans-serif"}):
        figure = Figure(figsize=(8, 4.5), layout="constrained", facecolor="white")
        FigureCanvasSVG(figure)
        panel = figure.subplots()
        panel.axvspan(ceiling, 1.5, color="#d55e00", alpha=0.12, lw=0)
        panel.axvline(ceiling, color="#d55e00", lw=1.5)
        lowest = min(0.5, min(curve for *_, curve in points) - GAP)
        panel.text(ceiling * 1.06, lowest + 0.012, "not published by public_release", color="#8a3c00", fontsize=9)
        at = 1.0
        for name, excess, curve in sorted(points, key=lambda point: -point[2]):
            at = min(curve, at - GAP)  # labels stand one under another, however near the points are
            colour = "#0072b2" if excess <= ceiling else "#d55e00"
            panel.plot([excess], [curve], "o", color=colour, ms=8, zorder=3)
            panel.plot([NAMED, excess], [at, curve], color="grey", lw=0.6)
            panel.text(NAMED, at, f"{name} ", fontsize=9, ha="right", va="center")
        panel.set_xscale("log")
        panel.set_xlim(0.0015, 1.5)
        panel.set_ylim(lowest, 0.96)
        panel.set_xlabel("risk: largest excess of an attack, upper end of its 95 % interval (log)")
        panel.set_ylabel("utility: area under the curve, on real people")
        panel.grid(alpha=0.3)
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    return drawn.getvalue()
