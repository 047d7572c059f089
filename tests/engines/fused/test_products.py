"""Ways of multiplying: the same numbers to the digits that each way promises."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from pellucid.engines.fused import engine as fused_engine
from pellucid.engines.fused import products
from pellucid.engines.fused.engine import FusedEngine
from pellucid.errors import SettingError
from pellucid.network import Network, mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss

Array = np.ndarray[Any, Any]

NETWORK = mlp(300, [200, 40], 3, batch_norm=False)  # the first layer's products are large, the others small
ROWS = 256


def gradients(way: str, dtype: str = "float32", network: Network = NETWORK) -> dict[str, Array]:
    rng = np.random.default_rng(5)
    engine = FusedEngine(
        network, Loss(name="cross_entropy"), Optimizer(), initialise(network, 1), dtype, "cpu", products=way
    )
    engine.load_rows(rng.normal(size=(ROWS, network.inputs)), rng.integers(0, 3, ROWS))
    return engine.gradients(np.arange(ROWS), [])[1]


def furthest(one: dict[str, Array], other: dict[str, Array]) -> float:
    """The length of the difference of two gradients as a share of the first; the largest of all arrays."""
    return max(float(np.linalg.norm(one[name] - other[name]) / np.linalg.norm(one[name])) for name in one)


def test_onednn_keeps_float32_and_reduced_ways_lose_digits() -> None:
    true = gradients("blas", "float64")
    assert furthest(true, gradients("blas")) < 1e-5
    assert furthest(true, gradients("onednn")) < 1e-5
    assert 1e-4 < furthest(true, gradients("bf16")) < 0.1
    assert furthest(true, gradients("medium")) < 0.1  # how many digits depends on the processor


def test_large_products_go_through_onednn_and_the_precision_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fused_engine, "onednn_is_exact", lambda: True)
    seen: list[tuple[int, ...]] = []
    through = products._through_onednn

    def spy(a: torch.Tensor, b: torch.Tensor, out: torch.Tensor) -> None:
        seen.append(tuple(out.shape))
        through(a, b, out)

    monkeypatch.setattr(products, "_through_onednn", spy)
    before = torch.get_float32_matmul_precision()
    gradients("onednn")
    assert seen == [(200, ROWS), (200, 301)]
    assert torch.get_float32_matmul_precision() == before


def test_onednn_gives_way_where_it_would_round(monkeypatch: pytest.MonkeyPatch) -> None:
    def engine(dtype: str = "float32") -> FusedEngine:
        return FusedEngine(
            NETWORK, Loss(name="cross_entropy"), Optimizer(), initialise(NETWORK, 1), dtype, products="onednn"
        )

    assert engine("float64").products == "blas"
    monkeypatch.setattr(fused_engine, "onednn_is_exact", lambda: False)
    assert engine().products == "blas"


def test_rounding_inside_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def rounding(a: torch.Tensor, b: torch.Tensor, out: torch.Tensor) -> None:
        out.copy_(a.bfloat16().float() @ b.bfloat16().float())

    if not torch.backends.mkldnn.is_available():
        pytest.skip("PyTorch was built without oneDNN")
    monkeypatch.setattr(products, "_through_onednn", lambda a, b, out: torch.mm(a, b, out=out))
    assert products.onednn_is_exact()
    monkeypatch.setattr(products, "_through_onednn", rounding)
    assert not products.onednn_is_exact()


@pytest.mark.parametrize(
    ("way", "dtype", "words"), [("mkl", "float32", "not known"), ("bf16", "float64", "use it with float32")]
)
def test_impossible_ways_are_refused(way: str, dtype: str, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        gradients(way, dtype)


def test_bf16_learns() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(512, 20)).astype(np.float32)
    y = (x[:, :3].sum(axis=1) > 0).astype(np.int64)
    network = mlp(20, [32], 2, batch_norm=True)
    engine = FusedEngine(
        network, Loss(name="cross_entropy"), Optimizer(name="adam"), initialise(network, 0), products="bf16"
    )
    engine.load_rows(x, y)
    for _ in range(150):
        engine.step(np.arange(512), [], 0.01)
    assert (engine.logits(x).argmax(axis=1) == y).mean() > 0.97
