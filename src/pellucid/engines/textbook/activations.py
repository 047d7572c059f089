"""Activation functions, each with its derivative beside it.

Legend: z is what a unit receives, a = f(z) what it gives; both are arrays of one shape, and every function works
element by element. A derivative is a function of z and of a = f(z), and uses whichever is simpler.

At a kink (ReLU at 0) the derivative is one of the two slopes: relu′(0) = 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.error_function import erf

__all__ = ["RULES", "ActivationRule", "sigmoid", "softmax"]

Array = NDArray[Any]

LEAKY_SLOPE = 0.01
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


@dataclass(frozen=True, kw_only=True)
class ActivationRule:
    """f, f′ and what to know about them."""

    f: Callable[[Array], Array]
    derivative: Callable[[Array, Array], Array]  # (z, a) -> f′(z)
    formula: str
    derivative_formula: str
    range: str
    use: str
    source: str


# ── identity ──────────────────────────────────────────────────────────────────────────────────────────────────


def identity(z: Array) -> Array:
    """a = z."""
    return z


def identity_derivative(z: Array, a: Array) -> Array:
    """da/dz = 1."""
    return np.ones_like(z)


# ── sigmoid ───────────────────────────────────────────────────────────────────────────────────────────────────


def sigmoid(z: Array) -> Array:
    """a = 1 / (1 + e⁻ᶻ), written as e^min(z, 0) / (1 + e^(−|z|)) so that nothing overflows.

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    return np.exp(np.minimum(z, 0)) / (1 + np.exp(-np.abs(z)))


def sigmoid_derivative(z: Array, a: Array) -> Array:
    """da/dz = a (1 − a)."""
    return a * (1 - a)


# ── tanh ──────────────────────────────────────────────────────────────────────────────────────────────────────


def tanh(z: Array) -> Array:
    """a = (eᶻ − e⁻ᶻ) / (eᶻ + e⁻ᶻ)."""
    return np.tanh(z)


def tanh_derivative(z: Array, a: Array) -> Array:
    """da/dz = 1 − a²."""
    return 1 - a * a


# ── ReLU and leaky ReLU ───────────────────────────────────────────────────────────────────────────────────────


def relu(z: Array) -> Array:
    """a = max(0, z)."""
    return np.maximum(z, 0)


def relu_derivative(z: Array, a: Array) -> Array:
    """da/dz = 1 where z > 0, else 0 (also at 0 itself)."""
    return (z > 0).astype(z.dtype)


def leaky_relu(z: Array) -> Array:
    """a = z where z > 0, else 0.01 z."""
    return np.where(z > 0, z, LEAKY_SLOPE * z)


def leaky_relu_derivative(z: Array, a: Array) -> Array:
    """da/dz = 1 where z > 0, else 0.01."""
    return np.where(z > 0, 1.0, LEAKY_SLOPE).astype(z.dtype)


# ── ELU and SELU ──────────────────────────────────────────────────────────────────────────────────────────────


def elu(z: Array) -> Array:
    """a = z where z > 0, else eᶻ − 1."""
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0)))


def elu_derivative(z: Array, a: Array) -> Array:
    """da/dz = 1 where z > 0, else eᶻ."""
    return np.where(z > 0, 1.0, np.exp(np.minimum(z, 0))).astype(z.dtype)


def selu(z: Array) -> Array:
    """a = λ z where z > 0, else λ α (eᶻ − 1); λ and α keep mean 0 and variance 1 from layer to layer."""
    return SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * np.expm1(np.minimum(z, 0)))


def selu_derivative(z: Array, a: Array) -> Array:
    """da/dz = λ where z > 0, else λ α eᶻ."""
    return (SELU_SCALE * np.where(z > 0, 1.0, SELU_ALPHA * np.exp(np.minimum(z, 0)))).astype(z.dtype)


# ── GELU ──────────────────────────────────────────────────────────────────────────────────────────────────────


def gelu(z: Array) -> Array:
    """a = z Φ(z), with Φ the normal distribution's cumulative function."""
    return z * _normal_cdf(z)


def gelu_derivative(z: Array, a: Array) -> Array:
    """da/dz = Φ(z) + z φ(z), with φ the normal density."""
    return _normal_cdf(z) + z * np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)


def _normal_cdf(z: Array) -> Array:
    """Φ(z) = ½ (1 + erf(z / √2))."""
    return (0.5 * (1 + erf(z / math.sqrt(2)))).astype(z.dtype)


# ── SiLU, Mish, softplus ──────────────────────────────────────────────────────────────────────────────────────


def silu(z: Array) -> Array:
    """a = z σ(z)."""
    return z * sigmoid(z)


