"""The ledger: what it keeps, what a crash leaves, and what an insider cannot do unnoticed."""

from __future__ import annotations

import base64
import json
import math
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy_assets.errors import BadEnvironment, Fault, Refused, Tampered
from privacy_assets.ledger.log import NEVER, Entry, Ledger, LedgerReport
from privacy_assets.ledger.merkle import Tree, leaf_hash
from privacy_assets.ledger.notes import Checkpoint, SignatureType, Signer, Verifier, open_checkpoint, signed_note
from privacy_assets.ledger.witness import Witness

ORIGIN = "privacy-assets/p-test"
SEED = b"s" * 32
NOON = datetime(2024, 5, 1, 12, 0, 0, 900, tzinfo=UTC)


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def open_in(place: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Ledger:
    return Ledger.open(place / "ledger", origin=ORIGIN, signing_seed=SEED, witness_folder=place / "witness", now=now)


def fill(ledger: Ledger, number: int) -> None:
    for count in range(number):
        ledger.append({"action": "read", "count": count})


def filled(place: Path, number: int) -> Ledger:
    ledger = open_in(place)
    fill(ledger, number)
    return ledger


def lines_of(place: Path) -> list[bytes]:
    return (place / "ledger" / "entries").read_bytes().splitlines(keepends=True)


def write_lines(place: Path, lines: Sequence[bytes]) -> None:
    (place / "ledger" / "entries").write_bytes(b"".join(lines))


def tree_of(lines: Sequence[bytes]) -> Tree:
    split = (line.rstrip(b"\n").split(b" ", 1) for line in lines)
    return Tree(leaf_hash(base64.b64decode(salt) + text) for salt, text in split)


# ---- what it keeps


def test_entries_come_back_as_they_were_written(tmp_path: Path) -> None:
    """Positions count from 0, times are whole seconds UTC, and another opening reads the same."""
    clock = Clock()
    ledger = open_in(tmp_path, clock)
    assert (ledger.size, ledger.entries()) == (0, ())
    body = {
        "action": "publish",
        "asset": "raw/visits",
        "numbers": {"k": 12, "share": 0.25},
        "run": None,
        "all": [True, "ü"],
    }
    assert ledger.append(body) == 0
    clock.now += timedelta(seconds=5)
    assert ledger.append({"action": "read"}) == 1
    first = Entry(0, NOON.replace(microsecond=0), body)
    assert ledger.entries() == (first, Entry(1, NOON.replace(microsecond=0) + timedelta(seconds=5), {"action": "read"}))
    assert ledger.entries(1) == ledger.entries()[1:]
    assert ledger.entries(2) == ()
    assert open_in(tmp_path).entries() == ledger.entries()
    with pytest.raises(ValueError, match="position"):
        ledger.entries(-1)


def test_the_file_holds_salted_canonical_lines(tmp_path: Path) -> None:
    """A line is base64(salt), a space, sorted JSON without spaces in UTF-8; equal entries have different salts."""
    ledger = open_in(tmp_path, Clock())
    for _ in range(2):
        ledger.append({"b": ["ü", 1.5], "a": {"z": None, "y": False}})
    first, second = (line.split(b" ", 1) for line in lines_of(tmp_path))
    assert first[1] == '{"a":{"y":false,"z":null},"b":["ü",1.5],"time":"2024-05-01T12:00:00Z"}\n'.encode()
    assert first[1] == second[1]
    assert first[0] != second[0]
    assert len(base64.b64decode(first[0])) == 32


def test_the_checkpoint_convinces_someone_who_has_only_the_keys(tmp_path: Path) -> None:
    """Size, root and both signatures verify from the file, the note and two public keys."""
    ledger = filled(tmp_path, 11)
    log = Signer(ORIGIN, SignatureType.ED25519, SEED).verifier
    witness = Verifier.parse(str(Witness(tmp_path / "witness", ORIGIN, log).verifier))
    checkpoint = open_checkpoint(ledger.checkpoint().encode(), log, witness, origin=ORIGIN)
    tree = tree_of(lines_of(tmp_path))
    assert (checkpoint.size, checkpoint.root) == (11, tree.root())
    assert ledger.verify() == LedgerReport(11, base64.b64encode(tree.root()).decode(), 11, ledger.entries()[-1].time)
    assert open_in(tmp_path / "other").verify().last_time is None


STRANGER = """
import base64, hashlib, struct, sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey as Key

entries, checkpoint, log, witness = sys.argv[1:]

def root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\\x01" + root(leaves[:split]) + root(leaves[split:])).digest()

lines = [line.split(b" ", 1) for line in open(entries, "rb").read().splitlines()]
leaves = [hashlib.sha256(b"\\x00" + base64.b64decode(salt) + text).digest() for salt, text in lines]
text, signatures = open(checkpoint, encoding="utf-8").read().split("\\n\\n")
by_log, by_witness = (base64.b64decode(line.split(" ")[2]) for line in signatures.splitlines())
text += "\\n"
Key.from_public_bytes(bytes.fromhex(log)).verify(by_log[4:], text.encode())
header = "cosignature/v1\\ntime %d\\n" % struct.unpack(">Q", by_witness[4:12])
Key.from_public_bytes(bytes.fromhex(witness)).verify(by_witness[12:], (header + text).encode())
assert text.splitlines()[1:] == [str(len(leaves)), base64.b64encode(root(leaves)).decode()]
print("in order")
"""


def test_a_stranger_with_other_code_comes_to_the_same(tmp_path: Path) -> None:
    """A program of its own in a clean process, with the specifications and two public keys alone, agrees."""
    filled(tmp_path, 21)
    log = Signer(ORIGIN, SignatureType.ED25519, SEED).verifier
    witness = Witness(tmp_path / "witness", ORIGIN, log).verifier
    keys = [log.public_key.hex(), witness.public_key.hex()]
    files = [str(tmp_path / "ledger" / name) for name in ("entries", "checkpoint")]
    command = [sys.executable, "-I", "-c", STRANGER, *files, *keys]
    assert subprocess.run(command, capture_output=True, check=True, text=True).stdout == "in order\n"
    write_lines(tmp_path, [lines_of(tmp_path)[1], lines_of(tmp_path)[0], *lines_of(tmp_path)[2:]])
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"])).filter(lambda name: name != "time"), JSON, max_size=4
    )
)
def test_any_json_survives(tmp_path_factory: pytest.TempPathFactory, body: dict[str, Any]) -> None:
    """Whatever JSON can say is read back equal by another opening: line breaks, NUL and strange letters as well."""
    place = tmp_path_factory.mktemp("json")
    open_in(place).append(body)
    assert open_in(place).entries()[0].body == body


