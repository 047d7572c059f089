"""The networks that conv1d() builds, and what they give for rows of several lengths."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch

from pellucid.engines.textbook.forward import forward
from pellucid.engines.torch_engine.module import build
from pellucid.engines.torch_engine.module import forward as torch_forward
from pellucid.errors import SettingError
from pellucid.network import AvgPool1d, BatchNorm, Conv1d, Dense, GlobalAvgPool, Layer, MaxPool1d, Network, Transpose
from pellucid.network import conv1d as conv1d_network
from tests.parity.cases import make_parameters

LENGTHS = (9, 5, 1, 2, 7)


def words(network: Network) -> list[str]:
    return [layer.words() for layer in network.layers]


def test_the_network_for_a_series() -> None:
    network = conv1d_network((50, 3), (16, 8), 2, hidden=(10,), dropout=0.5, activation="gelu")
    assert words(network) == [
        "Transpose", "Conv1d 3 → 16, 8, same, no bias", "BatchNorm 16", "gelu", "Conv1d 16 → 8, 5, same, no bias",
        "BatchNorm 8", "gelu", "GlobalAvgPool", "Dropout 0.5", "Dense 8 → 10", "gelu", "Dropout 0.5", "Dense 10 → 2",
    ]  # fmt: skip
    assert network.dtype == "float"


def test_the_network_for_tokens() -> None:
    network = conv1d_network((50,), (16,), 4, vocabulary=200, embedding=12, kernel=4, pool="max", batch_norm=False)
    assert words(network) == [
        "Embedding 200 → 12", "Transpose", "Conv1d 12 → 16, 4, same", "relu", "Transpose", "StepPool max",
        "Dense 16 → 4",
    ]  # fmt: skip
    assert network.dtype == "int64"


def test_residual_adds_the_further_convolutions_of_a_stage() -> None:
    network = conv1d_network((50, 1), (8,), 2, depth=3, residual=True)
    assert words(network) == [
        "Transpose", "Conv1d 1 → 8, 8, same, no bias", "BatchNorm 8", "relu",
        "Residual of Conv1d 8 → 8, 5, same, no bias, BatchNorm 8, relu, Conv1d 8 → 8, 3, same, no bias, BatchNorm 8, "
        "relu", "GlobalAvgPool", "Dense 8 → 2",
    ]  # fmt: skip


def test_halved_pools_after_each_stage_but_the_last_while_there_are_steps() -> None:
    network = conv1d_network((33, 1), (4, 4, 4, 4), 2, kernel=3, halved=True)
    assert [each for each in words(network) if "Pool" in each] == ["MaxPool1d 2", "MaxPool1d 2", "GlobalAvgPool"]
    assert network.shapes()[-3] == (4, 8)


def test_flatten_keeps_all_numbers_of_the_last_stage() -> None:
    network = conv1d_network((33, 1), (4, 5), 2, kernel=3, halved=True, pool="flatten")
    assert words(network)[-2:] == ["Flatten", "Dense 80 → 2"]
    both = answers(network, make_parameters(network), np.random.default_rng(4).normal(size=(3, 33, 1)))
    np.testing.assert_allclose(*both, rtol=1e-12)


def padded(generator: np.random.Generator, steps: int) -> Any:
    x = generator.normal(size=(len(LENGTHS), steps, 2))
    for row, length in enumerate(LENGTHS):
        x[row, length:] = np.nan
    return x


def answers(network: Network, w: Any, x: Any) -> tuple[Any, Any]:
    """Of the textbook and of PyTorch."""
    theirs = torch_forward(build(network, w, torch.float64).eval(), torch.from_numpy(x)).detach().numpy()
    return forward(network, w, x).logits, theirs


@pytest.mark.parametrize("pool", ["mean", "max"])
@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("activation", ["relu", "sigmoid"])  # sigmoid makes ½ of a zero
def test_a_row_gives_what_it_gives_by_itself(pool: str, residual: bool, activation: str) -> None:
    def network(steps: int) -> Network:
        return conv1d_network(
            (steps, 2), (4, 3), 2, kernel=(4, 3), depth=2, residual=residual, pool=pool, activation=activation
        )

    assert Network.from_json(json.loads(json.dumps(network(9).to_json()))) == network(9)
    w = make_parameters(network(9))
    x = padded(np.random.default_rng(1), 9)
    ours, theirs = answers(network(9), w, x)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)
    for row, length in enumerate(LENGTHS):
        alone = forward(network(length), w, x[row : row + 1, :length]).logits
        np.testing.assert_allclose(ours[row], alone[0], rtol=1e-12, atol=1e-13)


def strided(steps: int, *layers: Layer) -> Network:
    head = GlobalAvgPool(), Dense(inputs=3, outputs=2)
    first = Conv1d(in_channels=2, out_channels=3, kernel_size=3, padding="same")
    return Network(shape=(steps, 2), layers=(Transpose(), first, *layers, BatchNorm(width=3), *head))


STRIDED: dict[str, tuple[Layer, ...]] = {
    "stride": (Conv1d(in_channels=3, out_channels=3, kernel_size=3, stride=2, padding=1),),
    "dilation": (Conv1d(in_channels=3, out_channels=3, kernel_size=2, stride=3, padding=2, dilation=2),),
    "max": (MaxPool1d(kernel_size=2, padding=1),),
    "max, twice": (MaxPool1d(kernel_size=3, stride=2, padding=1), MaxPool1d(kernel_size=3, stride=2, padding=1)),
    "average": (AvgPool1d(kernel_size=3, stride=2, padding=1),),
}


@pytest.mark.parametrize("name", STRIDED)
def test_fewer_steps_after_a_stride_or_a_pooling(name: str) -> None:
    x = padded(np.random.default_rng(2), 9)
    w = make_parameters(strided(9, *STRIDED[name]))
    ours, theirs = answers(strided(9, *STRIDED[name]), w, x)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)
    for row, length in enumerate(LENGTHS):
        alone = forward(strided(length, *STRIDED[name]), w, x[row : row + 1, :length]).logits
        np.testing.assert_allclose(ours[row], alone[0], rtol=1e-12, atol=1e-13)


def test_a_row_shorter_than_a_window_counts_one_step_however_long_the_others_are() -> None:
    pooled = MaxPool1d(kernel_size=4)
    w = make_parameters(strided(9, pooled))
    x = padded(np.random.default_rng(3), 9)
    ours, theirs = answers(strided(9, pooled), w, x)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(ours[2:4], forward(strided(5, pooled), w, x[2:4, :5]).logits, rtol=1e-12)


def test_the_statistics_of_a_batch_are_of_the_steps_that_count() -> None:
    network = Network(
        shape=(3, 1), layers=(Transpose(), BatchNorm(width=1), GlobalAvgPool(), Dense(inputs=1, outputs=1))
    )
    x = np.array([[[1.0], [3.0], [5.0]], [[7.0], [np.nan], [np.nan]]])  # mean 4, variance 5, of a sample 20/3
    w = {**make_parameters(network), "1.running_mean": np.zeros(1), "1.running_var": np.ones(1)}
    running = forward(network, w, x, training=True).running
    np.testing.assert_allclose(running["1.running_mean"], [0.4])
    np.testing.assert_allclose(running["1.running_var"], [0.9 + 0.1 * 20 / 3])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"shape": (8,)}, "(steps, channels), got (8,): for tokens give vocabulary"),
        ({"shape": (8, 1), "vocabulary": 9}, "(steps,), got (8, 1): for a series leave vocabulary out"),
        ({"channels": ()}, "channels must name at least one stage"),
        ({"pool": "last"}, "pool must be one of mean, max, flatten, got 'last'"),
        ({"depth": 0}, "depth must be a whole number of convolutions a stage"),
        ({"residual": True}, "residual needs depth of at least 2"),
        ({"kernel": 0}, "kernel must be a whole number from 1"),
        ({"kernel": ()}, "kernel must be a whole number from 1"),
    ],
)
def test_wrong_arguments_are_said(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingError) as caught:
        conv1d_network(**{"shape": (8, 1), "channels": (4,), "outputs": 2, **arguments})
    assert said in str(caught.value)
