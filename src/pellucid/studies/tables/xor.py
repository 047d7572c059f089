"""XOR: a network from scratch and one in PyTorch learn it, and small initial weights keep the first from learning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.activations import sigmoid
from pellucid.evaluation.bootstrap import Estimate
from pellucid.network import Activation, Dense, Network, Scheme, mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.numerals import numeral
from pellucid.studies.learning import Line, at_least
from pellucid.studies.setup import learn_to_the_end
from pellucid.studies.spread import share_interval
from pellucid.studies.story import Story
from pellucid.studies.wording import counted
from pellucid.training.engine import make_engine
from pellucid.training.loop import Plan, Rows

__all__ = ["Shown", "Start", "Xor", "study"]

Array = NDArray[Any]

INPUTS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])  # [B=4, I=2]
TARGETS = np.array([[0.0], [1.0], [1.0], [0.0]])
ROWS = Rows(inputs=INPUTS, targets=TARGETS)
MSE, BCE = Loss(name="mse"), Loss(name="bce")
DESCENT, ADAM = Optimizer(name="sgd"), Optimizer(name="adam")
NEAR = 0.05  # answers within this distance of 0.5 are called about 0.5
LARGE_RATE = 1.0  # of Adam: one step throws weights of about 1 off
LONGER = 10  # the seeds are trained this many times as long as the network shown


@dataclass(frozen=True, kw_only=True, eq=False)
class Shown:
    """One of the networks shown.

    Attributes
    ----------
    lines
        The loss from epoch 0 on.
    answers
        The probability of a 1 for the rows 00, 01, 10, 11.
    solved
        Whether all four rounded answers are right.
    """

    lines: tuple[Line, ...]
    answers: Array
    solved: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Start:
    """One way to draw the initial weights, tried with many seeds.

    Attributes
    ----------
    gradient
        The largest slope of the loss with respect to a first-layer weight before the first step, median over the seeds.
    solved, solved_later
        How many seeds have all four rounded answers right after as many epochs as the network shown, and after ten
        times as many.
    epochs, shares
        The share of the seeds that solve XOR after each number of epochs.
    furthest
        The largest distance of an answer from 0.5 at the end, over all rows and seeds.
    """

    gradient: float
    solved: int
    solved_later: int
    epochs: tuple[int, ...]
    shares: tuple[float, ...]
    furthest: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Xor:
    """The figures of the study.

    Attributes
    ----------
    scratch, torch
        The two networks shown.
    starts
        By the name of the draw: ``uniform × 0.01``, ``uniform × 1``, ``normal × 0.01``, ``normal × 1``.
    torch_solved
        How many of the seeds the PyTorch network solves.
    """

    scratch: Shown
    torch: Shown
    starts: dict[str, Start]
    torch_solved: int


DRAWS: dict[str, tuple[Scheme, float, str]] = {
    "uniform × 0.01": ("uniform", 0.01, "a hundredth of uniform × 1"),
    "uniform × 1": ("uniform", 1.0, "uniform between ±1/√inputs, biases too: the default of torch.nn.Linear"),
    "normal × 0.01": ("normal", 0.01, "a hundredth of normal × 1"),
    "normal × 1": ("normal", 1.0, "normal with standard deviation 1, biases 0"),
}


def study(
    story: Story,
    *,
    hidden: Annotated[int, "hidden neurons"] = 4,
    lr: Annotated[float, "learning rate of the network from scratch, for half the squared error"] = 1.0,
    torch_lr: Annotated[float, "learning rate of Adam in the PyTorch network"] = 0.1,
    epochs: Annotated[int, "steps of the networks shown, each on all four rows"] = 1000,
    seeds: Annotated[int, "how many seeds to compare"] = 50,
    seed: Annotated[int, "of the initial weights of the networks shown"] = 42,
) -> Xor:
    """Show how two networks learn XOR, and how much depends on the initial weights.

    Raises
    ------
    SettingError
        A setting breaks its rule.
    DivergenceError
        The loss stops being finite: a learning rate is too large.
    """
    at_least("seeds", seeds, 1)
    at_least("seed", seed, 0)
    network, torch_network = _from_scratch(hidden), mlp(2, [hidden], 1)
    # The slope of ½ (ŷ − y)², as textbooks have it, is half of that of our mean squared error.
    plan = Plan(learning_rate=lr / 2, batch_size=len(ROWS), epochs=epochs, keep="last", seed=seed)
    torch_plan = Plan(learning_rate=torch_lr, batch_size=len(ROWS), epochs=epochs, keep="last", seed=seed)

    story.heading("From scratch")
    story.say("XOR is 1 if exactly one of the two inputs is 1. No single neuron can learn it, because no straight line "
              "separates the two ones from the two zeros; with a hidden layer, the boundary can bend.")  # fmt: skip
    story.say(f"The first network, 2 → {hidden} → 1, is written in NumPy: sigmoid in the hidden layer and at the "
              f"output, mean squared error, plain gradient descent for {epochs:,} epochs. Its initial weights are "
              f"drawn from the normal distribution with standard deviation 1 (seed {seed}), its biases are 0. The step "
              f"is that of textbooks: learning rate {lr:g} times the slope of ½ (ŷ − y)², where the ½ cancels the 2 of "
              f"the square's derivative. For the squared error without the ½ this is a rate of {lr / 2:g}."
              )  # fmt: skip
    scratch = _show("textbook", network, MSE, DESCENT, plan, initialise(network, seed, scheme="normal"))
    _tell_losses(story, scratch, "mean squared error", epochs)
    story.say(_verdict("It", scratch, epochs))

    story.heading("In PyTorch")
    story.say("The second network has the same widths, but ReLU in the hidden layer, binary cross-entropy as the loss "
              f"and Adam with learning rate {torch_lr:g}; PyTorch computes the gradient by itself. Its initial weights "
              "follow PyTorch's default.")  # fmt: skip
    torch = _show("torch", torch_network, BCE, ADAM, torch_plan, initialise(torch_network, seed, scheme="uniform"))
    _tell_losses(story, torch, "binary cross-entropy", epochs)
    story.say(_verdict("It", torch, epochs))
    _tell_both(story, scratch, torch)

    starts = _tell_starts(story, network, plan, seeds)
    torch_solved = _tell_torch_seeds(story, torch_network, torch_plan, seeds)
    result = Xor(scratch=scratch, torch=torch, starts=starts, torch_solved=torch_solved)
    _close(story, result, epochs, seeds, hidden)
    return result


def _from_scratch(hidden: int) -> Network:
    """2 → hidden → 1 that ends in a sigmoid, so that the squared error is that of a probability."""
    bend = Activation(function="sigmoid")
    layers = (Dense(inputs=2, outputs=hidden), bend, Dense(inputs=hidden, outputs=1), bend)
    return Network(inputs=2, layers=layers)


def _show(
    engine_name: str, network: Network, loss: Loss, rule: Optimizer, plan: Plan, first: dict[str, Array]
) -> Shown:
    from pellucid.engines.device import use_threads

    use_threads(1)
    engine = make_engine(engine_name, network, loss, rule, first, dtype="float64", device="cpu")
    lines = learn_to_the_end(engine, ROWS, plan, watched={"all": ROWS}, every=max(1, plan.epochs // 100))
    out = engine.logits(INPUTS)[:, 0]
    answers = sigmoid(out) if loss is BCE else out
    return Shown(lines=lines, answers=answers, solved=bool(_solved(answers[np.newaxis])[0]))


def _solved(answers: Array) -> Array:
    """Whether all four rounded answers of each network are right: ``[S, 4]`` to ``[S]``."""
    right: Array = ((answers > 0.5) == (TARGETS[:, 0] > 0.5)).all(axis=1)
    return right


# ── telling ──


def _tell_losses(story: Story, shown: Shown, what: str, epochs: int) -> None:
    step = max(1, epochs // 10)
    rows = [(e.epoch, e.losses["all"]) for e in shown.lines if e.epoch % step == 0 or e.epoch == epochs]
    story.table(f"Loss every {step:,} epochs", ("epoch", what), rows)


def _verdict(name: str, shown: Shown, epochs: int) -> str:
    worst = float(np.abs(shown.answers - TARGETS[:, 0]).max())
    if shown.solved:
        return (f"{name} solved XOR: after {epochs:,} epochs all four rounded answers are right, and the largest "
                f"distance of an answer from its target is {numeral(worst, 2)}.")  # fmt: skip
    right = int(((shown.answers > 0.5) == (TARGETS[:, 0] > 0.5)).sum())
    return f"{name} did not solve XOR in {epochs:,} epochs: {right} of the 4 rounded answers are right."


def _tell_both(story: Story, scratch: Shown, torch: Shown) -> None:
    rows = [
        (int(a), int(b), int(target), p, round(p), "right" if round(p) == target else "wrong", q, round(q),
         "right" if round(q) == target else "wrong")
        for (a, b), target, p, q in zip(INPUTS, TARGETS[:, 0], scratch.answers.tolist(), torch.answers.tolist(),
                                        strict=True)
    ]  # fmt: skip
    story.table(
        "Answers",
        ("a", "b", "XOR", "NumPy", "rounded", "", "PyTorch", "rounded", ""),
        rows,
    )

    def draw() -> Any:
        from pellucid.plots.curves import curve_panels

        panels = [
            (title, {title: ([e.epoch for e in shown.lines], [e.losses["all"] for e in shown.lines])})
            for title, shown in (
                ("NumPy: mean squared error", scratch),
                ("PyTorch: binary cross-entropy", torch),
            )
        ]
        return curve_panels(panels, y_label="loss", share_y=False, legend=False)

    story.draw("loss", draw, "The loss of the two networks; they use different losses, so the axes differ too.")


def _tell_starts(story: Story, network: Network, plan: Plan, seeds: int) -> dict[str, Start]:
    later = LONGER * plan.epochs
    story.heading("Why the initial weights matter")
    which = "0" if seeds == 1 else f"0 to {seeds - 1:,}"
    story.say(f"The network from scratch is trained again, with four ways to draw the initial weights, "
              f"{counted(seeds, 'seed')} each ({which}), for {later:,} epochs; only the initial weights differ. A seed "
              "counts as solved if all four rounded answers are right. Watch the smallest weights: they are random, "
              "and yet nearly equal.")  # fmt: skip
    story.table(
        "Initial weights", ("name", "how they are drawn"), [(name, text) for name, (_, _, text) in DRAWS.items()]
    )
    starts = _train_starts(network, plan, seeds)
    rows = [
        (name, s.gradient, _count(s.solved, seeds), _count(s.solved_later, seeds)) for name, s in starts.items()
    ]  # fmt: skip
    headings = ("initial weights", "first slope", f"solved after {plan.epochs:,}", f"solved after {later:,}")
    story.table(f"Solved, of {counted(seeds, 'seed')} (95 % interval of the share)", headings, rows)

    def draw() -> Any:
        from pellucid.plots.curves import curves

        series = {name: (s.epochs, [100 * share for share in s.shares]) for name, s in starts.items()}
        title = f"How many of {counted(seeds, 'seed')} have solved XOR"
        x_label, y_label = "epoch (logarithmic)", "solved, % of seeds"
        return curves(series, title=title, x_label=x_label, y_label=y_label, log_x=True)

    story.draw("starts", draw, "The share of the seeds that solve XOR after each number of epochs.")
    small, unit = starts["uniform × 0.01"], starts["uniform × 1"]
    story.say("The first slope is the largest slope of the loss with respect to a weight of the first layer, before "
              f"the first step (median over the seeds): {numeral(small.gradient, 2)} for uniform × 0.01 against "
              f"{numeral(unit.gradient, 2)} for uniform × 1. In the backward pass, the slopes of the first layer are "
              "multiplied by weights of the second, so tiny weights give tiny slopes; and hidden neurons that start "
              "nearly equal learn nearly the same.")  # fmt: skip
    if small.solved_later == starts["normal × 0.01"].solved_later == 0:
        furthest = max(small.furthest, starts["normal × 0.01"].furthest)
        story.say(f"With the weights × 0.01, not one seed was solved in {later:,} epochs. "
                  + (f"The network answers about 0.5 to every row: over all seeds, no answer lies further than "
                     f"{numeral(furthest, 2)} from it." if furthest <= NEAR
                     else f"Some answers have moved, the furthest {numeral(furthest, 2)} away from 0.5, but for no "
                     "seed are all four on the right side."))  # fmt: skip
    return starts


def _train_starts(network: Network, plan: Plan, seeds: int) -> dict[str, Start]:
    """Train all seeds of all draws side by side, measuring them during training."""
    from pellucid.training.many import logits_of_many, train_many

    first = [
        initialise(network, seed, scheme=scheme, scale=scale)
        for scheme, scale, _ in DRAWS.values()
        for seed in range(seeds)
    ]
    slopes = np.array([_first_slope(network, each) for each in first]).reshape(len(DRAWS), seeds)
    solved: dict[int, Array] = {}
    furthest: dict[int, Array] = {}

    def look(epoch: int) -> Callable[[dict[str, Array]], None]:
        def note(parameters: dict[str, Array]) -> None:
            answers = logits_of_many(network, parameters, INPUTS)[:, :, 0]  # [S, 4]
            solved[epoch] = _solved(answers).reshape(len(DRAWS), seeds).sum(axis=1)
            furthest[epoch] = np.abs(answers - 0.5).reshape(len(DRAWS), -1).max(axis=1)

        return note

    last = LONGER * plan.epochs
    # 40 epochs, evenly spaced on a logarithmic axis, and the two of the table.
    places = {int(e) for e in np.geomspace(min(10, last), last, 40).round()} | {plan.epochs, last}
    train_many(network, MSE, DESCENT, first, INPUTS, TARGETS, learning_rate=plan.learning_rate, epochs=last,
               at={epoch: look(epoch) for epoch in places}, dtype="float64")  # fmt: skip
    epochs = tuple(sorted(places))
    return {
        name: Start(
            gradient=float(np.median(slopes[i])),
            solved=int(solved[plan.epochs][i]),
            solved_later=int(solved[last][i]),
            epochs=epochs,
            shares=tuple(float(solved[epoch][i]) / seeds for epoch in epochs),
            furthest=float(furthest[last][i]),
        )
        for i, name in enumerate(DRAWS)
    }


def _first_slope(network: Network, parameters: dict[str, Array]) -> float:
    engine = make_engine("textbook", network, MSE, DESCENT, parameters, dtype="float64")
    engine.load_rows(INPUTS, TARGETS)
    return float(np.abs(engine.gradients(np.arange(len(INPUTS)), [])[1]["0.weight"]).max())


def _tell_torch_seeds(story: Story, network: Network, plan: Plan, seeds: int) -> int:
    from pellucid.training.many import logits_of_many, train_many

    first = [initialise(network, seed, scheme="uniform") for seed in range(seeds)]
    last = train_many(network, BCE, ADAM, first, INPUTS, TARGETS, learning_rate=plan.learning_rate,
                      epochs=plan.epochs, dtype="float64")  # fmt: skip
    solved = int(_solved(logits_of_many(network, last, INPUTS)[:, :, 0] + 0.5).sum())  # a logit above 0 answers 1
    said = (
        f"From the same seeds the PyTorch network solves XOR in {_count(solved, seeds)} within {plan.epochs:,} epochs. "
    )
    if solved == seeds:
        said += "No seed failed."
    elif not solved and seeds > 1 and plan.learning_rate > LARGE_RATE:
        said += (f"The cause is not the seeds but the learning rate: Adam moves every weight by about "
                 f"{plan.learning_rate:g} in a step, so the first steps throw the weights far off, and ReLU neurons "
                 "become 0 on all four rows; such dead neurons have slope 0 and never learn. Try --torch-lr "
                 "0.1.")  # fmt: skip
    elif not solved and seeds > 1:
        said += "As no seed succeeds, it is not bad luck: more epochs or another rate may help."
    else:
        said += ("That is luck: ReLU neurons that are 0 on all four rows (dead neurons) have slope 0 and never learn; "
                 "with few neurons, the remaining ones may not be enough.")  # fmt: skip
    story.say(said)
    return solved


def _count(hits: int, n: int) -> str:
    estimate: Estimate = share_interval(hits, n)
    return f"{hits} of {n} ({100 * estimate.low:.0f} – {100 * estimate.high:.0f} %)"


def _close(story: Story, result: Xor, epochs: int, seeds: int, hidden: int) -> None:
    small, unit = result.starts["uniform × 0.01"], result.starts["uniform × 1"]
    figures = (f"with weights × 0.01 the same network solved XOR from {small.solved_later} of "
               f"{counted(seeds, 'seed')} in {LONGER * epochs:,} epochs, with weights × 1 from {unit.solved} of "
               f"{seeds} in {epochs:,} and from {unit.solved_later} in {LONGER * epochs:,}")  # fmt: skip
    if small.solved_later < unit.solved_later:
        learned = f"The initial weights decide whether a network learns at all: {figures}."
    else:
        learned = f"Here the initial weights did not decide: {figures}."
    more = f"pellucid study xor --hidden {2 * hidden}" if unit.solved < seeds else "pellucid study circles"
    story.close(learned=learned, try_next=more)