def test_enumerations_and_tuples_are_written_as_json(tmp_path: Path) -> None:
    """The words of this package (string enumerations) and tuples need no conversion by the writer."""

    class Kind(StrEnum):
        KEPT = "kept"

    ledger = open_in(tmp_path)
    ledger.append({"verdict": Kind.KEPT, "columns": (("a", "INTEGER"),)})
    assert ledger.entries()[0].body == {"verdict": "kept", "columns": [["a", "INTEGER"]]}


@pytest.mark.parametrize(
    "body",
    [
        {"share": math.nan},
        {"share": [math.inf]},
        {"when": NOON},
        {"who": b"bytes"},
        {"who": {"a set"}},
        {"who": {1: "number as a name"}},
        {2: "number as a name"},
        {"who": "\ud800secret"},
        {"time": "2024"},
    ],
)
def test_what_json_does_not_hold_is_refused_without_quoting_it(tmp_path: Path, body: Any) -> None:
    """NaN, dates, bytes, sets, other names, broken text and a time of one's own: ValueError, nothing written."""
    ledger = open_in(tmp_path)
    with pytest.raises(ValueError, match=r"entry|ledger") as raised:
        ledger.append(body)
    assert not any(secret in str(raised.value) for secret in ("secret", "bytes'", "a set", "nan", "inf", "2024"))
    assert raised.value.__cause__ is None
    assert ledger.size == 0
    assert lines_of(tmp_path) == []


