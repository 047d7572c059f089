"""Tokens, positions and attention: networks to try them in, their rows, and the mistakes that must be caught."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from pellucid.engines.textbook.layers import self_attention
from pellucid.engines.textbook.layers.positions import waves
from pellucid.engines.textbook.layers.rule import Given, Returned
from pellucid.network import (
    Conv1d,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Layer,
    LayerNorm,
    Network,
    Positions,
    Residual,
    SelfAttention,
    Transpose,
)
from tests.parity.planting import EPS, TANH, Case, Plant, backward_rule, changed, forward_rule, without
from tests.parity.sequences import with_padding

Array = NDArray[Any]

STEPS, WIDTH = 5, 4  # square matrices, to show a transpose


def tokens_for(network: Network, generator: np.random.Generator, n: int) -> Array:
    """Rows of tokens of all lengths: the first is full, the last is padding alone; one has an unknown word inside."""
    (first, *_), (steps,) = network.layers, network.shape
    assert isinstance(first, Embedding)
    tokens = generator.integers(1, first.vocabulary, (n, steps))
    lengths = generator.integers(1, steps + 1, n)
    lengths[0], lengths[-1] = steps, 0
    tokens[np.arange(steps) >= lengths[:, np.newaxis]] = 0
    tokens[0, steps // 2] = 0  # within a row it is a token like others
    return tokens


def inputs_for(network: Network, generator: np.random.Generator, n: int, seed: int) -> Array:
    """Rows of a network: tokens or numbers, some of them with padding where a layer looks at several steps."""
    if network.dtype == "int64":
        return tokens_for(network, generator, n)
    return with_padding(network, generator.normal(size=(n, *network.shape)), seed)


def headed(*layers: Layer, shape: tuple[int, ...] = (STEPS, WIDTH), outputs: int = 2) -> Network:
    """The layers, and a Dense layer on all numbers of all steps that they give."""
    dtype: Any = "int64" if isinstance(layers[0], Embedding) else "float"
    body = Network(shape=shape, layers=(*layers, Flatten()), dtype=dtype)
    return Network(shape=shape, layers=(*body.layers, Dense(inputs=body.outputs, outputs=outputs)), dtype=dtype)


@st.composite
def of_steps(draw: st.DrawFn, layers: Callable[[int, int], st.SearchStrategy[tuple[Layer, ...]]]) -> Network:
    """What ``layers`` draws for rows of so many steps and units, behind a Dense layer on each step."""
    channels, steps, width = draw(st.integers(1, 3)), draw(st.integers(1, 4)), draw(st.sampled_from((1, 2, 4)))
    first = Dense(inputs=channels, outputs=width)
    return headed(first, *draw(layers(steps, width)), TANH, shape=(steps, channels))


# ── Embedding ─────────────────────────────────────────────────────────────────────────────────────────────────────


@st.composite
def of_tokens(draw: st.DrawFn) -> Network:
    steps, width = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    embedding = Embedding(vocabulary=draw(st.integers(2, 5)), width=width)
    return headed(embedding, TANH, Dense(inputs=width, outputs=2), TANH, shape=(steps,))


def counted_once(given: Any, step: Any, w: Any, d_a: Any, walk: Any) -> Any:
    """Of a token that occurs often, one step alone."""
    d_weight = np.zeros_like(w["weight"])
    d_weight[step.inputs] = d_a
    d_weight[0] = 0
    return {"weight": d_weight}


def learned_padding(given: Any, step: Any, w: Any, d_a: Any, walk: Any) -> Any:
    d_weight = np.zeros_like(w["weight"])
    np.add.at(d_weight, step.inputs, d_a)
    return {"weight": d_weight}


EMBEDDING = Case(
    network=headed(Embedding(vocabulary=7, width=WIDTH), TANH, shape=(STEPS,)),
    random=of_tokens(),
    mistakes={
        "the row of the next token": forward_rule(
            Embedding,
            changed(outputs=lambda given, layer, w, x, walk: w["weight"][(x + 1) % layer.vocabulary]),
        ),
        "padding that is not 0": forward_rule(
            Embedding, changed(outputs=lambda given, layer, w, x, walk: w["weight"][np.maximum(x, 1)])
        ),
        "a token counted once": backward_rule(Embedding, changed(parameters=counted_once)),
        "padding that learns": backward_rule(Embedding, changed(parameters=learned_padding)),
        "rows without gradient": backward_rule(Embedding, without("weight")),
    },
)

# ── Positions ─────────────────────────────────────────────────────────────────────────────────────────────────────


def with_waves(wrong: Callable[[int, int], Array]) -> Plant:
    def planted(given: Any, layer: Any, w: Any, x: Any, walk: Any) -> Any:
        return given.outputs if layer.learned else x + wrong(x.shape[1], layer.width)

    return forward_rule(Positions, changed(outputs=planted))


def each_its_own_wave(steps: int, width: int) -> Array:
    angle = np.arange(steps)[:, np.newaxis] / 10_000 ** (np.arange(width) / width)
    return np.where(np.arange(width) % 2 == 0, np.sin(angle), np.cos(angle))


POSITIONS = Case(
    network=headed(
        Dense(inputs=WIDTH, outputs=WIDTH), Positions(steps=8, width=WIDTH),
        Positions(steps=6, width=WIDTH, learned=True), TANH,
    ),
    random=of_steps(
        lambda steps, width: st.booleans().map(
            lambda learned: (Positions(steps=steps + 1, width=width, learned=learned),)
        )
    ),
    mistakes={
        "steps counted from 1": with_waves(lambda steps, width: waves(steps + 1, width)[1:]),
        "sine and cosine swapped": with_waves(lambda steps, width: waves(steps, width)[:, [1, 0, 3, 2]]),
        "a wave for each number": with_waves(each_its_own_wave),
        "the learned vectors of the last steps": forward_rule(
            Positions,
            changed(
                outputs=lambda given, layer, w, x, walk: (
                    x + w["weight"][-x.shape[1] :] if layer.learned else given.outputs
                )
            ),
        ),
        "a mean over the rows for a sum": backward_rule(
            Positions,
            changed(
                parameters=lambda given, step, w, d_a, walk: {n: g / len(d_a) for n, g in given.parameters.items()}
            ),
        ),
        "vectors without gradient": backward_rule(Positions, without("weight")),
        "no way back": backward_rule(Positions, changed(d_inputs=lambda given, *_: np.zeros_like(given.d_inputs))),
    },
)  # fmt: skip

# ── SelfAttention ─────────────────────────────────────────────────────────────────────────────────────────────────


def seeing_the_future(right: Any) -> Any:
    return lambda layer, *rest: right(replace(layer, causal=False), *rest)


def seeing_padding(right: Any) -> Any:
    return lambda layer, w, x, walk: right(layer, w, x, SimpleNamespace(training=walk.training, lengths=None))


def projected(change: Callable[[Array, int, int], Array]) -> Callable[..., Any]:
    """The forward rule with other projections; ``change`` is given the rows of query, key and value."""

    def planted(right: Any) -> Any:
        def wrong(layer: Any, w: Any, x: Any, walk: Any) -> Any:
            names = ("in_proj_weight", "in_proj_bias")
            other = {name: change(w[name], layer.width, layer.heads) for name in names}
            return right(layer, {**w, **other}, x, walk)

        return wrong

    return planted


def without_the_root(rows: Array, width: int, heads: int) -> Array:
    return np.concatenate([rows[:width] * math.sqrt(width / heads), rows[width:]])


def keys_for_queries(rows: Array, width: int, heads: int) -> Array:
    return np.concatenate([rows[width : 2 * width], rows[:width], rows[2 * width :]])


def without_the_root_on_the_way_back(right: Any) -> Any:
    def wrong(step: Any, w: Any, d_a: Any, walk: Any) -> Any:
        root = math.sqrt(step.layer.width // step.layer.heads)
        kept = {**step.kept, "q": step.kept["q"] * root, "k": step.kept["k"] * root}
        return right(step._replace(kept=kept), w, d_a, walk)

    return wrong


def heads_dealt_out(patch: Any) -> None:
    """Every second number belongs to the second head."""

    def to_heads(x: Array, heads: int) -> Array:
        rows, steps, width = x.shape
        return x.reshape(rows, steps, width // heads, heads).transpose(0, 3, 1, 2)

    patch.setattr(self_attention, "to_heads", to_heads)


def heads_kept_apart(patch: Any) -> None:
    """The numbers of a step do not come together again: a reshape without the swap of the axes."""
    patch.setattr(self_attention, "from_heads", lambda x: x.reshape(x.shape[0], x.shape[2], -1))


def softmax_one_by_one(patch: Any) -> None:
    """As if each weight depended on its own score alone."""
    patch.setattr(self_attention, "softmax_backward", lambda p, d_p: p * (1 - p) * d_p)


def one_step_alone(name: str) -> Plant:
    """The gradient of the weights from the last step only."""

    def own(given: Any, step: Any, w: Any, d_a: Any, walk: Any) -> Any:
        d_projection = self_attention.d_projected(step, w, d_a)
        return {**given.parameters, name: d_projection[:, -1].T @ step.inputs[:, -1]}

    return backward_rule(SelfAttention, changed(parameters=own))


@st.composite
def attentions(draw: st.DrawFn, width: int) -> tuple[Layer, ...]:
    heads = draw(st.sampled_from([h for h in (1, 2, 4) if width % h == 0]))
    return (SelfAttention(width=width, heads=heads, causal=draw(st.booleans())),)


ATTENTION = Case(
    network=headed(SelfAttention(width=WIDTH, heads=2), TANH, SelfAttention(width=WIDTH, heads=2, causal=True), TANH),
    random=of_steps(lambda steps, width: attentions(width)),
    mistakes={
        "a mask that leaks the future": forward_rule(SelfAttention, seeing_the_future),
        "padding that is looked at": forward_rule(SelfAttention, seeing_padding),
        "√d forgotten": forward_rule(SelfAttention, projected(without_the_root)),
        "√d forgotten on the way back": backward_rule(SelfAttention, without_the_root_on_the_way_back),
        "keys for queries": forward_rule(SelfAttention, projected(keys_for_queries)),
        "one head for two": forward_rule(
            SelfAttention, lambda right: lambda layer, *rest: right(replace(layer, heads=1), *rest)
        ),
        "heads dealt out": heads_dealt_out,
        "heads kept apart": heads_kept_apart,
        "a softmax that is no sum": softmax_one_by_one,
        "weights of one step alone": one_step_alone("in_proj_weight"),
        "a dropped bias": forward_rule(
            SelfAttention,
            changed(outputs=lambda given, layer, w, x, walk: given.outputs - w["out_proj.bias"]),
        ),
        "a bias without gradient": backward_rule(SelfAttention, without("in_proj_bias")),
        "an output without gradient": backward_rule(SelfAttention, without("out_proj.weight")),
    },
)

# ── Transpose ─────────────────────────────────────────────────────────────────────────────────────────────────────

TRANSPOSE = Case(
    network=headed(
        Transpose(), Conv1d(in_channels=4, out_channels=4, kernel_size=3, padding="same"), TANH, shape=(4, 4)
    ),
    random=of_steps(lambda steps, width: st.just((Transpose(),))),
    mistakes={
        "left as it is": forward_rule(Transpose, lambda right: lambda layer, w, x, walk: Given(outputs=x)),
        "left as it is on the way back": backward_rule(
            Transpose, lambda right: lambda step, w, d_a, walk: Returned(d_inputs=d_a)
        ),
        "backwards": forward_rule(Transpose, changed(outputs=lambda given, *_: given.outputs[:, ::-1])),
    },
)

# ── layers that take each step by itself ──────────────────────────────────────────────────────────────────────────


def block(width: int, rate: float) -> tuple[Layer, ...]:
    """The second part of a Transformer's block."""
    wider = Dense(inputs=width, outputs=width + 1), TANH, Dense(inputs=width + 1, outputs=width)
    return (Residual(block=(LayerNorm(width=width, eps=EPS), *wider, Dropout(rate=rate))),)


