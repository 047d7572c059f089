"""A column of text as its distinct texts, on which all work is done."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["TextColumn", "cells", "short", "were"]


@dataclass(frozen=True, kw_only=True)
class TextColumn:
    """A column of trimmed texts: each distinct one once, and which of them a row holds."""

    name: str
    values: pa.Array  # [W]
    codes: NDArray[np.integer]  # [R] −1 for missing

    def counts(self) -> NDArray[np.int64]:
        """How many rows hold each text ``[W]``."""
        found: NDArray[np.int64] = np.bincount(self.codes + 1, minlength=len(self.values) + 1)[1:]
        return found

    def by_row(self, table: pa.Array) -> pa.Array:
        """From a value for each text ``[W]`` to one for each row ``[R]``, null where missing."""
        return table.take(pa.array(self.codes, pa.int32(), mask=self.codes < 0))


def short(value: str) -> str:
    """A cell as a message shows it."""
    return value if len(value) <= 40 else value[:37] + "..."


def cells(n: int) -> str:
    """So many cells, in words.

    >>> cells(1), cells(1200)
    ('1 cell', '1,200 cells')
    """
    return "1 cell" if n == 1 else f"{n:,} cells"


def were(n: int) -> str:
    """The verb after `cells`."""
    return "was" if n == 1 else "were"
