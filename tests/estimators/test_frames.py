"""Frames go in as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import cross_val_score

from pellucid.estimators import NeuralAutoencoder, NeuralClassifier, NeuralRegressor

FAST = {"max_iter": 60, "learning_rate": 0.02, "random_state": 0}


def test_a_frame_with_text_and_missing_cells_is_learned(people: tuple[Any, Any]) -> None:
    X, y = people
    model = NeuralClassifier((16,), **FAST).fit(X, y)
    assert model.score(X, y) > 0.9
    assert model.feature_names_in_.tolist() == ["age", "job", "size"]
    kinds = {column.name: column.kind for column in model.recipe_.columns}
    assert (kinds["age"], kinds["job"]) == ("numeric", "categorical")
    assert cross_val_score(model, X, y, cv=2).mean() > 0.8


def test_one_row_and_an_unseen_category_are_answered_as_among_others(people: tuple[Any, Any]) -> None:
    X, y = people
    model = NeuralClassifier((8,), **FAST).fit(X, y)
    p = model.predict_proba(X)
    np.testing.assert_allclose(model.predict_proba(X.iloc[[7]]), p[[7]], atol=1e-12)
    odd = X.iloc[[7]].assign(job="astronaut")
    assert np.isfinite(model.predict_proba(odd)).all()


def test_columns_in_another_order_are_refused(people: tuple[Any, Any]) -> None:
    X, y = people
    model = NeuralClassifier((4,), max_iter=2, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(X[["job", "age", "size"]])


def test_a_frame_of_numbers_is_an_array(iris: tuple[Any, Any]) -> None:
    pd = pytest.importorskip("pandas")
    X, y = iris
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    of_frame, of_array = (NeuralClassifier((4,), max_iter=3, random_state=0).fit(data, y) for data in (frame, X))
    np.testing.assert_array_equal(of_frame.predict_proba(frame), of_array.predict_proba(X))


def test_a_cell_missing_only_later_is_filled_with_the_mean(iris: tuple[Any, Any]) -> None:
    pd = pytest.importorskip("pandas")
    X, y = iris
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    model = NeuralClassifier((4,), max_iter=3, early_stopping=False, random_state=0).fit(frame, y)
    holed, filled = frame.copy(), frame.copy()
    holed.loc[0, "b"], filled.loc[0, "b"] = np.nan, X[:, 1].mean()
    np.testing.assert_allclose(model.predict_proba(holed), model.predict_proba(filled), atol=1e-12)


def test_polars_frames_are_read(people: tuple[Any, Any]) -> None:
    pl = pytest.importorskip("polars")
    X, y = people
    frame = pl.DataFrame({"age": X["age"].tolist(), "job": X["job"].tolist()}, strict=False)
    model = NeuralClassifier((8,), **FAST).fit(frame, y)
    assert model.score(frame, y) > 0.85


def test_regression_and_autoencoder_take_frames(people: tuple[Any, Any]) -> None:
    X, y = people
    target = np.where(y == "yes", 10.0, 20.0) + X["age"].fillna(40).to_numpy() / 10
    assert NeuralRegressor((16,), **FAST).fit(X, target).score(X, target) > 0.8
    coder = NeuralAutoencoder((8, 2, 8), **FAST).fit(X)
    assert coder.transform(X).shape == (len(X), 2)
    assert coder.inverse_transform(coder.transform(X)).shape == (len(X), len(coder.recipe_.feature_names))


def test_nan_in_the_target_of_a_frame_is_refused(people: tuple[Any, Any]) -> None:
    X, y = people
    target = np.where(y == "yes", np.nan, 1.0)
    with pytest.raises(ValueError, match="y contains NaN"):
        NeuralRegressor((4,), max_iter=2).fit(X, target)


def test_penguins_as_they_are(shared_data: Path) -> None:
    pd = pytest.importorskip("pandas")
    table = pd.read_csv(shared_data / "penguins" / "penguins.csv.gz")
    X, y = table.drop(columns="species"), table["species"]
    assert X.isna().to_numpy().any()
    scores = cross_val_score(NeuralClassifier((16,), **FAST), X, y, cv=3)
    assert scores.mean() > 0.95


def test_numbers_written_as_text_are_numbers_also_after_saving(tmp_path: Path) -> None:
    import pandas as pd

    values = [1_000 + 371 * i for i in range(120)]
    cells = {
        "money": [f"${v:,.2f}" for v in values],
        "lead": ["<0.1" if i % 9 == 0 else f"{i / 7:.3f}" for i in range(120)],
    }
    X, y = pd.DataFrame(cells), np.array(values) > 20_000
    model = NeuralClassifier((8,), **FAST).fit(X, y)
    assert model.score(X, y) > 0.95
    assert [c.name for c in model.recipe_.columns] == ["money", "lead", "lead below limit"]
    few = pd.DataFrame({"money": ["1,234", "30000"], "lead": ["0.5", "<0.1"]})
    before = model.predict_proba(few)
    model.save(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(NeuralClassifier.load(tmp_path / "m.safetensors").predict_proba(few), before)
