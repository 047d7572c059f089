"""Batch normalisation."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.engines.torch_engine.sequences import ReadsLengths, mask_of
from pellucid.network import BatchNorm

__all__ = ["TABLE", "BatchNormByLengths"]


class BatchNormByLengths(ReadsLengths, nn.BatchNorm1d):
    """``nn.BatchNorm1d`` that is given the steps of a series that count as rows; the padded ones give 0."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002, the name that PyTorch gives it
        """``[B, C]`` or ``[B, C, steps]``, kept."""
        mask = mask_of(self.lengths, input.shape[2]) if input.ndim == 3 else None
        if mask is None:
            return super().forward(input)
        steps = input.transpose(1, 2)  # [B, T, C]
        given = torch.zeros_like(steps).masked_scatter(mask[:, :, None], super().forward(steps[mask]))
        return given.transpose(1, 2)


def module(layer: BatchNorm, make: Make) -> nn.Module:
    """A `BatchNormByLengths`."""
    return BatchNormByLengths(layer.width, eps=layer.eps, momentum=layer.momentum)


TABLE = {BatchNorm: Rule(module=module)}
