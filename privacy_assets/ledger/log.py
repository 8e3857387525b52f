"""The ledger: entries in the order of their writing, under the log's signature and the witness's.

Belongs here: the order in which an append becomes durable, what a crash leaves behind, and the recognition of what no
crash can leave behind. Does not belong here: what entries mean, hashing (`merkle.py`), formats of what is signed
(`notes.py`), the rule of the witness (`witness.py`).

In <folder>/, next to the lock:

    entries       one line an entry, only ever appended: base64(salt) SP json LF
    checkpoint    the signed note of all entries, with the witness's cosignature

A leaf of the tree is `salt || json`; the salt (32 random bytes) keeps a guessed entry from being confirmed by its hash.
The JSON is written in the manner of RFC 8785: sorted keys, no spaces, UTF-8.

An append, under the lock: (1) settle what is there; (2) write the line, fsync; (3) sign the checkpoint, and have the
witness record and cosign it: **from here on the entry exists**; (4) put the cosigned checkpoint in place. A failure
before (3) leaves a tail that is no entry and is cut off; after (3) the witness's record holds the checkpoint, and
whoever comes next puts it in place. At rest the log's checkpoint and the witness's record are the same bytes.

What this does not show: an entry that was never written, and what someone did who holds home, log key *and* witness.
"""

from __future__ import annotations

import base64
import json
import math
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from privacy_assets import durable
from privacy_assets.errors import Fault, Refused, Tampered
from privacy_assets.ledger.merkle import Tree, leaf_hash
from privacy_assets.ledger.notes import Checkpoint, SignatureType, Signer, open_checkpoint, signed_note
from privacy_assets.ledger.witness import Witness

