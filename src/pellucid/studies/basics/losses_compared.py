"""A loss for each task; and what a few outlying targets do to MSE, Huber's loss and MAE (for `mlp`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.losses import loss_and_gradient
from pellucid.evaluation.bootstrap import Estimate
from pellucid.network import mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.studies.learning import accuracy
from pellucid.studies.spread import mean_interval, share_interval, side, span
from pellucid.studies.story import Story
from pellucid.training.engine import Engine, make_engine

__all__ = ["CONTENDERS", "ROWS", "OneLoss", "Robust", "one_of_each", "robust", "spoilt_rows", "verdict"]

Array = NDArray[Any]

NOISE = 0.2  # standard deviation of the clean targets around the curve
HUBER = Loss(name="huber", delta=0.3)  # about 1.5 times the noise: ordinary errors are squared, outliers are not
CONTENDERS = {"MSE": Loss(name="mse"), "Huber": HUBER, "MAE": Loss(name="mae")}
ROWS, TEST, EPOCHS, RATE = 150, 400, 300, 0.01
DRAWS = 6

FORMULAS = {
    "bce": "−[y ln σ(z) + (1 − y) ln(1 − σ(z))]",
    "cross_entropy": "−ln softmax(z)_y",
    "mse": "(z − y)²",
    "huber": "½ e² where |e| ≤ δ, else δ (|e| − ½ δ), with e = z − y",
}


@dataclass(frozen=True, kw_only=True)
class OneLoss:
    """A loss, the task that it suits, and the network that was trained with it.

    Attributes
    ----------
    task, logits, link
        Such as ``two classes``; what the last layer gives; and the function from there to the answer.
    metric, value
        The score that people read besides the loss, on the test rows.
    test_loss
        On the same rows.
    """

    task: str
    loss: str
    formula: str
    logits: str
    link: str
    test_loss: float
    metric: str
    value: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Robust:
    """Root mean squared errors on clean test rows, one for each draw of data and initial weights.

    Attributes
    ----------
    share
        The requested share of spoilt training targets.
    count
        The number of spoilt training targets.
    clean, spoilt
        Errors ``[draws]`` of each loss, trained without and with outliers.
    gain
        MSE's error minus Huber's with outliers, paired by draw; the interval is over draws.
    """

    share: float
    count: int
    clean: dict[str, Array]
    spoilt: dict[str, Array]
    gain: Estimate


def spoilt_rows(share: float) -> int:
    """The number of training rows in a share.

    >>> spoilt_rows(0.1), spoilt_rows(0.003)
    (15, 0)
    """
    return round(share * ROWS)


def one_of_each(story: Story, share: float, *, hits: int, rows: int, loss: float) -> tuple[OneLoss, ...]:
    """Train one network for each loss; the one for several classes is the study's own.

    Parameters
    ----------
    story
        Is told the comparison.
    share
        The share of the training targets that is spoilt for Huber's loss; all losses are tested on clean rows.
    hits, rows, loss
        Of the study's own network: correct answers, number of test rows, and test loss.
    """
    story.heading("A loss for each task")
    story.say(
        "The loss is what training minimises; it has to suit the task. All networks end in unbounded numbers, logits; "
        "the link turns them into answers. Below, each loss has its own network: the moons (two classes) and the "
        "noisy wave y = sin(1.5 x) + 0.3 x are generated too; the three classes are those from above. "
        + (
            f"For Huber's loss {spoilt_rows(share)} of the {ROWS} training targets are spoilt; test rows never are."
            * (share > 0)
        )
    )
    far, far_y, _ = _wave(1_000, TEST, 0.0)
    spread = float(far_y.std())
    found = []
    for name, contender, part in (("mse", CONTENDERS["MSE"], 0.0), ("huber", HUBER, share)):
        x, y, _ = _wave(0, ROWS, part)
        engine = _fit_wave(contender, x, y, 0)
        answers = engine.logits(far).astype(np.float64)
        r2 = accuracy(contender, answers, far_y)
        value = loss_and_gradient(contender, answers, far_y).value
        found.append((name, value, r2 if name == "mse" else float(np.abs(answers - far_y).mean())))
    binary_loss, right, of = _moons()
    table = (
        OneLoss(task="two classes", loss="BCE with logits", formula=FORMULAS["bce"], logits="1", link="sigmoid",
                test_loss=binary_loss, metric="accuracy", value=right / of),
        OneLoss(task="several classes", loss="cross-entropy", formula=FORMULAS["cross_entropy"], logits="1 a class",
                link="softmax", test_loss=loss, metric="accuracy", value=hits / rows),
        OneLoss(task="numbers", loss="MSE", formula=FORMULAS["mse"], logits="1", link="none",
                test_loss=found[0][1], metric="R²", value=found[0][2]),
        OneLoss(task="numbers, outliers", loss=f"Huber, δ = {HUBER.delta:g}", formula=FORMULAS["huber"], logits="1",
                link="none", test_loss=found[1][1], metric="mean absolute error", value=found[1][2]),
    )  # fmt: skip
    story.table(
        "Each loss on a task that it suits",
        ("task", "loss", "formula for one row", "logits", "link"),
        [(r.task, r.loss, r.formula, r.logits, r.link) for r in table],
    )
    story.table(
        "What each network reached on its test rows",
        ("loss", "test loss", "metric", "value", "95 % interval"),
        [(r.loss, r.test_loss, r.metric, r.value, _wilson(r, right, of, hits, rows)) for r in table],
    )
    story.say(
        f"R² compares with always predicting the mean (R² 0; the targets' standard deviation is {spread:.2f}); "
        f"the mean absolute error is in the units of the target, whose noise alone causes about {0.8 * NOISE:.2f}. "
        "Values of different losses cannot be compared with each other."
    )
    return table


def robust(story: Story, share: float) -> Robust:
    """Plant outliers in the training targets and train with MSE, Huber's loss and MAE, draw by draw."""
    story.heading("Why Huber: some targets are wrong")
    story.say(
        f"Now {spoilt_rows(share)} of the {ROWS} training targets are spoilt: 3 to 6 is added, as by a faulty sensor. "
        "Each row pulls on the fit with the slope of its loss. With MSE the pull is proportional to the error, so one "
        f"outlier pulls as strongly as dozens of other rows; with Huber's loss the pull is at most δ = "
        f"{HUBER.delta:g}, with MAE it is always 1."
    )
    errors = np.array([[0.1], [1.0], [5.0]])
    pulls = {name: loss_and_gradient(each, errors, np.zeros_like(errors)) for name, each in CONTENDERS.items()}
    story.table(
        "The pull of one row, ∂ℓ/∂z, by its error",
        ("loss", *(f"error {e:g}" for e in errors[:, 0]), "strongest ÷ weakest"),
        [
            (name, *(float(d) * len(errors) for d in p.d_logits[:, 0]), float(p.d_logits[-1, 0] / p.d_logits[0, 0]))
            for name, p in pulls.items()
        ],
    )
    found = _race(share)
    _tell_race(story, found)
    return found


