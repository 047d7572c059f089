"""Average pooling of pictures."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from pellucid.engines.fused.layers.rule import Operations, Planned, Position, Predict, Rule, Walk
from pellucid.network import AvgPool2d

__all__ = ["TABLE"]

_pool = torch.ops.aten.avg_pool2d


def plan(layer: AvgPool2d, position: Position, walk: Walk) -> Planned:
    """Each window's mean, in which padding counts as zeros;  ∂L/∂x is d over the number of positions."""
    x, out = position.x, position.new_output()
    window = _window(layer)

    def backward(d: Tensor, wanted: bool) -> tuple[Operations, Tensor]:
        if not wanted:
            return [], d
        d_x = torch.empty_like(x)
        return [partial(torch.ops.aten.avg_pool2d_backward.grad_input, d, x, *window, grad_input=d_x)], d_x

    return Planned(full=out, forward=[partial(_pool.out, x, *window, out=out)], backward=backward, may_overwrite=True)


def predict(layer: AvgPool2d, x: Tensor, reads: Predict) -> Tensor:
    """Each window's mean."""
    mean: Tensor = _pool(x, *_window(layer))
    return mean


def _window(layer: AvgPool2d) -> tuple[object, ...]:
    """Kernel, stride and padding; whole windows only; padding counts; the divisor is the number of positions."""
    return list(layer.kernel), list(layer.strides), [before for before, _ in layer.pads], False, True, None


TABLE = {AvgPool2d: Rule(plan=plan, predict=predict)}
