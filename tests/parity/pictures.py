"""The kinds of layers for pictures and series: networks to try them in, and the mistakes that must be caught."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from pellucid.engines.textbook.layers import average_pooling, max_pooling, patches, windows
from pellucid.engines.textbook.layers.rule import Given, Returned
from pellucid.engines.textbook.layers.windows import pad
from pellucid.errors import SettingError
from pellucid.network import (
    AvgPool1d,
    AvgPool2d,
    BatchNorm,
    BatchNorm2d,
    ChannelDropout,
    Conv1d,
    Conv2d,
    Dense,
    Flatten,
    GlobalAvgPool,
    Layer,
    MaxPool1d,
    MaxPool2d,
    Network,
)
from pellucid.network.layers.convolution import Convolution
from pellucid.network.layers.pooling import Pooling
from tests.parity.planting import EPS, TANH, Case, Change, Plant, backward_rule, changed, forward_rule, without

CONVOLUTIONS: dict[int, type[Convolution]] = {1: Conv1d, 2: Conv2d}
PICTURE = (2, 5, 6)
SERIES = (2, 9)


def headed(shape: tuple[int, ...], *layers: Layer, outputs: int = 2) -> Network:
    """The layers, and a Dense layer on all that they give."""
    body = Network(shape=shape, layers=layers)
    flat = (*layers, Flatten()) if len(body.shapes()[-1]) > 1 else layers
    width = Network(shape=shape, layers=flat).outputs
    return Network(shape=shape, layers=(*flat, Dense(inputs=width, outputs=outputs)))


def first(shape: tuple[int, ...], channels: int = 4) -> Convolution:
    """A convolution to ``channels`` that keeps the extents: what comes after it must give it the right gradient."""
    kind = CONVOLUTIONS[len(shape) - 1]
    return kind(in_channels=shape[0], out_channels=channels, kernel_size=(2, 3)[-(len(shape) - 1) :], padding="same")


# ── random networks ───────────────────────────────────────────────────────────────────────────────────────────────


def numbers(axes: int, low: int, high: int) -> st.SearchStrategy[tuple[int, ...]]:
    return st.tuples(*(st.integers(low, high) for _ in range(axes)))


def shapes(axes: int) -> st.SearchStrategy[tuple[int, ...]]:
    """Of a small picture or series."""
    return st.builds(lambda channels, extents: (channels, *extents), st.integers(1, 3), numbers(axes, 2, 5))


@st.composite
def convolutions(draw: st.DrawFn, axes: int, channels: int) -> Convolution:
    """A convolution of so many channels with any kernel, stride, padding, dilation and groups."""
    groups = draw(st.sampled_from([g for g in (1, 2, 3) if channels % g == 0]))
    padding: Any = draw(st.just("same") | numbers(axes, 0, 2))
    return CONVOLUTIONS[axes](
        in_channels=channels, out_channels=groups * draw(st.integers(1, 2)), kernel_size=draw(numbers(axes, 1, 3)),
        stride=1 if padding == "same" else draw(numbers(axes, 1, 3)), padding=padding,
        dilation=draw(numbers(axes, 1, 2)), groups=groups, bias=draw(st.booleans()),
    )  # fmt: skip


@st.composite
def poolings(draw: st.DrawFn, kind: type[Pooling], axes: int) -> Pooling:
    """A pooling with any window, stride and padding."""
    kernel = draw(numbers(axes, 1, 3))
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    return kind(kernel_size=kernel, stride=draw(st.none() | numbers(axes, 1, 3)), padding=padding)


@st.composite
def networks_with(draw: st.DrawFn, axes: int, layers: Callable[[int], st.SearchStrategy[Layer]]) -> Network:
    """A convolution, then what ``layers`` draws for its channels, on a picture or series into which both fit."""
    shape, channels = draw(shapes(axes)), draw(st.integers(1, 3))
    return draw(
        layers(channels)
        .map(lambda layer: fitting(shape, first(shape, channels), layer))
        .filter(lambda n: n is not None)
    )


def fitting(shape: tuple[int, ...], *layers: Layer) -> Network | None:
    """The network, or ``None`` where a window is wider than what it receives."""
    try:
        return headed(shape, layers[0], TANH, *layers[1:], *(() if isinstance(layers[-1], Flatten) else (TANH,)))
    except SettingError:
        return None


def norm_networks(axes: int) -> st.SearchStrategy[Network]:
    """With a BatchNorm over channels."""
    kind = {1: BatchNorm, 2: BatchNorm2d}[axes]
    return networks_with(axes, lambda channels: st.just(kind(width=channels, eps=EPS)))


def of_any_axes(layer: Layer) -> st.SearchStrategy[Network]:
    return networks_with(1, lambda _: st.just(layer)) | networks_with(2, lambda _: st.just(layer))


# ── convolution ───────────────────────────────────────────────────────────────────────────────────────────────────


def with_weight(change: Callable[[Any], Any]) -> Change:
    """Change the weight that a forward or a backward rule is given."""

    def planted(right: Callable[..., Any]) -> Callable[..., Any]:
        return lambda one, w, *rest: right(one, {**w, "weight": change(w["weight"])}, *rest)

    return planted


def flipped(weight: Any) -> Any:
    return np.flip(weight, axis=tuple(range(2, weight.ndim)))


def padding_before_only(right: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(layer: Any, w: Any, x: Any, walk: Any) -> Any:
        before = tuple((sum(both), 0) for both in layer.pads)
        return right(replace(layer, padding=0), w, pad(x, before), walk)

    return wrong


def same_with_the_odd_one_before(right: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(layer: Any, w: Any, x: Any, walk: Any) -> Any:
        swapped = tuple((behind, before) for before, behind in layer.pads)
        return right(replace(layer, padding=0), w, pad(x, swapped), walk)

    return wrong


def groups_mixed(right: Callable[..., Any]) -> Callable[..., Any]:
    """Every second channel to the first of two groups, the others to the second."""

    def wrong(layer: Any, w: Any, x: Any, walk: Any) -> Any:
        mixed = np.argsort(np.arange(x.shape[1]) % layer.groups, kind="stable")
        return right(layer, w, x[:, mixed], walk)

    return wrong


def summed_by(change: Callable[..., tuple[Any, ...]]) -> Plant:
    """The derivatives of the patches are added up at wrong positions."""
    right_sum, right_positions = patches._summed, patches.positions

    def wrong(*arguments: Any) -> Any:
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(patches, "positions", lambda *numbers: right_positions(*change(*numbers)))
            return right_sum(*arguments)

    return lambda patch: patch.setattr(patches, "_summed", wrong)


def ones(numbers: Any) -> tuple[int, ...]:
    return (1,) * len(numbers)


def convolution_case(axes: int) -> Case:
    """Two convolutions after a first one: an even kernel with ``same``; stride, padding, dilation and groups."""
    kind, shape = CONVOLUTIONS[axes], {1: SERIES, 2: PICTURE}[axes]
    even: dict[int, Any] = {1: 4, 2: (2, 4)}
    layers = (
        kind(in_channels=4, out_channels=4, kernel_size=even[axes], padding="same"),
        TANH,
        kind(in_channels=4, out_channels=6, kernel_size=3, stride=2, padding=2, dilation=2, groups=2),
        TANH,
    )
    return Case(
        network=headed(shape, first(shape), TANH, *layers),
        random=networks_with(axes, lambda channels: convolutions(axes, channels)),
        mistakes={
            "a flipped kernel": forward_rule(kind, with_weight(flipped)),
            "a flipped kernel on the way back": backward_rule(kind, with_weight(flipped)),
            "padding on one side": forward_rule(kind, padding_before_only),
            "same with the odd one before": forward_rule(kind, same_with_the_odd_one_before),
            "groups mixed": forward_rule(kind, groups_mixed),
            "a wrong stride on the way back": summed_by(lambda k, s, d, n: (k, ones(s), d, n)),
            "dilation ignored on the way back": summed_by(lambda k, s, d, n: (k, s, ones(d), n)),
            "a dropped bias": forward_rule(
                kind, lambda right: lambda layer, *rest: right(replace(layer, bias=False), *rest)
            ),
            "a bias without gradient": backward_rule(kind, without("bias")),
            "a weight without gradient": backward_rule(kind, without("weight")),
            "no way back to the input": backward_rule(
                kind, changed(d_inputs=lambda given, *_: np.zeros_like(given.d_inputs))
            ),
        },
    )


def axes_swapped() -> Plant:
    """A kernel read column by column."""
    return forward_rule(Conv2d, with_weight(lambda w: w.swapaxes(2, 3).reshape(w.shape)))


# ── pooling ───────────────────────────────────────────────────────────────────────────────────────────────────────


def stood_at(change: Callable[..., tuple[Any, ...]], kind: type[Layer]) -> Plant:
    """The backward rule takes its windows from wrong places."""

    def planted(right: Callable[..., Any]) -> Callable[..., Any]:
        def wrong(*arguments: Any) -> Any:
            positions = windows.positions
            with pytest.MonkeyPatch.context() as inner:
                inner.setattr(windows, "positions", lambda *numbers: positions(*change(*numbers)))
                return right(*arguments)

        return wrong

    return backward_rule(kind, planted)


def padding_that_wins(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(max_pooling, "pad", lambda x, pads, value=0.0: pad(x, pads))


def ties_to_the_last(right: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(*arguments: Any) -> Any:
        positions = max_pooling.window_positions
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(max_pooling, "window_positions", lambda *of: positions(*of)[::-1])
            return right(*arguments)

    return wrong


def ties_to_all(right: Callable[..., Any]) -> Callable[..., Any]:
    """Every number that is as large as the largest gets the whole gradient."""

    def wrong(step: Any, w: Any, d_a: Any, walk: Any) -> Any:
        padded = pad(step.inputs, step.layer.pads, value=-np.inf)
        d_padded = np.zeros_like(padded)
        for there in windows.window_positions(step.layer, step.inputs):
            d_padded[there] += d_a * (padded[there] == step.outputs)
        inside = tuple(slice(b, b + n) for n, (b, _) in zip(step.inputs.shape[2:], step.layer.pads, strict=True))
        return Returned(d_inputs=d_padded[(..., *inside)])

    return wrong


def max_case(kind: type[Pooling], axes: int) -> Case:
    """First on the picture itself, where numbers can be equal, then after a convolution; both with overlap."""
    shape = {1: SERIES, 2: PICTURE}[axes]
    return Case(
        network=headed(
            shape, kind(kernel_size=2, stride=1), first(shape), kind(kernel_size=3, stride=2, padding=1), TANH
        ),
        random=networks_with(axes, lambda _: poolings(kind, axes)),
        mistakes={
            "padding that wins": padding_that_wins,
            "ties go to the last": backward_rule(kind, ties_to_the_last),
            "ties go to all": backward_rule(kind, ties_to_all),
            "a wrong stride on the way back": stood_at(lambda k, s, d, n: (k, ones(s), d, n), kind),
            "the mean for the maximum": forward_rule(
                kind, changed(outputs=lambda given, *of: average_pooling.forward(*of).outputs)
            ),
            "the gradient to the whole window": backward_rule(kind, lambda right: average_pooling.backward),
        },
    )


def padding_left_out_of_the_mean(given: Any, layer: Any, w: Any, x: Any, walk: Any) -> Any:
    return given.outputs / average_pooling.forward(layer, w, np.ones_like(x), walk).outputs


def average_case(kind: type[Pooling], axes: int) -> Case:
    shape = {1: SERIES, 2: PICTURE}[axes]
    return Case(
        network=headed(shape, first(shape), kind(kernel_size=3, stride=2, padding=1), TANH),
        random=networks_with(axes, lambda _: poolings(kind, axes)),
        mistakes={
            "padding left out of the mean": forward_rule(kind, changed(outputs=padding_left_out_of_the_mean)),
            "a sum for a mean": forward_rule(
                kind, changed(outputs=lambda given, layer, *_: given.outputs * 3**layer.axes)
            ),
            "not divided on the way back": backward_rule(
                kind, changed(d_inputs=lambda given, step, *_: given.d_inputs * 3**step.layer.axes)
            ),
            "a wrong stride on the way back": stood_at(lambda k, s, d, n: (k, ones(s), d, n), kind),
        },
    )


GLOBAL = Case(
    network=headed(PICTURE, first(PICTURE), TANH, GlobalAvgPool()),
    random=of_any_axes(GlobalAvgPool()),
    mistakes={
        "a sum for a mean": forward_rule(
            GlobalAvgPool, changed(outputs=lambda given, layer, w, x, walk: x.sum(axis=tuple(range(2, x.ndim))))
        ),
        "the mean of the last axis only": forward_rule(
            GlobalAvgPool, changed(outputs=lambda given, layer, w, x, walk: x.mean(axis=-1)[..., 0])
        ),
        "not divided on the way back": backward_rule(
            GlobalAvgPool, changed(d_inputs=lambda given, step, *_: given.d_inputs * step.inputs[0, 0].size)
        ),
        "to one position on the way back": backward_rule(
            GlobalAvgPool,
            changed(d_inputs=lambda given, *_: given.d_inputs * (np.arange(given.d_inputs.shape[-1]) == 0)),
        ),
    },
)

# ── Flatten ───────────────────────────────────────────────────────────────────────────────────────────────────────


def channels_last(x: Any) -> Any:
    return np.moveaxis(x, 1, -1).reshape(len(x), -1)


FLATTEN = Case(
    network=headed(PICTURE, first(PICTURE), TANH, Flatten()),
    random=of_any_axes(Flatten()),
    mistakes={
        "position by position": forward_rule(
            Flatten, lambda right: lambda layer, w, x, walk: Given(outputs=channels_last(x))
        ),
        "position by position on the way back": backward_rule(
            Flatten,
            changed(
                d_inputs=lambda given, step, w, d_a, walk: np.moveaxis(
                    d_a.reshape(len(d_a), *step.inputs.shape[2:], step.inputs.shape[1]), -1, 1
                )
            ),
        ),
    },
)

# ── BatchNorm over channels ───────────────────────────────────────────────────────────────────────────────────────


def over(axes: tuple[int, ...]) -> Change:
    """The statistics are over other axes than rows and positions."""

    def planted(right: Callable[..., Any]) -> Callable[..., Any]:
        def wrong(layer: Any, w: Any, x: Any, walk: Any) -> Any:
            if not walk.training:
                return right(layer, w, x, walk)
            deviation = np.sqrt(x.var(axis=axes, keepdims=True) + layer.eps)
            normalised = (x - x.mean(axis=axes, keepdims=True)) / deviation
            gamma, beta = w["weight"][:, None, None], w["bias"][:, None, None]
            kept = {"normalised": normalised, "deviation": deviation}
            return right(layer, w, x, walk)._replace(outputs=gamma * normalised + beta, kept=kept)

        return wrong

    return planted


def tracking(correction: Callable[[Any], float]) -> Change:
    """The variance is tracked with another factor than n/(n − 1)."""

    def running(given: Any, layer: Any, w: Any, x: Any, walk: Any) -> Any:
        variance = x.var(axis=(0, 2, 3)) * correction(x)
        moved = (1 - layer.momentum) * w["running_var"] + layer.momentum * variance
        return {**given.running, "running_var": moved} if walk.training else given.running

    return changed(running=running)


NORM = Case(
    network=headed(PICTURE, first(PICTURE), BatchNorm2d(width=4, eps=EPS), TANH),
    random=norm_networks(2),
    mistakes={
        "over rows only": forward_rule(BatchNorm2d, over((0,))),
        "over positions only": forward_rule(BatchNorm2d, over((2, 3))),
        "the biased variance tracked": forward_rule(BatchNorm2d, tracking(lambda x: 1.0)),
        "a variance tracked as of rows alone": forward_rule(BatchNorm2d, tracking(lambda x: len(x) / (len(x) - 1))),
        "no way back through mean and variance": backward_rule(
            BatchNorm2d, lambda right: lambda step, w, d_a, walk: right(step, w, d_a, SimpleNamespace(training=False))
        ),
        "γ forgotten on the way back": backward_rule(BatchNorm2d, with_weight(np.ones_like)),
        "γ without gradient": backward_rule(BatchNorm2d, without("weight")),
    },
)

# ── ChannelDropout ────────────────────────────────────────────────────────────────────────────────────────────────


def one_for_each_position(given: Any, layer: Any, w: Any, x: Any, walk: Any) -> Any:
    """The mask of the channels, dealt out to positions."""
    if "mask" not in given.kept:
        return given.outputs
    return x * np.resize(given.kept["mask"], x.shape)


DROPOUT = Case(
    network=headed(PICTURE, first(PICTURE), TANH, ChannelDropout(rate=0.4)),
    random=st.sampled_from((0.0, 0.3, 0.9)).flatmap(lambda rate: of_any_axes(ChannelDropout(rate=rate))),
    mistakes={
        "a mask forgotten on the way back": backward_rule(
            ChannelDropout, lambda right: lambda step, w, d_a, walk: Returned(d_inputs=d_a)
        ),
        "nothing scaled up": forward_rule(
            ChannelDropout,
            changed(outputs=lambda given, layer, w, x, walk: given.outputs * (1 - layer.rate * walk.training)),
        ),
        "a mask for each position": forward_rule(ChannelDropout, changed(outputs=one_for_each_position)),
    },
)

CONVOLUTION_2D = convolution_case(2)

PICTURES: dict[type[Layer], Case] = {
    Conv1d: convolution_case(1),
    Conv2d: replace(
        CONVOLUTION_2D, mistakes={**CONVOLUTION_2D.mistakes, "a kernel read column by column": axes_swapped()}
    ),
    MaxPool1d: max_case(MaxPool1d, 1),
    MaxPool2d: max_case(MaxPool2d, 2),
    AvgPool1d: average_case(AvgPool1d, 1),
    AvgPool2d: average_case(AvgPool2d, 2),
    GlobalAvgPool: GLOBAL,
    Flatten: FLATTEN,
    BatchNorm2d: NORM,
    ChannelDropout: DROPOUT,
}
