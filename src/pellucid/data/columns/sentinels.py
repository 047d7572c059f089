"""Numbers that may stand for a missing value, such as −999: reported but never replaced, as they may be real."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa

from pellucid.data.columns.kinds import Facts, Kind
from pellucid.data.notes import CellNote

__all__ = ["suspected_sentinels"]

_WORDS = re.compile(r"-1|-?9{2,6}(\.9+|\.0+)?|-?8{2,6}|-?7{3,6}")
_FEW = 3  # rows
_MOST = 0.9  # share of the rows
_DIFFERENT = 10  # with fewer other values, the numbers are codes


def suspected_sentinels(facts: Facts, kind: Kind) -> list[str]:
    """A note for each end of a numeric column where a repeated value lies far from all others or is written oddly."""
    if kind != "numeric" or not (pa.types.is_integer(facts.column.type) or pa.types.is_floating(facts.column.type)):
        return []
    values = facts.column.drop_null().to_numpy(zero_copy_only=False)
    if len(values) < 2 * _FEW:
        return []
    notes: list[str] = []
    for low, extreme in ((True, values.min()), (False, values.max())):
        n = int((values == extreme).sum())
        if not _FEW <= n <= _MOST * len(values):
            continue
        others = values[values != extreme]
        if _is_apart(float(extreme), others, low=low) and len(np.unique(others)) >= _DIFFERENT:
            shown = f"{extreme:.10g}"
            ends = f"the others are from {others.min():.6g} to {others.max():.6g}"
            notes.append(
                CellNote(
                    f"column {facts.name!r} holds {shown} in {n:,} rows, while {ends}; if it means a missing "
                    f"value, pass --missing '{facts.name}={shown}'"
                )
            )
    return notes


def _is_apart(extreme: float, others: np.ndarray, *, low: bool) -> bool:
    nearest, span = float(others.min() if low else others.max()), float(others.max()) - float(others.min())
    gap = abs(nearest - extreme)
    if not np.isfinite(span):
        return False
    if _WORDS.fullmatch(f"{extreme:.10g}"):
        return gap > span or (extreme < 0 <= nearest)
    return gap > 5 * span > 0
