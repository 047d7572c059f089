"""Handwritten digits or pictures of clothes: mini-batch training, predictions, mistakes, the confusion matrix."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.images.download import SETS, locate
from pellucid.engines.textbook.activations import softmax
from pellucid.errors import DivergenceError, SettingError
from pellucid.evaluation.bootstrap import Estimate
from pellucid.network import Network, batch_shape, describe, mlp
from pellucid.network.cnn import cnn
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.plots import curves
from pellucid.studies.drawn_network import draw_network
from pellucid.studies.images.image_answers import SURE, Answers, judge, tell_answers
from pellucid.studies.images.image_sets import CLOTHES, DIGITS, ImageSet, digits, idx_set, rows_of
from pellucid.studies.images.seen_maps import draw_blocks, n_trainable, tell_maps
from pellucid.studies.learning import at_least
from pellucid.studies.setup import widths
from pellucid.studies.story import Story
from pellucid.studies.wording import listed
from pellucid.training.engine import Engine, make_engine
from pellucid.training.history import Epoch
from pellucid.training.loop import Plan, Rows, fit
from pellucid.training.schedules import Schedule

__all__ = ["Mnist", "study"]

Array = NDArray[Any]

NAMES = {"mnist": DIGITS, "fashion": CLOTHES}
EPOCHS, EPOCHS_OF_FEW = 5, 40
HIDDEN = (256, 128)


@dataclass(frozen=True, kw_only=True, eq=False)
class Mnist:
    """The figures of the study.

    Attributes
    ----------
    data, fallback
        The title of the data, and whether scikit-learn's digits were used because the data set was not available.
    train_rows, test_rows, parameters
        Number of training images, of test images and of the network's parameters.
    mean, deviation
        Mean and standard deviation of the training pixels, brightness from 0 to 1.
    history
        One entry per epoch; its ``validation_*`` fields are for the test images, which choose nothing.
    answers
        The network's answers on the test images, with the accuracy, the confusion matrix and the mistakes.
    seconds
        From reading to the last measurement, without drawing.
    """

    data: str
    fallback: bool
    names: tuple[str, ...]
    train_rows: int
    test_rows: int
    parameters: int
    mean: float
    deviation: float
    history: tuple[Epoch, ...]
    answers: Answers
    seconds: float

    @property
    def accuracy(self) -> Estimate:
        """On the test images, with Wilson's 95 % interval."""
        return self.answers.accuracy


def study(
    story: Story,
    *,
    dataset: Annotated[str, "mnist or fashion"] = "mnist",
    data_dir: Annotated[str | None, "a folder with the four idx files; default: the cache, or else a download"] = None,
    network: Annotated[str, "mlp (fully connected) or cnn (convolutional)"] = "mlp",
    hidden: Annotated[
        tuple[int, ...] | None, "widths of the hidden layers; default: 256,128, or none for a cnn"
    ] = None,
    channels: Annotated[tuple[int, ...], "channels of each stage of a cnn"] = (16, 32, 64),
    dropout: Annotated[float, "share of hidden units dropped in training"] = 0.2,
    epochs: Annotated[int | None, "passes over the training images; default: 5, or 40 for the built-in digits"] = None,
    batch_size: Annotated[int, "images per step"] = 64,
    lr: Annotated[float, "highest learning rate of Adam"] = 0.001,
    schedule: Annotated[str, "cosine: the rate falls to 0 over the epochs; constant: it stays the same"] = "cosine",
    rows: Annotated[int | None, "use only this many training images, for a quick look; default: all"] = None,
    seed: Annotated[int, "of the initial weights, the batches and dropout"] = 0,
    device: Annotated[str, "auto, cpu, cuda or mps"] = "auto",
    offline: Annotated[bool, "do not try to download"] = False,
) -> Mnist:
    """Train a network on 28 × 28 images, and show its answers and its mistakes.

    Raises
    ------
    SettingError
        A setting breaks its rule.
    DataError
        A file of the data set is missing from ``data_dir``, or damaged.
    DivergenceError
        The loss was not finite: usually the learning rate is too high.
    """
    plan = _plan(
        epochs=EPOCHS if epochs is None else epochs, batch_size=batch_size, lr=lr, schedule=schedule, seed=seed
    )
    if rows is not None:
        at_least("rows", rows, 10)
    if hidden is None:
        hidden = HIDDEN if network == "mlp" else ()
    # Raises for invalid names, widths and shares, before anything is fetched.
    _network(network, (32, 32), len(DIGITS), hidden=hidden, channels=channels, dropout=dropout)
    from pellucid.engines.device import choose_device, use_threads

    choose_device(device)
    use_threads(1)  # two gain a quarter on idle cores, but wait for each other for seconds on busy ones

    began = time.perf_counter()
    data, fallback = _data(story, dataset, data_dir, offline=offline)
    if fallback and epochs is None:
        plan = replace(plan, epochs=EPOCHS_OF_FEW)
    x, y = rows_of(data, data.train_images[:rows]), data.train_labels[:rows]
    x_test, y_test = rows_of(data, data.test_images), data.test_labels
    mean, deviation = float(x.mean()), float(x.std()) or 1.0
    x, x_test = _scaled(x, mean, deviation), _scaled(x_test, mean, deviation)
    built = _network(
        network, data.train_images.shape[1:], len(data.names), hidden=hidden, channels=channels, dropout=dropout
    )
    x, x_test = (each.reshape(-1, *built.shape) for each in (x, x_test))
    _introduce(story, data, built, plan, len(x), mean, deviation)
    engine, history = _train(story, built, plan, (x, y), (x_test, y_test), device)
    logits = engine.logits(x_test)
    probabilities = softmax(logits.astype(np.float64))
    result = Mnist(
        data=data.title,
        fallback=fallback,
        names=data.names,
        train_rows=len(x),
        test_rows=len(x_test),
        parameters=built.n_trainable,
        mean=mean,
        deviation=deviation,
        history=history,
        answers=judge(data.names, y_test, probabilities),
        seconds=time.perf_counter() - began,
    )
    tell_answers(story, data, result.answers, probabilities)
    if network == "cnn":
        bytes_of_one = (data.test_images[0].astype(float) * 255 / data.white).astype(np.uint8)[..., None]
        tell_maps(story, built, engine.parameters(), x_test[0], bytes_of_one)
    _close(story, result)
    return result


