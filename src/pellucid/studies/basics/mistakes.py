"""The common mistakes, made on purpose: how each shows, what Pellucid says, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DivergenceError, SettingError
from pellucid.network import Network, mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.numerals import numeral
from pellucid.studies.basics import mistakes_caught
from pellucid.studies.basics.mistakes_caught import Mistake, tell
from pellucid.studies.learning import at_least
from pellucid.studies.story import Story
from pellucid.training.engine import make_engine
from pellucid.training.loop import Plan, Rows, fit
from pellucid.training.pace import Pace, Verdict, judge_pace

if TYPE_CHECKING:
    from pellucid.engines.torch_engine.by_hand import Loop

__all__ = ["Mistakes", "study"]

Array = NDArray[Any]

LOSS = Loss(name="bce")
SMALL, RIGHT, LARGE = "too small", "right", "too large"
HOUSE_RATE = 0.01

SEEN: dict[Pace, str] = {
    "learns": "nothing wrong: the loss falls",
    "crawls": "the loss falls so slowly that training easily seems finished",
    "oscillates": "the loss jumps up and down instead of falling",
    "diverges": "the loss rises instead of falling",
    "stands still": "the loss stays about where it was",
}
ADDED_UP: dict[Pace, str] = {
    "learns": "; here it learns all the same, as with momentum that never decays",
    "crawls": ", and yet the loss hardly falls",
    "oscillates": ", and the weights overshoot the minimum again and again",
    "diverges": ", and the weights move away from the minimum",
    "stands still": ", and yet the loss does not change",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Mistakes:
    """The figures of the study.

    Attributes
    ----------
    mistakes
        In the order made.
    losses
        The loss before each step, by loop: three learning rates and three forgotten lines.
    verdicts
        The verdict of `judge_pace` on each loop.
    moved
        For each loop, the largest change of any weight.
    gradient_growth
        The largest gradient norm without ``zero_grad``, divided by the largest with it.
    house_losses
        Mean loss of each epoch on the house prices, with the column standardised.
    """

    mistakes: tuple[Mistake, ...]
    losses: Mapping[str, Array]
    verdicts: Mapping[str, Verdict]
    moved: Mapping[str, float]
    gradient_growth: float
    house_losses: tuple[float, ...]


def study(
    story: Story,
    *,
    small: Annotated[float, "a learning rate that is too small"] = 0.001,
    right: Annotated[float, "a learning rate that suits"] = 0.5,
    large: Annotated[float, "a learning rate that is too large"] = 10.0,
    epochs: Annotated[int, "steps, each on all rows (full batch)"] = 200,
    seed: Annotated[int, "of the first weights"] = 0,
) -> Mistakes:
    """Make the common mistakes, and show how each looks and what Pellucid says.

    Raises
    ------
    SettingError
        A setting breaks its rule.
    """
    at_least("epochs", epochs, 4)
    at_least("seed", seed, 0)
    for name, rate in (("small", small), ("right", right), ("large", large)):
        if not 0 < rate < np.inf:
            raise SettingError(f"{name} must be above 0 and finite, it is a learning rate: got {rate!r}")
    if not small < right < large:
        raise SettingError(f"small, right and large must be in that order, got {small:g}, {right:g} and {large:g}")
    from pellucid.engines.device import use_threads

    use_threads(1)
    points, targets = _circles()
    network = mlp(2, [16, 16], 1, activation="tanh")
    first = initialise(network, seed)

    story.say(
        "The data are two circles of points, one inside the other, 400 training rows; the network is 2 → 16 → 16 → 1 "
        "with tanh, trained by plain gradient descent. Each mistake is made on purpose. What Pellucid says is quoted "
        "from this run, word for word."
    )
    made = list(mistakes_caught.shapes(story, network, first, points, targets))
    rates = {SMALL: small, RIGHT: right, LARGE: large}
    loops = {name: _loop(network, first, points, targets, rate, epochs) for name, rate in rates.items()}
    verdicts = {name: _judge(loop, rates[name]) for name, loop in loops.items()}
    made += _tell_rates(story, loops, verdicts, rates)
    scale, house_losses = _tell_scale(story, seed)
    made.append(scale)

    for forgotten in ("step", "backward", "zero_grad"):
        loops[f"no {forgotten}"] = _loop(network, first, points, targets, right, epochs, forgotten)
        verdicts[f"no {forgotten}"] = _judge(loops[f"no {forgotten}"], right)
    moved = {name: _moved(first, loop) for name, loop in loops.items()}
    made += _tell_forgotten(story, loops, verdicts, moved)
    made.append(mistakes_caught.devices(story, network, first, points))
    growth = _growth(loops)
    _tell_pictures(story, loops, rates)
    _close(story, made, verdicts, growth)
    return Mistakes(
        mistakes=tuple(made),
        losses={name: loop.losses for name, loop in loops.items()},
        verdicts=verdicts,
        moved=moved,
        gradient_growth=growth,
        house_losses=house_losses,
    )


def _circles() -> tuple[Array, Array]:
    from sklearn.datasets import make_circles

    points, classes = make_circles(400, noise=0.1, factor=0.5, random_state=42)
    return points, classes.astype(np.float64)[:, None]


def _loop(
    network: Network,
    first: dict[str, Array],
    points: Array,
    targets: Array,
    rate: float,
    epochs: int,
    forget: Any = None,
) -> Loop:
    from pellucid.engines.torch_engine.by_hand import run_loop

    return run_loop(network, LOSS, first, points, targets, learning_rate=rate, steps=epochs, forget=forget)


def _judge(loop: Loop, rate: float) -> Verdict:
    return judge_pace(loop.losses.tolist(), learning_rate=rate)


def _moved(first: dict[str, Array], loop: Loop) -> float:
    """The largest change of a weight, in the loop's own precision; exactly 0 where none has changed."""
    return max(float(np.abs(last - first[name].astype(last.dtype)).max()) for name, last in loop.parameters.items())