def test_a_clock_that_goes_back_does_not_reorder(tmp_path: Path) -> None:
    """Entries appended under a clock that is behind carry the last entry's time."""
    clock = Clock()
    ledger = open_in(tmp_path, clock)
    assert ledger.last_time is None
    ledger.append({})
    clock.now -= timedelta(days=365)
    ledger.append({})
    assert [entry.time for entry in ledger.entries()] == [NOON.replace(microsecond=0)] * 2
    clock.now += timedelta(days=366)
    ledger.append({})
    assert ledger.entries()[2].time == ledger.last_time == clock.now.replace(microsecond=0)


def test_a_corrected_clock_makes_older_what_it_had_made_too_young(tmp_path: Path) -> None:
    """After a year ahead: nothing to correct before; then times count from the correction, for every opening.

    What was written ahead counts as of the last time before that can be true, or as of none where there was none.
    """
    clock = Clock()
    ledger = open_in(tmp_path, clock)
    with pytest.raises(Refused, match="nothing to correct"):
        ledger.correct_clock({})
    ledger.append({"n": 0})
    with pytest.raises(Refused, match="nothing to correct"):
        ledger.correct_clock({})
    clock.now += timedelta(days=365)
    fill(ledger, 2)
    clock.now -= timedelta(days=364)
    assert ledger.correct_clock({"action": "correct_clock"}) == 3
    ledger.append({"n": 4})
    noon = NOON.replace(microsecond=0)
    tomorrow = noon + timedelta(days=1)
    for opened in (ledger, open_in(tmp_path, clock)):
        assert [entry.time for entry in opened.entries()] == [noon, noon, noon, tomorrow, tomorrow]
        assert opened.entries()[3] == Entry(3, tomorrow, {"action": "correct_clock"}, corrects_clock=True)
        assert opened.verify().corrections == (3,)
    clock.now = noon - timedelta(days=1)
    ledger.correct_clock({})
    assert {entry.time for entry in open_in(tmp_path).entries()[:5]} == {NEVER}
    for name in ("time", "clock_corrected"):
        with pytest.raises(ValueError, match="the ledger adds"):
            ledger.append({name: True})


def test_a_time_that_goes_back_without_a_correction_is_noticed(tmp_path: Path) -> None:
    """An entry older than its past, signed and witnessed by who holds both keys, is refused where it stands."""
    clock = Clock()
    ledger = open_in(tmp_path, clock)
    fill(ledger, 2)
    clock.now -= timedelta(days=1)
    position = ledger.correct_clock({})
    lines = lines_of(tmp_path)
    lines[position] = lines[position].replace(b'"clock_corrected":true', b'"clock_corrected":null')
    witness = Witness(tmp_path / "witness", ORIGIN, Signer(ORIGIN, SignatureType.ED25519, SEED).verifier)
    for name in ("checkpoint", "leaves"):
        (tmp_path / "witness" / name).unlink()
    log = Signer(ORIGIN, SignatureType.ED25519, SEED)
    for size in (0, 3):
        text = Checkpoint(ORIGIN, size, tree_of(lines[:size]).root()).text
        note = signed_note(text, log.line(text))
        note += witness.cosign(note, ()).encode()
    (tmp_path / "ledger" / "checkpoint").write_bytes(note)
    write_lines(tmp_path, lines)
    expect_tampered(tmp_path, "older than the one before it", position)


# ---- compare and append, two at once


def test_unless_sees_everything_and_can_veto(tmp_path: Path) -> None:
    """The condition is asked with all entries, also of another opening; its fault is raised as Refused, unwritten."""
    one, other = open_in(tmp_path), open_in(tmp_path)
    fill(one, 3)
    since = one.size
    seen: list[int] = []

    def nothing_new(entries: Sequence[Entry]) -> Fault | None:
        seen.append(len(entries))
        return Fault("moved on") if any(entry.position >= since for entry in entries) else None

    assert one.append({"action": "publish"}, unless=nothing_new) == 3
    with pytest.raises(Refused, match="moved on"):
        other.append({"action": "publish"}, unless=nothing_new)
    assert seen == [3, 4]
    assert other.size == one.size == len(lines_of(tmp_path)) == 4


