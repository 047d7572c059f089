"""Batch normalisation of pictures: as that of columns, with a channel's statistics over rows and positions."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from pellucid.engines.fused.layers.batch_norm import block
from pellucid.engines.fused.layers.rule import Operations, Planned, Position, Predict, Rule, Walk
from pellucid.errors import SettingError
from pellucid.network import BatchNorm2d

__all__ = ["TABLE"]


def plan(layer: BatchNorm2d, position: Position, walk: Walk) -> Planned:
    """The formulas of `batch_norm`, by PyTorch's own passes over the pictures; they move the running statistics too."""
    x, out = position.x, position.new_output()
    if x.numel() == x.shape[1]:
        raise SettingError(
            f"layer {position.name} ({layer.words()}) cannot train on a single row of single positions, which has no "
            "variance; use a batch size of at least 2"
        )
    (gamma, beta), (d_gamma, d_beta) = position.w, position.g
    running_mean, running_var, count = (
        position.statistics[name] for name in ("running_mean", "running_var", "num_batches_tracked")
    )
    mean, inverse = torch.empty_like(gamma), torch.empty_like(gamma)

    def backward(d: Tensor, wanted: bool) -> tuple[Operations, Tensor]:
        d_x = torch.empty_like(x)

        def all_three() -> None:
            its_d_x, its_d_gamma, its_d_beta = torch.ops.aten.native_batch_norm_backward(
                d, x, gamma, running_mean, running_var, mean, inverse, True, layer.eps, [wanted, True, True]
            )
            d_gamma.copy_(its_d_gamma)
            d_beta.copy_(its_d_beta)
            if wanted:
                d_x.set_(its_d_x)

        return [all_three], d_x

    forward: Operations = [
        partial(
            torch.ops.aten.native_batch_norm.out, x, gamma, beta, running_mean, running_var, True, layer.momentum,
            layer.eps, out=out, save_mean=mean, save_invstd=inverse,
        ),
        partial(count.add_, 1),
    ]  # fmt: skip
    return Planned(full=out, forward=forward, backward=backward, may_overwrite=True, learns=True)


def predict(layer: BatchNorm2d, x: Tensor, reads: Predict) -> Tensor:
    """a = γ (x − μ) / √(v + ε) + β with the running μ and v."""
    scale, shift = scale_and_shift(layer, reads)
    return torch.addcmul(shift[:, None, None], x, scale[:, None, None])


def scale_and_shift(layer: BatchNorm2d, reads: Predict) -> tuple[Tensor, Tensor]:
    """What prediction multiplies each channel by and what it adds, ``[C]`` each: γ/√(v + ε) and β − μ γ/√(v + ε)."""
    gamma, beta = reads.w
    scale = gamma / torch.sqrt(reads.statistics["running_var"] + layer.eps)
    return scale, beta - reads.statistics["running_mean"] * scale


TABLE = {BatchNorm2d: Rule(plan=plan, predict=predict, block=block)}
