"""Figures of images: a grid of them, originals above their reconstructions, errors pixel by pixel, a map of codes.

``N`` images, ``H`` rows of pixels, ``W`` columns of pixels. Images are grey, ``[N, H, W]``, or red, green and blue,
``[N, H, W, 3]``. They are drawn as stored, with the largest value white, so that digits are light on dark as in their
files and a photograph does not become a negative. Images with a common grey scale share the same black and white.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pellucid.numerals import numerals
from pellucid.plots.canvas import BAD, COLOURS, MARKERS, SEQUENTIAL, TWO_SIDED, panels
from pellucid.plots.heat_maps import over_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["WRONG", "attributed_images", "code_map", "error_maps", "image_grid", "pairs"]

Array = NDArray[Any]

WRONG = "✗"  # precedes the caption of a wrong answer, for readers and printers without colour


def image_grid(
    images: ArrayLike,
    captions: Sequence[str],
    *,
    wrong: ArrayLike | None = None,
    columns: int = 8,
    title: str | None = None,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """Draw images row by row, each with a caption; wrong answers have a thick coloured frame and the sign `WRONG`.

    Parameters
    ----------
    images
        ``[N, H, W]`` grey or ``[N, H, W, 3]`` colour (bytes, or fractions from 0 to 1), at least one.
    captions
        One for each image; may contain a line break.
    wrong
        ``[N]`` booleans: which answers are wrong; ``None`` for none.
    columns
        Images per row.
    limits
        The values drawn as black and white; by default 0 and 255 for bytes, else the smallest and the largest of all.

    >>> figure = image_grid(np.zeros((3, 8, 8)), ["0", "0", "6, is 0"], wrong=[False, False, True], columns=3)
    >>> figure.axes[2].get_title()
    '✗ 6, is 0'
    """
    values = np.asarray(images)
    marked = np.zeros(len(values), bool) if wrong is None else np.asarray(wrong, bool)
    assert len(values) == len(captions) == len(marked), (len(values), len(captions), len(marked))
    columns = min(columns, len(values))
    rows = math.ceil(len(values) / columns)
    lines = max(caption.count("\n") + 1 for caption in captions)
    longest = max(len(line) for caption in captions for line in caption.split("\n")) + 2 * bool(marked.any())
    width = max(1.05, 0.085 * longest)  # a caption of two neighbours must not touch
    figure, axes = panels(rows, columns, width=width, height=1.0 + 0.2 * lines, title=title)
    shade = _shades(values, limits)
    for axis, image, caption, bad in zip(axes, values, captions, marked, strict=False):
        _image(axis, image, shade)
        axis.set_title(f"{WRONG} {caption}" if bad else caption, fontsize=10, color=BAD if bad else "black")
        _frame(axis, BAD if bad else "#BBBBBB", 3.5 if bad else 0.8)
    for axis in axes[len(values) :]:
        axis.set_axis_off()
    return figure


def pairs(
    originals: ArrayLike,
    reconstructions: ArrayLike | Mapping[str, ArrayLike],
    errors: ArrayLike | Mapping[str, ArrayLike],
    title: str | None = None,
    *,
    captions: Sequence[str] | None = None,
    limits: tuple[float, float] | None = None,
    error_name: str = "error",
) -> Figure:
    """Draw originals above their reconstructions, with the error of each reconstruction below it.

    Parameters
    ----------
    originals
        ``[N, H, W]`` or ``[N, H, W, 3]``.
    reconstructions
        Images like the originals, or several such sets by name; each is a row of the picture.
    errors
        ``[N]`` numbers, or one such array for each name.
    captions
        The text above each original.
    limits
        As in `image_grid`; all rows share the grey scale of the originals.
    error_name
        The name of the errors, such as ``"mse"``.

    >>> figure = pairs(np.zeros((4, 8, 8)), np.ones((4, 8, 8)), np.ones(4), "four digits", error_name="mse")
    >>> figure.axes[4].get_xlabel()
    'mse 1.0000'
    """
    first = np.asarray(originals)
    many = reconstructions if isinstance(reconstructions, Mapping) else {"reconstruction": reconstructions}
    each = errors if isinstance(errors, Mapping) else {"reconstruction": errors}
    assert set(many) == set(each), (list(many), list(each))
    n = len(first)
    figure, axes = panels(1 + len(many), n, width=1.1, height=1.3, title=title)
    shade = _shades(first, limits)
    for axis, image, caption in zip(axes[:n], first, captions or [""] * n, strict=True):
        _image(axis, image, shade)
        axis.set_title(caption, fontsize=10)
    axes[0].set_ylabel("original", fontsize=9)
    for row, name in enumerate(many, start=1):
        line = axes[row * n : (row + 1) * n]
        said = numerals(np.asarray(each[name], dtype=float).tolist())
        for axis, image, number in zip(line, np.asarray(many[name]), said, strict=True):
            _image(axis, image, shade)
            axis.set_xlabel(f"{error_name} {number}", fontsize=8)
        line[0].set_ylabel(textwrap.fill(name, 14), fontsize=9)
    for axis in axes:
        _frame(axis, "#BBBBBB", 0.8)
    return figure


def error_maps(
    errors: Mapping[str, ArrayLike], *, title: str | None = None, unit: str = "mean squared error", columns: int = 3
) -> Figure:
    """Draw the error of each pixel as heat maps side by side, with a common colour scale.

    Parameters
    ----------
    errors
        ``[H, W]`` non-negative numbers, by name.
    title
        Above all panels.
    unit
        The label of the colour bar.
    columns
        Number of maps side by side.

    >>> figure = error_maps({"mean image": np.ones((8, 8)), "network": np.zeros((8, 8))})
    >>> [axis.get_title() for axis in figure.axes[:2]]
    ['mean image', 'network']
    """
    columns = min(columns, len(errors))
    rows = math.ceil(len(errors) / columns)
    figure, axes = panels(rows, columns, width=3.2, height=3.1, title=title)
    figure.set_layout_engine(
        "compressed", w_pad=0.08, h_pad=0.08
    )  # squares beside a colour bar: the plain layout cuts off its label
    largest = max(float(np.max(np.asarray(values))) for values in errors.values()) or 1.0
    shown = None
    for axis, (name, values) in zip(axes, errors.items(), strict=False):
        shown = axis.imshow(np.asarray(values), cmap=SEQUENTIAL, vmin=0, vmax=largest)
        axis.set_title(name)
        axis.set_xlabel("pixel column")
        axis.set_ylabel("pixel row")
    for axis in axes[len(errors) :]:
        axis.set_axis_off()
    if shown is not None:
        figure.colorbar(shown, ax=axes, label=unit, shrink=0.85)
    return figure


def attributed_images(
    images: ArrayLike, values: ArrayLike, captions: Sequence[str], *, name: str, where: ArrayLike | None = None
) -> Figure:
    """Draw images, and below each the contribution of every pixel to the answer, with a colour scale for each image.

    Parameters
    ----------
    images
        ``[N, H, W, C]`` bytes, grey (C = 1) or colour (3).
    values
        ``[N, H, W]`` contributions: orange raises the answer, purple lowers it.
    captions
        One for each image.
    name
        What the answer is, such as ``"probability of 7"``.
    where
        ``[N, H, W]``: maps of where the network looks (Grad-CAM), which are drawn over the images once more, below.

    >>> figure = attributed_images(np.zeros((2, 8, 8, 1), np.uint8), np.ones((2, 8, 8)), ["a", "b"], name="answer")
    >>> [axis.get_title() for axis in figure.axes[:2]]
    ['a', 'b']
    """
    pixels, maps = np.asarray(images), np.asarray(values)
    looked = None if where is None else np.asarray(where)
    n, lines = len(pixels), 2 if looked is None else 3
    columns = min(n, 5)
    rows = math.ceil(n / columns)
    width = max(1.3, 0.085 * max(len(caption) for caption in captions)) if n > 1 else 3.6
    figure, axes = panels(lines * rows, columns, width=width, height=width if n == 1 else 1.5)
    for axis in axes:
        axis.set_axis_off()
    for i in range(n):
        first = lines * columns * (i // columns) + i % columns
        drawn = [axes[first + columns * line] for line in range(lines)]
        for axis in drawn:
            axis.set_axis_on()
            _frame(axis, "#BBBBBB", 0.8)
        grey = pixels.shape[-1] == 1
        image = pixels[i].squeeze(-1) if grey else pixels[i]
        _image(drawn[0], image, {"cmap": "gray", "vmin": 0, "vmax": 255})
        drawn[0].set_title(captions[i], fontsize=10)
        most = float(np.abs(maps[i]).max()) or 1.0
        _image(drawn[1], maps[i], {"cmap": TWO_SIDED + "_r", "vmin": -most, "vmax": most})
        if looked is not None:
            over_picture(drawn[2], pixels[i], looked[i])
            drawn[2].set_xticks([])
            drawn[2].set_yticks([])
    said = f"orange speaks for the {name}, purple against it"
    if looked is not None:
        said += "; in the middle pixel by pixel (integrated gradients), below by the last feature maps (Grad-CAM)"
    figure.supxlabel(textwrap.fill(said, int(13 * width * columns)), fontsize=9)
    return figure


def code_map(
    codes: ArrayLike,
    labels: ArrayLike,
    names: Sequence[str],
    *,
    title: str = "The code of each image",
    axis_labels: tuple[str, str] = ("first number of the code", "second number of the code"),
) -> Figure:
    """Draw codes of two numbers as points, with a colour and a marker for each class and its name at the centre.

    Parameters
    ----------
    codes
        ``[N, 2]``.
    labels
        ``[N]`` class numbers from 0.
    names
        Of the classes; up to 100 have their own combination of colour and marker.

    >>> figure = code_map([[0.0, 1.0], [2.0, 3.0]], [0, 1], ["zero", "one"])
    >>> [text.get_text() for text in figure.legends[0].get_texts()]
    ['zero', 'one']
    """
    import matplotlib.patheffects as effects

    points, classes = np.asarray(codes), np.asarray(labels)
    figure, (axis,) = panels(width=7.2, height=5.4)
    for number, name in enumerate(names):
        mine = points[classes == number]
        if not len(mine):
            continue
        colour, marker = _look(number, name)
        axis.scatter(mine[:, 0], mine[:, 1], s=30, color=colour, marker=marker, alpha=0.7, linewidths=0, label=name)
        x, y = np.median(mine, axis=0)
        text = axis.text(x, y, name, fontsize=17, fontweight="bold", color=colour, ha="center", va="center", zorder=5)
        text.set_path_effects([effects.withStroke(linewidth=4, foreground="white")])
    axis.set_title(title)
    axis.set_xlabel(axis_labels[0])
    axis.set_ylabel(axis_labels[1])
    figure.legend(loc="outside right center", markerscale=1.8, frameon=False)
    return figure


def _look(number: int, name: str) -> tuple[str, str]:
    """A combination of colour and marker, unique among 100 classes; the marker of a digit is the digit."""
    turn, place = divmod(number, len(COLOURS))
    if len(name) == 1 and name.isalnum():
        return COLOURS[place], f"${name}$"
    return COLOURS[place], MARKERS[(place + turn) % len(MARKERS)]


def _shades(images: Array, limits: tuple[float, float] | None) -> dict[str, Any]:
    """How grey values are drawn: one scale for all images."""
    if limits is None:
        is_bytes = images.dtype == np.uint8
        limits = (0, 255) if is_bytes else (float(images.min()), float(images.max()))
    low, high = limits
    return {"cmap": "gray", "vmin": low, "vmax": high if high > low else low + 1}


def _image(axis: Axes, image: Array, shade: dict[str, Any]) -> None:
    axis.imshow(image, interpolation="nearest", **({} if image.ndim == 3 else shade))
    axis.set_xticks([])
    axis.set_yticks([])


def _frame(axis: Axes, colour: str, width: float) -> None:
    for spine in axis.spines.values():
        spine.set(visible=True, edgecolor=colour, linewidth=width)
