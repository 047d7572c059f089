"""Nothing but the matrix products of a training step, in float32: what no implementation on this library can beat.

For each layer the forward product X·Wᵀ, the gradient of the weights δᵀ·X and, but for the first layer, the gradient
of the inputs δ·W, written into arrays that are there already. PyTorch has several ways to multiply (its own kernels
beneath ``torch.mm``, others where "medium" precision is allowed, each with weights stored as ``[out, in]`` or
``[in, out]``); each product is timed in every way and the fastest of each is taken.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from peers.contestant import Contestant, DoesNotApplyError
from peers.job import Arrays, Job

__all__ = ["Products"]

_TRIES, _SECONDS = 20, 0.05  # a way is timed so often, or for so long
_EXACT = 1e-5  # a way that rounds to fewer bits than float32 does not count

Way = tuple[str, Callable[[], object]]


class Products(Contestant):
    """The sum of the times of the products, each in its fastest way."""

    timed = "the forward and backward products of a step"

    def __init__(self, job: Job, arrays: Arrays) -> None:
        super().__init__(job, arrays)
        torch.set_num_threads(job.threads)
        shapes: list[tuple[int, int, int]] = []
        for i, (inputs, outputs) in enumerate(pairwise(job.widths)):
            shapes += [(job.batch, inputs, outputs), (outputs, job.batch, inputs)]
            shapes += [(job.batch, outputs, inputs)] if i else []
        self.chosen = [_fastest(*shape) for shape in shapes]
        self.precision = ""

    def steps(self, count: int) -> int:
        """The products, one after another."""
        for _ in range(count):
            for precision, multiply in self.chosen:
                if precision != self.precision:
                    torch.set_float32_matmul_precision(precision)
                    self.precision = precision
                multiply()
        return count

    def fit(self) -> None:
        """There is nothing to fit."""
        raise DoesNotApplyError("products learn nothing")

    def probabilities(self, inputs: Any) -> NDArray[Any]:
        """Nor to answer."""
        raise DoesNotApplyError("products answer nothing")


def _fastest(rows: int, inner: int, columns: int) -> Way:
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(*shape, generator=generator) for shape in ((rows, inner), (inner, columns)))
    exact = a.double() @ b.double()
    scale = float(exact.abs().max())
    found: list[tuple[float, Way]] = []
    for precision in ("highest", "medium"):
        torch.set_float32_matmul_precision(precision)
        for left in (a, a.t().contiguous().t()):
            for right in (b, b.t().contiguous().t()):
                for out in (torch.empty(rows, columns), torch.empty(columns, rows).t()):
                    multiply = _product(left, right, out)
                    multiply()
                    if float((out - exact).abs().max()) / scale < _EXACT:
                        found.append((_time(multiply), (precision, multiply)))
    return min(found, key=lambda each: each[0])[1]


def _product(left: torch.Tensor, right: torch.Tensor, out: torch.Tensor) -> Callable[[], object]:
    return lambda: torch.mm(left, right, out=out)


def _time(multiply: Callable[[], object]) -> float:
    times = list[float]()
    while len(times) < 3 or (len(times) < _TRIES and sum(times) < _SECONDS):
        began = time.perf_counter()
        multiply()
        times.append(time.perf_counter() - began)
    return float(np.median(times))
