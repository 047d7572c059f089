"""A model file of format 1, kept so that every later version still reads it.

The expected answers are golden: they were written by the version that wrote the file, and say only that nothing has
changed since.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

import pellucid

HERE = Path(__file__).resolve().parent


def test_a_file_of_format_1_still_gives_its_answers() -> None:
    golden = json.loads((HERE / "iris-format-1.json").read_text(encoding="utf-8"))
    model = pellucid.load(HERE / "iris-format-1.safetensors")
    assert model.predict(golden["columns"]).tolist() == golden["prediction"]
    np.testing.assert_allclose(model.predict_proba(golden["columns"]), golden["probabilities"], atol=1e-6)
