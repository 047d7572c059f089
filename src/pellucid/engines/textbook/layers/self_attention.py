"""Multi-head self-attention: each step looks at all steps and takes a weighted mean of what they offer.

From each step come three vectors: a query (what it looks for), a key (what it can be found by) and a value (what it
gives). The more alike a query and a key are, the larger the weight of that value:

    attention(Q, K, V) = softmax(Q Kᵀ / √d) V

Several heads do this side by side, each with d = D / H numbers, so that a step can look for several things at once.

Legend: B rows, T steps, D numbers of a step, H heads, d = D / H numbers of a head. In ``[B, H, T, T]`` the first T is
the step that looks, the second the step that is looked at.
"""

from __future__ import annotations

import math

import numpy as np

from pellucid.engines.textbook.activations import softmax
from pellucid.engines.textbook.layers.rule import (
    Array,
    BackwardWalk,
    ForwardWalk,
    Given,
    Parameters,
    Returned,
    Rule,
    Step,
)
from pellucid.engines.textbook.sequences import mask_of
from pellucid.network import SelfAttention

__all__ = ["TABLE", "d_projected", "softmax_backward", "visible"]


def forward(layer: SelfAttention, w: Parameters, x: Array, walk: ForwardWalk) -> Given:
    """Queries, keys and values; scores; weights; the mean of the values; all heads together to the output.

    1. [Q K V] = x W_inᵀ + b_in
    2. S = Q Kᵀ / √d: without √d, the products of long vectors are large and the softmax is almost 0 or 1
    3. P = softmax(S) over the steps that are looked at; padded and, if causal, later steps get the weight 0
    4. C = P V, and a = C W_outᵀ + b_out
    """
    projected = x @ w["in_proj_weight"].T + w["in_proj_bias"]  # [B, T, 3D]
    q, k, v = (to_heads(each, layer.heads) for each in np.split(projected, 3, axis=-1))  # [B, H, T, d] each
    scores = q @ k.swapaxes(-1, -2) / math.sqrt(q.shape[-1])  # S  [B, H, T, T]
    seen = visible(layer, walk.lengths, x.shape[1])
    if seen is not None:
        scores = np.where(seen, scores, -np.inf)
    weights = softmax(scores)  # P  [B, H, T, T]
    context = from_heads(weights @ v)  # C  [B, T, D]
    outputs = context @ w["out_proj.weight"].T + w["out_proj.bias"]  # [B, T, D]
    return Given(outputs=outputs, kept={"q": q, "k": k, "v": v, "weights": weights, "context": context})


def backward(step: Step, w: Parameters, d_a: Array, walk: BackwardWalk) -> Returned:
    """From the output back through values, weights, scores, and the projections; the sums run over rows and steps.

    ∂L/∂W_out = Σ (∂L/∂a)ᵀ C,  ∂L/∂b_out = Σ ∂L/∂a,  ∂L/∂C = ∂L/∂a W_out

    ∂L/∂[Q K V] as in `d_projected`, and from there as in a Dense layer:

    ∂L/∂W_in = Σ (∂L/∂[Q K V])ᵀ x,  ∂L/∂b_in = Σ ∂L/∂[Q K V],  ∂L/∂x = ∂L/∂[Q K V] W_in
    """
    d_projection = d_projected(step, w, d_a)  # [B, T, 3D]
    own = {
        "in_proj_weight": over_steps(d_projection).T @ over_steps(step.inputs),  # [3D, D]
        "in_proj_bias": d_projection.sum(axis=(0, 1)),  # [3D]
        "out_proj.weight": over_steps(d_a).T @ over_steps(step.kept["context"]),  # [D, D]
        "out_proj.bias": d_a.sum(axis=(0, 1)),  # [D]
    }
    d_inputs = d_projection @ w["in_proj_weight"]  # [B, T, D]
    return Returned(d_inputs=d_inputs, parameters=own, kept={"d_projected": d_projection})


def d_projected(step: Step, w: Parameters, d_a: Array) -> Array:
    """∂L/∂[Q K V] ``[B, T, 3D]`` from ∂L/∂a ``[B, T, D]``.

    ∂L/∂P = ∂L/∂C Vᵀ,  ∂L/∂V = Pᵀ ∂L/∂C

    ∂L/∂S = P (∂L/∂P − Σ P ∂L/∂P), the softmax; then ∂L/∂Q = ∂L/∂S K / √d and ∂L/∂K = (∂L/∂S)ᵀ Q / √d.
    Where P is 0, because a step is not seen, ∂L/∂S is 0: nothing is learned from what was hidden.
    """
    q, k, v, weights = (step.kept[name] for name in ("q", "k", "v", "weights"))
    d_context = to_heads(d_a @ w["out_proj.weight"], q.shape[1])  # [B, H, T, d]
    d_v = weights.swapaxes(-1, -2) @ d_context  # [B, H, T, d]
    d_weights = d_context @ v.swapaxes(-1, -2)  # [B, H, T, T]
    d_scores = softmax_backward(weights, d_weights) / math.sqrt(q.shape[-1])  # ∂L/∂S / √d
    d_q, d_k = d_scores @ k, d_scores.swapaxes(-1, -2) @ q  # [B, H, T, d] each
    return np.concatenate([from_heads(each) for each in (d_q, d_k, d_v)], axis=-1)


def softmax_backward(p: Array, d_p: Array) -> Array:
    """∂L/∂s = p (∂L/∂p − Σ p ∂L/∂p) over the last axis: raising one score takes from all the other weights."""
    return p * (d_p - (p * d_p).sum(axis=-1, keepdims=True))


def visible(layer: SelfAttention, lengths: Array | None, steps: int) -> Array | None:
    """Which steps (last axis) each step (the axis before) may look at, or ``None``: all.

    Every step may look at the first one, so no softmax is over nothing.
    """
    seen = mask_of(lengths, steps)  # [B, T]
    there = None if seen is None else seen[:, np.newaxis, np.newaxis, :]  # [B, 1, 1, T]
    if not layer.causal:
        return there
    earlier = np.tri(steps, dtype=bool)  # [T, T]: true up to the step itself
    return earlier if there is None else earlier & there


def to_heads(x: Array, heads: int) -> Array:
    """``[B, T, D]`` to ``[B, H, T, d]``: each head has d neighbouring numbers of each step."""
    rows, steps, width = x.shape
    return x.reshape(rows, steps, heads, width // heads).swapaxes(1, 2)


def from_heads(x: Array) -> Array:
    """``[B, H, T, d]`` back to ``[B, T, D]``."""
    rows, heads, steps, width = x.shape
    return x.swapaxes(1, 2).reshape(rows, steps, heads * width)


def over_steps(x: Array) -> Array:
    """``[B, T, D]`` to ``[B·T, D]``: all steps of all rows share the weights."""
    return x.reshape(-1, x.shape[-1])


TABLE = {
    SelfAttention: Rule(
        forward=forward,
        backward=backward,
        formula="a = softmax(Q Kᵀ / √d) V W_outᵀ + b_out, [Q K V] = x W_inᵀ + b_in",
        backward_formula="∂L/∂S = P (∂L/∂P − Σ P ∂L/∂P), ∂L/∂Q = ∂L/∂S K / √d, ∂L/∂K = (∂L/∂S)ᵀ Q / √d, "
        "∂L/∂V = Pᵀ ∂L/∂C",
        source="Vaswani et al. 2017, section 3.2",
    )
}
