"""The forward pass: from a batch of rows to logits, keeping what the way back will need.

Legend: B rows, I inputs and O outputs of a layer. ``x`` is what a layer receives, ``[B, I]``; ``a`` what it gives,
``[B, O]``; ``W`` a weight, ``[O, I]``; ``b`` a bias, ``[O]``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.activations import RULES
from pellucid.errors import DataError, SettingError
from pellucid.network import Activation, BatchNorm, Dense, Dropout, Layer, Network, describe

__all__ = ["Step", "Trace", "forward"]

Array = NDArray[Any]
Parameters = Mapping[str, Array]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One layer at work: what came in, what went out, and what its backward rule wants to see again.

    ``kept`` holds, for BatchNorm, ``normalised`` x̂ ``[B, I]`` and ``deviation`` √(v + ε) ``[I]``; for Dropout the
    ``mask`` ``[B, I]``.
    """

    index: int
    layer: Layer
    inputs: Array  # x  [B, I]
    outputs: Array  # a  [B, O]
    kept: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Trace:
    """The whole forward pass, a step a layer.

    ``running`` holds the new running statistics of BatchNorm layers (training only); nothing is changed in place.
    """

    steps: tuple[Step, ...]
    running: Mapping[str, Array]
    training: bool

    @property
    def logits(self) -> Array:
        """What the last layer gave, ``[B, C]``."""
        return self.steps[-1].outputs


def forward(
    network: Network,
    parameters: Parameters,
    x: Array,
    *,
    training: bool = False,
    masks: Sequence[Array] = (),
) -> Trace:
    """Send the rows ``x`` ``[B, I]`` through the network.

    Parameters
    ----------
    network, parameters
        The description and its arrays, by name.
    x
        A batch, ``[B, network.inputs]``.
    training
        BatchNorm uses the batch's own statistics and Dropout drops; otherwise running statistics, nothing dropped.
    masks
        One array ``[B, width]`` for each Dropout (those with a rate above 0, in order), holding 0 or 1/(1 − rate).

    >>> from pellucid.network import Dense, Activation, Network
    >>> neuron = Network(inputs=2, layers=(Dense(inputs=2, outputs=1), Activation(function="relu")))
    >>> w = {"0.weight": np.array([[0.5, 1.0]]), "0.bias": np.array([0.25])}
    >>> forward(neuron, w, np.array([[2.0, -1.0]])).logits
    array([[0.25]])
    """
    if x.ndim != 2 or x.shape[1] != network.inputs:
        raise DataError(
            f"layer 0 ({describe(network.layers[0])}) wants rows of {network.inputs} numbers, "
            f"[B, {network.inputs}], got an array of shape {list(x.shape)}"
        )
    given = iter(masks)
    steps: list[Step] = []
    running: dict[str, Array] = {}
    for index, layer in enumerate(network.layers):
        match layer:
            case Dense():
                step = _dense(index, layer, parameters, x)
            case Activation():
                step = Step(index=index, layer=layer, inputs=x, outputs=RULES[layer.function].f(x))
            case BatchNorm() if training:
                step, updated = _batch_norm_training(index, layer, parameters, x)
                running.update(updated)
            case BatchNorm():
                step = _batch_norm_inference(index, layer, parameters, x)
            case Dropout() if training and layer.rate > 0:
                mask = next(given)
                step = Step(index=index, layer=layer, inputs=x, outputs=x * mask, kept={"mask": mask})
            case Dropout():
                step = Step(index=index, layer=layer, inputs=x, outputs=x)
        steps.append(step)
        x = step.outputs
    return Trace(steps=tuple(steps), running=running, training=training)


def _dense(index: int, layer: Dense, parameters: Parameters, x: Array) -> Step:
    """z = x Wᵀ + b."""
    z = x @ parameters[f"{index}.weight"].T  # [B, O]
    if layer.bias:
        z = z + parameters[f"{index}.bias"]
    return Step(index=index, layer=layer, inputs=x, outputs=z)


def _batch_norm_training(
    index: int, layer: BatchNorm, parameters: Parameters, x: Array
) -> tuple[Step, dict[str, Array]]:
    """x̂ = (x − μ) / √(v + ε), a = γ x̂ + β, with the batch's mean μ and biased variance v (Ioffe & Szegedy 2015).

    The running statistics move a share ``momentum`` towards μ and towards the unbiased variance v · B/(B − 1).
    """
    rows = len(x)
    if rows < 2:
        raise SettingError(
            f"layer {index} ({describe(layer)}) cannot train on a batch of one row: a single row has no variance; "
            "use a batch size of at least 2"
        )
    mean = x.mean(axis=0)  # μ  [I]
    variance = x.var(axis=0)  # v  [I]
    deviation = np.sqrt(variance + layer.eps)  # [I]
    normalised = (x - mean) / deviation  # x̂  [B, I]
    outputs = parameters[f"{index}.weight"] * normalised + parameters[f"{index}.bias"]
    keep, share = 1 - layer.momentum, layer.momentum
    updated = {
        f"{index}.running_mean": keep * parameters[f"{index}.running_mean"] + share * mean,
        f"{index}.running_var": keep * parameters[f"{index}.running_var"] + share * variance * rows / (rows - 1),
        f"{index}.num_batches_tracked": np.asarray(parameters[f"{index}.num_batches_tracked"] + 1),
    }
    kept = {"normalised": normalised, "deviation": deviation}
    return Step(index=index, layer=layer, inputs=x, outputs=outputs, kept=kept), updated


def _batch_norm_inference(index: int, layer: BatchNorm, parameters: Parameters, x: Array) -> Step:
    """The same with the running mean and variance, so that a row's answer does not depend on its neighbours."""
    deviation = np.sqrt(parameters[f"{index}.running_var"] + layer.eps)
    normalised = (x - parameters[f"{index}.running_mean"]) / deviation
    outputs = parameters[f"{index}.weight"] * normalised + parameters[f"{index}.bias"]
    kept = {"normalised": normalised, "deviation": deviation}
    return Step(index=index, layer=layer, inputs=x, outputs=outputs, kept=kept)
