"""Work grows with the input and not with its square: calls are counted, nothing is timed."""

import sys
import unittest
from typing import Any, Callable, Dict

from countersign_verify import Trust, verify_bundle, verify_session
from countersign_verify.jcs import canonicalize
from countersign_verify.json_reader import JsonFault, JsonLimits, read_json
from countersign_verify.note import parse_checkpoint, parse_note

from .cases import LOG_KEY
from .evidence import Chain, Key, Log, bundle_bytes, full_session

TRUST = Trust((LOG_KEY.vkey,))
LIMITS = JsonLimits(1 << 25, 1 << 20, 1 << 22)
LINE = Key("somebody", 1).line("text\n")


def calls_of(work: Callable[[], Any]) -> int:
    """Calls of functions, in Python and in C, that the work makes."""
    count = 0

    def counted(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def read_and_write(text: str) -> None:
    read = read_json(text, LIMITS)
    if not isinstance(read, JsonFault):
        canonicalize(read.value)


def with_documents(policy: Any) -> bytes:
    return bundle_bytes(full_session()[0].members(0, documents={"policy": policy, "rules": []}))


#: Texts of a size; each is read, and written again where it is JSON.
TEXTS: Dict[str, Callable[[int], str]] = {
    "open arrays": lambda n: "[" * n,
    "nested arrays": lambda n: "[" * n + "]" * n,
    "nested objects": lambda n: '{"a":' * n + "1" + "}" * n,
    "wide array": lambda n: f"[{','.join('1' * n)}]",
    "wide object": lambda n: "{" + ",".join(f'"é{i}":{i}' for i in range(n)) + "}",
    "escapes": lambda n: '"' + "\\ud83d\\ude00" * n + '"',
    "halves of pairs": lambda n: '"' + "\\ud83d" * n + '"',
    "backslashes": lambda n: '"' + "\\\\" * n,
    "numbers that no double holds": lambda n: f"[{','.join(['1e999'] * n)}]",
    "white space": lambda n: "[" + " , ".join("1" * n) + " " * n,
    "a key again and again": lambda n: "{" + ",".join(['"a":1'] * n) + "}",
}


class Linear(unittest.TestCase):
    def compare(self, name: str, work: Callable[[int], Callable[[], Any]]) -> None:
        with self.subTest(name):
            small, large = calls_of(work(2000)), calls_of(work(8000))
            self.assertGreater(small, 0)
            self.assertLessEqual(large, 4 * small + 500, f"{small} calls, and {large} for four times as much")

    def test_json(self) -> None:
        for name, make in TEXTS.items():

            def work(size: int, make: Callable[[int], str] = make) -> Callable[[], Any]:
                text = make(size)
                return lambda: read_and_write(text)

            self.compare(name, work)

    def test_bundles(self) -> None:
        shapes: Dict[str, Callable[[int], Any]] = {
            "a wide document": lambda n: list(range(n)),
            "a document of many keys": lambda n: {f"k{i}": i for i in range(n)},
        }
        for name, make in shapes.items():

            def work(size: int, make: Callable[[int], Any] = make) -> Callable[[], Any]:
                file = with_documents(make(size))
                return lambda: verify_bundle(file, TRUST)

            self.compare(name, work)

    def test_notes(self) -> None:
        self.compare("empty lines", lambda n: lambda: parse_note("\n\n" * n + LINE))
        self.compare("signature lines", lambda n: lambda: parse_note("text\n\n" + LINE * n))
        self.compare("extension lines", lambda n: lambda: parse_checkpoint("o\n1\n" + "x\n" * n))

    def test_sessions(self) -> None:
        files: Dict[int, Any] = {}
        for size in (8, 32):
            chain = Chain()
            for n in range(size):
                chain.receipt(n)
            # Each under the smallest tree that has it: the proofs are of one length, nearly.
            log = Log().extend(chain.bodies)
            files[size] = [log.bundle(n, size) for n in range(size)]
        small = calls_of(lambda: verify_session(files[8], TRUST))
        large = calls_of(lambda: verify_session(files[32], TRUST))
        # Four times the bundles, each with two more hashes in its proof.
        self.assertLessEqual(large, 4.4 * small)


if __name__ == "__main__":
    unittest.main()
