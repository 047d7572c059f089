"""The lesson on activations: the function after the sum, and its slope."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pellucid.engines.textbook.activations import RULES, softmax
from pellucid.engines.textbook.backprop import backward
from pellucid.engines.textbook.forward import forward
from pellucid.engines.textbook.losses import loss_and_gradient
from pellucid.lessons.question import Question, choose, number
from pellucid.lessons.writing import pick, vector
from pellucid.network import Activation, Network, mlp
from pellucid.network.task import Loss
from pellucid.studies.story import Story, shown
from pellucid.studies.wording import listed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["questions", "tell"]

NAMES = {"sigmoid": "sigmoid", "tanh": "tanh", "relu": "ReLU"}
POINTS = np.array([-4.0, -1.0, 0.0, 1.0, 4.0])
DEPTHS = (1, 2, 5, 10)
SCORES = np.array([2.0, 1.0, 0.1])


def tell(story: Story) -> None:
    """Tell which activations there are and why their slopes matter."""
    _tell_values(story)
    steepest = _tell_slopes(story)
    _tell_softmax(story)
    story.close(
        learned="The activation makes a layer nonlinear. A flat one passes little on through many layers: the slope "
        "of sigmoid "
        f"is at most {shown(steepest['sigmoid'])}, that of ReLU is {shown(steepest['relu'])} wherever z is above zero.",
        try_next="pellucid study activations",
    )


def _tell_values(story: Story) -> None:
    story.heading("Three activations")
    story.say(
        "After its sum z a neuron applies an activation a = f(z); without one, layers would collapse into a single "
        "layer. "
        f"Sigmoid, {RULES['sigmoid'].formula}, maps every number to between 0 and 1, so its result can be read as a "
        "probability. Tanh has the same shape, but ranges from −1 to 1 and is zero at zero. ReLU, "
        f"{RULES['relu'].formula}, sets everything below zero to zero and is the usual choice for hidden layers: "
        "cheap, "
        "and never flat above zero."
    )
    story.table(
        "Values",
        ("activation", *(f"z = {shown(z)}" for z in POINTS.tolist()), "range"),
        [(NAMES[name], *RULES[name].f(POINTS).tolist(), RULES[name].range) for name in NAMES],
    )


def _tell_slopes(story: Story) -> dict[str, float]:
    story.heading("How steep they are")
    story.say(
        "Learning changes a weight a little and asks how much the output moves. The slope of the activation is "
        "its part of this: if z grows by a tiny amount, a grows by slope times that amount. A neat fact saves work: "
        "for "
        f"sigmoid the slope is {RULES['sigmoid'].derivative_formula}, for tanh {RULES['tanh'].derivative_formula}, so "
        "it follows from the result itself. For ReLU it is one above zero and zero elsewhere. Far from zero, sigmoid "
        "and tanh are nearly flat; the neuron is then called saturated. A ReLU whose z is below zero for every row "
        "has slope zero for every row and no longer learns: it is called dead."
    )
    slopes = {name: RULES[name].derivative(POINTS, RULES[name].f(POINTS)) for name in NAMES}
    story.table(
        "The slopes at the same points",
        ("activation", *(f"z = {shown(z)}" for z in POINTS.tolist())),
        [(NAMES[name], *slopes[name].tolist()) for name in NAMES],
    )
    story.draw(
        "bends", _draw_bends, "The three activations and their slopes; far from zero the slopes of two are nearly 0."
    )
    steepest = {name: float(slopes[name].max()) for name in NAMES}
    deep = {name: steepest[name] ** DEPTHS[-1] for name in NAMES}
    fading = [NAMES[name] for name in NAMES if deep[name] < 0.01]
    story.say(
        "In a chain of layers, these slopes are multiplied. The next table takes the largest slope of each, and "
        "nothing "
        "else: the weights between the layers add factors of their own. If the product is near zero, almost no "
        "gradient reaches the first layers, which is called a vanishing gradient. "
        + (f"Here it happens to {listed(fading)}." if fading else "Here it happens to none of them.")
    )
    story.table(
        "The largest slope, multiplied through this many layers",
        ("activation", *(f"{depth}" for depth in DEPTHS)),
        [(NAMES[name], *(steepest[name] ** depth for depth in DEPTHS)) for name in NAMES],
    )
    story.draw(
        "chain", _draw_chain,
        "Three sigmoid neurons in a chain, all weights 1: the slope shrinks on its way back to the first.",
    )  # fmt: skip
    return steepest


def _draw_bends() -> Figure:
    from pellucid.plots.functions import Curve, function_panels

    z = np.linspace(-5, 5, 401)
    lines = {}
    for name, title in NAMES.items():
        a = RULES[name].f(z)
        slope = RULES[name].derivative(z, a)
        lines[title] = [Curve(name="f(z)", values=a), Curve(name="slope f′(z)", values=slope, dashed=True)]
    return function_panels(z, lines, columns=3)


def _draw_chain() -> Figure:
    """Three layers of one sigmoid neuron each, the squared error of the last output, and its slopes."""
    from pellucid.plots.graph import Link, Unit, network_graph

    network = mlp(1, [1, 1], 1, activation="sigmoid")
    network = Network(inputs=1, layers=(*network.layers, Activation(function="sigmoid")))
    parameters = {
        p.name: np.ones(p.shape) if p.name.endswith("weight") else np.zeros(p.shape) for p in network.parameters()
    }
    trace = forward(network, parameters, np.array([[1.0]]))
    loss = loss_and_gradient(Loss(name="mse"), trace.logits, np.array([[0.0]]))
    slopes = backward(parameters, trace, loss.d_logits).parameters
    values = [1.0, *(float(step.outputs[0, 0]) for step in trace.steps[1::2])]
    units = [
        Unit(name=name, column=i, value=value)
        for i, (name, value) in enumerate(zip(("x", "a₁", "a₂", "a₃"), values, strict=True))
    ]
    links = [Link(start=i, end=i + 1, weight=1.0, slope=float(slopes[f"{2 * i}.weight"][0, 0])) for i in range(3)]
    return network_graph(units, links, title="The loss is L = a₃²: slopes through three sigmoids")


def _tell_softmax(story: Story) -> None:
    story.heading("Softmax: all outputs at once")
    shares = softmax(SCORES)
    story.say(
        "For several classes the last layer returns one score for each, called a logit. Softmax turns them into "
        "probabilities: it takes e to the power of every logit and divides by the sum, so that they add up to one. "
        f"Only differences count: the logits {vector(SCORES)} and {vector(SCORES + 5)} give the same probabilities, "
        f"{vector(shares)} and {vector(softmax(SCORES + 5))}."
    )


# ── questions ──


def questions(generator: np.random.Generator) -> tuple[Question, ...]:
    """Five questions, with answers computed from the numbers that are drawn."""
    return (
        _ask_which(generator),
        _ask_slope(generator),
        _ask_depth(generator),
        _ask_softmax(generator),
        _ask_still(generator),
    )


def _ask_which(generator: np.random.Generator) -> Question:
    names = ("sigmoid", "tanh", "relu", "leaky_relu")
    name = pick(generator, names[:3])
    z = np.array([-float(generator.integers(2, 6)), 0.0, float(generator.integers(2, 6))])
    a = RULES[name].f(z)
    why = {
        "sigmoid": "All lie between 0 and 1, and zero gives one half.",
        "tanh": "All lie between −1 and 1, and zero gives zero.",
        "relu": "What was below zero is zero, the rest is unchanged.",
    }[name]
    others = ["sigmoid", "tanh", "ReLU", "no activation at all"]
    return choose(
        f"A layer of three neurons has the sums {vector(z)} and outputs {vector(a.round(4))}. Which activation is it?",
        NAMES[name],
        others,
        why,
        generator,
    )


def _ask_slope(generator: np.random.Generator) -> Question:
    name = pick(generator, ("sigmoid", "tanh"))
    a = float(pick(generator, (0.1, 0.2, 0.3, 0.6, 0.7, 0.8, 0.9)))
    z = np.log(a / (1 - a)) if name == "sigmoid" else np.arctanh(a)
    slope = float(RULES[name].derivative(np.array(z), RULES[name].f(np.array(z))))
    with_numbers = f"{shown(a)}·(1 − {shown(a)})" if name == "sigmoid" else f"1 − {shown(a)}²"
    return number(
        f"A neuron with {name} outputs {shown(a)}. What is the slope of the activation there?",
        slope,
        f"The slope is {RULES[name].derivative_formula} = {with_numbers} = {shown(slope)}.",
        digits=2,
    )


def _ask_depth(generator: np.random.Generator) -> Question:
    a = float(pick(generator, (0.2, 0.5, 0.8)))
    depth = int(generator.integers(2, 5))
    z = np.array(np.log(a / (1 - a)))
    slope = float(RULES["sigmoid"].derivative(z, RULES["sigmoid"].f(z)))
    return number(
        f"In each of {depth} consecutive layers, a sigmoid neuron outputs {shown(a)}. What is the product of the "
        f"{depth} slopes?",
        slope**depth,
        f"Each slope is {shown(a)}·(1 − {shown(a)}) = {shown(slope)}, and {shown(slope)} to the power of {depth} is "
        f"{shown(slope**depth)}.",
        digits=4,
    )


def _ask_softmax(generator: np.random.Generator) -> Question:
    scores = generator.choice([-1.0, 0.0, 1.0, 2.0, 3.0], 3, replace=False)
    place = int(generator.integers(3))
    shares, powers = softmax(scores), np.exp(scores)
    which = ("first", "second", "third")[place]
    return number(
        f"The logits are {vector(scores)}. What probability does softmax give to the {which} class?",
        float(shares[place]),
        f"e to these powers is {vector(powers)}, in total {shown(float(powers.sum()))}; "
        f"{shown(float(powers[place]))} / {shown(float(powers.sum()))} = {shown(float(shares[place]))}.",
        digits=2,
    )


def _ask_still(generator: np.random.Generator) -> Question:
    """Which neuron passes on least? Four neurons, one with by far the smallest slope."""
    at = {
        "relu": float(generator.integers(1, 9)) / 2,
        "sigmoid": float(generator.choice([-1.0, 0.0, 1.0])),
        "tanh": float(generator.choice([-0.5, 0.0, 0.5])),
    }
    flat = pick(generator, ("relu", "sigmoid", "tanh"))
    far = float(generator.integers(6, 10))
    neurons = list(at.items())
    neurons.append((flat, -far if flat == "relu" else far * float(generator.choice([-1.0, 1.0]))))
    slopes = {f"{NAMES[name]} at z = {shown(z)}": _slope(name, z) for name, z in neurons}
    least = min(slopes, key=lambda each: slopes[each])
    return choose(
        "A tiny change of z moves the output of which of these neurons least?",
        least,
        list(slopes),
        "The slopes: " + "; ".join(f"{each}: {shown(slope)}" for each, slope in slopes.items()) + ".",
        generator,
    )


def _slope(name: str, z: float) -> float:
    at = np.array(z)
    return float(RULES[name].derivative(at, RULES[name].f(at)))
