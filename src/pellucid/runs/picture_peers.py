"""The peers of a network for pictures: the run's pictures as they need them, and a fully connected network beside them.

``N`` rows to learn from, ``K`` rows to predict, pictures of ``H`` × ``W`` pixels and ``C`` channels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.activations import softmax
from pellucid.evaluation.picture_peers import edge_answers, neighbour_answers, picture_line_answers, shrunk
from pellucid.evaluation.verdict import DENSE, EDGES, LINEAR, NEIGHBOURS
from pellucid.network import mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.preparation.prepare import Prepared
from pellucid.preprocessing.steps.image import ImageStep
from pellucid.training.engine import make_engine
from pellucid.training.loop import Plan, Rows, fit
from pellucid.training.schedules import Schedule

__all__ = [
    "FIRST",
    "FIRST_FOR_DENSE",
    "LONGEST",
    "LONGEST_FOR_EDGES",
    "fits_of_pictures",
    "picture_step",
    "pictures_of",
]

Array = NDArray[Any]
Fit = Callable[[Array], Array]

FIRST = 15_000  # pictures of the first attempt; of the fully connected network, whose epochs are counted, many more
FIRST_FOR_DENSE = 100_000
LONGEST, LONGEST_FOR_EDGES = 32, 64  # pixels along the longer side of a picture, as the peers see it
_PIXELS_AT_ONCE = 1 << 25  # bytes of pixels that are read before they are shrunk
_DENSE_WIDTHS = (128, 64)
_DENSE_PASSES, _FEWEST_EPOCHS, _MOST_EPOCHS = 300_000, 3, 40  # pictures seen in all epochs together
_DENSE_BATCH, _DENSE_RATE = 128, 0.003


def picture_step(prepared: Prepared) -> ImageStep | None:
    """How the run's pictures become numbers, if pictures are all that its network sees."""
    steps = prepared.recipe.steps
    return steps[0] if len(steps) == 1 and isinstance(steps[0], ImageStep) else None


def pictures_of(inputs: Any, step: ImageStep, longest: int) -> Array:
    """The pictures of a network's inputs as bytes ``[N, H, W, C]``, shrunk to this many pixels along the longer side.

    Parameters
    ----------
    inputs
        Flat rows ``[N, H·W·C]``, maps ``[N, C, H, W]``, or encoded images.
    step
        How pixels became numbers.
    longest
        See `shrunk`.
    """
    n, at_once = len(inputs), max(1, _PIXELS_AT_ONCE // math.prod(step.shape))
    slices = [slice(start, min(n, start + at_once)) for start in range(0, n, at_once)]
    parts = [shrunk(_pixels(inputs, at, step), longest) for at in slices]
    return np.concatenate(parts) if parts else np.empty((0, 1, 1, step.channels), np.uint8)


def _pixels(inputs: Any, at: slice, step: ImageStep) -> Array:
    if hasattr(inputs, "pixels"):
        stored: Array = inputs.pixels(at)
        return stored
    rows = inputs[at]
    if rows.ndim == 4:
        rows = rows.transpose(0, 2, 3, 1)
    return step.decode(rows.reshape(len(rows), -1))


def fits_of_pictures(
    prepared: Prepared, step: ImageStep, targets: Array, weights: Array | None
) -> dict[str, Callable[[Array], Array]]:
    """From a peer's name to a function from the rows to learn from to its answers on the measured rows.

    Parameters
    ----------
    prepared
        The run's rows.
    step
        Its `picture_step`.
    targets
        Class numbers or standardised numbers ``[N]`` of the training rows and after them the validation rows.
    weights
        How much each of them counts, ``[N]``; ``None`` counts all the same.
    """
    held, classes = prepared.measured, len(prepared.task.classes)
    parts = [prepared.train.inputs] + ([prepared.validation.inputs] if len(prepared.split.validation) else [])
    learned = np.concatenate([pictures_of(part, step, LONGEST_FOR_EDGES) for part in parts])
    asked = pictures_of(held.inputs, step, LONGEST_FOR_EDGES)
    small, small_asked = shrunk(learned, LONGEST), shrunk(asked, LONGEST)

    def of(function: Callable[..., Array]) -> Fit:
        def answers(rows: Array) -> Array:
            counted = None if weights is None else weights[rows]
            return function(_flat(small[rows]), targets[rows], _flat(small_asked), classes, weights=counted)

        return answers

    def edges(rows: Array) -> Array:
        counted = None if weights is None else weights[rows]
        return edge_answers(learned[rows], targets[rows], asked, classes, weights=counted)

    def dense(rows: Array) -> Array:
        counted = None if weights is None else weights[rows]
        x, wanted = _flat(small[rows]), _flat(small_asked)
        return _dense_answers(x, targets[rows], wanted, classes, weights=counted, seed=prepared.settings.seed)

    fits = {LINEAR: of(picture_line_answers), NEIGHBOURS: of(neighbour_answers), EDGES: edges}
    return fits if len(prepared.network.shape) == 1 else {**fits, DENSE: dense}


def _flat(pictures: Array) -> Array:
    """Rows of brightness from 0 to 1."""
    return pictures.reshape(len(pictures), -1).astype(np.float32) / 255


def _dense_answers(
    inputs: Array, targets: Array, asked: Array, classes: int, *, weights: Array | None, seed: int
) -> Array:
    """Train a fully connected network for a fixed number of epochs, and predict.

    Parameters
    ----------
    inputs, targets
        The training rows: ``[N, F]`` and ``[N]`` class numbers or standardised numbers.
    asked
        ``[K, F]`` the rows to predict.
    classes
        The number of classes; 0 for numbers.
    weights
        ``[N]``, or None if all are equal.
    seed
        Of the first weights, the batches and dropout.

    Returns
    -------
    ndarray
        Probabilities ``[K, C]``, or numbers ``[K]``.
    """
    mean, scale = inputs.mean(axis=0), float(inputs.std()) or 1.0
    x, wanted = ((rows - mean) / scale for rows in (inputs, asked))
    network = mlp(x.shape[1], _DENSE_WIDTHS, classes or 1, activation="silu", dropout=0.1)
    loss = Loss(name="cross_entropy" if classes else "mse")
    engine = make_engine("torch", network, loss, Optimizer(name="adam"), initialise(network, seed))
    plan = Plan(
        learning_rate=_DENSE_RATE,
        batch_size=_DENSE_BATCH,
        epochs=min(_MOST_EPOCHS, max(_FEWEST_EPOCHS, _DENSE_PASSES // len(x))),
        schedule=Schedule(name="cosine"),
        keep="last",
        seed=seed,
    )
    y = targets if classes else targets[:, np.newaxis].astype(x.dtype)
    outcome = fit(engine, Rows(inputs=x, targets=y, weights=weights), Rows(inputs=x[:1], targets=y[:1]), plan)
    if outcome.problem is not None:
        raise ArithmeticError(outcome.problem)
    logits = engine.logits(wanted).astype(np.float64)
    return softmax(logits) if classes else logits[:, 0]
