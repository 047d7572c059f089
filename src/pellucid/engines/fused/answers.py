"""What a network or a stack of networks answers, with nothing dropped and running statistics used.

Legend: K networks, N rows, I inputs and O outputs of a layer, C outputs of the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.engines.fused import activations
from pellucid.engines.fused.flat import Flat, to_numpy
from pellucid.network import Activation, BatchNorm, Dense, Dropout, Network

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
    """The logits ``[K, N, C]`` of stacked parameters, in their own arithmetic and on the CPU."""
    first = next(iter(parameters.values()))
    dtype = torch.float64 if first.dtype == np.float64 else torch.float32
    flat = Flat(network, parameters, dtype, torch.device("cpu"), lead=(len(first),))
    return answers(network, flat, torch.as_tensor(inputs, dtype=dtype))


def answer(network: Network, flat: Flat, x: Tensor) -> Tensor:
    """The logits ``[C, N]`` for ``x`` ``[I, N]``; of a stack ``[K, C, N]``, for its common rows or ``[K, I, N]``."""
    x = x.expand(*flat.lead, *x.shape[-2:])
    affine = torch.baddbmm if flat.lead else torch.addmm
    for index, layer in enumerate(network.layers):
        match layer:
            case Dense():
                w = flat.w[index]  # [O, I + 1] or [K, O, I + 1], the bias in the last column
                x = affine(w[..., -1:], w[..., :-1], x) if layer.bias else torch.matmul(w, x)
            case Activation():
                a, kept = torch.empty_like(x), torch.empty_like(x)
                for operation in activations.forward(layer.function, x, a, kept):
                    operation()
                x = a
            case BatchNorm():
                gamma, beta = (flat.w[index][..., i, :].unsqueeze(-1) for i in (0, 1))  # [… O, 1]
                mean, variance = (flat.statistics[f"{index}.running_{name}"].unsqueeze(-1) for name in ("mean", "var"))
                x = (x - mean) / torch.sqrt(variance + layer.eps) * gamma + beta
            case Dropout():
                pass
    return x
