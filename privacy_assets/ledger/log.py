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
whoever comes next puts it in place. So the ledger's checkpoint is the witness's record, or an older one of the same
tree: its content is brought to the disk before it gets its name, but its name is not waited for (a power cut may bring
back the checkpoint before, and nothing is lost by that).

Times never go back: an entry carries the clock's time, or the last entry's where the clock is behind it. Where the
clock was ahead, `correct_clock` appends an entry that says so, with the time that is right; the entries before it that
claim a later one count from then on as of the last time that can be true, so that what ages is never too young.

What was done to a ledger that does not hold is named by comparing its lines with the hashes of all entries that the
witness has seen (`leaves` in its folder), where these give the root that it has signed: then kind and first position
are certain, in any process. Without them (the file is gone or was changed too) the roots say only *that* something was
done; then memory, duplicate or unreadable lines, and signed checkpoints, also kept elsewhere, bound the place.

What this does not show: an entry that was never written, and what someone did who holds home, log key *and* witness,
unless a checkpoint was kept elsewhere (`kept`).
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from privacy_assets import durable
from privacy_assets.errors import Fault, Refused, Tampered
from privacy_assets.ledger.difference import Difference, difference
from privacy_assets.ledger.merkle import Tree, leaf_hash
from privacy_assets.ledger.notes import Checkpoint, SignatureType, Signer, Verifier, open_checkpoint, signed_note
from privacy_assets.ledger.witness import Witness

SALT_BYTES = 32
_SALT_LETTERS = 44  # of base64
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_CORRECTION = "clock_corrected"
_OWN_FIELDS = ("time", _CORRECTION)

