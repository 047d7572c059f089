"""The values that a column is set to, to see how the answers change with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pellucid.preprocessing.recipe import Step
from pellucid.preprocessing.steps.categorical import CategoricalStep
from pellucid.preprocessing.values import is_missing, number_of

__all__ = ["Grid", "grid_of"]

Array = NDArray[Any]

_POINTS = 21
_CATEGORIES = 10
_FEW = 12  # different numbers: each is a point


@dataclass(frozen=True, kw_only=True, eq=False)
class Grid:
    """The values of a column that are tried.

    Attributes
    ----------
    values
        In the column's own unit: numbers, or the names of categories, truth values and dates.
    encoded
        ``[V, features]``: what the network sees of each.
    seen
        The numbers in the rows; empty for names.
    """

    values: Sequence[float] | Sequence[str]
    encoded: Array
    seen: Array


def grid_of(step: Step, column: pa.ChunkedArray | pa.Array) -> Grid:
    """Values to try: quantiles from 1 to 99 % of numbers, else the ten most frequent cells; none of free text.

    >>> from pellucid.preprocessing.steps.numeric import fit_numeric
    >>> ages = pa.array([20.0, 30.0, 40.0, None])
    >>> grid_of(fit_numeric("age", ages), ages).values
    [20.0, 30.0, 40.0]
    """
    if step.kind == "text":
        return _named(step, [])
    cells = [cell for cell in column.to_pylist() if not is_missing(cell)]
    if step.kind in ("numeric", "piecewise", "both"):
        numbers = np.array([number_of(cell, step.name) for cell in cells], dtype=np.float64)
        chosen = np.unique(numbers)
        if len(chosen) > _FEW:
            chosen = np.unique(np.quantile(numbers, np.linspace(0.01, 0.99, _POINTS)))
        values: list[Any] = chosen.tolist()
        return Grid(values=values, encoded=_encoded(step, values), seen=numbers)
    if step.kind == "date":
        ordered = sorted(cells)
        places = np.unique(np.linspace(0, max(0, len(ordered) - 1), _POINTS).round().astype(int))[: len(ordered)]
        return _named(step, list(dict.fromkeys(ordered[i] for i in places)))
    counted = pc.value_counts(pa.array([str(cell) for cell in cells])).to_pylist() if cells else []
    of_text = {str(cell): cell for cell in cells}
    commonest = sorted(counted, key=lambda found: (-found["counts"], found["values"]))[:_CATEGORIES]
    names = [of_text[found["values"]] for found in commonest]
    return _named(step, names if isinstance(step, CategoricalStep) else sorted(names, key=str))


def _named(step: Step, cells: list[Any]) -> Grid:
    return Grid(values=[str(cell) for cell in cells], encoded=_encoded(step, cells), seen=np.zeros(0))


def _encoded(step: Step, cells: list[Any]) -> Array:
    return np.array([step.encode_one(cell) for cell in cells], dtype=np.float64).reshape(len(cells), len(step.features))
