"""The lesson on optimisers: steps that depend on more than the current slope."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.engine import TextbookEngine
from pellucid.engines.textbook.optimizers import Memory, update
from pellucid.lessons.practice import train_full_batch
from pellucid.lessons.question import Question, choose, number
from pellucid.lessons.writing import in_brackets, pick, vector
from pellucid.network import mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer, OptimizerName
from pellucid.network.task import Loss
from pellucid.studies.story import Story, shown
from pellucid.studies.wording import counted, listed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["questions", "tell"]

Array = NDArray[Any]

TITLES: dict[OptimizerName, str] = {
    "sgd": "gradient descent",
    "momentum": "momentum",
    "rmsprop": "RMSprop",
    "adam": "Adam",
}
RATE = 0.1
STEEP = 100.0  # how much steeper the valley is across than along
STEEPNESS = np.array([1.0, STEEP])
VALLEY_START, VALLEY_STEPS = np.array([8.0, 1.5]), 100
VALLEY_RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)

ROWS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR = np.array([[0.0], [1.0], [1.0], [0.0]])
STARTS, STEPS, XOR_RATES = 5, 150, (0.01, 0.1, 1.0)


def tell(story: Story) -> None:
    """Tell how momentum, RMSprop and Adam step."""
    _tell_rules(story)
    _tell_valley(story)
    learned = _tell_xor(story)
    most = max(learned.values())
    best = [title for title, rates in learned.items() if rates == most]
    story.close(
        learned="Momentum remembers the direction, RMSprop the size of the slopes, Adam both. On XOR a "
        f"learning rate was {'easiest to find with' if len(best) < len(TITLES) else 'as easy to find with'} "
        f"{listed(best)}: all networks learned at {most} of the {len(XOR_RATES)} rates tried.",
        try_next="pellucid study xor",
    )


def _tell_rules(story: Story) -> None:
    rule = Optimizer()
    story.heading("What a step may remember")
    story.say(
        "Gradient descent only uses the current slope. An optimiser is a rule that computes a step from slopes, and "
        "better ones have a memory. Momentum keeps a velocity v: v ← μ·v + slope, then w ← w − η·v, with μ "
        f"usually {shown(rule.momentum)}. Slopes with the same sign add up; slopes with changing signs cancel."
    )
    story.say(
        "RMSprop uses sizes. It keeps a running mean of squared slopes, s ← α·s + (1 − α)·slope², and divides the "
        "slope by the root of s. So weights with small and with large slopes move equally fast. Adam does both: it "
        "keeps running means of the slope and of its square, starts both at zero and corrects for that start by "
        "dividing by 1 − βᵗ in step t. Its first step is therefore nearly η long, however large the slope is, while "
        "the first steps of RMSprop, which has no such correction, are longer."
    )
    rows = []
    for name, title in TITLES.items():
        large, small, wavering = _step_lengths(name, [4.0] * 10), _step_lengths(name, [0.04] * 10), _waver(name)
        rows.append((title, large[0], large[-1], small[0], small[-1], wavering))
    story.table(
        f"How far one weight moves, η = {shown(RATE)}",
        ("optimiser", "slope 4: step 1", "step 10", "slope 0.04: step 1", "step 10", "slope ±4 alternating: step 10"),
        rows,
    )


def _tell_valley(story: Story) -> None:
    story.heading("A narrow valley")
    story.say(
        f"The loss w₁² + {shown(STEEP)}·w₂² is a valley that is steep across and flat along. A learning rate that is "
        "small enough not to jump across is too small to move along. To be fair, each optimiser may try the learning "
        f"rates {', '.join(shown(rate) for rate in VALLEY_RATES)}, and its best by the loss after {VALLEY_STEPS} steps "
        "is shown."
    )
    rows, ends = [], {}
    rates: dict[OptimizerName, float] = {}
    for name, title in TITLES.items():
        tried = {rate: _walk_valley(name, rate) for rate in VALLEY_RATES}
        best = min(tried, key=lambda rate: tried[rate][-1])
        losses, rates[name] = tried[best], best
        ends[title] = losses[-1]
        rows.append((title, best, losses[0], losses[10], losses[VALLEY_STEPS // 2], losses[-1]))
    story.table(
        f"Loss from w = {vector(VALLEY_START)}",
        ("optimiser", "best η", "at first", "after 10", f"after {VALLEY_STEPS // 2}", f"after {VALLEY_STEPS}"),
        rows,
    )
    story.draw(
        "valley", lambda: _draw_valley(rates),
        f"The path of each optimiser at its best η, {VALLEY_STEPS} steps; the minimum is at 0, 0.",
    )  # fmt: skip
    order = sorted(ends, key=lambda title: ends[title])
    story.say(f"Lowest after {VALLEY_STEPS} steps: {order[0]}; highest: {order[-1]}.")


def _tell_xor(story: Story) -> dict[str, int]:
    """Returns, for each optimiser, at how many of the learning rates all networks learned."""
    story.heading("In a network")
    learned: dict[str, int] = {}
    rows: list[list[str | int]] = []
    for name, title in TITLES.items():
        solved = [sum(_learns_xor(name, rate, start) for start in range(STARTS)) for rate in XOR_RATES]
        learned[title] = sum(each == STARTS for each in solved)
        rows.append([title, *solved])
    story.say(
        f"The last table trains {counted(STARTS, 'network')} 2 → 4 → 1 on XOR, {STEPS} steps each, with every "
        "optimiser and several learning rates. So few networks only show a tendency."
    )
    story.table(
        f"How many of {STARTS} networks learned XOR",
        ("optimiser", *(f"η = {shown(rate)}" for rate in XOR_RATES)),
        rows,
    )
    story.draw(
        "network", _draw_network, f"One of them, trained with Adam at η = {shown(RATE)}: blue weights are above zero."
    )
    story.say(
        "Adam is the usual first choice: its first step is about η long whatever the size of the slope, and later ones "
        "depend on how well the slopes agree, not on their size (for alternating slopes ±4, step 10 was "
        f"{shown(_waver('adam'))} long at η = {shown(RATE)}). So one learning rate suits many networks. No optimiser "
        "is best everywhere, and each needs its own learning rate."
    )
    return learned


def _steps(rule: Optimizer, slopes: list[float], rate: float, w: float = 0.0) -> list[float]:
    """The weight after each of these slopes, with its start."""
    memory: Memory = {}
    path = [w]
    for t, slope in enumerate(slopes, 1):
        path.append(float(update(rule, np.array(path[-1]), np.array(slope), memory, rate, t)))
    return path


def _step_lengths(name: OptimizerName, slopes: list[float]) -> list[float]:
    path = _steps(Optimizer(name=name), slopes, RATE)
    return [abs(after - before) for before, after in pairwise(path)]


def _waver(name: OptimizerName) -> float:
    return _step_lengths(name, [4.0, -4.0] * 5)[-1]


def _walk_valley(name: OptimizerName, rate: float) -> list[float]:
    """The loss before each step and after the last; infinite once it has diverged."""
    losses = [_height(w) for w in _places(name, rate)]
    return losses + [float("inf")] * (VALLEY_STEPS + 1 - len(losses))


def _places(name: OptimizerName, rate: float) -> list[Array]:
    """The weights before each step and after the last, until they diverge."""
    w, memory, rule = VALLEY_START, Memory(), Optimizer(name=name)
    places = [w]
    for t in range(1, VALLEY_STEPS + 1):
        w = update(rule, w, 2 * STEEPNESS * w, memory, rate, t)
        if _height(w) > 1e12:
            break
        places.append(w)
    return places


def _height(w: Array) -> float:
    return float(STEEPNESS @ w**2)


def _draw_valley(best: dict[OptimizerName, float]) -> Figure:
    from pellucid.plots.descents import Valley, paths_down

    xx, yy = np.meshgrid(np.linspace(-4, 10, 141), np.linspace(-2, 2, 81))
    losses = STEEPNESS[0] * xx**2 + STEEPNESS[1] * yy**2
    paths = {f"{TITLES[name]}, η = {shown(rate)}": np.array(_places(name, rate)) for name, rate in best.items()}
    return paths_down(Valley(xx=xx, yy=yy, losses=losses), paths)


def _draw_network() -> Figure:
    from pellucid.plots.architecture import network_drawing

    engine = _trained("adam", RATE, 0)
    weights = engine.parameters()
    return network_drawing(
        ["inputs", "hidden", "answer"], [2, 4, 1], [weights["0.weight"], weights["2.weight"]], ["XOR"]
    )


def _learns_xor(name: OptimizerName, rate: float, start: int) -> bool:
    return bool(((_trained(name, rate, start).logits(ROWS) > 0) == (XOR > 0.5)).all())


def _trained(name: OptimizerName, rate: float, start: int) -> TextbookEngine:
    network = mlp(2, [4], 1, activation="tanh")
    engine, _ = train_full_batch(
        network, Loss(name="bce"), Optimizer(name=name), initialise(network, start), ROWS, XOR,
        learning_rate=rate, steps=STEPS,
    )  # fmt: skip
    return engine


# ── questions ──


def questions(generator: np.random.Generator) -> tuple[Question, ...]:
    """Five questions, with answers computed from the numbers that are drawn."""
    return (
        _ask_momentum(generator),
        _ask_terminal(generator),
        _ask_rmsprop(generator),
        _ask_adam(generator),
        _ask_alike(generator),
    )


def _ask_momentum(generator: np.random.Generator) -> Question:
    share = float(pick(generator, (0.5, 0.8, 0.9)))
    first, second = (float(pick(generator, values)) for values in ((2, 4, 6, 10), (-4, -2, 1, 3)))
    rate, w = 0.1, float(generator.integers(1, 6))
    path = _steps(Optimizer(name="momentum", momentum=share), [first, second], rate, w)
    v = share * first + second
    return number(
        f"A weight is {shown(w)}, the velocity 0; μ = {shown(share)}, η = {shown(rate)}. The slopes of the next two "
        f"steps are {shown(first)} and {shown(second)}. What is the weight after both, with momentum?",
        path[-1],
        f"v is {shown(first)}, then {shown(share)}·{shown(first)} + {in_brackets(second)} = {shown(v)}. The weight "
        f"goes {shown(w)} → {shown(path[1])} → {shown(path[2])}.",
        digits=2,
    )


def _ask_terminal(generator: np.random.Generator) -> Question:
    share = float(pick(generator, (0.5, 0.75, 0.8, 0.9)))
    path = _steps(Optimizer(name="momentum", momentum=share), [1.0] * 500, RATE)
    times = abs(path[-1] - path[-2]) / RATE
    return number(
        f"The slope stays the same for a long time, and μ = {shown(share)}. How many times as long as a step of "
        "gradient descent does a step with momentum become?",
        times,
        f"After many steps v no longer changes: v = {shown(share)}·v + slope, so v = slope / (1 − {shown(share)}) = "
        f"{shown(times)}·slope.",
        digits=0,
    )


def _ask_rmsprop(generator: np.random.Generator) -> Question:
    alpha, root = pick(generator, ((0.75, 0.5), (0.96, 0.2), (0.99, 0.1)))
    slope = float(pick(generator, (-20, -5, 2, 4, 50)))
    rate, w = float(pick(generator, (0.01, 0.1))), float(generator.integers(1, 6))
    after = _steps(Optimizer(name="rmsprop", alpha=alpha), [slope], rate, w)[-1]
    return number(
        f"RMSprop begins with s = 0 and α = {shown(alpha)}; η = {shown(rate)}. A weight is {shown(w)} and its first "
        f"slope {shown(slope)}. What is the weight after this step?",
        after,
        f"s = (1 − {shown(alpha)})·{shown(slope**2)}, its root is {shown(root * abs(slope))}, and slope / root = "
        f"{shown(slope / (root * abs(slope)))}. So w = {shown(w)} − {shown(rate)}·"
        f"{in_brackets(slope / (root * abs(slope)))} = {shown(after)}.",
        digits=2,
    )


def _ask_adam(generator: np.random.Generator) -> Question:
    slope = float(pick(generator, (-300, -7, 0.02, 5, 1000)))
    rate, w = float(pick(generator, (0.01, 0.1, 0.2))), float(generator.integers(-3, 4))
    after = _steps(Optimizer(name="adam"), [slope], rate, w)[-1]
    return number(
        f"Adam takes its very first step; η = {shown(rate)}. A weight is {shown(w)}, its slope {shown(slope)}. What is "
        "the weight afterwards?",
        after,
        f"In the first step the corrected running means are the slope itself and its square, so "
        f"slope / root = {shown(slope / abs(slope))} and w = {shown(w)} − {shown(rate)}·"
        f"{in_brackets(slope / abs(slope))} = {shown(after)}.",
        digits=2,
    )


def _ask_alike(generator: np.random.Generator) -> Question:
    """Whose first steps are equally long for a small and for a large slope? Each rule takes its first step."""
    name, title = pick(generator, (("adam", "Adam"), ("rmsprop", "RMSprop")))
    small, large = 10.0 ** -int(generator.integers(2, 5)), float(generator.integers(2, 20))
    rules: dict[str, OptimizerName] = {
        "gradient descent": "sgd",
        "momentum": "momentum",
        "momentum with a look ahead (Nesterov)": "nesterov",
        title: name,
    }
    ratios = {each: _ratio(rule, small, large) for each, rule in rules.items()}
    alike = [each for each, ratio in ratios.items() if ratio < 1.01]
    assert len(alike) == 1, ratios
    return choose(
        f"One weight has the slope {shown(small)}, another {shown(large)}. With which optimiser are the first steps of "
        "both (nearly) equally long?",
        alike[0],
        list(ratios),
        "How many times longer the second weight's first step is: "
        + "; ".join(f"{each} {shown(ratio)}" for each, ratio in ratios.items())
        + ". Dividing by the size of the slopes makes the steps equal.",
        generator,
    )


def _ratio(name: OptimizerName, small: float, large: float) -> float:
    rule = Optimizer(name=name)
    return _steps(rule, [large], RATE)[-1] / _steps(rule, [small], RATE)[-1]
