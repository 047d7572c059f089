"""Folders and archives of texts: which are recognised, their parts and classes, encodings, and what cannot be read."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from pellucid.data.texts.read import is_text_folder, read_texts
from pellucid.errors import DataError


def written(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


REVIEWS: dict[str, str | bytes] = {
    "good/1.txt": "a fine film",
    "good/2.TXT": "moving\nand bright",
    "bad/old/1.txt": "dull",
    "README.md": "what this is",
    ".hidden/x.png": b"no",
}


def zipped(path: Path, files: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_a_class(packed: bool, tmp_path: Path) -> None:
    source = zipped(tmp_path / "reviews.zip", REVIEWS) if packed else written(tmp_path / "reviews", REVIEWS)
    assert is_text_folder(source)
    found = read_texts(source)
    assert found.test is None
    assert found.train.arrow.to_pydict() == {
        "text": ["dull", "a fine film", "moving\nand bright"],
        "label": ["bad", "good", "good"],
        "file": ["bad/old/1.txt", "good/1.txt", "good/2.TXT"],
    }
    assert found.train.report.format == ("zip of texts" if packed else "folder of texts")
    assert found.train.report.notes == ("1 file that is no text was left out (first: 'README.md')",)


def test_parts_and_a_folder_around_them(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "all/train/good/1.txt": "one", "all/train/bad/2.txt": "two", "all/test/bad/3.txt": "three",
        "all/train/unsorted.txt": "four",
    }  # fmt: skip
    found = read_texts(written(tmp_path, files))
    assert found.train.column("label").to_pylist() == ["bad", "good"]
    assert found.test is not None
    assert found.test.column("text").to_pylist() == ["three"]
    assert "outside the class folders was left out (first: 'all/train/unsorted.txt')" in found.train.report.notes[0]
    strange = written(tmp_path / "more", {"train/good/1.txt": "a", "test/goood/1.txt": "b"})
    with pytest.raises(DataError, match=r"the class 'goood', which is not in the training part.*did you mean 'good'"):
        read_texts(strange)


def test_train_is_a_class_where_it_is_no_part(tmp_path: Path) -> None:
    """Texts about trains and about ships."""
    found = read_texts(written(tmp_path, {"train/1.txt": "a", "ship/1.txt": "b"}))
    assert found.train.column("label").to_pylist() == ["ship", "train"]


@pytest.mark.parametrize(
    "files",
    [
        {"1.txt": "alone"},
        {"good/1.txt": "a", "good/table.csv": "x,y\n1,2"},
        {"good/1.txt": "a", "photo.png": "b"},
        {"good/1.csv": "a"},
        {},
    ],
)
def test_what_is_no_folder_of_texts(files: dict[str, str | bytes], tmp_path: Path) -> None:
    tmp_path.joinpath("x").mkdir()
    assert not is_text_folder(written(tmp_path / "x", files))
    assert not is_text_folder(zipped(tmp_path / "x.zip", files))
    (tmp_path / "damaged.zip").write_bytes(b"PK\3\4 no")
    assert not is_text_folder(tmp_path / "damaged.zip")
    assert not is_text_folder(tmp_path / "missing")
    assert not is_text_folder(3)


def test_encodings(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "a/1.txt": "über".encode("cp1252"), "a/2.txt": "\ufeffüber".encode(), "b/1.txt": "über".encode("utf-16"),
        "b/2.txt": "plain", "b/3.txt": "",
    }  # fmt: skip
    found = read_texts(written(tmp_path, files)).train
    assert found.column("text").to_pylist() == ["über", "über", "über", "plain", ""]
    assert any("1 of the 5 texts is no UTF-8 and was read as cp1252" in note for note in found.report.notes)
    latin = written(tmp_path / "latin", {"a/1.txt": "ü".encode("latin-1"), "b/1.txt": "ß".encode("latin-1")})
    again = read_texts(latin, encoding="latin-1").train
    assert again.column("text").to_pylist() == ["ü", "ß"]
    assert again.report.notes == ()


def test_all_that_cannot_be_read_is_named_at_once(tmp_path: Path) -> None:
    files = {**REVIEWS, "good/3.txt": b"\0\1\2\0", "bad/2.txt": b"a\0b"}
    folder = written(tmp_path, files)
    with pytest.raises(DataError, match=r"2 of the 5 texts of .* cannot be read") as error:
        read_texts(folder)
    assert all(name in str(error.value) for name in ("good/3.txt", "bad/2.txt", "--skip-unreadable"))
    found = read_texts(folder, skip_unreadable=True).train
    assert found.n_rows == 3
    assert any("2 of the 5 texts cannot be read and were left out" in note for note in found.report.notes)
    for name in ("1.txt", "2.TXT"):
        (folder / "good" / name).write_bytes(b"\0")
    (folder / "bad/old/1.txt").write_bytes(b"\0")
    with pytest.raises(DataError, match="5 of the 5"):
        read_texts(folder, skip_unreadable=True)


def test_an_archive_that_unpacks_to_too_much(tmp_path: Path) -> None:
    bomb = zipped(tmp_path / "bomb.zip", {"a/1.txt": "x" * 3_000_000, "b/1.txt": "y"})
    with pytest.raises(DataError, match=r"max.unpacked"):
        read_texts(bomb, max_unpacked=1)


def test_texts_without_classes_are_for_predictions(tmp_path: Path) -> None:
    folder = written(tmp_path, {"1.txt": "one", "2.txt": "two"})
    with pytest.raises(
        DataError, match="holds 2 texts, but no folders of them; training needs a folder for each class"
    ):
        read_texts(folder)
    found = read_texts(folder, expect_labels=False).train
    assert found.arrow.to_pydict() == {"text": ["one", "two"], "file": ["1.txt", "2.txt"]}
    with pytest.raises(DataError, match=r"holds no text, which ends in .txt"):
        read_texts(written(tmp_path / "none", {"a/1.csv": "x"}))
