"""The two ways in which a database is opened, attacked with SQL, and the parser of features' SQL that stands before.

Belongs here: what SQL can reach from a connection of ours. Does not belong here: what a connection is for
(`tests/warehouse/test_connections.py`), which SQL a purpose may write (`tests/contracts/test_features_sql.py`).

Every statement is run on an ordinary connection as well: one that reaches nothing there proves nothing.
"""

from __future__ import annotations

import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import polars
import pyarrow
import pyarrow.parquet
import pytest

from privacy_assets.contracts.features_sql import analyse
from privacy_assets.contracts.purpose import Features, Purpose
from privacy_assets.errors import BadDeclaration
from privacy_assets.warehouse.connections import Attachment, Reach, _extension, governed, ingest, literal
from privacy_assets.warehouse.home import Home
from privacy_assets.warehouse.keys import KeyFile
from privacy_assets.warehouse.versions import Versions
from privacy_assets.words import Column

CANARY = "canary-7f3a"
WAYS = ("governed", "ingest")

REFUSED = (
    # files, by path
    "SELECT * FROM read_csv('{outside}/secret.csv')",
    "SELECT * FROM read_csv_auto('{outside}/secret.csv')",
    "SELECT * FROM read_csv(['{outside}/secret.csv', '{outside}/canary-7f3a.csv'])",
    "SELECT * FROM '{outside}/secret.csv'",
    "TABLE '{outside}/secret.csv'",
    "DESCRIBE '{outside}/secret.csv'",
    "SUMMARIZE '{outside}/secret.csv'",
    "SELECT * FROM read_parquet('{outside}/secret.parquet')",
    "SELECT * FROM parquet_metadata('{outside}/secret.parquet')",
    "SELECT * FROM parquet_schema('{outside}/secret.parquet')",
    "SELECT * FROM parquet_kv_metadata('{outside}/secret.parquet')",
    "SELECT * FROM read_json('{outside}/secret.json')",
    "SELECT * FROM read_json_objects('{outside}/secret.json')",
    "SELECT * FROM read_ndjson('{outside}/secret.json')",
    "SELECT * FROM read_text('{outside}/secret.csv')",
    "SELECT * FROM read_blob('{outside}/secret.csv')",
    "SELECT * FROM sniff_csv('{outside}/secret.csv')",
    "SELECT * FROM read_duckdb('{outside}/plain.duckdb')",
    "SELECT * FROM read_text('{key_file}')",
    "SELECT * FROM read_csv('/proc/self/environ', auto_detect = false, columns = {{'a': 'VARCHAR'}})",
    "SELECT * FROM read_text('/dev/stdin')",
    # files, by another way to name them
    "SELECT * FROM read_text('{outside}/*.csv')",
    "SELECT * FROM read_blob('{outside}/**')",
    "SELECT * FROM glob('{outside}/*')",
    "SELECT * FROM read_text('{spill}/{up}/secret.csv')",
    "SELECT * FROM read_text('{spill}/./{up}/./secret.csv')",
    "SELECT * FROM read_text('{spill}/link.csv')",
    "SELECT * FROM read_text('{spill}/linked/secret.csv')",
    "SELECT * FROM read_text('{spill}/linked/*.csv')",
    "SELECT * FROM read_text('{spill}-beside/secret.csv')",
    "SELECT * FROM read_text('{source}.bak')",
    "SELECT * FROM read_text('{sources}/../sources/secret.csv')",
    "SELECT * FROM read_text('file://{outside}/secret.csv')",
    "SELECT * FROM read_text('file:{outside}/secret.csv')",
    "SELECT * FROM read_text('{relative}/secret.csv')",
    # files, by way of something else
    "SELECT * FROM query('FROM read_text(''{outside}/secret.csv'')')",
    "SELECT * FROM query_table('{outside}/secret.csv')",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('FROM read_text(''{outside}/secret.csv'')'))",
    "PREPARE p AS SELECT * FROM read_text($1); EXECUTE p('{outside}/secret.csv')",
    "SET VARIABLE place = '{outside}/secret.csv'; SELECT * FROM read_text(getvariable('place'))",
    "CREATE OR REPLACE TEMP MACRO m(p) AS TABLE SELECT * FROM read_text(p); FROM m('{outside}/secret.csv')",
    "CREATE OR REPLACE TEMP MACRO s(p) AS (SELECT content FROM read_text(p)); SELECT s('{outside}/secret.csv')",
    "CREATE OR REPLACE TEMP VIEW v AS SELECT * FROM read_text('{outside}/secret.csv'); FROM v",
    "CREATE OR REPLACE TEMP TABLE t AS SELECT * FROM read_text('{outside}/secret.csv'); FROM t",
    "EXPLAIN ANALYZE SELECT * FROM read_csv('{outside}/secret.csv')",
    "CREATE OR REPLACE TEMP TABLE c (a VARCHAR, b VARCHAR); COPY c FROM '{outside}/secret.csv'; FROM c",
    "IMPORT DATABASE '{outside}/exported'; FROM people",
    "PRAGMA import_database('{outside}/exported')",
    # files written
    "COPY (SELECT 1) TO '{outside}/out.csv'",
    "COPY (SELECT 1) TO '{outside}/out.parquet' (FORMAT parquet)",
    "COPY (SELECT 1) TO '{outside}/out.json' (FORMAT json)",
    "COPY (SELECT 1 AS a, 2 AS b) TO '{outside}/parted' (PARTITION_BY a)",
    "COPY (SELECT 1) TO '{outside}/secret.csv' (USE_TMP_FILE false)",
    "COPY (SELECT 1) TO '{spill}/{up}/out.csv'",
    "COPY (SELECT 1) TO '{spill}/linked/out.csv'",
    "COPY (SELECT 1) TO '/dev/stdout' (USE_TMP_FILE false)",
    "COPY input.main.data TO '{outside}/out.csv'",
    "EXPORT DATABASE '{outside}/export'",
    "EXPORT DATABASE input TO '{outside}/export'",
    # other databases
    "ATTACH '{outside}/other.duckdb' AS other",
    "ATTACH '{outside}/plain.duckdb' AS other; FROM other.main.people",
    "ATTACH '{outside}/plain.duckdb' AS other (READ_ONLY); FROM other.main.people",
    "ATTACH '{spill}/linked/plain.duckdb' AS other (READ_ONLY); FROM other.main.people",
    "ATTACH '{spill}/{up}/plain.duckdb' AS other (READ_ONLY); FROM other.main.people",
    "ATTACH 'http://{server}/plain.duckdb' AS other (READ_ONLY); FROM other.main.people",
    "ATTACH OR REPLACE '{outside}/plain.duckdb' AS input; FROM input.main.people",
    # networks
    "SELECT * FROM read_text('http://{server}/secret.csv')",
    "SELECT * FROM 'http://{server}/secret.csv'",
    "SELECT * FROM read_text('s3://{server}/secret.csv')",
    "SELECT * FROM read_text('hf://datasets/network/invalid/x.parquet')",
    "COPY (SELECT 1) TO 's3://{server}/out.csv'",
    # code
    "INSTALL '{outside}/httpfs.duckdb_extension'",
    "FORCE INSTALL '{outside}/httpfs.duckdb_extension'",
    "INSTALL spatial",
    "INSTALL quack FROM community",
    "INSTALL spatial FROM 'http://{server}'",
    "LOAD '{outside}/other.duckdb_extension'",
    "LOAD spatial",
    "SELECT * FROM duckdb_extensions()",
    "UPDATE EXTENSIONS",
    "CREATE FUNCTION f() RETURNS INTEGER LANGUAGE python AS 'import os'",
    "SELECT getenv('HOME')",
    "SELECT * FROM frame",
    "SELECT * FROM query_table('frame')",
    # secrets
    "CREATE PERSISTENT SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
    # what the connection is locked with, and what else would write outside
    "SET lock_configuration = false",
    "SET enable_external_access = true",
    "SET temp_file_encryption = false",
    "SET temp_directory = '{outside}'",
    "SET allowed_directories = ['{outside}']",
    "SET allowed_paths = ['{outside}/secret.csv']",
    "SET python_enable_replacements = true",
    "SET python_scan_all_frames = true",
    "SET disabled_filesystems = ''",
    "SET allow_unsigned_extensions = true",
    "SET allow_community_extensions = true",
    "SET autoinstall_known_extensions = true",
    "SET autoload_known_extensions = true",
    "SET custom_extension_repository = 'http://{server}'",
    "SET extension_directory = '{outside}'",
    "SET home_directory = '{outside}'",
    "SET secret_directory = '{outside}'",
    "SET allow_persistent_secrets = true",
    "SET file_search_path = '{outside}'",
    "SET log_query_path = '{outside}/queries.log'",
    "SET profiling_output = '{outside}/profile.json'",
    "SET enable_profiling = 'json'; SET profiling_output = '{outside}/profile.json'; SELECT 1",
    "SET enable_logging = true",
    "SET logging_storage = 'stdout'",
    "SET http_proxy = '{server}'",
    "SET s3_endpoint = '{server}'",
    "SET memory_limit = '1GB'",
    "SET threads = 1",
    "SET GLOBAL enable_object_cache = true",
    "SET SESSION TimeZone = 'Asia/Tokyo'",
    "SET max_temp_directory_size = '1MB'",
    "RESET lock_configuration",
    "RESET temp_file_encryption",
    "RESET allowed_directories",
    "RESET disabled_filesystems",
    "PRAGMA temp_directory = '{outside}'",
    "PRAGMA enable_external_access = true",
    "PRAGMA enable_profiling = 'json'",
    "PRAGMA profiling_output = '{outside}/profile.json'",
    "PRAGMA log_query_path = '{outside}/queries.log'",
    # what is read only
    "CREATE TABLE input.main.more AS SELECT 1",
    "INSERT INTO input.main.data SELECT * FROM input.main.data",
    "UPDATE input.main.data SET x = 0",
    "DELETE FROM input.main.data",
    "ALTER TABLE input.main.data ADD COLUMN y INTEGER",
    "DROP TABLE input.main.data",
    "CREATE INDEX i ON input.main.data (x)",
    "COPY FROM DATABASE candidate TO input",
    "COPY (SELECT 1) TO '{input}' (FORMAT csv, USE_TMP_FILE false)",
    "COPY (SELECT 1) TO '{input}.wal' (FORMAT csv, USE_TMP_FILE false)",
    "COPY (SELECT 1) TO '{input}.wal.recovery' (FORMAT csv, USE_TMP_FILE false)",
    "ATTACH '{input}.wal.checkpoint' AS other; CREATE TABLE other.main.t AS SELECT 1",
    "SELECT * FROM read_blob('{input}')",
    "DETACH input; ATTACH '{input}' AS input; CREATE TABLE input.main.more AS SELECT 1",
)
"""What must not succeed on any connection of ours."""

