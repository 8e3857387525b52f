"""New master keys and new data keys: nothing is lost, and the old key opens nothing, also where a kill interrupts.

Belongs here: rotation under kills and beside other runs. Does not belong here: wrapping (`tests/warehouse/`).
"""

from __future__ import annotations

import base64
import hashlib
import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import duckdb
import pytest

from privacy_assets import rotation
from privacy_assets.build import steps
from privacy_assets.errors import BadDeclaration, BadEnvironment, PrivacyAssetsError, Refused, Tampered
from privacy_assets.gate import PERSON, Gate, Passport
from privacy_assets.rotation import rotate_data_keys, rotate_master
from privacy_assets.stages.step import carry_out
from privacy_assets.verify import verify
from privacy_assets.warehouse.connections import _extension, governed, literal
from privacy_assets.warehouse.keys import SECRETS, KeyFile
from privacy_assets.words import AssetName
from tests.conftest import environment_in

TRAINING = AssetName.parse("training/smoking")
PATIENTS = AssetName.parse("raw/patients")
Figures = Callable[..., None]


def opened_by(master: KeyFile, home: Path) -> list[str]:
    """Every wrapped key in any file of the home, left-over files included, that this master key opens."""
    found = []
    for path in sorted(path for path in home.rglob("*") if path.is_file()):
        try:
            record = json.loads(path.read_bytes())
        except ValueError:
            continue
        if not isinstance(record, dict):
            continue
        version = path.name.lstrip(".").partition(".")[0]
        place = f"{path.parent.relative_to(home / 'versions')}/{version}" if "versions" in path.parts else ""
        records = {f"secret/{name}": record[name] for name in SECRETS if name in record} or {place: record}
        for context, wrapped in records.items():
            try:
                master.unwrap(wrapped_bytes(wrapped), context)
            except (Tampered, KeyError, TypeError):
                continue
            found.append(str(path))
    return found


def wrapped_bytes(record: dict[str, str]) -> bytes:
    """The wrapped key itself, whoever is said to have wrapped it."""
    return base64.b64decode(record["wrapped"])


def data_keys(gate: Gate) -> list[str]:
    """The data key of every version that is there."""
    return [gate.attachment(passport).key for passport in gate.held()]


def opened_with(keys: list[str], home: Path) -> list[Path]:
    """Every database of the home that one of these data keys opens, whatever the gate says."""
    found = []
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as con:
        con.execute(f"LOAD {literal(str(_extension('httpfs')))}")
        for path in (home / "versions").rglob("*.duckdb"):
            for key in keys:
                try:
                    con.execute(f"ATTACH {literal(str(path))} AS tried (READ_ONLY, ENCRYPTION_KEY $key)", {"key": key})
                except duckdb.Error:
                    continue
                con.execute("DETACH tried")
                found.append(path)
    return found


def data_files(home: Path) -> dict[str, str]:
    """The SHA-256 of every data file."""
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in (home / "versions").rglob("*.duckdb")}


def told(gate: Gate) -> list[tuple[object, ...]]:
    """What must stay as it was: of each version its id, place in the ledger, content, ancestry and rows."""
    return [
        (
            passport.asset,
            passport.version,
            passport.position,
            passport.time,
            passport.content_digest,
            passport.measured,
            tuple((made.asset, made.version) for made in gate.ancestry(passport)),
            rows(gate, passport),
        )
        for passport in gate.held()
    ]


def rows(gate: Gate, passport: Passport) -> list[tuple[object, ...]]:
    """The rows of a version, in the order in which they lie."""
    with governed(gate.home.spill, inputs={"held": gate.attachment(passport)}, candidate=None) as con:
        return con.execute("SELECT * FROM held.main.data").fetchall()


def standings(gate: Gate) -> set[str]:
    """How all assets stand, measured again."""
    return {line.standing.value for line in verify(gate, None)}


# ---- kills


