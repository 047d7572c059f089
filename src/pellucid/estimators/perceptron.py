"""Rosenblatt's perceptron: one neuron with a step function, or one per class for more than two classes."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from pellucid.data.sparse import dense
from pellucid.errors import DataError

__all__ = ["PerceptronClassifier"]

Array = NDArray[Any]


class PerceptronClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn brings no types
    """The rule of `pellucid.engines.textbook.perceptron`, which goes through the rows in their order and corrects each
    mistake.

    With more than two classes, one neuron for each class learns to tell it from all others, and the one with the
    largest z answers.

    Parameters
    ----------
    learning_rate
        η; from zero weights it only sets the scale.
    max_iter
        The largest number of passes over the rows; the rule stops after a pass without a mistake.

    Attributes
    ----------
    classes_, coef_, intercept_
        The classes; weights ``[1, I]`` and bias ``[1]``, or one line for each class.
    converged_, n_iter_, n_mistakes_
        For each neuron, whether its last pass was without a mistake; the largest number of passes; the mistakes.

    >>> import numpy as np
    >>> rows = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> PerceptronClassifier().fit(rows, ["no", "yes", "yes", "yes"]).predict(rows).tolist()
    ['no', 'yes', 'yes', 'yes']
    """

    def __init__(self, learning_rate: float = 1.0, *, max_iter: int = 100) -> None:
        self.learning_rate = learning_rate
        self.max_iter = max_iter

    def __sklearn_tags__(self) -> Any:
        """Sparse matrices are taken."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from rows ``X`` ``[N, I]`` and their classes ``y`` ``[N]``."""
        from pellucid.engines.textbook.perceptron import learn
        from pellucid.settings.rules import real, whole

        rate = real(0, 1e300, above=True)("learning_rate", self.learning_rate)
        epochs = whole(1)("max_iter", self.max_iter)
        X, y = validate_data(self, dense(X), y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise DataError(f"y has only one class, {self.classes_.tolist()}: add rows of another class")
        ones = self.classes_[1:] if len(self.classes_) == 2 else self.classes_
        learned = [learn(X, (y == one).astype(np.int64), learning_rate=rate, epochs=epochs) for one in ones]
        self.coef_ = np.stack([each.weights for each in learned])
        self.intercept_ = np.array([each.bias for each in learned])
        self.converged_ = np.array([each.converged for each in learned])
        self.n_mistakes_ = np.array([len(each.mistakes) for each in learned])
        self.n_iter_ = max(each.epochs for each in learned)
        if not self.converged_.all():
            told = f"{epochs:,} passes were not enough, or no line separates the classes; scaled columns learn faster"
            warnings.warn(told, ConvergenceWarning, stacklevel=2)
        return self

    def decision_function(self, X: Any) -> Array:
        """z = w · x + b of each row: ``[N]`` for two classes, else ``[N, classes]``."""
        check_is_fitted(self)
        X = validate_data(self, dense(X), dtype=np.float64, reset=False)
        z: Array = X @ self.coef_.T + self.intercept_
        return z[:, 0] if len(self.classes_) == 2 else z

    def predict(self, X: Any) -> Array:
        """The class of each row, ``[N]``."""
        z = self.decision_function(X)
        chosen: Array = self.classes_[(z >= 0).astype(np.intp) if z.ndim == 1 else z.argmax(axis=1)]
        return chosen
