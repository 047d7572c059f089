"""What a description may ask of memory: a few bytes can describe maps that no machine holds."""

from __future__ import annotations

from typing import Any

import pytest

from pellucid.errors import SettingError
from pellucid.network import Network, cnn
from pellucid.network.sizes import MAX_PATCHES, MAX_VALUES


def conv(**fields: Any) -> dict[str, Any]:
    usual = {
        "kind": "Conv2d", "in_channels": 1, "out_channels": 1, "kernel_size": [1, 1], "stride": [1, 1],
        "padding": [0, 0], "dilation": [1, 1], "groups": 1, "bias": False,
    }  # fmt: skip
    return {**usual, **fields}


TAIL: list[dict[str, Any]] = [
    {"kind": "GlobalAvgPool"}, {"kind": "Dense", "inputs": 1, "outputs": 1, "bias": True},
]  # fmt: skip


def described(*layers: dict[str, Any], side: int = 64) -> dict[str, Any]:
    return {"shape": [1, side, side], "dtype": "float", "layers": [*layers, *TAIL]}


@pytest.mark.parametrize(
    "network",
    [
        described(conv(padding=[65_536, 65_536])),
        described(conv(padding=[65_536, 65_536], stride=[65_536, 65_536])),  # its map is small, its padded input not
        described(conv(padding=[30_000, 0], out_channels=60), conv(in_channels=60)),
        described(conv(kernel_size=[501, 501], padding="same"), side=512),  # 512² places of 501² numbers
        described(*[conv(padding=[50, 50])] * 60),  # each is small, all together are not
        described(
            {"kind": "AvgPool2d", "kernel_size": [60_001, 60_001], "stride": [1, 1], "padding": [30_000, 30_000]}
        ),
        described({"kind": "Residual", "block": [conv(padding=[40_000, 40_000]), conv(kernel_size=[80_001, 80_001])]}),
    ],
)
def test_maps_beyond_memory_are_refused_before_they_are_made(network: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=r"numbers for one row, and a network has at most|whole number from 1 to"):
        Network.from_json(network)


def test_a_usual_network_is_far_below_the_limits() -> None:
    large = cnn((3, 224, 224), (64, 128, 256, 256, 512, 512), 1000, depth=2, residual=True)
    assert sum(a * b * c for a, b, c in [s for s in large.shapes() if len(s) == 3]) < MAX_VALUES / 5
    assert MAX_PATCHES > 224 * 224 * 64 * 49  # a first layer of 7 × 7
