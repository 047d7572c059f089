"""Applies an augmentation to the pictures of a batch.

Legend: B pictures of H × W pixels and C channels, as bytes ``[B, H, W, C]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.augmentation.looks import colour, erase
from pellucid.augmentation.moves import flip, resample, shift

__all__ = ["augmented", "draws"]

Array = NDArray[Any]
Pixels = NDArray[np.uint8]

# A key for each kind, so that what one draws does not depend on which others there are. The keys 1 and 2 belong to
# `pellucid.training.batches`.
_KEYS = {"shift": 11, "flip": 12, "rotate": 13, "crop": 14, "colour": 15, "erase": 16}
_PIXELS_AT_ONCE = 1 << 14  # what is in work then stays in the processor's cache: several times as fast


def augmented(strengths: Mapping[str, Any], pixels: Pixels, *, seed: int, epoch: int, batch: int) -> Pixels:
    """The pictures, changed as `Augmentation.apply` says: first moved, then recoloured, then erased in part.

    Parameters
    ----------
    strengths
        What may change: the kinds of `pellucid.augmentation.Augmentation` with their strengths.
    pixels
        ``[B, H, W, C]``.
    seed, epoch, batch
        What is drawn depends on these alone.

    >>> pixels = np.zeros((2, 8, 8, 3), np.uint8)
    >>> augmented({"shift": 2, "colour": 0.2}, pixels, seed=0, epoch=0, batch=0).shape
    (2, 8, 8, 3)
    """
    many, height, width, _ = pixels.shape
    drawn = {kind: draws(kind, many, seed, epoch, batch) for kind in strengths}
    changed = np.empty_like(pixels)
    step = max(1, _PIXELS_AT_ONCE // (height * width))
    for i in range(0, many, step):
        part = {kind: numbers[:, i : i + step] for kind, numbers in drawn.items()}
        changed[i : i + step] = _changed(strengths, pixels[i : i + step], part)
    return changed


def _changed(strengths: Mapping[str, Any], pixels: Pixels, drawn: Mapping[str, Array]) -> Pixels:
    """The pictures, changed by what was drawn: three numbers from 0 to 1 for each picture and kind."""
    many, height, width, _ = pixels.shape
    if "flip" in drawn:
        sides, never = drawn["flip"] < 0.5, np.zeros(many, bool)
        horizontally = never if strengths["flip"] == "vertical" else sides[0]
        pixels = flip(pixels, horizontally, never if strengths["flip"] == "horizontal" else sides[1])
    if "shift" in drawn:
        far = strengths["shift"]
        down, right = np.floor(drawn["shift"][:2] * (2 * far + 1)).astype(np.int64) - far
        pixels = shift(pixels, down, right)
    if "rotate" in drawn or "crop" in drawn:
        nothing = np.full((3, many), 0.5)
        degrees = (2 * drawn.get("rotate", nothing)[0] - 1) * strengths.get("rotate", 0.0)
        less, down, right = drawn.get("crop", nothing)
        pixels = resample(pixels, degrees, 1 - strengths.get("crop", 0.0) * less, (2 * down - 1, 2 * right - 1))
    if "colour" in drawn:
        brightness, contrast, saturation = 1 + strengths["colour"] * (2 * drawn["colour"] - 1)
        pixels = colour(pixels, brightness, contrast, saturation)
    if "erase" in drawn:
        erased = (round(strengths["erase"] * height), round(strengths["erase"] * width))
        middle = np.floor(drawn["erase"][:2] * [[height], [width]]).astype(np.int64)
        pixels = erase(pixels, *erased, (middle[0], middle[1]))
    return pixels


def draws(kind: str, many: int, seed: int, epoch: int, batch: int) -> Array:
    """Three numbers from 0 to 1 for each picture, ``[3, many]``, of this kind's own.

    Parameters
    ----------
    kind
        The kind of change.
    many
        B, the number of pictures.
    seed, epoch, batch
        The numbers depend on these and the kind alone.
    """
    bits = np.random.Philox(key=[seed, _KEYS[kind]], counter=[0, 0, batch, epoch])
    # Picture by picture, so that those of a picture do not depend on how many follow.
    return np.random.Generator(bits).random((many, 3)).T
