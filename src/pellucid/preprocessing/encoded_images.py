"""Images that stay bytes in memory, or in a cache on disk, and become a network's numbers batch by batch.

Legend: N images, B of a batch, C channels, H × W pixels.

Encoded, a pixel takes four or eight bytes instead of one, so a large set of images is never encoded as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["EncodedImages", "PixelStore"]

Array = NDArray[Any]
Pixels = NDArray[np.uint8]
Taken = Array | slice | list[int]  # row numbers, a mask, or a slice

_BLOCK = 1 << 22  # pixels that `blocks` takes at once


class PixelStore(Protocol):
    """Where pixels are: an array ``[N, H, W, C]`` of bytes, or something that reads rows of it from disk."""

    @property
    def shape(self) -> tuple[int, ...]:
        """``(N, H, W, C)``."""

    def __getitem__(self, rows: Any, /) -> Pixels:
        """The pixels ``[B, H, W, C]`` of these rows: numbers ``[B]`` or a slice."""


class EncodedImages:
    """Looks like the array ``[N, C, H, W]`` that a network takes, but encodes only the rows that are asked for.

    Parameters
    ----------
    store
        The pixels.
    table
        The value of each pixel, 0 to 255, in each channel: ``[C, 256]``; its type is that of the encoded numbers.
    rows
        The rows of the store that are meant, ``[N]``; ``None``: all.

    >>> pixels = np.array([[[[0], [255]]], [[[51], [102]]]], np.uint8)  # two grey images of 1 × 2 pixels
    >>> images = EncodedImages(pixels, np.arange(256)[np.newaxis] / 255)
    >>> images.shape, images[np.array([1])].tolist(), images.take(np.array([1])).shape
    ((2, 1, 1, 2), [[[[0.2, 0.4]]]], (1, 1, 1, 2))
    """

    def __init__(self, store: PixelStore, table: Array, rows: Array | None = None) -> None:
        self._store, self._table, self._rows = store, table, rows

    # ── like an array ──

    @property
    def shape(self) -> tuple[int, ...]:
        """``(N, C, H, W)``."""
        n, height, width, channels = self._store.shape
        return n if self._rows is None else len(self._rows), channels, height, width

    @property
    def ndim(self) -> int:
        """4."""
        return 4

    @property
    def size(self) -> int:
        """How many numbers they are, encoded."""
        return int(np.prod(self.shape))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the encoded numbers."""
        return self._table.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        """One line, without the numbers."""
        return f"<EncodedImages: {self.dtype}{list(self.shape)}>"

    def __getitem__(self, rows: Taken | int) -> Array:
        """These images, encoded: ``[B, C, H, W]``; one number gives one image."""
        if isinstance(rows, int | np.integer):
            one: Array = self[[int(rows)]][0]
            return one
        return self.encode(self.pixels(rows))

    def __iter__(self) -> Iterator[Array]:
        return (self[i] for i in range(len(self)))

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        """All of them, encoded."""
        return self[:].astype(self.dtype if dtype is None else dtype, copy=False)

    def astype(self, dtype: DTypeLike, copy: bool = True) -> EncodedImages:
        """The same images with numbers of another type, still not encoded."""
        return EncodedImages(self._store, self._table.astype(dtype, copy=False), self._rows)

    # ── pixels and numbers ──

    def pixels(self, rows: Taken = np.s_[:]) -> Pixels:
        """The pixels of these images, ``[B, H, W, C]``."""
        pixels: Pixels = np.asarray(self._store[self._at(rows)])
        return pixels

    def encode(self, pixels: Pixels) -> Array:
        """The numbers ``[B, C, H, W]`` of pixels ``[B, H, W, C]``: a view of ``[B, H, W, C]`` in memory.

        This is the layout that PyTorch calls ``channels_last``.
        """
        out = np.empty(pixels.shape, self.dtype)
        for c, values in enumerate(self._table):
            out[..., c] = values[pixels[..., c]]
        return out.transpose(0, 3, 1, 2)

    def take(self, rows: Taken) -> EncodedImages:
        """These images, still not encoded; no pixel is copied."""
        chosen = np.arange(len(self))[rows] if self._rows is None else self._rows[rows]
        return EncodedImages(self._store, self._table, chosen)

    def flat(self) -> Array:
        """``[N, H·W·C]``, all encoded: as a network that begins with a dense layer takes them."""
        n, height, width, channels = len(self), *self._store.shape[1:]
        out = np.empty((n, height * width * channels), self.dtype)
        at = 0
        for block in self.blocks():
            flat = block.reshape(len(block), -1)
            for c, values in enumerate(self._table):
                out[at : at + len(block), c::channels] = values[flat[:, c::channels]]
            at += len(block)
        return out

    def blocks(self) -> Iterator[Pixels]:
        """All pixels in order, a few images at a time: ``[B, H, W, C]``, contiguous."""
        step = max(1, _BLOCK // max(1, int(np.prod(self.shape[1:]))))
        for i in range(0, len(self), step):
            yield np.ascontiguousarray(self.pixels(slice(i, i + step)))

    def _at(self, rows: Taken) -> Any:
        """Rows of these images as rows of the store."""
        if self._rows is not None:
            return self._rows[rows]
        if isinstance(rows, np.ndarray) and rows.dtype == bool:
            return np.flatnonzero(rows)
        return rows
