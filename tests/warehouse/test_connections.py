"""A connection reads and writes what it was opened for, and nothing that runs on it can change that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import polars
import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from privacy_assets.errors import BadEnvironment, EngineFailed, OutOfMemory, Refused, Tampered
from privacy_assets.warehouse import connections
from privacy_assets.warehouse.connections import (
    Attachment,
    Reach,
    columns,
    content_digest,
    engine_errors,
    governed,
    ingest,
    quoted,
)
from privacy_assets.warehouse.home import Home
from privacy_assets.warehouse.versions import Candidate, Versions

Publish = Callable[[str, str], Candidate]
Files = Callable[[Path], set[str]]
CANARY = "canary-7f3a"
KEY = b"k" * 32


def _attached(versions: Versions, made: Candidate) -> Attachment:
    return Attachment(made.path, versions.key(made.asset, made.id))


FORBIDDEN = [
    "SELECT * FROM read_csv('{outside}/secret.csv')",
    "SELECT * FROM read_text('{outside}/*')",
    "SELECT * FROM read_blob('{spill}/../../secret.csv')",
    "SELECT * FROM '{outside}/secret.csv'",
    "SELECT * FROM glob('{outside}/*')",
    "SELECT * FROM sniff_csv('{outside}/secret.csv')",
    "SELECT * FROM read_text('https://network.invalid/')",
    "SELECT * FROM read_text('s3://network.invalid/x')",
    "SELECT * FROM read_parquet('hf://datasets/network/invalid/x.parquet')",
    "COPY (SELECT 1) TO '{outside}/out.csv'",
    "COPY input.main.data TO '{outside}/out.parquet'",
    "EXPORT DATABASE '{outside}/exported'",
    "ATTACH '{outside}/other.duckdb' AS other",
    "ATTACH '{outside}/plain.duckdb' AS other (READ_ONLY)",
    "ATTACH '{outside}/../home.json' AS other",
    "INSTALL spatial",
    "LOAD spatial",
    "LOAD '{outside}/x.duckdb_extension'",
    "SET memory_limit = '1GB'",
    "SET lock_configuration = false",
    "SET enable_external_access = true",
    "SET temp_file_encryption = false",
    "SET temp_directory = '{outside}'",
    "SET allowed_directories = ['{outside}']",
    "SET python_enable_replacements = true",
    "RESET temp_file_encryption",
    "PRAGMA enable_profiling = 'json'",
    "CREATE PERSISTENT SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "SELECT * FROM frame",
    "SELECT * FROM query('SELECT * FROM read_text(''{outside}/secret.csv'')')",
    "CREATE TABLE input.main.more AS SELECT 1",
    "DELETE FROM input.main.data",
    "DROP TABLE input.main.data",
    "COPY (SELECT 1) TO '{version}' (FORMAT csv, USE_TMP_FILE false)",
    "COPY (SELECT 1) TO '{version}.wal' (FORMAT csv, USE_TMP_FILE false)",
]


@pytest.mark.parametrize("way", ["governed", "ingest"])
def test_a_locked_connection_refuses_everything_else(
    tmp_path: Path, home: Home, versions: Versions, publish: Publish, files: Files, way: str
) -> None:
    """Other files, networks, extensions, settings, Python variables and writes to an input are all refused."""
    outside = tmp_path / "outside"
    (outside / "secret.csv").write_text("a,b\n1,2\n")
    with duckdb.connect(str(outside / "plain.duckdb")) as plain:
        plain.execute("CREATE TABLE t AS SELECT 1")
    frame = polars.DataFrame({"a": [1]})
    made = publish("raw/a", "SELECT 1 AS x")
    before = files(outside)
    with versions.candidate("raw/b") as candidate:
        opened = (
            governed(home.spill, inputs={"input": _attached(versions, made)}, candidate=candidate)
            if way == "governed"
            else ingest(home.spill, candidate, Reach(paths=(str(made.path.with_name("named.csv")),)))
        )
        with opened as con:
            spill = con.execute("SELECT current_setting('temp_directory')").fetchone()
            for statement in FORBIDDEN:
                with pytest.raises(duckdb.Error):
                    con.execute(statement.format(outside=outside, spill=spill[0] if spill else "", version=made.path))
            con.execute("CREATE TABLE candidate.main.data AS SELECT 1 AS x")
    assert frame.height == 1
    assert files(outside) == before


def test_ingest_reads_the_named_files_and_no_neighbour(tmp_path: Path, home: Home, versions: Versions) -> None:
    """Only the files of the source are readable, not another in the same folder, and not a name that begins alike."""
    for name in ("it's.csv", "neighbour.csv", "it's.csv.bak"):
        (tmp_path / name).write_text("a\n1\n")
    reach = Reach(paths=(str(tmp_path / "it's.csv"),))
    with versions.candidate("raw/a") as candidate, ingest(home.spill, candidate, reach) as con:
        assert con.execute("SELECT * FROM read_text($p)", {"p": str(tmp_path / "it's.csv")}).fetchone()
        for other in ("neighbour.csv", "it's.csv.bak", "*.csv"):
            with pytest.raises(duckdb.PermissionException):
                con.execute("SELECT * FROM read_text($p)", {"p": str(tmp_path / other)})


def test_a_candidate_is_made_from_inputs_and_they_stay_as_they_were(
    home: Home, versions: Versions, publish: Publish, files: Files
) -> None:
    """The candidate holds what was written, the inputs keep their bytes, nothing of the connection remains."""
    made = publish("raw/a", "SELECT range AS x FROM range(10)")
    ciphertext = made.path.read_bytes()
    with versions.candidate("features/p") as candidate:
        with governed(home.spill, inputs={"i0": _attached(versions, made)}, candidate=candidate) as con:
            con.execute("CREATE TABLE candidate.main.data AS SELECT x * 2 AS y FROM i0.main.data WHERE x > 7")
        candidate.seal()
        attachment = Attachment(candidate.path, candidate.key)
        with governed(home.spill, inputs={"candidate": attachment}, candidate=None) as con:
            assert con.execute("SELECT y FROM candidate.main.data ORDER BY y").fetchall() == [(16,), (18,)]
    assert made.path.read_bytes() == ciphertext
    assert list(home.spill.iterdir()) == []


def test_transactions_are_left_to_the_caller(home: Home, versions: Versions) -> None:
    """Statements commit by themselves; what a caller began it can roll back; one left open is an error, not a loss."""
    with versions.candidate("raw/a") as candidate:
        with governed(home.spill, inputs={}, candidate=candidate) as con:
            con.execute("CREATE TABLE candidate.main.data AS SELECT 1 AS x")
            con.execute("BEGIN")
            con.execute("CREATE TABLE candidate.main.more AS SELECT 1 AS x")
            con.execute("ROLLBACK")
            assert con.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [("data",)]
        with pytest.raises(EngineFailed), governed(home.spill, inputs={}, candidate=candidate) as con:
            con.execute("BEGIN")
            con.execute("CREATE TABLE candidate.main.more AS SELECT 1 AS x")


def test_spill_folders_of_the_dead_are_swept_and_those_of_the_living_are_not(home: Home) -> None:
    """A folder whose lock nobody holds is left from a killed run; whoever opens next removes it, and no other."""
    dead = home.spill / "tmpdead"
    dead.mkdir(parents=True)
    (dead / "lock").touch()
    (dead / "duckdb_temp_storage-0.tmp").write_bytes(b"x")
    with governed(home.spill, inputs={}, candidate=None):
        (living,) = home.spill.iterdir()
        with governed(home.spill, inputs={}, candidate=None):
            assert len(list(home.spill.iterdir())) == 2
        assert list(home.spill.iterdir()) == [living]
    assert list(home.spill.iterdir()) == []


@pytest.mark.parametrize("is_encrypted", [True, False])
def test_spill_is_encrypted(home: Home, monkeypatch: pytest.MonkeyPatch, is_encrypted: bool) -> None:
    """What does not fit in memory is unreadable on disk; with the setting turned off the same scan finds it."""
    little = {"memory_limit": "32.0 MiB", "temp_file_encryption": is_encrypted}
    monkeypatch.setattr(connections, "_SETTINGS", {**connections._SETTINGS, **little})
    with governed(home.spill, inputs={}, candidate=None) as con:
        con.execute(f"CREATE TEMP TABLE t AS SELECT '{CANARY}' || range AS x, hash(range) AS y FROM range(500000)")
        con.execute("SELECT * FROM t ORDER BY y").fetchone()
        spilled = b"".join(path.read_bytes() for path in home.spill.rglob("*") if path.is_file())
    assert len(spilled) > 1_000_000
    assert (CANARY.encode() not in spilled) == is_encrypted
    assert list(home.spill.iterdir()) == []


def test_no_value_lies_in_clear_in_a_file_or_its_log(home: Home, versions: Versions) -> None:
    """Neither file nor write-ahead log of a candidate hold a readable value, while a plain file does."""
    statements = [
        "CREATE TABLE data (x VARCHAR USING COMPRESSION uncompressed)",
        f"INSERT INTO data SELECT '{CANARY}' || range FROM range(50000)",
        "CHECKPOINT",
        f"INSERT INTO data SELECT '{CANARY}' || range FROM range(100)",
    ]
    plain = home.root / "plain.duckdb"
    written = {}
    with versions.candidate("raw/a") as candidate, governed(home.spill, inputs={}, candidate=candidate) as con:
        con.execute("USE candidate")
        with duckdb.connect(str(plain)) as control:
            for statement in statements:
                con.execute(statement)
                control.execute(statement)
            for path in (candidate.path, plain):
                written[path] = path.read_bytes(), path.with_name(path.name + ".wal").read_bytes()
        con.execute("USE memory")
    assert [CANARY.encode() in content for content in written[candidate.path]] == [False, False]
    assert [CANARY.encode() in content for content in written[plain]] == [True, True]


def test_a_wrong_key_and_a_changed_file_do_not_open(home: Home, versions: Versions, publish: Publish) -> None:
    """Another version's key, or a file whose head was changed, is Tampered and names no key."""
    one, two = publish("raw/a", "SELECT 1 AS x"), publish("raw/a", "SELECT 2 AS x")
    wrong = Attachment(one.path, two.key)
    with pytest.raises(Tampered) as caught, governed(home.spill, inputs={"i0": wrong}, candidate=None):
        pass
    assert two.key not in str(caught.value)
    assert list(home.spill.iterdir()) == []


