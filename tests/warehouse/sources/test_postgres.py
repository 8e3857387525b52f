"""PostgreSQL as a source: a real server, verified TLS, one snapshot, and no secret or value in an error."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from privacy_assets.contracts.contract import ROW, Postgres, PostgresConnection
from privacy_assets.errors import BadSource
from privacy_assets.warehouse import sources
from privacy_assets.warehouse.home import Home
from privacy_assets.warehouse.versions import Versions
from tests.servers import PASSWORD, Authority, PostgresServer, free_port

from .taking import Taken, column, contract, taken

pytestmark = pytest.mark.needs("postgres")

CANARY = "canary-91c4"
PEOPLE = (
    column("id", required=True),
    column("born", "DATE"),
    column("score", "DECIMAL(6,2)"),
    column("visits", "INTEGER"),
    column("seen", "TIMESTAMP"),
    column("weight", "DOUBLE"),
    column("smoker", "BOOLEAN"),
    column("town", domain=("Bonn", "Köln")),
)


@pytest.fixture(scope="module")
def server(postgres: PostgresServer) -> Iterator[PostgresServer]:
    postgres.sql(
        f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'",
        "CREATE TABLE people (id text, born date, score numeric(6,2), visits int, seen timestamptz, "
        "weight double precision, smoker boolean, town text)",
        """INSERT INTO people SELECT 'p' || lpad(g::text, 5, '0'), date '1960-01-01' + g, g * 0.5, g,
           timestamptz '2026-01-01 12:00+02' + g * interval '1 hour', g / 8.0, g % 2 = 0,
           CASE WHEN g % 2 = 0 THEN 'Bonn' ELSE 'Köln' END FROM generate_series(1, 1000) g""",
        f"INSERT INTO people (id, born, town) VALUES ('p90001', 'infinity', '{CANARY}'), (NULL, NULL, 'Bonn')",
        "CREATE VIEW adults AS SELECT id, born FROM people WHERE born < '1961-01-01'",
        'CREATE SCHEMA "an odd" CREATE TABLE "ta\'ble" (id text, "a, b" uuid, tags text[])',
        "INSERT INTO \"an odd\".\"ta'ble\" VALUES ('x', '00000000-0000-0000-0000-000000000001', '{q,\"r s\"}')",
        "CREATE DOMAIN amount AS numeric",
        "CREATE TABLE odd (id numeric, fee numeric(12,2), total numeric(40,10), any_fee amount, many numeric[], "
        "seen timestamp, weight double precision)",
        "INSERT INTO odd VALUES "
        "(10, 1.50, 12345678901234567904.1234567891, 0.10, '{1.10,NaN}', '2026-11-01 10:00', 1), "
        "(11, 'NaN', 'NaN', 'NaN', NULL, '294276-12-31 23:59:59.999999', 'NaN'), "
        "(12, 2, 2, 2, '{}', '0044-03-15 BC', 'Infinity'), (13, 3, 3, 3, '{}', '-infinity', 3), "
        "(14, NULL, NULL, NULL, NULL, NULL, NULL)",
        "GRANT SELECT ON people, adults, odd TO reader",
        "CREATE TABLE secret (id text)",
        "CREATE TABLE empty (id text)",
        "GRANT SELECT ON empty TO reader",
    )
    yield postgres
    postgres.sql('DROP SCHEMA "an odd" CASCADE', "DROP VIEW adults", "DROP TABLE people, secret, empty, odd",
                 "DROP DOMAIN amount",                 "DROP OWNED BY reader", "DROP ROLE reader")  # fmt: skip


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLINIC_PASSWORD", PASSWORD)
    monkeypatch.setenv("HOME", str(tmp_path))


def at(server: PostgresServer, table: str = "people", schema: str = "public", **said: object) -> Postgres:
    given = {"user": "reader", "password": "${CLINIC_PASSWORD}", "ca_file": str(server.authority.file)} | said
    host = str(given.pop("host", "localhost"))
    return Postgres(host, server.port, "postgres", schema, table, PostgresConnection.model_validate(given))


@pytest.fixture
def read(home: Home, versions: Versions) -> Callable[..., Taken]:
    return lambda promised: taken(promised, home, versions)


def test_rows_come_in_the_types_of_the_contract(server: PostgresServer, read: Callable[..., Taken]) -> None:
    """Dates, decimals, moments in UTC and truth values come over as they are; what breaks the contract is set aside."""
    found = read(contract(*PEOPLE, source=at(server), primary_key=("id",)))
    assert found.columns[:8] == [(one.name, one.type) for one in PEOPLE]
    assert len(found.data) == 1000
    first = found.data[0]
    assert [str(value) for value in first] == [
        "p00001", "1960-01-02", "0.50", "1", "2026-01-01 11:00:00", "0.125", "False", "Köln", "1",
    ]  # fmt: skip
    assert found.is_accounted
    assert sorted(reasons for _, reasons in found.quarantine) == [
        ["born:unreadable", "town:outside domain"], ["id:missing"],
    ]  # fmt: skip
    assert (found.evidence["source_rows"], found.evidence["unknown_columns"]) == (1002, 0)


def test_what_the_engine_would_round_comes_as_text(server: PostgresServer, read: Callable[..., Taken]) -> None:
    """Every digit of a `numeric` is kept, NaN is no number, and a moment that it cannot hold is none."""
    held = (column("id"), column("fee"), column("total"), column("any_fee"), column("many"), column("seen"))
    found = read(contract(*held, source=at(server, "odd"), subject="id"))
    assert [row[:5] for row in found.data[:2]] == [
        ("10", "1.50", "12345678901234567904.1234567891", "0.10", "{1.10,NaN}"),
        ("11", "NaN", "NaN", "NaN", None),
    ]
    promised = (
        column("id", "BIGINT"), column("fee", "DECIMAL(12,2)"), column("any_fee", "DOUBLE"),
        column("seen", "TIMESTAMP"), column("weight", "DOUBLE"),
    )  # fmt: skip
    found = read(contract(*promised, source=at(server, "odd"), subject="id"))
    assert [[str(value) for value in row[:5]] for row in found.data] == [
        ["10", "1.50", "0.1", "2026-11-01 10:00:00", "1.0"], ["14", "None", "None", "None", "None"],
    ]  # fmt: skip
    assert [reasons for _, reasons in found.quarantine] == [
        ["fee:unreadable", "any_fee:unreadable", "seen:unreadable", "weight:unreadable"],
        ["seen:unreadable", "weight:unreadable"], ["seen:unreadable"],
    ]  # fmt: skip


def test_people_are_not_named_by_numbers_with_a_fraction(
    server: PostgresServer, home: Home, versions: Versions
) -> None:
    """The engine would write 10 as 10.0, which no table of decisions does: a refusal would be nobody's."""
    with pytest.raises(BadSource, match="weight names people"):
        taken(contract(column("weight"), source=at(server, "odd"), subject="weight"), home, versions)


