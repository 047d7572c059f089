"""Which images measure: test parts, test data of their own, and equal images, which must not be on both sides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.errors import DataError
from pellucid.preparation.prepare import prepare
from tests.drawings import SHAPES, draw, drawings, save, save_classes

QUICK: dict[str, Any] = {"hidden": (16,), "epochs": 30, "learning_rate": 0.01}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 PNG files in three folders."""
    return save_classes(tmp_path_factory.mktemp("images") / "shapes")


# Test parts ---------------------------------------------------------------------------------------------------


def test_a_test_part_of_the_source_measures(tmp_path: Path) -> None:
    save_classes(tmp_path / "set" / "train", 20)
    save_classes(tmp_path / "set" / "test", 6, seed=3)
    run = pellucid.train(tmp_path / "set", out=tmp_path / "run", **QUICK)
    assert run.summary["measured_on"] == "test"
    assert run.summary["rows"] == {"train": 51, "validation": 9, "test": 18}
    assert "the test rows are the source's own test part" in (tmp_path / "run" / "log.txt").read_text()
    assert run.metrics["accuracy"].value > 0.8
    assert run.evaluate(tmp_path / "set")["accuracy"].value == run.metrics["accuracy"].value
    table = run.model.table(tmp_path / "set")
    assert table.n_rows == 18
    assert any("the 18 test images are used" in note for note in table.report.notes)


def test_test_data_goes_before_the_sources_own_part(tmp_path: Path) -> None:
    save_classes(tmp_path / "set" / "train", 20)
    save_classes(tmp_path / "set" / "test", 6, seed=3)
    other = save_classes(tmp_path / "other", 5, seed=4, size=16)
    run = pellucid.train(tmp_path / "set", test_data=other, hidden=(4,), epochs=1, out=tmp_path / "run")
    assert run.summary["rows"]["test"] == 15
    assert f"test_data: {other}" in (tmp_path / "run" / "config.yaml").read_text()


def test_images_that_are_also_test_images_are_not_learned_from(tmp_path: Path) -> None:
    save_classes(tmp_path / "set" / "train", 20)
    save_classes(tmp_path / "set" / "test", 4, seed=3)
    save(tmp_path / "set" / "test" / "down", draw("down", 20)[:7], start=50)
    run = pellucid.train(tmp_path / "set", hidden=(4,), epochs=1, out=tmp_path / "run")
    assert sum(run.summary["rows"][part] for part in ("train", "validation")) == 60 - 7
    assert "7 rows are also among the test rows" in (tmp_path / "run" / "log.txt").read_text()


@pytest.mark.parametrize("as_text", [False, True])
def test_test_images_are_known_in_a_folder_though_the_labels_are_numbers(tmp_path: Path, *, as_text: bool) -> None:
    """A folder's labels are text, ``"1"`` where the array to learn from says 1."""
    images, names = drawings(20)
    numbers = np.array([SHAPES.index(name) for name in names])
    for k in range(3):
        save(tmp_path / "test" / str(k), images[numbers == k][:5])
    data = {"image": images, "label": numbers.astype(str) if as_text else numbers}
    prepared = prepare(data, pellucid.Settings(), test_data=tmp_path / "test")
    learned = np.concatenate([prepared.split.train, prepared.split.validation])
    assert not set(learned) & {20 * k + i for k in range(3) for i in range(5)}
    assert len(learned) == 45
    assert "15 rows are also among the test rows and were left out of training" in prepared.notes


def test_a_class_that_is_lost_to_the_test_rows_is_said() -> None:
    images, names = drawings(20)
    cross = np.array(names) == "cross"
    data = {"image": images, "label": names}
    prepared = prepare(data, pellucid.Settings(), test_data={"image": images[cross], "label": ["cross"] * 20})
    assert any("no training row has the class 'cross': it cannot be learned" in note for note in prepared.notes)
    prepared = prepare(data, pellucid.Settings(), test_data={"image": images[cross][:5], "label": ["cross"] * 5})
    assert not any("cannot be learned" in note for note in prepared.notes)


