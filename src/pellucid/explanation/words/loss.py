"""The loss of a traced row, its derivative at the outputs, and its value after one step, as arithmetic."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.explanation.trace import Back
from pellucid.explanation.words.answer import Outcome, probabilities, sum_of_exponentials
from pellucid.explanation.words.values import Equation, Note, Part, Parts, Sum, n
from pellucid.preprocessing.target import TargetScaler

__all__ = ["loss_of", "slope_of_loss", "why_it_rose"]

Array = NDArray[Any]

_SMALLEST = 1e-300  # of a probability whose logarithm can be taken
_BY_THE_RATE = ("adam", "adamw", "rmsprop")  # whose first step is as large as the rate, whatever the slope


# ── the loss ──────────────────────────────────────────────────────────────────────────────────────────────────


def loss_of(outcome: Outcome) -> Parts:
    """How the loss of the row is computed; nothing if its target is not known."""
    if outcome.loss is None:
        return ()
    if outcome.task.is_classification:
        return _loss_of_classes(outcome, outcome.loss)
    return _loss_of_numbers(outcome, outcome.loss)


def _loss_of_classes(outcome: Outcome, loss: float) -> Parts:
    """−ln p of the row's class; with smoothed labels Σ t · (−ln p) over all classes."""
    task, place = outcome.task, _class_number(outcome)
    symbol = f"L ({task.loss.name})"
    costs, t = _costs(outcome), _targets_of_classes(outcome)
    if task.loss.label_smoothing:
        return [
            Note(text=f"Each label is smoothed by {task.loss.label_smoothing:g}: t is its share."),
            Sum(
                symbol=symbol,
                formula="Σ t · (−ln p)",
                origin="of",
                calculation="{t} · {−ln p}",
                names=[str(label) for label in task.classes],
                factors=(t, costs),
                values=t * costs,
                side="outputs" if task.kind == "multiclass" else "",
                result=loss,
            ),
        ]
    p = float(probabilities(outcome)[place])
    if p >= _SMALLEST:
        name = f"p of {outcome.truth}"
        return [Equation(symbol=symbol, calculation=f"−ln({{{name}}})", values={name: p}, result=loss, precise=True)]
    if task.kind == "binary":
        negative = "−" if place else ""
        size = Note(text=f"p of {outcome.truth} is too close to 0 for its logarithm; −ln p is {negative}z there.")
        values = {"z": float(outcome.logits[0])}
        return [size, Equation(symbol=symbol, calculation=f"{negative}{{z}}", values=values, result=loss)]
    z = outcome.logits
    values = {"S": sum_of_exponentials(outcome).result, "z": float(z[place]), "m": float(z.max())}
    size = Note(text=f"p of {outcome.truth} is too close to 0 for its logarithm, so −ln p is taken from the outputs.")
    return [size, Equation(symbol=symbol, calculation="ln({S}) − ({z} − {m})", values=values, result=loss)]


def _loss_of_numbers(outcome: Outcome, loss: float) -> Parts:
    """The distance between outputs and targets: an equation for one number, a mean for a reconstruction."""
    task = outcome.task
    symbol = f"L ({task.loss.name})"
    z, y = outcome.logits, _numbers_wanted(outcome)
    if task.kind != "reconstruction":
        assert outcome.scaler is not None
        calculation = _distance(outcome, float(z[0] - y[0]), "y")
        values = {"z": float(z[0]), "y": float(y[0])} | ({"δ": task.loss.delta} if "{δ}" in calculation else {})
        scaled = _scaled_target(outcome, outcome.scaler, float(y[0]))
        return [scaled, Equation(symbol=symbol, calculation=calculation, values=values, result=loss)]
    each = _distances(outcome, z - y)
    delta = f"{task.loss.delta:g}"
    calculation = {"mse": "({z} − {x})²", "mae": "|{z} − {x}|"}.get(task.loss.name, "huber({z} − {x})")
    total = Sum(
        symbol="S",
        formula=f"Σ {calculation.replace('{', '').replace('}', '')}",
        origin="of",
        calculation=calculation,
        names=outcome.names,
        factors=(z, y),
        values=each,
        side="outputs",
        result=float(each.sum()),
    )
    rule = Note(text=f"huber(e) is ½ e² where |e| ≤ {delta}, else {delta} (|e| − ½ · {delta}).")
    values = {"S": total.result, "number of features": float(len(z))}
    return [
        Note(text=f"Each of the {len(z):,} features x is its own target."),
        *([rule] if task.loss.name == "huber" else []),
        total,
        Equation(symbol=symbol, calculation="{S} / {number of features}", values=values, result=loss),
    ]


def _scaled_target(outcome: Outcome, scaler: TargetScaler, y: float) -> Part:
    """The row's own target in the unit of the loss."""
    assert isinstance(outcome.truth, int | float)
    truth, target = float(outcome.truth), outcome.task.target
    own, values = f"{{{target}}}", {target: truth, "mean": scaler.mean, "standard deviation": scaler.scale}
    if scaler.offset is not None:
        if truth + scaler.offset <= 0:
            return Note(text=f"{n(truth)} has no logarithm here; it is taken as y = {n(y)}.")
        own = f"ln({own} + {{offset}})" if scaler.offset else f"ln({own})"
        values |= {"offset": scaler.offset} if scaler.offset else {}
    return Equation(symbol="y", calculation=f"({own} − {{mean}}) / {{standard deviation}}", values=values, result=y)


