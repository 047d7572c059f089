"""Channels: planted dead ones, and what excites a channel most, found again by looking everywhere."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pellucid.engines.torch_engine.module import build
from pellucid.explanation import channels
from pellucid.explanation.channels import channel_statistics, feature_maps, map_layers
from pellucid.explanation.receptive_fields import receptive_fields
from pellucid.network import Activation, Conv2d, Flatten, Network, cnn, mlp
from pellucid.network.initialise import initialise

RNG = np.random.default_rng(5)
PICTURES = RNG.normal(size=(30, 2, 11, 9))
NETWORK = cnn((2, 11, 9), (4, 6), 3, depth=2, residual=True)


def planted(function: str) -> tuple[Network, dict[str, np.ndarray]]:
    """Channels 1 and 3 of the first convolution are pushed far to the left."""
    network = cnn((2, 11, 9), (5, 4), 3, activation=function)
    weights = initialise(network, 0)
    weights["2.bias"][[1, 3]] = -100.0  # of BatchNorm, right before the activation
    return network, weights


@pytest.mark.parametrize("function", ["relu", "silu", "gelu"])
def test_planted_dead_channels_are_found(function: str) -> None:
    first, second = channel_statistics(*planted(function), PICTURES)
    assert np.flatnonzero(first.dead).tolist() == [1, 3]
    assert not second.dead.any()
    assert "2 of 5 channels (40%) are dead: never above 0 on any picture" in first.sentence
    assert second.sentence.endswith("no channel is dead")


def test_a_channel_that_one_position_of_one_picture_moves_is_not_dead() -> None:
    network, weights = planted("relu")
    pictures = PICTURES.copy()
    pictures[17, :, 4:7, 3:6] = 1e5 * np.sign(weights["0.weight"][1])
    found, _ = channel_statistics(network, weights, pictures)
    assert not found.dead[1]
    assert found.excitation.pictures[1, 0] == 17


def test_what_cannot_die_is_not_dead() -> None:
    found, _ = channel_statistics(*planted("leaky_relu"), PICTURES)
    assert not found.dead.any()


@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_everything_is_found_again_by_looking_everywhere(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "pictures_at_once", lambda network: at_once)
    weights = initialise(NETWORK, 2)
    module = build(NETWORK, weights, torch.float64).eval()
    for found in channel_statistics(NETWORK, weights, PICTURES, most=5):
        kept: list[torch.Tensor] = []
        hook = module.get_submodule(found.layer.last).register_forward_hook(lambda m, g, out, to=kept: to.append(out))
        with torch.no_grad():
            module(torch.from_numpy(PICTURES))
        hook.remove()
        maps = kept[0].numpy()
        assert maps.shape[1:] == found.layer.shape
        np.testing.assert_allclose(found.means, maps.mean(axis=(0, 2, 3)), atol=1e-12)
        np.testing.assert_allclose(found.deviations, maps.std(axis=(0, 2, 3)), atol=1e-9)
        np.testing.assert_allclose(found.largest, maps.max(axis=(0, 2, 3)), atol=1e-12)
        assert found.zeros == pytest.approx((maps == 0).mean())
        for k in range(found.layer.channels):
            best = np.sort(maps[:, k].max(axis=(1, 2)))[::-1][:5]
            np.testing.assert_allclose(found.excitation.values[k], best, atol=1e-12)
            for value, picture, place in zip(
                found.excitation.values[k], found.excitation.pictures[k], found.excitation.positions[k], strict=True
            ):
                assert maps[picture, k, place[0], place[1]] == pytest.approx(value)
        assert found.sample.shape == (30, min(256, maps[0].size))
        assert np.isin(found.sample[3], maps[3].astype(np.float32)).all()


def test_layers_of_all_kinds() -> None:
    assert [(each.name, each.last, each.function) for each in map_layers(NETWORK)] == [
        ("0", "3", "relu"), ("4.0", "4.2", "relu"), ("5", "7", "relu"), ("8.0", "8.2", "relu")
    ]  # fmt: skip
    assert map_layers(mlp(3, [4], 1)) == ()
    bare = Network(shape=(1, 4, 4), layers=(Conv2d(in_channels=1, out_channels=1, kernel_size=3), Flatten()))
    assert [(each.last, each.text) for each in map_layers(bare)] == [("0", "1 channel of 2 × 2, identity")]
    assert set(receptive_fields(NETWORK)) >= {each.last for each in map_layers(NETWORK)}


def test_maps_of_one_picture_are_those_of_the_formula() -> None:
    conv = Conv2d(in_channels=1, out_channels=1, kernel_size=2)
    network = Network(shape=(1, 2, 3), layers=(conv, Activation(function="relu"), Flatten()))
    weights = {"0.weight": np.array([[[[1.0, 0.0], [0.0, -1.0]]]]), "0.bias": np.array([0.5])}
    (maps,) = feature_maps(network, weights, np.array([[[1.0, 4.0, 2.0], [0.0, 3.0, 1.0]]]))
    np.testing.assert_allclose(maps, [[[0.0, 3.5]]])  # 1 − 3 + ½ < 0, 4 − 1 + ½
