"""Strict JSON and RFC 8785: the vectors of the repository, limits, and texts that are deep, long or random."""

import random
import struct
import unittest
from typing import Any

from countersign_verify.jcs import canonical_bytes, canonicalize
from countersign_verify.json_number import is_exact, number_text
from countersign_verify.json_reader import JsonFault, JsonLimits, ParsedJson, read_json

from .vectors import load


def source_of(case: Any) -> Any:
    return bytes.fromhex(case["hex"]) if "hex" in case else case["text"]


class Vectors(unittest.TestCase):
    def test_valid(self) -> None:
        for case in load("canonical-json/valid.json")["cases"]:
            with self.subTest(case["name"]):
                read = read_json(source_of(case))
                self.assertIsInstance(read, ParsedJson)
                self.assertEqual(canonicalize(read.value), case["canonical"])
                self.assertEqual(read.exact_numbers, case["exactNumbers"])

    def test_invalid(self) -> None:
        for case in load("canonical-json/invalid.json")["cases"]:
            with self.subTest(case["name"]):
                fault = read_json(source_of(case))
                self.assertIsInstance(fault, JsonFault)
                self.assertEqual((fault.code, fault.path, list(fault.span)), (case["code"], case["path"], case["span"]))

    def test_numbers(self) -> None:
        numbers = load("canonical-json/numbers.json")
        for case in numbers["valid"]:
            with self.subTest(case["ieee"]):
                self.assertEqual(number_text(struct.unpack(">d", bytes.fromhex(case["ieee"]))[0]), case["canonical"])
        for case in numbers["invalid"]:
            with self.subTest(case["ieee"]), self.assertRaises(ValueError):
                number_text(struct.unpack(">d", bytes.fromhex(case["ieee"]))[0])


class Limits(unittest.TestCase):
    def code_of(self, text: Any, **limits: int) -> str:
        read = read_json(text, JsonLimits(**limits))
        return read.code if isinstance(read, JsonFault) else "ok"

    def test_depth(self) -> None:
        self.assertEqual(self.code_of("[" * 80 + "]" * 80, depth_max=80), "ok")
        self.assertEqual(self.code_of("[" * 81 + "]" * 81, depth_max=80), "json_too_deep")
        self.assertEqual(self.code_of('{"a":' * 80 + "1" + "}" * 80, depth_max=80), "ok")

    def test_nodes_are_values_and_keys(self) -> None:
        self.assertEqual(self.code_of('{"a":[1,2]}', nodes_max=5), "ok")
        self.assertEqual(self.code_of('{"a":[1,2]}', nodes_max=4), "json_too_many_nodes")

    def test_bytes(self) -> None:
        self.assertEqual(self.code_of('"é"'.encode(), bytes_max=4), "ok")
        self.assertEqual(self.code_of('"é"', bytes_max=4), "ok")
        self.assertEqual(self.code_of('"é"'.encode(), bytes_max=3), "json_too_large")
        self.assertEqual(self.code_of('"é"', bytes_max=3), "json_too_large")

    def test_pointers_of_exact_numbers(self) -> None:
        # For each number one character, and one and its length for the one step that leads to it.
        counted, count = 0, 0
        while counted + 1 + 1 + len(str(count)) <= 65_536:
            counted += 1 + 1 + len(str(count))
            count += 1
        self.assertEqual(self.code_of(f"[{','.join(['1e999'] * count)}]"), "ok")
        self.assertEqual(self.code_of(f"[{','.join(['1e999'] * (count + 1))}]"), "json_too_many_exact_numbers")

    def test_no_depth_breaks_the_stack(self) -> None:
        deep = "[" * 200_000 + "]" * 200_000
        read = read_json(deep, JsonLimits(1 << 20, 1 << 20, 1 << 20))
        self.assertIsInstance(read, ParsedJson)
        self.assertEqual(canonicalize(read.value), deep)
        value = read.value
        while value:
            value = value.pop()  # taken apart from the outside, so that nothing recurses when it is freed

    def test_long_numbers(self) -> None:
        digits = "9" * 300_000
        for literal in (digits, f"0.{digits}", f"1e{digits}", f"1e-{digits}", f"0e{digits}", f"-{digits}.{digits}e{digits}"):
            read = read_json(literal)
            self.assertIsInstance(read, ParsedJson)
            self.assertEqual(read.exact_numbers, [] if literal.startswith("0e") else [""])
        zeros = "0" * 400_000
        self.assertEqual(read_json(f"0.{zeros}1e400001").value, 1)
        self.assertEqual(read_json(f"1{zeros}e-400000").value, 1)


def random_text(source: random.Random) -> str:
    alphabet = ["a", "Z", '"', "\\", "/", "\x00", "\x1f", "\n", "\x7f", "é", "\u2028", "\ufb33", "\U0001f600", "\U0010ffff", "\ufffd", "~"]
    return "".join(source.choice(alphabet) for _ in range(source.randrange(6)))


def random_number(source: random.Random) -> Any:
    if source.random() < 0.3:
        return source.randrange(-(2**53), 2**53)
    while True:
        value = struct.unpack(">d", source.getrandbits(64).to_bytes(8, "big"))[0]
        if value == value and abs(value) != float("inf"):
            return value


def random_json(source: random.Random, depth: int = 0) -> Any:
    kind = source.randrange(4 if depth > 4 else 6)
    if kind == 0:
        return source.choice([None, True, False])
    if kind == 1:
        return random_number(source)
    if kind < 4:
        return random_text(source)
    if kind == 4:
        return [random_json(source, depth + 1) for _ in range(source.randrange(4))]
    return {random_text(source): random_json(source, depth + 1) for _ in range(source.randrange(4))}


class Random(unittest.TestCase):
    def test_canonical_text_reads_back_as_itself(self) -> None:
        source = random.Random(20260102)
        for _ in range(3000):
            data = canonical_bytes(random_json(source))
            read = read_json(data)
            self.assertIsInstance(read, ParsedJson, data)
            self.assertEqual(read.exact_numbers, [])
            self.assertEqual(canonical_bytes(read.value), data)

    def test_a_double_is_exactly_its_own_text(self) -> None:
        source = random.Random(8785)
        for _ in range(20_000):
            value = float(random_number(source))
            text = number_text(value)
            self.assertEqual(float(text), value)
            self.assertTrue(is_exact(text, value))

    def test_damaged_text_never_raises(self) -> None:
        source = random.Random(42)
        marks = b'{}[]",:\\u0-+.eE1tfn \xff\xed\xa0\xf0'
        for _ in range(5000):
            data = bytearray(canonical_bytes(random_json(source)))
            for _ in range(source.randrange(1, 4)):
                data[source.randrange(len(data))] = source.choice(marks)
            self.assertIsInstance(read_json(bytes(data)), (ParsedJson, JsonFault))

    def test_keys_sort_by_utf16(self) -> None:
        self.assertEqual(canonicalize({"\ufb33": 1, "\U0001f600": 2}), '{"\U0001f600":2,"\ufb33":1}')

    def test_what_is_no_json_is_refused(self) -> None:
        for value in (float("nan"), float("inf"), "\ud800", {1: 2}, 2**53 + 1, 10**400, b"", object()):
            with self.subTest(repr(value)[:20]), self.assertRaises(ValueError):
                canonicalize(value)


if __name__ == "__main__":
    unittest.main()
