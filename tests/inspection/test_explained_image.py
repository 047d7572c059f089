"""What the pixels of an image add to an answer: complete, against PyTorch's gradients, and where it is known to lie."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import pellucid
from pellucid.engines import inside
from pellucid.engines.torch_engine.module import build
from pellucid.errors import DataError, SettingError
from pellucid.explanation.grad_cam import enlarged
from pellucid.inspection.explained_image import explain_image
from pellucid.inspection.explained_output import explained_output
from pellucid.inspection.mistakes import mistakes
from tests.picture_models import bright_parts, picture_model

QUICK: dict[str, Any] = {"preset": "plain", "network": "mlp", "hidden": (16,), "epochs": 30, "verdict": False}


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


def test_a_convolutional_network_is_explained_as_captum_explains_it() -> None:
    attr = pytest.importorskip("captum.attr", reason="Captum is not installed: pip install captum")
    model, _ = picture_model()
    table = bright_parts()
    found = explain_image(model, table, row=5)
    assert found.output.name == "probability of square"
    module = build(model.network, model.parameters, torch.float64).eval()
    rows = np.asarray(model.inputs(model.table(table))).astype(np.float64)
    kept = np.sort(np.random.default_rng(0).choice(120, 100, replace=False))
    reference = torch.from_numpy(rows[kept].mean(axis=0, keepdims=True))
    picture = torch.from_numpy(rows[5:6])

    def probability(x: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(module(x))

    theirs = attr.IntegratedGradients(probability).attribute(
        picture, baselines=reference, target=0, n_steps=found.gradients.points, method="gausslegendre"
    )
    np.testing.assert_allclose(found.by_pixel, theirs.detach().numpy()[0].sum(axis=0), atol=1e-5)
    assert found.by_pixel.sum() == pytest.approx(found.gradients.answer - found.gradients.reference, abs=2e-3)

    assert (found.window, found.cover) == (2, "grey")
    covered = attr.Occlusion(probability).attribute(
        picture, target=0, sliding_window_shapes=(3, 2, 2), strides=(3, 1, 1), baselines=0.0
    )
    np.testing.assert_allclose(found.occlusion, covered.numpy()[0, 0], atol=1e-5)

    last = next(k for k, shape in enumerate(model.network.shapes()) if len(shape) == 1) - 1
    cam = attr.LayerGradCam(module, module[last]).attribute(picture, target=0, relu_attributions=True)
    wanted = enlarged(cam.detach().numpy()[0, 0], 12, 12)
    np.testing.assert_allclose(found.grad_cam, wanted, atol=1e-5 * max(1.0, float(np.abs(wanted).max())))
    assert found.maps == (6, 6)


def test_every_method_sees_the_object() -> None:
    """Both classes are bright things on noise: what speaks for the class lies on them, not on the noise."""
    model, _ = picture_model()
    table = bright_parts()
    on_it = []
    for row in range(1, 21, 2):
        found = explain_image(model, table, row=row)
        assert found.prediction == found.truth == "square"
        thing = np.zeros((12, 12), bool)
        y, x = np.argwhere(table["image"][row].min(axis=-1) > 100).min(axis=0)
        thing[max(0, y - 2) : y + 7, max(0, x - 2) : x + 7] = True
        assert found.occlusion is not None
        assert found.grad_cam is not None
        on_it.append(
            [float(np.abs(m)[thing].sum() / np.abs(m).sum()) for m in (found.by_pixel, found.occlusion, found.grad_cam)]
        )
    assert np.mean(on_it, axis=0).min() > 0.55  # the thing and its border are a third to a half of the picture


def test_the_other_class_is_the_opposite() -> None:
    model, _ = picture_model()
    one, other = (explain_image(model, bright_parts(), row=3, label=label) for label in ("square", "cross"))
    np.testing.assert_allclose(one.by_pixel, -other.by_pixel, atol=1e-6)
    assert one.occlusion is not None
    assert other.occlusion is not None
    np.testing.assert_allclose(one.occlusion, -other.occlusion, atol=1e-6)
    assert one.grad_cam is not None
    assert other.grad_cam is not None
    assert not (np.minimum(one.grad_cam, other.grad_cam) > 0).any()  # ReLU of a sum and of its negative


def test_several_networks_are_explained_by_their_mean() -> None:
    model, _ = picture_model(members=2, epochs=10)
    table = bright_parts()
    found = explain_image(model, table, row=3)
    rows = model.features(model.table(table)).flat[3:4]
    np.testing.assert_allclose(found.output.values(rows), model.answers_to(rows)[:, 1], atol=1e-6)
    whole = found.gradients.answer - found.gradients.reference
    assert found.by_pixel.sum() == pytest.approx(whole, abs=2e-3)
    singles = [explain_image(replace(model, parameters=p, more=()), table, row=3) for p in model.members]
    np.testing.assert_allclose(found.grad_cam, np.mean([one.grad_cam for one in singles], axis=0), atol=1e-5)


def test_the_textbook_explains_where_pytorch_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    model, _ = picture_model()
    rows = model.features(model.table(bright_parts())).flat[:4].astype(np.float64)
    output = explained_output(model, "square")
    values, slopes = output.slopes(rows)
    maps, of_maps = output.inside(rows, "3")
    monkeypatch.setattr(inside, "find_spec", lambda name: None)
    by_hand = explained_output(model, "square")
    for one, other in ((by_hand.slopes(rows), (values, slopes)), (by_hand.inside(rows, "3"), (maps, of_maps))):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-4 * max(1.0, float(np.abs(b).max())))


def test_what_is_said_and_drawn() -> None:
    model, _ = picture_model()
    found = explain_image(model, bright_parts(), row=3, cover="blur")
    assert found.sentences[0].startswith("Occlusion: covering 2 × 2 pixels (blurred) lowers the probability of square")
    assert "Grad-CAM: the last feature maps (6 × 6 positions)" in found.sentences[1]
    assert [axis.get_title() for axis in found.figure().axes] == [
        "answered square, is square", "integrated gradients", "occlusion, 2 × 2, blur", "Grad-CAM, 6 × 6"
    ]  # fmt: skip
    facts = found.to_json()
    assert np.shape(facts["occlusion"]["pixels"]) == np.shape(facts["grad_cam"]["pixels"]) == (12, 12)
    with pytest.raises(SettingError, match="cover must be one of grey, blur, got 'black'"):
        explain_image(model, bright_parts(), cover="black")


def test_dense_networks_have_occlusion_and_no_feature_maps(run: pellucid.Run) -> None:
    found = explain_image(run, lit(channels=3), row=80)
    assert found.grad_cam is None
    assert found.occlusion is not None
    assert found.occlusion[:3, :3].mean() > 3 * abs(found.occlusion[3:, 3:].mean())
    assert len(found.sentences) == 1
    assert len(found.figure().axes) == 3


def test_mistakes_of_a_convolutional_network_show_where_it_looked() -> None:
    model, _ = picture_model()
    swapped = bright_parts()
    swapped["label"] = swapped["label"][::-1]
    found = mistakes(model, swapped, most=3)
    assert found.maps is not None
    assert found.where is not None
    assert found.maps.shape == found.where.shape == (3, 12, 12)
    one = explain_image(model, swapped, row=found.found[0].row, label=found.found[0].prediction)
    np.testing.assert_allclose(found.where[0], one.grad_cam, atol=1e-6)
    figure = found.figure()
    assert figure is not None
    assert len(figure.axes) == 9
