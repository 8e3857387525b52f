"""The texts that log and witness sign, in the formats that other transparency logs use.

Belongs here: C2SP signed notes, checkpoints and cosignatures, to the byte. Does not belong here: when something may be
signed (`witness.py`, `log.py`), hashing of entries (`merkle.py`).

    a note          text, an empty line, then a line "— <name> base64(key ID || signature)" for each signature
    a key ID        SHA-256(<name> || 0x0A || type || public key)[:4]
    a checkpoint    a note whose text is three lines: origin, size, base64(root)
    type 0x01       Ed25519 (RFC 8032) over the text
    type 0x04       cosignature/v1: u64 time || Ed25519 over "cosignature/v1\\ntime <time>\\n" || text

Sources: c2sp.org/signed-note, c2sp.org/tlog-checkpoint, c2sp.org/tlog-cosignature; the text form of a secret key is the
one of golang.org/x/mod/sumdb/note. A name is for telling keys apart; trust is in the key that the verifier was given.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from functools import cached_property
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from privacy_assets.errors import Tampered
from privacy_assets.ledger.merkle import HASH_BYTES

KEY_BYTES = 32
KEY_ID_BYTES = 4
TIME_BYTES = 8
MOST_SIGNATURES = 64
"""The specification asks for at least 16; a limit keeps a forged note from costing time."""

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_DASH = "\N{EM DASH} "
_SECRET = "PRIVATE+KEY+"  # noqa: S105 - the marker of the format, no secret


class SignatureType(IntEnum):
    """How a key signs; the byte that the specification assigns."""

    ED25519 = 0x01
    COSIGNATURE = 0x04


@dataclass(frozen=True)
class Verifier:
    """A name and the public key (32 bytes) that is trusted under it; as text `<name>+<key ID>+<base64>`."""

    name: str
    type: SignatureType
    public_key: bytes

    def __post_init__(self) -> None:
        if not self.name or "+" in self.name or any(letter.isspace() or letter < " " for letter in self.name):
            raise ValueError("the name of a key is not empty and holds neither spaces nor +")
        if len(self.public_key) != KEY_BYTES:
            raise ValueError(f"an Ed25519 key has {KEY_BYTES} bytes")

    @cached_property
    def key_id(self) -> bytes:
        """The four bytes that say which key a signature line is of."""
        return sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public_key).digest()[:KEY_ID_BYTES]

    def __str__(self) -> str:
        return _key_text(self.name, self.key_id, self.type, self.public_key)

    @classmethod
    def parse(cls, text: str) -> Verifier:
        """From its text. Raises ValueError if it is not one."""
        name, key_id, kind, key = _parsed_key(text)
        verifier = cls(name, kind, key)
        if verifier.key_id != key_id:
            raise ValueError("the key ID does not belong to this name and key")
        return verifier

    def accepts(self, text: str, signature: bytes) -> bool:
        """Whether `signature` (without the key ID) is one of this key over the text of a note."""
        time = b""
        if self.type is SignatureType.COSIGNATURE:
            time, signature = signature[:TIME_BYTES], signature[TIME_BYTES:]
            if len(time) < TIME_BYTES or time[0] & 0x80:
                return False
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, _message(text, time))
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class Signer:
    """A name and the seed (32 bytes) of the secret key that signs under it. Its repr does not show the seed."""

    name: str
    type: SignatureType
    seed: bytes = field(repr=False)

    @cached_property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, self.type, self._key.public_key().public_bytes_raw())

    @cached_property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    def line(self, text: str, now: datetime | None = None) -> str:
        """The signature line over the text of a note, newline included; a cosignature says the time `now`."""
        time = b""
        if self.type is SignatureType.COSIGNATURE:
            time = struct.pack(">Q", int((now or datetime.now(UTC)).timestamp()))
        signature = self.verifier.key_id + time + self._key.sign(_message(text, time))
        return f"{_DASH}{self.name} {_encoded(signature)}\n"

    def secret(self) -> str:
        """The secret key as text: for the file that keeps it, and nowhere else."""
        return _SECRET + _key_text(self.name, self.verifier.key_id, self.type, self.seed)

    @classmethod
    def parse(cls, secret: str) -> Signer:
        """From its text. Raises ValueError, without the text, if it is not one."""
        if not secret.startswith(_SECRET):
            raise ValueError("not the text of a secret key")
        name, key_id, kind, seed = _parsed_key(secret.removeprefix(_SECRET))
        signer = cls(name, kind, seed)
        if signer.verifier.key_id != key_id:
            raise ValueError("the key ID does not belong to this name and key")
        return signer


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of itself: its origin, its number of entries, the root (32 bytes) of their tree."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{_encoded(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """From the text of a note. Raises ValueError if it is not exactly three well-formed lines."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not lines[0]:
            raise ValueError("a checkpoint has three lines: origin, size, root")
        origin, size, root = lines[0], lines[1], _decoded(lines[2])
        if not (size.isascii() and size.isdigit()) or str(int(size)) != size:
            raise ValueError("the size of a checkpoint is a decimal number")
        if len(root) != HASH_BYTES:
            raise ValueError(f"the root of a checkpoint has {HASH_BYTES} bytes")
        return cls(origin, int(size), root)


