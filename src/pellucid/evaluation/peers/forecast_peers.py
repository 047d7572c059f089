"""The simpler models that a network for forecasts is compared with.

| peer | what it forecasts ``h`` steps ahead |
|---|---|
| persistence | the last value |
| seasonal persistence | the value at the same place of the season before |
| linear autoregression | ``c_h + Σ_k a_hk · y_{t−k}``, by least squares |

They see windows, as the network does: a row holds the last steps of a series, oldest first, and is to be continued.

``N`` training windows, ``K`` windows to continue, ``S`` steps of a window, ``H`` steps to forecast, ``F`` facts known
in advance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DataError, SettingError

__all__ = [
    "Autoregression",
    "autoregression_answers",
    "best_season",
    "fit_autoregression",
    "persistence_answers",
    "seasonal_answers",
]

Array = NDArray[Any]

_SMALL_ORDERS, _GROWTH = 14, 1.25  # all orders up to here, then ever fewer
_HELD_OUT = 5  # the last fifth of the windows
_ROWS_A_COEFFICIENT = 3


def persistence_answers(asked: Array, horizon: int) -> Array:
    """The last value of each window, ``[K, S]`` → ``[K, H]``.

    >>> persistence_answers(np.array([[1.0, 2.0, 4.0]]), 2)
    array([[4., 4.]])
    """
    return seasonal_answers(asked, horizon, 1)


def seasonal_answers(asked: Array, horizon: int, season: int) -> Array:
    """The last season of each window, over and over: ``[K, S]`` → ``[K, H]``.

    Parameters
    ----------
    asked
        The windows.
    horizon
        How many steps to forecast.
    season
        How many steps a season has: 12 for months in years, 7 for days in weeks.

    Raises
    ------
    SettingError
        The windows are shorter than a season.

    >>> seasonal_answers(np.array([[9.0, 1.0, 2.0, 3.0]]), 5, 3)
    array([[1., 2., 3., 1., 2.]])
    """
    windows = _finite(asked, "the windows to continue")
    steps = windows.shape[1]
    if horizon < 1:
        raise SettingError(f"the horizon must be at least 1 step, got {horizon}")
    if not 1 <= season <= steps:
        raise SettingError(
            f"a season of {season} steps needs windows of at least that many, these have {steps}: take longer windows "
            "or a shorter season of 1 step or more"
        )
    again: Array = windows[:, steps - season + np.arange(horizon) % season]
    return again


def best_season(inputs: Array, targets: Array, seasons: tuple[int, ...] | None = None) -> int:
    """The season whose persistence has the smallest squared error on training windows; of equals, the shortest.

    Parameters
    ----------
    inputs, targets
        The training windows ``[N, S]`` and what follows them ``[N, H]``.
    seasons
        The seasons to try; None for all from 2 steps to the length of a window.

    Raises
    ------
    SettingError
        The windows hold no season of 2 steps, or not one of those given.

    >>> windows = np.array([[1.0, 5.0, 3.0, 1.0], [5.0, 3.0, 1.0, 5.0]])
    >>> best_season(windows, np.array([[5.0], [3.0]]))
    3
    """
    windows, known = _finite(inputs, "the training windows"), _finite(targets, "what follows the training windows")
    tried = sorted(seasons if seasons is not None else range(2, windows.shape[1] + 1))
    if not tried:
        raise SettingError(f"a season has at least 2 steps, the windows {windows.shape[1]}: take longer windows")
    errors = [float(np.mean((seasonal_answers(windows, known.shape[1], each) - known) ** 2)) for each in tried]
    return tried[int(np.argmin(errors))]


@dataclass(frozen=True, kw_only=True)
class Autoregression:
    """A linear autoregression, one set of coefficients for each step ahead.

    ``changes`` says that it forecasts how much a value will differ from the last one, from how much those before do.
    """

    order: int  # how many of the last steps it looks at
    changes: bool
    constant: Array  # [H]
    coefficients: Array  # [order, H], oldest first; with changes [order − 1, H]
    of_known: Array  # [F, H]

    def forecast(self, asked: Array, known: Array | None = None) -> Array:
        """Continue windows ``[K, S]`` (with facts ``[K, F]``) by ``[K, H]``."""
        windows = _finite(asked, "the windows to continue")
        if windows.shape[1] < self.order:
            raise DataError(
                f"the autoregression looks at the last {self.order} steps, the windows hold {windows.shape[1]}: give "
                "windows as long as those it was fitted on"
            )
        facts = _facts(known, len(windows), len(self.of_known))
        found: Array = self.constant + _lags(windows, self.order, self.changes) @ self.coefficients
        found = found + facts @ self.of_known
        return found + windows[:, -1:] if self.changes else found


def autoregression_answers(
    inputs: Array,
    targets: Array,
    asked: Array,
    *,
    known: Array | None = None,
    asked_known: Array | None = None,
    orders: tuple[int, ...] | None = None,
) -> Array:
    """Continue windows by linear autoregression (`fit_autoregression`), ``[K, H]``.

    Parameters
    ----------
    inputs, targets
        The training windows ``[N, S]`` in time order, and what follows them ``[N, H]``.
    asked
        ``[K, S]`` the windows to continue.
    known, asked_known
        ``[N, F]`` and ``[K, F]`` facts known in advance about the steps to forecast, such as the day of the week as
        numbers; None if there are none.
    orders
        How many of the last steps to look at: the numbers to try. None for a few, up to the length of a window.

    >>> series = np.cos(np.arange(60) / 3)
    >>> windows = np.array([series[i : i + 4] for i in range(56)])
    >>> found = autoregression_answers(windows[:50], series[4:54, np.newaxis], windows[50:])
    >>> bool(np.allclose(found[:, 0], series[54:]))
    True
    """
    return fit_autoregression(inputs, targets, known=known, orders=orders).forecast(asked, asked_known)


def fit_autoregression(
    inputs: Array, targets: Array, *, known: Array | None = None, orders: tuple[int, ...] | None = None
) -> Autoregression:
    """Fit by least squares; the order, and whether values or changes are forecast, are chosen on the last windows.

    Each choice is fitted on the first four fifths of the windows and tried on the last; the best is fitted on all. A
    coefficient needs three windows: with few windows, only small orders are tried, and with very few the forecast is
    the last value plus the mean change.

    Parameters
    ----------
    inputs, targets
        The training windows ``[N, S]`` in time order, and what follows them ``[N, H]``.
    known
        ``[N, F]`` facts known in advance about the steps to forecast; None if there are none.
    orders
        How many of the last steps to look at: the numbers to try. None for a few, up to the length of a window.

    Raises
    ------
    DataError
        A number is missing or infinite, or the rows do not belong together.
    SettingError
        An order is below 1 or above the length of a window.
    """
    windows, wanted = _finite(inputs, "the training windows"), _finite(targets, "what follows the training windows")
    if len(windows) != len(wanted):
        raise DataError(
            f"there are {len(windows)} training windows, but {len(wanted)} rows of what follows them: give one a window"
        )
    facts = _facts(known, len(windows), None if known is not None else 0)
    steps = windows.shape[1]
    if orders is not None and (not orders or min(orders) < 1 or max(orders) > steps):
        raise SettingError(f"orders must be from 1 to the {steps} steps of a window, got {orders}")
    # What follows a window reaches into the windows after it: between the two parts, these are left out.
    cut = len(windows) - len(windows) // _HELD_OUT
    first = max(0, cut - (wanted.shape[1] - 1))
    choices = [
        (order, changes)
        for order in sorted(set(_usual_orders(steps) if orders is None else orders))
        for changes in (True, False)
        if (order + facts.shape[1] + (not changes)) * _ROWS_A_COEFFICIENT <= first
    ]
    best = (min(orders) if orders else 1, True)
    if choices and cut < len(windows):
        errors = []
        for order, changes in choices:
            tried = _fitted(windows[:first], wanted[:first], facts[:first], order, changes)
            found = tried.forecast(windows[cut:], facts[cut:])
            errors.append(float(np.mean((found - wanted[cut:]) ** 2)))
        best = choices[int(np.argmin(errors))]
    return _fitted(windows, wanted, facts, *best)


def _fitted(windows: Array, wanted: Array, facts: Array, order: int, changes: bool) -> Autoregression:
    """The least squares themselves; of many solutions, the one with the smallest coefficients."""
    lags = _lags(windows, order, changes)
    x, y = np.hstack([lags, facts]), wanted - windows[:, -1:] if changes else wanted
    centre, level = x.mean(axis=0), y.mean(axis=0)
    found, *_ = np.linalg.lstsq(x - centre, y - level, rcond=None)  # [lags + F, H]
    return Autoregression(
        order=order,
        changes=changes,
        constant=level - centre @ found,
        coefficients=found[: lags.shape[1]],
        of_known=found[lags.shape[1] :],
    )


def _lags(windows: Array, order: int, changes: bool) -> Array:
    """The last steps, ``[N, order]``; or how much those before the last differ from it, ``[N, order − 1]``."""
    last = windows[:, windows.shape[1] - order :]
    return last[:, :-1] - last[:, -1:] if changes else last


def _usual_orders(steps: int) -> list[int]:
    """All small numbers, then about a quarter more each time; the whole window."""
    found = list(range(1, min(steps, _SMALL_ORDERS) + 1))
    while found[-1] < steps:
        found.append(min(steps, round(found[-1] * _GROWTH)))
    return found


def _finite(given: Array, what: str) -> Array:
    numbers = np.asarray(given, dtype=np.float64)
    if numbers.ndim != 2 or not numbers.size:
        raise DataError(
            f"{what} must be a table of rows × steps with at least one of each, got the shape {np.shape(given)}"
        )
    if not np.isfinite(numbers).all():
        row, step = (int(place[0]) for place in np.nonzero(~np.isfinite(numbers)))
        raise DataError(f"{what} hold {numbers[row, step]} in row {row}, step {step}: fill gaps first, or drop the row")
    return numbers


def _facts(known: Array | None, rows: int, columns: int | None) -> Array:
    """``[rows, F]``, with no column where nothing is known in advance."""
    if known is None or np.shape(known)[1:] == (0,):
        facts = np.zeros((rows, 0))
    else:
        facts = _finite(known, "the facts known in advance")
    if len(facts) != rows or columns not in (None, facts.shape[1]):
        expected = "" if columns is None else f" of {columns}"
        raise DataError(
            f"the facts known in advance are {len(facts)} rows of {facts.shape[1]}, expected {rows} rows{expected}: "
            "give the same facts for every window"
        )
    return facts
