"""exp, log(1 + x), tanh, σ and erfc for float32 and float64, without branches, tables or calls.

The processor's vector instructions have no exponential function, and a loop that calls the C library's function takes
one number at a time. With only +, ×, ÷, comparisons and one bit shift, as below, LLVM vectorises a loop over them:
eight or sixteen numbers at a time.

Every function here returns NaN for NaN.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic, overload

from pellucid.engines.kernel.compiled import inlined

__all__ = ["erfc_scaled", "exp_of_negative", "expm1_of_negative", "log1p_of_share", "sigmoid", "tanh"]

_LOG2_E = 1 / math.log(2)


def exp_of_negative(x: Any) -> Any:
    """eˣ for x ≤ 0, exact to the last digit or two; 0 below −708 (−87 in float32), where it underflows.

    Cody & Waite 1980, chapter 6: x = n ln 2 + r with n whole and |r| ≤ ½ ln 2, ln 2 in two parts so that r is exact;
    eˣ = 2ⁿ (1 + p), p = eʳ − 1 by Taylor's series. n is found by adding 1.5 · 2⁵², which rounds away the fractional
    part; the last bits of the sum, shifted to the exponent, give 2ⁿ.
    """
    raise NotImplementedError("for compiled code")


def expm1_of_negative(x: Any) -> Any:
    """eˣ − 1 for x ≤ 0, accurate near 0 too: 2ⁿ p + (2ⁿ − 1), with n and p as in `exp_of_negative`."""
    raise NotImplementedError("for compiled code")


def log1p_of_share(x: Any) -> Any:
    """ln(1 + x) for 0 ≤ x ≤ 1, accurate near 0 too.

    FreeBSD's msun, e_log.c (Sun Microsystems 1993): with s = f / (2 + f), ln(1 + f) = 2 artanh s is an odd series in
    s, here a polynomial of degree 14 with the best coefficients. Above √2 − 1, 1 + x is halved first, and ln 2 added.
    """
    raise NotImplementedError("for compiled code")


def erfc_scaled(x: Any) -> Any:
    """e^(x²) (1 − erf x) for x ≥ 0.

    Shepherd & Laframboise 1981, Mathematics of Computation 36: times 1 + 2x it is so smooth a function of
    (x − 3.75) / (x + 3.75) that one polynomial serves from 0 to infinity. The coefficients are a Chebyshev series,
    computed with 50 digits and converted to powers.
    """
    raise NotImplementedError("for compiled code")


def _power_of_two(context: Any, x: Any) -> Any:
    """2ⁿ from the number whose last bits are n plus the bias of the exponent."""
    if x not in (types.float32, types.float64):
        return None
    mantissa = 23 if x == types.float32 else 52

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        bits = context.get_value_type(types.int32 if x == types.float32 else types.int64)
        moved = builder.shl(builder.bitcast(arguments[0], bits), bits(mantissa))
        return builder.bitcast(moved, context.get_value_type(x))

    return x(x), codegen


power_of_two: Any = intrinsic(_power_of_two)


def _reduction(real: Any) -> tuple[Any, ...]:
    """log₂ e; ln 2 in two parts; the number that shifts; the least x; the last power of the series."""
    if real is np.float32:
        shift, parts, least, last = 1.5 * 2**23 + 127, (0.693359375, -2.12194440e-4), -87.0, 7
    else:
        parts = (6.93147180369123816490e-01, 1.90821492927058770002e-10)
        shift, least, last = 1.5 * 2**52 + 1023, -708.0, 13
    return real(_LOG2_E), real(parts[0]), real(parts[1]), real(shift), real(least), last


def _reduced(real: Any) -> Any:
    """(2ⁿ, p) for x not below the least."""
    log2_e, high, low, shift, _, last = _reduction(real)
    one = real(1)
    c = [real(1 / math.factorial(k)) for k in range(14)]
    c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13 = c[2:]

    def series7(r: Any) -> Any:
        return r * (one + r * (c2 + r * (c3 + r * (c4 + r * (c5 + r * (c6 + r * c7))))))

    def series13(r: Any) -> Any:
        tail = c7 + r * (c8 + r * (c9 + r * (c10 + r * (c11 + r * (c12 + r * c13)))))
        return r + r * r * (c2 + r * (c3 + r * (c4 + r * (c5 + r * (c6 + r * tail)))))

    series = inlined(series7 if last == 7 else series13)

    def reduced(x: Any) -> Any:
        shifted = x * log2_e + shift
        n = shifted - shift
        r = (x - n * high) - n * low
        return power_of_two(shifted), series(r)

    return inlined(reduced)


def _exp_for(real: Any) -> Any:
    reduced, least, zero = _reduced(real), _reduction(real)[4], real(0)

    def exp(x: Any) -> Any:
        y = least if x < least else x
        scale, p = reduced(y)
        return zero if x < least else scale + scale * p

    return exp


def _expm1_for(real: Any) -> Any:
    reduced, least, one = _reduced(real), _reduction(real)[4], real(1)

    def expm1(x: Any) -> Any:
        y = least if x < least else x
        scale, p = reduced(y)
        return scale * p + (scale - one)

    return expm1


_LOG = (
    6.666666666666735130e-01,
    3.999999999940941908e-01,
    2.857142874366239149e-01,
    2.222219843214978396e-01,
    1.818357216161805012e-01,
    1.531383769920937332e-01,
    1.479819860511658591e-01,
)


def _log1p_for(real: Any) -> Any:
    l1, l2, l3, l4, l5, l6, l7 = (real(c) for c in _LOG)
    fold, half, one, two, zero, ln2 = (real(c) for c in (math.sqrt(2) - 1, 0.5, 1, 2, 0, math.log(2)))

    def log1p(x: Any) -> Any:
        f = (x - one) * half if x > fold else x
        added = ln2 if x > fold else zero
        s = f / (two + f)
        z = s * s
        rest = z * (l1 + z * (l2 + z * (l3 + z * (l4 + z * (l5 + z * (l6 + z * l7))))))
        square = half * f * f
        return added + (f - (square - s * (square + rest)))

    return log1p


# (1 + 2x) e^(x²) erfc x in powers of (x − 3.75) / (x + 3.75): the Chebyshev series cut off after degree 24, and for
# float32 after degree 12.
_ERFC = (
    1.2375126308378275,
    -0.14024059858554697,
    0.0035854154854644293,
    0.0822767384901452,
    -0.10880393014174886,
    0.09230432116037748,
    -0.05869339858963677,
    0.028362277418956406,
    -0.009746579558029276,
    0.0017556258528952954,
    0.0002937136655913448,
    -0.0002901540805408417,
    5.164909889268241e-05,
    2.238423915508223e-05,
    -1.1444146237700525e-05,
    -9.735598967367741e-07,
    1.7516376488490642e-06,
    -5.721823060322511e-08,
    -2.586685071615612e-07,
    2.3263508708859878e-08,
    3.8675334242224e-08,
    -3.744210080962335e-09,
    -5.173990214011965e-09,
    3.111433380980501e-10,
    4.25147144479753e-10,
)
_ERFC_SHORT = (
    1.2375126300326993,
    -0.1402406583213864,
    0.00358549531406309,
    0.08227841998347046,
    -0.10880522754949953,
    0.09229076959130378,
    -0.05868544049363111,
    0.02840925236412726,
    -0.009770087183368234,
    0.001675912217981131,
    0.00033016745627228067,
    -0.00022411674674416022,
    2.2046718905694024e-05,
)
_CENTRE = 3.75


def _erfc_for(real: Any) -> Any:
    centre, one, two = real(_CENTRE), real(1), real(2)
    short = real is np.float32
    c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12 = (real(c) for c in (_ERFC_SHORT if short else _ERFC[:13]))
    c13, c14, c15, c16, c17, c18, c19, c20, c21, c22, c23, c24 = (real(c) for c in _ERFC[13:])

    def few(y: Any) -> Any:
        return c12

    def many(y: Any) -> Any:
        rest = c18 + y * (c19 + y * (c20 + y * (c21 + y * (c22 + y * (c23 + y * c24)))))
        return c12 + y * (c13 + y * (c14 + y * (c15 + y * (c16 + y * (c17 + y * rest)))))

    tail = inlined(few if short else many)

    def erfc(x: Any) -> Any:
        y = (x - centre) / (x + centre)
        high = c6 + y * (c7 + y * (c8 + y * (c9 + y * (c10 + y * (c11 + y * tail(y))))))
        return (c0 + y * (c1 + y * (c2 + y * (c3 + y * (c4 + y * (c5 + y * high)))))) / (one + two * x)

    return erfc


def _offer(function: Any, make: Any) -> None:
    """Let compiled code call ``function`` with float32 or float64."""
    kinds = {types.float32: make(np.float32), types.float64: make(np.float64)}

    def choose(x: Any) -> Any:
        return kinds.get(x)

    settings: Any = {"fastmath": {"contract"}, "error_model": "numpy", "forceinline": True}
    overload(function, jit_options=settings)(choose)


_offer(exp_of_negative, _exp_for)
_offer(expm1_of_negative, _expm1_for)
_offer(log1p_of_share, _log1p_for)
_offer(erfc_scaled, _erfc_for)


@inlined
def sigmoid(x: Any) -> Any:
    """σ(x) = 1 / (1 + e⁻ˣ) for x ≥ 0 and eˣ / (1 + eˣ) below, so that nothing overflows."""
    e = exp_of_negative(-abs(x))
    one = type(x)(1)
    return (one if x >= 0 else e) / (one + e)


@inlined
def tanh(x: Any) -> Any:
    """tanh |x| = −m / (m + 2) with m = e^(−2|x|) − 1, and x's sign."""
    m = expm1_of_negative(-abs(x + x))
    t = -m / (m + type(x)(2))
    return t if x > 0 else -t
