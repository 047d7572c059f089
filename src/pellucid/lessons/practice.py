"""Training as lessons need it: a small network on a few rows, all rows at every step, in NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.engine import TextbookEngine
from pellucid.network import Network
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss

__all__ = ["train_full_batch"]

Array = NDArray[Any]


def train_full_batch(
    network: Network,
    loss: Loss,
    optimizer: Optimizer,
    parameters: Mapping[str, Array],
    inputs: Array,
    targets: Array,
    *,
    learning_rate: float,
    steps: int,
) -> tuple[TextbookEngine, tuple[float, ...]]:
    """Train with all rows in every step; return the engine, and the loss before each step and after the last.

    If the loss becomes infinite or NaN, training stops and the list ends with its last finite value; otherwise it has
    ``steps + 1`` numbers.

    Parameters
    ----------
    network, loss, optimizer
        What is trained, on which loss, by which rule; dropout is not applied.
    parameters
        The initial weights, by name.
    inputs
        ``[N, I]``.
    targets
        ``[N]`` class numbers, or ``[N, C]`` numbers.
    learning_rate, steps
        Of every step, and how many.

    >>> from pellucid.network import mlp
    >>> line, start = mlp(1, [], 1), {"0.weight": np.array([[3.0]]), "0.bias": np.array([1.0])}
    >>> one = np.array([[2.0]]), np.array([[5.0]])
    >>> _, losses = train_full_batch(
    ...     line, Loss(name="mse"), Optimizer(name="sgd"), start, *one, learning_rate=0.01, steps=1
    ... )
    >>> losses[0], round(losses[1], 2)
    (4.0, 3.24)
    """
    engine = TextbookEngine(network, loss, optimizer, parameters)
    engine.load_rows(inputs, targets)
    rows, losses = np.arange(len(inputs)), []
    for _ in range(steps):
        losses.append(engine.step(rows, (), learning_rate))
        if not np.isfinite(losses[-1]):
            return engine, tuple(losses[:-1])
    losses.append(engine.gradients(rows, ())[0])
    return engine, tuple(loss for loss in losses if np.isfinite(loss))
