"""Base64 and base64url (RFC 4648) with one text for one byte sequence, and SHA-256."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import Optional

_URL_ALPHABET = re.compile(r"[A-Za-z0-9_-]*")


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def sha256_hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def to_base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def from_base64(text: str) -> Optional[bytes]:
    """The bytes; None for other characters, missing padding, or trailing bits that are not zero. Encoding again shows all of these."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if to_base64(data) == text else None


def from_base64url(text: str) -> Optional[bytes]:
    """The bytes; None for padding, other characters, impossible lengths, or trailing bits that are not zero."""
    if not _URL_ALPHABET.fullmatch(text):
        return None
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
    return data if to_base64url(data) == text else None