def _network(
    kind: str,
    extents: tuple[int, ...],
    classes: int,
    *,
    hidden: tuple[int, ...],
    channels: tuple[int, ...],
    dropout: float,
) -> Network:
    """The network for grey images of these extents.

    Parameters
    ----------
    kind
        ``mlp`` or ``cnn``.
    extents
        Height and width.
    classes
        The number of classes.
    hidden, channels, dropout
        As in `study`.
    """
    if kind == "mlp":
        return mlp(math.prod(extents), hidden, classes, dropout=dropout)
    if kind != "cnn":
        raise SettingError(f"network must be mlp or cnn, got {kind!r}")
    height, width = extents
    return cnn((1, height, width), widths("channels", channels), classes, hidden=hidden, dropout=dropout)


def _scaled(rows: Array, mean: float, deviation: float) -> Array:
    rows -= mean  # in place: 60,000 images are 188 MB
    rows /= deviation
    return rows


def _plan(*, epochs: int, batch_size: int, lr: float, schedule: str, seed: int) -> Plan:
    for name, value, low in (("epochs", epochs, 1), ("batch_size", batch_size, 1), ("seed", seed, 0)):
        at_least(name, value, low)
    if not 0 < lr < math.inf:
        raise SettingError(f"lr must be above 0 and finite, got {lr!r}")
    if schedule not in ("cosine", "constant"):
        raise SettingError(f"schedule must be cosine or constant, got {schedule!r}")
    rate = Schedule(name="cosine" if schedule == "cosine" else "constant")
    return Plan(learning_rate=lr, batch_size=batch_size, epochs=epochs, schedule=rate, keep="last", seed=seed)


def _data(story: Story, dataset: str, data_dir: str | None, *, offline: bool) -> tuple[ImageSet, bool]:
    story.heading("The images")
    folder = locate(dataset, data_dir, offline=offline, tell=story.say)
    if folder is not None:
        return idx_set(folder, SETS[dataset].title, NAMES[dataset]), False
    story.title = f"A network on scikit-learn's digits, because {SETS[dataset].title} is not available"
    story.say(
        f"{SETS[dataset].title} is not available, so this run uses scikit-learn's digits instead: 1,797 images of "
        "8 × 8 pixels that come with the package. They are far fewer and far coarser, and the figures below are for "
        f"them, not for {SETS[dataset].title}. If you have the four idx files, name their folder with --data-dir."
    )
    return digits(), True


