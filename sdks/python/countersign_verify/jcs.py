"""RFC 8785 (JCS): one text for one JSON value. It does not recurse."""

from __future__ import annotations

import re
from typing import Any, Dict, Iterator, List, Tuple

from .json_number import number_text

_ESCAPED = re.compile(r'[\x00-\x1f"\\]')
_SURROGATE = re.compile("[\ud800-\udfff]")
_SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _escape(match: "re.Match[str]") -> str:
    char = match.group()
    return _SHORT.get(char) or f"\\u{ord(char):04x}"


def _quote(text: str) -> str:
    if not text.isascii() and _SURROGATE.search(text):
        raise ValueError("a text with half of a surrogate pair")
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _sorted_keys(value: Dict[str, Any]) -> List[str]:
    """By UTF-16 code units, which differ from code points above U+FFFF."""
    if not all(isinstance(key, str) for key in value):
        raise ValueError("a key that is no text")
    if all(key.isascii() for key in value):
        return sorted(value)
    return sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))


def _members(value: Dict[str, Any]) -> Iterator[Tuple[str, Any]]:
    comma = ""
    for key in _sorted_keys(value):
        yield f"{comma}{_quote(key)}:", value[key]
        comma = ","


def _items(value: List[Any]) -> Iterator[Tuple[str, Any]]:
    comma = ""
    for item in value:
        yield comma, item
        comma = ","


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _quote(value)
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, (int, float)):
        return number_text(value)
    raise ValueError(f"no JSON value: {type(value).__name__}")


def canonicalize(value: Any) -> str:
    """The canonical text. Raises ValueError for what is no JSON value; nothing that `read_json` gave is refused."""
    parts: List[str] = []
    levels: List[Tuple[Iterator[Tuple[str, Any]], str]] = [(iter((("", value),)), "")]
    while levels:
        items, closing = levels[-1]
        following = next(items, None)
        if following is None:
            parts.append(closing)
            levels.pop()
            continue
        prefix, inner = following
        parts.append(prefix)
        if isinstance(inner, dict):
            parts.append("{")
            levels.append((_members(inner), "}"))
        elif isinstance(inner, list):
            parts.append("[")
            levels.append((_items(inner), "]"))
        else:
            parts.append(_scalar(inner))
    return "".join(parts)


def canonical_bytes(value: Any) -> bytes:
    """The UTF-8 bytes of the canonical text: what is hashed and signed."""
    return canonicalize(value).encode("utf-8")
