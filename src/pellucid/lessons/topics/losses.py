"""The lesson on losses: how wrong is a prediction, in one number?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pellucid.engines.textbook.activations import sigmoid, softmax
from pellucid.engines.textbook.losses import loss_and_gradient
from pellucid.lessons.question import Question, choose, number
from pellucid.lessons.writing import pick, vector
from pellucid.network.task import Loss
from pellucid.studies.story import Story, shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["questions", "tell"]


def tell(story: Story) -> None:
    """Tell what a loss measures."""
    story.heading("One number to minimise")
    story.say(
        "Training needs to know how wrong the network is, as one number: the loss. Zero is perfect, larger is worse, "
        "and it must change smoothly with the weights, since its slope says which way to go. Accuracy is not suitable: "
        "changing a weight a little changes no decision, so its slope is zero almost everywhere. The loss of several "
        "rows is the mean of their losses."
    )

    story.heading("Numbers: the squared error, and a gentler loss")
    story.say(
        "For a number, the mean squared error (MSE) squares the difference between prediction and truth. An error "
        "twice as large costs four times as much. So one row that is far off, perhaps because of a typing error, can "
        "outweigh all others. The Huber loss is half the squared error up to an error of δ, and the straight line "
        "δ · (|error| − δ/2) beyond. Its slope never exceeds δ, which limits the influence of a single row."
    )
    errors = np.array([0.5, 1.0, 2.0, 10.0])
    rows = []
    for error in errors:
        mse, huber = (_of_number(name, error) for name in ("mse", "huber"))
        rows.append((error, mse, huber, _slope("mse", error), _slope("huber", error)))
    story.table("The loss of one row", ("error", "MSE", "Huber (δ = 1)", "slope of MSE", "slope of Huber"), rows)

    story.draw(
        "errors",
        _draw_errors,
        "Squared error and Huber loss of one row: similar near zero, different beyond δ.",
    )

    story.heading("Classes: how surprised is the network?")
    story.say(
        "For classes the network gives probabilities, and the loss is the surprise at the true class: −ln p. A "
        "confident correct prediction costs almost nothing; a confident wrong one costs without limit. With two "
        "classes this is called "
        "binary cross-entropy (BCE), with more classes cross-entropy."
    )
    story.table(
        "Surprise at the truth",
        ("probability of the true class", "loss −ln p", "the decision"),
        [(p, _surprise(p), "right" if p > 0.5 else "wrong") for p in (0.99, 0.9, 0.6, 0.4, 0.1, 0.01)],
    )
    story.draw("surprise", _draw_surprise, "The loss of one row, by the predicted probability of its true class.")
    z = np.array([[1.5, -0.5]])
    result = loss_and_gradient(Loss(name="cross_entropy"), z, np.array([0]))
    story.say(
        "Pellucid's networks end in logits, and the loss is computed from the logits directly, "
        f"because the exponential of a large number would overflow on the way. For the logits {vector(z[0])} and the "
        f"first class, the probability is {shown(float(softmax(z)[0, 0]))}, the loss {shown(result.value)}, and the "
        f"slope for each logit is simply probability minus truth: {vector(result.d_logits[0])}."
    )
    story.draw(
        "network", lambda: _draw_logits(z),
        "The end of the network: two logits, the loss, and how it changes with each logit.",
    )  # fmt: skip
    story.close(
        learned="A loss turns all mistakes into one smooth number; which loss fits depends on what is predicted.",
        try_next="pellucid study mlp",
    )


def _draw_errors() -> Figure:
    from pellucid.plots.functions import Curve, function_panels

    errors = np.linspace(-4, 4, 401)
    losses = {name: np.array([_of_number(name, error) for error in errors]) for name in ("mse", "huber")}
    lines = [
        Curve(name="squared error", values=losses["mse"]),
        Curve(name="Huber, δ = 1", values=losses["huber"], dashed=True),
    ]
    return function_panels(errors, {"One row, by its error": lines}, x_label="error", y_label="loss")


def _draw_surprise() -> Figure:
    from pellucid.plots.functions import Curve, function_panels

    p = np.linspace(0.005, 0.995, 199)
    lines = [Curve(name="−ln p", values=np.array([_surprise(float(each)) for each in p]))]
    return function_panels(
        p,
        {"One row, by the probability of its class": lines},
        x_label="probability p of the true class",
        y_label="loss",
    )


def _draw_logits(z: np.ndarray) -> Figure:
    from pellucid.plots.graph import Link, Unit, network_graph

    result = loss_and_gradient(Loss(name="cross_entropy"), z, np.array([0]))
    units = [Unit(name=f"logit {i + 1}", column=0, value=float(each)) for i, each in enumerate(z[0])]
    units.append(Unit(name="loss L", column=1, value=result.value))
    links = [Link(start=i, end=2, slope=float(each)) for i, each in enumerate(result.d_logits[0])]
    return network_graph(units, links, title="The first class is true")


def questions(generator: np.random.Generator) -> tuple[Question, ...]:
    """Five questions, with answers computed from the numbers that are drawn."""
    answers, truths = generator.integers(1, 9, 3), generator.integers(1, 9, 3)
    mse = _mse(answers, truths)
    logit = float(generator.choice([-2.0, -1.0, 1.0, 2.0]))
    bce = loss_and_gradient(Loss(name="bce"), np.array([[logit]]), np.array([[1.0]]))
    p = float(sigmoid(np.array(logit)))
    error = float(generator.integers(3, 9))
    huber = _of_number("huber", error)
    ratio = _of_number("mse", error) / _of_number("mse", 1.0)
    loss_for = {
        "the price of a house, where one price in ten is mistyped": "Huber",
        "which of five species a plant is": "cross-entropy",
        "whether a customer leaves": "binary cross-entropy",
        "tomorrow's temperature, where large errors hurt far more than small ones": "mean squared error",
    }
    what = pick(generator, loss_for)
    best = loss_for[what]
    return (
        number(
            f"A network predicts {vector(answers)}; the truth is {vector(truths)}. What is the mean squared error?",
            mse,
            f"The errors (prediction minus truth) are {vector(answers - truths)}; their squares add up to "
            f"{shown(len(truths) * mse)}, divided by {len(truths)} rows.",
            digits=2,
        ),
        number(
            f"A row belongs to the second of two classes, and the network's single logit, the one for this class, is "
            f"{shown(logit)}. What is the binary cross-entropy of the row?",
            bce.value,
            f"The probability is σ({shown(logit)}) = {shown(p)}, and −ln {shown(p)} = {shown(bce.value)}.",
            digits=2,
        ),
        number(
            f"How many times as much as an error of 1 does an error of {shown(error)} cost in the squared error?",
            ratio,
            f"The error is squared: {shown(error)}² = {shown(ratio)}.",
            digits=0,
        ),
        number(
            f"And in the Huber loss with δ = 1: what does an error of {shown(error)} cost?",
            huber,
            f"Beyond δ it is a line: δ (|error| − δ/2) = {shown(error)} − 0.5 = {shown(huber)}.",
            digits=1,
        ),
        choose(
            f"You predict {what}. Which loss fits?",
            best,
            ["mean squared error", "binary cross-entropy", "cross-entropy", "Huber"],
            {
                "Huber": "It is a number, and mistyped rows must not outweigh the others.",
                "cross-entropy": "It is one of several classes.",
                "binary cross-entropy": "It is one of two classes.",
                "mean squared error": "It is a number, and an error twice as large should cost four times as much.",
            }[best],
            generator,
        ),
    )


def _surprise(p: float) -> float:
    logit = np.log(p / (1 - p))
    return loss_and_gradient(Loss(name="bce"), np.array([[logit]]), np.array([[1.0]])).value


def _of_number(name: str, error: float) -> float:
    return loss_and_gradient(Loss(name=name), np.array([[error]]), np.array([[0.0]])).value  # type: ignore[arg-type]


def _slope(name: str, error: float) -> float:
    return float(loss_and_gradient(Loss(name=name), np.array([[error]]), np.array([[0.0]])).d_logits[0, 0])  # type: ignore[arg-type]


def _mse(answers: np.ndarray, truths: np.ndarray) -> float:
    z, y = answers.astype(float)[:, None], truths.astype(float)[:, None]
    return loss_and_gradient(Loss(name="mse"), z, y).value
