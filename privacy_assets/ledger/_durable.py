"""Small files that hold the old content or the new one, also after a power cut.

Belongs here: the order of write, fsync and rename, and the lock under which it is done. Does not belong here: what the
files mean.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from privacy_assets.errors import BadEnvironment

LOCK_SECONDS = 60


def replace(path: Path, content: bytes) -> None:
    """Put a file (0600) with this content in the place of whatever is there. Only ever under the folder's lock."""
    beside = path.with_name(f".{path.name}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(path: Path) -> bytes | None:
    """The content of a file; None if there is no such file."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def lock_of(folder: Path) -> FileLock:
    """The lock between processes and threads on what a folder holds."""
    return FileLock(folder / ".lock", timeout=LOCK_SECONDS, poll_interval=0.002, mode=0o600, fallback_to_soft=False)


@contextmanager
def held(lock: FileLock, what: str) -> Iterator[None]:
    """Hold `lock`; a failing disk, missing rights or a lock that nobody gives back raise BadEnvironment.

    `what` is the folder's role and path, for the message.
    """
    try:
        with lock:
            yield
    except Timeout:
        raise BadEnvironment.of(
            "another process has held the lock for too long",
            where=what,
            expected=f"the lock within {LOCK_SECONDS} seconds",
            next_step="end the process that hangs; its lock ends with it",
        ) from None
    except OSError as error:
        raise BadEnvironment.of(
            "a file cannot be read or written",
            where=what,
            found=os.strerror(error.errno) if error.errno else type(error).__name__,
            next_step="mend the disk, its space or its rights; nothing that was recorded is lost",
        ) from error
