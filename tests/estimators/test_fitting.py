"""What fitting does besides what scikit-learn's own checks look at."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.metrics import balanced_accuracy_score, log_loss

import pellucid
from pellucid.errors import DataError, DivergenceError, ModelFileError, SettingError
from pellucid.estimators import NeuralAutoencoder, NeuralClassifier, NeuralRegressor
from pellucid.estimators.held_out import best_temperature, best_threshold
from pellucid.estimators.inputs import encode, recipe_of_array
from pellucid.network.task import Loss
from pellucid.training.loop import Rows

FAST = {"max_iter": 20, "learning_rate": 0.03, "random_state": 0, "engine": "textbook"}


# ── weights ──


def test_a_weight_of_two_is_two_rows(moons: tuple[Any, Any]) -> None:
    X, y = moons
    weights = np.random.default_rng(0).integers(0, 3, len(X))
    whole = {**FAST, "batch_size": 10_000, "precision": "float64", "early_stopping": False}
    for make, target in ((NeuralClassifier, y), (NeuralRegressor, X[:, 0] * y)):
        weighted = make((6,), **whole).fit(X, target, sample_weight=weights)
        repeated = make((6,), **whole).fit(X.repeat(weights, axis=0), target.repeat(weights))
        for name, array in weighted.parameters_.items():
            np.testing.assert_allclose(array, repeated.parameters_[name], rtol=1e-7, atol=1e-9)


def test_class_weights_are_row_weights(moons: tuple[Any, Any]) -> None:
    X, y = moons
    by_class = NeuralClassifier((6,), class_weight={0: 1.0, 1: 5.0}, **FAST).fit(X, y)
    by_row = NeuralClassifier((6,), **FAST).fit(X, y)
    assert by_class.predict(X).sum() > by_row.predict(X).sum()


def test_only_the_ratios_of_weights_matter(moons: tuple[Any, Any]) -> None:
    X, y = moons
    plain = NeuralClassifier((4,), **FAST).fit(X, y)
    for factor in (1e-300, 1e30):
        weighted = NeuralClassifier((4,), **FAST).fit(X, y, sample_weight=np.full(len(X), factor))
        np.testing.assert_allclose(weighted.predict_proba(X), plain.predict_proba(X), atol=1e-4)


def test_arrays_are_encoded_as_the_recipe_does_it() -> None:
    generator = np.random.default_rng(0)
    X = generator.normal(5, [1e-9, 1, 1e9, 0], (50, 4))
    recipe = recipe_of_array(X, ("a", "b", "c", "d"), None)
    X[0] = [1e300, -1e300, 0, 7]
    columns = {name: X[:, i] for i, name in enumerate("abcd")}
    np.testing.assert_array_equal(encode(recipe, X, np.float64), recipe.transform(columns, dtype=np.float64).flat)


# ── going on ──


def test_partial_fit_is_fit_epoch_by_epoch(iris: tuple[Any, Any]) -> None:
    X, y = iris
    whole = NeuralClassifier((6,), early_stopping=False, **{**FAST, "max_iter": 5}).fit(X, y)
    parts = NeuralClassifier((6,), **FAST)
    for _ in range(5):
        parts.partial_fit(X, y)
    assert whole.best_epoch_ == 5  # otherwise `fit` would have kept earlier weights
    for name, array in whole.parameters_.items():
        np.testing.assert_array_equal(parts.parameters_[name], array)
    assert parts.loss_curve_ == whole.loss_curve_


def test_partial_fit_knows_all_classes_from_the_start(iris: tuple[Any, Any]) -> None:
    X, y = iris
    model = NeuralClassifier((6,), **FAST).partial_fit(X[:100], y[:100], classes=np.unique(y))
    assert model.predict_proba(X).shape == (150, 3)
    model.partial_fit(X[100:], y[100:])
    with pytest.raises(DataError, match="not one of the known classes"):
        model.partial_fit(X, np.full(150, "rose"))


def test_warm_start_goes_on_from_the_last_weights(moons: tuple[Any, Any]) -> None:
    X, y = moons
    model = NeuralClassifier((8,), warm_start=True, **{**FAST, "max_iter": 5}).fit(X, y)
    first, recipe = model.loss_curve_, model.recipe_
    model.fit(X, y)
    assert model.loss_curve_[0] < first[0]
    assert model.recipe_ is recipe


def test_other_layers_cannot_go_on(moons: tuple[Any, Any]) -> None:
    model = NeuralClassifier((8,), warm_start=True, **{**FAST, "max_iter": 2}).fit(*moons)
    for change in ({"hidden_layer_sizes": (9,)}, {"n_networks": 2}, {"activation": "tanh"}):
        with pytest.raises(SettingError, match="fit a clone"):
            NeuralClassifier.set_params(pickle.loads(pickle.dumps(model)), **change).fit(*moons)


def test_partial_fit_goes_on_after_a_pickle_and_forgets_old_intervals(moons: tuple[Any, Any]) -> None:
    X = moons[0]
    model = NeuralRegressor((8,), early_stopping=True, **{**FAST, "engine": "fused"}).fit(X, X[:, 0])
    for _ in range(2):
        model.partial_fit(X, X[:, 0])
    again = pickle.loads(pickle.dumps(model)).partial_fit(X, X[:, 0])
    np.testing.assert_array_equal(again.predict(X), model.partial_fit(X, X[:, 0]).predict(X))
    with pytest.raises(SettingError, match="held-out rows"):
        model.predict_interval(X)


def test_training_that_diverges_says_so(moons: tuple[Any, Any]) -> None:
    X, y = moons
    model = NeuralRegressor((8,), optimizer="sgd", **FAST).fit(X, X[:, 0])
    with pytest.raises(DivergenceError, match="learning rate"), np.errstate(all="ignore"):
        model.set_params(learning_rate=1e6).fit(X, y)
    with pytest.raises(NotFittedError):
        model.predict(X)


def test_callbacks_hear_every_epoch(moons: tuple[Any, Any]) -> None:
    heard: list[Any] = []
    model = NeuralClassifier((4,), callbacks=[heard.append], **FAST).fit(*moons)
    assert tuple(heard) == model.history_
    assert len(heard) == model.n_iter_ == len(model.loss_curve_)


def test_rows_given_for_validation_choose_the_epoch(moons: tuple[Any, Any]) -> None:
    X, y = moons
    model = NeuralClassifier((32,), **{**FAST, "max_iter": 40}).fit(X[:60], y[:60], X_val=X[60:], y_val=y[60:])
    losses = [epoch.validation_loss for epoch in model.history_]
    assert model.best_epoch_ == int(np.argmin(losses)) + 1
    assert log_loss(y[60:], model.predict_proba(X[60:])) == pytest.approx(min(losses), rel=1e-4)
    with pytest.raises(SettingError, match="y_val"):
        model.fit(X, y, X_val=X)


def test_early_stopping_ends_before_max_iter(moons: tuple[Any, Any]) -> None:
    model = NeuralClassifier((32,), early_stopping=True, n_iter_no_change=3, **{**FAST, "max_iter": 500}).fit(*moons)
    assert model.n_iter_ == model.best_epoch_ + 3 < 500


# ── bad input ──


def test_a_quantity_is_sent_to_the_regressor() -> None:
    y = np.arange(5000)
    with pytest.raises(DataError, match="NeuralRegressor"):
        NeuralClassifier().fit(y[:, None].astype(float), y)


@pytest.mark.parametrize("odd", [None, 3, 2.5])
def test_classes_of_several_types_are_refused(odd: object, moons: tuple[Any, Any]) -> None:
    X, y = moons
    labels = np.where(y == 1, "a", "b").astype(object)
    labels[4] = odd
    with pytest.raises(DataError, match="of one type"):
        NeuralClassifier((4,), max_iter=2).fit(X, labels)


def test_two_columns_of_one_name_are_refused(people: tuple[Any, Any]) -> None:
    X, y = people
    with pytest.raises(DataError, match="'age' is used for two columns"):
        NeuralClassifier((4,), max_iter=2).fit(X[["age", "job", "age"]], y)


def test_pictures_are_sent_where_they_can_be_learned_from() -> None:
    pictures, labels = np.zeros((6, 8, 8, 3)), np.array([0, 1] * 3)
    for given in (pictures, pictures[..., 0]):
        with pytest.raises(DataError, match=r"pellucid\.train\(\{'image': X, 'label': y\}\), or give X\.reshape"):
            NeuralClassifier((4,), max_iter=2).fit(given, labels)
    flat = NeuralClassifier((4,), max_iter=2).fit(pictures.reshape(6, -1), labels)
    assert flat.predict(pictures.reshape(6, -1)).shape == (6,)


def test_a_class_seen_once_is_learned_from(iris: tuple[Any, Any]) -> None:
    X, y = iris
    y = y.astype(object)
    y[0] = "rose"
    model = NeuralClassifier((4,), early_stopping=True, **FAST).fit(X, y)
    assert "rose" in model.classes_


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("hidden_layer_sizes", (0,)), ("activation", "rely"), ("loss", "mse"), ("optimizer", "adm"),
        ("learning_rate", 0.0), ("schedule", "steps"), ("batch_size", 0), ("batch_size", "all"), ("max_iter", 0),
        ("weight_decay", -1.0), ("dropout", 1.5), ("n_iter_no_change", 0), ("n_networks", 0), ("engine", "fast"),
        ("precision", "float8"), ("batch_norm", "maybe"), ("decision_threshold", 2.0),
        ("early_stopping", "maybe"), ("callbacks", print), ("preset", "bset"), ("ensemble", "bags"), ("scaling", "log"),
        ("number_encoding", "bins"),
    ],
)  # fmt: skip
def test_a_bad_parameter_is_named(parameter: str, value: object, moons: tuple[Any, Any]) -> None:
    with pytest.raises(SettingError) as found:
        NeuralClassifier((4,), max_iter=2).set_params(**{parameter: value}).fit(*moons)
    assert parameter in str(found.value)


# ── the file ──


@pytest.mark.parametrize("engine", ["textbook", "fused"])
def test_saved_and_loaded_it_answers_the_same(engine: str, tmp_path: Path, iris: tuple[Any, Any]) -> None:
    X, y = iris
    settings = {**FAST, "max_iter": 3, "engine": engine}
    for model in (
        NeuralClassifier((4,), decision_threshold=0.3, batch_norm=True, **settings).fit(X[:100], y[:100]),
        NeuralRegressor((4,), **settings).fit(X[:, :3], X[:, 3]),
        NeuralAutoencoder((3, 2, 3), **settings).fit(X),
    ):
        model.save(tmp_path / "model.safetensors")
        again = type(model).load(tmp_path / "model.safetensors")
        rows = X[:, : model.n_features_in_]
        ask = "transform" if isinstance(model, NeuralAutoencoder) else "predict"
        np.testing.assert_array_equal(getattr(again, ask)(rows), getattr(model, ask)(rows))
        assert again.get_params() == model.get_params()


def test_a_saved_frame_model_is_a_model_of_pellucid(tmp_path: Path, people: tuple[Any, Any]) -> None:
    X, y = people
    model = NeuralClassifier((8,), **FAST).fit(X, y)
    path = tmp_path / "model.safetensors"
    model.save(path)
    opened = pellucid.Model.read(path)
    np.testing.assert_allclose(opened.predict_proba(X), model.predict_proba(X), atol=1e-5)
    assert NeuralClassifier.load(path).score(X, y) == model.score(X, y)
    with pytest.raises(ModelFileError, match=r"NeuralClassifier\.load"):
        NeuralRegressor.load(path)


def test_a_model_of_pellucid_is_an_estimator(tmp_path: Path, people: tuple[Any, Any]) -> None:
    X, y = people
    run = pellucid.train(X.assign(y=y), "y", hidden=(8,), epochs=3, engine="textbook")
    run.model.save(tmp_path / "model.safetensors")
    estimator = NeuralClassifier.load(tmp_path / "model.safetensors")
    columns = list(estimator.feature_names_in_)
    np.testing.assert_allclose(estimator.predict_proba(X[columns]), run.model.predict_proba(X), atol=1e-5)


# ── several networks ──


def test_several_networks_are_averaged_and_each_is_its_own(moons: tuple[Any, Any]) -> None:
    X, y = moons
    settings = {"max_iter": 5, "learning_rate": 0.03, "random_state": 0}
    stacked = NeuralClassifier((6,), n_networks=3, engine="fused", **settings).fit(X, y)
    alone = NeuralClassifier((6,), n_networks=3, engine="textbook", **settings).fit(X, y)
    assert len(stacked.ensemble_) == 3
    assert not np.array_equal(stacked.ensemble_[0]["0.weight"], stacked.ensemble_[1]["0.weight"])
    np.testing.assert_allclose(stacked.predict_proba(X), alone.predict_proba(X), atol=1e-3)


def test_partial_fit_trains_each_of_several_networks(moons: tuple[Any, Any]) -> None:
    X, y = moons
    whole = NeuralClassifier((6,), n_networks=2, early_stopping=False, **{**FAST, "max_iter": 3}).fit(X, y)
    parts = NeuralClassifier((6,), n_networks=2, **FAST)
    for _ in range(3):
        parts.partial_fit(X, y)
    assert whole.best_epoch_ == 3
    np.testing.assert_array_equal(parts.predict_proba(X), whole.predict_proba(X))


# ── what the rows held out decide ──


def test_the_best_temperature_undoes_a_stretch() -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 2, (20_000, 1))
    targets = (generator.random((20_000, 1)) < 1 / (1 + np.exp(-logits))).astype(float)
    found = best_temperature(Loss(name="bce"), 3 * logits, Rows(inputs=logits, targets=targets))
    assert found == pytest.approx(3, rel=0.05)


def test_calibration_changes_no_answer_and_helps_on_the_rows_held_out(moons: tuple[Any, Any]) -> None:
    X, y = moons
    given = {"X_val": X[:100], "y_val": y[:100]}
    plain = NeuralClassifier((32,), **FAST).fit(X[100:], y[100:], **given)
    calm = NeuralClassifier((32,), calibrate=True, **FAST).fit(X[100:], y[100:], **given)
    np.testing.assert_array_equal(calm.predict(X), plain.predict(X))
    assert log_loss(y[:100], calm.predict_proba(X[:100])) <= log_loss(y[:100], plain.predict_proba(X[:100])) + 1e-6


@pytest.mark.parametrize("metric", ["balanced_accuracy", "f1", "accuracy"])
def test_no_other_threshold_scores_better(metric: str) -> None:
    from sklearn.metrics import accuracy_score, f1_score

    scores = {"balanced_accuracy": balanced_accuracy_score, "f1": f1_score, "accuracy": accuracy_score}
    generator = np.random.default_rng(1)
    truth = (generator.random(80) < 0.2).astype(int)
    p = np.clip(0.3 * truth + generator.random(80).round(1) / 2, 0, 1)  # with ties
    chosen = best_threshold(metric, p, truth)
    best = max(scores[metric](truth, (p >= t).astype(int)) for t in np.linspace(0, 0.999, 500))
    assert scores[metric](truth, (p >= chosen).astype(int)) == pytest.approx(best)


def test_the_threshold_is_in_the_model_file(moons: tuple[Any, Any], tmp_path: Path) -> None:
    X, y = moons
    model = NeuralClassifier((8,), decision_threshold=0.1, **FAST).fit(X, y)
    path = tmp_path / "moons.safetensors"
    model.save(path)
    from_file = pellucid.load(path).predict({name: X[:, i] for i, name in enumerate(("x0", "x1"))})
    expected = (model.predict_proba(X)[:, 1] >= 0.1).astype(int)
    assert (expected != model.predict_proba(X).argmax(axis=1)).any()
    np.testing.assert_array_equal(from_file, expected)
    np.testing.assert_array_equal(NeuralClassifier.load(path).predict(X), expected)


def test_the_threshold_is_used(moons: tuple[Any, Any]) -> None:
    X, y = moons
    model = NeuralClassifier((8,), early_stopping=True, validation_fraction=0.3, decision_threshold="f1", **FAST)
    model.fit(X, y)
    p = model.predict_proba(X)[:, 1]
    np.testing.assert_array_equal(model.predict(X), (p >= model.threshold_).astype(int))


@pytest.mark.parametrize("n_networks", [1, 3])
def test_intervals_hold_as_many_rows_as_they_say(n_networks: int) -> None:
    generator = np.random.default_rng(0)
    X = generator.uniform(-2, 2, (1500, 1))
    y = np.sin(2 * X[:, 0]) + generator.normal(0, 0.3, 1500)
    model = NeuralRegressor((16,), n_networks=n_networks, **FAST)
    model.fit(X[:300], y[:300], X_val=X[300:700], y_val=y[300:700])
    low, high = model.predict_interval(X[700:], 0.8).T
    inside = ((low <= y[700:]) & (y[700:] <= high)).mean()
    assert 0.73 < inside < 0.87  # 400 and 800 rows: a deviation of 0.024
    within, far = np.diff(model.predict_interval([[0.0], [20.0]], 0.8)).ravel()
    assert far > 1.5 * within if n_networks > 1 else far == pytest.approx(within)  # there the networks disagree
    with pytest.raises(SettingError, match="held-out rows"):
        model.predict_interval(X, 0.9999)
