"""The command line: reads files and keys, prints one sentence a check, and says by its exit code what came of it."""

from __future__ import annotations

import argparse
import json
import re
import sys
from datetime import datetime, timezone
from typing import Any, Dict, Iterator, List, NamedTuple, NoReturn, Optional, Sequence

from .ed25519 import PUBLIC_KEY_BYTES
from .encoding import from_base64url
from .limits import BUNDLE_BYTES_MAX, CONSISTENCY_BYTES_MAX
from .note import LOG_KEY_TYPE, WITNESS_KEY_TYPE, NoteFault, keys_by_line, read_keys
from .report import Check, Report, SessionReport
from .trust import Trust
from .verify_bundle import verify_bundle
from .verify_consistency import read_seen, verify_consistency
from .verify_session import verify_session

VERIFIED, NOT_VERIFIED, CONFIG = 0, 2, 3

_WORDS = {"pass": "ok  ", "fail": "FAIL", "not-checked": "skip"}
#: What could move a cursor or turn the direction of a text round.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")


class CommandFault(Exception):
    """Something that the caller must mend first: exit 3."""

    def __init__(self, kind: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.hint = hint


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise CommandFault("invalid_arguments", message, "see --help")


class Outcome(NamedTuple):
    ok: bool
    json: Dict[str, Any]
    lines: List[str]


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        allow_abbrev=False, prog="python -m countersign_verify", description="Is this receipt in that log, untouched? Offline."
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help="bundles")
    parser.add_argument("--key", action="append", default=[], metavar="VKEY", help="verifier key of the log (name+hash+base64)")
    parser.add_argument("--keys", metavar="FILE", help="file with one verifier key a line")
    parser.add_argument("--receipt-key", action="append", default=[], metavar="K", help="public key of a receipt signer, base64url")
    parser.add_argument("--witness-key", action="append", default=[], metavar="VKEY", help="verifier key of a witness (type 4)")
    parser.add_argument(
        "--witnesses", type=int, metavar="K", help="how many witnesses must have cosigned; all of them where nothing is said"
    )
    parser.add_argument("--session", action="store_true", help="the files are one whole session: check its chain and outcomes too")
    parser.add_argument(
        "--now", metavar="TIME", help="the time by which outcomes are due, 2026-01-02T03:04:05.678Z; the clock's where nothing is said"
    )
    parser.add_argument("--consistency", metavar="FILE", help="a consistency file: is the newer log the older one, and more?")
    parser.add_argument("--seen", metavar="CHECKPOINT", help="file with the checkpoint that you saw before")
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    return parser


