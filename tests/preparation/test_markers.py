"""Markers of one column, NAME=-999: the column must be there."""

from __future__ import annotations

from pathlib import Path

import pytest

from pellucid.data.tables import read_table
from pellucid.errors import DataError
from pellucid.preparation.reading import check_markers
from tests.running import pellucid as command


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "t.csv"
    path.write_text("w,c,y\n" + "".join(f"{k % 7},{'a=b' if k % 9 == 0 else 'x'},{k % 3}\n" for k in range(60)))
    return path


@pytest.mark.parametrize(("marker", "hint"), [("W=3", "did you mean 'w'?"), ("q=3", "there is no column 'q'")])
def test_a_marker_of_a_column_that_is_not_there_is_an_error(data: Path, marker: str, hint: str) -> None:
    done = command("inspect", data, "--missing", marker, cwd=data.parent, code=2)
    assert hint in " ".join((done.stdout + done.stderr).split())


def test_a_marker_with_an_equals_sign_of_its_own_is_one(data: Path) -> None:
    for marker in ("a=b", "w=3", "=", "x"):
        check_markers([marker], read_table(data, missing=[marker]))
    with pytest.raises(DataError, match="no column 'a'"):
        check_markers(["a=c"], read_table(data, missing=["a=c"]))
