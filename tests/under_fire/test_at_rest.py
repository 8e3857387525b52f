"""What lies on the disk: unreadable without the key, refused where it was touched, and no key anywhere but in its file.

Belongs here: spill files, bit flips, replays, kills, keys in files and processes, settings that do not hold. Does not
belong here: rotation (`test_rotation.py`), the ledger's own files (`test_ledger.py`), values of people in logs.
"""

from __future__ import annotations

import base64
import itertools
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import duckdb
import pytest

from privacy_assets.build import steps
from privacy_assets.errors import BadEnvironment, PrivacyAssetsError, Refused
from privacy_assets.gate import READERS, Gate
from privacy_assets.stages.step import carry_out
from privacy_assets.warehouse import connections
from privacy_assets.warehouse.connections import _extension, governed, literal
from privacy_assets.warehouse.home import Home
from privacy_assets.warehouse.keys import KeyFile
from privacy_assets.warehouse.versions import Versions
from privacy_assets.words import AssetName
from tests.conftest import environment_in, write_tiny_project
from tests.under_fire import reading_alone

ROOT = Path(__file__).parents[2]
Figures = Callable[..., None]
CANARY = b"canary-7f3a-"
PATIENTS, CONSENTS = AssetName.parse("raw/patients"), AssetName.parse("raw/consents")
TRAINING = AssetName.parse("training/smoking")
long = pytest.mark.long


def hits(folder: Path) -> int:
    """How often the canary lies in the files of a folder."""
    return sum(path.read_bytes().count(CANARY) for path in folder.rglob("*") if path.is_file())


# ---- spill


@pytest.mark.parametrize("is_encrypted", [True, False])
def test_nothing_readable_is_spilled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figures: Figures, is_encrypted: bool
) -> None:
    """T-REST-1: 3 million rows under a limit of 190 MiB, looked at while the query stands: nothing readable.

    With the encryption of temporary files turned off the same look finds more than a million.
    """
    rows, little = 3_000_000, {"memory_limit": "190.0 MiB", "temp_file_encryption": is_encrypted}
    monkeypatch.setattr(connections, "_SETTINGS", {**connections._SETTINGS, **little})
    with governed(tmp_path, inputs={}, candidate=None) as con:
        con.execute(
            f"CREATE TEMP TABLE t AS SELECT '{CANARY.decode()}' || lpad(range::VARCHAR, 20, '0') || md5(range::VARCHAR)"
            f" AS x, hash(range) AS y FROM range({rows})"
        )
        con.execute("SELECT * FROM t ORDER BY y").fetchone()
        spilled = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
        found = hits(tmp_path)
    counts = {"rows": rows, "MiB of spill files": spilled >> 20, "values found in them": found}
    figures("T-REST-1 spill, " + ("encrypted" if is_encrypted else "control: not encrypted"), **counts)
    assert spilled > 100 << 20
    assert found == 0 if is_encrypted else found > 1_000_000
    assert hits(tmp_path) == 0


# ---- what was touched is refused


def accepts(gate: Gate, asset: AssetName) -> bool:
    """Whether the gate lets the asset be read today, to its last row."""
    try:
        passport = gate.require(asset, min(READERS[asset.stage]))
        with governed(gate.home.spill, inputs={"read": gate.attachment(passport)}, candidate=None) as con:
            con.execute("SELECT sum(hash(data)) FROM read.main.data AS data").fetchone()
    except PrivacyAssetsError:
        return False
    return True


_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    ["__main__", "privacy_assets.stages.step", "privacy_assets.rotation", reading_alone.__name__, __name__]
)


def cipher_alone(path: Path, key: str, seconds: int = 8) -> str:
    """What the engine reads without the gate, as a digest; or "refused"; or "crashed"."""
    return reading_alone.cipher_alone(str(path), key, str(_extension("httpfs")), seconds)


