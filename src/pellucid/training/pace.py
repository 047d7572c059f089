"""Judge a series of losses: does training learn, crawl, oscillate, diverge or stand still?

A pure function of the losses, usable wherever they are recorded: a study, a report, a history file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import SettingError

__all__ = ["Pace", "Verdict", "judge_pace"]

Array = NDArray[np.float64]
Pace = Literal["learns", "crawls", "oscillates", "diverges", "stands still"]

LITTLE = 0.1  # a loss that fell by less than this share of its first value has hardly changed
MUCH = 0.9  # after a fall this large, the remaining loss may oscillate without harm
OFTEN = 0.25  # the smallest share of upward steps, and of downward steps, that counts as oscillating
HIGH = 0.1  # the smallest median rise in the second half, as a share of the loss before it


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a series of losses shows.

    Attributes
    ----------
    kind
        ``learns``, ``crawls``, ``oscillates``, ``diverges`` or ``stands still``.
    evidence
        One sentence with the numbers that led to it.
    remedy
        What to do about it; empty if it learns.
    fall
        The fall from the first loss to the end (the mean of the last tenth), as a share of the first; below 0 if it
        rose.
    rises
        The share of steps on which the loss rose.
    needed
        The total epochs (or steps) needed to halve the first loss at the pace of the second half; only if it crawls.
    """

    kind: Pace
    evidence: str
    remedy: str
    fall: float
    rises: float
    needed: int | None = None


def judge_pace(losses: Sequence[float], *, learning_rate: float | None = None, unit: str = "epoch") -> Verdict:
    """Say how training is going, from its losses alone.

    Parameters
    ----------
    losses
        At least 4, in order: one per epoch or per step.
    learning_rate
        If given, the remedy names a number.
    unit
        What one loss belongs to, in the singular.

    Raises
    ------
    SettingError
        Fewer than 4 losses.

    >>> judge_pace([0.9, 0.7, 0.5, 0.3]).kind
    'learns'
    >>> verdict = judge_pace([0.8, 0.799, 0.798, 0.797], learning_rate=0.001)
    >>> verdict.kind, verdict.remedy
    ('crawls', 'a learning rate ten times as large (0.01), or more epochs')
    """
    values = np.asarray(losses, np.float64)
    if values.ndim != 1 or len(values) < 4:
        raise SettingError(f"judge_pace needs at least 4 losses in a row, got shape {list(values.shape)}")
    finite = np.isfinite(values)
    rises = float((values[1:] > values[:-1]).mean())
    slower = "a smaller learning rate, by factors of ten until the loss falls"
    slower += f" (first {learning_rate / 10:g})" if learning_rate else ""
    faster = "a learning rate ten times as large" + (f" ({learning_rate * 10:g})" if learning_rate else "")
    if not finite.all():
        place = int(np.argmin(finite))
        evidence = f"the loss of {unit} {place + 1} is {values[place]}"
        return Verdict(kind="diverges", evidence=evidence, remedy=slower, fall=math.nan, rises=rises)
    if (values == values[0]).all():
        return Verdict(
            kind="stands still",
            evidence=f"the loss is {values[0]:.8g} in all {len(values):,} {unit}s, the same to the last digit",
            remedy="check that the weights are updated: a step after each backward pass, a learning rate above 0",
            fall=0.0,
            rises=0.0,
        )
    return _judge_moving(values, rises, slower, faster, unit)


