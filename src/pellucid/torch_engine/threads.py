"""How many threads a training step is fastest on: measured, because it depends on what else the machine is doing.

On idle cores two threads take a large step in little more than half the time. On busy ones they wait for each other at
every operation, and a step can take ten times as long as on one thread.
"""

from __future__ import annotations

import time

import numpy as np
import torch

from pellucid.initialise import initialise
from pellucid.network import Network
from pellucid.optimizer import Optimizer
from pellucid.task import Loss
from pellucid.torch_engine.fused.engine import FusedEngine

__all__ = ["fastest_threads"]

_STEPS = 12
_SECONDS = 0.1  # for each number of threads
_WORTH = 0.95  # more threads have to be at least so much faster


def fastest_threads(network: Network, loss: Loss, batch_size: int, most: int, *, dtype: str = "float32") -> int:
    """1 or ``most``, whichever takes a step of the fused plan in less time on rows drawn at random.

    >>> from pellucid.network import mlp
    >>> fastest_threads(mlp(4, [8], 1), Loss(name="mse"), 16, 1)
    1
    """
    if most <= 1:
        return 1
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(batch_size, network.inputs))
    targets = generator.integers(0, 2, (batch_size, network.outputs)).astype(float)
    if loss.name == "cross_entropy":
        targets = generator.integers(0, network.outputs, batch_size)
    engine = FusedEngine(network, loss, Optimizer(name="adam"), initialise(network, 0), dtype, "cpu")
    engine.load_rows(inputs, targets)
    masks = [np.ones((batch_size, width), np.float32) for _, _, width in network.dropouts()]
    before = torch.get_num_threads()
    try:
        alone, together = (_usual_step(engine, batch_size, masks, threads) for threads in (1, most))
    finally:
        torch.set_num_threads(before)
    return most if together < _WORTH * alone else 1


def _usual_step(engine: FusedEngine, rows: int, masks: list[np.ndarray], threads: int) -> float:
    torch.set_num_threads(threads)
    all_rows, times = np.arange(rows), list[float]()
    engine.step(all_rows, masks, 0.0)
    began = time.perf_counter()
    while len(times) < 2 or (len(times) < _STEPS and time.perf_counter() - began < _SECONDS):
        start = time.perf_counter()
        engine.step(all_rows, masks, 0.0)
        times.append(time.perf_counter() - start)
    return float(np.median(times))