def kill_at(point: int, folder: Path) -> None:
    """End this process by SIGKILL before its n-th change to a file in the folder; the last one is told to a file."""
    count = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        changes = event in ("os.rename", "os.remove", "os.link", "os.chmod", "os.mkdir", "os.truncate") or (
            event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        )
        if changes and str(arguments[0]).startswith(str(folder)) and "count" not in str(arguments[0]):
            count += 1
            if count == point:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)

    def say() -> None:
        (folder / "count").write_text(str(count))

    _at_end.append(say)


_at_end: list[Callable[[], None]] = []


def _rotate_master(folder: Path, env: dict[str, str], new: Path, point: int) -> None:
    kill_at(point, folder)
    rotate_master(folder / "project", new, env)
    _at_end[0]()


def _rotate_data_keys(folder: Path, env: dict[str, str], _: Path, point: int) -> None:
    kill_at(point, folder)
    gate = Gate.open(folder / "project", env)
    rotate_data_keys(gate, [TRAINING, PATIENTS])
    _at_end[0]()


@pytest.fixture(scope="module")
def forks() -> ForkServerContext:
    """A server that has imported what children need, so that each of them begins in no time."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["privacy_assets.rotation", "privacy_assets.verify", __name__])
    return context


@pytest.fixture
def killed(
    forks: ForkServerContext, corridor_that_ran: Path, tmp_path: Path, environment: dict[str, str]
) -> Callable[..., int | None]:
    """Runs one of the functions above on a fresh copy of the corridor, killed at a point.

    Returns None where it was killed, else how many changes to files it made.
    """

    def run(target: Callable[..., None], point: int) -> int | None:
        for name in ("project", "home", "guards"):
            shutil.rmtree(tmp_path / name, ignore_errors=True)
        (tmp_path / "count").unlink(missing_ok=True)
        shutil.copytree(corridor_that_ran, tmp_path, dirs_exist_ok=True)
        child = forks.Process(target=target, args=(tmp_path, environment, tmp_path / "guards" / "new.key", point))
        child.start()
        child.join()
        if child.exitcode == -signal.SIGKILL:
            return None
        assert child.exitcode == 0
        return int((tmp_path / "count").read_text())

    return run


def points(changes: int, sample: int | None) -> list[int]:
    """Before which changes to kill: all, or a seeded sample."""
    every = range(1, changes + 1)
    return list(every) if sample is None else sorted(random.Random(2026).sample(every, min(sample, changes)))


# ---- the master key


def test_the_old_master_opens_nothing_and_no_data_file_is_touched(
    published: Gate, tmp_path: Path, environment: dict[str, str], figures: Figures
) -> None:
    """The new key opens all that the old one did, and the old one nothing, left-over files included."""
    home = published.home
    before, files = told(published), data_files(home.path)
    old = KeyFile.open(home)
    # what kills leave: the secrets under a second name, and a candidate's key that never came to its place
    os.link(home.secrets_file, home.path / ".secrets.json.0a1b2c3d")
    with published.candidate(TRAINING) as orphan:
        orphan.keep()
    os.link(orphan.path.with_suffix(".key"), orphan.path.with_name(f".{orphan.id}.key.0a1b2c3d"))
    wrapped = opened_by(old, home.path)
    assert len(wrapped) == len(before) + 2 + 2 * len(SECRETS)

    new_file = tmp_path / "guards" / "new.key"
    assert rotate_master(published.project.root, new_file, environment) == len(before)
    environment["PRIVACY_ASSETS_KEY_FILE"] = str(new_file)
    gate = Gate.open(published.project.root, environment)
    new = KeyFile.open(gate.home)
    assert opened_by(old, home.path) == []
    assert len(opened_by(new, home.path)) == len(before) + len(SECRETS)
    assert data_files(home.path) == files
    assert told(gate) == before
    assert standings(gate) == {"kept"}
    said = [entry.body for entry in gate.ledger.entries() if entry.body["action"] == "rotate_master"]
    assert [(body["from"], body["to"]) for body in said] == [(old.id, new.id)]
    figures(
        "T-REST-9 master key",
        **{"keys under the old key before": len(wrapped), "after": len(opened_by(old, home.path))},
        **{"data files changed": sum(data_files(home.path)[name] != digest for name, digest in files.items())},
    )


def test_a_run_with_the_old_master_publishes_nothing_more(
    published: Gate, tmp_path: Path, environment: dict[str, str]
) -> None:
    """A process that opened the gate before the rotation is refused at its append: its key would be under the old."""
    rotate_master(published.project.root, tmp_path / "guards" / "new.key", environment)
    step = steps(published.project)[AssetName.parse("raw/consents")]
    with pytest.raises(PrivacyAssetsError, match="master key"):
        carry_out(step, published)
    environment["PRIVACY_ASSETS_KEY_FILE"] = str(tmp_path / "guards" / "new.key")
    gate = Gate.open(published.project.root, environment)
    carry_out(step, gate).raise_faults()
    assert gate.sweep() == 0
    assert opened_by(KeyFile(tmp_path / "guards" / "master.key"), gate.home.path) == []


def _rotate_at(folder: Path, new: Path, go: Any, said: Any) -> None:
    go.wait()
    try:
        rotate_master(folder / "project", new, environment_in(folder))
    except PrivacyAssetsError as error:
        said.put((new.name, str(error)))
    else:
        said.put((new.name, ""))


@pytest.mark.parametrize("names", [("k1", "k1"), ("k1", "k2")], ids=["to one key", "to two keys"])
def test_of_two_rotations_at_once_one_comes_after_the_other(
    published: Gate, reopen: Callable[[], Gate], tmp_path: Path, forks: ForkServerContext, names: tuple[str, str]
) -> None:
    """The last word of the ledger names the key that everything is under; to two keys, one of them is refused."""
    manager = forks.Manager()
    go, said = manager.Event(), manager.Queue()
    processes = [forks.Process(target=_rotate_at, args=(tmp_path, tmp_path / name, go, said)) for name in names]
    for process in processes:
        process.start()
    go.set()
    for process in processes:
        process.join(60)
    told = [said.get(timeout=10) for _ in names]
    won = [name for name, error in told if not error]
    assert len(won) == (2 if names[0] == names[1] else 1), told
    assert all("master key" in error for _, error in told if error)
    gate = Gate.open(
        tmp_path / "project", environment_in(tmp_path) | {"PRIVACY_ASSETS_KEY_FILE": str(tmp_path / won[0])}
    )
    rotations = [entry.body["to"] for entry in gate.ledger.entries() if entry.body["action"] == "rotate_master"]
    assert rotations == [gate.versions.master]
    assert standings(gate) == {"kept"}
    manager.shutdown()


def test_a_linked_folder_stops_the_rotation(published: Gate, tmp_path: Path) -> None:
    """Keys behind it would stay under the old master key, and nobody would be told."""
    folder = published.home.versions / "raw"
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadEnvironment, match="is a link"):
        rotate_master(published.project.root, tmp_path / "new.key", environment_in(tmp_path))
    assert Gate.open(published.project.root, environment_in(tmp_path)).latest(TRAINING)


@pytest.mark.parametrize("where", ["home/new.key", "project/new.key", "guards/master.key"])
def test_a_new_master_key_that_is_none_is_refused(
    published: Gate, tmp_path: Path, environment: dict[str, str], where: str
) -> None:
    """Not inside home or project, and not the old one again; nothing is changed."""
    before = opened_by(KeyFile.open(published.home), published.home.path)
    with pytest.raises(PrivacyAssetsError, match=r"lies inside|is the old one"):
        rotate_master(published.project.root, tmp_path / where, environment)
    assert opened_by(KeyFile.open(published.home), published.home.path) == before
    assert (tmp_path / where).exists() == (where == "guards/master.key")


@pytest.mark.parametrize("sample", [6, pytest.param(None, marks=pytest.mark.long)])
def test_a_killed_rotation_of_the_master_is_finished_or_taken_back(
    killed: Callable[..., int | None],
    tmp_path: Path,
    environment: dict[str, str],
    corridor_that_ran: Path,
    figures: Figures,
    sample: int | None,
) -> None:
    """Killed before any change to a file: the same command finishes it, the two keys exchanged take it back."""
    changes = killed(_rotate_master, 0)
    assert changes is not None
    old_file, new_file = tmp_path / "guards" / "master.key", tmp_path / "guards" / "new.key"
    kills = lost = left = 0
    for point in points(changes, sample):
        assert killed(_rotate_master, point) is None
        kills += 1
        back = point % 2 == 0 and new_file.exists()
        ends = (new_file, old_file) if back else (old_file, new_file)
        rotate_master(tmp_path / "project", ends[1], environment | {"PRIVACY_ASSETS_KEY_FILE": str(ends[0])})
        gate = Gate.open(tmp_path / "project", environment | {"PRIVACY_ASSETS_KEY_FILE": str(ends[1])})
        lost += sum(not gate.is_sound(passport) for asset in gate.project.assets() for passport in gate.history(asset))
        left += len(opened_by(KeyFile(ends[0]), gate.home.path))
        gate.require(TRAINING, PERSON)
        assert not list((tmp_path / "home").glob(".secrets*"))
    figures("T-REST-9 master key, kill -9", kills=kills, lost=lost, **{"still under the other key": left})
    assert (lost, left) == (0, 0)


# ---- data keys


def test_the_old_data_keys_open_nothing_and_every_version_stays_what_it_is(
    published: Gate, reopen: Callable[[], Gate], figures: Figures
) -> None:
    """Ids, passports, ancestry, rows and their order stay; each file and key is another; reads and verify hold."""
    carry_out(steps(published.project)[PATIENTS], published).raise_faults()  # a superseded version is rotated too
    before, keys, files = told(published), data_keys(published), data_files(published.home.path)
    opened = opened_with(keys, published.home.path)
    assert len(opened) == len(keys) == len(before)
    size = published.ledger.size

    assert rotate_data_keys(published) == len(before)
    for gate in (published, reopen()):
        assert told(gate) == before
        assert not set(data_keys(gate)) & set(keys)
        assert not set(data_files(gate.home.path)) & set(files)
        assert opened_with(keys, gate.home.path) == []
        assert gate.sweep() == 0
    assert standings(reopen()) == {"kept"}
    said = [entry.body for entry in published.ledger.entries(size)]
    assert [(body["action"], body["asset"], body["version"]) for body in said] == [
        ("rekey", str(passport.asset), passport.version) for passport in published.held()
    ]
    # and once more, from copies
    assert rotate_data_keys(reopen(), [TRAINING]) == 1
    assert told(reopen()) == before
    figures(
        "data keys rotated",
        versions=len(before),
        **{"files the old keys open, before": len(opened), "after": len(opened_with(keys, published.home.path))},
    )


def test_an_old_copy_that_is_brought_back_is_not_read(published: Gate, reopen: Callable[[], Gate]) -> None:
    """Old file and key from a backup, beside the new copy or in its place: swept, or refused."""
    passport = published.latest(TRAINING)
    assert passport is not None
    path = published.attachment(passport).path
    old = {suffix: path.with_suffix(suffix).read_bytes() for suffix in (".duckdb", ".key")}
    rotate_data_keys(published, [TRAINING])
    for suffix, content in old.items():
        path.with_suffix(suffix).write_bytes(content)
    assert reopen().require(TRAINING, PERSON).copy != passport.copy
    assert reopen().sweep() == 1
    assert not path.exists()
    gate = reopen()
    copy = gate.attachment(gate.require(TRAINING, PERSON)).path
    for suffix, content in old.items():
        copy.with_suffix(suffix).write_bytes(content)
    (rekeyed,) = (entry for entry in gate.ledger.entries() if entry.body["action"] == "rekey")
    with pytest.raises(Tampered) as raised:
        reopen().require(TRAINING, PERSON)
    (fault,) = raised.value.faults
    # the entry that is named is the one that holds the digest
    assert fault.expected == f"SHA-256 {rekeyed.body['file_digest'][:16]}… (ledger entry {rekeyed.position})"


def test_a_damaged_version_stops_the_rotation_before_it_begins(published: Gate, reopen: Callable[[], Gate]) -> None:
    """A version that cannot be vouched for is not copied into a new one, and no other is touched meanwhile."""
    passport = published.latest(TRAINING)
    assert passport is not None
    path = published.attachment(passport).path
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    files = data_files(published.home.path)
    with pytest.raises(Tampered, match="training/smoking"):
        rotate_data_keys(reopen())
    assert data_files(published.home.path) == files
    with pytest.raises(BadDeclaration, match="no versions of model/none"):
        rotate_data_keys(reopen(), [AssetName.parse("model/none")])


@pytest.mark.parametrize("meanwhile", ["published", "rekeyed", "swept", "master rotated"])
def test_what_others_do_while_a_version_is_copied_is_safe(
    published: Gate,
    reopen: Callable[[], Gate],
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    meanwhile: str,
) -> None:
    """Between copy and append another run publishes, rotates, sweeps: one valid version stands, all else is swept."""
    other, digest_of = reopen(), rotation.file_digest

    def interrupted(path: Path) -> str:
        monkeypatch.setattr(rotation, "file_digest", digest_of)
        if meanwhile == "published":
            carry_out(steps(other.project)[PATIENTS], other).raise_faults()
        elif meanwhile == "rekeyed":
            rotate_data_keys(other, [PATIENTS])
        elif meanwhile == "swept":
            assert other.sweep() == 0
        else:
            rotate_master(other.project.root, tmp_path / "guards" / "new.key", environment)
        return digest_of(path)

    monkeypatch.setattr(rotation, "file_digest", interrupted)
    if meanwhile in ("rekeyed", "master rotated"):
        with pytest.raises(Refused, match=r"rekeyed by another run|master key was rotated"):
            rotate_data_keys(published, [PATIENTS])
    else:
        assert rotate_data_keys(published, [PATIENTS]) == 1
    if meanwhile == "master rotated":
        environment["PRIVACY_ASSETS_KEY_FILE"] = str(tmp_path / "guards" / "new.key")
    gate = reopen()
    assert gate.sweep() == 0, "who is refused takes the copy away"
    assert all(gate.is_sound(passport) for passport in gate.held())
    assert len(gate.held()) == sum(len(gate.history(asset)) for asset in gate.project.assets())
    assert len(data_files(gate.home.path)) == len(gate.held())
    gate.require(TRAINING, PERSON)


@pytest.mark.parametrize("sample", [6, pytest.param(None, marks=pytest.mark.long)])
def test_a_killed_rotation_of_data_keys_leaves_the_old_copy_or_the_new(
    killed: Callable[..., int | None], tmp_path: Path, reopen: Callable[[], Gate], figures: Figures, sample: int | None
) -> None:
    """Killed before any change to a file: each version is valid under one key, and the rest is swept."""
    changes = killed(_rotate_data_keys, 0)
    assert changes is not None
    kills = lost = left = 0
    copies: set[int] = set()
    for point in points(changes, sample):
        assert killed(_rotate_data_keys, point) is None
        kills += 1
        gate = reopen()
        gate.sweep()
        held = gate.held()
        lost += sum(not gate.is_sound(passport) for asset in gate.project.assets() for passport in gate.history(asset))
        files = {str(path) for path in (tmp_path / "home" / "versions").rglob("*") if path.is_file()}
        left += len(files) - 2 * len(held)
        copies.add(sum(bool(passport.rekeyed) for passport in held))
        gate.require(TRAINING, PERSON)
    assert rotate_data_keys(reopen(), [TRAINING]) == 1
    assert copies >= {0, 1}
    figures("data key rotation, kill -9", kills=kills, lost=lost, **{"files left": left})
    assert (lost, left) == (0, 0)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith("PRIVACY_ASSETS_") and name.endswith(("HOME", "FILE"))]:
        monkeypatch.delenv(name)
    yield
