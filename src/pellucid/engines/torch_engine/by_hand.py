"""The usual PyTorch training loop, with one of its lines left out on request.

It shows what a forgotten line does; training itself uses `TorchEngine`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from pellucid.engines.torch_engine.module import build, loss_value
from pellucid.errors import SettingError, nearest
from pellucid.network import Network
from pellucid.network.task import Loss

__all__ = ["LINES", "Line", "Loop", "device_mismatch", "run_loop", "shape_mismatch"]

Array = NDArray[Any]
Line = Literal["zero_grad", "backward", "step"]
LINES: tuple[Line, ...] = ("zero_grad", "backward", "step")


@dataclass(frozen=True, kw_only=True, eq=False)
class Loop:
    """What a loop produced.

    Attributes
    ----------
    losses
        Before each step, ``[steps]``.
    gradient_norms
        The norm of all gradients (``.grad``) at each step, ``[steps]``; 0 if there are none.
    parameters
        The last weights.
    """

    losses: Array
    gradient_norms: Array
    parameters: dict[str, Array]


def run_loop(
    network: Network,
    loss: Loss,
    parameters: Mapping[str, Array],
    inputs: Array,
    targets: Array,
    *,
    learning_rate: float,
    steps: int,
    forget: Line | None = None,
) -> Loop:
    """Gradient descent on all rows, with the line ``forget`` left out.

    Parameters
    ----------
    network
        Without Dropout, whose masks `pellucid.training` would have to pass.
    inputs, targets
        ``[N, I]``; ``[N]`` class numbers or ``[N, C]`` numbers.
    forget
        ``zero_grad``, ``backward`` or ``step``; ``None`` leaves out nothing.

    Raises
    ------
    SettingError
        ``forget`` is not one of the lines.
    """
    if forget is not None and forget not in LINES:
        raise SettingError(f"forget {forget!r} is not a line of the loop{nearest(str(forget), LINES)}")
    model = build(network, parameters, torch.float32)
    x = torch.as_tensor(inputs, dtype=torch.float32)
    y = torch.as_tensor(targets, dtype=torch.int64 if targets.dtype.kind == "i" else torch.float32)
    weights = list(model.parameters())
    losses, norms = [], []
    for _ in range(steps):
        if forget != "zero_grad":
            for w in weights:
                w.grad = None
        value = loss_value(loss, model(x), y, None)
        if forget != "backward":
            value.backward()  # type: ignore[no-untyped-call]
        norms.append(sum(float((w.grad**2).sum()) for w in weights if w.grad is not None) ** 0.5)
        if forget != "step":
            with torch.no_grad():
                for w in weights:
                    if w.grad is not None:
                        w.sub_(learning_rate * w.grad)
        losses.append(float(value.detach()))
    last = {name: tensor.numpy().copy() for name, tensor in model.state_dict().items()}
    return Loop(losses=np.array(losses), gradient_norms=np.array(norms), parameters=last)


def shape_mismatch(network: Network, parameters: Mapping[str, Array], inputs: Array) -> str:
    """PyTorch's own error message for rows ``inputs`` of the wrong width; empty if it accepts them."""
    model = build(network, parameters, torch.float32)
    try:
        model(torch.as_tensor(inputs, dtype=torch.float32))
    except RuntimeError as error:
        return str(error)
    return ""


def device_mismatch(network: Network, parameters: Mapping[str, Array], inputs: Array) -> str | None:
    """PyTorch's error message when the network is on the GPU and the rows are not; ``None`` without a GPU."""
    if not torch.cuda.is_available():
        return None
    model = build(network, parameters, torch.float32).to("cuda")
    try:
        model(torch.as_tensor(inputs, dtype=torch.float32))
    except RuntimeError as error:
        return str(error).splitlines()[0]
    return ""
