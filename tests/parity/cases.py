"""The table of cases that every engine is held to: networks, losses, optimizers, and rows with the kinks planted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.network import ACTIVATIONS, Network, mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import OPTIMIZERS, Optimizer
from pellucid.network.task import Loss
from pellucid.training.loop import Rows

Array = NDArray[Any]

LOSSES = {
    "bce": Loss(name="bce"),
    "bce weighted and smoothed": Loss(name="bce", label_smoothing=0.1, class_weights=(0.5, 2.0)),
    "cross_entropy": Loss(name="cross_entropy"),
    "cross_entropy smoothed": Loss(name="cross_entropy", label_smoothing=0.1),
    "cross_entropy weighted and smoothed": Loss(
        name="cross_entropy", label_smoothing=0.1, class_weights=(0.5, 2.0, 1.0)
    ),
    "mse": Loss(name="mse"),
    "mae": Loss(name="mae"),
    "huber": Loss(name="huber", delta=0.7),
}
PLAIN_LOSSES = ("bce", "cross_entropy", "mse", "mae", "huber")

UPDATES = {name: Optimizer(name=name) for name in OPTIMIZERS}  # type: ignore[arg-type]
UPDATES |= {
    f"{name}, decay, clipped": Optimizer(name=name, weight_decay=0.05, clip_norm=0.3)  # type: ignore[arg-type]
    for name in OPTIMIZERS
}

# Each activation, with and without the layers that stand beside it.
NETWORKS = {
    f"{activation}{', norm' if norm else ''}{', dropout' if dropout else ''}": (activation, norm, dropout)
    for activation in ACTIVATIONS
    for norm in (False, True)
    for dropout in (0.0, 0.3)
}

N_ROWS = 24


def make_network(name: str, loss: Loss, *, outputs: int | None = None) -> Network:
    """The network of this name with an output for ``loss``; its hidden layers are square, to show a transpose."""
    activation, norm, dropout = NETWORKS[name]
    width = outputs or (3 if loss.name == "cross_entropy" else 1)
    return mlp(4, [4, 4], width, activation=activation, batch_norm=norm, dropout=dropout)


def make_parameters(network: Network, seed: int = 0) -> dict[str, Array]:
    """Weights, with biases and norms away from their neutral start, but the first bias at 0 (the kink)."""
    generator = np.random.default_rng(seed + 1)
    parameters = initialise(network, seed)
    for name, array in parameters.items():
        if (name.endswith(("bias", "running_mean")) or ".bias_" in name) and name != "0.bias":
            parameters[name] = array + generator.normal(0, 0.3, array.shape)
        elif name.endswith("running_var") or (name.endswith("weight") and array.ndim == 1):
            parameters[name] = array * generator.uniform(0.5, 1.5, array.shape)
    return parameters


def make_rows(
    loss: Loss,
    *,
    n: int = N_ROWS,
    outputs: int = 1,
    seed: int = 0,
    weighted: bool = False,
    constant: bool = True,
) -> Rows:
    """Rows with an all-zero row (z = 0 exactly), two equal rows, a large one and (else varying) a constant column."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n, 4))
    if constant:
        x[:, 3] = 1.0
    if n > 4:
        x[0] = 0.0
        x[2] = x[1]
        x[3] *= 5
    targets: Array
    if loss.name == "cross_entropy":
        targets = generator.integers(0, 3, n)
    elif loss.name == "bce":
        targets = generator.integers(0, 2, (n, outputs)).astype(float)
    else:
        targets = generator.normal(size=(n, outputs))
    return Rows(inputs=x, targets=targets, weights=generator.uniform(0.5, 2, n) if weighted else None)
