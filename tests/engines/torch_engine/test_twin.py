"""The weights load into the same network written with plain ``torch.nn`` modules, which then gives the same answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from pellucid.engines.textbook.forward import forward
from pellucid.network import (
    Activation,
    AvgPool1d,
    BatchNorm,
    Conv1d,
    Conv2d,
    Dense,
    Flatten,
    GlobalAvgPool,
    MaxPool1d,
    Network,
    cnn,
)
from tests.parity.cases import make_parameters

RELU = Activation(function="relu")


def digits() -> tuple[Network, nn.Module]:
    """What `cnn` builds, as a tutorial writes it."""
    twin = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding="same", bias=False), nn.MaxPool2d(2), nn.BatchNorm2d(4), nn.ReLU(),
        nn.Dropout2d(0.2),
        nn.Conv2d(4, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(),
        nn.Flatten(), nn.Dropout(0.5), nn.Linear(8 * 6 * 6, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 10),
    )  # fmt: skip
    network = cnn((1, 12, 12), (4, 8), 10, head="flatten", hidden=(16,), dropout=0.5, channel_dropout=0.2)
    return network, twin


def mobile() -> tuple[Network, nn.Module]:
    """Depthwise and dilated, with a stride, an average over all positions."""
    twin = nn.Sequential(
        nn.Conv2d(3, 6, (5, 3), stride=(2, 1), padding=(2, 0), dilation=(1, 2)), nn.ReLU(),
        nn.Conv2d(6, 12, 3, padding="same", groups=6, bias=False), nn.Conv2d(12, 8, 1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2),
    )  # fmt: skip
    layers = (
        Conv2d(in_channels=3, out_channels=6, kernel_size=(5, 3), stride=(2, 1), padding=(2, 0), dilation=(1, 2)), RELU,
        Conv2d(in_channels=6, out_channels=12, kernel_size=3, padding="same", groups=6, bias=False),
        Conv2d(in_channels=12, out_channels=8, kernel_size=1), RELU,
        GlobalAvgPool(), Activation(function="identity"), Dense(inputs=8, outputs=2),
    )  # fmt: skip
    return Network(shape=(3, 11, 9), layers=layers), twin


def series() -> tuple[Network, nn.Module]:
    """Conv1d with its kin."""
    twin = nn.Sequential(
        nn.Conv1d(2, 4, 5, stride=2, padding=2, groups=2), nn.BatchNorm1d(4), nn.Tanh(), nn.MaxPool1d(3, 2, 1),
        nn.Conv1d(4, 6, 3, dilation=2, padding="same"), nn.ReLU(), nn.AvgPool1d(2), nn.Flatten(), nn.Linear(18, 3),
    )  # fmt: skip
    layers = (
        Conv1d(in_channels=2, out_channels=4, kernel_size=5, stride=2, padding=2, groups=2),
        BatchNorm(width=4), Activation(function="tanh"), MaxPool1d(kernel_size=3, stride=2, padding=1),
        Conv1d(in_channels=4, out_channels=6, kernel_size=3, dilation=2, padding="same"), RELU,
        AvgPool1d(kernel_size=2), Flatten(), Dense(inputs=18, outputs=3),
    )  # fmt: skip
    return Network(shape=(2, 24), layers=layers), twin


@pytest.mark.parametrize("pair", [digits, mobile, series])
def test_the_state_loads_into_the_plain_twin(pair: object) -> None:
    network, twin = pair()  # type: ignore[operator]
    parameters = make_parameters(network)
    twin.double().load_state_dict({name: torch.tensor(array) for name, array in parameters.items()}, strict=True)
    assert [name for name, _ in twin.named_parameters()] == [p.name for p in network.trainable()]
    x = np.random.default_rng(0).normal(size=(5, *network.shape))
    with torch.inference_mode():
        theirs = twin.eval()(torch.tensor(x)).numpy()
    np.testing.assert_allclose(forward(network, parameters, x).logits, theirs, rtol=0, atol=1e-12)
