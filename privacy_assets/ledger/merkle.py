"""The Merkle tree of RFC 6962, section 2.1: one root stands for an ordered list, and short proofs connect roots.

Belongs here: hashing, proofs and their verification; pure functions and one growing tree. Does not belong here: files,
signatures, what a leaf says.

    MTH({})      = SHA-256()
    MTH({d})     = SHA-256(0x00 || d)                                       leaf_hash
    MTH(D[0:n])  = SHA-256(0x01 || MTH(D[0:k]) || MTH(D[k:n]))              k = the largest power of two below n

An *inclusion* proof shows that a leaf stands at an index of the tree with this root. A *consistency* proof shows that
the tree of one root continues the tree of an earlier one: nothing before was changed, moved or removed. Both rest on
SHA-256 being collision resistant, and on size and root coming from one signed checkpoint: a root alone does not bind
the size. Verification follows RFC 9162, sections 2.1.3.2 and 2.1.4.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """The 32 bytes that stand for one leaf."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The 32 bytes that stand for two neighbouring subtrees."""
    return sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree that grows: an append hashes O(1) nodes on average and O(log n) at worst, a root or a proof O(log n).

    Level k holds the hash of every complete subtree of 2^k leaves, so every earlier root can be computed as well.
    """

    def __init__(self, leaf_hashes: Iterable[bytes] = ()) -> None:
        self._levels: list[list[bytes]] = [[]]
        for leaf in leaf_hashes:
            self.append(leaf)

    @property
    def size(self) -> int:
        """The number of leaves."""
        return len(self._levels[0])

    def leaf(self, index: int) -> bytes:
        """The hash of one leaf."""
        return self._levels[0][index]

    def leaves(self) -> Sequence[bytes]:
        """The hashes of all leaves."""
        return tuple(self._levels[0])

    def append(self, leaf: bytes) -> None:
        """Add one leaf by its hash (32 bytes)."""
        node = leaf
        for level in self._levels:
            level.append(node)
            if len(level) % 2:
                return
            node = node_hash(level[-2], level[-1])
        self._levels.append([node])

    def truncate(self, size: int) -> None:
        """Forget every leaf from `size` on."""
        for height, level in enumerate(self._levels):
            del level[size >> height :]

    def root(self, size: int | None = None) -> bytes:
        """The root (32 bytes) of the first `size` leaves, by default of all."""
        size = self._checked(size)
        return self._subtree(0, size) if size else EMPTY_ROOT

    def inclusion_proof(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """PATH(index, D[0:size]) of RFC 6962, section 2.1.1: nearest sibling first."""
        size = self._checked(size)
        if not 0 <= index < size:
            raise ValueError(f"a tree of {size} leaves has no leaf {index}")
        proof: list[bytes] = []
        start, stop = 0, size
        while stop - start > 1:
            middle = start + _largest_power_below(stop - start)
            if index < middle:
                proof.append(self._subtree(middle, stop))
                stop = middle
            else:
                proof.append(self._subtree(start, middle))
                start = middle
        return tuple(reversed(proof))

    def consistency_proof(self, old_size: int, size: int | None = None) -> tuple[bytes, ...]:
        """PROOF(old_size, D[0:size]) of RFC 6962, section 2.1.2; empty where there is nothing to prove.

        That is so from size 0 (any tree continues the empty one: who asks must know that by himself) and between equal
        sizes.
        """
        size = self._checked(size)
        if not 0 <= old_size <= size:
            raise ValueError(f"a tree of {size} leaves was never one of {old_size}")
        if old_size in (0, size):
            return ()
        proof: list[bytes] = []
        start, stop = 0, size
        while stop != old_size:
            middle = start + _largest_power_below(stop - start)
            if old_size <= middle:
                proof.append(self._subtree(middle, stop))
                stop = middle
            else:
                proof.append(self._subtree(start, middle))
                start = middle
        if start:
            proof.append(self._subtree(start, stop))
        return tuple(reversed(proof))

    def _checked(self, size: int | None) -> int:
        if size is None:
            return self.size
        if not 0 <= size <= self.size:
            raise ValueError(f"a tree of {self.size} leaves has no root of size {size}")
        return size

    def _subtree(self, start: int, stop: int) -> bytes:
        """MTH(D[start:stop]), where `start` is a multiple of a power of two that is not below stop - start."""
        length = stop - start
        if length & (length - 1) == 0:
            height = length.bit_length() - 1
            return self._levels[height][start >> height]
        middle = start + _largest_power_below(length)
        return node_hash(self._subtree(start, middle), self._subtree(middle, stop))


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows that the leaf with this hash stands at `index` of the tree of `size` leaves and `root`."""
    if not 0 <= index < size or not _are_hashes(leaf, *proof):
        return False
    node, last, computed = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            computed = node_hash(sibling, computed)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and computed == root


def verify_consistency(old_size: int, size: int, proof: Sequence[bytes], old_root: bytes, root: bytes) -> bool:
    """Whether `proof` shows that the tree of `size` and `root` continues the one of `old_size` and `old_root`.

    A proof from size 0 is never accepted: it says nothing, and who treats the empty tree must say so himself.
    """
    if not 0 < old_size <= size or not _are_hashes(*proof):
        return False
    if old_size == size:
        return not proof and old_root == root
    if not proof:
        return False
    path = (old_root, *proof) if old_size & (old_size - 1) == 0 else tuple(proof)
    node, last = old_size - 1, size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old_computed = computed = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old_computed, computed = node_hash(sibling, old_computed), node_hash(sibling, computed)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and old_computed == old_root and computed == root


def _are_hashes(*hashes: bytes) -> bool:
    # Lengths first: two hashes of other lengths could be cut elsewhere and still give the same input to SHA-256.
    return all(len(found) == HASH_BYTES for found in hashes)


def _largest_power_below(number: int) -> int:
    return 1 << ((number - 1).bit_length() - 1)