def test_an_error_of_the_condition_changes_nothing(tmp_path: Path) -> None:
    """Where the condition itself raises, its error comes through, nothing is written, and the lock is free."""
    ledger = filled(tmp_path, 2)

    def fails(entries: Sequence[Entry]) -> Fault | None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ledger.append({}, unless=fails)
    assert open_in(tmp_path).append({}) == 2


def _append_many(place: Path, name: str, number: int) -> None:
    ledger = open_in(place)
    for count in range(number):
        ledger.append({"writer": name, "count": count})


def test_two_processes_append_at_once(tmp_path: Path) -> None:
    """Every entry of both is there once, in each writer's order, and a third that was open all the time reads them."""
    reader = open_in(tmp_path)
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_append_many, args=(tmp_path, name, 40)) for name in "ab"]
    for writer in writers:
        writer.start()
    sizes = [reader.size]
    while any(writer.is_alive() for writer in writers):
        sizes.append(reader.size)
        time.sleep(0.01)
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert sizes == sorted(sizes)
    for name in "ab":
        assert [entry.body["count"] for entry in reader.entries() if entry.body["writer"] == name] == list(range(40))
    assert reader.verify() == open_in(tmp_path).verify()
    assert reader.size == 80


def _publish_once(place: Path, name: str, number: int) -> None:
    ledger = open_in(place)
    for count in range(number):
        mine = f"version {count}"

        def taken(entries: Sequence[Entry], mine: str = mine) -> Fault | None:
            return Fault("taken") if any(entry.body["version"] == mine for entry in entries) else None

        try:
            ledger.append({"version": mine, "writer": name}, unless=taken)
        except Refused:
            continue


def test_two_processes_never_both_win(tmp_path: Path) -> None:
    """Of two that append the same thing under the same condition, exactly one succeeds, 40 times of 40."""
    open_in(tmp_path)
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_publish_once, args=(tmp_path, name, 40)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    versions = [entry.body["version"] for entry in open_in(tmp_path).entries()]
    assert sorted(versions) == sorted({f"version {count}" for count in range(40)})


# ---- crashes


def _snapshot(place: Path) -> dict[str, bytes]:
    return {name: (place / name).read_bytes() for name in ("ledger/entries", "ledger/checkpoint", "witness/checkpoint")}


def _restore(place: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (place / name).write_bytes(content)


def test_an_append_is_there_or_not_wherever_it_was_cut(tmp_path: Path) -> None:
    """Cut at every byte of the line, before and after the witness's record: the old size or the new one, never less.

    The next append works, and temporary files that a crash left do no harm.
    """
    ledger = filled(tmp_path, 4)
    before = _snapshot(tmp_path)
    ledger.append({"action": "publish"})
    after = _snapshot(tmp_path)
    grown = after["ledger/entries"][len(before["ledger/entries"]) :]
    cuts = [({**before, "ledger/entries": before["ledger/entries"] + grown[:cut]}, 4) for cut in range(len(grown) + 1)]
    cuts.append(({**after, "ledger/checkpoint": before["ledger/checkpoint"]}, 5))
    cuts.append((after, 5))
    for files, size in cuts:
        _restore(tmp_path, files)
        for folder in ("ledger", "witness"):
            (tmp_path / folder / ".checkpoint.new").write_bytes(b"half a no")
        for reopened in (ledger if size == 5 else open_in(tmp_path), open_in(tmp_path)):
            assert reopened.size == reopened.verify().cosigned_size == size
        assert reopened.append({"action": "again"}) == size
        assert len(lines_of(tmp_path)) == size + 1


def test_a_beginning_is_finished_wherever_it_was_cut(tmp_path: Path) -> None:
    """A witness without a ledger, with its first record, with an empty file of entries: the next opening goes on."""
    log = Signer(ORIGIN, SignatureType.ED25519, SEED)
    for step in range(3):
        place = tmp_path / str(step)
        witness = Witness.create(place / "witness", ORIGIN, log.verifier)
        if step > 0:
            text = Checkpoint(ORIGIN, 0, Tree().root()).text
            witness.cosign(signed_note(text, log.line(text)), ())
        if step > 1:
            (place / "ledger").mkdir()
            (place / "ledger" / "entries").touch()
        assert open_in(place).append({}) == 0
        assert open_in(place).size == 1


def test_a_witness_from_an_older_copy_catches_up(tmp_path: Path) -> None:
    """A record older than the checkpoint that the witness itself has cosigned is brought forward by a proof."""
    filled(tmp_path, 3)
    old = (tmp_path / "witness" / "checkpoint").read_bytes()
    filled(tmp_path, 4)
    (tmp_path / "witness" / "checkpoint").write_bytes(old)
    ledger = open_in(tmp_path)
    assert ledger.verify().cosigned_size == 7
    assert (tmp_path / "witness" / "checkpoint").read_bytes() == ledger.checkpoint().encode()


def test_a_disk_that_is_full_commits_nothing_and_spoils_nothing(tmp_path: Path) -> None:
    """A line that cannot be written whole raises BadEnvironment; the ledger stands, and goes on when there is room."""
    ledger = filled(tmp_path, 20)
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    size = (tmp_path / "ledger" / "entries").stat().st_size
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, old[1]))
        with pytest.raises(BadEnvironment, match="cannot be read or written"):
            ledger.append({"action": "publish"})
        assert (tmp_path / "ledger" / "entries").stat().st_size == size + 10
        assert ledger.size == 20
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)
    assert (tmp_path / "ledger" / "entries").stat().st_size == size
    assert ledger.append({"action": "publish"}) == 20
    assert open_in(tmp_path).verify().size == 21


