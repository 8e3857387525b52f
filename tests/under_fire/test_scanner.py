"""The search for values of people can fail: what is planted is found, in each form and in each place where it can lie.

Each channel is used as it is used by accident: Dagster records an exception, a database spills, pytest remembers.
"""

# No `from __future__ import annotations` here: Dagster reads the type of `config` from the function itself.
import gzip
import io
import json
import logging
import os
import pickle
import py_compile
import resource
import signal
import sqlite3
import subprocess
import sys
import tarfile
import textwrap
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.under_fire.canaries import Person, people
from tests.under_fire.scanner import SHORTEST, Canary, Scanner, digests, forms

CORE = "Vörönïqwe'xa"
"""A word in which every form differs from every other."""

EVERYBODY = tuple(people(80, seed=1))


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    """Looks for the names of people who are planted one to a channel."""
    return Scanner(canary for person in EVERYBODY for canary in person.canaries if canary.field == "name")


def test_each_form_of_a_value_is_found_once(figures: Callable[..., None]) -> None:
    """Among other bytes, each of the ways in which a text is written is found, and told apart from the others."""
    scanner = Scanner([Canary(0, "name", (CORE,), (f"Ms {CORE}",))])
    written = dict([*forms(CORE), *digests(f"Ms {CORE}")])
    found = 0
    for form, content in written.items():
        hits = {hit.form for hit in scanner.search(b"\x07\x01" + content + b"\xff", "here")}
        assert form in hits or [known for known in hits if written[known] == content], form
        found += bool(hits)
    assert [hit.form for hit in scanner.search(b"V\xf6r\xf6n\xefqwe'xb" + bytes(range(256)), "here")] == []
    figures("T-LEAK-1 encodings", tried=len(written), different=len(set(written.values())), found=found)
    assert len(set(written.values())) >= 30


@pytest.mark.parametrize("phase", range(7))
def test_base64_is_found_wherever_the_value_begins(phase: int) -> None:
    """What stands before and after a value in the same base64 text decides its first and last letters."""
    import base64

    scanner = Scanner([Canary(0, "name", (CORE,), ())])
    told = base64.b64encode(b"x" * phase + CORE.encode() + b"more")
    assert {hit.form[:15] for hit in scanner.search(told, "here")} >= {f"base64, phase {phase % 3}"}


def test_a_value_that_is_too_short_is_refused() -> None:
    """It would be found in any file of random bytes."""
    with pytest.raises(ValueError, match=f"shorter than {SHORTEST} bytes"):
        Scanner([Canary(0, "name", ("Bo",), ())])


def test_random_bytes_hold_nobody(scanner: Scanner) -> None:
    """What is encrypted is searched as it lies there: nothing turns up by chance."""
    assert list(scanner.search(np.random.default_rng(5).bytes(8_000_000), "noise")) == []


# ---- one planted leak a channel


def test_a_leak_is_found_in_each_channel(tmp_path: Path, scanner: Scanner, figures: Callable[..., None]) -> None:
    """T-LEAK-1, control: in each channel somebody else is planted, and found there, and nobody is found who is not."""
    waiting = iter(EVERYBODY)
    planted: dict[str, Person] = {}
    for channel, plant in CHANNELS.items():
        planted[channel] = next(waiting)
        (tmp_path / channel).mkdir()
        plant(tmp_path / channel, planted[channel].values["name"])
    dagster = {channel: next(waiting) for channel in DAGSTER}
    (tmp_path / "dagster").mkdir()
    _use_dagster(tmp_path / "dagster", {channel: person.values["name"] for channel, person in dagster.items()})

    hits = scanner.scan_files(tmp_path)
    found = {(hit.place.partition("/")[0].partition(" ")[0], hit.owner) for hit in hits}
    wanted = {(channel, person.number) for channel, person in planted.items()}
    wanted |= {("dagster", person.number) for person in dagster.values()}
    figures("T-LEAK-1 controls", planted=len(wanted), found=len(found & wanted), of_kinds=len(CHANNELS) + len(DAGSTER))
    missed = [channel for channel, person in planted.items() if (channel, person.number) not in found]
    missed += [channel for channel, person in dagster.items() if ("dagster", person.number) not in found]
    assert missed == []
    assert found == wanted


