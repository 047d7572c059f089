"""From weights and preprocessed rows to answers, with the textbook's forward pass: NumPy alone.

Legend: N rows, K networks of an ensemble, C outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.engine import answer
from pellucid.engines.textbook.forward import forward
from pellucid.network import Network
from pellucid.network.task import Task
from pellucid.preprocessing.target import TargetScaler

__all__ = ["answers_of", "logits_of", "mean_logits", "rows_at_once"]

Array = NDArray[Any]

_ROWS_AT_ONCE = 8_192  # a third faster than twice as many, on one thread: what is between the layers stays in the cache
_VALUES_AT_ONCE = 1 << 23  # in all maps together


def rows_at_once(network: Network) -> int:
    """How many rows are sent through a network together: maps are larger than lists of numbers.

    >>> from pellucid.network import cnn, mlp
    >>> rows_at_once(mlp(4, [10], 3)), rows_at_once(cnn((1, 28, 28), (16, 32), 10))
    (8192, 201)
    """
    if len(network.shape) == 1:
        return _ROWS_AT_ONCE
    return min(_ROWS_AT_ONCE, max(1, _VALUES_AT_ONCE // sum(map(prod, (network.shape, *network.shapes())))))


def logits_of(network: Network, parameters: Mapping[str, Array], inputs: Array) -> Array:
    """What the last layer gives for preprocessed rows ``[N, *network.shape]``: ``[N, C]``."""
    many = rows_at_once(network)
    parts = [forward(network, parameters, inputs[i : i + many]).logits for i in range(0, len(inputs), many)]
    return np.concatenate(parts) if parts else np.zeros((0, network.outputs))


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