def test_images_of_another_name_are_matched(folder: Path) -> None:
    """A column of images that has no other to be mistaken for."""
    images, names = drawings(20, seed=7)
    data = {"pixels": images, "label": names}
    prepared = prepare(data, pellucid.Settings(), test_data=folder)
    assert len(prepared.measured.rows) == 120
    assert len(prepared.split.train) + len(prepared.split.validation) == 60
    prepared = prepare(data, pellucid.Settings(), test_data={"scan": images[:3], "label": names[:3]})
    assert len(prepared.split.train) + len(prepared.split.validation) == 57
    model = pellucid.train(data, hidden=(4,), epochs=1).model
    for given in ({"pixels": images}, {"scan": images}, {"scan": images, "label": names}, images):
        np.testing.assert_array_equal(model.predict_proba(given), model.predict_proba(data))
    with pytest.raises(DataError, match="column 'pixels' is missing"):
        model.predict({"left": images, "right": images})


def test_test_data_without_a_column_to_learn_from_names_it() -> None:
    """And does not compare the labels alone."""
    images, names = drawings(20)
    data = {"image": images, "size": np.arange(60) % 7 + 0.5, "label": names}
    with pytest.raises(DataError, match="the test data images in memory lack the column 'size' of the training data"):
        prepare(data, pellucid.Settings(), test_data={"image": images[:9], "label": names[:9]})
    two = {"left": images, "right": images[::-1].copy(), "label": names}
    with pytest.raises(DataError, match="lack the columns 'left', 'right' of the training data"):
        prepare(two, pellucid.Settings(), test_data={"image": images[:9], "label": names[:9]})


def test_a_table_is_compared_with_test_rows_by_class_not_by_spelling(people: Any) -> None:
    data = {**people, "buys": [int(cell == "yes") for cell in people["buys"]]}
    test = {name: column[:30] for name, column in data.items()}
    text = {**test, "buys": [str(cell) for cell in test["buys"]]}
    for given in (test, text):
        prepared = prepare(data, pellucid.Settings(target="buys", drop=("spends",)), test_data=given)
        assert len(prepared.split.train) + len(prepared.split.validation) == 270


def test_a_table_cannot_be_tested_on_images(folder: Path, people: Any) -> None:
    with pytest.raises(DataError, match="are images, but the training table"):
        pellucid.train(people, "buys", test_data=folder)
    with pytest.raises(DataError, match="hold no images"):
        pellucid.train(folder, test_data=people)


# Equal images -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_equal_images_stay_together_whatever_their_labels(seed: int) -> None:
    images, names = drawings(20)
    twice = {"image": np.concatenate([images, images]), "label": names + names[7:] + names[:7]}
    prepared = prepare(twice, pellucid.Settings(seed=seed))
    split = prepared.split
    parts = [{int(row) % 60 for row in part} for part in (split.train, split.validation, split.test)]
    assert all(parts)
    assert sum(map(len, parts)) == 60
    n = 2 * sum(a != b for a, b in zip(names, names[7:] + names[:7], strict=True))
    assert any(f"{n:,} rows hold an image that another row gives a different 'label'" in s for s in prepared.notes)


def test_equal_images_in_two_groups_are_said() -> None:
    """The groups are kept as the user wants them, but the outcome is then too good."""
    images, names = drawings(20)
    of_group = np.repeat(np.arange(12), 10)
    twice = {"image": np.concatenate([images, images]), "label": names * 2, "patient": of_group}
    prepared = prepare(twice, pellucid.Settings(group="patient"))
    split = prepared.split
    assert not set(of_group[split.train]) & set(of_group[split.test])
    held = np.concatenate([split.validation, split.test])
    n = int(np.isin(held % 60, split.train % 60).sum())
    assert n
    assert any(
        f"{n:,} of the validation and test rows hold images that are also in training" in s for s in prepared.notes
    )
    alone = prepare({**twice, "image": np.concatenate([images, 255 - images])}, pellucid.Settings(group="patient"))
    assert not any("also learned from" in s for s in alone.notes)