def test_a_witness_that_cannot_write_commits_nothing(tmp_path: Path) -> None:
    """Where the witness's folder cannot be written nothing becomes an entry; when it can, the ledger goes on."""
    ledger = filled(tmp_path, 2)
    blocked = tmp_path / "witness" / ".checkpoint.new"
    blocked.mkdir()
    with pytest.raises(BadEnvironment, match="witness"):
        ledger.append({"action": "publish"})
    assert ledger.size == open_in(tmp_path).size == 2
    blocked.rmdir()
    assert ledger.append({"action": "publish"}) == 2


def test_a_ledger_that_cannot_place_its_checkpoint_still_has_the_entry(tmp_path: Path) -> None:
    """Once the witness has recorded an entry it exists: the append succeeds, and the next one to come tidies up."""
    ledger = filled(tmp_path, 2)
    blocked = tmp_path / "ledger" / ".checkpoint.new"
    blocked.mkdir()
    assert ledger.append({"action": "publish"}) == 2
    with pytest.raises(BadEnvironment, match="ledger"):
        ledger.append({"action": "publish"})
    blocked.rmdir()
    assert ledger.size == open_in(tmp_path).verify().size == 3


WRITER = """
import sys
from pathlib import Path
from privacy_assets.ledger.log import Ledger
place = Path(sys.argv[1])
ledger = Ledger.open(place / "ledger", origin=sys.argv[2], signing_seed=b"s" * 32, witness_folder=place / "witness")
while True:
    print(ledger.append({"action": "read"}), flush=True)
"""


def test_a_killed_writer_loses_nothing_that_it_was_told(tmp_path: Path) -> None:
    """After kill -9 at six moments every position that was returned is an entry, and the next writer goes on."""
    expected = 0
    for turn in range(6):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), ORIGIN], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
        )
        assert writer.stdout is not None
        told = [int(writer.stdout.readline()) for _ in range(3 + turn)]
        writer.kill()
        told += [int(line) for line in writer.stdout.read().splitlines()]
        writer.stdout.close()
        assert writer.wait() == -signal.SIGKILL
        size = open_in(tmp_path).verify().size
        assert told == list(range(expected, expected + len(told)))
        assert size in (told[-1] + 1, told[-1] + 2)
        expected = size


# ---- the insider


Attack = Callable[[Path, list[bytes]], list[bytes]]


def _edited(line: bytes) -> bytes:
    return line.replace(b'"action":"read"', b'"action":"none"')


