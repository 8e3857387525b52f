"""Drafts of what is no file here: a table of a real server, objects of a real store, newline-delimited JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from privacy_assets.build import steps
from privacy_assets.contracts.contract import Files, Postgres
from privacy_assets.contracts.loading import load
from privacy_assets.drafting.addresses import source_at
from privacy_assets.drafting.drafting import Drafted, draft_files
from privacy_assets.drafting.drift import drift
from privacy_assets.errors import BadDeclaration, BadSource
from privacy_assets.gate import Gate
from privacy_assets.stages.step import carry_out
from privacy_assets.words import AssetName, Role, Stage
from tests.servers import PASSWORD, PostgresServer, Store, environment_for

PEOPLE = [
    {"customer_id": f"c{number:05}", "email": f"person{number}@example.org", "age": 18 + number % 60,
     "bought": number % 3 == 0, "seen": f"2026-0{1 + number % 9}-11 10:00:00"}
    for number in range(1, 1_201)
]  # fmt: skip
ROLES = {"customer_id": Role.DIRECT_IDENTIFIER, "email": Role.DIRECT_IDENTIFIER, "age": Role.QUASI_IDENTIFIER}


@pytest.fixture(autouse=True)
def _environment(
    tmp_path: Path, environment: dict[str, str], store: Store, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    given = environment | environment_for(store)
    given |= {"AWS_ENDPOINT_URL": store.endpoint, "HOME": str(tmp_path), "AWS_CA_BUNDLE": str(store.authority.file)}  # type: ignore[union-attr]
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty project."""
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.fixture
def csv_bytes() -> bytes:
    lines = [",".join(PEOPLE[0]), *(",".join(str(value).lower() for value in one.values()) for one in PEOPLE)]
    return "\n".join(lines).encode()


def checked(drafted: Drafted, root: Path) -> None:
    """The draft says what the columns are, and the project that it makes takes every row in and pseudonymizes it."""
    found = {guess.facts.name: guess for guess in drafted.guesses}
    assert list(found) == list(PEOPLE[0])
    assert {name: found[name].role for name in ROLES} == ROLES
    assert [found[name].facts.type for name in ("age", "bought", "seen")] == ["BIGINT", "BOOLEAN", "TIMESTAMP"]
    gate = Gate.open(root)
    made = steps(gate.project)
    for asset, step in made.items():
        if asset.stage in (Stage.RAW, Stage.MINIMIZED, Stage.PSEUDONYMIZED):
            carry_out(step, gate).raise_faults()
    raw = gate.latest(AssetName(Stage.RAW, dataset="shop"))
    assert raw is not None
    assert raw.rows == len(PEOPLE)
    assert not drift("shop", root).changes, "a draft of what is there has not drifted"


