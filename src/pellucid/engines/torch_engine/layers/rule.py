"""What a kind of layer defines for PyTorch: the module that computes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from pellucid.network import Layer

__all__ = ["Make", "Rule"]

Make = Callable[[Layer], nn.Module]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How PyTorch computes one kind of layer.

    ``module`` makes it from the layer's description and from ``make``, which makes the layers that a composite holds;
    its ``state_dict`` must have the names and shapes that the description's ``parameters`` have.
    """

    module: Callable[[Any, Make], nn.Module]