def _judge_moving(values: Array, rises: float, slower: str, faster: str, unit: str) -> Verdict:
    tenth = max(1, len(values) // 10)
    second = values[len(values) // 2 :]
    first, end = float(values[0]), float(values[-tenth:].mean())
    scale = abs(first) or float(np.abs(values).max())
    fall = (first - end) / scale
    height = _height(second)
    # When losses oscillate, a single one is chance; the mean is judged, so the mean is reported.
    last = f"{end:.4g}" if tenth == 1 else f"{end:.4g} (the mean of the last {tenth:,})"
    went = f"from {first:.4g} to {last} in {len(values):,} {unit}s"

    grows = fall < -99 or (fall < -LITTLE and float(second.mean()) > 2 * float(values[: len(values) // 2].mean()))
    if OFTEN <= rises <= 1 - OFTEN and height >= HIGH and fall < MUCH and not grows:
        evidence = f"the loss went up on {100 * rises:.0f} % of the {unit}s, {went}"
        if math.isfinite(height):
            evidence += f"; in the second half by {100 * height:.0f} % of itself each time (the median)"
        return Verdict(kind="oscillates", evidence=evidence, remedy=slower, fall=fall, rises=rises)
    # The first loss alone may be a little high or low; in a few losses, noise and a fall cannot be distinguished.
    clear = abs(first - end) > 3 * _trend(values)[2] or len(values) < 20
    if fall < -LITTLE and clear:
        evidence = f"the loss rose {went}"
        return Verdict(kind="diverges", evidence=evidence, remedy=slower, fall=fall, rises=rises)
    if fall >= LITTLE and clear:
        evidence = f"the loss fell by {100 * fall:.0f} %, {went}"
        return Verdict(kind="learns", evidence=evidence, remedy="", fall=fall, rises=rises)
    return _judge_slow(values, fall, rises, scale, went, faster, unit)


def _judge_slow(values: Array, fall: float, rises: float, scale: float, went: str, faster: str, unit: str) -> Verdict:
    """Judge a loss that has hardly changed: is it still falling?"""
    half = len(values) // 2
    now, drop, noise, unsure = _trend(values)
    pace = drop / (len(values) - half - 1)
    before = (float(values[0]) - now - drop) / half
    evidence = f"the loss fell by only {100 * fall:.2g} %, {went}" if fall > 0 else f"the loss went {went}"
    seen = drop > max(2 * noise, 4 * unsure)
    if seen and pace >= before / 4:
        needed = len(values) + math.ceil((now - scale / 2) / pace)
        return Verdict(
            kind="crawls",
            evidence=f"{evidence}; at this pace it would need about {needed:,} {unit}s to halve",
            remedy=f"{faster}, or more {unit}s",
            fall=fall,
            rises=rises,
            needed=needed,
        )
    if -drop > max(2 * noise, 4 * unsure):
        evidence += ", and in the second half it rises"
    elif not seen and noise > 0 and OFTEN <= rises <= 1 - OFTEN:
        evidence += f"; it wavers by about {noise:.2g} from one {unit} to the next, which would hide a slow fall"
    else:
        evidence += ", and hardly at all in the second half"
    return Verdict(
        kind="stands still",
        evidence=evidence,
        remedy="a nonlinear network (a hidden layer with an activation), other columns, or another learning rate",
        fall=fall,
        rises=rises,
    )


def _height(values: Array) -> float:
    """The median rise, each as a share of the loss before it; infinite if all start from 0."""
    up = np.diff(values) > 0
    start, rise = np.abs(values[:-1][up]), np.diff(values)[up]
    if not len(rise):
        return 0.0
    return float(np.median(rise[start > 0] / start[start > 0])) if (start > 0).any() else math.inf


def _trend(values: Array) -> tuple[float, float, float, float]:
    """The straight line through the second half: its end, its fall, the noise of one loss, the deviation of the fall.

    The noise is measured from step to step, so that a smooth curve does not count as noise.
    """
    second = values[len(values) // 2 :]
    time = np.arange(len(second)) - (len(second) - 1) / 2  # from the middle
    slope = float(time @ second / (time @ time))
    steps = np.diff(second if len(second) >= 8 else values)
    noise = float(steps.std(ddof=1)) / math.sqrt(2)
    length = len(second) - 1
    end = float(second.mean()) + slope * length / 2
    return end, -slope * length, noise, noise / math.sqrt(float(time @ time)) * length
