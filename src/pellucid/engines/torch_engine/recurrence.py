"""The plain recurrent layer and the GRU in one direction, with their way back written out, for training on a processor.

PyTorch computes both from small operations, each with its own result, and autograd records every one of them: a step of
a small layer takes longer between the operations than inside them. Here the inputs of all steps are multiplied at once,
a step is a few operations in place on buffers that are kept from batch to batch, what the way back needs of all steps
is prepared for many steps at once, and the gradient of each weight is one product over all steps.

PyTorch's LSTM has a compiled loop on processors, which is faster than this would be. Autograd of PyTorch's modules is
what the tests compare with.

Legend: T steps, B rows, I inputs, H units; all arrays have their steps first, ``[T, B, …]``. h is the state after a
step, with zeros for the state before the first; ``d`` is ∂L/∂h from outside the layer.
Sources: Elman 1990; Cho et al. 2014, with the candidate's bias inside the reset, as PyTorch has it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

__all__ = ["GRUTape", "Order", "RNNTape", "Tape", "order_of", "reordered", "run"]

_CACHED = 65_536  # numbers of an array that the preparation of some steps takes at once


class Order(NamedTuple):
    """In which order a layer reads the steps of a batch.

    Attributes
    ----------
    into
        ``[T·B]``: where the numbers of step t of row b (at ``t·B + b``) lie in the batch ``[B·T]``.
    back
        ``[B·T]``: the inverse of ``into``.
    padding
        ``[T, B, 1]``: true where the layer reads no step; ``None``: nowhere. Padding comes last, in both directions.
    """

    into: Tensor
    back: Tensor
    padding: Tensor | None


def order_of(rows: int, steps: int, lengths: Tensor | None, *, backwards: bool, device: torch.device) -> Order:
    """The order in which a direction reads the steps of a batch.

    Parameters
    ----------
    rows, steps
        B and T.
    lengths
        The steps of each row that count, ``[B]``; ``None``: all.
    backwards
        From the last step that counts to the first.
    device
        Where the layer is.

    >>> order_of(2, 3, torch.tensor([3, 2]), backwards=True, device=torch.device("cpu")).into.view(3, 2).tolist()
    [[2, 4], [1, 3], [0, 5]]
    """
    t, b = torch.arange(steps, device=device)[:, None], torch.arange(rows, device=device)
    ends = torch.full_like(b, steps) if lengths is None else lengths
    padding = None if lengths is None else (t >= ends)[:, :, None]
    at = t.expand(steps, rows) if not backwards else torch.where(t < ends, ends - 1 - t, t)  # its own inverse
    return Order(into=(b * steps + at).flatten(), back=(at * rows + b).t().flatten(), padding=padding)


class Tape(ABC):
    """The buffers of a layer in one direction, for batches of so many rows and up to so many steps.

    Parameters
    ----------
    steps, rows, inputs, width
        T, B, I and H.
    dtype
        The arithmetic.
    """

    gates = 1

    def __init__(self, steps: int, rows: int, inputs: int, width: int, dtype: torch.dtype) -> None:
        self.steps, self.rows, self.inputs, self.width, self.dtype = steps, rows, inputs, width, dtype
        self.x = self.new(steps, rows, inputs)
        self.h = torch.zeros((steps + 1, rows, width), dtype=dtype)
        self.dz = self.new(steps, rows, self.gates, width)  # ∂L/∂(what the old state is multiplied into)
        self.dh = self.new(steps, rows, width)
        self.many = max(1, _CACHED // (rows * width))

    def new(self, *shape: int) -> Tensor:
        """A buffer."""
        return torch.empty(shape, dtype=self.dtype)

    def fits(self, steps: int, rows: int, dtype: torch.dtype) -> bool:
        """Whether a batch of this size has room."""
        return steps <= self.steps and rows == self.rows and dtype == self.dtype

    @abstractmethod
    def forward(self, steps: int, w: tuple[Tensor, ...]) -> None:
        """From the inputs ``x`` to the states ``h``, by the weights and biases in PyTorch's order."""

    @abstractmethod
    def backward(self, steps: int, d: Tensor, recurrent: Tensor) -> None:
        """Back through time: fills ``dz``; ``d`` is ``[T, B, H]``, ``recurrent`` the weight of the old state."""

    def of_inputs(self, steps: int) -> Tensor:
        """∂L/∂(what the inputs are multiplied into) ``[T·B, gates·H]``; overwrites ``dz``, where both lie."""
        return self.dz[:steps].view(steps * self.rows, -1)


