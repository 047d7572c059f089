"""Rows whose label their neighbours contradict are left out of training where that is asked for, and nowhere else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.errors import SettingError
from pellucid.preparation.folds import cut_folds, prepare_fold
from pellucid.preparation.prepare import prepare
from pellucid.settings.settings import Settings

Table = dict[str, list[Any]]


def two_sides(n: int = 600, wrong: float = 0.1) -> tuple[Table, set[int]]:
    """Two classes on two sides of a gap; of some rows the label is the other one."""
    rng = np.random.default_rng(3)
    right = rng.random(n) < 0.5
    x = rng.uniform(0.3, 1, n) * np.where(right, 1, -1)
    other = rng.random(n) < wrong
    labels = ["right" if r != o else "left" for r, o in zip(right, other, strict=True)]
    table = {"x": x.tolist(), "y": rng.normal(size=n).tolist(), "side": labels}
    return table, set(np.flatnonzero(other).tolist())


def test_the_rows_with_another_label_go_and_the_test_rows_stay() -> None:
    table, wrong = two_sides()
    kept = prepare(table, Settings(target="side"))
    edited = prepare(table, Settings(target="side", edit_labels=True))
    assert edited.split.test.tolist() == kept.split.test.tolist()
    for before, after in ((kept.split.train, edited.split.train), (kept.split.validation, edited.split.validation)):
        gone = set(before.tolist()) - set(after.tolist())
        assert gone <= wrong
        assert len(gone) >= 0.95 * len(wrong & set(before.tolist()))
    assert len(edited.train.inputs) == len(edited.split.train)
    assert len(edited.validation.inputs) == len(edited.split.validation)
    assert any("training rows and" in note and "test rows keep their labels" in note for note in edited.notes)
    # What is fitted is fitted to the rows that are left.
    np.testing.assert_allclose(edited.train.inputs.mean(axis=0), 0, atol=1e-6)


def test_it_learns_what_is_right() -> None:
    table, _ = two_sides(wrong=0.2)
    given: dict[str, Any] = {"preset": "plain", "hidden": (16,), "epochs": 40, "verdict": False}
    clean = {**table, "side": ["right" if x > 0 else "left" for x in table["x"]]}
    losses = {
        edit: pellucid.train(table, "side", edit_labels=edit, **given).evaluate(clean)["log_loss"].value
        for edit in (False, True)
    }
    assert losses[True] < 0.5 * losses[False]


def test_nothing_goes_where_labels_agree() -> None:
    table, _ = two_sides(wrong=0)
    edited = prepare(table, Settings(target="side", edit_labels=True))
    assert edited.split.train.tolist() == prepare(table, Settings(target="side")).split.train.tolist()
    assert any(note.startswith("0 of ") for note in edited.notes)


def test_a_class_that_lies_among_others_is_not_lost() -> None:
    table, _ = two_sides(wrong=0)
    for i in range(0, 600, 75):
        table["side"][i] = "rare"
    edited = prepare(table, Settings(target="side", edit_labels=True))
    assert edited.target is not None
    rare = edited.target.classes.index("rare")
    assert (edited.target.at(edited.split.train) == rare).any()


def test_a_rare_class_is_not_thinned_to_nothing() -> None:
    rng = np.random.default_rng(5)
    sick = np.arange(900) % 25 == 0
    table = {"x": (rng.normal(size=900) + 2 * sick).tolist(), "is": ["sick" if s else "well" for s in sick]}
    kept, edited = (prepare(table, Settings(target="is", edit_labels=edit)) for edit in (False, True))
    assert edited.target is not None
    number = edited.target.classes.index("sick")
    before, after = (int((p.target.at(p.split.train) == number).sum()) for p in (kept, edited) if p.target is not None)
    assert after == before
    assert any("all rows of 'sick' are kept" in note for note in edited.notes)


@pytest.mark.parametrize("shares", [{"test": 0.0}, {"test": 0.0, "validation": 0.0}])
def test_without_test_rows_the_rows_that_measure_stay_as_they_are(shares: dict[str, float]) -> None:
    table, _ = two_sides(wrong=0.2)
    kept = prepare(table, Settings(target="side", **shares))  # type: ignore[arg-type]
    edited = prepare(table, Settings(target="side", edit_labels=True, **shares))  # type: ignore[arg-type]
    assert edited.measured.rows.tolist() == kept.measured.rows.tolist()
    assert edited.measured.truth.tolist() == kept.measured.truth.tolist()
    assert len(edited.measured.inputs) == len(kept.measured.inputs)
    assert len(edited.split.train) < len(kept.split.train)


def test_a_run_that_has_it_is_not_advised_to_take_it() -> None:
    table, _ = two_sides(wrong=0.2)
    given: dict[str, Any] = {"preset": "plain", "hidden": (16,), "epochs": 40, "verdict": False, "test": 0.5}
    found = {
        edit: [f.name for f in pellucid.train(table, "side", edit_labels=edit, **given).findings]
        for edit in (False, True)
    }
    assert "labels-look-wrong" in found[False]
    assert "labels-look-wrong" not in found[True]


def test_folds_are_cut_from_all_rows_and_edited_on_their_own() -> None:
    table, wrong = two_sides()
    settings = Settings(target="side", edit_labels=True)
    folds, plain = cut_folds(table, settings, folds=3), cut_folds(table, Settings(target="side"), folds=3)
    for k in range(3):
        fold, whole = prepare_fold(folds, k, settings), prepare_fold(plain, k, Settings(target="side"))
        assert fold.measured.rows.tolist() == whole.measured.rows.tolist()
        assert set(whole.split.train.tolist()) - set(fold.split.train.tolist()) <= wrong
        assert len(fold.split.train) < len(whole.split.train)


@pytest.mark.parametrize("task", ["regression", "reconstruction"])
def test_without_classes_it_is_refused(task: str) -> None:
    table = {"x": [float(i) for i in range(60)], "y": [float(i % 7) for i in range(60)]}
    target = {"target": "y"} if task == "regression" else {}
    settings = Settings(task=task, edit_labels=True, **target)
    for refuse in (prepare, cut_folds):
        with pytest.raises(SettingError, match=f"this is a {task}: leave it out"):
            refuse(table, settings)
