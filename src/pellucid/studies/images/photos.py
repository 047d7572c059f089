"""Photographs: a convolutional network on a folder of colour pictures, and what it looked at."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.augmentation import Augmentation
from pellucid.engines.textbook.activations import softmax
from pellucid.errors import DivergenceError, SettingError
from pellucid.evaluation.bootstrap import Estimate
from pellucid.network import Network, batch_shape, describe
from pellucid.network.cnn import cnn
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.plots import curves, images
from pellucid.preprocessing.encoded_images import EncodedImages
from pellucid.studies.images.drawn_shapes import drawn_shapes
from pellucid.studies.images.image_answers import Answers, judge, tell_answers
from pellucid.studies.images.image_sets import ImageSet
from pellucid.studies.images.picture_folder import picture_set
from pellucid.studies.images.seen_maps import attention, draw_blocks, n_trainable, tell_attention, tell_maps
from pellucid.studies.learning import at_least
from pellucid.studies.setup import widths
from pellucid.studies.story import Story
from pellucid.training.engine import Engine, make_engine
from pellucid.training.history import Epoch
from pellucid.training.loop import Plan, Rows, fit
from pellucid.training.pictures import AugmentedRows
from pellucid.training.schedules import Schedule

__all__ = ["Photos", "study"]

Array = NDArray[Any]

EPOCHS, BATCH = 15, 64
SHOWN = 6  # pictures whose maps are drawn, of right and of wrong answers together


@dataclass(frozen=True, kw_only=True, eq=False)
class Photos:
    """The figures of the study.

    Attributes
    ----------
    data, fallback
        The title of the pictures, and whether shapes were drawn because no pictures were given.
    train_rows, test_rows, parameters
        Number of training pictures, of test pictures and of the network's parameters.
    history
        One entry per epoch; its ``validation_*`` fields are for the test pictures, which choose nothing.
    answers
        The answers on the test pictures, with the accuracy, the confusion matrix and the mistakes.
    shown, maps
        The numbers of the test pictures whose maps are drawn, and the maps ``[N, H, W]``, from 0 to 1.
    seconds
        From reading to the last measurement, without drawing.
    """

    data: str
    fallback: bool
    names: tuple[str, ...]
    train_rows: int
    test_rows: int
    parameters: int
    history: tuple[Epoch, ...]
    answers: Answers
    shown: tuple[int, ...]
    maps: Array
    seconds: float

    @property
    def accuracy(self) -> Estimate:
        """On the test pictures, with Wilson's 95 % interval."""
        return self.answers.accuracy


def study(
    story: Story,
    *,
    data: Annotated[
        str | None, "a folder or a zip with a folder of pictures for each class; default: drawn shapes"
    ] = None,
    channels: Annotated[tuple[int, ...], "channels of each stage"] = (32, 64, 128),
    augment: Annotated[str, "changes of training pictures, such as shift,flip, or none"] = "shift,flip",
    epochs: Annotated[int, "passes over the training pictures"] = EPOCHS,
    lr: Annotated[float, "highest learning rate of Adam; it falls to 0 along a cosine"] = 0.003,
    rows: Annotated[int | None, "use only this many training pictures, for a quick look; default: all"] = None,
    seed: Annotated[int, "of the initial weights, the batches and the augmentation"] = 0,
    device: Annotated[str, "auto, cpu, cuda or mps"] = "auto",
) -> Photos:
    """Train a convolutional network on colour pictures, and show what its filters find and where it looked.

    Raises
    ------
    SettingError
        A setting breaks its rule.
    DataError
        There are no pictures in ``data``, or they cannot be read.
    DivergenceError
        The loss was not finite: usually the learning rate is too high.
    """
    at_least("epochs", epochs, 1)
    at_least("seed", seed, 0)
    if not 0 < lr < math.inf:
        raise SettingError(f"lr must be above 0 and finite, got {lr!r}")
    if rows is not None:
        at_least("rows", rows, 10)
    widths("channels", channels)  # before anything is read
    Augmentation.of(augment, (32, 32))
    from pellucid.engines.device import choose_device

    choose_device(device)
    began = time.perf_counter()
    found = _pictures(story, data, seed)
    chosen = _some(len(found.train_labels), rows, seed)
    pixels, labels = found.train_images[chosen], found.train_labels[chosen]
    height, width, colours = pixels.shape[1:]
    network = cnn((colours, height, width), channels, len(found.names))
    changes = Augmentation.of(augment, (height, width))
    train, test = _encoded(pixels, found.test_images)
    _introduce(story, found, network, pixels, labels, changes, epochs=epochs, lr=lr, seed=seed)
    plan = Plan(
        learning_rate=lr, batch_size=BATCH, epochs=epochs, schedule=Schedule(name="cosine"), keep="last", seed=seed
    )  # fmt: skip
    engine, history = _train(story, network, plan, (train, labels), (test, found.test_labels), changes, device)
    probabilities = softmax(engine.logits(test).astype(np.float64))
    answers = judge(found.names, found.test_labels, probabilities)
    tell_answers(story, found, answers, probabilities)
    parameters = engine.parameters()
    tell_maps(story, network, parameters, test[0], found.test_images[0])
    shown, maps = _tell_attention(story, found, network, parameters, test, probabilities)
    result = Photos(
        data=found.title,
        fallback=data is None,
        names=found.names,
        train_rows=len(labels),
        test_rows=len(found.test_labels),
        parameters=network.n_trainable,
        history=history,
        answers=answers,
        shown=shown,
        maps=maps,
        seconds=time.perf_counter() - began,
    )
    _close(story, result, data)
    return result


