"""What the held-out rows decide after training: a temperature, a threshold, the width of an interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import SettingError, nearest

if TYPE_CHECKING:
    from pellucid.network.task import Loss
    from pellucid.training.loop import Rows

__all__ = ["THRESHOLD_METRICS", "HoldoutRows", "best_temperature", "best_threshold", "width_of_interval"]

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class HoldoutRows:
    """Rows that networks did not learn from.

    Parameters
    ----------
    rows, values
        What training sees of them, and their class numbers or numbers ``[N]`` (``None`` for an autoencoder).
    network
        ``[N]``, where the networks differ in what they were not shown: the one that did not learn from a row.
    """

    rows: Rows
    values: Array | None
    network: Array | None = None

    def of(self, k: int) -> Rows:
        """The rows that network ``k`` did not learn from."""
        return self.rows if self.network is None else self.rows.take(np.flatnonzero(self.network == k))

    def answers(self, each: Array) -> Array:
        """One answer a row, out of ``[K, N, …]``: the networks' mean, or that of the one which the row is new to."""
        return each.mean(axis=0) if self.network is None else each[self.network, np.arange(len(self.network))]


THRESHOLD_METRICS = ("accuracy", "balanced_accuracy", "f1")
_COLDEST, _HOTTEST = math.log(0.05), math.log(20.0)
_SHRINKS = 40  # the bracket is then 4e-9 of what it was


def best_temperature(loss: Loss, logits: Array, rows: Rows) -> float:
    """The T from 0.05 to 20 with the lowest loss of ``logits / T`` on these rows (Guo et al. 2017).

    The loss has a single minimum in log T, which a golden-section search finds.
    """
    from pellucid.engines.textbook.losses import loss_and_gradient

    def at(log_t: float) -> float:
        return float(loss_and_gradient(loss, logits / math.exp(log_t), rows.targets, rows.weights).value)

    share = (math.sqrt(5) - 1) / 2
    low, high = _COLDEST, _HOTTEST
    left, right = high - share * (high - low), low + share * (high - low)
    at_left, at_right = at(left), at(right)
    for _ in range(_SHRINKS):
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - share * (high - low)
            at_left = at(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + share * (high - low)
            at_right = at(right)
    return math.exp((low + high) / 2)


def best_threshold(metric: str, p: Array, truth: Array) -> float:
    """The threshold for which "the second class where p ≥ threshold" scores best by ``metric`` on these rows.

    Parameters
    ----------
    metric
        One of `THRESHOLD_METRICS`.
    p, truth
        The probability of the second class and the class number, each ``[N]``.

    Returns
    -------
    float
        Midway between two probabilities; of several equally good thresholds the one nearest to 0.5.

    >>> best_threshold("accuracy", np.array([0.1, 0.2, 0.4, 0.3]), np.array([0, 0, 1, 1]))
    0.25
    """
    if metric not in THRESHOLD_METRICS:
        raise SettingError(f"decision_threshold {metric!r} is unknown{nearest(str(metric), THRESHOLD_METRICS)}")
    order = np.argsort(p, kind="stable")
    sorted_p, positive = p[order], truth[order] == 1
    n, n_positive = len(p), int(positive.sum())
    # With the threshold before place i of the sorted rows, rows i … N − 1 are answered with the second class.
    right_positive = n_positive - np.concatenate([[0], np.cumsum(positive)])
    right_negative = np.concatenate([[0], np.cumsum(~positive)])
    answered = n - np.arange(n + 1)
    if metric == "accuracy":
        score = (right_positive + right_negative) / n
    elif metric == "f1":
        score = 2 * right_positive / np.maximum(answered + n_positive, 1)
    else:
        score = right_positive / max(n_positive, 1) + right_negative / max(n - n_positive, 1)
    edges = np.concatenate([[0.0], (sorted_p[1:] + sorted_p[:-1]) / 2, [1.0]])
    possible = np.concatenate([[True], sorted_p[1:] > sorted_p[:-1], sorted_p[-1:] < 1])  # equal rows stay together
    score = np.where(possible, score, -1.0)
    best = np.flatnonzero(score == score.max())
    return float(edges[best[np.abs(edges[best] - 0.5).argmin()]])


def width_of_interval(residuals: Array, coverage: float) -> float:
    """The ⌈(N + 1) · coverage⌉-th of the ascending ``residuals`` ``[N]``.

    A new row's residual is at most that with at least this probability, if all N + 1 rows come in random order.

    >>> width_of_interval(np.arange(1.0, 10.0), 0.9)
    9.0
    """
    if isinstance(coverage, bool) or not isinstance(coverage, int | float) or not 0 < coverage < 1:
        raise SettingError(f"coverage must be between 0 and 1, got {coverage!r}")
    place = math.ceil((len(residuals) + 1) * coverage - 1e-9)
    if place > len(residuals):
        raise SettingError(
            f"coverage {coverage:g} needs at least {math.ceil(coverage / (1 - coverage) - 1e-9):,} held-out rows, but "
            f"there were {len(residuals):,}; hold out more rows, or lower the coverage"
        )
    return float(residuals[place - 1])
