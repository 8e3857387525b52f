"""Small files that are there whole or not at all, also after a power cut.

Belongs here: the order of write, fsync and rename. Does not belong here: what the files mean.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


def make_folder(folder: Path) -> None:
    """Make `folder` and its parents, for the owner only; a folder that is there is left as it is."""
    folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)


def sync(path: Path) -> None:
    """Bring a file or folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def create(path: Path, content: bytes) -> bool:
    """Make the file (0600) with this content; False, and nothing is changed, where it exists already."""
    written = _written_beside(path, content)
    try:
        os.link(written, path)
    except FileExistsError:
        return False
    finally:
        written.unlink()
    sync(path.parent)
    return True


def replace(path: Path, content: bytes) -> None:
    """Put a file (0600) with this content in the place of whatever is there."""
    written = _written_beside(path, content)
    written.replace(path)
    sync(path.parent)


def destroy(path: Path) -> None:
    """Overwrite a small file, bring that to the disk, remove it. What is not there is destroyed already.

    A file system that copies on write, or a solid state disk, may keep the old bytes until it reuses them.
    """
    try:
        length = path.stat().st_size
    except FileNotFoundError:
        return
    with path.open("r+b", buffering=0) as file:
        file.write(secrets.token_bytes(length))
        os.fsync(file.fileno())
    path.unlink()
    sync(path.parent)


def _written_beside(path: Path, content: bytes) -> Path:
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
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
