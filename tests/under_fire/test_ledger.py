"""The ledger under fire: every bit, ten attacks, every system call of an append, each with a control that fails.

Belongs here: attacks on the ledger as a whole, counted. Does not belong here: its behaviour piece by piece
(tests/ledger/), the clock as people meet it (test_clock.py).
"""

from __future__ import annotations

import ast
import base64
import hashlib
import hmac
import importlib.util
import json
import random
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any

import dagster as dg
import pytest

from privacy_assets.build import CORRIDOR, build_definitions
from privacy_assets.errors import PrivacyAssetsError, Refused, Tampered
from privacy_assets.gate import Gate, Standing
from privacy_assets.ledger.log import Ledger
from privacy_assets.ledger.merkle import Tree, leaf_hash
from privacy_assets.ledger.notes import Checkpoint, SignatureType, Signer, signed_note
from privacy_assets.stages.asset import key_of
from privacy_assets.verify import verify
from privacy_assets.words import AssetName

ROOT = Path(__file__).parents[2]
STANDALONE = ROOT / "privacy_assets" / "ledger" / "standalone.py"
ORIGIN = "privacy-assets/p-test"
SEED, ANOTHER_SEED = b"s" * 32, b"x" * 32
LONG = pytest.param(True, marks=[pytest.mark.long, pytest.mark.timeout(7200)], id="full")
SAMPLE = pytest.param(False, id="sample")
TRAINING = AssetName.parse("training/smoking")

Figures = Callable[..., None]


def open_in(place: Path, **more: Any) -> Ledger:
    return Ledger.open(place / "ledger", origin=ORIGIN, signing_seed=SEED, witness_folder=place / "witness", **more)


def fill(place: Path, number: int) -> Ledger:
    moment = datetime(2024, 5, 1, 12, tzinfo=UTC)
    ledger = open_in(place, now=lambda: moment)
    for count in range(number):
        moment = moment + timedelta(minutes=1)
        ledger.append({"n": count})
    return ledger


def lines_of(place: Path) -> list[bytes]:
    return (place / "ledger" / "entries").read_bytes().splitlines(keepends=True)


def tree_of(lines: Sequence[bytes]) -> Tree:
    split = (line.rstrip(b"\n").split(b" ", 1) for line in lines)
    return Tree(leaf_hash(base64.b64decode(salt) + text) for salt, text in split)


