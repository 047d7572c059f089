"""Room for errors that have not been seen.

Large errors are rare and carry most of a mean, and resampling cannot draw one that is larger than all that were seen.
The upper end of an interval therefore leaves room for them: that none was larger in ``n`` rows still allows a share of
−log(0.025) / n of such rows, and how large they are on average is told by how the largest ones are spaced (Hill 1975).

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
    """How large the mean of the losses ``[N]`` may be if larger ones than these have not been seen by chance.

    Parameters
    ----------
    losses
        Not negative; of groups, their sums, so that their mean is the mean of rows.
    most
        What a single loss can be at all.
    skewed
        Whether heavier tails than usual must be expected (`lopsided`).

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
    """Whether the errors are skewed, and so few that the larger ones may not have been seen at all.

    Bowley's skewness by the 10th and 90th percentile, which one odd row does not move; 0 for symmetric errors, 0.57
    for lognormal ones.

    >>> lopsided(np.linspace(-1, 1, 20)), lopsided(np.exp(np.linspace(-2, 2, 20))), lopsided(np.ones(20))
    (False, True, False)
    """
    if len(errors) >= _FEW:
        return False
    low, middle, high = np.quantile(errors, [0.1, 0.5, 0.9])
    width = float(high - low)
    return bool(width > 0 and abs(float(high + low - 2 * middle)) > _LOPSIDED * width)
