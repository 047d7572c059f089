"""A lesson on paper: one file that loads nothing, with room for answers; and never over a file of somebody's."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pellucid.errors import SettingError, StorageError
from pellucid.lessons import ask, read
from pellucid.lessons.interview import interview
from pellucid.lessons.path import PATH
from pellucid.lessons.sheet import check_sheet, sheet, write_sheet
from tests.reports.pages import check

BUILT = list(PATH)


@pytest.mark.parametrize("name", BUILT)
def test_a_sheet_holds_the_whole_lesson_and_loads_nothing(name: str) -> None:
    reading = read(name, seed=2, pictures=True)
    names = [picture.name for picture in reading.story.pictures]
    text = sheet(reading)
    tree = check(text)
    words = " ".join(" ".join(tree.words).split())
    assert text.count("<svg") == len(names) >= 1
    for caption in (picture.caption for picture in reading.story.pictures):
        assert " ".join(caption.split()) in words
    for question in ask(name, seed=2):
        assert words.index(question.text) < words.index(" ".join(question.why.split()))
        assert question.shown_answer() in words
    for each in interview(name):
        assert words.index(each.text) < words.index(each.answer)
        assert all(point in words for point in each.points)
    assert words.index("Answers to the questions") > words.index("As in an interview") > words.index("Questions")
    assert text.count('class="room"') == sum(not q.choices for q in reading.questions) + 5
    assert "size: A4" in text
    assert "#answers { break-before: page" in text


def test_the_same_seed_gives_the_same_sheet_and_another_one_other_numbers(tmp_path: Path) -> None:
    paths = [
        write_sheet(read("mlp", seed=seed, pictures=True), tmp_path / f"{i}.html") for i, seed in enumerate((3, 3, 4))
    ]
    first, again, other = (path.read_bytes() for path in paths)
    assert first == again != other


def test_a_reading_without_pictures_is_drawn_for_its_sheet(tmp_path: Path) -> None:
    drawn = write_sheet(read("mlp", seed=3, pictures=True), tmp_path / "drawn.html")
    assert read("mlp", seed=3).sheet(tmp_path / "sheet.html").read_bytes() == drawn.read_bytes()


def test_a_sheet_may_be_written_again_but_not_over_a_file_of_others(tmp_path: Path) -> None:
    path = tmp_path / "sheet.html"
    losses = read("losses", pictures=True)
    write_sheet(losses, path)
    write_sheet(read("losses", seed=1, pictures=True), path)
    for content in (b"", b"<p>mine</p>", b"Written by Pellucid" + 5_000 * b" "):
        path.write_bytes(content)
        with pytest.raises(SettingError, match="is there already and was not written by Pellucid: name another"):
            write_sheet(losses, path)
        assert path.read_bytes() == content
    assert [each.name for each in tmp_path.iterdir()] == ["sheet.html"]


@pytest.mark.parametrize("name", ["sheet", "sheet.pdf", "data.csv", "sheet.html.gz", ""])
def test_the_name_of_a_sheet_ends_in_html(name: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"give it a name that ends in \.html"):
        check_sheet(tmp_path / name)


def test_folders_and_what_is_missing_are_named(tmp_path: Path) -> None:
    losses = read("losses")
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(StorageError, match="it is a folder"):
        write_sheet(losses, tmp_path / "folder.html")
    with pytest.raises(StorageError, match=r"there is no folder .*missing.*; create it"):
        write_sheet(losses, tmp_path / "missing" / "sheet.html")


def test_a_full_disk_leaves_the_old_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    losses = read("losses", pictures=True)
    path = write_sheet(losses, tmp_path / "sheet.html")
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="the disk is full"):
        write_sheet(read("losses", seed=5), path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["sheet.html"]
