"""Features: what a network sees of the rows of a table, as named arrays with one number of rows.

Legend: N rows, M rows taken, G columns, F features.

| array | kind | shape | one column is |
|---|---|---|---|
| ``columns`` | `Columns` | ``[N, F]`` | one or more features: a category has one a level |
| an image column | `Images` | ``[N, H, W, C]``; ``[N, C, H, W]`` for an engine | the whole array |
| a text column | `Tokens` | ``[N, T]`` whole numbers, with lengths ``[N]`` | the whole array |
| a series column | `Series` | ``[N, T, C]``, with lengths ``[N]`` | the whole array |

Rows and columns are taken and replaced here and nowhere else, so that no caller has to know where a column stands.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DataError, nearest
from pellucid.preprocessing.feature_arrays import Columns, FeatureArray, Images, Series, StoredImages, Tokens

__all__ = [
    "COLUMNS",
    "Columns",
    "FeatureArray",
    "Features",
    "Images",
    "Series",
    "StoredImages",
    "Tokens",
    "rows_for",
    "unchecked",
]

Array = NDArray[Any]

COLUMNS = "columns"  # the name of the matrix


@dataclass(frozen=True, eq=False)
class Features:
    """Named arrays with one number of rows; a frozen value, whose methods return new ones.

    Parameters
    ----------
    arrays
        Name → array: ``columns`` for the matrix, and the column's name for every other.

    Raises
    ------
    DataError
        The arrays differ in their number of rows, hold a number that is not finite, or two hold the same column.

    >>> features = Features.of_columns(np.array([[41.0, 1.0], [38.0, 0.0]]), ["age", "smoker"])
    >>> features.n, features.shape, features.column("age").flat.tolist()
    (2, (2,), [[41.0], [38.0]])
    >>> features.replace("age", np.array([50.0])).flat.tolist()
    [[50.0, 1.0], [50.0, 0.0]]
    """

    arrays: Mapping[str, FeatureArray]

    def __post_init__(self) -> None:
        """Check every array, and that they belong together."""
        if not self.arrays:
            raise DataError("features need at least one array")
        for name, array in self.arrays.items():
            array.check(name)
        counts = {name: array.n for name, array in self.arrays.items()}
        if len(set(counts.values())) > 1:
            shown = ", ".join(f"{name!r} has {n:,}" for name, n in counts.items())
            raise DataError(f"all arrays of features must have the same number of rows: {shown}")
        columns = self.columns
        if len(set(columns)) < len(columns):
            twice = next(name for name in columns if columns.count(name) > 1)
            raise DataError(f"column {twice!r} is in two arrays; give each column one name")

    @classmethod
    def of_columns(cls, values: Array, names: Sequence[str] | Mapping[str, slice]) -> Features:
        """A matrix ``[N, F]``, and the name of each feature, or where the features of each column stand.

        >>> Features.of_columns(np.ones((2, 3)), {"age": slice(0, 1), "job": slice(1, 3)}).columns
        ('age', 'job')
        """
        places = names if isinstance(names, Mapping) else {name: slice(i, i + 1) for i, name in enumerate(names)}
        if len(places) < len(names):
            raise DataError(f"column names must differ, got {', '.join(map(repr, names))}")
        return cls({COLUMNS: Columns(values=values, places=places)})

    # ── what they are ──

    @property
    def n(self) -> int:
        """The number of rows."""
        return next(iter(self.arrays.values())).n

    def __len__(self) -> int:
        return self.n

    def __repr__(self) -> str:
        """One line, without the numbers."""
        arrays = ", ".join(f"{name} {array.dtype}{list(array.values.shape)}" for name, array in self.arrays.items())
        return f"<Features: {arrays}>"

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(column for name, array in self.arrays.items() for column in array.columns(name))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one row, as ``Network(shape=…)`` takes it.

        Raises
        ------
        DataError
            There are several arrays, so that a row has no one shape.
        """
        return self.only.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the numbers of the one array; raises as `shape` does."""
        return self.only.dtype

    @property
    def flat(self) -> Array:
        """``[N, F]``: what a network that begins with a dense layer takes; no copy. Raises as `shape` does."""
        return self.only.flat

    def batch(self, rows: Array | slice = np.s_[:]) -> dict[str, Array]:
        """The arrays that an engine takes for these rows, by name; lengths are called ``<name>.lengths``.

        >>> text = Tokens(values=np.array([[5, 7], [3, 0]]), lengths=np.array([2, 1]))
        >>> {name: array.tolist() for name, array in Features({"text": text}).batch(np.array([1])).items()}
        {'text': [[3, 0]], 'text.lengths': [1]}
        """
        return {key: array for name, each in self.arrays.items() for key, array in each.batch(name, rows).items()}

    # ── rows ──

    def take(self, rows: Array | slice) -> Features:
        """These rows of every array, by their numbers ``[M]``, a mask ``[N]`` or a slice (then a view)."""
        return unchecked({name: array.take(rows) for name, array in self.arrays.items()})

    @staticmethod
    def concat(parts: Sequence[Features]) -> Features:
        """The rows of all parts, one part after the other.

        Raises
        ------
        DataError
            There is no part, or the parts differ in their arrays, columns or shapes.
        """
        if not parts:
            raise DataError("there are no features to put together")
        first = parts[0]
        for part in parts[1:]:
            _check_alike(first, part)
        others = parts[1:]
        return unchecked({name: array.joined([p.arrays[name] for p in others]) for name, array in first.arrays.items()})

    # ── columns ──

    def column(self, name: str) -> Features:
        """This column alone: all the features that were made of it; a view. ``column(name).flat`` is its numbers.

        Raises
        ------
        DataError
            There is no such column.
        """
        holder = self._holder(name)
        return unchecked({holder: self.arrays[holder].column(name)})

    def replace(self, name: str, values: Features | Array) -> Features:
        """The rows with other values for one column; all other columns stay as they are.

        Parameters
        ----------
        name
            The column.
        values
            The column of other rows (``other.column(name)``), N rows or one for all; or an array of the column's
            features, ``[N, features]`` or ``[features]`` for all rows alike.

        Raises
        ------
        DataError
            There is no such column, or its values have another shape, are not finite, or lack the lengths.

        >>> rows = Features.of_columns(np.eye(2), ["a", "b"])
        >>> rows.replace("b", rows.column("b").take(np.array([1, 0]))).flat.tolist()
        [[1.0, 1.0], [0.0, 0.0]]
        """
        return self.replace_all({name: values})

    def replace_all(self, columns: Mapping[str, Features | Array]) -> Features:
        """The rows with other values for several columns, in one copy; each as in `replace`."""
        given: dict[str, dict[str, FeatureArray | Array]] = {}
        for name, values in columns.items():
            new = values.arrays[values._holder(name)].column(name) if isinstance(values, Features) else values
            given.setdefault(self._holder(name), {})[name] = new
        return unchecked({**self.arrays, **{name: self.arrays[name].replace(new) for name, new in given.items()}})

    def mixed(self, other: Features, known: Array) -> Features:
        """The rows with the columns of ``other`` where ``known`` says so, and their own elsewhere.

        Parameters
        ----------
        other
            N rows with the same columns, or one row for all.
        known
            Truth values ``[N, G]``, in the order of `columns`.

        Raises
        ------
        DataError
            The other rows have other columns, or there are not N of them or one; ``known`` has another shape.

        >>> rows, other = (Features.of_columns(np.full((2, 2), x), ["a", "b"]) for x in (0.0, 9.0))
        >>> rows.mixed(other, np.array([[True, False], [False, True]])).flat.tolist()
        [[9.0, 0.0], [0.0, 9.0]]
        """
        _check_alike(self, other)
        columns = self.columns
        if known.shape != (self.n, len(columns)) or other.n not in (1, self.n):
            raise DataError(
                f"known must be [{self.n}, {len(columns)}] for {self.n:,} rows of {len(columns):,} columns, and other "
                f"one row or as many; got {list(known.shape)} and {other.n:,} rows"
            )
        made, at = {}, 0
        for name, array in self.arrays.items():
            end = at + len(array.columns(name))
            made[name] = array.mixed(other.arrays[name], known[:, at:end])
            at = end
        return unchecked(made)

    def like(self, values: Array) -> Features:
        """The same columns with other numbers, ``[M, F]`` in the order of `flat`: gradients or weights, by column.

        >>> rows = Features.of_columns(np.zeros((1, 3)), {"age": slice(0, 1), "job": slice(1, 3)})
        >>> rows.like(np.array([[0.5, 1.0, 2.0]])).column("job").flat.tolist()
        [[1.0, 2.0]]
        """
        (name,) = self.arrays
        return unchecked({name: self.only.like(values)})

    @property
    def only(self) -> FeatureArray:
        """The one array, which a network takes; raises as `shape` does."""
        if len(self.arrays) > 1:
            raise DataError(
                f"a network takes one array, but the features are several: {', '.join(map(repr, self.arrays))}"
            )
        return next(iter(self.arrays.values()))

    # ── inside ──

    def _holder(self, column: str) -> str:
        """The name of the array that holds a column."""
        for name, array in self.arrays.items():
            places = array.places_or_none
            if name == column if places is None else column in places:
                return name
        raise DataError(f"the features have no column {column!r}{nearest(column, self.columns)}")


def rows_for(shape: tuple[int, ...], rows: Features | Array) -> Array:
    """The array that a network with this ``network.shape`` takes: the only place that decides it.

    Parameters
    ----------
    shape
        ``(F,)`` for a network whose rows are columns, ``(C, H, W)`` for pictures, ``(T,)`` for tokens, ``(T, C)`` for
        series.
    rows
        Features, or the numbers of encoded rows: in the network's own shape, or as ``flat`` has them.

    Returns
    -------
    ndarray
        ``[N, F]``, or ``[N, C, H, W]``: a view of the stored ``[N, H, W, C]``, or `EncodedImages`, which look like
        such an array and encode the rows that are taken from it; ``[N, T]`` whole numbers, or ``[N, T, C]`` with NaN
        in the steps that do not count.

    Raises
    ------
    DataError
        Features of several arrays, or none that the network could take.

    >>> images = Features({"photo": Images(values=np.arange(12.0).reshape(1, 2, 2, 3))})
    >>> rows_for((12,), images).shape, rows_for((3, 2, 2), images).shape, rows_for((3, 2, 2), images.flat).shape
    ((1, 12), (1, 3, 2, 2), (1, 3, 2, 2))
    """
    if isinstance(rows, Features):
        only = rows.only
        if len(shape) == 1:
            return only.flat
        return _of_shape(only)
    if len(shape) == 3 and rows.ndim == 2 and rows.shape[1] == math.prod(shape):
        channels, height, width = shape
        return rows.reshape(len(rows), height, width, channels).transpose(0, 3, 1, 2)
    return rows.reshape(len(rows), *shape) if len(shape) == 2 else rows


def _of_shape(array: FeatureArray) -> Array:
    """Pictures or series as a network takes them that begins with neither a dense layer nor an embedding."""
    match array:
        case StoredImages():
            return cast(Array, array.encoded)
        case Series():
            return array.padded
        case _:
            (found,) = array.batch("").values()
            return found


def unchecked(arrays: Mapping[str, FeatureArray]) -> Features:
    """Features of arrays that are known to be right: a check would read every number."""
    features = object.__new__(Features)
    object.__setattr__(features, "arrays", arrays)
    return features


def _check_alike(one: Features, other: Features) -> None:
    if list(one.arrays) != list(other.arrays):
        raise DataError(f"features differ in their arrays: {', '.join(one.arrays)} and {', '.join(other.arrays)}")
    for name, array in one.arrays.items():
        if not array.fits(other.arrays[name]):
            raise DataError(f"features differ in {name!r}: {_described(array)} and {_described(other.arrays[name])}")


def _described(array: FeatureArray) -> str:
    columns = "" if array.places_or_none is None else f" of {len(array.places_or_none):,} columns"
    return f"{type(array).__name__.lower()} {list(array.shape)}{columns}"