def _distance(outcome: Outcome, apart: float, target: str) -> str:
    """The calculation of one output's loss."""
    e = f"{{z}} − {{{target}}}"
    match outcome.task.loss.name:
        case "mse":
            return f"({e})²"
        case "mae":
            return f"|{e}|"
        case "huber" if abs(apart) > outcome.task.loss.delta:
            return f"{{δ}} · (|{e}| − 0.5 · {{δ}})"
        case "huber":
            return f"0.5 · ({e})²"
        case other:
            raise AssertionError(f"{other} is no loss of numbers")


def _distances(outcome: Outcome, apart: Array) -> Array:
    """The loss of each output, before the mean."""
    delta, size = outcome.task.loss.delta, np.abs(apart)
    match outcome.task.loss.name:
        case "mse":
            found = apart * apart
        case "mae":
            found = size
        case "huber":
            found = np.where(size <= delta, 0.5 * apart * apart, delta * (size - 0.5 * delta))
        case other:
            raise AssertionError(f"{other} is no loss of numbers")
    return found


# ── its slope ─────────────────────────────────────────────────────────────────────────────────────────────────


def slope_of_loss(outcome: Outcome, k: int) -> Parts:
    """How ∂L/∂z of output ``k`` is computed; nothing if the row's target is not known."""
    if outcome.d_logits is None:
        return ()
    result, loss = float(outcome.d_logits[k]), outcome.task.loss
    if outcome.task.is_classification:
        at = k if outcome.task.kind == "multiclass" else 1
        t = float(_targets_of_classes(outcome)[at])
        made: list[Part] = []
        if loss.label_smoothing:
            made.append(Note(text=f"The target t of each class is smoothed by {loss.label_smoothing:g}."))
        values = {"p": float(probabilities(outcome)[at]), "t": t}
        return [*made, Equation(symbol="∂L/∂z", calculation="{p} − {t}", values=values, result=result, precise=True)]
    target = "x" if outcome.task.kind == "reconstruction" else "y"
    z, y, many = float(outcome.logits[k]), float(_numbers_wanted(outcome)[k]), len(outcome.logits)
    values = {"z": z, target: y}
    apart = f"({{z}} − {{{target}}})"
    match loss.name:
        case "mse":
            calculation = f"2 · {apart}"
        case "mae":
            calculation = f"sign{apart}"
        case "huber" if abs(z - y) > loss.delta:
            calculation, values = f"{{δ}} · sign{apart}", {**values, "δ": loss.delta}
        case "huber":
            calculation = apart
        case other:
            raise AssertionError(f"{other} is no loss of numbers")
    if many > 1:
        calculation, values = f"{calculation} / {{number of features}}", {**values, "number of features": float(many)}
    return [Equation(symbol="∂L/∂z", calculation=calculation, values=values, result=result)]


def why_it_rose(back: Back) -> str:
    """A sentence on a step that increases the loss of its own row; empty if it does not."""
    if not back.loss_after > back.loss:
        return ""
    rule, rate = back.optimizer, back.learning_rate
    smaller = f"A smaller learning rate {'usually ' if rule.weight_decay else ''}makes it fall"
    if rule.name in _BY_THE_RATE:
        size = rate / math.sqrt(1 - rule.alpha) if rule.name == "rmsprop" else rate
        return (
            f"The loss rises: the first step of {rule.name} moves every weight by about {size:g}, however small its "
            f"derivative is, and together these moves overshoot. {smaller}; in training, steps become shorter where "
            "the derivatives change sign from batch to batch."
        )
    return (
        f"The loss rises: derivatives hold only near the weights where they were taken, and a step of {rate:g} times "
        f"the derivative overshoots. {smaller}."
    )


# ── targets ───────────────────────────────────────────────────────────────────────────────────────────────────


def _class_number(outcome: Outcome) -> int:
    return list(outcome.task.classes).index(outcome.truth)  # type: ignore[arg-type]


def _targets_of_classes(outcome: Outcome) -> Array:
    """The share t of each class in the row's label: 1 for its own class, or smoothed."""
    smooth, many = outcome.task.loss.label_smoothing, len(outcome.task.classes)
    t = np.full(many, smooth / many)
    t[_class_number(outcome)] += 1 - smooth
    return t


def _costs(outcome: Outcome) -> Array:
    """−ln p of each class, from the outputs, so that none is infinite."""
    z = outcome.logits
    if outcome.task.kind == "binary":
        return np.array([np.logaddexp(0.0, z[0]), np.logaddexp(0.0, -z[0])])
    found: Array = np.log(np.exp(z - z.max()).sum()) - (z - z.max())
    return found


def _numbers_wanted(outcome: Outcome) -> Array:
    assert outcome.targets is not None
    return outcome.targets
