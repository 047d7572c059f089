"""Dropout of whole channels: as Dropout, with one number of the mask for each channel of a picture."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from pellucid.engines.fused.layers.rule import Operations, Planned, Position, Predict, Rule, Walk
from pellucid.network import ChannelDropout

__all__ = ["TABLE"]


def plan(layer: ChannelDropout, position: Position, walk: Walk) -> Planned:
    """a = m x;  ∂L/∂x = m d, with the mask m ``[B, C, 1, 1]`` of each step."""
    if not layer.rate:
        return Planned(
            full=position.full, forward=[], backward=lambda d, wanted: ([], d), may_overwrite=position.may_overwrite
        )
    x, out = position.x, position.new_output()
    mask = x.new_empty((*x.shape[:2], 1, 1))

    def backward(d: Tensor, wanted: bool) -> tuple[Operations, Tensor]:
        return [partial(torch.mul, d, mask, out=d)], d

    return Planned(
        full=out, forward=[partial(torch.mul, x, mask, out=out)], backward=backward, may_overwrite=True, masks=(mask,)
    )


def predict(layer: ChannelDropout, x: Tensor, reads: Predict) -> Tensor:
    """The input as it is."""
    return x


TABLE = {ChannelDropout: Rule(plan=plan, predict=predict)}