@pytest.fixture(scope="module")
def standalone() -> ModuleType:
    """The stand-alone verifier, loaded from its file."""
    spec = importlib.util.spec_from_file_location("standalone_verifier", STANDALONE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ---- every bit


def _poke(path: Path, place: int, byte: int) -> None:
    with path.open("r+b", buffering=0) as file:
        file.seek(place)
        file.write(bytes([byte]))


@pytest.mark.parametrize(
    ("entries", "tries", "full"),
    [
        pytest.param(64, 3000, False, id="sample"),
        pytest.param(64, 0, True, marks=[pytest.mark.long, pytest.mark.timeout(7200)], id="every bit of 64 entries"),
        pytest.param(1000, 20_000, True, marks=[pytest.mark.long, pytest.mark.timeout(7200)], id="1000 entries"),
    ],
)
def test_every_flipped_bit_is_detected(tmp_path: Path, figures: Figures, entries: int, tries: int, full: bool):
    """T-LOG-3: of entries, checkpoint and the witness's record; a reader without the root lets flips through.

    The witness's list of hashes is no evidence by itself: flipped, it changes nothing of what is found.
    """
    fill(tmp_path, entries)
    root = open_in(tmp_path).verify().root
    names = ("ledger/entries", "ledger/checkpoint", "witness/checkpoint")
    files = {name: (tmp_path / name).read_bytes() for name in names}
    every = [(name, bit) for name in names for bit in range(len(files[name]) * 8)]
    chosen = every if not tries else random.Random(3).sample(every, tries)
    detected = unseen_by_reading = 0
    for name, bit in chosen:
        changed = bytearray(files[name])
        changed[bit // 8] ^= 1 << bit % 8
        _poke(tmp_path / name, bit // 8, changed[bit // 8])
        try:
            open_in(tmp_path)
        except Tampered:
            detected += 1
        _poke(tmp_path / name, bit // 8, files[name][bit // 8])
        if name == "ledger/entries":
            with suppress(ValueError, IndexError):
                [json.loads(line.split(b" ", 1)[1]) for line in changed.splitlines()]
                unseen_by_reading += 1
    what = f"T-LOG-3 flipped bits, {entries} entries"
    figures(what, tried=len(chosen), detected=detected, unseen_without_the_root=unseen_by_reading)
    assert detected == len(chosen)
    assert unseen_by_reading > 0
    leaves = (tmp_path / "witness" / "leaves").read_bytes()
    for bit in random.Random(4).sample(range(len(leaves) * 8), 20):
        changed = bytearray(leaves)
        changed[bit // 8] ^= 1 << bit % 8
        (tmp_path / "witness" / "leaves").write_bytes(changed)
        assert open_in(tmp_path).report().root == root
        assert (tmp_path / "witness" / "leaves").read_bytes() == leaves


# ---- ten attacks, three levels of knowledge


@dataclass(frozen=True)
class Attack:
    """What it makes of the lines, what verification calls it, and the first position that is not what it was."""

    change: Callable[[list[bytes], Path], list[bytes]]
    called: str
    position: int
    puts_back: bool = False
    signs_anew: bool = False


def _salted(lines: Sequence[bytes]) -> list[bytes]:
    """The same texts under other salts: nothing is left of the entries that were witnessed."""
    return [base64.b64encode(hashlib.sha256(line).digest()) + line[44:] for line in lines]


ATTACKS = {
    "edit": Attack(lambda lines, _: [*lines[:5], _edited(lines[5]), *lines[6:]], "one entry was changed", 5),
    "delete": Attack(lambda lines, _: [*lines[:5], *lines[6:]], "one entry was removed", 5),
    "reorder": Attack(lambda lines, _: [*lines[:5], lines[6], lines[5], *lines[7:]], "entries were moved", 5),
    "insert": Attack(lambda lines, _: [*lines[:5], *_salted(lines[5:6]), *lines[5:]], "one entry was inserted", 5),
    "duplicate": Attack(lambda lines, _: [*lines[:6], lines[5], *lines[6:]], "one entry was written twice", 6),
    "truncate the tail": Attack(lambda lines, _: lines[:9], "the 3 last entries were removed", 9),
    "an old signed state": Attack(lambda lines, _: lines[:8], "rolled back", 8, puts_back=True),
    "empty": Attack(lambda lines, _: [], "all entries were removed", 0),
    "fork of the same size": Attack(lambda _, fork: lines_of(fork), "another ledger", 0, signs_anew=True),
    "rewrite all": Attack(lambda lines, _: _salted(lines), "another ledger", 0, signs_anew=True),
}
LEVELS = ("files", "files and the log's key", "files, the log's key and Dagster's database")


def _edited(line: bytes) -> bytes:
    return re.sub(rb'"actor_claimed":"[0-9a-f]', b'"actor_claimed":"g', line, count=1)


def _sign(place: Path, lines: Sequence[bytes], log: Signer) -> None:
    """A checkpoint for these lines by the log's key or by one of the attacker's own; the old cosignature stays."""
    tree = tree_of(lines)
    text = Checkpoint(log.name, tree.size, tree.root()).text
    path = place / "checkpoint"
    cosignature = path.read_text().splitlines(keepends=True)[-1]
    path.write_bytes(signed_note(text, log.line(text), cosignature))


class Chain:
    """The control: a chain of keyed hashes, as audit logs are often kept. Who has the key computes it again."""

    def __init__(self, key: bytes, lines: Sequence[bytes]) -> None:
        self.head = self._head(key, lines)

    @staticmethod
    def _head(key: bytes, lines: Sequence[bytes]) -> bytes:
        state = b""
        for line in lines:
            state = hmac.digest(key, state + line, "sha256")
        return state

    def accepts(self, key: bytes, lines: Sequence[bytes]) -> bool:
        return hmac.compare_digest(self.head, self._head(key, lines))


@dataclass(frozen=True)
class Victim:
    """The tiny project after its corridor ran, with 12 entries; its ledger of 8 entries, another one of 12."""

    gate: Gate
    reopen: Callable[[], Gate]
    old: Path
    fork: Path
    kept: Path
    database: Path

    @property
    def folder(self) -> Path:
        return self.gate.home.ledger

    @property
    def log(self) -> Signer:
        seed = self.gate.secrets.derive("ledger", "log")
        return Signer(f"privacy-assets/{self.gate.home.project_id}", SignatureType.ED25519, seed)

    @property
    def lines(self) -> list[bytes]:
        return (self.folder / "entries").read_bytes().splitlines(keepends=True)

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Everything that an attack may touch is as before, afterwards."""
        folders = (self.folder, self.gate.home.witness_folder, self.database.parent)
        files = {path: path.read_bytes() for folder in folders for path in folder.iterdir() if path.is_file()}
        try:
            yield
        finally:
            for path, content in files.items():
                path.write_bytes(content)

    def attack(self, attack: Attack, level: str) -> list[bytes]:
        lines = attack.change(self.lines, self.fork)
        (self.folder / "entries").write_bytes(b"".join(lines))
        if attack.puts_back:
            shutil.copy(self.old / "checkpoint", self.folder / "checkpoint")
        elif level != "files":
            _sign(self.folder, lines, self.log)
        elif attack.signs_anew:
            _sign(self.folder, lines, Signer(self.log.name, SignatureType.ED25519, ANOTHER_SEED))
        if level == LEVELS[2]:
            _write_into_database(self.database, len(lines))
        return lines


def _write_into_database(database: Path, size: int) -> None:
    """Dagster's history now says that all is well, for whatever the ledger holds."""
    with sqlite3.connect(database) as db:
        db.execute("UPDATE asset_check_executions SET execution_status = 'SUCCEEDED'")
        db.execute("UPDATE event_logs SET event = replace(event, 'ledger_entry', ?)", [f"entry_of_{size}"])
        assert db.total_changes > 0
    db.close()


@pytest.fixture
def victim(published: Gate, reopen: Callable[[], Gate], tmp_path: Path) -> Iterator[Victim]:
    database = tmp_path / "dagster"
    database.mkdir()
    with dg.DagsterInstance.local_temp(str(database)) as instance:
        for asset in sorted(published.project.assets()):
            found = published.latest(asset)
            assert found is not None
            facts = {
                "version": dg.MetadataValue.text(found.version),
                "ledger_entry": dg.MetadataValue.int(found.position),
            }
            instance.report_runless_asset_event(dg.AssetMaterialization(key_of(asset), metadata=facts))
            instance.report_runless_asset_event(
                dg.AssetCheckEvaluation(key_of(asset), check_name="has_rows", passed=True, metadata={})
            )
    (events,) = database.rglob("index.db")
    while published.ledger.size < 12:
        if published.ledger.size == 8:
            shutil.copytree(published.home.ledger, tmp_path / "old")
            (tmp_path / "kept.txt").write_text(published.ledger.checkpoint())
        with published.open_version(TRAINING, purpose="smoking"):
            pass
    kept = tmp_path / "kept-elsewhere.txt"
    kept.write_text(published.ledger.checkpoint())
    fill(tmp_path / "fork", 12)
    yield Victim(published, reopen, tmp_path / "old", tmp_path / "fork", kept, events)


def _standalone_says(module: ModuleType, victim: Victim) -> bool:
    log, witness = map(str, victim.gate.ledger.keys)
    try:
        module.verify(victim.folder, log, witness, [victim.kept])
    except (module.NotInOrder, OSError, ValueError):
        return False
    return True


def test_ten_attacks_at_three_levels_are_detected_and_named(victim: Victim, standalone: ModuleType, figures: Figures):
    """T-LOG-4, T-LOG-8: each is refused in a fresh process's reading, with its name and first position.

    The stand-alone verifier refuses the same ones. A chain of keyed hashes notices what is done without its key, but
    for the old state, and nothing of what is done with it.
    """
    key = victim.log.seed
    honest = Chain(key, victim.lines)
    detected = named = agreed = 0
    unseen = dict.fromkeys(LEVELS, 0)
    assert _standalone_says(standalone, victim)
    for level in LEVELS:
        for name, attack in ATTACKS.items():
            with victim.restored():
                lines = victim.attack(attack, level)
                with pytest.raises(Tampered) as raised:
                    victim.reopen()
                detected += 1
                (fault,) = raised.value.faults
                assert attack.called in fault.what, f"{name}, {level}: {fault}"
                assert fault.where == f"ledger entry {attack.position}", f"{name}, {level}: {fault}"
                named += 1
                agreed += not _standalone_says(standalone, victim)
            chain = honest if level == "files" else Chain(key, lines)
            if attack.puts_back:
                chain = Chain(key, lines)  # the head of that day, which is a true one
            unseen[level] += chain.accepts(key, lines)
        victim.reopen()
    figures("T-LOG-4 attacks", tried=len(ATTACKS) * len(LEVELS), detected=detected, named_with_first_position=named)
    figures(
        "T-LOG-4 attacks that a keyed hash chain does not see",
        **{level.replace(" ", "_"): n for level, n in unseen.items()},
    )
    figures("T-LOG-8 attacked ledgers", tried=detected, refused_by_the_standalone_verifier_too=agreed)
    assert detected == named == agreed == len(ATTACKS) * len(LEVELS)
    assert unseen == {LEVELS[0]: 1, LEVELS[1]: 10, LEVELS[2]: 10}


def test_without_the_list_of_hashes_it_is_still_detected(victim: Victim, figures: Figures):
    """Where the witness's list is gone too, every attack is refused, and no first position is claimed that is wrong.

    Doubled, unreadable and misplaced lines bound it from above, a checkpoint that was kept from below.
    """
    detected = placed = 0
    kept = {"kept at 8": (victim.old.parent / "kept.txt").read_bytes()}
    for level in LEVELS[:2]:
        for name, attack in ATTACKS.items():
            with victim.restored():
                (victim.gate.home.witness_folder / "leaves").unlink()
                victim.attack(attack, level)
                with pytest.raises(Tampered) as raised:
                    Gate.open(victim.gate.project.root, _env(victim), kept=kept)
                detected += 1
                (fault,) = raised.value.faults
                if at_most := re.fullmatch(r"the ledger, at entry (\d+) or before", fault.where):
                    placed += 1
                    assert attack.position <= int(at_most[1]), f"{name}, {level}: {fault}"
                else:
                    assert fault.where == "the ledger", f"{name}, {level}: {fault}"
                if attack.position >= 8 and not attack.signs_anew:
                    assert "the first 8 are as a checkpoint says" in fault.expected, f"{name}, {level}: {fault}"
    figures("T-LOG-4 attacks without the witness's hashes", tried=20, detected=detected, placed_by_the_lines=placed)
    assert detected == 20


def _env(victim: Victim) -> dict[str, str]:
    home = victim.gate.home
    return {
        "PRIVACY_ASSETS_HOME": str(home.path),
        "PRIVACY_ASSETS_KEY_FILE": str(home.key_file),
        "PRIVACY_ASSETS_WITNESS": str(home.witness_folder),
    }


def test_who_holds_the_witness_too_is_stopped_by_a_checkpoint_kept_elsewhere(tmp_path: Path, figures: Figures):
    """T-LOG-4: rolled back or rewritten with all keys, the ledger opens, but not beside what was kept.

    An older checkpoint that still agrees says how far; what is no checkpoint of this ledger is refused as such.
    """
    place = tmp_path / "place"
    ledger = fill(place, 6)
    notes = {6: ledger.checkpoint().encode()}
    shutil.copytree(place, tmp_path / "at six")
    for count in range(6):
        ledger.append({"n": count})
        notes[ledger.size] = ledger.checkpoint().encode()
    assert open_in(place, kept={"six": notes[6], "twelve": notes[12]}).size == 12
    detected = 0
    rolled_back = tmp_path / "at six"
    assert open_in(rolled_back).size == 6
    with pytest.raises(Tampered, match="rolled back, its witness too") as raised:
        open_in(rolled_back, kept={"twelve": notes[12], "six": notes[6]})
    assert "as far as entry 5 it agrees" in str(raised.value)
    with pytest.raises(Tampered, match="give an older one as well"):
        open_in(rolled_back, kept={"twelve": notes[12]})
    detected += 2
    for count in range(7):
        open_in(rolled_back).append({"n": -count})
    assert open_in(rolled_back).size == 13
    with pytest.raises(Tampered, match="rewritten, its witness too") as raised:
        open_in(rolled_back, kept={"twelve": notes[12], "six": notes[6]})
    assert "ledger entry 6 or later" in raised.value.faults[0].where
    detected += 1
    stranger = fill(tmp_path / "stranger", 3).checkpoint().encode()
    bits = random.Random(5).sample(range(len(notes[12]) * 8), 100)
    for bit in bits:
        flipped = bytearray(notes[12])
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Tampered):
            open_in(place, kept={"flipped": bytes(flipped)})
        detected += 1
    for note in (stranger, b"", b"hello\n"):
        with pytest.raises(Tampered, match="log or witness were replaced") as raised:
            open_in(place, kept={"the file": note})
        assert raised.value.faults[0].where == "the file"
        detected += 1
    figures("T-LOG-4 checkpoints kept elsewhere", tried=6 + len(bits), detected=detected)
    assert detected == 6 + len(bits)


# ---- an edited row of Dagster's database


FEATURES = AssetName.parse("features/smoking")


def _paint(database: Path, *edits: tuple[str, str], check: str = "", status: str = "") -> None:
    """Replace texts in what Dagster recorded of the features, in every table that holds it; and a check's status."""
    with sqlite3.connect(database) as db:
        for before, after in edits:
            for table, column in (
                ("event_logs", "event"),
                ("asset_check_executions", "evaluation_event"),
                ("asset_keys", "last_materialization"),
            ):
                where = f"{column} LIKE '%\"features\"%' AND instr({column}, ?)" + (
                    f" AND {column} LIKE '%\"{check}\"%'" if check else ""
                )
                db.execute(
                    f"UPDATE {table} SET {column} = replace({column}, ?, ?) WHERE {where}", (before, after, before)
                )
            assert db.total_changes > 0, before
        if status:
            db.execute("UPDATE asset_check_executions SET execution_status = ? WHERE check_name = ?", (status, check))
            assert db.total_changes > 0
    db.close()


def test_an_edited_row_of_dagsters_database_is_not_believed_and_named_where_it_shows(
    published: Gate, tmp_path: Path, environment: dict[str, str], reopen: Callable[[], Gate], figures: Figures
):
    """T-LOG-4: whatever is painted green there, the gate refuses what the ledger does not hold as kept.

    `verify` names what contradicts the ledger or itself; an edit that contradicts nothing is not named, and decides
    nothing either. Unedited, nothing is named: the control.
    """
    folder = tmp_path / "dagster"
    folder.mkdir()
    root, check = published.project.root, "has_subjects__patient_id"
    purpose = root / "data/purposes/smoking.yaml"
    definitions = build_definitions(root, env=environment)
    materialize = partial(definitions.resolve_job_def(CORRIDOR).execute_in_process, asset_selection=[key_of(FEATURES)])
    with dg.DagsterInstance.local_temp(str(folder)) as instance:
        assert materialize(instance=instance).success
        purpose.write_text(purpose.read_text().replace("at_least_subjects: 5", "at_least_subjects: 60"))
        definitions = build_definitions(root, env=environment)
        materialize = partial(
            definitions.resolve_job_def(CORRIDOR).execute_in_process, asset_selection=[key_of(FEATURES)]
        )
        assert not materialize(instance=instance, raise_on_error=False).success
    (database,) = folder.rglob("index.db")
    gate = reopen()
    newest = gate.latest(FEATURES)
    assert newest is not None
    status = {"check": check, "status": "SUCCEEDED"}
    passed = ('"success": false', '"success": true')
    kept = ('"broken"', '"kept"')
    edits: dict[str, tuple[tuple[tuple[str, str], ...], dict[str, str], str]] = {
        "nothing": ((), {}, ""),
        "the status of a check": ((), status, "shows the check has_subjects__patient_id as passed"),
        "a check's row": ((passed,), status, "shows the check has_subjects__patient_id as passed"),
        "a check's row and its verdict": ((passed, kept), status, "every check passed of a candidate"),
        "a version": (((newest.version, "f" * 32),), {}, "names a version that the ledger does not hold"),
        "a content digest": (((newest.content_digest, "0" * 64),), {}, "says another content_digest of version"),
    }
    named = refused = 0
    for name, (texts, more, called) in edits.items():
        original = database.read_bytes()
        _paint(database, *texts, **more)
        with dg.DagsterInstance.local_temp(str(folder)) as instance:
            line = next(line for line in verify(gate, instance) if line.asset == FEATURES)
        said = [fault.what for fault in line.faults if "Dagster's history" in fault.what]
        assert bool(said) == bool(called), f"{name}: {said}"
        assert any(called in what for what in said) or not called, f"{name}: {said}"
        assert line.standing is (Standing.FORGED if called else Standing.BROKEN), name
        named += bool(said)
        with pytest.raises(Refused, match=check):
            gate.require(FEATURES, "training")
        refused += 1
        database.write_bytes(original)
    figures("T-LOG-4 edited rows of Dagster's database", tried=len(edits) - 1, named=named, reads_refused=refused)
    assert named == len(edits) - 1


# ---- the stand-alone verifier


@cache
def _defined_root(start: int, stop: int) -> bytes:
    """MTH(D[start:stop]) of RFC 6962, section 2.1, as it is written there; D[i] is the number i as text."""
    if stop == start:
        return hashlib.sha256(b"").digest()
    if stop - start == 1:
        return hashlib.sha256(b"\x00" + str(start).encode()).digest()
    split = 1
    while split * 2 < stop - start:
        split *= 2
    middle = start + split
    return hashlib.sha256(b"\x01" + _defined_root(start, middle) + _defined_root(middle, stop)).digest()


@pytest.mark.parametrize("full", [SAMPLE, LONG])
def test_roots_are_those_of_two_other_implementations(standalone: ModuleType, figures: Figures, full: bool):
    """T-LOG-8: for every size up to 4096 the definition's root; the stand-alone verifier's for a sample, or all.

    A tree that forgets what tells leaves from nodes gives another root for every size from 2.
    """
    leaves = [leaf_hash(str(number).encode()) for number in range(4096)]
    tree = Tree(leaves)
    equal = sum(tree.root(size) == _defined_root(0, size) for size in range(1, 4097))
    sizes = range(1, 4097) if full else sorted({1, 2, 3, 4095, 4096, *random.Random(8).sample(range(1, 4097), 60)})
    same = sum(standalone.merkle_root(leaves[:size]) == tree.root(size) for size in sizes)
    plain = [hashlib.sha256(str(number).encode()).digest() for number in range(64)]
    other = sum(standalone.merkle_root(plain[:size]) != tree.root(size) for size in range(1, 65))
    figures("T-LOG-8 roots", sizes=4096, equal_to_the_definition=equal, equal_to_the_standalone_verifier=same)
    assert (equal, same, other) == (4096, len(sizes), 64)


def test_the_standalone_verifier_needs_nothing_of_ours(tmp_path: Path, figures: Figures):
    """T-LOG-8: it imports the standard library and `cryptography`, and agrees in a clean, isolated process."""
    imported = set()
    for node in ast.walk(ast.parse(STANDALONE.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add((node.module or "").split(".")[0])
    assert imported - set(sys.stdlib_module_names) == {"cryptography"}

    ledger = fill(tmp_path, 21)
    kept = tmp_path / "kept"
    kept.write_text(ledger.checkpoint())
    ledger.append({"n": 21})
    log, witness = map(str, ledger.keys)

    def ask(*more: str, witness_key: str = witness) -> subprocess.CompletedProcess[str]:
        words = [str(tmp_path / "ledger"), "--log-key", log, "--witness-key", witness_key, *more]
        return subprocess.run([sys.executable, "-I", str(STANDALONE), *words], capture_output=True, text=True, cwd="/")

    in_order = ask("--checkpoint", str(kept))
    assert (in_order.returncode, in_order.stderr) == (0, "")
    assert f"22 entries in order, root {ledger.verify().root}" in in_order.stdout
    assert ask(witness_key=log).returncode == 1
    lines = lines_of(tmp_path)
    refused = 0
    for changed in ([lines[1], lines[0], *lines[2:]], lines[:-1], [*lines, *lines[:2]], [b"no entry\n", *lines[1:]]):
        (tmp_path / "ledger" / "entries").write_bytes(b"".join(changed))
        said = ask()
        assert said.stdout.startswith("NOT IN ORDER: ")
        assert said.stderr == ""
        refused += said.returncode == 1
    figures("T-LOG-8 stand-alone verifier in a clean process", in_order=1, tried=4, refused=refused)
    assert refused == 4


# ---- every system call of an append


TEMPLATE = """
import os, sys, time
from pathlib import Path
from privacy_assets.errors import BadEnvironment
from privacy_assets.ledger.log import Ledger

def append(place):
    ledger = Ledger.open(place / "ledger", origin=sys.argv[1], signing_seed=b"s" * 32, witness_folder=place / "witness")
    (place / "ready").touch()
    while not (place / "go").exists():
        time.sleep(0.001)
    try:
        ledger.append({"action": "publish"})
    except BadEnvironment:
        os._exit(3)
    os._exit(0)

for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        try:
            append(Path(line.strip()))
        except BaseException as error:
            print(type(error).__name__, file=sys.stderr)
        os._exit(9)
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""
CALLS = (
    "openat",
    "read",
    "write",
    "pwrite64",
    "fsync",
    "rename",
    "close",
    "lseek",
    "flock",
    "unlink",
    "ftruncate",
    "link",
)
FAULTS = ("error=EIO", "error=ENOSPC", "signal=KILL")


class Appender:
    """A process that has imported everything, and forks a child for each append: strace joins it before it begins."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-c", TEMPLATE, ORIGIN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        self._count = 0

    def append(self, state: Path, *inject: str) -> tuple[Path, int, str]:
        """One append to a copy of `state` under strace: the copy, the exit code, and what strace saw."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._count += 1
        place = Path(shutil.copytree(state, self.folder / str(self._count)))
        self._process.stdin.write(f"{place}\n")
        self._process.stdin.flush()
        pid = self._process.stdout.readline().strip()
        _wait(lambda: (place / "ready").exists())
        seen = place / "strace"
        injected = [word for one in inject for word in ("-e", f"inject={one}")]
        command = ["strace", "-f", "-p", pid, "-o", str(seen), "-e", f"trace={','.join(CALLS)}", *injected]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
            assert tracer.stderr is not None
            assert "attached" in tracer.stderr.readline()
            (place / "go").touch()
            code = int(self._process.stdout.readline())
        return place, code, seen.read_text()

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)
        assert self._process.stdout is not None
        self._process.stdout.close()


def _wait(done: Callable[[], bool]) -> None:
    for _ in range(5000):
        if done():
            return
        time.sleep(0.002)
    raise TimeoutError


@pytest.mark.needs("strace")
@pytest.mark.parametrize("full", [SAMPLE, LONG])
def test_a_fault_at_any_system_call_of_an_append_spoils_nothing(tmp_path: Path, figures: Figures, full: bool):
    """T-LOG-6: EIO, ENOSPC or kill -9 at each file call: the ledger verifies, says no more and no less than it
    promised, and takes the next entry; strace says that each fault was struck."""
    state = tmp_path / "state"
    fill(state, 3)
    appender = Appender(tmp_path)
    try:
        _, code, seen = appender.append(state)
        assert code == 0
        calls = re.findall(rf"^\d+ +({'|'.join(CALLS)})\(", seen, re.MULTILINE)
        assert {"openat", "write", "fsync", "rename"} <= set(calls)
        every = [
            (f"{call}:{fault}:when={count}", fault)
            for call in dict.fromkeys(calls)
            for count in range(1, calls.count(call) + 1)
            for fault in FAULTS
        ]
        if full:
            chosen = every
        else:
            must = [one for one in every if one[0].startswith(("write", "fsync", "rename"))]
            rest = [one for one in every if one not in must]
            chosen = must + random.Random(6).sample(rest, max(0, 60 - len(must)))
        struck = verified = appended = failed = 0
        for inject, fault in chosen:
            place, code, seen = appender.append(state, inject)
            struck += "(INJECTED)" in seen if fault != "signal=KILL" else code == -9
            assert code in (0, 3, -9), f"{inject}: {code}"
            ledger = open_in(place)
            size = ledger.verify().size
            assert size in (3, 4), inject
            assert size == 4 or code != 0, f"{inject}: an append that was said to have worked is gone"
            failed += code != 0
            verified += 1
            assert ledger.append({"action": "next"}) == size
            appended += open_in(place).verify().size == size + 1
            shutil.rmtree(place)
    finally:
        appender.close()
    figures("T-LOG-6 faults at file calls of an append", tried=len(chosen), struck=struck, verified=verified,
            next_append_ok=appended, appends_that_failed=failed)  # fmt: skip
    assert len(chosen) >= 60
    assert struck == verified == appended == len(chosen)
    assert failed > len(chosen) // 2


# ---- reads and entries


@pytest.mark.parametrize(
    "operations",
    [
        pytest.param(200, id="sample"),
        pytest.param(10_000, marks=[pytest.mark.long, pytest.mark.timeout(7200)], id="full"),
    ],
)
def test_reads_and_entries_are_one_to_one(
    published: Gate, reopen: Callable[[], Gate], figures: Figures, operations: int
):
    """T-LOG-7: of random readings through the gate each one that served rows has its entry, and no other has one.

    Where the ledger cannot be written nothing is served; a gate that forgets to write is noticed.
    """
    chance = random.Random(7)
    gate, before = published, published.ledger.size
    served = refused = blocked = served_blocked = 0
    known = gate.ledger.entries()

    def read(purpose: str = "smoking") -> bool:
        try:
            with gate.open_version(TRAINING, purpose=purpose) as (con, _):
                return bool(con.execute("SELECT count(*) FROM released.main.data").fetchone())
        except PrivacyAssetsError:
            return False

    for _ in range(operations):
        match chance.choices(("read", "another purpose", "unwritable", "reopened"), (70, 10, 15, 5))[0]:
            case "read":
                served += read()
            case "another purpose":
                refused += not read("another")
            case "reopened":
                gate = reopen()
            case _:
                blocked += 1
                with _unwritable(gate, chance.choice(("witness", "entries"))):
                    served_blocked += read()
    written = gate.ledger.entries(before)
    assert gate.ledger.entries()[:before] == known
    accesses = [entry for entry in written if entry.body["action"] == "access"]
    figures("T-LOG-7 random operations", tried=operations, served=served, entries=len(accesses), refused=refused,
            while_unwritable=blocked, served_while_unwritable=served_blocked)  # fmt: skip
    assert served == len(accesses) == len(written)
    assert blocked > 0
    assert served_blocked == 0

    forgetful = reopen()
    forgetful.ledger.append = lambda *words, **named: 0
    gate, served = forgetful, served + 1
    assert read()
    assert served != len(reopen().ledger.entries(before))


@contextmanager
def _unwritable(gate: Gate, how: str) -> Iterator[None]:
    """A disk that does not take the witness's record, or not one byte more of the entries."""
    if how == "witness":
        blocked = gate.home.witness_folder / ".checkpoint.new"
        blocked.mkdir()
        yield
        blocked.rmdir()
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    # a line after the last entry never counted: the next one would take its room
    lines = (gate.home.ledger / "entries").read_bytes().splitlines(keepends=True)[: gate.ledger.size]
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(b"".join(lines)), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
