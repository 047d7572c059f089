"""Numeric columns, piecewise: a number becomes one value for each of its bins.

With edges b₀ < b₁ < … < b_T the value of bin t is 0 for a number below the bin, 1 for one above, and a straight line in
between: e_t = (x − b_{t−1}) / (b_t − b_{t−1}). So 27 with the edges 18, 25, 31, 60 becomes 1, ⅓, 0. Nothing is lost
(x = b₀ + Σ e_t · (b_t − b_{t−1})), and a single layer of weights can now bend its answer at every edge.

The edges come from the training rows alone, in one of two ways:

| by | edges |
|---|---|
| quantile | values with equally many training rows between them |
| tree | the cuts of a small decision tree that predicts the target from this column alone |

The smallest and the largest training value are always edges. Equal edges are one edge, so a column that is mostly one
value has fewer bins by quantiles.

A number outside the training range continues the line of the first or the last bin, below 0 or above 1, as in the
paper, up to ±10⁶. Together with the scaled number (see `both`) bins stay within 0 and 1: a short bin has such a steep
line that one odd cell would dominate the answer. Where a cell is missing, all bins are 0 and a feature of its own marks
it; where no training row was missing, there is no such feature, and the median is used instead.

Source: Gorishniy, Rubachev & Babenko 2022, "On Embeddings for Numerical Features in Tabular Deep Learning", eq. 1 and
sections 3.2.1 and 3.2.2.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from pellucid.errors import SettingError, nearest
from pellucid.preprocessing import checks
from pellucid.preprocessing.steps.numeric import BOUND, LARGEST, centre_and_spread
from pellucid.preprocessing.steps.tree import best_cuts
from pellucid.preprocessing.values import FloatArray, IntArray, number_of, numbers

__all__ = ["BINS_BY", "MAX_BINS", "Bins", "BinsBy", "PiecewiseStep", "auto_bins", "fit_piecewise"]

BinsBy = Literal["tree", "quantile"]
BINS_BY: tuple[str, ...] = get_args(BinsBy)

MAX_BINS = 256
TREE_ROWS = 50_000  # a tree of 32 leaves on one column does not get better with more
LEAST_GAIN = 1e-4  # of a split, in Gini or in variances of the target: as the example of the paper's own package


@dataclass(frozen=True, kw_only=True, eq=False)
class Bins:
    """How the bins of numeric columns are to be found.

    Parameters
    ----------
    most
        The most bins a column, from 1 to 256.
    by
        ``tree`` or ``quantile``.
    target
        ``[training rows]`` what the trees predict: class numbers, or numbers.
    classes
        Whether the target is a class.
    scaled_too
        Whether the scaled number is a feature beside the bins (see `both`).

    Raises
    ------
    SettingError
        A setting out of range, or trees without a target.
    """

    most: int = 32
    by: BinsBy = "tree"
    target: FloatArray | IntArray | None = None
    classes: bool = False
    scaled_too: bool = False

    def __post_init__(self) -> None:
        """Check the settings."""
        if type(self.most) is not int or not 1 <= self.most <= MAX_BINS:
            raise SettingError(f"bins must be a whole number from 1 to {MAX_BINS}, got {self.most!r}")
        if self.by not in BINS_BY:
            raise SettingError(f"bins_by {self.by!r} is not known{nearest(str(self.by), BINS_BY)}")
        if self.by == "tree" and self.target is None:
            raise SettingError("bins_by tree needs a target to predict, and there is none; use bins_by quantile")


@dataclass(frozen=True, kw_only=True)
class PiecewiseStep:
    """How one numeric column becomes a feature for each bin, and one more where training rows were missing.

    Parameters
    ----------
    name
        The column.
    edges
        ``[bins + 1]`` in the column's unit, ascending; none where the training rows held one value or nothing.
    fill
        What a missing cell is taken for where there is no indicator: the training median.
    indicator
        Whether a last feature tells that the cell was missing.
    bounded
        Whether a number outside the edges is taken for the nearest of them.
    """

    name: str
    edges: tuple[float, ...]
    fill: float
    indicator: bool = False
    bounded: bool = False

    kind: ClassVar[str] = "piecewise"

    @cached_property
    def n_bins(self) -> int:
        """How many bins there are."""
        return max(0, len(self.edges) - 1)

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The names of the features: ``age 25–31``."""
        dash = " to " if self.n_bins and self.edges[0] < 0 else "–"
        names = [f"{self.name} {low}{dash}{high}" for low, high in pairwise(_spelled(self.edges))]
        return (*names, f"{self.name} is missing") if self.indicator else tuple(names)

    # The two functions below do the same operations in the same order, each of them exactly rounded (IEEE
    # 754), so that a row gives the same bits alone and in a table.

    def encode(self, column: Any, out: FloatArray) -> None:
        """Write the features of an Arrow column into ``out`` ``[rows, features]``, which holds zeros."""
        values = numbers(column, self.name)
        missing = np.isnan(values)
        bins = self.n_bins
        if bins:
            edges, below = self._arrays
            x = np.clip(np.where(missing, self.fill, values), -LARGEST, LARGEST)
            at = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, bins - 1)
            with np.errstate(over="ignore", under="ignore"):
                share = (x - edges[at]) / (edges[at + 1] - edges[at])
            out[:, :bins] = below[at]
            out[np.arange(len(x)), at] = np.clip(share, *self._ends)
        if self.indicator:
            out[missing, :bins] = 0.0
            out[:, bins] = missing

    def encode_one(self, value: object) -> tuple[float, ...]:
        """The features of one value: the same numbers as `encode` gives."""
        number = number_of(value, self.name)
        missing = number != number  # noqa: PLR0124 (only NaN differs from itself)
        bins = self.n_bins
        result = (0.0,) * bins
        if bins and not (missing and self.indicator):
            x = min(max(self.fill if missing else number, -LARGEST), LARGEST)
            at = min(max(bisect_right(self.edges, x) - 1, 0), bins - 1)
            share = (x - self.edges[at]) / (self.edges[at + 1] - self.edges[at])
            low, high = self._ends
            result = (*(1.0,) * at, min(max(share, low), high), *(0.0,) * (bins - 1 - at))
        return (*result, float(missing)) if self.indicator else result

    @cached_property
    def _ends(self) -> tuple[float, float]:
        """The least and the largest value of a bin."""
        return (0.0, 1.0) if self.bounded else (-BOUND, BOUND)

    @cached_property
    def _arrays(self) -> tuple[FloatArray, FloatArray]:
        """The edges, and for each bin the row ``[bins]`` of a number in it: ones for the bins below."""
        return np.array(self.edges), np.tri(self.n_bins, k=-1, dtype=np.float32)

    def to_json(self) -> dict[str, Any]:
        """The step as plain JSON values."""
        return {
            "kind": self.kind,
            "name": self.name,
            "edges": list(self.edges),
            "fill": self.fill,
            "indicator": self.indicator,
            "bounded": self.bounded,
        }

    @classmethod
    def from_json(cls, value: object, where: str) -> PiecewiseStep:
        """Read what `to_json` wrote, with or without ``bounded``, which came later; raises `ModelFileError`."""
        v = checks.fields(value, where, ("kind", "name", "edges", "fill", "indicator"), may=("bounded",))
        edges = checks.listing(v["edges"], f"{where}.edges", MAX_BINS + 1)
        return cls(
            name=checks.text(v["name"], f"{where}.name"),
            edges=checks.ascending(edges, f"{where}.edges", LARGEST),
            fill=checks.number(v["fill"], f"{where}.fill", -LARGEST, LARGEST),
            indicator=checks.flag(v["indicator"], f"{where}.indicator"),
            bounded=checks.flag(v.get("bounded", False), f"{where}.bounded"),
        )


