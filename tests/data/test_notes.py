"""Remarks that quote the table are told from those that do not, wherever they are made."""

from __future__ import annotations

from pathlib import Path

import pytest

from pellucid.data.files.stores import Listing
from pellucid.data.images.layout import lay_out
from pellucid.data.notes import CellNote
from pellucid.data.tables import read_table


@pytest.mark.parametrize(
    ("column", "secret"),
    [
        ([*map(str, range(40)), "kept-secret"], "kept-secret"),  # no number
        ([f"{k}" for k in range(40)] + ["inf"], "row 40"),
        ([f"${k}.25" for k in range(41)], "$0.25"),  # signs around it
    ],
)
def test_a_remark_that_quotes_a_cell_is_known_as_one(column: list[str], secret: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a,b,\n" + "".join(f"{cell},{k},\n" for k, cell in enumerate(column)))
    notes = read_table(path).report.notes
    quoting = [note for note in notes if secret in note]
    assert quoting
    assert all(isinstance(note, CellNote) for note in quoting)
    assert not all(isinstance(note, CellNote) for note in notes)  # the column without a name is told to all


@pytest.mark.parametrize(
    "images",
    [
        ("cat/1.png", "dog/2.png", "kept-secret.png"),
        ("train/cat/1.png", "train/dog/2.png", "test/cat/3.png", "test/dog/4.png", "kept-secret.png"),
    ],
)
def test_so_is_one_that_names_a_file_of_the_users(images: tuple[str, ...]) -> None:
    notes = lay_out(Listing(images=images), "'photos'", expect_labels=True).notes
    assert [isinstance(note, CellNote) for note in notes if "kept-secret" in note] == [True]
