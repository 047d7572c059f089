"""What channels see: the patches that excite them, feature maps, filters over the epochs, receptive fields.

Pictures are ``[H, W, C]`` bytes, grey (C = 1) or colour (3). Many small ones are put together into one mosaic, because
a panel for each would take minutes to draw.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.plots.canvas import COLOURS, LINES, SEQUENTIAL, TWO_SIDED, panels
from pellucid.plots.words import wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["exciting_patches", "feature_map_sheet", "field_outlines", "filters_over_time", "mosaic"]

Array = NDArray[Any]

_WHITE = 255


def mosaic(tiles: Array, columns: int, *, gap: int = 1, filling: float = _WHITE) -> Array:
    """Tiles ``[N, h, w, …]`` beside and below each other, with a gap between them.

    Parameters
    ----------
    tiles
        Of equal size.
    columns
        How many stand beside each other.
    gap, filling
        The positions between two tiles, and their value.

    >>> mosaic(np.array([[[1]], [[2]], [[3]]]), 2, filling=0).tolist()
    [[1, 0, 2], [0, 0, 0], [3, 0, 0]]
    """
    n, height, width = tiles.shape[:3]
    rows = math.ceil(n / columns)
    shape = (rows * (height + gap) - gap, columns * (width + gap) - gap, *tiles.shape[3:])
    whole = np.full(shape, filling, dtype=tiles.dtype)
    for k, tile in enumerate(tiles):
        y, x = k // columns * (height + gap), k % columns * (width + gap)
        whole[y : y + height, x : x + width] = tile
    return whole


def exciting_patches(
    moments: Sequence[tuple[str, Array]], channels: Sequence[int], *, title: str, what: str = "channel"
) -> Figure:
    """A panel for each moment: a line for each channel, with the patches that excite it most.

    Parameters
    ----------
    moments
        For each panel, its heading and the patches ``[channels, K, h, w, C]``, bytes.
    channels
        The numbers of the channels, from 1.
    title
        Above all panels.
    what
        What they are called.
    """
    first = moments[0][1]
    n, each, height, width = first.shape[:4]
    columns = min(3, len(moments))
    wide = max(1.6, min(4.2, each * 0.36 * width / max(height, width) + 0.4))
    tall = max(1.4, n * 0.36 * height / max(height, width) + 0.45)
    figure, axes = panels(
        math.ceil(len(moments) / columns),
        columns,
        width=wide,
        height=tall,
        title=wrapped(title, int(8.5 * wide * columns)),
    )
    gap = max(1, round(max(height, width) / 12))
    for place, (axis, (heading, patches)) in enumerate(zip(axes, moments, strict=False)):
        _draw(axis, mosaic(patches.reshape(n * each, *patches.shape[2:]), each, gap=gap))
        axis.set_title(heading, fontsize=9)
        if place % columns == 0:
            axis.set_yticks([k * (height + gap) + height / 2 for k in range(n)], [str(c) for c in channels], fontsize=8)
            axis.set_ylabel(what)
            axis.tick_params(length=0)
    _without(axes[len(moments) :])
    return figure


def feature_map_sheet(
    picture: Array, moments: Sequence[tuple[str, Sequence[Array]]], layers: Sequence[str], *, title: str
) -> Figure:
    """A picture, and for each moment a line of panels: the maps of some channels of each layer.

    Parameters
    ----------
    picture
        ``[H, W, C]`` bytes.
    moments
        For each line, its heading and for each layer the maps ``[K, h, w]``; the lighter, the larger.
    layers
        The caption of each layer.
    title
        Above all panels.
    """
    columns = 1 + len(layers)
    figure, axes = panels(len(moments), columns, width=2.4, height=1.55, title=wrapped(title, 20 * columns))
    figure.set_layout_engine("constrained", w_pad=0.1)
    for line, (heading, of_layers) in enumerate(moments):
        row = axes[line * columns : (line + 1) * columns]
        if line == 0:
            _draw(row[0], picture)
        else:
            _without([row[0]])
        row[0].set_title("the picture" if line == 0 else "", fontsize=9)
        for axis, maps, caption in zip(row[1:], of_layers, layers, strict=True):
            largest = float(maps.max()) or 1.0
            low = min(float(maps.min()), 0.0)
            gap = max(1, maps.shape[1] // 10)
            whole = mosaic(maps.astype(np.float64), math.ceil(len(maps) / 2), gap=gap, filling=np.nan)
            axis.imshow(whole, cmap=SEQUENTIAL, vmin=low, vmax=largest if largest > low else low + 1,
                        interpolation="nearest")  # fmt: skip
            _bare(axis)
            if line == 0:
                axis.set_title(wrapped(caption, 26, 2), fontsize=9)
        row[1].set_ylabel(wrapped(heading, 18, 2), fontsize=9)
    return figure


def filters_over_time(moments: Sequence[tuple[str, Array]], captions: Sequence[str], *, title: str) -> Figure:
    """A line of filters for each moment, all on one scale.

    Parameters
    ----------
    moments
        For each line, its heading and the filters ``[U, h, w, channels]``. With one channel, orange is positive and
        purple negative; with three, each colour's weight goes from dark to light, with 0 in the middle; of two or four
        channels the mean is shown.
    captions
        ``[U]``, above the first line.
    title
        Above all lines.
    """
    count, height, width = moments[0][1].shape[:3]
    tile = 0.62
    figure, axes = panels(
        len(moments),
        1,
        width=1.3 + tile * count * width / height,
        height=tile + 0.12,
        title=wrapped(title, 12 + 8 * count),
    )
    largest = max(float(np.abs(images).max()) for _, images in moments) or 1.0
    gap = max(1, round(height / 4))
    for line, (axis, (heading, images)) in enumerate(zip(axes, moments, strict=True)):
        if images.shape[-1] == 3:
            shown = np.clip(0.5 + images / (2 * largest), 0, 1)
            axis.imshow(mosaic(shown, count, gap=gap, filling=1.0), interpolation="nearest")
        else:
            whole = mosaic(-images.mean(axis=-1), count, gap=gap, filling=np.nan)
            axis.imshow(whole, cmap=TWO_SIDED, vmin=-largest, vmax=largest, interpolation="nearest")
        _bare(axis)
        axis.set_ylabel(wrapped(heading, 16, 2), fontsize=8, rotation=0, ha="right", va="center")
        if line == 0:
            axis.xaxis.tick_top()
            places = [k * (width + gap) + width / 2 - 0.5 for k in range(count)]
            axis.set_xticks(places, list(captions), fontsize=8)
            axis.tick_params(length=0)
    return figure


def field_outlines(
    picture: Array, fields: Sequence[tuple[str, tuple[tuple[int, int], tuple[int, int]]]], *, title: str
) -> Figure:
    """A picture with the receptive field of one position of each layer as a frame.

    Parameters
    ----------
    picture
        ``[H, W, C]`` bytes.
    fields
        For each layer its name, and the first row and column that it covers and those after the last; what lies outside
        the picture is cut off.
    title
        Above the picture.
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Rectangle

    height, width = picture.shape[:2]
    figure, (axis,) = panels(width=5.4, height=4.4 + 0.2 * len(fields), title=wrapped(title, 60))
    _draw(axis, picture)
    handles = []
    for k, (name, (rows, columns)) in enumerate(fields):
        top, bottom, left, right = max(rows[0], 0), min(rows[1], height), max(columns[0], 0), min(columns[1], width)
        colour = COLOURS[1:][k % (len(COLOURS) - 1)]
        shape: Any = LINES[k // (len(COLOURS) - 1) % len(LINES)]
        for edge, thick in (("white", 4.0), (colour, 2.2)):
            axis.add_patch(
                Rectangle((left - 0.5, top - 0.5), right - left, bottom - top, fill=False, edgecolor=edge,
                          linewidth=thick, linestyle=shape if edge == colour else "-", clip_on=False)
            )  # fmt: skip
        handles.append(Line2D([], [], color=colour, linestyle=shape, linewidth=2.2, label=name))
    figure.legend(handles=handles, loc="outside lower center", frameon=False, fontsize=9)
    return figure


def _draw(axis: Axes, picture: Array) -> None:
    grey = picture.shape[-1] in (1, 2)
    shown = picture[..., 0] if grey else picture[..., :3]
    axis.imshow(shown, interpolation="nearest", cmap="gray" if grey else None, vmin=0, vmax=_WHITE)
    _bare(axis)


def _bare(axis: Axes) -> None:
    axis.set_xticks([])
    axis.set_yticks([])
    for spine in axis.spines.values():
        spine.set_visible(False)


def _without(axes: Sequence[Axes]) -> None:
    for axis in axes:
        axis.set_axis_off()
