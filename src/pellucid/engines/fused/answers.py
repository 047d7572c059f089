"""The predictions of a network or a stack of networks: nothing is dropped, running statistics are used.

Legend: K networks, N rows, I inputs and O outputs of a layer, C outputs of the network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.engines.fused.flat import Flat, to_numpy
from pellucid.engines.fused.folding import fold
from pellucid.engines.fused.layers import RULES
from pellucid.engines.fused.layers.rule import Predict
from pellucid.network import Layer, Network

__all__ = ["answer", "answers", "logits_of_stack"]

Array = NDArray[Any]
_CELLS_AT_ONCE = 16_384


def answers(network: Network, flat: Flat, inputs: Tensor) -> Array:
    """The logits ``[K, N, C]`` for rows ``[N, I]``, or for each network's own ``[K, N, I]``."""
    many, rows = flat.lead[0], inputs.shape[-2]
    at_once = max(256, _CELLS_AT_ONCE // many)
    with torch.inference_mode():
        parts = [
            to_numpy(answer(network, flat, inputs[..., i : i + at_once, :].transpose(-1, -2)).transpose(-1, -2))
            for i in range(0, rows, at_once)
        ]
    return np.concatenate(parts, axis=1) if parts else np.zeros((many, 0, network.outputs), np.float32)


def logits_of_stack(network: Network, parameters: Mapping[str, Array], inputs: Array) -> Array:
    """The logits ``[K, N, C]`` of stacked parameters, in their own dtype and on the CPU."""
    first = next(iter(parameters.values()))
    dtype = torch.float64 if first.dtype == np.float64 else torch.float32
    flat = Flat(network, parameters, dtype, torch.device("cpu"), lead=(len(first),))
    return answers(network, flat, torch.as_tensor(inputs, dtype=dtype))


def answer(network: Network, flat: Flat, x: Tensor) -> Tensor:
    """The logits ``[C, N]`` for ``x`` ``[I, N]`` or pictures ``[N, C, H, W]``.

    Of a stack ``[K, C, N]``, for shared rows or ``[K, I, N]``.
    """
    return _through(network.layers, "", flat, x if x.ndim == 4 else x.expand(*flat.lead, *x.shape[-2:]))


def _through(layers: Sequence[Layer], prefix: str, flat: Flat, x: Tensor) -> Tensor:
    """Send ``x`` through the layers in order; their parameters' names begin with ``prefix``."""
    index = 0
    while index < len(layers):
        name, layer = f"{prefix}{index}", layers[index]
        folded = fold(layers, index, prefix, flat)
        if folded is None:
            reads = Predict(
                w=flat.w.get(name, flat.nothing),
                statistics=flat.statistics_of.get(name, {}),
                inside=partial(_inside, f"{name}.", flat),
            )
            x = RULES[type(layer)].predict(layer, x, reads)
            index += 1
        else:
            x = folded.compute(x)
            index += folded.layers
    return x


def _inside(prefix: str, flat: Flat, layers: Sequence[Layer], x: Tensor) -> Tensor:
    return _through(layers, prefix, flat, x)
