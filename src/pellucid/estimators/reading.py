"""What scikit-learn hands to an estimator, read and checked: rows, targets and weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import assert_all_finite, check_consistent_length, column_or_1d
from sklearn.utils.validation import _check_sample_weight, validate_data

from pellucid.data.number_style import NumberStyle
from pellucid.data.tables import styles_of
from pellucid.errors import DataError
from pellucid.estimators import inputs as inputs_

__all__ = ["ReadingEstimator"]

Array = NDArray[Any]
_FLOATS = (np.float64, np.float32)


class ReadingEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn brings no types
    """The part of an estimator that reads: frames as tables, anything else as an array of numbers."""

    _wants_numbers = False  # as targets
    _by_table: bool
    _names: tuple[str, ...]
    _styles: dict[str, NumberStyle | None]  # of a table's columns

    def _given(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> tuple[Any, Any, Array | None]:
        """The rows with a weight above zero, their targets and their weights."""
        supervised = self.__sklearn_tags__().target_tags.required
        inputs_.check_columns(X)
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
            raise DataError("sample_weight must hold a weight above zero, but every weight is zero")
        at = np.flatnonzero(weights)
        if len(at) < len(weights):  # a row of no weight is no row, in the preprocessing and in the batches neither
            X, y, weights = inputs_.take(X, at), inputs_.take(y, at), weights[at]
        return X, y, weights

    def _finite_targets(self, y: Any) -> Array:
        y = column_or_1d(y, warn=True)
        assert_all_finite(y, input_name="y")
        found: Array = y.astype(np.float64) if self._wants_numbers else y
        return found

    def _read(self, X: Any, *, reset: bool) -> Any:
        """An array ``[N, I]`` or a table, with the columns that were fitted."""
        # Without a missing cell in the rows learned from, a frame was taken as an array; its other rows may miss some.
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
