"""Sums of products, feature-major, for both passes of a Dense layer.

Legend: ``m`` rows of data; ``x`` and ``y`` buffers ``[R, M]`` whose rows are features, M ≥ m; ``w`` all weights of a
network in one array ``[P]``.

The loops take four features at a time, so that each number loaded or stored serves four multiplications.
"""

from __future__ import annotations

from typing import Any

from pellucid.engines.kernel.compiled import compiled, summing

__all__ = ["weight_gradients", "weighted_sums"]


@compiled
def weighted_sums(
    x: Any, x_at: int, n_x: int, y: Any, y_at: int, n_y: int, w: Any, w_at: int, step_y: int, step_x: int,
    bias_at: int, m: int
) -> None:  # fmt: skip
    """y_j = b_j + Σᵢ w_ji x_i for each of the m rows, with w_ji at ``w_at + j · step_y + i · step_x``.

    Forward, ``step_x`` is 1 and y = W x + b. Backward, y is ∂L/∂x = Wᵀ d: the same sum with the two steps exchanged
    and without a bias (``bias_at`` −1).

    Parameters
    ----------
    x, x_at, n_x
        A buffer, the first row to read, and the number of rows.
    y, y_at, n_y
        The same for the rows to write; the buffer may be the same as x.
    w, w_at, step_y, step_x
        All weights ``[P]``, and where w_ji is.
    bias_at
        Where the first bias is, or −1.
    m
        How many columns count.
    """
    first = n_x - 4 * ((n_x - 1) // 4)  # 1 to 4, so that the rest is a multiple of four
    for j in range(n_y):
        to = y_at + j
        at = w_at + j * step_y
        b = w[bias_at + j] if bias_at >= 0 else w.dtype.type(0)
        w0 = w[at]
        if first == 1:
            for r in range(m):
                y[to, r] = b + w0 * x[x_at, r]
        elif first == 2:
            w1 = w[at + step_x]
            for r in range(m):
                y[to, r] = b + w0 * x[x_at, r] + w1 * x[x_at + 1, r]
        elif first == 3:
            w1, w2 = w[at + step_x], w[at + 2 * step_x]
            for r in range(m):
                y[to, r] = b + w0 * x[x_at, r] + w1 * x[x_at + 1, r] + w2 * x[x_at + 2, r]
        else:
            w1, w2, w3 = w[at + step_x], w[at + 2 * step_x], w[at + 3 * step_x]
            for r in range(m):
                y[to, r] = b + w0 * x[x_at, r] + w1 * x[x_at + 1, r] + w2 * x[x_at + 2, r] + w3 * x[x_at + 3, r]
        for i in range(first, n_x, 4):
            at_i, row = at + i * step_x, x_at + i
            w0, w1, w2, w3 = w[at_i], w[at_i + step_x], w[at_i + 2 * step_x], w[at_i + 3 * step_x]
            for r in range(m):
                y[to, r] += w0 * x[row, r] + w1 * x[row + 1, r] + w2 * x[row + 2, r] + w3 * x[row + 3, r]


@summing
def weight_gradients(  # noqa: PLR0912, a branch for each number of features left over
    x: Any, x_at: int, n_x: int, d: Any, d_at: int, n_d: int, g: Any, g_at: int, bias_at: int, m: int
) -> None:  # fmt: skip
    """∂L/∂W_ji = Σ d_j x_i and ∂L/∂b_j = Σ d_j over the m rows, added to the gradients ``g`` ``[P]``.

    Parameters
    ----------
    x, x_at, n_x
        The buffer of activations, the layer's first input row in it, and the number of input rows.
    d, d_at, n_d
        The same for ∂L/∂(its output).
    g, g_at, bias_at
        All gradients, and where those of the weight and the bias start; −1 without a bias.
    m
        How many columns count.
    """
    first = n_x - 4 * ((n_x - 1) // 4)
    zero = g.dtype.type(0)
    for j in range(n_d):
        of = d_at + j
        at = g_at + j * n_x
        s0, s1, s2, s3, s = zero, zero, zero, zero, zero
        if first == 1:
            for r in range(m):
                s += d[of, r]
                s0 += d[of, r] * x[x_at, r]
        elif first == 2:
            for r in range(m):
                s += d[of, r]
                s0 += d[of, r] * x[x_at, r]
                s1 += d[of, r] * x[x_at + 1, r]
        elif first == 3:
            for r in range(m):
                s += d[of, r]
                s0 += d[of, r] * x[x_at, r]
                s1 += d[of, r] * x[x_at + 1, r]
                s2 += d[of, r] * x[x_at + 2, r]
        else:
            for r in range(m):
                s += d[of, r]
                s0 += d[of, r] * x[x_at, r]
                s1 += d[of, r] * x[x_at + 1, r]
                s2 += d[of, r] * x[x_at + 2, r]
                s3 += d[of, r] * x[x_at + 3, r]
        if bias_at >= 0:
            g[bias_at + j] += s
        g[at] += s0
        if first > 1:
            g[at + 1] += s1
        if first > 2:
            g[at + 2] += s2
        if first > 3:
            g[at + 3] += s3
        for i in range(first, n_x, 4):
            row = x_at + i
            s0, s1, s2, s3 = zero, zero, zero, zero
            for r in range(m):
                s0 += d[of, r] * x[row, r]
                s1 += d[of, r] * x[row + 1, r]
                s2 += d[of, r] * x[row + 2, r]
                s3 += d[of, r] * x[row + 3, r]
            g[at + i] += s0
            g[at + i + 1] += s1
            g[at + i + 2] += s2
            g[at + i + 3] += s3