def signed_note(text: str, *lines: str) -> bytes:
    """The note of a text (ending in a newline) and its signature lines."""
    return (text + "\n" + "".join(lines)).encode()


def open_note(note: bytes, *signers: Verifier, where: str = "a note") -> str:
    """The text of a note that every one of `signers` has signed; signatures of other keys are ignored.

    Raises Tampered, naming `where`, if it is no well-formed note, if a signature is missing, or if one of a signer
    does not verify.
    """
    try:
        text, signatures = _parsed_note(note)
    except ValueError as error:
        raise Tampered.of("not a well-formed signed note", where=where, found=str(error)) from None
    for signer in signers:
        own = [signature for name, key_id, signature in signatures if (name, key_id) == (signer.name, signer.key_id)]
        if not own:
            raise Tampered.of("a signature is missing", where=where, expected=f"one of {signer}")
        if not all(signer.accepts(text, signature) for signature in own):
            raise Tampered.of("a signature does not verify", where=where, expected=f"one of {signer}")
    return text


def open_checkpoint(note: bytes, *signers: Verifier, origin: str, where: str = "a checkpoint") -> Checkpoint:
    """The checkpoint of the log `origin` that every one of `signers` has signed. Raises Tampered if it is not one."""
    text = open_note(note, *signers, where=where)
    try:
        checkpoint = Checkpoint.parse(text)
    except ValueError as error:
        raise Tampered.of("a signed note is no checkpoint", where=where, found=str(error)) from None
    if checkpoint.origin != origin:
        raise Tampered.of("a checkpoint of another log", where=where, expected=origin, found=checkpoint.origin)
    return checkpoint


def _message(text: str, time: bytes) -> bytes:
    header = f"cosignature/v1\ntime {struct.unpack('>Q', time)[0]}\n" if time else ""
    return (header + text).encode()


def _parsed_note(note: bytes) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    try:
        content = note.decode()
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    if _CONTROL.search(content):
        raise ValueError("a control character")
    text, empty_line, signatures = content.rpartition("\n\n")
    if not empty_line or not signatures.endswith("\n"):
        raise ValueError("no signatures after an empty line")
    lines = signatures.removesuffix("\n").split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise ValueError(f"more than {MOST_SIGNATURES} signatures")
    return text + "\n", [_parsed_line(line) for line in lines]


def _parsed_line(line: str) -> tuple[str, bytes, bytes]:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not name or not space:
        raise ValueError("a line that is no signature")
    signature = _decoded(encoded)
    if len(signature) <= KEY_ID_BYTES:
        raise ValueError("a signature that is too short")
    return name, signature[:KEY_ID_BYTES], signature[KEY_ID_BYTES:]


def _key_text(name: str, key_id: bytes, kind: SignatureType, key: bytes) -> str:
    return f"{name}+{key_id.hex()}+{_encoded(bytes([kind]) + key)}"


def _parsed_key(text: str) -> tuple[str, bytes, SignatureType, bytes]:
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    key = _decoded(encoded)
    if len(key) != 1 + KEY_BYTES or len(key_id) != 2 * KEY_ID_BYTES:
        raise ValueError("not the text of an Ed25519 key")
    return name, bytes.fromhex(key_id), SignatureType(key[0]), key[1:]


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decoded(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("not base64") from None
    # The last letter may hold bits that decoding ignores: a second text for the same bytes is refused.
    if _encoded(data) != text:
        raise ValueError("not base64 as it is written")
    return data
