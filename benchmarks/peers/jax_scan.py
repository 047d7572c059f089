"""JAX with the whole loop compiled: ``jit`` around ``lax.scan`` over the steps of an epoch, Adam written out."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from peers.contestant import Contestant, both_classes
from peers.job import LEARNING_RATE, Arrays, Job

__all__ = ["Jax"]

_B1, _B2, _EPS = 0.9, 0.999, 1e-8
_AT_ONCE = 2e8  # multiplications and additions of a compiled scan in the timing of steps
_MOST, _LEAST = 200, 8  # steps

Weights = list[tuple[jax.Array, jax.Array]]
State = tuple[Weights, Weights, Weights, jax.Array]  # weights, first moments, second moments, steps done


def logits_of(weights: Weights, x: jax.Array, dropout: float = 0.0, key: jax.Array | None = None) -> jax.Array:
    """Logits ``[N, C]`` of rows ``[N, I]``; with a key, hidden units are dropped."""
    for i, (w, b) in enumerate(weights[:-1]):
        x = jax.nn.relu(x @ w + b)
        if dropout and key is not None:
            keep = jax.random.bernoulli(jax.random.fold_in(key, i), 1 - dropout, x.shape)
            x = jnp.where(keep, x / (1 - dropout), 0)
    w, b = weights[-1]
    return x @ w + b


def loss_of(weights: Weights, x: jax.Array, y: jax.Array, key: jax.Array, *, binary: bool, dropout: float) -> jax.Array:
    """Mean cross-entropy of a batch."""
    z = logits_of(weights, x, dropout, key)
    if binary:
        z = z[:, 0]
        return jnp.mean(jax.nn.softplus(z) - y * z)
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], axis=1))


def adam(state: State, gradients: Weights) -> State:
    """One update of every array."""
    weights, first, second, count = state
    count = count + 1
    first = jax.tree.map(lambda m, g: _B1 * m + (1 - _B1) * g, first, gradients)
    second = jax.tree.map(lambda v, g: _B2 * v + (1 - _B2) * g * g, second, gradients)
    rate = LEARNING_RATE / (1 - _B1**count)
    scale = jnp.sqrt(1 - _B2**count)
    weights = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) / scale + _EPS), weights, first, second)
    return weights, first, second, count


def epoch_of(job: Job) -> Callable[..., State]:
    """A function of state, rows, an order of them and a key, that learns from all batches of the order."""
    loss = partial(loss_of, binary=job.is_binary, dropout=job.dropout)

    def epoch(state: State, x: jax.Array, y: jax.Array, order: jax.Array, key: jax.Array) -> State:
        def step(state: State, rows: jax.Array) -> tuple[State, None]:
            gradients = jax.grad(loss)(state[0], x[rows], y[rows], jax.random.fold_in(key, state[3]))
            return adam(state, gradients), None

        whole = len(order) // job.batch
        state, _ = jax.lax.scan(step, state, order[: whole * job.batch].reshape(whole, job.batch))
        rest = order[whole * job.batch :]
        return step(state, rest)[0] if len(rest) else state

    return epoch


class Jax(Contestant):
    """A training loop that Python sees once an epoch."""

    timed = "steps inside the compiled scan, compilation apart; the batch's rows are gathered from the table"

    def __init__(self, job: Job, arrays: Arrays) -> None:
        super().__init__(job, arrays)
        self.x = jnp.asarray(arrays.x)
        self.y = jnp.asarray(arrays.y.astype(np.float32 if job.is_binary else np.int32))
        self.state = self._new()
        self.compiled: Any = None
        self.compile_seconds = 0.0
        self.answer = jax.jit(self._answer)

    def _new(self) -> State:
        generator = np.random.default_rng(0)
        weights = []
        for inputs, outputs in pairwise(self.job.widths):
            bound = inputs**-0.5
            w = generator.uniform(-bound, bound, (inputs, outputs)).astype(np.float32)
            b = generator.uniform(-bound, bound, outputs).astype(np.float32)
            weights.append((jnp.asarray(w), jnp.asarray(b)))
        zeros = jax.tree.map(jnp.zeros_like, weights)
        return weights, zeros, zeros, jnp.zeros((), jnp.int32)

    def _compile(self, n_rows: int) -> Any:
        began = time.perf_counter()
        order, key = jnp.zeros(n_rows, jnp.int32), jax.random.key(0)
        compiled = jax.jit(epoch_of(self.job)).lower(self.state, self.x, self.y, order, key).compile()
        self.compile_seconds = time.perf_counter() - began
        return compiled

    def steps(self, count: int) -> int:
        """Scans of a fixed number of steps."""
        if self.compiled is None:
            self.at_once = int(min(_MOST, max(_LEAST, _AT_ONCE / self.job.products)))
            order = np.resize(np.random.default_rng(0).permutation(len(self.x)), self.at_once * self.job.batch)
            self.order = jnp.asarray(order.astype(np.int32))
            self.compiled = self._compile(len(order))
        done = 0
        while done < count:
            self.state = self.compiled(self.state, self.x, self.y, self.order, jax.random.key(0))
            done += self.at_once
        jax.block_until_ready(self.state)
        return done

    def fit(self) -> None:
        """All epochs, compiled anew as in a new process."""
        jax.clear_caches()
        self.state = self._new()
        compiled = self._compile(len(self.x))
        key = jax.random.key(0)
        for i in range(self.job.epochs):
            shuffle, drop = jax.random.split(jax.random.fold_in(key, i))
            order = jax.random.permutation(shuffle, len(self.x)).astype(jnp.int32)
            self.state = compiled(self.state, self.x, self.y, order, drop)
        jax.block_until_ready(self.state)

    def _answer(self, weights: Weights, x: jax.Array) -> jax.Array:
        z = logits_of(weights, x)
        return jax.nn.sigmoid(z) if self.job.is_binary else jax.nn.softmax(z)

    def probabilities(self, inputs: Any) -> NDArray[Any]:
        """All rows at once, compiled for their number."""
        p = np.asarray(self.answer(self.state[0], inputs))
        return both_classes(p) if self.job.is_binary else p

    def facts(self) -> dict[str, float]:
        """What the last compilation took."""
        return {"compile_seconds": self.compile_seconds}
