"""What is not exactly what was signed does not pass: every byte of every kind of file, seeded damage of many bytes, and files at random."""

import json
import random
import unittest
from typing import Any, Callable, Dict, List, Tuple

from countersign_verify import Report, Trust, verify_bundle, verify_consistency, verify_session
from countersign_verify.encoding import to_base64url
from countersign_verify.jcs import canonical_bytes

from .cases import LOG_KEY, NEW_LOG_KEY, STRANGER, WITNESSES
from .evidence import POLICY, RULES, Chain, Key, Log, bundle_bytes, erasure_inputs, full_session, receipt_inputs
from .test_json import random_json

Verify = Callable[[bytes], Report]
RECEIPT_KEY = Key("receipts", 41)
TRUST = Trust((LOG_KEY.vkey,))


def signed_bundle() -> Tuple[bytes, Trust]:
    """A receipt with a signature of its own, in a log of two keys, of which one is given, with two witnesses and one that nobody gave."""
    chain = Chain()
    body = chain.receipt(1, signing="each")
    log = Log(keys=[LOG_KEY, NEW_LOG_KEY, STRANGER], witnesses=WITNESSES)
    log.append(body, [RECEIPT_KEY.sign_entry(body)])
    log.extend(full_session()[0].entries[n]["body"] for n in range(4))
    file = log.bundle(0, inputs=receipt_inputs(1), documents={"policy": POLICY, "rules": RULES})
    return file, Trust((LOG_KEY.vkey,), (to_base64url(RECEIPT_KEY.public),), (WITNESSES[0].vkey, WITNESSES[1].vkey))


def subjects() -> Dict[str, Tuple[bytes, Verify]]:
    signed, trust = signed_bundle()
    vault = Chain("countersign.vault")
    vault.erasure(1, "x")
    erasure = Log().extend(vault.bodies).bundle(0, inputs=erasure_inputs(1, "org-1", "x"))
    _, session = full_session()
    log = Log().extend(full_session()[0].entries[n]["body"] for n in range(4))

    def plain(data: bytes) -> Report:
        return verify_bundle(data, TRUST)

    return {
        "signed": (signed, lambda data: verify_bundle(data, trust)),
        "receipt": (session[0], plain),
        "outcome": (session[1], plain),
        "session end": (session[3], plain),
        "erasure": (erasure, plain),
        "consistency": (log.consistency(3, 4), lambda data: verify_consistency(data, TRUST)),
    }


def failures(report: Report) -> List[str]:
    return [check.name for check in report.checks if check.status == "fail"]


class EveryByte(unittest.TestCase):
    def test_one_bit_of_every_byte(self) -> None:
        for name, (file, verify) in subjects().items():
            self.assertTrue(verify(file).ok, name)
            for at in range(len(file)):
                damaged = bytearray(file)
                damaged[at] ^= 1 << (at % 8)
                report = verify(bytes(damaged))
                self.assertFalse(report.ok, f"{name}: byte {at}")
                self.assertTrue(failures(report), f"{name}: byte {at}")

    def test_every_end_that_is_cut_off(self) -> None:
        for name, (file, verify) in subjects().items():
            for end in range(0, len(file), 7):
                self.assertFalse(verify(file[:end]).ok, f"{name}: cut at {end}")
            for more in (b"\n", b" ", b"\x00", b"{}", file):
                self.assertFalse(verify(file + more).ok, name)


class Seeded(unittest.TestCase):
    def test_many_changes_at_once(self) -> None:
        source = random.Random(13)
        for name, (file, verify) in subjects().items():
            for turn in range(200):
                damaged = bytearray(file)
                for _ in range(source.randrange(1, 6)):
                    kind, at = source.randrange(3), source.randrange(len(damaged))
                    if kind == 0:
                        damaged[at] = source.randrange(256)
                    elif kind == 1:
                        del damaged[at : at + source.randrange(1, 20)]
                    else:
                        damaged[at:at] = bytes(source.randrange(32, 127) for _ in range(source.randrange(1, 8)))
                if bytes(damaged) != file:
                    self.assertFalse(verify(bytes(damaged)).ok, f"{name}: turn {turn}")

    def test_every_member_replaced_in_a_canonical_file(self) -> None:
        """Form and canonical text hold more often here, so that the checks behind them have to see it."""
        source = random.Random(17)
        reached = set()
        for name, (file, verify) in subjects().items():
            for turn in range(300):
                value = json.loads(file)
                replace_somewhere(value, source)
                changed = canonical_bytes(value) if name == "consistency" else resealed(value)
                if changed == file:
                    continue
                report = verify(changed)
                # Only what tells apart who else signed is free: it is covered by the digest, which was made again.
                self.assertFalse(report.ok and json.loads(file) != strangers_apart(value, file), f"{name}: turn {turn}")
                reached.update(failures(report))
        self.assertGreaterEqual(reached, {"bundle-form", "entry-form", "inclusion", "checkpoint", "commitments", "inputs", "consistency"})


