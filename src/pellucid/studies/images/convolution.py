"""Convolution: filters by hand, stride and padding, shared weights, and what happens when a digit is shifted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.forward import forward
from pellucid.errors import SettingError
from pellucid.network import Conv2d, Dense, Flatten, Network, mlp
from pellucid.network.cnn import cnn
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.numerals import numeral
from pellucid.plots import convolution as plots
from pellucid.plots import curves
from pellucid.studies.images.image_sets import ImageSet, digits, rows_of
from pellucid.studies.learning import accuracy, at_least
from pellucid.studies.story import Story, shown
from pellucid.training.engine import Engine, make_engine
from pellucid.training.loop import Plan, Rows
from pellucid.training.schedules import Schedule

__all__ = ["FILTERS", "Convolution", "convolve", "house", "shifted", "study"]

Array = NDArray[Any]

FILTERS: dict[str, Array] = {
    "vertical edges": np.array([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]),  # Sobel
    "horizontal edges": np.array([[-1.0, -2.0, -1.0], [0.0, 0.0, 0.0], [1.0, 2.0, 1.0]]),
    "all edges": np.array([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]]),  # Laplace
    "blur": np.full((3, 3), 1 / 9),
    "sharpen": np.array([[0.0, -1.0, 0.0], [-1.0, 5.0, -1.0], [0.0, -1.0, 0.0]]),
}
SIDE = 48  # pixels of the drawn picture
MARGIN = 4  # empty pixels around a digit, so that it can be shifted without being cut
CHANNELS, WIDTHS = (16, 32), (20,)  # about 5,000 parameters each, for digits of 16 × 16 pixels
LARGE, COPIES = (128, 64), 8  # of the network that learns from moved digits, and how often each digit is moved
DENSE, SHIFTED, CONVOLVED = "fully connected", "larger, trained on moved digits", "convolutional"
LEARNING_RATE, BATCH = 0.01, 64
DIRECTIONS = ((0, 1), (0, -1), (1, 0), (-1, 0))


@dataclass(frozen=True, kw_only=True, eq=False)
class Convolution:
    """The figures of the study.

    Attributes
    ----------
    maps
        For each filter, what it gives for the drawn picture, ``[46, 46]``.
    sides
        For each kernel size, padding and stride, the side of the map of a picture of 28 pixels.
    parameters
        For each side of a picture, the parameters of a convolution, and of a dense layer with as many outputs.
    network_parameters
        Of each network that is trained.
    shifts
        By how many pixels the test digits are moved.
    accuracy
        For each network, the accuracy after each shift: the mean of four directions.
    """

    maps: Mapping[str, Array]
    sides: Mapping[tuple[int, int, int], int]
    parameters: Mapping[int, tuple[int, int]]
    network_parameters: Mapping[str, int]
    shifts: tuple[int, ...]
    accuracy: Mapping[str, tuple[float, ...]]


def study(
    story: Story,
    *,
    epochs: Annotated[int, "passes over the training digits, for each network"] = 20,
    most: Annotated[int, "the largest shift, in pixels, from 1 to 4"] = MARGIN,
    seed: Annotated[int, "of the initial weights, the batches and the shifts in training"] = 0,
) -> Convolution:
    """Apply filters by hand, count weights, and shift digits under two networks.

    Raises
    ------
    SettingError
        A setting breaks its rule.
    """
    at_least("epochs", epochs, 1)
    at_least("most", most, 1)
    at_least("seed", seed, 0)
    if most > MARGIN:
        raise SettingError(f"most must be at most {MARGIN}, the empty pixels around each digit, got {most!r}")
    data = digits()
    maps = _tell_filters(story)
    _tell_by_hand(story, data)
    sides = _tell_extents(story)
    parameters = _tell_parameters(story)
    counts, found = _tell_shifts(story, data, epochs=epochs, most=most, seed=seed)
    dense, convolved = found[DENSE][-1], found[CONVOLVED][-1]
    story.close(
        learned="A filter is a small table of weights that is used at every place of a picture; what it finds depends "
        f"on its weights alone. Moved by {most} pixel{'s' * (most != 1)}, digits that the fully connected network knew "
        f"with {100 * found[DENSE][0]:.1f} % are recognised in {100 * dense:.1f} % of cases; by the convolutional one, "
        f"with about as many parameters, in {100 * convolved:.1f} % (before: {100 * found[CONVOLVED][0]:.1f} %).",
        try_next="pellucid learn cnn",
    )
    return Convolution(
        maps=maps,
        sides=sides,
        parameters=parameters,
        network_parameters=counts,
        shifts=tuple(range(most + 1)),
        accuracy=found,
    )


# ── filters by hand ──


def house(side: int = SIDE) -> Array:
    """A drawn picture ``[side, side]`` from 0 (black) to 1: a house, the sun, a hill, in soft noise.

    >>> house().shape, bool(house().min() >= 0), bool(house().max() <= 1)
    ((48, 48), True, True)
    """
    y, x = np.mgrid[:side, :side] / side
    picture = 0.25 + 0.15 * (1 - y)  # the sky is brighter above
    picture[y > 0.75 + 0.06 * np.sin(7 * x)] = 0.1
    picture[(x - 0.8) ** 2 + (y - 0.2) ** 2 < 0.01] = 0.95
    picture[(x > 0.2) & (x < 0.6) & (y > 0.5) & (y < 0.85)] = 0.7
    picture[(np.abs(x - 0.4) < y - 0.25) & (y < 0.5)] = 0.45
    picture[(x > 0.35) & (x < 0.46) & (y > 0.65) & (y < 0.85)] = 0.2
    picture += np.random.default_rng(0).normal(0, 0.015, picture.shape)
    drawn: Array = np.clip(picture, 0, 1)
    return drawn


def convolve(picture: Array, kernel: Array, *, stride: int = 1, padding: int = 0) -> Array:
    """The feature map of one filter on one picture ``[H, W]``, computed by the textbook's `Conv2d`.

    Parameters
    ----------
    picture, kernel
        ``[H, W]`` and ``[k, k]``.
    stride, padding
        How far the window moves on; how many zeros surround the picture.

    >>> convolve(np.array([[1.0, 1.0, 9.0]]), np.array([[-1.0, 1.0]])).tolist()
    [[0.0, 8.0]]
    """
    layer = Conv2d(
        in_channels=1, out_channels=1, kernel_size=kernel.shape, stride=stride, padding=padding, bias=False
    )  # fmt: skip
    network = Network(shape=(1, *picture.shape), layers=(layer,))
    found: Array = forward(network, {"0.weight": kernel[None, None]}, picture[None, None]).logits[0, 0]
    return found


def _tell_filters(story: Story) -> dict[str, Array]:
    story.heading("Five filters by hand")
    picture = house()
    maps = {name: convolve(picture, kernel) for name, kernel in FILTERS.items()}
    flat = {name: float(convolve(np.full((3, 3), 0.5), kernel)[0, 0]) for name, kernel in FILTERS.items()}
    story.say(
        "A convolution lays a small table of weights, the filter, on a window of a picture, multiplies each weight by "
        "the pixel under it and adds the products. Then the window moves on by one pixel. The sums form a new picture, "
        "the feature map. What it shows depends on the weights alone: where the weights add up to 0, the map "
        "is 0 wherever all pixels of a window are equal, and only edges remain; where they add up to 1, such a window "
        "keeps its brightness."
    )
    story.table(
        f"Filters of 3 × 3 on a drawn picture of {SIDE} × {SIDE} pixels, brightness 0 to 1",
        ("filter", "weights, row by row", "their sum", "on a window of 0.5", "smallest in the map", "largest"),
        [
            (
                name,
                _rows(kernel),
                f"{numeral(round(float(kernel.sum()), 12))}",
                f"{numeral(round(flat[name], 12))}",
                f"{float(maps[name].min()):.2f}".replace("-", "−"),
                f"{float(maps[name].max()):.2f}",
            )
            for name, kernel in FILTERS.items()
        ],
    )
    story.draw(
        "filters",
        lambda: plots.feature_maps(
            picture, np.array(list(maps.values())), ["the picture", *maps], title="What five filters find in a picture",
            grey=("blur", "sharpen"),
        ),
        "Orange: the picture becomes brighter to the right (vertical edges) or downwards (horizontal edges), or a "
        "pixel is darker than those around it (all edges); purple: the opposite. Blur averages each window, sharpen "
        "exaggerates how a pixel differs from its neighbours.",
    )  # fmt: skip
    return maps


def _rows(kernel: Array) -> str:
    return " / ".join(" ".join(numeral(float(w), 2) for w in row) for row in kernel)


def _tell_by_hand(story: Story, data: ImageSet) -> None:
    story.heading("One number of a map")
    name, at = "vertical edges", (1, 0)
    digit, kernel = data.train_images[0].astype(float), FILTERS[name]
    found = convolve(digit, kernel)
    row, column = at
    patch = digit[row : row + 3, column : column + 3]
    used = kernel != 0
    terms = " + ".join(f"{_factor(w)}·{shown(float(p))}" for w, p in zip(kernel[used], patch[used], strict=True))
    story.say(
        f"A handwritten digit of 8 × 8 pixels, and the filter for {name}. The framed window starts in row {row} and "
        f"column {column}, counted from 0: {terms} = {shown(float(found[at]))} (weights of 0 are left out)."
    )
    story.draw(
        "window",
        lambda: plots.sliding_window(digit, kernel, found, at=at, title=f"The filter for {name} on a digit"),
        "The window, the filter, and the number of the map that they give; orange is above 0, purple below.",
    )


def _factor(value: float) -> str:
    return f"({shown(value)})" if value < 0 else shown(value)


# ── stride and padding ──


def _tell_extents(story: Story) -> dict[tuple[int, int, int], int]:
    story.heading("Stride and padding")
    n = 28
    sides = {}
    for k, p, s in ((3, 0, 1), (3, 1, 1), (5, 0, 1), (5, 2, 1), (3, 1, 2), (5, 2, 2), (3, 1, 3)):
        layer = Conv2d(in_channels=1, out_channels=1, kernel_size=k, padding=p, stride=s)
        sides[k, p, s] = layer.output_shape((1, n, n))[1]
    story.say(
        "A window of k pixels fits n − k + 1 times along a side of n pixels, so every layer would cut off the border. "
        "Padding surrounds the picture with p rows of zeros; with p = (k − 1) / 2 the map is as large as the picture. "
        "With a stride of s the window moves by s pixels: the map has about a s-th of the rows and columns, and "
        "costs about s² times less to compute. The side of the map is (n + 2p − k) / s + 1, rounded down."
    )
    story.table(
        f"The side of the map of a picture of {n} × {n} pixels",
        ("filter", "padding p", "stride s", "(n + 2p − k) / s + 1", "side of the map"),
        [
            (f"{k} × {k}", p, s, f"({n} + 2·{p} − {k}) / {s} + 1 = {numeral((n + 2 * p - k) / s + 1)}", side)
            for (k, p, s), side in sides.items()
        ],
    )
    picture, kernel = house(), FILTERS["all edges"]
    ways = [(1, 1), (1, 2), (1, 4)]
    story.draw(
        "stride",
        lambda: plots.strides(
            [convolve(picture, kernel, padding=p, stride=s) for p, s in ways],
            [f"padding {p}, stride {s}" for p, s in ways],
            title="The same filter with a larger stride",
        ),
        "A larger stride looks at fewer places: the map keeps the rough shape and loses the detail. With padding, "
        "zeros meet the picture at its border, which gives edges that are not in the picture.",
    )
    return sides


# ── parameters ──


def _tell_parameters(story: Story) -> dict[int, tuple[int, int]]:
    story.heading("Shared weights")
    channels = CHANNELS[0]
    counts = {}
    for side in (8, 28, 224):
        shape = (1, side, side)
        layer = Conv2d(in_channels=1, out_channels=channels, kernel_size=3, padding="same")
        pixels = side * side
        dense = Network(shape=shape, layers=(Flatten(), Dense(inputs=pixels, outputs=channels * pixels)))
        counts[side] = (Network(shape=shape, layers=(layer,)).n_trainable, dense.n_trainable)
    story.say(
        f"A layer of {channels} filters gives {channels} maps. Each filter uses the same 9 weights and 1 bias at every "
        "place. A dense layer with as many outputs has a weight for every pair of an input and an output."
    )
    story.table(
        f"Parameters of a layer with {channels} maps as large as the picture",
        ("picture", "convolution", "dense layer", "times as many"),
        [(f"{side} × {side}", a, b, round(b / a)) for side, (a, b) in counts.items()],
    )
    return counts


# ── shifted digits ──


def shifted(images: Array, down: int, right: int) -> Array:
    """Images ``[N, H, W]`` moved by whole pixels; zeros move in at the border.

    >>> shifted(np.array([[[1, 2], [3, 4]]]), 0, 1)[0].tolist()
    [[0, 1], [0, 3]]
    """
    found = np.zeros_like(images)
    height, width = images.shape[1:]
    to = (slice(max(0, down), height + min(0, down)), slice(max(0, right), width + min(0, right)))
    of = (slice(max(0, -down), height + min(0, -down)), slice(max(0, -right), width + min(0, -right)))
    found[:, *to] = images[:, *of]
    return found


def _tell_shifts(
    story: Story, data: ImageSet, *, epochs: int, most: int, seed: int
) -> tuple[dict[str, int], dict[str, tuple[float, ...]]]:
    story.heading("A digit is shifted")
    train, test = (_framed(data, images) for images in (data.train_images, data.test_images))
    side = train.shape[1]
    networks = {
        DENSE: mlp(side * side, WIDTHS, len(data.names)),
        CONVOLVED: cnn((1, side, side), CHANNELS, len(data.names)),
        SHIFTED: mlp(side * side, LARGE, len(data.names)),
    }
    counts = {name: network.n_trainable for name, network in networks.items()}
    story.say(
        f"{len(train):,} handwritten digits stand in the middle of pictures of {side} × {side} pixels. Two networks of "
        f"about the same size learn them in {epochs} epochs: a fully connected one ({networks[DENSE].outline()}) and a "
        f"convolutional one ({networks[CONVOLVED].outline()}). Then {len(test)} other digits are moved by up to {most} "
        f"pixels to the right, the left, down and up. No digit is cut. A third network, fully connected and larger "
        f"({networks[SHIFTED].outline()}), learns from {COPIES} copies of each digit, each moved at random."
    )
    shifts = range(most + 1)
    found = {}
    for name, network in networks.items():
        images, labels = train, data.train_labels
        if name == SHIFTED:
            images, labels = _moved_at_random(np.tile(images, (COPIES, 1, 1)), most, seed), np.tile(labels, COPIES)
        engine = _trained(network, images, labels, epochs=epochs, seed=seed)
        found[name] = tuple(_accuracy(engine, test, data.test_labels, shift) for shift in shifts)
    story.table(
        "Accuracy on the test digits, mean of the four directions",
        ("network", "parameters", *(f"moved by {shift}" if shift else "in place" for shift in shifts)),
        [(name, counts[name], *(f"{value:.3f}" for value in values)) for name, values in found.items()],
    )
    story.draw(
        "shifted",
        lambda: curves.curves(
            {name: (list(shifts), list(values)) for name, values in found.items()},
            title="Digits that are moved after training",
            x_label="moved by … pixels",
            y_label="accuracy on the test digits",
            log_y=False,
        ),
        f"Guessing is right in one of {len(data.names)} cases.",
    )
    some = test[:1]
    story.draw(
        "digits",
        lambda: plots.strides(
            [shifted(some, 0, shift)[0] for shift in shifts],
            [f"moved by {shift}" if shift else "in place" for shift in shifts],
            title="The same digit, moved to the right",
        ),
        "For an eye the digit stays the same; for a fully connected network nearly every input has changed.",
    )
    lost = {name: 100 * (values[0] - min(values)) for name, values in found.items()}
    story.say(
        f"The fully connected network loses up to {lost[DENSE]:.1f} points of accuracy, the convolutional one "
        f"{lost[CONVOLVED]:.1f}. The first has a weight for each pixel, and its weights have only seen digits in the "
        "middle. The second uses its filters everywhere, and at the end takes the mean of each map, which does not ask "
        "where something was found. It is not quite indifferent to a shift: its pooling moves by two "
        "pixels, so after a shift by one it compares other pairs, and after a shift by two the same ones again."
    )
    story.say(
        f"The larger network shows the other way: with {counts[SHIFTED]:,} parameters and {COPIES} times as many "
        f"pictures it is right on {100 * min(found[SHIFTED]):.1f} to {100 * max(found[SHIFTED]):.1f} %. What a "
        "convolution has built in, a dense layer must learn from examples."
    )
    return counts, found


def _framed(data: ImageSet, images: Array) -> Array:
    """Digits from 0 to 1 with an empty margin, ``[N, H + 8, W + 8]``."""
    bright = rows_of(data, images).reshape(images.shape)
    return np.pad(bright, ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN)))


def _moved_at_random(images: Array, most: int, seed: int) -> Array:
    """Each image moved by up to ``most`` pixels, along both axes."""
    moves = np.random.default_rng(seed).integers(-most, most + 1, (len(images), 2))
    return np.concatenate([shifted(image[None], *move) for image, move in zip(images, moves.tolist(), strict=True)])


def _inputs(network: Network, images: Array) -> Array:
    return images.reshape(len(images), *network.shape).astype(np.float32)


def _trained(network: Network, images: Array, labels: Array, *, epochs: int, seed: int) -> Engine:
    from pellucid.studies.setup import learn_to_the_end

    engine = make_engine(
        "torch", network, Loss(name="cross_entropy"), Optimizer(name="adam"), initialise(network, seed)
    )
    plan = Plan(
        learning_rate=LEARNING_RATE, batch_size=BATCH, epochs=epochs, schedule=Schedule(name="cosine"), keep="last",
        seed=seed,
    )  # fmt: skip
    rows = Rows(inputs=_inputs(network, images), targets=labels)
    few = Rows(inputs=rows.inputs[:1], targets=labels[:1])
    learn_to_the_end(engine, rows, plan, watched={"train": few}, every=epochs)
    return engine


def _accuracy(engine: Engine, images: Array, labels: Array, shift: int) -> float:
    """The share of digits recognised, mean of four directions."""
    moved = [shifted(images, shift * down, shift * right) for down, right in (DIRECTIONS if shift else DIRECTIONS[:1])]
    return float(
        np.mean([accuracy(engine.loss, engine.logits(_inputs(engine.network, each)), labels) for each in moved])
    )
