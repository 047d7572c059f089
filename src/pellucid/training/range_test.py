"""The learning-rate range test: one short training in which the rate grows, and how its curve is read.

Smith 2017, "Cyclical Learning Rates for Training Neural Networks", section 3.3. The rate grows by the same factor from
each mini-batch to the next; if the rate is far too small, nothing is learned; if it is far too large, the loss
explodes; in between, the loss falls. ``S`` steps.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pellucid.errors import SettingError
from pellucid.training.batches import drawn_masks, n_batches
from pellucid.training.engine import Engine
from pellucid.training.loop import Rows, check_batches, rows_a_batch
from pellucid.training.sources import source_of

__all__ = ["RangeTest", "choose", "n_steps", "range_test", "smooth"]

FloatArray = NDArray[np.float64]
LOWEST, HIGHEST = 1e-7, 10.0
BLOWN_UP = 4.0  # times the lowest smoothed loss so far: the test ends there
_FEWEST, _MOST = 300, 1500  # steps: enough for the curve to be smooth, few enough to take seconds
_MEMORY = 0.03  # of all steps: the memory of the mean that ends the test
_WIDTH = 0.25  # decades of the learning rate: standard deviation of the weights of the smoothed curve
_FELL = 0.005  # of the first loss: a smaller fall does not count
_LEFT = 0.02  # of the whole fall: when no more is left, the curve is at its bottom
_NOISE = 4.0  # standard errors of the smoothed loss: a smaller fall may be chance


@dataclass(frozen=True, kw_only=True, eq=False)
class RangeTest:
    """The curve, and the rates derived from it.

    Attributes
    ----------
    rates, losses, smoothed
        For each step ``[S]``: the learning rate, the loss of its mini-batch before the update, and its `smooth` mean.
    learning_rate
        The rate to train with; see `choose`.
    steepest
        The rate at which the smoothed loss falls fastest.
    bottom
        The rate at which the smoothed loss has completed 98 % of its fall.
    blew_up
        The rate at which the mean loss had grown to four times its minimum, or a loss was not finite; `None` if neither
        happened.
    """

    rates: FloatArray
    losses: FloatArray
    smoothed: FloatArray
    learning_rate: float
    steepest: float
    bottom: float
    blew_up: float | None

    def to_json(self) -> dict[str, Any]:
        """The rates found, as plain values."""
        return {
            "learning_rate": self.learning_rate,
            "steepest": self.steepest,
            "bottom": self.bottom,
            "blew_up": self.blew_up,
            "steps": len(self.rates),
            "first_loss": float(self.smoothed[0]),
            "lowest_loss": float(self.smoothed.min()),
        }


def range_test(
    engine: Engine,
    rows: Rows,
    *,
    batch_size: int,
    seed: int = 0,
    lowest: float = LOWEST,
    highest: float = HIGHEST,
    steps: int | None = None,
) -> RangeTest:
    """Let the learning rate grow from ``lowest`` to ``highest`` and record the loss; the engine's weights are changed.

    Parameters
    ----------
    engine
        Holds the initial weights and the update rule.
    rows
        Training rows ``[N]``.
    batch_size
        Rows per step, the same as in training: the best rate depends on it.
    seed
        Of the batches and of dropout, as in training.
    steps
        The number of steps; by default one epoch, but at least 300 and at most 1,500.

    Raises
    ------
    SettingError
        The rates are not a range above 0, there are fewer than 20 ``steps``, or the loss fell at no rate.

    >>> from pellucid.network.initialise import initialise
    >>> from pellucid.network import mlp
    >>> from pellucid.network.optimizer import Optimizer
    >>> from pellucid.network.task import Loss
    >>> from pellucid.training.engine import make_engine
    >>> x = np.random.default_rng(0).normal(size=(200, 3))
    >>> net = mlp(3, [8], 1)
    >>> engine = make_engine("textbook", net, Loss(name="mse"), Optimizer(), initialise(net, 0))
    >>> found = range_test(engine, Rows(inputs=x, targets=x[:, :1] - x[:, 1:2]), batch_size=20)
    >>> 1e-4 < found.learning_rate < 1
    True
    """
    if not 0 < lowest < highest < math.inf:
        raise SettingError(f"the rates must grow from above 0 to a finite one, got {lowest:g} to {highest:g}")
    check_batches(engine.network, len(rows), batch_size)
    total = n_steps(len(rows), batch_size) if steps is None else steps
    if total < 20:
        raise SettingError(f"a range test needs at least 20 steps to have a curve, got {total}")
    rates = np.geomspace(lowest, highest, total)
    losses, blew_up = _sweep(engine, rows, rates, batch_size, seed)
    return choose(rates[: len(losses)], losses, blew_up=blew_up)


def n_steps(n_rows: int, batch_size: int) -> int:
    """The steps of a test: one epoch, but at least 300 and at most 1,500.

    >>> n_steps(150, 16), n_steps(30_000, 64), n_steps(1_000_000, 64)
    (300, 469, 1500)
    """
    return min(_MOST, max(_FEWEST, n_batches(n_rows, batch_size)))


def _sweep(
    engine: Engine, rows: Rows, rates: FloatArray, batch_size: int, seed: int
) -> tuple[FloatArray, float | None]:
    """The losses ``[S]`` up to where they explode, and the rate at which they did.

    The test ends where the exponential mean of the losses, without the bias of its start (Kingma & Ba 2015, section 3),
    is four times the lowest so far, and above the first loss: near 0, four times the minimum is easily reached by
    chance.
    """
    source = source_of(rows, engine.network)
    source.load(engine)
    at_least = rows_a_batch(engine.network)
    beta = 1 - 1 / max(1.0, _MEMORY * len(rates))
    total, weight, best, first = 0.0, 0.0, math.inf, math.nan
    losses: list[float] = []
    wanted = engine.network.masks()
    for epoch in itertools.count():
        for batch, chosen in enumerate(source.batches(batch_size, seed, epoch, at_least=at_least)):
            if len(losses) == len(rates):
                return np.array(losses), None
            rate = float(rates[len(losses)])
            masks = drawn_masks(wanted, len(chosen), seed, epoch, batch)
            loss = engine.step(source.ready(engine, chosen), masks, rate)
            if not math.isfinite(loss):
                return np.array(losses), rate
            losses.append(loss)
            total, weight = beta * total + (1 - beta) * loss, beta * weight + (1 - beta)
            mean = total / weight
            first = mean if len(losses) <= _FEWEST // 10 else first
            best = min(best, mean)
            if mean > max(BLOWN_UP * best, first):
                return np.array(losses), rate
    raise AssertionError("unreachable")


def choose(rates: ArrayLike, losses: ArrayLike, *, blew_up: float | None = None) -> RangeTest:
    """Read the curve: losses ``[S]`` at growing rates ``[S]``.

    The rate to train with is half the rate at the bottom, where the smoothed loss has completed 98 % of its fall, and
    at most a tenth of the rate at which it exploded. The rate of the fastest fall is too small: weights move fast at
    first, and a whole training at that rate is slow. The rate of the lowest loss is known only roughly, because the
    curve is flat there, and slightly larger rates do harm. The factor one half was measured on five tables, with Adam
    and with gradient descent: a tenth of the chosen rate was never better and took twice as many epochs; ten times the
    rate was sometimes a little better, sometimes far worse.

    Raises
    ------
    SettingError
        There are too few losses, or they fell at no rate by more than chance.

    >>> rates = np.geomspace(1e-7, 10, 300)
    >>> x = np.log10(rates)
    >>> found = choose(rates, 1 / (1 + np.exp(3 * (x + 3))) + 10 ** (x - 0.5))
    >>> f"{found.steepest:.1e}", f"{found.bottom:.1e}", found.learning_rate
    ('9.7e-04', '1.5e-02', 0.0073)
    """
    rate, loss = np.asarray(rates, dtype=np.float64), np.asarray(losses, dtype=np.float64)
    if len(loss) < 3:
        raise SettingError(
            f"the loss was not finite after {len(loss)} steps at rates near {LOWEST:g}: the inputs or the target "
            "are far too large, or the initial weights are (see init_scale)"
        )
    smoothed = smooth(rate, loss)
    at = int(smoothed.argmin())
    first = float(loss[: max(2, len(loss) // 5)].mean())  # at rates that teach nothing
    fall = first - float(smoothed[at])
    if fall <= max(_FELL * abs(first), _NOISE * _standard_error(rate, loss)):
        raise SettingError(
            f"the loss fell at no learning rate from {rate[0]:.0e} to {rate[-1]:.0e} by more than chance "
            f"({first:.4g} at first, {smoothed[at]:.4g} at best): nothing can be chosen; keep the default, or "
            "look whether the columns say anything about the target"
        )
    slope = np.gradient(smoothed, np.log10(rate))
    steepest = float(rate[slope[: at + 1].argmin()])
    bottom = float(rate[int((smoothed <= smoothed[at] + _LEFT * fall).argmax())])
    chosen = bottom / 2 if blew_up is None else min(bottom / 2, blew_up / 10)
    return RangeTest(
        rates=rate,
        losses=loss,
        smoothed=smoothed,
        learning_rate=float(f"{chosen:.1e}"),  # two digits: more would not be meaningful
        steepest=steepest,
        bottom=bottom,
        blew_up=blew_up,
    )


def smooth(rates: ArrayLike, losses: ArrayLike) -> FloatArray:
    """The mean of the losses ``[S]`` around each rate, weighted by a Gaussian of a quarter of a decade.

    It averages over both sides. An exponential mean only looks back, and would shift every feature of the curve to
    larger rates by the length of its memory. Exploded losses count as four times the first.

    >>> smooth([0.1, 1.0, 10.0], [1.0, 1.0, 1.0]).tolist()
    [1.0, 1.0, 1.0]
    """
    x, loss = np.log10(np.asarray(rates, dtype=np.float64)), np.asarray(losses, dtype=np.float64)
    limited = np.minimum(loss, BLOWN_UP * abs(float(loss[: max(1, len(loss) // 10)].mean())))
    weights = np.exp(-(((x[:, None] - x[None, :]) / _WIDTH) ** 2) / 2)  # [S, S]
    mean: FloatArray = weights @ limited / weights.sum(axis=1)
    return mean


def _standard_error(rate: FloatArray, loss: FloatArray) -> float:
    """Of the smoothed loss, by the spread of the first losses, at rates that teach nothing."""
    x = np.log10(rate)
    early = loss[: max(2, len(loss) // 5)]
    a_decade = (len(x) - 1) / max(float(x[-1] - x[0]), 1e-9)
    n = max(1.0, 2 * math.sqrt(math.pi) * _WIDTH * a_decade)  # losses that a Gaussian mean effectively averages
    return float(early.std(ddof=1)) / math.sqrt(n)