SALT_BYTES = 32
_SALT_LETTERS = 44  # of base64
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its position from 0, when it was appended (UTC, whole seconds), and what it says."""

    position: int
    time: datetime
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """What a whole verification found in order: all of it, since anything else raises Tampered.

    `root` is base64, as in the checkpoint; `cosigned_size` is how many of the entries the witness has signed;
    `last_time` is the time of the last entry, None if there is none.
    """

    size: int
    root: str
    cosigned_size: int
    last_time: datetime | None


@dataclass
class _Read:
    """What was read and verified so far: entries and their tree, the bytes they take, the checkpoint as a note."""

    tree: Tree = field(default_factory=Tree)
    entries: list[Entry] = field(default_factory=list)
    length: int = 0
    note: bytes = b""


class Ledger:
    """The ledger in one folder, for one process or many; open it with `Ledger.open`.

    Every method first reads what other processes appended, and verifies it. It raises Tampered where log, signatures
    and witness do not fit together, and BadEnvironment where files cannot be read or written.
    """

    def __init__(self, folder: Path, log: Signer, witness: Witness, now: Callable[[], datetime]) -> None:
        self._folder = folder
        self._entries_file = folder / "entries"
        self._checkpoint_file = folder / "checkpoint"
        self._lock = durable.lock_of(folder)
        self._log = log
        self._witness = witness
        self._now = now
        self._read = _Read()

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        origin: str,
        signing_seed: bytes,
        witness_folder: Path,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> Ledger:
        """The ledger of the log `origin`, verified from its first entry; made where neither it nor its witness exist.

        `origin` is a name without spaces and +, `signing_seed` the 32 bytes of the log's key.
        """
        log = Signer(origin, SignatureType.ED25519, signing_seed)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not Witness.exists(witness_folder):
            with durable.held(durable.lock_of(folder), f"the ledger {folder}"):
                if not any((folder / name).exists() for name in ("entries", "checkpoint")):
                    Witness.create(witness_folder, origin, log.verifier)
        ledger = cls(folder, log, Witness(witness_folder, origin, log.verifier), now)
        with ledger._settled():
            return ledger

    @property
    def size(self) -> int:
        """The number of entries by now."""
        with self._settled():
            return self._read.tree.size

    @property
    def clock_went_back(self) -> bool:
        """Whether the clock is behind the last entry; entries appended meanwhile carry the last entry's time."""
        with self._settled():
            return bool(self._read.entries) and self._now() < self._read.entries[-1].time

    def entries(self, since: int = 0) -> Sequence[Entry]:
        """The entries from position `since` on, oldest first."""
        if since < 0:
            raise ValueError(f"since is a position from 0, not {since}")
        with self._settled():
            return tuple(self._read.entries[since:])

    def checkpoint(self) -> str:
        """The signed note of all entries, with the witness's cosignature: what to hand to others to hold us to it."""
        with self._settled():
            return self._read.note.decode()

    def append(
        self, entry: Mapping[str, Any], *, unless: Callable[[Sequence[Entry]], Fault | None] | None = None
    ) -> int:
        """Append an entry and return its position; it is durable and cosigned then.

        The entry is JSON of names, strings, whole and finite numbers, booleans, None, lists and mappings; that it
        names no person is the caller's duty. The ledger adds `time`. `unless` is asked under the lock, with all
        entries: what it answers is raised as Refused, and nothing is appended, so "nobody did this before me" holds.
        Raises ValueError for an entry that is not such JSON. After a BadEnvironment `entries()` says whether the entry
        became one.
        """
        if "time" in entry:
            raise ValueError("the ledger adds the field 'time'")
        body = {_name(name): _plain(value, name) for name, value in entry.items()}
        with self._settled():
            read = self._read
            if unless is not None and (fault := unless(tuple(read.entries))) is not None:
                raise Refused(fault)
            position = read.tree.size
            time = self._now().astimezone(UTC).replace(microsecond=0)
            if read.entries:
                time = max(time, read.entries[-1].time)
            salt, text = secrets.token_bytes(SALT_BYTES), _canonical({**body, "time": time.strftime(_TIME)})
            line = base64.b64encode(salt) + b" " + text + b"\n"
            self._write(line)
            with _undone_on_failure(read.tree):
                read.tree.append(leaf_hash(salt + text))
                note = self._cosigned(read.tree, since=position)
            read.entries.append(_entry(position, line.removesuffix(b"\n")))
            read.length += len(line)
            read.note = note
            # The witness's record has committed the entry: saying that it failed would be wrong, and whoever comes
            # next puts the checkpoint in place.
            with suppress(OSError):
                durable.replace(self._checkpoint_file, note)
            return position

    def verify(self) -> LedgerReport:
        """Read and verify everything again, from the first byte, against both signatures and the witness's record.

        Raises Tampered naming what was done, and the first position that is not to be trusted where it can be known:
        certainly if this process has read the ledger before, else if the lines themselves show it.
        """
        with self._settled(again=True):
            read = self._read
            cosigned = self._opened(read.note, "the ledger's checkpoint")
            last_time = read.entries[-1].time if read.entries else None
            return LedgerReport(read.tree.size, base64.b64encode(read.tree.root()).decode(), cosigned.size, last_time)

    # ---- under the lock

    @contextmanager
    def _settled(self, *, again: bool = False) -> Iterator[None]:
        """Hold the lock, with everything that is in the ledger read and verified (once more, if `again`)."""
        with durable.held(self._lock, f"the ledger {self._folder}"):
            ours, witnessed = durable.read(self._checkpoint_file), self._witness.latest()
            same = ours == witnessed == self._read.note
            if again or not same or self._length() != self._read.length:
                # More or fewer bytes under the same signatures: a crash, or someone; only the whole tells.
                self._settle(ours, witnessed, again or same)
            yield

    def _settle(self, ours: bytes | None, witnessed: bytes | None, again: bool) -> None:
        """Read what is new, hold it against both checkpoints, and mend what a crash left: the rule of this module."""
        if ours is None:
            self._begin(witnessed)
            return
        claimed = self._opened(ours, "the ledger's checkpoint", cosigned=False)
        if witnessed is None:
            raise _tampered(
                "the witness has forgotten the ledger", f"its record of {claimed.size} entries", "no record"
            )
        seen = self._opened(witnessed, "the witness's record")
        latest = max(claimed, seen, key=lambda checkpoint: checkpoint.size)
        remembered = self._read.tree

        # A crash leaves the log at most the one entry behind that the witness had just recorded.
        if claimed.size < seen.size - 1 or latest.size < remembered.size:
            raise _rolled_back(max(seen.size, remembered.size), claimed.size)
        read = _Read() if again or self._length() < self._read.length else self._read
        start = read.tree.size
        lines, tail = self._lines(read.length, latest.size - start)
        with _undone_on_failure(read.tree):
            for position, line in enumerate(lines, start):
                read.tree.append(_leaf(position, line))
            held = read.tree.size
            both = range(start, min(held, remembered.size))
            first = next((at for at in both if read.tree.leaf(at) != remembered.leaf(at)), None)
            if held < claimed.size:
                raise _missing(latest.size, held, first)
            if held < seen.size:
                raise _rolled_back(seen.size, held)
            if read.tree.root(claimed.size) != claimed.root:
                raise _changed(lines, start, first)
            if read.tree.root(seen.size) != seen.root:
                raise _rewritten(seen.size, first)
            if first is not None:
                raise _tampered("the ledger is not the one that was read before", position=first)
            self._opened(ours, "the ledger's checkpoint")
            if len(tail) > 1:
                raise _tampered("lines were added behind the end of the ledger", position=latest.size)
            entries = [_entry(position, line) for position, line in enumerate(lines, start)]
            # A checkpoint with the witness's own signature, beyond its record: its folder came from an older copy.
            note = self._cosigned(read.tree, since=seen.size) if claimed.size > seen.size else witnessed
        read.entries.extend(entries)
        read.length += sum(len(line) + 1 for line in lines)
        read.note = note
        self._read = read
        if note != ours:
            durable.replace(self._checkpoint_file, note)
        if tail:
            os.truncate(self._entries_file, read.length)

    def _begin(self, witnessed: bytes | None) -> None:
        """The first checkpoint, of nothing; also where a crash interrupted that."""
        seen_size = self._opened(witnessed, "the witness's record").size if witnessed else 0
        if seen_size and not self._length():
            raise _tampered("the ledger was emptied", f"{seen_size} entries", "none", position=0)
        if seen_size or self._length() or self._read.note:
            raise _tampered("the ledger's checkpoint is gone", "a signed checkpoint", "none")
        note = witnessed or self._cosigned(Tree(), since=0)
        self._write(b"")
        durable.replace(self._checkpoint_file, note)
        self._read.note = note

    def _opened(self, note: bytes, where: str, *, cosigned: bool = True) -> Checkpoint:
        signers = (self._log.verifier, self._witness.verifier) if cosigned else (self._log.verifier,)
        return open_checkpoint(note, *signers, origin=self._log.name, where=where)

    def _cosigned(self, tree: Tree, *, since: int) -> bytes:
        """The checkpoint of a tree, signed, then recorded and cosigned by the witness that knew `since` entries."""
        text = Checkpoint(self._log.name, tree.size, tree.root()).text
        note = signed_note(text, self._log.line(text))
        return note + self._witness.cosign(note, tree.consistency_proof(since)).encode()

    def _lines(self, start: int, number: int) -> tuple[list[bytes], list[bytes]]:
        """The next lines from byte `start`, at most `number`, and what stands behind them (the last one cut short)."""
        if self._length() <= start:
            return [], []
        with self._entries_file.open("rb") as file:
            file.seek(start)
            *lines, rest = file.read().split(b"\n")
        return lines[:number], [*lines[number:], *([rest] if rest else [])]

    def _write(self, line: bytes) -> None:
        descriptor = os.open(self._entries_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def _length(self) -> int:
        try:
            return self._entries_file.stat().st_size
        except FileNotFoundError:
            return 0


def _split(line: bytes) -> tuple[bytes, bytes]:
    encoded, space, text = line[:_SALT_LETTERS], line[_SALT_LETTERS : _SALT_LETTERS + 1], line[_SALT_LETTERS + 1 :]
    salt = base64.b64decode(encoded, validate=True)
    # The last letter may hold bits that decoding ignores: a second line for the same leaf is refused.
    if space != b" " or len(salt) != SALT_BYTES or base64.b64encode(salt) != encoded:
        raise ValueError("not base64(salt) SP json")
    return salt, text


def _leaf(position: int, line: bytes) -> bytes:
    try:
        salt, text = _split(line)
    except ValueError:
        raise _tampered("a line was changed: it is no entry", position=position) from None
    return leaf_hash(salt + text)


def _entry(position: int, line: bytes) -> Entry:
    try:
        body = json.loads(_split(line)[1])
        time = datetime.fromisoformat(body.pop("time"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        # Not chained: the text of a JSON error can quote the entry.
        raise _tampered("a line was changed: it is no entry", position=position) from None
    return Entry(position, time, body)


def _canonical(body: Mapping[str, Any]) -> bytes:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ValueError("an entry holds text that is no Unicode (a lone surrogate)") from None


def _plain(value: Any, field_name: str) -> Any:
    if value is None or isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, list | tuple):
        return [_plain(element, field_name) for element in value]
    if isinstance(value, Mapping):
        return {_name(name): _plain(element, field_name) for name, element in value.items()}
    raise ValueError(f"field {field_name!r} of an entry holds what JSON does not: {type(value).__name__}")


def _name(name: object) -> str:
    if not isinstance(name, str):
        raise ValueError(f"names in an entry are strings, not {type(name).__name__}")
    return name


@contextmanager
def _undone_on_failure(tree: Tree) -> Iterator[None]:
    size = tree.size
    try:
        yield
    except BaseException:
        tree.truncate(size)
        raise


def _tampered(what: str, expected: str = "", found: str = "", *, position: int | None = None) -> Tampered:
    return Tampered(
        Fault(
            what,
            where="the ledger" if position is None else f"ledger entry {position}",
            expected=expected,
            found=found,
            next_step="publish and read nothing; compare the ledger with a copy from before",
        )
    )


def _rolled_back(known: int, held: int) -> Tampered:
    return _tampered("the ledger was rolled back", f"{known} entries", f"{held} entries", position=held)


def _rewritten(size: int, first: int | None) -> Tampered:
    what = "the ledger was rewritten, and signed with its own key"
    return _tampered(what, f"the {size} entries that the witness has signed", "others", position=first)


def _missing(size: int, held: int, first: int | None) -> Tampered:
    position = held if first is None else first
    return _tampered("entries were removed", f"{size} entries", f"{held} entries", position=position)


def _changed(lines: Sequence[bytes], start: int, first: int | None) -> Tampered:
    """What the lines themselves show, where the root shows only that something is not as it was signed."""
    what = "entries were changed, moved, removed or inserted"
    leaves: set[bytes] = set()
    last = datetime.min.replace(tzinfo=UTC)
    for position, line in enumerate(lines, start):
        leaf, time = _leaf(position, line), _entry(position, line).time
        if leaf in leaves or time < last:
            what = "an entry stands there twice" if leaf in leaves else "entries were moved: one is older than its past"
            first = position if first is None else min(first, position)
            break
        leaves.add(leaf)
        last = time
    return _tampered(what, "the signed root", "another root", position=first)
