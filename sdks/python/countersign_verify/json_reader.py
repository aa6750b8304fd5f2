"""A strict JSON reader: RFC 8259 and I-JSON, without anything that parsers are known to disagree on.

Total: the answer is a value or a fault. It does not recurse, and looks at every character a constant number of times.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, NamedTuple, NoReturn, Optional, Tuple, Union

from .json_number import read_number
from .limits import EXACT_POINTERS_CHARS_MAX, FAULT_PATH_CHARS_MAX, JSON_BYTES_MAX, JSON_DEPTH_MAX, JSON_NODES_MAX

_SPACE = re.compile(r"[ \t\n\r]*")
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_DIGITS = re.compile(r"[0-9]*")
_HEX4 = re.compile(r"[0-9a-fA-F]{4}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SHORT_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS = {"t": ("true", True), "f": ("false", False), "n": ("null", None)}
#: Digits that a double always holds.
_SAFE_DIGITS = 15


class JsonLimits(NamedTuple):
    """UTF-8 bytes, nested containers, values and keys."""

    bytes_max: int = JSON_BYTES_MAX
    depth_max: int = JSON_DEPTH_MAX
    nodes_max: int = JSON_NODES_MAX


_DEFAULT_LIMITS = JsonLimits()


class JsonFault(NamedTuple):
    """Why a text was refused, and where: a JSON pointer and a half-open span (bytes of bytes, UTF-16 units of text)."""

    code: str
    message: str
    path: str
    span: Tuple[int, int]


class ParsedJson(NamedTuple):
    """`exact_numbers` are the pointers of numbers that no double holds; `value` has their literal as a string there."""

    value: Any
    exact_numbers: List[str]


class _Refused(Exception):
    """Carries a fault out of the reader; never leaves this module."""

    def __init__(self, fault: JsonFault) -> None:
        super().__init__(fault.code)
        self.fault = fault


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units, in which every limit on characters is counted."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def pointer(path: str, step: Union[str, int]) -> str:
    """One step of a JSON pointer (RFC 6901) more."""
    return f"{path}/{str(step).replace('~', '~0').replace('/', '~1')}"


class _Reader:
    def __init__(self, text: str, limits: JsonLimits) -> None:
        self.text = text
        self.limits = limits
        self.at = 0
        self.nodes = 0
        #: Key or index at each level; None while a key is read, so that a fault names the object.
        self.steps: List[Union[str, int, None]] = []
        self.exact_numbers: List[str] = []
        self.exact_chars = 0

    def fail(self, code: str, message: str, start: int) -> NoReturn:
        path = ""
        for step in self.steps:
            if step is None or len(path) > FAULT_PATH_CHARS_MAX:
                break
            path = pointer(path, step[:FAULT_PATH_CHARS_MAX] if isinstance(step, str) else step)
        if len(path) > FAULT_PATH_CHARS_MAX:
            path = path[:FAULT_PATH_CHARS_MAX] + "…"
        end = max(self.at, min(start + 1, len(self.text)))
        raise _Refused(JsonFault(code, message, path, (start, end)))

    def unexpected(self, wanted: str) -> NoReturn:
        if self.at >= len(self.text):
            self.fail("json_unexpected_end", f"the text ends where {wanted} should be", self.at)
        self.fail("json_syntax", f"U+{ord(self.text[self.at]):04X} stands where {wanted} should be", self.at)

    def skip_space(self) -> str:
        """The next character that is no white space; empty at the end."""
        match = _SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.text[self.at : self.at + 1]

    def count_node(self) -> None:
        self.nodes += 1
        if self.nodes > self.limits.nodes_max:
            self.fail("json_too_many_nodes", f"more than {self.limits.nodes_max} values and keys", self.at)

    def read_document(self) -> Any:
        self.skip_space()
        open_containers: List[Any] = []
        while True:
            value = self.read_value_start(open_containers)
            if value is open_containers:
                continue
            value, more = self.close_all(value, open_containers)
            if not more:
                break
        if self.skip_space() != "":
            self.fail("json_trailing_text", "text behind the end of the value", self.at)
        return value

    def read_value_start(self, open_containers: List[Any]) -> Any:
        """A scalar or an empty container; or `open_containers` itself after a container with content was opened."""
        self.count_node()
        first = self.text[self.at : self.at + 1]
        if first not in ("{", "["):
            return self.read_scalar(first)
        if len(self.steps) >= self.limits.depth_max:
            self.fail("json_too_deep", f"nested deeper than {self.limits.depth_max}", self.at)
        self.at += 1
        container: Any = {} if first == "{" else []
        self.steps.append(None if first == "{" else 0)
        if self.skip_space() == ("}" if first == "{" else "]"):
            self.at += 1
            self.steps.pop()
            return container
        if first == "{":
            self.read_key(container)
        open_containers.append(container)
        return open_containers

    def close_all(self, value: Any, open_containers: List[Any]) -> Tuple[Any, bool]:
        """Puts a value where it belongs, and closes what ends here. True: another value follows."""
        while open_containers:
            container = open_containers[-1]
            is_object = isinstance(container, dict)
            if is_object:
                container[self.steps[-1]] = value
            else:
                container.append(value)
            following = self.skip_space()
            if following == ",":
                self.at += 1
                self.skip_space()
                if is_object:
                    self.read_key(container)
                else:
                    self.steps[-1] = len(container)
                return None, True
            if following != ("}" if is_object else "]"):
                self.unexpected("a comma or the closing bracket")
            self.at += 1
            self.steps.pop()
            value = open_containers.pop()
        return value, False

    def read_key(self, container: Dict[str, Any]) -> None:
        self.count_node()
        self.steps[-1] = None
        start = self.at
        if self.text[start : start + 1] != '"':
            self.unexpected("a key in quotes")
        key = self.read_string()
        self.steps[-1] = key
        if key == "__proto__":
            self.fail("json_forbidden_key", "the key __proto__ is not accepted", start)
        if key in container:
            self.fail("json_duplicate_key", "a key is there twice in one object", start)
        if self.skip_space() != ":":
            self.unexpected("a colon")
        self.at += 1
        self.skip_space()

    def read_scalar(self, first: str) -> Any:
        if first == '"':
            return self.read_string()
        if first == "-" or (first != "" and first in "0123456789"):
            return self.read_number()
        word, value = _WORDS.get(first, ("", None))
        if word == "" or not self.text.startswith(word, self.at):
            self.unexpected("a value")
        self.at += len(word)
        return value

    def read_string(self) -> str:
        text, open_quote = self.text, self.at
        parts: List[str] = []
        lone = False
        at = open_quote + 1
        while True:
            match = _PLAIN.match(text, at)
            end = match.end() if match else at
            parts.append(text[at:end])
            mark = text[end : end + 1]
            if mark == '"':
                break
            if mark != "\\":
                self.at = end
                if mark == "":
                    self.fail("json_unexpected_end", "a string is not closed", end)
                self.fail("json_control_character", f"U+{ord(mark):04X} stands raw in a string", end)
            at, piece = self.read_escape(end)
            parts.append(piece)
            lone = lone or "\ud800" <= piece <= "\udfff"
        self.at = end + 1
        if lone:
            self.fail("json_lone_surrogate", "an escape is one half of a surrogate pair", open_quote)
        return "".join(parts)

    def read_escape(self, at: int) -> Tuple[int, str]:
        """Where the escape ends and what it stands for; a surrogate that has no partner is handed back as it is."""
        kind = self.text[at + 1 : at + 2]
        if kind in _SHORT_ESCAPES:
            return at + 2, _SHORT_ESCAPES[kind]
        unit = self.escaped_unit(at)
        if unit is None:
            self.at = at
            self.fail("json_bad_escape", "an escape that JSON does not have", at)
        if 0xD800 <= unit < 0xDC00:
            low = self.escaped_unit(at + 6)
            if low is not None and 0xDC00 <= low < 0xE000:
                return at + 12, chr(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00))
        return at + 6, chr(unit)

    def escaped_unit(self, at: int) -> Optional[int]:
        if not self.text.startswith("\\u", at):
            return None
        match = _HEX4.match(self.text, at + 2)
        return int(match.group(), 16) if match else None

    def skip_digits(self) -> int:
        match = _DIGITS.match(self.text, self.at)
        end = match.end() if match else self.at
        count, self.at = end - self.at, end
        return count

    def read_number(self) -> Union[int, float, str]:
        text, start = self.text, self.at
        if text[start] == "-":
            self.at += 1
        first = self.at
        digits = self.skip_digits()
        if digits == 0:
            self.fail("json_bad_number", "a digit must follow the minus sign", start)
        if digits > 1 and text[first] == "0":
            self.fail("json_bad_number", "a number must not begin with 0", start)
        whole = True
        if text[self.at : self.at + 1] == ".":
            whole = False
            self.at += 1
            if self.skip_digits() == 0:
                self.fail("json_bad_number", "a digit must follow the point", start)
        if text[self.at : self.at + 1] in ("e", "E"):
            whole = False
            self.at += 1
            if text[self.at : self.at + 1] in ("+", "-"):
                self.at += 1
            if self.skip_digits() == 0:
                self.fail("json_bad_number", "a digit must follow the exponent mark", start)
        literal = text[start : self.at]
        if whole and digits <= _SAFE_DIGITS:
            return int(literal)
        value = read_number(literal)
        return self.keep_literal(literal, start) if value is None else value

    def keep_literal(self, literal: str, start: int) -> str:
        self.exact_chars += 1 + sum(1 + (utf16_length(step) if isinstance(step, str) else len(str(step))) for step in self.steps)
        if self.exact_chars > EXACT_POINTERS_CHARS_MAX:
            self.fail("json_too_many_exact_numbers", "too many numbers that a double cannot hold", start)
        path = ""
        for step in self.steps:
            path = pointer(path, "" if step is None else step)
        self.exact_numbers.append(path)
        return literal


def _decode(source: Union[bytes, str], bytes_max: int) -> Union[str, JsonFault]:
    if isinstance(source, bytes):
        if len(source) > bytes_max:
            return JsonFault("json_too_large", f"longer than {bytes_max} bytes", "", (0, 0))
        try:
            return source.decode("utf-8")
        except UnicodeDecodeError as error:
            return JsonFault("json_invalid_utf8", "bytes that are not UTF-8", "", (error.start, error.start + 1))
    if len(source) > bytes_max or len(source.encode("utf-8", "surrogatepass")) > bytes_max:
        return JsonFault("json_too_large", f"longer than {bytes_max} bytes", "", (0, 0))
    lone = _SURROGATE.search(source)
    if lone is None:
        return source
    at = utf16_length(source[: lone.start()])
    return JsonFault("json_lone_surrogate", "half of a surrogate pair stands alone", "", (at, at + 1))


def read_json(source: Union[bytes, str], limits: JsonLimits = _DEFAULT_LIMITS) -> Union[ParsedJson, JsonFault]:
    """One JSON value from a whole document."""
    text = _decode(source, limits.bytes_max)
    if isinstance(text, JsonFault):
        return text

    def measure(part: str) -> int:
        return len(part.encode("utf-8")) if isinstance(source, bytes) else utf16_length(part)

    if text.startswith("\ufeff"):
        return JsonFault("json_bom", "a byte order mark stands before the value", "", (0, measure("\ufeff")))
    reader = _Reader(text, limits)
    try:
        value = reader.read_document()
    except _Refused as refused:
        start, end = refused.fault.span
        first = measure(text[:start])
        return refused.fault._replace(span=(first, first + measure(text[start:end])))
    return ParsedJson(value, reader.exact_numbers)
