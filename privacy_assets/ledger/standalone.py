"""Verifies a ledger without the program that wrote it: one file, the standard library and `cryptography`.

    python -I standalone.py LEDGER --log-key KEY --witness-key KEY [--checkpoint FILE ...]

LEDGER is the folder with `entries` and `checkpoint`; a KEY is a text that `privacy-assets checkpoint` prints; each FILE
is a checkpoint that was kept elsewhere. Take keys and files from where you kept them, not from the machine that you
examine. Exit code 0: in order; 1: not, with the reason; 2: the command was misspelt.

What is verified:

1. Every line of `entries` is `base64(salt) SP json LF`: a salt of 32 bytes, an object of JSON with a `time`.
2. Times do not go back, except at an entry that says "clock_corrected": true.
3. `checkpoint` is a note (c2sp.org/signed-note): origin, size, base64(root), signed by log (Ed25519) and witness
   (c2sp.org/tlog-cosignature).
4. The root is the Merkle tree hash of RFC 6962, section 2.1, over salt || json of the first `size` lines, and there are
   no others (a crash may leave one line behind the end that is no entry; it is named).
5. Each FILE is signed by both as well, and is the root of its own size over the same lines.

What cannot be verified: that something was written at all; and, without a FILE, whether both keys have signed another
history before. Belongs here: all of that and nothing of ours; written to be read in ten minutes. Does not belong here:
what entries mean.
"""

import argparse
import base64
import hashlib
import json
import sys
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LOG, WITNESS = 1, 4  # the types of keys: Ed25519 over the text; cosignature/v1


class NotInOrder(Exception):
    """The ledger is not what it claims to be; the text says what is wrong, and holds nothing of an entry."""


def merkle_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, of a list of leaf hashes."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1  # the largest power of two below the number of leaves
    return hashlib.sha256(b"\x01" + merkle_root(leaves[:split]) + merkle_root(leaves[split:])).digest()


