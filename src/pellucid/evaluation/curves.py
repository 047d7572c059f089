"""Curves over thresholds, and the calibration of probabilities.

Legend: ``N`` rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Calibration", "calibration", "precision_recall", "roc"]

Array = NDArray[Any]

_BINS = 10


def roc(positive: Array, scores: Array) -> tuple[Array, Array]:
    """False and true positive rates over all thresholds, from (0, 0) to (1, 1) (Fawcett 2006).

    Parameters
    ----------
    positive
        ``[N]`` booleans, of both kinds.
    scores
        ``[N]``, higher if more probably positive; equal scores move together.

    >>> rates = roc(np.array([False, True, True]), np.array([0.1, 0.2, 0.9]))
    >>> [rate.tolist() for rate in rates]
    [[0.0, 0.0, 0.0, 1.0], [0.0, 0.5, 1.0, 1.0]]
    """
    true, false = _counts(positive, scores)
    return np.r_[0.0, false / false[-1]], np.r_[0.0, true / true[-1]]


def precision_recall(positive: Array, scores: Array) -> tuple[Array, Array]:
    """Recall and precision over all thresholds, from the highest score down.

    >>> recall, precision = precision_recall(np.array([False, True, True]), np.array([0.8, 0.2, 0.9]))
    >>> recall.tolist(), precision.round(2).tolist()
    ([0.5, 0.5, 1.0], [1.0, 0.5, 0.67])
    """
    true, false = _counts(positive, scores)
    return true / true[-1], true / (true + false)


def _counts(positive: Array, scores: Array) -> tuple[Array, Array]:
    """True and false positives with each distinct score as the threshold, the highest first."""
    order = np.argsort(-scores, kind="stable")
    hits = np.asarray(positive, dtype=np.float64)[order]
    last = np.r_[np.flatnonzero(np.diff(scores[order])), len(order) - 1]  # of rows with an equal score
    true = np.cumsum(hits)[last]
    return true, last + 1 - true


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibration:
    """Predicted probabilities and observed shares, in bins.

    Attributes
    ----------
    said, came
        ``[bins]``: the mean probability, and the share of rows where the event occurred.
    low, high
        ``[bins]``: Wilson's 95 % interval of that share (Wilson 1927).
    rows
        ``[bins]``
    error
        The mean distance of the two, weighted by rows (expected calibration error; Naeini, Cooper & Hauskrecht 2015).
    """

    said: Array
    came: Array
    low: Array
    high: Array
    rows: Array
    error: float


def calibration(right: Array, probabilities: Array, *, bins: int = _BINS) -> Calibration:
    """Compare probabilities ``[N]`` with what occurred ``[N]``, in bins of equally many rows.

    >>> found = calibration(np.array([0, 1, 1, 1]), np.array([0.1, 0.4, 0.6, 0.9]), bins=2)
    >>> found.said.tolist(), found.came.tolist()
    ([0.25, 0.75], [0.5, 1.0])
    """
    order = np.argsort(probabilities, kind="stable")
    parts = [part for part in np.array_split(order, min(bins, len(order))) if len(part)]
    rows = np.array([len(part) for part in parts])
    said = np.array([probabilities[part].mean() for part in parts])
    came = np.array([np.asarray(right, dtype=np.float64)[part].mean() for part in parts])
    z = 1.959964
    middle = (came + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z * np.sqrt(came * (1 - came) / rows + z**2 / (4 * rows**2)) / (1 + z**2 / rows)
    return Calibration(
        said=said, came=came, low=np.maximum(0, middle - half), high=np.minimum(1, middle + half), rows=rows,
        error=float(np.abs(said - came) @ rows / max(rows.sum(), 1)),
    )  # fmt: skip