@contextmanager
def touched(contents: Mapping[Path, bytes | None]) -> Iterator[None]:
    """These files with these contents (None: gone), their times as they were; afterwards all is as before."""
    before = {path: (path.read_bytes(), path.stat()) if path.exists() else None for path in contents}

    def put(path: Path, content: bytes | None, times: os.stat_result | None) -> None:
        if content is None:
            path.unlink(missing_ok=True)
            return
        path.write_bytes(content)
        if times:
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    try:
        for path, content in contents.items():
            put(path, content, was[1] if (was := before[path]) else None)
        yield
    finally:
        for path, was in before.items():
            put(path, *(was or (None, None)))


def flipped(content: bytes, bit: int) -> bytes:
    """The content with one bit turned."""
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@pytest.mark.parametrize("number", [420, pytest.param(5000, marks=long)])
def test_no_flipped_bit_is_accepted(
    published: Gate, environment: dict[str, str], figures: Figures, number: int
) -> None:
    """T-REST-2: one bit of a data file, a wrapped key, the secrets, the passports or the checkpoint: refused."""
    chance, home = random.Random(2026), published.home
    held = {passport.asset: published.attachment(passport).path for passport in published.held()}

    def opened(asset: AssetName) -> bool:
        try:
            return accepts(Gate.open(home.root, environment, published.project), asset)
        except PrivacyAssetsError:
            return False

    targets: list[tuple[str, Callable[[AssetName], Path], Callable[[AssetName], bool], int]] = [
        ("data files", lambda asset: held[asset], lambda asset: accepts(published, asset), 50),
        (
            "wrapped data keys",
            lambda asset: held[asset].with_suffix(".key"),
            lambda asset: accepts(published, asset),
            25,
        ),
        ("secrets", lambda asset: home.secrets_file, opened, 10),
        ("passports", lambda asset: home.ledger / "entries", opened, 10),
        ("checkpoint", lambda asset: home.ledger / "checkpoint", opened, 5),
    ]
    assert all(accepts(published, asset) and opened(asset) for asset in held)
    accepted = 0
    tried: dict[str, int] = {}
    for what, path_of, asked, share in targets:
        for _ in range(number * share // 100):
            asset = chance.choice(sorted(held))
            path = path_of(asset)
            content = path.read_bytes()
            with touched({path: flipped(content, chance.randrange(len(content) * 8))}):
                accepted += asked(asset)
            tried[what] = tried.get(what, 0) + 1
    figures(
        "T-REST-2 bit flips", tried=sum(tried.values()), accepted=accepted, **{f"in {k}": n for k, n in tried.items()}
    )
    assert sum(tried.values()) >= 400
    assert accepted == 0
    assert all(accepts(published, asset) and opened(asset) for asset in held)


BIG = 100_000
BLOCK = 16 << 10
"""The smallest block that the engine knows: a column then takes many of them, each laid out like the next."""


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    """A gate with two versions of raw/patients that take many blocks, and one of raw/consents."""
    folder = tmp_path_factory.mktemp("big")
    write_tiny_project(folder / "project")
    chance = random.Random(2026)
    gate = Gate.open(folder / "project", environment_in(folder))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connections, "_SETTINGS", {**connections._SETTINGS, "default_block_size": BLOCK})
        for year in (2025, 2026):
            (folder / "project/data/samples/patients.csv").write_text(
                "patient_id;email;sex;age;smoker;cost;registered\n"
                + "".join(
                    f"p-{at};{chance.randbytes(24).hex()}@example.org;F;{at % 90};true;{at % 997}.50;{year}-01-01\n"
                    for at in range(BIG)
                )
            )
            carry_out(steps(gate.project)[PATIENTS], gate).raise_faults()
        carry_out(steps(gate.project)[CONSENTS], gate).raise_faults()
    return gate


def version(gate: Gate, asset: AssetName, *, age: int = 0) -> tuple[Path, bytes, bytes, str]:
    """The file of a version (0 the newest), what it and its key's file hold, and its data key."""
    attachment = gate.attachment(gate.history(asset)[-1 - age])
    return (
        attachment.path,
        attachment.path.read_bytes(),
        attachment.path.with_suffix(".key").read_bytes(),
        attachment.key,
    )


