"""Recurrent layers, unrolled: the same cell at every step, and backpropagation through time (Werbos 1990).

At each step a cell receives two weighted sums, one of the step's inputs and one of the state that the step before left:

    given = x[t] W_ihᵀ + b_ih,  recalled = h[t−1] W_hhᵀ + b_hh

and makes the new state of them; how is in the file of each kind: `rnn`, `lstm`, `gru`. On the way back, ∂L/∂h[t] is
what comes from the layer's output at t, plus what the step after hands back through its state. The weights are the same
at every step, so their gradients are sums over the steps.

Padding is at the ends of rows. A padded step leaves the state as it is and gives zeros, so that a row's answer does not
depend on the other rows; the backward direction, which comes to the padding first, still has its zero state at the
row's last step.

Legend: B rows, T steps, I inputs, H units, G gates (sums of a unit). x ``[B, T, I]``, h ``[B, T, H]``, W_ih
``[G·H, I]``, W_hh ``[G·H, H]``, both biases ``[G·H]``, with all units of the first gate first. A state is (h,), of an
LSTM (h, c), each ``[B, H]``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pellucid.engines.textbook.layers.rule import Array, ForwardWalk, Given, Parameters, Returned, Step
from pellucid.engines.textbook.sequences import mask_of
from pellucid.network.layers.recurrent import Recurrent

__all__ = ["Cell", "Slopes", "State", "run", "run_back", "start", "unroll", "unroll_back"]

State = tuple[Array, ...]


class Slopes(NamedTuple):
    """What a cell's backward rule gives for one step.

    Attributes
    ----------
    d_given, d_recalled
        ∂L/∂ of the two weighted sums, ``[B, G·H]`` each.
    d_state
        ∂L/∂ of the state before, but for the way through ``recalled``.
    """

    d_given: Array
    d_recalled: Array
    d_state: State


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One step of a kind of recurrent layer.

    Attributes
    ----------
    states
        1 for (h,), 2 for (h, c).
    forward
        Maps given, recalled and the state to the new state, and to what ``backward`` wants to see again.
    backward
        Maps that and ∂L/∂ of the new state to the step's `Slopes`.
    """

    states: int
    forward: Callable[[Array, Array, State], tuple[State, dict[str, Array]]]
    backward: Callable[[Mapping[str, Array], State], Slopes]


# ── all layers of a kind, in both directions ──────────────────────────────────────────────────────────────────────


def run(cell: Cell, layer: Recurrent, w: Parameters, x: Array, walk: ForwardWalk) -> Given:
    """Each layer reads what the one below gave; two directions lie side by side, ``[B, T, 2·H]``.

    Parameters
    ----------
    cell
        The step of the layer's kind.
    layer, w, x, walk
        As a forward rule has them.
    """
    mask = mask_of(walk.lengths, x.shape[1])
    counts = np.ones(x.shape[:2], bool) if mask is None else mask  # [B, T]
    kept: dict[str, Array] = {"counts": counts}
    for index in range(layer.layers):
        kept[f"x_l{index}"], directions = x, list[Array]()
        for suffix in layer.suffixes(index):
            h, seen = unroll(cell, _own(w, suffix), x, counts, backwards=suffix.endswith("reverse"))
            kept |= {f"{name}{suffix}": array for name, array in seen.items()}
            directions.append(h)
        x = np.concatenate(directions, axis=2)
    return Given(outputs=x, kept=kept)


def run_back(cell: Cell, step: Step, w: Parameters, d_a: Array) -> Returned:
    """The last layer first; what both directions say about an input is added.

    Parameters
    ----------
    cell
        The step of the layer's kind.
    step, w, d_a
        As a backward rule has them.
    """
    layer, parameters, kept = step.layer, dict[str, Array](), dict[str, Array]()
    assert isinstance(layer, Recurrent)
    for index in reversed(range(layer.layers)):
        suffixes, x = layer.suffixes(index), step.kept[f"x_l{index}"]
        d_x = np.zeros_like(x)
        for suffix, d_h in zip(suffixes, np.split(d_a, len(suffixes), axis=2), strict=True):
            seen = {**_own(step.kept, suffix), "x": x, "counts": step.kept["counts"]}
            back = unroll_back(cell, _own(w, suffix), seen, d_h, backwards=suffix.endswith("reverse"))
            d_x += back.d_inputs
            parameters |= {f"{name}{suffix}": array for name, array in back.parameters.items()}
            kept |= {f"{name}{suffix}": array for name, array in back.kept.items()}
        d_a = d_x
    return Returned(d_inputs=d_a, parameters=parameters, kept=kept)


