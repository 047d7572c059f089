"""How good forecasts are, by how far ahead they look.

For the forecasts ``f`` and the true values ``y`` of each step ahead:

| | |
|---|---|
| RMSE, MAE | root mean square, and mean size, of ``f − y`` |
| MASE | MAE divided by that of persistence, one step ahead, in training (Hyndman & Koehler 2006) |
| coverage | the share of true values inside their intervals |

Legend: N origins, from each of which H steps are forecast; NaN where a true value lies beyond the series.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import ModelFileError

__all__ = ["HorizonErrors", "errors_by_horizon", "errors_from_json", "errors_to_json"]

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class HorizonErrors:
    """The errors of forecasts so many ``steps`` ahead; None where there is nothing to compute one from.

    Attributes
    ----------
    steps, count
        How far ahead, and how many forecasts were measured.
    rmse, mae, mase
        The errors of the network.
    persistence
        The RMSE of the last value in its place.
    coverage, width
        The share of true values inside the intervals, and how wide these are on average.
    """

    steps: int
    count: int
    rmse: float
    mae: float
    mase: float | None
    persistence: float
    coverage: float | None = None
    width: float | None = None


def errors_by_horizon(
    truth: Array, found: Array, persistence: Array, *, scale: Array, low: Array | None = None, high: Array | None = None
) -> tuple[HorizonErrors, ...]:
    """The errors at each step ahead that has a true value.

    Parameters
    ----------
    truth, found, persistence
        ``[N, H]`` true values (NaN: unknown), the forecasts, and the last values.
    scale
        ``[N]`` the mean error of persistence in training, of the series of each origin.
    low, high
        ``[N, H]`` ends of intervals; NaN where there is none.

    >>> one = errors_by_horizon(np.array([[2.0]]), np.array([[5.0]]), np.array([[1.0]]), scale=np.array([2.0]))[0]
    >>> one.rmse, one.mase, one.persistence
    (3.0, 1.5, 1.0)
    """
    errors = []
    for k in range(truth.shape[1]):
        known = np.isfinite(truth[:, k])
        if not known.any():
            continue
        y, off = truth[known, k], found[known, k] - truth[known, k]
        scaled = scale[known]
        covered = width = None
        if low is not None and high is not None and np.isfinite(low[known, k]).all():
            covered = float(np.mean((low[known, k] <= y) & (y <= high[known, k])))
            width = float(np.mean(high[known, k] - low[known, k]))
        errors.append(
            HorizonErrors(
                steps=k + 1,
                count=int(known.sum()),
                rmse=float(np.sqrt(np.mean(off**2))),
                mae=float(np.mean(np.abs(off))),
                mase=float(np.mean(np.abs(off) / scaled)) if (scaled > 0).all() else None,
                persistence=float(np.sqrt(np.mean((persistence[known, k] - y) ** 2))),
                coverage=covered,
                width=width,
            )
        )
    return tuple(errors)


def errors_from_json(value: object) -> tuple[HorizonErrors, ...]:
    """Read a list of what ``asdict`` makes of `HorizonErrors`; raises `ModelFileError`."""
    names = set(HorizonErrors.__dataclass_fields__)
    found = []
    for each in value if isinstance(value, list) else ():
        if not isinstance(each, Mapping) or set(each) != names:
            raise ModelFileError("the stored errors of forecasts are not Pellucid's: use an intact copy of the file")
        found.append(HorizonErrors(**each))
    return tuple(found)


def errors_to_json(errors: Sequence[HorizonErrors]) -> list[dict[str, Any]]:
    """The errors as plain JSON values."""
    return [asdict(each) for each in errors]