ALLOWED = (
    # what the step is there for
    "SELECT 1",
    "CREATE TABLE candidate.main.more AS SELECT 1 AS x",
    "CHECKPOINT candidate",
    # its own spill folder, which is gone with the connection
    "COPY (SELECT 1 AS x) TO '{spill}/own.csv'",
    "COPY (SELECT 1 AS x) TO '{spill}/own.csv'; SELECT * FROM read_csv('{spill}/own.csv')",
    "ATTACH '{spill}/own.duckdb' AS own; CREATE TABLE own.main.t AS SELECT 1",
    "ATTACH ':memory:' AS another",
    # views of its own state
    "SELECT * FROM duckdb_settings()",
    "SELECT current_setting('temp_directory')",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM duckdb_databases()",
    "SELECT * FROM duckdb_functions()",
    "PRAGMA database_list",
    "EXPLAIN SELECT 1",
    # what is in memory, and gone with the connection
    "SET search_path = 'candidate.main'",
    "SET VARIABLE x = 1; SELECT getvariable('x')",
    "CREATE TEMP MACRO three() AS 3; SELECT three()",
    "CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "CALL enable_logging('QueryLog'); SELECT * FROM duckdb_logs",
    "LOAD httpfs",
    "LOAD '{outside}/httpfs.duckdb_extension'",
)
"""What succeeds on both, and reaches nothing outside. `httpfs` is loaded already, and no file is looked at for it."""

