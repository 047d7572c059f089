"""scikit-learn's ``MLPClassifier``: NumPy and SciPy, without dropout."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from peers.contestant import Contestant
from peers.job import LEARNING_RATE, Arrays, Job

__all__ = ["Sklearn"]

warnings.simplefilter("ignore", ConvergenceWarning)


class Sklearn(Contestant):
    """``MLPClassifier`` with the same rule, no penalty and no early end."""

    timed = "`partial_fit` of one batch; it checks its input and the classes each time"

    def __init__(self, job: Job, arrays: Arrays) -> None:
        super().__init__(job, arrays)
        self.note = "has no dropout" if job.dropout else ""
        self.model = self._new()
        self.classes = np.arange(job.classes)
        self.place = 0

    def _new(self) -> MLPClassifier:
        return MLPClassifier(
            self.job.widths[1:-1],
            batch_size=self.job.batch,
            learning_rate_init=LEARNING_RATE,
            alpha=0.0,
            max_iter=self.job.epochs,
            n_iter_no_change=self.job.epochs + 1,
            random_state=0,
        )

    def steps(self, count: int) -> int:
        """Calls of ``partial_fit``."""
        batch, x, y = self.job.batch, self.arrays.x, self.arrays.y
        whole = len(x) // batch
        for _ in range(count):
            start = self.place % whole * batch
            self.model.partial_fit(x[start : start + batch], y[start : start + batch], classes=self.classes)
            self.place += 1
        return count

    def fit(self) -> None:
        """``fit``."""
        self.model = self._new().fit(self.arrays.x, self.arrays.y)

    def probabilities(self, inputs: Any) -> NDArray[Any]:
        """``predict_proba``."""
        return self.model.predict_proba(inputs)
