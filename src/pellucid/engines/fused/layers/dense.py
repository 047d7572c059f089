"""The fully connected layer, with its bias as an extra column of the weight."""

from __future__ import annotations

import torch
from torch import Tensor

from pellucid.engines.fused.layers.rule import Block, Operations, Planned, Position, Predict, Rule, Walk
from pellucid.network import Dense

__all__ = ["TABLE"]

_MANY_OUTPUTS = 32  # below, the product is faster row by row


def block(layer: Dense) -> Block:
    """``[O, I + 1]``, the bias in the last column; column by column where there are many outputs.

    The gradient d [x; 1]ᵀ then has rows of O numbers, usually a multiple of 16; with rows of I + 1 numbers the product
    would end in a strip of one column, which can take up to half its time.
    """
    weight, bias = (..., slice(layer.inputs)), (..., layer.inputs)
    return Block(
        shape=(layer.outputs, layer.inputs + layer.bias),
        parts={"weight": weight, "bias": bias} if layer.bias else {"weight": weight},
        by_columns=layer.outputs >= _MANY_OUTPUTS,
    )


def plan(layer: Dense, position: Position, walk: Walk) -> Planned:
    """z = [W b] [x; 1];  ∂L/∂[W b] = d [x; 1]ᵀ, ∂L/∂x = Wᵀ d."""
    multiply, w, g = walk.products, position.w, position.g
    source = position.full if layer.bias else position.x
    full = position.new_output()

    def backward(d: Tensor, wanted: bool) -> tuple[Operations, Tensor]:
        operations = multiply.weight_gradient(d, source, g)
        if not wanted:
            return operations, d
        d_x = d.new_empty((*d.shape[:-2], layer.inputs, d.shape[-1]))
        return [*operations, *multiply.input_gradient(w, layer.inputs, d, d_x)], d_x

    forward = multiply.forward(w, source, full[..., :-1, :])
    return Planned(full=full, forward=forward, backward=backward, may_overwrite=True, learns=True)


def predict(layer: Dense, x: Tensor, reads: Predict) -> Tensor:
    """z = W x + b."""
    w = reads.w
    if not layer.bias:
        return torch.matmul(w, x)
    affine = torch.baddbmm if w.ndim == 3 else torch.addmm
    return affine(w[..., -1:], w[..., :-1], x)


TABLE = {Dense: Rule(plan=plan, predict=predict, block=block)}
