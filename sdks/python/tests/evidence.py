"""Makes evidence for tests from fixed seeds: a log with keys and witnesses, chains of entries, bundles and consistency files.

The trees and proofs are the recursive definitions of RFC 6962 section 2.1, not the checks of the verifier turned round.
"""

from __future__ import annotations

import hashlib
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from countersign_verify.encoding import to_base64, to_base64url
from countersign_verify.jcs import canonical_bytes

ORIGIN = "example.org/countersign/python"
POLICY = {"name": "test", "guards": {}}
RULES = [{"id": "R900", "title": "Anything at all"}]


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


class Key:
    """An Ed25519 key under a name; type 1 signs notes, type 4 cosigns."""

    def __init__(self, name: str, seed: int, key_type: int = 1) -> None:
        self.name = name
        self.private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self.public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.typed = bytes([key_type]) + self.public
        self.hash = sha256(name.encode() + b"\n" + self.typed)[:4]
        self.vkey = f"{name}+{self.hash.hex()}+{to_base64(self.typed)}"

    def line(self, text: str) -> str:
        return self.raw_line(self.private.sign(text.encode()))

    def cosign(self, text: str, seconds: int) -> str:
        signature = self.private.sign(f"cosignature/v1\ntime {seconds}\n{text}".encode())
        return self.raw_line(seconds.to_bytes(8, "big") + signature)

    def raw_line(self, signature: bytes) -> str:
        return f"\u2014 {self.name} {to_base64(self.hash + signature)}\n"

    def sign_entry(self, body: Dict[str, Any]) -> Dict[str, str]:
        return {"keyId": sha256(self.public).hex()[:16], "sig": to_base64url(self.private.sign(canonical_bytes(body)))}


def witness(name: str, seed: int) -> Key:
    return Key(name, seed, 4)


def _split(size: int) -> int:
    return 1 << ((size - 1).bit_length() - 1)


def tree_root(leaves: Sequence[bytes]) -> bytes:
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = _split(len(leaves))
    return sha256(b"\x01" + tree_root(leaves[:k]) + tree_root(leaves[k:]))


def inclusion_path(index: int, leaves: Sequence[bytes]) -> List[bytes]:
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if index < k:
        return [*inclusion_path(index, leaves[:k]), tree_root(leaves[k:])]
    return [*inclusion_path(index - k, leaves[k:]), tree_root(leaves[:k])]


def consistency_path(old: int, leaves: Sequence[bytes], whole: bool = True) -> List[bytes]:
    if old in (0, len(leaves)):
        return [] if whole or old == 0 else [tree_root(leaves)]
    k = _split(len(leaves))
    if old <= k:
        return [*consistency_path(old, leaves[:k], whole), tree_root(leaves[k:])]
    return [*consistency_path(old - k, leaves[k:], False), tree_root(leaves[:k])]


def uuid(n: int) -> str:
    return f"01930000-0000-7000-8000-{n:012d}"


def salt(label: str) -> bytes:
    return sha256(b"salt " + label.encode())


def commit(label: str, data: bytes) -> str:
    return sha256(salt(label) + data).hex()


class Chain:
    """Numbers the bodies of one session; the bodies are not in a log yet."""

    def __init__(self, session: str = "session-1", org: str = "org-1", origin: str = ORIGIN) -> None:
        self.session, self.org, self.origin = session, org, origin
        self.bodies: List[Dict[str, Any]] = []
        self.prev: Optional[str] = None

    def _add(self, kind: str, n: int, time: str, members: Dict[str, Any]) -> Dict[str, Any]:
        body = {
            "type": f"countersign.{kind}.v1",
            "log": self.origin,
            "session": self.session,
            "seq": len(self.bodies),
            "prev": self.prev,
            "id": uuid(n),
            "time": time,
            **members,
        }
        self.prev = sha256(canonical_bytes(body)).hex()
        self.bodies.append(body)
        return body

    def receipt(self, n: int, outcome_by: Optional[str] = None, **changes: Any) -> Dict[str, Any]:
        inputs = receipt_inputs(n)
        members = {
            "principal": {"org": self.org, "agent": uuid(900), "delegation": []},
            "action": {
                "id": uuid(n),
                "kind": "shell.exec",
                "tool": "shell.exec",
                "commitment": commit(f"action {n}", canonical_bytes(inputs["action"])),
                "fields": ["/params/command"],
                "fieldsCut": 0,
            },
            "inputs": {
                "policy": sha256(canonical_bytes(POLICY)).hex(),
                "rules": sha256(canonical_bytes(RULES)).hex(),
                "engine": "e" * 64,
                "state": commit(f"state {n}", canonical_bytes(inputs["state"])),
                "signals": commit(f"signals {n}", canonical_bytes(inputs["signals"])),
            },
            "verdict": {
                "decision": "allow",
                "risk": 12,
                "severity": "info",
                "reasons": [],
                "reasonsCut": 0,
                "obligations": [],
                "by": "judge",
            },
            "signing": "batch",
            "durability": "synced",
            "outcomeBy": outcome_by,
            "coverage": "L2",
        }
        return self._add("receipt", n, "2026-01-02T03:04:05.678Z", {**members, **changes})

    def outcome(self, n: int, receipt: str, time: str = "2026-01-02T03:04:30.000Z", **changes: Any) -> Dict[str, Any]:
        members = {
            "org": self.org,
            "receipt": receipt,
            "status": "ok",
            "code": 200,
            "durationMs": 12,
            "response": commit(f"response {n}", response_of(n)),
            "findings": [],
            "findingsCut": 0,
            "redactions": 0,
        }
        return self._add("outcome", n, time, {**members, **changes})

    def end(self, n: int) -> Dict[str, Any]:
        return self._add("session-end", n, "2026-01-02T03:10:00.000Z", {"org": self.org, "reason": "done"})

    def erasure(self, n: int, subject: str, **changes: Any) -> Dict[str, Any]:
        committed = commit(f"erased {n}", canonical_bytes({"org": self.org, "subject": subject}))
        members = {"org": self.org, "subject": committed, "keys": 2, "by": "operator", "reason": "asked to"}
        return self._add("erasure", n, "2026-01-02T03:10:00.000Z", {**members, **changes})

    def log_key(self, n: int, keys: List[str], added: Optional[str], retired: Optional[str], **changes: Any) -> Dict[str, Any]:
        members = {"org": self.org, "keys": keys, "added": added, "retired": retired}
        return self._add("log-key", n, "2026-01-02T03:10:00.000Z", {**members, **changes})


