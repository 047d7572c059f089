"""Which rows each network of an estimator learns from, and which choose its best epoch.

| `early_stopping` | networks | learns from | best epoch by |
|---|---|---|---|
| False | any | all rows | the training loss |
| True, or ``auto`` from 20 rows on | one, or ``ensemble="seeds"`` | the other rows | `validation_fraction` of all |
| the same | several, ``ensemble="folds"`` | all rows but the k-th fold | the k-th fold |

Rows given as ``X_val`` choose the best epoch of every network; all other rows are then learned from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.estimators import settings
from pellucid.estimators.inputs import deal_folds, hold_out

__all__ = ["Division", "divide"]

Array = NDArray[Any]

_FEWEST = 20  # rows, from which ``auto`` holds some out
_FEWEST_A_FOLD = 5


@dataclass(frozen=True, kw_only=True)
class Division:
    """Numbers of rows: those to learn from and those held out, or the folds of which each network holds out one."""

    learns: Array | None = None
    held: Array | None = None
    folds: tuple[Array, ...] = ()

    def members(self, count: int) -> list[Array] | None:
        """What each network learns from, out of so many rows; ``None``: all of them the same."""
        return [np.setdiff1d(np.arange(count), fold) for fold in self.folds] or None


def divide(estimator: Any, count: int, codes: Array | None, seed: int) -> Division:
    """Divide the rows among the networks.

    Parameters
    ----------
    estimator
        The estimator, for its settings.
    count
        The number of rows.
    codes
        ``[N]`` class numbers, so that each class gives its share; None without classes.
    seed
        Decides which rows are held out.

    Raises
    ------
    SettingError
        A parameter is invalid, or leaves no row on one side.
    """
    from pellucid.settings.rules import Choice, flag

    auto = isinstance(estimator.early_stopping, str) and estimator.early_stopping == "auto"
    holds_out = count >= _FEWEST if auto else flag("early_stopping", settings.plain(estimator.early_stopping))
    if not holds_out:
        return Division()
    networks = settings.count_of_networks(estimator)
    by = Choice(("auto", "seeds", "folds"))("ensemble", settings.chosen(estimator, "ensemble"))
    if by != "seeds" and networks > 1 and count >= _FEWEST_A_FOLD * networks:
        return Division(folds=tuple(deal_folds(count, networks, codes, seed)))
    learns, held = hold_out(count, settings.chosen(estimator, "validation_fraction"), codes, seed)
    return Division(learns=learns, held=held)
