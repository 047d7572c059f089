"""Intervals for numbers by conformal prediction: how far rows held out lay from their prediction.

For n rows held out with the residuals Rᵢ = |yᵢ − μ(xᵢ)|, and the level 1 − α:

| what answers | interval for a new x |
|---|---|
| one network μ | μ(x) ± the ⌈(n + 1)(1 − α)⌉-th smallest Rᵢ |
| K networks μₖ, each without its fold | from the ⌊(n + 1)α⌋-th smallest μₖ₍ᵢ₎(x) − Rᵢ |
| | to the ⌈(n + 1)(1 − α)⌉-th smallest μₖ₍ᵢ₎(x) + Rᵢ |

If the new row and those held out come in random order, the first holds the truth with a probability of at least
1 − α, whatever the network and the data are (split conformal prediction: Vovk, Gammerman & Shafer 2005; Lei et al.
2018, theorem 2.2). The second is the CV+ of Barber, Candès, Ramdas & Tibshirani 2021 ("Predictive inference with the
jackknife+", eq. 11): 1 − α in practice, and never below 1 − 2α by more than a little (theorem 4). A rank stands for
the finite sample: with fewer than ⌈(1 − α)/α⌉ rows no finite interval holds the level.

Both hold in any unit that rises with the target's own, so residuals may be taken of a transformed target.

Legend: N new rows, K groups of rows held out, nₖ rows and mₖ kept scores of a group.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import SettingError

__all__ = ["MOST_SCORES", "Scores", "check_level", "intervals", "rows_needed"]

Array = NDArray[Any]

MOST_SCORES = 1_000  # kept of all groups together
_FEWEST_OF_A_GROUP = 20
_HALVINGS = 60  # of the range of all candidates: to the last bits of a float64


@dataclass(frozen=True, kw_only=True, eq=False)
class Scores:
    """The absolute residuals of one group of rows held out, summed up.

    Parameters
    ----------
    kept
        ``[m]`` ascending. A quarter of them are the largest of all n, for there the levels lie that are asked for; the
        others stand at even ranks. Rounded up to six digits.
    count
        n. A residual that was not kept counts as the next larger one that was, so that an interval may be a little
        longer than with all of them, and never shorter.
    """

    kept: Array
    count: int

    @classmethod
    def of(cls, residuals: Array, groups: int = 1) -> Scores:
        """Of residuals ``[n]`` of either sign, one of so many ``groups``.

        >>> scores = Scores.of(np.array([-3.0, 1.0, 2.0]))
        >>> scores.kept.tolist(), scores.count
        ([1.0, 2.0, 3.0], 3)
        """
        ordered = np.sort(np.abs(np.asarray(residuals, dtype=np.float64)))
        count = len(ordered)
        kept = min(count, max(_FEWEST_OF_A_GROUP, MOST_SCORES // groups))
        return cls(kept=_rounded_up(ordered[_places(count, kept) - 1]), count=count)

    def at_most(self, values: Array) -> Array:
        """How many residuals are at most each of ``values``, every one counted as the kept one that it stands as."""
        up_to = np.concatenate([[0], _places(self.count, len(self.kept))])
        found: Array = up_to[np.searchsorted(self.kept, values, side="right")]
        return found


def check_level(level: object) -> float:
    """The level as a number.

    Raises
    ------
    SettingError
        It does not lie between 0 and 1.

    >>> check_level(0.9)
    0.9
    """
    if isinstance(level, bool) or not isinstance(level, int | float | np.number) or not 0 < float(level) < 1:
        raise SettingError(f"interval must be a share between 0 and 1, such as 0.9, got {level!r}")
    return float(level)


def rows_needed(level: float) -> int:
    """The fewest rows held out with which an interval of this level is finite.

    >>> rows_needed(0.9), rows_needed(0.95)
    (9, 19)
    """
    return math.ceil(level / (1 - level) - 1e-9)


def intervals(centres: Array, scores: Sequence[Scores], level: float) -> tuple[Array, Array]:
    """The lower and the upper ends ``[N]`` of intervals for new rows.

    Parameters
    ----------
    centres
        ``[K, N]``: what each network answers, or for K = 1 what all of them answer together.
    scores
        The K groups of rows held out, in the order of ``centres``.
    level
        1 − α.

    Raises
    ------
    SettingError
        The level is no share, or there are too few rows held out for it.

    >>> low, high = intervals(np.array([[10.0]]), [Scores.of(np.arange(1.0, 10.0))], 0.9)
    >>> low.tolist(), high.tolist()
    ([1.0], [19.0])
    """
    level = check_level(level)
    count = sum(each.count for each in scores)
    place = math.ceil((count + 1) * level - 1e-9)
    if place > count:
        raise SettingError(
            f"interval {level:g} needs at least {rows_needed(level):,} rows held out, and this model had {count:,}: "
            "ask for a smaller share, or train with more rows held out (--validation)"
        )
    if len(scores) == 1:
        only = scores[0]
        half = only.kept[np.searchsorted(_places(only.count, len(only.kept)), place)]
        return centres[0] - half, centres[0] + half
    return -_upper(-centres, scores, place), _upper(centres, scores, place)


def _upper(centres: Array, scores: Sequence[Scores], place: int) -> Array:
    """The ``place``-th smallest of all μₖ(x) + Rᵢ, for each row ``[N]``: halved in on, from above."""
    low = centres.min(axis=0) + min(each.kept[0] for each in scores)
    high = centres.max(axis=0) + max(each.kept[-1] for each in scores)
    for _ in range(_HALVINGS):
        middle = low + (high - low) / 2
        below = sum(each.at_most(middle - centre) for each, centre in zip(scores, centres, strict=True))
        enough = below >= place
        high, low = np.where(enough, middle, high), np.where(enough, low, middle)
    result: Array = high
    return result


def _places(count: int, kept: int) -> Array:
    """The ranks, from 1, of those that are kept of so many: even ones, then the last ones.

    >>> _places(100, 8).tolist()
    [17, 33, 49, 66, 82, 98, 99, 100]
    """
    last = kept // 4 if kept < count else 0
    even = kept - last
    return np.concatenate([-(-(count - last) * np.arange(1, even + 1) // even), np.arange(count - last + 1, count + 1)])


def _rounded_up(values: Array) -> Array:
    """To six significant digits, so that the model file stays small.

    >>> _rounded_up(np.array([0.0, 0.12345611, 3.0])).tolist()
    [0.0, 0.123457, 3.0]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = 10.0 ** (np.floor(np.log10(values)) - 5)
        up = [float(f"{x:.6g}") for x in np.ceil(values / unit - 1e-9) * unit]
    return np.where(values > 0, np.maximum(values, up), values)
