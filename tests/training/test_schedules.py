"""Schedules against ``torch.optim.lr_scheduler``."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from torch.optim import lr_scheduler

from pellucid.errors import SettingError
from pellucid.training.schedules import Plateau, Schedule


def optimizer(lr: float = 0.1) -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)


def rates(scheduler: Any, steps: int) -> list[float]:
    seen = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it wants an optimizer step between; only the rates matter here
        for _ in range(steps):
            seen.append(scheduler.optimizer.param_groups[0]["lr"])
            scheduler.step()
    return seen


def test_constant() -> None:
    assert Schedule().rate(0.1, epoch=99, epochs=100) == 0.1


def test_step() -> None:
    ours = [Schedule(name="step", gamma=0.5, every=3).rate(0.1, epoch=e, epochs=20) for e in range(20)]
    assert ours == pytest.approx(rates(lr_scheduler.StepLR(optimizer(), 3, 0.5), 20), rel=1e-12)


def test_cosine() -> None:
    ours = [Schedule(name="cosine").rate(0.1, epoch=e, epochs=20) for e in range(20)]
    assert ours == pytest.approx(rates(lr_scheduler.CosineAnnealingLR(optimizer(), 20), 20), rel=1e-9)


@pytest.mark.parametrize(("epochs", "n_batches"), [(10, 7), (4, 20), (20, 1)])
def test_flat_cosine(epochs: int, n_batches: int) -> None:
    half = epochs * n_batches // 2
    ours = [
        Schedule(name="flat_cosine").rate(0.1, epoch=e, epochs=epochs, batch=b, n_batches=n_batches)
        for e in range(epochs)
        for b in range(n_batches)
    ]
    assert ours[:half] == [0.1] * half
    assert ours[half:] == pytest.approx(rates(lr_scheduler.CosineAnnealingLR(optimizer(), half), half), rel=1e-9)


@pytest.mark.parametrize(("epochs", "n_batches"), [(10, 7), (3, 20), (20, 1)])
def test_one_cycle(epochs: int, n_batches: int) -> None:
    steps = epochs * n_batches
    ours = [
        Schedule(name="one_cycle").rate(0.1, epoch=e, epochs=epochs, batch=b, n_batches=n_batches)
        for e in range(epochs)
        for b in range(n_batches)
    ]
    theirs = rates(lr_scheduler.OneCycleLR(optimizer(), max_lr=0.1, total_steps=steps, cycle_momentum=False), steps - 1)
    assert ours[:-1] == pytest.approx(theirs, rel=1e-9)
    assert ours[-1] == pytest.approx(0.1 / 25 / 1e4)


def test_plateau() -> None:
    losses = [1.0, 0.9, 0.9, 0.91, 0.92, 0.95, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.79, 0.8]
    schedule = Schedule(name="plateau", gamma=0.5, every=2)
    theirs = lr_scheduler.ReduceLROnPlateau(optimizer(), factor=0.5, patience=2)
    state = Plateau()
    for loss in losses:
        state = state.after(loss, schedule)
        theirs.step(loss)
        ours = schedule.rate(0.1, epoch=0, epochs=1, scale=state.scale)
        assert ours == pytest.approx(theirs.optimizer.param_groups[0]["lr"], rel=1e-12)
    assert state.scale < 1


@pytest.mark.parametrize("wrong", [{"name": "cosin"}, {"gamma": 1.5}, {"every": 0}])
def test_wrong_schedules_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        Schedule(**wrong)
