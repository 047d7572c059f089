"""Batch normalisation of pictures: each channel is standardised over the batch and all its positions.

The rule is that of `pellucid.engines.textbook.layers.batch_norm`; a channel has one μ, v, γ and β for all positions, as
a convolution has one filter for all.
"""

from __future__ import annotations

from pellucid.engines.textbook.layers.batch_norm import backward, forward
from pellucid.engines.textbook.layers.rule import Rule
from pellucid.network import BatchNorm2d

__all__ = ["TABLE"]

TABLE = {
    BatchNorm2d: Rule(
        forward=forward,
        backward=backward,
        formula="a = γ (x − μ) / √(v + ε) + β, μ and v of the channel over rows and positions",
        backward_formula="∂L/∂x = (g − mean(g) − x̂ mean(g x̂)) / √(v + ε), g = γ ∂L/∂a",
        source="Ioffe & Szegedy 2015, section 3.2",
    )
}