def test_where_bytes_say_nothing_they_are_decoded(
    tmp_path: Path, scanner: Scanner, figures: Callable[..., None]
) -> None:
    """T-LEAK-1, control: a grep finds nothing in most of these files, and the search does."""
    name, tried, unseen, found = EVERYBODY[0].values["name"], 0, 0, 0
    for channel in ("duckdb", "parquet_data", "zip", "gzip", "zstd", "git_history", "skops", "archive_in_archive"):
        (tmp_path / channel).mkdir()
        CHANNELS[channel](tmp_path / channel, name)
        files = [path for path in (tmp_path / channel).rglob("*") if path.is_file()]
        tried += 1
        unseen += not any(hit for path in files for hit in scanner.search(path.read_bytes(), ""))
        found += bool(scanner.scan_files(tmp_path / channel))
    figures("T-LEAK-1 containers", tried=tried, hidden_from_a_grep=unseen, found_when_decoded=found)
    assert found == tried
    assert unseen > tried // 2


def _duckdb_file(folder: Path, name: str) -> None:
    with duckdb.connect(folder / "plain.duckdb") as con:
        # so many alike that they are kept as a dictionary, compressed
        con.execute(
            "CREATE TABLE t AS SELECT CASE range % 7 WHEN 3 THEN $n ELSE 'x' || range % 50 END AS c FROM range(99999)",
            {"n": name},
        )


def _duckdb_statistics(folder: Path, name: str) -> None:
    with duckdb.connect(folder / "plain.duckdb") as con:
        con.execute("PRAGMA force_compression = 'uncompressed'")
        con.execute("CREATE TABLE t AS SELECT ? AS c", [name])


def _duckdb_free_block(folder: Path, name: str) -> None:
    with duckdb.connect(folder / "plain.duckdb") as con:
        con.execute("PRAGMA force_compression = 'uncompressed'")
        con.execute("CREATE TABLE t AS SELECT ? AS c", [name])
        con.execute("CHECKPOINT")
        con.execute("CREATE TABLE after_it AS SELECT range AS c FROM range(99999)")
        con.execute("CHECKPOINT")
        con.execute("DELETE FROM t")
        con.execute("CHECKPOINT")
        assert con.execute("SELECT count(*) FROM t").fetchone() == (0,)


def _in_a_child(folder: Path, program: str, *arguments: str, **options: object) -> int:
    """Runs a program that ends as it likes, in the folder; its end."""
    command = [sys.executable, "-c", textwrap.dedent(program), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False, **options).returncode  # type: ignore[call-overload,no-any-return]


def _duckdb_log(folder: Path, name: str) -> None:
    _in_a_child(
        folder,
        """
        import duckdb, os, sys
        con = duckdb.connect("plain.duckdb")
        con.execute("CREATE TABLE t (c VARCHAR)")
        con.execute("CHECKPOINT")
        con.execute("INSERT INTO t SELECT ? FROM range(100)", [sys.argv[1]])
        os._exit(0)
        """,
        name,
    )
    assert (folder / "plain.duckdb.wal").stat().st_size


def _duckdb_spill(folder: Path, name: str) -> None:
    # what the engine does by itself beside an encrypted database: spilled rows are not encrypted
    _in_a_child(
        folder,
        """
        import duckdb, os, sys
        con = duckdb.connect(config={"temp_directory": "spill", "memory_limit": "20MB", "threads": 1})
        rows = {"n": sys.argv[1]}
        con.execute("CREATE TEMP TABLE t AS SELECT $n || hash(range) || hash(range + 1) AS c FROM range(500000)", rows)
        os._exit(0)
        """,
        name,
    )
    assert [path for path in (folder / "spill").iterdir() if path.stat().st_size]


def _sqlite(folder: Path, name: str, *statements: str) -> sqlite3.Connection:
    con = sqlite3.connect(folder / "lite.db", isolation_level=None)
    for statement in ("PRAGMA secure_delete = 0", *statements):
        con.execute(statement)
    con.execute("CREATE TABLE t (c TEXT)")
    con.executemany("INSERT INTO t VALUES (?)", [(name,), *[("x" * 50,)] * 200])
    return con


def _sqlite_cell(folder: Path, name: str) -> None:
    _sqlite(folder, name).close()


def _sqlite_utf16(folder: Path, name: str) -> None:
    _sqlite(folder, name, "PRAGMA encoding = 'UTF-16'").close()


def _sqlite_free_page(folder: Path, name: str) -> None:
    con = _sqlite(folder, name)
    con.execute("DELETE FROM t")
    assert con.execute("PRAGMA freelist_count").fetchone() > (0,)
    con.close()


def _sqlite_log(folder: Path, name: str) -> None:
    _in_a_child(
        folder,
        """
        import os, sqlite3, sys
        con = sqlite3.connect("lite.db", isolation_level=None)
        con.execute("PRAGMA journal_mode = wal")
        con.execute("CREATE TABLE t (c TEXT)")
        con.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        con.execute("INSERT INTO t VALUES (?)", [sys.argv[1]])
        os._exit(0)
        """,
        name,
    )
    assert (folder / "lite.db-wal").stat().st_size


