"""The convolutional network for series and texts: its usual sizes, and what the settings say of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.errors import SettingError
from pellucid.preparation.convolutions import usual_convolutions
from pellucid.settings.presets import usual_preset

TEXTS = ["a good film", "a bad film", "so good", "so bad", "good good", "bad bad", "how good", "how bad"] * 10
TABLE = {"said": [f"{text} {k % 7}" for k, text in enumerate(TEXTS)], "liked": ["yes", "no"] * 40}


def test_longer_series_have_more_stages() -> None:
    assert [len(usual_convolutions((steps, 1)).channels) for steps in (24, 320, 321, 1_300, 10**6)] == [4, 4, 5, 7, 8]


def test_one_channel_is_asked_where_several_are_averaged() -> None:
    assert [usual_convolutions((100, channels)).head for channels in (1, 2, 12)] == ["flatten", "average", "average"]


def test_series_get_a_preset_of_their_own() -> None:
    assert usual_preset("series") == "series"
    assert usual_preset("forecast") == "forecasts"


def trained(**settings: Any) -> Any:
    return pellucid.train(
        TABLE, "liked", text=("said",), network="conv", epochs=2, verdict=False, report=False, save=False, **settings
    )


def test_texts_are_read_by_convolutions() -> None:
    run = trained()
    words = [layer.words() for layer in run.model.network.layers]
    assert words[1:] == [
        "Transpose", "Conv1d 64 → 128, 3, same", "relu", "Transpose", "StepPool max", "Dropout 0.2", "Dense 128 → 1"
    ]  # fmt: skip
    assert words[0].startswith("Embedding")
    assert np.isfinite(run.metrics["accuracy"].value)


def test_sizes_that_are_given_are_kept() -> None:
    run = trained(channels=(8, 4), depth=2, kernel=5, residual=True, batch_norm=True, step_pool="mean", pool="none")
    words = [layer.words() for layer in run.model.network.layers]
    assert words[2:6] == [
        "Conv1d 64 → 8, 5, same, no bias", "BatchNorm 8", "relu",
        "Residual of Conv1d 8 → 8, 5, same, no bias, BatchNorm 8, relu",
    ]  # fmt: skip
    assert "GlobalAvgPool" in words
    assert not any(each.startswith("MaxPool1d") for each in words)


@pytest.mark.parametrize("pool", ["average", "stride"])
def test_another_halving_is_refused(pool: str) -> None:
    with pytest.raises(SettingError, match=f"network conv halves the steps .* got pool={pool}"):
        trained(pool=pool)
