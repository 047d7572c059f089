"""Activations: a code from 1 for each function; `compiled_activations` computes them."""

from __future__ import annotations

from dataclasses import replace

from pellucid.engines.kernel.layers.rule import Packing, Row, Rule
from pellucid.network import ACTIVATIONS, Activation

__all__ = ["CODES", "FROM_OUTPUT", "TABLE"]

CODES = {name: code for code, name in enumerate(ACTIVATIONS, start=1)}
FROM_OUTPUT = frozenset({"sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu"})  # f′ can be computed from a alone


def pack(layer: Activation, so_far: Packing) -> tuple[Row | None, Packing]:
    """In place if f′ can be computed from the output; otherwise ``kept`` is where f′ is stored."""
    if layer.function == "identity":
        return None, so_far
    at, end, width = so_far.at, so_far.end, so_far.width
    kept = to = at
    if layer.function in FROM_OUTPUT:
        if not so_far.may_overwrite:
            kept = to = end
            end += width
    else:
        to, end = end, end + width
        if not so_far.may_overwrite:
            kept, end = end, end + width
    row = (CODES[layer.function], at, to, kept, width, width, 0, 0)
    return row, replace(so_far, at=to, end=end, may_overwrite=False)


TABLE = {Activation: Rule(pack=pack)}
