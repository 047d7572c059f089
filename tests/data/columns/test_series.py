"""Columns of series: their type, values, lengths, channel names and hashes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from pellucid.data.columns.series import (
    channel_names,
    is_series_type,
    series_column,
    series_columns,
    series_field,
    series_hashes,
    series_lengths,
    series_of,
    series_shape,
)
from pellucid.data.tables import ReadReport, Table

NAN = float("nan")


def table_of(values: np.ndarray, channels: tuple[str, ...] = ()) -> Table:
    column = series_column(values)
    schema = pa.schema([series_field("series", column.type, channels), pa.field("label", pa.string())])
    arrow = pa.table([column, pa.array(["a"] * len(values))], schema=schema)
    return Table(arrow=arrow, report=ReadReport(source="a test", format="array"))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (pa.fixed_shape_tensor(pa.float64(), [3, 2]), True),
        (pa.fixed_shape_tensor(pa.float64(), [3]), False),
        (pa.fixed_shape_tensor(pa.float64(), [3, 2, 1]), False),
        (pa.fixed_shape_tensor(pa.uint8(), [3, 2]), False),
        (pa.fixed_shape_tensor(pa.uint8(), [3, 2, 1]), False),
        (pa.list_(pa.float64()), False),
        (pa.float64(), False),
    ],
)
def test_the_type(kind: pa.DataType, expected: bool) -> None:
    assert is_series_type(kind) is expected


def test_values_come_back_from_slices_chunks_and_rows_without_a_series() -> None:
    values = np.arange(24.0).reshape(4, 3, 2)
    column = series_column(values)
    assert series_of(column).tolist() == values.tolist()
    assert series_of(column.slice(1, 2)).tolist() == values[1:3].tolist()
    assert series_of(column.take(pa.array([3, 0]))).tolist() == values[[3, 0]].tolist()
    assert series_of(pa.chunked_array([column.slice(2), column.slice(0, 1)])).tolist() == values[[2, 3, 0]].tolist()
    assert series_of(column.slice(0, 0)).shape == (0, 3, 2)
    with_none = column.take(pa.array([1, None, 2]))
    found = series_of(with_none)
    assert found[[0, 2]].tolist() == values[[1, 2]].tolist()
    assert np.isnan(found[1]).all()


def test_a_table_knows_its_series() -> None:
    table = table_of(np.zeros((2, 5, 3)), ("x", "y", "z"))
    assert series_shape(table) == (5, 3)
    assert series_columns(table) == ["series"]
    assert channel_names(table.arrow.schema.field("series")) == ("x", "y", "z")
    assert channel_names(table.take(np.array([1])).arrow.schema.field("series")) == ("x", "y", "z")
    assert series_shape(Table(arrow=table.arrow.drop_columns(["series"]), report=table.report)) is None


@pytest.mark.parametrize(
    "metadata", [None, {b"channels": b"not JSON"}, {b"channels": b'["x"]'}, {b"channels": b"[1, 2]"}]
)
def test_channels_without_fitting_names_are_numbered(metadata: dict[bytes, bytes] | None) -> None:
    field = pa.field("series", pa.fixed_shape_tensor(pa.float64(), [4, 2]), metadata=metadata)
    assert channel_names(field) == ("0", "1")


def test_only_steps_missing_in_every_channel_at_the_end_are_padding() -> None:
    values = np.array(
        [
            [[1.0, 1.0], [NAN, NAN], [2.0, NAN]],
            [[1.0, NAN], [NAN, NAN], [NAN, NAN]],
            [[NAN, NAN], [NAN, NAN], [NAN, NAN]],
        ]
    )
    assert series_lengths(values).tolist() == [3, 1, 0]


def test_hashes_tell_every_change_but_not_padding_nor_the_sign_of_zero() -> None:
    base = np.array([[1.0, 0.0], [NAN, 3.0], [NAN, NAN]])
    longer = np.concatenate([base, np.full((2, 2), NAN)])[None]
    minus_zero = base.copy()
    minus_zero[0, 1] = -0.0
    others = [base.copy() for _ in range(4)]
    others[0][0, 0] = np.nextafter(1.0, 2.0)
    others[1][1] = 3.0, NAN
    others[2][1] = 0.0, 3.0
    others[3][:2] = base[1::-1]
    same = series_hashes(np.stack([base, minus_zero])).tolist() + series_hashes(longer).tolist()
    assert len(set(same)) == 1
    assert len({same[0], *series_hashes(np.stack(others)).tolist()}) == 5
