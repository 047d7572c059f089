"""What the layers of an ``nn.Sequential`` give, seen by hooks, and how a score depends on them, by autograd."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pellucid.engines.support import Inside
from pellucid.engines.torch_engine.module import build, forward
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
    tokens = not x.is_floating_point()
    dtype = torch.from_numpy(parameters[network.trainable()[0].name]).dtype if tokens else x.dtype
    module = build(network, parameters, dtype).eval().requires_grad_(tokens and towards is not None)
    x.requires_grad_(towards is not None and not tokens)
    kept = dict[str, Tensor]()
    for name, each in module.named_modules():
        if name in names:
            each.register_forward_hook(_keep(kept, name))
    z = forward(module, x)
    logits = z.detach().numpy()
    outputs = {name: kept[name].detach().numpy() for name in names}
    if towards is None:
        return Inside(logits=logits, outputs=outputs)
    d_logits = torch.from_numpy(np.asarray(towards(logits), dtype=logits.dtype))
    places = [x, *(kept[name] for name in names)]
    wanted = [place for place in places if place.requires_grad]  # tokens have no slopes
    slopes = iter(torch.autograd.grad(z, wanted, d_logits, allow_unused=True) if wanted else ())
    found = list[Array]()
    for place in places:
        slope = next(slopes) if place.requires_grad else None
        found.append(np.zeros(tuple(place.shape), logits.dtype) if slope is None else slope.numpy())
    return Inside(logits=logits, outputs=outputs, d_inputs=found[0], d_outputs=dict(zip(names, found[1:], strict=True)))


def _keep(kept: dict[str, Tensor], name: str) -> Callable[[nn.Module, Any, Tensor], None]:
    def hook(module: nn.Module, given: Any, output: Tensor) -> None:
        kept[name] = output

    return hook
