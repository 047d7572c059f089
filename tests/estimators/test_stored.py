"""Ensembles and intervals in the model file of an estimator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import NeuralAutoencoder, NeuralClassifier, NeuralRegressor
from pellucid.errors import ModelFileError, SettingError
from pellucid.io import safe_tensors

FAST = {"max_iter": 20, "learning_rate": 0.03, "random_state": 0, "engine": "textbook"}


def waves(n: int) -> tuple[Any, Any]:
    generator = np.random.default_rng(0)
    X = generator.uniform(-2, 2, (n, 1))
    return X, np.sin(2 * X[:, 0]) + generator.normal(0, 0.3, n)


def version_of(path: Path) -> int:
    return int(json.loads(safe_tensors.read(path)[1]["pellucid"])["format_version"])


@pytest.mark.parametrize("early_stopping", [False, True])
def test_an_ensemble_is_saved_and_loaded(early_stopping: bool, tmp_path: Path, moons: tuple[Any, Any]) -> None:
    X, y = moons
    model = NeuralClassifier((6,), n_networks=3, early_stopping=early_stopping, **FAST).fit(X, y)
    path = tmp_path / "model.safetensors"
    model.save(path)
    assert version_of(path) == 2
    again = NeuralClassifier.load(path)
    assert len(again.ensemble_) == again.n_networks == 3
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert again.get_params() == model.get_params()
    opened = pellucid.Model.read(path)
    np.testing.assert_allclose(opened.predict_proba({"x0": X[:, 0], "x1": X[:, 1]}), model.predict_proba(X), atol=1e-6)


def test_one_network_without_residuals_is_of_format_1(tmp_path: Path, moons: tuple[Any, Any]) -> None:
    NeuralClassifier((4,), early_stopping=True, **FAST).fit(*moons).save(tmp_path / "c.safetensors")
    NeuralRegressor((4,), early_stopping=False, **FAST).fit(*waves(60)).save(tmp_path / "r.safetensors")
    assert version_of(tmp_path / "c.safetensors") == version_of(tmp_path / "r.safetensors") == 1
    with pytest.raises(SettingError, match="held-out rows"):
        NeuralRegressor.load(tmp_path / "r.safetensors").predict_interval([[0.0]])


@pytest.mark.parametrize("n_networks", [1, 3])
def test_intervals_of_few_rows_come_back_exactly(n_networks: int, tmp_path: Path) -> None:
    X, y = waves(400)
    model = NeuralRegressor((8,), n_networks=n_networks, **FAST).fit(X[:300], y[:300], X_val=X[300:], y_val=y[300:])
    model.save(tmp_path / "m.safetensors")
    again = NeuralRegressor.load(tmp_path / "m.safetensors")
    for coverage in (0.1, 0.5, 0.9, 0.98):
        np.testing.assert_array_equal(again.predict_interval(X, coverage), model.predict_interval(X, coverage))
    with pytest.raises(SettingError, match="held-out rows"):
        again.predict_interval(X, 0.999)


def test_intervals_of_many_rows_are_never_narrower_and_hardly_wider(tmp_path: Path) -> None:
    X, y = waves(30_000)
    model = NeuralRegressor((8,), **(FAST | {"max_iter": 3}))
    model.fit(X[:500], y[:500], X_val=X[500:], y_val=y[500:])
    path = tmp_path / "m.safetensors"
    model.save(path)
    document = json.loads(safe_tensors.read(path)[1]["pellucid"])
    assert (document["format_version"], document["n_networks"]) == (2, 1)
    assert len(document["residuals"]["quantiles"]) == 200
    assert document["residuals"]["count"] == 10_000
    again = NeuralRegressor.load(path)
    for coverage in np.linspace(0.01, 0.99, 99).tolist():
        before = np.diff(model.predict_interval([[0.5]], coverage)).item()
        after = np.diff(again.predict_interval([[0.5]], coverage)).item()
        higher = np.diff(model.predict_interval([[0.5]], min(coverage + 0.006, 0.9999))).item()
        assert before <= after * (1 + 1e-12)
        assert after <= higher * (1 + 1e-12)


def test_a_damaged_summary_is_refused(tmp_path: Path) -> None:
    X, y = waves(100)
    path = tmp_path / "m.safetensors"
    NeuralRegressor((4,), early_stopping=True, **FAST).fit(X, y).save(path)
    arrays, metadata = safe_tensors.read(path)
    document = json.loads(metadata["pellucid"])
    document["residuals"]["count"] = 10**12
    safe_tensors.write(path, arrays, {"format": "pellucid", "pellucid": json.dumps(document)})
    with pytest.raises(ModelFileError, match="residuals must hold"):
        NeuralRegressor.load(path)


def test_an_ensemble_of_train_is_an_estimator(tmp_path: Path, people: tuple[Any, Any]) -> None:
    X, y = people
    run = pellucid.train(X.assign(y=y), "y", hidden=(8,), epochs=3, engine="textbook", n_networks=3, verdict=False)
    run.model.save(tmp_path / "model.safetensors")
    estimator = NeuralClassifier.load(tmp_path / "model.safetensors")
    assert estimator.n_networks == 3
    columns = list(estimator.feature_names_in_)
    np.testing.assert_allclose(estimator.predict_proba(X[columns]), run.model.predict_proba(X), atol=1e-5)


def test_an_ensemble_of_autoencoders_has_no_one_code(tmp_path: Path, iris: tuple[Any, Any]) -> None:
    table = {name: iris[0][:, i] for i, name in enumerate("abcd")}
    run = pellucid.train(table, task="reconstruction", hidden=(2,), epochs=2, engine="textbook", n_networks=2)
    run.model.save(tmp_path / "model.safetensors")
    with pytest.raises(ModelFileError, match="2 networks, each with a code of its own"):
        NeuralAutoencoder.load(tmp_path / "model.safetensors")
