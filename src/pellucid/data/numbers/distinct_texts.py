"""A column of text as its distinct texts, so that each is processed only once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["TextColumn", "cells", "short", "were"]


@dataclass(frozen=True, kw_only=True)
class TextColumn:
    """A column of trimmed texts: the distinct ones, and the number of the one in each row."""

    name: str
    values: pa.Array  # [W]
    codes: NDArray[np.integer]  # [R] −1 for missing

    def counts(self) -> NDArray[np.int64]:
        """How many rows hold each text ``[W]``."""
        found: NDArray[np.int64] = np.bincount(self.codes + 1, minlength=len(self.values) + 1)[1:]
        return found

    def by_row(self, table: pa.Array) -> pa.Array:
        """Expand values per text ``[W]`` to values per row ``[R]``, null where missing."""
        return table.take(pa.array(self.codes, pa.int32(), mask=self.codes < 0))


def short(value: str) -> str:
    """A cell as shown in a message."""
    return value if len(value) <= 40 else value[:37] + "..."


def cells(n: int) -> str:
    """A number of cells as text.

    >>> cells(1), cells(1200)
    ('1 cell', '1,200 cells')
    """
    return "1 cell" if n == 1 else f"{n:,} cells"


def were(n: int) -> str:
    """The verb that follows `cells`."""
    return "was" if n == 1 else "were"
