"""The residual block."""

from __future__ import annotations

from torch import Tensor, nn

from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.network import Residual

__all__ = ["TABLE", "ResidualBlock"]


class ResidualBlock(nn.Sequential):
    """An ``nn.Sequential`` that adds its input to its output."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002, the name that PyTorch gives it
        """``[B, I]`` to ``[B, I]``."""
        given: Tensor = super().forward(input)  # type: ignore[no-untyped-call]
        return input + given


def module(layer: Residual, make: Make) -> nn.Module:
    """A `ResidualBlock`."""
    return ResidualBlock(*(make(inner) for inner in layer.block))


TABLE = {Residual: Rule(module=module)}
