"""The update rules, for all weights of a network at once.

Legend: ``w``, ``g`` ``[P]`` weights and gradients; ``memory`` ``[2, P]`` the rule's state; η the learning rate,
λ the weight decay, t the number of this step. ``constants`` are those of `packing.constants_of`.
"""

from __future__ import annotations

import math
from typing import Any

from pellucid.engines.kernel.compiled import compiled, summing
from pellucid.engines.kernel.packing import RULE_CODES

__all__ = ["apply_rule"]

_SGD, _MOMENTUM, _NESTEROV, _RMSPROP, _ADAM, _ADAMW = (
    RULE_CODES[name] for name in ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw")
)


@compiled
def apply_rule(  # noqa: PLR0912, a branch a rule
    code: int, constants: Any, w: Any, g: Any, memory: Any, lr: float, t: int
) -> None:  # fmt: skip
    """One step of an update rule; ``g`` may be changed.

    Parameters
    ----------
    code, constants
        The rule, as in `packing.RULE_CODES`, and its constants.
    w, g, memory
        Weights, gradients, and the rule's state.
    lr, t
        The learning rate, and the number of this step from 1.
    """
    real = w.dtype.type
    decay, friction, alpha, eps, limit = (
        constants[0], real(constants[1]), real(constants[2]), real(constants[5]), constants[6],
    )  # fmt: skip
    rate, n, one = real(lr), len(w), real(1)
    if limit > 0:
        clip(g, limit)
    if decay > 0:
        if code == _ADAMW:  # w ← (1 − η λ) w, separately from the gradient
            kept = real(1 - lr * decay)
            for i in range(n):
                w[i] *= kept
        else:  # the penalty ½ λ w² adds λ w to the gradient
            share = real(decay)
            for i in range(n):
                g[i] += share * w[i]
    first, second = memory[0], memory[1]
    if code == _SGD:  # w ← w − η g
        for i in range(n):
            w[i] -= rate * g[i]
    elif code == _MOMENTUM:  # v ← μ v + g;  w ← w − η v
        for i in range(n):
            first[i] = friction * first[i] + g[i]
            w[i] -= rate * first[i]
    elif code == _NESTEROV:  # v ← μ v + g;  w ← w − η (g + μ v)
        for i in range(n):
            first[i] = friction * first[i] + g[i]
            w[i] -= rate * (g[i] + friction * first[i])
    elif code == _RMSPROP:  # s ← α s + (1 − α) g²;  w ← w − η g / (√s + ε)
        rest = real(1 - constants[2])
        for i in range(n):
            first[i] = alpha * first[i] + rest * (g[i] * g[i])
            w[i] -= rate * g[i] / (math.sqrt(first[i]) + eps)
    else:  # m ← β₁ m + (1 − β₁) g;  s ← β₂ s + (1 − β₂) g²;  w ← w − η m̂ / (√ŝ + ε), with m̂ = m / (1 − β₁ᵗ), ŝ alike
        b1, b2 = real(constants[3]), real(constants[4])
        rest1, rest2 = real(1 - constants[3]), real(1 - constants[4])
        size = real(lr / (1 - math.pow(constants[3], t)))
        root = one / real(math.sqrt(1 - math.pow(constants[4], t)))
        for i in range(n):
            first[i] = b1 * first[i] + rest1 * g[i]
            second[i] = b2 * second[i] + rest2 * (g[i] * g[i])
            w[i] -= size * first[i] / (math.sqrt(second[i]) * root + eps)


@summing
def clip(g: Any, limit: float) -> None:
    """Scale the gradients to a norm of ``limit`` at most (Pascanu et al. 2013; the 1e-6 is PyTorch's)."""
    square = 0.0
    for i in range(len(g)):
        square += float(g[i]) * float(g[i])
    scale = limit / (math.sqrt(square) + 1e-6)
    if scale < 1:
        factor = g.dtype.type(scale)
        for i in range(len(g)):
            g[i] *= factor
