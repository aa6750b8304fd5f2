"""Hashes of resolved policies and signed bundles, recomputed from spec/policy.md."""

import unittest

from countersign_verify.policy import PolicyBundle, policy_hash, verify_policy_bundle

from .vectors import load


class Policies(unittest.TestCase):
    """POL-014."""

    def test_hashes(self) -> None:
        cases = load("policy/hashes.json")["cases"]
        self.assertGreater(len(cases), 3)
        for case in cases:
            with self.subTest(case["name"]):
                self.assertEqual(policy_hash(case["resolved"]), case["hash"])

    def test_one_value_changes_the_hash(self) -> None:
        case = load("policy/hashes.json")["cases"][0]
        self.assertNotEqual(policy_hash({**case["resolved"], "name": "another"}), case["hash"])


class Bundles(unittest.TestCase):
    """POL-120, POL-121."""

    def test_cases(self) -> None:
        cases = load("policy/bundles.json")["cases"]
        codes = set()
        for case in cases:
            with self.subTest(case["name"]):
                found = verify_policy_bundle(case["file"].encode("utf-8"), case["pinned"])
                code = "ok" if isinstance(found, PolicyBundle) else found
                self.assertEqual(code, case["code"])
                codes.add(code)
                if isinstance(found, PolicyBundle):
                    self.assertEqual(found.hash, case["hash"])
        self.assertGreaterEqual(len(codes), 5)
