"""`pellucid trace` in the terminal: what it shows, that nothing is dropped in silence, and its errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import pellucid as package
from tests.drawings import save_classes
from tests.running import pellucid


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trace")
    package.train("iris", hidden=(8,), epochs=20, verdict=False, out=path / "run", learning_rate=0.01)
    return path


def test_a_row_forwards_and_back(folder: Path) -> None:
    shown = pellucid("trace", "run", "iris", "--row", "77", "--units", "3", cwd=folder).stdout
    for words in (
        "row 77 of iris", "(6.7 − ", "Dense 4 → 8", "and 5 more units", "other]", "[bias]", "relu(",
        "species is versicolor", "∂L/∂w of", "∂L/∂a of unit", "relu′", "−ln(p of versicolor)", "p − t",
        "more parameters",
        "One step of adam at 0.01", "central differences by",
    ):  # fmt: skip
        assert words in shown, words
    everything = json.loads(pellucid("trace", "run", "--row", "77", "--json", cwd=folder).stdout)
    assert [len(layer["outputs"]) for layer in everything["layers"]] == [8, 8, 3]
    assert everything["agreement"]["gradients"] < 1e-12


def test_batch_norm_has_its_arithmetic_both_ways_and_no_bias_is_invented(folder: Path) -> None:
    package.train("iris", preset="plain", batch_norm=True, hidden=(4,), epochs=2, verdict=False, out=folder / "normed")
    shown = pellucid("trace", "normed", "iris", "--row", "7", "--units", "30", cwd=folder).stdout
    forward, back = shown.split("Backward")
    first = forward.split("0  Dense 4 → 4, no bias")[1].split("1  BatchNorm 4")[0]
    assert "[bias]" not in first
    assert "[bias]" in forward.split("3  Dense 4 → 3")[1]
    assert forward.count("u = γ · (z − μ) / √(v + ε) + β = ") == 4
    normed = back.split("1  BatchNorm 4")[1].split("0  Dense 4 → 4")[0]
    for words in ("∂L/∂γ of unit 1.", "∂L/∂β of unit 1.", "x̂ of unit 1.", "∂L/∂u · γ / √(v + ε) = "):
        assert normed.count(words) == 4, words
    everything = json.loads(pellucid("trace", "normed", "iris", "--row", "7", "--json", cwd=folder).stdout)
    dense, norm, relu, last = everything["layers"]
    assert "bias" not in dense
    assert [part["bias"] for unit in dense["units"] for part in unit["forward"]] == [None] * 4
    assert {"running_mean", "running_var", "weight", "bias"} <= set(norm)
    for unit, value in zip(norm["units"], norm["outputs"], strict=True):
        (part,) = unit["forward"]
        assert part["result"] == value
        assert set(part["values"]) == {"γ", "z", "μ", "v", "ε", "β"}
    assert [unit["forward"][0]["definition"] for unit in relu["units"]] == ["max(0, u)"] * 4
    assert [entry["parts"][-1]["result"] for entry in last["backward"]] == last["d_inputs"]
    assert everything["loss"][-1]["result"] == everything["back"]["loss"]
    assert [entry["slope"][-1]["result"] for entry in everything["outputs"]] == everything["back"]["d_logits"]


def test_a_page(folder: Path) -> None:
    said = pellucid("trace", "run", "iris", "--row", "77", "--html", "trace.html", cwd=folder).stdout
    assert said == "The trace of row 77 of iris is in trace.html\n"
    page = (folder / "trace.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert all(f'id="unit-1-{k}"' in page for k in range(1, 9))
    narrow = ("trace", "run", "--row", "77", "--html", "narrow.html", "--units", "2", "--json")
    everything = json.loads(pellucid(*narrow, cwd=folder).stdout)
    page = (folder / "narrow.html").read_text(encoding="utf-8")
    assert page.count('id="unit-1-') == 2 * 2  # the panel and its heading
    assert f"{everything['agreement']['gradients']:.1g}" in page


def test_a_reconstruction_is_traced_back_to_its_own_features(folder: Path) -> None:
    package.train("iris", task="reconstruction", hidden=(2,), epochs=1, verdict=False, out=folder / "drawn")
    shown = pellucid("trace", "drawn", "iris", "--row", "3", "--units", "2", cwd=folder).stdout
    for words in (
        "sepal length (cm), reconstructed: z = ", "reconstructed, furthest off: ", "and 2 more features",
        "each feature is its own target", "central differences by",
    ):  # fmt: skip
        assert words in shown, words


def test_an_image_is_traced(folder: Path) -> None:
    save_classes(folder / "shapes", 6)
    package.train(folder / "shapes", network="mlp", hidden=(4,), epochs=1, verdict=False, out=folder / "images")
    shown = pellucid("trace", "images", "shapes", "--row", "7", "--units", "2", cwd=folder).stdout
    for words in ("an image of 12 × 12", "[image[", "label is cross", "∂L/∂w of image["):
        assert words in shown, words
    cell = json.loads(pellucid("trace", "images", "shapes", "--json", cwd=folder).stdout)["cells"][0]
    assert len(cell["cell"]) == 12
    assert len(cell["features"]) == 144


def test_a_row_given_as_text(folder: Path) -> None:
    given = "sepal length (cm)=5.1, sepal width (cm)=3.5,petal length (cm)=1.4"
    shown = pellucid("trace", "run", "--input", given, cwd=folder).stdout
    assert "taken as missing: 'petal width (cm)'" in " ".join(shown.split())
    assert "no backward pass" in shown


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["--input", "5.1"], "--input takes column=value"),
        (["--row", "150"], "from 0 to 149, got 150"),
        (["--input", "petal=1"], "no column 'petal'"),
        (["nosuch.csv"], "nosuch.csv"),
        (["--html", "trace.png"], "ends in .html, got 'trace.png'"),
        (["--html", "nowhere/trace.html"], "does not exist"),
    ],
)
def test_mistakes_end_with_code_2_and_a_sentence(folder: Path, asked: list[str], words: str) -> None:
    done = pellucid("trace", "run", *asked, cwd=folder, code=2)
    assert words in done.stderr
    assert "Traceback" not in done.stderr