ATTACKS: dict[str, tuple[Attack, str, int | None]] = {
    "edit": (lambda place, lines: [*lines[:5], _edited(lines[5]), *lines[6:]], "one entry was changed", 5),
    "delete": (lambda place, lines: [*lines[:5], *lines[6:]], "one entry was removed", 5),
    "reorder": (lambda place, lines: [*lines[:5], lines[6], lines[5], *lines[7:]], "moved", 5),
    "insert": (
        lambda place, lines: [*lines[:5], lines[5][44:].join([b"A" * 43 + b"=", b""]), *lines[5:]],
        "one entry was inserted",
        5,
    ),
    "duplicate": (lambda place, lines: [*lines[:6], lines[5], *lines[6:]], "one entry was written twice", 6),
    "truncate the tail": (lambda place, lines: lines[:9], "the 3 last entries were removed", 9),
    "empty": (lambda place, lines: [], "all entries were removed", 0),
}


def _sign(place: Path, lines: Sequence[bytes]) -> None:
    """What who holds the log's key can do: sign whatever lines; the old cosignature is kept beside it."""
    log = Signer(ORIGIN, SignatureType.ED25519, SEED)
    tree = tree_of(lines)
    text = Checkpoint(ORIGIN, tree.size, tree.root()).text
    path = place / "ledger" / "checkpoint"
    cosignature = path.read_text().splitlines(keepends=True)[-1]
    path.write_bytes(signed_note(text, log.line(text), cosignature))


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of 12 entries, and old/: its files when it had 8."""
    place = tmp_path_factory.mktemp("victim")
    clock = Clock()
    ledger = open_in(place, clock)
    for count in range(12):
        if count == 8:
            shutil.copytree(place / "ledger", place / "old")
        ledger.append({"action": "read", "count": count})
        clock.now += timedelta(minutes=1)
    return place


def expect_tampered(place: Path, words: str, position: int | None = None) -> None:
    """Opening anew notices, every time again, and mends nothing of it."""
    before = _snapshot(place)
    for _ in range(2):
        with pytest.raises(Tampered, match=words) as raised:
            open_in(place)
        assert raised.value.faults[0].what
    if position is not None:
        assert raised.value.faults[0].where == f"ledger entry {position}"
    assert _snapshot(place) == before


@pytest.mark.parametrize("attack", ATTACKS)
def test_who_changes_files_is_noticed(victim: Path, tmp_path: Path, attack: str) -> None:
    """Without a key: a new opening refuses; one that had read the ledger before names the first wrong position."""
    place = shutil.copytree(victim, tmp_path / "copy")
    running = open_in(place)
    change, words, position = ATTACKS[attack]
    write_lines(place, change(place, lines_of(place)))
    expect_tampered(place, words)
    for look in (running.verify, lambda: running.append({}), running.entries):
        if attack in ("edit", "reorder") and look != running.verify:
            continue  # Same length: a running process goes on with what it has verified, until it verifies again.
        with pytest.raises(Tampered, match=words) as raised:
            look()
        assert raised.value.faults[0].where == f"ledger entry {position}"


@pytest.mark.parametrize("attack", ATTACKS)
def test_who_signs_with_the_logs_key_is_noticed(victim: Path, tmp_path: Path, attack: str) -> None:
    """With the log's key, and a tree and signature that fit the changed lines: the witness knows another log."""
    place = shutil.copytree(victim, tmp_path / "copy")
    running = open_in(place)
    lines = ATTACKS[attack][0](place, lines_of(place))
    write_lines(place, lines)
    _sign(place, lines)
    expect_tampered(place, "rewritten|rolled back")
    with pytest.raises(Tampered):
        running.append({})
    with pytest.raises(Tampered):
        running.verify()


def test_an_old_checkpoint_that_was_validly_signed_is_noticed(victim: Path, tmp_path: Path) -> None:
    """The whole folder put back to a day before, both signatures in order: rolled back, from the entry that is gone."""
    place = shutil.copytree(victim, tmp_path / "copy")
    running = open_in(place)
    for name in ("entries", "checkpoint"):
        shutil.copy(place / "old" / name, place / "ledger" / name)
    expect_tampered(place, "rolled back", 8)
    with pytest.raises(Tampered, match="rolled back"):
        running.append({})


