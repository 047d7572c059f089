"""A quote without its end: the rows that it swallows are told."""

from __future__ import annotations

from pathlib import Path

from pellucid.data.tables import read_table


def lines(n: int) -> list[str]:
    return [f"{i},word {i % 7},{i % 3}" for i in range(n)]


def told(path: Path, rows: list[str]) -> list[str]:
    path.write_text("\n".join(["a,b,y", *rows]) + "\n", encoding="utf-8")
    return [note for note in read_table(path).report.notes if "a cell holds" in note or "cells hold" in note]


def test_swallowed_rows_are_told_with_column_line_and_remedy(tmp_path: Path) -> None:
    rows = lines(300)
    rows[30] = '30,"word,0'
    rows[60] = '60,word",0'
    (note,) = told(tmp_path / "t.csv", rows)
    for part in ("column 'b'", "a cell holds 31 lines", "from line 32 of the file", "correct the file"):
        assert part in note, part


def test_in_a_column_of_numbers_too(tmp_path: Path) -> None:
    rows = lines(300)
    rows[30] = '"30,word,0'
    rows[60] = '60",word,0'
    (note,) = told(tmp_path / "t.csv", rows)
    assert "column 'a'" in note


def test_a_few_line_breaks_and_texts_of_many_lines_are_as_they_should_be(tmp_path: Path) -> None:
    rows = lines(300)
    rows[30] = '30,"a street\nand a town\nand a country",0'
    assert told(tmp_path / "t.csv", rows) == []
    letters = [f'{i},"dear {i}\n\nhow are you\n\nwell\n\nbye",{i % 3}' for i in range(100)]
    assert told(tmp_path / "u.csv", letters) == []
