"""Backpropagation: the chain rule from the loss back to every weight (Rumelhart, Hinton & Williams 1986).

Each layer receives ∂L/∂a, the derivative of the loss with respect to its output, and computes two things:

- ∂L/∂x, the derivative with respect to its input: this is the ∂L/∂a of the layer before;
- ∂L/∂θ for its own parameters θ, if it has any.

The backward rule of each kind of layer stands beside its forward rule, in `pellucid.engines.textbook.layers`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pellucid.engines.textbook.forward import Trace
from pellucid.engines.textbook.layers import rule_of
from pellucid.engines.textbook.layers.rule import Array, Parameters, Step, StepBack, by_layer

__all__ = ["Gradients", "StepBack", "backward"]


@dataclass(frozen=True, kw_only=True)
class Gradients:
    """∂L/∂θ of every trainable parameter, and the partial derivatives passed from layer to layer.

    Attributes
    ----------
    parameters
        By name.
    steps
        What each layer received and returned, first layer first; for a composite also the layers inside.
    """

    parameters: dict[str, Array]
    steps: tuple[StepBack, ...]

    @property
    def d_inputs(self) -> tuple[Array, ...]:
        """∂L/∂x of each layer; ``d_inputs[0]`` is the derivative with respect to the data itself."""
        return tuple(step.d_inputs for step in self.steps)


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
    steps = _Walk(trace.training).inside(trace.steps, parameters, d_logits)
    return Gradients(parameters=dict(_gradients(steps)), steps=steps)


class _Walk:
    """Walks back through layers, the last one first."""

    __slots__ = ("training",)

    def __init__(self, training: bool) -> None:
        self.training = training

    def inside(self, steps: Sequence[Step], w: Parameters, d_a: Array) -> tuple[StepBack, ...]:
        """Walk back through ``steps`` from ``d_a``, ∂L/∂a of the last one."""
        own, back = by_layer(w), []
        for step in reversed(steps):
            returned = rule_of(step.layer).backward(step, own.get(step.name.rpartition(".")[2], {}), d_a, self)
            back.append(StepBack(step.name, step.layer, d_a, *returned))
            d_a = returned.d_inputs
        return tuple(reversed(back))


def _gradients(steps: Sequence[StepBack]) -> Iterator[tuple[str, Array]]:
    """∂L/∂θ by full name, the last layer first."""
    for step in reversed(steps):
        yield from ((f"{step.name}.{name}", array) for name, array in step.parameters.items())
        yield from _gradients(step.inner)