def test_the_last_entry_alone_cannot_be_taken_back(tmp_path: Path) -> None:
    """Put back by one entry, as a crash could have left the checkpoint, but the entry is gone: rolled back."""
    ledger = filled(tmp_path, 4)
    before = _snapshot(tmp_path)
    ledger.append({"action": "read"})
    _restore(tmp_path, {name: content for name, content in before.items() if name.startswith("ledger")})
    expect_tampered(tmp_path, "rolled back", 4)


def test_a_fork_of_the_same_size_is_noticed(victim: Path, tmp_path: Path) -> None:
    """Twelve other entries, made by the product itself under the log's key with a witness of the insider's own."""
    place = shutil.copytree(victim, tmp_path / "copy")
    filled(tmp_path / "fork", 12)
    for name in ("entries", "checkpoint"):
        shutil.copy(tmp_path / "fork" / "ledger" / name, place / "ledger" / name)
    expect_tampered(place, "rewritten")


@pytest.mark.parametrize("number", [11, 12, 13, 20])
def test_everything_rewritten_and_signed_again_is_noticed(victim: Path, tmp_path: Path, number: int) -> None:
    """A whole new history of any length, signed with the log's key."""
    place = shutil.copytree(victim, tmp_path / "copy")
    filled(tmp_path / "fork", number)
    lines = lines_of(tmp_path / "fork")
    write_lines(place, lines)
    _sign(place, lines)
    expect_tampered(place, "rewritten|rolled back")


def test_entries_added_without_the_witness_are_noticed(victim: Path, tmp_path: Path) -> None:
    """True history, continued and signed with the log's key but never shown to the witness, is not taken up."""
    place = shutil.copytree(victim, tmp_path / "copy")
    lines = lines_of(place)
    lines += [b"A" * 43 + b"=" + line[44:] for line in lines[:2]]
    write_lines(place, lines)
    _sign(place, lines)
    expect_tampered(place, "does not verify")


def test_lines_behind_the_end_are_noticed_or_without_effect(victim: Path, tmp_path: Path) -> None:
    """One line behind the end is what a crash leaves: cut off, never an entry. Two are no crash."""
    place = shutil.copytree(victim, tmp_path / "copy")
    lines = lines_of(place)
    write_lines(place, [*lines, lines[-1], lines[-2]])
    expect_tampered(place, "behind the end", 12)
    write_lines(place, [*lines, lines[-1]])
    assert open_in(place).size == 12
    assert lines_of(place) == lines


@pytest.mark.parametrize("gone", ["ledger/entries", "ledger/checkpoint", "ledger", "witness/checkpoint"])
def test_files_that_are_gone_are_noticed(victim: Path, tmp_path: Path, gone: str) -> None:
    """Entries, checkpoint, the whole ledger or the witness's record removed: nothing begins anew over it."""
    place = shutil.copytree(victim, tmp_path / "copy")
    if (place / gone).is_dir():
        shutil.rmtree(place / gone)
    else:
        (place / gone).unlink()
    for _ in range(2):
        with pytest.raises(Tampered, match=r"removed|gone|emptied|forgotten"):
            open_in(place)


def test_a_missing_witness_is_never_replaced(victim: Path, tmp_path: Path) -> None:
    """A ledger whose witness is not there does not open, and no new witness is made for it."""
    place = shutil.copytree(victim, tmp_path / "copy")
    shutil.rmtree(place / "witness")
    for _ in range(2):
        with pytest.raises(BadEnvironment, match="witness"):
            open_in(place)
    assert not (place / "witness").exists()


def test_another_log_key_or_origin_is_noticed(victim: Path, tmp_path: Path) -> None:
    """The ledger opens under its own name and key only."""
    place = shutil.copytree(victim, tmp_path / "copy")
    for origin, seed in ((ORIGIN, b"x" * 32), ("privacy-assets/p-other", SEED)):
        with pytest.raises(Tampered):
            Ledger.open(place / "ledger", origin=origin, signing_seed=seed, witness_folder=place / "witness")


