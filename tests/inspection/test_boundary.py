"""Slices of trained networks: the answers are the model's own, the rest is held where it is said, errors teach."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.data.builtin import load_builtin
from pellucid.data.tables import read_table
from pellucid.errors import DataError, SettingError
from pellucid.inspection.boundary import boundary, boundary_of
from pellucid.inspection.film import film_of
from pellucid.model.model import Model
from pellucid.runs.replay import replay

QUICK: dict[str, Any] = {"hidden": (8,), "epochs": 6, "learning_rate": 0.02, "verdict": False, "preset": "plain"}


@pytest.fixture(scope="module")
def iris(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("boundary") / "iris"
    pellucid.train("iris", out=path, **QUICK)
    return path


def mixed_rows(n: int = 240) -> dict[str, Any]:
    """A number, a category, a truth value, a date and a target that follows the first two."""
    rng = np.random.default_rng(4)
    age = rng.uniform(18, 80, n)
    job = rng.choice(["nurse", "cook", "clerk"], n)
    days = np.datetime64("2024-01-01") + rng.integers(0, 30, n)
    pay = 1000 + 20 * age + 500 * (job == "cook")
    return {
        "age": [None if k % 17 == 0 else float(a) for k, a in enumerate(age)],
        "job": job.tolist(),
        "member": rng.choice(["yes", "no"], n).tolist(),
        "joined": [str(day) for day in days],
        "pay": (pay + rng.normal(0, 20, n)).tolist(),
    }


@pytest.fixture(scope="module")
def mixed() -> tuple[Model, Any]:
    rows = mixed_rows()
    return pellucid.train(rows, "pay", **QUICK).model, read_table(rows)


def asked(model: Model, found: Any, i: int, j: int) -> list[dict[str, object]]:
    """The row that a place of the picture stands for."""
    held = {each.column: each.cell for each in found.held}
    return [{**held, found.x.column: found.x.cells[i], found.y.column: found.y.cells[j]}]


@pytest.mark.parametrize("networks", [1, 3])
def test_two_columns_are_answered_as_the_model_answers_them(networks: int) -> None:
    model = pellucid.train("circles", n_networks=networks, ensemble="seeds", **QUICK).model
    found = boundary_of(model, load_builtin("circles")[0], x="Feature 2", y="Feature 1", places=23)
    assert found.held == ()
    grid = np.meshgrid(found.x.places, found.y.places)
    theirs = model.predict_proba({"Feature 2": grid[0].ravel(), "Feature 1": grid[1].ravel()})
    np.testing.assert_allclose(found.answers.reshape(-1, 2), theirs, atol=1e-6)
    decided = model.predict({"Feature 2": grid[0].ravel(), "Feature 1": grid[1].ravel()})
    np.testing.assert_array_equal(np.array(model.task.classes)[found.decided().ravel()], decided)


@pytest.mark.filterwarnings("ignore::pellucid.DataWarning")
@pytest.mark.parametrize(("x", "y"), [("age", "job"), ("member", "joined"), ("job", "member"), ("joined", "age")])
def test_every_kind_of_axis_is_answered_as_single_rows_are(mixed: tuple[Model, Any], x: str, y: str) -> None:
    model, table = mixed
    found = boundary_of(model, table, x=x, y=y, places=12)
    assert found.answers.shape == (len(found.y.cells), len(found.x.cells))
    for i in range(len(found.x.cells)):
        for j in range(len(found.y.cells)):
            assert found.answers[j, i] == pytest.approx(model.predict(asked(model, found, i, j))[0], rel=1e-5)


def test_what_is_held_is_what_is_said(mixed: tuple[Model, Any]) -> None:
    model, table = mixed
    typical = boundary_of(model, table, x="job", y="member", places=5, real=False)
    held = {each.column: each for each in typical.held}
    ages = np.array([age for age in mixed_rows()["age"] if age is not None])
    assert held["age"].cell == pytest.approx(np.median(ages))
    assert held["age"].how == "median"
    assert typical.mark is None
    through = boundary_of(model, table, x="job", y="member", places=5)
    (how,) = {each.how for each in through.held}
    row = int(how.removeprefix("row ").partition(",")[0].replace(",", ""))
    assert how.endswith(", a typical row")
    for each in through.held:  # a row that exists
        cell = table.column(each.column)[row].as_py()
        assert each.cell == cell
    assert through.mark == (through.x.rows[row], through.y.rows[row])
    of_row = boundary_of(model, table, x="job", y="member", row=17, places=5)
    assert {each.column: each.cell for each in of_row.held}["age"] is None  # a missing cell stays one
    assert {each.how for each in of_row.held} == {"row 17"}
    assert of_row.mark is not None
    assert of_row.mark == (of_row.x.rows[17], of_row.y.rows[17])
    given = boundary_of(model, table, x="job", y="member", row=17, inputs={"age": 30}, places=5)
    assert {each.column: (each.cell, each.how) for each in given.held}["age"] == (30, "given")
    assert not np.allclose(given.answers, of_row.answers)
    marked = boundary_of(model, table, x="age", y="job", row=17, inputs={"age": "$1,030", "job": "cook"}, places=5)
    assert marked.mark == (1030.0, float(marked.y.bands.index("cook")))
    assert "not held because they vary: 'age', 'job'" in marked.notes[0]
    assert boundary_of(model, table, x="age", y="job", inputs={"age": None, "job": "cook"}, places=5).mark is None


def test_a_category_that_is_held_is_the_most_frequent(mixed: tuple[Model, Any]) -> None:
    model, table = mixed
    jobs = mixed_rows()["job"]
    (job,) = (h for h in boundary_of(model, table, x="age", y="joined", places=5).held if h.column == "job")
    assert job.cell == max(set(jobs), key=jobs.count)


def test_columns_that_matter_are_chosen(mixed: tuple[Model, Any]) -> None:
    model, table = mixed
    found = boundary_of(model, table, places=5)
    assert {found.x.column, found.y.column} == {"age", "job"}
    assert any("columns chosen, of 4: " in note for note in found.notes)
    one = boundary_of(model, table, y="member", places=5)
    assert one.y.column == "member"
    assert one.x.column in ("age", "job")


def test_a_class_of_several_and_one_of_two(iris: Path) -> None:
    found = boundary(iris, x="petal length (cm)", y="petal width (cm)", label="setosa")
    assert found.label == 0
    assert "probability of “setosa”" in found.title
    several = boundary(iris, x="petal length (cm)", y="petal width (cm)")
    assert several.label is None
    np.testing.assert_array_equal(several.answers, found.answers)
    assert boundary_of(pellucid.train("circles", **QUICK).model, load_builtin("circles")[0]).label == 1


def test_a_stored_threshold_moves_the_decision() -> None:
    model = pellucid.train("circles", **QUICK).model
    table = load_builtin("circles")[0]
    before = boundary_of(model, table, places=40)
    model.facts["schema"]["estimator"] = {"threshold": 0.9}  # type: ignore[index]
    after = boundary_of(model, table, places=40)
    assert after.threshold == 0.9
    assert 0 < (after.decided() == 1).sum() < (before.decided() == 1).sum()


def test_other_rows_without_a_target_are_drawn(iris: Path) -> None:
    rows = {name: load_builtin("iris")[0].column(name).to_pylist()[:40] for name in load_builtin("iris")[0].names[:4]}
    found = boundary(iris, rows)
    assert found.truth is None
    assert len(found.x.rows) == 40
    assert found.figure().axes


def test_json_is_whole_and_plain(mixed: tuple[Model, Any]) -> None:
    found = boundary_of(mixed[0], mixed[1], x="joined", y="job", places=10)
    facts = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert np.array(facts["answers"]["numbers"]) == pytest.approx(found.answers, rel=1e-5)
    assert facts["x"]["kind"] == "date"
    assert facts["y"]["cells"] == list(found.y.bands)


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"x": "petal lenght (cm)"}, DataError, "did you mean 'petal length"),
        ({"x": "petal width (cm)", "y": "petal width (cm)"}, SettingError, "must be different columns"),
        ({"row": 150}, DataError, "from 0 to 149, got 150"),
        ({"row": -1}, DataError, "from 0 to 149, got -1"),
        ({"label": "setsa"}, SettingError, "did you mean 'setosa'"),
        ({"inputs": {"petals": 1}}, DataError, "no column 'petals'"),
        (
            {"inputs": {"sepal width (cm)": "wide"}, "x": "petal length (cm)", "y": "petal width (cm)"},
            DataError,
            "'wide'",
        ),
    ],
)
def test_mistakes_are_said(iris: Path, settings: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words.replace("(", r"\(")):
        boundary(iris, **settings)


def test_what_has_no_slice_says_so(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (40, 4, 4), dtype=np.uint8)
    of_images = pellucid.train({"image": images, "label": np.arange(40) % 2}, "label", out=tmp_path / "images", **QUICK)
    with pytest.raises(SettingError, match="this model reads images"):
        boundary_of(of_images.model, read_table({"a": [1]}), x="image", y="image[0,0]")
    drawn = pellucid.train("iris", task="reconstruction", **QUICK).model
    with pytest.raises(SettingError, match="reconstruction"):
        boundary_of(drawn, load_builtin("iris")[0])
    single = pellucid.train({"a": np.random.default_rng(0).normal(size=40), "y": [0, 1] * 20}, "y", **QUICK).model
    with pytest.raises(SettingError, match="needs two columns that can vary, and the model has 1"):
        boundary_of(single, read_table({"a": [0.5, 1.5, 2.5]}))
    with pytest.raises(SettingError, match="is a number, so it has no class"):
        boundary_of(pellucid.train("diabetes", **QUICK).model, load_builtin("diabetes")[0], label="x")
    iris = pellucid.train("iris", **QUICK)
    iris.save(tmp_path / "iris.safetensors")
    with pytest.raises(SettingError, match="names no table: give rows"):
        boundary(tmp_path / "iris.safetensors")


def test_an_image_beside_columns_is_held_at_a_row() -> None:
    rng = np.random.default_rng(0)
    rows = {
        "image": rng.integers(0, 256, (60, 3, 3), dtype=np.uint8),
        "a": rng.normal(size=60),
        "b": rng.normal(size=60),
    }
    model = pellucid.train({**rows, "y": np.arange(60) % 2}, "y", **QUICK).model
    table = model.table(rows)
    with pytest.raises(DataError, match="holds images, and there is no typical one"):
        boundary_of(model, table, x="a", y="b")
    with pytest.raises(DataError, match="which cannot vary along an axis"):
        boundary_of(model, table, x="a", y="image", row=3)
    found = boundary_of(model, table, row=3, places=7)
    assert {found.x.column, found.y.column} == {"a", "b"}
    place = {"image": rows["image"][3:4], "a": np.array([found.x.cells[2]]), "b": np.array([found.y.cells[5]])}
    if found.x.column == "b":
        place = {**place, "b": np.array([found.x.cells[2]]), "a": np.array([found.y.cells[5]])}
    assert found.answers[5, 2] == pytest.approx(model.predict_proba(place)[0], abs=1e-6)


@pytest.mark.parametrize("ending", ["gif", "png"])
def test_a_film_shows_every_epoch_and_ends_with_the_last(iris: Path, tmp_path: Path, ending: str) -> None:
    from PIL import Image

    base = boundary(iris, x="petal length (cm)", y="petal width (cm)")
    film = film_of(base, Model.read(iris), replay(iris))
    assert len(film.slices) == 7
    best = film.replay.best_epoch
    np.testing.assert_array_equal(film.slices[best].answers, base.answers)
    assert not np.allclose(film.slices[0].answers, base.answers)
    film.save(tmp_path / f"film.{ending}")
    with Image.open(tmp_path / f"film.{ending}") as shown:
        assert shown.n_frames == 7  # type: ignore[attr-defined]
        assert shown.format == ending.upper()
    with pytest.raises(SettingError, match=r"must end in .gif or .png"):
        film.save(tmp_path / "film.mp4")


def test_pictures_are_written_as_asked(iris: Path, tmp_path: Path) -> None:
    found = boundary(iris)
    assert found.save(tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
    assert b"<svg" in found.save(tmp_path / "a.svg").read_bytes()
    with pytest.raises(SettingError, match=r"must end in .png or .svg"):
        found.save(tmp_path / "a.jpg")


def test_names_are_drawn_as_they_are(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    rows = {
        "$x_1$": rng.normal(size=120).tolist(),
        "<script>alert(1)</script>": rng.normal(size=120).tolist(),
        "_kind": rng.choice(["$a$", "_b", "<c>"], 120).tolist(),
    }
    label = [("_yes$" if a > 0 else "$no$") for a in rows["$x_1$"]]
    model = pellucid.train({**rows, "$y$": label}, "$y$", **QUICK).model
    table = read_table({**rows, "$y$": label})
    drawn: Callable[..., bytes] = lambda **s: boundary_of(model, table, **s).save(tmp_path / "a.svg").read_bytes()  # noqa: E731
    first = drawn(x="$x_1$", y="<script>alert(1)</script>").decode()
    assert "$x_1$" in first
    assert "&lt;script&gt;alert(1)" in first
    assert "<script>" not in first
    assert "$no$" in first
    second = drawn(x="_kind", y="$x_1$").decode()
    assert all(name in second for name in ("$a$", "_b", "&lt;c&gt;", "_kind", "_yes$"))
