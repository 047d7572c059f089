"""f, and ∂L/∂z from ∂L/∂a, feature by feature.

Legend: ``z`` what comes in, ``a`` what goes out, ``d`` ∂L/∂a on the way in and ∂L/∂z on the way out; ``m`` rows.

For the functions of `FROM_OUTPUT`, f′ can be computed from a alone, and a may overwrite z. For the others f and f′ are
computed together, because they share an exponential, and f′ is kept for the backward pass. At a kink f′ is the slope on
its left.
"""

from __future__ import annotations

import math
from typing import Any

from pellucid.engines.kernel.compiled import compiled
from pellucid.engines.kernel.elementary import (
    erfc_scaled,
    exp_of_negative,
    expm1_of_negative,
    log1p_of_share,
    sigmoid,
    tanh,
)
from pellucid.engines.kernel.layers.activation import CODES

__all__ = ["backward", "forward"]

LEAKY = 0.01
SELU_ALPHA, SELU_SCALE = 1.67326324235437728481704, 1.05070098735548049341933  # Klambauer et al. 2017
_SIGMOID, _TANH, _RELU, _LEAKY, _ELU, _SELU, _GELU, _SILU, _MISH, _SOFTPLUS = (
    CODES[name] for name in ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softplus")
)


@compiled
def forward(code: int, buffer: Any, z_at: int, a_at: int, kept_at: int, width: int, m: int) -> None:
    """a = f(z) in the rows from ``a_at``, and f′(z) in those from ``kept_at`` where the backward pass needs it.

    Parameters
    ----------
    code
        The function, as in `layers.activation.CODES`.
    buffer
        The activations of all layers, one row per feature.
    z_at, a_at, kept_at
        The first row of the input, the output and f′.
    width
        The number of rows of each.
    m
        How many columns count.

    Each loop reads z where it writes a or f′: if two addresses could overlap, LLVM would not vectorise the loop.
    """
    from_output = code in (_RELU, _TANH, _SIGMOID, _LEAKY, _ELU, _SELU)
    read_at = a_at if from_output else kept_at
    for j in range(width):
        z, a = buffer[read_at + j], buffer[a_at + j]
        if z_at != read_at:
            for r in range(m):
                z[r] = buffer[z_at + j, r]
        if from_output:
            _in_place(code, a, m)
        else:
            _kept(code, z, a, m)


@compiled
def _in_place(code: int, a: Any, m: int) -> None:
    real = a.dtype.type
    zero, one = real(0), real(1)
    if code == _RELU:
        for r in range(m):
            a[r] = zero if a[r] <= zero else a[r]
    elif code == _TANH:
        for r in range(m):
            a[r] = tanh(a[r])
    elif code == _SIGMOID:
        for r in range(m):
            a[r] = sigmoid(a[r])
    elif code == _LEAKY:
        slope = real(LEAKY)
        for r in range(m):
            a[r] = slope * a[r] if a[r] <= zero else a[r]
    else:
        scale = real(SELU_SCALE) if code == _SELU else one
        bend = real(SELU_ALPHA * SELU_SCALE) if code == _SELU else one
        for r in range(m):
            z = a[r]
            low = zero if z > zero else z
            a[r] = scale * z if z > zero else bend * expm1_of_negative(low)


@compiled
def _kept(code: int, kept: Any, a: Any, m: int) -> None:
    real = a.dtype.type
    zero, one, two, half = real(0), real(1), real(2), real(0.5)
    if code == _SILU:  # a = z σ,  a′ = σ (1 + z (1 − σ))
        for r in range(m):
            z = kept[r]
            s = sigmoid(z)
            kept[r] = s * (one + z * (one - s))
            a[r] = z * s
    elif code == _SOFTPLUS:  # a = max(z, 0) + ln(1 + e^(−|z|)),  a′ = σ
        for r in range(m):
            z = kept[r]
            e = exp_of_negative(-abs(z))
            kept[r] = (one if z >= zero else e) / (one + e)
            a[r] = (zero if z <= zero else z) + log1p_of_share(e)
    elif code == _MISH:
        # With e = e^(−|z|): t = tanh(ln(1 + eᶻ)) = (1 + 2e) / (1 + 2e + 2e²) above zero, (e² + 2e) / (e² + 2e + 2)
        # below. a = z t,  a′ = t + z (1 − t²) σ.
        for r in range(m):
            z = kept[r]
            e = exp_of_negative(-abs(z))
            s = (one if z >= zero else e) / (one + e)
            top = one + two * e if z >= zero else e * (e + two)
            t = top / (top + (two * e * e if z >= zero else two))
            kept[r] = t + z * (one - t * t) * s
            a[r] = z * t
    elif code == _GELU:  # a = z Φ,  a′ = Φ + z φ
        density, root = real(1 / math.sqrt(2 * math.pi)), real(math.sqrt(0.5))
        for r in range(m):
            z = kept[r]
            e = exp_of_negative(-half * z * z)
            tail = half * e * erfc_scaled(abs(z) * root)
            share = tail if z < zero else one - tail
            kept[r] = share + z * density * e
            a[r] = z * share


@compiled
def backward(  # noqa: PLR0912, a branch a function
    code: int, buffer: Any, a_at: int, kept_at: int, d: Any, d_at: int, width: int, m: int
) -> None:  # fmt: skip
    """d ← d f′, in place.

    Parameters
    ----------
    code, buffer, a_at, kept_at, width, m
        As in `forward`.
    d, d_at
        The buffer of ∂L/∂a, and the first row of this layer's.
    """
    real = buffer.dtype.type
    zero, one = real(0), real(1)
    for j in range(width):
        a, kept, slope = buffer[a_at + j], buffer[kept_at + j], d[d_at + j]
        if code == _RELU:
            for r in range(m):
                slope[r] = slope[r] if a[r] > zero else zero
        elif code == _TANH:
            for r in range(m):
                slope[r] *= one - a[r] * a[r]
        elif code == _SIGMOID:
            for r in range(m):
                slope[r] *= a[r] * (one - a[r])
        elif code == _LEAKY:
            small = real(LEAKY)
            for r in range(m):
                slope[r] *= one if a[r] > zero else small
        elif code in (_ELU, _SELU):  # below zero a = β (eᶻ − 1), so a′ = β eᶻ = a + β
            scale = real(SELU_SCALE) if code == _SELU else one
            bend = real(SELU_ALPHA * SELU_SCALE) if code == _SELU else one
            for r in range(m):
                slope[r] *= scale if a[r] > zero else a[r] + bend
        else:
            for r in range(m):
                slope[r] *= kept[r]
