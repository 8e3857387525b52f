"""The witness's rule: it moves forward only, and has written down what it says before it says it."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest

from privacy_assets.errors import BadEnvironment, Tampered
from privacy_assets.ledger.merkle import Tree, leaf_hash
from privacy_assets.ledger.notes import Checkpoint, SignatureType, Signer, open_checkpoint, signed_note
from privacy_assets.ledger.witness import Witness

ORIGIN = "privacy-assets/p-test"
LOG = Signer(ORIGIN, SignatureType.ED25519, b"l" * 32)
TREE = Tree(leaf_hash(bytes([number])) for number in range(40))


def note(size: int, tree: Tree = TREE, signer: Signer = LOG, origin: str = ORIGIN) -> bytes:
    text = Checkpoint(origin, size, tree.root(size)).text
    return signed_note(text, signer.line(text))


def size_of(witness: Witness) -> int:
    return open_checkpoint(witness.latest() or b"", LOG.verifier, witness.verifier, origin=ORIGIN).size


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    """A witness that has seen the empty log and its first five entries."""
    made = Witness.create(tmp_path / "witness", ORIGIN, LOG.verifier)
    made.cosign(note(0), ())
    made.cosign(note(5), ())
    return made


def test_what_continues_is_cosigned_and_recorded(witness: Witness) -> None:
    """The answer verifies under the witness's key, and the record holds the same bytes."""
    line = witness.cosign(note(9), TREE.consistency_proof(5, 9))
    assert witness.latest() == note(9) + line.encode()
    assert size_of(witness) == 9
    witness.cosign(note(9), ())
    assert size_of(witness) == 9


def test_every_refusal_leaves_the_record_as_it_was(witness: Witness) -> None:
    """Smaller, forked, unproven, wrongly proven, unsigned, of another log or signed by another key: Tampered."""
    before = witness.latest()
    other = Tree([*(TREE.leaf(index) for index in range(4)), *(leaf_hash(b"x") for _ in range(6))])
    stranger = Signer(ORIGIN, SignatureType.ED25519, b"x" * 32)
    refused = {
        "smaller": (note(4), TREE.consistency_proof(4, 5)),
        "smaller, without a proof": (note(4), ()),
        "empty again": (note(0), ()),
        "same size, other root": (note(5, other), ()),
        "larger, of another tree": (note(9, other), other.consistency_proof(5, 9)),
        "larger, proof of the true tree": (note(9, other), TREE.consistency_proof(5, 9)),
        "no proof": (note(9), ()),
        "proof from another size": (note(9), TREE.consistency_proof(4, 9)),
        "same size with a proof": (note(5), TREE.consistency_proof(4, 5)),
        "another key": (note(9, signer=stranger), TREE.consistency_proof(5, 9)),
        "another log": (note(9, origin="privacy-assets/p-other"), TREE.consistency_proof(5, 9)),
        "no note": (b"hello\n", ()),
    }
    for case, (checkpoint, proof) in refused.items():
        with pytest.raises(Tampered):
            witness.cosign(checkpoint, proof)
        assert witness.latest() == before, case


def test_the_first_checkpoint_is_the_empty_one(tmp_path: Path) -> None:
    """A new witness is not shown a log that has a past, and takes no proof from size 0."""
    witness = Witness.create(tmp_path, ORIGIN, LOG.verifier)
    with pytest.raises(Tampered, match="new witness"):
        witness.cosign(note(5), ())
    witness.cosign(note(0), ())
    with pytest.raises(Tampered, match="rewritten"):
        witness.cosign(note(5), TREE.consistency_proof(1, 5))
    witness.cosign(note(5), ())


def test_two_submitters_never_move_it_back(tmp_path: Path) -> None:
    """Of 40 checkpoints submitted by two threads in random order, each recorded size is larger than the one before."""
    witness = Witness.create(tmp_path, ORIGIN, LOG.verifier)
    witness.cosign(note(0), ())
    recorded: list[int] = []

    def submit(seed: int) -> None:
        mine = Witness(tmp_path, ORIGIN, LOG.verifier)
        for size in sorted(random.Random(seed).sample(range(1, 41), 20)):
            try:
                # Where the other one was faster the proof is from the wrong size, or the size is too small.
                old = size_of(mine)
                mine.cosign(note(size), TREE.consistency_proof(old, size) if old <= size else ())
            except Tampered:
                continue
            recorded.append(size_of(mine))

    threads = [threading.Thread(target=submit, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert size_of(witness) == max(recorded)
    assert recorded


def test_a_witness_keeps_its_key_and_is_not_made_twice(tmp_path: Path) -> None:
    """Creating where one exists gives the same key; the key file is for the owner only."""
    first = Witness.create(tmp_path / "witness", ORIGIN, LOG.verifier)
    again = Witness.create(tmp_path / "witness", ORIGIN, LOG.verifier)
    assert first.verifier == again.verifier == Witness(tmp_path / "witness", ORIGIN, LOG.verifier).verifier
    assert (tmp_path / "witness" / "key").stat().st_mode & 0o777 == 0o600


def test_a_missing_or_broken_key_is_the_environment_and_says_so(tmp_path: Path) -> None:
    """No folder, and a key file that is none, raise BadEnvironment; the message does not quote the key."""
    with pytest.raises(BadEnvironment, match="PRIVACY_ASSETS_WITNESS"):
        Witness(tmp_path / "nowhere", ORIGIN, LOG.verifier)
    Witness.create(tmp_path, ORIGIN, LOG.verifier)
    secret = (tmp_path / "key").read_text()
    (tmp_path / "key").write_text(secret[:-10])
    with pytest.raises(BadEnvironment, match="cannot be read") as raised:
        Witness(tmp_path, ORIGIN, LOG.verifier)
    assert secret[:-10] not in str(raised.value)


def test_a_forged_record_is_noticed(witness: Witness, tmp_path: Path) -> None:
    """A record that the witness did not sign itself raises Tampered at the next request."""
    (tmp_path / "witness" / "checkpoint").write_bytes(note(4))
    with pytest.raises(Tampered, match="missing"):
        witness.cosign(note(9), TREE.consistency_proof(4, 9))
