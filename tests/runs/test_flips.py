"""A run whose augmentation is automatic says what it does, and on what evidence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pellucid.augmentation import Augmentation
from pellucid.preparation.members import prepare_run
from pellucid.preparation.prepare import Prepared
from pellucid.runs.flips import note_on_flips, with_flips
from pellucid.runs.plan import resolved
from pellucid.settings.settings import Settings
from pellucid.training.flip_probe import FlipFinding
from tests.training.test_flip_probe import corners


def decided(kinds: str, **settings: Any) -> Prepared:
    pixels, truth = corners(240, kinds)
    data = {"image": pixels, "y": np.array(kinds.split())[truth]}
    how = {"target": "y", "network": "cnn", "channels": (8,), "augment": "auto", "epochs": 60, **settings}
    made = prepare_run(data, Settings.of(how))
    return with_flips(replace(made, settings=resolved(made)))


def test_classes_that_are_mirror_images_are_not_mirrored() -> None:
    made = decided("left right")
    assert made.settings.augment == "rotate"
    assert made.train.augmentation == Augmentation(rotate=10.0)
    assert "not mirrored" in made.notes[-1]
    assert "of 'left' it knew" in made.notes[-1] or "of 'right' it knew" in made.notes[-1]
    assert "(most are taken for 'right')" in made.notes[-1] or "(most are taken for 'left')" in made.notes[-1]


def test_pictures_that_may_be_are_mirrored_also_without_validation_rows() -> None:
    for more in ({}, {"validation": 0.0}):
        made = decided("top bottom", **more)
        assert made.settings.augment == "flip,rotate"
        assert made.train.augmentation == Augmentation(flip="horizontal", rotate=10.0)
        assert "mirrored left to right in half of the cases, rotated by up to 10°: a small network" in made.notes[-1]
        assert made.validation.augmentation is None


def test_what_was_decided_is_not_asked_again() -> None:
    made = decided("top bottom")
    assert with_flips(made) is made
    again = prepare_run(
        {"image": corners(60, "top bottom")[0], "y": ["a", "b"] * 30}, replace(made.settings, target="y")
    )
    assert again.train.augmentation == made.train.augmentation


def test_auto_for_a_number_is_none() -> None:
    pixels, truth = corners(60, "top bottom")
    numbers = {"image": pixels, "y": truth + np.linspace(0, 1, 60)}
    made = prepare_run(numbers, Settings.of({"target": "y", "network": "cnn", "channels": (4,), "augment": "auto"}))
    after = with_flips(replace(made, settings=resolved(made)))
    assert (after.settings.augment, after.train.augmentation, after.notes) == ("none", None, made.notes)


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        ({"result": "unknown", "rows": 12}, "there are too few pictures to tell whether that would change"),
        (
            {"result": "unknown", "rows": 300, "right": 0.3, "mirrored": 0.29},
            "right on 0.3 of 300 other pictures and on 0.29 of the same mirrored: too little to tell",
        ),
        (
            {"result": "harmful", "rows": 300, "right": 0.8, "mirrored": 0.4},
            "right on 0.8 of 300 other pictures and on 0.4 of the same mirrored (--augment shift=2,flip mirrors them",
        ),
        (
            {"result": "harmful", "rows": 300, "right": 0.8, "mirrored": 0.4, "lost_class": 1, "lost_right": 90,
             "lost_mirrored": 3, "becomes": 0},
            "of 'b' it knew 90 pictures, and mirrored 3 (most are taken for 'd')",
        ),
    ],
)  # fmt: skip
def test_the_note_gives_the_numbers(finding: dict[str, Any], words: str) -> None:
    note = note_on_flips(FlipFinding(**finding), Augmentation(shift=2), ("d", "b"))
    assert words in note
    assert "shifted by up to 2 pixels, and not mirrored" in note
