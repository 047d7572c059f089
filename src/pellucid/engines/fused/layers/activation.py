"""Activations, in place where f′ can be computed from the output alone; f and f′ are in `activations`."""

from __future__ import annotations

import torch
from torch import Tensor

from pellucid.engines.fused import activations
from pellucid.engines.fused.layers.rule import Operations, Planned, Position, Predict, Rule, Walk, numbers_in
from pellucid.network import Activation

__all__ = ["TABLE"]


def plan(layer: Activation, position: Position, walk: Walk) -> Planned:
    """a = f(z);  ∂L/∂z = d f′(z)."""
    z, function = position.x, layer.function
    from_output = function in activations.FROM_OUTPUT
    in_place = from_output and position.may_overwrite
    full = position.full if in_place else position.new_output()
    a = z if in_place else numbers_in(full)
    kept = None if from_output else torch.empty_like(a)

    def backward(d: Tensor, wanted: bool) -> tuple[Operations, Tensor]:
        return activations.backward(function, z, a, kept, d, private=walk.private), d

    forward = activations.forward(function, z, a, kept)
    return Planned(full=full, forward=forward, backward=backward, may_overwrite=False)


def predict(layer: Activation, x: Tensor, reads: Predict) -> Tensor:
    """a = f(z)."""
    a, kept = torch.empty_like(x), torch.empty_like(x)
    for operation in activations.forward(layer.function, x, a, kept):
        operation()
    return a


TABLE = {Activation: Rule(plan=plan, predict=predict)}