def strictly_decoded(text: str) -> bytes:
    """Base64, in its one canonical spelling."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise NotInOrder("what should be base64 is not") from None
    if base64.b64encode(data).decode() != text:
        raise NotInOrder("base64 that is not spelt canonically")
    return data


def parsed_key(text: str, kind: int) -> tuple[str, bytes, Ed25519PublicKey]:
    """Name, key ID and public key from `<name>+<key ID in hex>+<base64 of type and key>`."""
    name, key_id, key = text.split("+", 2)
    data = strictly_decoded(key)
    expected = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
    if len(data) != 33 or data[0] != kind or bytes.fromhex(key_id) != expected:
        raise NotInOrder(f"this is no key of the kind that is needed: {text}")
    return name, expected, Ed25519PublicKey.from_public_bytes(data[1:])


def opened_checkpoint(note: bytes, log_key: str, witness_key: str) -> tuple[str, int, bytes]:
    """Origin, size and root from a note that log and witness have signed."""
    try:
        text, blank, signatures = note.decode().rpartition("\n\n")
    except UnicodeDecodeError:
        raise NotInOrder("a checkpoint is not UTF-8") from None
    text += "\n"
    lines = text.split("\n")
    if not blank or not signatures.endswith("\n") or len(lines) != 4 or lines[3]:
        raise NotInOrder("a checkpoint is not three lines, an empty one and signatures")
    if any(letter < " " and letter != "\n" for letter in note.decode()):
        raise NotInOrder("a checkpoint holds a control character")
    signed = []
    for line in signatures[:-1].split("\n"):
        dash, name, encoded = (line.split(" ") + ["", ""])[:3]
        data = strictly_decoded(encoded)
        if dash != "\N{EM DASH}" or line.count(" ") != 2 or not name or len(data) <= 4:
            raise NotInOrder("a checkpoint has a line that is no signature")
        signed.append((name, data))
    for who, key_text, kind in (("log", log_key, LOG), ("witness", witness_key, WITNESS)):
        name, key_id, key = parsed_key(key_text, kind)
        own = [data[4:] for by, data in signed if by == name and data[:4] == key_id]
        if not own:
            raise NotInOrder(f"the {who} has not signed it")
        for signature in own:
            message = text.encode()
            if kind == WITNESS:
                time, signature = int.from_bytes(signature[:8], "big"), signature[8:]
                message = f"cosignature/v1\ntime {time}\n".encode() + message
            try:
                key.verify(signature, message)
            except InvalidSignature:
                raise NotInOrder(f"the signature of the {who} does not verify") from None
    origin, size, root = lines[0], lines[1], strictly_decoded(lines[2])
    if not size.isascii() or not size.isdigit() or str(int(size)) != size or len(root) != 32:
        raise NotInOrder("a checkpoint without a size and a root")
    if origin != parsed_key(log_key, LOG)[0]:
        raise NotInOrder("a checkpoint of another log")
    return origin, int(size), root


def read_entries(content: bytes, size: int) -> tuple[list[bytes], bool]:
    """The leaf hashes of the first `size` lines, and whether one line stands behind them."""
    *lines, rest = content.split(b"\n")
    behind = lines[size:] + ([rest] if rest else [])
    if len(lines) < size:
        raise NotInOrder(f"entries were removed: {size} are signed, {len(lines)} are there")
    if len(behind) > 1:
        raise NotInOrder(f"{len(behind)} lines stand behind the {size} entries that are signed")
    leaves, last = [], None
    for position, line in enumerate(lines[:size]):
        try:
            salt, text = strictly_decoded(line[:44].decode()), line[45:]
            entry = json.loads(text.decode())
            time = datetime.fromisoformat(entry["time"])
            corrects = entry.get("clock_corrected") is True
            if len(salt) != 32 or line[44:45] != b" " or time.utcoffset() is None:
                raise ValueError
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, NotInOrder):
            raise NotInOrder(f"line {position} is no entry") from None
        if last is not None and time < last and not corrects:
            raise NotInOrder(f"entry {position} is older than the one before it")
        last = time
        leaves.append(hashlib.sha256(b"\x00" + salt + text).digest())
    return leaves, bool(behind)


def verify(folder: Path, log_key: str, witness_key: str, kept: list[Path]) -> str:
    """One line on what is in order. Raises NotInOrder, or OSError where a file cannot be read."""
    origin, size, root = opened_checkpoint((folder / "checkpoint").read_bytes(), log_key, witness_key)
    leaves, behind = read_entries((folder / "entries").read_bytes(), size)
    if merkle_root(leaves) != root:
        raise NotInOrder("entries were changed, moved, removed or inserted: their root is not the one that was signed")
    for path in kept:
        _, kept_size, kept_root = opened_checkpoint(path.read_bytes(), log_key, witness_key)
        if kept_size > size:
            raise NotInOrder(
                f"rolled back: {path} was signed when there were {kept_size} entries, and {size} are there"
            )
        if merkle_root(leaves[:kept_size]) != kept_root:
            raise NotInOrder(f"rewritten: the first {kept_size} entries are not those of {path}")
    note = "; one line behind the end is no entry (a crash leaves that)" if behind else ""
    return f"{origin}: {size} entries in order, root {base64.b64encode(root).decode()}{note}"


def main() -> int:
    """The command."""
    words = argparse.ArgumentParser(description="Verify a ledger with two public keys.")
    words.add_argument("ledger", type=Path, help="the folder with `entries` and `checkpoint`")
    words.add_argument("--log-key", required=True, help="the log's public key, as text")
    words.add_argument("--witness-key", required=True, help="the witness's public key, as text")
    words.add_argument("--checkpoint", type=Path, action="append", default=[], help="a checkpoint kept elsewhere")
    given = words.parse_args()
    try:
        sys.stdout.write(verify(given.ledger, given.log_key, given.witness_key, given.checkpoint) + "\n")
    except (NotInOrder, OSError, ValueError) as error:
        sys.stdout.write(f"NOT IN ORDER: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