OWN = {
    "governed": ("SELECT * FROM input.main.data",),
    "ingest": (
        "SELECT * FROM read_csv('{source}')",
        "SELECT * FROM sniff_csv('{source}')",
        "SELECT * FROM glob('{source}')",
    ),
}
"""What succeeds on one of them: it is what that one was opened for."""

HARMLESS = frozenset({"search_path", "schema", "enable_logging", "enabled_log_types", "logging_mode"})
"""What stays open: where a name without a catalog is looked for, and a log of statements in memory."""


@dataclass
class Place:
    """What lies around a connection of ours: files it was not opened for, a server, a version and a source."""

    folder: Path
    server: str = ""
    asked: list[str] = field(default_factory=list)

    @property
    def outside(self) -> Path:
        return self.folder / "outside"

    @property
    def source(self) -> Path:
        return self.folder / "sources" / "people.csv"

    def fill(self) -> None:
        """Make the files anew. Each holds the canary."""
        shutil.rmtree(self.outside, ignore_errors=True)
        for made in (self.outside / "exported", self.source.parent, self.folder / "project", self.folder / "guards"):
            made.mkdir(parents=True, exist_ok=True)
        text = f"{CANARY},b\n{CANARY},1\n"
        for path in (self.outside / "secret.csv", self.outside / f"{CANARY}.csv", self.source.with_name("secret.csv")):
            path.write_text(text)
        self.source.write_text("a,b\nx,1\n")
        self.source.with_name("people.csv.bak").write_text(text)
        (self.outside / "secret.json").write_text(f'{{"{CANARY}": "{CANARY}"}}\n')
        secret = pyarrow.table({CANARY: [CANARY]}).replace_schema_metadata({"of": CANARY})
        pyarrow.parquet.write_table(secret, self.outside / "secret.parquet")
        (self.outside / "exported" / "schema.sql").write_text("CREATE TABLE people (a VARCHAR);")
        (self.outside / "exported" / "load.sql").write_text(f"INSERT INTO people VALUES ('{CANARY}');")
        (self.folder / "guards" / "other.key").write_text(CANARY)
        for name, table in (("plain.duckdb", "people"), ("input.duckdb", "data")):
            with duckdb.connect(self.outside / name) as con:
                con.execute(f"CREATE TABLE {table} AS SELECT 1 AS x, '{CANARY}' AS a")
        extension = self.folder / "httpfs.duckdb_extension"
        if not extension.exists():
            shutil.copy(_extension("httpfs"), extension)
        (self.outside / extension.name).hardlink_to(extension)

    def furnish(self, spill: Path) -> None:
        """Links from the spill folder to what is outside, and a folder beside it whose name begins alike."""
        (spill / "link.csv").symlink_to(self.outside / "secret.csv")
        (spill / "linked").symlink_to(self.outside)
        beside = spill.with_name(f"{spill.name}-beside")
        beside.mkdir(exist_ok=True)
        (beside / "secret.csv").write_text(CANARY)

    def named(self, statement: str, spill: Path, version: Path) -> str:
        """The statement with the places in it."""
        return statement.format(
            outside=self.outside,
            relative=os.path.relpath(self.outside),
            spill=spill,
            up=os.path.relpath(self.outside, spill),
            source=self.source,
            sources=self.source.parent,
            server=self.server,
            input=version,
            key_file=self.folder / "guards" / "other.key",
        )

    def state(self) -> dict[str, object]:
        """Every file that no connection may write, as it was last written, and how often the server was asked."""
        held: dict[str, object] = {"asked": len(self.asked)}
        for root in (self.outside, self.source.parent, self.folder / "guards", self.folder / "project"):
            for path in sorted(root.rglob("*")):
                own = "/spill/" in f"{path}" or "/raw/made/" in f"{path}"
                if path.is_file() and not own:
                    told = path.stat()
                    held[str(path)] = (told.st_ino, told.st_size, told.st_mtime_ns)
        return held


