"""The fused engine: an `Engine` of `pellucid.training` that trains by a plan, without autograd."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.engines.device import place
from pellucid.engines.fused.answers import answer
from pellucid.engines.fused.batch import BatchPlan, TrainingRows, rows_of
from pellucid.engines.fused.flat import Flat, to_numpy
from pellucid.engines.fused.losses import targets_of, weights_of
from pellucid.engines.fused.products import WAYS, onednn_is_exact
from pellucid.engines.fused.updates import FlatUpdates
from pellucid.engines.support import rows_at_once
from pellucid.errors import SettingError, nearest
from pellucid.network import Network
from pellucid.network.optimizer import Optimizer
from pellucid.network.shapes import check_inputs, check_parameters, check_rows
from pellucid.network.task import Loss

__all__ = ["FusedEngine"]

Array = NDArray[Any]


class FusedEngine:
    """Trains a network with a plan of operations on fixed buffers.

    Parameters
    ----------
    network, loss, optimizer
        The descriptions.
    parameters
        The initial weights, by name; copied.
    dtype
        ``float32`` or ``float64``.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    products
        How matrices are multiplied: one of `products.WAYS`. ``onednn`` becomes ``blas`` for float64 and where oneDNN
        does not compute in float32 (see `products.onednn_is_exact`).
    private
        Whether undocumented PyTorch operators may be used; the results are the same up to rounding.
    """

    name = "fused"

    def __init__(
        self,
        network: Network,
        loss: Loss,
        optimizer: Optimizer,
        parameters: Mapping[str, Array],
        dtype: str = "float32",
        device: str = "cpu",
        *,
        products: str = "blas",
        private: bool = True,
    ) -> None:
        self.network, self.loss, self.optimizer = network, loss, optimizer
        self._where, self._dtype = place(device, dtype)
        self.device = str(self._where)
        self._private = private
        self._records = self._where.type == "cuda"
        self.products = _possible(products, self._dtype, self._where)
        check_parameters(network, parameters)
        self._flat = Flat(network, parameters, self._dtype, self._where)
        decaying = None if optimizer.decay_biases else self._flat.decaying()
        self._updates = FlatUpdates(
            optimizer, self._flat.weights, self._flat.gradients, decaying=decaying, private=private
        )
        self._plans: dict[int, BatchPlan] = {}

    def load_rows(self, inputs: Array, targets: Array, weights: Array | None = None) -> None:
        """Put the training rows on the device: targets ``[N]`` or ``[N, C]``, weights ``[N]``, and inputs ``[N, I]``.

        Pictures are ``[N, C, H, W]``: an array, or something that is read batch by batch with ``inputs[rows]``.
        """
        check_rows(self.network, self.loss, inputs, targets, weights)
        y = self._tensor(targets)
        self._rows = TrainingRows(
            inputs=rows_of(inputs, self._dtype, self._where),
            shape=self.network.shape,
            targets=targets_of(self.loss, y, self.network.outputs, self._dtype),
            weights=weights_of(self.loss, y, None if weights is None else self._tensor(weights), self._dtype),
        )
        self._plans = {}

    @property
    def reads_batches(self) -> bool:
        """Whether `load_rows` takes something that is read batch by batch."""
        return len(self.network.shape) == 3

    def backward(self, rows: Array, masks: Sequence[Array]) -> float:
        """The loss of these training rows; fills the gradients and moves BatchNorm's running statistics.

        The weights change in `update`; in between, `load_gradients` can replace the gradients, for example with their
        mean over several processes (`flat_gradients` holds all of them in one tensor).
        """
        plan = self._plans.get(len(rows))
        if plan is None:
            plan = self._plans[len(rows)] = BatchPlan(
                self.network, self.loss, self._flat, self._rows, len(rows),
                products=self.products, private=self._private, records=self._records,
            )  # fmt: skip
        return plan.run(rows, masks)

    def update(self, learning_rate: float) -> None:
        """Update the weights with the gradients, which this may overwrite."""
        self._updates.step(learning_rate)

    def step(self, rows: Array, masks: Sequence[Array], learning_rate: float) -> float:
        """`backward`, then `update`; returns the loss before the update.

        A non-finite loss leaves the weights unchanged.
        """
        loss = self.backward(rows, masks)
        if math.isfinite(loss):
            self.update(learning_rate)
        return loss

    def gradients(self, rows: Array, masks: Sequence[Array]) -> tuple[float, dict[str, Array]]:
        """The loss of these training rows and its gradient for every trainable parameter; no weight changes."""
        kept = {name: tensor.clone() for name, tensor in self._flat.statistics.items()}
        value = self.backward(rows, masks)
        for name, tensor in kept.items():
            self._flat.statistics[name].copy_(tensor)
        return value, self._flat.gradient_arrays()

    @property
    def flat_gradients(self) -> Tensor:
        """All gradients in one tensor ``[P]`` on the engine's device; changing it changes what `update` uses."""
        return self._flat.gradients

    def gradient_arrays(self) -> dict[str, Array]:
        """A copy of the gradients that `backward` left, by parameter name."""
        return self._flat.gradient_arrays()

    def load_gradients(self, gradients: Mapping[str, Array]) -> None:
        """Copy these arrays over the gradients."""
        for name, view in self._flat.views(self._flat.gradients).items():
            view.copy_(torch.from_numpy(np.array(gradients[name])))

    def logits(self, inputs: Array) -> Array:
        """The answers for ``inputs`` ``[N, I]`` as logits ``[N, C]``, with nothing dropped."""
        check_inputs(self.network, inputs)
        at_once = rows_at_once(self.network)
        with torch.inference_mode():
            parts = [self._answers(inputs[i : i + at_once]) for i in range(0, len(inputs), at_once)]
        return np.concatenate(parts) if parts else np.zeros((0, self.network.outputs), np.float32)

    def _answers(self, inputs: Array) -> Array:
        x = self._tensor(inputs)
        x = x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x.t()
        return to_numpy(answer(self.network, self._flat, x).t())

    def parameters(self) -> dict[str, Array]:
        """A copy of all arrays, by name."""
        return self._flat.arrays()

    def load_parameters(self, parameters: Mapping[str, Array]) -> None:
        """Take a copy of these arrays as the weights."""
        check_parameters(self.network, parameters)
        self._flat.load(parameters)

    def memory(self) -> dict[str, Array]:
        """The update rule's state: ``"step"`` and arrays such as ``"0.weight.exp_avg"``."""
        arrays = {
            f"{name}.{what}": to_numpy(view)
            for what, flat in self._updates.memory.items()
            for name, view in self._flat.views(flat).items()
        }
        return {"step": np.array(self._updates.steps), **arrays}

    def load_memory(self, memory: Mapping[str, Array]) -> None:
        """Restore what `memory` returned."""
        self._updates.steps = int(memory["step"])
        for what, flat in self._updates.memory.items():
            for name, view in self._flat.views(flat).items():
                if f"{name}.{what}" in memory:  # absent before the first step
                    view.copy_(torch.from_numpy(np.array(memory[f"{name}.{what}"])))

    def _tensor(self, array: Array) -> Tensor:
        dtype = torch.int64 if array.dtype.kind == "i" else self._dtype
        return torch.as_tensor(array, dtype=dtype).to(self._where)


def _possible(products: str, dtype: torch.dtype, where: torch.device) -> str:
    """The way asked for, or the one that replaces it here."""
    if products not in WAYS:
        raise SettingError(f"products {products!r} is not known{nearest(products, WAYS)}")
    if dtype == torch.float64 and products in ("medium", "bf16"):
        raise SettingError(f"products {products} would round float64 to a few digits: use it with float32")
    if products == "onednn" and (dtype == torch.float64 or where.type != "cpu" or not onednn_is_exact()):
        return "blas"
    return products