NEVER = datetime.fromtimestamp(0, UTC)
"""The time of entries that were written before any time that can be believed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its position from 0, when it was appended (UTC, whole seconds), and what it says.

    Where the clock was ahead when it was written, and that was corrected since, `time` is the last one before that can
    be true. `corrects_clock` is set on such a correction.
    """

    position: int
    time: datetime
    body: Mapping[str, Any]
    corrects_clock: bool = False


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """What a whole verification found in order: all of it, since anything else raises Tampered.

    `root` is base64, as in the checkpoint; `cosigned_size` is how many of the entries the witness has signed;
    `last_time` is the time of the last entry, None if there is none; `corrections` are the positions of the entries
    that corrected the clock.
    """

    size: int
    root: str
    cosigned_size: int
    last_time: datetime | None
    corrections: tuple[int, ...] = ()


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

    def __init__(
        self, folder: Path, log: Signer, witness: Witness, now: Callable[[], datetime], kept: Mapping[str, bytes]
    ) -> None:
        self._folder = folder
        self._entries_file = folder / "entries"
        self._checkpoint_file = folder / "checkpoint"
        self._lock = durable.lock_of(folder)
        self._log = log
        self._witness = witness
        self._now = now
        self._kept = kept
        self._read = _Read()
        self._torn = False  # whether what was read is being changed: an interrupt leaves it half changed

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        origin: str,
        signing_seed: bytes,
        witness_folder: Path,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        kept: Mapping[str, bytes] = MappingProxyType({}),
    ) -> Ledger:
        """The ledger of the log `origin`, verified from its first entry; made where neither it nor its witness exist.

        `origin` is a name without spaces and +, `signing_seed` the 32 bytes of the log's key. `kept` are checkpoints
        of this ledger that were kept elsewhere, by what to call them: the ledger must continue each of them.
        """
        log = Signer(origin, SignatureType.ED25519, signing_seed)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not Witness.exists(witness_folder):
            with durable.held(durable.lock_of(folder), f"the ledger {folder}"):
                if not any((folder / name).exists() for name in ("entries", "checkpoint")):
                    Witness.create(witness_folder, origin, log.verifier)
        ledger = cls(folder, log, Witness(witness_folder, origin, log.verifier), now, kept)
        with ledger._settled():
            return ledger

    @property
    def size(self) -> int:
        """The number of entries by now."""
        with self._settled():
            return self._read.tree.size

    @property
    def last_time(self) -> datetime | None:
        """The time of the last entry; None if there is none."""
        with self._settled():
            return self._read.entries[-1].time if self._read.entries else None

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
        return self._append(entry, unless)

    def correct_clock(self, entry: Mapping[str, Any]) -> int:
        """Append an entry that says: the clock was ahead, and is right now; return its position.

        From here on times count from the clock's again. Whoever calls this vouches for the clock. Raises Refused where
        the clock is not behind the last entry, so that there is nothing to correct.
        """

        def nothing_to_correct(entries: Sequence[Entry]) -> Fault | None:
            if entries and self._clock() < entries[-1].time:
                return None
            return Fault("the clock is not behind the ledger: there is nothing to correct", where="the ledger")

        return self._append(entry, nothing_to_correct, corrects=True)

    def _append(
        self, entry: Mapping[str, Any], unless: Callable[[Sequence[Entry]], Fault | None] | None, corrects: bool = False
    ) -> int:
        for name in _OWN_FIELDS:
            if name in entry:
                raise ValueError(f"the ledger adds the field {name!r}")
        body = {_name(name): _plain(value, name) for name, value in entry.items()}
        with self._settled():
            read = self._read
            if unless is not None and (fault := unless(tuple(read.entries))) is not None:
                raise Refused(fault)
            position = read.tree.size
            time = self._clock()
            if read.entries and not corrects:
                time = max(time, read.entries[-1].time)
            own = {"time": time.strftime(_TIME), **({_CORRECTION: True} if corrects else {})}
            salt, text = secrets.token_bytes(SALT_BYTES), _canonical({**body, **own})
            line = base64.b64encode(salt) + b" " + text + b"\n"
            self._write(line)
            with self._undone_on_failure(read.tree):
                leaf, appended = _parsed(position, line.removesuffix(b"\n"))
                assert appended is not None  # what was just written can be read
                read.tree.append(leaf)
                note = self._cosigned(read.tree, since=position)
            _take(read.entries, appended)
            read.length += len(line)
            read.note = note
            self._torn = False
            # The witness's record has committed the entry: saying that it failed would be wrong, and whoever comes
            # next puts the checkpoint in place.
            with suppress(OSError):
                self._witness.keep_leaves(position, leaf)
                durable.replace(self._checkpoint_file, note, now=False)
            return position

    def _clock(self) -> datetime:
        return self._now().astimezone(UTC).replace(microsecond=0)

    def verify(self) -> LedgerReport:
        """Read and verify everything again, from the first byte, against both signatures and the witness's record.

        Raises Tampered naming what was done, and the first position that is not to be trusted, where it can be known:
        see the module's text.
        """
        with self._settled(again=True):
            return self._report()

    def report(self) -> LedgerReport:
        """What is known of the ledger without reading again what this process has verified."""
        with self._settled():
            return self._report()

    @property
    def keys(self) -> tuple[Verifier, Verifier]:
        """The public keys of log and witness: what others need to verify a checkpoint."""
        return self._log.verifier, self._witness.verifier

    def _report(self) -> LedgerReport:
        read = self._read
        cosigned = self._opened(read.note, "the ledger's checkpoint")
        last_time = read.entries[-1].time if read.entries else None
        root = base64.b64encode(read.tree.root()).decode()
        corrections = tuple(entry.position for entry in read.entries if entry.corrects_clock)
        return LedgerReport(read.tree.size, root, cosigned.size, last_time, corrections)

    # ---- under the lock

    @contextmanager
    def _settled(self, *, again: bool = False) -> Iterator[None]:
        """Hold the lock, with everything that is in the ledger read and verified (once more, if `again`)."""
        with durable.held(self._lock, f"the ledger {self._folder}"):
            if self._torn:
                self._read, self._torn = _Read(), False
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
        remembered = self._read.tree.leaves()
        if witnessed is None:
            size = self._opened(ours, "the ledger's checkpoint", cosigned=False).size
            raise _tampered("the witness has forgotten the ledger", f"its record of {size} entries", "no record")
        seen = self._seen(witnessed)
        named = partial(self._named, seen=seen, remembered=remembered)
        try:
            claimed = self._opened(ours, "the ledger's checkpoint", cosigned=False)
        except Tampered as error:
            raise named(f"the ledger's checkpoint: {error.faults[0].what}") from None
        latest = max(claimed, seen, key=lambda checkpoint: checkpoint.size)
        if latest.size < len(remembered):
            raise named(_ROLLED_BACK)
        read = _Read() if again or self._length() < self._read.length else self._read
        start = read.tree.size
        lines, tail = self._lines(read.length, latest.size - start)
        parsed = [_parsed(position, line) for position, line in enumerate(lines, start)]
        entries = [entry for _, entry in parsed if entry is not None]
        if len(entries) < len(parsed):
            raise named("a line was changed: it is no entry")
        with self._undone_on_failure(read.tree):
            for leaf, _ in parsed:
                read.tree.append(leaf)
            held = read.tree.size
            if held < claimed.size:
                raise named("entries were removed")
            if read.tree.root(claimed.size) != claimed.root:
                raise named("entries were changed, moved, removed or inserted")
            if held < seen.size:
                raise named(_ROLLED_BACK)
            if read.tree.root(seen.size) != seen.root:
                raise named(_REWRITTEN)
            if read.tree.leaves()[: len(remembered)] != remembered:
                raise named("the ledger is not the one that was read before")
            self._continues_what_was_kept(read.tree)
            self._opened(ours, "the ledger's checkpoint")
            if len(tail) > 1:
                raise _tampered("lines were added behind the end of the ledger", position=latest.size)
            _in_order(read.entries, entries)
            # A checkpoint with the witness's own signature, beyond its record: its folder came from an older copy.
            note = self._cosigned(read.tree, since=seen.size) if claimed.size > seen.size else witnessed
        for entry in entries:
            _take(read.entries, entry)
        read.length += sum(len(line) + 1 for line in lines)
        read.note = note
        self._read, self._torn = read, False
        if note != ours:
            durable.replace(self._checkpoint_file, note)
        if tail:
            os.truncate(self._entries_file, read.length)
        if not start:
            with suppress(OSError):
                self._witness.mend_leaves(read.tree.leaves())

    @contextmanager
    def _undone_on_failure(self, tree: Tree) -> Iterator[None]:
        """The tree as it was, after a failure. What an interrupt leaves is forgotten, and read again by the next use.

        Whoever enters clears `_torn` when all that belongs to the tree has followed it.
        """
        self._torn, size = True, tree.size
        try:
            yield
        except Exception:
            tree.truncate(size)
            self._torn = False
            raise

    # ---- what was done, where something does not hold

    def _named(self, what: str, *, seen: Checkpoint, remembered: Sequence[bytes]) -> Tampered:
        """The error, with kind and first position of what was done, as far as the evidence goes."""
        lines, rest = self._lines(0, None)
        leaves = [_parsed(position, line)[0] for position, line in enumerate([*lines, *rest])]
        if known := self._known(seen, remembered):
            done = difference(known, leaves)
            if done is None:
                return _tampered(what)
            what = f"{what}: {done.what}" if what in (_ROLLED_BACK, _REWRITTEN) else done.what
            if len(known) == len(leaves):
                return _tampered(what, position=done.position)
            return _tampered(what, f"{len(known)} entries", f"{len(leaves)} entries", position=done.position)
        shown = _shown(lines)
        held = Tree(leaf for leaf in leaves if leaf)
        agreed = max((kept.size for kept in self._kept_checkpoints() if _continues(held, kept)), default=0)
        return _tampered(
            f"{what}: {shown.what}" if shown else what,
            f"{seen.size} entries" + (f", of which the first {agreed} are as a checkpoint says" if agreed else ""),
            f"{len(leaves)} entries",
            at_most=shown.position if shown else None,
        )

    def _known(self, seen: Checkpoint, remembered: Sequence[bytes]) -> Sequence[bytes]:
        """The hashes of the entries as they were: memory, or the witness's list if it gives the signed root."""
        if len(remembered) >= seen.size:
            return remembered
        leaves = self._witness.leaves()[: seen.size]
        return leaves if len(leaves) == seen.size and Tree(leaves).root() == seen.root else remembered

    def _kept_checkpoints(self) -> Iterator[Checkpoint]:
        for where, note in self._kept.items():
            with suppress(Tampered):
                yield self._opened(note, where)

    def _continues_what_was_kept(self, tree: Tree) -> None:
        """Every checkpoint that was kept elsewhere is one of this tree."""
        for where, note in self._kept.items():
            try:
                kept = self._opened(note, where)
            except Tampered as error:
                step = "give a checkpoint of this ledger; if it is one, log or witness were replaced since it was kept"
                raise Tampered(*(replace(fault, next_step=step) for fault in error.faults)) from None
            if _continues(tree, kept):
                continue
            agreed = max((other.size for other in self._kept_checkpoints() if _continues(tree, other)), default=0)
            shorter = kept.size > tree.size
            found = f"{tree.size} entries" if shorter else "others"
            found += (
                f"; as far as entry {agreed - 1} it agrees with another checkpoint"
                if agreed
                else ("; how far the two agree cannot be told from one checkpoint: give an older one as well")
            )
            raise Tampered.of(
                "the ledger was rolled back, its witness too"
                if shorter
                else "the ledger was rewritten, its witness too",
                where=where if not agreed else f"{where}; ledger entry {agreed} or later",
                expected=f"the {kept.size} entries that were signed when it was kept",
                found=found,
                next_step="publish and read nothing; compare the ledger with a copy from before",
            )

    # ---- files

    def _begin(self, witnessed: bytes | None) -> None:
        """The first checkpoint, of nothing; also where a crash interrupted that."""
        seen_size = self._seen(witnessed).size if witnessed else 0
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

    def _seen(self, record: bytes) -> Checkpoint:
        """The witness's record; where it is not of this ledger, with what to do about that."""
        try:
            return self._opened(record, "the witness's record")
        except Tampered as error:
            step = (
                "name this home's own witness with PRIVACY_ASSETS_WITNESS, and a new folder for a home that begins "
                "anew; if it is this one, put home and witness back from a backup, and find out who changed them"
            )
            raise Tampered(*(replace(fault, next_step=step) for fault in error.faults)) from None

    def _cosigned(self, tree: Tree, *, since: int) -> bytes:
        """The checkpoint of a tree, signed, then recorded and cosigned by the witness that knew `since` entries."""
        text = Checkpoint(self._log.name, tree.size, tree.root()).text
        note = signed_note(text, self._log.line(text))
        return note + self._witness.cosign(note, tree.consistency_proof(since)).encode()

    def _lines(self, start: int, number: int | None) -> tuple[list[bytes], list[bytes]]:
        """The next lines from byte `start`, at most `number`, and what stands behind them (the last one cut short)."""
        if self._length() <= start:
            return [], []
        with self._entries_file.open("rb") as file:
            file.seek(start)
            *lines, rest = file.read().split(b"\n")
        behind = [] if number is None else lines[number:]
        return lines[:number], [*behind, *([rest] if rest else [])]

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


