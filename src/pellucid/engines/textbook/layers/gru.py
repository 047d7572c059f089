"""Gated recurrent units: an update gate z mixes the old state with a candidate n, which sees the old state through a
reset gate r.

As in PyTorch, r multiplies what the old state's weights and their bias make of it, W_hn h[t−1] + b_hn; Cho et al. 2014
multiply the state itself, before the weights.

Legend: B rows, H units; σ is the sigmoid. See `pellucid.engines.textbook.layers.recurrent`, which unrolls the cell.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pellucid.engines.textbook.activations import sigmoid
from pellucid.engines.textbook.layers.recurrent import Cell, Slopes, State, run, run_back
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
from pellucid.network import GRU

__all__ = ["CELL", "TABLE", "one_step", "one_step_back"]


def one_step(given: Array, recalled: Array, state: State) -> tuple[State, dict[str, Array]]:
    """h[t] = (1 − z) n + z h[t−1], with the gates r, z = σ(given + recalled) and n = tanh(given + r · recalled)."""
    (before,) = state
    x_r, x_z, x_n = np.split(given, 3, axis=1)  # [B, H] each
    h_r, h_z, h_n = np.split(recalled, 3, axis=1)
    r = sigmoid(x_r + h_r)  # how much of the old state the candidate sees
    z = sigmoid(x_z + h_z)  # how much of the old state stays
    n = np.tanh(x_n + r * h_n)  # the candidate
    h = (1 - z) * n + z * before
    return (h,), {"r": r, "z": z, "n": n, "h": h}


def one_step_back(kept: Mapping[str, Array], d_state: State) -> Slopes:
    """The chain rule through h = (1 − z) n + z h[t−1], then through n, then through each gate."""
    (d_h,) = d_state
    r, z, n, before = kept["r"], kept["z"], kept["n"], kept["before"]
    h_n = np.split(kept["recalled"], 3, axis=1)[2]
    d_n = d_h * (1 - z) * (1 - n**2)  # ∂L/∂ of the sum in tanh
    d_z = d_h * (before - n) * z * (1 - z)  # ∂h/∂z = h[t−1] − n, σ′ = z (1 − z)
    d_r = d_n * h_n * r * (1 - r)
    return Slopes(
        d_given=np.concatenate([d_r, d_z, d_n], axis=1),  # [B, 3·H]
        d_recalled=np.concatenate([d_r, d_z, d_n * r], axis=1),
        d_state=(d_h * z,),
    )


CELL = Cell(states=1, forward=one_step, backward=one_step_back)


def forward(layer: GRU, w: Parameters, x: Array, walk: ForwardWalk) -> Given:
    """The cell at every step; see `run`."""
    return run(CELL, layer, w, x, walk)


def backward(step: Step, w: Parameters, d_a: Array, walk: BackwardWalk) -> Returned:
    """Back through time; see `run_back`."""
    return run_back(CELL, step, w, d_a)


TABLE = {
    GRU: Rule(
        forward=forward,
        backward=backward,
        formula="h[t] = (1 − z) n + z h[t−1]; r, z = σ(W_ih x[t] + W_hh h[t−1] + b), n = tanh(W_in x[t] + b_in + "
        "r · (W_hn h[t−1] + b_hn))",
        backward_formula="∂L/∂h[t−1] = z ∂L/∂h[t] + W_hhᵀ ∂L/∂(W_hh h[t−1]), through each gate",
        source="Cho et al. 2014",
    )
}
