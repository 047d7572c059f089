"""What a metric is called in a sentence, and which way it goes."""

from __future__ import annotations

__all__ = ["HIGHER_IS_BETTER", "name_of_metric"]

HIGHER_IS_BETTER = frozenset({"roc_auc", "accuracy", "balanced_accuracy", "f1_macro", "r2"})
_NAMES = {"roc_auc": "ROC AUC", "f1_macro": "macro F1", "rmse": "RMSE", "mae": "MAE", "mse": "MSE", "r2": "R²"}


def name_of_metric(metric: str) -> str:
    """As in a sentence.

    >>> name_of_metric("roc_auc"), name_of_metric("log_loss")
    ('ROC AUC', 'log loss')
    """
    return _NAMES.get(metric, metric.replace("_", " "))
