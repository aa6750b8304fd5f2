"""Every limit of files and entries, at n and n + 1."""

import unittest
from typing import Any, Callable, Dict, List, Tuple

from countersign_verify import Trust, verify_bundle, verify_consistency, verify_session
from countersign_verify.bundle import BUNDLE_FORM
from countersign_verify.entry_form import ENTRY_FORM
from countersign_verify.jcs import canonical_bytes

from .cases import LOG_KEY
from .evidence import Chain, bundle_bytes, full_session, uuid

TRUST = Trust((LOG_KEY.vkey,))
HASH = "A" * 43 + "="
SPAN = {"path": "/x", "start": 0, "end": 1}
REASON = {"code": "R1", "text": "t", "severity": "low", "score": 1, "evidence": []}
SIGNATURE = {"keyId": "0" * 16, "sig": "A" * 86}


def receipt(**changes: Any) -> Dict[str, Any]:
    return Chain().receipt(1, **changes)


def of_body(make: Callable[[Any], Dict[str, Any]]) -> Callable[[Any], Any]:
    return lambda value: {"body": make(value), "signatures": []}


def verdict(**changes: Any) -> Dict[str, Any]:
    return receipt(verdict={**receipt()["verdict"], **changes})


SCORES = {"d": [0, 1, 2, 0, 1, 300], "composite": 950, "level": "medium"}


def scores(**changes: Any) -> Dict[str, Any]:
    return verdict(scores={**SCORES, **changes})


def action(**changes: Any) -> Dict[str, Any]:
    return receipt(action={**receipt()["action"], **changes})


def principal(**changes: Any) -> Dict[str, Any]:
    return receipt(principal={**receipt()["principal"], **changes})


def outcome(**changes: Any) -> Dict[str, Any]:
    return Chain().outcome(1, uuid(1), **changes)


def keys(count: int) -> Dict[str, Any]:
    return Chain("countersign.log", "countersign").log_key(1, [LOG_KEY.vkey] * count, None, None)


