"""Findings about forecasts: each fault beside its healthy twin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.diagnosis.forecast_evidence import ForecastEvidence
from pellucid.diagnosis.forecasts import future_known, repeats_last_value
from pellucid.runs.run import Run

RNG = np.random.default_rng(0)
WAVE = np.sin(np.arange(200) / 4) + 0.2 * RNG.normal(size=200)


class OfForecast:
    """What the two rules read of the evidence."""

    def __init__(self, **facts: Any) -> None:
        self.forecast = ForecastEvidence(
            **{"count": 50, "moved": 1.0, "stepped": 2.0, "error": 2.5, "error_of_last": 2.5, **facts}
        )


def test_a_forecast_that_stands_still_is_found() -> None:
    found = repeats_last_value(OfForecast(moved=0.1))  # type: ignore[arg-type]
    assert found is not None
    assert found.name == "repeats-the-last-value"
    assert "0.1 away" in found.evidence
    assert repeats_last_value(OfForecast(moved=0.9)) is None  # type: ignore[arg-type]
    told = OfForecast(moved=0.3, error=1.8, error_of_last=2.5)
    assert repeats_last_value(told) is None  # type: ignore[arg-type]  # little, and right
    assert repeats_last_value(OfForecast(moved=0.1, count=5)) is None  # type: ignore[arg-type]


def test_a_column_that_is_the_future_is_found() -> None:
    found = future_known(OfForecast(ahead={"a": (2, 0.9999), "b": (1, 0.6)}, known=("a",)))  # type: ignore[arg-type]
    assert found is not None
    assert found.change == {"drop": ("a",)}
    assert "said to be known in advance" in found.evidence
    assert "2 steps later" in found.evidence
    assert future_known(OfForecast(ahead={"b": (1, 0.6)})) is None  # type: ignore[arg-type]


def names(**columns: Any) -> set[str]:
    known = columns.pop("known", ())
    run: Run = pellucid.train(
        {"y": WAVE, **columns}, forecast="y", horizon=3, known=known, window=6, hidden=(8,), epochs=2, n_networks=1,
        verdict=False,
    )  # fmt: skip
    return {finding.name for finding in run.findings}


@pytest.mark.parametrize("shift", [0, 2])
def test_a_run_whose_known_column_is_the_shifted_target(shift: int) -> None:
    assert "future-known" in names(told=np.roll(WAVE, -shift), known="told")
    assert "future-known" not in names(told=np.roll(WAVE, 3), known="told")  # the past may be known


def test_a_run_on_a_random_walk_repeats_the_last_value_and_one_on_a_wave_does_not() -> None:
    walk = np.cumsum(np.random.default_rng(3).normal(size=300))
    run = pellucid.train({"y": walk}, forecast="y", horizon=1, window=1, hidden="none", epochs=1, n_networks=1)
    assert "repeats-the-last-value" in {finding.name for finding in run.findings}
    assert "repeats-the-last-value" not in names()
