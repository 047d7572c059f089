"""The production engine: the same description, read by PyTorch with autograd.

`module` builds an ordinary ``torch.nn.Sequential``, whose layers are made in `layers`, one file per kind; `engine`
trains it. Outside the engines nothing imports torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pellucid.network import Network

__all__ = ["supports"]


def supports(network: Network) -> str | None:
    """Why this engine cannot compute a network; ``None`` if it can.

    >>> from pellucid.network import mlp
    >>> supports(mlp(4, [8], 3, dropout=0.2))
    """
    from pellucid.engines.torch_engine.layers import RULES

    for layer in network.every_layer():
        if type(layer) not in RULES:
            return f"the torch engine has no rule for {type(layer).__name__} layers"
    return None
