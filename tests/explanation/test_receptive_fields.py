"""Receptive fields from the description, against the positions where autograd's gradient is not 0."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch

from pellucid.engines.torch_engine.module import build
from pellucid.explanation.receptive_fields import ReceptiveField, receptive_fields
from pellucid.network import (
    Activation,
    AvgPool2d,
    BatchNorm2d,
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

RNG = np.random.default_rng(0)
# Positions in the padding of a layer in between depend on nothing; with dilation, these may be the outermost ones.
LESS_AT_THE_BORDER = ("dilation", "series")
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")


def conv(before: int, after: int, kernel: int | tuple[int, int], **more: object) -> Conv2d:
    return Conv2d(in_channels=before, out_channels=after, kernel_size=kernel, **more)  # type: ignore[arg-type]


NETWORKS: dict[str, Network] = {
    "same": Network(shape=(1, 13, 12), layers=[conv(1, 2, 3, padding="same"), conv(2, 2, 5, padding="same")]),
    "even same": Network(shape=(1, 9, 9), layers=[conv(1, 2, 4, padding="same"), conv(2, 2, 3)]),
    "strides": Network(
        shape=(2, 17, 16), layers=[conv(2, 3, 3, stride=2, padding=1), conv(3, 2, (3, 1), stride=(2, 1))]
    ),
    "dilation": Network(
        shape=(1, 19, 17), layers=[conv(1, 2, 3, dilation=3), conv(2, 2, 2, dilation=(1, 2), padding=1)]
    ),
    "pools": Network(
        shape=(1, 20, 21),
        layers=[
            conv(1, 3, 3), AvgPool2d(kernel_size=3, stride=2, padding=1), conv(3, 2, 3), MaxPool2d(kernel_size=2)
        ],
    ),
    "residual": Network(
        shape=(1, 14, 14),
        layers=[
            conv(1, 2, 3, padding="same"), MaxPool2d(kernel_size=2), BatchNorm2d(width=2),
            Residual(block=(conv(2, 2, 3, padding="same"), Activation(function="tanh"), conv(2, 2, 4, padding="same"))),
            conv(2, 3, 3, stride=2, padding=1),
        ],
    ),
    "grouped": Network(shape=(4, 8, 8), layers=[conv(4, 4, 3, groups=4, padding=2), conv(4, 2, 1, stride=2)]),
    "average": cnn((1, 12, 12), (2, 3), 2, activation="tanh"),
    "series": Network(
        shape=(2, 30),
        layers=[
            Conv1d(in_channels=2, out_channels=3, kernel_size=5, stride=2), MaxPool1d(kernel_size=2),
            Conv1d(in_channels=3, out_channels=1, kernel_size=3, dilation=2, padding="same"),
        ],
    ),
    "flat": Network(shape=(1, 6, 5), layers=[conv(1, 2, 3), Flatten(), Dense(inputs=24, outputs=3)]),
}  # fmt: skip


def seen(network: Network, name: str, position: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """The span of the input positions whose gradient is not 0 for one position of a layer, over many random rows."""
    module = build(network, initialise(network, 0), torch.float64).eval()
    outputs: list[torch.Tensor] = []
    hook = module.get_submodule(name).register_forward_hook(lambda layer, given, output: outputs.append(output))
    rows = torch.from_numpy(RNG.normal(size=(200, *network.shape))).requires_grad_(True)
    module(rows)
    hook.remove()
    at = outputs[0] if outputs[0].ndim == 2 else outputs[0][(..., *position)]
    (slopes,) = torch.autograd.grad(at.sum(), rows)
    touched = (slopes != 0).any(dim=0).any(dim=0).numpy()
    found = []
    for axis in range(touched.ndim):
        others = tuple(k for k in range(touched.ndim) if k != axis)
        where = np.flatnonzero(touched.any(axis=others))
        found.append((int(where[0]), int(where[-1]) + 1))
    return tuple(found)


@pytest.mark.parametrize("name", NETWORKS)
def test_autograd_touches_what_the_description_says(name: str) -> None:
    network = NETWORKS[name]
    fields = receptive_fields(network)
    checked = 0
    for place, field in fields.items():
        ends = [sorted({0, n // 2, n - 1}) for n in field.shape[1:]] or [[0] for _ in field.picture]
        for position in product(*ends):
            inside = field.inside(position)
            if any(a >= b for a, b in inside):  # in the padding alone
                continue
            found = seen(network, place, position)
            if name in LESS_AT_THE_BORDER and inside != field.window(position):
                assert all(a <= c < d <= b for (a, b), (c, d) in zip(inside, found, strict=True))
            else:
                assert found == inside, (place, field.words, position)
            checked += 1
    assert checked > len(fields)


def test_by_hand() -> None:
    fields = receptive_fields(NETWORKS["strides"])
    assert list(fields) == ["0", "1"]
    assert (fields["1"].extent, fields["1"].step, fields["1"].offset) == ((7, 3), (4, 2), (-1, -1))
    assert fields["1"].window((1, 0)) == ((3, 10), (-1, 2))
    assert fields["1"].inside((1, 0)) == ((3, 10), (0, 2))
    assert fields["1"].share == pytest.approx(3 / 16)
    inner = receptive_fields(NETWORKS["residual"])
    assert list(inner) == ["0", "1", "2", "3.0", "3.1", "3.2", "3", "4"]


@pytest.mark.parametrize("mistake", ["padding forgotten", "step of the stride alone", "dilation forgotten"])
def test_planted_mistakes_are_noticed(mistake: str) -> None:
    name, place = {"padding forgotten": ("strides", "1"), "step of the stride alone": ("strides", "1"),
                   "dilation forgotten": ("dilation", "0")}[mistake]  # fmt: skip
    right = receptive_fields(NETWORKS[name])[place]
    wrong = {
        "padding forgotten": {"offset": (0, 0)},
        "step of the stride alone": {"step": (2, 1)},
        "dilation forgotten": {"extent": (3, 3)},
    }[mistake]
    other = ReceptiveField(**{**vars(right), **wrong})
    position = (1, 2)
    assert seen(NETWORKS[name], place, position) == right.inside(position) != other.inside(position)


def test_a_layer_that_sees_everything() -> None:
    layers: list[Layer] = [conv(1, 2, 3, padding="same"), GlobalAvgPool(), Dense(inputs=2, outputs=2)]
    fields = receptive_fields(Network(shape=(1, 7, 5), layers=layers))
    assert (fields["1"].extent, fields["1"].step, fields["1"].share) == ((9, 7), (0, 0), 1.0)
    assert fields["2"].extent == fields["1"].extent
    assert fields["2"].inside((0, 0)) == ((0, 7), (0, 5))
