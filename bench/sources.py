"""Data of one's own: a CSV taken in beside the bare read, a draft, the detectors beside other programs, a new day.

Other programs are measured where PRIVACY_ASSETS_PEERS names a Python (or several, separated as in PATH) that has them
(pip install presidio-analyzer datafog-core); they are no dependency.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from bench import floors, people
from bench.measuring import Clock, Row, Run, Table, compared, in_turn, peer, python_with, scratch

CSV_ROWS, DRAFT_ROWS, PEER_ROWS, DAY_ROWS = 2_000_000, 1_000_000, 10_000, 20_000
"""At most so many rows of each; a day has as many always."""
DAYS = (3, 30)


def rows(run: Run) -> list[Table]:
    """The one table of this theme."""
    table = Table("Data of one's own")
    csv_rows, draft_rows = min(run.rows, CSV_ROWS), min(run.rows, DRAFT_ROWS)
    with scratch(run, "sources") as folder:
        where = {"folder": str(folder), "rows": csv_rows}
        taken, floor = in_turn(run.times, ("bench.sources:taken_in", where), ("bench.sources:read_csv", where))
        what = f"a CSV of {csv_rows:,} rows × 12 columns into an encrypted file, beside read_csv into the same"
        table.rows.append(compared(what, taken["wall"], floor["wall"], at_least=0.8))
        table.rows.append(compared("the same, CPU seconds", taken["cpu"], floor["cpu"]))
        drafted = in_turn(min(run.times, 3), ("bench.sources:drafted", {**where, "rows": draft_rows}))[0]
        seconds, what = drafted["wall"], f"draft of {draft_rows:,} rows × 15 columns"
        table.rows.append(Row(what, f"{seconds:.2f} s", goal="< 10 s", reached=seconds < 10))
        table.rows += _detecting(run, folder)
        table.rows += _days(folder)
    table.notes.append(
        "The floor of the CSV believes it: no quarantine, no line counted, no digest, types as the contract has them. "
        "Both begin when the process has its libraries: with its first parameter the engine imports pandas (0.25 s). "
        "Cells a second are rows × columns of the whole table, by what it takes to judge each column of it."
    )
    return [table]


def _detecting(run: Run, folder: Path) -> list[Row]:
    ours = in_turn(run.times, ("bench.sources:judged", {"folder": str(folder)}))[0]
    rate = PEER_ROWS * 12 / ours["wall"]
    what = f"detecting on {PEER_ROWS:,} × 12 cells"
    found = [Row(what, f"{rate:,.0f} cells/s", goal="≥ 500,000", reached=rate >= 5e5)]
    for module, function, least in (("presidio_analyzer", "presidio", 100.0), ("datafog_core", "datafog", 1.0)):
        python = python_with(module)
        if not python:
            continue
        taken = peer(python, function, folder / "twelve.json")
        theirs = PEER_ROWS * 12 / taken["wall"]
        found.append(
            Row(f"the same by {taken['name']}", f"{rate:,.0f} cells/s", f"{theirs:,.0f} cells/s",
                f"{rate / theirs:.1f}", f"≥ {least:g}", rate / theirs >= least)
        )  # fmt: skip
    return found


def _days(folder: Path) -> list[Row]:
    """What a new day costs, after few days and after many."""
    # fewer rows would hold too few different identifiers to be tokenized
    where = {"folder": str(folder), "rows": DAY_ROWS}
    few, many = (in_turn(1, ("bench.sources:new_day", {**where, "days": days}))[0] for days in DAYS)
    what = f"a new day of {DAY_ROWS:,} rows, raw to pseudonymized, after {DAYS[1]} days beside after {DAYS[0]}"
    return [
        compared(what, many["day"], few["day"]),
        compared("the same, with asking whether the days before are still current", many["wall"], few["wall"]),
    ]


def _csv(folder: Path, rows: int) -> Path:
    """The stays as CSV, once."""
    import duckdb

    root = people.project(folder, rows)
    path = folder / "stays.csv"
    if not path.exists():
        with duckdb.connect() as con:
            con.execute(f"COPY (FROM '{root}/data/samples/stays.parquet') TO '{path}' (FORMAT csv)")
    return path


def taken_in(folder: str, rows: int) -> dict[str, Any]:
    """The source as raw takes it in: every row judged, every line accounted for, digested before and after."""
    from privacy_assets.contracts.loading import load
    from privacy_assets.warehouse import sources
    from privacy_assets.warehouse.home import Home
    from privacy_assets.warehouse.keys import KeyFile
    from privacy_assets.warehouse.versions import Versions

    path, root = _csv(Path(folder), rows), people.project(Path(folder), rows)
    contract = root / "data/contracts/stays.odcs.yaml"
    text = contract.read_text().replace("data/samples/stays.parquet", str(path))
    contract.write_text(text.replace("format: parquet", "format: csv"))
    project = load(root)
    home = Home.open(root, people.environment(Path(folder), rows))
    versions = Versions(home, KeyFile.open(home))
    _warm()
    with versions.candidate("raw/stays") as candidate, Clock() as clock:
        with sources.opened(project.contracts["stays"], root, home.spill, candidate) as con:
            sources.read(con, project.contracts["stays"], root, b"key")
        candidate.seal()
    return clock.taken()


def _warm() -> None:
    """The engine's first parameter makes it import pandas, once in a process: a key is one, the floor writes it out."""
    import duckdb

    with duckdb.connect() as con:
        con.execute("SELECT $parameter", {"parameter": ""})


def read_csv(folder: str, rows: int) -> dict[str, Any]:
    """One statement into an encrypted file of the same version."""
    path = _csv(Path(folder), rows)
    _warm()
    with tempfile.TemporaryDirectory(dir=folder) as out, Clock() as clock:
        floors.raw(path, Path(out) / "floor.duckdb")
    return clock.taken()