def silu_derivative(z: Array, a: Array) -> Array:
    """da/dz = σ(z) (1 + z (1 − σ(z)))."""
    s = sigmoid(z)
    return s * (1 + z * (1 - s))


def softplus(z: Array) -> Array:
    """a = ln(1 + eᶻ), written as max(z, 0) + ln(1 + e^(−|z|)) so that nothing overflows."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def softplus_derivative(z: Array, a: Array) -> Array:
    """da/dz = σ(z)."""
    return sigmoid(z)


def mish(z: Array) -> Array:
    """a = z tanh(softplus(z))."""
    return z * np.tanh(softplus(z))


def mish_derivative(z: Array, a: Array) -> Array:
    """da/dz = t + z (1 − t²) σ(z), with t = tanh(softplus(z))."""
    t = np.tanh(softplus(z))
    return t + z * (1 - t * t) * sigmoid(z)


# ── softmax: not elementwise, so not in the table; it belongs to the cross-entropy ───────────────────────────────


def softmax(z: Array) -> Array:
    """aᵢ = e^(zᵢ − max z) / Σⱼ e^(zⱼ − max z), along the last axis; the maximum cancels and keeps e within range.

    >>> softmax(np.array([2.0, 1.0, 0.1])).round(4)
    array([0.659 , 0.2424, 0.0986])
    """
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _rule(
    f: Callable[[Array], Array],
    derivative: Callable[[Array, Array], Array],
    formula: str,
    derivative_formula: str,
    range_: str,
    use: str,
    source: str,
) -> ActivationRule:
    return ActivationRule(
        f=f,
        derivative=derivative,
        formula=formula,
        derivative_formula=derivative_formula,
        range=range_,
        use=use,
        source=source,
    )


RULES: dict[str, ActivationRule] = {
    "identity": _rule(identity, identity_derivative, "z", "1", "(−∞, ∞)", "a linear layer; regression output", "—"),
    "sigmoid": _rule(
        sigmoid,
        sigmoid_derivative,
        "1 / (1 + e⁻ᶻ)",
        "a (1 − a)",
        "(0, 1)",
        "the probability of one class; gates",
        "Rumelhart, Hinton & Williams 1986",
    ),
    "tanh": _rule(
        tanh,
        tanh_derivative,
        "tanh z",
        "1 − a²",
        "(−1, 1)",
        "hidden layers centred on zero",
        "LeCun et al. 1998, Efficient BackProp",
    ),
    "relu": _rule(
        relu,
        relu_derivative,
        "max(0, z)",
        "1 if z > 0 else 0",
        "[0, ∞)",
        "the usual hidden layer",
        "Nair & Hinton 2010",
    ),
    "leaky_relu": _rule(
        leaky_relu,
        leaky_relu_derivative,
        "z if z > 0 else 0.01 z",
        "1 if z > 0 else 0.01",
        "(−∞, ∞)",
        "where ReLU units die",
        "Maas, Hannun & Ng 2013",
    ),
    "elu": _rule(
        elu,
        elu_derivative,
        "z if z > 0 else eᶻ − 1",
        "1 if z > 0 else eᶻ",
        "(−1, ∞)",
        "smooth below zero",
        "Clevert, Unterthiner & Hochreiter 2016",
    ),
    "selu": _rule(
        selu,
        selu_derivative,
        "λz if z > 0 else λα(eᶻ − 1)",
        "λ if z > 0 else λα eᶻ",
        "(−1.758, ∞)",
        "deep networks without BatchNorm",
        "Klambauer et al. 2017",
    ),
    "gelu": _rule(
        gelu,
        gelu_derivative,
        "z Φ(z)",
        "Φ(z) + z φ(z)",
        "[−0.17, ∞)",
        "Transformers",
        "Hendrycks & Gimpel 2016, erf form",
    ),
    "silu": _rule(
        silu,
        silu_derivative,
        "z σ(z)",
        "σ(z) (1 + z (1 − σ(z)))",
        "[−0.278, ∞)",
        "a smooth ReLU",
        "Elfwing, Uchibe & Doya 2018",
    ),
    "mish": _rule(
        mish,
        mish_derivative,
        "z tanh(softplus z)",
        "t + z (1 − t²) σ(z), t = tanh(softplus z)",
        "[−0.309, ∞)",
        "a smooth ReLU",
        "Misra 2020",
    ),
    "softplus": _rule(
        softplus,
        softplus_derivative,
        "ln(1 + eᶻ)",
        "σ(z)",
        "(0, ∞)",
        "an output that must be positive",
        "Dugas et al. 2001",
    ),
}
