"""What the pixels of an image add to an answer: complete, against PyTorch's gradients, and where it is known to lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import pellucid
from pellucid.engines.torch_engine.module import build
from pellucid.errors import DataError
from pellucid.inspection.explained_image import explain_image
from pellucid.inspection.mistakes import mistakes

QUICK: dict[str, Any] = {"preset": "plain", "hidden": (16,), "epochs": 30, "verdict": False}


def lit(n: int = 90, channels: int = 1) -> dict[str, Any]:
    """Images of noise; of class ``b`` the upper left corner is bright."""
    rng = np.random.default_rng(1)
    images = rng.integers(0, 90, (n, 9, 9, channels), dtype=np.uint8)
    images[n // 2 :, :3, :3] += 150
    return {"image": images, "label": ["a"] * (n // 2) + ["b"] * (n - n // 2)}


@pytest.fixture(scope="module")
def run() -> pellucid.Run:
    return pellucid.train(lit(channels=3), "label", **QUICK)


def test_the_bright_corner_is_what_speaks(run: pellucid.Run) -> None:
    found = explain_image(run, lit(channels=3), row=80)
    assert found.output.name == "probability of b"
    assert found.prediction == found.truth == "b"
    assert found.pixels.shape == (9, 9, 3)
    assert found.pixels[0, 0].min() >= 150
    assert max(found.by_part, key=lambda part: found.by_part[part]) == "upper left"
    assert sum(found.by_part.values()) == pytest.approx(found.by_pixel.sum())
    whole = found.gradients.answer - found.gradients.reference
    assert found.by_pixel.sum() == pytest.approx(whole, abs=2e-3)
    other = explain_image(run, lit(channels=3), row=80, label="a")
    np.testing.assert_allclose(other.by_pixel, -found.by_pixel, atol=1e-9)
    facts = found.to_json()
    assert np.shape(facts["pixels"]) == (9, 9)
    assert facts["parts"] == found.by_part


def test_autograd_along_the_way_finds_the_same(run: pellucid.Run) -> None:
    found = explain_image(run, lit(channels=3), row=80)
    module = build(run.model.network, run.model.parameters, torch.float64).eval()
    inputs = run.model.inputs(run.model.table(lit(channels=3))).astype(np.float64)
    kept = np.sort(np.random.default_rng(0).choice(90, 90, replace=False))  # fewer than 100: all are compared with
    reference = inputs[kept].mean(axis=0)
    places, shares = np.polynomial.legendre.leggauss(found.gradients.points)
    way = torch.tensor(reference + (places[:, None] + 1) / 2 * (inputs[80] - reference), requires_grad=True)
    torch.sigmoid(module(way)).sum().backward()  # type: ignore[no-untyped-call]
    assert way.grad is not None
    wanted = (inputs[80] - reference) * (shares / 2 @ way.grad.numpy())
    np.testing.assert_allclose(found.by_pixel, wanted.reshape(9, 9, 3).sum(axis=2), atol=1e-9)


def test_mistakes_show_what_spoke_for_the_wrong_answer(run: pellucid.Run) -> None:
    swapped = lit(channels=3)
    swapped["label"] = swapped["label"][::-1]
    found = mistakes(run, swapped, most=3)
    assert found.maps is not None
    assert found.maps.shape == (3, 9, 9)
    for mistake, shown in zip(found.found, found.maps, strict=True):
        other = explain_image(run, swapped, row=mistake.row, label=mistake.prediction)
        np.testing.assert_allclose(shown, other.by_pixel, atol=1e-9)
    assert mistakes(run, swapped, most=3, explain=False).maps is None
    figure = found.figure()
    assert figure is not None
    assert len(figure.axes) == 6


def test_columns_beside_the_image_are_named() -> None:
    table = {**lit(), "age": [float(k % 7) for k in range(90)]}
    table["label"] = ["old" if age > 3 else "young" for age in table["age"]]
    found = explain_image(pellucid.train(table, "label", **QUICK), table, row=6)
    assert list(found.others) == ["age"]
    assert abs(found.others["age"]) > abs(found.by_pixel.sum())
    whole = found.gradients.answer - found.gradients.reference
    assert found.by_pixel.sum() + found.others["age"] == pytest.approx(whole, abs=2e-3)


def test_a_number_can_be_read_from_images(tmp_path: Path) -> None:
    table = lit()
    bright = {"image": table["image"], "light": table["image"].mean(axis=(1, 2, 3)).tolist()}
    run = pellucid.train(bright, "light", **QUICK)
    found = explain_image(run, bright, row=3)
    assert found.output.name == "light"
    assert found.by_pixel.sum() == pytest.approx(found.gradients.answer - found.gradients.reference, rel=0.01)
    assert mistakes(run, bright, most=2).figure() is not None


def test_other_models_are_sent_on() -> None:
    table = pellucid.train("iris", **{**QUICK, "epochs": 2})
    with pytest.raises(DataError, match="explain a row of its table"):
        explain_image(table, "iris")
