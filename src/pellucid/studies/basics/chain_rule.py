"""Backpropagation with numbers: first one weight, then a network of two layers, every factor named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.activations import RULES
from pellucid.engines.textbook.forward import Trace, forward
from pellucid.errors import SettingError
from pellucid.network import Activation, Dense, Network
from pellucid.numerals import numeral
from pellucid.studies.basics.derivatives import Derivative, Slopes, derivative, one_step
from pellucid.studies.story import Story

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ChainRule", "study"]

Array = NDArray[Any]

# Part two: a 2 → 2 → 1 network whose weights can be multiplied in one's head.
ROW, TARGET = np.array([[1.0, 2.0]]), np.array([[1.0]])  # [B=1, I=2], [B=1, O=1]
PARAMETERS = {
    "0.weight": np.array([[1.0, -0.5], [0.5, 0.5]]),  # [2 hidden, 2 inputs]
    "0.bias": np.array([0.5, 0.0]),
    "2.weight": np.array([[2.0, -1.0]]),  # [1 output, 2 hidden]
    "2.bias": np.array([-0.5]),
}


@dataclass(frozen=True, kw_only=True)
class ChainRule:
    """The figures of the study.

    Attributes
    ----------
    y, loss
        Of the single neuron.
    one
        The derivatives of its weight and its bias.
    w_after, b_after, loss_after
        After one step.
    output, network_loss, network_loss_after
        Of the network of two layers, before and after one step.
    two
        The derivatives of its nine weights and biases.
    """

    y: float
    loss: float
    one: tuple[Derivative, ...]
    w_after: float
    b_after: float
    loss_after: float
    output: float
    network_loss: float
    network_loss_after: float
    two: tuple[Derivative, ...]


def study(
    story: Story,
    *,
    x: Annotated[float, "the input"] = 2.0,
    w: Annotated[float, "the weight"] = 3.0,
    b: Annotated[float, "the bias"] = 1.0,
    target: Annotated[float, "the output that the neuron should give"] = 5.0,
    lr: Annotated[float, "learning rate: the step size"] = 0.01,
    activation: Annotated[str, "of the hidden layer in the second part"] = "sigmoid",
) -> ChainRule:
    """Show how an error is propagated back to one weight, and to each weight of a network of two layers.

    Raises
    ------
    SettingError
        A number is too large, the learning rate is not positive, or the activation is unknown.
    """
    for name, value in (("x", x), ("w", w), ("b", b), ("target", target)):
        if not abs(value) <= 1000:
            raise SettingError(f"{name} must be from −1,000 to 1,000, got {value!r}")
    if not 0 < lr <= 1000:
        raise SettingError(f"lr must be above 0 and at most 1,000, got {lr!r}; 0.01 is usual")
    hidden = Activation(function=activation)  # raises for an unknown name

    line = Network(inputs=1, layers=(Dense(inputs=1, outputs=1),))
    before = {"0.weight": np.array([[w]]), "0.bias": np.array([b])}
    after, loss, loss_after, slopes = one_step(line, before, np.array([[x]]), np.array([[target]]), lr)
    y = w * x + b
    first = {"∂L/∂y": 2 * (y - target)}
    one = (
        derivative("w", "0.weight", (0, 0), {**first, "∂y/∂w": x}, before, slopes),
        derivative("b", "0.bias", (0,), {**first, "∂y/∂b": 1.0}, before, slopes),
    )
    w_after, b_after = float(after["0.weight"][0, 0]), float(after["0.bias"][0])
    _tell_one(story, x, w, b, target, lr, loss, one, (w_after, b_after, loss_after))
    story.draw(
        "step", lambda: _step(x, w, b, target, one[0].product, w_after),
        "The loss as a function of the weight, with the bias held fixed; the step goes against the slope.",
    )  # fmt: skip

    network = Network(inputs=2, layers=(Dense(inputs=2, outputs=2), hidden, Dense(inputs=2, outputs=1),
                                        Activation(function="sigmoid")))  # fmt: skip
    _, network_loss, network_loss_after, slopes = one_step(network, PARAMETERS, ROW, TARGET, lr)
    trace = forward(network, PARAMETERS, ROW)
    two = _two_layers(trace, activation, slopes)
    _tell_two(story, trace, activation, two, network_loss)
    story.draw(
        "network", lambda: _network(trace, network_loss, two),
        "Forward: each unit has a value (in its circle). Backward: each weight gets a derivative (below the weight).",
    )  # fmt: skip
    _tell_check(story, (*one, *two))
    story.say(f"One step with lr = {lr:g} on all nine numbers changes the loss of the network from "
              f"{_text(network_loss, 6)} to {_text(network_loss_after, 6)}.")  # fmt: skip

    worst = max(each.disagreement for each in (*one, *two))
    story.close(
        learned=f"A derivative is a product of local slopes, one factor for each step on the path from the loss to the "
        f"weight: dL/dw = {_text(one[0].factors['∂L/∂y'])} · {_text(x)} = {_text(one[0].product)}. "
        f"Four ways to compute all {len(one) + len(two)} of them differ by at most {numeral(worst, 1)}.",
        try_next="pellucid study xor",
    )
    return ChainRule(
        y=y,
        loss=loss,
        one=one,
        w_after=w_after,
        b_after=b_after,
        loss_after=loss_after,
        output=float(trace.logits[0, 0]),
        network_loss=network_loss,
        network_loss_after=network_loss_after,
        two=two,
    )


# ── computing ──


def _two_layers(trace: Trace, activation: str, slopes: Slopes) -> tuple[Derivative, ...]:
    """Every chain of the network, its factors taken from the steps of the forward pass."""
    hidden, bend, last, end = trace.steps
    x, z1, a1 = hidden.inputs[0], hidden.outputs[0], bend.outputs[0]  # [2] each
    z2, output = last.outputs[0], end.outputs[0]  # [1] each
    to_z2 = {
        "∂L/∂output": float(2 * (output[0] - TARGET[0, 0])),
        "∂output/∂z₂": float(RULES["sigmoid"].derivative(z2, output)[0]),
    }
    bend_slope = RULES[activation].derivative(z1, a1)  # [2]
    found = []
    for j in range(2):
        chain = {**to_z2, "∂z₂/∂w₂": float(a1[j])}
        found.append(derivative(f"w₂[1, {j + 1}]", "2.weight", (0, j), chain, PARAMETERS, slopes))
    found.append(derivative("b₂[1]", "2.bias", (0,), {**to_z2, "∂z₂/∂b₂": 1.0}, PARAMETERS, slopes))
    for j in range(2):
        to_z1 = {
            **to_z2, "∂z₂/∂a₁": float(PARAMETERS["2.weight"][0, j]), "∂a₁/∂z₁": float(bend_slope[j]),
        }  # fmt: skip
        for i in range(2):
            chain = {**to_z1, "∂z₁/∂w₁": float(x[i])}
            found.append(derivative(f"w₁[{j + 1}, {i + 1}]", "0.weight", (j, i), chain, PARAMETERS, slopes))
        found.append(derivative(f"b₁[{j + 1}]", "0.bias", (j,), {**to_z1, "∂z₁/∂b₁": 1.0}, PARAMETERS, slopes))
    return tuple(found)


# ── telling ──


def _tell_one(
    story: Story,
    x: float,
    w: float,
    b: float,
    target: float,
    lr: float,
    loss: float,
    one: tuple[Derivative, ...],
    after: tuple[float, float, float],
) -> None:
    y, (dw, db) = w * x + b, one
    slope = dw.factors["∂L/∂y"]
    w_after, b_after, loss_after = after
    story.heading("One weight")
    story.say(
        "A neuron without an activation gives y = w · x + b, and its loss is the squared error L = (y − target)². How "
        "does the loss change when w changes a little? A change of w changes y, and the change of y changes L; the "
        "chain rule multiplies the two slopes: dL/dw = dL/dy · dy/dw."
    )
    story.table(
        f"x = {_text(x)}, w = {_text(w)}, b = {_text(b)}, target = {_text(target)}",
        ("quantity", "formula", "with numbers", "value"),
        [
            ("y", "w · x + b", f"{_text(w)} · {_sign(x)} + {_sign(b)}", _text(y)),
            ("L", "(y − target)²", f"({_text(y)} − {_sign(target)})²", _text(loss)),
            ("dL/dy", "2 (y − target)", f"2 · ({_text(y)} − {_sign(target)})", _text(slope)),
            ("dy/dw", "x", _text(x), _text(x)),
            ("dy/db", "1", "1", "1"),
            ("dL/dw", "dL/dy · dy/dw", f"{_text(slope)} · {_sign(x)}", _text(dw.product)),
            ("dL/db", "dL/dy · dy/db", f"{_text(slope)} · 1", _text(db.product)),
        ],
    )
    story.say("Gradient descent takes a small step against the slope, w ← w − lr · dL/dw, and the same for b.")
    story.table(
        f"One step with lr = {lr:g}",
        ("", "before", "step", "after"),
        [
            ("w", _text(w), f"{_text(w)} − {lr:g} · {_sign(dw.product)}", _text(w_after)),
            ("b", _text(b), f"{_text(b)} − {lr:g} · {_sign(db.product)}", _text(b_after)),
            ("y", _text(y), "", _text(w_after * x + b_after)),
            ("L", _text(loss), "", _text(loss_after)),
        ],
    )
    if loss == 0:
        story.say("The neuron was right already: the slope is 0, and nothing changes.")
    elif loss_after < loss:
        story.say(f"The loss fell from {_text(loss)} to {_text(loss_after)}.")
    elif (y - target) * (w_after * x + b_after - target) < 0:
        story.say(f"The loss did not fall: {_text(loss)} before, {_text(loss_after)} after. The step was too long and "
                  "overshot the minimum; try a smaller lr.")  # fmt: skip
    else:
        story.say("The step was so short that the loss did not change at the precision of floating-point numbers; try "
                  "a larger lr.")  # fmt: skip


def _tell_two(story: Story, trace: Trace, activation: str, two: tuple[Derivative, ...], loss: float) -> None:
    hidden, bend, last, end = trace.steps
    story.heading("Two layers")
    story.say(
        f"Now a network of 2 inputs, 2 hidden units with {activation} and 1 output with sigmoid, on the row "
        f"x = {_vector(ROW[0])} with target {_text(TARGET[0, 0])}. First the forward pass, keeping every number."
    )
    story.table(
        "Forward",
        ("step", "formula", "values", "shape"),
        [
            ("z₁", "W₁ x + b₁", _vector(hidden.outputs[0]), "[2]"),
            ("a₁", f"{activation}(z₁)", _vector(bend.outputs[0]), "[2]"),
            ("z₂", "W₂ a₁ + b₂", _vector(last.outputs[0]), "[1]"),
            ("output", "sigmoid(z₂)", _vector(end.outputs[0]), "[1]"),
            ("L", "(output − target)²", _text(loss), "[]"),
        ],
    )
    story.say(
        "Then the backward pass. The path from the loss to a weight of the last layer has three links. w₂[1, 2] is the "
        "weight from hidden unit 2 to unit 1 of layer 2; in the headings, θ stands for the weight or the bias of the "
        "row."
    )
    _tell_factors(story, "Layer 2", [each for each in two if "₂" in each.name], "θ₂")
    story.say(
        "The path to a weight of the first layer begins with the same two links and continues through the hidden unit: "
        "∂L/∂w₁ = ∂L/∂output · ∂output/∂z₂ · ∂z₂/∂a₁ · ∂a₁/∂z₁ · ∂z₁/∂w₁. The shared links are computed only once; "
        "that is why backpropagation is fast."
    )
    _tell_factors(story, "Layer 1", [each for each in two if "₁" in each.name], "θ₁")


def _tell_factors(story: Story, title: str, found: list[Derivative], theta: str) -> None:
    links = [*list(found[0].factors)[:-1], f"∂z{theta[-1]}/∂{theta}"]
    story.table(
        f"{title}: the links and their product",
        (theta, *links, f"∂L/∂{theta}"),
        [(each.name, *map(_text, each.factors.values()), _text(each.product)) for each in found],
    )


def _tell_check(story: Story, found: tuple[Derivative, ...]) -> None:
    story.heading("Is it right?")
    story.say(
        "Four ways to the same numbers: the product of the links, the backward pass of the textbook engine, central "
        "differences (L(θ + h) − L(θ − h)) / 2h, which use no derivative formula at all, and autograd, PyTorch's "
        "automatic differentiation. Where the derivative is above 1, the difference is relative to it."
    )
    story.table(
        "∂L/∂θ; the first two rows belong to the single neuron",
        ("θ", "product", "textbook", "central differences", "autograd", "largest difference"),
        [
            (each.name, *(_text(v, 6) for v in (each.product, each.textbook, each.differences, each.autograd)),
             numeral(each.disagreement, 1))
            for each in found
        ],
    )  # fmt: skip


# ── pictures ──


def _step(x: float, w: float, b: float, target: float, slope: float, w_after: float) -> Figure:
    from pellucid.plots.functions import Descent, descent_step

    lowest = (target - b) / x if x else w
    lowest = min(max(lowest, w - 100), w + 100)
    low, high = min(w, w_after, lowest), max(w, w_after, lowest)
    room = 0.3 * (high - low) or 1.0
    weights = np.linspace(low - room, high + room, 201)
    losses = (weights * x + b - target) ** 2
    before, after = (w, (w * x + b - target) ** 2), (w_after, (w_after * x + b - target) ** 2)
    descent = Descent(weights=weights, losses=losses, before=before, after=after, slope=slope)
    return descent_step(descent, title="One step of gradient descent")


def _network(trace: Trace, loss: float, two: tuple[Derivative, ...]) -> Figure:
    from pellucid.plots.graph import Link, Unit, network_graph

    x, a1, output = trace.steps[0].inputs[0], trace.steps[1].outputs[0], trace.steps[3].outputs[0]
    units = [
        *(Unit(name=f"x{'₁₂'[i]}", column=0, value=float(x[i])) for i in range(2)),
        *(Unit(name=f"a₁[{j + 1}]", column=1, value=float(a1[j])) for j in range(2)),
        Unit(name="output", column=2, value=float(output[0])),
        Unit(name="loss", column=3, value=loss),
    ]
    slopes = {each.name: each for each in two}
    ends = {f"w₁[{j + 1}, {i + 1}]": (i, 2 + j) for j in range(2) for i in range(2)}
    ends |= {f"w₂[1, {j + 1}]": (2 + j, 4) for j in range(2)}
    links = [
        Link(start=start, end=end, weight=slopes[name].value, slope=slopes[name].product)
        for name, (start, end) in ends.items()
    ]
    links.append(Link(start=4, end=5, weight=None, slope=two[0].factors["∂L/∂output"]))
    return network_graph(units, links, title="Values forward, derivatives backward")


# ── words ──


def _text(value: float, digits: int = 4) -> str:
    return numeral(value, digits)


def _sign(value: float) -> str:
    """A number after an operator: in brackets if it is negative."""
    return f"({_text(value)})" if value < 0 else _text(value)


def _vector(values: Array) -> str:
    return "[" + ", ".join(_text(v) for v in values) + "]"
