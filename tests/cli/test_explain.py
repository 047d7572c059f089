"""`pellucid explain` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import pellucid as package
from tests.running import pellucid


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("explain")
    package.train("iris", hidden=(8,), epochs=20, verdict=False, out=path / "run", learning_rate=0.01)
    return path


def test_a_row(folder: Path) -> None:
    shown = " ".join(pellucid("explain", "run", "--row", "77", "--out", "pictures", cwd=folder).stdout.split())
    for words in (
        "row 77 of iris", "What makes the difference", "petal width (cm) 1.7", "exact", "every coalition",
        "completeness gap", "The pictures are in pictures",
    ):  # fmt: skip
        assert words in shown, words
    assert (folder / "pictures" / "row.svg").exists()
    facts = json.loads(pellucid("explain", "run", "--row", "77", "--json", "--budget", "50", cwd=folder).stdout)
    assert not facts["shapley"]["exact"]
    assert any(column["standard_error"] > 0 for column in facts["columns"])
    given = pellucid("explain", "run", "iris", "--input", "petal length (cm)=1.4", cwd=folder).stdout
    assert "taken as missing" in given


def test_all_rows(folder: Path) -> None:
    shown = pellucid("explain", "run", "--out", "all", cwd=folder).stdout
    for words in ("Importance on 30 of the 30 test rows of iris", "log loss", "Dependence", "work together"):
        assert words in shown, words
    assert {path.name for path in (folder / "all").glob("*.png")} == {"importance.png", "dependence.png"}
    facts = json.loads(pellucid("explain", "run", "iris", "--json", cwd=folder).stdout)
    assert len(facts["importance"]) == 4
    assert facts["importance"][0]["low"] > 0


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["--class", "rose"], "class must be one of setosa"),
        (["--row", "150"], "from 0 to 149"),
        (["nosuch.csv"], "nosuch.csv"),
        (["--out", "run/model.safetensors"], "model.safetensors"),
    ],
)
def test_mistakes_end_with_code_2_and_a_sentence(folder: Path, asked: list[str], words: str) -> None:
    assert words in pellucid("explain", "run", *asked, cwd=folder, code=2).stderr
