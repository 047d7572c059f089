"""Presets, and networks that each hold out a fold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.errors import SettingError
from pellucid.estimators import NeuralAutoencoder, NeuralClassifier, NeuralRegressor
from pellucid.estimators.division import divide
from pellucid.estimators.settings import chosen
from pellucid.settings.presets import BEST

SHORT = {"max_iter": 4, "random_state": 0, "engine": "textbook"}


def test_a_given_argument_goes_before_its_preset() -> None:
    model = NeuralClassifier((8,), preset="best", dropout=0.0)
    assert (chosen(model, "hidden_layer_sizes"), chosen(model, "dropout")) == ((8,), 0.0)
    assert chosen(model, "n_networks") == BEST["n_networks"]


def test_each_network_of_best_holds_out_another_fold(moons: tuple[Any, Any]) -> None:
    X, y = moons
    model = NeuralClassifier((8,), preset="best", **SHORT)
    apart = divide(model, len(X), y, seed=3)
    assert np.array_equal(np.sort(np.concatenate(apart.folds)), np.arange(len(X)))
    k = BEST["n_networks"]
    assert [y[fold].sum() for fold in apart.folds] == pytest.approx([y.sum() / k] * k, abs=1)  # classes spread evenly
    members = apart.members(len(X))
    assert members is not None
    for learned, fold in zip(members, apart.folds, strict=True):
        assert not set(learned) & set(fold)
        assert len(learned) + len(fold) == len(X)


def test_best_learns_and_is_saved(tmp_path: Path, moons: tuple[Any, Any]) -> None:
    X, y = moons
    model = NeuralClassifier((16,), preset="best", max_iter=20, learning_rate=0.01, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.75
    assert len(model.ensemble_) == BEST["n_networks"]
    assert {step.kind for step in model.recipe_.steps} == {"both"}
    model.save(tmp_path / "m.safetensors")
    again = NeuralClassifier.load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert again.get_params() == model.get_params()


def test_residuals_are_of_the_network_that_did_not_see_the_row() -> None:
    """Noise alone: a network that remembers its rows is right on them and wrong by the noise on those held out."""
    generator = np.random.default_rng(0)
    X, y = generator.normal(size=(120, 12)), generator.normal(size=120)
    model = NeuralRegressor(
        (128,), n_networks=3, ensemble="folds", max_iter=150, n_iter_no_change=None, learning_rate=0.02, random_state=0
    ).fit(X, y)
    held = np.sort(model.residuals_)
    assert np.median(held) > 0.45  # of a normal distribution of variance 1 it would be 0.67
    assert len(held) == len(X)


def test_temperatures_and_threshold_come_from_the_folds(moons: tuple[Any, Any]) -> None:
    X, y = moons
    model = NeuralClassifier(
        (8,), n_networks=3, ensemble="folds", calibrate=True, decision_threshold="f1", learning_rate=0.02, **SHORT
    ).fit(X, y)
    assert len(model.temperatures_) == 3
    assert len(set(model.temperatures_)) == 3
    assert 0 < model.threshold_ < 1


@pytest.mark.parametrize("rows", [19, 20])
def test_auto_holds_out_from_twenty_rows_on(rows: int) -> None:
    apart = divide(NeuralRegressor(), rows, None, seed=0)
    assert (apart.held is not None) == (rows == 20)


def test_an_autoencoder_has_no_best() -> None:
    with pytest.raises(SettingError, match="autoencoder"):
        NeuralAutoencoder((2,), preset="best", **SHORT).fit(np.random.default_rng(0).normal(size=(40, 3)))


def test_bins_of_a_frame(people: tuple[Any, Any]) -> None:
    frame, y = people
    model = NeuralClassifier((4,), number_encoding="piecewise", bins=5, bins_by="tree", **SHORT).fit(frame, y)
    (age,) = (step for step in model.recipe_.steps if step.kind == "piecewise")
    assert age.n_bins <= 5
    assert model.predict(frame.iloc[:3]).shape == (3,)