def test_the_witness_of_another_home_is_told_what_to_do(victim: Path, tmp_path: Path) -> None:
    """Who removes a home and begins anew, or shares a witness between two, learns how to go on."""
    place = shutil.copytree(victim, tmp_path / "copy")
    for folder in (place / "ledger", tmp_path / "new"):
        with pytest.raises(Tampered, match=r"next: .*PRIVACY_ASSETS_WITNESS"):
            Ledger.open(folder, origin=ORIGIN, signing_seed=b"x" * 32, witness_folder=place / "witness")


def test_every_flipped_bit_is_noticed(tmp_path: Path) -> None:
    """Every bit of the entries, and one of each byte of checkpoint and witness's record: refused if flipped.

    Every bit of a signed note is flipped in the tests of the notes.
    """
    ledger = open_in(tmp_path)
    for count in range(2):
        ledger.append({"n": count})
    assert open_in(tmp_path).size == 2
    for name, content in _snapshot(tmp_path).items():
        changed = bytearray(content)
        bits = range(0, len(content) * 8, 1 if name.endswith("entries") else 9)
        for bit in bits:
            changed[bit // 8] ^= 1 << bit % 8
            (tmp_path / name).write_bytes(changed)
            with pytest.raises(Tampered):
                open_in(tmp_path)
            changed[bit // 8] ^= 1 << bit % 8
        (tmp_path / name).write_bytes(content)
    assert ledger.verify().size == 2


def test_the_errors_quote_no_entry(victim: Path, tmp_path: Path) -> None:
    """What a changed line says appears in no error, nor in what caused it."""
    place = shutil.copytree(victim, tmp_path / "copy")
    lines = lines_of(place)
    for broken in (b"CANARY\n", lines[5][:45] + b'{"CANARY\n', lines[5][:45] + b'{"time":"CANARY"}\n'):
        write_lines(place, [*lines[:5], broken, *lines[6:]])
        with pytest.raises(Tampered) as raised:
            open_in(place)
        assert "CANARY" not in str(raised.value)
        assert raised.value.__cause__ is None
        assert raised.value.__context__ is None or raised.value.__suppress_context__


def test_what_lies_on_disk_is_for_the_owner_only(tmp_path: Path) -> None:
    """Files have mode 0600, whatever the umask allows."""
    old = os.umask(0)
    try:
        filled(tmp_path, 1)
    finally:
        os.umask(old)
    files = [path for folder in ("ledger", "witness") for path in (tmp_path / folder).iterdir()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert json.loads(lines_of(tmp_path)[0].split(b" ", 1)[1])["action"] == "read"


# ---- interrupts


LEDGER_FILES = ("ledger/log.py", "ledger/witness.py", "ledger/merkle.py", "privacy_assets/durable.py")


def interrupted_at(line: int, append: Callable[[], object]) -> bool:
    """Append, with Ctrl-C before the n-th line of the ledger's code; False where it has fewer."""
    passed = 0

    def watch(frame: FrameType, event: str, _: object) -> Any:
        nonlocal passed
        if not frame.f_code.co_filename.endswith(LEDGER_FILES):
            return None
        if event == "line":
            passed += 1
            if passed == line:
                sys.settrace(None)
                raise KeyboardInterrupt
        return watch

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        append()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("other_was_first", [False, True])
def test_an_interrupt_at_any_line_of_an_append_costs_no_entry(tmp_path: Path, other_was_first: bool) -> None:
    """Who goes on after Ctrl-C (a notebook, a server) reads what was committed, appends, and so does a new process."""
    line = 0
    while True:
        line += 1
        here = tmp_path / str(line)
        ledger = open_in(here)
        ledger.append({"n": 0})
        if other_was_first:
            open_in(here).append({"n": "another's"})
        if not interrupted_at(line, lambda ledger=ledger: ledger.append({"n": 1})):
            break
        committed = [entry.body["n"] for entry in open_in(here).entries()]
        assert [entry.body["n"] for entry in ledger.entries()] == committed, line
        assert ledger.append({"n": 2}) == len(committed), line
        assert open_in(here).verify().size == len(committed) + 1, line
        shutil.rmtree(here)
    assert line > 150
