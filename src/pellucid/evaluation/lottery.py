"""How much of a metric is luck: its distribution over first weights, and over splits.

A run fails if its training diverged, if its metric is not defined, or if the metric is not better than the dummy's on
the same rows: the classes' shares, or the mean, outside the test part. The spread of a set of runs is half of what 95 %
of further runs span, and how far two runs differ by luck alone is what the difference of 95 of 100 further pairs stays
below: a smaller difference between two settings, each trained once, says nothing (see Bouthillier et al. 2021,
"Accounting for variance in machine learning benchmarks").

From 39 runs on both are counted among the runs themselves. Fewer runs hardly ever show how far one in forty lies out:
the middle 95 % of five hold a sixth in 64 of 100 trials, and 95 % of their pairs a further pair in 83. There both are
Student's, as of normal runs (Hahn & Meeker 1991, chapter 4), and no quantile is given beyond the runs there are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.evaluation.bootstrap import Estimate

__all__ = ["Draw", "Draws", "sentence_on_luck", "wilson"]

FloatArray = NDArray[np.float64]

QUANTILES = (0.0, 0.025, 0.25, 0.5, 0.75, 0.975, 1.0)
_Z2 = 1.959963984540054**2
_EQUAL = 1e-12  # of two metrics: nothing but rounding
_ENOUGH = 39  # runs: the least and the largest are then the ends of the middle 95 %


@dataclass(frozen=True, kw_only=True)
class Draw:
    """One run.

    Parameters
    ----------
    seed
        Of the first weights, batches and dropout, or of the split.
    value
        The metric on the test rows; NaN where training diverged, or the metric is not defined.
    dummy
        The dummy's on the same rows.
    epochs, best_epoch
        Of training; 0 where the first epoch diverged.
    problem
        What the divergence was.
    """

    seed: int
    value: float
    dummy: float
    epochs: int
    best_epoch: int
    problem: str | None = None


@dataclass(frozen=True, kw_only=True)
class Draws:
    """Runs that differ in one thing only.

    >>> runs = [Draw(seed=k, value=0.7 + k / 100, dummy=0.705, epochs=9, best_epoch=5) for k in range(5)]
    >>> draws = Draws(runs=tuple(runs), higher_is_better=True)
    >>> draws.n_failed, round(draws.median, 3), round(draws.spread, 4)
    (1, 0.72, 0.0481)
    """

    runs: tuple[Draw, ...]
    higher_is_better: bool

    def __len__(self) -> int:
        """How many runs there are."""
        return len(self.runs)

    @property
    def values(self) -> FloatArray:
        """``[S]`` the metric of every run, NaN where there is none."""
        return np.array([run.value for run in self.runs], np.float64)

    @property
    def defined(self) -> FloatArray:
        """The metric of the runs that have one, those among them that are no better than the dummy too."""
        values = self.values
        return values[np.isfinite(values)]

    @property
    def failed(self) -> NDArray[np.bool_]:
        """``[S]`` whether a run diverged, has no metric, or is not better than the dummy."""
        return np.array([not self._is_better(run) for run in self.runs])

    def _is_better(self, run: Draw) -> bool:
        if run.problem is not None or not math.isfinite(run.value):
            return False
        gain = run.value - run.dummy if self.higher_is_better else run.dummy - run.value
        return gain > _EQUAL * max(1.0, abs(run.dummy))

    @property
    def n_failed(self) -> int:
        """How many runs failed."""
        return int(self.failed.sum())

    @property
    def share_failed(self) -> Estimate:
        """The share of failures, with Wilson's 95 % interval."""
        return wilson(self.n_failed, len(self))

    @property
    def mean(self) -> float:
        """Of the runs that have a metric."""
        return float(self.defined.mean()) if self.defined.size else math.nan

    @property
    def median(self) -> float:
        """Of the runs that have a metric."""
        return self.quantile(0.5)

    @property
    def deviation(self) -> float:
        """The standard deviation; NaN for fewer than two runs."""
        return float(self.defined.std(ddof=1)) if self.defined.size > 1 else math.nan

    def quantile(self, share: float) -> float:
        """The value that so large a share of further runs lies below; NaN where it would lie beyond the runs there are.

        The k-th of n runs in order is the k/(n + 1) quantile (Weibull 1939): on average so many further runs are below.
        """
        n = self.defined.size
        if not n or not (share in (0, 1) or 1 <= round(share * (n + 1), 9) <= n):
            return math.nan
        return float(np.quantile(self.defined, share, method="weibull"))

    @property
    def span(self) -> tuple[float, float]:
        """The middle 95 % of the runs; of fewer than 39 all of them."""
        ends = (0.025, 0.975) if self.defined.size >= _ENOUGH else (0.0, 1.0)
        return self.quantile(ends[0]), self.quantile(ends[1])

    @property
    def all_equal(self) -> bool:
        """Whether several runs came to the same metric, which says nothing of how far the next would lie."""
        values = self.defined
        return bool(values.size > 1 and np.ptp(values) <= _EQUAL * np.abs(values).max())

    @property
    def spread(self) -> float:
        """Half of what 95 % of further runs span, the ± of a single run; NaN for one run, or where all are equal."""
        low, high = self.span
        if self.defined.size >= _ENOUGH and high > low and not self.all_equal:
            return (high - low) / 2
        return self._student(1 + 1 / max(1, self.defined.size))

    @property
    def by_luck(self) -> float:
        """By how much two runs differ at most in 95 of 100 pairs; NaN for one run, or where all are equal."""
        values = np.sort(self.defined)
        if values.size < 2 or self.all_equal:
            return math.nan
        above, below = np.triu_indices(values.size, 1)
        seen = float(np.quantile(values[below] - values[above], 0.95))
        return seen if values.size >= _ENOUGH and seen > 0 else max(seen, self._student(2.0))

    def _student(self, variances: float) -> float:
        """Half of the 95 % interval of something whose variance is so many times that of a run."""
        if self.defined.size < 2 or self.all_equal:
            return math.nan
        from scipy.special import stdtrit  # type: ignore[import-untyped]  # scikit-learn brings scipy

        return float(stdtrit(self.defined.size - 1, 0.975)) * self.deviation * math.sqrt(variances)

    def to_json(self) -> dict[str, Any]:
        """Everything as plain JSON values; what is not defined is ``None``."""
        share = self.share_failed
        return {
            "runs": len(self),
            "failed": self.n_failed,
            "share_failed": share.to_json(),
            "mean": _finite_or_none(self.mean),
            "standard_deviation": _finite_or_none(self.deviation),
            "quantiles": {f"{share:g}": _finite_or_none(self.quantile(share)) for share in QUANTILES},
            "spread": _finite_or_none(self.spread),
            "by_luck": _finite_or_none(self.by_luck),
            "values": [_finite_or_none(value) for value in self.values.tolist()],
        }


