"""Keys: who wraps them, and the secrets of a project.

Belongs here: the provider of the master key, the one form in which a wrapped key lies in a file, derivation. Does
not belong here: which file a key opens (`versions.py`).

A master key never leaves its provider; it wraps 32 byte keys with AES-256-GCM (NIST SP 800-38D, random 96 bit nonce),
bound to a context, so that a wrapped key that was moved to another place does not open.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from privacy_assets.durable import PRIVATE_FILE, create, destroy, make_folder, replace
from privacy_assets.errors import BadEnvironment, Fault, Tampered
from privacy_assets.warehouse.home import Home

KEY_BYTES = 32
_NONCE_BYTES = 12

SECRETS = ("actors", "digests", "ledger", "pseudonyms")
"""The secrets of a project: of what is made from each, nothing can be told about the others."""


class KeyProvider(Protocol):
    """Holds a master key, and wraps other keys with it. A cloud KMS or Vault is another provider."""

    @property
    def id(self) -> str:
        """Names the master key, and tells nothing about it."""
        ...

    def wrap(self, key: bytes, context: str) -> bytes:
        """The key, wrapped and bound to `context`."""
        ...

    def unwrap(self, blob: bytes, context: str) -> bytes:
        """The key again; Tampered where blob, context and master key do not fit together."""
        ...


class KeyFile:
    """The embedded provider: a master key in a file of mode 0600 outside of home and project.

    The file holds 32 random bytes as base64 text. Whoever can read it can read everything: it is the one key that
    lies in clear.
    """

    def __init__(self, path: Path) -> None:
        self._master = _read_master(path)

    def __repr__(self) -> str:
        return f"KeyFile(id={self.id!r})"

    @classmethod
    def open(cls, home: Home) -> KeyFile:
        """The key file of this home. It is made, with a warning on stderr, where home and key are both new.

        Raises BadEnvironment where the file is missing though the home has secrets, or is not for its owner alone.
        """
        if not home.key_file.exists():
            if home.secrets_file.exists():
                raise BadEnvironment.of(
                    "the key file is missing: without it nothing in the home can be read",
                    where=str(home.key_file),
                    next_step="put the key file back from your backup, or name it with PRIVACY_ASSETS_KEY_FILE",
                )
            cls.create(home.key_file)
        return cls(home.key_file)

    @classmethod
    def create(cls, path: Path, *, told: bool = True) -> KeyFile:
        """A new master key in a new file, with a printed warning (`told`). A file that is there is kept."""
        try:
            make_folder(path.parent)
            made = create(path, base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
        except OSError as error:
            raise BadEnvironment.of(
                f"the key file cannot be made: {error.strerror}",
                where=str(path),
                next_step="name a place that you can write to with PRIVACY_ASSETS_KEY_FILE",
            ) from None
        if made and told:
            sys.stderr.write(f"New master key: {path}\nBack it up apart from the data. Lost key, lost data.\n")
        return cls(path)

    @property
    def id(self) -> str:
        """`file:` and 16 hex digits that are derived from the key."""
        return f"file:{_derived(self._master, 'id')[:8].hex()}"

    def wrap(self, key: bytes, context: str) -> bytes:
        """96 bit nonce, ciphertext and tag of AES-256-GCM with `context` as associated data."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self._master).encrypt(nonce, key, context.encode())

    def unwrap(self, blob: bytes, context: str) -> bytes:
        """The key again; Tampered where blob, context and master key do not fit together."""
        try:
            return AESGCM(self._master).decrypt(blob[:_NONCE_BYTES], blob[_NONCE_BYTES:], context.encode())
        except (InvalidTag, ValueError):
            raise _does_not_open(context) from None


class Secrets:
    """The secrets of a project, wrapped by the provider: never used as they are, only derived from."""

    def __init__(self, known: Mapping[str, bytes]) -> None:
        self._known = MappingProxyType(dict(known))

    def __repr__(self) -> str:
        return f"Secrets({', '.join(self._known)})"

    @classmethod
    def open(cls, home: Home, provider: KeyProvider) -> Secrets:
        """The secrets of this home; they are made where the home is new.

        Raises BadEnvironment where they are gone though the home is in use, or were wrapped by another master key;
        Tampered where they do not open.
        """
        path = home.secrets_file
        if not path.exists():
            in_use = any(home.versions.iterdir()) or any(home.ledger.iterdir())
            if in_use and not path.exists():  # asked again: another process may be making this home just now
                raise BadEnvironment.of(
                    "the home is in use, and its secrets are missing",
                    where=str(path),
                    next_step="put secrets.json back from your backup of the home",
                )
            new = {name: wrapped(secrets.token_bytes(KEY_BYTES), provider, _context(name)) for name in SECRETS}
            create(path, json.dumps(new).encode())
        records = json_object(path)
        if set(records) != set(SECRETS):
            raise _does_not_open(str(path))
        return cls({name: unwrapped(records[name], provider, _context(name)) for name in SECRETS})

    def derive(self, secret: str, *labels: str) -> bytes:
        """32 bytes for the use that the labels name: HKDF-SHA-256 (RFC 5869), info = each label after its length.

        The lengths (4 bytes, big endian) keep ("ab", "c") and ("a", "bc") apart. KeyError for an unknown secret.
        """
        return _derived(self._known[secret], *labels)