class RNNTape(Tape):
    """h[t] = tanh(W x[t] + b + U h[t−1] + c), or relu for tanh."""

    def __init__(self, steps: int, rows: int, inputs: int, width: int, dtype: torch.dtype) -> None:
        super().__init__(steps, rows, inputs, width, dtype)
        self.relu = False
        h = self.h.unbind()
        self._pairs = list(pairwise(h))
        self._dz = self.dz.view(steps, rows, width).unbind()

    def forward(self, steps: int, w: tuple[Tensor, ...]) -> None:
        """z = W x + b + c for all steps in the place of h, then step by step h ← f(z + U h[t−1])."""
        of_inputs, recurrent, b, c = w
        places = steps * self.rows
        x, z = self.x[:steps].view(places, -1), self.h[1 : steps + 1].view(places, -1)
        torch.addmm(b + c, x, of_inputs.t(), out=z)
        u = recurrent.t().contiguous()
        function = Tensor.relu_ if self.relu else Tensor.tanh_
        for before, h in self._pairs[:steps]:
            function(h.addmm_(before, u))

    def backward(self, steps: int, d: Tensor, recurrent: Tensor) -> None:
        """∂L/∂z[t] = f′ ∂L/∂h[t], with tanh′ = 1 − h²;  ∂L/∂h[t−1] = d[t−1] + ∂L/∂z[t] U."""
        outside, dh = d.unbind(), self.dh[0]
        dh.copy_(outside[-1])
        for end in range(steps, 0, -self.many):
            start = max(0, end - self.many)
            h, slope = self.h[start + 1 : end + 1], self.dz[start:end, :, 0]
            if self.relu:
                torch.gt(h, 0, out=slope)
            else:
                torch.sub(1, torch.mul(h, h, out=slope), out=slope)
            for t in range(end - 1, start - 1, -1):
                dz = self._dz[t].mul_(dh)
                if t:
                    torch.addmm(outside[t - 1], dz, recurrent, out=dh)


class GRUTape(Tape):
    """r, z = σ(…), g = U_n h[t−1] + c_n, n = tanh(W_n x[t] + b_n + r g), h[t] = (1 − z) n + z h[t−1]."""

    gates = 3

    def __init__(self, steps: int, rows: int, inputs: int, width: int, dtype: torch.dtype) -> None:
        super().__init__(steps, rows, inputs, width, dtype)
        self.rz, self.n, self.g = (
            self.new(steps, rows, 2 * width),
            self.new(steps, rows, width),
            self.new(*self.dh.shape),
        )
        self.slope_n, self._spare = self.new(*self.dh.shape), self.new(min(steps, self.many), rows, width)
        r, z, h = self.rz[:, :, :width].unbind(), self.rz[:, :, width:].unbind(), self.h.unbind()
        self._forward = list(zip(self.rz.unbind(), r, z, self.n.unbind(), self.g.unbind(), h, h[1:], strict=False))
        flat, dh = self.dz.view(steps, rows, -1).unbind(), self.dh.unbind()
        self._backward = list(zip(self.dz.unbind(), flat, z, dh, self.dh.unsqueeze(2).unbind(), strict=True))

    def forward(self, steps: int, w: tuple[Tensor, ...]) -> None:
        """The products with the inputs for all steps, then step by step the gates and the state."""
        of_inputs, recurrent, b, c = w
        gates, places = 2 * self.width, steps * self.rows
        x, v = self.x[:steps].view(places, -1), of_inputs.t()
        torch.addmm((b + c)[:gates], x, v[:, :gates], out=self.rz[:steps].view(places, -1))
        torch.addmm(b[gates:], x, v[:, gates:], out=self.n[:steps].view(places, -1))
        u, u_n = (part.t().contiguous() for part in (recurrent[:gates], recurrent[gates:]))
        c_n = c[gates:].expand(self.rows, -1)
        for rz, r, z, n, g, before, h in self._forward[:steps]:
            rz.addmm_(before, u).sigmoid_()
            torch.addmm(c_n, before, u_n, out=g)
            n.addcmul_(r, g).tanh_()
            torch.lerp(n, before, z, out=h)

    def backward(self, steps: int, d: Tensor, recurrent: Tensor) -> None:
        """All that ∂L/∂h[t] is multiplied by, for many steps at once; then ∂L/∂h step by step.

        | towards | factor of ∂L/∂h[t] |
        |---|---|
        | the candidate's sum | s = (1 − z)(1 − n²) |
        | g | s r |
        | the reset's sum | s g r (1 − r) |
        | the update's sum | (h[t−1] − n) z (1 − z) |
        | h[t−1], past the gates | z |
        """
        outside = d.unbind()
        self.dh[steps - 1].copy_(outside[-1])
        for end in range(steps, 0, -self.many):
            start = max(0, end - self.many)
            self._factors(slice(start, end))
            for t in range(end - 1, start - 1, -1):
                dz, flat, z, dh, dh_of_each = self._backward[t]
                dz.mul_(dh_of_each)
                if t:
                    torch.addcmul(outside[t - 1], dh, z, out=self._backward[t - 1][3]).addmm_(flat, recurrent)

    def _factors(self, at: slice) -> None:
        """The factors of the table in ``dz``, in the order r, z, g, and s in ``slope_n``."""
        width = self.width
        r, z, n, g = self.rz[at, :, :width], self.rz[at, :, width:], self.n[at], self.g[at]
        before, s, rest = self.h[at], self.slope_n[at], self._spare[: len(n)]
        of_r, of_z, of_g = self.dz[at].unbind(2)
        torch.sub(1, z, out=rest)
        torch.addcmul(rest, rest, torch.mul(n, n, out=s), value=-1, out=s)
        torch.mul(s, r, out=of_g)
        torch.mul(of_g, g, out=of_r)
        torch.addcmul(of_r, of_r, r, value=-1, out=of_r)
        torch.sub(before, n, out=of_z).mul_(rest.mul_(z))

    def of_inputs(self, steps: int) -> Tensor:
        """The candidate's sum has its inputs outside the reset: ∂L/∂g gives way to ∂L/∂(W_n x)."""
        torch.mul(self.slope_n[:steps], self.dh[:steps], out=self.dz[:steps, :, 2])
        return super().of_inputs(steps)


