"""What is left to the machine: decided once, written down, and not decided again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import pellucid
from pellucid.errors import SettingError
from pellucid.network import mlp
from pellucid.network.task import Loss
from pellucid.runs import machine
from pellucid.runs.machine import on_this_machine
from pellucid.settings.settings import Settings

BCE, LARGE, SMALL = Loss(name="bce"), mlp(784, [256], 1), mlp(4, [8], 1)


def test_a_small_step_gets_one_thread_and_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.engines.fastest._usual_step", lambda *_: pytest.fail("measured"))
    decided = on_this_machine(Settings(), SMALL, BCE, 64)
    assert (decided.engine, decided.threads, decided.products) == ("fused", 1, "blas")


def test_a_large_step_is_tried_in_every_exact_way(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[tuple[int, str]] = []

    def usual_step(engine: Any, rows: int, masks: Any, threads: int) -> float:
        tried.append((threads, engine.products))
        return 0.5 if (threads, engine.products) == (3, "onednn") else 1.0

    monkeypatch.setattr(machine, "_cores", lambda: 3)
    monkeypatch.setattr("pellucid.engines.fastest._usual_step", usual_step)
    for place in ("fastest", "fused.engine"):
        monkeypatch.setattr(f"pellucid.engines.{place}.onednn_is_exact", lambda: True)
    decided = on_this_machine(Settings(), LARGE, BCE, 64)
    assert (decided.threads, decided.products) == (3, "onednn")
    assert sorted(tried) == [(1, "blas"), (1, "onednn"), (3, "blas"), (3, "onednn")]
    tried.clear()
    assert on_this_machine(decided, LARGE, BCE, 64) == decided  # as a resumed run does
    assert tried == []


@pytest.mark.parametrize("engine", ["textbook", "torch"])
@pytest.mark.parametrize("precision", ["medium", "bf16"])
def test_reduced_precision_is_the_fused_engines(engine: str, precision: str) -> None:
    with pytest.raises(SettingError, match=f"precision {precision} needs the fused engine"):
        on_this_machine(Settings(engine=engine, precision=precision), SMALL, BCE, 64)


@pytest.mark.parametrize(
    "settings", [{"engine": "torch"}, {"engine": "textbook"}, {"precision": "float64"}, {"precision": "bf16"}]
)
def test_onednn_is_refused_where_it_would_not_be_used(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match="products onednn needs the fused engine in float32"):
        on_this_machine(Settings(products="onednn", **settings), SMALL, BCE, 64)


def test_a_run_in_bf16_says_so_and_can_be_resumed(people: Any, people_csv: Path, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"precision": "bf16", "epochs": 3, "hidden": (8,)}
    run = pellucid.train(people_csv, "buys", out=tmp_path / "run", **settings)
    assert run.summary["precision"] == "bf16"
    assert "precision: bf16" in (tmp_path / "run" / "config.yaml").read_text()
    exact = pellucid.train(people, "buys", epochs=3, hidden=(8,))
    rounded, kept = (r.model.parameters["0.weight"] for r in (run, exact))
    assert rounded.shape == kept.shape
    assert (rounded != kept).any()
    assert pellucid.resume(tmp_path / "run").summary["epochs"] == 3
