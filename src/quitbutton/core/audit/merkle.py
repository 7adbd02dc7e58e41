"""The Merkle tree of RFC 6962 (section 2.1): roots, inclusion and consistency proofs, and their verification.

Only whole subtrees are kept: the node (level, index) covers the leaves from `index << level` on, `1 << level` of them. Every
root and proof is put together from those, so that nothing is hashed twice however long the log grows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

Place = tuple[int, int]
"""Level and index of a whole subtree."""
Fetch = Callable[[Place], bytes]
EMPTY = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def grown(size: int, leaf: bytes, fetch: Fetch) -> Iterator[tuple[Place, bytes]]:
    """The whole subtrees that appending one leaf hash to a tree of `size` leaves completes, smallest first."""
    level, index, current = 0, size, leaf
    yield (0, size), leaf
    while index & 1:
        current = node_hash(fetch((level, index - 1)), current)
        level, index = level + 1, index >> 1
        yield (level, index), current


def peaks(start: int, end: int) -> list[Place]:
    """The largest whole subtrees that cover the leaves from `start`, a multiple of every size used, up to `end`."""
    found: list[Place] = []
    while start < end:
        level = min((end - start).bit_length() - 1, (start & -start).bit_length() - 1 if start else 64)
        found.append((level, start >> level))
        start += 1 << level
    return found


def subtree_root(start: int, end: int, fetch: Fetch) -> bytes:
    """The root over the leaves from `start` to `end`, where `start` begins a subtree of the split (0, or a power of two)."""
    if start == end:
        return EMPTY
    places = peaks(start, end)
    root = fetch(places[-1])
    for place in reversed(places[:-1]):
        root = node_hash(fetch(place), root)
    return root


def split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(index: int, size: int, fetch: Fetch) -> list[bytes]:
    """The audit path of a leaf in a tree of `size` leaves (RFC 6962, 2.1.1). Raises `ValueError`."""
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")

    def path(start: int, end: int) -> list[bytes]:
        if end - start == 1:
            return []
        middle = start + split(end - start)
        if index < middle:
            return [*path(start, middle), subtree_root(middle, end, fetch)]
        return [*path(middle, end), subtree_root(start, middle, fetch)]

    return path(0, size)


def consistency_proof(old: int, size: int, fetch: Fetch) -> list[bytes]:
    """That the tree of `old` leaves is the beginning of the one of `size` (RFC 6962, 2.1.2). Raises `ValueError`."""
    if not 0 < old <= size:
        raise ValueError(f"a tree of {old} leaves is no beginning of one of {size}")

    def path(start: int, end: int, whole: bool) -> list[bytes]:
        if old == end:
            return [] if whole else [subtree_root(start, end, fetch)]
        middle = start + split(end - start)
        if old <= middle:
            return [*path(start, middle, whole), subtree_root(middle, end, fetch)]
        return [*path(middle, end, False), subtree_root(start, middle, fetch)]

    return path(0, size, True)


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """True when the leaf hash is at `index` in the tree of `size` leaves with this root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, current = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            current = node_hash(sibling, current)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and current == root


def verify_consistency(old: int, size: int, old_root: bytes, root: bytes, proof: Sequence[bytes]) -> bool:
    """True when the tree of `old` leaves is the beginning of the one of `size` (RFC 9162, 2.1.4.2)."""
    if old == size:
        return not proof and old_root == root
    if not 0 < old < size or not proof:
        return False
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    at, last = old - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and first == old_root and second == root
