"""Many networks with the same description trained together, on all rows at every step: seeds, starts, splits.

For networks of twenty weights, a step of a hundred takes as long as a step of one, because nearly all of the time is
spent between the operations. So they are trained together: as a stack in one plan of operations
(`pellucid.engines.fused.stack`), or one after another in a compiled loop (`pellucid.engines.kernel`) where that is
installed. Each network reaches the weights that it would have reached alone. `fit_many` (in `stacked_loop`) does the
same for mini-batches, dropout and early stopping.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DivergenceError, SettingError, nearest
from pellucid.network import Network, describe
from pellucid.network.optimizer import Optimizer
from pellucid.network.shapes import check_many
from pellucid.network.task import Loss
from pellucid.training.stacked_loop import fit_many

__all__ = ["fit_many", "logits_of_many", "train_many", "worth_stacking"]

Array = NDArray[Any]

_FEW_MULTIPLICATIONS = 2_000_000
_MANY_STEPS = 30_000  # about half a second in a stack
_WAYS = ("auto", "stack", "kernel")


def train_many(
    network: Network,
    loss: Loss,
    optimizer: Optimizer,
    parameters: Sequence[Mapping[str, Array]],
    inputs: Array,
    targets: Array,
    *,
    learning_rate: float,
    epochs: int,
    at: Mapping[int, Callable[[dict[str, Array]], None]] | None = None,
    dtype: str = "float32",
    device: str = "cpu",
    engine: str = "auto",
) -> dict[str, Array]:
    """Train S networks from ``parameters``, each on all rows at every step.

    Parameters
    ----------
    network
        Any layers that need no masks; for Dropout, whose masks are drawn for each batch, use `fit_many`.
    parameters
        The initial weights of each of the S networks, as `initialise` gives them.
    inputs, targets
        ``[B, I]``; ``[B]`` class numbers or ``[B, C]`` numbers: all networks see the same rows. Or ``[S, B, I]`` and
        ``[S, B]`` or ``[S, B, C]``: each network has rows of its own.
    learning_rate, epochs
        The rate of every step, above 0; and the number of steps, each on all rows.
    at
        Functions by epoch: each is called with the stacked parameters after that many epochs.
    engine
        ``stack``, ``kernel``, or ``auto``: on the CPU the kernel, where it takes such a network, is compiled (see
        ``python -m pellucid.engines.kernel``) and saves more time than it takes to load.

    Returns
    -------
    dict
        The last parameters, stacked: ``"0.weight"`` is ``[S, O, I]``.

    Raises
    ------
    SettingError
        The network has Dropout, there are no initial weights, the rows are for another number of networks, or a
        setting is out of its range.
    DivergenceError
        Some networks met a non-finite loss, or their last weights are not finite.

    >>> from pellucid.network.initialise import initialise
    >>> from pellucid.network import mlp
    >>> net, x, y = mlp(2, [4], 1), np.eye(2), np.array([[0.0], [1.0]])
    >>> starts = [initialise(net, seed) for seed in range(3)]
    >>> last = train_many(net, Loss(name="bce"), Optimizer(), starts, x, y, learning_rate=0.1, epochs=5, engine="stack")
    >>> last["0.weight"].shape
    (3, 4, 2)
    """
    _check(network, inputs, len(parameters), learning_rate, epochs)
    if _way(engine, network, dtype, device, len(parameters) * epochs) == "kernel":
        from pellucid.engines.kernel.runs import train_runs

        trained: dict[str, Array] = train_runs(
            network, loss, optimizer, parameters, inputs, targets,
            learning_rate=learning_rate, epochs=epochs, at=at, dtype=dtype, threads=None,
        )  # fmt: skip
        return trained
    from pellucid.engines.fused.stack import StackEngine

    stack = StackEngine(network, loss, optimizer, parameters, dtype, device)
    stack.load_rows(inputs, targets)
    for epoch in range(1, epochs + 1):
        stack.step(None, (), learning_rate)
        if at and epoch in at:
            at[epoch](stack.parameters())
    last = stack.parameters()
    lost = stack.diverged.copy()
    for array in last.values():
        lost |= ~np.isfinite(array.reshape(len(array), -1)).all(axis=1)
    if lost.any():
        raise DivergenceError(
            f"the weights of {lost.sum():,} of {len(lost):,} networks have grown out of bounds within {epochs:,} "
            f"epochs: they or their loss are no longer finite; lower the learning rate, which is "
            f"{learning_rate:g}"
        )
    return last


def logits_of_many(network: Network, parameters: Mapping[str, Array], inputs: Array) -> Array:
    """The logits ``[S, B, C]`` of stacked parameters for rows ``[B, I]``, or ``[S, B, I]`` of each network's own."""
    from pellucid.engines.fused.answers import logits_of_stack

    return logits_of_stack(network, parameters, inputs)


def worth_stacking(network: Network, rows: int) -> bool:
    """Whether a stack of four or more such networks is faster than one after another, on the CPU, with ``rows`` a step.

    A rule of thumb from one machine (``benchmarks/STACK.md``). A stack saves the time between operations, which hardly
    matters from 2,000,000 parameters × rows on. Beyond that a stack may even be slower, by up to a fifth, because the
    weights of all its networks no longer fit into the processor's caches. Networks on pictures, series or texts are
    trained one by one.

    >>> from pellucid.network import mlp
    >>> worth_stacking(mlp(4, [10], 3), rows=120), worth_stacking(mlp(784, [256, 128], 10), rows=64)
    (True, False)
    """
    return network.on_columns and network.n_trainable * rows < _FEW_MULTIPLICATIONS


def _way(engine: str, network: Network, dtype: str, device: str, steps: int) -> str:
    """``stack`` or ``kernel``."""
    if engine not in _WAYS:
        raise SettingError(f"engine {engine!r} is not known{nearest(str(engine), _WAYS)}")
    if engine == "stack":
        return engine
    from pellucid.engines.kernel import supports, too_large

    reason = supports(network) or too_large(network)
    if device != "cpu":
        reason = f"it runs on the cpu, not on {device!r}"
    if engine == "auto":
        return "kernel" if reason is None and _worth_loading(steps) and _is_compiled(dtype) else "stack"
    if reason is not None:
        raise SettingError(f"engine 'kernel' cannot train this: {reason}; use engine 'stack'")
    return engine  # it reports a missing Numba itself


def _worth_loading(steps: int) -> bool:
    """Whether this many steps of all networks save the half second that Numba takes to load."""
    return "numba" in sys.modules or steps >= _MANY_STEPS


def _is_compiled(dtype: str) -> bool:
    from pellucid.engines.kernel.runs import ready

    return ready(dtype)


def _check(network: Network, inputs: Array, many: int, learning_rate: float, epochs: int) -> None:
    for leaf in network.leaves():
        if leaf.layer.masks(leaf.shape):
            raise SettingError(
                f"layer {leaf.name} ({describe(leaf.layer)}) needs masks, which are drawn for mini-batches: use "
                "fit_many"
            )
    check_many(many, inputs)
    if not 0 < learning_rate < math.inf:
        raise SettingError(f"learning_rate must be above 0 and finite, got {learning_rate!r}")
    if epochs < 1:
        raise SettingError(f"epochs must be at least 1, got {epochs!r}")
