"""Columns of arrays, images or series, where both are treated alike."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pellucid.data.columns.series import series_column
from pellucid.data.columns.tensors import cell_at, is_tensor_type, tensor_shape, tensors

IMAGES = pa.FixedShapeTensorArray.from_numpy_ndarray(np.arange(12, dtype=np.uint8).reshape(2, 2, 3, 1))
SERIES = series_column(np.arange(12.0).reshape(2, 3, 2))


def test_what_a_column_holds() -> None:
    assert [is_tensor_type(each.type) for each in (IMAGES, SERIES, pa.array([1.0]))] == [True, True, False]
    assert [tensors(each.type) for each in (IMAGES, SERIES)] == ["images", "series"]
    assert [tensor_shape(each.type) for each in (IMAGES, SERIES, pa.array([1.0]))] == [(2, 3, 1), (3, 2), None]


def test_one_cell() -> None:
    assert cell_at(IMAGES, 1)[..., 0].tolist() == [[6, 7, 8], [9, 10, 11]]
    assert cell_at(SERIES, 1).tolist() == [[6.0, 7.0], [8.0, 9.0], [10.0, 11.0]]
    assert cell_at(pa.array(["a", None]), 1) is None
