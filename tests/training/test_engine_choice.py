"""Which engine trains a network: the fastest that supports it, with the reason; one that was asked for, or an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import pellucid
from pellucid.engines import fastest, fused, kernel, textbook, torch_engine
from pellucid.engines.fused.layers import RULES as FUSED
from pellucid.engines.textbook.layers import RULES as TEXTBOOK
from pellucid.engines.torch_engine.layers import RULES as TORCH
from pellucid.errors import SettingError
from pellucid.network import Activation, BatchNorm, Embedding, Network, mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training.engine import engine_for, make_engine, unsupported

NORMALISED, BCE = mlp(4, [6], 1, batch_norm=True), Loss(name="bce")


def made(name: str, network: Network, device: str = "cpu") -> Any:
    return make_engine(name, network, BCE, Optimizer(), initialise(network, 0), device=device)


@pytest.fixture
def fused_lacks_batch_norm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(FUSED, BatchNorm)


def test_the_fused_engine_is_the_fastest() -> None:
    assert engine_for(NORMALISED, "cpu")[0] == "fused"
    assert made("auto", NORMALISED).name == "fused"


@pytest.mark.usefixtures("fused_lacks_batch_norm")
def test_autograd_stands_in_for_what_the_fused_engine_lacks() -> None:
    reason = "the fused engine has no rule for BatchNorm layers (BatchNorm 6)"
    assert reason in str(fused.supports(NORMALISED))
    name, why = engine_for(NORMALISED, "cpu")
    assert name == "torch"
    assert reason in why
    assert made("auto", NORMALISED).name == "torch"
    with pytest.raises(SettingError) as error:
        made("fused", NORMALISED)
    assert reason in str(error.value)
    assert "use engine=auto" in str(error.value)
    assert fused.supports(mlp(4, [6], 1)) is None


def test_on_mps_autograd_stands_in() -> None:
    assert engine_for(NORMALISED, "mps")[0] == "torch"
    with pytest.raises(SettingError, match="not tested on mps; use engine=auto"):
        made("fused", NORMALISED, "mps")


def test_where_no_engine_has_a_rule_every_reason_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for rules in (FUSED, TORCH, TEXTBOOK):
        monkeypatch.delitem(rules, BatchNorm)
    with pytest.raises(SettingError, match=r"no engine can train this network: the fused engine .*BatchNorm.*; .*"):
        engine_for(NORMALISED, "cpu")
    for package in (fused, torch_engine, textbook):
        assert "BatchNorm" in str(package.supports(NORMALISED))


@pytest.mark.parametrize("name", ["kernel", "textbook"])
def test_engines_of_the_cpu_say_so(name: str) -> None:
    network = mlp(4, [6], 1)
    assert unsupported(name, network, "auto") is None
    with pytest.raises(SettingError, match="runs on the cpu, not on cuda; use engine=auto"):
        made(name, network, "cuda")


def test_the_kernel_says_what_it_lacks() -> None:
    with pytest.raises(SettingError, match=r"no rule for BatchNorm layers .*BatchNorm 6.*; use engine=auto"):
        made("kernel", NORMALISED)
    assert kernel.supports(mlp(4, [6], 1)) is None


def test_rows_that_are_not_columns_are_not_for_the_plan_or_the_kernel() -> None:
    tanh = Activation(function="tanh")
    pictures = Network(shape=(2, 3), layers=(tanh,))
    for package in (fused, kernel):
        assert "takes rows of columns, not of the shape [2, 3]" in str(package.supports(pictures))
    tokens = Network(shape=(3,), dtype="int64", layers=(Embedding(vocabulary=4, width=2), tanh))
    for package in (fused, kernel):
        assert "takes rows of numbers, not of int64" in str(package.supports(tokens))


@pytest.mark.usefixtures("fused_lacks_batch_norm")
def test_threads_are_measured_by_the_engine_that_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def usual_step(engine: Any, rows: int, masks: Any, threads: int) -> float:
        tried.append(engine.name)
        return 1.0

    monkeypatch.setattr(fastest, "_usual_step", usual_step)
    for network in (NORMALISED, mlp(4, [6], 1)):
        fastest.fastest_way(network, BCE, 16, threads=[1, 2], products=["blas"])
    assert tried == ["torch", "torch", "fused", "fused"]


def _log(tmp_path: Path, **settings: Any) -> str:
    rows = {"a": [0.1 * i for i in range(40)], "b": [float(i % 7) for i in range(40)], "y": ["no", "yes"] * 20}
    folder = tmp_path / "run"
    pellucid.train(
        rows, target="y", out=folder, epochs=1, n_networks=1, hidden=(4,), preset="plain", report=False,
        verdict=False, **settings,
    )  # fmt: skip
    return (folder / "log.txt").read_text(encoding="utf-8")


def test_the_runs_log_names_the_engine_and_why(tmp_path: Path) -> None:
    assert "engine fused on cpu: it is the fastest that supports this network" in _log(tmp_path, device="cpu")


def test_the_runs_log_says_that_an_engine_was_asked_for(tmp_path: Path) -> None:
    assert "engine textbook on cpu: it was asked for" in _log(tmp_path, engine="textbook")


@pytest.mark.usefixtures("fused_lacks_batch_norm")
def test_the_runs_log_says_why_autograd_trains(tmp_path: Path) -> None:
    log = _log(tmp_path, device="cpu", batch_norm=True)
    assert "engine torch on cpu: it is the fastest that supports this network; the fused engine has no rule for" in log


@pytest.mark.usefixtures("fused_lacks_batch_norm")
def test_a_run_with_an_engine_that_cannot_ends_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"engine 'fused' cannot train this network: .*; use engine=auto"):
        _log(tmp_path, engine="fused", batch_norm=True)
    assert not (tmp_path / "run").exists()
