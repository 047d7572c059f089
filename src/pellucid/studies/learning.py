"""What studies share: training while recording the loss and the accuracy of several sets of rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.losses import loss_and_gradient
from pellucid.errors import SettingError
from pellucid.network.task import Loss
from pellucid.training.engine import Engine
from pellucid.training.history import Epoch
from pellucid.training.loop import Plan, Rows, fit

__all__ = ["Line", "accuracy", "at_least", "learn", "measure"]

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Line:
    """The loss and the score (accuracy, or R² for numbers) of each set of rows after an epoch; 0: before training."""

    epoch: int
    losses: Mapping[str, float]
    scores: Mapping[str, float]


def learn(engine: Engine, train: Rows, plan: Plan, *, watched: Mapping[str, Rows], every: int = 1) -> tuple[Line, ...]:
    """Train with the ordinary loop, measuring before the first epoch, every so many epochs, and at the end.

    Parameters
    ----------
    engine
        Holds the network; it is trained in place.
    train
        The training rows.
    plan
        Learning rate, batch size, epochs and so on. Give one that keeps the last weights: nothing is chosen by a score.
    watched
        The sets of rows to measure, by name.
    every
        Measure after every so many epochs.

    Returns
    -------
    tuple of Line
        The first line is epoch 0.
    """
    lines = [measure(engine, watched, 0)]

    def write_down(epoch: Epoch) -> None:
        if epoch.epoch % every == 0 or epoch.epoch == plan.epochs:
            lines.append(measure(engine, watched, epoch.epoch))

    one = Rows(inputs=train.inputs[:1], targets=train.targets[:1])  # nothing is chosen by validation rows here
    fit(engine, train, one, plan, on_epoch=write_down)
    return tuple(lines)


def measure(engine: Engine, watched: Mapping[str, Rows], epoch: int) -> Line:
    """The loss and the score of each set of rows with the engine's current weights."""
    losses, scores = {}, {}
    for name, rows in watched.items():
        logits = engine.logits(rows.inputs).astype(np.float64)
        losses[name] = loss_and_gradient(engine.loss, logits, rows.targets, rows.weights).value
        scores[name] = accuracy(engine.loss, logits, rows.targets)
    return Line(epoch=epoch, losses=losses, scores=scores)


def accuracy(loss: Loss, logits: Array, targets: Array) -> float:
    """The share of rows classified correctly; R² if the loss is for numbers.

    ``logits`` ``[..., B, C]`` may hold several networks; the result is then the mean over all of them.
    """
    if loss.name == "cross_entropy":
        return float((logits.argmax(axis=-1) == targets).mean())
    if loss.name == "bce":
        return float(((logits > 0) == (targets > 0.5)).mean())
    spread = float(((targets - targets.mean(axis=0)) ** 2).sum())
    return 1 - float(((logits - targets) ** 2).sum()) / spread if spread else float("nan")


def at_least(name: str, value: float, low: float) -> None:
    """Raise `SettingError` if a setting is below its minimum.

    >>> at_least("seeds", 10, 1)
    """
    if not value >= low:
        raise SettingError(f"{name} must be at least {low:g}, got {value!r}")