def blocks_of(path: Path, key: str) -> tuple[int, int]:
    """Where the first block of a database begins, and how long a block is: as the engine says."""
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as con:
        con.execute(f"LOAD {literal(str(_extension('httpfs')))}")
        con.execute(f"ATTACH {literal(str(path))} AS read (READ_ONLY, ENCRYPTION_KEY $key)", {"key": key})
        found = con.execute(
            "SELECT block_size, total_blocks FROM pragma_database_size() WHERE database_name = 'read'"
        ).fetchone()
    assert found is not None
    return path.stat().st_size - found[0] * found[1], found[0]


def written_on(content: bytes, key: str, folder: Path, statements: Iterable[str]) -> tuple[bytes, bytes]:
    """The database as it is after more statements under the same key; and its log, where they were not folded in."""
    path = folder / "state.duckdb"
    path.write_bytes(content)
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as con:
        con.execute(f"LOAD {literal(str(_extension('httpfs')))}")
        con.execute(f"ATTACH {literal(str(path))} AS state (ENCRYPTION_KEY $key)", {"key": key})
        for statement in statements:
            con.execute(statement)
        log = path.with_name("state.duckdb.wal")
        state = path.read_bytes(), log.read_bytes() if log.exists() else b""
    for left in folder.glob("state.duckdb*"):
        left.unlink()
    return state


