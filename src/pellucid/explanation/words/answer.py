"""From the network's outputs to the answer that a user reads, as arithmetic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.activations import sigmoid, softmax
from pellucid.explanation.words.values import Equation, Note, Part, Parts, Sum, n
from pellucid.network.task import Label, Task
from pellucid.preprocessing.target import TargetScaler

__all__ = ["Outcome", "answer_of", "probabilities", "sum_of_exponentials"]

Array = NDArray[Any]

_LARGEST_POWER = 700.0  # e to a larger power overflows


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """The outputs of a traced row, and the target they are compared with.

    Attributes
    ----------
    task, scaler
        The task, and how a regression's target was standardised.
    names
        Of the outputs, ``[C]``.
    logits
        ``[C]``.
    truth
        The row's own class or number; ``None`` if it is not known, and for a reconstruction.
    targets
        The targets of the outputs: numbers ``[C]`` in the unit of the loss; ``None`` for classes and if not known.
    loss, d_logits
        The loss of the row, and ∂L/∂z ``[C]``; ``None`` if the target is not known.
    """

    task: Task
    scaler: TargetScaler | None
    names: Sequence[str]
    logits: Array
    truth: Label | None = None
    targets: Array | None = None
    loss: float | None = None
    d_logits: Array | None = None


def probabilities(outcome: Outcome) -> Array:
    """The probability of each class, in the order of the task's classes."""
    if outcome.task.kind == "binary":
        p = float(sigmoid(outcome.logits)[0])
        return np.array([float(sigmoid(-outcome.logits)[0]), p])
    return softmax(outcome.logits)


def sum_of_exponentials(outcome: Outcome) -> Sum:
    """S = Σ e^(z − m) over the classes, where m is the largest z: it cancels in p, and keeps e within range."""
    z = outcome.logits
    largest = np.full_like(z, z.max())
    values = np.exp(z - largest)
    return Sum(
        symbol="S",
        formula="Σ e^(z − m)",
        origin="of",
        calculation="e^({z} − {m})",
        names=[str(label) for label in outcome.task.classes],
        factors=(z, largest),
        values=values,
        side="outputs",
        result=float(values.sum()),
        of_layer=True,
    )


def answer_of(outcome: Outcome, k: int) -> Parts:
    """How output ``k`` becomes the answer that the user reads: a probability, or a number in the target's unit."""
    task, z = outcome.task, float(outcome.logits[k])
    if task.kind == "multiclass":
        total = sum_of_exponentials(outcome)
        values = {"z": z, "m": float(outcome.logits.max()), "S": total.result}
        p = float(probabilities(outcome)[k])
        largest = Note(text="m is the largest z: it cancels out, and keeps e^(z − m) within range.")
        return [largest, total, Equation(symbol="p", calculation="e^({z} − {m}) / {S}", values=values, result=p)]
    if task.kind == "binary":
        p = float(probabilities(outcome)[1])
        symbol = f"p of {task.classes[1]}"
        return [Equation(symbol=symbol, calculation="1 / (1 + e^{−z})", values={"−z": -z}, result=p)]
    if outcome.scaler is None:
        return [Note(text="The output is the answer itself, in the scale of the features.")]
    return _in_the_targets_unit(outcome.scaler, task.target, z)


def _in_the_targets_unit(scaler: TargetScaler, target: str, z: float) -> Parts:
    """z · standard deviation + mean; for a logarithm, e to that power."""
    free = z * scaler.scale + scaler.mean
    values = {"z": z, "standard deviation": scaler.scale, "mean": scaler.mean}
    calculation = "{z} · {standard deviation} + {mean}"
    made: list[Part] = []
    if scaler.offset is None:
        made.append(Equation(symbol=target, calculation=calculation, values=values, result=free))
    else:
        symbol = f"ln({target} + {n(scaler.offset)})" if scaler.offset else f"ln {target}"
        made.append(Equation(symbol=symbol, calculation=calculation, values=values, result=free))
        power = free
        free = math.exp(min(free, _LARGEST_POWER)) - scaler.offset
        calculation = f"e^{{{symbol}}}" + (" − {offset}" if scaler.offset else "")
        values = {symbol: power, "offset": scaler.offset} if scaler.offset else {symbol: power}
        made.append(Equation(symbol=target, calculation=calculation, values=values, result=free))
    answer = float(scaler.inverse(np.array([z]))[0])
    if scaler.floor is not None and free < scaler.floor:
        made.append(Note(text=f"No training row was below {n(scaler.floor)}, so the answer is {n(answer)}."))
    elif scaler.ceiling is not None and free > scaler.ceiling:
        held = f"e times the largest target of the training rows, so the answer is {n(answer)}."
        made.append(Note(text=f"No answer exceeds {n(scaler.ceiling)}, {held}"))
    return made
