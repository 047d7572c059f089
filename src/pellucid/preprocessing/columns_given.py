"""The columns that a recipe is given: of a table, or by name in any of the usual types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from pellucid.errors import DataError, nearest

__all__ = ["as_arrow", "check_present", "columns_by_name"]


def columns_by_name(table: Any) -> dict[str, Any]:
    """The columns of a `Table`, an Arrow table or a mapping."""
    if isinstance(table, Mapping):
        return dict(table)
    arrow = table if isinstance(table, pa.Table) else table.arrow
    return dict(zip(arrow.schema.names, arrow.columns, strict=True))


def check_present(names: Sequence[str], there: Mapping[str, Any]) -> None:
    """Raise `DataError` that names every column that is missing."""
    lost = [name for name in names if name not in there]
    if not lost:
        return
    shown = ", ".join(repr(name) for name in lost)
    what = f"column {shown} is" if len(lost) == 1 else f"{len(lost):,} columns are"
    listed = "" if len(lost) == 1 else f": {shown}"
    raise DataError(
        f"{what} missing in the table, and the model needs every column that it was trained on{listed}"
        f"{nearest(lost[0], there)}"
    )


def as_arrow(columns: dict[str, Any]) -> dict[str, Any]:
    """Arrow columns of equal length; a list of mixed types that no Arrow type holds stays a list."""
    made: dict[str, Any] = {}
    for name, column in columns.items():
        if isinstance(column, pa.Array | pa.ChunkedArray):
            made[name] = column
            continue
        if hasattr(column, "to_arrow"):
            made[name] = column.to_arrow()
            continue
        if isinstance(column, str | bytes | Mapping) or not hasattr(column, "__len__"):
            raise DataError(
                f"column {name!r} must be a list or an array with a value for each row, "
                f"got {type(column).__name__}; for one row, use transform_row"
            )
        if isinstance(column, np.ndarray) and column.ndim in (3, 4):
            from pellucid.data.images.read import image_table

            made[name] = image_table(column).column("image")
            continue
        if isinstance(column, np.ndarray) and column.ndim != 1:
            raise DataError(f"column {name!r} must have one dimension, got {column.ndim}")
        try:
            made[name] = pa.array(column, from_pandas=True)
        except (pa.ArrowException, OverflowError, TypeError, ValueError):
            made[name] = list(column)
    lengths = {name: len(column) for name, column in made.items()}
    if len(set(lengths.values())) > 1:
        first, other = (
            next(iter(lengths)),
            next(n for n in lengths if lengths[n] != next(iter(lengths.values()))),
        )
        raise DataError(
            f"columns must have equal lengths, got {lengths[first]:,} for {first!r} and {lengths[other]:,} "
            f"for {other!r}"
        )
    return made
