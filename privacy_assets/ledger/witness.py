"""The second memory: a key and a state of its own, in a folder outside the home, that only ever move forward.

The witness signs a checkpoint of one log only if it continues the last one that it signed, and it writes down what it
signs before it answers. So whoever holds the home and the log's own key can still not take back, change or fork what
the witness has seen. Who holds the witness's folder as well can: it belongs to someone else, on another machine.

Belongs here: that rule (c2sp.org/tlog-witness, without its HTTP). Does not belong here: the log's files (`log.py`).

In <folder>/: `key` (the secret key, 0600), `checkpoint` (the last note that was cosigned, with its cosignature) and
`leaves` (32 bytes an entry: the hash of each one as it was when it was seen). Nothing rests on `leaves`: who reads it
holds it against the signed root first; by it a change can be named, and not only noticed.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from privacy_assets import durable
from privacy_assets.errors import BadEnvironment, Fault, Tampered
from privacy_assets.ledger.merkle import EMPTY_ROOT, HASH_BYTES, verify_consistency
from privacy_assets.ledger.notes import KEY_BYTES, Checkpoint, SignatureType, Signer, Verifier, open_checkpoint


class Witness:
    """The witness of the log `origin`, whose checkpoints `log` has signed.

    Raises BadEnvironment if the folder holds no key: a witness is never made anew where one is missing.
    """

    def __init__(self, folder: Path, origin: str, log: Verifier) -> None:
        self._folder = folder
        self._origin = origin
        self._log = log
        self._lock = durable.lock_of(folder)
        self._what = f"the witness {folder}"
        self._verified: tuple[bytes, Checkpoint] | None = None
        secret = durable.read(folder / "key")
        if secret is None:
            raise BadEnvironment.of(
                "the ledger's witness is not there",
                where=str(folder),
                expected="the folder of the witness that has signed this ledger so far",
                next_step="name its folder in PRIVACY_ASSETS_WITNESS, or bring the folder back; without it nobody can "
                "tell whether the ledger was rolled back",
            )
        try:
            self._signer = Signer.parse(secret.decode().strip())
        except ValueError:
            raise BadEnvironment.of(
                "the witness's key cannot be read",
                where=str(folder / "key"),
                expected="the text of an Ed25519 key",
                next_step="bring the file back from a copy",
            ) from None

    @classmethod
    def exists(cls, folder: Path) -> bool:
        """Whether there is a witness in this folder."""
        return (folder / "key").exists()

    @classmethod
    def create(cls, folder: Path, origin: str, log: Verifier) -> Witness:
        """A new witness, with a key of its own, that has seen nothing."""
        signer = Signer(f"{origin}/witness", SignatureType.COSIGNATURE, secrets.token_bytes(KEY_BYTES))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with durable.held(durable.lock_of(folder), f"the witness {folder}"):
            if not cls.exists(folder):
                durable.replace(folder / "key", signer.secret().encode() + b"\n")
        return cls(folder, origin, log)

    @property
    def verifier(self) -> Verifier:
        """The name and public key under which its cosignatures verify."""
        return self._signer.verifier

    def latest(self) -> bytes | None:
        """The last note that it cosigned, with the cosignature; None if it has seen nothing yet."""
        return durable.read(self._folder / "checkpoint")

    def cosign(self, note: bytes, proof: Sequence[bytes]) -> str:
        """The cosignature line over a checkpoint that continues the last one, durably recorded before it is returned.

        `proof` is the consistency proof from the last one; empty from size 0, and from the same size. The first
        checkpoint of all is the one of the empty log. Raises Tampered, and records nothing, if the log's signature is
        missing or wrong, the size is smaller, the root of the same size is another, or the proof does not verify.
        """
        with durable.held(self._lock, self._what):
            new = open_checkpoint(note, self._log, origin=self._origin)
            latest = self.latest()
            if latest is None:
                if (new.size, new.root) != (0, EMPTY_ROOT):
                    raise _refusal("a new witness was shown a log that is not new", "an empty log", f"size {new.size}")
            else:
                old = self._opened(latest)
                if new.size < old.size:
                    raise _refusal("the ledger was rolled back", f"at least {old.size} entries", f"{new.size} entries")
                if old.size == 0 < new.size:
                    # Every tree continues the empty one; there is no proof of it (RFC 6962, 2.1.2).
                    continues = not proof
                else:
                    continues = (new == old and not proof) or verify_consistency(
                        old.size, new.size, proof, old.root, new.root
                    )
                if not continues:
                    raise _refusal(
                        "the ledger was rewritten",
                        f"the {old.size} entries that the witness has signed",
                        "a tree that does not continue them",
                    )
            line = self._signer.line(new.text)
            record = note + line.encode()
            durable.replace(self._folder / "checkpoint", record)
            self._verified = record, new
            return line

    def _opened(self, record: bytes) -> Checkpoint:
        """The checkpoint of a record; what this process has signed or verified itself is not verified again."""
        if self._verified is None or self._verified[0] != record:
            self._verified = record, open_checkpoint(record, self._log, self.verifier, origin=self._origin)
        return self._verified[1]

    def leaves(self) -> tuple[bytes, ...]:
        """The hashes of the entries that it has seen, as they stand in its folder: to be held against a signed root."""
        kept = durable.read(self._folder / "leaves") or b""
        return tuple(kept[at : at + HASH_BYTES] for at in range(0, len(kept) - HASH_BYTES + 1, HASH_BYTES))

    def keep_leaves(self, position: int, leaves: bytes) -> None:
        """Note the hashes of entries from a position on. Not waited for: what a crash takes is mended later."""
        descriptor = os.open(self._folder / "leaves", os.O_WRONLY | os.O_CREAT, durable.PRIVATE_FILE)
        try:
            os.pwrite(descriptor, leaves, position * HASH_BYTES)
        finally:
            os.close(descriptor)

    def mend_leaves(self, leaves: Sequence[bytes]) -> None:
        """Bring the hashes up to those of a ledger that was verified."""
        whole = b"".join(leaves)
        if (durable.read(self._folder / "leaves") or b"") != whole:
            self.keep_leaves(0, whole)
            os.truncate(self._folder / "leaves", len(whole))


def _refusal(what: str, expected: str, found: str) -> Tampered:
    next_step = "publish and read nothing; compare the ledger with a copy from before"
    return Tampered(Fault(what, "the witness", expected, found, next_step))
