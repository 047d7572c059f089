"""The lesson on attention: every step of a row looks at every other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.activations import softmax
from pellucid.engines.textbook.forward import forward
from pellucid.engines.textbook.layers.rule import Step
from pellucid.engines.textbook.layers.self_attention import visible
from pellucid.lessons.question import Question, choose, number
from pellucid.lessons.writing import pick, sum_of_products, vector
from pellucid.network import Network, SelfAttention
from pellucid.studies.story import Story, shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["questions", "tell"]

Array = NDArray[Any]

TOKENS = ("the", "dog", "barks")
X = np.array([[0, 1], [2, 0], [1, 1]], dtype=float)  # [T, D], one vector a token
W_Q = np.array([[1, 0], [1, 1]], dtype=float)
W_K = np.array([[1, 1], [0, 1]], dtype=float)
W_V = np.array([[2, 0], [0, 1]], dtype=float)
LAST = 2  # the token that is followed through the arithmetic
EXTENTS, KEYS, DRAWS = (4, 64, 1024), 10, 2_000


def tell(story: Story) -> None:
    """Tell how a step is answered by others, why there is a √d, and what attention does not see."""
    weights = _tell_arithmetic(story)
    _tell_root(story)
    _tell_order(story)
    story.close(
        learned=f"A step asks with its query, is found by its key and gives its value: “{TOKENS[LAST]}” takes "
        f"{weights[LAST, 1]:.0%} of what “{TOKENS[1]}” gives. All steps do this at once, and without positions a step "
        "does not know where it stands.",
        try_next="pellucid study memory",
    )


def _tell_arithmetic(story: Story) -> Array:
    """Tell the arithmetic of one head, with the numbers; return its weights ``[T, T]``."""
    story.heading("A query, a key and a value")
    story.say(
        "A recurrent network hands on what it has read from step to step. Attention takes a shorter way: each step "
        "looks at all others directly. Three matrices make three vectors of each token's vector x: the query q, which "
        "says what the token looks for, the key k, by which it can be found, and the value v, which is what it gives. "
        "The matrices are learned, and the same for all tokens."
    )
    step = _attended(X)
    q, k, v, weights = (step.kept[name][0, 0] for name in ("q", "k", "v", "weights"))
    story.table(
        "Three tokens",
        ("token", "x", "query", "key", "value"),
        [(token, *(vector(each[t]) for each in (X, q, k, v))) for t, token in enumerate(TOKENS)],
    )
    scores = q[LAST] @ k.T
    story.table(
        f"What “{TOKENS[LAST]}” looks at",
        ("token", "query · key", "score", "score / √2", "weight"),
        [
            (token, sum_of_products(q[LAST], k[t]), float(scores[t]), float(scores[t]) / math.sqrt(2),
             float(weights[LAST, t]))
            for t, token in enumerate(TOKENS)
        ],
    )  # fmt: skip
    story.say(
        "The more alike query and key, the larger their product, the score. A softmax turns the scores of a row into "
        "weights that sum to 1, and the output is the weighted mean of the values: "
        + " + ".join(f"{shown(round(float(weights[LAST, t]), 4))}·{vector(v[t])}" for t in range(len(TOKENS)))
        + f" = {vector(np.round(step.outputs[0, LAST], 3))}. In one formula for all tokens: softmax(Q Kᵀ / √d) V. A "
        "network that continues a text must not look ahead: a causal mask gives later tokens the weight 0. Padding is "
        "masked in the same way."
    )
    story.draw(
        "weights", _draw_weights,
        "The weights of all tokens: a row looks at the columns; with the causal mask, only at itself and to the left.",
    )  # fmt: skip
    found: Array = weights
    return found


def _tell_root(story: Story) -> None:
    story.heading("Why the root?")
    rng = np.random.default_rng(0)
    rows = []
    for d in EXTENTS:
        q, k = rng.standard_normal((DRAWS, 1, d)), rng.standard_normal((DRAWS, KEYS, d))
        scores = (q * k).sum(axis=-1)
        plain, divided = (softmax(each).max(axis=-1).mean() for each in (scores, scores / math.sqrt(d)))
        rows.append((d, float(scores.std()), float(plain), float(divided)))
    story.table(
        f"Random queries and {KEYS} random keys of d numbers",
        ("d", "deviation of the scores", "largest weight without √d", "with √d"),
        rows,
    )
    story.say(
        "A score is a sum of d products, so its deviation grows as √d. Undivided, the largest weight of long vectors "
        "is almost 1: the softmax is saturated, its derivative is almost 0, and little is learned."
    )


def _tell_order(story: Story) -> None:
    story.heading("Heads, positions, blocks")
    turned = [LAST, 0, 1]
    same = np.allclose(_attended(X[turned]).outputs[0], _attended(X).outputs[0][turned])
    story.say(
        "Several heads do this side by side, each with a part of the numbers, so that a token can look for several "
        "things at once. "
        + (
            "But a weighted mean knows no order: the same tokens in another order get the same outputs in that order. "
            if same
            else ""
        )
        + "Therefore a vector that depends on the position, made of sines and cosines or learned, is added to each "
        "token first. A Transformer repeats a block: attention, then two dense layers for each token, both parts with "
        "a normalisation before and the input added after. T tokens need T² weights a head, so long texts cost much. "
        "And with few texts, a linear model on their words is often as good: look at the verdict first."
    )


def _draw_weights() -> Figure:
    from pellucid.plots.sequences import attention_maps

    free, causal = (_attended(X, causal=causal).kept["weights"][0] for causal in (False, True))
    return attention_maps(
        [("all tokens seen", free), ("causal", causal)], TOKENS, title="Weights of the tokens", is_text=True
    )


def _attended(x: Array, *, causal: bool = False) -> Step:
    """One head of attention with the matrices of this lesson, on the tokens ``[T, 2]``."""
    network = Network(shape=x.shape, layers=(SelfAttention(width=2, heads=1, causal=causal),))
    parameters = {
        "0.in_proj_weight": np.concatenate([W_Q, W_K, W_V]),
        "0.in_proj_bias": np.zeros(6),
        "0.out_proj.weight": np.eye(2),
        "0.out_proj.bias": np.zeros(2),
    }
    return forward(network, parameters, x[np.newaxis]).steps[0]


# ── questions ──


def questions(generator: np.random.Generator) -> tuple[Question, ...]:
    """Five questions, with answers computed from the numbers that are drawn."""
    return (
        _ask_score(generator),
        _ask_weight(generator),
        _ask_mean(generator),
        _ask_seen(generator),
        _ask_parameters(generator),
    )


def _ask_score(generator: np.random.Generator) -> Question:
    q, k = (generator.integers(-3, 4, 4).astype(float) for _ in range(2))
    score = float(q @ k) / math.sqrt(len(q))
    return number(
        f"A head has vectors of 4 numbers. A token's query is {vector(q)}, another's key is {vector(k)}. What is the "
        "score, divided by the root, before the softmax?",
        score,
        f"({sum_of_products(q, k)}) / √4 = {shown(float(q @ k))} / 2 = {shown(score)}.",
        digits=1,
    )


def _ask_weight(generator: np.random.Generator) -> Question:
    scores = generator.permutation(6)[:3].astype(float) - 2
    weights = softmax(scores[np.newaxis])[0]
    powers = [f"e^{shown(s)}" for s in scores]
    return number(
        f"A token's scores for three tokens, already divided by the root, are {vector(scores)}. Which weight does the "
        "first of them get?",
        float(weights[0]),
        f"{powers[0]} / ({' + '.join(powers)}) = {shown(float(weights[0]))}.",
        digits=2,
    )


def _ask_mean(generator: np.random.Generator) -> Question:
    first = float(pick(generator, (0.1, 0.2, 0.25, 0.5)))
    weights = np.array([first, 0.75 - first / 2, 0.25 - first / 2])
    values = generator.permutation(np.arange(-4.0, 9.0, 2.0))[:3]
    found = float(weights @ values)
    return number(
        f"Three tokens give the values {vector(values)} (one number each), and a token looks at them with the weights "
        f"{vector(weights)}. What does it take away?",
        found,
        f"The weighted mean: {sum_of_products(weights, values)} = {shown(found)}.",
        digits=2,
    )


def _ask_seen(generator: np.random.Generator) -> Question:
    steps, heads = int(generator.integers(4, 13)), int(pick(generator, (2, 4, 8)))
    mask = visible(SelfAttention(width=16, heads=heads, causal=True), None, steps)
    assert mask is not None
    seen = int(mask.sum()) * heads
    return number(
        f"A causal layer of attention with {heads} heads reads {steps} tokens. How many of its weights are not 0, over "
        "all heads and tokens?",
        seen,
        f"Token t sees t tokens, itself included: 1 + 2 + … + {steps} = {seen // heads} in each head, "
        f"{heads}·{seen // heads} = {seen}.",
        digits=0,
    )


def _ask_parameters(generator: np.random.Generator) -> Question:
    width, heads = int(pick(generator, (16, 32, 64, 128))), int(pick(generator, (2, 4, 8)))
    total = Network(shape=(20, width), layers=(SelfAttention(width=width, heads=heads),)).n_trainable
    each = width * width + width
    wrong = {3 * each, 4 * each * heads, 4 * width * width} - {total}
    return choose(
        f"A layer of attention has {heads} heads and a width of {width}. Query, key, value and the output are dense "
        f"layers with biases. How many parameters does it have?",
        f"{total:,}",
        [f"{other:,}" for other in sorted(wrong)],
        f"Four matrices of {width}·{width} weights with {width} biases each: 4·{each:,} = {total:,}. The heads divide "
        "the width among them, so their number does not matter, nor does the length of the text.",
        generator,
    )
