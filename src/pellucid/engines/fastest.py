"""The fastest way to run a training step here: measured, because it depends on the processor and its load.

Threads: on idle cores, two threads need little more than half the time for a large step; on busy cores they wait for
each other at every operation, and a step can take ten times as long as on one thread. Products: which library
multiplies large matrices faster differs between processors by up to a factor of two.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pellucid.engines.fused import supports
from pellucid.engines.fused.engine import FusedEngine
from pellucid.engines.fused.products import onednn_is_exact, worth_onednn
from pellucid.engines.torch_engine.engine import TorchEngine
from pellucid.network import Dense, Network
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss

__all__ = ["fastest_way", "products_to_try"]

Array = NDArray[Any]
_Engine = FusedEngine | TorchEngine

_STEPS = 12
_SECONDS = 0.1  # for each way
_PICTURES = 32
_WORTH = 0.95  # a way other than the simplest must take at most this share of its time


def products_to_try(network: Network, batch_size: int, *, dtype: str = "float32") -> tuple[str, ...]:
    """The ways of multiplying that give float32 its full accuracy here and could differ in time.

    >>> from pellucid.network import mlp
    >>> products_to_try(mlp(4, [8], 1), 16)
    ('blas',)
    """
    fans = (leaf.layer.fan(leaf.shape) for leaf in network.leaves() if isinstance(leaf.layer, Dense))
    large = any(fan is not None and worth_onednn(batch_size, fan.inputs, fan.outputs) for fan in fans)
    return ("blas", "onednn") if large and dtype == "float32" and onednn_is_exact() else ("blas",)


def fastest_way(
    network: Network,
    loss: Loss,
    batch_size: int,
    *,
    threads: Sequence[int],
    products: Sequence[str],
    dtype: str = "float32",
) -> tuple[int, str]:
    """Which of these thread counts and ways of multiplying is fastest for a training step.

    The step is run by the fused engine, or by the torch engine if the fused engine does not support the network.

    Parameters
    ----------
    network, loss, batch_size
        What a step consists of.
    threads, products
        What to try, the simplest first; another is chosen only if it is at least 5 % faster.

    Returns
    -------
    tuple
        Threads and products.

    >>> from pellucid.network import mlp
    >>> fastest_way(mlp(4, [8], 1), Loss(name="mse"), 16, threads=[1], products=["blas"])
    (1, 'blas')
    """
    ways = [(count, product) for count in threads for product in products]
    if len(ways) == 1:
        return ways[0]
    if not network.on_columns:  # a step takes long enough to tell the ways apart on fewer rows
        batch_size = min(batch_size, _PICTURES)
    generator = np.random.default_rng(0)
    inputs: Array = generator.standard_normal((batch_size, *network.shape), np.float32)
    if network.dtype == "int64":
        inputs = np.ones((batch_size, *network.shape), np.int64)  # a token that every vocabulary has
    targets = generator.integers(0, 2, (batch_size, network.outputs)).astype(float)
    if loss.name == "cross_entropy":
        each = network.shape[:1] if network.answers_steps else ()
        targets = generator.integers(1 if each else 0, network.outputs, (batch_size, *each))
    masks = [np.ones((batch_size, *mask.shape), np.float32) for mask in network.masks()]
    first, times = initialise(network, 0), dict[tuple[int, str], float]()
    before = torch.get_num_threads()
    try:
        for product in products:
            engine = _engine(network, loss, first, dtype, product)
            engine.load_rows(inputs, targets)
            for count in threads:
                times[count, product] = _usual_step(engine, batch_size, masks, count)
    finally:
        torch.set_num_threads(before)
    best = min(ways, key=times.__getitem__)
    return best if times[best] < _WORTH * times[ways[0]] else ways[0]


def _engine(network: Network, loss: Loss, first: Mapping[str, Array], dtype: str, products: str) -> _Engine:
    rule = Optimizer(name="adam")
    if supports(network) is None:
        return FusedEngine(network, loss, rule, first, dtype, "cpu", products=products)
    return TorchEngine(network, loss, rule, first, dtype, "cpu")


def _usual_step(engine: _Engine, rows: int, masks: list[Array], threads: int) -> float:
    torch.set_num_threads(threads)
    all_rows, times = np.arange(rows), list[float]()
    engine.step(all_rows, masks, 0.0)
    began = time.perf_counter()
    while len(times) < 2 or (len(times) < _STEPS and time.perf_counter() - began < _SECONDS):
        start = time.perf_counter()
        engine.step(all_rows, masks, 0.0)
        times.append(time.perf_counter() - start)
    return float(np.median(times))