# ── the pictures ──


def _pictures(story: Story, data: str | None, seed: int) -> ImageSet:
    story.heading("The pictures")
    if data is not None:
        return picture_set(data, seed=seed)
    story.title = "A convolutional network on drawn shapes, because no pictures were given"
    story.say(
        "No pictures were given, so this run draws some: shapes of random colour, size and place. For photographs of "
        "your own, give a folder or a zip archive with a folder for each class: pellucid study photos --data photos/"
    )
    return drawn_shapes(seed=seed)


def _some(n: int, rows: int | None, seed: int) -> Array:
    """The numbers of the pictures to learn from, ascending: pictures of one class often stand together."""
    if rows is None or rows >= n:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).permutation(n)[:rows])


def _encoded(train: Array, test: Array) -> tuple[EncodedImages, Array]:
    """The training pictures, to encode batch by batch, and the test pictures ``[N, C, H, W]``, with the same scale."""
    mean = train.mean(axis=(0, 1, 2)) / 255  # of each channel
    deviation = np.maximum(train.std(axis=(0, 1, 2)) / 255, 1e-3)
    table = ((np.arange(256) / 255 - mean[:, None]) / deviation[:, None]).astype(np.float32)
    return EncodedImages(train, table), EncodedImages(test, table)[:]


# ── training ──


def _introduce(
    story: Story,
    data: ImageSet,
    network: Network,
    pixels: Array,
    labels: Array,
    changes: Augmentation,
    *,
    epochs: int,
    lr: float,
    seed: int,
) -> None:
    """Tell the pictures, the network and how it is trained.

    Parameters
    ----------
    story
        Is told.
    data, network
        The pictures and the network.
    pixels, labels
        The training pictures and their classes.
    changes
        The augmentation.
    epochs, lr, seed
        Of the training.
    """
    n, height, width, _ = pixels.shape
    counts = np.bincount(labels, minlength=len(data.names))
    story.say(
        f"{data.title}: {n:,} training pictures and {len(data.test_images):,} test pictures of {height} × {width} "
        f"pixels in {len(data.names)} classes, with "
        + (f"{counts.min():,}" if counts.min() == counts.max() else f"{counts.min():,} to {counts.max():,}")
        + " training pictures each."
    )
    some = np.concatenate([np.flatnonzero(labels == k)[:2] for k in range(min(8, len(data.names)))])
    story.draw(
        "examples",
        lambda: images.image_grid(
            _drawn(pixels[some]), [data.names[k] for k in labels[some]], title="Training pictures", limits=(0, 255)
        ),
        "Two training pictures of each class, of at most eight classes.",
    )
    if not changes.is_none:
        story.say(
            f"In every epoch each training picture is {changes.words()}, differently each time. So the network cannot "
            "learn a picture by heart. Test pictures are never changed. Whether a mirror image keeps its class is for "
            "you to say: of an animal it does, of a letter it does not (--augment shift)."
        )
        one = np.repeat(pixels[:1], 8, axis=0)
        story.draw(
            "augmented",
            lambda: images.image_grid(
                _drawn(np.concatenate([one[:1], changes.apply(one[1:], seed=seed, epoch=1, batch=0)])),
                ["as it is", *([""] * 7)],
                title="One training picture, and what augmentation makes of it",
                limits=(0, 255),
            ),
            "The network sees another one in every epoch.",
        )
    story.heading("Training")
    shapes = network.shapes()
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
    draw_blocks(story, network, data.names)
    story.say(
        f"Each step takes {min(BATCH, n)} pictures: forward, cross-entropy loss, backward, Adam with a learning rate "
        f"of {lr:g} that falls to 0 over {epochs} epochs. The test pictures choose nothing: the last weights are kept."
    )