class _Run(torch.autograd.Function):
    """A layer in one direction: ``[B, T, I]`` to ``[B, T, H]``."""

    @staticmethod
    def forward(ctx: Any, tape: Tape, done: Callable[[Tape], None], order: Order, x: Tensor, *w: Tensor) -> Tensor:
        rows, steps, inputs = x.shape
        flat = x.reshape(rows * steps, inputs)
        torch.index_select(flat, 0, order.into, out=tape.x[:steps].view(rows * steps, inputs))
        tape.forward(steps, w)
        h = tape.h[1 : steps + 1]
        if order.padding is not None:
            h.masked_fill_(order.padding, 0)
        ctx.tape, ctx.done, ctx.order = tape, done, order
        ctx.save_for_backward(*w[:2])
        return h.view(rows * steps, -1).index_select(0, order.back).view(rows, steps, -1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor) -> tuple[Tensor | None, ...]:
        tape, order = ctx.tape, ctx.order
        if tape is None:
            raise RuntimeError("Trying to backward through a recurrent layer a second time: its buffers are reused")
        of_inputs, recurrent = ctx.saved_tensors
        rows, steps, width = d_outputs.shape
        places = rows * steps
        d = d_outputs.reshape(places, width).index_select(0, order.into).view(steps, rows, width)
        if order.padding is not None:
            d.masked_fill_(order.padding, 0)
        tape.backward(steps, d, recurrent)
        d_weights: tuple[Tensor | None, ...] = (None,) * 4
        dz = tape.dz[:steps].view(places, -1)
        learns = ctx.needs_input_grad[4]
        if learns:
            d_recurrent, d_c = dz.t() @ tape.h[:steps].view(places, width), dz.sum(0)
        dz = tape.of_inputs(steps)
        if learns:
            d_weights = dz.t() @ tape.x[:steps].view(places, -1), d_recurrent, dz.sum(0), d_c
        d_x = None
        if ctx.needs_input_grad[3]:
            d_x = (dz @ of_inputs).index_select(0, order.back).view(rows, steps, -1)
        ctx.tape = None
        ctx.done(tape)
        return None, None, None, d_x, *d_weights


def run(tape: Tape, done: Callable[[Tape], None], order: Order, x: Tensor, weights: tuple[Tensor, ...]) -> Tensor:
    """The states of a layer in one direction, ``[B, T, H]``, with zeros at padded steps.

    Parameters
    ----------
    tape
        Buffers with room for the batch, which nobody else uses until ``done``.
    done
        Takes the buffers back after the way back; never called without one.
    order
        In which order the steps are read.
    x
        The batch ``[B, T, I]``.
    weights
        Of the inputs, of the old state, and the two biases, as PyTorch's modules have them.
    """
    states: Tensor = _Run.apply(tape, done, order, x, *weights)  # type: ignore[no-untyped-call]
    return states


class _Reordered(torch.autograd.Function):
    """Rows of a matrix in another order; the way back is the inverse order."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, to: Tensor, back: Tensor) -> Tensor:
        ctx.back = back
        return x.index_select(0, to)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d: Tensor) -> tuple[Tensor, None, None]:
        return d.index_select(0, ctx.back), None, None


def reordered(x: Tensor, to: Tensor, back: Tensor) -> Tensor:
    """The rows of ``x`` in the order ``to``, whose inverse is ``back``; autograd would add them up one by one."""
    rows: Tensor = _Reordered.apply(x, to, back)  # type: ignore[no-untyped-call]
    return rows
