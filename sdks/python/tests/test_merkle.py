"""Proofs against the recursive definitions of RFC 6962, for every small tree, and everything that is not a proof."""

import unittest
from typing import List

from countersign_verify.merkle import leaf_hash, verify_consistency, verify_inclusion

from .evidence import consistency_path, inclusion_path, sha256, tree_root

SIZES = 18
LEAVES: List[bytes] = [leaf_hash(b"entry %d" % n) for n in range(SIZES)]
ROOTS = [tree_root(LEAVES[:n]) for n in range(SIZES + 1)]


def damaged(proof: List[bytes]) -> List[List[bytes]]:
    """Proofs that are almost this one."""
    wrong = [[*proof, sha256(b"more")], [sha256(b"more"), *proof]]
    for n, item in enumerate(proof):
        wrong += [[*proof[:n], *proof[n + 1 :]], [*proof[:n], sha256(item), *proof[n + 1 :]], [*proof[:n], item[:31], *proof[n + 1 :]]]
        if n > 0:
            wrong.append([*proof[: n - 1], item, proof[n - 1], *proof[n + 1 :]])
    return wrong


class Inclusion(unittest.TestCase):
    def test_every_place_of_every_tree(self) -> None:
        for size in range(1, SIZES + 1):
            for index in range(size):
                proof = inclusion_path(index, LEAVES[:size])
                self.assertTrue(verify_inclusion(index, size, LEAVES[index], proof, ROOTS[size]))
                for wrong in damaged(proof):
                    self.assertFalse(verify_inclusion(index, size, LEAVES[index], wrong, ROOTS[size]), (index, size))
                for other in range(size + 1):
                    self.assertEqual(verify_inclusion(other, size, LEAVES[index], proof, ROOTS[size]), other == index)

    def test_beyond_the_tree(self) -> None:
        for index, size in ((0, 0), (-1, 1), (1, 1), (0, 2**53), (2**53, 2**53 + 1)):
            self.assertFalse(verify_inclusion(index, size, LEAVES[0], [], LEAVES[0]))

    def test_the_largest_tree(self) -> None:
        size = 2**53 - 1
        proof = [sha256(b"%d" % n) for n in range(53)]
        root = LEAVES[0]
        for sibling in proof:
            root = sha256(b"\x01" + root + sibling)
        self.assertTrue(verify_inclusion(0, size, LEAVES[0], proof, root))


class Consistency(unittest.TestCase):
    def test_every_pair_of_sizes(self) -> None:
        for new in range(SIZES + 1):
            for old in range(new + 1):
                proof = consistency_path(old, LEAVES[:new])
                self.assertTrue(verify_consistency(old, ROOTS[old], new, ROOTS[new], proof), (old, new))
                self.assertFalse(verify_consistency(old, sha256(b"x"), new, ROOTS[new], proof), (old, new))
                if old > 0 or new == 0:
                    self.assertFalse(verify_consistency(old, ROOTS[old], new, sha256(b"x"), proof), (old, new))
                for wrong in damaged(proof):
                    self.assertFalse(verify_consistency(old, ROOTS[old], new, ROOTS[new], wrong), (old, new))

    def test_a_smaller_tree(self) -> None:
        self.assertFalse(verify_consistency(3, ROOTS[3], 2, ROOTS[2], []))
        self.assertFalse(verify_consistency(-1, ROOTS[0], 2, ROOTS[2], []))


if __name__ == "__main__":
    unittest.main()
