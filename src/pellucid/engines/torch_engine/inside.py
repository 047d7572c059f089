"""What the layers of an ``nn.Sequential`` give, seen by hooks, and how a score depends on them, by autograd."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pellucid.engines.support import Inside
from pellucid.engines.torch_engine.module import build
from pellucid.network import Network

__all__ = ["look_inside"]

Array = NDArray[Any]


def look_inside(
    network: Network,
    parameters: Mapping[str, Array],
    inputs: Array,
    names: Sequence[str] = (),
    towards: Callable[[Array], Array] | None = None,
) -> Inside:
    """As `pellucid.engines.inside.look_inside`, in PyTorch.

    Parameters
    ----------
    network, parameters
        The description of the network, and its arrays by name.
    inputs
        A batch, ``[B, *network.shape]``.
    names
        The layers whose outputs are wanted.
    towards
        Maps the logits to ∂score/∂logits; ``None``: no way back.
    """
    x = torch.from_numpy(np.ascontiguousarray(inputs))
    module = build(network, parameters, x.dtype).eval().requires_grad_(False)
    x.requires_grad_(towards is not None)
    kept = dict[str, Tensor]()
    for name, each in module.named_modules():
        if name in names:
            each.register_forward_hook(_keep(kept, name))
    z: Tensor = module(x)
    logits = z.detach().numpy()
    outputs = {name: kept[name].detach().numpy() for name in names}
    if towards is None:
        return Inside(logits=logits, outputs=outputs)
    d_logits = torch.from_numpy(np.asarray(towards(logits), dtype=logits.dtype))
    wanted = [x, *(kept[name] for name in names)]
    slopes = torch.autograd.grad(z, wanted, d_logits, allow_unused=True)
    found = [
        np.zeros(tuple(of.shape), logits.dtype) if d is None else d.numpy()
        for of, d in zip(wanted, slopes, strict=True)
    ]
    return Inside(logits=logits, outputs=outputs, d_inputs=found[0], d_outputs=dict(zip(names, found[1:], strict=True)))


def _keep(kept: dict[str, Tensor], name: str) -> Callable[[nn.Module, Any, Tensor], None]:
    def hook(module: nn.Module, given: Any, output: Tensor) -> None:
        kept[name] = output

    return hook
