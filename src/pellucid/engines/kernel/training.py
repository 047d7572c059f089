"""The compiled run: forward, loss, backward and update, step after step, without returning to Python.

Legend: S networks, N rows of data, P parameters; ``w`` and ``g`` ``[P]`` a network's weights and gradients; ``x``,
``t`` and ``u`` inputs, targets and weights of all rows, ``[I, N]``, ``[C, N]`` and ``[C, N]`` or ``[1, N]``. Buffers
have M columns, for so many rows at a time: ``a`` for what each layer gives, ``d`` for ∂L/∂a, ``tb`` and ``ub`` for
targets and weights. ``table`` and ``codes`` are those of `packing`: a row for each layer; loss, rule, and where the
logits are.
"""

from __future__ import annotations

import math
from typing import Any

from pellucid.engines.kernel import compiled_activations as activations
from pellucid.engines.kernel.compiled import SOURCE, CachedFunction, compiled
from pellucid.engines.kernel.compiled_dense import weight_gradients, weighted_sums
from pellucid.engines.kernel.layers.dense import DENSE
from pellucid.engines.kernel.losses import loss_gradient, sum_of_weights
from pellucid.engines.kernel.updates import apply_rule

__all__ = ["answer", "train", "update"]


@compiled
def _forward(table: Any, w: Any, a: Any, m: int) -> None:
    for i in range(table.shape[0]):
        kind, at, to, kept, n_from, n_to, weight, bias = (
            table[i, 0], table[i, 1], table[i, 2], table[i, 3], table[i, 4], table[i, 5], table[i, 6], table[i, 7],
        )  # fmt: skip
        if kind == DENSE:
            weighted_sums(a, at, n_from, a, to, n_to, w, weight, n_from, 1, bias, m)
        else:
            activations.forward(kind, a, at, to, kept, n_to, m)


@compiled
def _backward(table: Any, w: Any, a: Any, d: Any, g: Any, m: int) -> None:
    """From ∂L/∂logits in the first rows of ``d`` to the gradients, which are added to ``g``."""
    here, there = 0, (d.shape[0] - 2) // 2  # d has two halves: a layer reads one and writes the other
    for i in range(table.shape[0] - 1, -1, -1):
        kind, at, to, kept, n_from, n_to, weight, bias = (
            table[i, 0], table[i, 1], table[i, 2], table[i, 3], table[i, 4], table[i, 5], table[i, 6], table[i, 7],
        )  # fmt: skip
        if kind != DENSE:
            activations.backward(kind, a, to, kept, d, here, n_to, m)
            continue
        weight_gradients(a, at, n_from, d, here, n_to, g, weight, bias, m)
        if kept == 0:
            return
        weighted_sums(d, here, n_to, d, there, n_from, w, weight, 1, n_from, -1, m)
        here, there = there, here


@compiled
def _fetch(source: Any, order: Any, start: int, m: int, into: Any) -> None:
    """Columns of ``source`` ``[C, N]`` in ``order``, or in their own order if that is empty."""
    for c in range(source.shape[0]):
        given, row = source[c], into[c]
        if len(order) == 0:
            given = given[start : start + m]
            for r in range(m):
                row[r] = given[r]
        else:
            named = order[start : start + m]
            for r in range(m):
                row[r] = given[named[r]]


