"""The form of an entry `{body, signatures}`, type by type and member by member: spec/receipt.md."""

from __future__ import annotations

from typing import Any, Dict, Optional

from . import limits
from .form import Form, FormFault, closed, count, list_of, matching, one_of, or_null, text
from .note import LOG_KEY_TYPE, NoteFault, parse_key

RECEIPT = "countersign.receipt.v1"
OUTCOME = "countersign.outcome.v1"
SESSION_END = "countersign.session-end.v1"
ERASURE = "countersign.erasure.v1"
LOG_KEY = "countersign.log-key.v1"

hex_hash = matching(r"[0-9a-f]{64}", "a lower-case hex SHA-256")
_uuid = matching(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "a UUID in lower case")
_time = matching(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", "a time in UTC with milliseconds")
_name = text(limits.NAME_CHARS_MAX)
_short = text(limits.ENTRY_BYTES_MAX)
_thousandths = count(1000)
_severity = one_of("info", "low", "medium", "high", "critical")
_evidence = list_of(closed({"path": _short, "start": count(), "end": count()}), limits.EVIDENCE_MAX)


def _log_key(value: Any, path: str) -> Optional[FormFault]:
    if isinstance(value, str) and not isinstance(parse_key(value, LOG_KEY_TYPE), NoteFault):
        return None
    return FormFault(path, "not a verifier key of type 1")


def _body(kind: str, members: Dict[str, Form], optional: Optional[Dict[str, Form]] = None) -> Form:
    """A body has the members of its type, and those that every body has; a type may narrow these."""
    every: Dict[str, Form] = {
        "type": one_of(kind),
        "log": text(limits.LOG_CHARS_MAX),
        "session": _name,
        "seq": count(),
        "prev": or_null(hex_hash),
        "id": _uuid,
        "time": _time,
    }
    return closed({**every, **members}, optional)


_REASON = closed(
    {"code": _short, "text": _short, "severity": _severity, "score": _thousandths, "evidence": _evidence},
    {"fact": _short, "layers": list_of(_short, limits.LAYERS_MAX)},
)


def _dimensions(value: Any, path: str) -> Optional[FormFault]:
    if not isinstance(value, list) or len(value) != len(limits.DIMENSIONS_MAX):
        return FormFault(path, "not a list of six dimensions")
    for index, (item, most) in enumerate(zip(value, limits.DIMENSIONS_MAX)):
        fault = count(most)(item, f"{path}/{index}")
        if fault is not None:
            return fault
    return None


def _dimension_number(value: Any, path: str) -> Optional[FormFault]:
    return None if type(value) is int and 1 <= value <= 6 else FormFault(path, "not the number of a dimension")


_SCORES = closed(
    {"d": _dimensions, "composite": count(limits.COMPOSITE_MAX), "level": one_of("low", "medium", "high", "critical")},
    {"circuit": one_of("SC-1", "SC-2", "SC-3"), "missing": list_of(_dimension_number, 6, 1)},
)

_VERDICT = closed(
    {
        "decision": one_of("allow", "warn", "modify", "defer", "deny"),
        "risk": _thousandths,
        "severity": _severity,
        "reasons": list_of(_REASON, limits.REASONS_MAX),
        "reasonsCut": count(),
        "obligations": list_of(_short, limits.OBLIGATIONS_MAX),
        "by": one_of("judge", "pipeline"),
    },
    {"scores": _SCORES},
)

_RECEIPT = _body(
    RECEIPT,
    {
        "principal": closed(
            {"org": _name, "agent": _name, "delegation": list_of(_name, limits.DELEGATION_MAX)},
            {"trace": closed({"traceId": _name}, {"spanId": _name})},
        ),
        "action": closed(
            {
                "id": _name,
                "kind": text(limits.KIND_CHARS_MAX),
                "commitment": hex_hash,
                "fields": list_of(text(limits.FIELD_CHARS_MAX), limits.FIELDS_MAX),
                "fieldsCut": count(),
            },
            {"tool": text(limits.TOOL_CHARS_MAX), "descriptor": _name},
        ),
        "inputs": closed({name: hex_hash for name in ("policy", "rules", "engine", "state", "signals")}),
        "verdict": _VERDICT,
        "signing": one_of("batch", "each"),
        "durability": one_of("synced", "fast"),
        "outcomeBy": or_null(_time),
        "coverage": one_of("L0", "L1", "L2", "L3"),
    },
)

_OUTCOME = _body(
    OUTCOME,
    {
        "org": _name,
        "receipt": _uuid,
        "status": one_of("ok", "error", "blocked", "timeout", "unknown"),
        "durationMs": count(),
        "response": or_null(hex_hash),
        "findings": list_of(closed({"rule": _short, "evidence": _evidence}), limits.FINDINGS_MAX),
        "findingsCut": count(),
        "redactions": count(),
    },
    {"code": count()},
)

_SESSION_END = _body(SESSION_END, {"org": _name, "reason": text(limits.REASON_CHARS_MAX)})

_ERASURE = _body(
    ERASURE,
    {
        "session": one_of("countersign.vault"),
        "org": _name,
        "subject": hex_hash,
        "keys": count(),
        "by": _name,
        "reason": matching(r"[\x20-\x7e]{0,%d}" % limits.REASON_CHARS_MAX, "printable ASCII of at most 160 characters"),
    },
)

_LOG_KEY_CHANGE = _body(
    LOG_KEY,
    {
        "session": one_of("countersign.log"),
        "org": one_of("countersign"),
        "keys": list_of(_log_key, limits.LOG_KEYS_MAX, 1),
        "added": or_null(_log_key),
        "retired": or_null(_log_key),
    },
)

_BODIES = {RECEIPT: _RECEIPT, OUTCOME: _OUTCOME, SESSION_END: _SESSION_END, ERASURE: _ERASURE, LOG_KEY: _LOG_KEY_CHANGE}


def _any_body(value: Any, path: str) -> Optional[FormFault]:
    kind = value.get("type") if isinstance(value, dict) else None
    form = _BODIES.get(kind) if isinstance(kind, str) else None
    return FormFault(f"{path}/type", "not a type of entry that is known") if form is None else form(value, path)


ENTRY_FORM: Form = closed(
    {
        "body": _any_body,
        "signatures": list_of(
            closed(
                {
                    "keyId": matching(r"[0-9a-f]{16}", "a key id of 16 hex digits"),
                    "sig": matching(r"[A-Za-z0-9_-]{86}", "an Ed25519 signature in base64url"),
                }
            ),
            limits.ENTRY_SIGNATURES_MAX,
        ),
    }
)


def org_of(body: Dict[str, Any]) -> str:
    """The org of a body whose form was checked."""
    org: str = body["principal"]["org"] if body["type"] == RECEIPT else body["org"]
    return org