@pytest.mark.parametrize("swaps", [48, pytest.param(0, marks=long)], ids=["48 swaps", "every swap"])
def test_what_was_moved_replayed_or_planted_is_refused(big: Gate, tmp_path: Path, figures: Figures, swaps: int) -> None:
    """T-REST-3: swapped or replayed blocks, older or exchanged files, logs: all refused, though the cipher takes many.

    The control attaches the same files with their keys and without the gate: authenticated encryption binds a block
    neither to its place nor to its age.
    """
    path, content, wrapped, key = version(big, PATIENTS)
    older_path, older, older_wrapped, older_key = version(big, PATIENTS, age=1)
    other_path, other, other_wrapped, other_key = version(big, CONSENTS)
    start, size = blocks_of(path, key)
    blocks = range(start, len(content), size)
    assert [(len(content) - start) % size, size, len(blocks) > 200] == [0, BLOCK, True]
    # states of the same file under the same key, as they lay on the disk at another moment
    changes = [f"UPDATE state.main.data SET email = '{step}' || email" for step in (1, 2, 3, 4)]
    state, _ = written_on(content, key, tmp_path, [text for change in changes for text in (change, "CHECKPOINT state")])
    _, log = written_on(content, key, tmp_path, ["DELETE FROM state.main.data WHERE age > 5"])
    _, other_log = written_on(other, other_key, tmp_path, ["DELETE FROM state.main.data"])
    _, older_log = written_on(older, older_key, tmp_path, ["DELETE FROM state.main.data WHERE age > 5"])
    assert min(map(len, (log, other_log, older_log))) > 0

    attacks: list[tuple[str, Mapping[Path, bytes | None], str]] = []
    pairs = list(itertools.pairwise(blocks))
    for at, after in random.Random(2026).sample(pairs, swaps) if swaps else pairs:
        swapped = content[:at] + content[after : after + size] + content[at:after] + content[after + size :]
        attacks.append(("adjacent blocks swapped", {path: swapped}, key))
    aged = [at for at in blocks if state[at : at + size] not in (content[at : at + size], b"")]
    for at in random.Random(2026).sample(aged, 20):
        replayed = content[:at] + state[at : at + size] + content[at + size :]
        attacks.append(("blocks of another moment", {path: replayed}, key))
    attacks += [
        ("whole files", {path: state}, key),
        ("whole files", {path: older}, older_key),
        ("whole files", {path: older, path.with_suffix(".key"): older_wrapped}, older_key),
        ("whole files", {path: other, other_path: content}, other_key),
        (
            "whole files",
            {
                path: other,
                path.with_suffix(".key"): other_wrapped,
                other_path: content,
                other_path.with_suffix(".key"): wrapped,
            },
            other_key,
        ),
    ]
    for suffix in (".wal", ".wal.checkpoint", ".wal.recovery"):
        beside = path.with_name(path.name + suffix)
        attacks += [
            ("logs", {beside: planted}, key) for planted in (log, older_log, other_log, log[: len(log) // 2], b"")
        ]
    # a file that was published with a log would lose what is in it where the log is taken away: none is published so
    with pytest.raises(Refused, match="checkpoint"), big.candidate(PATIENTS) as candidate:
        candidate.path.write_bytes(content)
        candidate.path.with_name(candidate.path.name + ".wal").write_bytes(log)
        candidate.seal()

    sound = cipher_alone(path, key, seconds=90)  # the server of the processes begins with it
    assert sound not in ("refused", "crashed")
    assert accepts(big, PATIENTS)
    tried: dict[str, list[int]] = {}
    for what, files, opens_with in attacks:
        with touched(files):
            counts = tried.setdefault(what, [0, 0, 0, 0, 0])
            found = cipher_alone(path, opens_with)
            by_gate = accepts(big, PATIENTS)
        taken = found not in ("refused", "crashed")
        for place, count in enumerate((1, not by_gate, taken, taken and found != sound, found == "crashed")):
            counts[place] += count
    assert accepts(big, PATIENTS)
    for what, counts in tried.items():
        told = (
            "tried",
            "refused by the gate",
            "taken by the cipher alone",
            "with other rows",
            "end or stop the engine",
        )
        figures(f"T-REST-3 {what}", **dict(zip(told, counts, strict=True)))
        assert counts[0] == counts[1], what
        assert counts[2] > 0, what
    assert sum(counts[2] for counts in tried.values()) >= 30
    assert older_path.exists()


# ---- kills


def _write(folder: Path, env: dict[str, str], say: Connection) -> None:
    """A candidate and, as a control, a plain file: a table, then an open transaction that goes on and on."""
    tight = {"memory_limit": "60.0 MiB"}
    connections._SETTINGS = {**connections._SETTINGS, **tight}
    gate = Gate.open(folder / "project", env)
    plain = duckdb.connect(str(folder / "plain" / "plain.duckdb"), config={"memory_limit": "60MB"})
    with (
        gate.candidate(PATIENTS) as candidate,
        governed(gate.home.spill, inputs={}, candidate=candidate) as con,
    ):
        con.execute("USE candidate")
        for way in (con, plain):
            way.execute("CREATE TABLE data (x VARCHAR USING COMPRESSION uncompressed)")
            way.execute(_MORE.format(rows=100_000))
            way.execute("CHECKPOINT")
            way.execute(_MORE.format(rows=1_000))
            way.execute("BEGIN")
            way.execute(
                f"CREATE TEMP TABLE waiting AS SELECT '{CANARY.decode()}' || md5(range::VARCHAR) AS x "
                "FROM range(2000000)"
            )
        say.send(candidate.id)
        while True:
            for way in (con, plain):
                way.execute(_MORE.format(rows=20_000))


_MORE = f"INSERT INTO data SELECT '{CANARY.decode()}' || range FROM range({{rows}})"


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=long)])
def test_an_open_transaction_that_is_killed_leaves_nothing(
    published: Gate,
    reopen: Callable[[], Gate],
    tmp_path: Path,
    environment: dict[str, str],
    figures: Figures,
    kills: int,
) -> None:
    """T-REST-4: kill -9 amid an open transaction: no value in file, log or spill; none of it is read, all is swept."""
    chance = random.Random(2026)
    spill, stands = published.home.spill, published.latest(PATIENTS)
    found = control = readable = left = 0
    for _ in range(kills):
        (tmp_path / "plain").mkdir()
        ours, theirs = _FORKS.Pipe(duplex=False)
        child = _FORKS.Process(target=_write, args=(tmp_path, environment, theirs))
        child.start()
        made = ours.recv()
        time.sleep(chance.random() / 10)
        os.kill(child.pid or 0, signal.SIGKILL)
        child.join()
        file = published.versions.path(str(PATIENTS), made)
        assert file.exists()
        assert any(path.stat().st_size > 1 << 20 for path in spill.rglob("*"))
        found += hits(published.home.path)
        control += hits(tmp_path / "plain")
        gate = reopen()
        readable += gate.latest(PATIENTS) != stands or made in {passport.version for passport in gate.held()}
        assert accepts(gate, PATIENTS)
        assert gate.sweep() == 1
        left += len(list(file.parent.glob(f"*{made}*")) + list(spill.iterdir()))
        shutil.rmtree(tmp_path / "plain")
    figures(
        "T-REST-4 kill -9 in a transaction", kills=kills, readable=readable,
        **{"files left": left, "values found": found, "in the plain control": control},
    )  # fmt: skip
    assert (found, readable, left) == (0, 0, 0)
    assert control > 100_000 * kills


