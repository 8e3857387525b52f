"""The two ways in which a database is opened, and how its content is named.

    governed   versions in, read-only; one candidate out
    ingest     one source in: its files, its store or its server; one candidate out; no version at all

Belongs here: the locked configuration, the attaching, what an engine's error may say, digests of content. Does not
belong here: which versions may be attached (`gate.py`), SQL of stages.

Neither way can read or write any file but its candidate, the named sources and the connection's own spill folder, read
any other file but the attached ones, reach a network (but the one of a source that is there), load an extension or see
a Python variable; and nothing that is run on the connection can change that. It is a guard rail within one process, not
a boundary against hostile code: SQL that is not ours is parsed before it gets here.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

import duckdb
import polars
from filelock import FileLock, Timeout

from privacy_assets.durable import PRIVATE_FILE, disk_errors, make_folder
from privacy_assets.errors import BadEnvironment, EngineFailed, Fault, OutOfMemory, Refused, Tampered
from privacy_assets.warehouse.versions import LOG_SUFFIXES, Candidate

_NETWORKS = {
    "HTTPFileSystem": "https://network.invalid/",
    "S3FileSystem": "s3://network.invalid/",
    "HuggingFaceFileSystem": "hf://datasets/network/invalid/",
}
_SETTINGS: Mapping[str, bool | str] = {
    "temp_file_encryption": True,
    "allow_persistent_secrets": False,
    "allow_community_extensions": False,
    "allow_unsigned_extensions": False,
    "autoload_known_extensions": False,
    "autoinstall_known_extensions": False,
    "python_enable_replacements": False,
    "preserve_insertion_order": True,
    "enable_progress_bar": False,
    "TimeZone": "UTC",
}
_LOCK: Mapping[str, bool | str] = {"enable_external_access": False, "lock_configuration": True}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A version to read: its file and its data key (64 hex digits, never shown)."""

    path: Path
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reach:
    """What an ingest connection reaches besides its candidate; everything else stays closed.

    `paths` are the files and URLs that may be read; `networks` the file systems that stay on, of those that are closed
    otherwise; `extensions` are loaded from their packages; `settings` replace ours, and are read back like them;
    `prepare` is called before the door is locked: it attaches the one server, or gives the credentials of the store.
    """

    paths: tuple[str, ...] = ()
    networks: frozenset[str] = frozenset()
    extensions: tuple[str, ...] = ()
    settings: Mapping[str, bool | str] = field(default_factory=dict)
    prepare: Callable[[duckdb.DuckDBPyConnection], None] | None = None


_NOTHING = Reach()


