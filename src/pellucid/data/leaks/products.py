"""Find targets that are products or ratios of numeric columns.

Legend: ``N`` rows, ``J`` columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.leaks.sums import FEWEST_ROWS, Cells, complete_rows, how_exactly, rest_of

__all__ = ["product_of"]

Array = NDArray[Any]
FloatArray = NDArray[np.float64]

_MOST_FACTORS = 4
_NICE = np.array([-3, -2, -1, -0.5, 0.5, 1, 2, 3])  # exponents


def product_of(
    names: Sequence[str], cells: Cells, wanted: FloatArray, there: Array
) -> tuple[tuple[str, ...], str] | None:
    """The columns whose product or ratio gives the target in every row, and how exactly; or ``None``.

    The product or ratio of two columns may be scaled and shifted, as in (a − b) / b; that of up to four columns,
    including squares and roots, may be scaled.

    Parameters
    ----------
    names
        The numeric columns.
    cells
        Gives the numbers of a column in some rows: ``cells(name, rows)``.
    wanted
        ``[N]`` the target.
    there
        The rows that have a target.

    >>> x = np.random.default_rng(0).uniform(1, 2, size=(100, 4))
    >>> product_of(list("abcd"), lambda n, rows: x[rows, "abcd".index(n)], x[:, 1] / x[:, 3], np.arange(100))
    (('b', 'd'), "parts of 'b' / 'd', which gives the target exactly")
    """
    some = complete_rows(names, cells, wanted, there, scaled=False)
    if some is None:
        return None
    kept, x, y = some
    return _pair(kept, x, y, cells, wanted, there) or _power_law(kept, x, y, cells, wanted, there)


def _pair(
    names: list[str], x: FloatArray, y: FloatArray, cells: Cells, wanted: FloatArray, there: Array
) -> tuple[tuple[str, ...], str] | None:
    """Of all pairs, the one whose product or ratio is a linear function of the target; by three matrix products."""
    size = np.sqrt((x**2).mean(axis=0))
    x = x / size
    off = (y - y.mean()) / y.std()
    usable = (x != 0).all(axis=0)
    inverse = 1 / np.where(usable, x, 1.0)
    inverse = inverse / np.sqrt((inverse**2).mean(axis=0))
    found: list[tuple[float, int, int, str]] = []
    for sign, other, allowed in (("×", x, np.ones(len(names), dtype=bool)), ("/", inverse, usable)):
        mean = x.T @ other / len(y)
        variance = (x**2).T @ (other**2) / len(y) - mean**2
        with np.errstate(all="ignore"):
            likeness = np.abs((x * off[:, np.newaxis]).T @ other / len(y)) / np.sqrt(np.maximum(variance, 1e-12))
        likeness[:, ~allowed] = 0
        np.fill_diagonal(likeness, 0)
        if sign == "×":
            likeness = np.triu(likeness)
        for i, j in zip(*np.nonzero(likeness > 1 - 1e-4), strict=True):
            found.append((float(likeness[i, j]), int(i), int(j), sign))
    for _, i, j, sign in sorted(found, key=lambda f: (-f[0], f[1:]))[:20]:
        a, b = cells(names[i], there), cells(names[j], there)
        both = ~np.isnan(a) & ~np.isnan(b) & ((b != 0) | (sign == "×"))
        made = a[both] * b[both] if sign == "×" else a[both] / b[both]
        if both.mean() < 0.5 or made.std() == 0 or not np.isfinite(made).all():
            continue
        if how := how_exactly(rest_of(made[:, np.newaxis] / np.abs(made).max(), wanted[there][both]), wanted[there]):
            return (names[i], names[j]), f"parts of {names[i]!r} {sign} {names[j]!r}, which gives the target {how}"
    return None


def _power_law(
    names: list[str], x: FloatArray, y: FloatArray, cells: Cells, wanted: FloatArray, there: Array
) -> tuple[tuple[str, ...], str] | None:
    """Find a product of powers as a sum of logarithms."""
    rows = y != 0
    usable = np.flatnonzero((x[rows] != 0).mean(axis=0) > 0.95)
    rows &= (x[:, usable] != 0).all(axis=1)
    if rows.sum() < FEWEST_ROWS or len(usable) < 2:
        return None
    logs, log_y = np.log(np.abs(x[rows][:, usable])), np.log(np.abs(y[rows]))
    varied = logs.std(axis=0) > 1e-9
    usable, logs = usable[varied], logs[:, varied]
    if log_y.std() == 0:
        return None
    chosen = _powers(logs, log_y)
    if chosen is None:
        return None
    factors = [names[usable[j]] for j, _ in chosen]
    made = np.ones(len(there))
    for (_, power), name in zip(chosen, factors, strict=True):
        cell = cells(name, there)
        made *= np.sign(cell) ** (power % 2 == 1) * np.where(cell != 0, np.abs(cell), np.nan) ** power
    both = np.isfinite(made) & (made != 0)
    if both.mean() < 0.5:
        return None
    target = wanted[there][both]
    scale = np.median(target / made[both])
    if not (how := how_exactly(target - scale * made[both], target)):
        return None
    said = _said(dict(zip(factors, (power for _, power in chosen), strict=True)))
    return tuple(factors), f"parts of {said}, which gives the target {how}"


def _powers(logs: FloatArray, log_y: FloatArray) -> list[tuple[int, float]] | None:
    """The columns and simple exponents of a product that is the target."""
    left, rest = logs - logs.mean(axis=0), log_y - log_y.mean()
    first = np.sqrt((left**2).sum(axis=0))
    chosen: list[int] = []
    for _ in range(min(_MOST_FACTORS, logs.shape[1])):
        sizes = np.sqrt((left**2).sum(axis=0))
        usable = sizes > 1e-7 * first
        usable[chosen] = False
        if not usable.any():
            return None
        best = int(np.where(usable, np.abs(left.T @ rest) / np.where(usable, sizes, 1), -1.0).argmax())
        direction = left[:, best] / sizes[best]
        rest = rest - direction * float(direction @ rest)
        left = left - np.outer(direction, direction @ left)
        chosen.append(best)
        if np.sqrt(rest @ rest) > 0.05 * np.sqrt(np.sum((log_y - log_y.mean()) ** 2)):
            continue
        a = np.column_stack([np.ones(len(logs)), logs[:, chosen]])
        powers = np.linalg.lstsq(a, log_y, rcond=1e-12)[0][1:]
        nice = _NICE[np.abs(powers[:, np.newaxis] - _NICE).argmin(axis=1)]
        if len(chosen) > 1 and (np.abs(powers - nice) < 0.02).all():
            return sorted(zip(chosen, nice.tolist(), strict=True))
    return None


def _said(powers: dict[str, float]) -> str:
    """The factors and divisors as text, such as ``'weight' / 'height'^2``."""
    above = [_powered(name, power) for name, power in powers.items() if power > 0]
    below = [_powered(name, -power) for name, power in powers.items() if power < 0]
    return " / ".join([" × ".join(above) or "1", *below])


def _powered(name: str, power: float) -> str:
    return repr(name) if power == 1 else f"{name!r}^{power:g}"
