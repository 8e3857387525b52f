"""A copy that leaves the home: an encrypted database under a key of its own, and the key in another folder.

Belongs here: where the two may lie, and that neither is there half made. Does not belong here: who may take a copy, and
what is in it (`reading.py`, `subjects/handing_out.py`).
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from privacy_assets.errors import BadDeclaration, BadEnvironment
from privacy_assets.warehouse.home import Home
from privacy_assets.warehouse.versions import Candidate


@contextmanager
def sealed_copy(home: Home, what: str, to: Path, key_file: Path) -> Iterator[Candidate]:
    """A candidate (for `governed`) that lies at `to` afterwards; its key (64 hex) is in `key_file` then, mode 0600.

    Where anything fails neither file is there. Raises BadDeclaration for files that exist, lie in one folder, in none,
    or in the home, and BadEnvironment where they cannot be written.
    """
    to, key_file = Path(to).resolve(), Path(key_file).resolve()
    if to.parent == key_file.parent:
        raise BadDeclaration.of(
            "the key would lie beside the data that it opens",
            where=str(key_file),
            expected="another folder than that of the copy",
            next_step="name a key file elsewhere, and send the two by different ways",
        )
    for path in (to, key_file):
        if path.exists():
            raise BadDeclaration.of("the file exists already", where=str(path), next_step="name another file")
        if not path.parent.is_dir():
            raise BadDeclaration.of(
                "there is no such folder", where=str(path.parent), next_step="make it, or name a file in another one"
            )
        if path.is_relative_to(home.path):
            raise BadDeclaration.of(
                "the home keeps nothing but its own files", where=str(path), next_step="name a file outside the home"
            )
    part = to.with_name(f".{to.name}.part")
    part.unlink(missing_ok=True)  # left by one that was killed; its key was never written
    key = secrets.token_hex(32)
    try:
        yield Candidate(what, secrets.token_hex(16), part, key, {})
        descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(key)
        part.chmod(0o600)
        part.rename(to)
    except OSError as error:
        raise BadEnvironment.of(
            f"the copy or its key cannot be written: {error.strerror}",
            where=f"{to}, {key_file}",
            next_step="make the folders writable for you, or name others",
        ) from None
    finally:
        part.unlink(missing_ok=True)
