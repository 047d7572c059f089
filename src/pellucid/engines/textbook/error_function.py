"""The error function, which NumPy lacks: erf(x) = 2/√π ∫₀ˣ e^(−t²) dt, to the last digits of float64.

Python's own erf gives its value and, by the formula, its derivatives at points 1/512 apart; between them, four terms of
the Taylor series about the nearest point are exact to rounding. That is many times as fast as a call for each number.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["erf"]

Array = NDArray[Any]

_A_UNIT = 512  # points
_LAST = 6  # beyond it erf is 1 to float64's last digit


def erf(x: Array) -> Array:
    """erf of each number, in float64; erf(±∞) is ±1, erf of NaN is NaN.

    >>> erf(np.array([0.0, 0.5, -7.0])).round(12).tolist()
    [0.0, 0.520499877813, -1.0]
    """
    x = np.clip(np.asarray(x, np.float64), -_LAST, _LAST)
    with np.errstate(invalid="ignore"):
        nearest = np.rint(x * _A_UNIT)
        at = np.where(np.isnan(nearest), 0, nearest).astype(np.int64) + _LAST * _A_UNIT
    d = x - nearest / _A_UNIT
    *most, last = _coefficients()
    value = last[at]
    for each in reversed(most):
        value = value * d + each[at]
    return value


@cache
def _coefficients() -> tuple[Array, ...]:
    """f, f′, f″/2, f‴/6, f⁗/24 at the points, with f′ = 2/√π e^(−x²), f″ = −2x f′, f‴ = (4x² − 2) f′, …."""
    x = np.arange(-_LAST * _A_UNIT, _LAST * _A_UNIT + 1) / _A_UNIT
    f = np.array([math.erf(each) for each in x])
    slope = 2 / math.sqrt(math.pi) * np.exp(-(x**2))
    return f, slope, -x * slope, (2 * x**2 - 1) / 3 * slope, (3 * x - 2 * x**3) / 6 * slope
