"""The fully connected layer: code 0; `compiled_dense` computes it."""

from __future__ import annotations

from dataclasses import replace

from pellucid.engines.kernel.layers.rule import Packing, Row, Rule
from pellucid.network import Dense

__all__ = ["DENSE", "TABLE"]

DENSE = 0


def pack(layer: Dense, so_far: Packing) -> tuple[Row, Packing]:
    """The weight ``[O, I]`` row by row, then the bias; ``kept`` says whether ∂L/∂x is wanted."""
    start = so_far.parameters
    weights = layer.inputs * layer.outputs
    bias = start + weights if layer.bias else -1
    row = (DENSE, so_far.at, so_far.end, int(so_far.learns), so_far.width, layer.outputs, start, bias)
    return row, replace(
        so_far,
        at=so_far.end,
        width=layer.outputs,
        end=so_far.end + layer.outputs,
        parameters=start + weights + layer.outputs * layer.bias,
        may_overwrite=True,
        learns=True,
    )


TABLE = {Dense: Rule(pack=pack)}
