"""From the description to an ordinary ``torch.nn.Sequential``, and the loss that PyTorch has for it.

The module's ``state_dict`` has the names and shapes of `Network.parameters`, so weights pass between NumPy, PyTorch
and the model file as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, assert_never

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812, the name that PyTorch's own documentation uses
from numpy.typing import NDArray
from torch import Tensor, nn

from pellucid.engines.torch_engine.layers import module_of
from pellucid.engines.torch_engine.layers.activation import activation_module
from pellucid.engines.torch_engine.layers.dropout import MaskedDropout
from pellucid.engines.torch_engine.sequences import ReadsLengths, steps_of
from pellucid.errors import SettingError
from pellucid.network import Network
from pellucid.network.task import Loss

__all__ = ["activation_module", "build", "evaluated", "forward", "loss_value"]


def build(network: Network, parameters: Mapping[str, NDArray[Any]], dtype: torch.dtype) -> nn.Sequential:
    """An ``nn.Sequential`` with these weights (copied), in training mode."""
    # A module made under "meta" draws no weights, which would change torch's global generator.
    with torch.device("meta"):
        module = nn.Sequential(*(module_of(layer) for layer in network.layers))
    module = module.to_empty(device="cpu").to(dtype)
    state = {name: torch.from_numpy(np.array(array)) for name, array in parameters.items()}
    module.load_state_dict(state, strict=True)
    return module


def forward(module: nn.Sequential, x: Tensor, masks: Sequence[Tensor] = ()) -> Tensor:
    """The logits ``[B, C]``; in training, each Dropout with a rate above 0 uses the next of ``masks``."""
    if module.training:
        dropouts = [each for each in module.modules() if isinstance(each, MaskedDropout) and each.p > 0]
        if len(dropouts) != len(masks):
            raise SettingError(f"{len(dropouts)} Dropouts need as many masks in training, got {len(masks)}")
        for dropout, mask in zip(dropouts, masks, strict=True):
            dropout.mask = mask
    x, lengths = steps_of(x)
    for each in module.modules():
        if isinstance(each, ReadsLengths):
            each.lengths = lengths
            lengths = None if lengths is None else each.lengths_after(lengths)
    z: Tensor = module(x)
    return z


def loss_value(loss: Loss, z: Tensor, y: Tensor, row_weights: Tensor | None) -> Tensor:
    """The loss of a batch as a scalar tensor, from PyTorch's own loss functions.

    Parameters
    ----------
    loss
        Which loss, with its class weights, label smoothing or δ.
    z
        Logits, ``[B, C]``, or ``[B, T, C]`` at each step of a sequence.
    y
        Class numbers ``[B]`` for cross-entropy, else numbers ``[B, C]``; at each step class numbers ``[B, T]``, where 0
        does not count.
    row_weights
        ``[B]``; ``None`` counts all rows the same.
    """
    if z.ndim == 3:
        return _value_of_steps(loss, z, y, row_weights)
    class_weights = None if loss.class_weights is None else z.new_tensor(loss.class_weights)
    if class_weights is None and row_weights is None:
        return _unweighted(loss, z, y, "mean")

    rows = _unweighted(loss, z, y, "none")
    shares = torch.ones_like(rows)
    if class_weights is not None:
        shares = class_weights[y] if loss.name == "cross_entropy" else torch.lerp(class_weights[0], class_weights[1], y)
    rows = rows * shares
    if rows.ndim == 2:
        rows, shares = rows.mean(dim=1), shares.mean(dim=1)
    if row_weights is not None:
        rows, shares = rows * row_weights, shares * row_weights
    return rows.sum() / shares.sum()


def _value_of_steps(loss: Loss, z: Tensor, y: Tensor, row_weights: Tensor | None) -> Tensor:
    """The mean over the steps that count; each has the weight of its row."""
    if row_weights is None and loss.class_weights is None:
        flat, classes = z.flatten(0, 1), y.flatten()
        return F.cross_entropy(flat, classes, label_smoothing=loss.label_smoothing, ignore_index=0)
    counts = y != 0
    weights = None if row_weights is None else row_weights[:, None].expand(y.shape)[counts]
    return loss_value(loss, z[counts], y[counts], weights)


def evaluated(
    network: Network, parameters: Mapping[str, NDArray[Any]], x: NDArray[Any], loss: Loss, y: NDArray[Any] | None
) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
    """The logits in prediction mode, in float64, and by autograd the gradient of the loss for each parameter.

    Parameters
    ----------
    network, parameters
        The description and its arrays, by name.
    x
        A batch, ``[B, *network.shape]``, in float64.
    loss
        The loss whose gradient is wanted.
    y
        Class numbers ``[B]`` for cross-entropy, else numbers ``[B, C]``; ``None`` leaves the gradients out.

    Returns
    -------
    The logits ``[B, C]``, and the gradients by parameter name (empty without ``y``).
    """
    module = build(network, parameters, torch.float64).eval()
    z = forward(module, torch.from_numpy(x))
    slopes: dict[str, NDArray[Any]] = {}
    if y is not None:
        loss_value(loss, z, torch.from_numpy(y), None).backward()  # type: ignore[no-untyped-call]
        slopes = {name: p.grad.numpy() for name, p in module.named_parameters() if p.grad is not None}
    return z.detach().numpy(), slopes


def _unweighted(loss: Loss, z: Tensor, y: Tensor, reduction: str) -> Tensor:
    match loss.name:
        case "cross_entropy":
            return F.cross_entropy(z, y, label_smoothing=loss.label_smoothing, reduction=reduction)
        case "bce":
            smooth = y * (1 - loss.label_smoothing) + loss.label_smoothing / 2
            return F.binary_cross_entropy_with_logits(z, smooth, reduction=reduction)
        case "mse":
            return F.mse_loss(z, y, reduction=reduction)
        case "mae":
            return F.l1_loss(z, y, reduction=reduction)
        case "huber":
            return F.huber_loss(z, y, reduction=reduction, delta=loss.delta)
        case _:
            assert_never(loss.name)
