"""Where a training gets its rows from: all at once if they are in memory, or else batch by batch."""

from __future__ import annotations

from pellucid.network import Network
from pellucid.network.padding import lengths_of
from pellucid.training.pictures import AugmentedRows
from pellucid.training.rows import Resident, Rows, RowSource

__all__ = ["source_of"]


def source_of(rows: Rows | RowSource, network: Network | None = None) -> RowSource:
    """The source of these rows; one that is given stays as it is.

    A ``network`` that takes rows of any length gets those of about one length together.

    >>> import numpy as np
    >>> type(source_of(Rows(inputs=np.ones((3, 2)), targets=np.ones((3, 1))))).__name__
    'Resident'
    """
    if not isinstance(rows, Rows):
        return rows
    if not rows.is_resident or rows.augmentation is not None:
        return AugmentedRows(rows)
    return Resident(rows, None if network is None else lengths_of(network, rows.inputs))