#: What is limited, how an entry with so much of it is made, and the limit; texts are of characters that are two UTF-16 units or one.
ENTRIES: List[Tuple[str, Callable[[int], Any], int]] = [
    ("session", of_body(lambda n: {**receipt(), "session": "s" * n}), 128),
    ("log", of_body(lambda n: {**receipt(), "log": "l" * n}), 256),
    ("seq", of_body(lambda n: {**receipt(), "seq": n}), 2**53 - 1),
    ("org", of_body(lambda n: principal(org="o" * n)), 128),
    ("agent in pairs", of_body(lambda n: principal(agent="\U0001f600" * (n // 2) + "a" * (n % 2))), 128),
    ("delegation", of_body(lambda n: principal(delegation=["d"] * n)), 16),
    ("trace", of_body(lambda n: principal(trace={"traceId": "t" * n})), 128),
    ("kind", of_body(lambda n: action(kind="k" * n)), 64),
    ("tool", of_body(lambda n: action(tool="t" * n)), 128),
    ("descriptor", of_body(lambda n: action(descriptor="d" * n)), 128),
    ("fields", of_body(lambda n: action(fields=["/f"] * n)), 16),
    ("field", of_body(lambda n: action(fields=["f" * n])), 96),
    ("risk", of_body(lambda n: verdict(risk=n)), 1000),
    ("reasons", of_body(lambda n: verdict(reasons=[REASON] * n)), 32),
    ("score", of_body(lambda n: verdict(reasons=[{**REASON, "score": n}])), 1000),
    ("evidence", of_body(lambda n: verdict(reasons=[{**REASON, "evidence": [SPAN] * n}])), 8),
    ("layers", of_body(lambda n: verdict(reasons=[{**REASON, "layers": ["l"] * n}])), 64),
    ("text of a reason", of_body(lambda n: verdict(reasons=[{**REASON, "text": "t" * n}])), 16_384),
    ("danger of a tool", of_body(lambda n: scores(d=[n, 0, 0, 0, 0, 0])), 3),
    ("danger of a command", of_body(lambda n: scores(d=[0, 0, n, 0, 0, 0])), 3),
    ("danger of a session", of_body(lambda n: scores(d=[0, 0, 0, n, 0, 0])), 2),
    ("distrust", of_body(lambda n: scores(d=[0, 0, 0, 0, n, 0])), 2),
    ("injection", of_body(lambda n: scores(d=[0, 0, 0, 0, 0, n])), 3000),
    ("composite", of_body(lambda n: scores(composite=n)), 9999),
    ("missing dimensions", of_body(lambda n: scores(missing=[1] * n)), 6),
    ("number of a dimension", of_body(lambda n: scores(missing=[n])), 6),
    ("obligations", of_body(lambda n: verdict(obligations=["o"] * n)), 256),
    ("findings", of_body(lambda n: outcome(findings=[{"rule": "R", "evidence": []}] * n)), 32),
    ("reason of an end", of_body(lambda n: {**Chain().end(1), "reason": "r" * n}), 160),
    ("reason of an erasure", of_body(lambda n: Chain("countersign.vault").erasure(1, "x", reason="r" * n)), 160),
    ("by", of_body(lambda n: Chain("countersign.vault").erasure(1, "x", by="b" * n)), 128),
    ("log keys", of_body(keys), 4),
    ("signatures", lambda n: {"body": receipt(), "signatures": [SIGNATURE] * n}, 4),
]

#: The same of a bundle.
BUNDLES: List[Tuple[str, Callable[[int], Dict[str, Any]], int]] = [
    ("proof", lambda n: {"proof": [HASH] * n}, 53),
    ("checkpoint", lambda n: {"checkpoint": "c" * n}, 65_536),
    ("index", lambda n: {"index": n}, 2**53 - 1),
]

#: Entries whose form is wrong in one place.
WRONG: List[Tuple[str, Any]] = [
    ("hash in capitals", {**receipt(), "prev": "A" * 64}),
    ("id in capitals", {**receipt(), "id": uuid(1).upper().replace("0", "A")}),
    ("id with a newline", {**receipt(), "id": uuid(1) + "\n"}),
    ("time without milliseconds", {**receipt(), "time": "2026-01-02T03:04:05Z"}),
    ("time in other digits", {**receipt(), "time": "2026-01-02T03:04:05.67\u0668Z"}),
    ("boolean for a number", {**receipt(), "seq": True}),
    ("fraction for a number", {**receipt(), "seq": 0.5}),
    ("negative number", {**receipt(), "seq": -1}),
    ("number in a text", {**receipt(), "seq": "1"}),
    ("unknown decision", verdict(decision="maybe")),
    ("five dimensions", scores(d=[0, 0, 0, 0, 0])),
    ("seven dimensions", scores(d=[0, 0, 0, 0, 0, 0, 0])),
    ("fraction for a dimension", scores(d=[0, 0, 0, 0, 0, 0.5])),
    ("unknown level", scores(level="grave")),
    ("unknown circuit", scores(circuit="SC-4")),
    ("nothing missing, said", scores(missing=[])),
    ("dimension zero missing", scores(missing=[0])),
    ("unknown member of the scores", scores(risk=1)),
    ("scores without dimensions", verdict(scores={"composite": 0, "level": "low"})),
    ("no scores, said", verdict(scores=None)),
    ("unknown type", {**receipt(), "type": "countersign.receipt.v2"}),
    ("no type", {name: value for name, value in receipt().items() if name != "type"}),
    ("list for a type", {**receipt(), "type": []}),
    ("null for an optional member", action(tool=None)),
    ("no key at all", keys(0)),
    ("unknown member deep inside", principal(trace={"traceId": "t", "flags": 1})),
    ("list for a body", []),
]


def nodes_of(value: Any) -> int:
    """Values and keys."""
    if isinstance(value, dict):
        return 1 + sum(1 + nodes_of(member) for member in value.values())
    return 1 + sum(nodes_of(item) for item in value) if isinstance(value, list) else 1


class Entries(unittest.TestCase):
    def test_at_n_and_one_more(self) -> None:
        for name, make, most in ENTRIES:
            with self.subTest(name):
                self.assertIsNone(ENTRY_FORM(make(most), ""))
                self.assertIsNotNone(ENTRY_FORM(make(most + 1), ""))

    def test_wrong_in_one_place(self) -> None:
        for name, body in WRONG:
            with self.subTest(name):
                self.assertIsNotNone(ENTRY_FORM({"body": body, "signatures": []}, ""))

    def test_bytes_of_an_entry(self) -> None:
        log, _ = full_session()
        for length, code in ((16_384, "entry_ok"), (16_385, "entry_malformed")):
            members = log.members(0)
            body = verdict(reasons=[{**REASON, "text": ""}])
            room = length - len(canonical_bytes({"body": body, "signatures": []}))
            members["entry"] = {"body": verdict(reasons=[{**REASON, "text": "t" * room}]), "signatures": []}
            self.assertEqual(verify_bundle(bundle_bytes(members), TRUST).checks[1].code, code)


class Files(unittest.TestCase):
    def test_at_n_and_one_more(self) -> None:
        log, _ = full_session()
        for name, make, most in BUNDLES:
            with self.subTest(name):
                self.assertIsNone(BUNDLE_FORM({**log.members(0), **make(most)}, ""))
                self.assertIsNotNone(BUNDLE_FORM({**log.members(0), **make(most + 1)}, ""))

    def test_bytes_of_a_bundle(self) -> None:
        log, _ = full_session()
        empty = len(bundle_bytes(log.members(0, documents={"policy": "", "rules": ""})))
        for length, code in ((33_554_432, "bundle_ok"), (33_554_433, "bundle_too_large")):
            file = bundle_bytes(log.members(0, documents={"policy": "p" * (length - empty), "rules": ""}))
            self.assertEqual(len(file), length)
            self.assertEqual(verify_bundle(file, TRUST).checks[0].code, code)

    def test_bytes_of_a_consistency_file(self) -> None:
        for length, code in ((262_144, "consistency_not_json"), (262_145, "consistency_too_large")):
            self.assertEqual(verify_consistency(b"x" * length, TRUST).checks[0].code, code)

    def test_values_and_keys_of_a_bundle(self) -> None:
        empty = full_session()[0].members(0, documents={"policy": [], "rules": []})
        room = 2_000_000 - nodes_of(empty)
        for count, code in ((room, "bundle_ok"), (room + 1, "bundle_not_json")):
            zeros = b",".join([b"0"] * count)
            file = bundle_bytes(empty).replace(b'"policy":[]', b'"policy":[' + zeros + b"]")
            self.assertEqual(verify_bundle(file, TRUST).checks[0].code, code)

    def test_bundles_of_a_session(self) -> None:
        for count, code in ((100_000, "chain_unproven"), (100_001, "chain_too_long")):
            report = verify_session((b"" for _ in range(count)), TRUST)
            self.assertEqual((report.chain.code, report.ok), (code, False))
            self.assertEqual(len(report.bundles), 0 if code == "chain_too_long" else count)


if __name__ == "__main__":
    unittest.main()
