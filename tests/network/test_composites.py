"""Layers inside layers: names, shapes, first weights, masks; and what a hostile description may try."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.errors import ModelFileError, SettingError
from pellucid.model.model_file import ModelContents, read_model, write_model
from pellucid.network import (
    MAX_LAYERS,
    Activation,
    BatchNorm,
    Dense,
    Dropout,
    Layer,
    LayerNorm,
    Network,
    Residual,
    autoencoder,
    mlp,
)
from pellucid.network.initialise import initialise
from pellucid.network.layers import MAX_DEPTH
from pellucid.network.task import Task
from pellucid.training.batches import dropout_masks

RELU = Activation(function="relu")
SQUARE = Dense(inputs=4, outputs=4)


def nested(depth: int) -> Any:
    """The description of a Residual in a Residual in a …, as JSON."""
    value: dict[str, Any] = {"kind": "Activation", "function": "relu"}
    for _ in range(depth):
        value = {"kind": "Residual", "block": [value]}
    return {"inputs": 4, "layers": [value]}


def wrapped(depth: int, times: int) -> Layer:
    """A Residual of so many copies of a Residual of so many copies of …."""
    layer: Layer = RELU
    for _ in range(depth):
        layer = Residual(block=(layer,) * times)
    return layer


def test_names_shapes_and_counts_inside_a_block() -> None:
    block = (Dense(inputs=4, outputs=4, bias=False), BatchNorm(width=4), RELU, Dropout(rate=0.5))
    network = Network(inputs=3, layers=(Dense(inputs=3, outputs=4), RELU, Residual(block=(*block, *block))))
    names = [p.name for p in network.parameters()]
    assert names[:7] == [
        "0.weight", "0.bias", "2.0.weight", "2.1.weight", "2.1.bias", "2.1.running_mean", "2.1.running_var",
    ]  # fmt: skip
    assert names[8] == "2.4.weight"
    assert [leaf.name for leaf in network.leaves()] == ["0", "1", *(f"2.{k}" for k in range(8))]
    assert network.shapes() == ((4,), (4,), (4,))
    assert [list(block) for block in network.blocks()] == [[0, 1], [2]]
    assert network.has_batch_norm
    assert network.n_trainable == 16 + 2 * (16 + 8)


def test_masks_inside_a_block_are_drawn_in_the_order_in_which_they_are_taken() -> None:
    block = (Dense(inputs=4, outputs=6), Dropout(rate=0.5), Dense(inputs=6, outputs=4), Dropout(rate=0.25))
    network = Network(inputs=4, layers=(Dropout(rate=0.1), Residual(block=block), Dense(inputs=4, outputs=1)))
    masks = dropout_masks(network, 7, seed=0, epoch=0, batch=0)
    assert [mask.shape for mask in masks] == [(7, 4), (7, 6), (7, 4)]
    for mask, rate in zip(masks, (0.1, 0.5, 0.25), strict=True):
        assert set(np.unique(mask)) <= {np.float32(0), np.float32(1 / (1 - rate))}


@pytest.mark.parametrize(("function", "scheme"), [("relu", "he"), ("tanh", "glorot"), ("selu", "lecun")])
def test_first_weights_inside_a_block_follow_its_activation(function: str, scheme: Any) -> None:
    block = (Dense(inputs=300, outputs=300), Activation(function=function))
    network = Network(inputs=300, layers=(Residual(block=block), Dense(inputs=300, outputs=1)))
    auto, named = (initialise(network, 0, scheme=s)["0.0.weight"] for s in ("auto", scheme))
    np.testing.assert_array_equal(auto, named)
    variance = {"he": 2 / 300, "glorot": 2 / 600, "lecun": 1 / 300}[scheme]
    assert auto.var() == pytest.approx(variance, rel=0.05)


def test_a_layer_norm_starts_as_the_plain_normalisation() -> None:
    first = initialise(mlp(3, [4], 1, layer_norm=True), 0)
    assert first["1.weight"].tolist() == [1, 1, 1, 1]
    assert first["1.bias"].tolist() == [0, 0, 0, 0]


def test_mlp_puts_what_keeps_the_width_into_a_residual() -> None:
    network = mlp(5, [8, 8, 4, 4], 1, layer_norm=True, dropout=0.1, residual=True)
    kinds = [type(layer).__name__ for layer in network.layers]
    outside = ["Dense", "LayerNorm", "Activation", "Dropout"]
    assert kinds == [*outside, "Residual", *outside, "Residual", "Dense"]
    assert [type(layer).__name__ for layer in network.layers[4].inner()] == outside
    assert network.outline() == "5 → 8 → 8 → 4 → 4 → 1"
    without = mlp(5, [8, 8, 4, 4], 1, layer_norm=True, dropout=0.1)
    assert network.n_trainable == without.n_trainable


def test_the_waist_of_an_autoencoder_stays_linear_beside_residuals() -> None:
    network = autoencoder(8, [6, 3, 3, 6, 6], residual=True)
    assert [layer.words() for layer in network.layers] == [
        "Dense 8 → 6", "relu", "Dense 6 → 3", "Residual of Dense 3 → 3, relu", "Dense 3 → 6", "relu",
        "Residual of Dense 6 → 6, relu", "Dense 6 → 8",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Residual(block=()), "needs at least one layer"),
        (lambda: Residual(block=[SQUARE]), "must be a tuple of layers, got list"),  # type: ignore[arg-type]
        (lambda: Residual(block=(3,)), "must be a tuple of layers"),  # type: ignore[arg-type]
        (lambda: LayerNorm(width=0), "LayerNorm's width"),
        (lambda: LayerNorm(width=2, eps=0.0), "eps must be above 0"),
        (lambda: LayerNorm(width=2, eps=float("nan")), "LayerNorm's eps"),
        (
            lambda: Network(inputs=4, layers=(RELU, Residual(block=(SQUARE, Dense(inputs=5, outputs=4))))),
            r"layer 1 \(Residual of .*\) has a block in which layer 1 \(Dense 5 → 4\) takes 5 inputs, .* gives 4",
        ),
        (
            lambda: Network(inputs=4, layers=(Residual(block=(Dense(inputs=4, outputs=3),)),)),
            r"turns the shape \[4\] into \[3\]: let it end in the width",
        ),
        (
            lambda: Network(inputs=4, layers=(LayerNorm(width=3),)),
            r"layer 0 \(LayerNorm 3\) normalises 3 numbers, but .* gives 4: set its width to 4",
        ),
        (lambda: mlp(4, [64, 32], 1, residual=True), "as wide as what it receives.*4 → 64 → 32"),
        (lambda: mlp(4, [], 1, residual=True), "as wide as what it receives"),
        (lambda: mlp(4, [8], 1, batch_norm=True, layer_norm=True), "not both"),
        (lambda: Network(layers=(RELU,)), "shape must be"),
        (lambda: Network(inputs=4, shape=(4,), layers=(RELU,)), "not both"),
        (lambda: Network(shape=(1, 28, 28), layers=(SQUARE,)), r"takes 4 numbers per row.*\[1, 28, 28\]"),
        (lambda: Network(shape=(4, 0), layers=(RELU,)), "Network's shape"),
        (lambda: Network(inputs=4, dtype="text", layers=(RELU,)), "dtype must be"),  # type: ignore[arg-type]
        (lambda: Network(shape=(2, 3), layers=(RELU,)).inputs, "no single number of inputs"),
    ],
)
def test_what_does_not_fit_is_said(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        make()


def test_other_shapes_than_columns_survive_json() -> None:
    layers = (LayerNorm(width=5), Residual(block=(Activation(function="gelu"),)))
    network = Network(shape=(3, 5), layers=layers)
    assert network.shapes() == ((3, 5), (3, 5))
    again = Network.from_json(json.loads(json.dumps(network.to_json())))
    assert again == network
    assert "inputs" not in network.to_json()


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 100, 1000, 100_000])
def test_too_deep_a_nest_is_refused(depth: int) -> None:
    with pytest.raises(SettingError, match="deep"):
        Network.from_json(nested(depth))
    assert Network.from_json(nested(MAX_DEPTH)).layers[0].depth == MAX_DEPTH


def test_too_deep_a_nest_is_refused_while_it_is_built() -> None:
    with pytest.raises(SettingError, match="16 deep inside each other, got 17"):
        wrapped(1000, times=1)


def test_layers_are_counted_through_all_composites() -> None:
    half = Residual(block=(RELU,) * (MAX_LAYERS // 2))
    with pytest.raises(SettingError, match=r"at most 1,000 layers, got 1,002"):
        Network(inputs=4, layers=(half, half))
    with pytest.raises(SettingError, match="at most 1,000 layers"):
        wrapped(MAX_DEPTH, times=2)


@pytest.mark.parametrize(
    "block",
    [
        None,
        {},
        [],
        "relu",
        [None],
        [[]],
        [{"kind": "Residual"}],
        [{"kind": "Dense", "inputs": [4], "outputs": 4, "bias": True}],
        [{"kind": ["Dense"]}],
        [{"kind": "Activation", "function": "relu", "block": []}],
        nested(1000)["layers"],
        [{"kind": "Activation", "function": "relu"}] * 5000,
    ],
)
def test_hostile_blocks_raise_our_own_error(block: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    description = {"inputs": 4, "layers": [{"kind": "Residual", "block": block}]}
    with pytest.raises(SettingError):
        Network.from_json(description)
    network = Network(inputs=4, layers=(Residual(block=(SQUARE,)),))
    contents = ModelContents(
        network=network, task=Task.multiclass("y", (0, 1, 2, 3)), recipe={}, target_scaler=None, metrics={},
        libraries={}, settings={}, schema={}, parameters=initialise(network, 0),
    )  # fmt: skip
    write_model(tmp_path / "good", contents)
    assert read_model(tmp_path / "good").network == network
    monkeypatch.setattr(Network, "to_json", lambda self: description)
    with pytest.raises(ModelFileError):
        write_model(tmp_path / "bad", contents)
