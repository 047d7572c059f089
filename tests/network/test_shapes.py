"""Shapes that do not fit are refused by both engines, in words, before anything is computed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid.errors import DataError, SettingError
from pellucid.network import mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training.engine import Engine, make_engine


def engine_of(name: str, loss: str, outputs: int) -> Engine:
    network = mlp(2, [5], outputs)
    first = initialise(network, 0)
    return make_engine(name, network, Loss(name=loss), Optimizer(), first, device="cpu")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["textbook", "torch"])
@pytest.mark.parametrize(
    ("loss", "outputs", "inputs", "targets", "said"),
    [
        ("bce", 1, (4, 3), np.zeros((4, 1)), "shape [N, 2], got [4, 3]: give 2 columns"),
        ("bce", 1, (2,), np.zeros((1, 1)), "got [2]: for a single row, use inputs.reshape(1, -1)"),
        ("bce", 1, (4, 2), np.zeros((3, 1)), "4 rows of inputs and 3 of targets"),
        ("bce", 1, (4, 2), np.zeros(4), "[4, 1], got [4]; make a column of them with targets.reshape(-1, 1)"),
        ("mse", 1, (4, 2), np.zeros(4), "targets.reshape(-1, 1)"),
        ("mse", 2, (4, 2), np.zeros((4, 1)), "[4, 2], got [4, 1]: the last layer gives 2 numbers per row"),
        ("cross_entropy", 3, (4, 2), np.zeros((4, 1), int), "shape [N], got shape [4, 1]"),
        ("cross_entropy", 3, (4, 2), np.zeros(4), "got the type float64"),
        ("cross_entropy", 3, (4, 2), np.array([0, 1, 2, 3]), "from 0 to 2, shape [N], got 3"),
        ("cross_entropy", 3, (4, 2), np.array([0, 1, 2, -1]), "got -1"),
    ],
)
def test_rows(name: str, loss: str, outputs: int, inputs: tuple[int, ...], targets: Any, said: str) -> None:
    with pytest.raises(DataError) as caught:
        engine_of(name, loss, outputs).load_rows(np.zeros(inputs), targets)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["textbook", "torch"])
def test_row_weights_answers_and_parameters(name: str) -> None:
    engine = engine_of(name, "bce", 1)
    with pytest.raises(DataError, match=r"row weights .* \[4\], got \[4, 1\]"):
        engine.load_rows(np.zeros((4, 2)), np.zeros((4, 1)), np.ones((4, 1)))
    with pytest.raises(DataError, match="layer 0"):
        engine.logits(np.zeros((4, 3)))
    others = initialise(mlp(2, [6], 1), 0)
    with pytest.raises(SettingError, match=r"'0.weight' of layer 0 \(Dense 2 → 5\) must have the shape \[5, 2\]"):
        engine.load_parameters(others)
    with pytest.raises(SettingError, match=r"'2.bias' .* is missing"):
        engine.load_parameters({k: v for k, v in engine.parameters().items() if k != "2.bias"})


@pytest.mark.parametrize("name", ["textbook", "torch"])
def test_what_fits_is_taken(name: str) -> None:
    engine = engine_of(name, "bce", 1)
    engine.load_rows(np.zeros((4, 2)), np.zeros((4, 1)), np.ones(4))
    assert np.isfinite(engine.step(np.arange(4), (), 0.1))
    assert engine.logits(np.zeros((0, 2))).shape == (0, 1)
