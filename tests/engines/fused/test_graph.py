"""Recording a step: tried here with stand-ins for CUDA's streams and graphs, for real where there is a device."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from pellucid.engines.fused import graph
from pellucid.engines.fused.engine import FusedEngine
from pellucid.network import mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training.batches import batches, dropout_masks

NETWORK = mlp(5, [8, 6], 3, batch_norm=True, dropout=0.2)
CALLS = {"warm": 0, "replayed": 0}


class Graph:
    """Replays the operations that were "recorded" with it."""

    def replay(self) -> None:
        """Run them all."""
        CALLS["replayed"] += 1
        for operation in self.operations:
            operation()

    operations: Any = ()


def stand_ins(operations: list[Any]) -> SimpleNamespace:
    """What `graph.record_graph` asks of ``torch.cuda``, without a device."""
    stream = SimpleNamespace(wait_stream=lambda other: None)

    def graph_of(made: Graph) -> Any:
        made.operations = operations
        return nullcontext()

    return SimpleNamespace(
        Stream=lambda: stream, current_stream=lambda: stream, stream=lambda s: nullcontext(),
        device=lambda d: nullcontext(), CUDAGraph=Graph, graph=graph_of,
    )  # fmt: skip


def trained(engine: FusedEngine) -> dict[str, Any]:
    rng = np.random.default_rng(2)
    engine.load_rows(rng.normal(size=(50, 5)), rng.integers(0, 3, 50))
    for epoch in range(3):
        for batch, rows in enumerate(batches(50, 20, 0, epoch)):
            engine.step(rows, dropout_masks(NETWORK, len(rows), 0, epoch, batch), 0.01)
    return engine.parameters()


def engine(device: str = "cpu") -> FusedEngine:
    first = initialise(NETWORK, 3)
    return FusedEngine(NETWORK, Loss(name="cross_entropy"), Optimizer(name="adam"), first, "float64", device)


def test_a_recorded_step_does_what_the_operations_do(monkeypatch: pytest.MonkeyPatch) -> None:
    real = graph.record_graph

    def spy(operations: list[Any], changed: Any, where: Any) -> Any:
        monkeypatch.setattr(graph.torch, "cuda", stand_ins(operations))
        return real(operations, changed, where)

    monkeypatch.setattr("pellucid.engines.fused.batch.record_graph", spy)
    plain = trained(engine())
    records = engine()
    records._records = True
    recorded = trained(records)
    assert CALLS["replayed"] == 9
    for name, array in plain.items():
        np.testing.assert_array_equal(array, recorded[name], err_msg=name)  # running statistics, too


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device: with one, the fused engine is tried on it")
def test_on_cuda_the_weights_are_the_cpus() -> None:
    for (name, here), there in zip(trained(engine()).items(), trained(engine("cuda")).values(), strict=True):
        np.testing.assert_allclose(here, there, rtol=0, atol=1e-9, err_msg=name)
