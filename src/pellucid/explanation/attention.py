"""Self-attention of a traced row: scores, weights and what they make, and ∂L/∂ of each of them.

Legend: ``T`` steps, ``D`` numbers of a step, ``H`` heads, ``d`` numbers of a head. In ``[H, T, T]`` the first T is the
step that looks, the second the step that is looked at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.explanation.trace import LayerAtWork
from pellucid.network import SelfAttention

__all__ = ["Attention", "attention_of"]

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Attention:
    """What each head of a layer did with a row.

    Attributes
    ----------
    queries, keys, values
        ``[H, T, d]``.
    scores
        S = q · k / √d ``[H, T, T]``; NaN where a step is not seen: padding and, if causal, a later step.
    weights
        P, the softmax of S ``[H, T, T]``.
    context
        c = Σ P · v of all heads side by side, ``[T, D]``.
    d_queries, d_keys, d_values, d_scores, d_weights, d_context
        ∂L/∂ of each; ``None`` if the row's target is not known.
    """

    queries: Array
    keys: Array
    values: Array
    scores: Array
    weights: Array
    context: Array
    d_queries: Array | None = None
    d_keys: Array | None = None
    d_values: Array | None = None
    d_scores: Array | None = None
    d_weights: Array | None = None
    d_context: Array | None = None

    @property
    def heads(self) -> int:
        """H."""
        return len(self.weights)


def attention_of(work: LayerAtWork, steps: int | None = None) -> Attention:
    """What a `SelfAttention` layer did with a row.

    Parameters
    ----------
    work
        The layer in a trace.
    steps
        How many steps of the row count; ``None``: all.
    """
    layer = work.layer
    assert isinstance(layer, SelfAttention)
    queries, keys, values, weights = (work.kept[name][0] for name in ("q", "k", "v", "weights"))
    root = math.sqrt(queries.shape[-1])
    many = weights.shape[-1]
    seen = np.arange(many) < (many if steps is None else steps)
    visible = np.tri(many, dtype=bool) & seen if layer.causal else np.broadcast_to(seen, (many, many))
    forward: dict[str, Any] = {
        "queries": queries, "keys": keys, "values": values, "weights": weights,
        "scores": np.where(visible, queries @ keys.swapaxes(-1, -2) / root, np.nan),
        "context": work.kept["context"][0],
    }  # fmt: skip
    if work.d_outputs is None:
        return Attention(**forward)
    d_context = work.d_outputs.reshape(work.shape_out) @ work.parameters["out_proj.weight"]  # ∂L/∂c = ∂L/∂z W_out
    d_weights = _to_heads(d_context, layer.heads) @ values.swapaxes(-1, -2)  # ∂L/∂P = ∂L/∂c vᵀ
    d_queries, d_keys, d_values = (
        _to_heads(each, layer.heads) for each in np.split(work.kept_back["d_projected"][0], 3, axis=-1)
    )
    return Attention(
        **forward,
        d_context=d_context,
        d_weights=d_weights,
        d_scores=weights * (d_weights - (weights * d_weights).sum(axis=-1, keepdims=True)),
        d_queries=d_queries,
        d_keys=d_keys,
        d_values=d_values,
    )


def _to_heads(x: Array, heads: int) -> Array:
    """``[T, D]`` to ``[H, T, d]``."""
    return x.reshape(len(x), heads, -1).swapaxes(0, 1)