def _parquet_data(folder: Path, name: str) -> None:
    table = pa.table({"c": [name if place % 7 == 3 else f"x{place % 90}" for place in range(9999)]})
    pq.write_table(table, folder / "data.parquet", compression="zstd", write_statistics=False)


def _parquet_statistics(folder: Path, name: str) -> None:
    # the footer alone: the smallest and the largest value stand in it
    pq.write_table(pa.table({"c": [name, "Aaa", "Bbb"]}), folder / "data.parquet", compression="zstd")
    content = (folder / "data.parquet").read_bytes()
    (folder / "data.parquet").write_bytes(content[-int.from_bytes(content[-8:-4], "little") - 8 :])


def _arrow(folder: Path, name: str) -> None:
    pl.DataFrame({"c": [name] * 999}).write_ipc(folder / "data.arrow", compression="zstd")


def _pickle(folder: Path, name: str) -> None:
    (folder / "result").write_bytes(pickle.dumps({"rows": [(1, name)]}, protocol=5))


def _pickled_frame(folder: Path, name: str) -> None:
    (folder / "result").write_bytes(pickle.dumps(pl.DataFrame({"c": [name]})))


def _npz(folder: Path, name: str) -> None:
    np.savez_compressed(folder / "array.npz", categories=np.array([name], dtype=object))


def _skops(folder: Path, name: str) -> None:
    import skops.io
    from sklearn.preprocessing import OneHotEncoder

    seen = np.array([[name]] * 9 + [["x"]] * 9, dtype=object)
    (folder / "model.skops").write_bytes(skops.io.dumps(OneHotEncoder().fit(seen), compression=zipfile.ZIP_DEFLATED))


def _gzip(folder: Path, name: str) -> None:
    (folder / "rows.csv.gz").write_bytes(gzip.compress(f"id,name\n1,{name}\n".encode() * 9))


def _zstd(folder: Path, name: str) -> None:
    with pa.CompressedOutputStream(str(folder / "rows.zst"), "zstd") as file:
        file.write(f"id,name\n1,{name}\n".encode() * 9)


def _zip(folder: Path, name: str) -> None:
    with zipfile.ZipFile(folder / "rows.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows.csv", f"1,{name}\n" * 9)


def _archive_in_archive(folder: Path, name: str) -> None:
    inner = io.BytesIO()
    with sqlite3.connect(":memory:") as con:
        con.execute("CREATE TABLE t AS SELECT ? AS c", [gzip.compress(name.encode() * 3)])
        inner.write(con.serialize())
    with tarfile.open(folder / "backup.tar.xz", "w:xz") as archive:
        member = tarfile.TarInfo("lite.db")
        member.size = inner.tell()
        inner.seek(0)
        archive.addfile(member, inner)


def _json_in_json(folder: Path, name: str) -> None:
    (folder / "event.json").write_text(json.dumps({"event": json.dumps({"text": json.dumps(name)})}))


def _git_history(folder: Path, name: str) -> None:
    def git(*words: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=t", "-c", "user.email=t@t", *words], cwd=folder, check=True, capture_output=True
        )

    git("init", "-q")
    (folder / "notebook").write_text(name * 9)
    git("add", "notebook")
    git("commit", "-qm", "with")
    git("rm", "-q", "notebook")
    git("commit", "-qm", "without")
    git("gc", "-q")


def _git_stash(folder: Path, name: str) -> None:
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    hashed = ["git", "hash-object", "-w", "--stdin"]
    subprocess.run(hashed, cwd=folder, input=name.encode(), check=True, capture_output=True)