def last_step_alone(given: Any, step: Any, w: Any, d_z: Any, walk: Any) -> Any:
    if d_z.ndim == 2:
        return given.parameters
    return {"weight": d_z[:, -1].T @ step.inputs[:, -1], "bias": d_z[:, -1].sum(axis=0)}


STEPWISE = of_steps(lambda steps, width: st.sampled_from((0.0, 0.3)).map(lambda rate: block(width, rate)))
STEPWISE_NETWORK = headed(Dense(inputs=WIDTH, outputs=WIDTH), TANH, *block(WIDTH, 0.3), TANH)


def on_steps(case: Case, mistakes: dict[str, Plant]) -> Case:
    """The same kind also on sequences, where these further mistakes must be seen."""
    return replace(
        case,
        random=case.random | STEPWISE,
        mistakes={**case.mistakes, **mistakes},
        networks={**case.networks, **dict.fromkeys(mistakes, STEPWISE_NETWORK)},
    )


DENSE_ON_STEPS: dict[str, Plant] = {
    "the gradient of the last step alone": backward_rule(Dense, changed(parameters=last_step_alone)),
    "the first step for all": forward_rule(
        Dense,
        changed(
            outputs=lambda given, *_: (
                given.outputs if given.outputs.ndim == 2 else np.repeat(given.outputs[:, :1], STEPS, axis=1)
            )
        ),
    ),
}
NORM_ON_STEPS: dict[str, Plant] = {
    "γ of the last step alone": backward_rule(
        LayerNorm,
        changed(
            parameters=lambda given, step, w, d_a, walk: {
                "weight": (d_a * step.kept["normalised"])[:, -1].sum(axis=0), "bias": given.parameters["bias"]
            }
        ),
    ),
}  # fmt: skip

ATTENTIONS: dict[type[Layer], Case] = {
    Embedding: EMBEDDING,
    Positions: POSITIONS,
    SelfAttention: ATTENTION,
    Transpose: TRANSPOSE,
}
