"""What a contestant must offer, and the few lines that all of them share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from peers.job import Arrays, Job

__all__ = ["Contestant", "DoesNotApplyError", "both_classes", "softmax"]

Array = NDArray[Any]


class DoesNotApplyError(Exception):
    """The library cannot do this job; the message says why."""


class Contestant(ABC):
    """One library doing one job.

    Attributes
    ----------
    timed
        What a step's time holds, in words.
    note
        What is different in this contestant's fit, in words; empty where nothing is.
    """

    timed: ClassVar[str] = "a step"
    note: str = ""

    def __init__(self, job: Job, arrays: Arrays) -> None:
        self.job, self.arrays = job, arrays

    @abstractmethod
    def steps(self, count: int) -> int:
        """Train ``count`` steps or a few more, finish them, and return how many they were."""

    @abstractmethod
    def fit(self) -> None:
        """Train new weights for all epochs of the job, batches in random order."""

    @abstractmethod
    def probabilities(self, inputs: Any) -> Array:
        """Probabilities ``[N, classes]`` of the network as it is now."""

    def facts(self) -> dict[str, float]:
        """Other numbers worth telling, such as ``compile_seconds``."""
        return {}

    def inputs_for(self, rows: str) -> tuple[Any, int]:
        """What `probabilities` is given for so many rows, and how many they are."""
        count = int(rows)
        return np.resize(self.arrays.x_test, (count, self.job.widths[0])), count


def softmax(logits: Array) -> Array:
    """Probabilities ``[N, C]`` of logits ``[N, C]``.

    >>> softmax(np.zeros((1, 2)))
    array([[0.5, 0.5]])
    """
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def both_classes(p: Array) -> Array:
    """``[N, 2]`` from the probability ``[N]`` or ``[N, 1]`` of the second class.

    >>> both_classes(np.array([0.25]))
    array([[0.75, 0.25]])
    """
    p = p.reshape(-1)
    return np.stack([1 - p, p], axis=1)
