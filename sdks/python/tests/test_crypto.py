"""Base64, hashes, Ed25519, notes and verifier keys: the vectors of the repository, and limits."""

import unittest

from countersign_verify.ed25519 import holds, key_id_of
from countersign_verify.encoding import from_base64, from_base64url, sha256_hex, to_base64, to_base64url
from countersign_verify.note import (
    LOG_KEY_TYPE,
    Note,
    NoteFault,
    NoteKey,
    Opened,
    open_note,
    parse_checkpoint,
    parse_key,
    parse_note,
    signature_line_count,
)

from .evidence import Key
from .vectors import load

ROOT = to_base64(bytes(32))


class Vectors(unittest.TestCase):
    def test_base64(self) -> None:
        vectors = load("crypto/base64.json")
        for case in vectors["valid"]:
            data = bytes.fromhex(case["bytes"])
            self.assertEqual((to_base64(data), to_base64url(data)), (case["base64"], case["base64url"]))
            self.assertEqual((from_base64(case["base64"]), from_base64url(case["base64url"])), (data, data))
        for text in vectors["invalid"]["base64"]:
            self.assertIsNone(from_base64(text), repr(text))
        for text in vectors["invalid"]["base64url"]:
            self.assertIsNone(from_base64url(text), repr(text))

    def test_sha256(self) -> None:
        for case in load("crypto/hash.json")["sha256"]:
            self.assertEqual(sha256_hex(bytes.fromhex(case["data"])), case["digest"])

    def test_ed25519(self) -> None:
        vectors = load("crypto/ed25519.json")
        for kind, expected in (("valid", True), ("invalid", False)):
            for case in vectors[kind]:
                with self.subTest(case["name"]):
                    key, message, signature = (bytes.fromhex(case[name]) for name in ("publicKey", "message", "signature"))
                    self.assertEqual(holds(key, message, signature), expected)
                    if "keyId" in case:
                        self.assertEqual(key_id_of(key), case["keyId"])
        for case in vectors["edges"]:
            with self.subTest(case["name"]):
                key, message, signature = (bytes.fromhex(case[name]) for name in ("publicKey", "message", "signature"))
                self.assertEqual(holds(key, message, signature), case["holds"])

    def test_notes(self) -> None:
        vectors = load("crypto/note.json")
        key = parse_key(vectors["vkey"], LOG_KEY_TYPE)
        self.assertIsInstance(key, NoteKey)
        for case in vectors["notes"]["valid"]:
            with self.subTest(case["name"]):
                opened = open_note(case["note"], [key])
                self.assertIsInstance(opened, Opened)
                self.assertEqual((opened.text, opened.unverified, opened.signers), (case["text"], case["unverified"], [key.name]))
        for case in vectors["notes"]["invalid"]:
            with self.subTest(case["name"]):
                opened = open_note(case["note"], [key])
                self.assertIsInstance(opened, NoteFault)
                self.assertEqual(opened.code, case["code"])

    def test_keys(self) -> None:
        keys = load("crypto/note.json")["keys"]
        for case in keys["valid"]:
            with self.subTest(case["name"]):
                key = parse_key(case["vkey"], LOG_KEY_TYPE)
                self.assertIsInstance(key, NoteKey)
                self.assertEqual((key.name, int.from_bytes(key.key_hash, "big")), (case["vname"], case["keyHash"]))
        for case in keys["invalid"]:
            with self.subTest(case["name"]):
                fault = parse_key(case["vkey"], LOG_KEY_TYPE)
                self.assertIsInstance(fault, NoteFault)
                self.assertEqual(fault.code, case["code"])


class Keys(unittest.TestCase):
    def test_a_hash_of_more_digits_or_other_ones(self) -> None:
        name, digits, key = Key("name", 1).vkey.split("+", 2)
        for wrong in (digits + "0", digits + "00", digits[:7] + "\u0660", " " + digits[1:], digits[:7] + "\n", ""):
            fault = parse_key(f"{name}+{wrong}+{key}", LOG_KEY_TYPE)
            self.assertEqual(fault.code, "vkey_malformed", repr(wrong))


class Limits(unittest.TestCase):
    def test_key_length(self) -> None:
        for length, fits in ((1024, True), (1025, False)):
            name = "n" * (length - len(Key("", 1).vkey))
            vkey = Key(name, 1).vkey
            self.assertEqual(len(vkey), length)
            self.assertEqual(isinstance(parse_key(vkey, LOG_KEY_TYPE), NoteKey), fits)

    def test_signature_lines(self) -> None:
        line = Key("somebody", 1).line("text\n")
        self.assertEqual(len(parse_note("text\n\n" + line * 100).lines), 100)
        fault = parse_note("text\n\n" + line * 101)
        self.assertEqual(fault.code, "note_too_many_signatures")

    def test_note_length_in_utf16_units(self) -> None:
        line = Key("somebody", 1).line("")
        room = 1_000_000 - len(line) - 2
        self.assertIsInstance(parse_note("\U0001f600" * (room // 2) + "a" * (room % 2) + "\n\n" + line), Note)
        self.assertEqual(parse_note("\U0001f600" * (room // 2) + "a" * (room % 2 + 1) + "\n\n" + line).code, "note_too_large")

    def test_two_verifiers_of_one_name_and_hash(self) -> None:
        key = parse_key(Key("n", 1).vkey, LOG_KEY_TYPE)
        fault = open_note("text\n\n" + Key("n", 1).line("text\n"), [key, key])
        self.assertEqual(fault.code, "note_ambiguous_key")

    def test_signature_lines_are_counted_in_any_text(self) -> None:
        for text, lines in (("", 0), ("a\n", 0), ("a\n\n", 0), ("a\n\nb\n", 1), ("a\n\nb\nc", 1), ("a\n\nb\n\nc\nd\n", 2), ("\n\n\n", 0)):
            self.assertEqual(signature_line_count(text), lines, repr(text))


class Checkpoints(unittest.TestCase):
    def test_form(self) -> None:
        for text, fits in (
            (f"origin\n7\n{ROOT}\n", True),
            (f"origin\n0\n{ROOT}\n", True),
            (f"origin\n9007199254740991\n{ROOT}\n", True),
            (f"origin\n9007199254740992\n{ROOT}\n", False),
            (f"origin\n7\n{ROOT}\nextension\nand another\n", True),
            (f"origin\n7\n{ROOT}\n\nextension\n", False),
            (f"origin\n7\n{ROOT}", False),
            (f"origin\n7\n{ROOT}\nextension", False),
            (f"\n7\n{ROOT}\n", False),
            (f"origin\n07\n{ROOT}\n", False),
            (f"origin\n-7\n{ROOT}\n", False),
            (f"origin\n\u0667\n{ROOT}\n", False),
            (f"origin\n7 \n{ROOT}\n", False),
            ("origin\n7\nAAAA\n", False),
            (f"origin\n7\n{ROOT[:-1]}\n", False),
            ("origin\n7\n", False),
            ("", False),
        ):
            self.assertEqual(parse_checkpoint(text) is not None, fits, repr(text))


if __name__ == "__main__":
    unittest.main()
