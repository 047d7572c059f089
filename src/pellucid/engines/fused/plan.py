"""The forward and the backward pass through each layer, as operations on fixed buffers.

Legend: B rows, I inputs and O outputs of a layer, all feature-major: ``[I, B]``; a leading axis K where a stack of
networks is trained. ``d`` is ∂L/∂(output of the layer), from which the backward pass computes the gradients of the
layer's parameters and ∂L/∂(its input).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from pellucid.engines.fused import activations
from pellucid.engines.fused.flat import Flat
from pellucid.engines.fused.products import Products
from pellucid.errors import SettingError
from pellucid.network import Activation, BatchNorm, Dense, Dropout, Network, describe

__all__ = ["Operations", "Plan", "build_plan"]

Operations = list[Callable[[], object]]
Backward = Callable[[Tensor, Tensor | None], Operations]  # (d, where ∂L/∂input is to go) -> operations


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """The forward and the backward pass of a network for batches of one size.

    Attributes
    ----------
    forward, backward
        The operations in their order.
    logits, d_logits
        Where the last layer leaves them, and where the loss is to put its gradient, ``[C, B]``.
    masks
        For each Dropout with a rate above 0, ``[width, B]`` (``[K, width, B]``): to be filled before each step.
    """

    forward: Operations
    backward: Operations
    logits: Tensor
    d_logits: Tensor
    masks: tuple[Tensor, ...]


def build_plan(network: Network, flat: Flat, x: Tensor, *, products: str = "blas", private: bool = True) -> Plan:
    """Plan both passes for the rows in ``x`` ``[I + 1, B]`` (ones at the bottom), which may change between steps.

    ``products`` is one of `products.WAYS`. ``private`` allows operators that PyTorch does not document where they are
    faster; results are the same.
    """
    multiply = Products(products)
    lead, rows = flat.lead, x.shape[-1]
    forward: Operations = []
    backwards: list[Backward | None] = []
    masks: list[Tensor] = []
    full = x.expand(*lead, *x.shape[-2:])  # the activations with their row of ones
    may_overwrite = False  # whether the backward pass needs nothing that is in it
    for index, (layer, (width,)) in enumerate(zip(network.layers, network.shapes(), strict=True)):
        before, a = full, full[..., :-1, :]
        if isinstance(layer, Dropout) and not layer.rate:
            backwards.append(None)
            continue
        in_place = may_overwrite and isinstance(layer, Activation) and layer.function in activations.FROM_OUTPUT
        if not in_place:
            full = torch.empty((*lead, width + 1, rows), dtype=x.dtype, device=x.device)
            full[..., -1, :] = 1
        out = full[..., :-1, :]
        match layer:
            case Dense():
                source = before if layer.bias else a
                forward += multiply.forward(flat.w[index], source, out)
                backwards.append(partial(_dense_backward, multiply, flat.w[index], flat.g[index], source, layer.inputs))
            case Activation():
                kept = None if layer.function in activations.FROM_OUTPUT else torch.empty_like(out)
                forward += activations.forward(layer.function, a, out, kept)
                backwards.append(partial(_activation_backward, layer.function, a, out, kept, private))
            case Dropout():
                mask = torch.empty((*lead, width, rows), dtype=x.dtype, device=x.device)
                masks.append(mask)
                forward.append(partial(torch.mul, a, mask, out=out))
                backwards.append(partial(_dropout_backward, mask))
            case BatchNorm():
                operations, backward = _batch_norm(flat, index, layer, a, out)
                forward += operations
                backwards.append(backward)
        may_overwrite = isinstance(layer, Dense | BatchNorm)
    logits = full[..., :-1, :]
    d_logits = torch.empty_like(logits, memory_format=torch.contiguous_format)
    return Plan(
        forward=forward,
        backward=_backward(network, backwards, d_logits),
        logits=logits,
        d_logits=d_logits,
        masks=tuple(masks),
    )


def _backward(network: Network, backwards: list[Backward | None], d: Tensor) -> Operations:
    """From the logits down to the first layer that has parameters; below it nothing wants a gradient."""
    first = next(i for i, layer in enumerate(network.layers) if isinstance(layer, Dense | BatchNorm))
    operations: Operations = []
    for index in reversed(range(first, len(network.layers))):
        backward, layer, into = backwards[index], network.layers[index], None
        if backward is None:
            continue
        if isinstance(layer, Dense) and index > first:
            into = d.new_empty((*d.shape[:-2], layer.inputs, d.shape[-1]))
        operations += backward(d, into)
        d = d if into is None else into
    return operations


def _dense_backward(
    multiply: Products, w: Tensor, g: Tensor, source: Tensor, inputs: int, d: Tensor, into: Tensor | None
) -> Operations:
    """∂L/∂[W b] = d [x; 1]ᵀ, ∂L/∂x = Wᵀ d."""
    operations = multiply.weight_gradient(d, source, g)
    return operations if into is None else [*operations, *multiply.input_gradient(w, inputs, d, into)]


def _activation_backward(
    function: str, z: Tensor, a: Tensor, kept: Tensor | None, private: bool, d: Tensor, into: Tensor | None
) -> Operations:
    return activations.backward(function, z, a, kept, d, private=private)


def _dropout_backward(mask: Tensor, d: Tensor, into: Tensor | None) -> Operations:
    return [partial(torch.mul, d, mask, out=d)]


def _batch_norm(flat: Flat, index: int, layer: BatchNorm, x: Tensor, out: Tensor) -> tuple[Operations, Backward]:
    """x̂ = (x − μ) / √(v + ε), a = γ x̂ + β; running statistics move a share towards μ and v · B/(B − 1).

    Backward:  ∂L/∂γ = Σ d x̂,  ∂L/∂β = Σ d,  ∂L/∂x = γ (d − mean(d) − x̂ mean(d x̂)) / √(v + ε).
    """
    rows, share = x.shape[-1], layer.momentum
    if rows < 2:
        raise SettingError(
            f"layer {index} ({describe(layer)}) cannot train on a batch of one row: a single row has no variance; "
            "use a batch size of at least 2"
        )
    gamma, beta = (flat.w[index][..., i, :].unsqueeze(-1) for i in (0, 1))  # [width, 1]
    d_gamma, d_beta = (flat.g[index][..., i, :] for i in (0, 1))
    running_mean, running_var, count = (
        flat.statistics[f"{index}.{name}"] for name in ("running_mean", "running_var", "num_batches_tracked")
    )
    mean, variance, deviation, slope = (torch.empty_like(gamma) for _ in range(4))
    normalised, t = torch.empty_like(out), torch.empty_like(out)
    forward: Operations = [
        partial(torch.mean, x, -1, keepdim=True, out=mean),
        partial(torch.sub, x, mean, out=normalised),
        partial(torch.mul, normalised, normalised, out=t),
        partial(torch.mean, t, -1, keepdim=True, out=variance),
        partial(torch.add, variance, layer.eps, out=deviation),
        partial(torch.sqrt, deviation, out=deviation),
        partial(torch.div, normalised, deviation, out=normalised),
        partial(torch.addcmul, beta, normalised, gamma, out=out),
        partial(torch.lerp, running_mean, mean.squeeze(-1), share, out=running_mean),
        partial(running_var.mul_, 1 - share),
        partial(running_var.add_, variance.squeeze(-1), alpha=share * rows / (rows - 1)),
        partial(count.add_, 1),
    ]

    def backward(d: Tensor, into: Tensor | None) -> Operations:
        return [
            partial(torch.mul, d, normalised, out=t),
            partial(torch.sum, t, -1, out=d_gamma),
            partial(torch.sum, d, -1, out=d_beta),
            partial(torch.mul, normalised, d_gamma.unsqueeze(-1), out=t),
            partial(torch.add, t, d_beta.unsqueeze(-1), out=t),
            partial(torch.sub, d, t, alpha=1 / rows, out=d),
            partial(torch.div, gamma, deviation, out=slope),
            partial(torch.mul, d, slope, out=d),
        ]

    return forward, backward
