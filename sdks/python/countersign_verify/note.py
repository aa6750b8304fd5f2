"""Signed notes (C2SP signed-note), their keys, checkpoints (C2SP tlog-checkpoint) and cosignatures (C2SP tlog-cosignature)."""

from __future__ import annotations

import re
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

from .ed25519 import PUBLIC_KEY_BYTES, SIGNATURE_BYTES, holds
from .encoding import from_base64, sha256
from .json_reader import utf16_length
from .limits import COSIGNATURE_SECONDS_MAX, COUNT_MAX, NOTE_CHARS_MAX, NOTE_SIGNATURES_MAX, VERIFIER_KEY_CHARS_MAX
from .merkle import HASH_BYTES

#: Types of keys: what signs a log's checkpoint, and what a witness cosigns with.
LOG_KEY_TYPE = 0x01
WITNESS_KEY_TYPE = 0x04

_PREFIX = "\u2014 "
_KEY_HASH_BYTES = 4
_TIME_BYTES = 8
#: Neither empty, nor a plus sign, nor a space of any kind, nor a control character of ASCII, nor half of a surrogate pair.
_NAME = re.compile(r"[^+\x00-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ud800-\udfff]+")
_KEY_HASH = re.compile(r"[0-9a-fA-F]{8}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]")
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")


class NoteFault(NamedTuple):
    code: str
    message: str


class NoteKey(NamedTuple):
    """A verifier key: `name+hash+base64(type, key)`."""

    name: str
    key_hash: bytes
    public_key: bytes

    @property
    def line_key(self) -> Tuple[str, bytes]:
        return self.name, self.key_hash


class SignatureLine(NamedTuple):
    name: str
    key_hash: bytes
    signature: bytes


class Note(NamedTuple):
    """`text` with its last newline."""

    text: str
    lines: List[SignatureLine]


class Checkpoint(NamedTuple):
    origin: str
    size: int
    root: bytes


class Opened(NamedTuple):
    """A note that a given key signed. `signers` are the names of these keys; `unverified` counts lines by keys that nobody gave."""

    text: str
    signers: List[str]
    unverified: int


class Cosignature(NamedTuple):
    """`time` in POSIX seconds, as the witness says."""

    name: str
    time: int


def is_note_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def parse_key(text: str, key_type: int) -> Union[NoteKey, NoteFault]:
    """A verifier key of the wanted type."""
    malformed = NoteFault("vkey_malformed", "it is no verifier key (name+hash+base64)")
    if utf16_length(text) > VERIFIER_KEY_CHARS_MAX:
        return malformed
    parts = text.split("+", 2)
    if len(parts) != 3:
        return malformed
    name, hash_text, key_text = parts
    typed_key = from_base64(key_text)
    if not is_note_name(name) or not _KEY_HASH.fullmatch(hash_text) or not typed_key:
        return malformed
    key_hash = sha256(name.encode("utf-8") + b"\n" + typed_key)[:_KEY_HASH_BYTES]
    if key_hash != bytes.fromhex(hash_text):
        return NoteFault("vkey_hash_mismatch", "the hash in the verifier key is not that of its key")
    if typed_key[0] != key_type:
        return NoteFault("vkey_unknown_type", f"the verifier key is not of type {key_type}")
    if len(typed_key) != 1 + PUBLIC_KEY_BYTES:
        return malformed
    return NoteKey(name, key_hash, typed_key[1:])


def _parse_line(line: str) -> Optional[SignatureLine]:
    if not line.startswith(_PREFIX):
        return None
    name, space, encoded = line[len(_PREFIX) :].partition(" ")
    data = from_base64(encoded)
    if space == "" or data is None or len(data) <= _KEY_HASH_BYTES or not is_note_name(name):
        return None
    return SignatureLine(name, data[:_KEY_HASH_BYTES], data[_KEY_HASH_BYTES:])


def parse_note(note: str) -> Union[Note, NoteFault]:
    """Text and signature lines of a note. Nothing is verified."""
    if utf16_length(note) > NOTE_CHARS_MAX:
        return NoteFault("note_too_large", f"it has more than {NOTE_CHARS_MAX} characters")
    blank = note.rfind("\n\n")
    if blank < 0 or not note.endswith("\n") or _CONTROL.search(note):
        return NoteFault("note_malformed", "it is no signed note")
    texts = note[blank + 2 : -1].split("\n", NOTE_SIGNATURES_MAX)
    if len(texts) > NOTE_SIGNATURES_MAX:
        return NoteFault("note_too_many_signatures", f"it has more than {NOTE_SIGNATURES_MAX} signature lines")
    lines: List[SignatureLine] = []
    for text in texts:
        line = _parse_line(text)
        if line is None:
            return NoteFault("note_malformed", "a signature line is malformed")
        lines.append(line)
    return Note(note[: blank + 1], lines)


