"""The form of parsed JSON: closed objects, bounded lists, exact texts. A form gives None, or what is wrong and where."""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, NamedTuple, Optional

from .json_reader import pointer, utf16_length
from .limits import COUNT_MAX


class FormFault(NamedTuple):
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.message} at {self.path or 'the top'}"


Form = Callable[[Any, str], Optional[FormFault]]


def anything(_value: Any, _path: str) -> Optional[FormFault]:
    return None


def text(chars_max: int) -> Form:
    """A text of at most so many UTF-16 code units."""

    def check(value: Any, path: str) -> Optional[FormFault]:
        if isinstance(value, str) and utf16_length(value) <= chars_max:
            return None
        return FormFault(path, f"not a text of at most {chars_max} characters")

    return check


def matching(pattern: str, what: str) -> Form:
    """A text that is, from end to end, of a pattern of fixed or bounded length."""
    compiled = re.compile(pattern)

    def check(value: Any, path: str) -> Optional[FormFault]:
        return None if isinstance(value, str) and compiled.fullmatch(value) else FormFault(path, f"not {what}")

    return check


def one_of(*values: str) -> Form:
    def check(value: Any, path: str) -> Optional[FormFault]:
        return None if isinstance(value, str) and value in values else FormFault(path, f"not one of {', '.join(values)}")

    return check


def count(most: int = COUNT_MAX) -> Form:
    """A whole number from 0 on. Python's bool is an int and is no number here."""

    def check(value: Any, path: str) -> Optional[FormFault]:
        if type(value) is int and 0 <= value <= most:
            return None
        return FormFault(path, f"not a whole number from 0 to {most}")

    return check


def or_null(form: Form) -> Form:
    return lambda value, path: None if value is None else form(value, path)


def list_of(form: Form, most: int, least: int = 0) -> Form:
    def check(value: Any, path: str) -> Optional[FormFault]:
        if not isinstance(value, list) or not least <= len(value) <= most:
            return FormFault(path, f"not a list of {least} to {most}")
        for index, item in enumerate(value):
            fault = form(item, pointer(path, index))
            if fault is not None:
                return fault
        return None

    return check


def closed(required: Dict[str, Form], optional: Optional[Dict[str, Form]] = None) -> Form:
    """An object with all members of `required`, any of `optional`, and no other."""
    forms = {**required, **(optional or {})}

    def check(value: Any, path: str) -> Optional[FormFault]:
        if not isinstance(value, dict):
            return FormFault(path, "not an object")
        for name in required:
            if name not in value:
                return FormFault(pointer(path, name), "missing")
        for name, member in value.items():
            form = forms.get(name)
            if form is None:
                return FormFault(pointer(path, name), "an unknown member")
            fault = form(member, pointer(path, name))
            if fault is not None:
                return fault
        return None

    return check


def first_that_fits(*forms: Form) -> Form:
    def check(value: Any, path: str) -> Optional[FormFault]:
        fault: Optional[FormFault] = None
        for form in forms:
            fault = form(value, path)
            if fault is None:
                return None
        return fault

    return check
