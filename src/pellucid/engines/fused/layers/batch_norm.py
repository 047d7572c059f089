"""Batch normalisation (Ioffe & Szegedy 2015): in training by the batch's statistics, in prediction by running ones."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from pellucid.engines.fused.layers.rule import Block, Operations, Planned, Position, Predict, Rule, Walk
from pellucid.errors import SettingError
from pellucid.network import BatchNorm

__all__ = ["TABLE"]


def block(layer: BatchNorm) -> Block:
    """γ above β, ``[2, width]``."""
    return Block(shape=(2, layer.width), parts={"weight": (..., 0, slice(None)), "bias": (..., 1, slice(None))})


def plan(layer: BatchNorm, position: Position, walk: Walk) -> Planned:
    """x̂ = (x − μ) / √(v + ε), a = γ x̂ + β; running statistics move a share towards μ and v · B/(B − 1).

    Backward:  ∂L/∂γ = Σ d x̂,  ∂L/∂β = Σ d,  ∂L/∂x = γ (d − mean(d) − x̂ mean(d x̂)) / √(v + ε).
    """
    x, full = position.x, position.new_output()
    out = full[..., :-1, :]
    rows, share = x.shape[-1], layer.momentum
    if rows < 2:
        raise SettingError(
            f"layer {position.name} ({layer.words()}) cannot train on a batch of one row: a single row has no "
            "variance; use a batch size of at least 2"
        )
    gamma, beta = (position.w[..., i, :].unsqueeze(-1) for i in (0, 1))  # [width, 1]
    d_gamma, d_beta = (position.g[..., i, :] for i in (0, 1))
    running_mean, running_var, count = (
        position.statistics[name] for name in ("running_mean", "running_var", "num_batches_tracked")
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

    def backward(d: Tensor, wanted: bool) -> tuple[Operations, Tensor]:
        operations: Operations = [
            partial(torch.mul, d, normalised, out=t),
            partial(torch.sum, t, -1, out=d_gamma),
            partial(torch.sum, d, -1, out=d_beta),
        ]
        if wanted:
            operations += [
                partial(torch.mul, normalised, d_gamma.unsqueeze(-1), out=t),
                partial(torch.add, t, d_beta.unsqueeze(-1), out=t),
                partial(torch.sub, d, t, alpha=1 / rows, out=d),
                partial(torch.div, gamma, deviation, out=slope),
                partial(torch.mul, d, slope, out=d),
            ]
        return operations, d

    return Planned(full=full, forward=forward, backward=backward, may_overwrite=True, learns=True)


def predict(layer: BatchNorm, x: Tensor, reads: Predict) -> Tensor:
    """a = γ (x − μ) / √(v + ε) + β with the running μ and v."""
    gamma, beta = (reads.w[..., i, :].unsqueeze(-1) for i in (0, 1))  # [… O, 1]
    mean, variance = (reads.statistics[f"running_{name}"].unsqueeze(-1) for name in ("mean", "var"))
    return (x - mean) / torch.sqrt(variance + layer.eps) * gamma + beta


TABLE = {BatchNorm: Rule(plan=plan, predict=predict, block=block)}