@compiled
def _learn(
    table: Any, codes: Any, constants: Any, w: Any, x: Any, t: Any, u: Any, order: Any, start: int, stop: int,
    a: Any, d: Any, g: Any, tb: Any, ub: Any, asked: bool, loaded: bool
) -> float:  # fmt: skip
    """The gradients of one batch, in ``g``; returns its loss where it is asked for.

    ``loaded`` says that the buffers hold these rows already.
    """
    zero, unit = w.dtype.type(0), w.dtype.type(1)
    for i in range(len(g)):
        g[i] = zero
    # Rows of data go through the network a buffer at a time; Σ w is of all of them.
    most = min(a.shape[1], stop - start)
    if not loaded and most < stop - start:
        weight = zero
        for at in range(start, stop, most):
            m = min(most, stop - at)
            _fetch(u, order, at, m, ub)
            weight += sum_of_weights(ub, u.shape[0], m)
        unit = unit / weight
    value = 0.0
    for at in range(start, stop, most):
        m = min(most, stop - at)
        if not loaded:
            _fetch(x, order, at, m, a)
            _fetch(t, order, at, m, tb)
            _fetch(u, order, at, m, ub)
        if m == stop - start:
            unit = w.dtype.type(1) / sum_of_weights(ub, u.shape[0], m)
        _forward(table, w, a, m)
        value += loss_gradient(
            codes[0], constants[7], a, codes[2], t.shape[0], tb, ub, unit, d, 0, d.shape[0] - 2, m, asked
        )  # fmt: skip
        _backward(table, w, a, d, g, m)
    return value * float(unit)


@compiled
def _named(orders: Any, rows: int) -> bool:
    """Whether all the numbers are valid row numbers; others would read foreign memory."""
    wrong = 0
    for s in range(orders.shape[0]):
        for e in range(orders.shape[1]):
            for r in range(orders.shape[2]):
                wrong += orders[s, e, r] < 0 or orders[s, e, r] >= rows
    return wrong == 0


def _make_train(source: int) -> CachedFunction:
    def train(
        table: Any, codes: Any, constants: Any, weights: Any, memory: Any, done: int, x: Any, t: Any, u: Any,
        orders: Any, size: int, epochs: int, rates: Any, losses: Any, a: Any, d: Any, g: Any, tb: Any, ub: Any,
        learn: bool
    ) -> int:  # fmt: skip
        steps = 0 * source  # uses the checksum, so that it becomes part of the stored code's key
        n = orders.shape[2] if orders.shape[2] > 0 else x.shape[2]
        if not _named(orders, x.shape[2]):
            return -1
        whole = size >= n and orders.shape[2] == 0 and n <= a.shape[1]
        asked = losses.shape[1] > 0
        for s in range(weights.shape[0]):
            w = weights[s]
            shared = min(s, x.shape[0] - 1)
            steps, seen = 0, 0
            for epoch in range(epochs):
                order = orders[min(s, orders.shape[0] - 1), epoch]
                for start in range(0, n, size):
                    stop = min(start + size, n)
                    loaded = whole and epoch > 0
                    loss = _learn(
                        table, codes, constants, w, x[shared], t[shared], u[shared], order, start, stop,
                        a, d, g, tb, ub, asked, loaded,
                    )  # fmt: skip
                    if asked:
                        losses[s, seen] = loss
                    if learn and (not asked or math.isfinite(loss)):
                        steps += 1
                        lr = rates[min(s, rates.shape[0] - 1), min(seen, rates.shape[1] - 1)]
                        apply_rule(codes[1], constants, w, g, memory[s], lr, done + steps)
                    seen += 1
        return steps

    return CachedFunction(train)


def _make_answer(source: int) -> CachedFunction:
    def answer(table: Any, w: Any, x: Any, logits_at: int, a: Any, logits: Any) -> int:
        n, most = x.shape[1], a.shape[1]
        for start in range(0, n, most):
            m = min(most, n - start)
            for c in range(x.shape[0]):
                for r in range(m):
                    a[c, r] = x[c, start + r]
            _forward(table, w, a, m)
            for c in range(logits.shape[0]):
                for r in range(m):
                    logits[c, start + r] = a[logits_at + c, r]
        return 0 * source

    return CachedFunction(answer)


def _make_update(source: int) -> CachedFunction:
    def update(codes: Any, constants: Any, weights: Any, g: Any, memory: Any, lr: float, t: int) -> int:
        apply_rule(codes[1], constants, weights[0], g, memory[0], lr, t)
        return 0 * source

    return CachedFunction(update)


train = _make_train(SOURCE)
answer = _make_answer(SOURCE)
update = _make_update(SOURCE)
