"""Attacks: what it costs to try them on a release, beside another program that tries the same.

Belongs here: the six attacks that both have (`beside`), and the whole suite on tables that grow (`growth`). The release
is the one that ships with anonymeter for Adult (39,040 rows made by a CTGAN, and its 9,758 rows of control), the people
behind it the rest of Adult, of which as many are drawn, seed 7, as the control has: what singles out depends on how
many rows a table has. Larger tables repeat Adult's rows: drawn with replacement, numbers moved by up to a twentieth.
anonymeter is measured where PRIVACY_ASSETS_PEERS names a Python that has it (pip install anonymeter==1.1.0).
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

from bench.anonymity import ADULT
from bench.measuring import Clock, Row, Run, Table, in_turn, memory, peer, python_with, scratch

DATA = ADULT.parents[1]
RELEASE = DATA / "anonymeter/adults_syn_ctgan.csv"
TRIES, NEIGHBOURS = 500, 10
HALVES = ("age", "education", "marital", "sex"), ("type_employer", "occupation", "hr_per_week", "country", "race")
SECRETS = ("income", "education", "capital_gain")
SIX = (
    "singling out, univariate",
    "singling out, 3 columns",
    "linkability",
    *(f"inference of {one}" for one in SECRETS),
)
SIZES = (100_000, 1_000_000)


def rows(run: Run) -> list[Table]:
    """All tables of attacks."""
    return [beside(run), growth(run)]


def beside(run: Run) -> Table:
    """The six attacks with 500 tries each, beside anonymeter's."""
    table = Table("Attacking")
    if not RELEASE.exists():
        table.notes.append("Adult and anonymeter's release of it are not among the test data: nothing was measured.")
        return table
    python = python_with("anonymeter")
    with scratch(run, "attacks") as folder:
        sizes = _split(folder)
        ours, theirs = [], []
        for time in range(run.times):
            ours += in_turn(1, ("bench.attacks:six", {"folder": str(folder), "seed": time}))
            if python and time < 2:
                asked = folder / "asked.json"
                asked.write_text(
                    json.dumps(
                        {"folder": str(folder), "tries": TRIES, "neighbours": NEIGHBOURS, "halves": HALVES,
                         "secrets": SECRETS, "names": SIX, "seed": time}
                    )
                )  # fmt: skip
                theirs.append(peer(python, "anonymeter", asked))
    wall = statistics.median(one["wall"] for one in ours)
    other = statistics.median(one["wall"] for one in theirs) if theirs else None
    what = f"six attacks of {TRIES} tries on {sizes}"
    if other is None:
        table.rows.append(Row(what, f"{wall:.2f} s", goal="≥ 5"))
    else:
        name = f"{what}, beside {theirs[0]['name']}"
        table.rows.append(Row(name, f"{wall:.2f} s", f"{other:.1f} s", f"{other / wall:.1f}", "≥ 5", other >= 5 * wall))
        table.rows.append(
            Row("the same, CPU seconds", *_ratio([one["cpu"] for one in ours], [one["cpu"] for one in theirs]))
        )
    table.rows.append(memory("the same, peak of memory", max(one["peak"] for one in ours)))
    for name in SIX:
        risks = [one["risks"][name] for one in ours]
        median = statistics.median(risks)
        told = f"{name}: risk over the control, median of {len(risks)} seeds"
        if not theirs:
            table.rows.append(Row(told, f"{median:.3f}"))
            continue
        low, high = (statistics.mean(one["risks"][name][end] for one in theirs) for end in (1, 2))
        table.rows.append(
            Row(told, f"{median:.3f}", f"{low:.3f} to {high:.3f}", "", "inside", low - 5e-4 <= median <= high + 5e-4)
        )
    table.notes.append(
        "Both begin with the frames in memory; ours encodes them, and tries the most exposed besides. The risk is "
        "anonymeter's: (rate - control's rate) / (1 - control's rate), from 0. Its intervals are means over its runs."
    )
    return table


def _ratio(ours: list[float], theirs: list[float]) -> tuple[str, str, str]:
    own, other = statistics.median(ours), statistics.median(theirs)
    return f"{own:.2f} s", f"{other:.1f} s", f"{other / own:.1f}"


def growth(run: Run) -> Table:
    """Every attack as a purpose has it by default, on tables of more and more people."""
    table = Table("Attacking more", head=("rows of each table", "all", "peak of memory", "of it"))
    if not RELEASE.exists():
        return table
    for size in SIZES:
        if size <= run.rows:
            found = in_turn(1, ("bench.attacks:whole", {"size": size}))[0]
            parts = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in found["parts"].items())
            table.rows.append((f"{size:,}", f"{found['wall']:.1f} s", f"{found['peak']:,.0f} MiB", parts))
    table.notes.append(
        "Released, fitted and control have so many rows each, of 15 columns. Goal at a million: 5 min, 4 GiB."
    )
    return table


