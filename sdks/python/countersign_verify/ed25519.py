"""Ed25519 (RFC 8032). Whatever is wrong with a key or a signature, the answer is no."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .encoding import sha256_hex

PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64


def key_id_of(public_key: bytes) -> str:
    """The name of a public key in entries: the first 16 hex digits of its SHA-256."""
    return sha256_hex(public_key)[:16]


def holds(public_key: bytes, message: bytes, signature: bytes) -> bool:
    if len(public_key) != PUBLIC_KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
