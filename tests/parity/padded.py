"""The kinds that look at the channels of a series, on rows of several lengths: padded steps have no part in them."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from hypothesis import strategies as st

from pellucid.engines.textbook.layers import RULES
from pellucid.engines.textbook.layers.windows import lengths_after
from pellucid.network import (
    Activation,
    AvgPool1d,
    BatchNorm,
    Conv1d,
    Dense,
    GlobalAvgPool,
    Layer,
    MaxPool1d,
    Network,
    Transpose,
)
from tests.parity.pictures import PICTURES, convolutions, first, fitting, poolings
from tests.parity.planting import EPS, Case, Change, Plant, backward_rule, forward_rule
from tests.parity.sequences import length_forgotten

HALF = Activation(function="sigmoid")  # makes ½ of the zeros of padding


def on_padded_rows(shape: tuple[int, int], *layers: Layer) -> Network | None:
    """The layers on the channels of a series whose rows are steps; ``None`` where a window is too wide."""
    inside = fitting(shape, first(shape, 4), *layers)
    if inside is None:
        return None
    channels = inside.shapes()[len(layers) + 1][0]
    kept = inside.layers[: len(layers) + 2]
    head = GlobalAvgPool(), Dense(inputs=channels, outputs=2)
    return Network(shape=shape[::-1], layers=(Transpose(), *kept, *head))


@st.composite
def padded(draw: st.DrawFn, layers: st.SearchStrategy[Layer]) -> Network:
    """One layer between a convolution and the mean over the steps."""
    shape = draw(st.integers(1, 3)), draw(st.integers(2, 6))
    return draw(layers.map(lambda layer: on_padded_rows(shape, layer)).filter(lambda n: n is not None))


def lengths_by(change: Any) -> Change:
    """Another number of steps counts on the way there; the next layers count rightly."""

    def planted(right: Any) -> Any:
        def wrong(layer: Any, w: Any, x: Any, walk: Any) -> Any:
            lengths = None if walk.lengths is None else change(walk.lengths)
            return right(layer, w, x, SimpleNamespace(training=walk.training, lengths=lengths))

        return wrong

    return planted


def with_lengths(kind: type[Layer], change: Any) -> Plant:
    """Another number of steps counts in what a layer gives."""
    return lambda patch: patch.setitem(RULES, kind, replace(RULES[kind], lengths=change))


def padding_back(right: Any) -> Any:
    """The backward rule knows of no padding."""
    return lambda step, *rest: right(
        step._replace(kept={name: a for name, a in step.kept.items() if not name.startswith("lengths")}), *rest
    )


def common(kind: type[Layer]) -> dict[str, Plant]:
    return {
        "padding that counts": forward_rule(kind, length_forgotten),
        "a mask one step short": forward_rule(kind, lengths_by(lambda lengths: (lengths - 1).clip(1))),
        "a mask one step long": forward_rule(kind, lengths_by(lambda lengths: lengths + 1)),
    }


def strided(kind: type[Layer]) -> dict[str, Plant]:
    return {
        **common(kind),
        "lengths that are not divided": with_lengths(kind, lambda layer, lengths: lengths),
        "lengths rounded up": with_lengths(kind, lambda layer, lengths: lengths_after(layer, lengths + 1)),
    }


WINDOW: Any = {"kernel_size": 3, "stride": 2, "padding": 1}
SERIES = (3, 9)
LAYERS: dict[type[Layer], Layer] = {
    Conv1d: Conv1d(in_channels=4, out_channels=4, **WINDOW),
    MaxPool1d: MaxPool1d(**WINDOW),
    AvgPool1d: AvgPool1d(**WINDOW),
    BatchNorm: BatchNorm(width=4, eps=EPS),
    GlobalAvgPool: BatchNorm(width=4, eps=EPS),
}
RANDOM: dict[type[Layer], st.SearchStrategy[Layer]] = {
    Conv1d: convolutions(1, 4),
    MaxPool1d: poolings(MaxPool1d, 1),
    AvgPool1d: poolings(AvgPool1d, 1),
    BatchNorm: st.just(BatchNorm(width=4, eps=EPS)),
    GlobalAvgPool: st.just(HALF),
}
MISTAKES: dict[type[Layer], dict[str, Plant]] = {
    Conv1d: {**strided(Conv1d), "padding that gets a gradient": backward_rule(Conv1d, padding_back)},
    MaxPool1d: strided(MaxPool1d),
    AvgPool1d: {**strided(AvgPool1d), "padding that gets a gradient": backward_rule(AvgPool1d, padding_back)},
    BatchNorm: {**common(BatchNorm), "padding that counts on the way back": backward_rule(BatchNorm, padding_back)},
    GlobalAvgPool: {
        **common(GlobalAvgPool),
        "padding that counts on the way back": backward_rule(GlobalAvgPool, padding_back),
    },
}


def with_padded_rows(kind: type[Layer], case: Case) -> Case:
    """The case, with rows of several lengths added to its networks and mistakes."""
    network = on_padded_rows(SERIES, HALF, LAYERS[kind])
    assert network is not None
    return replace(
        case,
        random=case.random | padded(RANDOM[kind]),
        mistakes={**case.mistakes, **MISTAKES[kind]},
        networks={**case.networks, **dict.fromkeys(MISTAKES[kind], network)},
    )


PADDED: dict[type[Layer], Case] = {
    kind: with_padded_rows(kind, PICTURES[kind]) for kind in (Conv1d, MaxPool1d, AvgPool1d, GlobalAvgPool)
}
