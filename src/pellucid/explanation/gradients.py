"""Integrated gradients of a row: the gradient of the answer, integrated along the line from a reference to the row.

Sundararajan, Taly & Yan 2017: IGⱼ = (xⱼ − x′ⱼ) ∫₀¹ ∂f/∂xⱼ (x′ + α (x − x′)) dα. The values sum to f(x) − f(x′)
(completeness); the gap is the error of a sum over finitely many points.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["POINTS", "IntegratedGradients", "integrated_gradients"]

Array = NDArray[Any]
Slopes = Callable[[Array], tuple[Array, Array]]

_NUMBERS_AT_ONCE = 1 << 21  # points × features: large images do not fit into memory at once
POINTS = (32, 64, 128, 256, 512, 1024)


@dataclass(frozen=True, kw_only=True, eq=False)
class IntegratedGradients:
    """What each feature adds to the answer.

    Attributes
    ----------
    values
        ``[F]``, in the unit of the answer.
    reference, answer
        The answer for the reference and for the row.
    points
        The number of points on the line at which the gradient was taken.
    """

    values: Array
    reference: float
    answer: float
    points: int

    @property
    def gap(self) -> float:
        """The answer minus that of the reference, minus the sum of the values: 0 if they are complete."""
        return self.answer - self.reference - float(self.values.sum())

    def to_json(self) -> dict[str, Any]:
        """How complete the values are, as plain JSON values; the values themselves belong to columns or pixels."""
        return {"reference": self.reference, "answer": self.answer, "gap": self.gap, "points": self.points}


def integrated_gradients(
    slopes: Slopes, row: Array, reference: Array, *, tolerance: float = 1e-3, numbers: Sequence[int] = POINTS
) -> IntegratedGradients:
    """Integrate along the straight line from a reference to a row.

    Parameters
    ----------
    slopes
        Maps features ``[M, F]`` to the answers ``[M]`` and their gradients ``[M, F]``.
    row, reference
        The features ``[F]`` at both ends.
    tolerance
        More points are taken until the gap is below this share of the answers' difference.
    numbers
        How many points are tried, one after the other: by default they are doubled from 32 to 1,024.

    >>> import numpy as np
    >>> square = lambda x: ((x**2).sum(axis=1), 2 * x)
    >>> integrated_gradients(square, np.array([3.0, 1.0]), np.zeros(2)).values.round(6)
    array([9., 1.])
    """
    ends, _ = slopes(np.stack([reference, row]))
    whole = float(ends[1] - ends[0])
    for points in numbers:
        places, shares = np.polynomial.legendre.leggauss(points)
        along, total = (places + 1) / 2, np.zeros(len(row))  # [P], from −1…1 to 0…1
        at_once = max(1, _NUMBERS_AT_ONCE // max(len(row), 1))
        for i in range(0, points, at_once):
            _, gradients = slopes(reference + along[i : i + at_once, np.newaxis] * (row - reference))  # [≤ P, F]
            total += shares[i : i + at_once] / 2 @ gradients
        values = (row - reference) * total
        found = IntegratedGradients(values=values, reference=float(ends[0]), answer=float(ends[1]), points=points)
        if abs(found.gap) <= tolerance * max(abs(whole), 1e-9):
            break
    return found
