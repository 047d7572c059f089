"""The learning rate of each step.

A schedule is a pure function of the step's number, except ``plateau``, which has to remember the best validation loss.
The formulas are PyTorch's (``torch.optim.lr_scheduler``), and the tests hold them to it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, assert_never, get_args

from pellucid.errors import SettingError, nearest

__all__ = ["SCHEDULES", "Plateau", "Schedule"]

ScheduleName = Literal["constant", "step", "cosine", "flat_cosine", "one_cycle", "plateau"]
SCHEDULES: tuple[str, ...] = get_args(ScheduleName)


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How the learning rate changes.

    Parameters
    ----------
    name
        - ``constant``
        - ``step``: multiplied by ``gamma`` every ``every`` epochs
        - ``cosine``: half a cosine from the full rate to 0 over all epochs (Loshchilov & Hutter 2017, no restarts)
        - ``flat_cosine``: the full rate for half of all steps, then half a cosine down to 0, step by step
        - ``one_cycle``: in every step, up for the first 30 % of training, then down to almost 0 (Smith & Topin 2019)
        - ``plateau``: multiplied by ``gamma`` when more than ``every`` epochs brought no better validation loss

    >>> Schedule(name="step", gamma=0.1, every=10).rate(0.01, epoch=10, epochs=30)
    0.001
    """

    name: ScheduleName = "constant"
    gamma: float = 0.1
    every: int = 10

    def __post_init__(self) -> None:
        """Check the name and the constants."""
        if self.name not in SCHEDULES:
            raise SettingError(f"schedule {self.name!r} is not known{nearest(str(self.name), SCHEDULES)}")
        if not 0 < self.gamma < 1:
            raise SettingError(f"schedule_gamma must lie between 0 and 1, got {self.gamma!r}")
        if self.every < 1:
            raise SettingError(f"schedule_every must be at least 1 epoch, got {self.every!r}")

    def rate(
        self, peak: float, *, epoch: int, epochs: int, batch: int = 0, n_batches: int = 1, scale: float = 1.0
    ) -> float:
        """The learning rate of a step.

        Parameters
        ----------
        peak
            The learning rate that the user asked for.
        epoch, epochs, batch, n_batches
            The step: its epoch and batch, counted from 0, and how many there are of each.
        scale
            The factor that `Plateau` has reached.
        """
        match self.name:
            case "constant":
                return peak
            case "step":
                return peak * self.gamma ** (epoch // self.every)
            case "cosine":
                return peak * (1 + math.cos(math.pi * epoch / epochs)) / 2
            case "flat_cosine":
                share = (epoch * n_batches + batch) / (epochs * n_batches)
                return peak * (1 + math.cos(math.pi * max(0.0, 2 * share - 1))) / 2
            case "one_cycle":
                return _one_cycle(peak, epoch * n_batches + batch, epochs * n_batches)
            case "plateau":
                return peak * scale
            case _:
                assert_never(self.name)


def _one_cycle(peak: float, step: int, steps: int) -> float:
    """From peak/25 up to peak in 30 % of the steps, then down to peak/250,000, along cosines."""
    start, end = peak / 25, peak / 25 / 1e4
    turn, last = 0.3 * steps - 1, steps - 1
    if step <= turn:
        return _cosine(start, peak, step / turn if turn else 1.0)
    return _cosine(peak, end, min(1.0, (step - turn) / (last - turn)) if last > turn else 1.0)


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) / 2 * (1 + math.cos(math.pi * share))


@dataclass(frozen=True, kw_only=True)
class Plateau:
    """The state of ``plateau``; as torch's ``ReduceLROnPlateau`` with a relative threshold of 1e-4."""

    scale: float = 1.0
    best: float = math.inf
    bad_epochs: int = 0

    def after(self, loss: float, schedule: Schedule) -> Plateau:
        """The state after an epoch with this validation loss."""
        if loss < self.best * (1 - 1e-4):
            return replace(self, best=loss, bad_epochs=0)
        if self.bad_epochs + 1 > schedule.every:
            return replace(self, scale=self.scale * schedule.gamma, bad_epochs=0)
        return replace(self, bad_epochs=self.bad_epochs + 1)
