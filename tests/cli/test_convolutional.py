"""``pellucid train photos/`` and what follows, as typed; what is refused ends with code 2."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.running import pellucid

SMALL = ["--channels", "4,8", "--epochs", "3", "--lr", "0.02"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``photos`` and a run on them, and ``small``, pictures of 5 × 5 pixels."""
    path, rng = tmp_path_factory.mktemp("typed"), np.random.default_rng(0)
    for i in range(80):
        pixels, label = rng.integers(0, 60, (9, 9, 3)).astype(np.uint8), ("lying", "standing")[i % 2]
        pixels[(4, slice(None)) if i % 2 == 0 else (slice(None), 4)] += 180
        for name, part in (("photos", pixels), ("small", pixels[:5, :5])):
            (path / name / label).mkdir(parents=True, exist_ok=True)
            Image.fromarray(part).save(path / name / label / f"{i}.png")
    done = pellucid("train", "photos", *SMALL, "--out", "run", cwd=path)
    assert "Conv2d 3 → 4, 3×3, same" in done.stdout
    assert "[B, 3, 9, 9]" in done.stdout
    return path


def test_predict_evaluate_check_and_report(place: Path) -> None:
    assert "probability_lying" in pellucid("predict", "run", "photos/lying/0.png", cwd=place).stdout
    assert "accuracy" in pellucid("evaluate", "run", "photos", cwd=place).stdout
    shown = json.loads(pellucid("check", "run", "--steps", "2", "--json", cwd=place).stdout)
    assert shown["agrees"] is True
    assert "torch" in shown["engines"]
    pellucid("report", "run", cwd=place)
    page = (place / "run" / "report.html").read_text(encoding="utf-8")
    assert "The network as stacks of maps" in page


def test_small_pictures_get_a_fully_connected_network(place: Path) -> None:
    done = pellucid("train", "small", "--hidden", "4", "--epochs", "1", "--out", "flat", cwd=place)
    assert "Dense 75 → 4" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "iris", "--network", "cnn"], "takes one column of pictures"),
        (["train", "photos", "--kernel", "11"], "wider than the pictures, which are 9 × 9"),
        (["train", "photos", "--channels", "4,x"], "channels must be a whole number"),
        (["train", "photos", "--pool", "maxx"], "did you mean 'max'"),
        (["train", "photos", "--residual", "--channels", "4"], "residual needs depth of at least 2"),
        (["train", "photos", "--network", "cnn", "--task", "reconstruction"], "must give back all pixels"),
        (["train", "photos", "--channels", "4", "--engine", "kernel"], "engine 'kernel' cannot train this network"),
        (["boundary", "run"], "a boundary needs a model of a table"),
    ],
)
def test_a_mistake_ends_with_code_2_and_a_sentence(arguments: list[str], said: str, place: Path) -> None:
    done = pellucid(*arguments, cwd=place, code=2)
    assert said in " ".join(done.stderr.split())
