"""Read and check what an estimator is given: rows, targets and weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import assert_all_finite, check_consistent_length, column_or_1d
from sklearn.utils.validation import _check_sample_weight, validate_data

from pellucid.data.numbers.style import NumberStyle
from pellucid.data.sparse import dense
from pellucid.data.tables import styles_of
from pellucid.errors import DataError
from pellucid.estimators import inputs as inputs_
from pellucid.estimators.labels import plain_targets

__all__ = ["ReadingEstimator"]

Array = NDArray[Any]
_FLOATS = (np.float64, np.float32)


class ReadingEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn brings no types
    """The reading part of an estimator: frames and incomplete arrays become tables, others an array of numbers."""

    _wants_numbers = False  # as targets
    _by_table: bool
    _names: tuple[str, ...]
    _styles: dict[str, NumberStyle | None]  # of a table's columns

    def __sklearn_tags__(self) -> Any:
        """Sparse matrices and missing cells are taken."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = tags.input_tags.allow_nan = True
        return tags

    def _given(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> tuple[Any, Any, Array | None]:
        """The rows with a weight above zero, their targets and their weights."""
        supervised = self.__sklearn_tags__().target_tags.required
        inputs_.check_columns(X)
        X = dense(X)
        if supervised:
            self._check_one_target(y)
            y = plain_targets(y)
        if reset:
            self._by_table = inputs_.is_table(X)
        if supervised and (self._by_table or inputs_.is_table(X)):
            validate_data(self, X, y, reset=reset, skip_check_array=True)
            X, y = self._table(X, reset=reset), self._finite_targets(y)
            check_consistent_length(np.empty(inputs_.n_rows(X)), y)
        elif supervised:
            X, y = validate_data(self, X, y, reset=reset, dtype=_FLOATS, y_numeric=self._wants_numbers)
        else:
            X, y = self._read(X, reset=reset), None
        if reset and not self._by_table:
            self._names = self._column_names()
        if sample_weight is None:
            return X, y, None
        of_rows = np.empty(inputs_.n_rows(X))
        weights = _check_sample_weight(sample_weight, of_rows, dtype=np.float64, ensure_non_negative=True)
        if not weights.any():
            raise DataError("sample_weight needs a weight above zero, but every weight is zero")
        at = np.flatnonzero(weights)
        if len(at) < len(weights):  # a row with weight 0 does not count in the preprocessing and the batches either
            X, y, weights = inputs_.take(X, at), inputs_.take(y, at), weights[at]
        return X, y, weights

    def _check_one_target(self, y: Any) -> None:
        """Raise `DataError` where ``y`` has several columns."""
        shape: tuple[int, ...] | None = getattr(y, "shape", None)
        if shape is None:
            first = next(iter(y), None) if isinstance(y, list | tuple) else None
            shape = (len(y), len(first)) if isinstance(first, list | tuple) else ()
        if len(shape) == 2 and shape[1] > 1:
            wrapper = "MultiOutputRegressor" if self._wants_numbers else "MultiOutputClassifier"
            one_hot = "" if self._wants_numbers else "; of a one-hot y, y.argmax(axis=1) is the class"
            raise DataError(
                f"y has {shape[1]:,} columns, and {type(self).__name__} predicts one target: pass one column, or wrap "
                f"it, sklearn.multioutput.{wrapper}({type(self).__name__}()), which trains one for each{one_hot}"
            )

    def _finite_targets(self, y: Any) -> Array:
        self._check_one_target(y)
        y = column_or_1d(plain_targets(y), warn=True)
        assert_all_finite(y, input_name="y")
        found: Array = y.astype(np.float64) if self._wants_numbers else y
        return found

    def _read(self, X: Any, *, reset: bool) -> Any:
        """An array ``[N, I]`` or a table, with the columns that were fitted."""
        inputs_.check_columns(X)
        X = dense(X)
        # Without a missing cell in the rows learned from, they were taken as an array; other rows may miss some.
        if self._by_table or inputs_.is_table(X):
            validate_data(self, X, reset=reset, skip_check_array=True)
            return self._table(X, reset=reset)
        return validate_data(self, X, dtype=_FLOATS, reset=reset)

    def _table(self, X: Any, *, reset: bool) -> Any:
        if not reset:
            return inputs_.read_frame(X, self._names, getattr(self, "_styles", None))
        self._names = self._column_names()
        table = inputs_.read_frame(X, self._names)
        self._styles = styles_of(table)
        return table

    def _column_names(self) -> tuple[str, ...]:
        given = getattr(self, "feature_names_in_", None)
        if given is None:
            return tuple(f"x{i}" for i in range(self.n_features_in_))
        return tuple(name.strip() or f"x{i}" for i, name in enumerate(given))
