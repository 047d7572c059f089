"""Paths of series: recognised by name and first lines, packed or not, alone or as a pair in a folder."""

from __future__ import annotations

import gzip
import lzma
from pathlib import Path

import pytest

from pellucid.data.columns.series import series_of
from pellucid.data.series.read import read_series
from pellucid.data.series.recognise import is_series_source, recognise, test_file_of
from pellucid.errors import DataError

test_file_of.__test__ = False  # type: ignore[attr-defined]

TS = "@univariate true\n@classLabel true a b\n@data\n1,2:a\n3,4:b\n"
UCR = "1,0.5,0.25\n2,0.75,1\n"


def test_a_ts_file(tmp_path: Path) -> None:
    path = tmp_path / "walk.ts.gz"
    path.write_bytes(gzip.compress(TS.encode()))
    table = read_series(path).train
    assert table.names == ("series", "label")
    assert table.column("label").to_pylist() == ["a", "b"]
    assert series_of(table.column("series"))[:, :, 0].tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert (table.report.format, table.report.compression) == ("ts", "gzip")


@pytest.mark.parametrize("name", ["X_TRAIN", "X_TRAIN.txt", "X_TEST.tsv", "X_TRAIN.csv", "X_TRAIN.txt.xz"])
def test_a_ucr_file(tmp_path: Path, name: str) -> None:
    content = UCR.replace(",", "\t") if name.endswith("tsv") else UCR
    (tmp_path / name).write_bytes(lzma.compress(content.encode()) if name.endswith("xz") else content.encode())
    found = recognise(tmp_path / name)
    assert found is not None
    assert found.kind == "ucr"
    table = read_series(tmp_path / name).train
    assert table.column("label").to_pylist() == ["1", "2"]
    assert series_of(table.column("series"))[:, :, 0].tolist() == [[0.5, 0.25], [0.75, 1.0]]


def test_a_folder_with_both_parts_in_several_forms(tmp_path: Path) -> None:
    for name, content in (("X_TRAIN.txt", UCR), ("X_TEST.txt", UCR), ("X_TRAIN.ts", TS), ("X_TEST.ts", TS)):
        (tmp_path / name).write_text(content)
    (tmp_path / "README.md").write_text("about")
    read = read_series(tmp_path)
    assert read.test is not None
    assert (read.train.report.format, read.test.report.format) == ("ts", "ts")
    assert "X_TEST.ts" in read.test.report.source
    assert test_file_of(tmp_path / "X_TRAIN.txt") == tmp_path / "X_TEST.txt"
    assert test_file_of(tmp_path / "X_TEST.txt") is None


def test_a_folder_with_several_sets_is_refused(tmp_path: Path) -> None:
    for name in ("A_TRAIN.txt", "B_TRAIN.txt"):
        (tmp_path / name).write_text(UCR)
    assert is_series_source(tmp_path)
    with pytest.raises(DataError, match=r"the series of 2 sets \('A_TRAIN.txt', 'B_TRAIN.txt'\); name one"):
        read_series(tmp_path)


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("@univariate true\n@classLabel true a b c\n@data\n1,2:c\n", "has the class 'c', which is not in"),
        ("@classLabel true a b\n@data\n1,2:3,4:a\n", "has series of 2 channels, but .* of 1"),
    ],
)
def test_parts_that_do_not_belong_together_are_refused(tmp_path: Path, test: str, said: str) -> None:
    (tmp_path / "X_TRAIN.ts").write_text(TS)
    (tmp_path / "X_TEST.ts").write_text(test)
    with pytest.raises(DataError, match=said):
        read_series(tmp_path)


def test_tables_and_other_files_are_left_to_others(tmp_path: Path) -> None:
    contents = {"a_TRAIN.csv": "age,job\n1,2\n", "b_TRAIN.csv": "1.5,2,3\n", "c.csv": UCR, "d.txt": "text"}
    for name, content in contents.items():
        (tmp_path / name).write_text(content)
        assert not is_series_source(tmp_path / name)
    assert not is_series_source(tmp_path)
    assert not is_series_source(tmp_path / "missing")
    with pytest.raises(DataError, match="holds no series"):
        read_series(tmp_path / "c.csv")


def test_an_empty_or_damaged_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.ts").write_text("")
    with pytest.raises(DataError, match="is empty"):
        read_series(tmp_path / "x.ts")
    (tmp_path / "y.ts.gz").write_bytes(gzip.compress(TS.encode())[:-12])
    with pytest.raises(DataError, match="damaged or cut short"):
        read_series(tmp_path / "y.ts.gz")