def resealed(value: Any) -> bytes:
    """With the digest made again where there is one, as whoever changes a bundle would."""
    if isinstance(value, dict) and isinstance(value.get("checkpoint"), str):
        return bundle_bytes({name: member for name, member in value.items() if name != "digest"})
    return canonical_bytes(value)


def strangers_apart(value: Any, file: bytes) -> Any:
    """The value with the checkpoint and digest of the file, where only signature lines and the digest differ."""
    original = json.loads(file)
    if (
        isinstance(value, dict)
        and isinstance(value.get("checkpoint"), str)
        and value["checkpoint"].partition("\n\n")[0] == original.get("checkpoint", "").partition("\n\n")[0]
    ):
        rest = {name: member for name, member in value.items() if name not in ("checkpoint", "digest")}
        return {**rest, **{name: original[name] for name in ("checkpoint", "digest") if name in original}}
    return value


def replace_somewhere(value: Any, source: random.Random) -> None:
    while True:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not keys:
            return
        key = source.choice(keys)
        inner = value[key]
        if isinstance(inner, (dict, list)) and inner and source.random() < 0.8:
            value = inner
            continue
        value[key] = changed_leaf(inner, source)
        return


def changed_leaf(value: Any, source: random.Random) -> Any:
    kind = source.randrange(4)
    if kind == 0:
        return random_json(source)
    if isinstance(value, str) and value:
        at = source.randrange(len(value))
        return value[:at] + source.choice("0123456789abcdefABCDEF+/-_=\n ") + value[at + 1 :]
    if isinstance(value, int):
        return value + source.choice((-1, 1, 2**40))
    if isinstance(value, list) and value:
        return value[:-1]
    return None


class Total(unittest.TestCase):
    def test_files_at_random_are_reported_on(self) -> None:
        source = random.Random(19)
        files = [bytes(source.randrange(256) for _ in range(source.randrange(64))) for _ in range(500)]
        files += [canonical_bytes(random_json(source)) for _ in range(500)]
        members = full_session()[0].members(0)
        for name in members:
            for _ in range(100):
                files.append(canonical_bytes({**members, name: random_json(source)}))
        for _ in range(300):
            entry = {
                **members["entry"],
                "body": {**members["entry"]["body"], source.choice(list(members["entry"]["body"])): random_json(source)},
            }
            files.append(canonical_bytes({**members, "entry": entry}))
        for file in files:
            if file == canonical_bytes(members):
                continue
            for report in (verify_bundle(file, TRUST), verify_consistency(file, TRUST)):
                self.assertFalse(report.ok)
        self.assertEqual(verify_session(files, TRUST).chain.code, "chain_unproven")

    def test_trust_at_random_is_reported_on(self) -> None:
        file = full_session()[0].bundle(0)
        for text in ("", "+", "++", "a+b+c", LOG_KEY.vkey + "A", "\ud800+00000000+AQ==", WITNESSES[0].vkey):
            report = verify_bundle(file, Trust((text,), (text,), (text,)))
            self.assertFalse(report.ok)
            self.assertIn("checkpoint", failures(report))

    def test_deep_and_wide_files(self) -> None:
        for text in ("[" * 1_000_000, '{"a":' * 500_000, "[" * 81 + "]" * 81, '"' + "\\u00" * 100_000, "[" + "1," * 500_000):
            report = verify_bundle(text.encode(), TRUST)
            self.assertEqual(report.checks[0].code, "bundle_not_json")
        deep: Any = []
        for _ in range(77):
            deep = [deep]
        members = full_session()[0].members(0, documents={"policy": deep, "rules": []})
        self.assertEqual(verify_bundle(bundle_bytes(members), TRUST).checks[0].code, "bundle_ok")
        members["documents"]["policy"] = [deep]
        self.assertEqual(verify_bundle(bundle_bytes(members), TRUST).checks[0].code, "bundle_not_json")


if __name__ == "__main__":
    unittest.main()
