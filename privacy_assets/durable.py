"""Small files that hold the old content or the new one, also after a power cut, and the lock to do so under.

Belongs here: the order of write, fsync and rename, for whoever keeps state. Does not belong here: what files mean.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from privacy_assets.errors import BadEnvironment

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
LOCK_SECONDS = 60


def make_folder(folder: Path) -> None:
    """Make `folder` and its parents, for the owner only; a folder that is there is left as it is."""
    for missing in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
        missing.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    folder.mkdir(exist_ok=True)  # something else of that name is an error


def sync(path: Path) -> None:
    """Bring a file or folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def create(path: Path, content: bytes) -> bool:
    """Make the file (0600) with this content; False, and nothing is changed, where it exists already."""
    written = _written(path.with_name(f".{path.name}.{secrets.token_hex(4)}"), content)
    try:
        os.link(written, path)
    except FileExistsError:
        return False
    finally:
        written.unlink()
    sync(path.parent)
    return True


def replace(path: Path, content: bytes, *, now: bool = True) -> None:
    """Put a file (0600) with this content in the place of whatever is there. Only ever under the folder's lock.

    Unless `now`, a power cut may bring the old content back: whole, but old.
    """
    _written(path.with_name(f".{path.name}.new"), content).replace(path)
    if now:
        sync(path.parent)


def destroy(path: Path) -> None:
    """Overwrite a small file, bring that to the disk, remove it. What is not there is destroyed already.

    It loses its name first, so that nobody reads what is half overwritten; `.<name>.gone` is what a crash leaves.
    A file system that copies on write, or a solid state disk, may keep the old bytes until it reuses them. Of a
    symbolic link, which is none of ours, the link goes; what it points to is not touched.
    """
    if not path.is_symlink():
        gone = path.with_name(f".{path.name.lstrip('.')}.gone")
        with suppress(FileNotFoundError):
            path.rename(gone)
        path = gone
        try:
            with os.fdopen(os.open(path, os.O_RDWR | os.O_NOFOLLOW), "r+b", buffering=0) as file:
                file.write(secrets.token_bytes(os.fstat(file.fileno()).st_size))
                os.fsync(file.fileno())
        except FileNotFoundError:
            return
    path.unlink(missing_ok=True)  # two runs at once destroy the same
    sync(path.parent)


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
    depth = lock.lock_counter
    with disk_errors(what):
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
        finally:
            # Ctrl-C between the end of the block and the lock's own: who goes on must not keep everybody out
            while lock.lock_counter > depth:
                lock.release()


@contextmanager
def disk_errors(what: str) -> Iterator[None]:
    """Turn an error of the operating system about a file into BadEnvironment; `what` is a phrase for the message."""
    try:
        yield
    except OSError as error:
        raise BadEnvironment.of(
            "a file cannot be read or written",
            where=what,
            found=os.strerror(error.errno) if error.errno else type(error).__name__,
            next_step="mend the disk, its space or its rights; nothing that was recorded is lost",
        ) from error


def _written(beside: Path, content: bytes) -> Path:
    # a new file, never what lies there under its name: that could be a link to somebody's file
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        beside.unlink()
        raise
    return beside
