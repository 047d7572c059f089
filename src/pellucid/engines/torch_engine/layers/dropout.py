"""Dropout with given masks, so that two engines can be compared with the same masks."""

from __future__ import annotations

from torch import Tensor, nn

from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.network import Dropout

__all__ = ["TABLE", "MaskedDropout"]


class MaskedDropout(nn.Dropout):
    """``nn.Dropout`` that multiplies by ``mask`` in training, if it was given one."""

    mask: Tensor | None = None

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002, the name that PyTorch gives it
        """``[B, I]`` to ``[B, I]``."""
        if self.training and self.mask is not None:
            return input * self.mask
        return super().forward(input)


def module(layer: Dropout, make: Make) -> nn.Module:
    """``nn.Dropout`` that takes a mask."""
    return MaskedDropout(layer.rate)


TABLE = {Dropout: Rule(module=module)}