def _own(arrays: Mapping[str, Array], suffix: str) -> dict[str, Array]:
    """The arrays of one layer in one direction, without the suffix of their names."""
    return {name.removesuffix(suffix): array for name, array in arrays.items() if name.endswith(suffix)}


# ── one layer in one direction ────────────────────────────────────────────────────────────────────────────────────


def start(cell: Cell, rows: int, w: Parameters) -> State:
    """Every row begins with a state of zeros."""
    return (np.zeros((rows, w["weight_hh"].shape[1]), w["weight_hh"].dtype),) * cell.states


def unroll(cell: Cell, w: Parameters, x: Array, counts: Array, *, backwards: bool) -> tuple[Array, dict[str, Array]]:
    """From the first step to the last, or ``backwards``: h ``[B, T, H]``, and what was seen at each step.

    Parameters
    ----------
    cell, w
        The cell, and the four arrays of this layer and direction.
    x
        ``[B, T, I]``.
    counts
        ``[B, T]``, false for padding.
    backwards
        Whether the last step comes first.
    """
    state, steps = start(cell, len(x), w), x.shape[1]
    seen: list[dict[str, Array]] = [{} for _ in range(steps)]
    h = np.zeros((*x.shape[:2], state[0].shape[1]), x.dtype)
    for t in _order(steps, backwards):
        given = x[:, t] @ w["weight_ih"].T + w["bias_ih"]  # [B, I] @ [I, G·H] = [B, G·H]
        recalled = state[0] @ w["weight_hh"].T + w["bias_hh"]  # [B, H] @ [H, G·H] = [B, G·H]
        new, kept = cell.forward(given, recalled, state)
        seen[t] = {"given": given, "recalled": recalled, "before": state[0], **kept}
        here = counts[:, t, np.newaxis]  # [B, 1]
        state = tuple(np.where(here, after, before) for after, before in zip(new, state, strict=True))
        h[:, t] = np.where(here, new[0], 0)
    return h, {name: np.stack([each[name] for each in seen], axis=1) for name in seen[0]}


def unroll_back(cell: Cell, w: Parameters, seen: Mapping[str, Array], d_h: Array, *, backwards: bool) -> Returned:
    """Back through time: the steps in the reverse of their order.

    Parameters
    ----------
    cell, w
        The cell, and the four arrays of this layer and direction.
    seen
        What `unroll` saw at each step, and its ``x`` and ``counts``.
    d_h
        ∂L/∂h from the layer's outputs, ``[B, T, H]``.
    backwards
        Whether the last step came first.
    """
    x, counts, steps = seen["x"], seen["counts"], d_h.shape[1]
    own = {name: np.zeros_like(array) for name, array in w.items()}
    through, d_x = start(cell, len(x), w), np.zeros_like(x)  # ∂L/∂ of the state, from the step after
    way: list[dict[str, Array]] = [{} for _ in range(steps)]
    for t in reversed(_order(steps, backwards)):
        here = counts[:, t, np.newaxis]
        arrived = (through[0] + d_h[:, t], *through[1:])  # the step's own output, and all later ones
        d_new = tuple(np.where(here, d, 0) for d in arrived)
        slopes = cell.backward({name: array[:, t] for name, array in seen.items()}, d_new)
        d_x[:, t] = slopes.d_given @ w["weight_ih"]  # [B, G·H] @ [G·H, I] = [B, I]
        own["weight_ih"] += slopes.d_given.T @ x[:, t]  # [G·H, B] @ [B, I]
        own["weight_hh"] += slopes.d_recalled.T @ seen["before"][:, t]  # [G·H, B] @ [B, H]
        own["bias_ih"] += slopes.d_given.sum(axis=0)
        own["bias_hh"] += slopes.d_recalled.sum(axis=0)
        d_before = (slopes.d_state[0] + slopes.d_recalled @ w["weight_hh"], *slopes.d_state[1:])
        through = tuple(d + np.where(here, 0, past) for d, past in zip(d_before, through, strict=True))
        way[t] = {"d_given": slopes.d_given, "d_recalled": slopes.d_recalled, "d_h": d_new[0]}
    kept = {name: np.stack([each[name] for each in way], axis=1) for name in way[0]}
    return Returned(d_inputs=d_x, parameters=own, kept=kept)


def _order(steps: int, backwards: bool) -> range:
    return range(steps - 1, -1, -1) if backwards else range(steps)
