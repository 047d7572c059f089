"""Long short-term memory: beside its state h, each unit has a cell c, to which gates add and from which they take.

The cell is kept by a product with the forget gate f alone: where f is near 1, a gradient goes back through many steps
as it is, and the network can learn to remember.

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
from pellucid.network import LSTM

__all__ = ["CELL", "TABLE", "one_step", "one_step_back"]


def one_step(given: Array, recalled: Array, state: State) -> tuple[State, dict[str, Array]]:
    """c[t] = f c[t−1] + i g and h[t] = o tanh c[t], with gates i, f, o = σ(z) and the candidate g = tanh(z)."""
    _, c_before = state
    z_i, z_f, z_g, z_o = np.split(given + recalled, 4, axis=1)  # [B, H] each
    i = sigmoid(z_i)  # what is written
    f = sigmoid(z_f)  # what is kept
    g = np.tanh(z_g)  # the candidate
    o = sigmoid(z_o)  # what is shown
    c = f * c_before + i * g
    h = o * np.tanh(c)
    return (h, c), {"i": i, "f": f, "g": g, "o": o, "c": c, "c_before": c_before, "h": h}


def one_step_back(kept: Mapping[str, Array], d_state: State) -> Slopes:
    """The chain rule through h = o tanh c, then through c = f c[t−1] + i g, then through each gate.

    ∂L/∂c[t] is what the step after handed back, plus ∂L/∂h · o (1 − tanh² c).
    """
    d_h, d_c = d_state
    i, f, g, o, shown = kept["i"], kept["f"], kept["g"], kept["o"], np.tanh(kept["c"])
    d_c = d_c + d_h * o * (1 - shown**2)
    d_z = np.concatenate(
        [
            d_c * g * i * (1 - i),  # ∂L/∂i = ∂L/∂c · g, σ′ = i (1 − i)
            d_c * kept["c_before"] * f * (1 - f),  # ∂L/∂f = ∂L/∂c · c[t−1]
            d_c * i * (1 - g**2),  # ∂L/∂g = ∂L/∂c · i, tanh′ = 1 − g²
            d_h * shown * o * (1 - o),  # ∂L/∂o = ∂L/∂h · tanh c
        ],
        axis=1,
    )  # [B, 4·H]
    return Slopes(d_given=d_z, d_recalled=d_z, d_state=(np.zeros_like(d_h), d_c * f))


CELL = Cell(states=2, forward=one_step, backward=one_step_back)


def forward(layer: LSTM, w: Parameters, x: Array, walk: ForwardWalk) -> Given:
    """The cell at every step; see `run`."""
    return run(CELL, layer, w, x, walk)


def backward(step: Step, w: Parameters, d_a: Array, walk: BackwardWalk) -> Returned:
    """Back through time; see `run_back`."""
    return run_back(CELL, step, w, d_a)


TABLE = {
    LSTM: Rule(
        forward=forward,
        backward=backward,
        formula="c[t] = f c[t−1] + i g, h[t] = o tanh c[t]; i, f, o = σ(z), g = tanh(z), each of its own "
        "z = W_ih x[t] + W_hh h[t−1] + b",
        backward_formula="∂L/∂c[t] = f[t+1] ∂L/∂c[t+1] + ∂L/∂h[t] · o (1 − tanh² c[t]), then through each gate",
        source="Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000",
    )
}