@pytest.mark.needs("postgres")
def test_a_table_of_a_server(postgres: PostgresServer, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its address and certificate stand in the contract, its password nowhere."""
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    postgres.sql(
        "CREATE SCHEMA sales",
        "CREATE TABLE sales.customers_v2 AS SELECT 'c' || lpad(n::text, 5, '0') AS customer_id, "
        "'person' || n || '@example.org' AS email, 18 + n % 60 AS age, n % 3 = 0 AS bought, "
        f"timestamp '2026-01-11 10:00' + n % 9 * interval '1 month' AS seen FROM generate_series(1, {len(PEOPLE)}) n",
    )
    try:
        address = (
            f"postgres://admin@localhost:{postgres.port}/postgres/sales.customers_v2"
            f"?sslrootcert={postgres.authority.file}"
        )
        drafted = draft_files(address, "shop", root, subject=None, target="bought")
        source = load(root).contracts["shop"].source
        assert isinstance(source, Postgres)
        assert (source.schema, source.table, source.connection.user) == ("sales", "customers_v2", "admin")
        assert source.connection.sslmode == "verify-full"
        assert PASSWORD not in "".join(path.read_text() for path in drafted.paths)
        checked(drafted, root)
        postgres.sql("ALTER TABLE sales.customers_v2 ADD COLUMN shoe_size int DEFAULT 42")
        assert any("shoe_size" in change.what for change in drift("shop", root).changes)
    finally:
        postgres.sql("DROP SCHEMA sales CASCADE")


def test_objects_of_a_store(store: Store, root: Path, csv_bytes: bytes) -> None:
    """The endpoint and the name of the variable with the certificate stand in the contract."""
    store.put("drafts", {"shop/2026.csv": csv_bytes})
    drafted = draft_files("s3://drafts/shop/*.csv", "shop", root, subject=None, target="bought")
    source = load(root).contracts["shop"].source
    assert isinstance(source, Files)
    assert (source.type, source.path, source.format) == ("s3", "s3://drafts/shop/*.csv", "csv")
    assert (source.endpoint, source.connection.ca_file) == (store.endpoint, "${AWS_CA_BUNDLE}")
    checked(drafted, root)


@pytest.mark.parametrize("where", ["file", "store"])
def test_newline_delimited_json(store: Store, root: Path, where: str) -> None:
    """Here and in a store."""
    content = "\n".join(map(json.dumps, PEOPLE)).encode()
    (root / "people.ndjson").write_bytes(content)
    store.put("drafts", {"people.ndjson": content})
    given = root / "people.ndjson" if where == "file" else "s3://drafts/people.ndjson"
    drafted = draft_files(given, "shop", root, subject=None, target=None)
    source = load(root).contracts["shop"].source
    assert isinstance(source, Files)
    assert source.format == "ndjson"
    checked(drafted, root)


BAD = [
    ("postgres://me:secret@db.example/clinic/people", "can be read by everybody"),
    ("postgres://db.example/clinic/people", "cannot be read"),
    ("postgres://me@db.example/people", "cannot be read"),
    ("postgres://me@db.example:x/clinic/people", "cannot be read"),
    ("postgres://me@db.example/clinic/people?sslmode=maybe", "no such sslmode"),
    ("postgres://me@db.example/clinic/people?options=x", "not read here"),
    ("s3://bucket", "cannot be read"),
    ("https://example.org/people.csv", "not read here"),
]


@pytest.mark.parametrize(("given", "says"), BAD)
def test_an_address_that_cannot_be_read(given: str, says: str, root: Path) -> None:
    """It is not echoed, and nothing is written."""
    with pytest.raises(BadDeclaration, match=says) as caught:
        draft_files(given, "shop", root, subject=None, target=None)
    assert "secret" not in str(caught.value)
    assert not list(root.rglob("*.yaml"))


def test_what_is_less_than_verified_wants_a_reason() -> None:
    """A draft leaves the place for it; percent signs and a table without a schema are read."""
    source = source_at("postgres://a%40b@db.example/clinic/people?sslmode=require")
    assert isinstance(source, Postgres)
    assert (source.connection.user, source.schema, source.table) == ("a@b", "public", "people")
    assert source.connection.sslmode_because == "Say here why this is enough."


def test_a_store_without_a_header_says_what_to_do(store: Store, root: Path) -> None:
    """Its columns would have no names."""
    store.put("drafts", {"bare.csv": b"1,2026-01-01\n2,2026-01-02\n"})
    with pytest.raises(BadSource, match="does not name the columns"):
        draft_files("s3://drafts/bare.csv", "shop", root, subject=None, target=None)


@pytest.mark.parametrize(
    "given",
    ["s3://KEY:canary@bucket/x", "postgres:/u:canary@h/x", "postgres:u:canary@h/x", "host=h user=u password=canary",
     "postgres://u:canary@h/d/t", "postgres://u@h/d/t?password=canary", "s3://bucket/x?secret=canary"],
)  # fmt: skip
def test_a_secret_is_never_shown_however_the_address_is_misspelt(tmp_path: Path, given: str) -> None:
    """It is refused with what to do instead."""
    with pytest.raises(BadDeclaration, match="next: ") as raised:
        draft_files(given, "x", tmp_path, subject=None, target=None)
    assert "canary" not in str(raised.value)
