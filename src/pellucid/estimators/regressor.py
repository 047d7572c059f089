"""A network that predicts a number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin

from pellucid.errors import SettingError
from pellucid.estimators.base import NetworkEstimator
from pellucid.estimators.held_out import HoldoutRows, width_of_interval

if TYPE_CHECKING:
    from pellucid.network.task import Task

__all__ = ["NeuralRegressor"]

Array = NDArray[Any]


class NeuralRegressor(RegressorMixin, NetworkEstimator):  # type: ignore[misc]  # scikit-learn brings no types
    """A multi-layer perceptron for a number; parameters and attributes are those of `NetworkEstimator`.

    Attributes
    ----------
    residuals_
        The absolute errors on the held-out rows, ascending, if there are such rows.

    >>> import numpy as np
    >>> X = np.linspace(-2, 2, 80)[:, None]
    >>> model = NeuralRegressor((16,), activation="tanh", learning_rate=0.02, random_state=0).fit(X, X[:, 0] ** 2)
    >>> model.score(X, X[:, 0] ** 2) > 0.9
    True
    """

    _wants_numbers = True
    residuals_: Array

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, X_val: Any = None, y_val: Any = None) -> Self:
        """Learn from rows ``X`` ``[N, I]`` (an array or a frame) and numbers ``y`` ``[N]``.

        Parameters
        ----------
        sample_weight
            ``[N]``: a weight of 2 counts as two equal rows, a weight of 0 as none.
        X_val, y_val
            Rows that choose the best epoch, instead of a share of ``X``.
        """
        return self._fit(X, y, sample_weight, X_val, y_val)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train one epoch on these rows; the first call also fits the preprocessing, which is then kept."""
        return self._partial_fit(X, y, sample_weight)

    def predict(self, X: Any) -> Array:
        """The number for each row, ``[N]``: the mean over the networks."""
        mean: Array = self._answers(self._inputs(X)).mean(axis=0)
        return mean

    def predict_interval(self, X: Any, coverage: float = 0.9) -> Array:
        """An interval for each row, ``[N, 2]``, that contains the true number of a new row with this probability.

        The probability is over rows like the held-out ones and over the choice of held-out rows (split conformal
        prediction: Vovk, Gammerman & Shafer 2005). Rows on which the networks disagree get wider intervals. The
        held-out rows also chose the best epoch, so the true coverage is slightly lower.

        Raises
        ------
        SettingError
            No rows were held out, or too few for this coverage.
        """
        answers = self._answers(self._inputs(X))
        if not hasattr(self, "residuals_"):
            raise SettingError(
                "an interval needs held-out rows, which a model file does not keep: fit with early_stopping=True, "
                "or with X_val, y_val"
            )
        mean = answers.mean(axis=0)
        half = width_of_interval(self.residuals_, coverage) * (1 + answers.std(axis=0) / self._unit)
        return np.stack([mean - half, mean + half], axis=1)

    def _values(self, y: Any, *, known: bool) -> Array:
        return np.asarray(y, np.float64)

    def _task(self, width: int) -> Task:
        from pellucid.network.task import Loss, Task

        name = "mse" if self.loss == "auto" else self.loss
        return Task(kind="regression", target="y", loss=Loss(name=name))  # type: ignore[arg-type]

    def _conclude(self, held: HoldoutRows | None) -> None:
        if held is not None and held.values is not None:
            answers = self._answers(np.asarray(held.rows.inputs, np.float64))
            errors = np.abs(held.answers(answers) - held.values)
            self._unit = float(errors.mean()) or 1.0  # how much the networks' spread counts
            self.residuals_ = np.sort(errors / (1 + answers.std(axis=0) / self._unit))
