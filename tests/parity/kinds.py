"""The table of kinds: for each a network to try it in, random ones of any width, and the mistakes that must be caught.

A new kind is one entry here; `tests/house/test_kinds.py` demands it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from pellucid.engines.textbook.layers.rule import Given, Returned
from pellucid.network import ACTIVATIONS, Activation, BatchNorm, Dense, Dropout, Layer, LayerNorm, Network, Residual
from tests.parity.attention import ATTENTIONS, DENSE_ON_STEPS, NORM_ON_STEPS, on_steps
from tests.parity.padded import PADDED, with_padded_rows
from tests.parity.pictures import PICTURES, norm_networks
from tests.parity.planting import EPS, TANH, Case, Plant, backward_rule, changed, forward_rule, without
from tests.parity.sequences import SEQUENCES


def between_dense(
    *,
    layers: Callable[[int], st.SearchStrategy[tuple[Layer, ...]]],
    fixed: tuple[Layer, ...],
    mistakes: dict[str, Plant],
) -> Case:
    """A case of what stands between two Dense layers of a width: ``layers`` draws it, ``fixed`` is one for width 4.

    Four columns, four units, two outputs: square matrices, to show a transpose.
    """

    @st.composite
    def networks(draw: st.DrawFn) -> Network:
        inputs, width, outputs = draw(st.integers(1, 4)), draw(st.integers(1, 5)), draw(st.integers(1, 3))
        return around(draw(layers(width)), inputs, width, outputs)

    return Case(network=around(fixed, 4, 4, 2), random=networks(), mistakes=mistakes)


def around(layers: tuple[Layer, ...], inputs: int, width: int, outputs: int) -> Network:
    """The layers between two Dense layers."""
    ends = Dense(inputs=inputs, outputs=width), Dense(inputs=width, outputs=outputs)
    return Network(inputs=inputs, layers=(ends[0], *layers, ends[1]))


# ── Dense ─────────────────────────────────────────────────────────────────────────────────────────────────────


def transposed(given: Any, layer: Any, w: Any, x: Any, walk: Any) -> Any:
    return x @ w["weight"] + w["bias"] if layer.inputs == layer.outputs else given.outputs


DENSE = between_dense(
    layers=lambda width: st.booleans().map(lambda bias: (TANH, Dense(inputs=width, outputs=width, bias=bias), TANH)),
    fixed=(TANH, Dense(inputs=4, outputs=4), TANH),
    mistakes={
        "a transposed weight": forward_rule(Dense, changed(outputs=transposed)),
        "a dropped bias": forward_rule(
            Dense, lambda right: lambda layer, *rest: right(replace(layer, bias=False), *rest)
        ),
        "a bias without gradient": backward_rule(Dense, without("bias")),
    },
)

# ── Activation ────────────────────────────────────────────────────────────────────────────────────────────────

ACTIVATION = between_dense(
    layers=lambda width: st.sampled_from(ACTIVATIONS).map(lambda name: (Activation(function=name),)),
    fixed=(TANH,),
    mistakes={
        "a derivative forgotten": backward_rule(
            Activation, lambda right: lambda step, w, d_a, walk: Returned(d_inputs=d_a)
        ),
        "an activation left out": forward_rule(Activation, lambda right: lambda layer, w, x, walk: Given(outputs=x)),
    },
)

# ── BatchNorm ─────────────────────────────────────────────────────────────────────────────────────────────────


def scaled(given: Any, w: Any, factor: Any) -> Any:
    """What a norm gives if its deviation is another by ``factor``."""
    kept = {"normalised": given.kept["normalised"] / factor, "deviation": given.kept["deviation"] * factor}
    return given._replace(outputs=w["weight"] * kept["normalised"] + w["bias"], kept=kept)


def by_unbiased_variance(right: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(layer: Any, w: Any, x: Any, walk: Any) -> Any:
        given = right(layer, w, x, walk)
        n = x.size // layer.width if isinstance(layer, BatchNorm) else x.shape[-1]
        squared = given.kept["deviation"] ** 2
        return scaled(given, w, np.sqrt(((squared - layer.eps) * n / (n - 1) + layer.eps) / squared))

    return wrong


def eps_outside_the_root(right: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(layer: Any, w: Any, x: Any, walk: Any) -> Any:
        given = right(layer, w, x, walk)
        deviation = given.kept["deviation"]
        return scaled(given, w, (np.sqrt(deviation**2 - layer.eps) + layer.eps) / deviation)

    return wrong


def tracking_biased_variance(given: Any, layer: Any, w: Any, x: Any, walk: Any) -> Any:
    moved = (1 - layer.momentum) * w["running_var"] + layer.momentum * x.var(axis=0)
    return {**given.running, "running_var": moved} if walk.training else given.running


BATCH_NORM = between_dense(
    layers=lambda width: st.just((BatchNorm(width=width, eps=EPS), TANH)),
    fixed=(BatchNorm(width=4), TANH),
    mistakes={
        "the unbiased variance": forward_rule(BatchNorm, by_unbiased_variance),
        "eps outside the root": forward_rule(BatchNorm, eps_outside_the_root),
        "the biased variance tracked": forward_rule(BatchNorm, changed(running=tracking_biased_variance)),
        "no way back through mean and variance": backward_rule(
            BatchNorm, lambda right: lambda step, w, d_a, walk: right(step, w, d_a, SimpleNamespace(training=False))
        ),
        "γ forgotten on the way back": backward_rule(
            BatchNorm,
            lambda right: lambda step, w, *rest: right(step, {**w, "weight": np.ones_like(w["weight"])}, *rest),
        ),
    },
)

BATCH_NORM = with_padded_rows(BatchNorm, replace(BATCH_NORM, random=BATCH_NORM.random | norm_networks(1)))

# ── LayerNorm ─────────────────────────────────────────────────────────────────────────────────────────────────


def without_the_mean_term(given: Any, step: Any, w: Any, d_a: Any, walk: Any) -> Any:
    return given.d_inputs + (d_a * w["weight"]).mean(axis=-1, keepdims=True) / step.kept["deviation"]


def without_the_variance_term(given: Any, step: Any, w: Any, d_a: Any, walk: Any) -> Any:
    normalised, g = step.kept["normalised"], d_a * w["weight"]
    return given.d_inputs + normalised * (g * normalised).mean(axis=-1, keepdims=True) / step.kept["deviation"]


def over_the_batch(right: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(layer: Any, w: Any, x: Any, walk: Any) -> Any:
        deviation = np.sqrt(x.var(axis=0) + layer.eps)
        normalised = (x - x.mean(axis=0)) / deviation
        return Given(
            outputs=w["weight"] * normalised + w["bias"], kept={"normalised": normalised, "deviation": deviation}
        )

    return wrong


LAYER_NORM = between_dense(
    layers=lambda width: st.just((LayerNorm(width=width, eps=EPS), TANH)),
    fixed=(LayerNorm(width=4), TANH),
    mistakes={
        "the unbiased variance": forward_rule(LayerNorm, by_unbiased_variance),
        "eps outside the root": forward_rule(LayerNorm, eps_outside_the_root),
        "over the batch": forward_rule(LayerNorm, over_the_batch),
        "β forgotten": forward_rule(LayerNorm, changed(outputs=lambda given, layer, w, *_: given.outputs - w["bias"])),
        "γ forgotten": forward_rule(
            LayerNorm, changed(outputs=lambda given, layer, w, *_: given.kept["normalised"] + w["bias"])
        ),
        "γ forgotten on the way back": backward_rule(
            LayerNorm,
            lambda right: lambda step, w, *rest: right(step, {**w, "weight": np.ones_like(w["weight"])}, *rest),
        ),
        "no way back through the mean": backward_rule(LayerNorm, changed(d_inputs=without_the_mean_term)),
        "no way back through the variance": backward_rule(LayerNorm, changed(d_inputs=without_the_variance_term)),
        "γ without gradient": backward_rule(LayerNorm, without("weight")),
    },
)

# ── Dropout ───────────────────────────────────────────────────────────────────────────────────────────────────

DROPOUT = between_dense(
    layers=lambda width: st.sampled_from((0.0, 0.3, 0.9)).map(lambda rate: (TANH, Dropout(rate=rate))),
    fixed=(TANH, Dropout(rate=0.3)),
    mistakes={
        "a mask forgotten on the way back": backward_rule(
            Dropout, lambda right: lambda step, w, d_a, walk: Returned(d_inputs=d_a)
        ),
        "nothing scaled up": forward_rule(
            Dropout, changed(outputs=lambda given, layer, w, x, walk: given.outputs * (1 - layer.rate * walk.training))
        ),
    },
)

# ── Residual ──────────────────────────────────────────────────────────────────────────────────────────────────


def inner_lost(right: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arguments: right(*arguments)._replace(inner=())


def inner_named_wrongly(right: Callable[..., Any]) -> Callable[..., Any]:
    """The gradients of a block under the place in it alone: ``0.weight`` for ``3.0.weight``."""

    def wrong(*arguments: Any) -> Any:
        returned = right(*arguments)
        inner = tuple(step._replace(name=step.name.rpartition(".")[2]) for step in returned.inner)
        return returned._replace(inner=inner)

    return wrong


def residual(width: int, *, norm: str, rate: float, deep: bool) -> tuple[Layer, ...]:
    """Two blocks with all that may lie inside, one in the other if ``deep``."""
    norms: dict[str, tuple[Layer, ...]] = {
        "none": (),
        "batch": (BatchNorm(width=width, eps=EPS),),
        "layer": (LayerNorm(width=width, eps=EPS),),
    }
    inside = (Dense(inputs=width, outputs=width), *norms[norm], TANH, Dropout(rate=rate))
    wider = (Dense(inputs=width, outputs=width + 1), TANH, Dense(inputs=width + 1, outputs=width))
    outside = (Residual(block=(*inside, Residual(block=wider))),) if deep else (Residual(block=inside),)
    return (TANH, *outside, Residual(block=wider))


RESIDUAL = between_dense(
    layers=lambda width: st.builds(
        lambda norm, rate, deep: residual(width, norm=norm, rate=rate, deep=deep),
        st.sampled_from(("none", "batch", "layer")),
        st.sampled_from((0.0, 0.3)),
        st.booleans(),
    ),
    fixed=residual(4, norm="batch", rate=0.3, deep=True),
    mistakes={
        "the input not added": forward_rule(
            Residual, changed(outputs=lambda given, layer, w, x, walk: given.outputs - x)
        ),
        "the way round forgotten on the way back": backward_rule(
            Residual, changed(d_inputs=lambda given, step, w, d_a, walk: given.d_inputs - d_a)
        ),
        "the way through the block forgotten on the way back": backward_rule(
            Residual, changed(d_inputs=lambda given, step, w, d_a, walk: d_a)
        ),
        "the running statistics of the block lost": forward_rule(
            Residual,
            changed(inner=lambda given, *_: tuple(step._replace(running={}) for step in given.inner)),
        ),
        "the gradients of the block lost": backward_rule(Residual, inner_lost),
        "the place of the block lost": backward_rule(Residual, inner_named_wrongly),
    },
)

CASES: dict[type[Layer], Case] = {
    Dense: on_steps(DENSE, DENSE_ON_STEPS),
    Activation: ACTIVATION,
    BatchNorm: BATCH_NORM,
    LayerNorm: on_steps(LAYER_NORM, NORM_ON_STEPS),
    Dropout: on_steps(DROPOUT, {}),
    Residual: on_steps(RESIDUAL, {}),
    **PICTURES,
    **PADDED,
    **ATTENTIONS,
    **SEQUENCES,
}
ALL_MISTAKES = [(kind, name) for kind, case in CASES.items() for name in case.mistakes]
