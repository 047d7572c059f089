"""Max pooling of pictures."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from pellucid.engines.fused.layers.rule import Operations, Planned, Position, Predict, Rule, Walk
from pellucid.network import MaxPool2d

__all__ = ["TABLE"]

_pool = torch.ops.aten.max_pool2d_with_indices


def plan(layer: MaxPool2d, position: Position, walk: Walk) -> Planned:
    """Each window's largest number, and where it stood;  ∂L/∂x is d there and 0 elsewhere."""
    x, out = position.x, position.new_output()
    places = torch.zeros_like(out, dtype=torch.int64)
    window = _window(layer)

    def backward(d: Tensor, wanted: bool) -> tuple[Operations, Tensor]:
        if not wanted:
            return [], d
        d_x = torch.empty_like(x)
        back = torch.ops.aten.max_pool2d_with_indices_backward.grad_input
        return [partial(back, d, x, *window, [1, 1], False, places, grad_input=d_x)], d_x

    forward: Operations = [partial(_pool.out, x, *window, out=out, indices=places)]
    return Planned(full=out, forward=forward, backward=backward, may_overwrite=True)


def predict(layer: MaxPool2d, x: Tensor, reads: Predict) -> Tensor:
    """Each window's largest number; PyTorch's pooling also notes where it stood, which takes longer."""
    if (layer.kernel, layer.strides, layer.pads) == ((2, 2), (2, 2), ((0, 0), (0, 0))):
        height, width = (extent // 2 * 2 for extent in x.shape[2:])
        rows = torch.maximum(x[:, :, 0:height:2], x[:, :, 1:height:2])
        return torch.maximum(rows[..., 0:width:2], rows[..., 1:width:2])
    largest: Tensor = _pool(x, *_window(layer))[0]
    return largest


def _window(layer: MaxPool2d) -> tuple[list[int], list[int], list[int]]:
    """Kernel, stride and padding, as PyTorch takes them."""
    return list(layer.kernel), list(layer.strides), [before for before, _ in layer.pads]


TABLE = {MaxPool2d: Rule(plan=plan, predict=predict)}
