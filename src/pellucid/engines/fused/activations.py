"""f and f′ of each activation as operations on fixed buffers.

Legend: ``z`` the input, ``a`` the output (the same buffer, where f′ can be computed from ``a`` alone), ``t`` a buffer
for intermediate results, ``d`` ∂L/∂a before the backward operations and ∂L/∂z after them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

__all__ = ["FROM_OUTPUT", "backward", "forward"]

Operations = list[Callable[[], object]]

LEAKY_SLOPE = 0.01
ALPHA, SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946  # of SELU
_ROOT_HALF, _DENSITY = math.sqrt(0.5), 1 / math.sqrt(2 * math.pi)

# f′ is a function of a, so z need not be kept and may be overwritten.
FROM_OUTPUT = frozenset({"identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu"})


def forward(function: str, z: Tensor, a: Tensor, kept: Tensor | None) -> Operations:  # noqa: PLR0911
    """The operations of a = f(z).

    Parameters
    ----------
    function
        One of `pellucid.network.ACTIVATIONS`.
    z, a
        Input and output buffers of the same shape; for a function of `FROM_OUTPUT` they are one buffer if z is not
        needed.
    kept
        A buffer that the backward pass of GELU, SiLU, Mish and softplus reads; the others do not use it.
    """
    match function:
        case "identity":
            return [] if a is z else [partial(a.copy_, z)]
        case "sigmoid":
            return [partial(torch.sigmoid, z, out=a)]
        case "tanh":
            return [partial(torch.tanh, z, out=a)]
        case "relu":
            return [partial(torch.clamp_min, z, 0, out=a)]
        case "leaky_relu":
            # max(z, 0.01 z) = z above zero and 0.01 z below it
            t = torch.empty_like(z)
            return [partial(torch.mul, z, LEAKY_SLOPE, out=t), partial(torch.maximum, z, t, out=a)]
        case "elu" | "selu":
            alpha, scale = (1.0, 1.0) if function == "elu" else (ALPHA, SCALE)
            t = torch.empty_like(z)
            return [
                partial(torch.clamp_max, z, 0, out=t),
                partial(torch.expm1, t, out=t),
                partial(torch.mul, t, alpha * scale, out=t),
                partial(torch.clamp_min, z, 0, out=a),
                partial(torch.add, t, a, alpha=scale, out=a),
            ]
    assert kept is not None
    match function:
        case "gelu":  # kept = Φ(z)
            return [
                partial(torch.mul, z, _ROOT_HALF, out=kept),
                partial(torch.erf, kept, out=kept),
                partial(torch.add, kept, 1, out=kept),
                partial(torch.mul, kept, 0.5, out=kept),
                partial(torch.mul, z, kept, out=a),
            ]
        case "silu":  # kept = σ(z)
            return [partial(torch.sigmoid, z, out=kept), partial(torch.mul, z, kept, out=a)]
        case "softplus":  # kept = σ(z)
            zero = torch.zeros_like(z)
            return [partial(torch.logaddexp, z, zero, out=a), partial(torch.sigmoid, z, out=kept)]
        case "mish":  # kept = tanh(softplus(z))
            zero = torch.zeros_like(z)
            return [
                partial(torch.logaddexp, z, zero, out=kept),
                partial(torch.tanh, kept, out=kept),
                partial(torch.mul, z, kept, out=a),
            ]
    raise AssertionError(function)


def backward(function: str, z: Tensor, a: Tensor, kept: Tensor | None, d: Tensor, *, private: bool) -> Operations:  # noqa: PLR0911
    """The operations of d ← d · f′(z).

    Parameters
    ----------
    function, z, a, kept
        As in `forward`, whose operations have run.
    d
        ∂L/∂a, which becomes ∂L/∂z.
    private
        Whether undocumented PyTorch operators may be used.
    """
    if function == "identity":
        return []
    if function == "relu" and private:  # one pass; the public way below takes two
        return [partial(torch.ops.aten.threshold_backward.grad_input, d, a, 0, grad_input=d)]
    t = torch.empty_like(d)
    times_t = partial(torch.mul, d, t, out=d)
    match function:
        case "relu":  # sign(a) is 1 where the unit was on, 0 where it was off, also at 0 itself
            return [partial(torch.sign, a, out=t), times_t]
        case "sigmoid":  # a − a²
            return [partial(torch.addcmul, a, a, a, value=-1, out=t), times_t]
        case "tanh":  # 1 − a²
            return [partial(torch.mul, a, a, out=t), partial(torch.addcmul, d, d, t, value=-1, out=d)]
        case "leaky_relu":
            on = torch.empty_like(d, dtype=torch.bool)
            return [
                partial(torch.gt, a, 0, out=on),
                partial(torch.mul, d, LEAKY_SLOPE, out=t),
                partial(torch.where, on, d, t, out=d),
            ]
        case "elu":  # 1 above zero, eᶻ = a + 1 below
            return [partial(torch.clamp_max, a, 0, out=t), partial(torch.add, t, 1, out=t), times_t]
        case "selu":  # λ above zero, λ α eᶻ = a + λ α below
            on = torch.empty_like(d, dtype=torch.bool)
            return [
                partial(torch.gt, a, 0, out=on),
                partial(torch.add, a, ALPHA * SCALE, out=t),
                partial(t.masked_fill_, on, SCALE),
                times_t,
            ]
    assert kept is not None
    match function:
        case "gelu":  # Φ(z) + z φ(z)
            return [
                partial(torch.mul, z, z, out=t),
                partial(torch.mul, t, -0.5, out=t),
                partial(torch.exp, t, out=t),
                partial(torch.mul, t, z, out=t),
                partial(torch.add, kept, t, alpha=_DENSITY, out=t),
                times_t,
            ]
        case "silu":  # σ + a (1 − σ)
            return [
                partial(torch.addcmul, a, a, kept, value=-1, out=t),
                partial(torch.add, t, kept, out=t),
                times_t,
            ]
        case "softplus":
            return [partial(torch.mul, d, kept, out=d)]
        case "mish":  # t + z (1 − t²) σ(z)
            s = torch.empty_like(d)
            return [
                partial(torch.sigmoid, z, out=s),
                partial(torch.mul, s, z, out=s),
                partial(torch.mul, kept, kept, out=t),
                partial(torch.addcmul, s, s, t, value=-1, out=s),
                partial(torch.add, s, kept, out=t),
                times_t,
            ]
    raise AssertionError(function)
