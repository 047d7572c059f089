"""One neuron, two vectors and one small network, computed by hand: every number with its shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.activations import RULES, relu, sigmoid, softmax
from pellucid.engines.textbook.forward import Trace, forward
from pellucid.errors import SettingError
from pellucid.network import Activation, Role, mlp
from pellucid.numerals import numeral
from pellucid.studies.drawn_network import draw_network
from pellucid.studies.story import Story

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Neuron", "study"]

Array = NDArray[Any]

INPUTS, WEIGHTS, BIAS = np.array([2.0, -1.0]), np.array([0.5, 1.0]), 0.25
VECTOR, SCORES = np.array([-2.0, 0.0, 0.5, 2.0]), np.array([2.0, 1.0, 0.1])

# A 3 → 4 → 2 network whose weights can be multiplied in one's head.
NETWORK = mlp(3, [4], 2)
PARAMETERS = {
    "0.weight": np.array([[0.5, -1.0, 0.0], [1.0, 1.0, 1.0], [-0.5, 0.0, 2.0], [0.0, 0.5, -1.0]]),
    "0.bias": np.array([0.0, -1.0, 0.5, 0.25]),
    "2.weight": np.array([[1.0, 0.5, -1.0, 2.0], [-1.0, 1.0, 0.5, 0.0]]),
    "2.bias": np.array([0.1, -0.1]),
}
ROW = np.array([[1.0, 2.0, -0.5]])  # [B=1, I=3]


@dataclass(frozen=True, kw_only=True, eq=False)
class Neuron:
    """The figures of the study.

    Attributes
    ----------
    z, output
        The neuron's weighted sum, and its activation.
    relu, sigmoid, softmax
        Of the vectors.
    hidden, logits, probabilities
        Of the network: ``[1, 4]``, ``[1, 2]`` and ``[1, 2]``.
    """

    z: float
    output: float
    relu: Array
    sigmoid: Array
    softmax: Array
    hidden: Array
    logits: Array
    probabilities: Array


def study(
    story: Story,
    *,
    activation: Annotated[str, "of the neuron and of the hidden layer"] = "relu",
) -> Neuron:
    """Show how a neuron, a vector of activations and a forward pass are computed.

    Raises
    ------
    SettingError
        The activation is unknown or ``identity``.
    """
    Activation(function=activation)  # raises for an unknown name
    if activation == "identity":
        raise SettingError("with activation 'identity' there is nothing to see: the neuron returns its sum; try relu")
    rule = RULES[activation]

    story.heading("One neuron")
    z = float(WEIGHTS @ INPUTS + BIAS)
    output = float(rule.f(np.array(z)))
    story.say("A neuron multiplies each input by a weight, adds the products and a bias, and applies an activation "
              "function to the sum: z = w₁x₁ + w₂x₂ + b, output = activation(z).")  # fmt: skip
    story.table(
        "x = [2, −1], w = [0.5, 1], b = 0.25",
        ("step", "with numbers", "value", "shape"),
        [
            ("w₁x₁", "0.5 · 2", float(WEIGHTS[0] * INPUTS[0]), "[]"),
            ("w₂x₂", "1 · (−1)", float(WEIGHTS[1] * INPUTS[1]), "[]"),
            ("z", "w · x + b = 1 − 1 + 0.25", z, "[]"),
            (f"{activation}(z)", rule.formula, output, "[]"),
        ],
    )

    _draw_neuron(story, activation, z, output)

    story.heading("Whole vectors at once")
    story.say("An activation works on each number separately; softmax uses all of them, so that its results sum to 1.")
    story.table(
        "Of [−2, 0, 0.5, 2]",
        ("function", *(_text(v) for v in VECTOR), "shape"),
        [("relu", *relu(VECTOR).tolist(), "[4]"), ("sigmoid", *sigmoid(VECTOR).tolist(), "[4]")],
    )
    shares = softmax(SCORES)
    story.table(
        "Of [2, 1, 0.1]",
        ("function", *(_text(v) for v in SCORES), "sum", "shape"),
        [("softmax", *shares.tolist(), float(shares.sum()), "[3]")],
    )

    story.heading("A network: 3 → 4 → 2")
    network = mlp(3, [4], 2, activation=activation)
    trace = forward(network, PARAMETERS, ROW)
    story.say(
        "A layer is several neurons with the same inputs, so its weights form a matrix: one row per neuron. "
        f"The first layer computes four sums, {activation} is applied to each, and the second layer gives two logits."
    )
    _tell_pass(story, trace)
    values = [f"x{low} = {_text(x)}" for low, x in zip("₁₂₃", ROW[0], strict=True)]
    logits = [f"logit {_text(value)}" for value in trace.logits[0]]
    draw_network(story, network, PARAMETERS, inputs=values, outputs=logits, when="of this pass")
    probabilities = softmax(trace.logits)
    story.say("The logits are scores of any size and sign; softmax turns them into probabilities "
              f"{_vector(probabilities[0])}, shape [1, 2].")  # fmt: skip

    story.close(
        learned="A network computes sums of products and applies an activation after each hidden layer; the shapes "
        "show which numbers are combined.",
        try_next="pellucid study chain-rule",
    )
    return Neuron(
        z=z,
        output=output,
        relu=relu(VECTOR),
        sigmoid=sigmoid(VECTOR),
        softmax=shares,
        hidden=trace.steps[1].outputs,
        logits=trace.logits,
        probabilities=probabilities,
    )


def _draw_neuron(story: Story, activation: str, z: float, output: float) -> None:
    def draw() -> Figure:
        from pellucid.plots.graph import Link, Unit, network_graph

        units = [
            *(Unit(name=f"x{low}", column=0, value=float(x)) for low, x in zip("₁₂", INPUTS, strict=True)),
            Unit(name="for the bias", column=0, value=1.0),
            Unit(name="z, the sum", column=1, value=z),
            Unit(name=f"{activation}(z)", column=2, value=output),
        ]
        links = [Link(start=i, end=3, weight=float(w)) for i, w in enumerate((*WEIGHTS, BIAS))]
        return network_graph(units, [*links, Link(start=3, end=4, weight=None)], title="One neuron")

    story.draw(
        "neuron",
        draw,
        "Each input follows a line and is multiplied by its weight; the activation is applied to the sum. The bias is "
        "the weight of an input that is always 1.",
    )


def _tell_pass(story: Story, trace: Trace) -> None:
    rows = [("input x", "", _vector(ROW[0]), "[1, 3]")]
    for step in trace.steps:
        shape = f"[{', '.join(map(str, step.outputs.shape))}]"
        if step.layer.role is Role.WEIGHTED:
            name = "z" if step.name == "0" else "logits"
            weight = PARAMETERS[f"{step.name}.weight"]
            rows.append((f"{name} = x Wᵀ + b", f"W [{weight.shape[0]}, {weight.shape[1]}], b [{weight.shape[0]}]",
                         _vector(step.outputs[0]), shape))  # fmt: skip
        else:
            rows.append((f"a = {step.layer.words()}(z)", "element by element", _vector(step.outputs[0]), shape))
    story.table("The forward pass of one row", ("step", "computed from", "values", "shape"), rows)
    neuron = PARAMETERS["0.weight"][1]
    terms = " + ".join(f"{_text(w)}·{_sign(x)}" for w, x in zip(neuron, ROW[0], strict=True))
    story.say(f"The second hidden neuron, for example: {terms} + {_sign(PARAMETERS['0.bias'][1])} = "
              f"{_text(trace.steps[0].outputs[0, 1])}.")  # fmt: skip


def _text(value: float) -> str:
    return numeral(value)


def _sign(value: float) -> str:
    """A number after an operator: in brackets if it is negative."""
    return f"({_text(value)})" if value < 0 else _text(value)


def _vector(values: Array) -> str:
    return "[" + ", ".join(_text(v) for v in values) + "]"
