"""At home among scikit-learn's own tools."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.inspection import DecisionBoundaryDisplay, permutation_importance
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import estimator_html_repr

from pellucid.estimators import NeuralAutoencoder, NeuralClassifier, NeuralRegressor, PerceptronClassifier

FAST = {"max_iter": 25, "learning_rate": 0.03, "random_state": 0, "engine": "textbook"}


def test_grids_and_pipelines(iris: tuple[Any, Any]) -> None:
    X, y = iris
    pipe = make_pipeline(StandardScaler(), NeuralClassifier(**FAST))
    grid = {
        "neuralclassifier__hidden_layer_sizes": [(), (8,)],
        "neuralclassifier__learning_rate": np.logspace(-4, -1.5, 2),
    }
    search = GridSearchCV(pipe, grid, cv=2).fit(X, y)
    assert search.best_score_ > 0.85
    assert search.best_params_["neuralclassifier__learning_rate"] == pytest.approx(10**-1.5)


def test_cross_validation_is_the_same_in_processes(iris: tuple[Any, Any]) -> None:
    X, y = iris
    model = NeuralClassifier((8,), preset="quick", **FAST)  # other processes take the usual preset
    alone = cross_val_score(model, X, y, cv=2)
    np.testing.assert_array_equal(cross_val_score(model, X, y, cv=2, n_jobs=2), alone)


def test_a_clone_is_not_fitted_and_learns_the_same(moons: tuple[Any, Any]) -> None:
    X, y = moons
    model = NeuralClassifier((8,), **FAST).fit(X, y)
    again = clone(model)
    assert not hasattr(again, "network_")
    np.testing.assert_array_equal(again.fit(X, y).predict_proba(X), model.predict_proba(X))


def test_column_transformer_before_it(people: tuple[Any, Any]) -> None:
    X, y = people
    X = X.assign(age=X["age"].fillna(40))
    columns = ColumnTransformer([("text", OneHotEncoder(), ["job", "size"])], remainder=StandardScaler())
    assert make_pipeline(columns, NeuralClassifier((16,), **FAST)).fit(X, y).score(X, y) > 0.85


def test_calibration_importance_and_boundary(moons: tuple[Any, Any]) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    X, y = moons
    model = NeuralClassifier((8,), **FAST)
    p = CalibratedClassifierCV(model, cv=2).fit(X, y).predict_proba(X)
    assert ((p[:, 1] > 0.5) == y).mean() > 0.8
    model.fit(X, y)
    importance = permutation_importance(model, X, y, n_repeats=2, random_state=0)
    assert (importance.importances_mean > 0).all()
    display = DecisionBoundaryDisplay.from_estimator(model, X, grid_resolution=10, response_method="predict_proba")
    assert display.response.shape == (10, 10)


def test_html_and_names_out(iris: tuple[Any, Any]) -> None:
    X, _ = iris
    coder = NeuralAutoencoder((4, 2, 4), **FAST)
    assert "NeuralAutoencoder" in estimator_html_repr(coder)
    pytest.importorskip("pandas")
    frame = coder.set_output(transform="pandas").fit_transform(X)
    assert list(frame.columns) == ["neuralautoencoder0", "neuralautoencoder1"]
    assert coder.get_feature_names_out().tolist() == list(frame.columns)


def test_an_autoencoder_before_a_classifier(iris: tuple[Any, Any]) -> None:
    X, y = iris
    pipe = make_pipeline(
        NeuralAutoencoder((2,), max_iter=150, learning_rate=0.02, random_state=0), NeuralClassifier((8,), **FAST)
    )
    assert pipe.fit(X, y).score(X, y) > 0.85


def test_a_linear_autoencoder_draws_rows_as_well_as_principal_components(iris: tuple[Any, Any]) -> None:
    from sklearn.decomposition import PCA

    X = StandardScaler().fit_transform(iris[0])
    coder = NeuralAutoencoder(
        (2,), activation="identity", max_iter=600, learning_rate=0.02, batch_size=150, n_iter_no_change=None,
        early_stopping=False, precision="float64", random_state=0, engine="textbook",
    ).fit(X)  # fmt: skip
    pca = PCA(2).fit(X)
    best = ((pca.inverse_transform(pca.transform(X)) - X) ** 2).mean()
    drawn = ((coder.reconstruct(X) - X) ** 2).mean()
    assert best * (1 - 1e-9) <= drawn <= best * 1.05  # no linear code of two numbers can do better than PCA's
    assert coder.score(X) == pytest.approx(1 - drawn)


def test_codes_are_drawn_in_the_columns_own_units(iris: tuple[Any, Any]) -> None:
    X = iris[0] * 100 + 5
    coder = NeuralAutoencoder((4,), activation="identity", max_iter=300, learning_rate=0.02, random_state=0).fit(X)
    assert np.abs(coder.reconstruct(X) - X).max() < 0.2 * X.std()


@pytest.mark.parametrize("n_networks", [1, 3])
def test_pickled_and_opened_where_torch_is_forbidden(n_networks: int, moons: tuple[Any, Any]) -> None:
    X, y = moons
    model = NeuralClassifier((8,), max_iter=3, random_state=0, engine="fused", n_networks=n_networks).fit(X, y)
    buffer = io.BytesIO()
    pickle.dump((model, X), buffer)
    code = (
        "import sys, pickle\n"
        "class NoTorch:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name.partition('.')[0] == 'torch': raise ImportError('there is no torch')\n"
        "sys.meta_path.insert(0, NoTorch())\n"
        "model, X = pickle.load(sys.stdin.buffer)\n"
        "sys.stdout.buffer.write(model.predict_proba(X).tobytes())"
    )
    done = subprocess.run([sys.executable, "-c", code], input=buffer.getvalue(), capture_output=True, check=True)
    np.testing.assert_array_equal(np.frombuffer(done.stdout).reshape(-1, 2), model.predict_proba(X))


def test_importing_is_light() -> None:
    code = "import pellucid.estimators, sys; print(*{m.partition('.')[0] for m in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "matplotlib", "polars", "numba"} & set(loaded)


def test_the_perceptron_agrees_with_scikit_learns(iris: tuple[Any, Any]) -> None:
    from sklearn.linear_model import Perceptron

    X, y = iris[0][:100], iris[1][:100]  # a straight line separates these two classes
    ours = PerceptronClassifier(max_iter=1000).fit(X, y)
    theirs = Perceptron(shuffle=False, tol=None, max_iter=1000).fit(X, y)
    assert ours.converged_.all()
    assert ours.n_iter_ < 1000
    assert ours.score(X, y) == theirs.score(X, y) == 1
    z = X @ ours.coef_[0] + ours.intercept_[0]
    np.testing.assert_array_equal(ours.classes_[(z >= 0).astype(int)], y)


def test_the_perceptron_says_when_it_has_not_come_to_an_end() -> None:
    rows = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    with pytest.warns(ConvergenceWarning, match="no line separates the classes"):
        model = PerceptronClassifier().fit(rows, [0, 1, 1, 0])
    assert not model.converged_.any()


def test_regressor_in_a_search(iris: tuple[Any, Any]) -> None:
    X = iris[0]
    search = GridSearchCV(NeuralRegressor((8,), early_stopping=False, **FAST), {"loss": ["mse", "huber"]}, cv=2)
    assert search.fit(X[:, :3], X[:, 3]).best_score_ > 0.0
