"""Choosing a shape: width patterns and depth on small digits, and an hourglass that reproduces its input."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import SettingError
from pellucid.evaluation.bootstrap import Estimate
from pellucid.network import mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.plots import spread
from pellucid.studies.images.autoencoder import hourglass
from pellucid.studies.images.image_sets import ImageSet, digits, rows_of, stratified
from pellucid.studies.images.reconstruction import HIDDEN, Reconstruction, reconstruct
from pellucid.studies.learning import at_least
from pellucid.studies.spread import mean_interval, span, too_few
from pellucid.studies.story import Story

__all__ = ["Shape", "Shapes", "choose", "study"]

Array = NDArray[Any]

SEED_OF_PARTS = 42
FUNNEL, HOURGLASS = (64, 32, 16), (64, 16, 64)  # with 64 inputs and 10 outputs both have 6,938 parameters
WIDTH = 64  # of each hidden layer where depth is compared


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A classifier's shape and its results.

    Attributes
    ----------
    name, hidden
        ``"funnel"``, ``"depth 3"`` …, and the widths of the hidden layers.
    parameters
        Number of trainable parameters.
    validation, test
        The mean accuracy over the seeds, with its 95 % interval over seeds.
    seconds
        Of training all seeds side by side.
    """

    name: str
    hidden: tuple[int, ...]
    parameters: int
    validation: Estimate
    test: Estimate
    seconds: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Shapes:
    """The figures of the study.

    Attributes
    ----------
    shapes
        In the order of the tables.
    chosen
        The name of the smallest shape within one standard error of the best, by validation accuracy.
    standard_error
        Of the best validation accuracy, computed from the number of validation rows.
    reconstructions
        One for each waist.
    """

    shapes: tuple[Shape, ...]
    chosen: str
    standard_error: float
    reconstructions: tuple[Reconstruction, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Parts:
    """Pixels from 0 to 1, ``[N, 64]``, and labels ``[N]``, of the training, validation and test rows."""

    train: tuple[Array, Array]
    validation: tuple[Array, Array]
    test: tuple[Array, Array]


def study(
    story: Story,
    *,
    waist: Annotated[int, "numbers in the autoencoder's waist; a waist of 2 is always drawn as well, as a map"] = 8,
    epochs: Annotated[int, "passes over the training rows, for each classifier"] = 100,
    seeds: Annotated[int, "number of initial weights that each shape is trained from"] = 5,
    seed: Annotated[int, "the first of the seeds"] = 0,
    lr: Annotated[float, "learning rate of the classifiers"] = 0.01,
    device: Annotated[str, "auto, cpu, cuda or mps; networks this small gain nothing from a GPU"] = "cpu",
) -> Shapes:
    """Compare shapes on 8 × 8 digits, choose one, and train an autoencoder.

    Raises
    ------
    SettingError
        A setting breaks its rule.
    """
    at_least("epochs", epochs, 1)
    at_least("seeds", seeds, 2)
    at_least("seed", seed, 0)
    if not 0 < lr < float("inf"):
        raise SettingError(f"lr must be above 0 and finite, got {lr!r}")
    hourglass(64, HIDDEN, waist)  # raises for an invalid waist
    from pellucid.engines.device import choose_device, use_threads

    choose_device(device)
    use_threads(1)  # faster than two for networks this small
    data = digits(seed=SEED_OF_PARTS)
    parts = _parts(data)

    def train(patterns: Mapping[str, tuple[int, ...]]) -> tuple[Shape, ...]:
        many = range(seed, seed + seeds)
        return tuple(
            _train(name, hidden, parts, seeds=many, epochs=epochs, lr=lr, device=device)
            for name, hidden in patterns.items()
        )

    story.heading("Width: funnel, same, hourglass")
    story.say(
        f"{len(data.train_images) + len(data.test_images):,} handwritten digits of 8 × 8 pixels are split into three "
        f"sets: {len(parts.train[0]):,} for training, {len(parts.validation[0])} for choosing a shape (validation), "
        f"and {len(parts.test[0])} for the test, which choose nothing. A funnel gets narrower layer by layer, 'same' "
        "keeps its width, an hourglass is narrow in the middle. The three have almost the same number of parameters, "
        f"so their patterns are compared and not their sizes. Each is trained from {seeds} seeds, and the interval is "
        "over the seeds."
    )
    same = (_same_width(len(FUNNEL), mlp(data.pixels, FUNNEL, 10).n_trainable),) * len(FUNNEL)
    widths = train({"funnel": FUNNEL, "same": same, "hourglass": HOURGLASS})
    _table(story, "Three width patterns", widths, seeds)
    _tell_spread(story, widths, len(parts.validation[0]), seeds)

    story.heading("Depth: one to five hidden layers")
    story.say(
        f"Now each hidden layer has {WIDTH} units, and only the number of layers changes; each further layer adds "
        f"{WIDTH * WIDTH + WIDTH:,} parameters."
    )
    depths = train({f"depth {depth}": (WIDTH,) * depth for depth in range(1, 6)})
    _table(story, "Depth", depths, seeds)
    _tell_spread(story, depths, len(parts.validation[0]), seeds)
    shapes = (*widths, *depths)
    chosen, error = _tell_choice(story, shapes, len(parts.validation[0]))
    story.draw(
        "shapes",
        lambda: spread.intervals(
            {f"{shape.name} ({_hidden(shape)})": shape.validation for shape in shapes},
            x_label="accuracy on the validation rows (mean of the seeds, 95 % interval)",
            title="Shapes of a network on 8 × 8 digits\n(dotted: one standard error below the best)",
            reference=max(shape.validation.value for shape in shapes) - error,
        ),
        "Dots to the right of the dotted line are within one standard error of the best.",
    )

    found = tuple(
        reconstruct(story, data, k, first=i == 0, seed=seed, device=device)
        for i, k in enumerate(dict.fromkeys((waist, 2)))
    )
    _close(story, shapes, chosen, found)
    return Shapes(shapes=shapes, chosen=chosen.name, standard_error=error, reconstructions=found)


# ── classifiers ──


def _parts(data: ImageSet) -> _Parts:
    rows, test = (rows_of(data, each) for each in (data.train_images, data.test_images))
    keep, held = stratified(data.train_labels, 0.25, SEED_OF_PARTS)
    return _Parts(
        train=(rows[keep], data.train_labels[keep]),
        validation=(rows[held], data.train_labels[held]),
        test=(test, data.test_labels),
    )


def _same_width(depth: int, parameters: int) -> int:
    """The width at which ``depth`` equal hidden layers come closest to this number of parameters."""
    return min(range(1, 257), key=lambda width: abs(mlp(64, (width,) * depth, 10).n_trainable - parameters))


def _train(
    name: str, hidden: tuple[int, ...], parts: _Parts, *, seeds: range, epochs: int, lr: float, device: str
) -> Shape:
    from pellucid.training.many import logits_of_many, train_many

    network = mlp(64, hidden, 10)
    began = time.perf_counter()
    weights = train_many(
        network,
        Loss(name="cross_entropy"),
        Optimizer(name="adam"),
        [initialise(network, each) for each in seeds],
        *parts.train,
        learning_rate=lr,
        epochs=epochs,
        device=device,
        engine="stack",  # the same for all shapes, so that their times can be compared
    )
    seconds = time.perf_counter() - began

    def measured(rows: Array, labels: Array) -> Estimate:
        answers = logits_of_many(network, weights, rows).argmax(axis=-1)  # [S, N]
        return mean_interval((answers == labels).mean(axis=1), within=(0, 1))

    return Shape(
        name=name,
        hidden=hidden,
        parameters=network.n_trainable,
        validation=measured(*parts.validation),
        test=measured(*parts.test),
        seconds=seconds,
    )


def _hidden(shape: Shape) -> str:
    widths = shape.hidden
    return f"{len(widths)} × {widths[0]}" if len(set(widths)) == 1 else "-".join(map(str, widths))


def _table(story: Story, title: str, shapes: Sequence[Shape], seeds: int) -> None:
    story.table(
        f"{title}: means of {seeds} seeds; the seconds are for all of them side by side",
        ("shape", "hidden", "parameters", "validation", "test", "95 % over seeds", "seconds"),
        [
            (
                shape.name,
                _hidden(shape),
                shape.parameters,
                f"{shape.validation.value:.4f}",
                f"{shape.test.value:.4f}",
                span(shape.test, 4),
                f"{shape.seconds:.1f}",
            )
            for shape in shapes
        ],
    )


def _tell_spread(story: Story, shapes: Sequence[Shape], rows: int, seeds: int) -> None:
    """Tell how far apart the shapes are, and whether the seeds alone could explain it."""
    low, *_, high = sorted(shapes, key=lambda shape: shape.validation.value)
    gap = high.validation.value - low.validation.value
    story.say(
        f"From {low.name} ({low.validation.value:.4f}) to {high.name} ({high.validation.value:.4f}) the validation "
        f"accuracy rises by {gap:.4f}, which is {gap * rows:.1f} of {rows} digits. "
        + _is_it_luck(low.validation, high.validation, seeds)
    )


def _is_it_luck(low: Estimate, high: Estimate, seeds: int) -> str:
    """Whether the seeds alone could explain the difference of two means, from their intervals over the seeds."""
    if too_few(seeds, "seeds"):
        return too_few(seeds, "seeds")
    between = f"{span(low, 4)} and {span(high, 4)}"
    if low.high < high.low:
        return (
            f"Their intervals over the seeds do not overlap ({between}), so this is more than luck with the initial "
            "weights."
        )
    if low.high >= high.low:
        return f"Their intervals over the seeds overlap ({between}), so luck with the initial weights could explain it."
    return "All seeds of a shape reached the same accuracy, which says nothing about how much others would vary."


def choose(shapes: Sequence[Shape], rows: int) -> tuple[Shape, tuple[Shape, ...], float]:
    """The smallest shape within one standard error of the best, by validation (Breiman et al. 1984, 3.4.3).

    Returns
    -------
    tuple
        That shape; all shapes within the standard error; the standard error √(p (1 − p) / rows) of the best.
    """
    p = max(shape.validation.value for shape in shapes)
    error = float(np.sqrt(p * (1 - p) / rows))
    near = tuple(shape for shape in shapes if shape.validation.value >= p - error)
    return min(near, key=lambda shape: shape.parameters), near, error


def _tell_choice(story: Story, shapes: Sequence[Shape], rows: int) -> tuple[Shape, float]:
    chosen, near, error = choose(shapes, rows)
    best = max(near, key=lambda shape: shape.validation.value)
    p = best.validation.value
    story.heading("Choosing")
    others = ", ".join(shape.name for shape in near if shape is not best)
    story.say(
        f"On the {rows} validation rows {best.name} is best with {p:.4f}. One standard error of this accuracy is "
        f"{error:.4f}, about {max(1, round(error * rows))} digits, so shapes this close could trade places on other "
        f"digits. {f'This close are: {others}.' if others else 'No other shape is this close.'} The one-standard-error "
        f"rule takes the smallest of those within it, here {chosen.name} with {chosen.parameters:,} parameters. On "
        f"the test rows, which had no part in the choice, it reaches {chosen.test.value:.4f}"
        + (
            ": less, as is to be expected of a figure that was picked because it was high."
            if chosen.test.value < chosen.validation.value
            else "."
        )
    )
    return chosen, error


def _close(story: Story, shapes: Sequence[Shape], chosen: Shape, found: Sequence[Reconstruction]) -> None:
    values = [shape.test.value for shape in shapes]
    first = found[0]
    versus = "less" if first.network < first.pca else "more"
    hidden = ",".join(map(str, (*HIDDEN, first.waist, *reversed(HIDDEN))))
    story.close(
        learned=f"The shapes reached {100 * min(values):.1f} to {100 * max(values):.1f} % on the "
        f"test digits, the chosen one ({chosen.name}) {100 * chosen.test.value:.1f} % with {chosen.parameters:,} "
        f"parameters. Through a waist of {first.waist} the autoencoder reconstructs digits with a mean squared error "
        f"of {first.network:.4f}, {versus} than PCA's {first.pca:.4f}; the mean image has {first.mean_image:.4f}.",
        try_next=f"pellucid train digits --task reconstruction --hidden {hidden}",
    )