# ---- keys


def forms(key: bytes) -> list[bytes]:
    """The ways in which a key could be written: as it is, in hex, in base64 from any place within a group of three."""
    encoded = [key, key.hex().encode(), key.hex().upper().encode()]
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            # without the letters at both ends that also hold bits of neighbours
            encoded.append(encode(b"\0" * before + key)[4 if before else 0 : -4])
    return encoded


def keys_in(content: bytes, keys: Iterable[bytes]) -> int:
    """How many of these keys are in the content, in any form."""
    return sum(any(form in content for form in forms(key)) for key in keys)


class Watch(threading.Thread):
    """Looks again and again at the arguments and the environment of a process and its descendants."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self.process, self.seen, self.ended = process, {b""}, False

    def run(self) -> None:
        while not self.ended:
            family = {self.process}
            for status in Path("/proc").glob("[0-9]*/stat"):
                try:
                    number, parent = int(status.parent.name), int(status.read_text().rpartition(")")[2].split()[1])
                except (OSError, ValueError):
                    continue
                if parent in family:
                    family.add(number)
            for number in family:
                for name in ("cmdline", "environ"):
                    try:
                        self.seen.add((Path("/proc") / str(number) / name).read_bytes())
                    except OSError:
                        continue
            time.sleep(0.02)


def watched(command: list[str], folder: Path, env: Mapping[str, str]) -> tuple[int, bytes]:
    """Run a command; its exit code, and all that it said, was told and had around it."""
    with subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        watch = Watch(process.pid)
        watch.start()
        said, _ = process.communicate(timeout=300)
    watch.ended = True
    watch.join()
    return process.returncode, said + b"".join(watch.seen)


# The program itself, with a note taken of every key that it wraps or derives, in a file that is not looked at.
_NOTING = """
import pathlib, sys
import privacy_assets.warehouse.keys as keys
note = pathlib.Path(sys.argv.pop(1)).open("a")
def noted(owner, name, pick):
    original = getattr(owner, name)
    def call(*args):
        answer = original(*args)
        print(pick(args, answer).hex(), file=note, flush=True)
        return answer
    setattr(owner, name, call)
