"""What cells were before a table made texts of them: remembered, and made again for the classes."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pellucid.data.origins import labels_of
from pellucid.data.tables import read_table
from pellucid.data.target import encode_target, read_target
from pellucid.errors import DataError, ModelFileError

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")


def categories(values: Any) -> Any:
    return pd.Series(pd.Categorical.from_codes(np.arange(30) % len(values), values))


DAYS = pd.to_datetime(["2021-03-01", "2021-11-01", "2022-02-01"])
COLUMNS = {
    "whole numbers": categories([10, 2, 1]),
    "numbers": categories([0.5, 10.0, 2.25]),
    "whole floats": categories([3.0, 10.0]),
    "truth values": categories([True, False]),
    "dates with a time": categories(DAYS),
    "dates with a zone": categories(DAYS.tz_localize("Europe/Berlin")),
    "days": categories([datetime.date(2021, 3, 1), datetime.date(2020, 3, 1)]),
    "durations": categories(pd.to_timedelta([90, 30, 60], unit="min")),
    "periods": categories(pd.period_range("2021-11", periods=3, freq="M")),
    "cut": pd.cut(pd.Series(np.arange(-15, 15)), 4),
    "qcut": pd.qcut(pd.Series(np.arange(-15, 15) ** 2), 3),
    "cut with open ends": pd.cut(pd.Series(np.arange(30)), [-np.inf, 9.5, 100, np.inf][:3]),
    "cut with gaps": pd.cut(pd.Series(np.where(np.arange(30) % 5, np.arange(30.0), np.nan)), 3),
    "cut of whole numbers": pd.cut(pd.Series(np.arange(30)), [-1, 9, 19, 29], right=False).cat.remove_categories([]),
    "cut of dates": pd.cut(pd.Series(pd.date_range("2021-01-01", periods=30)), 3),
    "intervals": pd.Series(pd.arrays.IntervalArray.from_breaks([0, 1, 2]).take(np.arange(30) % 2)),
    "intervals as objects": pd.Series([pd.Interval(0, 1), pd.Interval(1, 2)] * 15, dtype=object),
    "texts and numbers": categories([1, "a", 2.5]),
    "texts": categories(["b", "a"]),
    "texts in an order": pd.Series(pd.Categorical(["low", "high"] * 15, ["low", "high"], ordered=True)),
    "nullable": pd.Series([1, None, 2] * 10, dtype="Int8"),
    "nullable truth values": pd.Series([True, None, False] * 10, dtype="boolean"),
    "Arrow's": pd.Series([1, 2] * 15, dtype="uint16[pyarrow]"),
    "Arrow's truth values": pd.Series([True, False] * 15, dtype="bool[pyarrow]"),
    "Arrow's texts": pd.Series(["x", "y"] * 15, dtype="string[pyarrow]"),
    "Arrow's categories": pd.Series(["x", "y"] * 15, dtype=pd.ArrowDtype(pa.dictionary(pa.int8(), pa.string()))),
    "short floats": pd.Series(np.array([0.5, 1.5] * 15, dtype=np.float32)),
    "bytes": pd.Series(np.array([3, 200] * 15, dtype=np.uint8)),
    "objects": pd.Series([True, False] * 15, dtype=object),
}
POLARS = {
    "Enum": pl.Series(["b", "a"] * 15, dtype=pl.Enum(["b", "a"])),
    "Categorical": pl.Series(["b", "a"] * 15, dtype=pl.Categorical),
    "Int8": pl.Series([5, 3] * 15, dtype=pl.Int8),
    "Float32": pl.Series([0.5, 1.5] * 15, dtype=pl.Float32),
    "Boolean": pl.Series([True, False, None] * 10),
}


def classes_again(frame: Any) -> tuple[Any, Any]:
    """The target's cells made of class numbers by what a model file keeps, and which rows have one."""
    table = read_table(frame)
    target = read_target(table, "y", task="multiclass")
    stored = None if target.origin is None else target.origin.to_json(target.classes)
    again = labels_of(json.loads(json.dumps(stored)), target.classes)
    codes, rows, _ = encode_target(table, "y", target.task_kind, target.classes)
    assert codes.tolist() == target.values.tolist()
    assert all(isinstance(label, str | int | float | bool) for label in target.classes)
    return again[target.values], rows


