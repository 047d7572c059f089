"""The loss of a batch and its gradient with respect to the logits: operations on fixed, feature-major buffers.

Every loss here is L = Σ w ℓ / Σ w over the cells of a matrix of targets t, ``[C, B]``, smoothed and weighted
beforehand: for cross-entropy ℓ = −t ln softmax(z) with one weight per row, for the others ℓ(z, t) with one weight per
cell. Without weights, bce, cross-entropy and mse take t in a form that saves an operation or two: u = −t/n, with n the
number of cells.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from pellucid.network.task import Loss

__all__ = ["LossPlan", "loss_operations", "targets_of", "weights_of"]

Operations = list[Callable[[], object]]


def targets_of(loss: Loss, y: Tensor, outputs: int, dtype: torch.dtype) -> Tensor:
    """The matrix t ``[N, C]``: one-hot rows for class numbers ``[N]``, smoothed; numbers as they are.

    Parameters
    ----------
    loss
        The loss, with its label smoothing.
    y
        Targets: class numbers ``[N]`` for cross-entropy, else numbers ``[N, C]``.
    outputs
        The number of logits, C.
    dtype
        The dtype of the one-hot rows.
    """
    if loss.name == "cross_entropy":
        t = torch.full((len(y), outputs), loss.label_smoothing / outputs, dtype=dtype, device=y.device)
        return t.scatter_(1, y[:, None], loss.label_smoothing / outputs + 1 - loss.label_smoothing)
    if loss.name == "bce":
        return (1 - loss.label_smoothing) * y + loss.label_smoothing / 2
    return y


def weights_of(loss: Loss, y: Tensor, row_weights: Tensor | None, dtype: torch.dtype) -> Tensor | None:
    """The weights w, ``[N, 1]`` for cross-entropy, else ``[N, C]``; ``None`` where all are 1.

    Parameters
    ----------
    loss
        The loss, with its class weights.
    y
        Targets as in `targets_of`.
    row_weights
        ``[N]``, or ``None``.
    dtype
        The arithmetic.
    """
    w = None
    if loss.class_weights is not None:
        of_class = torch.tensor(loss.class_weights, dtype=dtype, device=y.device)
        w = of_class[y][:, None] if loss.name == "cross_entropy" else of_class[0] + (of_class[1] - of_class[0]) * y
    if row_weights is not None:
        rows = row_weights.to(dtype)[:, None]
        w = (rows if loss.name == "cross_entropy" else rows.expand(y.shape)) if w is None else w * rows
    return None if w is None else w.contiguous()


@dataclass(frozen=True, kw_only=True, eq=False)
class LossPlan:
    """The loss of a batch and its gradient.

    Attributes
    ----------
    operations
        Leave ∂L/∂z in ``d``, and L / ``unit`` in ``value``.
    factor
        The targets t must be multiplied by this beforehand.
    unit
        See ``operations``.
    """

    operations: Operations
    factor: float
    unit: float


def loss_operations(
    loss: Loss, z: Tensor, t: Tensor, w: Tensor | None, d: Tensor, value: Tensor, *, private: bool
) -> LossPlan:
    """Plan the loss of a batch; the values in the buffers may change between steps.

    Parameters
    ----------
    loss
        Which loss.
    z, t
        Logits and targets ``[C, B]``; the targets are those of `targets_of`, times the plan's ``factor``.
    w
        Weights of `weights_of`, feature-major; or ``None``.
    d
        The buffer for ∂L/∂z, ``[C, B]``.
    value
        The buffer for the loss: a scalar, or ``[K]`` for a stack.
    private
        Whether undocumented PyTorch operators may be used.
    """
    if w is not None:
        return LossPlan(operations=_weighted(loss, z, t, w, d, value), factor=1.0, unit=1.0)
    cells = z.shape[-1] * (1 if loss.name == "cross_entropy" else z.shape[-2])
    if loss.name == "cross_entropy":  # with u = −t/n:  L = Σ u ln p,  ∂L/∂z = u + p/n
        steps: Operations = [
            *_log_softmax(z, d, private=private),
            *_dot(d, t, value),
            partial(torch.exp, d, out=d),
            partial(torch.add, t, d, alpha=1 / cells, out=d),
        ]
        return LossPlan(operations=steps, factor=-1 / cells, unit=1.0)
    if loss.name == "bce":  # with u = −t/n:  n L = Σ ln(1 + eᶻ) + n z u,  ∂L/∂z = u + σ(z)/n
        zero = torch.zeros_like(z)
        steps = [
            partial(torch.logaddexp, z, zero, out=d),
            partial(torch.addcmul, d, z, t, value=cells, out=d),
            _sum(d, value),
            partial(torch.sigmoid, z, out=d),
            partial(torch.add, t, d, alpha=1 / cells, out=d),
        ]
        return LossPlan(operations=steps, factor=-1 / cells, unit=1 / cells)
    if loss.name == "mse":  # with u = −2 t/n:  ∂L/∂z = 2 z/n + u,  L = n/4 Σ (∂L/∂z)²
        steps = [partial(torch.add, t, z, alpha=2 / cells, out=d), *_dot(d, d, value)]
        return LossPlan(operations=steps, factor=-2 / cells, unit=cells / 4)
    cell = torch.empty_like(d)
    first, last = _RULES[loss.name](loss, z, t, d, cell)
    return LossPlan(
        operations=[*first, _sum(cell, value), *last, partial(d.mul_, 1 / cells)], factor=1.0, unit=1 / cells
    )


def _weighted(loss: Loss, z: Tensor, t: Tensor, w: Tensor, d: Tensor, value: Tensor) -> Operations:
    cell = torch.empty_like(d)
    first, last = _RULES[loss.name](loss, z, t, d, cell)
    total, share = w.new_empty((*w.shape[:-2], 1, 1)), torch.empty_like(w)
    return [
        *first,
        partial(torch.sum, w, (-2, -1), keepdim=True, out=total),
        partial(torch.div, w, total, out=share),
        partial(torch.mul, cell, share, out=cell),
        _sum(cell, value),
        *last,
        partial(torch.mul, d, share, out=d),
    ]


def _sum(cell: Tensor, value: Tensor) -> Callable[[], object]:
    return partial(torch.sum, cell, (-2, -1), out=value)


def _dot(one: Tensor, other: Tensor, value: Tensor) -> Operations:
    """Σ of the products, in ``value``."""
    if one.ndim == 2 and one.is_contiguous() and other.is_contiguous():
        return [partial(torch.dot, one.view(-1), other.view(-1), out=value)]
    cell = torch.empty_like(one)
    return [partial(torch.mul, one, other, out=cell), _sum(cell, value)]


def _log_softmax(z: Tensor, out: Tensor, *, private: bool) -> Operations:
    """ln p = z − ln Σ eᶻ, over the classes."""
    if private:
        return [partial(torch.ops.aten._log_softmax.out, z, -2, False, out=out)]
    normaliser = torch.empty_like(z[..., :1, :])
    return [partial(torch.logsumexp, z, -2, keepdim=True, out=normaliser), partial(torch.sub, z, normaliser, out=out)]


def _cross_entropy(loss: Loss, z: Tensor, t: Tensor, d: Tensor, cell: Tensor) -> tuple[Operations, Operations]:
    """ℓ = −t ln p;  ∂/∂z = p − t, because the t of a row sum to 1."""
    first: Operations = [*_log_softmax(z, d, private=False), partial(torch.mul, d, t, out=cell), partial(cell.neg_)]
    return first, [partial(torch.exp, d, out=d), partial(torch.sub, d, t, out=d)]


def _bce(loss: Loss, z: Tensor, t: Tensor, d: Tensor, cell: Tensor) -> tuple[Operations, Operations]:
    """ℓ = ln(1 + eᶻ) − z t;  ∂ℓ/∂z = σ(z) − t."""
    zero = torch.zeros_like(z)
    first: Operations = [
        partial(torch.logaddexp, z, zero, out=cell),
        partial(torch.addcmul, cell, z, t, value=-1, out=cell),
    ]
    return first, [partial(torch.sigmoid, z, out=d), partial(torch.sub, d, t, out=d)]


def _mse(loss: Loss, z: Tensor, t: Tensor, d: Tensor, cell: Tensor) -> tuple[Operations, Operations]:
    """ℓ = e², ∂ℓ/∂z = 2 e, with e = z − t."""
    return [partial(torch.sub, z, t, out=d), partial(torch.mul, d, d, out=cell)], [partial(d.mul_, 2)]


def _mae(loss: Loss, z: Tensor, t: Tensor, d: Tensor, cell: Tensor) -> tuple[Operations, Operations]:
    """ℓ = |e|, ∂ℓ/∂z = sign e."""
    return [partial(torch.sub, z, t, out=d), partial(torch.abs, d, out=cell)], [partial(torch.sign, d, out=d)]


def _huber(loss: Loss, z: Tensor, t: Tensor, d: Tensor, cell: Tensor) -> tuple[Operations, Operations]:
    """With c = e clipped to [−δ, δ]: ℓ = c (e − c/2), ∂ℓ/∂z = c."""
    first: Operations = [
        partial(torch.sub, z, t, out=cell),
        partial(torch.clamp, cell, -loss.delta, loss.delta, out=d),
        partial(torch.sub, cell, d, alpha=0.5, out=cell),
        partial(torch.mul, cell, d, out=cell),
    ]
    return first, []


_RULES = {"cross_entropy": _cross_entropy, "bce": _bce, "mse": _mse, "mae": _mae, "huber": _huber}