@contextmanager
def governed(
    spill: Path, *, inputs: Mapping[str, Attachment], candidate: Candidate | None, memory: int | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A locked connection: each input read-only as the catalog of its alias, the candidate as the catalog `candidate`.

    Statements commit by themselves unless the caller begins a transaction. On leaving without an error the candidate
    is checkpointed and detached: its file is then the whole version. `memory` is how many bytes the engine may hold
    before it spills (None: as it likes). Raises BadEnvironment where the extension is missing or a setting does not
    hold (no file is written then), Tampered where key and file do not fit together.
    """
    with _locked(spill, inputs, candidate, _NOTHING, memory) as con:
        yield con


@contextmanager
def ingest(spill: Path, candidate: Candidate | None, reach: Reach) -> Iterator[duckdb.DuckDBPyConnection]:
    """A locked connection with the candidate as `candidate`, from which one source is reached, and no version.

    Otherwise as `governed`; raises what `reach.prepare` raises.
    """
    with _locked(spill, {}, candidate, reach) as con:
        yield con


@contextmanager
def engine_errors(step: str) -> Iterator[None]:
    """Turn an error of an engine into EngineFailed, which names the step and the kind of error.

    The engine's own text is dropped: it quotes values. `step` is a phrase of ours ("measuring min_rows").
    """
    try:
        yield
    except RuntimeError as error:
        if str(error) == "Query interrupted":  # how the engine says that Ctrl-C was pressed, which it has swallowed
            raise KeyboardInterrupt from None
        raise
    except _engines() as error:
        failed = OutOfMemory if isinstance(error, duckdb.OutOfMemoryException) else EngineFailed
        raise failed(
            Fault(
                f"the database failed while {step}",
                found=type(error).__name__,
                next_step=_NEXT_STEP.get(type(error), "run it again; if it stays, report it with this text"),
            )
        ) from None


def _engines() -> tuple[type[Exception], ...]:
    # asked when something was raised: the import takes a third of a second, which only a failure should pay for
    from pyarrow import ArrowException

    return duckdb.Error, polars.exceptions.PolarsError, ArrowException


_NEXT_STEP: Mapping[type[Exception], str] = {
    duckdb.OutOfMemoryException: "free memory or disk space, then run it again",
    duckdb.IOException: "look at free disk space and at the permissions of the home, then run it again",
    duckdb.InterruptException: "run it again",
}


def columns(con: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, str]]:
    """Name and engine type of each column of `table` (written as in SQL), in order."""
    with engine_errors(f"describing {table}"):
        described = con.execute(f"DESCRIBE {table}").fetchall()
    return [(row[0], row[1]) for row in described]


def content_digest(con: duckdb.DuckDBPyConnection, table: str, key: bytes) -> str:
    """HMAC-SHA-256 (hex) over the schema and the rows of `table` (written as in SQL), in whatever order they lie.

    The rows enter as their number and two sums, modulo 2^128, of a 64 bit hash of each row, seeded from `key`: a row
    more or fewer, a duplicate, an empty text for a missing value, a column moved or retyped all change it. Equal data
    gives equal digests under one engine version; the version is part of what is digested. It tells equal data from
    other data, not an attacker's from ours: that is what the digest of the file is for.
    """
    schema = columns(con, table)
    names = ", ".join(quoted(name) for name, _ in schema)
    seeds = [hmac.digest(key, f"content/{place}".encode(), "sha256").hex() for place in (1, 2)]
    with engine_errors(f"digesting {table}"):
        counted = con.execute(
            f"SELECT count(*), sum(hash($first, {names})), sum(hash($second, {names})) FROM {table}",
            {"first": seeds[0], "second": seeds[1]},
        ).fetchone()
    count, *sums = counted or (0, 0, 0)
    content = {
        "engine": duckdb.__version__,
        "schema": schema,
        "rows": count,
        "sums": [str((found or 0) % 2**128) for found in sums],
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def quoted(name: str) -> str:
    """The name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """The text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def _locked(
    spill: Path,
    inputs: Mapping[str, Attachment],
    candidate: Candidate | None,
    reach: Reach,
    memory: int | None = None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    extensions = {path: _identity(path) for path in (_extension(name) for name in ("httpfs", *reach.extensions))}
    checked = _CHECKED.issuperset(extensions.values())
    con = duckdb.connect(
        config={"autoinstall_known_extensions": "false", "allow_unsigned_extensions": str(checked).lower()}
    )
    folder, lock = None, None
    try:
        folder, lock = _spill_folder(spill)
        _configure(con, extensions, folder, reach)
        _CHECKED.update(extensions.values())
        if memory is not None:
            _bound(con, memory)
        _lock(con, folder, reach, candidate)
        # Only now: a setting that does not hold must not have let a byte of the candidate out.
        _attach(con, folder, inputs, candidate)
        yield con
        if candidate is not None:
            with engine_errors("closing the candidate"):
                con.execute("CHECKPOINT candidate")
                con.execute("DETACH candidate")
    finally:
        con.close()
        if folder is not None and lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            lock.release()


def _spill_folder(spill: Path) -> tuple[Path, FileLock]:
    """A new folder in `spill`, and the lock in it that says that its connection lives; the folders of the dead go."""
    with disk_errors(f"the spill folder {spill}"):
        make_folder(spill)
        for left in spill.iterdir():
            if left.is_dir() and not left.is_symlink():
                _remove_dead(left)
        while True:
            folder = Path(tempfile.mkdtemp(dir=spill.resolve()))
            lock = _lock_in(folder)
            with suppress(FileNotFoundError):
                lock.acquire()
                if Path(lock.lock_file).exists():
                    return folder, lock
                lock.release()  # another connection took it for dead before it was locked, and removed it


def _remove_dead(folder: Path) -> None:
    with suppress(Timeout, OSError), _lock_in(folder).acquire(timeout=0):
        shutil.rmtree(folder)


def _lock_in(folder: Path) -> FileLock:
    return FileLock(folder / "lock", mode=PRIVATE_FILE, thread_local=False, fallback_to_soft=False)


def _extension(name: str) -> Path:
    # httpfs brings the vetted cipher without which no encrypted file is written; its networks are closed
    file = f"extensions/v{duckdb.__version__}/{name}.duckdb_extension"
    try:
        path = Path(str(resources.files(f"duckdb_extension_{name}").joinpath(file)))
    except ModuleNotFoundError:
        path = Path(file)
    if not path.is_file():
        package = f"duckdb-extension-{name.replace('_', '-')}"
        raise BadEnvironment.of(
            "the extension that encrypts is missing" if name == "httpfs" else f"the extension {name} is missing",
            expected=f"{package} {duckdb.__version__}",
            next_step=f"pip install {package}=={duckdb.__version__}",
        )
    return path


_CHECKED: set[tuple[int, ...]] = set()
"""The extensions whose signature the engine has checked in this process, by `_identity`.

The engine hashes all 20 MB of an extension for every connection, which is two thirds of what opening one takes.
A process runs what it mapped the first time: to check the file again says nothing about that. So the first connection
has the signature checked, the others load the same file without; all forbid what is not signed before SQL runs.
"""


def _identity(extension: Path) -> tuple[int, ...]:
    """Which file it is, in which state: a write, a rename and other permissions all change the last number."""
    try:
        found = extension.stat()
    except OSError as error:
        raise _not_as_set("the database", f"{type(error).__name__} while looking for {extension.name}") from None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _settings(folder: Path, reach: Reach) -> dict[str, bool | str]:
    settings = {**_SETTINGS, **reach.settings, "temp_directory": str(folder)}
    if settings["allow_persistent_secrets"]:
        # where a source's extension needs them to be allowed, there are none
        settings["secret_directory"] = str(folder / "no_secrets")
    return settings


def _configure(con: duckdb.DuckDBPyConnection, extensions: Iterable[Path], folder: Path, reach: Reach) -> None:
    closed = {network: address for network, address in _NETWORKS.items() if network not in reach.networks}
    try:
        for extension in extensions:
            con.execute(f"LOAD {literal(str(extension))}")
        for name, value in _settings(folder, reach).items():
            con.execute(f"SET {name} = {_sql(value)}")
        if reach.prepare is not None:
            reach.prepare(con)
        con.execute(f"SET disabled_filesystems = {literal(','.join(closed))}")
    except duckdb.Error as error:
        raise _not_as_set("the database", f"{type(error).__name__} while setting it up") from None
    # This setting alone reads back empty although it holds, so it is probed, while external access is still open.
    for network, address in closed.items():
        try:
            con.execute("SELECT count(*) FROM read_text($address)", {"address": address})
        except duckdb.PermissionException as error:
            if f"{network} has been disabled" in str(error):
                continue
        except duckdb.Error:
            pass
        raise _not_as_set("disabled_filesystems", f"{network} answers")


def _bound(con: duckdb.DuckDBPyConnection, memory: int) -> None:
    """Only ever to less than the engine would take by itself."""
    if memory >= _in_bytes(str(_setting(con, "memory_limit"))):
        return
    try:
        con.execute(f"SET memory_limit = '{memory}B'")
        expected = con.execute("SELECT format_bytes($memory::BIGINT)", {"memory": memory}).fetchone()
    except duckdb.Error as error:
        raise _not_as_set("memory_limit", type(error).__name__) from None
    if expected is None or (found := _setting(con, "memory_limit")) != expected[0]:
        raise _not_as_set("memory_limit", str(found), f"{memory} bytes")


def _attach(
    con: duckdb.DuckDBPyConnection, folder: Path, inputs: Mapping[str, Attachment], candidate: Candidate | None
) -> None:
    for place, (alias, attachment) in enumerate(inputs.items()):
        # The lock would have to let its path in, and not only for reading: COPY could write over a version. So it is
        # attached by a second name in our own folder, which is gone afterwards.
        name = folder / f"{place}.duckdb"
        with engine_errors(f"attaching {alias}"), _second_name(attachment.path, name, alias):
            try:
                con.execute(
                    f"ATTACH {literal(str(name))} AS {quoted(alias)} (READ_ONLY, ENCRYPTION_KEY $key)",
                    {"key": attachment.key},
                )
            except duckdb.InvalidInputException:
                raise Tampered(
                    Fault(
                        "a version and its key do not fit together",
                        where=str(attachment.path),
                        next_step="stop and find out who changed it; rebuild the asset to publish a sound version",
                    )
                ) from None
    if candidate is not None:
        with engine_errors("making the candidate"):
            con.execute(
                f"ATTACH {literal(str(candidate.path))} AS candidate (ENCRYPTION_KEY $key, STORAGE_VERSION 'latest')",
                {"key": candidate.key},
            )
        candidate.path.chmod(PRIVATE_FILE)


@contextmanager
def _second_name(path: Path, name: Path, alias: str) -> Iterator[None]:
    try:
        name.hardlink_to(path)
    except FileNotFoundError:
        raise Refused(
            Fault(
                "a version is gone: another run destroyed it, or rotated its data key, a moment ago",
                where=str(path),
                next_step="run it again",
            )
        ) from None
    except OSError as error:
        raise EngineFailed(
            Fault(
                f"the database failed while attaching {alias}",
                found=os.strerror(error.errno) if error.errno else type(error).__name__,
                next_step=_NEXT_STEP[duckdb.IOException],
            )
        ) from None
    try:
        yield
    finally:
        name.unlink()


def _lock(con: duckdb.DuckDBPyConnection, folder: Path, reach: Reach, candidate: Candidate | None) -> None:
    lists = {
        "allowed_directories": {f"{folder}/"},
        "allowed_paths": {*reach.paths} | {f"{candidate.path}{suffix}" for suffix in ("", *LOG_SUFFIXES) if candidate},
    }
    try:
        for name, allowed in lists.items():
            con.execute(f"SET {name} = [{', '.join(map(literal, sorted(allowed)))}]")
        for name, value in _LOCK.items():
            con.execute(f"SET {name} = {_sql(value)}")
        for name, expected in {**_settings(folder, reach), **_LOCK}.items():
            found = _setting(con, name)
            if found != expected:
                raise _not_as_set(name, str(found), str(expected))
        # the engine adds the address of a server, which it takes for the path of a file that is not there
        attached = con.execute("SELECT path FROM duckdb_databases() WHERE NOT internal").fetchall()
        added = tuple(f"/{path}{suffix}" for (path,) in attached for suffix in ("", *LOG_SUFFIXES))
        for name, allowed in lists.items():
            found = _setting(con, name)
            if not isinstance(found, list) or {path for path in found if not path.endswith(added)} != allowed:
                raise _not_as_set(name, f"{len(found)} entries" if isinstance(found, list) else str(found))
    except duckdb.Error as error:
        raise _not_as_set("the database", f"{type(error).__name__} while locking it") from None


def _setting(con: duckdb.DuckDBPyConnection, name: str) -> object:
    row = con.execute("SELECT current_setting($name)", {"name": name}).fetchone()
    return row[0] if row else None


def _in_bytes(said: str) -> float:
    """About how many bytes the engine means: it says "18.8 GiB"."""
    number, _, unit = said.partition(" ")
    try:
        return float(number) * 1024.0 ** _UNITS.index(unit)
    except ValueError:
        raise _not_as_set("memory_limit", said) from None


_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")


def _sql(value: bool | str) -> str:
    return literal(value) if isinstance(value, str) else str(value).lower()


def _not_as_set(setting: str, found: str, expected: str = "") -> BadEnvironment:
    return BadEnvironment(
        Fault(
            f"the database did not accept {setting}, so nothing is opened",
            expected=expected,
            found=found,
            next_step=f"use duckdb and duckdb-extension-httpfs {duckdb.__version__}, as constraints.txt names them",
        )
    )