def test_a_missing_input_is_refused_with_what_to_do(home: Home) -> None:
    """A file that went between the look and the opening was destroyed or rotated by another run."""
    missing = Attachment(home.versions / "missing.duckdb", "00" * 32)
    with (
        pytest.raises(Refused, match="run it again"),
        governed(home.spill, inputs={"i0": missing}, candidate=None),
    ):
        pass


def test_without_the_extension_nothing_is_opened_or_written(
    home: Home, versions: Versions, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the extension of this engine's version is missing, no file is written."""
    monkeypatch.setattr(duckdb, "__version__", "0.0.0")
    with versions.candidate("raw/a") as candidate:
        before = files(home.path)
        opened = governed(home.spill, inputs={}, candidate=candidate)
        with pytest.raises(BadEnvironment, match="pip install duckdb-extension-httpfs"), opened:
            pass
        assert files(home.path) == before


def test_an_extension_is_checked_once_and_again_when_it_changed(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both connections over the checked file forbid what is not signed; another file at its place is refused."""
    sound = connections._extension("httpfs").read_bytes()
    place = tmp_path / "httpfs.duckdb_extension"
    place.write_bytes(sound)
    monkeypatch.setattr(connections, "_extension", lambda _: place)
    monkeypatch.setattr(connections, "_CHECKED", set())
    for _ in range(2):
        with governed(home.spill, inputs={}, candidate=None) as con:
            assert con.execute("SELECT current_setting('allow_unsigned_extensions')").fetchone() == (False,)
        assert len(connections._CHECKED) == 1
    changed = tmp_path / "changed"
    # a byte of its text, so that nothing but its signature tells
    changed.write_bytes(sound.replace(b"Content-Length", b"Content-Lenght"))
    assert changed.read_bytes() != sound
    changed.replace(place)
    with pytest.raises(BadEnvironment, match="did not accept"), governed(home.spill, inputs={}, candidate=None):
        pass
    assert len(connections._CHECKED) == 1
    # the control: without the check that file is loaded
    connections._CHECKED.add(connections._identity(place))
    with governed(home.spill, inputs={}, candidate=None) as con:
        assert con.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize(
    ("family", "broken"),
    [
        ("_SETTINGS", {"default_null_order": "nulls_first"}),
        ("_SETTINGS", {"no_such_setting": True}),
        ("_NETWORKS", {"NoSuchFileSystem": "https://network.invalid/"}),
    ],
)
def test_a_setting_that_does_not_hold_stops_before_anything_is_written(
    home: Home, monkeypatch: pytest.MonkeyPatch, family: str, broken: dict[str, str | bool]
) -> None:
    """A setting that is unknown, reads back otherwise or has no effect refuses the connection."""
    monkeypatch.setattr(connections, family, getattr(connections, family) | broken)
    with pytest.raises(BadEnvironment, match="did not accept"), governed(home.spill, inputs={}, candidate=None):
        pass
    assert list(home.spill.iterdir()) == []


def test_memory_is_bounded_where_it_is_asked(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is larger is spilled; what cannot be is told in our words; a bound that is not taken refuses."""
    with governed(home.spill, inputs={}, candidate=None, memory=60 << 20) as con:
        con.execute("CREATE TEMP TABLE t AS SELECT hash(range) AS x FROM range(10_000_000)")
        assert sum(path.stat().st_size for path in home.spill.rglob("*") if path.is_file()) > 1_000_000
    with pytest.raises(OutOfMemory, match="free memory"), engine_errors("trying"):
        raise duckdb.OutOfMemoryException(CANARY)
    with governed(home.spill, inputs={}, candidate=None) as con:
        own = con.execute("SELECT current_setting('memory_limit')").fetchone()
    with governed(home.spill, inputs={}, candidate=None, memory=1 << 50) as con:  # never more than by itself
        assert con.execute("SELECT current_setting('memory_limit')").fetchone() == own
    monkeypatch.setattr(connections, "_setting", lambda *_: "100.0 GiB")
    with pytest.raises(BadEnvironment, match="memory_limit"), governed(home.spill, inputs={}, candidate=None, memory=1):
        pass
    assert list(home.spill.iterdir()) == []


@pytest.mark.parametrize(
    "fail",
    [
        lambda: duckdb.sql(f"SELECT CAST('{CANARY}' AS INTEGER)").fetchall(),
        lambda: polars.Series([CANARY]).cast(polars.Int64),
        lambda: pyarrow.array([CANARY]).cast(pyarrow.int64()),
    ],
)
def test_an_engines_error_keeps_its_values_to_itself(fail: Callable[[], object]) -> None:
    """The engine's text quotes the value, ours names the step and the kind, and does not show where it came from."""
    with pytest.raises(Exception, match=CANARY):
        fail()
    with pytest.raises(EngineFailed, match="while trying") as caught, engine_errors("trying"):
        fail()
    assert CANARY not in str(caught.value)
    assert caught.value.__suppress_context__


def test_other_errors_pass(home: Home) -> None:
    """An error of ours is not an engine's."""
    with pytest.raises(KeyError), engine_errors("trying"):
        raise KeyError


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    """A plain connection in memory."""
    return duckdb.connect()


_ROW = st.tuples(
    st.one_of(st.none(), st.integers(-3, 3)),
    st.one_of(st.none(), st.sampled_from(["", "a", "b", "\x00"])),
    st.one_of(st.none(), st.sampled_from([0.5, 1.0, float("inf")])),
)


def _table(
    con: duckdb.DuckDBPyConnection, rows: list[tuple[object, ...]], types: str = "a BIGINT, b VARCHAR, c DOUBLE"
) -> str:
    con.execute(f"CREATE OR REPLACE TEMP TABLE t ({types})")
    if rows:
        con.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
    return content_digest(con, "t", KEY)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_ROW, max_size=6), st.lists(_ROW, max_size=6), st.randoms(use_true_random=False))
