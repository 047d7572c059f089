"""How much each row counts: the column of ``sample_weight``, read and checked.

A weight of 2 counts as two equal rows, and only ratios matter. What is weighted:

| what | how |
|---|---|
| the loss | Σ w ℓ / Σ w of each batch, in every engine; class weights multiply; so is the loss that chooses the epoch |
| standardised numbers and a standardised target | weighted mean and standard deviation |
| ``class_weight balanced`` | the classes' shares of the total weight |
| metrics and their intervals | weighted; the intervals allow for unequal weights, which carry less information |
| the verdict | every peer learns with the weights, and differences are weighted |

The split, bins, levels of categories, medians, the confusion matrix and explanations count rows as they are. A row of
weight 0 is left out of all parts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pellucid.data.tables import Table
from pellucid.errors import DataError, SettingError, nearest
from pellucid.evaluation.shares import rows_worth
from pellucid.settings.settings import Settings

__all__ = ["check_weight_column", "note_on_weights", "weights_of", "weights_where_given"]

Array = NDArray[Any]

WHY = "the weight of each row, not a feature"
_LEAST = 1e-30  # of the largest weight: float32 holds no numbers far below


def check_weight_column(settings: Settings) -> None:
    """Raise `SettingError` if the column of weights is also named for something else."""
    name = settings.sample_weight
    lists = ("numeric", "categorical", "boolean", "date", "drop", "keep")
    uses = [use for use in ("target", "group", "time") if getattr(settings, use) == name]
    uses += [use for use in lists if name in getattr(settings, use)]
    if name is not None and uses:
        raise SettingError(
            f"column {name!r} is named as sample_weight and as {uses[0]}, but a column of weights cannot be anything "
            "else: leave it out of one of them"
        )


def weights_of(table: Table, settings: Settings) -> Array | None:
    """The weights ``[N]`` of a table's rows, from 0 to 1; ``None`` if no column of weights is named.

    Raises
    ------
    DataError
        There is no such column, or its cells are not numbers, negative, missing, infinite or all zero.
    """
    name = settings.sample_weight
    if name is None:
        return None
    source = table.report.source
    if name not in table.names:
        raise DataError(f"there is no column {name!r} for sample_weight in {source}{nearest(name, table.names)}")
    column = table.column(name)
    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        what = "text" if pa.types.is_dictionary(kind) else "dates" if pa.types.is_timestamp(kind) else str(kind)
        raise DataError(f"sample_weight {name!r} must hold numbers, but holds {what}: choose another column")
    values = np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
    for wrong, what, remedy in (
        (np.isnan(values), "missing or infinite", "give every row a finite weight, 0 to leave it out"),
        (values < 0, "negative", "a weight is at least 0; 0 leaves the row out"),
    ):
        if n := int(wrong.sum()):
            row = int(np.argmax(wrong))
            raise DataError(
                f"sample_weight {name!r} is {what} in {n:,} of {len(values):,} rows (first: row {row:,}); {remedy}"
            )
    if not values.any():
        raise DataError(f"sample_weight {name!r} is 0 in every row: no row would count; give rows a weight above 0")
    return np.where(values > 0, np.maximum(values / values.max(), _LEAST), 0.0)


def weights_where_given(table: Table, settings: Settings) -> tuple[Array | None, tuple[str, ...]]:
    """The weights of rows to measure on, or ``None`` with a note if this table has no such column."""
    if settings.sample_weight is None or settings.sample_weight in table.names:
        return weights_of(table, settings), ()
    name = settings.sample_weight
    return None, (f"{table.report.source} has no column {name!r}, so every row counts the same in these metrics",)


def note_on_weights(weights: Array, name: str) -> str:
    """What the user should know about the weights."""
    there = weights[weights > 0]
    without = len(weights) - len(there)
    out = f"; {without:,} rows of weight 0 are left out" if without else ""
    return (
        f"rows count by {name!r} in the loss and the metrics; the largest weight is {there.max() / there.min():,.3g} "
        f"times the smallest, so the {len(there):,} rows are worth about {rows_worth(there):,.0f} equal ones{out}"
    )