def test_rows_are_numbered_alike_however_the_table_lies(server: PostgresServer, read: Callable[..., Taken]) -> None:
    """A table has no order: after its rows were moved about, the same rows have the same numbers and digest."""
    promised = contract(*PEOPLE, source=at(server))
    before = read(promised)
    server.sql("UPDATE people SET visits = visits + 1 WHERE visits % 3 = 0",
               "UPDATE people SET visits = visits - 1 WHERE visits % 3 = 1 AND id IN "
               "(SELECT id FROM people WHERE visits % 3 = 1 AND score <> (visits * 0.5))", "VACUUM people")  # fmt: skip
    after = read(promised)
    assert after.data == before.data
    assert after.digest == before.digest


def test_the_digest_without_keeping_anything_is_that_of_reading(
    server: PostgresServer, read: Callable[..., Taken], home: Home
) -> None:
    """An observation gives the digest of a materialization, and another after a row was changed."""
    promised = contract(*PEOPLE, source=at(server))
    seen = sources.digest(promised, home.root, home.spill, b"key")
    assert read(promised).digest == seen
    assert sources.digest(promised, home.root, home.spill, b"other") != seen
    server.sql("UPDATE people SET smoker = NOT smoker WHERE id = 'p00007'")
    assert sources.digest(promised, home.root, home.spill, b"key") != seen
    server.sql("UPDATE people SET smoker = NOT smoker WHERE id = 'p00007'")
    assert sources.digest(promised, home.root, home.spill, b"key") == seen


