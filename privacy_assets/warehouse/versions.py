"""Versions: immutable encrypted files, each beside its own wrapped key.

Belongs here: names, making, digesting and destroying. Does not belong here: whether a version may be read
(`gate.py`), what is in it.

    <home>/versions/<asset>/<version>.duckdb   the data, encrypted with a data key of its own
                            <version>.key      that key, wrapped, bound to asset and version
                            <version>.lock     held while the candidate is being made

A candidate becomes a version by a ledger entry, not by anything that happens here. A file without an entry is an
orphan; `sweep` destroys it unless its maker still holds the lock.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from privacy_assets.durable import PRIVATE_FILE, create, destroy, make_folder, replace, sync
from privacy_assets.errors import BadDeclaration, BadEnvironment, Refused, Tampered
from privacy_assets.warehouse.home import Home
from privacy_assets.warehouse.keys import (
    KEY_BYTES,
    KeyProvider,
    json_object,
    rewrap,
    rewrap_secrets,
    unwrapped,
    wrapped,
)

_ID = re.compile(r"[0-9a-f]{32}")
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(@[0-9-]{10})?")
_DATA, _KEY, _LOCK = ".duckdb", ".key", ".lock"

SUBJECTS = "subject"
"""Under which name keys lie that belong to one person each, and to no file; see `Versions.subject`."""

LOG_SUFFIXES = (".wal", ".wal.checkpoint", ".wal.recovery")
"""What the engine calls its write-ahead logs: it takes in whatever lies there under these names."""


class Candidate:
    """A version in the making: a path where no file is yet, and the key it will be encrypted with (64 hex digits).

    A context manager: on entering, the wrapped key is brought to the disk, before any data can be; on leaving, file
    and key are destroyed, unless `keep` was called.
    """

    def __init__(self, asset: str, version: str, path: Path, key: str, record: Mapping[str, str]) -> None:
        self.asset = asset
        self.id = version
        self.path = path
        self.key = key
        self._record = record
        self._kept = False
        self._lock = FileLock(path.with_suffix(_LOCK), mode=PRIVATE_FILE)

    def __repr__(self) -> str:
        return f"Candidate({self.asset!r}, {self.id!r})"

    def __enter__(self) -> Candidate:
        make_folder(self.path.parent)
        self._lock.acquire()
        create(self.path.with_suffix(_KEY), json.dumps(self._record).encode())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._kept:
            _destroy(self.path)
        self.path.with_suffix(_LOCK).unlink(missing_ok=True)
        self._lock.release()

    def seal(self) -> None:
        """Bring file, key and folder to the disk. Call it after the connection is closed, before `file_digest`.

        Raises Refused where the database left a write-ahead log: then the file alone is not the whole version.
        """
        if _wal(self.path).exists():
            raise Refused.of(
                f"the candidate of {self.asset} was not checkpointed",
                next_step="close its connection without an error, then seal it",
            )
        self.path.chmod(PRIVATE_FILE)
        for path in (self.path, self.path.with_suffix(_KEY), self.path.parent):
            sync(path)

    def keep(self) -> None:
        """Leave file and key where they are. Without a ledger entry the next `sweep` destroys them all the same."""
        self._kept = True


class Versions:
    """All versions of a home. An asset is named by its path (`raw/patients`), a version by 32 hex digits.

    `master` is the id of the master key under which the data keys are wrapped.
    """

    def __init__(self, home: Home, provider: KeyProvider) -> None:
        self._root = home.versions
        self._provider = provider
        self.master = provider.id

    def candidate(self, asset: str) -> Candidate:
        """A new candidate of `asset` with a key of its own; nothing is written before it is entered."""
        version = secrets.token_hex(16)
        key = secrets.token_bytes(KEY_BYTES)
        record = wrapped(key, self._provider, _context(asset, version))
        return Candidate(asset, version, self.path(asset, version), key.hex(), record)

    def path(self, asset: str, version: str) -> Path:
        """Where the file of this version lies, whether it is there or not; BadDeclaration for an impossible name."""
        parts = asset.split("/")
        if not all(_PART.fullmatch(part) for part in parts) or not _ID.fullmatch(version):
            raise BadDeclaration.of(
                "this is not the name of a version",
                found=f"{asset} {version}",
                expected="an asset's path and 32 hex digits",
            )
        return self._root.joinpath(*parts, version + _DATA)

    def key(self, asset: str, version: str) -> str:
        """The data key (64 hex digits).

        Raises Refused where it was destroyed, Tampered where it does not open, BadEnvironment for another master key.
        """
        path = self.path(asset, version).with_suffix(_KEY)
        if not path.exists():
            raise Refused.of(
                f"{asset} version {version} has no key: it was destroyed",
                next_step=f"run it again: its key may have been rotated just now; if it stays so, rebuild {asset}",
            )
        return unwrapped(json_object(path), self._provider, _context(asset, version)).hex()

    def subject(self, name: str) -> str:
        """The key (64 hex digits) of one person, by a keyed name (32 hex); made where there is none.

        What the ledger says of a person it says under a pseudonym by this key. `destroy(SUBJECTS, name)` ends that.
        """
        path = self.path(SUBJECTS, name).with_suffix(_KEY)
        make_folder(path.parent)
        record = wrapped(secrets.token_bytes(KEY_BYTES), self._provider, _context(SUBJECTS, name))
        create(path, json.dumps(record).encode())
        return self.key(SUBJECTS, name)

    def has_subject(self, name: str) -> bool:
        """Whether there is a key of this person, or what a crash left of one that was being destroyed."""
        path = self.path(SUBJECTS, name).with_suffix(_KEY)
        return path.exists() or path.with_name(f".{path.name}.gone").exists()

    def exists(self, asset: str, version: str) -> bool:
        """Whether both file and key are there."""
        path = self.path(asset, version)
        return path.is_file() and path.with_suffix(_KEY).is_file()

    def has_log(self, asset: str, version: str) -> bool:
        """Whether a write-ahead log lies beside the file, which the engine would take in with it; ours leave none."""
        path = self.path(asset, version)
        return any(os.path.lexists(f"{path}{suffix}") for suffix in LOG_SUFFIXES)

    def destroy(self, asset: str, version: str) -> None:
        """Destroy a version: its key first, so that a crash in between leaves nothing readable. Can be repeated."""
        _destroy(self.path(asset, version))

    def sweep(self, published: Callable[[], Collection[tuple[str, str]]]) -> int:
        """Destroy every version that no publication names, and return how many.

        `published` returns (asset, version) of all publications. It is asked after the locks of the unfinished are
        taken, so that a version which another process publishes meanwhile is either in the answer or still locked.
        """
        free: dict[tuple[str, str], FileLock] = {}
        for asset, version in list(self._present()):
            if asset == SUBJECTS:
                continue
            lock = FileLock(self.path(asset, version).with_suffix(_LOCK), mode=PRIVATE_FILE)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                continue
            free[asset, version] = lock
        known = set(published())
        orphans = [name for name in free if name not in known]
        for name in orphans:
            self.destroy(*name)
        for (asset, version), lock in free.items():
            self.path(asset, version).with_suffix(_LOCK).unlink(missing_ok=True)
            lock.release()
        return len(orphans)

    def _present(self) -> Iterator[tuple[str, str]]:
        seen = set()
        for path in _files(self._root):
            version = path.name.lstrip(".").partition(".")[0]
            if _ID.fullmatch(version) and path.parent != self._root:
                seen.add(("/".join(path.parent.relative_to(self._root).parts), version))
        yield from sorted(seen)


def rewrap_all(home: Home, old: KeyProvider, new: KeyProvider) -> int:
    """Put every wrapped key of a home under another master key, and return how many versions there are.

    Each file is replaced at once; data files are not touched. After an interruption run it again with the same two
    keys, in either order. Raises what reading a wrapped key raises.
    """
    count = 0
    for path in sorted(_files(home.versions)):
        if path.suffix != _KEY or not _ID.fullmatch(path.stem):
            continue
        context = _context("/".join(path.parent.relative_to(home.versions).parts), path.stem)
        try:
            record = json_object(path)
        except FileNotFoundError:  # a run that has just ended took its candidate with it
            continue
        replace(path, json.dumps(rewrap(record, old, new, context)).encode())
        count += 1
    # Last, since it says to whom the home belongs: until then the old key is the one to come back with.
    rewrap_secrets(home, old, new)
    return count


def file_digest(path: Path) -> str:
    """SHA-256 (hex) of the file as it lies there: of the ciphertext.

    Raises Tampered for a symbolic link (its target could change after the look), BadEnvironment where it cannot be
    read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        if path.is_symlink():
            raise Tampered.of("a version is a symbolic link", where=str(path), expected="a file of its own") from None
        raise BadEnvironment.of(
            f"a version cannot be read: {error.strerror}",
            where=str(path),
            next_step="mend the disk or the rights of the home, then run it again",
        ) from None
    with os.fdopen(descriptor, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(root: Path) -> Iterator[Path]:
    """Every file of the versions. Raises BadEnvironment for a linked folder: what lies behind one is nobody's."""
    for folder, inside, names in os.walk(root):
        for name in inside:
            if (linked := Path(folder) / name).is_symlink():
                raise BadEnvironment.of(
                    "a folder of versions is a link",
                    where=str(linked),
                    expected="folders of the home's own",
                    next_step="put the folder itself there; to keep a home elsewhere, name it in PRIVACY_ASSETS_HOME",
                )
        yield from (Path(folder) / name for name in names)


def _context(asset: str, version: str) -> str:
    return f"{asset}/{version}"


def _wal(path: Path) -> Path:
    return path.with_name(path.name + ".wal")


def _destroy(path: Path) -> None:
    destroy(path.with_suffix(_KEY))
    for left in (path, *path.parent.glob(f"{path.name}.*"), *path.parent.glob(f".{path.stem}.*")):
        left.unlink(missing_ok=True)
    if path.parent.exists():
        sync(path.parent)
