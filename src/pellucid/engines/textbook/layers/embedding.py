"""The embedding: each token becomes the row of a matrix that belongs to it.

It is a Dense layer without bias on one-hot rows, written as what it comes to: a look-up. Tokens that are used alike get
similar rows, because they get similar gradients.

Legend: T steps, V tokens of the vocabulary, D numbers of a row.
"""

from __future__ import annotations

import numpy as np

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
from pellucid.network import Embedding

__all__ = ["TABLE"]

PADDING = 0


def forward(layer: Embedding, w: Parameters, x: Array, walk: ForwardWalk) -> Given:
    """a = E[x], the row of each token; zeros for padding."""
    rows = w["weight"][x]  # [B, T, D]
    return Given(outputs=np.where((x == PADDING)[..., np.newaxis], 0, rows))


def backward(step: Step, w: Parameters, d_a: Array, walk: BackwardWalk) -> Returned:
    """∂L/∂E[v] = Σ ∂L/∂a over all steps whose token is v; padding has no gradient.

    A token is the number of a row, not a quantity: ∂L/∂x = 0.
    """
    x, d_weight = step.inputs, np.zeros_like(w["weight"])
    np.add.at(d_weight, x, d_a)  # [V, D]: a token that occurs three times gets the sum of three derivatives
    d_weight[PADDING] = 0
    return Returned(d_inputs=np.zeros(x.shape, d_a.dtype), parameters={"weight": d_weight})


TABLE = {
    Embedding: Rule(
        forward=forward,
        backward=backward,
        formula="a = E[x], 0 for padding",
        backward_formula="∂L/∂E[v] = Σ ∂L/∂a over the steps where x = v",
        source="Bengio, Ducharme, Vincent & Jauvin 2003",
    )
}
