"""Text that is read whole, told apart from tables."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from pellucid.data.prose import is_prose, read_prose
from pellucid.errors import DataError

VERSE = "Now is the winter\nof our discontent,\nmade glorious summer\nby this sun of York;\nand all the clouds\n"


def file(folder: Path, content: str | bytes, name: str = "a.txt") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        VERSE,
        "Anna\nBert\nCarla\n",  # names, one a line
        "one line without an end",
        "def f(x):\n    return x + 1\n\n\nprint(f(2), f(3))\n",
        "Ein Satz.\n\n\nNoch ein Satz, mit Komma.\n",
        "他来了。\n她走了，\n雨停了。\n",
    ],
)
def test_prose(content: str, tmp_path: Path) -> None:
    assert is_prose(file(tmp_path, content))


@pytest.mark.parametrize(
    "content",
    [
        "name,age\nAnn,31\nBob,29\n",
        'name,said\nAnn,"yes, or no"\nBob,"no"\n',
        "a\tb\nx\ty\nu\tv\n",
        "1 0.5 0.25\n2 0.1 0.9\n",
        "12\n15\n17\n",
        "name age\nann x\nbob y\ncid z\ndan w\neve v\n",
        '{"a": 1}\n{"a": 2}\n',
        "",
        "\n \n",
        b"a\0b\0",
    ],
)
def test_no_prose(content: str | bytes, tmp_path: Path) -> None:
    assert not is_prose(file(tmp_path, content))


def test_only_paths_of_texts_are_prose(tmp_path: Path) -> None:
    assert not is_prose(file(tmp_path, VERSE, "a.csv"))
    assert not is_prose(tmp_path / "missing.txt")
    assert not is_prose("-")
    assert not is_prose(None)
    assert is_prose(file(tmp_path, gzip.compress(VERSE.encode()), "a.txt.gz"))
    assert not is_prose(file(tmp_path, gzip.compress(VERSE.encode())[:20], "b.txt.gz"))


def test_lines_end_alike_and_marks_go(tmp_path: Path) -> None:
    read = read_prose(file(tmp_path, b"\xef\xbb\xbfa\r\nb\rc\n"))
    assert (read.text, read.name) == ("a\nb\nc\n", "a")
    packed = read_prose(file(tmp_path, gzip.compress("é".encode() * 9), "b.txt.gz"))
    assert (packed.text, packed.name) == ("é" * 9, "b")
    assert read_prose(file(tmp_path, "é".encode("latin-1"), "c.txt"), encoding="latin-1").text == "é"


def test_a_folder_is_one_text(tmp_path: Path) -> None:
    file(tmp_path, "second", "b.txt")
    file(tmp_path, "first\n", "a.txt")
    file(tmp_path, "x", "notes.md")
    assert is_prose(tmp_path)
    read = read_prose(tmp_path)
    assert read.text == "first\n\nsecond\n"
    assert any("in the order of their names" in note for note in read.notes)
    assert any("1 other entry" in note for note in read.notes)
    (tmp_path / "class").mkdir()
    assert not is_prose(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [("", "is empty"), (" \n\n", "only spaces"), ("a\0b c", "code 0"), (b"PAR1" + b"x" * 20, "kind parquet")],
)
def test_what_is_no_text(content: str | bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        read_prose(file(tmp_path, content))


def test_a_folder_without_texts(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no \.txt file"):
        read_prose(tmp_path)
    with pytest.raises(DataError, match="no file"):
        read_prose(tmp_path / "missing.txt")
