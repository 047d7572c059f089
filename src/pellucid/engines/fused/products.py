"""Matrix products, which take nearly all the time of a larger network, in one of four ways.

| way | what multiplies |
|---|---|
| ``blas`` | PyTorch's default: usually Intel's MKL |
| ``onednn`` | for the larger products the oneDNN library, in float32 as well; faster on some processors |
| ``medium`` | the same without checking that it keeps float32: processors with bfloat16 units may round internally |
| ``bf16`` | operands rounded to bfloat16 (8 significant bits), sums in float32, products rounded to bfloat16 |

The first two differ only in the order of summation, so in the last digits; the others trade accuracy for time and are
used only on request. Weights, updates, activations and losses stay in float32 in all of them, but for pictures: with
``bf16`` their maps are bfloat16 until a layer makes columns of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

__all__ = ["WAYS", "Products", "onednn_is_exact", "worth_onednn"]

Operations = list[Callable[[], object]]

WAYS = ("blas", "onednn", "medium", "bf16")
_MANY = 10_000_000  # multiplications in a product; oneDNN needs some 10 µs before it starts a smaller one


def worth_onednn(rows: int, inputs: int, outputs: int) -> bool:
    """Whether a product ``[outputs, inputs] [inputs, rows]`` is large enough for oneDNN.

    >>> worth_onednn(64, 784, 256), worth_onednn(64, 128, 10)
    (True, False)
    """
    return rows * inputs * outputs >= _MANY


def onednn_is_exact() -> bool:
    """Whether oneDNN multiplies in float32 on this processor: its sums are as accurate as float32's.

    With bfloat16 inside, the error would be about a thousand times as large.
    """
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.rand((256, 256), generator=generator) for _ in range(2))  # all positive: no sum cancels
    product = torch.empty(256, 256)
    _through_onednn(a, b, product)
    true = a.double() @ b.double()
    return bool(((product.double() - true).abs() / true).max() < 1e-5)


class Products:
    """Plans the three products of a Dense layer, computed in one of `WAYS`.

    Legend as in `layers.rule`: w ``[O, I + 1]``, x ``[I + 1, B]``, d ``[O, B]``; with a leading axis K always ``blas``.
    Each operand has its final value when it is first multiplied, so one rounded copy serves all its products.
    """

    def __init__(self, way: str = "blas") -> None:
        self._way = way
        self._halves: dict[tuple[int, torch.Size], Tensor] = {}

    def forward(self, w: Tensor, x: Tensor, z: Tensor) -> Operations:
        """z = w x."""
        return [*self._round(w, x), self._product(self._half(w), self._half(x), z)]

    def weight_gradient(self, d: Tensor, x: Tensor, g: Tensor) -> Operations:
        """g = d xᵀ."""
        return [*self._round(d, x), self._product(self._half(d), self._half(x).transpose(-1, -2), g)]

    def input_gradient(self, w: Tensor, inputs: int, d: Tensor, into: Tensor) -> Operations:
        """∂L/∂x = wᵀ d.

        Parameters
        ----------
        w
            The block ``[O, I + 1]``; its first ``inputs`` columns count.
        inputs
            I.
        d
            ∂L/∂z ``[O, B]``.
        into
            The buffer for ∂L/∂x, ``[I, B]``.
        """
        columns = self._half(w)[..., :inputs].transpose(-1, -2)
        return [*self._round(d), self._product(columns, self._half(d), into)]

    def _round(self, *operands: Tensor) -> Operations:
        """Operations that round the operands that have not been rounded yet."""
        if self._way != "bf16":
            return []
        operations: Operations = []
        for each in operands:
            if (each.data_ptr(), each.shape) not in self._halves:
                half = torch.empty_strided(each.shape, each.stride(), dtype=torch.bfloat16, device=each.device)
                self._halves[each.data_ptr(), each.shape] = half
                operations.append(partial(half.copy_, each))
        return operations

    def _half(self, operand: Tensor) -> Tensor:
        return self._halves.get((operand.data_ptr(), operand.shape), operand)

    def _product(self, a: Tensor, b: Tensor, out: Tensor) -> Callable[[], object]:
        if out.ndim == 3:
            return partial(torch.bmm, a, b, out=out)
        if self._way == "bf16":
            half = torch.empty_strided(out.shape, out.stride(), dtype=torch.bfloat16, device=out.device)
            return partial(_rounded, a, b, half, out)
        large = out.is_cuda or worth_onednn(a.shape[0], a.shape[1], b.shape[1])
        if self._way != "blas" and large:
            return partial(_through_onednn, a, b, out)
        return partial(torch.mm, a, b, out=out)


def _rounded(a: Tensor, b: Tensor, half: Tensor, out: Tensor) -> None:
    torch.mm(a, b, out=half)
    out.copy_(half)


def _through_onednn(a: Tensor, b: Tensor, out: Tensor) -> None:
    """PyTorch hands a float32 product to oneDNN while "medium" precision is allowed (on CUDA: to the tensor cores)."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        torch.mm(a, b, out=out)
    finally:
        torch.set_float32_matmul_precision(before)
