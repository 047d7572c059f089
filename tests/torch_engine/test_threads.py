"""How many threads: the answer follows the clock, and nothing is left changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from pellucid.network import mlp
from pellucid.task import Loss
from pellucid.torch_engine import threads


@pytest.mark.parametrize(("alone", "together", "chosen"), [(1.0, 0.5, 4), (1.0, 10.0, 1), (1.0, 0.99, 1)])
def test_the_faster_number_is_chosen(
    alone: float, together: float, chosen: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "_usual_step", lambda engine, rows, masks, n: alone if n == 1 else together)
    assert threads.fastest_threads(mlp(4, [8], 1), Loss(name="mse"), 16, 4) == chosen


@pytest.mark.parametrize("name", ["bce", "cross_entropy", "mse", "mae", "huber"])
def test_every_kind_of_step_is_tried_on_both_and_torch_is_left_as_it_was(
    name: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    clock: Iterator[float] = iter(np.arange(1000) * 0.001)
    monkeypatch.setattr(threads.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(threads.torch, "set_num_threads", seen.append)
    network = mlp(4, [8], 3, batch_norm=True, dropout=0.2)
    assert threads.fastest_threads(network, Loss(name=name), 16, 2) == 1  # equally fast by this clock
    assert seen == [1, 2, torch.get_num_threads()]


def test_with_one_core_nothing_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "FusedEngine", lambda *_: pytest.fail("measured"))
    assert threads.fastest_threads(mlp(4, [8], 1), Loss(name="mse"), 16, 1) == 1
