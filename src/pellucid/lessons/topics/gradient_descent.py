"""The lesson on gradient descent: downhill in small steps, and how long a step should be."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.backprop import backward
from pellucid.engines.textbook.engine import TextbookEngine
from pellucid.engines.textbook.forward import forward
from pellucid.engines.textbook.losses import loss_and_gradient
from pellucid.engines.textbook.optimizers import update
from pellucid.lessons.question import Question, choose, number
from pellucid.lessons.writing import in_brackets, pick, vector
from pellucid.network import Dense, Network, mlp
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.studies.story import Story, shown
from pellucid.studies.wording import counted
from pellucid.training.batches import batches, n_batches

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["questions", "tell"]

Array = NDArray[Any]

NEURON = Network(inputs=1, layers=(Dense(inputs=1, outputs=1, bias=False),))  # y = w x
PLAIN, MSE = Optimizer(name="sgd"), Loss(name="mse")
START, TARGET = 0.0, 4.0
RATES = (0.001, 0.1, 0.5, 0.9, 1.1)
STEPS = 10
ROWS, NOISE, EPOCHS, RATE = 200, 0.5, 3, 0.05


def tell(story: Story) -> None:
    """Tell how a weight moves downhill."""
    _tell_steps(story)
    verdicts = _tell_rates(story)
    _tell_batches(story)
    good = [rate for rate, verdict in verdicts.items() if verdict in ("arrives", "on its way", "swings, but arrives")]
    away = [rate for rate, verdict in verdicts.items() if verdict == "runs away"]
    story.close(
        learned="A step is the learning rate times the slope, taken downhill. "
        + (f"Here {_either(good)} led towards the minimum" if good else "Here no learning rate led to the minimum")
        + (f", {_either(away)} farther and farther away from it." if away else "."),
        try_next="pellucid study mistakes",
    )


def _tell_steps(story: Story) -> None:
    story.heading("A slope to walk down")
    story.say(
        "Take the simplest network: one weight and no bias, y = w·x. It sees one row, x = "
        f"{shown(1.0)} with the target {shown(TARGET)}, and its loss is the squared error (y − target)². For every "
        "w there is a loss, so the loss is a valley over the line of all weights. Its slope, the derivative of the "
        "loss with respect to w, says how the loss changes if w grows a little: here 2·(y − target)·x. A slope above "
        "zero means "
        "that the way down is to the left, one below zero that it is to the right. With many weights there is one "
        "slope for each, and all of them together are the gradient."
    )
    story.say(
        "Gradient descent repeats one rule: w ← w − η · slope. The learning rate η says how far to go. Near the "
        "minimum the slope is small, so the steps become shorter by themselves."
    )
    story.draw("neuron", _draw_neuron, f"The network at its start, w = {shown(START)}, and the slope of its loss.")
    path = _descend(0.1, 5)
    story.table(
        f"From w = {shown(START)} with η = {shown(0.1)}",
        ("step", "w", "loss", "slope", "w after"),
        [(i, *here, after[0]) for i, (here, after) in enumerate(pairwise(path), 1)],
    )


def _tell_rates(story: Story) -> dict[float, str]:
    story.heading("How long a step?")
    story.say(
        "The learning rate is the number that most often decides whether training works. If it is too small, the "
        "weight "
        "crawls. If it is too large, the weight jumps across the valley and lands higher on the other side; there the "
        "slope is steeper, the next jump longer, and the loss grows without limit."
    )
    verdicts, rows = {}, []
    for rate in RATES:
        path = _descend(rate, STEPS)
        verdicts[rate] = _verdict(path)
        w = [each[0] for each in path]
        rows.append((rate, w[1], w[2], w[3], w[-1], path[-1][1], verdicts[rate]))
    story.table(
        f"The same valley with its minimum at w = {shown(TARGET)}, {STEPS} steps",
        ("η", "w after 1", "after 2", "after 3", f"after {STEPS}", "loss then", "it …"),
        rows,
    )
    story.draw(
        "valley", _draw_valley,
        "The first five steps with three learning rates: the valley is the same, only the steps differ.",
    )  # fmt: skip
    return verdicts


def _draw_neuron() -> Figure:
    from pellucid.plots.graph import Link, Unit, network_graph

    x = 1.0
    w, loss, slope = _descend(0.1, 0, x=x)[0]
    units = [Unit(name=n, column=i, value=v) for i, (n, v) in enumerate({"x": x, "y": w * x, "loss L": loss}.items())]
    links = [Link(start=0, end=1, weight=w, slope=slope), Link(start=1, end=2, slope=slope / x)]
    return network_graph(units, links, title=f"One weight; the target is {shown(TARGET)}")


def _draw_valley() -> Figure:
    from pellucid.plots.descents import steps_down

    paths = {}
    for rate in RATES[1::2] + RATES[-1:]:
        places = np.array([each[:2] for each in _descend(rate, 5)])
        paths[f"η = {shown(rate)}"] = (places[:, 0], places[:, 1])
    reach = 1.1 * max(float(np.abs(w - TARGET).max()) for w, _ in paths.values())
    w = np.linspace(TARGET - reach, TARGET + reach, 201)
    return steps_down(w, np.array([_descend(0.1, 0, w=float(each))[0][1] for each in w]), paths)


def _tell_batches(story: Story) -> None:
    story.heading("All rows, or a few at a time?")
    story.say(
        "The loss of a data set is a mean over its rows, so an exact slope needs all of them. A few rows, drawn at "
        "random, give nearly the same direction for much less work: a mini-batch. After each mini-batch the weights "
        "take a step; after one epoch every row has been seen once. Below, a line y = w·x + b is fitted to "
        f"{ROWS} rows, {counted(EPOCHS, 'epoch')} each time, with η = {shown(RATE)}."
    )
    best, lines = _fit_lines()
    story.table(
        f"The same epochs in batches of different sizes; the best line has the loss {shown(best)}",
        ("rows per batch", "steps per epoch", "steps in total", "loss after"),
        [(size, n_batches(ROWS, size), EPOCHS * n_batches(ROWS, size), loss) for size, loss in lines.items()],
    )
    closest = min(lines, key=lambda size: lines[size])
    story.say(
        f"Here batches of {closest} reached the lowest loss. Small batches take more steps per epoch, but each step "
        "depends on a few random rows and is noisy; one batch of all rows takes few, exact steps."
    )


def _descend(rate: float, steps: int, *, x: float = 1.0, w: float = START, target: float = TARGET) -> list[Any]:
    """``(w, loss, slope)`` before each step and after the last."""
    path = []
    for t in range(1, steps + 2):
        weight = np.array([[w]])
        trace = forward(NEURON, {"0.weight": weight}, np.array([[x]]))
        loss = loss_and_gradient(MSE, trace.logits, np.array([[target]]))
        slope = backward({"0.weight": weight}, trace, loss.d_logits).parameters["0.weight"]
        path.append((w, loss.value, float(slope[0, 0])))
        w = float(update(PLAIN, weight, slope, {}, rate, t)[0, 0])
    return path


def _verdict(path: list[Any]) -> str:
    """What the losses of a descent show about its learning rate."""
    losses, slopes = [each[1] for each in path], [each[2] for each in path]
    swings = any(a * b < 0 for a, b in pairwise(slopes))
    if losses[-1] > losses[0]:
        return "runs away"
    left = losses[-1] / losses[0]
    if left > 0.5:
        return "swings without end" if swings else "crawls"
    if left > 0.01:
        return "swings, but arrives" if swings else "on its way"
    return "swings, but arrives" if swings else "arrives"


def _fit_lines() -> tuple[float, dict[int, float]]:
    """The lowest loss that a line can have, and the loss for each batch size."""
    generator = np.random.default_rng(0)
    x = generator.uniform(-1, 1, (ROWS, 1))
    y = 2 * x + 1 + NOISE * generator.normal(size=(ROWS, 1))
    columns = np.column_stack([x, np.ones(ROWS)])
    best = float(((columns @ np.linalg.lstsq(columns, y, rcond=None)[0] - y) ** 2).mean())
    losses = {}
    for size in (ROWS, 20, 1):
        start = {"0.weight": np.zeros((1, 1)), "0.bias": np.zeros(1)}
        engine = TextbookEngine(mlp(1, [], 1), MSE, PLAIN, start)
        engine.load_rows(x, y)
        for epoch in range(EPOCHS):
            for rows in batches(ROWS, size, 0, epoch):
                engine.step(rows, (), RATE)
        losses[size] = engine.gradients(np.arange(ROWS), ())[0]
    return best, losses


def _either(rates: list[float]) -> str:
    *first, last = [shown(rate) for rate in rates]
    return "η = " + (f"{', '.join(first)} or {last}" if first else last)


# ── questions ──


def questions(generator: np.random.Generator) -> tuple[Question, ...]:
    """Five questions, with answers computed from the numbers that are drawn."""
    return (
        _ask_step(generator),
        _ask_two_steps(generator),
        _ask_verdict(generator),
        _ask_steps_an_epoch(generator),
        _ask_too_large(generator),
    )


def _ask_step(generator: np.random.Generator) -> Question:
    w, slope = float(generator.integers(-4, 5)), float(generator.choice([-8.0, -6.0, -3.0, 2.0, 4.0, 5.0]))
    rate = float(pick(generator, (0.01, 0.1, 0.2)))
    after = float(update(PLAIN, np.array(w), np.array(slope), {}, rate, 1))
    return number(
        f"A weight is {shown(w)}, the slope of the loss there is {shown(slope)}, and η = {shown(rate)}. What is the "
        "weight after one step of gradient descent?",
        after,
        f"w − η · slope = {shown(w)} − {shown(rate)}·{in_brackets(slope)} = {shown(after)}.",
    )


def _ask_two_steps(generator: np.random.Generator) -> Question:
    target, start = float(generator.integers(5, 10)), float(generator.integers(0, 4))
    rate = float(pick(generator, (0.1, 0.2, 0.25)))
    path = _descend(rate, 2, w=start, target=target)
    return number(
        f"The loss is (w − {shown(target)})², so its slope is 2·(w − {shown(target)}). Start at w = {shown(start)} "
        f"with η = {shown(rate)}. Where is w after two steps?",
        path[2][0],
        f"The slopes are {shown(path[0][2])} and then {shown(path[1][2])}; w goes {shown(path[0][0])} → "
        f"{shown(path[1][0])} → {shown(path[2][0])}.",
        digits=2,
    )


def _ask_verdict(generator: np.random.Generator) -> Question:
    rate = float(pick(generator, (0.002, 0.15, 0.3, 1.05, 1.1)))
    path = _descend(rate, 5, w=float(generator.integers(-2, 3)), target=float(generator.integers(4, 9)))
    words = {
        "crawls": "far too small",
        "runs away": "too large",
        "on its way": "about right",
        "arrives": "about right",
        "swings, but arrives": "about right",
        "swings without end": "too large",
    }
    losses = np.array([each[1] for each in path])
    return choose(
        f"The losses of six steps are {vector(losses)}. How is the learning rate?",
        words[_verdict(path)],
        ["far too small", "about right", "too large"],
        f"From the first to the last, the loss is multiplied by {shown(float(losses[-1] / losses[0]))}: it "
        f"{'is ' if _verdict(path) == 'on its way' else ''}{_verdict(path)}.",
        generator,
    )


def _ask_steps_an_epoch(generator: np.random.Generator) -> Question:
    size = int(pick(generator, (16, 32, 50, 64)))
    rows = size * int(generator.integers(5, 20)) + int(generator.integers(1, size))
    epochs = int(generator.integers(2, 11))
    steps = n_batches(rows, size)
    last = len(list(batches(rows, size, 0, 0))[-1])
    return number(
        f"There are {rows:,} training rows, and a mini-batch has {size}; the last one of an epoch may be smaller. How "
        f"many steps do the weights take in {epochs} epochs?",
        epochs * steps,
        f"{rows:,} / {size} is {steps - 1} whole batches and one of {last} rows, so {steps} steps per epoch; times "
        f"{epochs} is {epochs * steps}.",
    )


def _ask_too_large(generator: np.random.Generator) -> Question:
    """Which learning rate makes the loss grow? All are tried."""
    steep = float(generator.integers(1, 4))  # the loss is (steep · w)²
    border = 1 / steep**2
    rates = [float(f"{border * share:.2g}") for share in (0.2, 0.5, 0.9, 1.3)]
    runs = {shown(rate): _descend(rate, 1, x=steep, w=1.0, target=0.0) for rate in rates}
    growing = [name for name, path in runs.items() if path[1][1] > path[0][1]]
    assert len(growing) == 1, runs
    ends = "; ".join(f"η = {name}: {shown(path[1][0])}" for name, path in runs.items())
    square = shown(steep**2)
    loss = "w²" if steep == 1 else f"{square}·w²"
    return choose(
        f"The loss is {loss}, its slope {shown(2 * steep**2)}·w, and w starts at 1. With which learning rate does the "
        "loss grow?",
        growing[0],
        list(runs),
        f"After one step w is, for {ends}. The loss grows if w is then farther from zero than before.",
        generator,
    )