def verdict(found: Robust) -> str:
    """One sentence: whether Huber's loss was better than MSE with outliers."""
    mse, huber = (float(found.spoilt[name].mean()) for name in ("MSE", "Huber"))
    n = len(found.spoilt["MSE"])
    numbers = f"with {found.count} of {ROWS} targets spoilt, Huber's test error is {huber:.2f}, MSE's {mse:.2f}"
    match side(found.gain, n):
        case 1:
            return f"Huber's loss was more robust than MSE: {numbers}."
        case -1:
            return f"Huber's loss was worse than MSE here: {numbers}."
        case _:
            return f"Huber's loss and MSE did not differ clearly over {n} draws: {numbers}."


def _race(share: float) -> Robust:
    clean: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    spoilt: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for draw in range(DRAWS):
        far, far_y, _ = _wave(1_000 + draw, TEST, 0.0)
        for errors, part in ((clean, 0.0), (spoilt, share)):
            x, y, _ = _wave(draw, ROWS, part)
            for name, loss in CONTENDERS.items():
                answers = _fit_wave(loss, x, y, draw).logits(far)
                errors[name].append(float(np.sqrt(((answers - far_y) ** 2).mean())))
    arrays = [{name: np.array(each) for name, each in part.items()} for part in (clean, spoilt)]
    gain = mean_interval(arrays[1]["MSE"] - arrays[1]["Huber"])
    return Robust(share=share, count=spoilt_rows(share), clean=arrays[0], spoilt=arrays[1], gain=gain)


