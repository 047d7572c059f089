"""Numbers as people read them: whole where they are large, one precision for what stands together, no stray zeros.

>>> numeral(556580.0), numeral(0.123456), numeral(-2.5), numeral(1.87e-06, beside=3.0)
('556,580', '0.1235', '−2.5', '0')
"""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["numeral", "numerals"]

_MOST_WHOLE = 1e15  # larger numbers are not known to the last digit
_LEAST = 1e-4  # smaller ones are told by their power of ten
_MOST_DECIMALS = 6
_ABOUT_ONE = 2.0
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def numeral(value: float | None, digits: int = 4, *, beside: float | None = None) -> str:
    """One number with so many significant digits; whole numbers keep all of theirs.

    Parameters
    ----------
    beside
        The size of what it is read beside: a number that is nothing beside it (less than 10⁻⁵ of it) is 0.

    >>> numeral(1234.5678), numeral(0.5), numeral(1.87e-06), numeral(float("nan")), numeral(2.5e20)
    ('1,235', '0.5', '1.87 × 10⁻⁶', '—', '2.5 × 10²⁰')
    """
    if value is None or math.isnan(value):
        return "—"
    value = float(value)
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0 or (beside is not None and abs(value) < 1e-5 * abs(beside)):
        return "0"
    if not _LEAST <= abs(value) < _MOST_WHOLE:
        return _by_power(value, digits)
    return _without_zeros(_fixed(value, _decimals(abs(value), digits)))


def numerals(values: Sequence[float | None], digits: int = 4) -> list[str]:
    """Numbers that stand together, in a column or as an interval, with one precision: that of the largest.

    >>> numerals([184.6, 6.8804, -0.00004]), numerals([0.96667, 0.5]), numerals([1.2e-07, 3.4e-08])
    (['184.6', '6.9', '0.0'], ['0.9667', '0.5000'], ['1.2 × 10⁻⁷', '3.4 × 10⁻⁸'])
    """
    sizes = [abs(v) for v in values if v is not None and math.isfinite(v) and v]
    if not sizes or not _LEAST <= max(sizes) < _MOST_WHOLE:
        return [numeral(v, digits) for v in values]
    # Shares and what is about 1 have one precision, whether the largest is 0.05 or 1.
    decimals = digits if max(sizes) < _ABOUT_ONE else _decimals(max(sizes), digits)
    return [_fixed(float(v), decimals) if v is not None and math.isfinite(v) else numeral(v) for v in values]


def _decimals(size: float, digits: int) -> int:
    return min(max(digits - 1 - math.floor(math.log10(size)), 0), _MOST_DECIMALS + digits)


def _fixed(value: float, decimals: int) -> str:
    text = f"{value:,.{decimals}f}"
    if text.startswith("-") and not text.strip("-0.,"):  # −0.00 is 0.00
        text = text[1:]
    return text.replace("-", "−")


def _without_zeros(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _by_power(value: float, digits: int) -> str:
    mantissa, power = f"{value:.{digits - 1}e}".split("e")
    return f"{_without_zeros(mantissa)} × 10{str(int(power)).translate(_RAISED)}".replace("-", "−")