def receipt_inputs(n: int) -> Dict[str, Any]:
    return {
        "action": {"v": 1, "kind": "shell.exec", "params": {"command": f"echo {n}", "half": 0.5}},
        "state": {"sessionCalls": n},
        "signals": [],
        "salts": {name: to_base64url(salt(f"{name} {n}")) for name in ("action", "state", "signals")},
    }


def response_of(n: int) -> bytes:
    return f"answer {n}".encode()


def outcome_inputs(n: int) -> Dict[str, Any]:
    return {"response": to_base64(response_of(n)), "salt": to_base64url(salt(f"response {n}"))}


def erasure_inputs(n: int, org: str, subject: str) -> Dict[str, Any]:
    return {"erased": {"org": org, "subject": subject}, "salt": to_base64url(salt(f"erased {n}"))}


class Log:
    """A log of entries under an origin, signed by all of its keys, cosigned by its witnesses."""

    def __init__(self, origin: str = ORIGIN, keys: Optional[Sequence[Key]] = None, witnesses: Sequence[Key] = ()) -> None:
        self.origin = origin
        self.keys = [Key(origin, 1)] if keys is None else list(keys)
        self.witnesses = list(witnesses)
        self.entries: List[Dict[str, Any]] = []
        self.leaves: List[bytes] = []

    def append(self, body: Dict[str, Any], signatures: Sequence[Dict[str, str]] = ()) -> int:
        entry = {"body": body, "signatures": list(signatures)}
        self.entries.append(entry)
        self.leaves.append(sha256(b"\x00" + canonical_bytes(entry)))
        return len(self.entries) - 1

    def extend(self, bodies: Iterable[Dict[str, Any]]) -> "Log":
        for body in bodies:
            self.append(body)
        return self

    def text(self, size: Optional[int] = None) -> str:
        count = len(self.leaves) if size is None else size
        return f"{self.origin}\n{count}\n{to_base64(tree_root(self.leaves[:count]))}\n"

    def note(self, size: Optional[int] = None) -> str:
        text = self.text(size)
        lines = [key.line(text) for key in self.keys]
        cosigned = [key.cosign(text, 1_767_323_045 + n) for n, key in enumerate(self.witnesses)]
        return f"{text}\n{''.join(lines + cosigned)}"

    def members(self, index: int, size: Optional[int] = None, **more: Any) -> Dict[str, Any]:
        count = len(self.leaves) if size is None else size
        return {
            "type": "countersign.bundle.v1",
            "entry": self.entries[index],
            "index": index,
            "proof": [to_base64(item) for item in inclusion_path(index, self.leaves[:count])],
            "checkpoint": self.note(count),
            **more,
        }

    def bundle(self, index: int, size: Optional[int] = None, **more: Any) -> bytes:
        return bundle_bytes(self.members(index, size, **more))

    def bundles(self) -> List[bytes]:
        return [self.bundle(index) for index in range(len(self.entries))]

    def consistency(self, old_size: int, new_size: int, **changes: Any) -> bytes:
        path = consistency_path(old_size, self.leaves[:new_size]) if old_size <= new_size else []
        file = {"type": "countersign.consistency.v1", "old": self.note(old_size), "new": self.note(new_size)}
        return canonical_bytes({**file, "proof": [to_base64(item) for item in path], **changes})


def digest_of(members: Dict[str, Any]) -> str:
    return sha256(canonical_bytes({name: value for name, value in members.items() if name != "digest"})).hex()


def bundle_bytes(members: Dict[str, Any]) -> bytes:
    """With a digest where there must be one."""
    lines = members["checkpoint"].partition("\n\n")[2].count("\n")
    return canonical_bytes({**members, "digest": digest_of(members)} if lines > 1 and "digest" not in members else members)


def full_session() -> Tuple[Log, List[bytes]]:
    """A receipt with its outcome, one that awaits none, and the end; everything disclosed."""
    chain = Chain()
    chain.receipt(1, "2026-01-02T03:05:05.678Z")
    chain.outcome(2, uuid(1))
    chain.receipt(3)
    chain.end(4)
    log = Log().extend(chain.bodies)
    documents = {"policy": POLICY, "rules": RULES}
    return log, [
        log.bundle(0, inputs=receipt_inputs(1), documents=documents),
        log.bundle(1, inputs=outcome_inputs(2)),
        log.bundle(2, inputs=receipt_inputs(3), documents=documents),
        log.bundle(3),
    ]
