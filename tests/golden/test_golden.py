"""Model files of each format, kept so that every later version still reads them.

The expected answers are golden: they were written by the version that wrote the file, and say only that nothing has
changed since. The `iris` file is of the first version; the others were written before layers became one file a kind:
an ensemble for every kind of column, a regression with BatchNorm and Dropout, an estimator with its residuals. The
`pictures` file is of the first version with convolutions.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.model.model_file import FORMAT_VERSION

HERE = Path(__file__).resolve().parent
MODELS = {
    "iris-format-1": 1,
    "people-numbers-format-1": 1,
    "people-ensemble-format-2": 2,
}


def golden(name: str) -> dict[str, Any]:
    """What the version that wrote the file answered."""
    stored: dict[str, Any] = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    return stored


def test_there_is_a_file_of_each_format() -> None:
    assert set(MODELS.values()) == set(range(1, FORMAT_VERSION + 1))


@pytest.mark.parametrize("name", MODELS)
def test_an_old_model_still_gives_its_answers(name: str) -> None:
    expected = golden(name)
    model = pellucid.load(HERE / f"{name}.safetensors")
    answers = model.predict(expected["columns"])
    if model.task.is_classification:
        assert answers.tolist() == expected["prediction"]
        np.testing.assert_allclose(model.predict_proba(expected["columns"]), expected["probabilities"], atol=1e-6)
    else:
        np.testing.assert_allclose(answers, expected["prediction"], rtol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_an_old_model_is_written_in_the_format_that_it_had(name: str, tmp_path: Path) -> None:
    pellucid.load(HERE / f"{name}.safetensors").save(tmp_path / "again.safetensors")
    again = (tmp_path / "again.safetensors").read_bytes()
    version = f'format_version\\":{MODELS[name]},'.encode()
    assert version in again


def test_an_old_estimator_still_gives_its_answers_and_intervals() -> None:
    expected = golden("regressor-format-2")
    model = pellucid.NeuralRegressor.load(HERE / "regressor-format-2.safetensors")
    np.testing.assert_allclose(model.predict(expected["rows"]), expected["prediction"], rtol=1e-5)
    np.testing.assert_allclose(model.predict_interval(expected["rows"]), expected["interval"], rtol=1e-5)


def test_an_old_convolutional_network_still_gives_its_answers() -> None:
    expected = golden("pictures-format-1")
    model = pellucid.load(HERE / "pictures-format-1.safetensors")
    assert model.network.shape == (1, 12, 12)
    pixels = np.array(expected["pixels"], np.uint8)
    assert model.predict(pixels).tolist() == expected["prediction"]
    np.testing.assert_allclose(model.predict_proba(pixels), expected["probabilities"], atol=1e-5)