def _drawn(pixels: Array) -> Array:
    return pixels[..., 0] if pixels.shape[-1] == 1 else pixels[..., :3]


def _train(
    story: Story,
    network: Network,
    plan: Plan,
    train: tuple[EncodedImages, Array],
    test: tuple[Array, Array],
    changes: Augmentation,
    device: str,
) -> tuple[Engine, tuple[Epoch, ...]]:
    """Train, telling each epoch as it comes.

    Parameters
    ----------
    story
        Is told.
    network, plan
        What to train, and how.
    train, test
        Pictures and class numbers.
    changes
        The augmentation.
    device
        Where to compute.
    """
    first = initialise(network, plan.seed)
    engine = make_engine("torch", network, Loss(name="cross_entropy"), Optimizer(name="adam"), first, device=device)
    every = math.ceil(plan.epochs / 10)

    def tell(line: Epoch) -> None:
        if line.epoch % every == 0 or line.epoch == 1:
            story.say(f"Epoch {line.epoch} of {plan.epochs}: train loss {line.train_loss:.4f}, test accuracy "
                      f"{line.validation_score:.4f}, {line.seconds:.1f} s.")  # fmt: skip

    pictures: Any = train[0]
    learned = AugmentedRows(Rows(inputs=pictures, targets=train[1], augmentation=changes))
    outcome = fit(engine, learned, Rows(inputs=test[0], targets=test[1]), plan, on_epoch=tell)
    if outcome.problem is not None:
        raise DivergenceError(outcome.problem)
    numbers = [line.epoch for line in outcome.history]
    story.draw(
        "training",
        lambda: curves.curves(
            {
                "training pictures, augmented": (numbers, [line.train_loss for line in outcome.history]),
                "test pictures": (numbers, [line.validation_loss for line in outcome.history]),
            },
            title="The loss after each epoch",
            y_label="cross-entropy (nats per picture)",
        ),
        "The loss of the training pictures, averaged over each epoch, and of the test pictures after it.",
    )
    return engine, outcome.history


# ── what it looked at ──


def _tell_attention(
    story: Story, data: ImageSet, network: Network, parameters: dict[str, Array], test: Array, probabilities: Array
) -> tuple[tuple[int, ...], Array]:
    """Tell where the network looked, for right answers of different classes and for the most confident mistakes.

    Parameters
    ----------
    story
        Is told.
    data
        The pictures.
    network, parameters
        The trained network.
    test
        The test pictures as it takes them, ``[N, C, H, W]``.
    probabilities
        Of each class for each of them.
    """
    answers, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = answers != data.test_labels
    order = np.argsort(-sure, kind="stable")
    right = [next((i for i in order if not wrong[i] and answers[i] == k), None) for k in range(len(data.names))]
    mistakes = [int(i) for i in order if wrong[i]][: SHOWN // 2]
    shown = [int(i) for i in right if i is not None][: SHOWN - len(mistakes)] + mistakes
    maps = attention(network, parameters, test[shown], answers[shown])
    tell_attention(
        story,
        maps,
        data.test_images[shown],
        [data.names[answers[i]] for i in shown],
        [data.names[data.test_labels[i]] for i in shown],
    )
    return tuple(shown), maps


def _close(story: Story, result: Photos, data: str | None) -> None:
    accuracy = result.accuracy
    share = result.answers.confusion.sum(axis=1).max() / result.test_rows
    story.close(
        learned=f"A convolutional network of {result.parameters:,} parameters, trained on {result.train_rows:,} "
        f"pictures ({result.data}), is right on {100 * accuracy.value:.1f} % of {result.test_rows:,} others "
        f"({100 * accuracy.low:.1f} to {100 * accuracy.high:.1f}), after {result.seconds:.0f} s; always naming the "
        f"most frequent class would be right on {100 * share:.1f} %. Feature maps show what its filters find, and "
        "Grad-CAM which part of a picture spoke for the answer.",
        try_next=f"pellucid train {data}" if data is not None and " " not in data else "pellucid study convolution",
    )