def signature_line_count(note: str) -> int:
    """Newlines behind the last empty line: what BNDL-003 counts, also where the note is no note."""
    blank = note.rfind("\n\n")
    return 0 if blank < 0 else note.count("\n", blank + 2)


def keys_by_line(keys: Sequence[NoteKey]) -> Optional[Dict[Tuple[str, bytes], NoteKey]]:
    """None where two keys have the same name and hash."""
    known = {key.line_key: key for key in keys}
    return known if len(known) == len(keys) else None


_Verified = Dict[Tuple[str, bytes], SignatureLine]


def _first_lines(lines: Sequence[SignatureLine], known: Dict[Tuple[str, bytes], NoteKey]) -> _Verified:
    """The first line of each known key, in the order of the note; a second line of a key is not looked at."""
    found: _Verified = {}
    for line in lines:
        key = (line.name, line.key_hash)
        if key in known:
            found.setdefault(key, line)
    return found


def open_note(note: str, keys: Sequence[NoteKey]) -> Union[Opened, NoteFault]:
    """A note that at least one of the keys signed. A line by a given key that does not verify refuses it."""
    known = keys_by_line(keys)
    if known is None:
        return NoteFault("note_ambiguous_key", "two given keys have the same name and hash")
    parsed = parse_note(note)
    if isinstance(parsed, NoteFault):
        return parsed
    found = _first_lines(parsed.lines, known)
    message = parsed.text.encode("utf-8")
    for line_key, line in found.items():
        if not holds(known[line_key].public_key, message, line.signature):
            return NoteFault("note_bad_signature", "a signature by a given key does not verify")
    if not found:
        return NoteFault("note_unverified", "none of the given keys has signed it")
    unverified = sum(1 for line in parsed.lines if (line.name, line.key_hash) not in known)
    return Opened(parsed.text, [name for name, _ in found], unverified)


def parse_checkpoint(text: str) -> Optional[Checkpoint]:
    """Origin, size, root, each with a newline; further lines may follow, none of them empty."""
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() != "" or "" in lines:
        return None
    origin, size_text, root_text = lines[:3]
    root = from_base64(root_text)
    if not _SIZE.fullmatch(size_text) or root is None or len(root) != HASH_BYTES or int(size_text) > COUNT_MAX:
        return None
    return Checkpoint(origin, int(size_text), root)


def _cosignature(line: SignatureLine, key: NoteKey, text: str) -> Optional[Cosignature]:
    if len(line.signature) != _TIME_BYTES + SIGNATURE_BYTES:
        return None
    seconds = int.from_bytes(line.signature[:_TIME_BYTES], "big")
    message = f"cosignature/v1\ntime {seconds}\n{text}".encode("utf-8")
    if seconds > COSIGNATURE_SECONDS_MAX or not holds(key.public_key, message, line.signature[_TIME_BYTES:]):
        return None
    return Cosignature(line.name, seconds)


def open_cosignatures(note: str, keys: Sequence[NoteKey]) -> Union[List[Cosignature], NoteFault]:
    """The cosignatures of the given witnesses, one a witness (a witness is its name); one that does not verify refuses them all."""
    known = keys_by_line(keys)
    if known is None:
        return NoteFault("note_ambiguous_key", "two given witness keys have the same name and hash")
    parsed = parse_note(note)
    if isinstance(parsed, NoteFault):
        return parsed
    by_name: Dict[str, Cosignature] = {}
    for line_key, line in _first_lines(parsed.lines, known).items():
        made = _cosignature(line, known[line_key], parsed.text)
        if made is None:
            return NoteFault("cosignature_bad", f"the cosignature of {line.name} does not verify")
        by_name.setdefault(line.name, made)
    return list(by_name.values())


def read_keys(texts: Sequence[str], key_type: int) -> Union[List[NoteKey], NoteFault]:
    """All the keys, or the fault of the first that is none."""
    keys: List[NoteKey] = []
    for text in texts:
        key = parse_key(text, key_type)
        if isinstance(key, NoteFault):
            return key
        keys.append(key)
    return keys
