"""Pooling over steps."""

from __future__ import annotations

from typing import assert_never

import torch
from torch import Tensor, nn

from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.engines.torch_engine.sequences import ReadsLengths, mask_of
from pellucid.network import StepPool

__all__ = ["TABLE", "PooledSteps"]


class PooledSteps(ReadsLengths):
    """The last, the mean or the largest over the steps that count, as its `StepPool` says."""

    def __init__(self, layer: StepPool) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002, the name that PyTorch gives it
        """``[B, T, D]`` to ``[B, D]``."""
        mask = mask_of(self.lengths, input.shape[1])
        padding = None if mask is None else ~mask[:, :, None]
        match self.layer.how:
            case "last":
                return self._last(input)
            case "mean":
                if self.lengths is None or padding is None:
                    return input.mean(dim=1)
                return input.masked_fill(padding, 0).sum(dim=1) / self.lengths[:, None]
            case "max":
                counted = input if padding is None else input.masked_fill(padding, -torch.inf)
                return counted.max(dim=1).values
            case _:
                assert_never(self.layer.how)

    def _last(self, x: Tensor) -> Tensor:
        last = x[:, -1] if self.lengths is None else x[torch.arange(len(x), device=x.device), self.lengths - 1]
        if not self.layer.bidirectional:
            return last
        half = x.shape[2] // 2
        return torch.cat([last[:, :half], x[:, 0, half:]], dim=1)


def module(layer: StepPool, make: Make) -> nn.Module:
    """A `PooledSteps`."""
    return PooledSteps(layer)


TABLE = {StepPool: Rule(module=module)}
