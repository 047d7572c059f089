"""`pellucid report` and `pellucid mistakes` in the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import pellucid as package
from tests.drawings import save_classes
from tests.reports.pages import check
from tests.running import pellucid


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pages of runs")  # a folder with spaces in its name
    package.train("iris", hidden=(8,), epochs=4, verdict=False, out=path / "my run")
    save_classes(path / "drawings", 20, size=8)
    package.train(str(path / "drawings"), hidden=(8,), epochs=2, verdict=False, out=path / "images")
    return path


def test_report_writes_the_page_and_says_where(folder: Path) -> None:
    shown = pellucid("report", "my run", cwd=folder).stdout
    assert shown == "The report is in my run/report.html\n"
    text = (folder / "my run" / "report.html").read_text(encoding="utf-8")
    check(text)
    for command in ("pellucid mistakes &#x27;my run&#x27;", "pellucid lottery &#x27;my run&#x27;"):
        assert command in text  # as it can be typed


def test_report_without_rows_and_elsewhere(folder: Path) -> None:
    pellucid("report", "my run", "--no-rows", "--out", "page.html", cwd=folder)
    text = (folder / "page.html").read_text(encoding="utf-8")
    assert "not shown on this page (--no-rows)" in text
    assert "<dt>Cells</dt>" not in text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["nowhere"], "nowhere"),
        (["iris"], "iris"),
        (["my run", "--out", "no/such/folder/page.html"], "no/such/folder"),
    ],
)
def test_report_teaches(given: list[str], said: str, folder: Path) -> None:
    assert said in pellucid("report", *given, cwd=folder, code=2).stderr


def test_report_help_names_its_options(folder: Path) -> None:
    shown = pellucid("report", "--help", cwd=folder).stdout
    for option in ("--no-rows", "--out"):
        assert option in shown


def test_mistakes_of_the_rows_that_measured_the_run(folder: Path) -> None:
    shown = pellucid("mistakes", "my run", "-n", "2", cwd=folder).stdout
    assert "the 30 test rows of iris" in shown
    for words in ("1. ", "2. ", "Actual ", "predicted ", "Cells: ", "Nearest rows: ", "distance ", "Misled by: "):
        assert words in shown, words
    assert "3. " not in shown.split("Nearest")[0]
    assert "one standard deviation in one number is a distance of 1" in " ".join(shown.split())
    for row in shown.split("   Cells: ")[1:]:  # the columns that misled it come first
        cells, misled = row.split("\n")[0], row.split("Misled by: ")[1].split("\n")[0]
        assert cells.startswith(misled.split(" (")[0] + " (cm)"), row


def test_mistakes_as_json_without_reasons(folder: Path) -> None:
    found = json.loads(pellucid("mistakes", "my run", "iris", "--json", "--no-explain", cwd=folder).stdout)
    assert found["rows"] == 150
    assert len(found["mistakes"]) == min(10, found["wrong"])
    assert all(each["reasons"] == {} for each in found["mistakes"])


@pytest.mark.parametrize("ending", [".png", ".svg"])
def test_mistaken_images_as_a_picture(ending: str, folder: Path) -> None:
    shown = pellucid("mistakes", "images", "drawings", "--out", f"wrong{ending}", cwd=folder).stdout
    assert f"The picture is in wrong{ending}" in shown
    assert (folder / f"wrong{ending}").stat().st_size > 1_000


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["my run", "--out", "wrong.png"], "image model"),
        (["images", "drawings", "--out", "wrong.pdf"], "must end in .png or .svg"),
        (["nowhere"], "nowhere"),
    ],
)
def test_mistakes_teaches(given: list[str], said: str, folder: Path) -> None:
    assert said in pellucid("mistakes", *given, cwd=folder, code=2).stderr
