"""`pellucid trace` in the terminal: what it shows, that nothing is dropped in silence, and its errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import pellucid as package
from tests.running import pellucid


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trace")
    package.train("iris", hidden=(8,), epochs=20, verdict=False, out=path / "run", learning_rate=0.01)
    return path


def test_a_row_forwards_and_back(folder: Path) -> None:
    shown = pellucid("trace", "run", "iris", "--row", "77", "--units", "3", cwd=folder).stdout
    for words in (
        "row 77 of iris", "(6.7 − ", "Dense 4 → 8", "and 5 units more", "other]", "[bias]", "relu(",
        "species is versicolor", "∂L/∂w of", "∂L/∂a of unit", "relu′", "weights more",
        "One step of adam at 0.01", "central differences by",
    ):  # fmt: skip
        assert words in shown, words
    everything = json.loads(pellucid("trace", "run", "--row", "77", "--json", cwd=folder).stdout)
    assert [len(layer["outputs"]) for layer in everything["layers"]] == [8, 8, 3]
    assert everything["agreement"]["gradients"] < 1e-12


def test_a_row_given_as_text(folder: Path) -> None:
    given = "sepal length (cm)=5.1, sepal width (cm)=3.5,petal length (cm)=1.4"
    shown = pellucid("trace", "run", "--input", given, cwd=folder).stdout
    assert "taken as missing: 'petal width (cm)'" in " ".join(shown.split())
    assert "no way back" in shown


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["--input", "5.1"], "--input takes column=value"),
        (["--row", "150"], "from 0 to 149, got 150"),
        (["--input", "petal=1"], "no column 'petal'"),
        (["nosuch.csv"], "nosuch.csv"),
    ],
)
def test_mistakes_end_with_code_2_and_a_sentence(folder: Path, asked: list[str], words: str) -> None:
    done = pellucid("trace", "run", *asked, cwd=folder, code=2)
    assert words in done.stderr
    assert "Traceback" not in done.stderr
