"""The lesson on the multi-layer perceptron: layers of neurons, and why they need an activation between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.forward import forward
from pellucid.lessons.practice import train_full_batch
from pellucid.lessons.question import Question, choose, number
from pellucid.lessons.writing import in_brackets, pick, sum_of_products, vector
from pellucid.network import Network, describe, mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.studies.story import Story, shown
from pellucid.studies.wording import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["questions", "tell"]

Array = NDArray[Any]

ROWS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR = np.array([0.0, 1.0, 1.0, 0.0])
BENT, STRAIGHT = mlp(2, [2], 1), mlp(2, [2], 1, activation="identity")

# Two hidden neurons that add up the inputs; the second has a threshold of 1, and the output subtracts it twice.
BY_HAND = {
    "0.weight": np.array([[1.0, 1.0], [1.0, 1.0]]),
    "0.bias": np.array([0.0, -1.0]),
    "2.weight": np.array([[1.0, -2.0]]),
    "2.bias": np.array([0.0]),
}
STARTS, STEPS = 10, 300


def tell(story: Story) -> None:
    """Tell what a layer is and what an activation is good for."""
    solved = _tell_layers(story)
    collapsed = _tell_straight(story)
    _tell_sizes(story)
    bend = "with an activation between them two layers compute XOR" if solved else "these two layers do not compute XOR"
    line = "without it they are a single layer" if collapsed else "without it they differ from a single layer"
    story.close(
        learned=f"Layers put neurons side by side and one after the other; {bend}, {line}.",
        try_next="pellucid study xor",
    )


def _tell_layers(story: Story) -> bool:
    story.heading("Neurons side by side")
    story.say(
        "One neuron draws one straight line, and XOR needs more. So let several neurons see the same inputs: together "
        "they are a layer. Their outputs become the inputs of the next layer. Layers between the inputs and the last "
        "layer are called hidden, since their numbers are not seen from outside. Such a network is a multi-layer "
        "perceptron, "
        "MLP for short, written as its widths: 2 → 2 → 1 has two inputs, two hidden neurons and one output."
    )
    story.say(
        "Its hidden neurons do not jump from 0 to 1 as the perceptron does: a sum below zero becomes zero, and any "
        "other stays as it is. This function is called ReLU, and such a function after the sum is called an "
        "activation. The next lesson shows others."
    )
    trace = forward(BENT, BY_HAND, ROWS)
    hidden, output = trace.steps[1].outputs, trace.logits[:, 0]
    solved = bool((output == XOR).all())
    w, b, v = BY_HAND["0.weight"], BY_HAND["0.bias"], BY_HAND["2.weight"][0]
    story.table(
        f"h₁ = relu(x₁ + x₂), h₂ = relu(x₁ + x₂ − {shown(-float(b[1]))}), output = h₁ − {shown(-float(v[1]))} h₂",
        ("x₁", "x₂", "sums before ReLU", "h₁", "h₂", "output", "XOR"),
        [
            (float(x[0]), float(x[1]), vector(w @ x + b), float(h[0]), float(h[1]), float(y), float(t))
            for x, h, y, t in zip(ROWS, hidden, output, XOR, strict=True)
        ],
    )
    story.draw(
        "network", lambda: _draw_network(ROWS[-1]),
        f"The network with the inputs {vector(ROWS[-1])}: values in the circles, weights on the lines; the bias of h₂ "
        f"is {shown(float(b[1]))}, the others are 0.",
    )  # fmt: skip
    story.say(
        f"The output {'is XOR in all rows' if solved else 'is not XOR in every row'}: where both inputs are 1, the "
        "second hidden neuron becomes active and subtracts what the first one adds."
    )
    story.draw(
        "hidden", _draw_hidden,
        "The hidden neurons move the rows: two rows coincide, and one line then has the ones on one side.",
    )  # fmt: skip
    return solved


def _draw_network(x: Array) -> Figure:
    from pellucid.plots.graph import Link, Unit, network_graph

    trace = forward(BENT, BY_HAND, x[None])
    values = [*x, *trace.steps[1].outputs[0], float(trace.logits[0, 0])]
    names = ("x₁", "x₂", "h₁", "h₂", "output")
    units = [Unit(name=n, column=i // 2, value=float(v)) for i, (n, v) in enumerate(zip(names, values, strict=True))]
    w, v = BY_HAND["0.weight"], BY_HAND["2.weight"]
    links = [Link(start=i, end=2 + j, weight=float(w[j, i])) for j in range(2) for i in range(2)]
    links += [Link(start=2 + j, end=4, weight=float(v[0, j])) for j in range(2)]
    return network_graph(units, links, title="Two inputs, two hidden neurons, one output")


def _draw_hidden() -> Figure:
    """What the output neuron sees: the same rows by their hidden numbers, and the line where the output is one half."""
    from pellucid.plots.lines import Boundary, Plane, boundary_lines

    hidden, v = forward(BENT, BY_HAND, ROWS).steps[1].outputs, BY_HAND["2.weight"][0]
    line = Boundary(name="output is ½", weights=v, bias=float(BY_HAND["2.bias"][0]) - 0.5)
    return boundary_lines(
        {
            "The inputs: no line separates them": Plane(inputs=ROWS, targets=XOR, lines=[], judged=False),
            "The hidden numbers: one line does": Plane(
                inputs=hidden, targets=XOR, lines=[line], judged=True, labels=("h₁", "h₂")
            ),
        }
    )


def _tell_straight(story: Story) -> bool:
    story.heading("Without the activation, two layers are one")
    story.say(
        "Without the activation, the second layer multiplies and adds what the first has multiplied and added. That is "
        "a single layer again, whose weights are the products of the two: more layers gain nothing. The table shows "
        "the same weights without the activation, the single neuron that equals them, and the best that any single "
        "neuron without an activation can do on XOR, measured by squared errors."
    )
    straight = forward(STRAIGHT, BY_HAND, ROWS).logits[:, 0]
    w, b = _one_layer(BY_HAND)
    single = ROWS @ w + b
    best = _best_line(XOR)
    story.table(
        f"No activation: the two layers reduce to w = {vector(w)}, b = {shown(b)}",
        ("x₁", "x₂", "two layers", "the single neuron", "best single neuron", "XOR"),
        [tuple(map(float, row)) for row in zip(*ROWS.T, straight, single, best, XOR, strict=True)],
    )
    return bool(np.allclose(straight, single))


def _tell_sizes(story: Story) -> None:
    story.heading("How many numbers there are to learn")
    network = mlp(4, [10], 3)
    sizes = {p.name: p.size for p in network.parameters()}
    rows = [
        (describe(network.layers[i]), f"{before} · {after}", sizes[f"{i}.weight"], sizes[f"{i}.bias"])
        for i, before, after in ((0, 4, 10), (2, 10, 3))
    ]
    story.say(
        "Every neuron has one weight for each input and one bias, so a layer has inputs times neurons weights. Weights "
        "and biases are the network's parameters, the numbers that learning changes."
    )
    story.table(
        f"4 → 10 → 3 has {network.n_trainable} parameters",
        ("layer", "weights are", "weights", "biases"),
        rows,
    )
    solved = sum(_learns_xor(start) for start in range(STARTS))
    story.say(
        "The network above was built by hand. The lessons from losses on explain how the weights of several layers are "
        f"learned. It works: of {counted(STARTS, 'network')} 2 → 4 → 1 with random initial weights, {solved} learned "
        f"XOR within {STEPS} steps."
        + (" The others had an unlucky start: the initial weights matter." if solved < STARTS else "")
    )


def _learns_xor(start: int) -> bool:
    network = mlp(2, [4], 1)
    engine, _ = train_full_batch(
        network, Loss(name="bce"), Optimizer(name="adam"), initialise(network, start), ROWS, XOR[:, None],
        learning_rate=0.1, steps=STEPS,
    )  # fmt: skip
    return bool(((engine.logits(ROWS)[:, 0] > 0) == (XOR > 0.5)).all())


def _one_layer(parameters: Mapping[str, Array]) -> tuple[Array, float]:
    """The weights and bias of the one neuron that equals two layers without an activation: V W and V b + c."""
    v = parameters["2.weight"][0]
    return v @ parameters["0.weight"], float(v @ parameters["0.bias"] + parameters["2.bias"][0])


def _best_line(wanted: Array) -> Array:
    """The predictions of the best w₁x₁ + w₂x₂ + b by squared errors for the four rows."""
    rows = np.column_stack([ROWS, np.ones(len(ROWS))])
    best: Array = rows @ np.linalg.lstsq(rows, wanted, rcond=None)[0]
    return best.round(12)


# ── questions ──


def questions(generator: np.random.Generator) -> tuple[Question, ...]:
    """Five questions, with answers computed from the numbers that are drawn."""
    return (
        _ask_output(generator),
        _ask_parameters(generator),
        _ask_collapse(generator),
        _ask_largest(generator),
        _ask_straight(generator),
    )


def _ask_output(generator: np.random.Generator) -> Question:
    w = generator.choice([-2.0, -1.0, 1.0, 2.0, 3.0], (2, 2))
    x = generator.integers(1, 5, 2).astype(float)
    z = w @ x
    b = np.array([1.0 - min(z[0], 0.0), -1.0 - max(z[1], 0.0)])  # the first stays, the second becomes zero
    order = generator.permutation(2)
    w, b = w[order], b[order]
    v, c = generator.choice([-3.0, -2.0, 2.0, 3.0, 4.0], 2), float(generator.integers(-3, 4))
    parameters = {"0.weight": w, "0.bias": b, "2.weight": v[None], "2.bias": np.array([c])}
    trace = forward(BENT, parameters, x[None])
    sums, hidden, output = trace.steps[0].outputs[0], trace.steps[1].outputs[0], float(trace.logits[0, 0])
    return number(
        f"Two hidden neurons with ReLU have the weights {vector(w[0])} and {vector(w[1])} and the biases {vector(b)}; "
        f"the output neuron has the weights {vector(v)}, the bias {shown(c)} and no activation. What is the output for "
        f"{vector(x)}?",
        output,
        f"The sums are {sum_of_products(w[0], x, b[0])} = {shown(float(sums[0]))} and "
        f"{sum_of_products(w[1], x, b[1])} = {shown(float(sums[1]))}; ReLU makes them {vector(hidden)}; the output is "
        f"{sum_of_products(v, hidden, c)} = {shown(output)}.",
    )


def _ask_parameters(generator: np.random.Generator) -> Question:
    widths = (
        int(generator.integers(2, 7)),
        int(generator.choice([5, 8, 10, 20])),
        int(generator.choice([3, 4, 6])),
        int(generator.integers(1, 4)),
    )
    return number(
        f"How many parameters, weights and biases together, has the network {_arrows(widths)}?",
        _network(widths).n_trainable,
        f"Layer by layer, weights and biases: {_sizes(widths)} = {_network(widths).n_trainable}.",
    )


def _ask_collapse(generator: np.random.Generator) -> Question:
    w, v = (float(x) for x in generator.choice([-3.0, -2.0, 2.0, 3.0, 4.0, 5.0], 2, replace=False))
    b, c = (float(x) for x in generator.integers(1, 6, 2))
    chain = mlp(1, [1], 1, activation="identity")
    parameters = {"0.weight": [[w]], "0.bias": [b], "2.weight": [[v]], "2.bias": [c]}
    arrays = {name: np.array(value) for name, value in parameters.items()}
    at_zero, at_one = forward(chain, arrays, np.array([[0.0], [1.0]])).logits[:, 0]
    what = pick(generator, ("weight", "bias"))
    return number(
        f"A neuron computes h = {shown(w)}·x + {shown(b)}, without an activation, and a second one y = {shown(v)}·h + "
        f"{shown(c)}. A single neuron computes the same y. What is its {what}?",
        float(at_one - at_zero if what == "weight" else at_zero),
        f"y = {shown(v)}·({shown(w)}·x + {shown(b)}) + {shown(c)} = {shown(float(at_one - at_zero))}·x + "
        f"{in_brackets(float(at_zero))}.",
    )


def _ask_largest(generator: np.random.Generator) -> Question:
    inputs = int(generator.integers(6, 13))
    one, two = int(generator.integers(12, 25)), int(generator.integers(5, 13))
    if _network((inputs, one, 1)).n_trainable == _network((inputs, two, two, 1)).n_trainable:
        one += 1  # exactly one is the largest
    shapes = [(inputs, one, 1), (inputs, two, two, 1), (inputs, 4, 4, 4, 1), (inputs, 1)]
    sizes = {_arrows(widths): _network(widths).n_trainable for widths in shapes}
    largest = max(sizes, key=lambda name: sizes[name])
    return choose(
        "Which of these networks has the most parameters?",
        largest,
        list(sizes),
        "; ".join(f"{name} has {size}" for name, size in sizes.items()) + ".",
        generator,
    )


def _ask_straight(generator: np.random.Generator) -> Question:
    """Which network can compute XOR? Those without an activation are tried at their best, the other as built above."""
    wide = int(generator.choice([8, 50, 100]))
    straight = [
        "2 → 1 without an activation",
        f"2 → {wide} → 1 without an activation",
        f"2 → {wide} → {wide} → 1 without an activation",
    ]
    best_straight = _best_line(XOR)
    can_straight = bool((np.abs(best_straight - XOR) < 0.5).all())
    can_bent = bool((np.abs(forward(BENT, BY_HAND, ROWS).logits[:, 0] - XOR) < 0.5).all())
    assert can_bent, "the network by hand no longer computes XOR"
    assert not can_straight, "a straight line computes XOR"
    return choose(
        "Which of these networks can compute XOR?",
        "2 → 2 → 1 with ReLU",
        straight,
        f"Without an activation, any number of layers is one layer, and the best that it can output is "
        f"{vector(best_straight)} where {vector(XOR)} is wanted. The one with ReLU is in the table of this lesson.",
        generator,
    )


def _network(widths: Sequence[int]) -> Network:
    return mlp(widths[0], widths[1:-1], widths[-1])


def _arrows(widths: Sequence[int]) -> str:
    return " → ".join(map(str, widths))


def _sizes(widths: Sequence[int]) -> str:
    return " + ".join(f"({before}·{after} + {after})" for before, after in pairwise(widths))
