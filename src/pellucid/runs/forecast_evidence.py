"""A forecast as the doctor sees it: how far it moves, and which columns hold the future of the series."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.diagnosis.forecast_evidence import ForecastEvidence
from pellucid.preparation.forecast_rows import ForecastRows
from pellucid.runs.forecast import Rolled

__all__ = ["forecast_evidence"]

Array = NDArray[Any]

_FEWEST = 20  # changes of a column


def forecast_evidence(forecast: ForecastRows, tested: Rolled) -> ForecastEvidence:
    """How far forecasts one step ahead lie from the value before, and what other columns say of the future."""
    known = np.isfinite(tested.truth[:, 0]) if len(tested.truth) else np.zeros(0, bool)
    moved, stepped = (np.abs(each[known, 0] - tested.last[known]) for each in (tested.found, tested.truth))
    off = tested.found[known, 0] - tested.truth[known, 0]
    ahead = {}
    for place, name in enumerate(forecast.design.known):
        if (found := _ahead(forecast, "known", place, first=0)) is not None:
            ahead[name] = found
    for place, name in enumerate(forecast.design.others):
        if (found := _ahead(forecast, "others", place, first=1)) is not None:
            ahead[name] = found
    return ForecastEvidence(
        count=int(known.sum()),
        moved=float(moved.mean()) if len(moved) else 0.0,
        stepped=float(stepped.mean()) if len(stepped) else 0.0,
        error=float(np.sqrt(np.mean(off**2))) if len(off) else 0.0,
        error_of_last=float(np.sqrt(np.mean(stepped**2))) if len(off) else 0.0,
        ahead=ahead,
        known=forecast.design.known,
    )


def _ahead(forecast: ForecastRows, kind: str, place: int, *, first: int) -> tuple[int, float] | None:
    """How many steps later the series does what a column does, and the correlation of their changes in training."""
    best: tuple[int, float] | None = None
    for shift in range(first, forecast.design.horizon + forecast.design.window):
        told, followed = [], []
        for one in forecast.series.series:
            n = min(forecast.validation - one.start, len(one))
            column, values = getattr(one, kind)[:n, place], one.values[:n]
            if n - shift > 2:
                told.append(np.diff(column[: n - shift]))
                followed.append(np.diff(values[shift:]))
        if not told:
            break
        x, y = np.concatenate(told), np.concatenate(followed)
        if len(x) < _FEWEST or x.std() == 0 or y.std() == 0:
            continue
        found = float(np.corrcoef(x, y)[0, 1])
        if best is None or abs(found) > abs(best[1]):
            best = (shift, found)
    return best
