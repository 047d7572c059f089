"""Columns of images: recognising them, their pixels, and which images are equal.

The Arrow type of an image column is a tensor of bytes, ``[height, width, channels]`` for every image.

Equal images are found by a 64-bit hash of all pixels. The pixels are read eight at a time as a 64-bit word. Each word
is mixed with its position and the results are added, so images that differ in a single pixel, or in the order of their
pixels, get different hashes (except for one pair in 10¹⁹, by chance).

Images that are too many for memory are in a file, and their column holds row numbers (`pellucid.data.columns.
pixel_file`): then the type is a dictionary of the tensor, and `pixel_source` reads only the rows asked for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pellucid.data.columns.pixel_file import PixelRows, stored_rows

__all__ = ["PixelRows", "image_hashes", "is_image_type", "mixed", "pixel_source", "pixels_of", "shape_of"]

HashArray = NDArray[np.uint64]

_WORDS_AT_ONCE = 500_000  # 4 MB, to stay in the processor's cache
_STEP = np.uint64(0x9E3779B97F4A7C15)  # 2⁶⁴ divided by the golden ratio: the increment of SplitMix64


def is_image_type(kind: pa.DataType) -> bool:
    """Whether an Arrow type is the type of images.

    >>> is_image_type(pa.fixed_shape_tensor(pa.uint8(), [28, 28, 1])), is_image_type(pa.uint8())
    (True, False)
    """
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return isinstance(kind, pa.FixedShapeTensorType) and kind.value_type == pa.uint8() and len(kind.shape) == 3


def shape_of(kind: pa.DataType) -> tuple[int, int, int]:
    """Height, width and channels of images of this type."""
    height, width, channels = (kind.value_type if pa.types.is_dictionary(kind) else kind).shape
    return int(height), int(width), int(channels)


def pixels_of(column: Any) -> NDArray[np.uint8]:
    """The pixels of a column of images as ``[N, H, W, C]``, without a copy if it is in memory and has one chunk."""
    source = pixel_source(column)
    return source[:] if isinstance(source, PixelRows) else source


def pixel_source(column: Any) -> NDArray[np.uint8] | PixelRows:
    """The pixels of a column of images: the array ``[N, H, W, C]``, or its rows in a file, read by ``[rows]``.

    Both have a shape and a length, and give an array of bytes for a slice, a mask or row numbers.
    """
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if not isinstance(array, pa.DictionaryArray):
        pixels: NDArray[np.uint8] = array.to_numpy_ndarray()
        return pixels
    stored = stored_rows(array)
    return array.dictionary_decode().to_numpy_ndarray() if stored is None else stored


def image_hashes(pixels: NDArray[np.uint8] | PixelRows) -> HashArray:
    """A 64-bit hash of each image in ``pixels`` ``[N, H, W, C]``: ``[N]``.

    >>> images = np.zeros((3, 2, 2, 1), np.uint8)
    >>> images[2, 0, 1, 0] = 1
    >>> a, b, c = image_hashes(images).tolist()
    >>> a == b, a == c
    (True, False)
    """
    if isinstance(pixels, PixelRows):
        return np.concatenate([image_hashes(part) for _, part in pixels.blocks()] or [np.zeros(0, np.uint64)])
    flat = pixels.reshape(len(pixels), -1)
    size = flat.shape[1]
    n_words = max(1, -(-size // 8))
    place = np.arange(1, n_words + 1, dtype=np.uint64) * _STEP
    found = np.empty(len(flat), dtype=np.uint64)
    step = max(1, _WORDS_AT_ONCE // n_words)
    for i in range(0, len(flat), step):
        part = flat[i : i + step]
        if size % 8 or not part.flags.c_contiguous:
            padded = np.zeros((len(part), 8 * n_words), dtype=np.uint8)
            padded[:, :size] = part
            part = padded
        words = part.view("<u8").astype(np.uint64, copy=False) + place
        found[i : i + step] = mixed(words).sum(axis=1, dtype=np.uint64)
    return found


def mixed(bits: Any) -> HashArray:
    """The finaliser of SplitMix64 (Steele, Lea & Flood 2014), which spreads every bit over all others."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    result: HashArray = bits ^ (bits >> np.uint64(31))
    return result
