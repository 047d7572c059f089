"""How lessons write numbers into sentences: vectors, shapes, sums of products."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from pellucid.studies.story import shown

__all__ = ["in_brackets", "pick", "shape", "sum_of_products", "vector"]


def vector(values: ArrayLike) -> str:
    """A row of numbers.

    >>> vector(np.array([1.0, -0.5]))
    '[1, −0.5]'
    """
    return "[" + ", ".join(shown(value).replace("-", "−") for value in np.asarray(values).tolist()) + "]"


def in_brackets(value: float) -> str:
    """A number as a factor or a summand: negative ones in brackets.

    >>> in_brackets(2.0), in_brackets(-3.0)
    ('2', '(−3)')
    """
    return f"({shown(value)})" if value < 0 else shown(value)


def sum_of_products(w: ArrayLike, x: ArrayLike, b: float | None = None) -> str:
    """w₁·x₁ + w₂·x₂ + … + b, with the numbers.

    >>> sum_of_products([2.0, -1.0], [3.0, 0.5], -4.0)
    '2·3 + (−1)·0.5 + (−4)'
    """
    pairs = zip(np.asarray(w).tolist(), np.asarray(x).tolist(), strict=True)
    terms = [f"{in_brackets(a)}·{in_brackets(b)}" for a, b in pairs]
    return " + ".join([*terms, *([] if b is None else [in_brackets(b)])])


def shape(extents: Iterable[int]) -> str:
    """The shape of an array.

    >>> shape((32, 10))
    '[32, 10]'
    """
    return "[" + ", ".join(f"{extent}" for extent in extents) + "]"


def pick(generator: np.random.Generator, values: Iterable[Any]) -> Any:
    """One of the values, as it is (NumPy's own choice would make an array of them)."""
    values = list(values)
    return values[int(generator.integers(len(values)))]