def wilson(hits: int, n: int) -> Estimate:
    """The share ``hits / n`` with Wilson's interval (1927), which holds near 0 and 1 as well.

    >>> round(wilson(0, 50).high, 3)
    0.071
    """
    p = hits / n
    centre = (p + _Z2 / (2 * n)) / (1 + _Z2 / n)
    reach = math.sqrt(_Z2 * (p * (1 - p) / n + _Z2 / (4 * n * n))) / (1 + _Z2 / n)
    low = 0.0 if not hits else max(0.0, centre - reach)
    return Estimate(value=p, low=low, high=1.0 if hits == n else min(1.0, centre + reach))


def sentence_on_luck(metric: str, seeds: Draws, splits: Draws | None) -> str:
    """What the spread means for who compares two settings; ``metric`` is its name in a sentence.

    >>> runs = [Draw(seed=k, value=0.9 + k / 100, dummy=0.5, epochs=9, best_epoch=5) for k in range(5)]
    >>> said = sentence_on_luck("accuracy", Draws(runs=tuple(runs), higher_is_better=True), None)
    >>> said[:72]
    'The seed changes accuracy by ±0.048. Of two runs of one setting, one is '
    """
    drawn = {"seed": seeds} | ({} if splits is None else {"split": splits})
    equal = [
        f"All {draws.defined.size:,} runs with another {name} have the same {metric}. That does not tell its spread: "
        f"up to {wilson(0, draws.defined.size).high:.0%} of further runs may differ (95 %)."
        for name, draws in drawn.items()
        if draws.all_equal
    ]
    known = {name: draws for name, draws in drawn.items() if math.isfinite(draws.spread)}
    if not known:
        few = f"Fewer than two runs came to {metric} at all, so nothing can be said of its spread."
        return " ".join(equal) or few
    changes = ", ".join(f"the {name} changes {metric} by ±{_shown(draws.spread)}" for name, draws in known.items())
    changes = changes.replace(f", the split changes {metric} by", ", the split by")
    apart = ", and ".join(f"{_shown(draws.by_luck)} better by its {name} alone" for name, draws in known.items())
    apart = apart.replace("better by its split alone", "by its split")
    said = (
        f"{changes[0].upper()}{changes[1:]}. Of two runs of one setting, one is up to {apart} (95 of 100 pairs): a "
        "smaller difference between two settings, each trained once, says nothing."
    )
    return " ".join([said, *equal])


def _shown(value: float) -> str:
    digits = 3 if value == 0 or abs(value) >= 100 else max(3, 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{digits}f}" if abs(value) < 100 else f"{value:,.1f}"


def _finite_or_none(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
