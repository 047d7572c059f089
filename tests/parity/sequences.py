"""The kinds of layers for sequences: networks to try them in, padded rows, and the mistakes that must be caught."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from pellucid.network import Dense, Layer, LayerNorm, Network, SelfAttention, StepPool
from tests.parity.planting import EPS, TANH, Case, Change, backward_rule, changed, forward_rule

READ_LENGTHS = (SelfAttention, StepPool)
SERIES = (6, 4)  # steps, channels

Array = NDArray[Any]


def with_padding(network: Network, x: Array, seed: int) -> Array:
    """Rows of several lengths, where a layer of the network reads them: the first may be full, the last has one step.

    Every third batch has steps that are padding in all rows; every second one a row of padding alone.
    """
    if not any(isinstance(layer, READ_LENGTHS) for layer in network.every_layer()):
        return x
    generator, (many, steps) = np.random.default_rng(seed), x.shape[:2]
    lengths = generator.integers(1, steps + 1, many)
    lengths[0], lengths[-1] = max(1, steps - (seed % 3 == 1)), 1
    if seed % 3 == 1:
        lengths = np.minimum(lengths, max(1, steps - 1))
    if seed % 2 and many > 2:
        lengths[1] = 0
    x = x.copy()
    x[np.arange(steps) >= lengths[:, np.newaxis]] = np.nan
    return x


def ended(shape: tuple[int, ...], *layers: Layer, outputs: int = 2) -> Network:
    """The layers, and a Dense layer on the list of numbers that they give."""
    width = Network(shape=shape, layers=layers).outputs
    return Network(shape=shape, layers=(*layers, Dense(inputs=width, outputs=outputs)))


def length_forgotten(right: Any) -> Any:
    """All steps count, those of the padding too."""
    return lambda layer, w, x, walk: right(layer, w, x, SimpleNamespace(training=walk.training, lengths=None))


# ── StepPool ──────────────────────────────────────────────────────────────────────────────────────────────────────


@st.composite
def pooled(draw: st.DrawFn) -> Network:
    """A LayerNorm, whose gradient is wrong if what comes after it is, then a pooling.

    Before a maximum there is none: it would turn equal numbers into nearly equal ones.
    """
    steps, width = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    how: Any = draw(st.sampled_from(("last", "mean", "max")))
    pool = StepPool(how=how, bidirectional=how == "last" and width % 2 == 0 and draw(st.booleans()))
    before = () if how == "max" else (LayerNorm(width=width, eps=EPS),)
    return ended((steps, width), *before, TANH, pool)


def ties_to_the_last(given: Any, layer: Any, w: Any, x: Any, walk: Any) -> Any:
    share = np.zeros_like(x)
    equal = (x == given.outputs[:, np.newaxis]) & (np.arange(x.shape[1]) < walk.lengths[:, np.newaxis])[:, :, None]
    winner = x.shape[1] - 1 - equal[:, ::-1].argmax(axis=1)
    np.put_along_axis(share, winner[:, np.newaxis], 1, axis=1)
    return {"share": share}


def shared_by(weigh: Any) -> Change:
    """Another share on the way back."""
    return changed(d_inputs=lambda given, step, w, d_a, walk: weigh(step.kept["share"]) * d_a[:, np.newaxis])


POOLS: dict[str, Network] = {
    "last": ended(SERIES, TANH, StepPool()),
    "both": ended(SERIES, TANH, StepPool(bidirectional=True)),
    "mean": ended(SERIES, TANH, StepPool(how="mean")),
    "max": ended(SERIES, TANH, StepPool(how="max")),
}

POOL = Case(
    network=POOLS["mean"],
    random=pooled(),
    mistakes={
        "padding that counts in a mean": forward_rule(StepPool, length_forgotten),
        "a sum for a mean": forward_rule(
            StepPool, changed(outputs=lambda given, layer, w, x, walk: given.outputs * x.shape[1])
        ),
        "not divided on the way back": backward_rule(StepPool, shared_by(np.ceil)),
        "padding for the last step": forward_rule(StepPool, length_forgotten),
        "the first step for the last": forward_rule(StepPool, changed(outputs=lambda given, layer, w, x, _: x[:, 0])),
        "the same gradient for every step": backward_rule(StepPool, shared_by(np.ones_like)),
        "the backward direction at the last step": forward_rule(
            StepPool, lambda right: lambda layer, *rest: right(StepPool(), *rest)
        ),
        "padding that wins": forward_rule(StepPool, length_forgotten),
        "ties go to the last": forward_rule(StepPool, changed(kept=ties_to_the_last)),
    },
    networks={
        "padding for the last step": POOLS["last"],
        "the first step for the last": POOLS["last"],
        "the same gradient for every step": POOLS["last"],
        "the backward direction at the last step": POOLS["both"],
        "padding that wins": POOLS["max"],
        "ties go to the last": POOLS["max"],
    },
)

SEQUENCES: dict[type[Layer], Case] = {StepPool: POOL}
