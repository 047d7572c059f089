"""Images that are nearly the same: one file saved again with another quality or resized, or two frames of one scene.

1. Each image becomes a thumbnail of about 16 × 16 means, minus its mean, divided by its length. A copy lies very near
   its original there. Near pairs are found with a k-d tree on the first principal components.
2. Each such pair is checked on thumbnails of up to 32 × 32: the differences between neighbouring pixels (edges) must
   correlate, and the shades themselves must agree. This is what keeps simple pictures apart: two handwritten ones lie
   near each other, but their edges do not coincide.

The images are those of the table, which all have one size; so files of different sizes can be compared. On the 60,000
training images of MNIST, step 1 finds 11 pairs (hash distance 0 would find thousands) and step 2 leaves 2.

Legend: ``N`` images, ``P`` pairs, ``S`` side of a thumbnail.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.columns.images import PixelRows

__all__ = ["SeveralSources", "alike_sets", "near_pairs", "thumbnails"]

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float32]

_SMALL, _LARGE = 16, 32  # sides of the two thumbnails
_REACH = 0.1  # between thumbnails of length 1: a correlation of 0.995
_REACH_OF_MANY, _MANY = 0.07, 20_000
_EDGES, _EDGES_OF_SMALL = 0.9, 0.95  # the least correlation, and where a side is shorter than 64 pixels
_DETAILED = 64
_CONTRAST = 4.0  # the least standard deviation of the shades of a thumbnail; flatter images show nothing
_SHADES = 0.3  # of the contrast: the largest root of the mean squared difference of a pair
_COMPONENTS = 12
_SAMPLE = 5_000
_MOST_IMAGES = 200_000
_NEAREST = 4
_AT_ONCE = 20_000
_BLOCK = 1 << 24  # bytes read at once
_LARGEST_SET = 0.05  # of the images, and
_ALWAYS_ALLOWED = 10


class SeveralSources:
    """The images of one table after those of another, read from where they are."""

    def __init__(self, first: NDArray[np.uint8] | PixelRows, second: NDArray[np.uint8] | PixelRows) -> None:
        self._first, self._second = first, second
        self.shape: tuple[int, ...] = (len(first) + len(second), *first.shape[1:])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> NDArray[np.uint8]:
        """Images by a slice or by numbers."""
        rows = np.arange(len(self))[rows]
        later = rows >= len(self._first)
        out = np.empty((len(rows), *self.shape[1:]), np.uint8)
        out[~later] = self._first[rows[~later]]
        out[later] = self._second[rows[later] - len(self._first)]
        return out


Source = NDArray[np.uint8] | PixelRows | SeveralSources


def near_pairs(pixels: Source) -> IntArray:
    """Pairs ``[P, 2]`` of images ``[N, H, W, C]`` that are nearly the same but not equal; the lower row first.

    >>> image = np.arange(4096, dtype=np.uint8).reshape(1, 64, 64, 1) // 3 * 2
    >>> other = np.random.default_rng(0).integers(0, 255, (1, 64, 64, 1)).astype(np.uint8)
    >>> near_pairs(np.concatenate([image, other, image + 1])).tolist()
    [[0, 2]]
    """
    n, height, width, _ = pixels.shape
    if not 2 <= n <= _MOST_IMAGES or min(height, width) < 8:
        return np.zeros((0, 2), np.int64)
    small = thumbnails(pixels, _SMALL).mean(axis=3).reshape(n, -1)
    small -= small.mean(axis=1, keepdims=True)
    contrast = small.std(axis=1)
    shown = np.flatnonzero(contrast >= _CONTRAST)
    if len(shown) < 2:
        return np.zeros((0, 2), np.int64)
    small = small[shown] / np.linalg.norm(small[shown], axis=1, keepdims=True)
    pairs = shown[_close(small, _REACH if n <= _MANY else _REACH_OF_MANY)]
    if not len(pairs):
        return np.zeros((0, 2), np.int64)
    found = pairs[_same_picture(pixels, pairs)]
    found.sort(axis=1)
    ordered: IntArray = found[np.lexsort(found.T[::-1])]
    return ordered


def alike_sets(pairs: IntArray, n: int) -> IntArray:
    """A number for each of n images, ``[n]``, which near copies share; ``pairs`` are those of `near_pairs`.

    Where a set would be large (more than a twentieth of all images), these are rather drawings of one kind or frames of
    one long scene: then the sets are left apart, and only the pairs tell.
    """
    if not len(pairs):
        return np.arange(n)
    from scipy.sparse import coo_array  # type: ignore[import-untyped]  # scikit-learn brings scipy
    from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]

    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    label: IntArray = connected_components(graph, directed=False)[1].astype(np.int64)
    if np.bincount(label).max() > max(_ALWAYS_ALLOWED, _LARGEST_SET * n):
        return np.arange(n)
    return label


def thumbnails(pixels: Source, side: int) -> FloatArray:
    """Means of blocks: ``[N, S, S, C]`` with S from `side` down to half of it, or ``H × W`` where that is smaller."""
    n, height, width, channels = pixels.shape
    high, wide = (max(1, -(-length // side)) for length in (height, width))
    rows, columns = height // high, width // wide
    out = np.empty((n, rows, columns, channels), np.float32)
    for part, block in _blocks(pixels):
        cut = block[:, : rows * high, : columns * wide]
        sums = cut.reshape(len(cut), rows, high, -1).sum(axis=2, dtype=np.uint32)
        sums = sum(sums.reshape(len(cut), rows, columns, wide, channels)[:, :, :, k] for k in range(wide))
        np.divide(sums, high * wide, out=out[part])
    return out


def _blocks(pixels: Source) -> Iterator[tuple[slice, NDArray[np.uint8]]]:
    step = max(1, _BLOCK // max(1, int(np.prod(pixels.shape[1:]))))
    for i in range(0, len(pixels), step):
        part = slice(i, min(i + step, len(pixels)))
        yield part, pixels[part]


def _close(unit: FloatArray, reach: float) -> IntArray:
    """Pairs of vectors ``[N, F]`` of length 1 that are at most this far apart: of each the four nearest.

    More of them than four need not be met: they are also near each other.
    """
    from scipy.spatial import cKDTree  # type: ignore[import-untyped]

    rng = np.random.default_rng(0)
    some = unit if len(unit) <= _SAMPLE else unit[rng.choice(len(unit), _SAMPLE, replace=False)]
    _, vectors = np.linalg.eigh(some.T @ some)  # ascending
    points = np.ascontiguousarray(unit @ vectors[:, -_COMPONENTS:])
    of_row = points.view(f"V{points.strides[0]}").reshape(-1)
    _, first, inverse = np.unique(of_row, return_index=True, return_inverse=True)  # so that no row is its own neighbour
    equal = np.column_stack([first[inverse], np.arange(len(unit))])
    pairs = [equal[equal[:, 0] != equal[:, 1]]]
    if len(first) > 1:
        tree, k = cKDTree(points[first]), min(_NEAREST + 1, len(first))
        _, nearest = tree.query(points[first], k=k, distance_upper_bound=reach, workers=min(4, os.cpu_count() or 1))
        here, place = np.nonzero(nearest[:, 1:] < len(first))
        found = np.column_stack([first[here], first[nearest[here, place + 1]]])
        found.sort(axis=1)
        pairs.append(np.unique(found, axis=0))
    both = np.concatenate(pairs)
    near = [
        np.einsum("pf,pf->p", unit[both[i : i + _AT_ONCE, 0]], unit[both[i : i + _AT_ONCE, 1]])
        for i in range(0, len(both), _AT_ONCE)
    ]
    kept: IntArray = both[np.concatenate([np.zeros(0), *near]) >= 1 - reach**2 / 2].astype(np.int64)
    return kept


def _same_picture(pixels: Source, pairs: IntArray) -> NDArray[np.bool_]:
    """Whether the edges and the shades of each pair agree, and the two are not equal: ``[P]``."""
    least = _EDGES_OF_SMALL if min(pixels.shape[1:3]) < _DETAILED else _EDGES
    found = np.zeros(len(pairs), bool)
    step = 2_000
    for i in range(0, len(pairs), step):
        one, other = (pixels[pairs[i : i + step, k]] for k in (0, 1))
        differ = (one != other).any(axis=(1, 2, 3))
        a, b = thumbnails(one, _LARGE), thumbnails(other, _LARGE)
        root = np.sqrt(((a - b) ** 2).mean(axis=(1, 2, 3)))
        agree = _correlation(_edges(a), _edges(b)) >= least
        found[i : i + step] = differ & agree & (root <= _SHADES * a.std(axis=(1, 2, 3)))
    return found


def _edges(thumbs: FloatArray) -> FloatArray:
    """The differences between neighbouring shades of grey, down and to the right: ``[P, features]``."""
    grey = thumbs.mean(axis=3)  # JPEG keeps colours at half the resolution
    down, right = np.diff(grey, axis=1), np.diff(grey, axis=2)
    return np.concatenate([down.reshape(len(thumbs), -1), right.reshape(len(thumbs), -1)], axis=1)


def _correlation(a: FloatArray, b: FloatArray) -> NDArray[Any]:
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    correlation: NDArray[Any] = np.einsum("pf,pf->p", a, b) / np.maximum(lengths, 1e-9)
    return correlation
