"""Numbers: the text that ECMAScript gives a double (RFC 8785, section 3.2.2.3), and whether a double holds a literal exactly."""

from __future__ import annotations

import math
from typing import Tuple, Union

#: Beyond this many digits an exponent is out of any double's reach, whatever the mantissa of a text that fits in memory.
_EXPONENT_DIGITS_MAX = 18


def _digits_and_point(value: float) -> Tuple[str, int]:
    """Shortest digits d1..dk and n with value = 0.d1..dk * 10^n, for a positive double. `repr` gives the digits ECMAScript asks for."""
    mantissa, _, exponent = repr(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = whole + fraction
    point = len(whole) + (int(exponent) if exponent else 0)
    stripped = digits.lstrip("0")
    point -= len(digits) - len(stripped)
    return stripped.rstrip("0"), point


def number_text(value: Union[int, float]) -> str:
    """The canonical text. Raises ValueError for what no JSON number is: NaN, an infinity, or an integer that no double holds."""
    if isinstance(value, int):
        if -(2**53) <= value <= 2**53:
            return str(value)
        try:
            held = float(value)
        except OverflowError:
            raise ValueError("an integer that no double holds") from None
        if held != value:
            raise ValueError("an integer that no double holds")
        value = held
    if not math.isfinite(value):
        raise ValueError("not a finite number")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    digits, point = _digits_and_point(abs(value))
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    power = point - 1
    tail = f".{digits[1:]}" if count > 1 else ""
    return f"{sign}{digits[0]}{tail}e{'+' if power > 0 else '-'}{abs(power)}"


def _exponent_of(text: str) -> int:
    """The exponent of a literal, cut off where it is past any double; never a conversion of more than 18 digits."""
    negative = text.startswith("-")
    digits = text.lstrip("+-").lstrip("0")
    if len(digits) > _EXPONENT_DIGITS_MAX:
        digits = "9" * _EXPONENT_DIGITS_MAX
    power = int(digits or "0")
    return -power if negative else power


def _decimal_of(literal: str) -> Tuple[str, int]:
    """Significant digits without zeros at either end, and the power of ten of the last one. Zero has no digits."""
    mantissa, _, exponent = literal.lower().partition("e")
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    digits = whole + fraction
    cut = digits.rstrip("0")
    scale = _exponent_of(exponent) - len(fraction) + len(digits) - len(cut)
    return cut.lstrip("0"), scale


def is_exact(literal: str, value: float) -> bool:
    """Whether the double read from a literal, written again, names the same decimal value."""
    wanted, wanted_scale = _decimal_of(literal)
    if wanted == "":
        return True
    if value == 0 or not math.isfinite(value):
        return False
    return (wanted, wanted_scale) == _decimal_of(number_text(value))


def read_number(literal: str) -> Union[int, float, None]:
    """The value of a literal of JSON's grammar; None where no double holds it. Whole numbers below 2^53 become int, -0 becomes 0."""
    value = float(literal)
    if not is_exact(literal, value):
        return None
    if value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value
