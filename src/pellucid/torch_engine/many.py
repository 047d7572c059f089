"""Many networks of one description trained side by side, full batch: one more axis instead of a loop over seeds.

Legend: S networks, B rows, I inputs and O outputs of a layer. Every parameter is stacked, ``[S, O, I]`` and
``[S, O]``; activations are ``[S, B, O]``. The losses are summed over S, so that each network's gradient is its own:
the networks do not see one another, and each comes to the weights that it would have come to alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.errors import DivergenceError, SettingError
from pellucid.network import Activation, Dense, Network, describe
from pellucid.optimizer import Optimizer
from pellucid.shapes import check_rows
from pellucid.task import Loss
from pellucid.torch_engine.device import place
from pellucid.torch_engine.module import activation_module, loss_value
from pellucid.torch_engine.updates import Updates

__all__ = ["logits_of_many", "train_many"]

Array = NDArray[Any]


def train_many(
    network: Network,
    loss: Loss,
    optimizer: Optimizer,
    parameters: Sequence[Mapping[str, Array]],
    inputs: Array,
    targets: Array,
    *,
    learning_rate: float,
    epochs: int,
    at: Mapping[int, Callable[[dict[str, Array]], None]] | None = None,
    dtype: str = "float32",
    device: str = "cpu",
) -> dict[str, Array]:
    """Train S networks from ``parameters``, each on all rows at every step.

    Parameters
    ----------
    network
        Dense layers and activations only: BatchNorm and Dropout would need a state for each network.
    parameters
        The first weights of each of the S networks, as `initialise` gives them.
    inputs, targets
        ``[B, I]``; ``[B]`` class numbers or ``[B, C]`` numbers: all networks see the same rows. Or ``[S, B, I]`` and
        ``[S, B]`` or ``[S, B, C]``: each network has rows of its own.
    learning_rate, epochs
        Of each step, above 0; and how many steps, each on all rows.
    at
        After so many epochs, a function is handed the stacked parameters.

    Returns
    -------
    dict
        The last parameters, stacked: ``"0.weight"`` is ``[S, O, I]``.

    Raises
    ------
    SettingError
        The network has BatchNorm or Dropout, there are no first weights, rows of their own for another number of
        networks, or a setting breaks its rule.
    DivergenceError
        The last weights of some networks are not finite.
    """
    own = inputs.ndim == 3
    _check(network, loss, optimizer, len(parameters), learning_rate, epochs)
    if own and not (len(inputs) == len(targets) == len(parameters)):
        raise SettingError(
            f"rows of their own for {len(inputs):,} networks, but first weights of {len(parameters):,}: give one set "
            "of rows each, or one for all"
        )
    check_rows(network, loss, inputs[0] if own else inputs, targets[0] if own else targets)
    where, kind = place(device, dtype)
    first = {p.name: np.stack([each[p.name] for each in parameters]) for p in network.parameters()}
    weights = {name: torch.tensor(array, dtype=kind, device=where).requires_grad_() for name, array in first.items()}
    updates = Updates(optimizer, list(weights.values()))
    functions = _functions(network)
    x = torch.as_tensor(inputs, dtype=kind).to(where)
    y = torch.as_tensor(targets, dtype=torch.int64 if targets.dtype.kind == "i" else kind).to(where)
    many = len(parameters)
    every_y = y.flatten(0, 1) if own else y.expand(many, *y.shape).reshape(many * len(y), *y.shape[1:])

    for epoch in range(1, epochs + 1):
        for weight in weights.values():
            weight.grad = None
        z = _forward(network, weights, functions, x)  # [S, B, C]
        # The mean over S·B rows, times S: each network's own mean, summed.
        total = loss_value(loss, z.reshape(-1, z.shape[-1]), every_y, None) * many
        total.backward()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            updates.step(learning_rate)
        if at and epoch in at:
            at[epoch](_numpy(weights))
    last = _numpy(weights)
    lost = sum(not all(np.isfinite(array[i]).all() for array in last.values()) for i in range(many))
    if lost:
        raise DivergenceError(
            f"the weights of {lost:,} of {many:,} networks are infinite or no numbers after {epochs:,} epochs: "
            f"lower the learning rate, which is {learning_rate:g}"
        )
    return last


def logits_of_many(network: Network, parameters: Mapping[str, Array], inputs: Array) -> Array:
    """The logits ``[S, B, C]`` of stacked parameters for rows ``[B, I]``, or ``[S, B, I]`` of each network's own."""
    weights = {name: torch.as_tensor(array) for name, array in parameters.items()}
    dtype = next(iter(weights.values())).dtype
    functions = _functions(network)
    with torch.inference_mode():
        return np.asarray(_forward(network, weights, functions, torch.as_tensor(inputs, dtype=dtype)))


def _check(network: Network, loss: Loss, optimizer: Optimizer, many: int, learning_rate: float, epochs: int) -> None:
    for index, layer in enumerate(network.layers):
        if not isinstance(layer, Dense | Activation):
            raise SettingError(f"layer {index} ({describe(layer)}) cannot be trained in many networks at once")
    if loss.class_weights is not None:
        raise SettingError("class_weights would be shared out over all networks: train them one by one")
    if optimizer.clip_norm is not None:
        raise SettingError("clip_norm would be shared by all networks: train them one by one")
    if many < 1:
        raise SettingError("there are no networks to train: give the first weights of at least one")
    if not 0 < learning_rate < math.inf:
        raise SettingError(f"learning_rate must be above 0 and finite, got {learning_rate!r}")
    if epochs < 1:
        raise SettingError(f"epochs must be at least 1, got {epochs!r}")


def _functions(network: Network) -> list[Any]:
    return [activation_module(a.function) if isinstance(a, Activation) else None for a in network.layers]


def _forward(network: Network, weights: Mapping[str, Tensor], functions: Sequence[Any], x: Tensor) -> Tensor:
    many = next(iter(weights.values())).shape[0]
    a = x if x.ndim == 3 else x.expand(many, *x.shape)  # [S, B, I]
    for index, layer in enumerate(network.layers):
        if isinstance(layer, Dense):
            transposed = weights[f"{index}.weight"].transpose(1, 2)  # [S, I, O]
            if layer.bias:
                a = torch.baddbmm(weights[f"{index}.bias"].unsqueeze(1), a, transposed)
            else:
                a = torch.bmm(a, transposed)
        else:
            a = functions[index](a)
    return a


def _numpy(weights: Mapping[str, Tensor]) -> dict[str, Array]:
    return {name: weight.detach().cpu().numpy().copy() for name, weight in weights.items()}
