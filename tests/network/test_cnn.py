"""Layers for pictures and series: shapes as PyTorch has them, what is refused, and the networks that cnn() builds."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from pellucid.engines.torch_engine.module import build
from pellucid.errors import SettingError
from pellucid.network import (
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
    Residual,
    cnn,
)
from pellucid.network.initialise import initialise
from pellucid.training.batches import dropout_masks

PAIR = st.tuples(st.integers(1, 4), st.integers(1, 4))


@settings(deadline=None, max_examples=60)
@given(
    PAIR, PAIR, st.tuples(st.integers(0, 2), st.integers(0, 2)), PAIR, st.tuples(st.integers(3, 9), st.integers(3, 9))
)
def test_a_convolution_gives_the_shape_that_pytorchs_gives(
    kernel: Any, stride: Any, padding: Any, dilation: Any, extents: Any
) -> None:
    layer = Conv2d(in_channels=2, out_channels=3, kernel_size=kernel, stride=stride, padding=padding, dilation=dilation)
    twin = nn.Conv2d(2, 3, kernel, stride, padding, dilation, device="meta")
    try:
        wanted = tuple(twin(torch.empty(1, 2, *extents, device="meta")).shape[1:])
    except RuntimeError:  # PyTorch: the kernel cannot be greater than the input
        with pytest.raises(SettingError, match="make the window smaller, pad the input"):
            layer.output_shape((2, *extents))
    else:
        assert layer.output_shape((2, *extents)) == wanted
    assert Network.from_json(json.loads(json.dumps(Network(shape=(2, 40, 40), layers=(layer,)).to_json()))) == Network(
        shape=(2, 40, 40), layers=(layer,)
    )


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 5), st.none() | st.integers(1, 4), st.integers(0, 2), st.integers(5, 12))
def test_a_pooling_gives_the_shape_that_pytorchs_gives(kernel: int, stride: int | None, padding: int, n: int) -> None:
    padding = min(padding, kernel // 2)
    layer = MaxPool1d(kernel_size=kernel, stride=stride, padding=padding)
    twin = nn.MaxPool1d(kernel, stride, padding)
    assert layer.output_shape((2, n)) == tuple(twin(torch.zeros(1, 2, n)).shape[1:])


def test_same_keeps_the_extents_and_puts_the_odd_zero_after() -> None:
    layer = Conv2d(in_channels=1, out_channels=1, kernel_size=(4, 3), padding="same", dilation=(1, 2))
    assert layer.output_shape((1, 9, 7)) == (1, 9, 7)
    assert layer.pads == ((1, 2), (2, 2))


def test_groups_divide_the_weight() -> None:
    depthwise = Conv2d(in_channels=6, out_channels=12, kernel_size=3, groups=6)
    assert [p.shape for p in depthwise.parameters((6, 9, 9))] == [(12, 1, 3, 3), (12,)]
    assert depthwise.words() == "Conv2d 6 → 12, 3×3, groups 6"
    assert depthwise.fan((6, 9, 9)).inputs == 9


def conv(**fields: Any) -> Callable[[], Layer]:
    return lambda: Conv2d(**{"in_channels": 4, "out_channels": 4, "kernel_size": 3, **fields})


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (conv(kernel_size=0), "Conv2d's kernel_size must be a whole number from 1"),
        (conv(kernel_size=(3, 3, 3)), "one whole number, or 2 for height and width"),
        (conv(stride=1.5), "stride must be a whole number"),
        (conv(padding="sme"), "whole numbers, 'same' or 'valid', got 'sme'"),
        (conv(padding=-1), "padding must be a whole number from 0"),
        (conv(padding="same", stride=2), "padding 'same' keeps the extents, so it needs stride 1, got 2×2"),
        (conv(groups=3), "in_channels must be a multiple of its groups, got 4 with 3 groups"),
        (conv(groups=2, out_channels=5), "out_channels must be a multiple of its groups, got 5 with 2 groups"),
        (conv(bias=1), "bias"),
        (conv(in_channels=True), "in_channels"),
        (lambda: MaxPool2d(kernel_size=2, padding=2), "padding may be at most half its window, got 2×2 with 2×2"),
        (lambda: ChannelDropout(rate=1.0), "below 1"),
        (lambda: BatchNorm2d(width=0), "width"),
    ],
)
def test_what_breaks_a_rule_is_refused(make: Callable[[], Layer], said: str) -> None:
    with pytest.raises(SettingError) as caught:
        make()
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("shape", "layers", "said"),
    [
        ((3, 8, 8), (Conv2d(in_channels=1, out_channels=4, kernel_size=3),), "(Conv2d 1 → 4, 3×3) takes 1 channel,"),
        ((1, 4, 9), (Conv2d(in_channels=1, out_channels=4, kernel_size=5),), "the height of its input is only 4"),
        ((1, 4, 4), (Conv2d(in_channels=1, out_channels=4, kernel_size=7, padding=1),), "only 4 (6 with its padding)"),
        ((9,), (Conv1d(in_channels=1, out_channels=4, kernel_size=3),), "rows of the shape (channels, steps)"),
        ((1, 2, 2), (MaxPool2d(kernel_size=2), AvgPool2d(kernel_size=2)), "layer 1 (AvgPool2d 2×2)"),
        ((4, 3, 3), (BatchNorm2d(width=5),), "BatchNorm2d 5"),
        ((4, 3), (BatchNorm(width=3),), "BatchNorm 3"),
        ((4,), (GlobalAvgPool(),), "takes channels with positions"),
        ((4,), (ChannelDropout(rate=0.1),), "use Dropout"),
        ((2, 3, 3), (Dense(inputs=18, outputs=1),), "what comes before it gives the shape [2, 3, 3]"),
    ],
)  # fmt: skip
def test_layers_that_do_not_fit_are_named(shape: Any, layers: Any, said: str) -> None:
    with pytest.raises(SettingError) as caught:
        Network(shape=shape, layers=layers)
    assert said in str(caught.value)


@pytest.mark.parametrize("size", [[3], [3, 3, 3], [[3], 3], {"a": 1}, ["3", "3"], 10**9, None, [True, 3]])
def test_hostile_windows_raise_our_own_error(size: Any) -> None:
    described = Network(shape=(1, 9, 9), layers=(MaxPool2d(kernel_size=2),)).to_json()
    described["layers"][0]["kernel_size"] = size
    with pytest.raises(SettingError, match="kernel_size"):
        Network.from_json(described)


def test_a_mask_of_channels_has_one_number_for_each() -> None:
    network = Network(shape=(3, 4, 5), layers=(ChannelDropout(rate=0.5), Flatten()))
    (mask,) = dropout_masks(network, 7, seed=0, epoch=0, batch=0)
    assert mask.shape == (7, 3, 1, 1)
    assert set(np.unique(mask)) <= {0.0, 2.0}


def test_first_weights_of_a_convolution_have_the_spread_of_he() -> None:
    weight = initialise(cnn((3, 8, 8), (64, 64), 2, kernel=5), 0)["4.weight"]
    assert weight.shape == (64, 64, 5, 5)
    assert weight.var() == pytest.approx(2 / (64 * 25), rel=0.02)


# ── cnn() ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def words(network: Network) -> list[str]:
    return [layer.words() for layer in network.layers]


def test_the_network_for_digits() -> None:
    assert words(cnn((1, 28, 28), (16, 32), 10, head="flatten", hidden=(50,), dropout=0.5, channel_dropout=0.1)) == [
        "Conv2d 1 → 16, 3×3, same, no bias", "MaxPool2d 2×2", "BatchNorm2d 16", "relu", "ChannelDropout 0.1",
        "Conv2d 16 → 32, 3×3, same, no bias", "BatchNorm2d 32", "relu", "Flatten",
        "Dropout 0.5", "Dense 6272 → 50", "relu", "Dropout 0.5", "Dense 50 → 10",
    ]  # fmt: skip


def test_a_stage_of_several_convolutions_is_a_residual_on_request() -> None:
    network = cnn((3, 16, 16), (8, 12), 4, depth=3, residual=True, batch_norm=False, pool="average")
    assert words(network)[:4] == [
        "Conv2d 3 → 8, 3×3, same", "AvgPool2d 2×2", "relu",
        "Residual of Conv2d 8 → 8, 3×3, same, relu, Conv2d 8 → 8, 3×3, same, relu",
    ]  # fmt: skip
    assert sum(isinstance(layer, Residual) for layer in network.layers) == 2


@pytest.mark.parametrize("pool", ["max", "average", "stride", "none"])
@pytest.mark.parametrize("kernel", [1, 2, 3, 5, 6])
def test_maps_shrink_to_no_fewer_than_two_positions(pool: str, kernel: int) -> None:
    network = cnn((3, 9, 20), (4,) * 6, 2, pool=pool, kernel=kernel)
    last = network.shapes()[-3]
    if pool == "none":
        assert last == (4, 9, 20)
    else:
        assert min(last[1:]) in (2, 3)
    assert network.outputs == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"shape": (8,)}, "use mlp for columns"),
        ({"shape": [1, 8, 8]}, "pictures of the shape (channels, height, width)"),
        ({"channels": ()}, "at least one stage"),
        ({"channels": (0,)}, "out_channels must be a whole number"),
        ({"pool": "maximum"}, "pool must be one of max, average, stride, none, got 'maximum'"),
        ({"head": "dense"}, "head must be one of average, flatten"),
        ({"depth": 0}, "depth must be a whole number"),
        ({"residual": True}, "residual needs depth of at least 2"),
        ({"kernel": 0}, "kernel must be a whole number from 1"),
        ({"kernel": "3", "pool": "stride"}, "kernel must be a whole number from 1, got '3'"),
        ({"channels": 8}, "channels must name at least one stage, such as (16, 32, 64), got 8"),
        ({"activation": "rellu"}, "rellu"),
        ({"dropout": 1.0}, "below 1"),
    ],
)
def test_what_cnn_refuses(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingError) as caught:
        cnn(**{"shape": (1, 8, 8), "channels": (4, 4), "outputs": 2, **arguments})
    assert said in str(caught.value)


@pytest.mark.parametrize("pool", ["max", "stride"])
def test_json_and_the_names_of_pytorchs_state(pool: str) -> None:
    network = cnn((3, 12, 10), (4, 8), 5, depth=3, residual=True, pool=pool, kernel=4, channel_dropout=0.2)
    assert Network.from_json(json.loads(json.dumps(network.to_json()))) == network
    module = build(network, initialise(network, 0), torch.float64)
    assert [(p.name, p.shape) for p in network.parameters()] == [
        (name, tuple(t.shape)) for name, t in module.state_dict().items()
    ]