def drafted(folder: str, rows: int) -> dict[str, Any]:
    """The whole command's work on 15 columns: looking, judging, writing, loading what was written."""
    import duckdb

    from privacy_assets.drafting.drafting import draft_files

    with tempfile.TemporaryDirectory(dir=folder) as root:
        path = Path(root) / "people.csv"
        with duckdb.connect() as con:
            con.execute(f"""
                COPY (
                    SELECT 'c-' || (i * 7919) AS customer_id, {people.email("i")} AS email,
                        (['Anna', 'Ben', 'Carla', 'Daniel', 'Eva'])[(hash(i) % 5 + 1)::INTEGER] || ' ' ||
                        (['Meyer', 'Smith', 'Schulz', 'Brown'])[(hash(i, 1) % 4 + 1)::INTEGER] AS name,
                        '+49 30 ' || (1000000 + i % 8999999) AS phone, (hash(i, 2) % 300) || ' Main Street' AS street,
                        10115 + hash(i, 3) % 4000 AS postcode,
                        DATE '1940-01-01' + (hash(i, 4) % 25000)::INTEGER AS born,
                        (['female', 'male', 'other'])[(hash(i, 5) % 3 + 1)::INTEGER] AS sex, hash(i, 6) % 9 AS visits,
                        (hash(i, 7) % 100000) / 7.0 AS income, hash(i, 8) % 2 = 0 AS smoker,
                        (['A1', 'B2', 'C3'])[(hash(i, 9) % 3 + 1)::INTEGER] AS segment, 'order-' || i AS order_number,
                        TIMESTAMP '2024-01-01' + to_seconds((hash(i, 10) % 50000000)::BIGINT) AS seen,
                        'they asked about the bill of last month and were told to call again' AS note
                    FROM range({rows}) t(i)
                ) TO '{path}' (FORMAT csv)
            """)
        with Clock() as clock:
            draft_files(path, "people", Path(root), subject="customer_id", target="smoker")
    return clock.taken()


def _twelve(folder: Path) -> Path:
    """Twelve columns of people as JSON lists of text, the same for every program."""
    path = folder / "twelve.json"
    if not path.exists():
        names = ["email", "phone", "name", "iban", "ip", "url", "street", "city", "born", "card", "amount", "note"]
        from faker import Faker

        fake = Faker("en_GB")
        fake.seed_instance(7)
        make = [fake.email, fake.phone_number, fake.name, fake.iban, fake.ipv4, fake.url, fake.street_address,
                fake.city, fake.date_of_birth, fake.credit_card_number, lambda: fake.pydecimal(4, 2),
                fake.sentence]  # fmt: skip
        cells = {name: [str(one()) for _ in range(PEER_ROWS)] for name, one in zip(names, make, strict=True)}
        path.write_text(json.dumps(cells))
    return path


def judged(folder: str) -> dict[str, Any]:
    """Every column of the twelve, from its cells to its guess."""
    import polars as pl

    from privacy_assets.drafting.judging import SAMPLED, Facts, judge_all

    columns = json.loads(_twelve(Path(folder)).read_text())
    judge_all([Facts("warm", "VARCHAR", 9, 9, 9, pl.Series(["a@example.org"] * 9))])
    with Clock() as clock:
        found = []
        for name, cells in columns.items():
            values = pl.Series(cells)
            sample = values.unique(maintain_order=True).head(SAMPLED)
            found.append(Facts(name, "VARCHAR", len(values), len(values), values.n_unique(), sample))
        judge_all(found)
    return clock.taken()


def new_day(folder: str, rows: int, days: int) -> dict[str, Any]:
    """A project with so many days, then one more: `day` are its steps, `wall` asking which are due as well."""
    import duckdb

    from privacy_assets.build import steps
    from privacy_assets.gate import Gate
    from privacy_assets.stages.days import due
    from privacy_assets.stages.step import carry_out
    from privacy_assets.words import AssetName, Stage

    with tempfile.TemporaryDirectory(dir=folder) as place:
        root = people.project(Path(place), rows * 10)
        contract = root / "data/contracts/stays.odcs.yaml"
        text = contract.read_text().replace("samples/stays.parquet", "samples/{day}/stays.parquet")
        contract.write_text(
            text.replace(
                "format: parquet\n",
                "format: parquet\n    customProperties:\n      - property: deliveries\n"
                '        value: {by: day, since: "2026-01-01"}\n',
            )
        )
        env = people.environment(Path(place), rows)

        def delivered(number: int) -> None:
            path = root / f"data/samples/2026-{1 + number // 28:02}-{1 + number % 28:02}/stays.parquet"
            path.parent.mkdir()
            with duckdb.connect() as con:
                con.execute(
                    f"COPY (FROM '{root}/data/samples/stays.parquet' LIMIT {rows} OFFSET {number % 10 * rows}) "
                    f"TO '{path}' (FORMAT parquet)"
                )

        def made() -> tuple[float, float]:
            gate = Gate.open(root, env)
            whole = steps(gate.project)
            with Clock() as asking:
                waiting = list(due(whole, gate, gate.project.contracts["stays"]))
            with Clock() as working:
                for one in waiting:
                    for step in one.steps:
                        carry_out(step, gate).raise_faults()
            return asking.wall, working.wall

        for number in range(days):
            delivered(number)
        gate = Gate.open(root, env)
        carry_out(steps(gate.project)[AssetName(Stage.RAW, dataset="consents")], gate).raise_faults()
        made()
        delivered(days)
        asking, working = made()
    return {"day": working, "wall": asking + working}
