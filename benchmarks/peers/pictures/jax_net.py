"""JAX with the loop compiled: ``jit`` around ``lax.scan`` over steps; layers and Adam written out."""

from __future__ import annotations

import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import NDArray

from peers.job import LEARNING_RATE, Arrays
from peers.pictures.job import PictureContestant, PictureJob, normalised

__all__ = ["Jax"]

_B1, _B2, _EPS = 0.9, 0.999, 1e-8
_AT_ONCE = 4  # steps in a compiled scan
_ROWS_AT_ONCE = 500

Weights = list[dict[str, jax.Array]]


def convolve(x: jax.Array, w: jax.Array) -> jax.Array:
    """3 × 3, same, ``[B, H, W, C]``."""
    return lax.conv_general_dilated(x, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def pool(x: jax.Array) -> jax.Array:
    """Max pooling of 2 × 2."""
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


class Jax(PictureContestant):
    """A training loop that Python sees once in a few steps."""

    timed = "steps inside the compiled scan, compilation apart; the batch's rows are gathered from the table"

    def __init__(self, job: PictureJob, arrays: Arrays) -> None:
        super().__init__(job, arrays)
        self.x = jnp.asarray(np.ascontiguousarray(normalised(arrays.x).transpose(0, 2, 3, 1)))
        self.y = jnp.asarray(arrays.y.astype(np.int32))
        generator = np.random.default_rng(0)
        weights: Weights = []
        for before, after, _ in job.convolutions():
            bound = (9 * before) ** -0.5
            w = generator.uniform(-bound, bound, (3, 3, before, after)).astype(np.float32)
            weights.append({"w": jnp.asarray(w), "scale": jnp.ones(after), "shift": jnp.zeros(after)})
        last = job.channels[-1]
        head = generator.uniform(-(last**-0.5), last**-0.5, (last, job.classes)).astype(np.float32)
        weights.append({"w": jnp.asarray(head), "b": jnp.zeros(job.classes)})
        running = [(jnp.zeros(after), jnp.ones(after)) for _, after, _ in job.convolutions()]
        zeros = jax.tree.map(jnp.zeros_like, weights)
        self.state: Any = (weights, zeros, zeros, running, jnp.zeros((), jnp.int32))
        self.compiled: Any = None
        self.compile_seconds = 0.0
        self.answer = jax.jit(lambda weights, running, x: self._forward(weights, running, x, training=False)[0])

    def _forward(self, weights: Weights, running: Any, x: jax.Array, *, training: bool) -> tuple[jax.Array, Any]:
        moved = []
        layers = zip(weights[:-1], running, self.job.convolutions(), strict=True)
        for layer, (mean, variance), (_, _, pooled) in layers:
            x = convolve(x, layer["w"])
            x = pool(x) if pooled else x
            if training:
                m, v = x.mean((0, 1, 2)), x.var((0, 1, 2))
                moved.append((0.9 * mean + 0.1 * m, 0.9 * variance + 0.1 * v))
            else:
                m, v = mean, variance
            x = jax.nn.relu((x - m) * (layer["scale"] * lax.rsqrt(v + 1e-5)) + layer["shift"])
        return x.mean((1, 2)) @ weights[-1]["w"] + weights[-1]["b"], moved

    def _run(self, state: Any, x: jax.Array, y: jax.Array, order: jax.Array) -> Any:
        def loss(weights: Weights, running: Any, rows: jax.Array) -> tuple[jax.Array, Any]:
            z, moved = self._forward(weights, running, x[rows], training=True)
            return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(z), y[rows][:, None], axis=1)), moved

        def step(state: Any, rows: jax.Array) -> tuple[Any, None]:
            weights, first, second, running, count = state
            gradients, running = jax.grad(loss, has_aux=True)(weights, running, rows)
            count = count + 1
            first = jax.tree.map(lambda m, g: _B1 * m + (1 - _B1) * g, first, gradients)
            second = jax.tree.map(lambda v, g: _B2 * v + (1 - _B2) * g * g, second, gradients)
            rate, scale = LEARNING_RATE / (1 - _B1**count), jnp.sqrt(1 - _B2**count)
            weights = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) / scale + _EPS), weights, first, second)
            return (weights, first, second, running, count), None

        return lax.scan(step, state, order)[0]

    def steps(self, count: int) -> int:
        """Scans of a few steps."""
        done = 0
        while done < count:
            order = jnp.asarray(np.stack([self.next_rows() for _ in range(_AT_ONCE)]).astype(np.int32))
            if self.compiled is None:
                began = time.perf_counter()
                self.compiled = jax.jit(self._run).lower(self.state, self.x, self.y, order).compile()
                self.compile_seconds = time.perf_counter() - began
            self.state = self.compiled(self.state, self.x, self.y, order)
            done += _AT_ONCE
        jax.block_until_ready(self.state)
        return done

    def logits(self, inputs: Any) -> NDArray[Any]:
        """Some rows at a time, compiled for their number."""
        x = np.ascontiguousarray(inputs.transpose(0, 2, 3, 1))
        parts = [
            np.asarray(self.answer(self.state[0], self.state[3], x[i : i + _ROWS_AT_ONCE]))
            for i in range(0, len(x), _ROWS_AT_ONCE)
        ]
        return np.concatenate(parts)

    def facts(self) -> dict[str, float]:
        """What compilation took."""
        return {"compile_seconds": self.compile_seconds}
