"""Update rules: from a gradient to a better weight.

Legend: w a weight, g its gradient ∂L/∂w, η the learning rate, t the number of this step (from 1). A rule's state is
kept from step to step in arrays of w's shape. Every rule returns the new weight and does not change the old one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.network.optimizer import Optimizer

__all__ = ["Memory", "clip", "gradient_norm", "update"]

Array = NDArray[Any]
Memory = dict[str, Array]  # e.g. {"momentum_buffer": …} of one weight


def update(rule: Optimizer, w: Array, g: Array, memory: Memory, learning_rate: float, t: int) -> Array:
    """One step of ``rule`` for one weight.

    Parameters
    ----------
    rule
        The update rule with its settings.
    w, g
        The weight and its gradient ∂L/∂w, in the same shape.
    memory
        What the rule remembers of this weight: empty at the first step, changed in place.
    learning_rate
        η of this step.
    t
        The number of this step, from 1.

    Returns
    -------
    ndarray
        The new weight.

    >>> plain = Optimizer(name="sgd")
    >>> update(plain, np.array([3.0]), np.array([8.0]), {}, 0.01, 1).round(2)
    array([2.92])
    """
    if rule.name == "adamw":
        return adamw(rule, w, g, memory, learning_rate, t)
    g = g + rule.decay_of(w.shape) * w  # L2: the penalty ½ λ w² adds λ w to the gradient
    return _RULES[rule.name](rule, w, g, memory, learning_rate, t)


def sgd(rule: Optimizer, w: Array, g: Array, memory: Memory, lr: float, t: int) -> Array:
    """w ← w − η g (Robbins & Monro 1951)."""
    return w - lr * g


def momentum(rule: Optimizer, w: Array, g: Array, memory: Memory, lr: float, t: int) -> Array:
    """v ← μ v + g;  w ← w − η v (Polyak 1964, as PyTorch writes it)."""
    v = memory["momentum_buffer"] = rule.momentum * memory.get("momentum_buffer", 0.0) + g
    return w - lr * v


def nesterov(rule: Optimizer, w: Array, g: Array, memory: Memory, lr: float, t: int) -> Array:
    """v ← μ v + g;  w ← w − η (g + μ v): the gradient one step ahead (Sutskever et al. 2013)."""
    v = memory["momentum_buffer"] = rule.momentum * memory.get("momentum_buffer", 0.0) + g
    return w - lr * (g + rule.momentum * v)


def rmsprop(rule: Optimizer, w: Array, g: Array, memory: Memory, lr: float, t: int) -> Array:
    """s ← α s + (1 − α) g²;  w ← w − η g / (√s + ε) (Hinton 2012, lecture 6e)."""
    s = memory["square_avg"] = rule.alpha * memory.get("square_avg", 0.0) + (1 - rule.alpha) * g * g
    return w - lr * g / (np.sqrt(s) + rule.eps)


def adam(rule: Optimizer, w: Array, g: Array, memory: Memory, lr: float, t: int) -> Array:
    """Kingma & Ba 2015, algorithm 1.

    m ← β₁ m + (1 − β₁) g;  s ← β₂ s + (1 − β₂) g²
    w ← w − η (m / (1 − β₁ᵗ)) / (√(s / (1 − β₂ᵗ)) + ε)

    Dividing by 1 − βᵗ corrects the bias of m and s towards their start at zero.
    """
    m = memory["exp_avg"] = rule.beta1 * memory.get("exp_avg", 0.0) + (1 - rule.beta1) * g
    s = memory["exp_avg_sq"] = rule.beta2 * memory.get("exp_avg_sq", 0.0) + (1 - rule.beta2) * g * g
    m_hat = m / (1 - rule.beta1**t)
    s_hat = s / (1 - rule.beta2**t)
    return w - lr * m_hat / (np.sqrt(s_hat) + rule.eps)


def adamw(rule: Optimizer, w: Array, g: Array, memory: Memory, lr: float, t: int) -> Array:
    """Adam with decoupled decay: w ← (1 − η λ) w first, then Adam on the plain gradient (Loshchilov & Hutter 2019)."""
    return adam(rule, (1 - lr * rule.decay_of(w.shape)) * w, g, memory, lr, t)


_RULES = {"sgd": sgd, "momentum": momentum, "nesterov": nesterov, "rmsprop": rmsprop, "adam": adam}


def gradient_norm(gradients: Mapping[str, Array]) -> float:
    """‖g‖ = √(Σ g²) over all gradients together."""
    return float(np.sqrt(sum(float((g * g).sum()) for g in gradients.values())))


def clip(gradients: Mapping[str, Array], limit: float) -> dict[str, Array]:
    """Scale all gradients so that their common norm is at most ``limit`` (Pascanu, Mikolov & Bengio 2013).

    The 1e-6 in the denominator is PyTorch's.
    """
    scale = min(1.0, limit / (gradient_norm(gradients) + 1e-6))
    return {name: g * g.dtype.type(scale) for name, g in gradients.items()}
