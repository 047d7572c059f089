"""The lesson on convolution: one small filter for the whole picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.backprop import backward
from pellucid.engines.textbook.forward import forward
from pellucid.explanation.receptive_fields import receptive_fields
from pellucid.lessons.question import Question, choose, number
from pellucid.lessons.writing import in_brackets, pick, sum_of_products, vector
from pellucid.network import Conv2d, Dense, Flatten, Layer, MaxPool2d, Network, describe
from pellucid.network.cnn import cnn
from pellucid.studies.story import Story, shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["questions", "tell"]

Array = NDArray[Any]

SEVEN = np.array(
    [
        [0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0],
        [0, 9, 9, 9, 9, 9, 0],
        [0, 0, 0, 0, 0, 9, 0],
        [0, 0, 0, 0, 9, 0, 0],
        [0, 0, 0, 9, 0, 0, 0],
        [0, 0, 0, 9, 0, 0, 0],
    ],
    dtype=float,
)
HORIZONTAL = np.array([[-1, -1, -1], [0, 0, 0], [1, 1, 1]], dtype=float)  # finds what is brighter below than above
SIDE, FILTERS, CLASSES = 28, 16, 10


def tell(story: Story) -> None:
    """Tell what a convolution computes, how large its map is, and what it saves."""
    _tell_filter(story)
    _tell_extents(story)
    dense, shared = _tell_weights(story)
    story.close(
        learned=f"A convolution uses one small filter at every place of a picture: {FILTERS} filters have "
        f"{shared:,} parameters, where a dense layer with as many outputs would have {dense:,}. What a filter has "
        "learned in one corner works in all others.",
        try_next="pellucid study convolution",
    )


def _tell_filter(story: Story) -> None:
    story.heading("A filter looks at one small window after another")
    story.say(
        "A dense layer treats a picture as a list of numbers: it does not know which pixels are neighbours, and it has "
        "to learn an edge anew for each place where one may be. A convolution has a filter (also called a kernel): a "
        "few weights, here 3 × 3. The filter lies on a window of the picture; each weight is multiplied by the pixel "
        "under it, and the products and a bias are added. Then the window moves on by one pixel. The sums form a new "
        "picture, the feature map."
    )
    found = _convolved(SEVEN, HORIZONTAL)
    story.draw(
        "window", lambda: _draw_window(found),
        "The framed window of the picture, the filter, and the framed number of the map that they give.",
    )  # fmt: skip
    places = ((0, 1), (1, 1), (2, 1), (2, 3))
    rows = []
    for row, column in places:
        patch = SEVEN[row : row + 3, column : column + 3]
        used = HORIZONTAL != 0
        rows.append((f"{row}, {column}", sum_of_products(HORIZONTAL[used], patch[used]), float(found[row, column])))
    story.table(
        "Four places of the map (weights of 0 are left out; rows and columns count from 0)",
        ("row, column", "weights · pixels", "sum"),
        rows,
    )
    story.say(
        "This filter subtracts the upper row of its window from the lower one. Its map is largest just above the bar, "
        "where dark turns into bright, lowest just below it, and 0 where all pixels are equal. In a network nobody "
        "writes the filters: they begin as random numbers and are learned by gradient descent, like all weights."
    )


def _tell_extents(story: Story) -> None:
    story.heading("How large is the map?")
    story.say(
        "A window of k pixels fits n − k + 1 times along a side of n pixels. Padding surrounds the picture with p rows "
        "of zeros, so that the window can also stand at the border. With the stride s the window moves by s pixels, "
        "which makes the map smaller. Together the side of the map is (n + 2p − k) / s + 1, rounded down. Max pooling "
        "also slides a window, but has no weights: it keeps the largest number of each window. "
        "In the tables, 1 → 16 means one picture in and 16 maps out, and “same” means p = (k − 1) / 2."
    )
    layers: tuple[Layer, ...] = (
        Conv2d(in_channels=1, out_channels=1, kernel_size=3),
        Conv2d(in_channels=1, out_channels=1, kernel_size=3, padding=1),
        Conv2d(in_channels=1, out_channels=1, kernel_size=5, padding=2, stride=2),
        MaxPool2d(kernel_size=2),
    )
    rows = []
    for layer in layers:
        assert isinstance(layer, Conv2d | MaxPool2d)
        (before, _), k, s = layer.pads[0], layer.kernel[0], layer.strides[0]
        side = layer.output_shape((1, SIDE, SIDE))[1]
        rows.append((describe(layer), f"({SIDE} + 2·{before} − {k}) / {s} + 1", side))
    story.table(f"The map of a picture of {SIDE} × {SIDE} pixels", ("layer", "side", "pixels"), rows)


def _tell_weights(story: Story) -> tuple[int, int]:
    """Tell how many parameters there are; return those of a dense layer, and those of a convolution."""
    story.heading("Few weights, and layers that see more and more")
    shape = (1, SIDE, SIDE)
    shared = Network(shape=shape, layers=(Conv2d(in_channels=1, out_channels=FILTERS, kernel_size=3, padding="same"),))
    outputs = FILTERS * SIDE * SIDE
    dense = Network(shape=shape, layers=(Flatten(), Dense(inputs=SIDE * SIDE, outputs=outputs)))
    story.say(
        f"A layer has several filters, and each gives a map of its own, called a channel. {FILTERS} filters of 3 × 3 "
        f"need {shared.n_trainable} parameters, whatever the size of the picture. A dense layer with the same "
        f"{outputs:,} outputs would need {dense.n_trainable:,}. The filters of the next layer reach through all "
        "channels of the layer before, and so combine edges into corners and strokes. How many pixels of the picture "
        "one number depends on is its receptive field; each layer and each pooling widens it."
    )
    network = cnn(shape, (FILTERS, 2 * FILTERS), CLASSES, batch_norm=False)
    fields = receptive_fields(network)
    shapes = network.shapes()
    rows = []
    for i, (layer, before, after) in enumerate(zip(network.layers, (shape, *shapes), shapes, strict=False)):
        extent = fields[str(i)].extent if str(i) in fields else ()
        seen = " × ".join(str(min(each, SIDE)) for each in extent) or "all"
        rows.append(
            (
                describe(layer),
                " × ".join(map(str, after)),
                sum(p.size for p in layer.parameters(before)) or None,
                seen,
            )
        )
    story.table("A small network for digits", ("layer", "output", "parameters", "pixels that one number sees"), rows)
    moved = np.roll(SEVEN, -1, axis=1)  # its left column is empty
    same = np.array_equal(_convolved(moved, HORIZONTAL)[:, :-1], _convolved(SEVEN, HORIZONTAL)[:, 1:])
    story.say(
        "At the end the mean of each channel (global average pooling) asks only whether something was found, not where."
        + (
            " And since the filter is the same everywhere, a picture moved by one pixel gives a map moved by one pixel."
            if same
            else ""
        )
    )
    return dense.n_trainable, shared.n_trainable


def _draw_window(found: Array) -> Figure:
    from pellucid.plots.convolution import sliding_window

    return sliding_window(SEVEN, HORIZONTAL, found, at=(2, 1), title="A filter that finds horizontal edges")


def _convolved(picture: Array, kernel: Array, bias: float = 0.0, *, stride: int = 1, padding: int = 0) -> Array:
    """The map of one filter on one picture.

    Parameters
    ----------
    picture, kernel
        ``[H, W]`` and ``[k, k]``.
    bias
        Is added everywhere.
    stride, padding
        As in `Conv2d`.
    """
    layer = Conv2d(in_channels=1, out_channels=1, kernel_size=kernel.shape, stride=stride, padding=padding)
    parameters = {"0.weight": kernel[np.newaxis, np.newaxis], "0.bias": np.array([bias])}
    network = Network(shape=(1, *picture.shape), layers=(layer,))
    found: Array = forward(network, parameters, picture[np.newaxis, np.newaxis]).logits[0, 0]
    return found


# ── questions ──


def questions(generator: np.random.Generator) -> tuple[Question, ...]:
    """Five questions, with answers computed from the numbers that are drawn."""
    return (
        _ask_side(generator),
        _ask_parameters(generator),
        _ask_sum(generator),
        _ask_pool(generator),
        _ask_field(generator),
    )


def _ask_side(generator: np.random.Generator) -> Question:
    n, k = int(generator.integers(12, 65)), int(pick(generator, (3, 5, 7)))
    s, p = int(pick(generator, (1, 2, 3))), int(generator.integers(0, k // 2 + 1))
    layer = Conv2d(in_channels=1, out_channels=1, kernel_size=k, stride=s, padding=p)
    side = layer.output_shape((1, n, n))[1]
    return number(
        f"A picture of {n} × {n} pixels goes through a convolution with a filter of {k} × {k}, padding {p} and stride "
        f"{s}. How many numbers does the feature map have along each side?",
        side,
        f"({n} + 2·{p} − {k}) / {s} + 1 = {shown((n + 2 * p - k) / s + 1)}"
        + (f", rounded down {side}." if (n + 2 * p - k) % s else "."),
        digits=0,
    )


def _ask_parameters(generator: np.random.Generator) -> Question:
    before, after = int(pick(generator, (1, 3, 8, 16, 32))), int(pick(generator, (4, 8, 16, 32, 64)))
    k, side = int(pick(generator, (1, 3, 5))), int(pick(generator, (28, 32, 224)))
    layer = Conv2d(in_channels=before, out_channels=after, kernel_size=k, padding="same")
    total = Network(shape=(before, side, side), layers=(layer,)).n_trainable
    return number(
        f"A convolution takes pictures of {side} × {side} with {before} channel{'s' * (before != 1)} and has {after} "
        f"filters of {k} × {k}, each with a bias. How many parameters does it have?",
        total,
        f"A filter has {k}·{k}·{before} weights and 1 bias, and there are {after} filters: {after}·"
        f"({k * k * before} + 1) = {total:,}. The size of the picture does not matter.",
        digits=0,
    )


def _ask_sum(generator: np.random.Generator) -> Question:
    picture = generator.integers(0, 6, (3, 3)).astype(float)
    kernel = generator.integers(-2, 3, (2, 2)).astype(float)
    bias, row, column = float(generator.integers(-3, 4)), int(generator.integers(2)), int(generator.integers(2))
    found = _convolved(picture, kernel, bias)
    patch = picture[row : row + 2, column : column + 2]
    return number(
        f"The rows of a picture are {', '.join(vector(line) for line in picture)}. A filter has the rows "
        f"{', '.join(vector(line) for line in kernel)} and the bias {shown(bias)}; stride 1, no padding. What is the "
        f"number of the feature map in row {row} and column {column}, counted from 0?",
        float(found[row, column]),
        f"The window holds {vector(patch[0])} and {vector(patch[1])}: {sum_of_products(kernel.ravel(), patch.ravel())}"
        f" + {in_brackets(bias)} = {shown(float(found[row, column]))}.",
        digits=0,
    )


def _ask_pool(generator: np.random.Generator) -> Question:
    x = generator.permutation(9)[:4].astype(float) + 1
    slopes = generator.permutation([-3, -2, 2, 3, 4, 5])[:2].astype(float)
    network = Network(shape=(1, 1, 4), layers=(MaxPool2d(kernel_size=(1, 2)),))
    trace = forward(network, {}, x.reshape(1, 1, 1, 4))
    back = backward({}, trace, slopes.reshape(1, 1, 1, 2)).d_inputs[0].ravel()
    wrong = (np.repeat(slopes, 2), np.repeat(slopes, 2) / 2, np.where(back == 0, np.repeat(slopes, 2), 0.0))
    return choose(
        f"Max pooling takes the largest of each two numbers of {vector(x)}. On the way back, its two outputs have the "
        f"gradients {vector(slopes)}. What are the gradients of the four inputs?",
        vector(back),
        [vector(each) for each in wrong],
        f"The outputs are {vector(trace.logits.ravel())}. Only the largest number of a window has an effect on its "
        f"output, so it gets the whole gradient and the other gets 0: {vector(back)}.",
        generator,
    )


def _ask_field(generator: np.random.Generator) -> Question:
    first, second = (int(pick(generator, (3, 5, 7))) for _ in range(2))
    pool = int(pick(generator, (2, 3)))
    layers = (
        Conv2d(in_channels=1, out_channels=1, kernel_size=first),
        MaxPool2d(kernel_size=pool),
        Conv2d(in_channels=1, out_channels=1, kernel_size=second),
    )
    field = receptive_fields(Network(shape=(1, 64, 64), layers=layers))["2"].extent[0]
    after_pool = first + pool - 1
    return number(
        f"A convolution with filters of {first} × {first} and stride 1 is followed by max pooling with windows of "
        f"{pool} × {pool} that do not overlap, and that by a convolution with filters of {second} × {second}. How many "
        "pixels of the picture, along one side, does one number of the last map depend on?",
        field,
        f"A number of the first map sees {first} pixels, one after pooling {first} + {pool} − 1 = {after_pool}. "
        f"Neighbours are then {pool} pixels apart, so the last filter adds ({second} − 1)·{pool}: {field}.",
        digits=0,
    )
