"""A model file predicts where PyTorch is not installed, and says the same as PyTorch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import pellucid
from pellucid.engines.torch_engine.module import build, forward
from pellucid.network import ACTIVATIONS
from tests.drawings import save_classes

PREDICT = """
import sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "sklearn", "matplotlib", "pandas", "scipy"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NoTorch())
sys.argv = ["pellucid", "predict", sys.argv[1], sys.argv[2], "-o", sys.argv[3]]
from pellucid.cli.main import main
main()
"""


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_probabilities_are_pytorchs(activation: str, people: Any, people_csv: Path) -> None:
    run = pellucid.train(people, "buys", hidden=(16, 8), activation=activation, batch_norm=True, dropout=0.2, epochs=4)
    model = run.model
    module = build(model.network, model.parameters, torch.float32).eval()
    inputs = torch.from_numpy(model.recipe.transform(model.table(people)).flat)
    with torch.inference_mode():
        expected = torch.sigmoid(forward(module, inputs).double())[:, 0].numpy()
    np.testing.assert_allclose(run.predict_proba(people)[:, 1], expected, atol=1e-6)


def test_predict_where_pytorch_is_not_installed(people: Any, people_csv: Path, tmp_path: Path) -> None:
    run = pellucid.train(people_csv, "buys", out=tmp_path / "run", hidden=(8,), epochs=4)
    output = tmp_path / "predictions.parquet"
    done = subprocess.run(
        [sys.executable, "-c", PREDICT, str(tmp_path / "run" / "model.safetensors"), str(people_csv), str(output)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    import pyarrow.parquet as pq

    there = pq.read_table(output)
    assert there["prediction"].to_pylist() == run.predict(people).tolist()
    np.testing.assert_allclose(there["probability_yes"], run.predict_proba(people)[:, 1], atol=1e-6)


def test_a_convolutional_network_predicts_without_pytorch_and_says_the_same(tmp_path: Path) -> None:
    folder = save_classes(tmp_path / "shapes", 12)
    how: dict[str, Any] = {"network": "cnn", "channels": (4, 6), "batch_norm": True, "epochs": 2}
    run = pellucid.train(folder, out=tmp_path / "run", **how)
    model = run.model
    module = build(model.network, model.parameters, torch.float32).eval()
    inputs = model.inputs(model.table(folder))
    with torch.inference_mode():
        expected = torch.softmax(forward(module, torch.from_numpy(np.asarray(inputs))).double(), dim=1).numpy()
    output = tmp_path / "predictions.parquet"
    done = subprocess.run(
        [sys.executable, "-c", PREDICT, str(tmp_path / "run" / "model.safetensors"), str(folder), str(output)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    import pyarrow.parquet as pq

    there = pq.read_table(output)
    given = np.stack([there[f"probability_{name}"].to_numpy() for name in model.task.classes], axis=1)
    np.testing.assert_allclose(given, expected, rtol=0, atol=1e-5)
