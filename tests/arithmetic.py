"""Arithmetic as it is shown, worked out again: by PyTorch's functions, and nothing of Pellucid's own."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from pellucid.explanation.words.values import Derivatives, Equation, Note, Part, Sum

__all__ = ["NAMES", "as_python", "assert_holds", "expression", "worked_out"]

_FUNCTIONS: dict[str, Any] = {
    "identity": lambda z: z * 1.0, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": functional.relu,
    "leaky_relu": functional.leaky_relu, "elu": functional.elu, "selu": functional.selu, "gelu": functional.gelu,
    "silu": functional.silu, "mish": functional.mish, "softplus": functional.softplus,
}  # fmt: skip


def _value(name: str, z: float) -> float:
    return float(_FUNCTIONS[name](torch.tensor(z, dtype=torch.float64)))


def _slope(name: str, z: float) -> float:
    at = torch.tensor(z, dtype=torch.float64, requires_grad=True)
    _FUNCTIONS[name](at).backward()
    assert at.grad is not None
    return float(at.grad)


def _exp(power: float) -> float:
    return math.exp(power) if power < 700 else math.inf


def _max(*values: float) -> float:
    return max(values)


NAMES: dict[str, Any] = {
    "exp": _exp, "log": math.log, "sqrt": math.sqrt, "abs": abs, "max": _max, "sign": lambda e: float(np.sign(e)),
    **{name: lambda z, f=name: _value(f, z) for name in _FUNCTIONS},
    **{f"{name}_slope": lambda z, f=name: _slope(f, z) for name in _FUNCTIONS},
}  # fmt: skip


def expression(text: str) -> str:
    """Mathematics as people write it, as Python."""
    text = text.replace("−", "-").strip().replace("e^(", "exp(")
    text = re.sub(r"e\^([\d.]+(?:e[+-]?\d+)?)", r"exp(\1)", text)
    text = re.sub(r"\|([^|]+)\|", r"abs(\1)", text)
    for sign, python in (("·", "*"), ("√", "sqrt"), ("²", "**2"), ("′", "_slope"), ("ln(", "log(")):
        text = text.replace(sign, python)
    return text


def as_python(calculation: str, values: Mapping[str, float]) -> str:
    """A calculation with the numbers of its symbols, at full precision."""
    used = re.findall(r"\{([^{}]+)\}", calculation)
    assert set(used) == set(values), (calculation, values)
    return expression(re.sub(r"\{([^{}]+)\}", lambda found: f"({values[found[1]]!r})", calculation))


def worked_out(calculation: str, values: Mapping[str, float], more: Mapping[str, Any] | None = None) -> float:
    """What a calculation comes to."""
    names = {**NAMES, **(more or {})}
    return float(eval(as_python(calculation, values), {"__builtins__": {}, "inf": math.inf}, names))


def assert_holds(part: Part, more: Mapping[str, Any] | None = None) -> None:
    """A part's result follows from the numbers that it shows."""
    match part:
        case Equation(calculation=""):
            pass
        case Equation():
            made = worked_out(part.calculation, {name: float(value) for name, value in part.values.items()}, more)
            size = max(1.0, *(abs(value) for value in part.values.values() if math.isfinite(value)))
            assert abs(made - part.result) <= 1e-9 * size, (part, made)
        case Sum():
            for term in part.terms():
                made = worked_out(part.calculation, dict(zip(part.factor_names, term.factors, strict=True)), more)
                largest = max(1.0, abs(term.value), *map(abs, term.factors))
                assert abs(made - term.value) <= 1e-9 * largest, (part.symbol, term)
            addends = [*(term.value for term in part.terms()), *([] if part.bias is None else [part.bias])]
            assert ("+ b" in part.formula) == (part.bias is not None)
            size = max(1.0, math.fsum(map(abs, addends)))
            assert abs(math.fsum(addends) - part.result) <= 1e-9 * size, (part.symbol, part.formula, part.result)
            for most in (1, 3):
                terms, n_others, others = part.largest(most)
                assert len(terms) + n_others == len(part.terms())
                total = math.fsum([*(term.value for term in terms), others])
                assert abs(total - math.fsum(term.value for term in part.terms())) <= 1e-9 * size
        case Derivatives():
            for i, row in enumerate((*part.weights(), *part.own)):
                if row.factor is None:  # positions share it: a sum over them, which for a scale stands beside
                    assert part.positions >= 1
                    if row.place is not None:
                        assert part.sum_of is not None
                        total = part.sum_of(i)
                        assert_holds(total, more)
                        assert len(total.values) == part.positions
                        assert total.result == row.gradient
                    continue
                assert abs(part.slope * row.factor - row.gradient) <= 1e-9 * max(1.0, abs(row.gradient)), row
        case Note():
            pass
