"""Where a training gets its rows from: all at once if they are in memory, or else batch by batch."""

from __future__ import annotations

from pellucid.training.pictures import AugmentedRows
from pellucid.training.rows import Resident, Rows, RowSource

__all__ = ["source_of"]


def source_of(rows: Rows | RowSource) -> RowSource:
    """The source of these rows; one that is given stays as it is.

    >>> import numpy as np
    >>> type(source_of(Rows(inputs=np.ones((3, 2)), targets=np.ones((3, 1))))).__name__
    'Resident'
    """
    if not isinstance(rows, Rows):
        return rows
    return Resident(rows) if rows.is_resident and rows.augmentation is None else AugmentedRows(rows)
