"""The lesson on backpropagation: the chain rule, from the loss back to every weight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.activations import RULES
from pellucid.engines.textbook.backprop import Gradients, backward
from pellucid.engines.textbook.forward import Trace, forward
from pellucid.engines.textbook.gradient_check import central_differences
from pellucid.engines.textbook.losses import loss_and_gradient
from pellucid.engines.textbook.optimizers import update
from pellucid.lessons.question import Question, choose, number
from pellucid.lessons.writing import in_brackets, pick, sum_of_products, vector
from pellucid.network import Network, mlp
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.studies.story import Story, shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["questions", "tell"]

Array = NDArray[Any]

MSE = Loss(name="mse")
LINE = mlp(1, [], 1)
X, W, B, TARGET, RATE = 2.0, 3.0, 1.0, 5.0, 0.01

DEEP = mlp(2, [2], 1, activation="sigmoid")
ROW, WANTED = np.array([[1.0, 2.0]]), 1.0
PARAMETERS = {
    "0.weight": np.array([[0.5, -0.25], [1.0, 0.5]]),
    "0.bias": np.array([0.0, -1.0]),
    "2.weight": np.array([[2.0, -1.0]]),
    "2.bias": np.array([0.5]),
}


def tell(story: Story) -> None:
    """Tell how slopes are computed backwards through a network."""
    _tell_line(story)
    _tell_chain(story)
    agree = _tell_check(story)
    story.close(
        learned="Backpropagation multiplies the slopes on the way from the loss to a weight"
        + (", and testing each weight gives the same numbers." if agree else "; here testing gave other numbers."),
        try_next="pellucid study chain-rule",
    )


def _tell_line(story: Story) -> None:
    story.heading("One weight")
    story.say(
        "Gradient descent needs the slope of the loss for every weight. A weight does not affect the loss directly: it "
        "changes the output, and the output changes the loss. The chain rule of calculus says that the slopes of such "
        "links are multiplied. If y changes twice as fast as w, and the loss four times as fast as y, then the "
        "loss changes eight times as fast as w. We write ∂L/∂w for the slope of L with respect to w."
    )
    trace, gradients, value, d_y = _back(LINE, _line(W, B), np.array([[X]]), TARGET)
    y, d_w, d_b = float(trace.logits[0, 0]), _one(gradients, "0.weight"), _one(gradients, "0.bias")
    after = float(update(Optimizer(name="sgd"), np.array(W), np.array(d_w), {}, RATE, 1))
    x, w, b, t = shown(X), shown(W), shown(B), shown(TARGET)
    story.table(
        f"y = w·x + b with x = {x}, w = {w}, b = {b}; target {t}; loss L = (y − target)²",
        ("what", "with numbers", "value"),
        [
            ("y", f"{w}·{x} + {b}", y),
            ("L", f"({shown(y)} − {t})²", value),
            ("∂L/∂y = 2 (y − target)", f"2·({shown(y)} − {t})", d_y),
            ("∂y/∂w = x", x, X),
            ("∂L/∂w = ∂L/∂y · ∂y/∂w", f"{shown(d_y)}·{x}", d_w),
            ("∂L/∂b = ∂L/∂y · 1", f"{shown(d_y)}·1", d_b),
            (f"w after a step, η = {shown(RATE)}", f"{w} − {shown(RATE)}·{in_brackets(d_w)}", after),
        ],
    )


def _tell_chain(story: Story) -> None:
    story.heading("Through two layers")
    story.say(
        "With more layers the chain is longer, not different. Take a network 2 → 2 → 1 with sigmoid in between. From "
        "the "
        "loss back to a weight of the first layer there are four links: how the loss changes with the output, the "
        "output with the hidden neuron, the neuron with its sum z, and the sum with the weight. The third is the slope "
        "of the activation; the last is the input, since the weight multiplies it."
    )
    trace, gradients, _, d_y = _back(DEEP, PARAMETERS, ROW, WANTED)
    z, a, v = trace.steps[0].outputs[0], trace.steps[1].outputs[0], PARAMETERS["2.weight"][0]
    bend = RULES["sigmoid"].derivative(z, a)
    d_w = gradients.parameters["0.weight"]
    story.table(
        f"x = {vector(ROW[0])}, target {shown(WANTED)}, output {shown(float(trace.logits[0, 0]))}",
        ("weight", "∂L/∂y", "∂y/∂a", "∂a/∂z", "∂z/∂w", "product ∂L/∂w"),
        [
            (f"neuron {j + 1}, input {i + 1}", d_y, float(v[j]), float(bend[j]), float(ROW[0, i]), float(d_w[j, i]))
            for j in range(2)
            for i in range(2)
        ],
    )
    story.draw(
        "network", _draw_network,
        "Forward, each neuron has a value (in the circle); backward, each weight gets its slope (below it).",
    )  # fmt: skip
    story.say(
        "Many products start with the same factors. Going backwards from the loss, layer by layer, computes each "
        "common "
        "part only once: that is backpropagation (Rumelhart, Hinton and Williams, 1986). If a number reaches the loss "
        "along several paths, the products of all paths are added."
    )


def _draw_network() -> Figure:
    from pellucid.plots.graph import Link, Unit, network_graph

    trace, gradients, loss, d_y = _back(DEEP, PARAMETERS, ROW, WANTED)
    values = [*ROW[0], *trace.steps[1].outputs[0], trace.logits[0, 0], loss]
    names = ("x₁", "x₂", "a₁", "a₂", "y", "loss L")
    units = [Unit(name=n, column=(0, 0, 1, 1, 2, 3)[i], value=float(values[i])) for i, n in enumerate(names)]
    w, d_w = PARAMETERS["0.weight"], gradients.parameters["0.weight"]
    v, d_v = PARAMETERS["2.weight"][0], gradients.parameters["2.weight"][0]
    links = [
        Link(start=i, end=2 + j, weight=float(w[j, i]), slope=float(d_w[j, i])) for j in range(2) for i in range(2)
    ]
    links += [Link(start=2 + j, end=4, weight=float(v[j]), slope=float(d_v[j])) for j in range(2)]
    return network_graph(units, [*links, Link(start=4, end=5, slope=d_y)], title="Values forward, slopes backward")


def _tell_check(story: Story) -> bool:
    story.heading("How to check that it is right")
    h = 1e-5
    names = tuple(p.name for p in DEEP.trainable())
    gradients = _back(DEEP, PARAMETERS, ROW, WANTED)[1].parameters
    tried = central_differences(lambda p: _loss(DEEP, p, ROW, WANTED), PARAMETERS, names, h)
    story.say(
        "The slope can be tested: make one weight a tiny h larger, then a tiny h smaller, and divide the difference "
        "of the two losses by 2h. This needs two forward passes for every weight, while backpropagation needs one "
        f"backward pass for all of them. For the {DEEP.n_trainable} parameters of this small network, "
        f"{2 * DEEP.n_trainable} passes are no problem; for millions they are hopeless, so this only serves as a check."
    )
    largest = max(float(np.abs(gradients[name] - tried[name]).max()) for name in names)
    story.table(
        f"All {DEEP.n_trainable} slopes, h = {shown(h)}; largest difference {shown(largest)}",
        ("parameters", "backpropagation", "tested"),
        [(name, vector(gradients[name].ravel()), vector(tried[name].ravel())) for name in names],
    )
    return largest < 1e-7


def _line(w: float, b: float) -> dict[str, Array]:
    return {"0.weight": np.array([[w]]), "0.bias": np.array([b])}


def _back(
    network: Network, parameters: Mapping[str, Array], x: Array, target: float
) -> tuple[Trace, Gradients, float, float]:
    """The trace, all gradients, the squared error of one row, and its slope with respect to the output."""
    trace = forward(network, parameters, x)
    loss = loss_and_gradient(MSE, trace.logits, np.array([[target]]))
    return trace, backward(parameters, trace, loss.d_logits), loss.value, float(loss.d_logits[0, 0])


def _loss(network: Network, parameters: Mapping[str, Array], x: Array, target: float) -> float:
    return loss_and_gradient(MSE, forward(network, parameters, x).logits, np.array([[target]])).value


def _one(gradients: Gradients, name: str) -> float:
    return float(gradients.parameters[name].ravel()[0])


# ── questions ──


def questions(generator: np.random.Generator) -> tuple[Question, ...]:
    """Five questions, with answers computed from the numbers that are drawn."""
    return (
        _ask_line(generator),
        _ask_chain(generator),
        _ask_dead(generator),
        _ask_paths(generator),
        _ask_check(generator),
    )


def _ask_line(generator: np.random.Generator) -> Question:
    x, w, b = (float(pick(generator, values)) for values in ((2, 3, 4), (-2, -1, 1, 2, 3), (-2, -1, 1, 2)))
    target = w * x + b - float(generator.choice([-3.0, -2.0, 2.0, 3.0]))
    trace, gradients, _, d_y = _back(LINE, _line(w, b), np.array([[x]]), target)
    name, what = pick(generator, [("0.weight", "w"), ("0.bias", "b")])
    inner = x if what == "w" else 1.0
    slope = _one(gradients, name)
    return number(
        f"y = w·x + b with x = {shown(x)}, w = {shown(w)} and b = {shown(b)}; the target is {shown(target)}, the loss "
        f"(y − target)². What is ∂L/∂{what}?",
        slope,
        f"y = {shown(float(trace.logits[0, 0]))}, so ∂L/∂y = 2·({shown(float(trace.logits[0, 0]))} − "
        f"{in_brackets(target)}) = {shown(d_y)}; ∂y/∂{what} = {shown(inner)}; the product is {shown(slope)}.",
    )


def _ask_chain(generator: np.random.Generator) -> Question:
    x, w, b = float(generator.integers(1, 4)), float(generator.integers(1, 4)), float(generator.integers(0, 3))
    v, c = float(generator.choice([-3.0, -2.0, 2.0, 3.0])), float(generator.integers(-2, 3))
    chain = mlp(1, [1], 1)
    parameters = {**_line(w, b), "2.weight": np.array([[v]]), "2.bias": np.array([c])}
    y = float(forward(chain, parameters, np.array([[x]])).logits[0, 0])
    target = y - float(generator.choice([-2.0, -1.0, 1.0, 2.0]))
    _, gradients, _, d_y = _back(chain, parameters, np.array([[x]]), target)
    slope = _one(gradients, "0.weight")
    return number(
        f"A hidden neuron computes a = relu(w·x + b) with x = {shown(x)}, w = {shown(w)}, b = {shown(b)}; the output "
        "is "
        f"y = v·a + c with v = {shown(v)}, c = {shown(c)}; the target is {shown(target)}, the loss (y − target)². What "
        "is ∂L/∂w?",
        slope,
        f"y = {shown(y)}. ∂L/∂y = {shown(d_y)}, ∂y/∂a = v = {shown(v)}, ∂a/∂z = 1 because z is above zero, ∂z/∂w = x = "
        f"{shown(x)}. The product is {shown(slope)}.",
    )


def _ask_dead(generator: np.random.Generator) -> Question:
    """Three ReLU neurons, one of them inactive for this row."""
    names = ("first", "second", "third")
    asleep = int(generator.integers(3))
    x = generator.integers(1, 4, 2).astype(float)
    w = generator.choice([-2.0, -1.0, 1.0, 2.0, 3.0], (3, 2))
    z = np.array([float(generator.integers(1, 5)) * (-1 if j == asleep else 1) for j in range(3)])
    b = z - w @ x
    parameters = {"0.weight": w, "0.bias": b, "2.weight": np.array([[1.0, -1.0, 2.0]]), "2.bias": np.zeros(1)}
    network = mlp(2, [3], 1)
    output = float(forward(network, parameters, x[None]).logits[0, 0])
    trace, gradients, _, _ = _back(network, parameters, x[None], output - 1)
    still = [name for name, row in zip(names, gradients.parameters["0.weight"], strict=True) if not row.any()]
    (answer,) = still
    neurons = "; ".join(f"{vector(row)} with bias {shown(float(bias))}" for row, bias in zip(w, b, strict=True))
    return choose(
        f"Three hidden ReLU neurons have the weights {neurons}. All three are connected to the output, and the loss "
        "is not "
        f"zero. Whose weights get the slope zero for the row {vector(x)}?",
        f"the {answer} neuron's",
        [*(f"the {name} neuron's" for name in names), "none of them"],
        f"The sums are {vector(trace.steps[0].outputs[0])}. Below zero ReLU has slope zero, and with one factor zero "
        "the whole product is zero.",
        generator,
    )


def _ask_paths(generator: np.random.Generator) -> Question:
    """An input that reaches the output through two neurons."""
    w = generator.choice([1.0, 2.0, 3.0, 4.0], 2, replace=False)
    v = generator.choice([-3.0, -2.0, -1.0, 2.0, 3.0, 5.0], 2, replace=False)
    network = mlp(1, [2], 1)
    parameters = {"0.weight": w[:, None], "0.bias": np.zeros(2), "2.weight": v[None], "2.bias": np.zeros(1)}
    trace = forward(network, parameters, np.array([[1.0]]))
    slope = float(backward(parameters, trace, np.ones((1, 1))).d_inputs[0][0, 0])
    return number(
        f"An input x above zero goes into two ReLU neurons, a₁ = relu({shown(float(w[0]))}·x) and a₂ = "
        f"relu({shown(float(w[1]))}·x); the output is y = {shown(float(v[0]))}·a₁ + {in_brackets(float(v[1]))}·a₂. "
        "What is the slope of y with respect to x?",
        slope,
        f"Two paths lead from x to y, and their products are added: {sum_of_products(v, w)} = {shown(slope)}.",
    )


def _ask_check(generator: np.random.Generator) -> Question:
    x, target = float(generator.integers(1, 4)), float(generator.integers(-2, 3))
    w, h = float(generator.integers(2, 5)), float(pick(generator, (0.1, 0.01)))
    losses = [_loss(LINE, _line(each, 0.0), np.array([[x]]), target) for each in (w - h, w + h)]
    slope = float(
        central_differences(
            lambda p: _loss(LINE, p, np.array([[x]]), target), _line(w, 0.0), ("0.weight",), h
        )["0.weight"][0, 0]
    )  # fmt: skip
    # Four digits after the point show these losses exactly; with fewer, their difference would be wrong.
    down, up = (f"{loss:.4f}".rstrip("0").rstrip(".") for loss in losses)
    return number(
        f"At w = {shown(w - h)} the loss is {down}, at w = {shown(w + h)} it is {up}. Roughly, what is its slope at "
        f"w = {shown(w)}?",
        slope,
        f"({up} − {down}) / (2·{shown(h)}) = {shown(slope)}.",
        digits=1,
    )
