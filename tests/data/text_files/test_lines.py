"""Lines of a text file that are no rows: titles, comments, units, totals, sources; and names that are given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pellucid.data.tables import Table, read_table
from pellucid.errors import DataError, SettingError

ROWS = [f"t{i % 3},{1.5 + 0.25 * i},{10 + 3 * i}" for i in range(12)]
X, N = sum(1.5 + 0.25 * i for i in range(12)), sum(10 + 3 * i for i in range(12))
HEAD = "town,x,n"


def read(tmp_path: Path, lines: list[str] | bytes, **how: Any) -> Table:
    path = tmp_path / "table.csv"
    path.write_bytes(lines if isinstance(lines, bytes) else "\n".join([*lines, ""]).encode())
    return read_table(path, **how)


def is_whole(table: Table, n_rows: int = 12) -> bool:
    """Whether the twelve rows came through, each column with its type, and nothing else."""
    numbers = [str(table.column(name).type) for name in table.names[1:]]
    return table.n_rows == n_rows and numbers == ["double", "int64"] and table.column(table.names[1])[0].as_py() == 1.5


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["Sales 2024", "", HEAD, *ROWS], "line 1, 'Sales 2024'"),
        (["Sales 2024,,", ",,", HEAD, *ROWS], "2 lines above the table"),
        (["Exported,2024-05-01", "By,me", HEAD, *ROWS], "2 lines above the table"),
        (['"Sales', '2024"', HEAD, *ROWS], "2 lines above the table"),
        (["# exported 2024-05-01", "# by: plant 3", HEAD, *ROWS], "2 lines beginning with '#'"),
        (["# exported, by me, in 2024", HEAD, *ROWS], "1 line beginning with '#' was left out as a comment"),
        ([HEAD, *ROWS[:5], "# a pause", *ROWS[5:]], "line 7, '# a pause'"),
        ([HEAD, ",kg,(cm)", *ROWS], "line 2, ',kg,(cm)'"),
        ([HEAD, *ROWS, f"Total,{X},{N}"], "'Total'"),
        ([HEAD, *ROWS, f"Summe:,{X},{N}"], "'Summe:'"),
        ([HEAD, *ROWS, f"Total,{X},{N}", f"Average,{X / 12:.2f},{N / 12:.1f}"], "the last rows"),
        ([HEAD, *ROWS, "", "Source: the plants"], "line 15, 'Source: the plants'"),
        ([HEAD, *ROWS, "Source: the plants, 2024"], "1 line below the table"),
        ([HEAD, *ROWS, "", "as far as is known"], "1 line below the table"),
        (["Sales", "# c", HEAD, ",kg,cm", *ROWS, f"Total,{X},{N}", "Note: all of it"], "1 line below the names"),
    ],
)
def test_lines_around_the_table_are_left_out_and_told(tmp_path: Path, lines: list[str], words: str) -> None:
    table = read(tmp_path, lines)
    assert table.names == ("town", "x", "n")
    assert is_whole(table)
    assert any(words in note and "--" in note for note in table.report.notes), table.report.notes


@pytest.mark.parametrize(
    ("lines", "names", "n_rows"),
    [
        (["#,name,age", *(f"{i},n{i},{20 + i}" for i in range(9))], ("#", "name", "age"), 9),
        (["subject#,x,n", *ROWS], ("subject#", "x", "n"), 12),
        (["#id,x,n", *ROWS], ("#id", "x", "n"), 12),
        (["colour,x,n", *(f"#ff00{i:02},{i},3" for i in range(9))], ("colour", "x", "n"), 9),
        ([HEAD, *ROWS, "Total,1.5,7"], ("town", "x", "n"), 13),  # its numbers are no sums
        ([HEAD, "Total,1.5,7", *ROWS], ("town", "x", "n"), 13),
        (["town,unit,n", "Ghent,kg,1", *(f"t{i},kg,{i}" for i in range(9))], ("town", "unit", "n"), 10),
        (["a,b", *(f"{i},{i}" for i in range(9)), "3,", ","], ("a", "b"), 11),
        (["##v=1", "##w=2", "#CHROM\tPOS", *(f"c\t{i}" for i in range(9))], ("#CHROM", "POS"), 9),
        (["# a,b", *(f"{i}.5,{i}" for i in range(9))], ("a", "b"), 9),
        (["# a b", *(f"{i}.5 {i}" for i in range(9))], ("a", "b"), 9),
    ],
)
def test_what_could_be_a_row_or_a_name_stays(tmp_path: Path, lines: list[str], names: Any, n_rows: int) -> None:
    table = read(tmp_path, lines)
    assert (table.names, table.n_rows) == (names, n_rows)


@pytest.mark.parametrize("last", ["t1", "Lyon and the rest", "t1,2"])
def test_a_file_that_was_cut_is_still_refused_by_line(tmp_path: Path, last: str) -> None:
    with pytest.raises(DataError, match="line 17: "):
        read(tmp_path, ["Sales", "# c", "", HEAD, *ROWS, last])


def test_every_guess_can_be_overruled(tmp_path: Path) -> None:
    total = [HEAD, *ROWS, f"Total,{X},{N}"]
    assert read(tmp_path, total, trim=False).n_rows == 13
    doubtful = [HEAD, *ROWS, "Total,1.5,7"]
    assert any("--trim" in note for note in read(tmp_path, doubtful).report.notes)
    assert is_whole(read(tmp_path, doubtful, trim=True))
    assert read(tmp_path, ["# a,b,c", *ROWS], comment="none").names == ("# a", "b", "c")
    percent = ["% hello, you", HEAD, *ROWS[:3], "% a pause", *ROWS[3:]]
    assert is_whole(read(tmp_path, percent, comment="%"))
    assert is_whole(read(tmp_path, ["a,b,c", "1,2,3", HEAD, *ROWS], header_row=3))
    with pytest.raises(DataError, match=r"header_row is 99, but .* has 13 lines"):
        read(tmp_path, [HEAD, *ROWS], header_row=99)
    with pytest.raises(SettingError, match=r"header_row must be a line number, counted from 1"):
        read(tmp_path, [HEAD, *ROWS], header_row=0)


def test_a_hash_within_a_quoted_field_is_no_comment(tmp_path: Path) -> None:
    table = read(tmp_path, ["# one, two, three, four", "name,x", '"a', '# b",1', "c,2", "d,3"])
    assert table.column("name").to_pylist() == ["a\n# b", "c", "d"]


def test_a_comment_far_down_is_found(tmp_path: Path) -> None:
    lines = ["a,b", *["12345,23456"] * 200_000, "# the end of the file, 200,000 rows"]
    assert read(tmp_path, lines).n_rows == 200_000


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize(("first", "separator"), [("sep=;", ";"), ("SEP=;", ";"), ("sep=\t", "\t"), ('"sep=|"', "|")])
def test_the_line_sep_says_the_separator(tmp_path: Path, mark: str, first: str, separator: str) -> None:
    lines = [mark + first, *(line.replace(",", separator) for line in (HEAD, *ROWS))]
    table = read(tmp_path, "\r\n".join(lines).encode())
    assert (table.names, table.report.separator) == (("town", "x", "n"), separator)
    assert is_whole(table)


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("a, rate, town", '{}, 0.3, "Ghent, X"'),
        ("a,rate,town", '{}, 0.3, "Ghent, X"'),
        ('"a", "rate", "town"', '{},0.3,"Ghent, X"'),
        ("a;rate;town", '{}; 0.3; "Ghent, X"'),
        ("a, rate, town", '{},0.3, "Ghent, X"'),
    ],
)
def test_a_space_before_a_quoted_field_moves_no_name(tmp_path: Path, head: str, row: str) -> None:
    table = read(tmp_path, [head, *(row.format(i) for i in range(9))])
    assert table.names == ("a", "rate", "town")
    assert table.column("town").to_pylist() == ["Ghent, X"] * 9
    assert table.column("a").to_pylist() == list(range(9))


def test_names_that_are_given(tmp_path: Path) -> None:
    assert read(tmp_path, ROWS, names="town,x,n").names == ("town", "x", "n")
    assert read(tmp_path, ROWS, names=["town", "x", "n"]).n_rows == 12
    listed = tmp_path / "names.txt"
    listed.write_text("town\nx\nn, in all\n", encoding="utf-8")
    assert read(tmp_path, ROWS, names=str(listed)).names == ("town", "x", "n, in all")
    assert read(tmp_path, [HEAD, *ROWS], names="town,x,n").n_rows == 12  # the header, seen
    assert read(tmp_path, [HEAD, *ROWS], names="a,b,c", header=True).names == ("a", "b", "c")
    noted = read(tmp_path, [HEAD, *ROWS], names="a,b,c")
    assert noted.n_rows == 13
    assert any("--header" in note for note in noted.report.notes)
    with pytest.raises(DataError, match=r"names gives 2 names \('a', 'b'\), but the rows of .* have 3 fields"):
        read(tmp_path, ROWS, names="a,b")
    with pytest.raises(SettingError, match="'a' occurs twice"):
        read(tmp_path, ROWS, names="a,b,a")
    with pytest.raises(SettingError, match=r"no file of names 'gone.txt'"):
        read(tmp_path, ROWS, names="gone.txt")