def _pytest_cache(folder: Path, name: str) -> None:
    (folder / "test_it.py").write_text(
        "import os, pytest\n\n"
        "@pytest.mark.parametrize('who', [os.environ['WHO']])\n"
        "def test_it(who):\n    assert not who\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "test_it.py"]
    env = {known: value for known, value in os.environ.items() if not known.startswith("PYTEST")} | {"WHO": name}
    ended = subprocess.run(command, cwd=folder, capture_output=True, check=False, env=env)
    assert ended.returncode == 1
    assert (folder / ".pytest_cache").is_dir()


def _streams(folder: Path, name: str) -> None:
    with (folder / "stderr").open("wb") as stderr:
        program = "import sys; rows = dict.fromkeys(range(3)); rows[sys.argv[1]]"
        subprocess.run([sys.executable, "-c", program, name], stderr=stderr, check=False)


def _python_logging(folder: Path, name: str) -> None:
    handler = logging.FileHandler(folder / "app.log", encoding="utf-16")
    handler.emit(logging.LogRecord("app", logging.INFO, __file__, 1, "row of %s", (name,), None))
    handler.close()


def _python_warning(folder: Path, name: str) -> None:
    told = warnings.formatwarning(f"unknown category {name}", UserWarning, __file__, 1)
    (folder / "stderr").write_text(ascii(told))


def _compiled_python(folder: Path, name: str) -> None:
    (folder / "hierarchy.py").write_text(f"VALUES = [{name!r}]\n")
    py_compile.compile(str(folder / "hierarchy.py"))
    (folder / "hierarchy.py").unlink()


def _file_name(folder: Path, name: str) -> None:
    (folder / f"{name}.csv").touch()


def _link(folder: Path, name: str) -> None:
    (folder / "latest").symlink_to(f"/nowhere/{name}.csv")


def _arguments(folder: Path, name: str) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()", name], env={"ROW": name}, stdin=subprocess.PIPE)
    for what in ("cmdline", "environ"):
        (folder / what).write_bytes(Path(f"/proc/{child.pid}/{what}").read_bytes())
    child.communicate(b"\n")


def _core(folder: Path, name: str) -> None:
    ending = _in_a_child(
        folder,
        """
        import os, sys
        held = [sys.stdin.read()]
        os.abort()
        """,
        input=name.encode(),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2),
    )
    assert ending == -signal.SIGABRT


def _unkeyed_digest(folder: Path, name: str) -> None:
    import hashlib

    (folder / "tokens.csv").write_text(hashlib.sha256(name.encode()).hexdigest()[:20])


CHANNELS: dict[str, Callable[[Path, str], None]] = {
    "duckdb": _duckdb_file,
    "duckdb_statistics": _duckdb_statistics,
    "duckdb_free_block": _duckdb_free_block,
    "duckdb_log": _duckdb_log,
    "duckdb_spill": _duckdb_spill,
    "sqlite": _sqlite_cell,
    "sqlite_utf16": _sqlite_utf16,
    "sqlite_free_page": _sqlite_free_page,
    "sqlite_log": _sqlite_log,
    "parquet_data": _parquet_data,
    "parquet_statistics": _parquet_statistics,
    "arrow": _arrow,
    "pickle": _pickle,
    "pickled_frame": _pickled_frame,
    "npz": _npz,
    "skops": _skops,
    "gzip": _gzip,
    "zstd": _zstd,
    "zip": _zip,
    "archive_in_archive": _archive_in_archive,
    "json_in_json": _json_in_json,
    "git_history": _git_history,
    "git_object_of_no_commit": _git_stash,
    "pytest_cache": _pytest_cache,
    "streams": _streams,
    "python_logging": _python_logging,
    "python_warning": _python_warning,
    "compiled_python": _compiled_python,
    "file_name": _file_name,
    "link": _link,
    "unkeyed_digest": _unkeyed_digest,
}
if sys.platform == "linux":
    CHANNELS["arguments_and_environment"] = _arguments
    if Path("/proc/sys/kernel/core_pattern").read_text().strip() == "core":
        CHANNELS["core"] = _core

DAGSTER = (
    "exception", "cause", "metadata", "check_metadata", "log", "tag", "config", "description", "partition",
    "compute_log", "stored_output",
)  # fmt: skip
"""Where Dagster, set up as it comes, keeps what an asset says."""


class Asked(dg.Config):
    """What a run is asked for."""

    of: str


def _use_dagster(folder: Path, names: dict[str, str]) -> None:
    """One run that says each name in another place."""

    @dg.asset(description=names["description"], partitions_def=dg.StaticPartitionsDefinition([names["partition"]]))
    def rows(context: dg.AssetExecutionContext, config: Asked) -> dg.MaterializeResult:
        context.log.info(names["log"])
        print(names["compute_log"], flush=True)
        return dg.MaterializeResult(value=[names["stored_output"]], metadata={"first": names["metadata"]})

    @dg.asset_check(asset=rows)
    def sound() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True, metadata={"worst": names["check_metadata"]})

    @dg.asset(deps=[rows])
    def model() -> None:
        try:
            int(names["cause"])
        except ValueError as error:
            raise KeyError(names["exception"]) from error

    with dg.DagsterInstance.local_temp(str(folder)) as instance:
        result = dg.materialize(
            [rows, sound, model],
            instance=instance,
            raise_on_error=False,
            partition_key=names["partition"],
            tags={"who": names["tag"]},
            run_config=dg.RunConfig({"rows": Asked(of=names["config"])}),
        )
        assert not result.success
