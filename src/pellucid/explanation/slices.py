"""A slice through the input space of a network: two columns vary, all others are fixed.

Legend: N rows of the table, G places along an axis (Gx, Gy), F features of the network.

A column of numbers or dates has an axis with evenly spaced places. A column of categories or truth values, or of at
most eight different whole numbers, has a band for each, in the middle of which its place is: 0, 1, 2, ….
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pellucid.data.dates.formats import parse_dates
from pellucid.errors import DataError
from pellucid.preprocessing.features import Features
from pellucid.preprocessing.recipe import Step
from pellucid.preprocessing.steps.boolean import BooleanStep
from pellucid.preprocessing.steps.categorical import CategoricalStep
from pellucid.preprocessing.steps.dates import DateStep
from pellucid.preprocessing.steps.image import ImageStep
from pellucid.preprocessing.steps.text import TextStep
from pellucid.preprocessing.values import numbers, text_codes

__all__ = ["MISSING", "SliceAxis", "axis_of", "density", "mean_changes", "stamps_of", "without_data"]

Array = NDArray[Any]

MISSING = np.iinfo(np.int64).min  # in place of a missing date
MOST_BANDS = 20
FEW_NUMBERS = 8  # so many different whole numbers at most are bands: between them nothing is
NEAR = 0.05  # of a side of the picture: how near a row must lie at least
_NEAR_FOR_FEW = 1.0  # over the root of the number of rows: a few rows speak for a wider surrounding
_NEAREST_ALLOWED = 0.3
_ROWS_A_NEIGHBOUR = 2_000  # one stray row of many speaks for nothing: one in so many must lie near
_MARGIN = 0.03
_TAIL = 0.01  # left out at each end where outliers would squeeze all other rows into a third of the axis
_SQUEEZED = 3.0
_DAY = 86_400_000_000  # microseconds
_WEEKS = 60  # days: from here on all places are one weekday


@dataclass(frozen=True, kw_only=True, eq=False)
class SliceAxis:
    """One of the two columns that vary.

    Attributes
    ----------
    column
        Its name.
    kind
        ``number``, ``date`` or ``bands``.
    cells
        What a row would have to hold at each of the G places: numbers, ``numpy.datetime64``, texts; ``None`` for
        a missing cell.
    places
        ``[G]`` in the column's unit; of dates in days since 1970; of bands 0, 1, 2, ….
    rows
        ``[N]`` where the rows of the table lie on this axis; NaN for a missing cell and a level without a band.
    bands
        The names of the bands.
    note
        What the user has to know of the axis.
    """

    column: str
    kind: Literal["number", "date", "bands"]
    cells: tuple[object, ...]
    places: Array
    rows: Array
    bands: tuple[str, ...] = ()
    note: str | None = None

    @property
    def step(self) -> float:
        """The distance of two places."""
        return float(self.places[1] - self.places[0]) if len(self.places) > 1 else 1.0

    def index_of(self, rows: Array) -> Array:
        """The number of the place nearest to each of ``rows`` ``[N]``, -1 for none."""
        with np.errstate(invalid="ignore"):
            at = np.rint((rows - self.places[0]) / self.step)
            inside = (at >= 0) & (at < len(self.places))
        found: Array = np.where(inside, np.nan_to_num(at), -1).astype(np.int64)
        return found


# ── axes ──────────────────────────────────────────────────────────────────────────────────────────────────────


def axis_of(step: Step, column: Any, places: int = 160) -> SliceAxis:
    """The axis of a column.

    Parameters
    ----------
    step
        How the network reads the column.
    column
        ``[N]`` the Arrow column of the rows.
    places
        How many, of numbers and dates. They go from the least cell to the largest; where outliers would squeeze the
        middle 98 % of the rows into a third of the axis, only these 98 %.

    Raises
    ------
    DataError
        A column of images or of free text, or one with nothing to vary.

    >>> import pyarrow as pa
    >>> from pellucid.preprocessing.steps.numeric import fit_numeric
    >>> ages = pa.array([20.5, 30.5, 40.5])
    >>> axis = axis_of(fit_numeric("age", ages), ages, places=3)
    >>> axis.places.tolist(), axis.index_of(axis.rows).tolist()
    ([19.9, 30.5, 41.1], [0, 1, 2])
    """
    match step:
        case ImageStep():
            raise DataError(f"column {step.name!r} holds images, which cannot vary along an axis: choose another")
        case TextStep():
            raise DataError(f"column {step.name!r} holds free text, which cannot vary along an axis: choose another")
        case CategoricalStep() | BooleanStep():
            return _bands(step, column)
        case DateStep():
            return _dates(step, column, places)
        case _:
            return _numbers(step.name, column, places)


def _numbers(name: str, column: Any, places: int) -> SliceAxis:
    rows = numbers(column, name)
    distinct = np.unique(rows[np.isfinite(rows)])
    if 2 <= len(distinct) <= FEW_NUMBERS and not (distinct % 1).any():
        at = np.searchsorted(distinct, rows).astype(np.float64)  # NaN comes after all
        at[~np.isfinite(rows)] = np.nan
        named = tuple(f"{value:.15g}" for value in distinct)
        every = np.arange(len(distinct), dtype=np.float64)
        return SliceAxis(column=name, kind="bands", cells=tuple(distinct.tolist()), places=every, rows=at, bands=named)
    low, high, note = _range(name, rows)
    grid = np.linspace(low, high, places)
    return SliceAxis(column=name, kind="number", cells=tuple(grid.tolist()), places=grid, rows=rows, note=note)


def _range(name: str, rows: Array) -> tuple[float, float, str | None]:
    there = rows[np.isfinite(rows)]
    if not len(there) or there.min() == there.max():
        raise DataError(f"column {name!r} has only one value in these rows, so it cannot vary")
    low, high = float(there.min()), float(there.max())
    inner = np.quantile(there, [_TAIL, 1 - _TAIL])
    note = None
    if inner[1] > inner[0] and _SQUEEZED * (inner[1] - inner[0]) < high - low:
        low, high = inner.tolist()
        beyond = int(((there < low) | (there > high)).sum())
        note = f"{name!r} is drawn from its 1st to its 99th percentile; {beyond:,} rows lie outside"
    margin = _MARGIN * (high - low)
    return low - margin, high + margin, note


def _dates(step: DateStep, column: Any, places: int) -> SliceAxis:
    stamps = stamps_of(step, column)
    rows = np.where(stamps == MISSING, np.nan, stamps / _DAY)
    low, high, note = _range(step.name, rows)
    there = stamps[np.isfinite(rows)]
    middle = float(np.quantile(rows[np.isfinite(rows)], 0.5, method="lower"))
    parts = {part.part for part in step.parts}
    if high - low > _WEEKS and parts & {"weekday", "time"}:
        # One weekday and one time of day: at steps of some days their turns would look like noise.
        stride = 7 * max(1, math.ceil((high - low) / 7 / places))
        before, after = math.floor((middle - low) / stride), math.floor((high - middle) / stride)
        grid = middle + stride * np.arange(-before, after + 1)
        moment = dt.datetime(1970, 1, 1) + dt.timedelta(days=middle)
        fixed = f"{moment:%A}s" + (f" at {moment:%H:%M}" if "time" in parts else "")
        note = "; ".join(filter(None, (note, f"all dates along {step.name!r} are {fixed}")))
        exact = grid
    else:
        exact = grid = np.linspace(low, high, places)
        if not (there % _DAY).any():
            exact = np.floor(grid)  # rows are whole days, so the network is asked about whole days
    moments = np.rint(exact * _DAY).astype(np.int64).astype("datetime64[us]")
    return SliceAxis(column=step.name, kind="date", cells=tuple(moments), places=grid, rows=rows, note=note)


def stamps_of(step: DateStep, column: Any) -> Array:
    """Microseconds since 1970 ``[N]`` of a column of dates, `MISSING` where there is none."""
    stamps, _ = parse_dates(column, format=step.format)
    found: Array = stamps.to_numpy(zero_copy_only=False).astype("datetime64[us]").astype(np.int64)
    return found


def _bands(step: CategoricalStep | BooleanStep, column: Any) -> SliceAxis:
    cells = _levels(step)
    named = ["(missing)" if cell is None else cell for cell in cells]
    if len(cells) < 2:
        raise DataError(f"column {step.name!r} had only one level in training, so it cannot vary")
    texts, codes = text_codes(column)
    band_of = {step.encode_one(cell): band for band, cell in enumerate(cells)}
    # [codes + 1]; code -1 (missing) is the last entry
    of_code = np.array([band_of.get(step.encode_one(cell), np.nan) for cell in (*texts, None)])
    note = None
    n_levels = len(step.levels) if isinstance(step, CategoricalStep) else 2
    if n_levels > MOST_BANDS:
        note = f"of {n_levels:,} categories of {step.name!r}, the {MOST_BANDS} most frequent in training are drawn"
    return SliceAxis(
        column=step.name,
        kind="bands",
        cells=tuple(cells),
        places=np.arange(len(cells), dtype=np.float64),
        rows=of_code[codes],
        bands=tuple(named),
        note=note,
    )


def _levels(step: CategoricalStep | BooleanStep) -> list[str | None]:
    """The cells of the bands: levels, a text that stands for the rare ones, and a missing cell."""
    if isinstance(step, BooleanStep):
        missing: list[str | None] = [None] if step.indicator else []
        return [level for level in (step.low, step.high) if level is not None] + missing
    levels: list[str | None] = list(_in_order(step.levels[:MOST_BANDS]))
    if step.rare:
        unseen = "(rare)"
        while unseen in step.levels:
            unseen = f"({unseen})"
        levels.append(unseen)
    return [*levels, None] if step.missing else levels


def _in_order(levels: tuple[str, ...]) -> tuple[str, ...]:
    """Levels that are numbers by size, others as they come: the most frequent first."""
    try:
        return tuple(sorted(levels, key=float))
    except ValueError:
        return levels


# ── where there are rows ──────────────────────────────────────────────────────────────────────────────────────


def without_data(x: SliceAxis, y: SliceAxis) -> Array:
    """Where in the picture there are too few data to support an answer, ``[Gy, Gx]``.

    The rule: a place is without data unless enough rows lie near it in both columns together. Near is an ellipse of
    5 % of each side of the picture, or of 1 / √N of it where that is more (at most 30 %); along bands, the same
    band. Enough is one row, and of more than 2,000 rows one in 2,000. Rows are taken at the nearest place.
    """
    counts = _counted(x, y)
    n = int(counts.sum())
    if not n:
        return np.ones(counts.shape, dtype=bool)
    near = min(_NEAREST_ALLOWED, max(NEAR, _NEAR_FOR_FEW / math.sqrt(n)))
    rx, ry = (0.0 if axis.kind == "bands" else near * len(axis.places) for axis in (x, y))
    running = np.pad(np.cumsum(counts, axis=1), ((0, 0), (1, 0)))  # [Gy, Gx + 1]
    found = np.zeros(counts.shape)
    across = np.arange(counts.shape[1])
    for up in range(-math.floor(ry), math.floor(ry) + 1):
        half = math.floor(rx * math.sqrt(max(0.0, 1 - (up / ry) ** 2))) if ry else math.floor(rx)
        low, high = np.maximum(across - half, 0), np.minimum(across + half + 1, counts.shape[1])
        sums = running[:, high] - running[:, low]  # rows within the ellipse's line that lies ``up`` above
        to, of = slice(max(0, -up), counts.shape[0] - max(0, up)), slice(max(0, up), counts.shape[0] + min(0, up))
        found[to] += sums[of]
    enough: Array = found < max(1.0, n / _ROWS_A_NEIGHBOUR)
    return enough


def density(x: SliceAxis, y: SliceAxis, shares: tuple[float, ...] = (0.9, 0.5)) -> tuple[Array, tuple[float, ...]]:
    """How densely the rows lie ``[Gy, Gx]``, and the levels above which these shares of the rows lie, ascending.

    A histogram over the places, smoothed by a Gaussian of 2.5 % of each side of the picture.
    """
    counts = _counted(x, y)
    smooth = _smoothed(_smoothed(counts, 0.025 * counts.shape[0]).T, 0.025 * counts.shape[1]).T
    at_rows = np.repeat(smooth.ravel(), counts.ravel().astype(np.int64))
    levels = np.quantile(at_rows, [1 - share for share in shares]) if len(at_rows) else np.zeros(len(shares))
    return smooth, tuple(levels.tolist())


def _counted(x: SliceAxis, y: SliceAxis) -> Array:
    at_x, at_y = x.index_of(x.rows), y.index_of(y.rows)
    there = (at_x >= 0) & (at_y >= 0)
    shape = len(y.places), len(x.places)
    flat = np.bincount(at_y[there] * shape[1] + at_x[there], minlength=shape[0] * shape[1])
    return flat.reshape(shape).astype(np.float64)


def _smoothed(values: Array, deviation: float) -> Array:
    """Along the first axis, by a Gaussian; what is spread beyond the edge is lost."""
    offsets = np.arange(len(values))
    kernel = np.exp(-0.5 * ((offsets[:, None] - offsets[None, :]) / deviation) ** 2)
    found: Array = kernel / kernel[len(kernel) // 2].sum() @ values
    return found


# ── which columns matter ──────────────────────────────────────────────────────────────────────────────────────


def mean_changes(
    features: Features, columns: Iterable[str], answers_to: Callable[[Features], Array], *, seed: int = 0
) -> dict[str, float]:
    """How far the answers move on average when the cells of a column are shuffled among the rows.

    Parameters
    ----------
    features
        The N rows.
    columns
        The names of the columns to shuffle, one at a time.
    answers_to
        From features to ``[N]`` or ``[N, classes]``.
    seed
        Of the one order in which the rows are shuffled.

    Returns
    -------
    dict
        The mean size of the change of a number; of probabilities half the sum over the classes.

    >>> rows = Features.of_columns(np.array([[0.0, 5.0], [1.0, 6.0], [2.0, 7.0], [3.0, 8.0]]), ["a", "b"])
    >>> found = mean_changes(rows, ["a", "b"], lambda dealt: 2 * dealt.column("a").flat[:, 0])
    >>> found["a"] > 0, found["b"]
    (True, 0.0)
    """
    order = np.random.default_rng(seed).permutation(features.n)
    before = answers_to(features)
    changes: dict[str, float] = {}
    for name in columns:
        shuffled = features.replace(name, features.column(name).take(order))
        size = np.abs(answers_to(shuffled) - before)
        changes[name] = float(size.mean() if size.ndim == 1 else size.sum(axis=1).mean() / 2)
    return changes
