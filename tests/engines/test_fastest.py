"""How a step is fastest: the answer follows the clock, and nothing is left changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from pellucid.engines import fastest
from pellucid.network import mlp
from pellucid.network.task import Loss

NETWORK, MSE = mlp(4, [8], 1), Loss(name="mse")


@pytest.mark.parametrize(
    ("times", "chosen"),
    [
        ({(1, "blas"): 1.0, (4, "blas"): 0.5, (1, "onednn"): 0.8, (4, "onednn"): 0.6}, (4, "blas")),
        ({(1, "blas"): 1.0, (4, "blas"): 10.0, (1, "onednn"): 0.8, (4, "onednn"): 9.0}, (1, "onednn")),
        ({(1, "blas"): 1.0, (4, "blas"): 0.99, (1, "onednn"): 0.98, (4, "onednn"): 0.97}, (1, "blas")),
    ],
)
def test_the_fastest_way_is_chosen_if_it_is_worth_it(
    times: dict[tuple[int, str], float], chosen: tuple[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fastest, "_usual_step", lambda engine, rows, masks, n: times[n, engine.products])
    monkeypatch.setattr("pellucid.engines.fused.engine.onednn_is_exact", lambda: True)
    assert fastest.fastest_way(NETWORK, MSE, 16, threads=[1, 4], products=["blas", "onednn"]) == chosen


@pytest.mark.parametrize("name", ["bce", "cross_entropy", "mse", "mae", "huber"])
def test_every_kind_of_step_is_tried_on_both_and_torch_is_left_as_it_was(
    name: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    clock: Iterator[float] = iter(np.arange(1000) * 0.001)
    monkeypatch.setattr(fastest.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(fastest.torch, "set_num_threads", seen.append)
    network = mlp(4, [8], 3, batch_norm=True, dropout=0.2)
    way = fastest.fastest_way(network, Loss(name=name), 16, threads=[1, 2], products=["blas"])
    assert way == (1, "blas")  # equally fast by this clock
    assert seen == [1, 2, torch.get_num_threads()]


def test_where_there_is_no_choice_nothing_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fastest, "FusedEngine", lambda *_: pytest.fail("measured"))
    assert fastest.fastest_way(NETWORK, MSE, 16, threads=[2], products=["onednn"]) == (2, "onednn")


def test_onednn_is_tried_for_large_float32_products_where_it_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    large = mlp(784, [256], 10)
    monkeypatch.setattr(fastest, "onednn_is_exact", lambda: True)
    assert fastest.products_to_try(large, 64) == ("blas", "onednn")
    assert fastest.products_to_try(large, 8) == ("blas",)
    assert fastest.products_to_try(large, 64, dtype="float64") == ("blas",)
    monkeypatch.setattr(fastest, "onednn_is_exact", lambda: False)
    assert fastest.products_to_try(large, 64) == ("blas",)
