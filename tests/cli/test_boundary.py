"""`pellucid boundary` and `pellucid units` as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import pellucid as package
from tests.running import pellucid


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pictures")
    settings = {"hidden": (8,), "epochs": 4, "verdict": False, "learning_rate": 0.02, "preset": "plain"}
    package.train("iris", out=path / "run", **settings)
    package.train("digits", out=path / "two", n_networks=2, **settings)
    return path


def test_a_picture_with_two_columns_that_matter(folder: Path) -> None:
    shown = " ".join(pellucid("boundary", "run", cwd=folder).stdout.split())
    for words in ("species: the most probable class, iris", "columns chosen, of 4:", "typical", "no rows nearby",
                  "The picture is run/boundary.png"):  # fmt: skip
        assert words in shown, words
    assert (folder / "run" / "boundary.png").read_bytes()[:4] == b"\x89PNG"


def test_a_row_held_a_class_and_a_replay(folder: Path) -> None:
    asked = ["--x", "petal width (cm)", "--y", "sepal width (cm)", "--row", "77", "--class", "virginica",
             "--input", "petal length (cm)=5.5", "--out", "slice.svg", "--replay", "film.gif"]  # fmt: skip
    shown = " ".join(pellucid("boundary", "run", *asked, cwd=folder).stdout.split())
    for words in ("probability of “virginica”", "6.7 row 77", "5.5 given", "replayed the network, 4 epochs",
                  "bit-identical", "The picture is slice.svg", "The replay is film.gif"):  # fmt: skip
        assert words in shown, words
    assert (folder / "film.gif").read_bytes()[:6] == b"GIF89a"
    assert b"<svg" in (folder / "slice.svg").read_bytes()


def test_json_alone_writes_no_picture(folder: Path) -> None:
    before = set(folder.rglob("*"))
    found = json.loads(pellucid("boundary", "run", "--json", "--x", "petal width (cm)", cwd=folder).stdout)
    assert found["x"]["column"] == "petal width (cm)"
    assert len(found["answers"]["classes"]) == len(found["y"]["cells"])
    units = json.loads(pellucid("units", "run", "--json", "--no-replay", cwd=folder).stdout)
    assert units["layers"][0]["units"] == 8
    assert set(folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["--x", "petal widht (cm)"], "did you mean 'petal width (cm)'"),
        (["--x", "petal width (cm)", "--y", "petal width (cm)"], "x and y must be different columns"),
        (["--row", "150"], "from 0 to 149, got 150"),
        (["--class", "setossa"], "did you mean 'setosa'"),
        (["--out", "a.jpg"], "must end in .png or .svg"),
        (["--replay", "a.mp4"], "must end in .gif or .png"),
        (["--input", "5.1"], "--input takes column=value"),
        (["nosuch.csv"], "nosuch.csv"),
    ],
)
def test_mistakes_end_with_code_2_and_a_sentence(folder: Path, asked: list[str], words: str) -> None:
    assert words in pellucid("boundary", "run", *asked, cwd=folder, code=2).stderr


def test_units_of_an_ensemble_with_its_replay(folder: Path) -> None:
    shown = " ".join(pellucid("units", "two", cwd=folder).stdout.split())
    for words in ("network 1 of 2 on 1,797 rows of digits", "1 relu", "of all outputs are 0", "variance",
                  "replayed network 1 of 2, 4 epochs", "in two/units"):  # fmt: skip
        assert words in shown, words
    written = {path.name for path in (folder / "two" / "units").iterdir()}
    assert {"activations.png", "representation.png", "units.json"} <= written


def test_units_need_a_run_that_is_there(folder: Path) -> None:
    assert "nosuch" in pellucid("units", "nosuch", cwd=folder, code=2).stderr
