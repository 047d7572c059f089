"""Losses whose pace is known by construction are judged as a person would."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pellucid.errors import SettingError
from pellucid.training.pace import judge_pace

N = np.arange(100)


@pytest.mark.parametrize(
    ("losses", "kind"),
    [
        (np.exp(-N / 20), "learns"),
        (np.exp(-N / 20) + 0.5, "learns"),
        (1 - 0.0002 * N, "crawls"),
        (np.full(100, 0.7), "stands still"),
        (np.zeros(100), "stands still"),
        (0.69 + 0.01 * np.exp(-N / 5), "stands still"),
        (1 + 0.8 * (-1.0) ** N, "oscillates"),
        (1 + 20 * (N % 2) * (N > 5), "oscillates"),
        (np.exp(N / 10), "diverges"),
        (1 + 0.01 * N, "diverges"),
        (np.where(N < 50, 1.0, math.nan), "diverges"),
        (np.where(N < 50, 1.0, math.inf), "diverges"),
    ],
)
def test_kinds(losses: np.ndarray, kind: str) -> None:
    verdict = judge_pace(losses.tolist())
    assert verdict.kind == kind
    assert bool(verdict.remedy) == (kind != "learns")
    assert verdict.evidence


@pytest.mark.parametrize("seed", range(10))
def test_the_noise_of_batches_is_no_swinging(seed: int) -> None:
    noisy = (0.3 + np.exp(-N / 20)) * (1 + 0.02 * np.random.default_rng(seed).normal(size=100))
    assert judge_pace(noisy.tolist()).kind == "learns"


def test_a_crawl_says_when_it_would_be_half_way() -> None:
    verdict = judge_pace((1 - 0.0005 * N).tolist(), learning_rate=0.001)
    assert verdict.needed == pytest.approx(1 + 0.5 / 0.0005, abs=1)  # the loss is 0.5 at index 1,000
    assert f"{verdict.needed:,} epochs" in verdict.evidence
    assert "0.01" in verdict.remedy


def test_figures() -> None:
    verdict = judge_pace([4.0, 3.0, 3.5, 1.0], unit="step")
    assert verdict.fall == pytest.approx(0.75)
    assert verdict.rises == pytest.approx(1 / 3)
    assert "4 steps" in verdict.evidence
    assert "epoch 3 is nan" in judge_pace([1.0, 1.0, math.nan, 1.0]).evidence


def test_the_same_shape_at_another_height_is_judged_alike() -> None:
    for losses in (np.exp(-N / 20), 1 - 0.0002 * N, 1 + 0.8 * (-1.0) ** N, np.exp(N / 10)):
        kinds = {judge_pace((factor * losses).tolist()).kind for factor in (1e-6, 1.0, 1e6)}
        assert len(kinds) == 1


@pytest.mark.parametrize("losses", [[], [1.0, 0.9, 0.8]])
def test_too_few_losses(losses: list[float]) -> None:
    with pytest.raises(SettingError, match="at least 4 losses"):
        judge_pace(losses)
