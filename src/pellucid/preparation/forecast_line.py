"""The line that a network for forecasts begins with: ridge regression towards persistence.

For inputs ``x`` [N, F], targets ``z`` and last values ``z_last`` (both [N], in one unit) it minimises

    Σ (z − z_last − c − d · x)² + λ N |d|²        with x standardised

so that a large λ forecasts the last value plus a constant. The validation rows choose λ (Hoerl & Kennard 1970).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Line", "fit_line"]

Array = NDArray[Any]

_PENALTIES: tuple[float, ...] = tuple(10.0 ** (k / 2) for k in range(-10, 3))
_FEWEST = 5  # rows that choose


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """``z_last + change · x + constant``, and which penalty was chosen."""

    change: Array
    constant: float
    penalty: float

    def answers(self, x: Array, last: Array) -> Array:
        """The forecasts ``[N]``."""
        found: Array = last + x @ self.change + self.constant
        return found


def fit_line(x: Array, z: Array, last: Array, *, held: tuple[Array, Array, Array]) -> Line:
    """Fit the line to training rows; ``held`` are ``x``, ``z`` and ``last`` of the rows that choose the penalty.

    Without enough of them, the last fifth of the training rows chooses, and the line is fitted to all.

    Parameters
    ----------
    x, z, last
        ``[N, F]`` inputs, ``[N]`` targets and last values of the training rows, in time order.
    held
        The same of rows that come later.

    >>> line = fit_line(np.eye(3)[[0, 1, 2] * 9], np.ones(27), np.zeros(27), held=(np.eye(3), np.ones(3), np.zeros(3)))
    >>> line.answers(np.eye(3), np.zeros(3)).round(6).tolist()
    [1.0, 1.0, 1.0]
    """
    if len(held[0]) < _FEWEST <= len(x) // _FEWEST:
        cut = len(x) - len(x) // 5
        penalty = _chosen(x[:cut], (z - last)[:cut], x[cut:], (z - last)[cut:])
    elif len(held[0]) < _FEWEST:
        penalty = _PENALTIES[-1]
    else:
        penalty = _chosen(x, z - last, held[0], held[1] - held[2])
    change, constant = _fitted(x, z - last, (penalty,))[0]
    return Line(change=change, constant=constant, penalty=penalty)


def _chosen(x: Array, change: Array, held: Array, wanted: Array) -> float:
    errors = [float(np.mean((held @ d + c - wanted) ** 2)) for d, c in _fitted(x, change, _PENALTIES)]
    return float(_PENALTIES[int(np.argmin(errors))])


def _fitted(x: Array, change: Array, penalties: tuple[float, ...]) -> list[tuple[Array, float]]:
    """The line for each penalty, by one singular value decomposition."""
    x = np.asarray(x, dtype=np.float64)
    centre, spread = x.mean(axis=0), x.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    u, s, v = np.linalg.svd((x - centre) / spread, full_matrices=False)
    along = u.T @ (change - change.mean())
    found = []
    for penalty in penalties:
        d = (v.T @ (along * s / (s**2 + penalty * len(x)))) / spread
        found.append((d, float(change.mean() - centre @ d)))
    return found