@pytest.mark.parametrize("what", COLUMNS)
def test_classes_of_pandas_come_back_as_they_were(what: str) -> None:
    column = COLUMNS[what]
    found, rows = classes_again(pd.DataFrame({"y": column}))
    wanted = np.asarray(column.dropna())
    assert len(rows) == len(wanted)
    assert (found == wanted).all()
    if what not in ("nullable", "nullable truth values", "objects", "texts in an order"):
        assert found.dtype == wanted.dtype
        assert type(found[0]) is type(wanted[0])


@pytest.mark.parametrize("what", POLARS)
def test_classes_of_polars_come_back_as_they_were(what: str) -> None:
    column = POLARS[what]
    found, _ = classes_again(pl.DataFrame({"y": column}))
    wanted = column.drop_nulls().to_numpy()
    assert (found == wanted).all()
    assert found.dtype == wanted.dtype


def test_classes_are_in_the_order_of_what_they_were() -> None:
    bands = pd.cut(pd.Series(np.arange(-15, 15)), [-16, -2, 10, 20])
    frame = pd.DataFrame({"y": COLUMNS["whole numbers"], "band": bands})
    assert read_target(read_table(frame), "y").classes == (1, 2, 10)
    assert read_target(read_table(frame), "band").classes == ("(-16, -2]", "(-2, 10]", "(10, 20]")


def test_intervals_are_categories_among_the_features() -> None:
    frame = pd.DataFrame({"band": COLUMNS["cut with gaps"], "plain": COLUMNS["intervals"]})
    table = read_table(frame)
    assert table.column("band").to_pylist()[:2] == [None, str(frame.band[1])]
    assert table.column("plain").to_pylist()[:2] == ["(0, 1]", "(1, 2]"]
    assert read_table({"band": frame.band}).column("band") == table.column("band")


def test_what_has_no_type_of_its_own_stays_a_text() -> None:
    found, _ = classes_again(pd.DataFrame({"y": categories([(1, 2), (2, 3)])}))
    assert found.tolist()[:2] == ["(1, 2)", "(2, 3)"]
    found, _ = classes_again(pd.DataFrame({"y": categories([Decimal("1.5"), Decimal("2")])}))
    assert sorted(set(found)) == ["1.5", "2.0"]


def test_a_type_that_arrow_lacks_is_told() -> None:
    with pytest.raises(DataError, match="'c' has the polars type Int128; cast it to Int64"):
        read_table(pl.DataFrame({"c": pl.Series([1, 2], dtype=pl.Int128)}))


@pytest.mark.parametrize(
    "stored",
    [
        "int64",
        {"dtype": "int64"},
        {"dtype": "O", "detail": "", "values": None},
        {"dtype": "os.system", "detail": "", "values": None},
        {"dtype": "int64", "detail": 3, "values": None},
        {"dtype": "int8", "detail": "", "values": None},
        {"dtype": "datetime64[us]", "detail": "", "values": [1]},
        {"dtype": "datetime64[us]", "detail": "", "values": ["a", "b"]},
        {"dtype": "datetime64[us]", "detail": "Nowhere/At all", "values": [1, 2]},
        {"dtype": "interval", "detail": "", "values": [[0, 1], [1, 2]]},
        {"dtype": "interval", "detail": "right int64", "values": [[0, 1], [1]]},
        {"dtype": "interval", "detail": "right os", "values": [[0, 1], [1, 2]]},
        {"dtype": "interval", "detail": "right int64", "values": [{}, 3]},
        {"dtype": "period", "detail": "no such", "values": [1, 2]},
        {"dtype": "date", "detail": "", "values": [[], {}]},
    ],
)
def test_a_damaged_type_of_classes_is_refused(stored: Any) -> None:
    with pytest.raises(ModelFileError, match="type of the classes in the model file is damaged"):
        labels_of(stored, (1, 300))
