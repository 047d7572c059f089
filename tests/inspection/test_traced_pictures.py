"""A picture of a folder in a convolutional network: its trace, one unit of it, and its JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import pellucid
from pellucid.errors import SettingError
from pellucid.inspection.trace import Traced, trace
from pellucid.inspection.trace_json import unit_json
from pellucid.inspection.trace_unit import address, every_step, find_unit, taken_by
from tests.drawings import save_classes
from tests.explanation.maps import every_map_kind


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    save_classes(folder / "shapes", 8)
    settings: dict[str, Any] = {"verdict": False, "preset": "plain", "seed": 1, "epochs": 2, "network": "cnn"}
    pellucid.train(str(folder / "shapes"), out=folder / "run", channels=(3, 4), batch_norm=True, **settings)
    return folder


@pytest.fixture(scope="module")
def traced(run: Path) -> Traced:
    return trace(run / "run", row=2)


def test_the_picture_is_the_one_in_the_file(run: Path, traced: Traced) -> None:
    """Row 2 is the third file of the first class; the network receives its pixels, standardised."""
    pixels = np.asarray(Image.open(run / "shapes" / "across" / "002.png")).astype(float)
    given = traced.row.layers[0].inputs.reshape(12, 12)
    slope, shift = np.polyfit(pixels.ravel(), given.ravel(), 1)
    np.testing.assert_allclose(given, slope * pixels + shift, atol=1e-6)
    assert slope > 0
    assert traced.truth == "across"
    assert traced.row.agreement.logits is not None
    assert traced.row.agreement.logits < 1e-12
    assert traced.row.agreement.gradients is not None
    assert traced.row.agreement.gradients < 1e-12


def test_the_answer_is_the_models_own(run: Path, traced: Traced) -> None:
    file = run / "shapes" / "across" / "002.png"
    of_file = trace(run / "run", file)
    assert of_file.truth is None
    assert of_file.row.back is None
    np.testing.assert_allclose(of_file.row.logits, traced.row.logits, rtol=1e-9)
    assert isinstance(traced.answer, dict)
    exact = np.exp(traced.row.logits) / np.exp(traced.row.logits).sum()
    np.testing.assert_allclose(list(traced.answer.values()), exact, atol=1e-5)


def test_json_is_bounded_and_on_request_complete(traced: Traced) -> None:
    bounded, complete = traced.to_json(), traced.to_json(complete=True)
    assert len(json.dumps(bounded)) < 300_000
    assert bounded["shape"] == [1, 12, 12]
    first, whole = bounded["layers"][0], complete["layers"][0]
    assert first["outputs"] is None
    assert np.shape(whole["outputs"]) == (3, 12, 12)
    np.testing.assert_array_equal(np.ravel(whole["d_outputs"]), traced.row.layers[0].d_outputs)
    assert len(first["units"]) == 5
    assert first["units"][0]["forward"][0]["result"] == pytest.approx(
        traced.row.layers[0].outputs[np.abs(traced.row.layers[0].outputs).argmax()]
    )
    assert np.shape(complete["back"]["gradients"]["0.weight"]) == (3, 1, 3, 3)
    assert bounded["cells"][0]["cell"] == {"shape": [12, 12, 1]}
    assert np.shape(complete["cells"][0]["cell"]) == (12, 12, 1)


def test_a_unit_in_json_has_every_term(traced: Traced) -> None:
    found = unit_json(*find_unit(traced.steps, "0.2,0,5"))
    (forward,) = found["forward"]
    assert (found["layer"], found["place"], found["symbol"]) == ("0", [1, 0, 5], "z")
    assert len(forward["terms"]) == 9
    total = sum(term["w · x"] for term in forward["terms"])
    assert total + (forward["bias"] or 0.0) == pytest.approx(found["value"])
    (derivatives,) = found["derivatives"]
    assert derivatives["positions"] == 144


def test_a_unit_is_found_by_layer_channel_and_position() -> None:
    _, steps = every_map_kind()
    seen = 0
    for step in every_step(steps):
        for k in range(len(step.work.outputs)):
            assert find_unit(steps, address(step, k)) == (step, k)
            seen += 1
    assert seen > 100
    step, k = find_unit(steps, "4.0.2, 1, 2")
    assert step.work.name == "4.0"
    assert step.names_out[k].endswith("at (1, 2)")
    assert taken_by(steps, step) is None
    after = taken_by(steps, steps[0])
    assert after is steps[1]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("9.9.1,1,1", "there is no layer '9.9'"),
        ("5", "there is no layer ''"),
        ("0.1", r"gives the shape \[4, 2, 5\], so give 0.CHANNEL,ROW,COLUMN"),
        ("9.1,0,0", r"gives the shape \[2\], so give 9.UNIT"),
        ("0.5,0,0", "the channel must be a whole number from 1 to 4, got '5'"),
        ("0.0,0,0", "the channel must be a whole number from 1 to 4, got '0'"),
        ("0.1,2,0", "the row must be a whole number from 0 to 1, got '2'"),
        ("0.1,0,-1", "the column must be a whole number from 0 to 4, got '-1'"),
        ("9.x", "the unit must be a whole number from 1 to 2, got 'x'"),
    ],
)
def test_a_unit_that_is_not_there_is_told(asked: str, said: str) -> None:
    _, steps = every_map_kind()
    with pytest.raises(SettingError, match=said):
        find_unit(steps, asked)
