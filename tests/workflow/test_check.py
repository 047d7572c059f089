"""`check` on the network and the pictures of a user's own run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.network import Conv2d, MaxPool2d
from pellucid.workflow import check as checking
from tests.drawings import save_classes
from tests.parity.kinds import CASES


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> pellucid.Run:
    """A convolutional network on 120 PNG files in three folders."""
    folder = save_classes(tmp_path_factory.mktemp("images") / "shapes")
    how: dict[str, Any] = {"network": "cnn", "channels": (4, 6), "batch_norm": True, "epochs": 2}
    return pellucid.train(folder, out=folder.parent / "run", **how)


def test_the_engines_agree_on_the_pictures_of_a_run(run: pellucid.Run) -> None:
    assert isinstance(run.path, Path)
    parity = pellucid.check(run.path, n_steps=3)
    assert parity.engines[:2] == ("textbook", "torch")
    assert parity.n_rows == 120
    assert any(name.startswith("0.") for name in parity.gradients)
    assert parity.agrees


def test_it_takes_other_pictures_than_the_runs(run: pellucid.Run, tmp_path: Path) -> None:
    assert isinstance(run.path, Path)
    other = save_classes(tmp_path / "others", 3)
    assert pellucid.check(run.path, other, n_steps=1).n_rows == 9


@pytest.mark.parametrize(("kind", "mistake"), [(Conv2d, "a flipped kernel"), (MaxPool2d, "the mean for the maximum")])
def test_a_mistake_in_the_textbook_is_noticed(
    run: pellucid.Run, kind: Any, mistake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(run.path, Path)
    CASES[kind].mistakes[mistake](monkeypatch)
    assert not pellucid.check(run.path, n_steps=1).agrees


def test_large_pictures_are_checked_on_fewer_rows(run: pellucid.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(run.path, Path)
    numbers = sum(int(np.prod(shape)) for shape in (run.model.network.shape, *run.model.network.shapes()))
    monkeypatch.setattr(checking, "_MAX_VALUES", 10 * numbers)
    assert pellucid.check(run.path, n_steps=1).n_rows == 10
