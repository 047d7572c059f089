"""Dropout of whole channels: in training, a random share of the feature maps is set to 0, the others are scaled up.

Neighbouring positions of a map hold nearly the same, so that Dropout of single ones would hide little.
"""

from __future__ import annotations

from pellucid.engines.textbook.layers.rule import (
    Array,
    BackwardWalk,
    ForwardWalk,
    Given,
    Parameters,
    Returned,
    Rule,
    Step,
)
from pellucid.network import ChannelDropout

__all__ = ["TABLE"]


def forward(layer: ChannelDropout, w: Parameters, x: Array, walk: ForwardWalk) -> Given:
    """a = x m, with one m for each channel: 0 for a share ``rate``, else 1/(1 − rate); a = x at prediction."""
    if not walk.training or layer.rate == 0:
        return Given(outputs=x)
    mask = walk.next_mask()  # m  [B, C, 1, 1]
    return Given(outputs=x * mask, kept={"mask": mask})


def backward(step: Step, w: Parameters, d_a: Array, walk: BackwardWalk) -> Returned:
    """∂L/∂x = ∂L/∂a · m: a channel that was dropped gets no gradient."""
    return Returned(d_inputs=d_a * step.kept["mask"] if "mask" in step.kept else d_a)


TABLE = {
    ChannelDropout: Rule(
        forward=forward,
        backward=backward,
        formula="a = x m, m ∈ {0, 1/(1 − p)}, one for each channel",
        backward_formula="∂L/∂x = ∂L/∂a · m",
        source="Tompson et al. 2015",
    )
}
