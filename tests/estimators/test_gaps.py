"""Arrays with gaps are taken as frames with the same gaps, infinite cells are gaps, and sparse is read as dense."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import pellucid.data.sparse as sparse_
from pellucid.errors import DataError
from pellucid.estimators import NeuralAutoencoder, NeuralClassifier, NeuralRegressor, PerceptronClassifier

FAST = {"max_iter": 4, "learning_rate": 0.02, "random_state": 0}
FORMATS = ("csr", "csc", "coo", "bsr", "dia", "dok", "lil")


@pytest.fixture
def numbers() -> tuple[Any, Any]:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, 3))
    return X, (X[:, 0] > 0).astype(int)


@settings(max_examples=15)
@given(
    st.lists(st.tuples(st.integers(0, 59), st.integers(0, 2), st.sampled_from([np.nan, np.inf, -np.inf])), min_size=1),
    st.sampled_from([NeuralClassifier, NeuralRegressor]),
    st.booleans(),
)
def test_an_array_with_gaps_is_a_frame_with_the_same_gaps(
    gaps: list[tuple[int, int, float]], kind: Any, as_list: bool
) -> None:
    pd = pytest.importorskip("pandas")
    X = np.random.default_rng(3).normal(size=(60, 3))
    y = (X[:, 0] > 0).astype(int)
    for row, column, cell in gaps:
        X[row, column] = cell
    array, frame = X.tolist() if as_list else X, pd.DataFrame(X, columns=["x0", "x1", "x2"])
    of_array = kind((4,), **FAST).fit(array, y)
    of_frame = kind((4,), **FAST).fit(frame, y)
    np.testing.assert_array_equal(
        of_array.predict(array), of_frame.predict(pd.DataFrame(X, columns=["x0", "x1", "x2"]))
    )
    assert of_array.recipe_ == of_frame.recipe_
    infinite = sorted({column for _, column, cell in gaps if np.isinf(X[:, column]).any()})
    assert all(any(f"'x{column}'" in note and "infinite" in note for note in of_array.notes_) for column in infinite)


def test_a_gap_has_a_feature_of_its_own_and_is_filled_with_the_median(numbers: tuple[Any, Any]) -> None:
    X, y = numbers
    X = X.copy()
    X[:7, 1] = np.nan
    model = NeuralClassifier((4,), **FAST).fit(X, y)
    assert model.recipe_.feature_names == ("x0", "x1", "x1 is missing", "x2")
    seen = model._inputs(X)[:, 2]
    assert seen.tolist() == [1.0] * 7 + [0.0] * 53
    assert NeuralAutoencoder((4, 2, 4), **FAST).fit(X).transform(X).shape == (60, 2)


@pytest.mark.parametrize("cell", [np.nan, np.inf, None])
def test_a_gap_only_at_prediction_is_filled_with_the_mean(numbers: tuple[Any, Any], cell: float | None) -> None:
    X, y = numbers
    model = NeuralClassifier((4,), early_stopping=False, **FAST).fit(X, y)
    holed, filled = X.astype(object), X.copy()
    holed[0, 1], filled[0, 1] = cell, X[:, 1].mean()
    np.testing.assert_allclose(model.predict_proba(holed), model.predict_proba(filled), atol=1e-12)


def test_weights_folds_and_partial_fit_take_gaps(numbers: tuple[Any, Any]) -> None:
    X, y = numbers
    X = X.copy()
    X[3, 0] = np.nan
    weights = np.arange(60.0)
    model = NeuralClassifier((4,), preset="best", n_networks=2, **FAST).fit(X, y, sample_weight=weights)
    assert np.isfinite(model.predict_proba(X)).all()
    step = NeuralRegressor((4,), **FAST).partial_fit(X, y).partial_fit(np.nan_to_num(X), y)
    assert np.isfinite(step.predict(X)).all()


@pytest.mark.parametrize("kind", [*FORMATS, "array"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.uint8, bool])
def test_sparse_is_read_as_dense(kind: str, dtype: type) -> None:
    X = np.round(np.random.default_rng(0).uniform(0, 3, (50, 4))) * (np.random.default_rng(1).random((50, 4)) < 0.6)
    X = X.astype(dtype)
    y = (X[:, 0].astype(float) + X[:, 1] > 1).astype(int)
    thin = sparse.csr_array(X) if kind == "array" else getattr(sparse, f"{kind}_matrix")(X)
    of_dense, of_thin = (NeuralClassifier((4,), **FAST).fit(each, y) for each in (X, thin))
    for asked in (X, thin):
        np.testing.assert_array_equal(of_thin.predict_proba(asked), of_dense.predict_proba(asked))
    perceptron = PerceptronClassifier()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.testing.assert_array_equal(perceptron.fit(thin, y).predict(X), perceptron.fit(X, y).predict(thin))


def test_sparse_frames_and_transformers_are_read() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"c": [f"k{i % 40}" for i in range(80)], "v": np.linspace(0, 1, 80)})
    y = ["yes" if i % 2 else "no" for i in range(80)]
    apart = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["c"]), (StandardScaler(), ["v"]), sparse_threshold=1.0
    )
    pipe = make_pipeline(apart, NeuralClassifier((8,), max_iter=60, learning_rate=0.03, random_state=0)).fit(frame, y)
    assert sparse.issparse(apart.fit_transform(frame))
    assert pipe.score(frame, y) > 0.9
    thin = pd.DataFrame({"a": pd.arrays.SparseArray([0.0, 1.0] * 20), "b": np.arange(40.0)})
    model = NeuralRegressor((4,), **FAST).fit(thin, np.arange(40.0))
    np.testing.assert_array_equal(model.predict(thin), model.predict(thin.astype(float)))


def test_what_would_fill_the_memory_is_refused_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    large = sparse.csr_matrix((200_000, 50_000))
    words = r"200,000 rows × 50,000 columns.* 80\.0 GB.*TruncatedSVD.*max_features.*X\.toarray\(\)"
    for estimator in (NeuralClassifier(), NeuralRegressor(), NeuralAutoencoder((2,)), PerceptronClassifier()):
        with pytest.raises(DataError, match=words):
            estimator.fit(large, np.arange(200_000) % 2)
    small = sparse.eye(40, format="csr")
    model = NeuralRegressor((2,), **FAST).fit(small, np.arange(40.0))
    monkeypatch.setattr(sparse_, "MOST_BYTES", 40 * 40 * 8 - 1)
    with pytest.raises(DataError, match="fewer rows at a time"):
        model.predict(small)
    assert len(model.predict(small[:39])) == 39


@pytest.mark.parametrize("estimator", [NeuralClassifier((4,), **FAST), NeuralRegressor((4,), **FAST)])
@pytest.mark.parametrize("form", [np.asarray, lambda y: y.tolist(), "pandas"])
def test_several_targets_are_refused_with_the_wrapper_for_them(
    numbers: tuple[Any, Any], estimator: Any, form: Any
) -> None:
    X, y = numbers
    both = np.c_[y, 1 - y]
    given = pytest.importorskip("pandas").DataFrame(both) if form == "pandas" else form(both)
    wrapper = "MultiOutputRegressor" if isinstance(estimator, NeuralRegressor) else "MultiOutputClassifier"
    for rows in (X, np.where(X > 2, np.nan, X)):
        with pytest.raises(DataError, match=f"y has 2 columns, and {type(estimator).__name__} .*{wrapper}"):
            estimator.fit(rows, given)
        with pytest.raises(DataError, match=wrapper):
            estimator.fit(rows, y, X_val=rows, y_val=given)


def test_the_wrappers_for_several_targets_work(numbers: tuple[Any, Any]) -> None:
    X, y = numbers
    numbers_ = MultiOutputRegressor(NeuralRegressor((8,), max_iter=60, learning_rate=0.03, random_state=0))
    both = np.c_[X[:, 0] * 2, X[:, 1]]
    assert numbers_.fit(X, both).score(X, both) > 0.8
    assert numbers_.fit(X, both, sample_weight=np.ones(60)).predict(X).shape == (60, 2)
    holed = np.where(np.abs(X) > 2, np.nan, X)
    labels = np.c_[np.where(y, "yes", "no"), np.where(X[:, 1] > 0, "up", "down")]
    classes = MultiOutputClassifier(NeuralClassifier((8,), max_iter=60, learning_rate=0.03, random_state=0))
    assert classes.fit(holed, labels).score(holed, labels) > 0.7
    chain = ClassifierChain(NeuralClassifier((4,), **FAST)).fit(X, np.c_[y, 1 - y])
    assert chain.predict(X).shape == (60, 2)
