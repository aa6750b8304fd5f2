"""Ed25519 (RFC 8032, BNDL-016). Whatever is wrong with a key or a signature, the answer is no.

The edges where libraries differ are refused before the library is asked; its equation is the one without cofactor.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .encoding import sha256_hex

PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64
FIELD = 2**255 - 19
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
# y of the points whose order divides 8: orders 4, 1, 2, 8, 8. Each stands for the one or two points that have it.
SMALL_ORDER_Y = frozenset(
    (
        0,
        1,
        FIELD - 1,
        0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
        0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
    )
)


def key_id_of(public_key: bytes) -> str:
    """The name of a public key in entries: the first 16 hex digits of its SHA-256."""
    return sha256_hex(public_key)[:16]


def _is_strict_point(encoded: bytes) -> bool:
    y = int.from_bytes(encoded, "little") & ~(1 << 255)
    return y < FIELD and y not in SMALL_ORDER_Y


def _is_strict(public_key: bytes, signature: bytes) -> bool:
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    return s < GROUP_ORDER and _is_strict_point(r) and _is_strict_point(public_key)


def holds(public_key: bytes, message: bytes, signature: bytes) -> bool:
    if len(public_key) != PUBLIC_KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    if not _is_strict(public_key, signature):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