def test_the_content_digest_tells_bags_of_rows_apart(con, rows, others, random) -> None:  # type: ignore[no-untyped-def]
    """Shuffled rows have the same digest; two tables have the same one exactly if they hold the same rows as often."""
    shuffled = list(rows)
    random.shuffle(shuffled)
    digest = _table(con, rows)
    assert _table(con, shuffled) == digest
    assert (_table(con, others) == digest) == (sorted(map(repr, rows)) == sorted(map(repr, others)))


def test_the_content_digest_sees_schema_places_and_key(con: duckdb.DuckDBPyConnection) -> None:
    """A renamed, moved or retyped column, a missing value for an empty text, a double row, another key: all differ."""
    row = (1, "a", 0.5)
    digests = [
        _table(con, [row]),
        _table(con, [row, row]),
        _table(con, [row, row, row]),
        _table(con, []),
        _table(con, [row], "a BIGINT, b VARCHAR, d DOUBLE"),
        _table(con, [row], "a INTEGER, b VARCHAR, c DOUBLE"),
        _table(con, [("1", "a", 0.5)], "b VARCHAR, a VARCHAR, c DOUBLE"),
        _table(con, [("a", "1", 0.5)], "b VARCHAR, a VARCHAR, c DOUBLE"),
        _table(con, [(1, "", 0.5)]),
        _table(con, [(1, None, 0.5)]),
    ]
    digests.append(content_digest(con, "t", b"x" * 32))
    assert len(set(digests)) == len(digests)


def test_columns_are_named_in_order_whatever_they_are_called(con: duckdb.DuckDBPyConnection) -> None:
    """Names with quotes and spaces are described, and digested, as they are."""
    names = ['say "x"', "a b", "select"]
    con.execute(f"CREATE OR REPLACE TEMP TABLE odd ({', '.join(f'{quoted(name)} BIGINT' for name in names)})")
    assert columns(con, "odd") == [(name, "BIGINT") for name in names]
    assert len(content_digest(con, "odd", KEY)) == 64
