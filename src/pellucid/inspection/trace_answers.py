"""Between a traced row's outputs and its loss: from a logit to the answer, the loss, and its slope, as arithmetic."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from pellucid.explanation.trace import Back
from pellucid.inspection.trace import Traced
from pellucid.inspection.trace_arithmetic import in_brackets
from pellucid.inspection.trace_blocks import strongest
from pellucid.inspection.trace_values import Equation, Note, n
from pellucid.preprocessing.target import TargetScaler

__all__ = ["from_logit", "loss_equations", "slope_of_loss", "why_it_rose"]

Said = list[Equation | Note]

_SMALLEST = 1e-300  # of a probability whose logarithm can be taken
_BY_THE_RATE = ("adam", "adamw", "rmsprop")  # whose first step has the rate's size, whatever the slope
_LARGEST_POWER = 700.0  # of e, that is a number
_IN_FULL = 6  # classes whose exponentials stand in a sum by themselves


def from_logit(found: Traced, k: int) -> Said:
    """How output ``k`` becomes what the user reads."""
    task, z = found.model.task, found.row.logits
    if task.kind == "multiclass":
        p = _probabilities(found)[k]
        order = strongest(z - z.min() + 1.0, _IN_FULL)
        order = order if k in order else [*order[:-1], k]
        terms = [f"e^{in_brackets(z[i])}" for i in order]
        rest = np.delete(z, order)
        if len(rest):
            with np.errstate(over="ignore"):
                terms.append(f"{n(float(np.exp(rest).sum()))} [{len(rest):,} others]")
        numbers = f"e^{in_brackets(z[k])} / ({' + '.join(terms)})"
        return [Equation(symbol="p", formula="e^z / Σ e^z", numbers=numbers, result=p)]
    if task.kind == "binary":
        p = _probabilities(found)[1]
        numbers = f"1 / (1 + e^({n(-z[k])}))"
        return [Equation(symbol=f"p of {task.classes[1]}", formula="σ(z)", numbers=numbers, result=p)]
    scaler = found.model.scaler
    if scaler is None:
        return [Note(text="The network's output is the answer itself, in the scale of the features.")]
    assert isinstance(found.answer, float)
    numbers = f"{in_brackets(z[k])} · {n(scaler.scale)} + {in_brackets(scaler.mean)}"
    said = "z · standard deviation + mean, of the training rows"
    free = float(z[k]) * scaler.scale + scaler.mean
    made: Said
    if scaler.offset is not None:
        symbol = "ln y" if not scaler.offset else f"ln(y + {n(scaler.offset)})"
        made = [Equation(symbol=symbol, formula=f"{said}, of its logarithm", numbers=numbers, result=free)]
        free = math.exp(min(free, _LARGEST_POWER)) - scaler.offset
        numbers = f"e^{in_brackets(float(z[k]) * scaler.scale + scaler.mean)}"
        numbers += f" − {n(scaler.offset)}" if scaler.offset else ""
        made.append(Equation(symbol=task.target, formula="e^(ln y)", numbers=numbers, result=free))
    else:
        made = [Equation(symbol=task.target, formula=said, numbers=numbers, result=free)]
    if free != found.answer and (end := _end_of(scaler, free)) is not None:
        made.append(Note(text=f"{end}, so the answer is {n(found.answer)}."))
    return made


def _end_of(scaler: TargetScaler, free: float) -> str | None:
    """Why an answer is held where it is, if it is."""
    if scaler.floor is not None and free < scaler.floor:
        return f"No training row was below {n(scaler.floor)}"
    if scaler.ceiling is not None and free > scaler.ceiling:
        return f"No answer goes beyond {n(scaler.ceiling)}, e times the largest target of the training rows"
    return None


def loss_equations(found: Traced) -> Said:
    """The loss of the row."""
    back, task = found.row.back, found.model.task
    assert back is not None
    loss = task.loss
    name = f"L ({loss.name})"
    if task.is_classification:
        if loss.label_smoothing:
            said = f"whose labels are smoothed by {loss.label_smoothing:g}, is {n(back.loss)}"
            return [Note(text=f"{name} of the class {found.truth}, {said}.")]
        p = _probabilities(found)[_class_number(found)]
        if p < _SMALLEST:
            return [Note(text=f"{name} is −ln p of {found.truth}, taken from the logits: {n(back.loss)}.")]
        equation = Equation(
            symbol=name, formula=f"−ln p of {found.truth}", numbers=f"−ln({_probability(p)})", result=back.loss
        )
        return [equation]
    z, y = found.row.logits, _targets(found)
    if task.kind == "reconstruction":
        said = f"the mean over {len(z):,} features, each of which is its own target"
        return [Note(text=f"{name} is {said}: {n(back.loss)}.")]
    scaler = found.model.scaler
    assert scaler is not None
    assert isinstance(found.truth, float)
    own, value = task.target, in_brackets(found.truth)
    if scaler.offset is not None:
        more = f" + {n(scaler.offset)}" if scaler.offset else ""
        own, value = f"ln({own}{more})", f"ln({value}{more})"
    scaled = Equation(
        symbol="y",
        formula=f"({own} − mean) / standard deviation",
        numbers=f"({value} − {in_brackets(scaler.mean)}) / {n(scaler.scale)}",
        result=float(y[0]),
    )
    e = f"{in_brackets(z[0])} − {in_brackets(y[0])}"
    far = abs(float(z[0] - y[0])) > loss.delta
    formula, numbers = {
        "mse": ("(z − y)²", f"({e})²"),
        "mae": ("|z − y|", f"|{e}|"),
        "huber": (
            ("δ (|z − y| − ½ δ)", f"{n(loss.delta)} · (|{e}| − 0.5 · {n(loss.delta)})")
            if far
            else ("½ (z − y)²", f"0.5 · ({e})²")
        ),
    }[loss.name]
    return [scaled, Equation(symbol=name, formula=formula, numbers=numbers, result=back.loss)]


def why_it_rose(back: Back) -> str:
    """A sentence on a step that makes the loss of its own row larger; empty where it does not."""
    if not back.loss_after > back.loss:
        return ""
    rule, rate = back.optimizer, back.learning_rate
    smaller = f"A smaller rate {'usually ' if rule.weight_decay else ''}makes it fall"
    if rule.name in _BY_THE_RATE:
        size = rate / math.sqrt(1 - rule.alpha) if rule.name == "rmsprop" else rate
        return (
            f"The loss rises: the first step of {rule.name} moves every weight by about {size:g}, in the direction in "
            f"which the loss falls but however small its slope is, and together that overshoots. {smaller}; in "
            "training, steps shorten where the slopes of one batch and the next differ in sign."
        )
    return (
        f"The loss rises: slopes hold near the weights where they were taken, and a step of {rate:g} times the slope "
        f"goes beyond that. {smaller}."
    )


def slope_of_loss(found: Traced, k: int) -> Said:
    """∂L/∂z of output ``k``."""
    back, task = found.row.back, found.model.task
    assert back is not None
    result = float(back.d_logits[k])
    loss = task.loss
    if task.is_classification:
        p, t = _probability_and_target(found, k)
        note: Said = []
        if loss.label_smoothing:
            note.append(Note(text=f"The target t of each class is smoothed by {loss.label_smoothing:g}."))
        numbers = f"{_probability(p)} − {n(t)}"
        return [*note, Equation(symbol="∂L/∂z", formula="p − t", numbers=numbers, result=result)]
    z, y, many = float(found.row.logits[k]), float(_targets(found)[k]), len(found.row.logits)
    e = f"{in_brackets(z)} − {in_brackets(y)}"
    share = f" / {many}" if many > 1 else ""
    what = " / number of features" if many > 1 else ""
    target = "x" if task.kind == "reconstruction" else "y"
    apart = f"z − {target}"
    formula, numbers = {
        "mse": (f"2 ({apart})", f"2 · ({e})"),
        "mae": (f"the sign of {apart}", n(float(np.sign(z - y)))),
        "huber": (f"{apart}, within ±{loss.delta:g}", n(float(np.clip(z - y, -loss.delta, loss.delta)))),
    }[loss.name]
    return [Equation(symbol="∂L/∂z", formula=f"{formula}{what}", numbers=f"{numbers}{share}", result=result)]


def _probability_and_target(found: Traced, k: int) -> tuple[float, float]:
    """p and t of output ``k``: of a class, or of two classes the second."""
    task, truth = found.model.task, _class_number(found)
    smooth = task.loss.label_smoothing
    if task.kind == "binary":
        return _probabilities(found)[1], (1 - smooth) * truth + smooth / 2
    return _probabilities(found)[k], (1 - smooth) * (k == truth) + smooth / len(task.classes)


def _probabilities(found: Traced) -> Sequence[float]:
    assert isinstance(found.answer, Mapping)
    return list(found.answer.values())


def _class_number(found: Traced) -> int:
    return list(found.model.task.classes).index(found.truth)  # type: ignore[arg-type]


def _targets(found: Traced) -> Sequence[float]:
    """As the loss takes them: the features themselves, or the scaled target."""
    if found.model.task.kind == "reconstruction":
        return [float(x) for x in found.row.layers[0].inputs]
    assert found.model.scaler is not None
    return [float(found.model.scaler.transform(np.array([found.truth], dtype=np.float64))[0])]


def _probability(p: float) -> str:
    """A probability near 1 with as many digits as its distance from 1 needs.

    >>> _probability(0.25), _probability(0.9999912345)
    ('0.25', '0.999991235')
    """
    if 0.9 < p < 1:
        return f"{p:.{3 - math.floor(math.log10(1 - p))}f}"
    return n(p)