noted(keys.KeyFile, "wrap", lambda args, answer: args[1])
noted(keys.KeyFile, "unwrap", lambda args, answer: answer)
noted(keys.Secrets, "derive", lambda args, answer: answer)
from privacy_assets.cli import main
sys.argv[0] = "privacy-assets"
main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_no_key_is_anywhere_but_in_its_file(tmp_path: Path, figures: Figures) -> None:
    """T-REST-5: master, data keys, secrets and what is derived: in no file, argument, environment, log or exception.

    Of runs that succeed and that fail; keys that were destroyed meanwhile included. What is planted is found.
    """
    folder, note = tmp_path / "seen", tmp_path / "note"
    project = folder / "project"
    write_tiny_project(project)
    for name in ("definitions.py", "dagster.yaml"):
        shutil.copy(ROOT / name, project)
    for name in ("tmp", "user"):
        (folder / name).mkdir()
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PRIVACY_ASSETS", "DAGSTER"))},
        **environment_in(folder),
        "DAGSTER_HOME": str(project),
        "HOME": str(folder / "user"),
        "XDG_CONFIG_HOME": str(folder / "user"),
        "TMPDIR": str(folder / "tmp"),
    }
    around = b""

    def privacy_assets(*words: str, fails: bool) -> None:
        nonlocal around
        code, said = watched([sys.executable, "-c", _NOTING, str(note), *words], project, env)
        assert bool(code) == fails, said.decode(errors="replace")
        around += said

    privacy_assets("run", fails=False)
    purpose = project / "data" / "purposes" / "smoking.yaml"
    sound = purpose.read_text()
    assert "patient_id, sex, age" in sound
    purpose.write_text(sound.replace("patient_id, sex, age", "patient_id, sex, CAST(age * 30000 AS SMALLINT) AS age"))
    privacy_assets("run", fails=True)
    assert b"the database failed while computing features" in around
    purpose.write_text(sound.replace("at_least_subjects: 5", "at_least_subjects: 500"))
    privacy_assets("run", fails=True)
    damaged = next((folder / "home" / "versions" / "training").rglob("*.key"))
    wrapped = damaged.read_bytes()
    damaged.write_bytes(wrapped[:-10] + b"AAAAAAAA" + wrapped[-2:])
    privacy_assets("rotate-data-keys", fails=True)
    damaged.write_bytes(wrapped)
    privacy_assets("rotate-data-keys", fails=False)

    key_file = Path(env["PRIVACY_ASSETS_KEY_FILE"])
    master = base64.b64decode(key_file.read_text())
    keys = {master} | {bytes.fromhex(line) for line in note.read_text().split()}
    files = [path for path in folder.rglob("*") if path.is_file() and path != key_file]
    assert len(keys) > 20
    assert any(path.name.endswith(".db") for path in files)
    found = sum(keys_in(path.read_bytes(), keys) for path in files)
    figures(
        "T-REST-5 keys",
        keys=len(keys),
        forms=len(keys) * len(forms(master)),
        **{"files searched": len(files), "bytes of output, arguments, environments": len(around)},
        found=found + keys_in(around, keys),
    )
    assert found == 0
    assert keys_in(around, keys) == 0
    assert b"PRIVACY_ASSETS_KEY_FILE=" in around
    assert keys_in(key_file.read_bytes(), keys) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_key_that_is_planted_is_found(figures: Figures) -> None:
    """In every form within other bytes, in an argument, in an environment, and in what a process says."""
    key = random.Random(2026).randbytes(32)
    planted = [b"\x07" + form + b"\x07" for form in forms(key)]
    planted += [base64.b64encode(b"neighbours"[:before] + key + b"neighbours") for before in range(8)]
    for words, env in (
        (["-c", f"import time; time.sleep(1); '{key.hex()}'"], {}),
        (["-c", "import time; time.sleep(1)"], {"KEY": base64.b64encode(key).decode()}),
        (["-c", f"print(b'{key.hex()}')"], {}),
    ):
        planted.append(watched([sys.executable, *words], ROOT, {**os.environ, **env})[1])
    found = [keys_in(content, [key]) for content in planted]
    figures("T-REST-5 keys, control", planted=len(planted), found=sum(found))
    assert found == [1] * len(planted)


# ---- settings


class Deaf:
    """A connection that sets one setting to another value than it is told, or not at all."""

    def __init__(self, con: duckdb.DuckDBPyConnection, setting: str, value: str | None) -> None:
        self._con, self._setting, self._value = con, setting, value

    def execute(self, sql: str, *arguments: Any) -> Any:
        if sql.startswith(f"SET {self._setting} ="):
            if self._value is None:
                return self
            sql = f"SET {self._setting} = {self._value}"
        return self._con.execute(sql, *arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._con, name)


OTHERWISE: Mapping[str, str] = {
    **{
        name: str(not value).lower()
        for name, value in {**connections._SETTINGS, **connections._LOCK}.items()
        if isinstance(value, bool)
    },
    "TimeZone": "'Asia/Tokyo'",
    "temp_directory": "'/nonexistent'",
    "disabled_filesystems": "'HTTPFileSystem,S3FileSystem'",
    "allowed_directories": "['/nonexistent/']",
    "allowed_paths": "['/etc/passwd']",
}
"""Every setting that a connection is given, and another value."""


