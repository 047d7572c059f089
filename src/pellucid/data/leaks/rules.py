"""Find classes that several columns determine together: flags of one class each, a comparison, two categories.

Legend: ``n`` rows, ``J`` columns, ``C`` classes; class number −1 is a missing target.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["comparison", "intervals", "pair_of_categories", "pure_flags"]

Array = NDArray[Any]
FloatArray = NDArray[np.float64]
Found = tuple[tuple[str, ...], str]

_FEWEST_ROWS = 100
_FEWEST_OF_A_CLASS = 10
_FEWEST_ONES = 5
_FIRST_LOOK = 128  # rows that are enough to exclude nearly every pair
_MOST_CATEGORIES = 100  # columns whose pairs are checked


def pure_flags(flags: Mapping[str, Array], classes: Array) -> Found | None:
    """Columns of 0 and 1 that encode the target: wherever one of them is 1, the class is the same.

    Parameters
    ----------
    flags
        Name → ``[n]`` booleans: whether the column is 1.
    classes
        ``[n]`` class numbers.

    >>> kind = np.arange(60) % 3
    >>> flags = {"a": kind == 0, "b": kind == 1, "noise": np.arange(60) % 7 == 0}
    >>> pure_flags(flags, kind)[0]
    ('a', 'b')
    """
    known = classes >= 0
    y = classes[known]
    n_classes = int(y.max(initial=0)) + 1
    sizes = np.bincount(y, minlength=n_classes)
    if (sizes >= _FEWEST_OF_A_CLASS).sum() < 2:
        return None
    pure: list[tuple[int, str]] = []
    for name, flag in flags.items():
        ones = y[flag[known]]
        if len(ones) >= _FEWEST_ONES and (ones == ones[0]).all() and len(ones) < len(y):
            pure.append((len(ones), name))
    left = np.ones(len(y), dtype=bool)
    chosen: set[str] = set()
    for _, name in sorted(pure, key=lambda p: -p[0]):
        if len(np.unique(y[left])) < 2:
            break
        if (left & flags[name][known]).any():
            left &= ~flags[name][known]
            chosen.add(name)
    if len(chosen) < 2 or len(np.unique(y[left])) > 1 or len(chosen) > len(y) / 10:
        return None
    covered = np.bincount(y[~left], minlength=n_classes)
    if (covered >= _FEWEST_OF_A_CLASS).sum() < (1 if left.any() else 2) or covered.sum() < 2 * _FEWEST_OF_A_CLASS:
        return None
    return tuple(name for name in flags if name in chosen), "flags that encode the target (each has one class)"


def intervals(values: FloatArray, classes: Array) -> str | None:
    """Say whether the intervals of a number give the classes, as when the classes were cut from it.

    >>> x = np.arange(300.0)
    >>> intervals(x, np.searchsorted([100, 200], x))
    'a number with 2 thresholds that separate the 3 classes exactly'
    """
    there = ~np.isnan(values) & (classes >= 0)
    x, y = values[there], classes[there]
    if len(x) < max(_FEWEST_ROWS, 0.9 * len(values)):
        return None
    n_classes = len(np.unique(y))
    if n_classes < 2 or np.sort(np.bincount(y))[-2] < _FEWEST_OF_A_CLASS:
        return None
    order = np.lexsort((y, x))
    x, y = x[order], y[order]
    changes = np.flatnonzero(y[1:] != y[:-1])
    if len(changes) > max(n_classes - 1, 2) or (x[changes] == x[changes + 1]).any():
        return None
    if len(changes) == 1:
        return "a number with a threshold that separates the classes exactly"
    return f"a number with {len(changes)} thresholds that separate the {n_classes} classes exactly"


def comparison(names: Sequence[str], cells: Callable[[str], FloatArray], classes: Array) -> Found | None:
    """Two numeric columns whose larger one determines the class, as goals determine who won.

    >>> x = np.random.default_rng(0).normal(size=(200, 3))
    >>> comparison(["x", "y", "z"], lambda n: x[:, "xyz".index(n)], (x[:, 0] > x[:, 2]).astype(int))[0]
    ('x', 'z')
    """
    known = np.flatnonzero(classes >= 0)
    n_classes = len(np.unique(classes[known]))
    counts = np.sort(np.bincount(classes[known]))
    if not 2 <= n_classes <= 3 or len(known) < _FEWEST_ROWS or counts[-2] < _FEWEST_OF_A_CLASS or len(names) < 2:
        return None
    rows = np.random.default_rng(0).permutation(known)[:_FIRST_LOOK]
    x = np.column_stack([cells(name)[rows] for name in names])
    of_class = np.eye(int(classes.max()) + 1)[classes[rows]]  # [n, C]
    for i in range(len(names) - 1):
        rest, own = x[:, i + 1 :], x[:, [i]]
        if np.isnan(own).mean() > 0.1:
            continue
        mixed = np.zeros(rest.shape[1])
        for sign in (own > rest, own < rest, own == rest):
            seen = sign.T.astype(np.float64) @ of_class  # [J, C]
            mixed += seen.sum(axis=1) - seen.max(axis=1)
        for j in np.flatnonzero(mixed == 0):
            if _one_class_a_sign(cells(names[i]), cells(names[i + 1 + int(j)]), classes):
                pair = names[i], names[i + 1 + int(j)]
                return pair, "a pair whose larger one determines the class in every row"
    return None


def _one_class_a_sign(a: FloatArray, b: FloatArray, classes: Array) -> bool:
    both = ~np.isnan(a) & ~np.isnan(b) & (classes >= 0)
    y = classes[both]
    if len(y) < 0.9 * (classes >= 0).sum():
        return False
    sign = np.sign(a[both] - b[both])
    told = [np.unique(y[sign == s]) for s in (-1, 0, 1)]
    return all(len(t) <= 1 for t in told) and len({int(t[0]) for t in told if len(t)}) == len(np.unique(y))


def pair_of_categories(codes: Mapping[str, Array], classes: Array) -> Found | None:
    """Two categorical columns that determine the class together, in a table with other columns.

    ``codes`` maps a name to category numbers ``[n]``, −1 where missing.

    >>> rng = np.random.default_rng(0)
    >>> codes = {name: rng.integers(0, 3, 300) for name in "abc"}
    >>> pair_of_categories(codes, ((codes["a"] + codes["b"]) % 3 == 0).astype(int))[0]
    ('a', 'b')
    """
    known = np.flatnonzero(classes >= 0)
    sizes = np.bincount(classes[known]) if len(known) else np.zeros(1)
    if len(known) < _FEWEST_ROWS or len(codes) < 3 or (sizes >= _FEWEST_OF_A_CLASS).sum() < 2:
        return None
    rows = np.random.default_rng(0).permutation(known)
    few = rows[: 8 * _FIRST_LOOK]
    width = {name: int(code.max(initial=0)) + 2 for name, code in codes.items()}
    usable = [name for name in codes if 2 < width[name] <= len(known) / 20][:_MOST_CATEGORIES]
    for i, one in enumerate(usable):
        for other in usable[i + 1 :]:
            if width[one] * width[other] > len(known) / 10:
                continue
            looks = (few[:64], few, rows)
            if not any(_impure(codes[one], codes[other], width[other], classes, some) for some in looks):
                return (one, other), "a pair of categories that determine the class together in every row"
    return None


def _impure(one: Array, other: Array, width: int, classes: Array, rows: Array) -> bool:
    cell = (one[rows] + 1) * (width + 1) + other[rows] + 1
    n_classes = int(classes.max()) + 1
    return len(np.unique(cell)) < len(np.unique(cell * n_classes + classes[rows]))
