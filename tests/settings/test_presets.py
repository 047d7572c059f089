"""Presets: what is given goes before them, each can be written down and read again, and bins follow the rows."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid
from pellucid.errors import SettingError
from pellucid.preparation.prepare import prepare
from pellucid.preprocessing.steps.both import BothStep
from pellucid.settings.presets import BEST, PRESETS
from pellucid.settings.settings import Settings, setting_names


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_names_settings_that_are_allowed_and_leaves_the_others(preset: str) -> None:
    made, plain = Settings.of({"preset": preset}), Settings()
    assert made.preset == preset
    for name in setting_names():
        if name != "preset":
            assert getattr(made, name) == PRESETS[preset].get(name, getattr(plain, name)), name


def test_what_is_given_goes_before_the_preset_wherever_it_stands() -> None:
    assert Settings.of({"preset": "best", "hidden": (5,)}).hidden == (5,)
    later = Settings.of({"hidden": (5,), "epochs": 3}, {"preset": "best"})
    assert (later.hidden, later.epochs, later.number_encoding) == ((5,), 3, BEST["number_encoding"])
    assert Settings.of({"preset": "best"}, {"preset": "plain"}) == Settings()


def test_settings_come_back_from_what_they_are_written_as() -> None:
    best = Settings.of({"preset": "best", "hidden": (7,)})
    assert Settings.of(best.to_json()) == best


def test_a_preset_that_there_is_not() -> None:
    with pytest.raises(SettingError, match="preset 'bets' is not known; did you mean 'best'"):
        Settings.of({"preset": "bets"})


def test_both_has_as_many_bins_as_the_rows_allow_or_as_are_asked_for() -> None:
    rng = np.random.default_rng(0)
    table = {"x": rng.normal(size=1_000), "y": rng.normal(size=1_000)}
    for bins, expected in ((None, 6), (3, 3)):
        made = prepare(
            table, Settings.of({"target": "y", "number_encoding": "both", "bins": bins, "bins_by": "quantile"})
        )
        (step,) = made.recipe.steps
        assert isinstance(step, BothStep)
        assert len(made.split.train) == 650
        assert len(step.bins.edges) - 1 == expected


def test_a_model_trained_by_the_best_preset_answers_the_same_once_loaded(tmp_path: object) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(120, 2))
    table = {"a": x[:, 0], "b": x[:, 1], "y": np.where(x[:, 0] * x[:, 1] > 0, "same", "other")}
    run = pellucid.train(table, "y", preset="best", epochs=3, verdict=False, out=str(tmp_path) + "/run")
    again = pellucid.load(str(run.path / "model.safetensors"))
    asked = {"a": x[:20, 0], "b": x[:20, 1]}
    assert len(run.model.members) == BEST["n_networks"]
    assert np.array_equal(again.predict_proba(asked), run.model.predict_proba(asked))


def test_quick_ends_before_it_has_learned_noise_by_heart() -> None:
    rng = np.random.default_rng(2)
    table = {**{f"x{k}": rng.normal(size=300) for k in range(10)}, "y": rng.integers(0, 2, 300).astype(str)}
    run = pellucid.train(table, "y", preset="quick", verdict=False)
    assert run.summary["stopped_by"] == "early stopping"
    assert "overfitting" not in {finding.name for finding in run.findings}
