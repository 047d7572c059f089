"""Multi-head self-attention."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, scaled_dot_product_attention

from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.engines.torch_engine.sequences import ReadsLengths, mask_of
from pellucid.network import SelfAttention

__all__ = ["TABLE", "Attention"]


class Attention(ReadsLengths, nn.MultiheadAttention):
    """``nn.MultiheadAttention`` of a sequence with itself, through PyTorch's fused kernel for one attention."""

    def __init__(self, width: int, heads: int, causal: bool) -> None:
        super().__init__(width, heads, batch_first=True)
        self.causal = causal

    def forward(self, input: Tensor) -> Tensor:  # type: ignore[override]  # noqa: A002, the name that PyTorch gives it
        """``[B, T, D]`` to ``[B, T, D]``."""
        rows, steps, width = input.shape
        projected = linear(input, self.in_proj_weight, self.in_proj_bias)
        q, k, v = projected.view(rows, steps, 3, self.num_heads, self.head_dim).permute(2, 0, 3, 1, 4)
        there = mask_of(self.lengths, steps)
        if there is None:
            given = scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        else:
            seen = there[:, None, None, :]
            if self.causal:
                seen = seen & torch.ones(steps, steps, dtype=torch.bool, device=input.device).tril()
            given = scaled_dot_product_attention(q, k, v, attn_mask=seen)
        outputs: Tensor = self.out_proj(given.transpose(1, 2).reshape(rows, steps, width))
        return outputs


def module(layer: SelfAttention, make: Make) -> nn.Module:
    """An `Attention`."""
    return Attention(layer.width, layer.heads, layer.causal)


TABLE = {SelfAttention: Rule(module=module)}