def _parsed(position: int, line: bytes) -> tuple[bytes, Entry | None]:
    """The hash of a line's leaf, and its entry; (b"", None) where the line is none."""
    try:
        salt = binascii.a2b_base64(line[:_SALT_LETTERS])
        text = line[_SALT_LETTERS + 1 :]
        # The last letter may hold bits that decoding ignores: a second line for the same leaf is refused.
        if len(salt) != SALT_BYTES or binascii.b2a_base64(salt, newline=False) + b" " != line[: _SALT_LETTERS + 1]:
            return b"", None
        body = json.loads(text.decode())
        time = datetime.fromisoformat(body.pop("time"))
        if time.tzinfo is None:
            return b"", None
        return leaf_hash(salt + text), Entry(position, time, body, body.pop(_CORRECTION, False) is True)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        # Said by the caller without this error: the text of a JSON error can quote the entry.
        return b"", None


def _take(entries: list[Entry], entry: Entry) -> None:
    """Append an entry to those before it; where it corrects the clock, what claims a later time counts as earlier."""
    if entry.corrects_clock:
        first = len(entries)
        while first and entries[first - 1].time > entry.time:
            first -= 1
        known = entries[first - 1].time if first else NEVER
        entries[first:] = [replace(ahead, time=known) for ahead in entries[first:]]
    entries.append(entry)


