"""Pellucid: an engine of its own, stepped one batch at a time or driven by its training loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from peers.contestant import Contestant
from peers.job import LEARNING_RATE, Arrays, Job
from pellucid.model.model import Model
from pellucid.network import Network, mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss, Task
from pellucid.preprocessing.recipe import Recipe
from pellucid.runs.machine import on_this_machine
from pellucid.settings.settings import Settings
from pellucid.training.batches import batches
from pellucid.training.engine import Engine, make_engine
from pellucid.training.loop import Plan, Rows, fit

__all__ = ["Ours", "described", "fused", "torch_engine"]

Array = NDArray[Any]

_WATCHED = 100  # rows that the training loop validates on: it cannot be told not to, so it gets next to none


def described(job: Job) -> tuple[Network, Task]:
    """The job's network and task in our words."""
    network = mlp(job.widths[0], job.widths[1:-1], job.widths[-1], dropout=job.dropout)
    names = tuple(map(str, range(job.classes)))
    task = Task(
        kind="binary" if job.is_binary else "multiclass",
        target="y",
        classes=names,
        loss=Loss(name="bce" if job.is_binary else "cross_entropy"),
    )
    return network, task


class Ours(Contestant):
    """An engine of Pellucid."""

    timed = "one step; the batch's rows are gathered from the table; fused: on the threads that it measured as fastest"

    def __init__(self, name: str, job: Job, arrays: Arrays) -> None:
        super().__init__(job, arrays)
        torch.set_num_threads(job.threads)
        self.name = name
        self.network, self.task = described(job)
        y = arrays.y.astype(np.float32)[:, None] if job.is_binary else arrays.y
        self.rows = Rows(inputs=arrays.x, targets=y)
        self.few = Rows(inputs=arrays.x[:_WATCHED], targets=y[:_WATCHED])
        self.engine: Engine | None = None
        self.model: Model | None = None
        self.place = self.fits = 0

    def make(self) -> Engine:
        """The engine with new weights; the fused one first measures its fastest way, as `train` does."""
        first, rule, products = initialise(self.network, self.fits), Optimizer(name="adam"), "blas"
        if self.name == "fused":
            settings = on_this_machine(Settings(), self.network, self.task.loss, self.job.batch)
            products = settings.products
            torch.set_num_threads(min(settings.threads or 1, self.job.threads))
        return make_engine(self.name, self.network, self.task.loss, rule, first, device="cpu", products=products)

    def steps(self, count: int) -> int:
        """Steps on the batches of an epoch, in turn; dropout is for whole fits only."""
        if self.engine is None:
            self.engine = self.make()
            self.engine.load_rows(self.rows.inputs, self.rows.targets)
            whole = len(self.rows) // self.job.batch
            self.order = list(batches(len(self.rows), self.job.batch, 0, 0))[:whole]
        for _ in range(count):
            self.engine.step(self.order[self.place % len(self.order)], [], LEARNING_RATE)
            self.place += 1
        return count

    def fit(self) -> None:
        """The training loop, which keeps the last weights; another seed each time, as with the peers."""
        self.fits += 1
        plan = Plan(
            learning_rate=LEARNING_RATE, batch_size=self.job.batch, epochs=self.job.epochs, keep="last", seed=self.fits
        )
        outcome = fit(self.make(), self.rows, self.few, plan)
        self._keep(outcome.parameters)

    def probabilities(self, inputs: Array) -> Array:
        """The answers of a `Model`, as one reads it from a file: NumPy alone."""
        if self.model is None:
            self._keep(self.make().parameters() if self.engine is None else self.engine.parameters())
        return self.model.answers_to(inputs)

    def _keep(self, parameters: dict[str, Array]) -> None:
        self.model = Model(
            network=self.network, task=self.task, recipe=Recipe(steps=()), scaler=None, parameters=parameters, facts={}
        )


def fused(job: Job, arrays: Arrays) -> Contestant:
    """The engine that trains by default."""
    return Ours("fused", job, arrays)


def torch_engine(job: Job, arrays: Arrays) -> Contestant:
    """The engine with autograd."""
    return Ours("torch", job, arrays)
