"""Backpropagation: the chain rule, walked from the loss back to every weight (Rumelhart, Hinton & Williams 1986).

Each layer is handed ∂L/∂a, the slope of the loss with respect to what the layer gave, and answers two questions:

- ∂L/∂x, the slope with respect to what it received: this is the ∂L/∂a of the layer before;
- ∂L/∂θ for its own parameters θ, if it has any.

Legend as in `forward`: B rows, I inputs, O outputs; ``d_a`` is ∂L/∂a ``[B, O]``, ``d_x`` is ∂L/∂x ``[B, I]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from pellucid.engines.textbook.activations import RULES
from pellucid.engines.textbook.forward import Parameters, Step, Trace
from pellucid.network import Activation, BatchNorm, Dense, Dropout

__all__ = ["Gradients", "backward"]

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Gradients:
    """∂L/∂θ of every trainable parameter, and the partial derivatives passed from layer to layer.

    ``d_inputs[i]`` is ∂L/∂x of layer ``i``; ``d_inputs[0]`` is the slope with respect to the data itself.
    """

    parameters: dict[str, Array]
    d_inputs: tuple[Array, ...]


def backward(parameters: Parameters, trace: Trace, d_logits: Array) -> Gradients:
    """Walk a `Trace` backwards from ∂L/∂logits ``[B, C]``.

    The gradient that a loss on the last layer's output gives to all weights before it:

    >>> import numpy as np
    >>> from pellucid.network import Dense, Network
    >>> from pellucid.engines.textbook.forward import forward
    >>> line = Network(inputs=1, layers=(Dense(inputs=1, outputs=1),))
    >>> w = {"0.weight": np.array([[3.0]]), "0.bias": np.array([1.0])}
    >>> trace = forward(line, w, np.array([[2.0]]))     # y = 3·2 + 1 = 7, target 5
    >>> dL_dy = 2 * (trace.logits - 5)                  # 4
    >>> backward(w, trace, dL_dy).parameters["0.weight"]
    array([[8.]])
    """
    gradients: dict[str, Array] = {}
    d_inputs: list[Array] = []
    d_a = d_logits
    for step in reversed(trace.steps):
        match step.layer:
            case Dense():
                d_x, own = _dense(step, parameters, d_a)
            case Activation():
                d_x, own = d_a * RULES[step.layer.function].derivative(step.inputs, step.outputs), {}
            case BatchNorm():
                d_x, own = _batch_norm(step, parameters, d_a, trace.training)
            case Dropout():
                d_x, own = d_a * step.kept["mask"] if "mask" in step.kept else d_a, {}
        gradients.update(own)
        d_inputs.append(d_x)
        d_a = d_x
    return Gradients(parameters=gradients, d_inputs=tuple(reversed(d_inputs)))


def _dense(step: Step, parameters: Parameters, d_z: Array) -> tuple[Array, Mapping[str, Array]]:
    """z = x Wᵀ + b, so ∂L/∂W = (∂L/∂z)ᵀ x, ∂L/∂b = Σ_rows ∂L/∂z, ∂L/∂x = ∂L/∂z W."""
    own = {f"{step.index}.weight": d_z.T @ step.inputs}  # [O, B] @ [B, I] = [O, I]
    if isinstance(step.layer, Dense) and step.layer.bias:
        own[f"{step.index}.bias"] = d_z.sum(axis=0)  # [O]
    return d_z @ parameters[f"{step.index}.weight"], own  # [B, O] @ [O, I] = [B, I]


def _batch_norm(step: Step, parameters: Parameters, d_a: Array, training: bool) -> tuple[Array, Mapping[str, Array]]:
    """Through a = γ x̂ + β and x̂ = (x − μ)/√(v + ε), where, in training, μ and v depend on every row of the batch.

    ∂L/∂γ = Σ ∂L/∂a · x̂,  ∂L/∂β = Σ ∂L/∂a,  and with g = ∂L/∂x̂ = γ ∂L/∂a

    ∂L/∂x = (g − mean(g) − x̂ · mean(g · x̂)) / √(v + ε)

    The two means are the ways round through μ and through v (Ioffe & Szegedy 2015, section 3). With running
    statistics μ and v are constants, and both means fall away.
    """
    normalised, deviation = step.kept["normalised"], step.kept["deviation"]
    own = {
        f"{step.index}.weight": (d_a * normalised).sum(axis=0),
        f"{step.index}.bias": d_a.sum(axis=0),
    }
    g = d_a * parameters[f"{step.index}.weight"]
    if training:
        g = g - g.mean(axis=0) - normalised * (g * normalised).mean(axis=0)
    return g / deviation, own
