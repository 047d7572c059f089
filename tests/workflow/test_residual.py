"""A network with residual blocks is trained, stored, asked and explained like any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.errors import SettingError
from pellucid.settings.config import read_config
from tests.people import make_people

DEEP: dict[str, Any] = {
    "hidden": (8, 8, 8), "residual": True, "batch_norm": True, "dropout": 0.2, "epochs": 6, "verdict": False,
    "report": False, "preset": "plain",
}  # fmt: skip


def test_whole_runs_of_all_engines_agree() -> None:
    people = make_people()
    runs = [
        pellucid.train(people, "buys", engine=engine, precision="float64", **DEEP)
        for engine in ("textbook", "torch", "auto")
    ]
    first = runs[0].model.parameters
    assert {"4.0.weight", "4.1.running_mean", "5.0.weight"} <= set(first)
    for other in runs[1:]:
        for name, array in first.items():
            np.testing.assert_allclose(array, other.model.parameters[name], rtol=0, atol=1e-9, err_msg=name)
    without = pellucid.train(people, "buys", engine="textbook", **{**DEEP, "residual": False})
    assert without.model.network.n_trainable == runs[0].model.network.n_trainable
    assert without.history[-1].validation_loss != runs[0].history[-1].validation_loss


def test_a_stored_run_remembers_its_blocks(tmp_path: Path) -> None:
    people = make_people()
    run = pellucid.train(people, "buys", out=tmp_path / "run", **DEEP)
    settings, _ = read_config(tmp_path / "run" / "config.yaml")
    assert settings["residual"] is True
    model = pellucid.load(tmp_path / "run").model
    assert model.network == run.model.network
    np.testing.assert_array_equal(model.predict_proba(people), run.predict_proba(people))
    assert "8 → 8 → 8" in repr(model)
    traced = pellucid.trace(tmp_path / "run", people, row=3)
    assert traced.row.layers[4].inner
    assert traced.row.agreement.gradients is not None
    assert traced.row.agreement.gradients < 1e-10


def test_an_ensemble_of_residual_networks_is_that_of_its_members() -> None:
    people = make_people()
    many = pellucid.train(people, "buys", n_networks=2, precision="float64", **DEEP).model
    alone = pellucid.train(people, "buys", engine="torch", precision="float64", **DEEP).model
    for name, array in alone.parameters.items():
        np.testing.assert_allclose(many.members[0][name], array, rtol=0, atol=1e-9, err_msg=name)


def test_widths_that_allow_no_block_are_told() -> None:
    with pytest.raises(SettingError, match=r"residual needs a hidden layer .* → 8 → 4"):
        pellucid.train(make_people(), "buys", **{**DEEP, "hidden": (8, 4)})