@contextmanager
def serving(place: Place) -> Iterator[None]:
    """A server on this machine that gives out the files outside."""

    class Files(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(place.outside))  # type: ignore[arg-type]

        def do_GET(self) -> None:
            place.asked.append(self.path)
            super().do_GET()

        def do_HEAD(self) -> None:
            place.asked.append(self.path)
            super().do_HEAD()

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        place.server = f"127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The files and the server, for the tests of this module."""
    made = Place(tmp_path_factory.mktemp("locked"))
    made.fill()
    with serving(made):
        yield made


@dataclass(frozen=True)
class Locked:
    """A home with one version, on which connections are opened."""

    home: Home
    versions: Versions
    version: Path
    key: str

    @classmethod
    def make(cls, folder: Path) -> Locked:
        (folder / "project").mkdir(parents=True, exist_ok=True)
        guards = {"PRIVACY_ASSETS_KEY_FILE": "master.key", "PRIVACY_ASSETS_WITNESS": "witness"}
        home = Home.open(folder / "project", {name: str(folder / "guards" / file) for name, file in guards.items()})
        versions = Versions(home, KeyFile.open(home))
        with versions.candidate("raw/given") as candidate:
            with governed(home.spill, inputs={}, candidate=candidate) as con:
                con.execute("CREATE TABLE candidate.main.data AS SELECT 1 AS x")
            candidate.seal()
            candidate.keep()
        return cls(home, versions, candidate.path, versions.key("raw/given", candidate.id))

    @contextmanager
    def opened(self, way: str, place: Place) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
        """A connection, and its spill folder with links that lead out of it."""
        with self.versions.candidate("raw/made") as candidate:
            inputs = {"input": Attachment(self.version, self.key)}
            opened = (
                governed(self.home.spill, inputs=inputs, candidate=candidate)
                if way == "governed"
                else ingest(self.home.spill, candidate, Reach(paths=(str(place.source),)))
            )
            with opened as con:
                row = con.execute("SELECT current_setting('temp_directory')").fetchone()
                assert row
                spill = Path(row[0])
                place.furnish(spill)
                try:
                    yield con, spill
                    con.execute("USE memory")
                finally:
                    shutil.rmtree(spill.with_name(f"{spill.name}-beside"))


