"""Lineage: what a question to the graph costs, and what a comparison of two states, on a project of many assets."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from bench.measuring import Clock, Row, Run, Table, alone, scratch

ASSETS, COLUMNS = 300, 40
"""As many assets, of so many columns each, as the generated project has at least."""
ASKING = 2.0
"""Goal: seconds of one answer, after definitions are loaded."""

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: bench-{name}
version: 1.0.0
team: {{name: bench}}
servers: [{{server: file, type: local, path: "{name}.csv", format: csv}}]
customProperties:
  - property: privacy
    value:
      subject: {{kind: person, column: person_id}}
      lawful_bases: [public_task]
schema:
  - name: {name}
    properties:
      - name: person_id
        logicalType: string
        primaryKey: true
        customProperties:
          - property: privacy
            value: {{role: direct_identifier, category: user.unique_id, identifier_domain: {{name: person_id}}}}
"""
COLUMN = """\
      - name: {name}
        logicalType: integer
        customProperties:
          - property: privacy
            value: {{role: {role}, category: user.account}}
"""
PURPOSE = """\
kind: Purpose
purpose: {name}
version: {version}
title: What is measured
why: To know what it costs
owner: team:bench
lawful_basis: public_task
retention_days: {days}
datasets:
  {name}_data:
    columns:
      person_id: {{why: keeps a person's rows together, technique: {{kind: token}}}}
{needs}
features: {{unit: person, key: [person_id], subject: person_id}}
guarantee:
  anonymity: {{criteria: [{{kind: k_anonymity, k: {k}}}]}}
anonymized: {{techniques: [{{kind: mondrian}}]}}
training: {{from: anonymized}}
"""
ROLES = ("quasi_identifier", "attribute", "sensitive", "attribute")


def rows(run: Run) -> list[Table]:
    """The one table of this theme."""
    purposes = max(2, min(ASSETS, run.rows // 100) // 6)
    with scratch(run, "lineage") as folder:
        for name, changed in (("base", False), ("head", True)):
            _write(folder / name, purposes, changed=changed)
        found = alone("bench.lineage:asked", folder=str(folder), times=run.times)
    size = f"{found['assets']:,} assets, {found['columns']:,} columns"
    what = {
        "impact": "impact of a column",
        "impact_all": "impact of a technique that every purpose uses",
        "one": "diff, one purpose changed",
        "all": "diff, every purpose changed",
    }
    table = Table(f"Lineage of {size}")
    table.rows.append(Row("load the declarations", f"{found['load']:.2f} s"))
    table.rows.append(Row("make the steps and their graph", f"{found['steps']:.2f} s"))
    for name, said in what.items():
        seconds = found[name]
        table.rows.append(Row(said, f"{seconds:.2f} s", goal=f"< {ASKING:g} s", reached=seconds < ASKING))
    table.notes.append(
        "Each question is asked of declarations that are loaded and a graph that is made; a diff has two of both. A "
        "changed purpose has another k, another retention and a column more."
    )
    return [table]


def _write(root: Path, purposes: int, *, changed: bool) -> None:
    for folder in ("data/contracts", "data/purposes"):
        (root / folder).mkdir(parents=True)
    columns = [(f"c{number:02}", ROLES[number % len(ROLES)]) for number in range(COLUMNS)]
    for number in range(purposes):
        name = f"p{number:03}"
        text = CONTRACT.format(name=f"{name}_data") + "".join(
            COLUMN.format(name=one, role=role) for one, role in columns
        )
        (root / f"data/contracts/{name}_data.odcs.yaml").write_text(text)
        (root / f"data/purposes/{name}.yaml").write_text(_purpose(name, [one for one, _ in columns], changed=changed))


def _purpose(name: str, columns: list[str], *, changed: bool) -> str:
    taken = columns if changed else columns[:-1]
    needs = "\n".join(f"      {one}: {{why: it is measured, technique: {{kind: keep}}}}" for one in taken)
    version, days, k = ("2.0.0", 400, 5) if changed else ("1.0.0", 300, 10)
    return PURPOSE.format(name=name, version=version, days=days, k=k, needs=needs)


def asked(folder: str, times: int) -> dict[str, Any]:
    """Seconds of each, the median of so many; and how large the graph is."""
    import statistics

    from privacy_assets.build import flows, steps
    from privacy_assets.contracts.loading import load
    from privacy_assets.lineage.diff import Side, diff
    from privacy_assets.lineage.roles import carried, declared
    from privacy_assets.reports.impact import impact

    began = time.perf_counter()
    project = load(Path(folder) / "head")
    loaded = time.perf_counter()
    graph = flows(steps(project))
    made = time.perf_counter()

    def side(root: Path) -> Side:
        found = load(root)
        return Side(found, flows(steps(found)))

    base, head = side(Path(folder) / "base"), Side(project, graph)
    name = next(iter(project.purposes))
    path = Path(folder) / "base" / f"data/purposes/{name}.yaml"
    kept = path.read_text()
    path.write_text((Path(folder) / "head" / f"data/purposes/{name}.yaml").read_text())
    nearly = side(Path(folder) / "base")
    path.write_text(kept)

    def of(asked: str) -> None:
        roles = carried(graph, {asset: declared(project, asset) for asset in graph.made})
        impact(project, graph, asked, roles)

    questions = {
        "impact": lambda: of(f"raw/{name}_data.c00"),
        "impact_all": lambda: of("token"),
        "one": lambda: diff(base, nearly, "base"),
        "all": lambda: diff(base, head, "base"),
    }
    found: dict[str, Any] = {"load": loaded - began, "steps": made - loaded}
    with Clock() as clock:
        for what, question in questions.items():
            taken = []
            for _ in range(times):
                since = time.perf_counter()
                question()
                taken.append(time.perf_counter() - since)
            found[what] = statistics.median(taken)
    columns = sum(len(one.columns) for one in graph.made.values())
    return {**clock.taken(), **found, "assets": len(graph.made), "columns": columns}