def auto_bins(n_rows: int) -> int:
    """One bin for each hundred training rows, from 2 to 32: with fewer rows a bin, its weight is mostly noise.

    >>> auto_bins(640), auto_bins(50_000)
    (6, 32)
    """
    return min(32, max(2, n_rows // 100))


def fit_piecewise(name: str, column: Any, bins: Bins) -> PiecewiseStep:
    """Find the edges in an Arrow column that holds the training rows only, in the order of ``bins.target``.

    >>> import pyarrow as pa
    >>> step = fit_piecewise("age", pa.array([18, 25, 31, 60, None]), Bins(most=3, by="quantile"))
    >>> step.features
    ('age 18–25', 'age 25–31', 'age 31–60', 'age is missing')
    >>> step.encode_one(28), step.encode_one(None)
    ((1.0, 0.5, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0))
    """
    values = numbers(column, name)
    there = ~np.isnan(values)
    present = np.clip(values[there], -LARGEST, LARGEST)
    fill = 0.0
    edges: FloatArray = np.empty(0)
    if present.size:
        # Halves first: the mean of two middle values near the largest number would overflow.
        fill = float(np.median(present * 0.5)) * 2.0
        if bins.by == "quantile":
            edges = _quantile_edges(present, bins.most)
        else:
            assert bins.target is not None
            edges = _tree_edges(present, bins.target[there], bins.most, classes=bins.classes)
    return PiecewiseStep(
        name=name,
        edges=tuple(edges.tolist()) if len(edges) > 1 else (),
        fill=fill,
        indicator=bool(present.size < values.size),
    )


def _quantile_edges(values: FloatArray, most: int) -> FloatArray:
    """At most ``most + 1`` of the ``values`` ``[rows]`` themselves: no edge lies a hair's breadth beside another."""
    ranks = np.round(np.linspace(0, len(values) - 1, most + 1)).astype(np.int64)
    return np.unique(np.sort(values)[ranks])


def _tree_edges(values: FloatArray, target: FloatArray | IntArray, most: int, *, classes: bool) -> FloatArray:
    """The smallest and the largest of the ``values`` ``[rows]``, and between them the cuts of a tree."""
    ends = np.array([values.min(), values.max()])
    if most == 1 or ends[0] == ends[1]:
        return np.unique(ends)
    order = np.argsort(values, kind="stable")
    if len(values) > TREE_ROWS:  # every so many-th by size
        order = order[np.round(np.linspace(0, len(values) - 1, TREE_ROWS)).astype(np.int64)]
    values, target = values[order], target[order]
    if classes:
        target = np.unique(target, return_inverse=True)[1]
    else:
        clipped: FloatArray = np.clip(target.astype(np.float64), -LARGEST, LARGEST)
        centre, spread = centre_and_spread(clipped)
        target = (clipped - centre) / (spread or 1.0)
    cuts = best_cuts(values, target, most=most, least_rows=_least_rows(len(values)), least_gain=LEAST_GAIN)
    low, high = values[np.array(cuts, np.int64) - 1], values[np.array(cuts, np.int64)]
    middle = low * 0.5 + high * 0.5
    return np.unique(np.concatenate([ends, np.where(middle > low, middle, high)]))


def _least_rows(n: int) -> int:
    """The fewest training rows in a bin of a tree: a fiftieth of ``n``, at least 5 and at most 64."""
    return min(64, max(5, n // 50))


def _spelled(edges: tuple[float, ...]) -> list[str]:
    """Each edge in as few digits as tell it from its neighbours, at least five."""
    texts: list[str] = []
    for digits in range(5, 18):
        texts = [_number(edge, digits) for edge in edges]
        if all(a != b for a, b in pairwise(texts)):
            break
    return texts


def _number(value: float, digits: int) -> str:
    """So many digits, and no exponent where one can do without: 12,346 for 12345.6 with five."""
    comma = "," if abs(value) >= 1e4 else ""  # not in years
    text = f"{value:{comma}.{digits}g}"
    return f"{float(text):,.0f}" if "e+" in text and abs(value) < 1e15 else text
