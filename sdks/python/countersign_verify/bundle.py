"""Reading files: strict JSON, canonical byte for byte, and no member that the format does not have. Says nothing of what they prove."""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional, Tuple, Union

from . import limits
from .encoding import sha256_hex
from .entry_form import hex_hash
from .form import Form, anything, closed, count, first_that_fits, list_of, matching, one_of, or_null, text
from .jcs import canonical_bytes
from .json_reader import JsonFault, JsonLimits, read_json
from .note import signature_line_count

BUNDLE = "countersign.bundle.v1"
CONSISTENCY = "countersign.consistency.v1"

_hash = matching(r"[A-Za-z0-9+/]{43}=", "a base64 hash of 32 bytes")
_salt = matching(r"[A-Za-z0-9_-]{43}", "a base64url salt of 32 bytes")
_note = text(limits.CHECKPOINT_CHARS_MAX)
_any_text = text(limits.BUNDLE_BYTES_MAX)

_RECEIPT_INPUTS = closed(
    {
        "action": anything,
        "state": anything,
        "signals": list_of(anything, limits.FILE_NODES_MAX),
        "salts": closed({"action": _salt, "state": _salt, "signals": _salt}),
    }
)
_OUTCOME_INPUTS = closed({"response": or_null(_any_text), "salt": _salt})
_ERASURE_INPUTS = closed({"erased": closed({"org": _any_text, "subject": _any_text}), "salt": _salt})

BUNDLE_FORM: Form = closed(
    {
        "type": one_of(BUNDLE),
        "entry": closed({"body": anything, "signatures": anything}),
        "index": count(),
        "proof": list_of(_hash, limits.INCLUSION_HASHES_MAX),
        "checkpoint": _note,
    },
    {
        "inputs": first_that_fits(_RECEIPT_INPUTS, _OUTCOME_INPUTS, _ERASURE_INPUTS),
        "documents": closed({"policy": anything, "rules": anything}),
        "digest": hex_hash,
    },
)

CONSISTENCY_FORM: Form = closed(
    {
        "type": one_of(CONSISTENCY),
        "old": _note,
        "new": _note,
        "proof": list_of(_hash, limits.CONSISTENCY_HASHES_MAX),
    },
    {"digest": hex_hash},
)


class FileFault(NamedTuple):
    code: str
    message: str


class FileKind(NamedTuple):
    """`prefix` begins the codes of its faults; `notes` are its members that are signed notes."""

    prefix: str
    bytes_max: int
    form: Form
    notes: Tuple[str, ...]


_BUNDLE_FILE = FileKind("bundle", limits.BUNDLE_BYTES_MAX, BUNDLE_FORM, ("checkpoint",))
_CONSISTENCY_FILE = FileKind("consistency", limits.CONSISTENCY_BYTES_MAX, CONSISTENCY_FORM, ("old", "new"))


def _digest_fault(value: Dict[str, Any], kind: FileKind) -> Optional[FileFault]:
    digest = value.get("digest")
    if digest is None:
        if any(signature_line_count(value[name]) > 1 for name in kind.notes):
            return FileFault(f"{kind.prefix}_digest_missing", "a checkpoint in it has several signature lines, and it has no digest")
        return None
    rest = {name: member for name, member in value.items() if name != "digest"}
    if sha256_hex(canonical_bytes(rest)) != digest:
        return FileFault(f"{kind.prefix}_digest_bad", "its digest is not that of its other members")
    return None


def _read(data: bytes, kind: FileKind) -> Union[Dict[str, Any], FileFault]:
    """The object of a file that is the canonical text of what it says, has the form of its kind, and the digest that it needs."""
    if len(data) > kind.bytes_max:
        return FileFault(f"{kind.prefix}_too_large", f"it has more than {kind.bytes_max} bytes")
    read = read_json(data, JsonLimits(kind.bytes_max, limits.FILE_DEPTH_MAX, limits.FILE_NODES_MAX))
    if isinstance(read, JsonFault):
        return FileFault(f"{kind.prefix}_not_json", f"it is not strict JSON: {read.message}")
    if read.exact_numbers or canonical_bytes(read.value) != data:
        return FileFault(f"{kind.prefix}_not_canonical", "it is not the canonical text (RFC 8785) of what it says")
    fault = kind.form(read.value, "")
    if fault is not None:
        return FileFault(f"{kind.prefix}_malformed", str(fault))
    value: Dict[str, Any] = read.value
    return _digest_fault(value, kind) or value


def read_bundle(data: bytes) -> Union[Dict[str, Any], FileFault]:
    """A bundle; its entry may still have any form."""
    return _read(data, _BUNDLE_FILE)


def read_consistency(data: bytes) -> Union[Dict[str, Any], FileFault]:
    return _read(data, _CONSISTENCY_FILE)
