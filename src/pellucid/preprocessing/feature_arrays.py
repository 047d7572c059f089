"""The kinds of array that `Features` holds: columns, images, token ids and series.

Legend: N rows, F features, C channels, H × W pixels, T steps or tokens.

Each kind is a frozen value with the arrays of all its rows and a check of them. Rows are taken, put together and
replaced by the methods here, so that whatever belongs to a row (the length of its text, say) goes with it.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DataError
from pellucid.preprocessing.encoded_images import EncodedImages

__all__ = ["Columns", "FeatureArray", "Images", "Series", "StoredImages", "Tokens"]

Array = NDArray[Any]

_LENGTHS = ".lengths"
_MADE = ("flat", "padded")  # of the values, when they are asked for first


@dataclass(frozen=True, kw_only=True, eq=False)
class FeatureArray(ABC):
    """One array of N rows, with what belongs to each of its rows.

    Attributes
    ----------
    values
        ``[N, …]``; the first axis is the rows.
    """

    values: Array

    @abstractmethod
    def check(self, name: str) -> None:
        """Raise `DataError` where the array called ``name`` breaks the rules of its kind."""

    @property
    def n(self) -> int:
        """The number of rows."""
        return len(self.values)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one row, as ``Network(shape=…)`` takes it."""
        return self.values.shape[1:]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the numbers."""
        return self.values.dtype

    @property
    def lengths_or_none(self) -> Array | None:
        """How much of each row counts, ``[N]``; ``None`` where all of it does."""
        return None

    @property
    def places_or_none(self) -> Mapping[str, slice] | None:
        """Where each column stands on the second axis; ``None`` where the array is one column."""
        return None

    @cached_property
    def flat(self) -> Array:
        """``[N, F]``: each row as one list of numbers; a view, and no copy."""
        return self.values if self.values.ndim == 2 else self.values.reshape(self.n, math.prod(self.values.shape[1:]))

    def columns(self, name: str) -> tuple[str, ...]:
        """The columns that the array called ``name`` holds: its own name, if it is one column."""
        return (name,) if self.places_or_none is None else tuple(self.places_or_none)

    def take(self, rows: Array | slice) -> Self:
        """These rows, by their numbers, a mask or a slice."""
        lengths = self.lengths_or_none
        return self._made(self.values[rows], None if lengths is None else lengths[rows])

    def column(self, column: str) -> Self:
        """The array with this column alone; a view."""
        places = self.places_or_none
        if places is None:
            return self
        values = self.values[:, places[column]]
        return self._made(values, None, places={column: slice(0, values.shape[1])})

    def replace(self, columns: Mapping[str, FeatureArray | Array]) -> Self:
        """A copy with other values for these columns; see `Features.replace`."""
        if self.lengths_or_none is not None:
            ((column, given),) = columns.items()
            return self._exchanged(column, given)
        places, values = self.places_or_none, self.values.copy()
        for column, given in columns.items():
            at = np.s_[:] if places is None else np.s_[:, places[column]]
            new = given.values if isinstance(given, FeatureArray) else np.asarray(given)
            wanted = values[at].shape
            if new.shape not in (wanted, (1, *wanted[1:]), wanted[1:]):
                raise DataError(
                    f"column {column!r} has values of shape {_shown(wanted)}, so they cannot be replaced by values of "
                    f"shape {_shown(new.shape)}; give {_shown(wanted)}, or {_shown(wanted[1:])} for all rows alike"
                )
            check_finite(new, column)
            values[at] = new
        return self._made(values, None)

    def mixed(self, other: Self, known: Array) -> Self:
        """The rows with columns of ``other`` where ``known`` ``[N, G]`` is true; see `Features.mixed`."""
        if other.values.shape[1:] != self.values.shape[1:]:
            raise DataError(f"rows of shape {_shown(self.shape)} cannot be mixed with rows of {_shown(other.shape)}")
        places, of_row = self.places_or_none, known[:, :1].ravel()
        if places is None:
            chosen = of_row.reshape(-1, *(1 for _ in self.shape))
        else:
            widths = [place.stop - place.start for place in places.values()]
            chosen = known[:, np.repeat(np.arange(len(widths)), widths)]  # [N, F]
        lengths, others = self.lengths_or_none, other.lengths_or_none
        if lengths is not None and others is not None:
            lengths = np.where(of_row, others, lengths)
        return self._made(np.where(chosen, other.values, self.values), lengths)

    def joined(self, others: Sequence[Self]) -> Self:
        """These rows, and then those of the others; shorter ones are filled up with zeros where rows have lengths."""
        parts = [self, *others]
        arrays = [part.values for part in parts]
        lengths = None
        if self.lengths_or_none is not None:
            longest = max(array.shape[1] for array in arrays)
            arrays = [_filled_up(array, longest) for array in arrays]
            lengths = np.concatenate([part.lengths_or_none for part in parts if part.lengths_or_none is not None])
        return self._made(np.concatenate(arrays), lengths)

    def fits(self, other: FeatureArray) -> bool:
        """Whether rows of the other can stand beside these: the same kind, columns and, but for T, the same shape."""
        start = 1 if self.lengths_or_none is None else 2
        return (
            type(self) is type(other)
            and self.places_or_none == other.places_or_none
            and self.values.shape[start:] == other.values.shape[start:]
        )

    def like(self, values: Array) -> Self:
        """The same columns with other numbers ``[M, F]`` in the order of `flat`."""
        if self.lengths_or_none is not None:
            raise DataError(f"{type(self).__name__.lower()} have lengths, which other numbers would lack")
        return self._made(values.reshape(len(values), *self.shape), None)

    def batch(self, name: str, rows: Array | slice = np.s_[:]) -> dict[str, Array]:
        """The arrays that an engine takes, by name."""
        taken = self.take(rows)
        lengths = taken.lengths_or_none
        return {name: taken.values} if lengths is None else {name: taken.values, name + _LENGTHS: lengths}

    def _exchanged(self, column: str, given: FeatureArray | Array) -> Self:
        if not isinstance(given, type(self)) or not self.fits(given) or given.n not in (1, self.n):
            raise DataError(
                f"column {column!r} holds {type(self).__name__.lower()} with lengths, so it can only be replaced by "
                f"features of this kind, one row or {self.n:,}: take them with features.column({column!r})"
            )
        return given if given.n == self.n else given.take(np.zeros(self.n, dtype=np.intp))

    def _made(self, values: Array, lengths: Array | None, **other: Any) -> Self:
        """The same kind with other arrays, which come from checked ones and are not checked again."""
        made: Self = object.__new__(type(self))
        made.__dict__.update({name: value for name, value in self.__dict__.items() if name not in _MADE})
        made.__dict__.update(values=values, **other)
        if lengths is not None:
            made.__dict__["lengths"] = lengths
        return made


@dataclass(frozen=True, kw_only=True, eq=False)
class Columns(FeatureArray):
    """Columns of a table: a matrix ``[N, F]``.

    Attributes
    ----------
    places
        Column → where its features stand, from the first to the last. A category has several features, a number one.

    >>> columns = Columns(values=np.eye(3), places={"age": slice(0, 1), "job": slice(1, 3)})
    >>> columns.column("job").values.tolist()
    [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    """

    places: Mapping[str, slice]

    @property
    def places_or_none(self) -> Mapping[str, slice]:
        """The places."""
        return self.places

    def check(self, name: str) -> None:
        """A matrix of finite numbers, whose places follow one another from the first feature to the last."""
        _check_axes(self.values, name, "N, F")
        check_finite(self.values, name)
        at = 0
        for column, place in self.places.items():
            if (place.start, place.step) != (at, None) or place.stop < at:
                raise DataError(f"the features of column {column!r} must stand from {at} on, got {place}")
            at = place.stop
        if at != self.values.shape[1]:
            raise DataError(f"{name!r} has {self.values.shape[1]:,} features, but its columns have {at:,}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Images(FeatureArray):
    """Images: ``values`` ``[N, H, W, C]`` in memory, ``[N, C, H, W]`` for an engine.

    Decided once: files have the channels of a pixel side by side, and so has every network that begins with a dense
    layer and was stored so far. Convolutions count the axes as ``C, H, W``; `shape` and `batch` give them so, as a
    view: the memory layout that PyTorch calls ``channels_last``.
    """

    @classmethod
    def of_pixels(cls, pixels: Array, shape: tuple[int, int, int]) -> Images:
        """From rows ``[N, H·W·C]`` of pixels, channels side by side, and the shape ``(H, W, C)``: a view.

        >>> images = Images.of_pixels(np.arange(12.0).reshape(1, 12), (2, 2, 3))
        >>> images.shape, images.batch("photo")["photo"][0, 0].tolist(), np.shares_memory(images.flat, images.values)
        ((3, 2, 2), [[0.0, 3.0], [6.0, 9.0]], True)
        """
        images = cls(values=pixels.reshape(len(pixels), *shape))
        images.__dict__["flat"] = pixels
        return images

    @property
    def shape(self) -> tuple[int, ...]:
        """``(C, H, W)``."""
        _, height, width, channels = self.values.shape
        return channels, height, width

    def batch(self, name: str, rows: Array | slice = np.s_[:]) -> dict[str, Array]:
        """The images of these rows, ``[M, C, H, W]``."""
        return {name: self.values[rows].transpose(0, 3, 1, 2)}

    def like(self, values: Array) -> Images:
        """The same, from numbers ``[M, H·W·C]`` in the order of `flat`."""
        channels, height, width = self.shape
        return Images.of_pixels(values, (height, width, channels))

    def fits(self, other: FeatureArray) -> bool:
        """Whether the other are images of the same shape, wherever their pixels are."""
        return isinstance(other, Images) and self.shape == other.shape

    def check(self, name: str) -> None:
        """Four axes of finite numbers."""
        _check_axes(self.values, name, "N, H, W, C")
        check_finite(self.values, name)


class StoredImages(Images):
    """Images whose pixels stay bytes until a network, or somebody else, asks for numbers.

    A network of convolutions takes them batch by batch (`EncodedImages`). Where all numbers are needed at once, `flat`
    and `values` encode them, once.

    >>> pixels = np.full((2, 1, 1, 3), 255, np.uint8)
    >>> images = StoredImages(EncodedImages(pixels, np.arange(256) / 255 * np.ones((3, 1))))
    >>> images.shape, images.take(np.array([1])).flat.tolist()
    ((3, 1, 1), [[1.0, 1.0, 1.0]])
    """

    encoded: EncodedImages

    def __init__(self, encoded: EncodedImages) -> None:
        self.__dict__["encoded"] = encoded

    @property
    def values(self) -> Array:  # made from the pixels where it is asked for
        """``[N, H, W, C]``, all encoded."""
        channels, height, width = self.shape
        return self.flat.reshape(self.n, height, width, channels)

    @cached_property
    def flat(self) -> Array:
        """``[N, H·W·C]``, all encoded."""
        return self.encoded.flat()

    @property
    def n(self) -> int:
        """The number of rows."""
        return len(self.encoded)

    @property
    def shape(self) -> tuple[int, ...]:
        """``(C, H, W)``."""
        return self.encoded.shape[1:]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the numbers."""
        return self.encoded.dtype

    def take(self, rows: Array | slice) -> StoredImages:
        """These rows, still as bytes."""
        return StoredImages(self.encoded.take(rows))

    def batch(self, name: str, rows: Array | slice = np.s_[:]) -> dict[str, Array]:
        """The images of these rows, ``[M, C, H, W]``."""
        return {name: self.encoded[rows]}

    def check(self, name: str) -> None:
        """Nothing: bytes are always finite."""

    def _made(self, values: Array, lengths: Array | None, **other: Any) -> Any:  # `Images`, with the numbers
        return Images(values=values)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Sequences(FeatureArray):
    """Rows of different lengths, filled up to T."""

    lengths: Array

    @property
    def lengths_or_none(self) -> Array:
        """The lengths."""
        return self.lengths

    def _check_lengths(self, name: str) -> None:
        n, steps = self.values.shape[:2]
        if self.lengths.shape != (n,) or self.lengths.dtype.kind not in "iu":
            raise DataError(
                f"{name!r} has {n:,} rows, so its lengths must be {n:,} whole numbers, got {self.lengths.dtype} "
                f"{_shown(self.lengths.shape)}"
            )
        if n and not 0 <= self.lengths.min() <= self.lengths.max() <= steps:
            wrong = int(np.flatnonzero((self.lengths < 0) | (self.lengths > steps))[0])
            raise DataError(
                f"lengths of {name!r} must lie between 0 and {steps:,}, got {self.lengths[wrong]:,} in row {wrong:,}"
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class Tokens(_Sequences):
    """Texts as numbers of tokens ``[N, T]`` (whole numbers from 0), and how many count in each row, ``[N]``."""

    @classmethod
    def of_ids(cls, ids: Array) -> Tokens:
        """From rows ``[N, T]`` that are filled up with 0 at their ends, of any type of number.

        >>> Tokens.of_ids(np.array([[5.0, 7.0], [3.0, 0.0]])).lengths.tolist()
        [2, 1]
        """
        counts = np.where(ids != 0, np.arange(1, ids.shape[1] + 1), 0)
        return cls(values=ids.astype(np.int64), lengths=counts.max(axis=1, initial=0))

    def check(self, name: str) -> None:
        """Two axes of whole numbers from 0."""
        _check_axes(self.values, name, "N, T", kinds="iu")
        if self.values.size and self.values.min() < 0:
            row = int(np.argwhere(self.values < 0)[0, 0])
            raise DataError(f"token ids of {name!r} must be at least 0, got {self.values.min()} (first in row {row:,})")
        self._check_lengths(name)


@dataclass(frozen=True, kw_only=True, eq=False)
class Series(_Sequences):
    """Series ``[N, T, C]``: T steps of C channels, and how many steps count in each row, ``[N]``."""

    @cached_property
    def padded(self) -> Array:
        """``[N, T, C]`` as an engine takes it: NaN in the steps that do not count; a copy where there are any."""
        steps = self.values.shape[1]
        if bool((self.lengths == steps).all()):
            return self.values
        beyond = np.arange(steps) >= self.lengths[:, None]
        return np.where(beyond[:, :, None], np.array(np.nan, self.dtype), self.values)

    def check(self, name: str) -> None:
        """Three axes of finite numbers."""
        _check_axes(self.values, name, "N, T, C")
        check_finite(self.values, name)
        self._check_lengths(name)


# ── checks ────────────────────────────────────────────────────────────────────────────────────────────────────


def _check_axes(values: Array, name: str, axes: str, kinds: str = "f") -> None:
    if not isinstance(values, np.ndarray) or values.ndim != axes.count(",") + 1:
        shape = _shown(np.shape(values))
        raise DataError(f"{name!r} must be an array [{axes}], got {type(values).__name__} {shape}")
    if values.dtype.kind not in kinds:
        wanted = "floating-point" if kinds == "f" else "whole"
        raise DataError(f"{name!r} must hold {wanted} numbers, got {values.dtype}")


def check_finite(values: Array, name: str) -> None:
    """Raise `DataError` for NaN or an infinity.

    The sum is finite only if all numbers are; where it overflows, the numbers are looked at one by one.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(values.sum()):
            return
    wrong = np.argwhere(~np.isfinite(values))
    if len(wrong):
        place = tuple(wrong[0].tolist())
        raise DataError(
            f"features must be finite, but {name!r} holds {values[place]} in row {place[0]:,} ({len(wrong):,} such "
            "values); preprocessing fills missing cells, so encode the rows with the recipe first"
        )


def _filled_up(values: Array, steps: int) -> Array:
    missing = steps - values.shape[1]
    return values if not missing else np.pad(values, [(0, 0), (0, missing), *((0, 0),) * (values.ndim - 2)])


def _shown(shape: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, shape))}]"
