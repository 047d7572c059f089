"""Find targets that are weighted sums of numeric columns; for products see `pellucid.data.leaks.products`.

A sum is searched for on some rows, must hold on other rows, and is then counted on all. So a table with more columns
than rows, where some weights always fit, gives no false finding.

Legend: ``N`` rows, ``J`` columns, ``K`` terms of a sum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FEWEST_ROWS", "Cells", "complete_rows", "how_exactly", "rest_of", "sum_of"]

Array = NDArray[Any]
FloatArray = NDArray[np.float64]
Cells = Callable[[str, Array], FloatArray]  # name, rows → the numbers of that column

FEWEST_ROWS = 50
_LEARNED, _CHECKED = 1_500, 500  # rows
_ROWS_A_COLUMN = 3  # with so many times more rows than columns, all weights are fitted at once
_REST = 1e-6  # of the target's spread: less is floating-point error
_COARSE = 2e-3  # of the spread: a target in finer steps may be a rounded sum
_STEPS = tuple(10.0**-k for k in range(7))
_AT_ONCE = 50_000  # rows


def sum_of(names: Sequence[str], cells: Cells, wanted: FloatArray, there: Array) -> tuple[tuple[str, ...], str] | None:
    """The smallest set of columns whose weighted sum is the target in most rows, and how exactly; or ``None``.

    Parameters
    ----------
    names, cells
        The numeric columns, and a function that gives their numbers: ``cells(name, rows)``.
    wanted
        ``[N]`` the target.
    there
        The rows that have a target.

    >>> x = np.random.default_rng(0).normal(size=(100, 9))
    >>> total = x[:, 2] - x[:, 5] + 0.1 * x[:, 7]
    >>> sum_of(list("abcdefghi"), lambda n, rows: x[rows, "abcdefghi".index(n)], total, np.arange(100))
    (('c', 'f', 'h'), 'parts of a sum that gives the target exactly in every row')
    """
    tolerance = _tolerance(wanted[there])
    for fill in (False, True):  # if no row is complete, missing cells get the mean, and such rows have no weight
        some = complete_rows(names, cells, wanted, there, fill=fill)
        if some is None:
            return None
        kept, x, y = some
        parts = _parts_of_sum(x, y, tolerance / float(wanted[there].std()))
        if parts is not None and len(parts) > 1:
            return _checked_sum([kept[j] for j in parts], cells, wanted, there)
        if len(kept) == len(names):
            break
    return None


def complete_rows(
    names: Sequence[str], cells: Cells, wanted: FloatArray, there: Array, *, scaled: bool = True, fill: bool = False
) -> tuple[list[str], FloatArray, FloatArray] | None:
    """Draw complete rows at random: names ``J``, numbers ``[n, J]`` and target ``[n]``.

    Parameters
    ----------
    names
        The numeric columns; those with too many missing cells are left out unless ``fill`` is given.
    cells
        Gives the numbers of a column in some rows: ``cells(name, rows)``.
    wanted
        ``[N]`` the target.
    there
        The rows that have a target.
    scaled
        Whether to scale each column to mean 0 and standard deviation 1.
    fill
        Whether missing cells get the mean of their column.
    """
    most = max(_LEARNED, 2 * _ROWS_A_COLUMN * len(names)) + _CHECKED
    rng = np.random.default_rng(0)
    rows = there if len(there) <= most else there[np.sort(rng.choice(len(there), most, replace=False))]
    rows = rng.permutation(rows)
    columns = {name: cells(name, rows) for name in names}
    columns = {name: c for name, c in columns.items() if np.isfinite(c[~np.isnan(c)]).all() and np.nanstd(c) > 0}
    holes = {name: np.isnan(c) for name, c in columns.items()}
    kept: list[str] = []
    complete = np.ones(len(rows), dtype=bool)
    for name in sorted(columns, key=lambda n: int(holes[n].sum())):  # the most complete first; stable
        if fill and holes[name].mean() <= 0.5:
            columns[name] = np.where(holes[name], np.nanmean(columns[name]), columns[name])
            kept.append(name)
            continue
        if (both := complete & ~holes[name]).mean() < 0.5:
            break
        complete = both
        kept.append(name)
    if len(kept) < 2 or complete.sum() < FEWEST_ROWS:
        return None
    kept = [name for name in names if name in set(kept)]
    x, y = np.column_stack([columns[name][complete] for name in kept]), wanted[rows][complete]
    if not scaled:
        return kept, x, y
    spread = x.std(axis=0)
    used = spread > 0
    kept = [name for name, is_used in zip(kept, used, strict=True) if is_used]
    if len(kept) < 2 or y.std() == 0:
        return None
    return kept, (x[:, used] - x[:, used].mean(axis=0)) / spread[used], (y - y.mean()) / y.std()


# --- sums


def _parts_of_sum(x: FloatArray, y: FloatArray, tolerance: float) -> list[int] | None:
    """The columns whose weighted sum is ``y`` on some rows, if all columns predict ``y`` on the other rows."""
    n = len(y) * 3 // 4
    x, x_new = x[:n], x[n:]
    near = max(1e-4, 3 * tolerance)
    if n < _ROWS_A_COLUMN * x.shape[1] + 20:
        return _forward(x, y[:n], n // 3, tolerance)
    weights = _trimmed(x, y[:n])
    if (np.abs(y[n:] - x_new @ weights[1:] - weights[0]) < near).mean() < 0.4:
        return None
    holds = np.abs(y[:n] - x @ weights[1:] - weights[0]) < near
    return _forward(x[holds], y[:n][holds], x.shape[1], tolerance)


def _trimmed(x: FloatArray, y: FloatArray) -> FloatArray:
    """Weights (intercept first) that fit the better half of the rows, by concentration steps.

    Least trimmed squares (Rousseeuw 1984): rows that do not follow the sum, such as typing errors, have no influence.
    """
    x = np.column_stack([np.ones(len(x)), x])
    half = np.arange(len(y))
    weights: Array = np.zeros(x.shape[1])
    before = np.inf
    for _ in range(10):
        a, b = x[half], y[half]
        squares = a.T @ a
        squares[np.diag_indices_from(squares)] += 1e-12 * len(half)  # columns that repeat each other share the weight
        weights = np.linalg.solve(squares, a.T @ b)
        left = np.abs(y - x @ weights)
        half = np.argsort(left, kind="stable")[: len(y) // 2 + 1]
        worst = float(left[half[-1]])
        if worst < 1e-9 or worst > 0.8 * before:  # found, or no progress
            break
        before = worst
    return np.asarray(weights)


def _forward(x: FloatArray, y: FloatArray, most: int, tolerance: float) -> list[int] | None:
    """Columns whose weighted sum is ``y``, chosen one after another; ``None`` if that many are not enough.

    Orthogonal least squares (Chen, Billings and Luo 1989): each step takes the column whose part orthogonal to those
    already chosen leaves the smallest residual.
    """
    left, rest = x - x.mean(axis=0), y - y.mean()
    first = np.sqrt((left**2).sum(axis=0))
    wanted = float(np.sqrt(rest @ rest))
    chosen: list[int] = []
    for _ in range(min(most, x.shape[1])):
        sizes = np.sqrt((left**2).sum(axis=0))
        usable = sizes > 1e-7 * np.maximum(first, 1e-300)
        usable[chosen] = False
        if not usable.any():
            break
        gains = np.where(usable, np.abs(left.T @ rest) / np.where(usable, sizes, 1), -1.0)
        best = int(gains.argmax())
        direction = left[:, best] / sizes[best]
        rest = rest - direction * float(direction @ rest)
        chosen.append(best)
        near = max(1e-4, 2 * tolerance) * wanted
        if np.sqrt(rest @ rest) < near and _fits(x[:, chosen], y, tolerance):
            return _fewest(x, y, chosen, tolerance)
        left = left - np.outer(direction, direction @ left)
    return None


def _fits(x: FloatArray, y: FloatArray, tolerance: float) -> bool:
    """Whether a weighted sum of all these columns is ``y``, at least up to rounding."""
    return bool(np.quantile(np.abs(rest_of(x, y)), 0.99) < tolerance)


def rest_of(x: FloatArray, y: FloatArray) -> FloatArray:
    """The residual of ``y`` after the best weighted sum of all these columns ``[N, J]``."""
    x = np.column_stack([np.ones(len(x)), x])
    weights, *_ = np.linalg.lstsq(x, y, rcond=1e-12)
    return np.asarray(y - x @ weights)


def _fewest(x: FloatArray, y: FloatArray, chosen: list[int], tolerance: float) -> list[int]:
    """Drop columns that were chosen early and are not needed in the end."""
    kept = list(chosen)
    while len(kept) > 1:
        a = np.column_stack([np.ones(len(x)), x[:, kept]])
        weights, *_ = np.linalg.lstsq(a, y, rcond=1e-12)
        sizes = np.abs(weights[1:]) * x[:, kept].std(axis=0)
        order = np.argsort(sizes, kind="stable")
        # first all with negligible weight at once, then one at a time
        small = [kept[j] for j in order if sizes[j] < 1e-9 * y.std()] or [kept[order[0]]]
        fewer = [j for j in kept if j not in small]
        if not fewer or not _fits(x[:, fewer], y, tolerance):
            break
        kept = fewer
    return sorted(kept)


def _tolerance(y: FloatArray) -> float:
    """The allowed residual: a millionth of the spread, or half a step if the target is written in fine steps."""
    spread = float(y.std())
    return max(_REST * spread, 0.55 * step if (step := _step(y)) < _COARSE * spread else 0.0)


def _step(y: FloatArray) -> float:
    """The power of ten that divides all numbers; ∞ if there is none that is not tiny compared with them."""
    size = float(np.abs(y).max(initial=0.0))
    for step in _STEPS:
        if size < step * 1e12 and (np.abs(y / step - np.round(y / step)) < 1e-6 * max(1.0, size / step * 1e-8)).all():
            return step
    return np.inf


def _checked_sum(
    names: Sequence[str], cells: Cells, wanted: FloatArray, there: Array
) -> tuple[tuple[str, ...], str] | None:
    """Whether the target is a sum of these columns in most rows, and each column is needed."""
    few = np.random.default_rng(1).permutation(there)[: max(2_000, 8 * len(names))]
    x = np.column_stack([cells(name, few) for name in names])
    complete = ~np.isnan(x).any(axis=1)
    x, y = x[complete], wanted[few][complete]
    middle, spread = x.mean(axis=0), x.std(axis=0)
    if len(y) < FEWEST_ROWS / 2 or not (spread > 0).all() or y.std() == 0:
        return None
    x = (x - middle) / spread
    weights = _trimmed(x, y)
    tolerance = _tolerance(wanted[there])
    holds = np.abs(y - x @ weights[1:] - weights[0]) < max(1e-4 * y.std(), 2 * tolerance)
    if holds.sum() < max(FEWEST_ROWS / 2, len(names) + 10):
        return None
    a = np.column_stack([np.ones(len(x)), x])
    weights, *_ = np.linalg.lstsq(a[holds], y[holds], rcond=1e-12)
    y, rest = _left_over(names, cells, wanted, there, weights, middle, spread)
    exact = rest < _REST * y.std()
    rounded = rest <= tolerance
    if exact.mean() >= 0.5:
        rows, how = exact, "exactly"
    elif rounded.mean() >= 0.95:
        rows, how = rounded, "up to rounding"
    else:
        return None
    values, counts = np.unique(y[rows], return_counts=True)
    if len(values) < 3 or (not rows.all() and counts.max() > 0.8 * rows.sum()):
        return None
    where = "every row" if rows.all() else f"{_share(rows)} of the rows"
    return tuple(names), f"parts of a sum that gives the target {how} in {where}"


def _left_over(
    names: Sequence[str], cells: Cells, wanted: FloatArray, there: Array, weights: FloatArray, *scale: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The target and the residual of a sum, in all rows where its terms are present; block by block."""
    truth, rest = [], []
    for start in range(0, len(there), _AT_ONCE):
        rows = there[start : start + _AT_ONCE]
        made = np.full(len(rows), weights[0])
        for name, weight, middle, spread in zip(names, weights[1:], *scale, strict=True):
            made += weight / spread * (cells(name, rows) - middle)
        complete = ~np.isnan(made)
        truth.append(wanted[rows][complete])
        rest.append(np.abs(truth[-1] - made[complete]))
    return np.concatenate(truth), np.concatenate(rest)


def _share(rows: Array) -> str:
    return f"{min(float(rows.mean()), 0.99):.0%}" if rows.mean() < 0.99 else "more than 99 %"


def how_exactly(rest: FloatArray, y: FloatArray) -> str | None:
    """``exactly``, ``up to rounding``, or ``None`` unless it holds in nearly every row."""
    rest = np.abs(rest)
    if (rest <= _REST * y.std()).mean() >= 0.99:
        return "exactly"
    return "up to rounding" if (rest <= _tolerance(y)).mean() >= 0.99 else None