@pytest.fixture
def opened(tmp_path: Path) -> Callable[[], bool]:
    """Whether a candidate can be opened; that no file was made where it cannot, not even for a moment, is asserted."""
    env = {name: value for name, value in environment_in(tmp_path).items() if name != "PRIVACY_ASSETS_HOME"}
    (tmp_path / "project").mkdir()
    home = Home.open(tmp_path / "project", env)
    versions = Versions(home, KeyFile.open(home))

    def everything() -> dict[Path, int]:
        # a folder's time changes with every file that comes or goes in it
        return {path: path.stat().st_mtime_ns for path in home.versions.rglob("*")}

    def tried() -> bool:
        with versions.candidate("raw/a") as candidate:
            before = everything()
            try:
                with governed(home.spill, inputs={}, candidate=candidate) as con:
                    con.execute("CREATE TABLE candidate.main.data AS SELECT 1 AS x")
            except BadEnvironment:
                assert everything() == before
                assert list(home.spill.iterdir()) == []
                return False
            assert everything() != before
        return True

    return tried


def test_a_setting_that_does_not_hold_refuses_before_a_file_is_made(
    opened: Callable[[], bool], monkeypatch: pytest.MonkeyPatch, figures: Figures
) -> None:
    """T-REST-6: each setting in turn set otherwise, by the engine itself: nothing is opened, no file is written.

    A setting that is left out refuses too, unless the engine's own default is what we ask for.
    """
    told = {**connections._SETTINGS, **connections._LOCK}
    assert set(OTHERWISE) == {*told, "temp_directory", "disabled_filesystems", "allowed_directories", "allowed_paths"}
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as plain:
        defaults = {
            name
            for name, value in told.items()
            if plain.execute(f"SELECT current_setting('{name}')").fetchone() == (value,)
        } | {"allowed_directories"}  # the engine lets its own folder for temporary files in, and that is all we ask for
    assert opened()
    connect, refused = duckdb.connect, dict.fromkeys(("set otherwise", "left out"), 0)
    for name, value in OTHERWISE.items():
        for how, instead in (("set otherwise", value), ("left out", None)):

            def deaf(setting: str = name, said: str | None = instead, **config: Any) -> Any:
                return Deaf(connect(**config), setting, said)

            monkeypatch.setattr(connections.duckdb, "connect", deaf)
            was_refused = not opened()
            assert was_refused or (instead is None and name in defaults), f"{name} {how}"
            refused[how] += was_refused
    monkeypatch.undo()
    assert opened()
    figures(
        "T-REST-6 settings",
        settings=len(OTHERWISE),
        **{"set otherwise and refused": refused["set otherwise"], "left out and refused": refused["left out"]},
        **{"left out and the default is ours": len(OTHERWISE) - refused["left out"]},
    )
    assert refused["set otherwise"] == len(OTHERWISE)


def test_an_extension_that_is_missing_or_changed_refuses_before_a_file_is_made(
    opened: Callable[[], bool], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, figures: Figures
) -> None:
    """T-REST-6: without the extension that encrypts, or with one byte of it changed, nothing is opened or written."""
    content, chance = _extension("httpfs").read_bytes(), random.Random(2026)
    opens = []
    for number in range(12):
        # a file of its own each time: one that is loaded is mapped, and must not change under the process
        changed = tmp_path / f"{number}" / "httpfs.duckdb_extension"
        changed.parent.mkdir()
        monkeypatch.setattr(connections, "_extension", lambda name, path=changed: path)
        if number == 0:
            changed.write_bytes(content)
            assert opened()
            continue
        if number > 1:
            changed.write_bytes(flipped(content, chance.randrange(len(content) * 8)))
        opens.append(opened())
        changed.unlink(missing_ok=True)
    monkeypatch.undo()
    monkeypatch.setattr(duckdb, "__version__", "0.0.0")
    opens.append(opened())
    figures("T-REST-6 extension", **{"missing or changed": len(opens), "opened": sum(opens)})
    assert not any(opens)
