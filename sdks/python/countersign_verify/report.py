"""What verification says: one check at a time, each with a stable code and one plain sentence."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Sequence

PASS = "pass"
FAIL = "fail"
NOT_CHECKED = "not-checked"

#: Without a pass of these nothing is proven; every other check may go unchecked.
_REQUIRED = frozenset({"bundle-form", "entry-form", "inclusion", "checkpoint", "consistency-form", "consistency"})


class Check(NamedTuple):
    name: str
    status: str
    code: str
    sentence: str

    def as_json(self) -> Dict[str, Any]:
        return self._asdict()


class Report(NamedTuple):
    """`subject` is what the file says of itself: believe it only where `ok` is true."""

    ok: bool
    checks: List[Check]
    subject: Optional[Dict[str, Any]] = None

    def as_json(self, file: str) -> Dict[str, Any]:
        value: Dict[str, Any] = {"file": file, "ok": self.ok, "checks": [check.as_json() for check in self.checks]}
        if self.subject is not None:
            value["subject"] = self.subject
        return value


class SessionReport(NamedTuple):
    """`end` is closed or open; `bundles` are in the order given."""

    ok: bool
    chain: Check
    outcomes: Check
    end: str
    bundles: List[Report]


def passed(name: str, code: str, sentence: str) -> Check:
    return Check(name, PASS, code, sentence)


def failed(name: str, code: str, sentence: str) -> Check:
    return Check(name, FAIL, code, sentence)


def not_checked(name: str, code: str, sentence: str) -> Check:
    return Check(name, NOT_CHECKED, code, sentence)


def not_reached(names: Sequence[str], because: str) -> List[Check]:
    return [not_checked(name, "not_reached", f"Not checked, because {because}.") for name in names]


def is_proven(checks: Sequence[Check]) -> bool:
    return all(check.status == PASS or (check.status == NOT_CHECKED and check.name not in _REQUIRED) for check in checks)
