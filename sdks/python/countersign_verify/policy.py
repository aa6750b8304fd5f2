"""Policies by hash and by signature, from spec/policy.md (POL-014, POL-120, POL-121)."""

from __future__ import annotations

import re
from typing import Any, Iterable, NamedTuple, Optional, Union

from .ed25519 import holds
from .encoding import sha256_hex
from .jcs import canonical_bytes
from .json_reader import JsonFault, JsonLimits, read_json

POLICY_BUNDLE_BYTES_MAX = 4_194_304
_HEX = re.compile(r"[0-9a-f]*\Z")


class PolicyBundle(NamedTuple):
    policy: Any
    hash: str
    signed_by: str


def policy_hash(resolved: Any) -> str:
    """Lower-case hex SHA-256 of the RFC 8785 form of a resolved policy."""
    return sha256_hex(canonical_bytes(resolved))


def _bytes(value: Any, length: int) -> Optional[bytes]:
    if not isinstance(value, str) or len(value) != 2 * length or not _HEX.match(value):
        return None
    return bytes.fromhex(value)


def verify_policy_bundle(source: bytes, pinned: Iterable[str]) -> Union[PolicyBundle, str]:
    """The policy of a signed bundle, or a code that says why it is not believed. Only pinned keys count."""
    if len(source) > POLICY_BUNDLE_BYTES_MAX:
        return "policy_bundle_too_large"
    parsed = read_json(source, JsonLimits(POLICY_BUNDLE_BYTES_MAX, 64, 200_000))
    if isinstance(parsed, JsonFault) or parsed.exact_numbers or not isinstance(parsed.value, dict):
        return "policy_bundle_malformed"
    envelope = parsed.value
    bundle = envelope.get("bundle")
    signature = _bytes(envelope.get("signature"), 64)
    if not isinstance(bundle, dict) or signature is None or not isinstance(bundle.get("policy"), dict):
        return "policy_bundle_malformed"
    message = canonical_bytes(bundle)
    keys = list(pinned)
    if not keys:
        return "policy_bundle_no_trust"
    found = [key for key in keys if (raw := _bytes(key, 32)) is not None and holds(raw, message, signature)]
    if not found:
        return "policy_bundle_signature"
    if envelope.get("public_key", found[0]) != found[0]:
        return "policy_bundle_key"
    digest = policy_hash(bundle["policy"])
    return PolicyBundle(bundle["policy"], digest, found[0]) if digest == bundle.get("policy_hash") else "policy_bundle_hash"
