"""The derivatives of a small network found in several ways, so that each can be compared with the others."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.backprop import backward
from pellucid.engines.textbook.forward import forward
from pellucid.engines.textbook.gradient_check import central_differences
from pellucid.engines.textbook.losses import loss_and_gradient
from pellucid.engines.textbook.optimizers import update
from pellucid.network import Network
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training.engine import make_engine

__all__ = ["Derivative", "Slopes", "derivative", "one_step"]

Array = NDArray[Any]
Slopes = tuple[Mapping[str, Array], Mapping[str, Array], Mapping[str, Array]]  # textbook, differences, autograd

MSE = Loss(name="mse")


@dataclass(frozen=True, kw_only=True)
class Derivative:
    """∂L/∂θ of one weight or bias θ, computed in four ways.

    Attributes
    ----------
    name
        Of the weight, such as ``w₁[2, 1]``: layer 1, into unit 2, from input 1.
    value
        The weight itself.
    factors
        The links of the chain, by name, from the loss to the weight.
    product
        Of the factors.
    textbook, differences, autograd
        The same from `pellucid.engines.textbook.backprop`, from central differences and from PyTorch.
    """

    name: str
    value: float
    factors: Mapping[str, float]
    product: float
    textbook: float
    differences: float
    autograd: float

    @property
    def disagreement(self) -> float:
        """The largest difference between the product and the other three, divided by the product if that is above 1."""
        others = (self.textbook, self.differences, self.autograd)
        return max(abs(other - self.product) for other in others) / max(1.0, abs(self.product))


def one_step(
    network: Network, parameters: Mapping[str, Array], x: Array, y: Array, lr: float
) -> tuple[dict[str, Array], float, float, Slopes]:
    """The weights after one step of gradient descent, the loss before and after, and the gradient in three ways.

    Parameters
    ----------
    network, parameters
        The description and its arrays, by name.
    x, y
        Rows ``[B, I]`` and targets ``[B, O]``; the loss is the mean squared error.
    lr
        The learning rate.

    >>> from pellucid.network import Dense
    >>> line = Network(inputs=1, layers=(Dense(inputs=1, outputs=1),))
    >>> w = {"0.weight": np.array([[3.0]]), "0.bias": np.array([1.0])}
    >>> after, before, _, _ = one_step(line, w, np.array([[2.0]]), np.array([[5.0]]), 0.01)
    >>> before, float(after["0.weight"].item())
    (4.0, 2.92)
    """

    def loss(p: Mapping[str, Array]) -> float:
        return loss_and_gradient(MSE, forward(network, p, x).logits, y).value

    trace = forward(network, parameters, x)
    textbook = backward(parameters, trace, loss_and_gradient(MSE, trace.logits, y).d_logits).parameters
    near = central_differences(loss, parameters, tuple(parameters))
    rule = Optimizer(name="sgd")
    engine = make_engine("torch", network, MSE, rule, parameters, dtype="float64", device="cpu")
    engine.load_rows(x, y)
    _, autograd = engine.gradients(np.arange(len(x)), ())
    after = {name: update(rule, parameters[name], textbook[name], {}, lr, 1) for name in parameters}
    return after, loss(parameters), loss(after), (textbook, near, autograd)


def derivative(
    label: str,
    name: str,
    place: tuple[int, ...],
    factors: Mapping[str, float],
    parameters: Mapping[str, Array],
    slopes: Slopes,
) -> Derivative:
    """The derivative with respect to one element of a parameter, from its factors and from the slopes.

    Parameters
    ----------
    label
        What the element is called in the study, such as ``w₁[2, 1]``.
    name, place
        The parameter that holds it, such as ``0.weight``, and the element's index in that array.
    factors
        The links of the chain, by name, from the loss to the weight; their product is the derivative.
    parameters
        All arrays of the network, by name.
    slopes
        The gradient by the textbook engine, by central differences and by autograd, as `one_step` returns it.
    """
    textbook, near, autograd = (float(each[name][place]) for each in slopes)
    return Derivative(
        name=label,
        value=float(parameters[name][place]),
        factors=dict(factors),
        product=math.prod(factors.values()),
        textbook=textbook,
        differences=near,
        autograd=autograd,
    )
