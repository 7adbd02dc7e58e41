"""The Merkle tree against the test vectors of Certificate Transparency, and against a tree written the slow way."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quitbutton.core.audit.merkle import (
    consistency_proof,
    grown,
    inclusion_proof,
    leaf_hash,
    subtree_root,
    verify_consistency,
    verify_inclusion,
)

LEAVES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""Of the trees over the first 1 to 8 leaves: the reference implementation's own vectors."""


class Log:
    """A log in memory."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.size = 0
        for leaf in leaves:
            self.nodes |= dict(grown(self.size, leaf_hash(leaf), self.nodes.__getitem__))
            self.size += 1

    def root(self, size: int) -> bytes:
        return subtree_root(0, size, self.nodes.__getitem__)


def slow_root(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + slow_root(leaves[:k]) + slow_root(leaves[k:])).digest()


def test_the_reference_vectors() -> None:
    log = Log([bytes.fromhex(leaf) for leaf in LEAVES])
    assert [log.root(size).hex() for size in range(1, 9)] == list(ROOTS)
    assert log.root(0).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_the_reference_proofs() -> None:
    log = Log([bytes.fromhex(leaf) for leaf in LEAVES])
    path = [one.hex() for one in inclusion_proof(0, 8, log.nodes.__getitem__)]
    assert path == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    assert [one.hex() for one in consistency_proof(6, 8, log.nodes.__getitem__)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


def test_every_proof_of_small_trees_holds_and_none_for_another_place() -> None:
    leaves = [bytes([number]) for number in range(40)]
    log = Log(leaves)
    for size in range(1, 41):
        root = log.root(size)
        assert root == slow_root(leaves[:size])
        for index in range(size):
            proof = inclusion_proof(index, size, log.nodes.__getitem__)
            leaf = leaf_hash(leaves[index])
            assert verify_inclusion(index, size, leaf, proof, root)
            assert not verify_inclusion((index + 1) % size, size, leaf, proof, root) or size == 1
            assert not verify_inclusion(index, size, leaf_hash(b"other"), proof, root)
            assert not verify_inclusion(index, size, leaf, [*proof, root], root)
        for old in range(1, size + 1):
            proof = consistency_proof(old, size, log.nodes.__getitem__)
            assert verify_consistency(old, size, log.root(old), root, proof)
            if old < size:
                assert not verify_consistency(old, size, leaf_hash(b"x"), root, proof)
                assert not verify_consistency(old, size, log.root(old), leaf_hash(b"x"), proof)
                assert not verify_consistency(old, size, log.root(old), root, proof[:-1])


@given(st.lists(st.binary(max_size=4), min_size=2, max_size=24), st.data())
def test_a_tampered_proof_never_holds(leaves: list[bytes], data: st.DataObject) -> None:
    log = Log(leaves)
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof = inclusion_proof(index, len(leaves), log.nodes.__getitem__)
    place = data.draw(st.integers(0, len(proof) - 1))
    bad = [*proof]
    bad[place] = bytes([bad[place][0] ^ 1, *bad[place][1:]])
    assert not verify_inclusion(index, len(leaves), leaf_hash(leaves[index]), bad, log.root(len(leaves)))


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_there_is_no_proof_of_what_is_not_there(index: int, size: int) -> None:
    log = Log([b"a", b"b", b"c"])
    with pytest.raises(ValueError, match="there is no leaf"):
        inclusion_proof(index, size, log.nodes.__getitem__)
    with pytest.raises(ValueError, match="no beginning"):
        consistency_proof(0, 3, log.nodes.__getitem__)
