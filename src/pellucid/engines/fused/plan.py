"""The forward and the backward pass of a network for batches of one size, as operations on fixed buffers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.engines.fused.flat import Flat
from pellucid.engines.fused.layers import RULES
from pellucid.engines.fused.layers.rule import Operations, Planned, Position
from pellucid.engines.fused.products import Products
from pellucid.network import Layer, Network
from pellucid.network.layers.layer import Shape

__all__ = ["Operations", "Plan", "build_plan"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """The forward and the backward pass of a network for batches of one size.

    Attributes
    ----------
    forward, backward
        The operations in their order.
    logits, d_logits
        The buffers of the last layer's output and of the loss's gradient, ``[C, B]``.
    masks
        For each mask that a step draws, ``[width, B]`` (``[K, width, B]``) or ``[B, …]``, to be filled before each
        step.
    """

    forward: Operations
    backward: Operations
    logits: Tensor
    d_logits: Tensor
    masks: tuple[Tensor, ...]


def build_plan(network: Network, flat: Flat, x: Tensor, *, products: str = "blas", private: bool = True) -> Plan:
    """Plan both passes for the rows in ``x``, which may change between steps.

    Parameters
    ----------
    network
        A network that `pellucid.engines.fused.supports`.
    flat
        Its parameters and their gradients.
    x
        A batch, feature-major with ones at the bottom, ``[I + 1, B]``, for all networks of a stack or for each
        (``[K, I + 1, B]``); or pictures ``[B, C, H, W]``, whose layers compute in the dtype of ``x``.
    products
        How matrices are multiplied: one of `products.WAYS`.
    private
        Whether undocumented PyTorch operators may be used where they are faster; the results are the same.

    Raises
    ------
    SettingError
        A layer cannot be trained on so few rows.
    """
    walk = _Walk(flat, Products(products), private=private)
    full = x if x.ndim == 4 else x.expand(*flat.lead, *x.shape[-2:])
    planned = walk.sequence(network.layers, "", network.shape, full, may_overwrite=False)
    logits = planned.out
    d_logits = torch.empty_like(logits, memory_format=torch.contiguous_format)
    backward, _ = planned.backward(d_logits, False)
    return Plan(forward=planned.forward, backward=backward, logits=logits, d_logits=d_logits, masks=planned.masks)


class _Walk:
    """Plans successive layers, and those inside composites."""

    def __init__(self, flat: Flat, products: Products, *, private: bool) -> None:
        self._flat, self.products, self.private = flat, products, private

    def inside(self, layers: Sequence[Layer], position: Position) -> Planned:
        """Plan the layers that a composite at this position holds; their input is not overwritten."""
        return self.sequence(layers, f"{position.name}.", position.shape, position.full, may_overwrite=False)

    def sequence(
        self, layers: Sequence[Layer], prefix: str, shape: Shape, full: Tensor, *, may_overwrite: bool
    ) -> Planned:
        """Plan the layers in order, for rows of this shape; their parameters' names begin with ``prefix``."""
        flat = self._flat
        planned: list[Planned] = []
        for index, layer in enumerate(layers):
            name, shape = f"{prefix}{index}", layer.output_shape(shape)
            position = Position(
                name=name,
                shape=shape,
                full=full,
                may_overwrite=may_overwrite,
                w=flat.w.get(name, flat.nothing),
                g=flat.g.get(name, flat.nothing),
                statistics=flat.statistics_of.get(name, {}),
            )
            planned.append(RULES[type(layer)].plan(layer, position, self))
            full, may_overwrite = planned[-1].full, planned[-1].may_overwrite

        def backward(d: Tensor, wanted: bool) -> tuple[Operations, Tensor]:
            """From the last layer back to the first that learns; further back only if ∂L/∂input is wanted."""
            operations: Operations = []
            for index, each in reversed(list(enumerate(planned))):
                before = wanted or any(earlier.learns for earlier in planned[:index])
                if before or each.learns:
                    its_own, d = each.backward(d, before)
                    operations += its_own
            return operations, d

        return Planned(
            full=full,
            forward=[operation for each in planned for operation in each.forward],
            backward=backward,
            may_overwrite=may_overwrite,
            learns=any(each.learns for each in planned),
            masks=tuple(mask for each in planned for mask in each.masks),
        )