def _growth(loops: Mapping[str, Loop]) -> float:
    return float(loops["no zero_grad"].gradient_norms.max() / loops[RIGHT].gradient_norms.max())


# ── the learning rate ──


def _tell_rates(
    story: Story, loops: Mapping[str, Loop], verdicts: Mapping[str, Verdict], rates: Mapping[str, float]
) -> list[Mistake]:
    story.heading("The learning rate: too small, too large")
    story.say(
        "A step moves each weight against its gradient, scaled by the learning rate. With a rate too small the loss "
        "falls, but very slowly; with one too large each step overshoots the minimum, and the loss oscillates or grows."
    )
    n = len(loops[RIGHT].losses)
    places = sorted({0, 1, 2, 5, n // 4, n // 2, n - 1} & set(range(n)))
    story.table(
        "The loss at some epochs, and the share of steps in which it rose",
        ("rate", *(f"epoch {i + 1}" for i in places), "rises", "verdict"),
        [
            (f"{rates[name]:g}", *(float(loops[name].losses[i]) for i in places),
             f"{100 * verdicts[name].rises:.0f} %", verdicts[name].kind)
            for name in (SMALL, RIGHT, LARGE)
        ],
    )  # fmt: skip
    if verdicts[RIGHT].kind == "learns":
        story.say(f"With the learning rate {rates[RIGHT]:g} training goes well: {verdicts[RIGHT].evidence}.")
    else:
        story.say(f"The learning rate {rates[RIGHT]:g}, given as suitable, is not: {verdicts[RIGHT].evidence}.")
    made = []
    for name in (SMALL, LARGE):
        verdict = verdicts[name]
        mistake = Mistake(
            name=f"A learning rate {name}",
            done=f"a learning rate of {rates[name]:g}",
            seen=_seen(verdict),
            says=f"it {_said(verdict)}",
            remedy=verdict.remedy or "none is needed: with these settings it learns",
        )
        tell(story, mistake)
        made.append(mistake)
    return made


def _tell_scale(story: Story, seed: int) -> tuple[Mistake, tuple[float, ...]]:
    """House prices from the size in square metres: a rate that suits standardised columns diverges here."""
    story.heading("A learning rate too large for this column")
    generator = np.random.default_rng(seed)
    area = generator.uniform(40, 200, (320, 1))  # square metres
    price = 3 * area + generator.normal(0, 30, (320, 1))  # thousands
    story.say(
        f"What is too large depends on the scale of the columns. A line is fitted to 320 generated houses, price from "
        f"size in square metres, sizes up to {area.max():.0f}, with a learning rate of {HOUSE_RATE:g}: small enough "
        "for columns with values around 1, but the gradient grows with the column."
    )
    network = mlp(1, [], 1)
    plan = Plan(learning_rate=HOUSE_RATE, batch_size=16, epochs=20, keep="last", seed=seed)

    def train(inputs: Array) -> tuple[float, ...]:
        engine = make_engine("textbook", network, Loss(name="mse"), Optimizer(name="sgd"), initialise(network, seed),
                             dtype="float32")  # fmt: skip
        rows = Rows(inputs=inputs, targets=price)
        return tuple(epoch.train_loss for epoch in fit(engine, rows, rows, plan).history)

    message = ""
    with np.errstate(over="ignore", invalid="ignore"):  # to overflow is the point
        try:
            train(area)
        except DivergenceError as error:
            message = str(error)
    assert message, "a column in the hundreds diverges at this rate whatever the seed"
    losses = train((area - area.mean()) / area.std())
    mistake = Mistake(
        name="A column that is not standardised",
        done=f"sizes up to {area.max():.0f}, not standardised, learning rate {HOUSE_RATE:g}",
        seen="each step overshoots by more than the one before, until the loss is no longer finite",
        says=message,
        remedy=f"standardise: with the same rate the loss then falls from {losses[0]:,.0f} to {losses[-1]:,.0f}",
    )
    tell(story, mistake)
    return mistake, losses


# ── a forgotten line ──


def _tell_forgotten(
    story: Story, loops: Mapping[str, Loop], verdicts: Mapping[str, Verdict], moved: Mapping[str, float]
) -> list[Mistake]:
    story.heading("A forgotten line")
    story.say(
        "In PyTorch you write the loop yourself: zero_grad, forward, loss, backward, step. PyTorch adds each new "
        "gradient to the old one, so zero_grad has to clear it; backward computes it; step uses it. Each of these "
        "lines can be forgotten, and no error is raised. Pellucid's engine.step does all of it in one call, "
        "so there is nothing to forget; the verdicts below are derived from the losses."
    )
    normal, added = loops[RIGHT].gradient_norms, loops["no zero_grad"].gradient_norms
    places = sorted({0, 1, 4, 9, len(added) - 1} & set(range(len(added))))
    story.table(
        "The length (norm) of the gradient",
        ("loop", *(f"step {i + 1}" for i in places), "longest"),
        [
            (name, *(float(norms[i]) for i in places), float(norms.max()))
            for name, norms in (("with zero_grad", normal), ("without", added))
        ],
    )
    still = "the weights are bit-identical to before" if not moved["no step"] else "weights have changed"
    made = [
        Mistake(
            name="No step",
            done="forward, loss and backward, but no update",
            seen=f"{still}: the largest change is {numeral(moved['no step'])}",
            says=f"it {_said(verdicts['no step'])}",
            remedy="optimizer.step() after loss.backward()",
        ),
        Mistake(
            name="No backward",
            done="forward, loss and step, but no gradient",
            seen="step finds no gradient and does nothing, without a warning; the largest change of a weight is "
            f"{numeral(moved['no backward'])}",
            says=f"it {_said(verdicts['no backward'])}",
            remedy="loss.backward() before optimizer.step()",
        ),
        Mistake(
            name="No zero_grad",
            done="each step uses the sum of all gradients so far",
            seen=f"the longest gradient is {numeral(_growth(loops), 3)} times as long as the longest with zero_grad"
            + ADDED_UP[verdicts["no zero_grad"].kind],
            says=f"it {_said(verdicts['no zero_grad'])}",
            remedy="optimizer.zero_grad() before each backward",
        ),
    ]
    for mistake in made:
        tell(story, mistake)
    return made


def _seen(verdict: Verdict) -> str:
    """What the loss curve shows without help."""
    return SEEN[verdict.kind]


def _said(verdict: Verdict) -> str:
    return f"{verdict.kind}: {verdict.evidence}" + (f"; {verdict.remedy}" if verdict.remedy else "")


# ── the end ──


def _tell_pictures(story: Story, loops: Mapping[str, Loop], rates: Mapping[str, float]) -> None:
    from pellucid.plots import curves

    story.heading("How they look")
    names = {SMALL: f"too small, {rates[SMALL]:g}", RIGHT: f"right, {rates[RIGHT]:g}",
             LARGE: f"too large, {rates[LARGE]:g}", "no step": "no step"}  # fmt: skip
    steps = np.arange(1, len(loops[RIGHT].losses) + 1)
    story.draw(
        "losses",
        lambda: curves.curves(
            {text: (steps, loops[name].losses) for name, text in names.items()},
            title="Four loss curves worth recognising", y_label="loss (BCE)", log_y=True,
        ),
        "Learning rates too small, right and too large, and a loop without its step. All start at the same loss; the "
        f"line without a step is flat{_beside(loops[SMALL].losses)}.",
    )  # fmt: skip
    story.draw(
        "gradients",
        lambda: curves.curves(
            {"with zero_grad": (steps, loops[RIGHT].gradient_norms),
             "without zero_grad": (steps, loops["no zero_grad"].gradient_norms)},
            title="Gradients that add up", y_label="length of the gradient", log_y=True,
        ),
        "Without zero_grad each gradient is added to all before it.",
    )  # fmt: skip


def _beside(losses: Array) -> str:
    """Where the curve of the small rate lies compared with the flat line at its first loss."""
    return ", and the one with the small rate lies close to it" * bool((np.abs(losses / losses[0] - 1) < 0.1).all())


def _close(story: Story, made: list[Mistake], verdicts: Mapping[str, Verdict], growth: float) -> None:
    story.table("All mistakes", ("mistake", "how it shows", "remedy"), [(m.name, m.seen, m.remedy) for m in made])
    small, large = verdicts[SMALL], verdicts[LARGE]
    pace = (
        f"at the pace of the small learning rate the loss would need about {small.needed:,} epochs to halve"
        if small.needed is not None
        else f"with the small learning rate it {small.kind}"
    )
    story.close(
        learned="Wrong shapes and devices raise an error at once, and the message says what is wrong. A poor learning "
        f"rate and a forgotten line raise no error; they show in the losses: {pace}; with the large one it "
        f"{large.kind}, and the loss rose in {100 * large.rises:.0f} % of the steps; without step it "
        f"{verdicts['no step'].kind}, with the same loss to the last digit; without zero_grad the longest gradient was "
        f"{numeral(growth, 3)} times as long.",
        try_next="pellucid study mistakes --large 3",
    )
