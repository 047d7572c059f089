"""The worst mistakes of a model: which rows they are, what lies near them, and what misled it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.errors import DataError, SettingError
from pellucid.inspection.mistakes import mistakes
from pellucid.inspection.rows import rows_to_inspect
from pellucid.model.model import Model
from tests.drawings import draw, save, save_classes

QUICK: dict[str, Any] = {"hidden": (8,), "epochs": 6, "learning_rate": 0.02, "verdict": False, "preset": "plain"}


def rows(n: int = 300) -> dict[str, list[Any]]:
    """``x`` decides, ``noise`` does not, a sixth of the labels is turned round; some cells are missing."""
    rng = np.random.default_rng(2)
    x, noise = rng.normal(size=(2, n))
    label = (x > 0) ^ (rng.random(n) < 1 / 6)
    return {
        "x": x.tolist(),
        "noise": [None if k % 29 == 0 else float(value) for k, value in enumerate(noise)],
        "label": np.where(label, "yes", "no").tolist(),
        "pay": (10 * x).tolist(),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mistakes")
    pellucid.train(rows(), target="label", drop=("pay",), out=path / "classes", **{**QUICK, "epochs": 20})
    pellucid.train(rows(), target="pay", drop=("label",), out=path / "numbers", **QUICK)
    return path


def test_the_most_confident_errors_come_first(folder: Path) -> None:
    model = Model.read(folder / "classes")
    table = rows()
    p = model.predict_proba(table)
    truth = np.array([model.task.classes.index(each) for each in table["label"]])
    wrong = np.flatnonzero(p.argmax(axis=1) != truth)
    of_truth = p[np.arange(len(truth)), truth]
    expected = wrong[np.argsort(of_truth[wrong])]
    found = mistakes(folder / "classes", table, most=12)
    assert (found.n_wrong, found.n_rows) == (len(wrong), 300)
    assert [each.row for each in found.found] == expected[:12].tolist()
    for each in found.found:
        assert each.truth == table["label"][each.row] != each.prediction
        assert each.sure == pytest.approx(p[each.row].max())
        assert each.error == pytest.approx(-np.log(of_truth[each.row]))
        assert each.cells == {name: table[name][each.row] for name in ("x", "noise")}


def test_the_rows_near_it_are_the_nearest(folder: Path) -> None:
    table = rows()
    inspected = rows_to_inspect(folder / "classes", table)
    found = mistakes(folder / "classes", table, most=5, explain=False)
    for each in found.found:
        distances = np.linalg.norm(inspected.inputs.astype(float) - inspected.inputs[each.row].astype(float), axis=1)
        distances[each.row] = np.inf  # no row is near itself
        nearest = np.sort(distances)[:3]
        assert [near.distance for near in each.neighbours] == pytest.approx(nearest, abs=1e-3)
        for near in each.neighbours:
            assert distances[near.row] == pytest.approx(near.distance, abs=1e-3)
            assert near.truth == table["label"][near.row]
            assert near.prediction == found.model.predict(table)[near.row]
        assert each.reasons == ()


def test_what_misled_it_is_the_column_that_it_leans_on(folder: Path) -> None:
    found = mistakes(folder / "classes", rows(), most=6)
    for each in found.found:
        assert each.reasons[0][0] == "x"  # the label was turned round where x is clear
        assert all(value > 0 for _, value in each.reasons)
        assert [value for _, value in each.reasons] == sorted((value for _, value in each.reasons), reverse=True)


def test_numbers_are_ordered_by_how_far_off_they_are(folder: Path) -> None:
    table = rows()
    found = mistakes(folder / "numbers", table, most=4)
    errors = np.asarray(found.model.predict(table)) - np.array(table["pay"])
    assert [each.row for each in found.found] == np.argsort(-np.abs(errors))[:4].tolist()
    assert found.found[0].sure is None
    assert found.found[0].error == pytest.approx(errors[found.found[0].row], rel=1e-4)
    assert found.n_wrong == found.n_rows == 300
    # Too low an answer is the work of what pushed it down, too high a one of what pushed it up.
    for each in found.found:
        assert all(value * each.error > 0 for _, value in each.reasons)


def test_rows_whose_target_is_not_known_are_no_mistakes(folder: Path) -> None:
    table = rows()
    table["label"] = [None if k % 2 else label for k, label in enumerate(table["label"])]
    found = mistakes(folder / "classes", table, explain=False)
    assert found.n_rows == 150
    assert all(each.row % 2 == 0 for each in found.found)
    del table["label"]
    with pytest.raises(DataError, match="label"):
        mistakes(folder / "classes", table)


def test_a_table_without_mistakes(folder: Path) -> None:
    table = rows()
    table["label"] = list(Model.read(folder / "classes").predict(table))
    found = mistakes(folder / "classes", table)
    assert found.found == ()
    assert (found.n_wrong, found.n_rows) == (0, 300)
    assert found.figure() is None
    assert found.to_json()["mistakes"] == []


def test_as_json(folder: Path) -> None:
    found = mistakes(folder / "classes", rows(), most=2)
    read = json.loads(json.dumps(found.to_json()))
    assert [each["row"] for each in read["mistakes"]] == [each.row for each in found.found]
    assert set(read["mistakes"][0]) == {
        "row", "file", "cells", "truth", "prediction", "sure", "error", "neighbours", "reasons"
    }  # fmt: skip
    assert read["wrong"] == found.n_wrong


@pytest.mark.parametrize("most", [0, -1, True, 2.5])
def test_how_many_is_a_whole_number_from_1(most: Any, folder: Path) -> None:
    with pytest.raises(SettingError, match="most must be"):
        mistakes(folder / "classes", rows(), most=most)


def test_a_reconstruction_makes_none(tmp_path: Path) -> None:
    pellucid.train(rows(), task="reconstruction", drop=("label", "pay"), out=tmp_path / "run", **QUICK)
    with pytest.raises(DataError, match="reconstruction"):
        mistakes(tmp_path / "run", rows())


def test_images_are_shown_with_their_files(tmp_path: Path) -> None:
    pellucid.train(str(save_classes(tmp_path / "drawings", 30, size=8)), out=tmp_path / "run", **QUICK)
    # Bars across that are said to be crosses: all of these are wrong, or right by mistake.
    save(tmp_path / "false" / "cross", draw("across", 6, size=8, seed=9))
    found = mistakes(tmp_path / "run", str(tmp_path / "false"), most=4)
    assert found.n_rows == 6
    assert found.n_wrong >= 1
    shown = len(found.found)
    assert found.images is not None
    assert found.images.shape == (shown, 8, 8, 1)
    for each, image in zip(found.found, found.images, strict=True):
        assert each.file is not None
        assert each.file.startswith("cross")
        assert each.reasons == ()
        original = draw("across", 6, size=8, seed=9)[int(Path(each.file).stem)]
        np.testing.assert_allclose(image[..., 0] / image.max(), original / original.max(), atol=0.02)
    figure = found.figure()
    assert figure is not None
    assert figure.axes[0].get_title().startswith("cross, not ")
