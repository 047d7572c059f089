"""Layer normalisation (Ba, Kiros & Hinton 2016): each row by the mean and the variance of its own numbers."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from pellucid.engines.fused.layers.rule import Block, Operations, Planned, Position, Predict, Rule, Walk
from pellucid.network import LayerNorm

__all__ = ["TABLE"]


def block(layer: LayerNorm) -> Block:
    """γ above β, ``[2, width]``."""
    return Block(shape=(2, layer.width), parts={"weight": (..., 0, slice(None)), "bias": (..., 1, slice(None))})


def plan(layer: LayerNorm, position: Position, walk: Walk) -> Planned:
    """x̂ = (x − μ) / √(v + ε), a = γ x̂ + β, with the mean μ and the biased variance v of each row, ``[1, B]``.

    Backward:  ∂L/∂γ = Σ d x̂,  ∂L/∂β = Σ d,  and with g = γ d:  ∂L/∂x = (g − mean(g) − x̂ mean(g x̂)) / √(v + ε).
    """
    x, full = position.x, position.new_output()
    out = full[..., :-1, :]
    gamma, beta = (position.w[..., i, :].unsqueeze(-1) for i in (0, 1))  # [width, 1]
    d_gamma, d_beta = (position.g[..., i, :] for i in (0, 1))
    mean, deviation = (torch.empty_like(x[..., :1, :]) for _ in range(2))
    normalised, t = torch.empty_like(out), torch.empty_like(out)
    forward: Operations = [
        partial(torch.mean, x, -2, keepdim=True, out=mean),
        partial(torch.sub, x, mean, out=normalised),
        partial(torch.mul, normalised, normalised, out=t),
        partial(torch.mean, t, -2, keepdim=True, out=deviation),
        partial(torch.add, deviation, layer.eps, out=deviation),
        partial(torch.sqrt, deviation, out=deviation),
        partial(torch.div, normalised, deviation, out=normalised),
        partial(torch.addcmul, beta, normalised, gamma, out=out),
    ]

    def backward(d: Tensor, wanted: bool) -> tuple[Operations, Tensor]:
        operations: Operations = [
            partial(torch.mul, d, normalised, out=t),
            partial(torch.sum, t, -1, out=d_gamma),
            partial(torch.sum, d, -1, out=d_beta),
        ]
        if wanted:
            mean_g, mean_gx = torch.empty_like(mean), torch.empty_like(mean)
            operations += [
                partial(torch.mul, d, gamma, out=d),
                partial(torch.mean, d, -2, keepdim=True, out=mean_g),
                partial(torch.mul, d, normalised, out=t),
                partial(torch.mean, t, -2, keepdim=True, out=mean_gx),
                partial(torch.sub, d, mean_g, out=d),
                partial(torch.addcmul, d, normalised, mean_gx, value=-1, out=d),
                partial(torch.div, d, deviation, out=d),
            ]
        return operations, d

    return Planned(full=full, forward=forward, backward=backward, may_overwrite=True, learns=True)


def predict(layer: LayerNorm, x: Tensor, reads: Predict) -> Tensor:
    """The same as in training: no row depends on another."""
    gamma, beta = (reads.w[..., i, :].unsqueeze(-1) for i in (0, 1))  # [… I, 1]
    x = x - x.mean(-2, keepdim=True)
    return x / torch.sqrt((x * x).mean(-2, keepdim=True) + layer.eps) * gamma + beta


TABLE = {LayerNorm: Rule(plan=plan, predict=predict, block=block)}
