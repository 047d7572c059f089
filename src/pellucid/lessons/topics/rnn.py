"""The lesson on recurrent networks: the same few weights at every step, and a state that is handed on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.activations import sigmoid
from pellucid.engines.textbook.backprop import backward
from pellucid.engines.textbook.forward import forward
from pellucid.engines.textbook.layers.lstm import one_step
from pellucid.lessons.question import Question, choose, number
from pellucid.lessons.writing import in_brackets, pick, sum_of_products, vector
from pellucid.network import GRU, LSTM, RNN, Network, StepPool
from pellucid.studies.story import Cell, Story, shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["questions", "tell"]

Array = NDArray[Any]

INPUTS = (1.0, -1.0, 0.5)
W, U, B = 1.0, 0.5, 0.0  # of the input, of the state before, and the bias
LENGTH, LOUD = 40, 0.1  # steps, and the size of their random inputs
FACTORS = (0.5, 0.9, 1.3)
KEEPING = 4.0  # the bias of the gates that are to be open
OPEN = f"LSTM, f = {sigmoid(np.array(KEEPING)):.2f}"
GATES = {
    "i": "input gate i = σ(z)",
    "f": "forget gate f = σ(z)",
    "g": "candidate g = tanh(z)",
    "o": "output gate o = σ(z)",
}


def tell(story: Story) -> None:
    """Tell how a row is read step by step, what becomes of a gradient on the way back, and what gates are for."""
    _tell_unrolled(story)
    shares = _tell_back(story)
    _tell_gates(story)
    story.close(
        learned="A recurrent network uses the same weights at every step and hands on a state. Each step back "
        f"multiplies the gradient by about the same factor: with {FACTORS[0]:g}, {shown(shares[FACTORS[0]])} of it is "
        f"left after {LENGTH - 1} steps. The cell of an LSTM is kept by a gate, so that it can remember longer.",
        try_next="pellucid study memory",
    )


def _tell_unrolled(story: Story) -> None:
    story.heading("One unit, three steps")
    story.say(
        "Texts and series have many steps or few, and the same thing may stand at any of them. A recurrent network "
        "reads one step after the other with the same weights, and keeps what it has read in a state h. A unit "
        "computes h = tanh(w·x + u·h′ + b) from the input x of a step and the state h′ before it; at the beginning "
        f"h′ is 0. Here w = {shown(W)}, u = {shown(U)} and b = {shown(B)}."
    )
    states = _states(INPUTS, W, U, B)
    before = (0.0, *states[:-1])
    slopes = _slopes(INPUTS, W, U, B)
    story.table(
        "The unit reads three numbers",
        ("step", "x", "w·x + u·h′", "h", "∂h₃/∂x"),
        [
            (t + 1, x, sum_of_products((W, U), (x, round(before[t], 4))), float(states[t]), float(slopes[t]))
            for t, x in enumerate(INPUTS)
        ],
    )
    story.say(
        "Unrolled like this, it is a deep network in which all layers share their weights, and the chain rule goes "
        "back through all steps: backpropagation through time. With tanh′ = 1 − h², the last column begins with "
        f"(1 − {shown(float(states[2]))}²)·{shown(U)}·(1 − {in_brackets(float(states[1]))}²)·{shown(U)}"
        f"·(1 − {shown(float(states[0]))}²)·{shown(W)} = {shown(float(slopes[0]))}. Every step back brings one more "
        "factor u·tanh′."
    )


def _tell_back(story: Story) -> dict[float, float]:
    """Tell how gradients vanish and explode; return how much of one is left at the first step, by factor."""
    story.heading("Gradients that vanish or explode")
    x = LOUD * np.random.default_rng(0).standard_normal(LENGTH)
    found = {factor: _slopes(x, W, factor, B) for factor in FACTORS}
    kept = _slopes_of_lstm(x)
    rows: list[tuple[Cell, ...]] = [
        (name, *(float(abs(slope[-1 - back])) for back in (0, 10, LENGTH - 1)))
        for name, slope in [
            *((f"RNN, u = {u:g}", each) for u, each in found.items()),
            (OPEN, kept),
        ]
    ]
    story.table(
        f"How much the last state depends on an input: |∂h/∂x|, {LENGTH} steps of small random numbers",
        ("", "same step", "10 steps back", f"{LENGTH - 1} steps back"),
        rows,
    )
    story.draw(
        "slopes", lambda: _draw_slopes({**{f"RNN, u = {u:g}": each for u, each in found.items()}, OPEN: kept}),
        "How much the last state depends on the input of each step, on a logarithmic scale: straight lines down to "
        "the left are gradients that vanish.",
    )  # fmt: skip
    story.say(
        "Where the factor is below 1, the gradient vanishes: the network cannot learn that an early step matters. With "
        f"a larger u such as {FACTORS[-1]:g}, this unit settles where tanh is flat, and its gradient vanishes as well. "
        "In wide networks the factors can also stay above 1: gradients explode, so their norm is clipped in practice."
    )
    return {u: float(abs(each[0] / each[-1])) for u, each in found.items()}


def _tell_gates(story: Story) -> None:
    story.heading("Gates")
    z, before = np.array([[2.0, 3.0, 1.0, 0.0]]), 0.5
    _, kept = one_step(z, np.zeros((1, 4)), (np.zeros((1, 1)), np.array([[before]])))
    rows: list[tuple[Cell, ...]] = [
        (name, float(z[0, place]), float(kept[gate][0, 0])) for place, (gate, name) in enumerate(GATES.items())
    ]
    i, f, g, c = (float(kept[name][0, 0]) for name in "ifgc")
    rows += [
        (f"cell c = f·c′ + i·g, with c′ = {shown(before)}", None, c),
        ("state h = o·tanh(c)", None, float(kept["h"][0, 0])),
    ]
    story.table("One step of an LSTM", ("", "z", "value"), rows)
    story.say(
        "An LSTM has a cell c beside its state. Gates between 0 and 1, each with weights of its own, say what is kept, "
        f"written and shown: {shown(f)}·{shown(before)} + {shown(i)}·{shown(g)} = {shown(c)}. Back through the cell "
        "the factor is the forget gate alone, which can stay near 1. A gate "
        "drawn at random is about 0.5 and forgets as fast as before: it must learn to stay open. A GRU does nearly the "
        "same with two gates and no cell. Where the whole row is known, a second layer can read it from the end. Try "
        "simple models first: few words or lags often say it all."
    )


def _draw_slopes(lines: dict[str, Array]) -> Figure:
    from pellucid.plots.sequences import slopes_over_steps

    return slopes_over_steps(
        [(name, np.abs(each)) for name, each in lines.items()],
        title="How far back the last state depends on inputs",
        label="|∂h/∂x|",
    )


def _read(x: Any, w: float, u: float, b: float) -> tuple[Network, dict[str, Array], Array]:
    row = np.asarray(x, float).reshape(1, -1, 1)
    network = Network(shape=row.shape[1:], layers=(RNN(inputs=1, width=1), StepPool(how="last")))
    parameters = {
        "0.weight_ih_l0": np.array([[w]]),
        "0.weight_hh_l0": np.array([[u]]),
        "0.bias_ih_l0": np.array([b]),
        "0.bias_hh_l0": np.zeros(1),
    }
    return network, parameters, row


def _states(x: Any, w: float, u: float, b: float) -> Array:
    """The state of one unit after each step of ``x`` ``[T]``.

    Parameters
    ----------
    x
        The inputs.
    w, u, b
        Of the input, of the state before, and the bias.
    """
    network, parameters, row = _read(x, w, u, b)
    states: Array = forward(network, parameters, row).steps[0].outputs[0, :, 0]
    return states


def _slopes(x: Any, w: float, u: float, b: float) -> Array:
    """∂h/∂x of the last state and the input of each step, ``[T]``.

    Parameters
    ----------
    x, w, u, b
        As of `_states`.
    """
    network, parameters, row = _read(x, w, u, b)
    slopes: Array = backward(parameters, forward(network, parameters, row), np.ones((1, 1))).d_inputs[0][0, :, 0]
    return slopes


def _slopes_of_lstm(x: Array) -> Array:
    """The same for an LSTM of one unit whose forget gate is nearly open."""
    row = x.reshape(1, -1, 1)
    network = Network(shape=row.shape[1:], layers=(LSTM(inputs=1, width=1), StepPool(how="last")))
    parameters = {
        "0.weight_ih_l0": np.array([[0.0], [0.0], [1.0], [0.0]]),
        "0.weight_hh_l0": np.zeros((4, 1)),
        "0.bias_ih_l0": np.array([KEEPING, KEEPING, 0.0, KEEPING]),
        "0.bias_hh_l0": np.zeros(4),
    }
    slopes: Array = backward(parameters, forward(network, parameters, row), np.ones((1, 1))).d_inputs[0][0, :, 0]
    return slopes


# ── questions ──


def questions(generator: np.random.Generator) -> tuple[Question, ...]:
    """Five questions, with answers computed from the numbers that are drawn."""
    return (
        _ask_state(generator),
        _ask_slope(generator),
        _ask_cell(generator),
        _ask_parameters(generator),
        _ask_kept(generator),
    )


def _drawn(generator: np.random.Generator) -> tuple[Array, float, float, float]:
    x = generator.integers(-2, 3, 2).astype(float)
    return (
        x,
        float(pick(generator, (0.5, 1.0, 1.5))),
        float(pick(generator, (-0.5, 0.5, 0.8))),
        float(pick(generator, (0.0, 0.1, -0.2))),
    )


def _ask_state(generator: np.random.Generator) -> Question:
    x, w, u, b = _drawn(generator)
    first, second = _states(x, w, u, b)
    return number(
        f"A unit computes h = tanh(w·x + u·h′ + b) with w = {shown(w)}, u = {shown(u)} and b = {shown(b)}, and begins "
        f"with h′ = 0. It reads the inputs {vector(x)}. What is its state at the end?",
        float(second),
        f"tanh({sum_of_products([w], [x[0]], b)}) = {shown(float(first))}, then "
        f"tanh({sum_of_products([w, u], [x[1], round(float(first), 4)], b)}) = {shown(float(second))}.",
        digits=2,
    )


def _ask_slope(generator: np.random.Generator) -> Question:
    x, w, u, b = _drawn(generator)
    first, second = _states(x, w, u, b)
    slope = float(_slopes(x, w, u, b)[0])
    return number(
        f"The same kind of unit has w = {shown(w)}, u = {shown(u)} and b = {shown(b)}, and reads {vector(x)}. Its "
        f"states are {shown(float(first))} and {shown(float(second))}. What is the derivative of the last state by the "
        "first input?",
        slope,
        f"(1 − {in_brackets(float(second))}²)·u·(1 − {in_brackets(float(first))}²)·w = {shown(slope)}.",
        digits=3,
    )


def _ask_cell(generator: np.random.Generator) -> Question:
    i, f = (float(pick(generator, (0.1, 0.2, 0.5, 0.8, 0.9))) for _ in range(2))
    g, before = float(pick(generator, (-0.5, 0.4, 0.8))), float(generator.integers(-3, 4))
    z = np.array([[math.log(i / (1 - i)), math.log(f / (1 - f)), math.atanh(g), 0.0]])
    (_, cell), _ = one_step(z, np.zeros((1, 4)), (np.zeros((1, 1)), np.array([[before]])))
    return number(
        f"At one step of an LSTM the cell was {shown(before)}. Input gate {shown(i)}, forget gate {shown(f)}, "
        f"candidate {shown(g)}. What is the cell after the step?",
        float(cell[0, 0]),
        f"{sum_of_products([f, i], [before, g])} = {shown(float(cell[0, 0]))}.",
        digits=2,
    )


def _ask_parameters(generator: np.random.Generator) -> Question:
    kind = pick(generator, (RNN, GRU, LSTM))
    inputs, width, steps = (int(pick(generator, each)) for each in ((1, 3, 16, 32), (8, 16, 64), (20, 96, 200)))
    blocks = {RNN: 1, GRU: 3, LSTM: 4}[kind]
    total = Network(shape=(steps, inputs), layers=(kind(inputs=inputs, width=width),)).n_trainable
    each = width * (inputs + width + 2)
    return number(
        f"A layer {kind.__name__} has {width} units and reads {steps} steps of {inputs} number{'s' * (inputs != 1)}. "
        "How many parameters does it have, with PyTorch's two biases for each unit and gate?",
        total,
        f"Each unit has {inputs} + {width} weights and 2 biases, "
        f"{'once' if blocks == 1 else f'for each of {blocks} parts'}: "
        f"{blocks}·{width}·({inputs} + {width} + 2) = {blocks * each:,}. The number of steps does not matter.",
        digits=0,
    )


def _ask_kept(generator: np.random.Generator) -> Question:
    steps = int(generator.integers(2, 61))
    gates = (0.8, 0.9, 0.95, 0.99)
    least = next(gate for gate in gates if gate**steps >= 0.5)
    return choose(
        f"The forget gate of an LSTM has the same value at each of {steps} steps. Which is the smallest of these "
        "values with which at least half of a gradient comes back through the cell?",
        f"{least:g}",
        [f"{gate:g}" for gate in gates if gate != least],
        "At each step back it is multiplied by the gate: "
        + ", ".join(f"{gate:g}^{steps} = {shown(gate**steps)}" for gate in gates)
        + ".",
        generator,
    )
