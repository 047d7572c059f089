"""A network, a loss and a rule as tables of numbers: what the compiled run reads instead of Python's objects.

Legend: P trainable parameters, all in one array in the order of `Network.trainable`; L layers that compute something.

`STEP` lists the columns of a network's table ``[L, 8]``:

| column | meaning |
|---|---|
| kind | 0 for a Dense layer, else the activation's code |
| from, to | the first row of the layer's inputs and outputs in the buffer of activations |
| kept | an activation's f′ starts at this row; a Dense layer: 1 where the layers before it want ∂L/∂x |
| n from, n to | how many rows |
| weight, bias | where they start in the array of parameters; a bias that is not there is −1 |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import SettingError
from pellucid.network import ACTIVATIONS, Activation, Dense, Network
from pellucid.network.optimizer import OPTIMIZERS, Optimizer
from pellucid.network.task import LOSSES, Loss

__all__ = [
    "CODES",
    "FROM_OUTPUT",
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

CODES = {name: code for code, name in enumerate(ACTIVATIONS, start=1)}
LOSS_CODES = {name: code for code, name in enumerate(LOSSES)}
RULE_CODES = {name: code for code, name in enumerate(OPTIMIZERS)}
FROM_OUTPUT = frozenset({"sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu"})

MOST_ROWS = 512  # of a batch at a time, so that what one layer leaves is still near when the next comes
_CACHE = 4096  # rows a whole number of these bytes apart fall on the same lines of the processor's nearest memory
_LINE = 64


@dataclass(frozen=True, kw_only=True, eq=False)
class PackedNetwork:
    """The table of a network, how many rows its two buffers have, and where its logits are."""

    table: Array  # [L, 8]
    activations: int
    slopes: int
    logits_at: int
    outputs: int


def pack(network: Network) -> PackedNetwork:
    """Lay a network of Dense layers and activations over the rows of the buffers.

    >>> from pellucid.network import mlp
    >>> plan = pack(mlp(2, [5], 1))
    >>> plan.table.tolist()
    [[0, 0, 2, 0, 2, 5, 0, 10], [4, 2, 2, 2, 5, 5, 0, 0], [0, 2, 7, 1, 5, 1, 15, 20]]
    >>> plan.activations, plan.logits_at
    (8, 7)
    """
    table: list[list[int]] = []
    at, end, width, start = 0, network.inputs, network.inputs, 0
    private = learns = False  # whether the layer before may be overwritten; whether one before has weights
    widest = width
    for layer in network.layers:
        if isinstance(layer, Dense):
            weights = layer.inputs * layer.outputs
            bias = start + weights if layer.bias else -1
            table.append([0, at, end, int(learns), width, layer.outputs, start, bias])
            start += weights + layer.outputs * layer.bias
            at, width, end = end, layer.outputs, end + layer.outputs
            private = learns = True
        elif isinstance(layer, Activation) and layer.function != "identity":
            kept = to = at
            if layer.function in FROM_OUTPUT:
                if not private:
                    kept = to = end
                    end += width
            else:
                to, end = end, end + width
                if not private:
                    kept, end = end, end + width
            table.append([CODES[layer.function], at, to, kept, width, width, 0, 0])
            at, private = to, False
        widest = max(widest, width)
    shaped = np.array(table, np.int64).reshape(-1, 8)
    return PackedNetwork(table=shaped, activations=end, slopes=2 * widest + 2, logits_at=at, outputs=width)


def constants_of(rule: Optimizer, loss: Loss) -> Array:
    """λ, μ, α, β₁, β₂, ε, the limit of the gradients' norm (0 for none), and the loss's δ."""
    smoothing = rule.momentum, rule.alpha, rule.beta1, rule.beta2
    return np.array([rule.weight_decay, *smoothing, rule.eps, rule.clip_norm or 0.0, loss.delta], np.float64)


def arithmetic(dtype: str) -> Any:
    """NumPy's type for ``float32`` or ``float64``; raises `SettingError` for others."""
    if dtype not in ("float32", "float64"):
        raise SettingError(f"dtype must be 'float32' or 'float64', got {dtype!r}")
    return np.dtype(dtype)


def targets_of(loss: Loss, y: Array, outputs: int, dtype: Any) -> Array:
    """The targets as ``[C, N]``: shares of the classes for cross-entropy, smoothed; numbers as they are.

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
    """The weights of the cells ``[C, N]``, for cross-entropy of the rows ``[1, N]``."""
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
    """Copies by name of what lies in ``[P]`` or, stacked, in ``[S, P]``."""
    arrays, at = {}, 0
    for p in network.trainable():
        arrays[p.name] = flat[..., at : at + p.size].reshape(*flat.shape[:-1], *p.shape).copy()
        at += p.size
    return arrays


def buffers(plan: PackedNetwork, loss: Loss, parameters: int, batch: int, dtype: Any) -> tuple[Array, ...]:
    """What a thread works in: activations, ∂L/∂activations, gradients ``[P]``, targets and weights of a batch."""
    columns = min(batch, MOST_ROWS)
    weights = 1 if loss.name == "cross_entropy" else plan.outputs
    gradients = _room(1, parameters, dtype)[0, :parameters]
    a, d, t, u = (_room(n, columns, dtype) for n in (plan.activations, plan.slopes, plan.outputs, weights))
    return a, d, gradients, t, u


def _room(rows: int, columns: int, dtype: Any) -> Array:
    """A buffer ``[rows, ≥ columns]`` whose rows start where the processor loads fastest."""
    size = np.dtype(dtype).itemsize
    stride = -(-columns * size // _LINE) * _LINE
    if stride % _CACHE == 0:
        stride += _LINE
    raw = np.zeros(rows * stride + _LINE, np.uint8)
    skip = -raw.ctypes.data % _LINE
    aligned: Array = raw[skip : skip + rows * stride].view(dtype)
    return aligned.reshape(rows, stride // size)
