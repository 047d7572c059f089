"""`pellucid explain` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import pellucid as package
from tests.drawings import save_classes
from tests.running import pellucid


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("explain")
    package.train("iris", hidden=(8,), epochs=20, verdict=False, out=path / "run", learning_rate=0.01)
    return path


def test_a_row(folder: Path) -> None:
    shown = " ".join(pellucid("explain", "run", "--row", "77", "--out", "pictures", cwd=folder).stdout.split())
    for words in (
        "row 77 of iris", "What each column adds to the difference", "petal width (cm) 1.7", "exact", "all coalitions",
        "completeness gap", "The pictures are in pictures",
    ):  # fmt: skip
        assert words in shown, words
    assert (folder / "pictures" / "row.svg").exists()
    facts = json.loads(pellucid("explain", "run", "--row", "77", "--json", "--budget", "50", cwd=folder).stdout)
    assert not facts["shapley"]["exact"]
    assert all(column["half_width"] > 1.95 * column["standard_error"] > 0 for column in facts["columns"])
    shown = " ".join(pellucid("explain", "run", "--row", "77", "--budget", "50", cwd=folder).stdout.split())
    assert all(f"{column['half_width']:.2g}" in shown for column in facts["columns"])
    given = pellucid("explain", "run", "iris", "--input", "petal length (cm)=1.4", cwd=folder).stdout
    assert "taken as missing" in given


def test_all_rows(folder: Path) -> None:
    shown = pellucid("explain", "run", "--out", "all", cwd=folder).stdout
    for words in ("Importance on 30 of the 30 test rows of iris", "log loss", "Dependence", "Interactions"):
        assert words in shown, words
    assert {path.name for path in (folder / "all").glob("*.png")} == {"importance.png", "dependence.png"}
    facts = json.loads(pellucid("explain", "run", "iris", "--json", cwd=folder).stdout)
    assert len(facts["importance"]) == 4
    assert facts["importance"][0]["low"] > 0


def test_an_image(tmp_path: Path) -> None:
    images = str(save_classes(tmp_path / "drawings", 20, size=8))
    package.train(images, preset="plain", hidden=(8,), epochs=5, verdict=False, out=tmp_path / "run")
    shown = pellucid("explain", "run", "--row", "3", "--out", "pictures", cwd=tmp_path).stdout
    for words in ("What each part of the image adds", "nine parts of the image", "completeness gap", "it is across"):
        assert words in shown, words
    assert (tmp_path / "pictures" / "row.png").exists()
    facts = json.loads(pellucid("explain", "run", images, "--row", "3", "--json", cwd=tmp_path).stdout)
    assert len(facts["pixels"]) == len(facts["pixels"][0]) == 8
    assert "cannot be typed" in pellucid("explain", "run", "--input", "a=1", cwd=tmp_path, code=2).stderr
    assert "--row N" in pellucid("explain", "run", cwd=tmp_path, code=2).stderr


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["--class", "rose"], "class must be one of setosa"),
        (["--row", "150"], "from 0 to 149"),
        (["--row", "1", "--input", "a=2"], "--row and --input both name a row, got 1 and 'a=2': use only one"),
        (["nosuch.csv"], "nosuch.csv"),
        (["--out", "run/model.safetensors"], "model.safetensors"),
    ],
)
def test_mistakes_end_with_code_2_and_a_sentence(folder: Path, asked: list[str], words: str) -> None:
    assert words in pellucid("explain", "run", *asked, cwd=folder, code=2).stderr


def test_what_has_no_interval_says_why(folder: Path) -> None:
    (folder / "alike.csv").write_text(
        "sepal length (cm),sepal width (cm),petal length (cm),petal width (cm),species\n"
        + "".join(f"5.1,{3 + i / 10},{1 + i / 5},1.0,{kind}\n" for i, kind in enumerate(["setosa", "virginica"] * 8))
    )
    shown = pellucid("explain", "run", "alike.csv", cwd=folder).stdout
    assert "—" in next(line for line in shown.splitlines() if line.startswith("sepal length (cm)  "))
    assert "no interval, because" in " ".join(shown.split())
    assert "no spread" not in pellucid("explain", "run", "iris", cwd=folder).stdout