def rewrap_secrets(home: Home, old: KeyProvider, new: KeyProvider) -> None:
    """Put the secrets of a home under another master key, at once."""
    path = home.secrets_file
    records = json_object(path)
    rewrapped = {name: rewrap(records.get(name), old, new, _context(name)) for name in SECRETS}
    replace(path, json.dumps(rewrapped).encode())
    # Only now: the file of one that was killed while it made the home is the same file as the one just replaced.
    for left in path.parent.glob(f".{path.name}.*"):
        destroy(left)


def master_of(home: Home) -> str:
    """The id of the master key that the home's secrets are under."""
    records = json_object(home.secrets_file)
    return next((str(record["provider"]) for record in records.values() if isinstance(record, dict)), "")


def wrapped(key: bytes, provider: KeyProvider, context: str) -> dict[str, str]:
    """A wrapped key as it lies in a file: whose master key, and the blob as base64."""
    return {"provider": provider.id, "wrapped": base64.b64encode(provider.wrap(key, context)).decode()}


def unwrapped(record: object, provider: KeyProvider, context: str) -> bytes:
    """The key of a record that `wrapped` made.

    Raises BadEnvironment where another master key wrapped it, Tampered where it does not open.
    """
    if not isinstance(record, dict) or set(record) != {"provider", "wrapped"}:
        raise _does_not_open(context)
    if record["provider"] != provider.id:
        raise BadEnvironment.of(
            f"{context} was wrapped by another master key",
            expected=str(record["provider"]),
            found=provider.id,
            next_step="name the key file of this home with PRIVACY_ASSETS_KEY_FILE; "
            "if a rotation of the master key was interrupted, run it again",
        )
    try:
        blob = base64.b64decode(record["wrapped"], validate=True)
    except (ValueError, TypeError):
        raise _does_not_open(context) from None
    return provider.unwrap(blob, context)


def rewrap(record: object, old: KeyProvider, new: KeyProvider, context: str) -> dict[str, str]:
    """The record under the new master key. One that is under it already is checked and kept.

    So a rotation that was interrupted can be run again.
    """
    under_new = isinstance(record, dict) and record.get("provider") == new.id
    return wrapped(unwrapped(record, new if under_new else old, context), new, context)


def json_object(path: Path) -> dict[str, object]:
    """The JSON object in a file of ours; Tampered where it is none."""
    try:
        found = json.loads(path.read_bytes())
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Tampered.of("the file is damaged", where=str(path), next_step="put it back from your backup of the home")
    return found


def _read_master(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            content = file.read(1024)
    except OSError as error:
        raise BadEnvironment.of(
            f"the key file cannot be read: {error.strerror}",
            where=str(path),
            expected="a file of yours (no link)",
            next_step="name the key file with PRIVACY_ASSETS_KEY_FILE",
        ) from None
    mode = stat.S_IMODE(status.st_mode)
    if mode & ~PRIVATE_FILE or status.st_uid != os.getuid():
        raise BadEnvironment.of(
            "the key file is not for you alone",
            where=str(path),
            expected="mode 0600, owned by you",
            found=f"mode {mode:04o}" + ("" if status.st_uid == os.getuid() else ", owned by someone else"),
            next_step=f"chmod 600 {path}; if others could read it, rotate the master key",
        )
    try:
        master = base64.b64decode(content.strip(), validate=True)
    except ValueError:
        master = b""
    if len(master) != KEY_BYTES:
        raise BadEnvironment.of(
            "the key file does not hold a key",
            where=str(path),
            expected=f"{KEY_BYTES} bytes as base64",
            next_step="put the key file back from your backup",
        )
    return master


def _derived(key: bytes, *labels: str) -> bytes:
    info = b"".join(len(text).to_bytes(4, "big") + text for text in (label.encode() for label in labels))
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(key)


def _context(name: str) -> str:
    return f"secret/{name}"


def _does_not_open(context: str) -> Tampered:
    return Tampered(
        Fault(
            f"{context} does not open: it was changed, or moved from elsewhere",
            next_step="stop and find out who changed it; put the home back from a backup",
        )
    )
