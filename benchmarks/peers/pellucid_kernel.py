"""Pellucid's kernel for small networks: a step at a time, and whole runs in one compiled call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from peers.contestant import DoesNotApplyError
from peers.job import LEARNING_RATE, Arrays, Job
from peers.pellucid_engine import Ours
from pellucid.engines.kernel import supports, too_large
from pellucid.engines.kernel.engine import KernelEngine
from pellucid.engines.kernel.runs import train_runs
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.training.batches import batches
from pellucid.training.engine import Engine

__all__ = ["Runs", "Steps"]

Array = NDArray[Any]

_ADAM = Optimizer(name="adam")


class Steps(Ours):
    """`KernelEngine` under the same training loop as the other engines."""

    timed = "one step, a compiled call; the batch's rows are gathered from the table"

    def __init__(self, job: Job, arrays: Arrays) -> None:
        super().__init__("kernel", job, arrays)
        reason = supports(self.network) or too_large(self.network)
        if reason is not None:
            raise DoesNotApplyError(reason)

    def make(self) -> Engine:
        """The engine with new weights."""
        return KernelEngine(self.network, self.task.loss, _ADAM, initialise(self.network, 0))


class Runs(Steps):
    """`train_runs` with a single network: Python is not asked between the steps."""

    timed = "a whole run of so many epochs in one compiled call, divided by its steps"

    def steps(self, count: int) -> int:
        """A run of its own, from new weights."""
        whole = len(self.rows) // self.job.batch
        epochs = -(-count // whole)
        self._run(epochs, whole * self.job.batch)
        return epochs * whole

    def fit(self) -> None:
        """A run of all epochs."""
        self._run(self.job.epochs, len(self.rows))

    def _run(self, epochs: int, n_rows: int) -> None:
        whole = self.job.batch >= n_rows
        stacked = train_runs(
            self.network, self.task.loss, _ADAM, [initialise(self.network, 0)],
            self.rows.inputs[:n_rows], self.rows.targets[:n_rows],
            learning_rate=LEARNING_RATE, epochs=epochs, batch_size=None if whole else self.job.batch,
            orders=None if whole else _orders(n_rows, self.job.batch), threads=self.job.threads,
        )  # fmt: skip
        self._keep({name: array[0] for name, array in stacked.items()})


def _orders(n_rows: int, batch: int) -> Callable[[int, int], Array]:
    return lambda network, epoch: np.concatenate(list(batches(n_rows, batch, 0, epoch)))