def _tell_race(story: Story, found: Robust) -> None:
    from pellucid.plots import fits, spread

    x, y, bad = _wave(0, ROWS, found.share)
    grid = np.linspace(-3, 3, 200)[:, None]
    lines = {name: _fit_wave(loss, x, y, 0).logits(grid)[:, 0] for name, loss in CONTENDERS.items()}
    story.draw(
        "outliers",
        lambda: fits.fitted_curves((x[:, 0], y[:, 0]), bad, grid[:, 0], lines, truth=_curve(grid)[:, 0],
                                   title=f"{int(bad.sum())} of {ROWS} targets are spoilt (first draw)"),
        "The same rows and initial weights, three losses: which curve do the outliers (crosses) pull up?",
    )  # fmt: skip
    estimates = {
        f"{name}, {what}": mean_interval(errors[name], within=(0, np.inf))
        for name in CONTENDERS
        for what, errors in (("no outliers", found.clean), (f"{found.count} outliers", found.spoilt))
    }
    story.table(
        f"Test error (root mean squared, clean rows), mean of {DRAWS} draws of data and initial weights",
        ("loss and training targets", "error", "95 % interval"),
        [(name, e.value, span(e)) for name, e in estimates.items()],
    )
    story.draw(
        "losses",
        lambda: spread.intervals(estimates, x_label="root mean squared error on clean test rows (units of y)",
                                 title=f"Mean of {DRAWS} draws, 95 % interval", reference=NOISE),
        f"The dotted line is the noise of clean rows, {NOISE:g}: no network can do better on average.",
    )  # fmt: skip
    price = mean_interval(found.clean["Huber"] - found.clean["MSE"])
    cost = ("has no clear cost", "costs a little", "is even better")[side(price, DRAWS)]
    below = "below" if found.gain.value >= 0 else "above"
    story.say(
        f"Draw by draw, Huber's error with outliers is on average {abs(found.gain.value):.3f} {below} that of MSE (95 "
        f"% interval of MSE's minus Huber's: {span(found.gain, signed=True)}). Without outliers, Huber's loss {cost}: "
        f"{f'{price.value:+.4f}'.replace('-', '−')} ({span(price, 4, signed=True)})."
    )


def _wave(draw: int, rows: int, share: float) -> tuple[Array, Array, Array]:
    """x ``[N, 1]`` and y ``[N, 1]`` of the noisy wave, and which targets are spoilt ``[N]``.

    The same draw with a different share has the same rows, so that runs can be compared in pairs.
    """
    generator = np.random.default_rng([draw, rows])
    x = generator.uniform(-3, 3, (rows, 1))
    y = _curve(x) + generator.normal(0, NOISE, (rows, 1))
    order, extra = generator.permutation(rows), generator.uniform(3, 6, rows)
    bad = order < round(share * rows)  # as `spoilt_rows` counts
    y[bad, 0] += extra[bad]
    return x, y, bad


def _curve(x: Array) -> Array:
    return np.asarray(np.sin(1.5 * x) + 0.3 * x)


def _fit_wave(loss: Loss, x: Array, y: Array, seed: int) -> Engine:
    network = mlp(1, [32, 32], 1, activation="tanh")
    return _fit(make_engine("textbook", network, loss, Optimizer(), initialise(network, seed), dtype="float32"), x, y)


def _fit(engine: Engine, x: Array, y: Array) -> Engine:
    """Full-batch Adam on the textbook engine, which is faster for networks this small."""
    engine.load_rows(x, y)
    rows = np.arange(len(x))
    for _ in range(EPOCHS):
        engine.step(rows, (), RATE)
    return engine


def _moons() -> tuple[float, int, int]:
    """Two classes with BCE: the test loss, the number of correct answers and the number of test rows."""
    from sklearn.datasets import make_moons

    points, classes = make_moons(900, noise=0.25, random_state=0)
    targets = classes.astype(np.float64)[:, None]
    network, loss = mlp(2, [16, 16], 1), Loss(name="bce")
    engine = make_engine("textbook", network, loss, Optimizer(), initialise(network, 0), dtype="float32")
    _fit(engine, points[:300], targets[:300])
    logits = engine.logits(points[300:]).astype(np.float64)
    right = int(((logits > 0) == (targets[300:] > 0.5)).sum())
    return loss_and_gradient(loss, logits, targets[300:]).value, right, len(logits)


def _wilson(row: OneLoss, right: int, of: int, hits: int, rows: int) -> str | None:
    if row.metric != "accuracy":
        return None
    return span(share_interval(right, of) if row.logits == "1" else share_interval(hits, rows))
