"""Images: each pixel of each channel becomes one feature, brought to a common scale.

For a pixel p of channel c, 0 to 255, with the mean μ and the standard deviation σ of that channel over all pixels of
all training images, both of p/255:

    value = (p/255 − μ_c) / σ_c

(For the 60,000 training images of MNIST, μ = 0.1307 and σ = 0.3081.) One pair per channel, not one per pixel: the
picture keeps its look, and a pixel that is nearly always black in training is not blown up by a tiny deviation. A
channel with one value in all training images becomes 0 everywhere, because the network has not learned what a change of
it means.

The features are in the order of rows, columns and channels, and are named ``image[row,column]``, or
``image[row,column,channel]`` where there is more than one channel; all three count from 0, from the upper left.

There are only 256 values that a pixel can have, so the formula is computed for each of them once, in float64, and
every pixel is looked up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from pellucid.data.columns.images import PixelRows, is_image_type, pixel_source
from pellucid.errors import DataError
from pellucid.preprocessing import checks
from pellucid.preprocessing.encoded_images import EncodedImages
from pellucid.preprocessing.values import FloatArray, IntArray

__all__ = ["MAX_VALUES", "ImageStep", "fit_image"]

MAX_VALUES = 2**18  # pixels × channels of one image: 512 × 512 in grey
_MAX_CHANNELS = 4
_SMALLEST = 1e-9  # no spread of real pixels is smaller, and dividing by it stays finite in float32
_PIXELS_AT_ONCE = 1 << 22


@dataclass(frozen=True, kw_only=True)
class ImageStep:
    """How a column of images becomes features.

    Parameters
    ----------
    name
        The column.
    height, width, channels
        Of every image.
    mean, deviation
        μ and σ above, one a channel, of pixels from 0 to 1; deviation 0 means that the training images held one value.
    """

    name: str
    height: int
    width: int
    channels: int
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    kind: ClassVar[str] = "image"

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        return self.height, self.width, self.channels

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The names of the features."""
        grey = self.channels == 1
        return tuple(
            f"{self.name}[{row},{column}]" if grey else f"{self.name}[{row},{column},{channel}]"
            for row in range(self.height)
            for column in range(self.width)
            for channel in range(self.channels)
        )

    def encode(self, column: Any, out: FloatArray) -> None:
        """Write the features of an Arrow column of images into ``out`` ``[rows, features]``.

        Raises
        ------
        DataError
            The column holds no images, or images of another size.
        """
        pixels = self._pixels(column)
        if isinstance(pixels, PixelRows):
            for part, read in pixels.blocks():
                self.encode_pixels(read, out[part])
        else:
            self.encode_pixels(pixels, out)

    def encoded(self, column: Any, rows: IntArray | None = None, dtype: DTypeLike = np.float32) -> EncodedImages:
        """An Arrow column of images, or some ``rows`` of it, whose pixels are encoded only when they are asked for.

        Raises
        ------
        DataError
            As `encode` does.
        """
        pixels = self._pixels(column)
        self._check_size(pixels)
        return EncodedImages(pixels, self._tables.astype(dtype), rows)

    def encode_pixels(self, pixels: NDArray[np.uint8], out: FloatArray) -> None:
        """Write the features of ``pixels`` ``[rows, H, W, C]`` into ``out`` ``[rows, features]``."""
        self._check_size(pixels)
        flat = pixels.reshape(len(pixels), -1)
        step = max(1, _PIXELS_AT_ONCE // flat.shape[1])
        tables = self._tables.astype(out.dtype)
        for i in range(0, len(flat), step):
            for c, table in enumerate(tables):
                out[i : i + step, c :: self.channels] = table[flat[i : i + step, c :: self.channels]]

    def encode_one(self, value: object) -> tuple[float, ...]:
        """The features of one image ``[H, W, C]`` (or ``[H, W]``) of whole numbers from 0 to 255."""
        pixels: NDArray[Any] = np.asarray(value)
        if pixels.ndim == 2:
            pixels = pixels[:, :, None]
        if pixels.dtype.kind not in "iu" or (pixels.size and (pixels.min() < 0 or pixels.max() > 255)):
            raise DataError(f"an image of column {self.name!r} must hold whole numbers from 0 to 255")
        out = np.zeros((1, math.prod(self.shape)))
        self.encode_pixels(pixels.astype(np.uint8)[None], out)
        return tuple(out[0].tolist())

    def decode(self, features: FloatArray) -> NDArray[np.uint8]:
        """From features ``[rows, features]`` back to pixels ``[rows, H, W, C]``, rounded and clipped to 0 … 255."""
        pixels = np.empty((len(features), *self.shape), dtype=np.uint8)
        flat = pixels.reshape(len(features), -1)
        step = max(1, _PIXELS_AT_ONCE // flat.shape[1])
        for i in range(0, len(flat), step):
            for c, (mean, deviation) in enumerate(zip(self.mean, self.deviation, strict=True)):
                share = features[i : i + step, c :: self.channels].astype(np.float64) * deviation + mean
                flat[i : i + step, c :: self.channels] = np.rint(np.clip(share, 0.0, 1.0) * 255)
        return pixels

    def _pixels(self, column: Any) -> NDArray[np.uint8] | PixelRows:
        if not is_image_type(column.type):
            raise DataError(
                f"column {self.name!r} must hold images of {_size(self.shape)}, as the model was trained on, got "
                f"{column.type} cells; give a folder of images, or an array [N, height, width, channels]"
            )
        if column.null_count:
            raise DataError(f"column {self.name!r} holds no image in {column.null_count:,} rows; leave those rows out")
        return pixel_source(column)

    def _check_size(self, pixels: NDArray[np.uint8] | PixelRows) -> None:
        if pixels.shape[1:] != self.shape:
            raise DataError(
                f"column {self.name!r} holds images of {_size(pixels.shape[1:])}, but the model was trained on images "
                f"of {_size(self.shape)}; resize them (image files are resized when they are read)"
            )

    @cached_property
    def _tables(self) -> FloatArray:
        """The value of each pixel, 0 to 255, in each channel: ``[C, 256]``."""
        tables = np.zeros((self.channels, 256))
        for c, (mean, deviation) in enumerate(zip(self.mean, self.deviation, strict=True)):
            if deviation > 0:
                tables[c] = (np.arange(256) / 255 - mean) / deviation
        return tables

    def to_json(self) -> dict[str, Any]:
        """The step as plain JSON values."""
        return {
            "kind": self.kind,
            "name": self.name,
            "height": self.height,
            "width": self.width,
            "channels": self.channels,
            "mean": list(self.mean),
            "deviation": list(self.deviation),
        }

    @classmethod
    def from_json(cls, value: object, where: str) -> ImageStep:
        """Read what `to_json` wrote; raises `ModelFileError`."""
        v = checks.fields(value, where, ("kind", "name", "height", "width", "channels", "mean", "deviation"))
        channels = checks.whole(v["channels"], f"{where}.channels", 1, _MAX_CHANNELS)
        width = checks.whole(v["width"], f"{where}.width", 1, MAX_VALUES // channels)
        # The features are named one by one, so their number is bounded before they are.
        height = checks.whole(v["height"], f"{where}.height", 1, MAX_VALUES // (channels * width))
        means = checks.listing(v["mean"], f"{where}.mean", _MAX_CHANNELS, length=channels)
        deviations = checks.listing(v["deviation"], f"{where}.deviation", _MAX_CHANNELS, length=channels)
        return cls(
            name=checks.text(v["name"], f"{where}.name"),
            height=height,
            width=width,
            channels=channels,
            mean=tuple(checks.number(m, f"{where}.mean[{i}]", 0.0, 1.0) for i, m in enumerate(means)),
            deviation=tuple(_deviation(d, f"{where}.deviation[{i}]") for i, d in enumerate(deviations)),
        )


def fit_image(name: str, column: Any, rows: IntArray | None = None) -> ImageStep:
    """Take the statistics of an Arrow column of images, from the training ``rows`` only; ``None``: from all.

    They are exact: pixels are whole numbers, so it is enough to count how often each of the 256 occurs.

    Raises
    ------
    DataError
        For images with more than 262,144 values.

    >>> import pyarrow as pa
    >>> images = np.array([[[[0], [255]]], [[[255], [255]]]], np.uint8)  # two grey images of 1 × 2 pixels
    >>> step = fit_image("image", pa.FixedShapeTensorArray.from_numpy_ndarray(images))
    >>> step.features, step.mean, round(step.deviation[0], 4)
    (('image[0,0]', 'image[0,1]'), (0.75,), 0.433)
    """
    pixels = pixel_source(column)
    _, height, width, channels = pixels.shape
    if height * width * channels > MAX_VALUES:
        raise DataError(
            f"column {name!r} holds images of {_size(pixels.shape[1:])}, {height * width * channels:,} values each, "
            f"but a network takes at most {MAX_VALUES:,}; give a smaller image_size (--image-size 64)"
        )
    counts = np.zeros((channels, 256), dtype=np.int64)
    for block in EncodedImages(pixels, np.zeros((channels, 256)), rows).blocks():
        for c in range(channels):
            counts[c] += np.bincount(block[..., c].ravel(), minlength=256)
    moments = [_mean_and_deviation(channel) for channel in counts]
    return ImageStep(
        name=name,
        height=height,
        width=width,
        channels=channels,
        mean=tuple(mean for mean, _ in moments),
        deviation=tuple(deviation for _, deviation in moments),
    )


def _mean_and_deviation(counts: NDArray[np.int64]) -> tuple[float, float]:
    """Of pixels from 0 to 1, from how often each of the 256 values occurs; the deviation is that of N."""
    values = np.arange(256) / 255
    mean = float(counts @ values) / int(counts.sum())
    if np.count_nonzero(counts) == 1:  # where a plain formula would miss the 0 by rounding
        return mean, 0.0
    return min(mean, 1.0), math.sqrt(float(counts @ (values - mean) ** 2) / int(counts.sum()))


def _deviation(value: object, where: str) -> float:
    found = checks.number(value, where, 0.0, 1.0)
    return found if found == 0.0 else checks.number(found, where, _SMALLEST, 1.0)


def _size(shape: tuple[int, ...]) -> str:
    height, width, channels = shape
    return f"{height} × {width} pixels and {channels} channel{'s' if channels != 1 else ''}"
