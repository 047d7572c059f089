"""Equally long lists in cells are as many columns."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.data.tables import read_table
from pellucid.data.target import read_target
from pellucid.errors import DataError

WIDE = [[0.5, 1.0, -2.0], [1.5, 0.0, 3.0], None, [2.5, None, 4.0]]
WANTED = {"e_1": [0.5, 1.5, None, 2.5], "e_2": [1.0, 0.0, None, None], "e_3": [-2.0, 3.0, None, 4.0]}


def forms() -> dict[str, Any]:
    lists = pa.array(WIDE, pa.list_(pa.float32()))
    return {
        "list": lists,
        "large list": lists.cast(pa.large_list(pa.float64())),
        "fixed list": lists.cast(pa.list_(pa.float64(), 3)),
        "slice": pa.concat_arrays([lists, lists]).slice(4),
        "slice of a fixed list": pa.concat_arrays([lists.cast(pa.list_(pa.float32(), 3))] * 2).slice(4),
        "chunks": pa.chunked_array([lists.slice(0, 1), lists.slice(1)]),
    }


@pytest.mark.parametrize("form", forms())
@pytest.mark.parametrize("where", ["memory", "parquet", "arrow"])
def test_lists_of_arrow_become_columns(form: str, where: str, tmp_path: Path) -> None:
    table = pa.table({"v": [1, 2, 3, 4], "e": forms()[form]})
    source: Any = table
    if where == "parquet":
        pq.write_table(table, source := tmp_path / "t.parquet")
    elif where == "arrow":
        with pa.ipc.new_file(source := tmp_path / "t.arrow", table.schema) as writer:
            writer.write_table(table)
    read = read_table(source)
    assert read.names == ("v", "e_1", "e_2", "e_3")
    assert {name: read.column(name).to_pylist() for name in WANTED} == WANTED
    assert read.report.lists == {"e": ("e_1", "e_2", "e_3")}
    assert any("'e' holds lists" in note and "'e_3'" in note for note in read.report.notes)


def cells(form: str) -> Any:
    whole = [[0.5, 1.0], [1.5, 0.0], [2.0, 3.0]]
    if form == "array":
        return np.array(whole)
    if form == "short array":
        return np.array(whole, dtype=np.float32)
    return [{"tuples": tuple, "lists": list, "arrays": np.array}[form](each) for each in whole]


@pytest.mark.parametrize("form", ["tuples", "lists", "arrays", "array", "short array"])
@pytest.mark.parametrize("container", ["dict", "pandas", "polars", "rows", "structured"])
def test_lists_in_memory_become_columns(form: str, container: str) -> None:
    found, v = cells(form), [1.0, 2.0, 3.0]
    if container == "pandas":
        source: Any = pytest.importorskip("pandas").DataFrame({"v": v, "e": list(found)})
    elif container == "polars":
        source = pytest.importorskip("polars").DataFrame({"v": v, "e": list(map(list, found))})
    elif container == "rows":
        source = [{"v": a, "e": b} for a, b in zip(v, found, strict=True)]
    elif container == "structured":
        source = np.zeros(3, dtype=[("v", float), ("e", np.float32, 2)])
        source["v"], source["e"] = v, np.array(list(map(list, found)))
    else:
        source = {"v": v, "e": found}
    read = read_table(source)
    assert read.names == ("v", "e_1", "e_2")
    assert read.column("e_1").to_pylist() == [0.5, 1.5, 2.0]
    assert read.column("e_2").to_pylist() == [1.0, 0.0, 3.0]


@given(st.integers(1, 5), st.integers(1, 6), st.booleans())
def test_a_list_is_the_columns_of_its_places(rows: int, width: int, whole: bool) -> None:
    cells = np.random.default_rng(rows * width).integers(-9, 9, (rows, width)) * (1 if whole else 0.5)
    of_lists = read_table({"e": cells.tolist()})
    of_columns = read_table({f"e_{k + 1}": cells[:, k] for k in range(width)})
    assert of_lists.arrow.equals(of_columns.arrow)


def test_json_lines_with_lists_are_read(tmp_path: Path) -> None:
    lines = [{"v": k, "e": [k, k + 0.5]} for k in range(3)]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert read_table(tmp_path / "t.jsonl").column("e_2").to_pylist() == [0.5, 1.5, 2.5]


def test_lists_of_other_lengths_are_refused_with_both_lengths_and_rows() -> None:
    odd = [[1, 2, 3]] * 4 + [[1, 2]] + [[1, 2, 3]]
    with pytest.raises(
        DataError, match=r"'e' .*different lengths: 3 numbers in most rows \(first: row 0\), 2 in row 4"
    ):
        read_table({"e": odd})
    with pytest.raises(DataError, match="'e' holds only empty lists"):
        read_table({"e": [[], []]})


@pytest.mark.parametrize(
    "cell", [["a", "b"], [[1.0], [2.0]], [datetime.date(2021, 1, 1)], {"a": 1}, np.zeros((2, 2)), [{"a": 1}], [1, "a"]]
)
def test_lists_of_anything_else_are_refused(cell: Any) -> None:
    with pytest.raises(DataError, match="column 'e' holds"):
        read_table({"e": [cell, cell]})


def test_a_name_that_is_taken_is_told() -> None:
    with pytest.raises(DataError, match="there is already a column 'e_2'; rename"):
        read_table({"e": [[1, 2]] * 3, "e_2": [1, 2, 3]})


def test_a_list_is_no_target() -> None:
    table = read_table({"e": [[1, 2]] * 3, "v": [1, 2, 3]})
    with pytest.raises(DataError, match=r"target 'e' holds lists of 2 numbers.*'e_1'"):
        read_target(table, "e")


def test_lists_are_measured_before_they_are_unpacked(tmp_path: Path) -> None:
    """A file of a few kilobytes may hold 16 million equal numbers."""
    values = pa.array(np.zeros(16_000_000))
    table = pa.table({"e": pa.ListArray.from_arrays(pa.array([0, 8_000_000, 16_000_000], pa.int32()), values)})
    pq.write_table(table, tmp_path / "t.parquet", compression="zstd")
    assert (tmp_path / "t.parquet").stat().st_size < 100_000
    with pytest.raises(DataError, match="max_unpacked"):
        read_table(tmp_path / "t.parquet")