def _read(path: str, most: int) -> bytes:
    """At most one byte more than allowed is read: enough to see that there is too much."""
    try:
        if path == "-":
            return sys.stdin.buffer.read(most + 1)
        with open(path, "rb") as file:
            return file.read(most + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the name is none"
        raise CommandFault("file_unreadable", f"{path}: cannot be read: {reason}", "name a file that is there") from None


def _read_text(path: str) -> str:
    try:
        return _read(path, CONSISTENCY_BYTES_MAX).decode("utf-8")
    except UnicodeDecodeError:
        raise CommandFault("file_not_text", f"{path}: is not UTF-8 text") from None


def _key_lines(path: str) -> List[str]:
    lines = (line.strip() for line in _read_text(path).split("\n"))
    return [line for line in lines if line != "" and not line.startswith("#")]


def _check_keys(texts: Sequence[str], key_type: int, what: str) -> None:
    keys = read_keys(texts, key_type)
    if isinstance(keys, NoteFault):
        raise CommandFault(keys.code, f"{what}: {keys.message}", "copy the whole verifier key: name+hash+base64")
    if keys_by_line(keys) is None:
        raise CommandFault("note_ambiguous_key", f"{what}: one key is given twice", "give each key once")


def _trust(options: argparse.Namespace) -> Trust:
    vkeys = list(options.key) + ([] if options.keys is None else _key_lines(options.keys))
    if not vkeys:
        raise CommandFault("invalid_arguments", "whose log is to be believed?", "name its key: --key VKEY, or --keys FILE")
    _check_keys(vkeys, LOG_KEY_TYPE, "log key")
    _check_keys(options.witness_key, WITNESS_KEY_TYPE, "witness key")
    for text in options.receipt_key:
        key = from_base64url(text)
        if key is None or len(key) != PUBLIC_KEY_BYTES:
            raise CommandFault("receipt_key_malformed", "receipt key: not base64url of 32 bytes")
    if options.witnesses is not None and not 1 <= options.witnesses <= len(options.witness_key):
        raise CommandFault(
            "invalid_arguments", "--witnesses must be from 1 to the number of witness keys", "name the witnesses: --witness-key VKEY"
        )
    return Trust(tuple(vkeys), tuple(options.receipt_key), tuple(options.witness_key), options.witnesses)


def _now(options: argparse.Namespace) -> str:
    if options.now is None:
        return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if not _TIME.fullmatch(options.now):
        raise CommandFault("invalid_arguments", "--now must be a time in UTC with milliseconds, as 2026-01-02T03:04:05.678Z")
    return str(options.now)


def _bundles(files: Sequence[str]) -> Iterator[bytes]:
    return (_read(path, BUNDLE_BYTES_MAX) for path in files)


def _check_line(check: Check) -> str:
    return f"  {_WORDS[check.status]} {check.name.ljust(12)} {check.sentence}"


def _report_lines(file: str, report: Report) -> List[str]:
    subject = report.subject or {}
    named = f" {subject['type']} {subject['id']}, entry {subject['index']} of {subject['log']}" if "id" in subject else ""
    head = f"{'VERIFIED' if report.ok else 'NOT VERIFIED'} {file}{named}"
    return [head, *(_check_line(check) for check in report.checks)]


def _session(files: Sequence[str], trust: Trust, now: str) -> Outcome:
    session: SessionReport = verify_session(_bundles(files), trust, now)
    lines = [line for file, report in zip(files, session.bundles) for line in _report_lines(file, report)]
    end = "the session is closed" if session.end == "closed" else "the session is open: nothing says that it has not gone on"
    value = {
        "chain": session.chain.as_json(),
        "outcomes": session.outcomes.as_json(),
        "end": session.end,
        "bundles": [report.as_json(file) for file, report in zip(files, session.bundles)],
    }
    return Outcome(session.ok, value, [*lines, _check_line(session.chain), _check_line(session.outcomes), end])


def _single(files: Sequence[str], trust: Trust) -> Outcome:
    reports = [verify_bundle(data, trust) for data in _bundles(files)]
    lines = [line for file, report in zip(files, reports) for line in _report_lines(file, report)]
    return Outcome(all(report.ok for report in reports), {"bundles": [report.as_json(file) for file, report in zip(files, reports)]}, lines)


def _consistency(path: str, trust: Trust, seen_path: Optional[str]) -> Outcome:
    seen = None if seen_path is None else _read_text(seen_path)
    if seen is not None and read_seen(seen) is None:
        raise CommandFault("checkpoint_malformed", f"{seen_path}: is no checkpoint", "keep the checkpoint as the log serves it")
    report = verify_consistency(_read(path, CONSISTENCY_BYTES_MAX), trust, seen)
    return Outcome(report.ok, {"consistency": report.as_json(path)}, _report_lines(path, report))


def _run(options: argparse.Namespace) -> Outcome:
    if not options.files and options.consistency is None:
        raise CommandFault("invalid_arguments", "nothing to verify", "name bundles, or --consistency FILE")
    if options.seen is not None and options.consistency is None:
        raise CommandFault("invalid_arguments", "--seen needs --consistency FILE")
    trust = _trust(options)
    parts: List[Outcome] = []
    if options.files:
        parts.append(_session(options.files, trust, _now(options)) if options.session else _single(options.files, trust))
    if options.consistency is not None:
        parts.append(_consistency(options.consistency, trust, options.seen))
    source = options.keys or "the command line"
    value: Dict[str, Any] = {"ok": all(part.ok for part in parts), "trust": source}
    for part in parts:
        value.update(part.json)
    lines = [line for part in parts for line in part.lines]
    return Outcome(bool(value["ok"]), value, [*lines, f"believing the keys of {source}"])


def _write(text: str) -> None:
    """What a terminal's encoding lacks is written as an escape."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))


def _write_json(exit_code: int, value: Dict[str, Any]) -> None:
    _write(json.dumps({"version": 1, "command": "verify", "exit_code": exit_code, **value}, indent=2) + "\n")


def main(arguments: Sequence[str]) -> int:
    as_json = "--json" in arguments
    try:
        outcome = _run(_parser().parse_args(arguments))
    except CommandFault as fault:
        error = {"kind": fault.kind, "message": str(fault), **({"hint": fault.hint} if fault.hint else {})}
        if as_json:
            _write_json(CONFIG, {"error": error, "errors": [error]})
        else:
            sys.stderr.write(_UNPRINTABLE.sub("?", f"{fault.kind}: {fault}" + (f" ({fault.hint})" if fault.hint else "")) + "\n")
        return CONFIG
    exit_code = VERIFIED if outcome.ok else NOT_VERIFIED
    if as_json:
        _write_json(exit_code, outcome.json)
    else:
        _write("".join(_UNPRINTABLE.sub("?", line) + "\n" for line in outcome.lines))
    return exit_code
