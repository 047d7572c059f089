"""Many networks with the same description trained at once: whole runs in compiled code, distributed over threads.

Legend: S networks, N rows of data, I inputs, C outputs. A network's results depend neither on the others nor on the
number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.kernel import available, require, supports
from pellucid.engines.kernel.packing import (
    LOSS_CODES,
    RULE_CODES,
    arithmetic,
    buffers,
    constants_of,
    flatten,
    pack,
    targets_of,
    unflatten,
    weights_of,
)
from pellucid.errors import DivergenceError, SettingError
from pellucid.network import Dense, Network
from pellucid.network.optimizer import Optimizer
from pellucid.network.shapes import check_many, check_parameters, check_rows
from pellucid.network.task import Loss

__all__ = ["prepare", "ready", "train_runs"]

Array = NDArray[Any]
Orders = Callable[[int, int], Array]
Callbacks = Mapping[int, Callable[[dict[str, Array]], None]]

_ORDERED = 4_000_000  # row numbers held at once: 32 MB
_BETWEEN_CHECKS = 2e9  # multiplications of weights and rows before Ctrl-C is checked: about half a second


def train_runs(
    network: Network,
    loss: Loss,
    optimizer: Optimizer,
    parameters: Sequence[Mapping[str, Array]],
    inputs: Array,
    targets: Array,
    *,
    learning_rate: float | Sequence[float] | Array,
    epochs: int,
    weights: Array | None = None,
    batch_size: int | None = None,
    orders: Orders | None = None,
    at: Callbacks | None = None,
    dtype: str = "float32",
    threads: int | None = None,
) -> dict[str, Array]:
    """Train S networks from ``parameters``.

    Parameters
    ----------
    network
        Dense layers and activations only.
    parameters
        The initial weights of each of the S networks, as `initialise` returns them.
    inputs, targets
        ``[N, I]``; ``[N]`` class numbers or ``[N, C]`` numbers: all networks see the same rows. Or ``[S, N, I]`` and
        ``[S, N]`` or ``[S, N, C]``: each network has rows of its own.
    learning_rate
        One for all; or a sequence ``[S]``, one for each network; or ``[S, steps]`` (``[1, steps]`` for all alike),
        one for each step.
    epochs
        The number of passes over all rows.
    weights
        One number per row, ``[N]``; ``[S, N]`` if each network has rows of its own.
    batch_size
        Rows per step; ``None`` for all at once. The last batch of an epoch may be smaller.
    orders
        Maps the number of a network and of an epoch, both from 0, to the order in which it sees its rows, ``[N]``;
        called network by network for some epochs at a time. ``None``: in the given order.
    at
        Maps a number of epochs to a function that is called with the stacked parameters after that many.
    dtype
        ``float32`` or ``float64``.
    threads
        ``None`` for one per processor that this process may use. The results do not depend on it.

    Returns
    -------
    dict
        The last parameters, stacked: ``"0.weight"`` is ``[S, O, I]``.

    Raises
    ------
    SettingError
        Numba is not installed, `supports` gives a reason, or a setting breaks its rule.
    DataError
        The rows do not fit the network.
    DivergenceError
        The last weights of some networks are not finite.

    >>> from pellucid.network.initialise import initialise
    >>> from pellucid.network import mlp
    >>> net = mlp(1, [], 1)
    >>> firsts = [initialise(net, seed) for seed in range(3)]
    >>> x = np.array([[0.0], [1.0], [2.0]])
    >>> last = train_runs(net, Loss(name="mse"), Optimizer(name="sgd"), firsts, x, 2 * x + 1, learning_rate=0.2,
    ...                   epochs=200)
    >>> last["0.weight"].shape, last["0.weight"].round(3).ravel().tolist()
    ((3, 1, 1), [2.0, 2.0, 2.0])
    """
    require()
    many = len(parameters)
    own = check_many(many, inputs, targets, weights)
    _check(network, epochs, batch_size, threads)
    run = _Run(network, loss, optimizer, arithmetic(dtype))
    run.load_parameters(parameters)
    run.load_rows(inputs if own else inputs[np.newaxis], targets if own else targets[np.newaxis],
             weights if own or weights is None else weights[np.newaxis])  # fmt: skip
    size = run.n if batch_size is None else min(batch_size, run.n)
    rates = _rates(learning_rate, many, epochs * -(-run.n // max(1, size)))
    workers = min(many, threads or _processors())

    begin = 0
    stops = sorted(epoch for epoch in (at or {}) if 0 < epoch <= epochs)
    for end in [*stops, *([epochs] if epochs not in stops else [])]:
        run.train(begin, end, size, rates, orders, workers)
        begin = end
        if at and end in at:
            at[end](unflatten(network, run.weights))
    lost = int((~np.isfinite(run.weights).all(axis=1)).sum())
    if lost:
        of = f"{learning_rate:g}" if isinstance(learning_rate, float | int) else f"up to {rates.max():g}"
        raise DivergenceError(
            f"the weights of {lost:,} of {many:,} networks are not finite after {epochs:,} epochs: "
            f"lower the learning rate, which is {of}"
        )
    return unflatten(network, run.weights)


def ready(dtype: str = "float32") -> bool:
    """Whether `train_runs` can start without compiling, because its machine code is on disk.

    The first run in each dtype compiles for about ten seconds, which is not worth it for a run of one second.
    """
    if not available():
        return False
    from pellucid.engines.kernel.training import train

    return train.ready(dtype)


def prepare(dtype: str = "float32") -> None:
    """Compile what `train_runs` needs, so that no training waits for it; does nothing if it is compiled already."""
    network = Network(inputs=1, layers=(Dense(inputs=1, outputs=1),))
    zeros = {"0.weight": np.zeros((1, 1)), "0.bias": np.zeros(1)}
    rows = np.zeros((1, 1))
    train_runs(
        network, Loss(name="mse"), Optimizer(), [zeros], rows, rows, learning_rate=1.0, epochs=1, dtype=dtype
    )  # fmt: skip


class _Run:
    """The state of S networks between two calls of the compiled run."""

    def __init__(self, network: Network, loss: Loss, optimizer: Optimizer, dtype: Any) -> None:
        from pellucid.engines.kernel.training import train

        self._compiled, self._network, self._loss, self._dtype = train, network, loss, dtype
        self._packed = pack(network)
        self._constants = constants_of(optimizer, loss)
        self._codes = np.array([LOSS_CODES[loss.name], RULE_CODES[optimizer.name], self._packed.logits_at])
        self._done = 0

    def load_parameters(self, parameters: Sequence[Mapping[str, Array]]) -> None:
        many, size = len(parameters), self._network.n_trainable
        self.weights = np.zeros((many, size), self._dtype)
        for into, each in zip(self.weights, parameters, strict=True):
            check_parameters(self._network, each)
            flatten(self._network, each, into)
        self._memory = np.zeros((many, 2, size), self._dtype)

    def load_rows(self, inputs: Array, targets: Array, weights: Array | None) -> None:
        """Take rows ``[S, N, I]``, or ``[1, N, I]`` for all networks."""
        outputs, dtype, sets = self._packed.outputs, self._dtype, len(inputs)
        given = [None] * sets if weights is None else weights
        for x, y, w in zip(inputs, targets, given, strict=True):
            check_rows(self._network, self._loss, x, y, w)
        self.n = inputs.shape[1]
        if self.n == 0:
            raise SettingError("there are no rows to learn from")
        self._x = np.array(inputs.transpose(0, 2, 1), dtype, order="C")
        self._t = np.stack([targets_of(self._loss, y, outputs, dtype) for y in targets])
        self._u = np.stack([weights_of(self._loss, y, w, outputs, dtype) for y, w in zip(targets, given, strict=True)])

    def train(self, begin: int, end: int, size: int, rates: Array, orders: Orders | None, workers: int) -> None:
        """Train from epoch ``begin`` to ``end``, a few epochs at a time."""
        most = int(_BETWEEN_CHECKS * workers / (self.n * self.weights.size)) + 1
        if orders is not None:
            most = max(1, min(most, _ORDERED // (self.n * len(self.weights))))
        edges = [len(self.weights) * k // workers for k in range(workers + 1)]
        parts = [slice(low, high) for low, high in pairwise(edges)]
        with ThreadPoolExecutor(workers) as pool:  # whose threads start with the first task
            for first in range(begin, end, most):
                last = min(first + most, end)
                order = self._ordered(orders, first, last)
                work = partial(self._part, order=order, epochs=last - first, size=size, rates=rates)
                if workers == 1:
                    work(parts[0])
                else:
                    list(pool.map(work, parts))
                self._done += (last - first) * -(-self.n // size)

    def _ordered(self, orders: Orders | None, first: int, last: int) -> Array:
        if orders is None:
            return np.zeros((1, last - first, 0), np.int64)
        order = np.array([[orders(s, e) for e in range(first, last)] for s in range(len(self.weights))], np.int64)
        if order.shape[2:] != (self.n,) or order.min() < 0 or order.max() >= self.n:
            raise SettingError(f"an order must name each of the {self.n:,} rows, from 0 to {self.n - 1:,}")
        return order

    def _part(self, part: slice, *, order: Array, epochs: int, size: int, rates: Array) -> None:
        """Train some of the networks; runs without Python's lock (GIL), in parallel with other threads."""
        room = buffers(self._packed, self._loss, self._network.n_trainable, size, self._dtype)
        x, t, u = ((a if len(a) == 1 else a[part]) for a in (self._x, self._t, self._u))
        rate = rates if len(rates) == 1 else rates[part]
        self._compiled(
            self._packed.table, self._codes, self._constants, self.weights[part], self._memory[part], self._done,
            x, t, u, order if order.shape[2] == 0 else order[part], size, epochs,
            np.ascontiguousarray(rate if rate.shape[1] == 1 else rate[:, self._done :]),
            np.zeros((part.stop - part.start, 0)), *room, True,
        )  # fmt: skip


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _rates(given: float | Sequence[float] | Array, many: int, steps: int) -> Array:
    """The learning rates as ``[1 or S, 1 or steps]``."""
    rates = np.array(given, np.float64)
    if not (rates > 0).all() or not np.isfinite(rates).all():
        raise SettingError(f"learning_rate must be above 0 and finite, got {given!r}")
    if rates.ndim == 0:
        return rates.reshape(1, 1)
    if rates.shape == (many,):
        return rates[:, np.newaxis]
    if rates.ndim == 2 and rates.shape[0] in (1, many) and rates.shape[1] in (1, steps):
        return rates
    raise SettingError(
        f"learning_rate must be one number, one for each of the {many:,} networks, or [{many}, {steps}], one for each "
        f"step, got the shape {list(rates.shape)}"
    )


def _check(network: Network, epochs: int, batch_size: int | None, threads: int | None) -> None:
    reason = supports(network)
    if reason is not None:
        raise SettingError(f"engine 'kernel' cannot train this network: {reason}; use engine=auto")
    if epochs < 1:
        raise SettingError(f"epochs must be at least 1, got {epochs!r}")
    if batch_size is not None and batch_size < 1:
        raise SettingError(f"batch_size must be at least 1, got {batch_size!r}")
    if threads is not None and threads < 1:
        raise SettingError(f"threads must be at least 1, got {threads!r}")
