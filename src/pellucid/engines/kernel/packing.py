"""A network, a loss and an update rule as tables of numbers, which the compiled run reads instead of Python objects.

Legend: P trainable parameters, all in one array in the order of `Network.trainable`; L layers that compute something.

The columns of a network's table ``[L, 8]``:

| column | meaning |
|---|---|
| kind | the code of the layer, as its rule in `layers` says |
| from, to | the first row of the layer's inputs and outputs in the buffer of activations |
| kept | an activation: the first row of its f′; a Dense layer: 1 if the layers before it need ∂L/∂x |
| n from, n to | number of rows |
| weight, bias | where they start in the array of parameters; −1 for no bias |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.kernel.layers import RULES
from pellucid.engines.kernel.layers.rule import Packing, Row
from pellucid.errors import SettingError
from pellucid.network import Network
from pellucid.network.optimizer import OPTIMIZERS, Optimizer
from pellucid.network.task import LOSSES, Loss

__all__ = [
    "LOSS_CODES",
    "RULE_CODES",
    "PackedNetwork",
    "arithmetic",
    "buffers",
    "constants_of",
    "flatten",
    "pack",
    "targets_of",
    "unflatten",
    "weights_of",
]

Array = NDArray[Any]

LOSS_CODES = {name: code for code, name in enumerate(LOSSES)}
RULE_CODES = {name: code for code, name in enumerate(OPTIMIZERS)}

MOST_ROWS = 512  # of a batch at a time: a layer's output is still in the cache when the next layer reads it
_CACHE = 4096  # rows a multiple of these bytes apart share the same cache lines
_LINE = 64


@dataclass(frozen=True, kw_only=True, eq=False)
class PackedNetwork:
    """The table of a network, the number of rows of its two buffers, and where its logits are."""

    table: Array  # [L, 8]
    activations: int
    slopes: int
    logits_at: int
    outputs: int


def pack(network: Network) -> PackedNetwork:
    """Pack a network that `pellucid.engines.kernel.supports` accepts.

    >>> from pellucid.network import mlp
    >>> packed = pack(mlp(2, [5], 1))
    >>> packed.table.tolist()
    [[0, 0, 2, 0, 2, 5, 0, 10], [4, 2, 2, 2, 5, 5, 0, 0], [0, 2, 7, 1, 5, 1, 15, 20]]
    >>> packed.activations, packed.logits_at
    (8, 7)
    """
    so_far = Packing(width=network.inputs, end=network.inputs)
    table: list[Row] = []
    widest = so_far.width
    for layer in network.layers:
        row, so_far = RULES[type(layer)].pack(layer, so_far)
        if row is not None:
            table.append(row)
        widest = max(widest, so_far.width)
    shaped = np.array(table, np.int64).reshape(-1, 8)
    return PackedNetwork(
        table=shaped, activations=so_far.end, slopes=2 * widest + 2, logits_at=so_far.at, outputs=so_far.width
    )


def constants_of(rule: Optimizer, loss: Loss) -> Array:
    """λ, μ, α, β₁, β₂, ε, the limit of the gradients' norm (0 for none), and the loss's δ."""
    if rule.weight_decay and not rule.decay_biases:
        raise SettingError("engine 'kernel' decays all that is learned: use engine=auto, or decay_biases=true")
    smoothing = rule.momentum, rule.alpha, rule.beta1, rule.beta2
    return np.array([rule.weight_decay, *smoothing, rule.eps, rule.clip_norm or 0.0, loss.delta], np.float64)


def arithmetic(dtype: str) -> Any:
    """NumPy's type for ``float32`` or ``float64``; raises `SettingError` for others."""
    if dtype not in ("float32", "float64"):
        raise SettingError(f"dtype must be 'float32' or 'float64', got {dtype!r}")
    return np.dtype(dtype)


def targets_of(loss: Loss, y: Array, outputs: int, dtype: Any) -> Array:
    """The targets as ``[C, N]``: smoothed class shares for cross-entropy; numbers unchanged.

    Parameters
    ----------
    loss
        The loss, with its label smoothing.
    y
        Class numbers ``[N]`` for cross-entropy, else numbers ``[N, C]``.
    outputs
        The number of logits, C.
    dtype
        The arithmetic.

    >>> targets_of(Loss(name="cross_entropy"), np.array([1, 0]), 2, "float32").tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    smooth = loss.label_smoothing
    if loss.name == "cross_entropy":
        shares = np.full((outputs, len(y)), smooth / outputs, dtype)
        shares[y, np.arange(len(y))] += 1 - smooth
        return shares
    t = np.array(y.T, dtype, order="C")
    if smooth:
        t *= t.dtype.type(1 - smooth)
        t += t.dtype.type(smooth / 2)
    return t


def weights_of(loss: Loss, y: Array, rows: Array | None, outputs: int, dtype: Any) -> Array:
    """The weights of the cells ``[C, N]``, for cross-entropy of the rows ``[1, N]``.

    Parameters
    ----------
    loss
        The loss, with its class weights.
    y
        Targets as in `targets_of`.
    rows
        The weights of the rows ``[N]``, or ``None``.
    outputs, dtype
        As in `targets_of`.
    """
    w = np.ones((1 if loss.name == "cross_entropy" else outputs, len(y)), dtype)
    if loss.class_weights is not None:
        of_class = np.array(loss.class_weights, dtype)
        if loss.name == "cross_entropy":
            w *= of_class[y]
        else:
            w *= of_class[0] + (of_class[1] - of_class[0]) * y.T.astype(dtype)
    if rows is not None:
        w *= rows.astype(dtype)
    return w


def flatten(network: Network, parameters: Mapping[str, Array], into: Array) -> None:
    """Copy the trainable parameters into an array ``[P]``."""
    at = 0
    for p in network.trainable():
        into[at : at + p.size] = np.asarray(parameters[p.name]).reshape(-1)
        at += p.size


def unflatten(network: Network, flat: Array) -> dict[str, Array]:
    """Copies, by name, of the parameters in ``[P]`` or, stacked, in ``[S, P]``."""
    arrays, at = {}, 0
    for p in network.trainable():
        arrays[p.name] = flat[..., at : at + p.size].reshape(*flat.shape[:-1], *p.shape).copy()
        at += p.size
    return arrays


def buffers(packed: PackedNetwork, loss: Loss, parameters: int, batch: int, dtype: Any) -> tuple[Array, ...]:
    """The buffers of a thread: activations, ∂L/∂activations, gradients ``[P]``, targets and weights of a batch.

    Parameters
    ----------
    packed, loss
        The network and the loss.
    parameters
        P, the number of trainable parameters.
    batch
        The largest number of rows in a step.
    dtype
        The arithmetic.
    """
    columns = min(batch, MOST_ROWS)
    weights = 1 if loss.name == "cross_entropy" else packed.outputs
    gradients = _room(1, parameters, dtype)[0, :parameters]
    a, d, t, u = (_room(n, columns, dtype) for n in (packed.activations, packed.slopes, packed.outputs, weights))
    return a, d, gradients, t, u


def _room(rows: int, columns: int, dtype: Any) -> Array:
    """A buffer ``[rows, ≥ columns]`` whose rows are aligned for fast loading."""
    size = np.dtype(dtype).itemsize
    stride = -(-columns * size // _LINE) * _LINE
    if stride % _CACHE == 0:
        stride += _LINE
    raw = np.zeros(rows * stride + _LINE, np.uint8)
    skip = -raw.ctypes.data % _LINE
    aligned: Array = raw[skip : skip + rows * stride].view(dtype)
    return aligned.reshape(rows, stride // size)
