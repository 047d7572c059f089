"""The targets of a classifier: from any container of labels to an array, and from classes to the model file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.multiclass import check_classification_targets

from pellucid.data.origins import Origin, origin_of_categories
from pellucid.network.task import Label

__all__ = ["check_are_classes", "labels_to_json", "names_of", "plain_targets"]

Array = NDArray[Any]
_PLAIN = (str, int, float, bool)


def plain_targets(y: Any) -> Any:
    """A pandas or polars series as an array of its own type, which scikit-learn would often convert to floats.

    >>> plain_targets(np.array([True, False], dtype=object)).dtype
    dtype('bool')
    """
    module = type(y).__module__.split(".")[0]
    if module == "pandas" and getattr(y, "ndim", 0) == 2 and y.shape[1] == 1:
        y = y.iloc[:, 0]
    if module == "polars" and hasattr(y, "columns") and y.shape[1] == 1:
        y = y.to_series()
    if module in ("pandas", "polars") and getattr(y, "ndim", 1) == 1 and hasattr(y, "to_numpy"):
        y = np.asarray(y)
    if isinstance(y, np.ndarray) and y.dtype == object and y.ndim == 1 and len(y):
        kind = type(y[0])
        if kind in (bool, int, np.bool_) and all(type(each) is kind for each in y):
            return np.array(y.tolist())
    return y


def check_are_classes(y: Array) -> None:
    """Raise ``ValueError`` like scikit-learn if labels are not classes; dates, intervals and periods are allowed."""
    if y.dtype.kind == "M" or (y.dtype == object and len(y) and _is_ordered(y[0])):
        return
    check_classification_targets(y)


def _is_ordered(label: object) -> bool:
    """Whether a label is one of pandas' or Python's own types with an order, such as an interval or a date."""
    return type(label).__module__.split(".")[0] in ("pandas", "datetime") and hasattr(type(label), "__lt__")


def names_of(classes: Array) -> tuple[Label, ...]:
    """The names of the classes in the task: the classes, or their text if a model file cannot hold them."""
    if classes.dtype.kind in "mM":
        return tuple(str(each) for each in classes)
    return tuple(each if isinstance(each, _PLAIN) else str(each) for each in classes.tolist())


def labels_to_json(classes: Array, names: Sequence[Label]) -> dict[str, Any] | None:
    """What `pellucid.data.origins.labels_of` needs to make the same classes again; texts need nothing."""
    if classes.dtype.kind in "biuf":
        return Origin(dtype=classes.dtype.name).to_json(names)
    if classes.dtype.kind in "mM":
        counted = classes.astype(np.int64).tolist()
        return {"dtype": classes.dtype.name, "detail": "", "values": counted}
    if all(isinstance(each, str) for each in classes):
        return None
    import pandas as pd

    origin = origin_of_categories(pd.Index(classes), [str(name) for name in names])
    return None if origin is None else origin.to_json(names)
