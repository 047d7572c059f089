"""Convolution of pictures, by PyTorch's own products on channels-last buffers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from pellucid.engines.fused.layers.rule import Block, Operations, Planned, Position, Predict, Rule, Walk
from pellucid.network import Conv2d

__all__ = ["TABLE"]

_convolution, _backward = torch.ops.aten.convolution, torch.ops.aten.convolution_backward


def block(layer: Conv2d) -> Block:
    """One row: the weight as ``(out, height, width, in)``, so that it is channels-last too, then the bias."""
    inputs = layer.in_channels // layer.groups
    numbers = layer.out_channels * layer.kernel[0] * layer.kernel[1] * inputs
    weight, bias = (..., 0, slice(numbers)), (..., 0, slice(numbers, None))
    return Block(
        shape=(1, numbers + layer.bias * layer.out_channels),
        parts={"weight": weight, "bias": bias} if layer.bias else {"weight": weight},
        kernels={"weight": (layer.out_channels, *layer.kernel, inputs)},
    )


def plan(layer: Conv2d, position: Position, walk: Walk) -> Planned:
    """z = w ∗ x + b;  ∂L/∂w = d ∗ x, ∂L/∂b = Σ d, and ∂L/∂x is the transposed convolution of d with w.

    PyTorch has no convolution that fills a given buffer: the tensors of the plan take over what it returns.
    """
    x, full = position.x, position.new_output()
    padded, pads, pad = _padded(layer, x)
    w, b = parameters(layer, position.w)
    g, b_gradient = parameters(layer, position.g)
    forward = list(pad)
    if x.dtype != w.dtype:
        w, rounding = _rounded(w, x.dtype)
        forward.append(rounding)
        if b is not None:
            b, rounding = _rounded(b, x.dtype)
            forward.append(rounding)

    def forward_pass() -> None:
        _take_over(full, _convolution(padded, w, b, *_numbers(layer, pads)))

    def backward(d: Tensor, wanted: bool) -> tuple[Operations, Tensor]:
        d_x = torch.empty_like(x)
        inner = _inside(layer, padded.shape[2:])
        biases = [layer.out_channels] if layer.bias else None

        def both() -> None:
            d_padded, d_w, d_b = _backward(
                d, padded, w, biases, *_numbers(layer, pads), [wanted, True, b_gradient is not None]
            )
            g.copy_(d_w)
            if b_gradient is not None:
                b_gradient.copy_(d_b)
            if wanted:
                _take_over(d_x, d_padded[..., inner[0], inner[1]] if pad else d_padded)

        return [both], d_x

    return Planned(full=full, forward=[*forward, forward_pass], backward=backward, may_overwrite=True, learns=True)


def predict(layer: Conv2d, x: Tensor, reads: Predict) -> Tensor:
    """z = w ∗ x + b."""
    return convolve(layer, x, *parameters(layer, reads.w))


def parameters(layer: Conv2d, matrix: Tensor) -> tuple[Tensor, Tensor | None]:
    """The weight, or its gradient, and the bias if there is one, from the layer's block."""
    parts = block(layer)
    return parts.part(matrix, "weight"), parts.part(matrix, "bias") if layer.bias else None


def convolve(layer: Conv2d, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The convolution with given weights.

    Parameters
    ----------
    layer
        The description.
    x
        Pictures ``[N, C, H, W]``.
    weight, bias
        As `parameters` returns them.
    """
    padded, pads, pad = _padded(layer, x)
    for operation in pad:
        operation()
    z: Tensor = _convolution(padded, weight, bias, *_numbers(layer, pads))
    return z


def _numbers(layer: Conv2d, pads: list[int]) -> tuple[object, ...]:
    """What PyTorch's convolutions take after the bias."""
    return list(layer.strides), pads, list(layer.dilations), False, [0, 0], layer.groups


def _rounded(exact: Tensor, dtype: torch.dtype) -> tuple[Tensor, Callable[[], object]]:
    """A copy with fewer digits, and the operation that fills it."""
    copy = torch.empty_like(exact, dtype=dtype)
    return copy, partial(copy.copy_, exact)


def _padded(layer: Conv2d, x: Tensor) -> tuple[Tensor, list[int], Operations]:
    """What is convolved, the padding left to do, and the operations before.

    PyTorch pads both sides alike; for ``same`` with an even kernel, x is copied into a larger buffer of zeros.
    """
    if all(before == after for before, after in layer.pads):
        return x, [before for before, _ in layer.pads], []
    extents = [n + before + after for n, (before, after) in zip(x.shape[2:], layer.pads, strict=True)]
    shape = (*x.shape[:2], *extents)
    padded = torch.zeros(shape, dtype=x.dtype, device=x.device).contiguous(memory_format=torch.channels_last)
    rows, columns = _inside(layer, padded.shape[2:])
    return padded, [0, 0], [lambda: padded[..., rows, columns].copy_(x)]


def _inside(layer: Conv2d, extents: torch.Size) -> tuple[slice, slice]:
    """Where the input lies in the padded one."""
    (top, bottom), (left, right) = layer.pads
    return slice(top, extents[0] - bottom), slice(left, extents[1] - right)


def _take_over(buffer: Tensor, result: Tensor) -> None:
    """Let a tensor of the plan hold these numbers."""
    buffer.set_(result.contiguous(memory_format=torch.channels_last))  # type: ignore[call-overload]


TABLE = {Conv2d: Rule(plan=plan, predict=predict, block=block)}
