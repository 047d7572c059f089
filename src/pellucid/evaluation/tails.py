"""Leave room for errors larger than any that were seen.

Large errors are rare and dominate a mean, and resampling cannot draw an error larger than all observed ones. The upper
end of an interval therefore leaves room for them: if ``n`` rows show no larger error, a share of −log(0.025) / n of
such rows is still possible, and their average size follows from the spacing of the largest observed errors (Hill 1975).

``N`` rows.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.evaluation.bootstrap import LEVEL

__all__ = ["UNSEEN", "lopsided", "room_above"]

UNSEEN = -math.log((1 - LEVEL) / 2)  # how many rows of a kind may be expected in as many as show none
_HEAVIEST, _HEAVIER = 0.75, 0.9  # of the tail's index; at 1 there is no mean
_FEW, _LOPSIDED = 50, 0.4


def room_above(losses: NDArray[Any], *, most: float = math.inf, skewed: bool = False) -> float:
    """How large the mean of the losses ``[N]`` may be if larger losses were missed by chance.

    Parameters
    ----------
    losses
        Not negative; for groups their sums, so that their mean is the mean of rows.
    most
        The largest possible loss.
    skewed
        Whether to expect heavier tails than usual (`lopsided`).

    >>> round(room_above(np.array([1.0] * 99 + [10.0])), 2)
    1.52
    """
    n, largest = len(losses), float(losses.max())
    if n < 4 or largest <= 0:
        return math.inf if largest > 0 else math.nan
    heaviest = _HEAVIER if skewed else _HEAVIEST
    k = min(n - 2, max(4, math.isqrt(n)))
    top = np.sort(losses)[-k - 1 :]
    index = float(np.log(top[1:] / top[0]).mean()) * (1 + 1 / math.sqrt(k)) if top[0] > 0 else heaviest
    larger = min(most, largest / (1 - min(heaviest, index)))
    return (float(losses.sum()) - largest + min(UNSEEN, n) * larger) / n


def lopsided(errors: NDArray[Any]) -> bool:
    """Whether the errors are skewed, and so few that larger ones may have been missed.

    This uses Bowley's skewness with the 10th and 90th percentiles, which a single odd row does not change; it is 0 for
    symmetric errors and 0.57 for lognormal ones.

    >>> lopsided(np.linspace(-1, 1, 20)), lopsided(np.exp(np.linspace(-2, 2, 20))), lopsided(np.ones(20))
    (False, True, False)
    """
    if len(errors) >= _FEW:
        return False
    low, middle, high = np.quantile(errors, [0.1, 0.5, 0.9])
    width = float(high - low)
    return bool(width > 0 and abs(float(high + low - 2 * middle)) > _LOPSIDED * width)
