"""The plain recurrent layer: the new state is a function of a weighted sum of the inputs and the old state.

A gradient that goes back n steps is multiplied n times by W_hh and by the function's derivative: it fades or grows with
n, which is why such a layer remembers only a few steps (Bengio, Simard & Frasconi 1994).

Legend: B rows, H units. See `pellucid.engines.textbook.layers.recurrent`, which unrolls the cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np

from pellucid.engines.textbook.activations import RULES, ActivationRule
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
from pellucid.network import RNN

__all__ = ["TABLE", "cell_of", "one_step", "one_step_back"]


def one_step(f: ActivationRule, given: Array, recalled: Array) -> tuple[State, dict[str, Array]]:
    """h[t] = f(W_ih x[t] + b_ih + W_hh h[t−1] + b_hh)."""
    z = given + recalled  # [B, H]
    h = f.f(z)
    return (h,), {"z": z, "h": h}


def one_step_back(f: ActivationRule, kept: Mapping[str, Array], d_state: State) -> Slopes:
    """∂L/∂z = ∂L/∂h[t] · f′(z); the old state enters by the weighted sum alone."""
    (d_h,) = d_state
    d_z = d_h * f.derivative(kept["z"], kept["h"])
    return Slopes(d_given=d_z, d_recalled=d_z, d_state=(np.zeros_like(d_h),))


@cache
def cell_of(function: str) -> Cell:
    """The cell with tanh or relu."""
    f = RULES[function]
    return Cell(
        states=1,
        forward=lambda given, recalled, state: one_step(f, given, recalled),
        backward=lambda kept, d_state: one_step_back(f, kept, d_state),
    )


def forward(layer: RNN, w: Parameters, x: Array, walk: ForwardWalk) -> Given:
    """The cell at every step; see `run`."""
    return run(cell_of(layer.function), layer, w, x, walk)


def backward(step: Step, w: Parameters, d_a: Array, walk: BackwardWalk) -> Returned:
    """Back through time; see `run_back`."""
    assert isinstance(step.layer, RNN)
    return run_back(cell_of(step.layer.function), step, w, d_a)


TABLE = {
    RNN: Rule(
        forward=forward,
        backward=backward,
        formula="h[t] = tanh(W_ih x[t] + b_ih + W_hh h[t−1] + b_hh)",
        backward_formula="∂L/∂z[t] = (∂L/∂h[t] + W_hhᵀ ∂L/∂z[t+1]) · tanh′(z[t]); ∂L/∂W = Σ over t",
        source="Elman 1990; Werbos 1990",
    )
}
