"""Convert arrays of any common kind to pixels [N, H, W, C] of one byte each, and labels to an Arrow column.

``N`` images, ``H`` rows of pixels, ``W`` columns of pixels, ``C`` channels (1 grey, 3 red, green, blue).

The meaning of a value depends only on the type of the array, never on the other values. So the same image gives the
same answer alone, in a batch, and in training:

| type | black | white |
|---|---|---|
| whole numbers (``uint8``, ``int64``, …) | 0 | 255 |
| fractions (``float32``, ``float64``, …) | 0.0 | 1.0 |
| booleans | False | True |
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pellucid.errors import DataError

__all__ = ["as_label_column", "as_pixels", "with_channels"]

Pixels = NDArray[np.uint8]
_BLOCK = 4096  # images converted at a time, so that no second large array is made
_FEW_SHADES = 16  # whole numbers up to here may be on another scale, such as 0 and 1, or 0 to 16


def as_pixels(values: Any, where: str) -> tuple[Pixels, tuple[str, ...]]:
    """Pixels as [N, H, W, C], one byte each (a copy), and notes on what was changed.

    Parameters
    ----------
    values
        [N, H, W] or [N, H, W, C] with 1, 3 or 4 channels (the fourth is opacity, over white), or [N, C, H, W]. Whole
        numbers from 0 to 255, booleans, or fractions from 0 to 1. A shape that fits both is read with the channels
        last.
    where
        The name of this array in messages.

    Raises
    ------
    DataError
        The shape or the values are different, or there is no image.

    >>> pixels, notes = as_pixels([[[0.0, 0.5], [1.0, 0.25]]], "images")
    >>> pixels.shape, pixels.ravel().tolist()
    ((1, 2, 2, 1), [0, 128, 255, 64])
    """
    try:
        array = np.asarray(values)
    except ValueError as error:  # lists of different lengths
        raise DataError(f"{where} must all have one size; resize them first") from error
    if array.dtype.hasobject:
        raise DataError(f"{where} must be numbers of one size, got Python objects; stack them with numpy.stack")
    array, notes = _channels_last(array, where)
    if 0 in array.shape:
        raise DataError(f"{where} must hold at least one pixel, got the shape {array.shape}")
    convert, note = _conversion(array, where)
    pixels: Pixels = np.empty(array.shape, np.uint8)
    for start in range(0, len(array), _BLOCK):
        pixels[start : start + _BLOCK] = convert(array[start : start + _BLOCK])
    if pixels.shape[3] == 4:
        pixels = _on_white(pixels)
        notes += ("transparent parts were put on white",)
    return pixels, (*notes, *note)


def _channels_last(array: NDArray[Any], where: str) -> tuple[NDArray[Any], tuple[str, ...]]:
    shape = list(array.shape)
    if array.ndim == 3:
        colours = shape[2] in (3, 4) and f"{where} of the shape {shape} were read as {shape[0]:,} grey images of "
        return array[..., None], (
            (f"{colours}{shape[1]} × {shape[2]} pixels; pass a single colour image as image[None]",) if colours else ()
        )
    if array.ndim == 4 and shape[3] in (1, 3, 4):
        if shape[1] not in (1, 3):
            return array, ()
        return array, (
            f"{where} of the shape {shape} were read with the channels last, as {shape[1]} × {shape[2]} pixels and "
            f"{shape[3]} channel{'s' if shape[3] > 1 else ''}; if the channels come second, pass "
            "images.transpose(0, 2, 3, 1)",
        )
    if array.ndim == 4 and array.shape[1] in (1, 3):
        return array.transpose(0, 2, 3, 1), ("the channels were moved from the second to the last axis",)
    remedy = "; numpy.reshape gives flat rows that shape" if array.ndim == 2 else ""
    raise DataError(
        f"{where} must have the shape [images, height, width] or [images, height, width, channels] with 1, 3 or 4 "
        f"channels, got {list(array.shape)}{remedy}"
    )


def _conversion(array: NDArray[Any], where: str) -> tuple[Callable[[NDArray[Any]], NDArray[Any]], tuple[str, ...]]:
    """How values of this kind become bytes, and a note for the user."""
    kind = array.dtype.kind
    if kind == "b":
        return (lambda block: block * np.uint8(255)), ()
    if kind not in "iuf":
        raise DataError(f"{where} must be numbers, got values of type {array.dtype}")
    low, high = array.min().item(), array.max().item()
    if not (np.isfinite(low) and np.isfinite(high)):
        first = next(i for i, image in enumerate(array) if not np.isfinite(image).all())
        raise DataError(f"{where} must be finite, but image {first:,} holds NaN or infinity; replace those values")
    if kind == "f":
        if low < 0 or high > 1:
            raise DataError(
                f"{where} hold numbers of type {array.dtype}, which must be fractions from 0 (black) to 1 (white), "
                f"got values from {low:g} to {high:g}; divide them by the value of white (such as images / 255), or "
                "pass whole numbers from 0 to 255 (images.astype('uint8'))"
            )
        # float64, so that rounding does not depend on the type of the array
        return (lambda block: np.rint(block.astype(np.float64) * 255)), (
            "fractions from 0 to 1 were rounded to the 256 shades from 0 to 255",
        )
    if low < 0 or high > 255:
        raise DataError(
            f"{where} hold whole numbers, which must be from 0 (black) to 255 (white), got values from {low} to "
            f"{high}; scale them to whole numbers from 0 to 255, or to fractions from 0 to 1"
        )
    if 0 < high <= _FEW_SHADES:
        instead = "booleans (images == 1)" if high == 1 else f"fractions (images / {high})"
        return (lambda block: block), (
            f"whole numbers are shades from 0 (black) to 255 (white), and the brightest value here is {high}; if "
            f"{high} means white, pass {instead}, both in training and in prediction",
        )
    return (lambda block: block), ()


def _on_white(pixels: Pixels) -> Pixels:
    laid = np.empty((*pixels.shape[:3], 3), np.uint8)
    for start in range(0, len(pixels), _BLOCK):
        block = pixels[start : start + _BLOCK].astype(np.uint32)
        colour, opaque = block[..., :3], block[..., 3:]
        laid[start : start + _BLOCK] = (colour * opaque + 255 * (255 - opaque) + 127) // 255
    return laid


def with_channels(pixels: Pixels, channels: int) -> Pixels:
    """Convert images to 1 channel (grey) or 3 (red, green, blue).

    Grey is the luma of ITU-R 601-2, 0.299 red + 0.587 green + 0.114 blue, with Pillow's integer weights.

    >>> with_channels(np.full((1, 2, 2, 1), 7, np.uint8), 3).shape
    (1, 2, 2, 3)
    """
    if pixels.shape[3] == channels:
        return pixels
    if channels == 3:
        return np.repeat(pixels, 3, axis=3)
    grey = np.empty((*pixels.shape[:3], 1), np.uint8)
    weights = np.array([19595, 38470, 7471], np.uint32)  # thousandths of 65,536
    for start in range(0, len(pixels), _BLOCK):
        block = pixels[start : start + _BLOCK].astype(np.uint32)
        grey[start : start + _BLOCK, ..., 0] = (block @ weights + 0x8000) >> 16
    return grey


def as_label_column(labels: Any, n_images: int, where: str) -> pa.Array:
    """Labels as a column: whole numbers as ``int64``, other numbers as ``float64``, text dictionary-encoded.

    One-hot rows (a single 1 among zeros) become the position of the 1.

    Raises
    ------
    DataError
        There is not exactly one label per image, or the values are not labels.
    """
    try:
        array = np.asarray(labels)
    except ValueError as error:
        raise DataError(f"{where} must be a flat list with one label for each image") from error
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    elif array.ndim == 2 and array.dtype.kind in "biuf" and _is_one_hot(array):
        array = array.argmax(axis=1)
    if array.ndim != 1:
        raise DataError(f"{where} must be one label for each image, got the shape {list(array.shape)}")
    if len(array) != n_images:
        raise DataError(f"{where}: there are {len(array):,} labels but {n_images:,} images; the numbers must be equal")
    return _label_array(array, where)


def _is_one_hot(array: NDArray[Any]) -> bool:
    return bool(((array == 0) | (array == 1)).all() and (array.sum(axis=1) == 1).all())


def _label_array(array: NDArray[Any], where: str) -> pa.Array:
    kind = array.dtype.kind
    if kind == "b":
        return pa.array(array)
    if kind in "iu":
        if array.size and int(array.max()) > np.iinfo(np.int64).max:
            raise DataError(f"{where} must be whole numbers below 2**63, got {int(array.max())}")
        return pa.array(array.astype(np.int64))
    if kind == "f":
        if (
            bool(np.isfinite(array).all())
            and bool((array == np.trunc(array)).all())
            and bool((abs(array) < 2**53).all())
        ):
            return pa.array(array.astype(np.int64))
        return pa.array(array.astype(np.float64), mask=~np.isfinite(array))
    try:
        if kind == "S":
            array = np.char.decode(array, "utf-8")
        column = pa.array(array.tolist())
    except (pa.ArrowException, UnicodeDecodeError, OverflowError) as error:
        raise DataError(f"{where} must be all text or all numbers, in UTF-8 ({error})") from error
    if pa.types.is_string(column.type):
        return column.dictionary_encode()
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_boolean(column.type):
        return column
    raise DataError(f"{where} must be text or numbers, got {column.type}")