@pytest.fixture(scope="module")
def locked(place: Place) -> Locked:
    """The home of this module."""
    return Locked.make(place.folder)


@contextmanager
def ordinary(place: Place, networked: bool) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """A connection as everybody opens one; if networked, with the extension for it, and the server taken for S3's."""
    spill = place.folder / "ordinary" / "spill"
    shutil.rmtree(spill.parent, ignore_errors=True)
    spill.mkdir(parents=True)
    place.furnish(spill)
    with duckdb.connect() as con:
        for name in ("extension_directory", "secret_directory"):
            con.execute(f"SET {name} = {literal(str(place.outside / name))}")
        con.execute(f"SET custom_extension_repository = 'http://{place.server}'")
        if networked:
            con.execute(f"LOAD {literal(str(_extension('httpfs')))}")
            con.execute(f"SET s3_endpoint = '{place.server}'; SET s3_use_ssl = false; SET s3_url_style = 'path'")
            con.execute("SET http_retries = 0; SET http_timeout = 2")
        con.execute(f"ATTACH {literal(str(place.outside / 'input.duckdb'))} AS input")
        con.execute("ATTACH ':memory:' AS candidate; CREATE TABLE candidate.main.given AS SELECT 1 AS x")
        yield con, spill


def protection(con: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    """Every setting and persistent secret of a connection."""
    settings = con.execute("SELECT name, value FROM duckdb_settings() ORDER BY name").fetchall()
    secrets = con.execute("SELECT name FROM duckdb_secrets() WHERE persistent").fetchall()
    return [row for row in settings if row[0] not in HARMLESS] + secrets


def outcome(con: duckdb.DuckDBPyConnection, statement: str) -> tuple[bool, bool]:
    """Whether the statement succeeded, and whether what it returned holds the canary or what a process is told."""
    frame = polars.DataFrame({"a": [CANARY]})  # for the engine to find in this very function
    try:
        rows = con.execute(statement).fetchall()
    except duckdb.Error:
        with suppress(duckdb.Error):  # EXPORT DATABASE leaves a transaction behind
            con.execute("ROLLBACK")
        return False, False
    told = repr(rows)
    assert frame.height == 1
    home = os.environ.get("HOME", CANARY)
    return True, CANARY in told or (("environ" in statement or "getenv" in statement) and home in told)


def reaches(con: duckdb.DuckDBPyConnection, place: Place, statement: str) -> tuple[bool, bool]:
    """Whether it succeeded; whether the outside was seen, asked or changed by it, or the connection's protection."""
    before = place.state(), protection(con)
    succeeded, seen = outcome(con, statement)
    return succeeded, seen or (place.state(), protection(con)) != before


def test_a_locked_connection_reaches_nothing_outside(
    place: Place, locked: Locked, figures: Callable[..., None]
) -> None:
    """T-SQL-1: only what is listed succeeds, nothing reaches the outside; on an ordinary connection most of it does."""
    tried, allowed, reached, unlike = 0, 0, [], []
    for way in WAYS:
        with locked.opened(way, place) as (con, spill):
            for statement in (*ALLOWED, *OWN[way], *REFUSED):
                succeeded, reach = reaches(con, place, place.named(statement, spill, locked.version))
                unlike += [statement] * (succeeded == (statement in REFUSED))
                reached += [statement] * reach
                allowed += succeeded
                tried += 1
    figures("T-SQL-1 statements", tried=tried, refused=tried - allowed, allowed=allowed, reached=len(reached))
    assert unlike == []
    assert reached == []


def test_an_ordinary_connection_reaches_the_outside(place: Place, figures: Callable[..., None]) -> None:
    """T-SQL-1, the control: of the statements that ours refuses, an ordinary connection obeys most."""
    reached, tried = [], 0
    for statement in REFUSED:
        if "hf://" in statement or "community" in statement:
            continue  # these two would leave the machine
        tried += 1
        before = place.state()
        with ordinary(place, networked="{server}" in statement or "s3" in statement) as (con, spill):
            named = place.named(statement, spill, place.outside / "input.duckdb")
            obeyed, reach = reaches(con, place, named)
            # what is a setting of its own is open already
            reached += [statement] * (reach or (obeyed and statement.startswith(("SET", "RESET", "PRAGMA"))))
        if {**place.state(), "asked": 0} != {**before, "asked": 0}:
            place.fill()
    figures("T-SQL-1 control, an ordinary connection", tried=tried, reached=len(reached))
    assert len(reached) > 0.8 * tried


def test_no_setting_can_be_changed(place: Place, locked: Locked, figures: Callable[..., None]) -> None:
    """T-SQL-1: of all settings that the engine has, only where names are looked for can be set, by any way to set."""
    ways = ("SET {0} = {1}", "SET GLOBAL {0} = {1}", "SET SESSION {0} = {1}", "PRAGMA {0} = {1}", "RESET {0}")
    tried, changed, opened = 0, set(), set()
    with locked.opened("governed", place) as (con, _):
        known = con.execute("SELECT name, coalesce(value, '') FROM duckdb_settings()").fetchall()
        for name, value in known:
            before = protection(con)
            for way in ways:
                opened |= {name} if outcome(con, way.format(name, literal(value)))[0] else set()
                tried += 1
            changed |= {name} if protection(con) != before else set()
    with duckdb.connect() as con:
        control = sum(outcome(con, ways[0].format(name, literal(value)))[0] for name, value in known)
    figures("T-SQL-1 settings", settings=len(known), tried=tried, changed=len(changed), set_by_the_control=control)
    assert changed == set()
    assert opened <= HARMLESS
    assert control > len(known) / 3


@pytest.mark.needs("strace")
@pytest.mark.parametrize("way", [*WAYS, "ordinary"])
def test_the_system_is_not_even_asked(
    place: Place, locked: Locked, tmp_path: Path, way: str, figures: Callable[..., None]
) -> None:
    """T-SQL-1: while the statements run, no file outside is opened, made or renamed and no server is asked."""
    log = tmp_path / "calls"
    calls = "open,openat,creat,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,truncate,connect"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run(
        ["strace", "-f", "-qq", "-s", "300", "-e", f"trace={calls}", "-o", log]
        + [sys.executable, __file__, str(place.folder), place.server, way],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    told = log.read_text(errors="replace")
    _, _, while_run = told.partition("/statements-begin")
    while_run, ended, _ = while_run.partition("/statements-end")
    seen = [line for line in while_run.splitlines() if is_outside(line, place)]
    place.fill()
    figures(f"T-SQL-1 system calls, {way}", statements=len(REFUSED), calls_outside=len(seen))
    assert ended
    if way == "ordinary":
        assert len(seen) > 100
    else:
        assert seen == []


def is_outside(call: str, place: Place) -> bool:
    """Whether a line of strace is a call that reached for what the connection was not opened for."""
    if "connect(" in call:
        return "AF_INET" in call
    for way_in in ("/secret.csv", str(place.outside), str(place.folder / "guards"), ".csv.bak", "/proc/self/environ"):
        if way_in in call:
            return True
    return bool(re.search(r"/given/\w+\.duckdb", call)) or "/dev/std" in call


def drive(place: Place, way: str) -> None:
    """Run every refused statement on a connection of this kind, between two calls that a trace shows."""
    if way == "ordinary":
        with ordinary(place, networked=True) as (con, spill):
            _mark("begin")
            for statement in REFUSED:
                if "hf://" not in statement and "community" not in statement:
                    outcome(con, place.named(statement, spill, place.outside / "input.duckdb"))
            _mark("end")
        return
    locked = Locked.make(place.folder / "driven" / way)
    if way == "log":
        with locked.opened("governed", place) as (con, _):
            logs = literal(str(place.outside / "logs"))
            con.execute(f"CALL enable_logging('QueryLog', storage = 'file', storage_path = {logs})")
            outcome(con, "SELECT 1")
        return
    with locked.opened(way, place) as (con, spill):
        _mark("begin")
        for statement in REFUSED:
            outcome(con, place.named(statement, spill, locked.version))
        _mark("end")


def _mark(what: str) -> None:
    Path(f"/statements-{what}").exists()
    with suppress(FileNotFoundError), Path(f"/statements-{what}").open():
        pass


def test_a_log_to_a_file_outside_ends_the_process_and_writes_nothing(place: Place, locked: Locked) -> None:
    """T-SQL-1: the engine does not refuse such a log until it writes to it: then the process is gone, nothing else."""
    before = place.state()
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, __file__, str(place.folder), place.server, "log"]
    ended = subprocess.run(command, env=environment, capture_output=True)
    assert ended.returncode == -6, "the engine has become better: list the statement among those that are refused"
    assert place.state() == before


def test_nothing_of_it_is_sql_of_features(place: Place, figures: Callable[..., None]) -> None:
    """T-SQL-1: the first wall: none of the statements is accepted as a purpose's SQL, and the place is named."""
    tables = {"people": (Column("a", "VARCHAR"),), "data": (Column("x", "INTEGER"),)}
    refused, statements = 0, {*REFUSED, *ALLOWED, *OWN["governed"], *OWN["ingest"]} - {"SELECT 1"}
    for statement in statements:
        sql = place.named(statement, place.folder / "spill", place.folder / "version.duckdb")
        features = Features(unit="person", key=("a",), subject=None, sql=sql)
        with pytest.raises(BadDeclaration) as caught:
            analyse(Purpose.model_construct(features=features), tables, subject_domain=None)
        refused += all(re.fullmatch(r"SQL \d+:\d+", fault.where) for fault in caught.value.faults)
    features = Features(unit="person", key=("a",), subject=None, sql="SELECT a FROM people")
    assert analyse(Purpose.model_construct(features=features), tables, subject_domain=None).columns
    figures("T-SQL-1 as SQL of features", tried=len(statements), refused_with_a_place=refused)
    assert refused == len(statements)


if __name__ == "__main__":
    folder, server, way = sys.argv[1:]
    drive(Place(Path(folder), server), way)
