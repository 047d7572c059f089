"""The kinds of layers for sequences: networks to try them in, padded rows, and the mistakes that must be caught."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.typing import NDArray

from pellucid.engines.textbook.layers import gru, lstm, recurrent, rnn
from pellucid.network import (
    GRU,
    LSTM,
    RNN,
    Dense,
    Flatten,
    Layer,
    LayerNorm,
    Network,
    SelfAttention,
    StepPool,
    Transpose,
)
from pellucid.network.layers.recurrent import Recurrent
from tests.parity.planting import EPS, TANH, Case, Change, Plant, backward_rule, changed, forward_rule, without

READ_LENGTHS = (Recurrent, SelfAttention, StepPool)
SERIES = (6, 4)  # steps, channels

Array = NDArray[Any]


def with_padding(network: Network, x: Array, seed: int) -> Array:
    """Rows of several lengths, where a layer of the network reads them: the first may be full, the last has one step.

    Every third batch has steps that are padding in all rows; every second one a row of padding alone.
    """
    on_channels = isinstance(network.layers[0], Transpose)
    if not on_channels and not any(isinstance(layer, READ_LENGTHS) for layer in network.every_layer()):
        return x
    generator, (many, steps) = np.random.default_rng(seed), x.shape[:2]
    lengths = generator.integers(1, steps + 1, many)
    lengths[0], lengths[-1] = max(1, steps - (seed % 3 == 1)), 1
    if seed % 3 == 1:
        lengths = np.minimum(lengths, max(1, steps - 1))
    if seed % 2 and many > 2:
        lengths[1] = 0
    x = x.copy()
    x[np.arange(steps) >= lengths[:, np.newaxis]] = np.nan
    return x


def ended(shape: tuple[int, ...], *layers: Layer, outputs: int = 2) -> Network:
    """The layers, and a Dense layer on the list of numbers that they give."""
    width = Network(shape=shape, layers=layers).outputs
    return Network(shape=shape, layers=(*layers, Dense(inputs=width, outputs=outputs)))


def length_forgotten(right: Any) -> Any:
    """All steps count, those of the padding too."""
    return lambda layer, w, x, walk: right(layer, w, x, SimpleNamespace(training=walk.training, lengths=None))


# ── StepPool ──────────────────────────────────────────────────────────────────────────────────────────────────────


@st.composite
def pooled(draw: st.DrawFn) -> Network:
    """A LayerNorm, whose gradient is wrong if what comes after it is, then a pooling.

    Before a maximum there is none: it would turn equal numbers into nearly equal ones.
    """
    steps, width = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    how: Any = draw(st.sampled_from(("last", "mean", "max")))
    pool = StepPool(how=how, bidirectional=how == "last" and width % 2 == 0 and draw(st.booleans()))
    before = () if how == "max" else (LayerNorm(width=width, eps=EPS),)
    return ended((steps, width), *before, TANH, pool)


def ties_to_the_last(given: Any, layer: Any, w: Any, x: Any, walk: Any) -> Any:
    share = np.zeros_like(x)
    equal = (x == given.outputs[:, np.newaxis]) & (np.arange(x.shape[1]) < walk.lengths[:, np.newaxis])[:, :, None]
    winner = x.shape[1] - 1 - equal[:, ::-1].argmax(axis=1)
    np.put_along_axis(share, winner[:, np.newaxis], 1, axis=1)
    return {"share": share}


def shared_by(weigh: Any) -> Change:
    """Another share on the way back."""
    return changed(d_inputs=lambda given, step, w, d_a, walk: weigh(step.kept["share"]) * d_a[:, np.newaxis])


POOLS: dict[str, Network] = {
    "last": ended(SERIES, TANH, StepPool()),
    "both": ended(SERIES, TANH, StepPool(bidirectional=True)),
    "mean": ended(SERIES, TANH, StepPool(how="mean")),
    "max": ended(SERIES, TANH, StepPool(how="max")),
}

POOL = Case(
    network=POOLS["mean"],
    random=pooled(),
    mistakes={
        "padding that counts in a mean": forward_rule(StepPool, length_forgotten),
        "a sum for a mean": forward_rule(
            StepPool, changed(outputs=lambda given, layer, w, x, walk: given.outputs * x.shape[1])
        ),
        "not divided on the way back": backward_rule(StepPool, shared_by(np.ceil)),
        "padding for the last step": forward_rule(StepPool, length_forgotten),
        "the first step for the last": forward_rule(StepPool, changed(outputs=lambda given, layer, w, x, _: x[:, 0])),
        "the same gradient for every step": backward_rule(StepPool, shared_by(np.ones_like)),
        "the backward direction at the last step": forward_rule(
            StepPool, lambda right: lambda layer, *rest: right(StepPool(), *rest)
        ),
        "padding that wins": forward_rule(StepPool, length_forgotten),
        "ties go to the last": forward_rule(StepPool, changed(kept=ties_to_the_last)),
    },
    networks={
        "padding for the last step": POOLS["last"],
        "the first step for the last": POOLS["last"],
        "the same gradient for every step": POOLS["last"],
        "the backward direction at the last step": POOLS["both"],
        "padding that wins": POOLS["max"],
        "ties go to the last": POOLS["max"],
    },
)

# ── RNN, LSTM, GRU ────────────────────────────────────────────────────────────────────────────────────────────────


def flattened(*layers: Layer) -> Network:
    """The layers on a series, and a Dense layer on all numbers of all steps, those of padding too."""
    return ended(SERIES, *layers, Flatten())


@st.composite
def recurrents(draw: st.DrawFn, kind: type[Recurrent], **fields: Any) -> Network:
    """One recurrent layer after another, then a pooling or all numbers."""
    steps, channels, width = draw(st.integers(1, 4)), draw(st.integers(1, 2)), draw(st.integers(1, 2))
    layer = kind(
        inputs=channels, width=width, layers=draw(st.integers(1, 2)), bidirectional=draw(st.booleans()), **fields
    )
    how: Any = draw(st.sampled_from(("last", "mean", "max", None)))
    end = Flatten() if how is None else StepPool(how=how, bidirectional=how == "last" and layer.bidirectional)
    return ended((steps, channels), LayerNorm(width=channels, eps=EPS), layer, end)


def with_arrays(change: Any) -> Change:
    """The forward rule is given other arrays: ``change`` maps a name without its suffix and an array to another."""

    def planted(right: Any) -> Any:
        def wrong(layer: Any, w: Any, x: Any, walk: Any) -> Any:
            return right(layer, {name: change(name.partition("_l")[0], array) for name, array in w.items()}, x, walk)

        return wrong

    return planted


def gates_in_order(*order: int) -> Change:
    """The rows of all arrays belong to gates in another order."""
    return with_arrays(lambda name, array: np.concatenate([np.split(array, len(order))[gate] for gate in order]))


def only(name: str, factor: float) -> Change:
    return with_arrays(lambda each, array: array * (factor if each == name else 1))


def unrolled(change: Any) -> Plant:
    """``unroll`` is another: ``change`` is given the right one."""
    return lambda patch: patch.setattr(recurrent, "unroll", change(recurrent.unroll))


def state_carried_between_rows(right: Any) -> Any:
    """Each row begins with the state in which the row before it ended."""

    def wrong(cell: Any, w: Any, x: Any, counts: Any, *, backwards: bool) -> Any:
        begin, found = recurrent.start, []
        state = begin(cell, 1, w)
        for row in range(len(x)):
            with pytest.MonkeyPatch.context() as inner:
                inner.setattr(recurrent, "start", lambda *_, state=state: state)
                one = slice(row, row + 1)
                found.append(right(cell, w, x[one], counts[one], backwards=backwards))
            h, seen = found[-1]
            last = 0 if backwards else int(counts[row].sum()) - 1
            state = (h[:, last], *(seen[name][:, last] for name in ("c",)[: cell.states - 1]))
        hs, seens = zip(*found, strict=True)
        return np.concatenate(hs), {name: np.concatenate([seen[name] for seen in seens]) for name in seens[0]}

    return wrong


def starting_in_the_padding(right: Any) -> Any:
    """The backward direction reads the padding first."""

    def wrong(cell: Any, w: Any, x: Any, counts: Any, *, backwards: bool) -> Any:
        h, seen = right(cell, w, x, counts | backwards, backwards=backwards)
        return h * counts[:, :, np.newaxis], seen

    return wrong


def padding_that_answers(right: Any) -> Any:
    """Padded steps give the state that they leave as it is."""

    def wrong(cell: Any, w: Any, x: Any, counts: Any, *, backwards: bool) -> Any:
        h, seen = right(cell, w, x, counts, backwards=backwards)
        last = h[np.arange(len(x)), counts.sum(axis=1) - 1]
        return np.where(counts[:, :, np.newaxis], h, last[:, np.newaxis]), seen

    return wrong


def forwards_both_times(right: Any) -> Any:
    return lambda *arguments, backwards: right(*arguments, backwards=False)


def cell_with(module: Any, **by: Any) -> Plant:
    """The cell of a kind with another rule; each function is handed what the right rule gave, and its arguments."""

    def wrong(right: Any, change: Any) -> Any:
        return lambda *arguments: change(right(*arguments), *arguments)

    def plant(patch: pytest.MonkeyPatch) -> None:
        cell = module.CELL
        patch.setattr(
            module, "CELL", replace(cell, **{name: wrong(getattr(cell, name), how) for name, how in by.items()})
        )

    return plant


def no_way_back_through_time(slopes: Any, kept: Any, d_state: Any) -> Any:
    return slopes._replace(d_state=tuple(map(np.zeros_like, slopes.d_state)))


def candidate_outside_the_reset(right: Any) -> Any:
    """The bias b_hn is added after the reset gate, not before."""

    def wrong(layer: Any, w: Any, x: Any, walk: Any) -> Any:
        moved = dict(w)
        for name in w:
            if name.startswith("bias_hh"):
                r, z, n = np.split(w[name], 3)
                given = name.replace("hh", "ih")
                moved[name] = np.concatenate([r, z, 0 * n])
                moved[given] = w[given] + np.concatenate([0 * r, 0 * z, n])
        return right(layer, moved, x, walk)

    return wrong


def cell_forgotten(made: Any, given: Any, recalled: Any, state: Any) -> Any:
    """c = i g: nothing is kept of the cell."""
    (_, _), kept = made
    c = kept["i"] * kept["g"]
    h = kept["o"] * np.tanh(c)
    return (h, c), {**kept, "c": c, "h": h}


def cell_without_tanh(made: Any, given: Any, recalled: Any, state: Any) -> Any:
    """h = o c."""
    (_, c), kept = made
    return (kept["o"] * c, c), kept


def update_gate_turned_round(made: Any, given: Any, recalled: Any, state: Any) -> Any:
    """h = z n + (1 − z) h[t−1], as Cho et al. write it."""
    _, kept = made
    z = kept["z"]
    return (z * kept["n"] + (1 - z) * state[0],), kept


def reset_forgotten(made: Any, given: Any, recalled: Any, state: Any) -> Any:
    """The candidate sees the whole old state."""
    _, kept = made
    n = np.tanh(np.split(given + recalled, 3, axis=1)[2])
    h = (1 - kept["z"]) * n + kept["z"] * state[0]
    return (h,), {**kept, "n": n, "h": h}


def common(kind: type[Recurrent]) -> dict[str, Plant]:
    """Mistakes that each of the kinds can make."""
    return {
        "state carried between rows": unrolled(state_carried_between_rows),
        "a reversed direction that starts in the padding": unrolled(starting_in_the_padding),
        "a reversed direction that goes forwards": unrolled(forwards_both_times),
        "padding that answers": unrolled(padding_that_answers),
        "padding that counts": forward_rule(kind, length_forgotten),
        "the state forgotten": forward_rule(kind, only("weight_hh", 0)),
        "one bias for both": forward_rule(kind, only("bias_hh", 0)),
        "both directions swapped": forward_rule(
            kind, changed(outputs=lambda given, layer, *_: np.roll(given.outputs, layer.width, axis=2))
        ),
        "a bias without gradient": backward_rule(kind, without("bias_hh_l1_reverse")),
        "a weight of the lower layer without gradient": backward_rule(kind, without("weight_ih_l0")),
        "no way back to the input": backward_rule(
            kind, changed(d_inputs=lambda given, *_: np.zeros_like(given.d_inputs))
        ),
    }


def recurrent_case(kind: type[Recurrent], mistakes: dict[str, Plant], **fields: Any) -> Case:
    """Two layers in two directions, of which every step is read."""
    return Case(
        network=flattened(TANH, kind(inputs=4, width=3, layers=2, bidirectional=True, **fields)),
        random=recurrents(kind),
        mistakes={**common(kind), **mistakes},
    )


RNN_CASE = recurrent_case(
    RNN,
    {
        "relu for tanh": forward_rule(
            RNN, lambda right: lambda layer, *rest: right(replace(layer, function="relu"), *rest)
        ),
        "no derivative of tanh": lambda patch: patch.setattr(
            rnn, "one_step_back", lambda f, kept, d: recurrent.Slopes(d[0], d[0], (np.zeros_like(d[0]),))
        ),
    },
)

SEQUENCES: dict[type[Layer], Case] = {
    StepPool: POOL,
    RNN: replace(RNN_CASE, random=recurrents(RNN) | recurrents(RNN, function="relu")),
    LSTM: recurrent_case(
        LSTM,
        {
            "input and forget gate swapped": forward_rule(LSTM, gates_in_order(1, 0, 2, 3)),
            "candidate and output gate swapped": forward_rule(LSTM, gates_in_order(0, 1, 3, 2)),
            "the cell forgotten": cell_with(lstm, forward=cell_forgotten),
            "a cell shown without tanh": cell_with(lstm, forward=cell_without_tanh),
            "no way back through the cell": cell_with(lstm, backward=no_way_back_through_time),
        },
    ),
    GRU: recurrent_case(
        GRU,
        {
            "reset and update gate swapped": forward_rule(GRU, gates_in_order(1, 0, 2)),
            "the bias of the candidate outside the reset": forward_rule(GRU, candidate_outside_the_reset),
            "the update gate turned round": cell_with(gru, forward=update_gate_turned_round),
            "the reset gate forgotten": cell_with(gru, forward=reset_forgotten),
            "no way back through the old state": cell_with(gru, backward=no_way_back_through_time),
        },
    ),
}
