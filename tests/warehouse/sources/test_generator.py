"""The generator as a source: what it invents keeps the contract, joins, and comes again from the same seed."""

from __future__ import annotations

from dataclasses import replace

from privacy_assets.contracts.contract import Contract, Generator, IdentifierDomain, Invention
from privacy_assets.warehouse import sources
from privacy_assets.warehouse.home import Home
from privacy_assets.warehouse.versions import Versions

from .taking import column, contract, taken

PERSON = IdentifierDomain.model_validate({"name": "patient_id"})
ROWS = 3_000


def identifying(name: str, **promised: object) -> object:
    plain = column(name, **promised)  # type: ignore[arg-type]
    return replace(plain, privacy=plain.privacy.model_copy(update={"identifier_domain": PERSON}))


def invented(*held: object, seed: int = 0, rows: int = ROWS, **said: object) -> Contract:
    return contract(*held, source=Generator(Invention(rows=rows, seed=seed)), **said)  # type: ignore[arg-type]


EVERY = (
    column("sex", domain=("F", "M", "X")),
    column("children", "SMALLINT"),
    column("n", "BIGINT"),
    column("cost", "DECIMAL(10,2)"),
    column("weight", "DOUBLE"),
    column("smoker", "BOOLEAN"),
    column("birth_date", "DATE", required=True),
    column("seen", "TIMESTAMP"),
    column("at", "TIME"),
    column("town"),
)


def test_what_is_invented_keeps_the_contract(home: Home, versions: Versions) -> None:
    """Every row is in data: every type, the declared categories, keys that are unique, nothing missing that may not."""
    promised = invented(identifying("patient_id", required=True, unique=True), *EVERY, primary_key=("patient_id",))
    found = taken(promised, home, versions)
    assert found.evidence == {
        "source_rows": ROWS,
        "data_rows": ROWS,
        "quarantined_rows": 0,
        "unknown_columns": 0,
        "erased_rows": 0,
    }
    assert len({row[0] for row in found.data}) == ROWS
    held = dict(zip([name for name, _ in found.columns], zip(*found.data, strict=True), strict=True))
    assert set(held["sex"]) == {"F", "M", "X", None}
    assert None not in held["birth_date"]
    assert all(0 < sum(value is None for value in held[one.name]) < ROWS / 10 for one in EVERY if not one.required)


def test_datasets_of_one_identifier_domain_join(home: Home, versions: Versions) -> None:
    """Whoever has several rows in one has one in the other."""
    persons = taken(invented(identifying("id", required=True, unique=True), primary_key=("id",)), home, versions)
    visits = taken(invented(identifying("of_whom", required=True)), home, versions)
    known = {row[0] for row in persons.data}
    having = {row[0] for row in visits.data}
    assert having <= known
    assert len(having) < len(visits.data) == ROWS


def test_the_same_seed_gives_the_same_rows(home: Home, versions: Versions) -> None:
    """And the same digest, whether they are kept or not; another seed gives others."""
    promised = invented(*EVERY)
    first, again = taken(promised, home, versions), taken(promised, home, versions)
    assert first.data == again.data
    assert first.digest == again.digest == sources.digest(promised, home.root, home.spill, b"key")
    assert taken(invented(*EVERY, seed=1), home, versions).digest != first.digest


def test_more_rows_than_are_invented_at_once(home: Home, versions: Versions) -> None:
    """Keys go on where the last rows ended."""
    many = 250_001
    found = taken(invented(column("id", "BIGINT", unique=True), rows=many), home, versions)
    assert (len(found.data), found.data[0][0], found.data[-1][0]) == (many, 1, many)
