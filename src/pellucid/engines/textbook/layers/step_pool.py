"""Pooling over steps: the last step, the mean or the largest of all steps makes one list of numbers of a sequence.

Each is a weighted sum over the steps: x[t] has the share s[t] in a. Padded steps have no share, so that an answer does
not depend on how long the other rows of the batch are.

Legend: B rows, T steps, D columns.
"""

from __future__ import annotations

from typing import assert_never

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
from pellucid.network import StepPool

__all__ = ["TABLE"]


def forward(layer: StepPool, w: Parameters, x: Array, walk: ForwardWalk) -> Given:
    """a = Σ over t of s[t] x[t], ``[B, T, D]`` to ``[B, D]``."""
    many, steps, _ = x.shape
    lengths = np.full(many, steps) if walk.lengths is None else walk.lengths  # [B]
    counts = np.arange(steps) < lengths[:, np.newaxis]  # [B, T]
    match layer.how:
        case "last":
            share = last(x, lengths, layer.bidirectional)
        case "mean":
            share = np.broadcast_to((counts / lengths[:, np.newaxis])[:, :, np.newaxis], x.shape).astype(x.dtype)
        case "max":
            share = largest(x, counts)
        case _:
            assert_never(layer.how)
    return Given(outputs=(share * x).sum(axis=1), kept={"share": share})


def last(x: Array, lengths: Array, bidirectional: bool) -> Array:
    """s = 1 at the last step that counts; of two directions, the backward one ends at step 0."""
    share = np.zeros_like(x)  # [B, T, D]
    half = x.shape[2] // 2 if bidirectional else x.shape[2]
    share[np.arange(len(x)), lengths - 1, :half] = 1
    share[:, 0, half:] = 1
    return share


def largest(x: Array, counts: Array) -> Array:
    """s = 1 at the step where a column is largest, of equal ones the first; never in the padding."""
    winner = np.where(counts[:, :, np.newaxis], x, -np.inf).argmax(axis=1)  # [B, D]
    share = np.zeros_like(x)
    np.put_along_axis(share, winner[:, np.newaxis], 1, axis=1)
    return share


def backward(step: Step, w: Parameters, d_a: Array, walk: BackwardWalk) -> Returned:
    """∂L/∂x[t] = s[t] · ∂L/∂a."""
    return Returned(d_inputs=step.kept["share"] * d_a[:, np.newaxis])


TABLE = {
    StepPool: Rule(
        forward=forward,
        backward=backward,
        formula="a = Σ s[t] x[t]: s is 1 at the last step, 1/n at each of the n steps, or 1 at the largest",
        backward_formula="∂L/∂x[t] = s[t] · ∂L/∂a",
        source="Collobert et al. 2011, pooling over time",
    )
}