def _introduce(
    story: Story, data: ImageSet, network: Network, plan: Plan, n_rows: int, mean: float, deviation: float
) -> None:
    height, width = data.train_images.shape[1:]
    story.say(
        f"{data.title}: {n_rows:,} training images and {len(data.test_images):,} test images, {height} × {width} "
        f"pixels in grey, {len(data.names)} classes. Each pixel is divided by {data.white}; then the training pixels' "
        f"mean, {mean:.4f}, is subtracted, and the result is divided by their standard deviation, {deviation:.4f}. "
        "The test pixels are scaled with the same two numbers. "
        + (
            f"A fully connected network sees an image as a row of {data.pixels} numbers and does not know which pixels "
            "are neighbours."
            if len(network.shape) == 1
            else "A convolutional network looks at small windows of the image, with the same weights everywhere."
        )
    )
    story.heading("Training")
    falls = " falling to 0 along a cosine" if plan.schedule.name == "cosine" else ""
    shapes = network.shapes()
    steps = math.ceil(n_rows / plan.batch_size)
    story.table(
        "The network",
        ("layer", "output", "parameters"),
        [("input", batch_shape(network.shape), None)]
        + [
            (describe(layer), batch_shape(after), n_trainable(layer, before) or None)
            for layer, before, after in zip(network.layers, (network.shape, *shapes), shapes, strict=False)
        ]
        + [("total", "", network.n_trainable)],
    )
    if len(network.shape) == 1:
        draw_network(
            story, network, initialise(network, plan.seed, scheme="uniform"), outputs=data.names, when="before training"
        )
    else:
        draw_blocks(story, network, data.names)
    story.say(
        f"Each step takes {min(plan.batch_size, n_rows)} images: forward, cross-entropy loss, backward, Adam with a "
        f"learning rate of {plan.learning_rate:g}{falls}. An epoch is {steps:,} step{'s' * (steps != 1)}. The training "
        "loss is averaged over the epoch while dropout is active, so it may be above the test loss. The test "
        "images choose nothing: the last weights are kept, whatever their score."
    )


def _train(
    story: Story, network: Network, plan: Plan, train: tuple[Array, Array], test: tuple[Array, Array], device: str
) -> tuple[Engine, tuple[Epoch, ...]]:
    # "uniform" is the default of torch.nn.Linear
    first = initialise(network, plan.seed, scheme="uniform")
    engine = make_engine("torch", network, Loss(name="cross_entropy"), Optimizer(name="adam"), first, device=device)
    (x, y), (x_test, y_test) = train, test
    every = math.ceil(plan.epochs / 10)

    def tell(line: Epoch) -> None:
        """Report progress, so that nobody waits before an empty screen; at most eleven lines."""
        if line.epoch % every == 0 or line.epoch == 1:
            story.say(f"Epoch {line.epoch} of {plan.epochs}: train loss {line.train_loss:.4f}, test accuracy "
                      f"{line.validation_score:.4f}, {line.seconds:.1f} s.")  # fmt: skip

    outcome = fit(engine, Rows(inputs=x, targets=y), Rows(inputs=x_test, targets=y_test), plan, on_epoch=tell)
    if outcome.reason == "diverged":
        raise DivergenceError(outcome.problem)
    history = outcome.history
    story.table(
        f"Epochs, on {engine.device}",
        ("epoch", "train loss", "test loss", "test accuracy", "seconds"),
        [
            (
                line.epoch,
                f"{line.train_loss:.4f}",
                f"{line.validation_loss:.4f}",
                f"{line.validation_score:.4f}",
                f"{line.seconds:.2f}",
            )
            for line in history
            if line.epoch % every == 0 or line.epoch in (1, len(history))
        ],
    )
    numbers = [line.epoch for line in history]
    story.draw(
        "training",
        lambda: curves.curves(
            {
                "training images, with dropout": (numbers, [line.train_loss for line in history]),
                "test images": (numbers, [line.validation_loss for line in history]),
            },
            title="The loss after each epoch",
            y_label="cross-entropy (nats per image)",
        ),
        "The loss of the training images, averaged over each epoch, and of the test images after it.",
    )
    return engine, history


def _close(story: Story, result: Mnist) -> None:
    accuracy, wrong = result.accuracy, result.answers.wrong
    learned = (
        f"A network of {result.parameters:,} parameters trained on {result.train_rows:,} images of {result.data} is "
        f"right on {100 * accuracy.value:.1f} % of {result.test_rows:,} others ({100 * accuracy.low:.1f} to "
        f"{100 * accuracy.high:.1f}), after {result.seconds:.0f} s for reading, training and measuring."
    )
    if wrong:
        by_class = zip(result.answers.by_class, result.names, strict=True)
        found = {name: each.value for each, name in by_class if each}
        least = min(found.values())
        hardest = [repr(name) for name, value in found.items() if value == least]
        which = f"class is {hardest[0]}" if len(hardest) == 1 else f"classes are {listed(hardest)}"
        learned += (
            f" The hardest {which}, with {100 * least:.1f} % right, and {result.answers.sure_mistakes} of the "
            f"{wrong:,} wrong answers had a probability of {100 * SURE:.0f} % or more."
        )
    following = "shapes" if result.fallback else "fashion" if result.names == DIGITS else "mnist --schedule constant"
    story.close(learned=learned, try_next=f"pellucid study {following}")
