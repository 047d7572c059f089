"""From weights and preprocessed rows to answers, with the textbook's forward pass: NumPy alone.

Legend: N rows, K networks of an ensemble, C outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.engine import answer
from pellucid.engines.textbook.forward import logits_of, rows_at_once
from pellucid.network import Network
from pellucid.network.task import Task
from pellucid.preprocessing.target import TargetScaler

__all__ = ["answers_of", "logits_of", "mean_logits", "rows_at_once"]

Array = NDArray[Any]


def answers_of(
    network: Network, task: Task, scaler: TargetScaler | None, parameters: Mapping[str, Array], inputs: Array
) -> Array:
    """Probabilities ``[N, classes]``, values ``[N]`` in the target's own unit, or features ``[N, features]``.

    Parameters
    ----------
    network, task
        The description of the network, and what it predicts.
    scaler
        Maps a number back to the target's own unit; ``None``: numbers stay in the network's scale.
    parameters
        The weights by name.
    inputs
        The features ``[N, F]`` of the rows.

    Returns
    -------
    ndarray
        A new array, which the caller may change.
    """
    logits = logits_of(network, parameters, inputs)
    if task.kind == "reconstruction":  # as many numbers as went in: not to be doubled in size
        return answer(task, logits)
    answers = answer(task, logits.astype(np.float64))
    return answers if scaler is None else scaler.inverse(answers)


def mean_logits(task: Task, logits: Array) -> Array:
    """The logits ``[N, C]`` of an ensemble from those of its networks ``[K, N, C]``.

    Those that belong to its answers, which are means over the networks: for numbers the mean, for classes the
    logarithms of the mean probabilities (for two, of their odds).

    >>> z = mean_logits(Task.binary("ill", ("no", "yes")), np.array([[[0.0]], [[2.0]]]))
    >>> bool(np.isclose(1 / (1 + np.exp(-z[0, 0])), (1 / 2 + 1 / (1 + np.exp(-2))) / 2))
    True
    """
    if task.link == "softmax":
        log_p = logits - np.logaddexp.reduce(logits, axis=2, keepdims=True)
        mean: Array = np.logaddexp.reduce(log_p, axis=0) - np.log(len(logits))
        return mean
    if task.link == "sigmoid":
        zero = np.zeros_like(logits)
        log_yes, log_no = -np.logaddexp(zero, -logits), -np.logaddexp(zero, logits)
        odds: Array = np.logaddexp.reduce(log_yes, axis=0) - np.logaddexp.reduce(log_no, axis=0)
        return odds
    return np.asarray(logits.mean(axis=0))
