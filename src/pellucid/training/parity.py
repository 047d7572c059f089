"""Checks that the engines agree: the same weights, rows and masks in all, in float64, and the largest differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.network import Network
from pellucid.network.optimizer import Optimizer
from pellucid.network.shapes import typed
from pellucid.network.task import Loss
from pellucid.training.batches import batches, dropout_masks
from pellucid.training.engine import make_engine
from pellucid.training.loop import Rows

__all__ = ["INTERPRETERS", "TOLERANCE", "TOLERANCE_AFTER_STEPS", "Parity", "compare"]

Array = NDArray[Any]

INTERPRETERS = ("textbook", "torch", "fused")
TOLERANCE = 1e-12
TOLERANCE_AFTER_STEPS = 1e-10


@dataclass(frozen=True, kw_only=True)
class Parity:
    """The largest absolute differences between the first engine and the others.

    A difference between numbers larger than 1 is divided by their magnitude, so that 1e-12 always means twelve digits.
    """

    engines: tuple[str, ...]
    n_rows: int
    n_steps: int
    logits: float
    loss: float
    gradients: Mapping[str, float]
    weights_after_steps: Mapping[str, float]

    @property
    def agrees(self) -> bool:
        """Whether everything is within the tolerances."""
        first = max(self.logits, self.loss, *self.gradients.values())
        return first <= TOLERANCE and max(self.weights_after_steps.values()) <= TOLERANCE_AFTER_STEPS


def compare(
    network: Network,
    loss: Loss,
    optimizer: Optimizer,
    parameters: Mapping[str, Array],
    rows: Rows,
    *,
    learning_rate: float,
    batch_size: int,
    seed: int = 0,
    n_steps: int = 200,
    engines: tuple[str, ...] = INTERPRETERS,
) -> Parity:
    """Run the engines over ``rows`` in float64 and compare each with the first.

    Logits are those of prediction (running statistics, dropout inactive); loss and gradients are of one batch in
    training mode, each by the engine's own rules; the weights are compared after ``n_steps`` updates.

    Parameters
    ----------
    network, loss, optimizer
        What is trained, and how.
    parameters
        The weights that every engine starts from, by name.
    rows
        The rows, which the engines train on and answer.
    learning_rate, batch_size
        Of every step; the learning rate stays the same.
    seed
        Of the batches and the dropout masks.
    n_steps
        The updates after which the weights are compared.
    engines
        Names of engines, two or more; the others are compared with the first.
    """
    made = [make_engine(name, network, loss, optimizer, parameters, dtype="float64", device="cpu") for name in engines]
    inputs = np.asarray(typed(network, rows.inputs, np.float64))
    for engine in made:
        engine.load_rows(inputs, rows.targets, rows.weights)

    logits = [{"": engine.logits(inputs)} for engine in made]

    steps = list(_steps(network, len(rows), batch_size, seed, n_steps))
    first_rows, first_masks = steps[0]
    judged = [engine.gradients(first_rows, first_masks) for engine in made]
    for batch, masks in steps:
        for engine in made:
            engine.step(batch, masks, learning_rate)
    last = [engine.parameters() for engine in made]
    return Parity(
        engines=engines,
        n_rows=len(rows),
        n_steps=n_steps,
        logits=_largest(logits)[""],
        loss=_largest([{"": np.array(value)} for value, _ in judged])[""],
        gradients=_largest([gradients for _, gradients in judged]),
        weights_after_steps=_largest(last),
    )


def _largest(of_engines: Sequence[Mapping[str, Array]]) -> dict[str, float]:
    """For each array, the largest difference of any engine from the first."""
    first, *others = of_engines
    return {name: max(difference(array, other[name]) for other in others) for name, array in first.items()}


def difference(a: Array, b: Array) -> float:
    """The largest |a − b| / max(1, |a|, |b|); NaN on one side only counts as infinite.

    >>> difference(np.array([1.0, 2000.0]), np.array([1.0, 2002.0]))
    0.000999000999000999
    """
    if a.size == 0:
        return 0.0
    size = np.maximum(1.0, np.maximum(np.abs(a), np.abs(b)))
    with np.errstate(invalid="ignore"):
        apart = np.abs(np.asarray(a, np.float64) - b) / size
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    return float(np.where(same, 0.0, np.where(np.isnan(apart), np.inf, apart)).max())


def _steps(network: Network, n_rows: int, batch_size: int, seed: int, n_steps: int) -> list[tuple[Array, list[Array]]]:
    at_least = 2 if network.has_batch_norm else 1
    steps: list[tuple[Array, list[Array]]] = []
    epoch = 0
    while len(steps) < n_steps:
        for batch, rows in enumerate(batches(n_rows, batch_size, seed, epoch, at_least=at_least)):
            steps.append((rows, dropout_masks(network, len(rows), seed, epoch, batch)))
        epoch += 1
    return steps[:n_steps]
