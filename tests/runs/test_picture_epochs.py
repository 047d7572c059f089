"""Pictures whose class similar pictures do not tell are shown more often, where the settings leave it open."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid.preparation.members import prepare_run
from pellucid.preparation.prepare import Prepared
from pellucid.runs import picture_epochs
from pellucid.runs.decided import decided
from pellucid.runs.picture_epochs import nearest_right, with_picture_epochs
from pellucid.settings.settings import Settings
from tests.training.test_flip_probe import corners


@pytest.fixture(autouse=True)
def six_or_sixteen(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for 51,000 pictures."""
    monkeypatch.setattr(picture_epochs, "picture_epochs", lambda n, batch, *, hard: 16 if hard else 6)


def prepared(*, shuffled: bool = False, numbers: bool = False, **settings: Any) -> Prepared:
    pixels, truth = corners(300, "top bottom")
    truth = np.random.default_rng(3).permutation(truth) if shuffled else truth
    data = {"image": pixels, "y": truth * 1.5 + np.linspace(0, 1, 300) if numbers else np.array(["a", "b"])[truth]}
    how = {"target": "y", "network": "cnn", "channels": (4,), "augment": "none", "epochs": None, **settings}
    return prepare_run(data, Settings.of({k: v for k, v in how.items() if v is not None} | {"preset": "pictures"}))


@pytest.mark.parametrize("augment", ["none", "shift"])
def test_pictures_that_similar_ones_do_not_tell_are_shown_more_often(augment: str) -> None:
    found = with_picture_epochs(prepared(shuffled=True, augment=augment))
    assert found.settings.epochs == 16
    assert found.notes[-1].startswith("each picture is shown 16 times, in place of 6: the most similar training")
    assert "(--epochs 6 is faster)" in found.notes[-1]


def test_what_similar_pictures_tell_is_left_to_the_rule() -> None:
    made = prepared()
    assert with_picture_epochs(made) is made
    assert made.settings.epochs is None


@pytest.mark.parametrize("more", [{"epochs": 3}, {"network": "mlp", "channels": None}, {"numbers": True}])
def test_what_is_given_or_no_matter_of_classes_stays(more: dict[str, Any]) -> None:
    made = prepared(shuffled=not more.get("numbers", False), **more)
    assert with_picture_epochs(made) is made


def test_a_run_is_trained_for_as_long_as_was_decided() -> None:
    assert decided(prepared(shuffled=True)).settings.epochs == 16


def test_every_tenth_picture_is_asked_about_among_the_others() -> None:
    generator = np.random.default_rng(4)
    pictures, truth = generator.integers(0, 9, (73, 2, 2, 1)).astype(np.uint8), generator.integers(0, 3, 73)
    right = []
    for k in range(0, 73, 10):
        others = [i for i in range(73) if i % 10]
        far = [np.square(pictures[k].astype(float) - pictures[i]).sum() for i in others]
        right.append(truth[others[int(np.argmin(far))]] == truth[k])
    assert nearest_right(pictures, truth) == pytest.approx(np.mean(right))
