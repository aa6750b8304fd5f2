"""Bundles, sessions and consistency files of vectors/bundle, valid and invalid of equal rank."""

import unittest
from typing import Any, Iterable, List, Set

from countersign_verify import verify_bundle, verify_consistency, verify_session
from countersign_verify.report import Check
from countersign_verify.trust import trust_from_json

from .vectors import load
from .write_vectors import made


def lines(checks: Iterable[Check]) -> List[str]:
    return [f"{check.name} {check.status} {check.code}" for check in checks]


class Bundles(unittest.TestCase):
    def check(self, name: str) -> None:
        vectors = load(f"bundle/{name}.json")
        self.assertGreater(len(vectors), 0)
        for vector in vectors:
            with self.subTest(vector["name"]):
                self.run_one(vector, name == "valid")

    def run_one(self, vector: Any, ok: bool) -> None:
        trust = trust_from_json(vector["trust"])
        files = [text.encode("utf-8") for text in vector["bundles"]]
        if len(files) == 1:
            report: Any = verify_bundle(files[0], trust)
            found = lines(report.checks)
        else:
            report = verify_session(files, trust, vector.get("now"))
            found = lines([report.chain, report.outcomes])
        self.assertEqual(report.ok, ok)
        self.assertEqual(vector["ok"], ok)
        self.assertLessEqual(set(vector["expect"]), set(found))

    def test_valid(self) -> None:
        self.check("valid")

    def test_invalid(self) -> None:
        self.check("invalid")


class Cases(unittest.TestCase):
    """Of these files each case says whether it holds."""

    def run_all(self, name: str) -> None:
        said: Set[bool] = set()
        for case in load(f"bundle/{name}.json")["cases"]:
            with self.subTest(case["name"]):
                report, checks = getattr(self, f"verify_{name.partition('-')[0]}")(case, trust_from_json(case["trust"]))
                self.assertEqual(report.ok, case["expect"]["ok"])
                self.assertLessEqual(set(case["expect"]["checks"]), set(lines(checks)))
                said.add(report.ok)
        self.assertEqual(said, {True, False})

    def verify_extended(self, case: Any, trust: Any) -> Any:
        report = verify_bundle(case["file"].encode("utf-8"), trust)
        return report, report.checks

    def verify_sessions(self, case: Any, trust: Any) -> Any:
        report = verify_session([text.encode("utf-8") for text in case["files"]], trust, case.get("now"))
        self.assertEqual(report.end, case["expect"]["end"])
        self.assertEqual(len(report.bundles), len(case["files"]))
        return report, [report.chain, report.outcomes]

    def verify_consistency(self, case: Any, trust: Any) -> Any:
        report = verify_consistency(case["file"].encode("utf-8"), trust, case.get("seen"))
        self.assertEqual([check.name for check in report.checks], ["consistency-form", "checkpoint", "consistency"])
        return report, report.checks

    def test_extended(self) -> None:
        self.run_all("extended")

    def test_sessions(self) -> None:
        self.run_all("sessions")

    def test_consistency(self) -> None:
        self.run_all("consistency")

    def test_consistency_of_the_first_verifier(self) -> None:
        self.run_all("consistency-seeded")

    def test_what_is_made_today_is_what_is_stored(self) -> None:
        for name, cases in made().items():
            stored = load(f"bundle/{name}.json")["cases"]
            for case in cases:
                with self.subTest(f"{name}: {case['name']}"):
                    self.assertIn(case, stored)


if __name__ == "__main__":
    unittest.main()