def _in_order(before: Sequence[Entry], entries: Sequence[Entry]) -> None:
    """Times go back at a correction of the clock only. Raises Tampered: none of this product's appends does that."""
    last = before[-1].time if before else NEVER
    for entry in entries:
        if entry.time < last and not entry.corrects_clock:
            raise _tampered("an entry is older than the one before it", position=entry.position)
        last = entry.time


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


def _tampered(
    what: str, expected: str = "", found: str = "", *, position: int | None = None, at_most: int | None = None
) -> Tampered:
    where = "the ledger" if at_most is None else f"the ledger, at entry {at_most} or before"
    return Tampered(
        Fault(
            what,
            where=where if position is None else f"ledger entry {position}",
            expected=expected,
            found=found,
            next_step="publish and read nothing; compare the ledger with a copy from before",
        )
    )


_ROLLED_BACK = "the ledger was rolled back"
_REWRITTEN = "the ledger was rewritten, and signed with its own key"


def _continues(tree: Tree, earlier: Checkpoint) -> bool:
    return earlier.size <= tree.size and tree.root(earlier.size) == earlier.root


def _shown(lines: Sequence[bytes]) -> Difference | None:
    """What the lines themselves show, where nobody knows what they were, and the last position it can begin at."""
    leaves: set[bytes] = set()
    last = NEVER
    for position, line in enumerate(lines):
        leaf, entry = _parsed(position, line)
        if entry is None:
            return Difference("a line is no entry", position)
        if leaf in leaves:
            return Difference("an entry stands there twice", position)
        if entry.time < last and not entry.corrects_clock:
            return Difference("an entry is older than the one before it", position - 1)
        leaves.add(leaf)
        last = entry.time
    return None
