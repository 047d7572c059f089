"""A check of the derivatives by central differences of the loss itself.

∂L/∂w ≈ (L(w + h) − L(w − h)) / 2h, whose truncation error shrinks with h² while rounding error grows with 1/h; in
float64 the best h is near 1e-5 and the result is accurate to about nine digits. It uses no derivative formula, so it
cannot share a mistake with one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["central_differences"]

Array = NDArray[Any]


def central_differences(
    loss: Callable[[Mapping[str, Array]], float],
    parameters: Mapping[str, Array],
    names: tuple[str, ...],
    h: float = 1e-5,
) -> dict[str, Array]:
    """∂L/∂θ of every element of the named parameters, with two evaluations of ``loss`` for each.

    Parameters
    ----------
    loss
        From the parameters by name to the loss, without side effects.
    parameters
        Every parameter that ``loss`` needs, by name, best in float64; they are left alone.
    names
        Those whose gradients are wanted.
    h
        The step, in the parameters' own unit.

    >>> square = lambda p: float(p["w"] ** 2)
    >>> round(float(central_differences(square, {"w": np.array(3.0)}, ("w",))["w"]), 6)
    6.0
    """
    gradients = {}
    for name in names:
        gradient = np.zeros_like(parameters[name], dtype=np.float64)
        for place in np.ndindex(gradient.shape):
            up, down = parameters[name].copy(), parameters[name].copy()
            up[place] += h
            down[place] -= h
            difference = loss({**parameters, name: up}) - loss({**parameters, name: down})
            gradient[place] = difference / (2 * h)
        gradients[name] = gradient
    return gradients
