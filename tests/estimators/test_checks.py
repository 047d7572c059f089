"""Everything that scikit-learn asks of an estimator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from pellucid.estimators import NeuralAutoencoder, NeuralClassifier, NeuralRegressor, PerceptronClassifier

# Whole batches in float64: then a weight of 2 is two rows to the last digits, which mini-batches cannot give.
_EXACT = {
    "max_iter": 60, "learning_rate": 0.03, "batch_size": 1000, "precision": "float64", "early_stopping": False
}  # fmt: skip
_MINI_BATCHES = {"max_iter": 30, "learning_rate": 0.02}
_EQUIVALENCE = "check_sample_weight_equivalence_on_{}_data"


def expected_failures(estimator: Any) -> dict[str, str]:
    if getattr(estimator, "batch_size", None) == "auto":
        why = "batches and rows held out are other ones where rows are repeated, not weighted"
        return {_EQUIVALENCE.format(kind): why for kind in ("dense", "sparse")}
    return {}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # few passes, for speed
@parametrize_with_checks(
    [
        NeuralClassifier((16,), **_EXACT),
        NeuralRegressor((16,), **_EXACT),
        NeuralAutoencoder((4, 1, 4), **_EXACT),
        NeuralClassifier((16,), **_MINI_BATCHES),
        NeuralRegressor((16,), **_MINI_BATCHES),
        NeuralRegressor((16,), n_networks=2, early_stopping=True, batch_norm=True, **_MINI_BATCHES),
        NeuralClassifier((16,), preset="best", n_networks=2, **_MINI_BATCHES),
        NeuralRegressor((16,), preset="best", n_networks=2, **_MINI_BATCHES),
        PerceptronClassifier(max_iter=10),
    ],
    expected_failed_checks=expected_failures,
)
def test_scikit_learn_check(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


@pytest.mark.parametrize(
    "estimator", [NeuralClassifier(), NeuralRegressor(), NeuralAutoencoder(), PerceptronClassifier()]
)
def test_parameters_only_store_what_they_are_given(estimator: Any) -> None:
    names = set(estimator.get_params())
    assert set(vars(estimator)) == names
