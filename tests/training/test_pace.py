"""Losses whose pace is known by construction are judged as a person would."""

from __future__ import annotations

import math
from itertools import pairwise

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


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("noise", "n"), [(1e-4, 200), (0.01, 200), (0.05, 200), (0.01, 30)])
def test_a_flat_loss_with_noise_stands_still(noise: float, n: int, seed: int) -> None:
    verdict = judge_pace((0.6931 * (1 + noise * np.random.default_rng(seed).normal(size=n))).tolist())
    assert verdict.kind == "stands still"
    assert "would hide a slow fall" in verdict.evidence


@pytest.mark.parametrize("seed", range(10))
def test_a_crawl_is_seen_through_a_little_noise(seed: int) -> None:
    n = np.arange(200)
    verdict = judge_pace((1 - 0.0002 * n + 1e-3 * np.random.default_rng(seed).normal(size=200)).tolist())
    assert verdict.kind == "crawls"
    assert verdict.needed == pytest.approx(0.5 / 0.0002, rel=0.15)


def test_a_slow_rise_is_not_called_a_fall() -> None:
    verdict = judge_pace((1 + 0.0005 * N).tolist())
    assert verdict.kind == "stands still"
    assert verdict.evidence.startswith("the loss went from 1 to 1.047")
    assert verdict.evidence.endswith("in the second half it rises")


def test_the_end_that_is_told_is_named() -> None:
    """The last tenth has a mean of its own, and a table beside the sentence shows the last loss."""
    losses = np.exp(-np.arange(200) / 100)
    verdict = judge_pace(losses.tolist())
    end = losses[-20:].mean()
    assert f"from 1 to {end:.4g} (the mean of the last 20) in 200 epochs" in verdict.evidence
    assert f"fell by {100 * (1 - end):.0f} %" in verdict.evidence
    assert "from 0.9 to 0.3 in 4 epochs" in judge_pace([0.9, 0.7, 0.5, 0.3]).evidence


def test_rises_are_measured_from_where_they_start() -> None:
    """Each rise as a share of the loss below it, and their median."""
    losses = np.tile([1.0, 1.5, 1.0, 3.0], 25)  # rises of 50 % and of 200 %
    verdict = judge_pace(losses.tolist())
    assert verdict.kind == "oscillates"
    second = losses[50:]
    rise = [b / a - 1 for a, b in pairwise(second) if b > a]
    assert f"by {100 * np.median(rise):.0f} % of itself" in verdict.evidence
    assert judge_pace([1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0]).kind == "oscillates"  # rises from 0 have no share


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
