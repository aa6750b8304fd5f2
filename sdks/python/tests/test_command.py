"""The command line: exit codes, one sentence a check, and the same JSON as `countersign verify --json`."""

import io
import json
import os
import subprocess
import sys
import tempfile
import unittest
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, List, Tuple

from countersign_verify.command import main

from .cases import LOG_KEY, WITNESSES
from .evidence import Log, full_session

ROOT = Path(__file__).resolve().parents[1]


def run(*arguments: str) -> Tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(list(arguments))
    return code, out.getvalue(), err.getvalue()


class Command(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        log, self.bundles = full_session()
        self.files = [self.write(f"{n}.countersign.json", data) for n, data in enumerate(self.bundles)]
        self.log = log

    def write(self, name: str, data: bytes) -> str:
        path = self.folder / name
        path.write_bytes(data)
        return str(path)

    def answer(self, *arguments: str) -> Tuple[int, Any]:
        code, out, _ = run(*arguments, "--json")
        return code, json.loads(out)

    def test_a_bundle_that_verifies(self) -> None:
        code, out, err = run(self.files[0], "--key", LOG_KEY.vkey)
        self.assertEqual((code, err), (0, ""))
        lines = out.splitlines()
        self.assertTrue(lines[0].startswith(f"VERIFIED {self.files[0]} countersign.receipt.v1 "))
        self.assertEqual([line[:7].strip() for line in lines[1:9]], ["ok", "ok", "skip", "ok", "ok", "skip", "ok", "ok"])
        self.assertEqual(lines[9], "believing the keys of the command line")

    def test_a_bundle_that_does_not(self) -> None:
        damaged = self.write("damaged", self.bundles[0] + b"\n")
        code, out, _ = run(self.files[0], damaged, "--key", LOG_KEY.vkey)
        self.assertEqual(code, 2)
        self.assertIn(f"NOT VERIFIED {damaged}\n  FAIL bundle-form", out)

    def test_json(self) -> None:
        keys = self.write("keys.txt", f"# the log\n\n  {LOG_KEY.vkey} \n".encode())
        code, value = self.answer(self.files[0], "--keys", keys)
        self.assertEqual(code, 0)
        self.assertEqual(
            (value["version"], value["command"], value["exit_code"], value["ok"], value["trust"]), (1, "verify", 0, True, keys)
        )
        (bundle,) = value["bundles"]
        self.assertEqual(sorted(bundle), ["checks", "file", "ok", "subject"])
        self.assertEqual(sorted(bundle["checks"][0]), ["code", "name", "sentence", "status"])
        self.assertEqual(sorted(bundle["subject"]), ["id", "index", "log", "seq", "session", "size", "type"])

    def test_a_session(self) -> None:
        code, value = self.answer(*self.files, "--session", "--key", LOG_KEY.vkey)
        self.assertEqual((code, value["end"], value["chain"]["code"], value["outcomes"]["code"]), (0, "closed", "chain_ok", "outcomes_ok"))
        self.assertEqual(len(value["bundles"]), 4)
        code, out, _ = run(self.files[0], "--session", "--key", LOG_KEY.vkey, "--now", "2026-01-02T03:04:06.000Z")
        self.assertEqual(code, 0)
        self.assertIn("skip outcomes", out)
        self.assertIn("the session is open", out)
        # By the clock of whoever reads this test, the outcome is overdue.
        code, value = self.answer(self.files[0], "--session", "--key", LOG_KEY.vkey)
        self.assertEqual((code, value["outcomes"]["code"]), (2, "outcome_missing"))

    def test_witnesses(self) -> None:
        log = Log(witnesses=WITNESSES[:2]).extend(entry["body"] for entry in self.log.entries)
        file = self.write("cosigned", log.bundle(0))
        given = [part for key in WITNESSES for part in ("--witness-key", key.vkey)]
        self.assertEqual(run(file, "--key", LOG_KEY.vkey, *given)[0], 2)
        code, value = self.answer(file, "--key", LOG_KEY.vkey, *given, "--witnesses", "2")
        self.assertEqual(code, 0)
        (check,) = [check for check in value["bundles"][0]["checks"] if check["name"] == "cosignatures"]
        self.assertIn("witness.example/a at 1767323045 s", check["sentence"])

    def test_consistency(self) -> None:
        file = self.write("grown", self.log.consistency(2, 4))
        seen, other = self.write("seen", self.log.note(2).encode()), self.write("other", self.log.note(3).encode())
        self.assertEqual(run("--consistency", file, "--key", LOG_KEY.vkey)[0], 0)
        code, value = self.answer("--consistency", file, "--seen", seen, "--key", LOG_KEY.vkey)
        self.assertEqual((code, value["consistency"]["subject"]), (0, {"log": self.log.origin, "oldSize": 2, "newSize": 4}))
        self.assertEqual(run("--consistency", file, "--seen", other, "--key", LOG_KEY.vkey)[0], 2)
        self.assertEqual(run(self.files[0], "--consistency", file, "--seen", other, "--key", LOG_KEY.vkey)[0], 2)

    def test_what_the_caller_must_mend(self) -> None:
        empty, latin = self.write("empty", b""), self.write("latin", b"\xff")
        key = ["--key", LOG_KEY.vkey]
        wrong: List[List[str]] = [
            [],
            [self.files[0]],
            key,
            [self.files[0], "--keys", empty],
            [self.files[0], "--keys", latin],
            [self.files[0], "--keys", str(self.folder / "nowhere")],
            [str(self.folder / "nowhere"), *key],
            [str(self.folder), *key],
            ["\0", *key],
            [self.files[0], "--key", "name+00000000+AAAA"],
            [self.files[0], "--key", WITNESSES[0].vkey],
            [self.files[0], *key, *key],
            [self.files[0], *key, "--receipt-key", "AAAA"],
            [self.files[0], *key, "--witness-key", LOG_KEY.vkey],
            [self.files[0], *key, "--witnesses", "1"],
            [self.files[0], *key, "--witnesses", "many"],
            [self.files[0], *key, "--witness-key", WITNESSES[0].vkey, "--witnesses", "0"],
            [self.files[0], *key, "--session", "--now", "today"],
            [self.files[0], *key, "--seen", empty],
            [self.files[0], *key, "--consistency", self.files[0], "--seen", empty],
            [self.files[0], *key, "--sess"],
        ]
        for arguments in wrong:
            with self.subTest(" ".join(arguments)):
                code, out, err = run(*arguments)
                self.assertEqual((code, out), (3, ""))
                self.assertEqual(err.count("\n"), 1)
                code, value = self.answer(*arguments)
                self.assertEqual((code, value["exit_code"], value["error"]), (3, 3, value["errors"][0]))

    def test_nothing_moves_the_cursor(self) -> None:
        nasty = self.write("a\x1b[2J\u202e.json", b"{}")
        code, out, _ = run(nasty, "--key", LOG_KEY.vkey)
        self.assertEqual(code, 2)
        self.assertNotRegex(out, "[\x1b\u202e]")

    def test_as_a_program(self) -> None:
        arguments = [sys.executable, "-m", "countersign_verify", "-", "--key", LOG_KEY.vkey]
        # A terminal that knows ASCII only must not break the answer.
        environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONDONTWRITEBYTECODE": "1"}
        for data, expected in ((self.bundles[0], 0), (b"\xff", 2)):
            done = subprocess.run(arguments, input=data, capture_output=True, cwd=ROOT, env=environment, check=False)
            self.assertEqual((done.returncode, done.stderr), (expected, b""))


if __name__ == "__main__":
    unittest.main()
