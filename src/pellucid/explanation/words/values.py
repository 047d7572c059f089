"""The arithmetic of a traced row as frozen values: sums of terms, equations, derivatives, notes.

The terminal, the HTML page and JSON show these values without knowing any kind of layer. What is shown can be checked
by hand: a sum has all its terms, an equation has the number for each symbol.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Derivative", "Derivatives", "Equation", "Note", "Part", "Parts", "Side", "Sum", "Term", "n", "strongest"]

Array = NDArray[Any]
Side = Literal["inputs", "outputs", ""]  # whose units the terms stand for: the layer's inputs, its outputs, or neither

_SYMBOL = re.compile(r"\{([^{}]+)\}")


def n(value: float) -> str:
    """A number with four significant digits.

    >>> n(-0.123456), n(1234567.0), n(-1e-300 * 0)
    ('−0.1235', '1.235e+06', '0')
    """
    return f"{float(value) + 0.0:.4g}".replace("-", "−")


def near_one(value: float) -> str:
    """A number just below 1 with as many digits as its distance from 1 needs; others as `n` shows them.

    >>> near_one(0.25), near_one(0.9999912345)
    ('0.25', '0.999991235')
    """
    if 0.9 < value < 1:
        return f"{value:.{3 - math.floor(math.log10(1 - value))}f}"
    return n(value)


def strongest(values: Array, most: int) -> list[int]:
    """The indices of the largest absolute values, the largest first; ties in order.

    >>> strongest(np.array([1.0, -3.0, 2.0]), 2)
    [1, 2]
    """
    return [int(k) for k in np.argsort(-np.abs(values), kind="stable")[:most]]


@dataclass(frozen=True, kw_only=True)
class Note:
    """A sentence."""

    text: str

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"note": self.text}


@dataclass(frozen=True, kw_only=True)
class Equation:
    """``symbol = formula = numbers = result``.

    Attributes
    ----------
    symbol
        What is computed: ``u``, ``∂L/∂z``.
    calculation
        The formula with its symbols in braces: ``{γ} · ({z} − {μ}) / √({v} + {ε}) + {β}``.
    values
        The number behind each symbol.
    result
        What the network itself came to.
    definition
        For a function written by its name, the formula behind it: ``max(0, z)`` for relu; else empty.
    precise
        Show numbers just below 1 with more digits, where a difference from 1 follows.
    of_layer
        Whether it is the same for all units of the layer.

    >>> line = Equation(symbol="y", calculation="{m} · {x} + {b}", values={"m": 2.0, "x": -3.0, "b": -1.0}, result=-7)
    >>> line.formula, line.numbers
    ('m · x + b', '2 · (−3) + (−1)')
    """

    symbol: str
    calculation: str
    values: Mapping[str, float]
    result: float
    definition: str = ""
    precise: bool = False
    of_layer: bool = False

    @property
    def formula(self) -> str:
        """The calculation in symbols."""
        return _SYMBOL.sub(r"\1", self.calculation)

    @property
    def numbers(self) -> str:
        """The calculation in numbers; negative ones are in brackets if a sign would meet an operator."""
        return _SYMBOL.sub(self._number, self.calculation)

    def _number(self, found: re.Match[str]) -> str:
        value = self.values[found[1]]
        shown = near_one(value) if self.precise else n(value)
        before, after = found.string[: found.start()], found.string[found.end() :][:1]
        alone = (not before or before.endswith(("(", "|", ", "))) and after in ("", ")", "|", " ", ",")
        return shown if alone or not shown.startswith("−") else f"({shown})"

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        found: dict[str, Any] = {"symbol": self.symbol, "formula": self.formula, "values": dict(self.values)}
        if self.definition:
            found["definition"] = self.definition
        return {**found, "result": self.result}


@dataclass(frozen=True, kw_only=True)
class Term:
    """One addend and what it is made of; ``place`` is the unit that it stands for, if there is one."""

    name: str
    factors: tuple[float, ...]
    value: float
    place: int | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Sum:
    """A sum over units, classes or features, with all its terms.

    Attributes
    ----------
    symbol, formula
        ``z`` and ``Σ w · a + b``.
    origin
        What the names of the terms are: ``from`` or ``through``.
    calculation
        Of one term, from its factors in braces: ``{w} · {a}``.
    names, factors, values
        Of each term the name, the factors in the order of the calculation, and what they make.
    side
        Whose units the terms stand for.
    places
        The unit that each term stands for, −1 for none; by default, of term ``i`` unit ``i``.
    bias
        Added at the end; ``None`` where the layer has none.
    result
        What the network itself came to.
    of_layer
        Whether it is the same for all units of the layer.
    """

    symbol: str
    formula: str
    origin: str
    calculation: str
    names: Sequence[str]
    factors: tuple[Array, ...]
    values: Array
    result: float
    side: Side = ""
    places: Array | None = None
    bias: float | None = None
    of_layer: bool = False

    @property
    def factor_names(self) -> tuple[str, ...]:
        """The names of the factors; empty for a sum of plain values."""
        return tuple(_SYMBOL.findall(self.calculation))

    @property
    def is_of_products(self) -> bool:
        """Whether each term is a product of two factors."""
        return self.calculation == " · ".join(f"{{{name}}}" for name in self.factor_names) and len(self.factors) == 2

    @property
    def term_formula(self) -> str:
        """One term in symbols."""
        return _SYMBOL.sub(r"\1", self.calculation)

    def terms(self, places: Sequence[int] | None = None) -> list[Term]:
        """All terms, or those at some places."""
        return [
            Term(
                name=self.names[i],
                factors=tuple(float(factor[i]) for factor in self.factors),
                value=float(self.values[i]),
                place=self._place(i),
            )
            for i in (range(len(self.values)) if places is None else places)
        ]

    def _place(self, i: int) -> int | None:
        if not self.side or self.places is None:
            return i if self.side else None
        return None if self.places[i] < 0 else int(self.places[i])

    def largest(self, most: int) -> tuple[list[Term], int, float]:
        """The terms of largest absolute value, how many others there are, and the sum of those."""
        order = strongest(self.values, most)
        rest = np.delete(self.values, order)
        return self.terms(order), len(rest), float(rest.sum())

    def to_json(self, most: int) -> dict[str, Any]:
        """As plain JSON values: the largest terms one by one, the others together."""
        terms, n_others, others = self.largest(most)
        return {
            "symbol": self.symbol,
            "formula": self.formula,
            "terms": [
                {"name": t.name, **dict(zip(self.factor_names, t.factors, strict=True)), self.term_formula: t.value}
                for t in terms
            ],
            "n_others": n_others,
            "others": others,
            "bias": self.bias,
            "result": self.result,
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Derivative:
    """A parameter's derivative, ``slope · factor = gradient``, and its value before and after one step.

    ``sign`` is the parameter's letter (``w``); ``place`` is the input whose weight it is, or its place in the kernel,
    if it is one's. A parameter that several positions share has no single ``factor``: see `Derivatives.positions`.
    """

    sign: str
    name: str
    factor: float | None
    gradient: float
    old: float
    new: float
    place: int | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        factor = {} if self.factor is None else {"factor": self.factor}
        return {
            "parameter": self.sign, "of": self.name, **factor, "gradient": self.gradient,
            "old": self.old, "new": self.new,
        }  # fmt: skip


def _none() -> Array:
    return np.zeros(0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Derivatives:
    """∂L/∂θ of the parameters of one unit.

    Attributes
    ----------
    caption
        What they are.
    unit
        Whose parameters they are.
    symbol, slope
        ``∂L/∂z`` of the unit, the same for all of them; of parameters that positions share, the sum over these.
    factor
        What the other factor is called: ``a``.
    sign, names, factors, gradients, old, new
        Of each weight: the letter, the unit it comes from, its factor, ∂L/∂w, and its value before and after a step.
        Weights that positions share have no ``factors``.
    side
        Whose units the names are.
    own
        The few parameters that are always shown: bias, scale and shift.
    positions
        How many positions share the parameters: each derivative is a sum over them.
    sum_of
        For weights that positions share: of weight ``i`` the sum over the positions that its derivative is.
    """

    caption: str
    unit: str
    symbol: str
    slope: float
    factor: str
    own: tuple[Derivative, ...] = ()
    sign: str = "w"
    names: Sequence[str] = ()
    factors: Array = field(default_factory=_none)
    gradients: Array = field(default_factory=_none)
    old: Array = field(default_factory=_none)
    new: Array = field(default_factory=_none)
    side: Side = ""
    positions: int = 1
    sum_of: Callable[[int], Sum] | None = None

    def __len__(self) -> int:
        """The number of parameters."""
        return len(self.gradients) + len(self.own)

    def weights(self, places: Sequence[int] | None = None) -> list[Derivative]:
        """All weights, or those at some places."""
        return [
            Derivative(
                sign=self.sign,
                name=self.names[i],
                factor=float(self.factors[i]) if len(self.factors) else None,
                gradient=float(self.gradients[i]),
                old=float(self.old[i]),
                new=float(self.new[i]),
                place=i if self.side or self.positions > 1 else None,
            )
            for i in (range(len(self.gradients)) if places is None else places)
        ]

    def steepest(self, most: int) -> tuple[list[Derivative], int, float]:
        """The steepest weights and the unit's own parameters; how many weights more; the steepest of those."""
        order = strongest(self.gradients, most)
        rest = np.delete(self.gradients, order)
        return [*self.weights(order), *self.own], len(rest), float(np.abs(rest).max(initial=0.0))

    def to_json(self, most: int) -> dict[str, Any]:
        """As plain JSON values: the steepest one by one, the others counted."""
        rows, n_others, steepest = self.steepest(most)
        return {
            "symbol": self.symbol,
            "slope": self.slope,
            "factor": self.factor,
            **({"positions": self.positions} if self.positions > 1 else {}),
            "parameters": [row.to_json() for row in rows],
            "n_others": n_others,
            "steepest_other": steepest,
        }


Part = Sum | Equation | Derivatives | Note
Parts = Sequence[Part]