def test_views_odd_names_and_unknown_columns(server: PostgresServer, read: Callable[..., Taken]) -> None:
    """A view is a table; names are only names; a column that the contract does not know stays as text."""
    assert len(read(contract(column("id"), column("born", "DATE"), source=at(server, "adults"))).data) == 365
    odd = at(server, "ta'ble", "an odd", user="admin")
    found = read(contract(column("id"), source=odd))
    assert found.columns == [("id", "VARCHAR"), (ROW, "BIGINT"), ("a, b", "VARCHAR"), ("tags", "VARCHAR")]
    assert found.data == [("x", 1, "00000000-0000-0000-0000-000000000001", "[q, r s]")]


def test_the_password_is_also_found_where_libpq_looks(
    server: PostgresServer, read: Callable[..., Taken], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without one in the contract: PGPASSWORD, then the file PGPASSFILE; without any, the fault says so."""
    promised = contract(*PEOPLE, source=at(server, password=None))
    with pytest.raises(BadSource, match="wants a password"):
        read(promised)
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert len(read(promised).data) == 1000
    monkeypatch.delenv("PGPASSWORD")
    passwords = tmp_path / "passwords"
    passwords.write_text(f"localhost:{server.port}:*:reader:{PASSWORD}\n")
    passwords.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    assert len(read(promised).data) == 1000


REFUSED = {
    "a wrong password": ({"password": "${WRONG}"}, {}, "does not accept user and password"),
    "an authority that did not sign it": ({"ca_file": "other"}, {}, "not from the expected authority"),
    "a certificate of another host": ({"host": "127.0.0.1"}, {}, "for another host"),
    "no certificate of an authority": ({"ca_file": None}, {}, "no certificate of an authority"),
    "TLS that the server does not admit": (
        {"sslmode": "disable", "sslmode_because": "to try it"}, {}, "admits no such user",
    ),
    "a table that is not there": ({}, {"table": "nobody"}, "no such"),
    "a schema that is not there": ({}, {"schema": "nowhere"}, "no such"),
    "a table that the user may not read": ({}, {"table": "secret"}, "may not read"),
    "a host that is not there": ({"host": "nowhere.invalid"}, {}, "no such host"),
    "a table without a row": ({}, {"table": "empty"}, "no row"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_says_why_and_nothing_else(
    server: PostgresServer, home: Home, versions: Versions, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, what: str
) -> None:
    """Each way in which a server cannot be read is named, without password, user or address of libpq's text."""
    said, where, found = REFUSED[what]
    said = dict(said)
    monkeypatch.setenv("WRONG", "another-password")
    if said.get("ca_file") == "other":
        said["ca_file"] = str(Authority(tmp_path / "other").file)
    promised = contract(column("id"), source=at(server, **where, **said))
    with pytest.raises(BadSource) as caught:
        taken(promised, home, versions)
    text = str(caught.value)
    assert found in text
    assert "next:" in text
    assert "127.0.0.1" not in text or said.get("host") == "127.0.0.1"
    for secret in (PASSWORD, "another-password", str(server.authority.file), CANARY):
        assert secret not in text
    assert caught.value.__cause__ is None
    assert not any(path.is_file() for path in home.versions.rglob("*"))


def test_a_server_that_nobody_started_is_refused(server: PostgresServer, home: Home, versions: Versions) -> None:
    """Nothing listens at the port."""
    gone = Postgres("localhost", free_port(), "postgres", "public", "people", at(server).connection)
    with pytest.raises(BadSource, match="nothing listens there"):
        taken(contract(column("id"), source=gone), home, versions)


def test_a_column_that_is_gone_is_refused_by_name(server: PostgresServer, home: Home, versions: Versions) -> None:
    """A needed column that the table does not have."""
    with pytest.raises(BadSource, match="the column shoe_size is missing in the source"):
        taken(contract(*PEOPLE, column("shoe_size"), source=at(server)), home, versions)


def test_a_server_that_goes_away_while_it_is_read_publishes_nothing(
    postgres: PostgresServer, home: Home, versions: Versions, authority: Authority
) -> None:
    """The candidate is gone, the fault says what happened, and the next try reads the whole table."""
    server = PostgresServer(authority)
    try:
        server.sql(
            "CREATE TABLE many AS SELECT g::text AS id, repeat('x', 300) AS text FROM generate_series(1, 400000) g"
        )
        promised = contract(column("id"), column("text"), source=at(server, "many", user="admin"))
        reading = threading.Event()

        def away() -> None:
            reading.wait()
            while not server.sql("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'COPY%' AND state = 'active'"):
                time.sleep(0.005)
            server.stop()

        stopping = threading.Thread(target=away)
        stopping.start()
        reading.set()
        with pytest.raises(BadSource) as caught:
            taken(promised, home, versions)
        stopping.join()
        assert CANARY not in str(caught.value)
        assert "went away" in str(caught.value)
        assert not any(path.is_file() for path in home.versions.rglob("*"))
        server.start()
        assert len(taken(promised, home, versions).data) == 400_000
    finally:
        server.close()


def test_rows_are_all_of_one_moment(server: PostgresServer, home: Home, versions: Versions) -> None:
    """While they are read somebody moves amounts between two rows all the time: the sum that is taken in is the sum."""
    server.sql("CREATE TABLE accounts AS SELECT g::text AS id, 100 AS amount, repeat('x', 200) AS text "
               "FROM generate_series(1, 60000) g", "GRANT SELECT ON accounts TO reader")  # fmt: skip
    promised = contract(column("id"), column("amount", "INTEGER"), column("text"), source=at(server, "accounts"))
    stop = threading.Event()
    moved = 0

    def moving() -> None:
        nonlocal moved
        while not stop.is_set():
            server.sql("UPDATE accounts SET amount = amount + CASE WHEN id = '1' THEN 5 ELSE -5 END "
                       "WHERE id IN ('1', '60000')")  # fmt: skip
            moved += 1

    thread = threading.Thread(target=moving)
    thread.start()
    try:
        for _ in range(5):
            found = taken(promised, home, versions)
            assert sum(amount for _, amount, *_ in found.data) == 6_000_000
    finally:
        stop.set()
        thread.join()
        server.sql("DROP TABLE accounts")
    assert moved > 5


def test_the_connection_reaches_the_one_server_and_can_write_nothing(server: PostgresServer, home: Home) -> None:
    """Nothing that is run on it attaches another server, writes to this one or reads a file."""
    promised = contract(column("id"), source=at(server, user="admin"))
    with sources.opened(promised, home.root, home.spill, None) as con:
        for statement in (
            f"ATTACH 'host=localhost port={server.port} dbname=template1 user=admin' AS other (TYPE postgres)",
            "CREATE TABLE source.public.mine AS SELECT 1",
            "DELETE FROM source.public.people",
            "CALL postgres_execute('source', 'CREATE TABLE mine (id int)')",
            "SET pg_debug_show_queries = true",
            f"SELECT * FROM read_text('{server.authority.file}')",
            "SELECT * FROM read_text('/etc/hostname')",
        ):
            with pytest.raises(Exception, match=r"disabled|read-only|locked|READ ONLY|not allowed|read only"):
                con.execute(statement).fetchall()
        shown = str(con.execute("SELECT path FROM duckdb_databases()").fetchall())
        shown += str(con.execute("FROM duckdb_secrets()").fetchall())
    assert PASSWORD not in shown
    assert server.sql("SELECT count(*) FROM people").strip() == "1002"


def test_a_variable_that_is_not_set_is_named(server: PostgresServer, home: Home, versions: Versions) -> None:
    """Before anything is connected."""
    os.environ.pop("NOBODY_SET_THIS", None)
    with pytest.raises(BadSource, match="NOBODY_SET_THIS"):
        taken(contract(column("id"), source=at(server, password="${NOBODY_SET_THIS}")), home, versions)
