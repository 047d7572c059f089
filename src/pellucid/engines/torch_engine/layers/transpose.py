"""Steps and channels of a series change places."""

from __future__ import annotations

from torch import Tensor, nn

from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.network import Transpose

__all__ = ["TABLE"]


class Transposed(nn.Module):
    """``transpose(1, 2)``."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002, the name that PyTorch gives it
        """``[B, T, C]`` to ``[B, C, T]``."""
        return input.transpose(1, 2)


def module(layer: Transpose, make: Make) -> nn.Module:
    """A `Transposed`."""
    return Transposed()


TABLE = {Transpose: Rule(module=module)}
