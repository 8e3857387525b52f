"""The tree against its definition, against the public vectors, and against everything that is not a proof."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy_assets.ledger.merkle import EMPTY_ROOT, Tree, leaf_hash, verify_consistency, verify_inclusion

ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(os.environ.get("PRIVACY_ASSETS_TEST_DATA", ROOT / "../shared/data")) / "merkle_vectors" / "testdata"
needs_vectors = pytest.mark.skipif(
    not VECTORS.is_dir(), reason="the public Merkle vectors are not here: set PRIVACY_ASSETS_TEST_DATA to their folder"
)

SIZE = 64
LEAVES = [leaf_hash(bytes([number])) for number in range(SIZE)]
TREE = Tree(LEAVES)


def defined_root(leaf_hashes: list[bytes]) -> bytes:
    """MTH as RFC 6962 writes it down, without a thought for speed."""
    if len(leaf_hashes) < 2:
        return leaf_hashes[0] if leaf_hashes else sha256(b"").digest()
    split = 1
    while split * 2 < len(leaf_hashes):
        split *= 2
    return sha256(b"\x01" + defined_root(leaf_hashes[:split]) + defined_root(leaf_hashes[split:])).digest()


def flips(proof: tuple[bytes, ...]) -> list[tuple[bytes, ...]]:
    """The proof with one bit flipped, for every bit."""
    flipped = []
    for place, element in enumerate(proof):
        for bit in range(len(element) * 8):
            changed = bytearray(element)
            changed[bit // 8] ^= 1 << bit % 8
            flipped.append((*proof[:place], bytes(changed), *proof[place + 1 :]))
    return flipped


@needs_vectors
def test_all_public_vectors_are_answered_as_they_ask(figures: Callable[..., None]) -> None:
    """T-LOG-1: 196 of 196 vectors of transparency-dev/merkle get the answer that they ask for."""
    decode = base64.b64decode
    answered = 0
    for path in sorted(VECTORS.glob("*/**/*.json")):
        case = json.loads(path.read_text())
        proof = [decode(element) for element in case["proof"] or ()]
        if path.relative_to(VECTORS).parts[0] == "inclusion":
            accepted = verify_inclusion(
                case["leafIdx"], case["treeSize"], decode(case["leafHash"] or ""), proof, decode(case["root"] or "")
            )
        else:
            roots = decode(case["root1"] or ""), decode(case["root2"] or "")
            accepted = verify_consistency(case["size1"], case["size2"], proof, *roots)
        assert accepted is not case["wantErr"], f"{path.relative_to(VECTORS)}: {case['desc']}"
        answered += 1
    figures("T-LOG-1 public vectors", tried=answered, answered_as_they_ask=answered)
    assert answered == 196


def test_every_root_is_the_defined_one() -> None:
    """The growing tree gives, for every size up to 64, the root that the recursive definition gives."""
    assert Tree().root() == EMPTY_ROOT == defined_root([])
    for size in range(SIZE + 1):
        assert TREE.root(size) == Tree(LEAVES[:size]).root() == defined_root(LEAVES[:size])


def test_every_leaf_of_every_size_is_proven(figures: Callable[..., None]) -> None:
    """T-LOG-2: all 2,080 inclusion proofs up to size 64 verify, and none at another index, size, leaf or root."""
    proven = wrong = accepted = 0
    for size in range(1, SIZE + 1):
        for index in range(size):
            proof, root = TREE.inclusion_proof(index, size), TREE.root(size)
            proven += verify_inclusion(index, size, LEAVES[index], proof, root)
            tries = [
                *((other, size, LEAVES[index], proof, root) for other in range(-1, size + 1) if other != index),
                (index, size, LEAVES[(index + 1) % SIZE], proof, root),
                (index, size, LEAVES[index], proof, TREE.root(size - 1)),
                (index, size, LEAVES[index], (*proof, root), root),
            ]
            if proof:
                tries += [(index, size, LEAVES[index], short, root) for short in (proof[:-1], ())]
            wrong += len(tries)
            accepted += sum(verify_inclusion(*one) for one in tries)
    figures("T-LOG-2 inclusion", proofs=2080, verified=proven, wrong_ones_tried=wrong, wrong_ones_accepted=accepted)
    assert (proven, accepted) == (2080, 0)


def test_every_pair_of_sizes_is_consistent(figures: Callable[..., None]) -> None:
    """T-LOG-2: all 2,080 consistency proofs up to size 64 verify, and none with another old size, root or length."""
    proven = wrong = accepted = 0
    for size in range(1, SIZE + 1):
        for old in range(1, size + 1):
            proof, roots = TREE.consistency_proof(old, size), (TREE.root(old), TREE.root(size))
            proven += verify_consistency(old, size, proof, *roots)
            tries = [
                *((other, size, proof, *roots) for other in range(size + 2) if other != old),
                (old, size, (*proof, roots[1]), *roots),
                (old, size, proof, TREE.root(old - 1), roots[1]),
            ]
            if proof:
                tries += [
                    (old, size, proof, roots[1], roots[0]),
                    (old, size, proof[:-1], *roots),
                    (old, size, (), *roots),
                ]
            wrong += len(tries)
            accepted += sum(verify_consistency(*one) for one in tries)
    figures("T-LOG-2 consistency", proofs=2080, verified=proven, wrong_ones_tried=wrong, wrong_ones_accepted=accepted)
    assert (proven, accepted) == (2080, 0)


def test_no_flipped_bit_of_a_proof_is_accepted(figures: Callable[..., None]) -> None:
    """T-LOG-2: of at least 48,000 proofs with one bit flipped not one is accepted."""
    tried = accepted = 0
    for size in (2, 3, 5, 8, 13, 31, 33):
        for index in range(size):
            for proof in flips(TREE.inclusion_proof(index, size)):
                tried += 1
                accepted += verify_inclusion(index, size, LEAVES[index], proof, TREE.root(size))
            for proof in flips(TREE.consistency_proof(index + 1, size)):
                tried += 1
                accepted += verify_consistency(index + 1, size, proof, TREE.root(index + 1), TREE.root(size))
    figures("T-LOG-2 proofs with a flipped bit", tried=tried, accepted=accepted)
    assert tried >= 48_000
    assert accepted == 0


def test_a_proof_of_other_hash_lengths_is_refused() -> None:
    """Moving a byte from one hash of a proof to its neighbour gives no second proof."""
    leaf, sibling = LEAVES[0], LEAVES[1]
    joined = leaf + sibling
    assert not verify_inclusion(0, 2, joined[:31], (joined[31:],), TREE.root(2))


def test_nothing_is_proven_about_the_empty_tree() -> None:
    """From size 0 there is no proof to give, and none is accepted."""
    assert TREE.consistency_proof(0, 5) == ()
    assert not verify_consistency(0, 5, (), EMPTY_ROOT, TREE.root(5))
    assert not verify_consistency(0, 0, (), EMPTY_ROOT, EMPTY_ROOT)
    assert not verify_inclusion(0, 0, LEAVES[0], (), EMPTY_ROOT)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: TREE.root(SIZE + 1),
        lambda: TREE.root(-1),
        lambda: TREE.inclusion_proof(5, 5),
        lambda: TREE.inclusion_proof(-1, 5),
        lambda: TREE.consistency_proof(6, 5),
        lambda: TREE.consistency_proof(-1, 5),
    ],
)
def test_what_the_tree_does_not_hold_is_not_asked_of_it(ask: Callable[[], object]) -> None:
    """An index or a size outside the tree raises ValueError."""
    with pytest.raises(ValueError, match="a tree of"):
        ask()


@settings(deadline=None, max_examples=100)
@given(st.lists(st.binary(max_size=8), max_size=70), st.data())
def test_a_truncated_tree_is_the_tree_of_fewer_leaves(contents: list[bytes], data: st.DataObject) -> None:
    """Forgetting the last leaves and adding others gives the tree that never held the forgotten ones."""
    leaves = [leaf_hash(content) for content in contents]
    kept = data.draw(st.integers(0, len(leaves)))
    tree = Tree(leaves)
    tree.truncate(kept)
    tree.append(LEAVES[0])
    assert tree.size == kept + 1
    assert tree.root() == defined_root([*leaves[:kept], LEAVES[0]])
    assert tree.leaf(kept) == LEAVES[0]