def _split(folder: Path) -> str:
    """Writes `released.csv`, `fitted.csv` and `control.csv`; says how large they are."""
    import polars as pl

    released = pl.read_csv(RELEASE)
    control = pl.read_csv(DATA / "anonymeter/adults_control.csv")
    everyone = _adult(control, ("adult.data", "adult.test"))
    # of several people with the same row, as many are left as the control does not have
    same = [pl.int_range(pl.len()).over(everyone.columns).alias("_which")]
    rest = everyone.with_columns(same).join(control.with_columns(same), on=[*everyone.columns, "_which"], how="anti")
    fitted = rest.drop("_which").sample(control.height, seed=7, shuffle=True)
    for name, frame in (("released", released), ("fitted", fitted), ("control", control)):
        frame.write_csv(folder / f"{name}.csv")
    return f"{released.height:,} released rows, {fitted.height:,} people and {control.height:,} of control"


def _adult(control: Any, files: tuple[str, ...]) -> Any:
    """Adult in the types of the control, without its spaces, and without the full stops of its test part."""
    import polars as pl

    frames = [
        pl.read_csv(DATA / "adult" / file, has_header=False, new_columns=control.columns, infer_schema=False)
        for file in files
    ]
    trimmed = pl.concat(frames).with_columns(pl.all().str.strip_chars(" ."))
    return trimmed.filter(pl.col("income").is_not_null()).cast(dict(control.schema))


def _domains(frames: list[Any]) -> tuple[Any, ...]:
    import polars as pl

    from privacy_assets.coded import Domain

    whole = pl.concat(frames, how="vertical_relaxed")
    return tuple(
        Domain(column.name, tuple(sorted(column.drop_nulls().unique().to_list())))
        if column.dtype == pl.String
        else Domain(column.name, low=column.min(), high=column.max())
        for column in whole
    )


def six(folder: str, seed: int) -> dict[str, Any]:
    """The six attacks, one after the other, as a suite."""
    import polars as pl

    from privacy_assets.attacks import ATTACKS
    from privacy_assets.attacks._suite import tried
    from privacy_assets.attacks._trying import EVERYONE, Target
    from privacy_assets.coded import encode

    frames = [pl.read_csv(Path(folder) / f"{name}.csv") for name in ("released", "fitted", "control")]
    domains = _domains(frames)
    asks: list[dict[str, Any]] = [
        {"kind": "singling_out"},
        {"kind": "singling_out_multivariate"},
        {"kind": "linkability", "neighbours": NEIGHBOURS, "one": HALVES[0], "other": HALVES[1]},
        {"kind": "attribute_inference"},
    ]
    names = dict(
        zip((("singling_out", ""), ("singling_out_multivariate", "3_columns"), ("linkability", "")), SIX, strict=False)
    )
    names |= {("attribute_inference", secret): f"inference of {secret}" for secret in SECRETS}
    attacks = [ATTACKS[one["kind"]].Parameters(**one, tries=TRIES) for one in asks]
    with Clock() as clock:
        coded = [encode(frame, domains) for frame in frames]
        secret = tuple(frames[0].columns.index(name) for name in SECRETS)
        found = tried(attacks, Target(*coded, (), secret), seed)
    risks = {}
    for kind, line in found:
        if line.group == EVERYONE:
            rate, control = line.succeeded / line.tried, line.control_succeeded / line.control_tried
            risks[names[kind, line.about]] = max(0.0, (rate - control) / (1 - control))
    return {**clock.taken(), "risks": risks}


def whole(size: int) -> dict[str, Any]:
    """Every attack with its defaults, of three tables of so many rows that have nothing to do with each other."""
    import numpy as np
    import polars as pl

    from privacy_assets.attacks import ATTACKS
    from privacy_assets.attacks._suite import tried
    from privacy_assets.attacks._trying import Target
    from privacy_assets.coded import Coded, encode
    from privacy_assets.words import Stage

    adult = _adult(pl.read_csv(DATA / "anonymeter/adults_control.csv"), ("adult.data", "adult.test"))
    people, generator, tables = encode(adult, _domains([adult])), np.random.default_rng(7), []
    for _ in range(3):
        codes = people.codes[generator.integers(people.rows, size=size)]
        for place, domain in enumerate(people.domains):
            if domain.ordered:
                reach = domain.size // 20
                moved = codes[:, place] + generator.integers(-reach, reach + 1, size=size)
                codes[:, place] = np.clip(moved, 0, domain.size - 1)
        tables.append(Coded(people.domains, codes))
    secret = tuple(adult.columns.index(name) for name in SECRETS)
    known = tuple(place for place in range(len(people.domains)) if place not in secret)
    target, parts, all_ = Target(*tables, known, secret), {}, Clock()
    for kind, module in ATTACKS.items():
        if module.ON is not Stage.SYNTHETIC:
            continue
        with all_, Clock() as clock:
            tried([module.Parameters(kind=kind)], target, 7)
        parts[kind] = clock.wall
    return {**all_.taken(), "parts": parts}
