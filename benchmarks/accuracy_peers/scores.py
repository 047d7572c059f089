"""How wrong answers are: one error for every kind of target, lower is better, and the log loss of classes.

``N`` rows, ``C`` classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MEASURES", "all_classes", "scores"]

Array = NDArray[Any]
MEASURES = {"binary": "1 − AUC", "multiclass": "error rate", "regression": "RMSE / standard deviation"}
_LEAST = 1e-15  # a probability of 0 for what happened would cost infinitely much


def all_classes(probabilities: Array, known: Array, n_classes: int) -> Array:
    """Probabilities ``[N, C]`` of a model that has seen only some of the classes.

    >>> all_classes(np.array([[0.25, 0.75]]), np.array([0, 2]), 3).tolist()
    [[0.25, 0.0, 0.75]]
    """
    found = np.zeros((len(probabilities), n_classes))
    found[:, np.asarray(known, dtype=np.int64)] = probabilities
    return found


def scores(task: str, truth: Array, answers: Array) -> dict[str, float]:
    """The error, and for classes the log loss; answers are numbers ``[N]`` or probabilities ``[N, C]``.

    >>> scores("multiclass", np.array([0, 1]), np.array([[0.5, 0.25, 0.25], [0.5, 0.25, 0.25]]))["error"]
    0.5
    >>> scores("regression", np.array([1.0, 3.0]), np.array([2.0, 2.0]))
    {'error': 1.0}
    """
    if not np.isfinite(answers).all():
        raise ValueError("an answer is not a number")
    if task == "regression":
        return {"error": float(np.sqrt(np.mean((answers - truth) ** 2)) / np.std(truth))}
    from sklearn.metrics import roc_auc_score

    given = np.clip(answers[np.arange(len(truth)), truth], _LEAST, 1.0)
    if task == "binary":
        error = 1.0 - float(roc_auc_score(truth, answers[:, 1]))
    else:
        error = float(np.mean(answers.argmax(axis=1) != truth))
    return {"error": error, "log_loss": float(-np.mean(np.log(given)))}
