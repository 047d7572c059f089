"""From times to medians, the middle half and ratios."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

__all__ = ["median_ratio", "middle_half", "number", "times"]


def middle_half(values: Sequence[float]) -> tuple[float, float]:
    """Between which values the middle half lies; one value is its own.

    >>> middle_half([1, 2, 3, 4, 5])
    (2.0, 4.0)
    """
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


def median_ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """The median of the ratios round by round: what slows a whole round down does not enter.

    >>> median_ratio([2, 40, 6], [1, 10, 3])
    2.0
    """
    return statistics.median(a / b for a, b in zip(numerators, denominators, strict=True))


def number(value: float) -> str:
    """Three digits that count, thousands parted.

    >>> number(0.01234), number(12.34), number(12_345.6)
    ('0.0123', '12.3', '12,346')
    """
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value else "0"


def times(values: Sequence[float]) -> str:
    """The median, with the middle half in brackets.

    >>> times([1, 2, 3, 4, 5])
    '3 (2–4)'
    """
    low, high = middle_half(values)
    return f"{number(statistics.median(values))} ({number(low)}–{number(high)})"
