"""A skewed target through its logarithm, chosen on validation rows; and what a target of whole numbers says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.errors import UserError
from pellucid.explanation.words.answer import answer_of
from pellucid.inspection.trace import trace
from pellucid.model.model import Model

QUICK: dict[str, Any] = {"preset": "quick", "verdict": False, "report": False}


def growing(n: int = 400, *, noise: float = 0.3) -> dict[str, list[float]]:
    """Prices that grow by a factor with every unit of ``a``."""
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(2, n))
    return {"a": a.tolist(), "b": b.tolist(), "y": np.exp(3 + 2 * a + noise * rng.normal(size=n)).tolist()}


def straight(n: int = 400) -> dict[str, list[float]]:
    """Skewed and positive, but a sum: its logarithm bends what is straight."""
    rng = np.random.default_rng(6)
    a = rng.exponential(size=n) ** 2
    return {"a": a.tolist(), "y": (1 + 5 * a + 0.05 * rng.normal(size=n) ** 2).tolist()}


def test_the_logarithm_is_taken_where_it_helps_and_no_answer_is_negative(tmp_path: Path) -> None:
    table = growing()
    run = pellucid.train(table, "y", out=tmp_path / "run", **QUICK)
    assert run.model.facts["settings"]["target_transform"] == "log"
    assert run.model.scaler is not None
    assert run.model.scaler.is_log
    assert np.min(run.predict(table)) >= 0
    plain = pellucid.train(table, "y", target_transform="none", **QUICK)
    assert np.min(plain.predict(table)) >= 0  # held at 0, which was below every training row
    assert run.metrics["mae"].value < plain.metrics["mae"].value
    np.testing.assert_array_equal(Model.read(tmp_path / "run").predict(table), run.predict(table))


def test_it_is_not_taken_where_it_does_not_help_or_there_is_no_reason_to_try() -> None:
    run = pellucid.train(straight(), "y", **QUICK)
    assert run.model.facts["settings"]["target_transform"] == "none"
    rng = np.random.default_rng(7)
    bell = {"a": rng.normal(size=200).tolist(), "y": (50 + rng.normal(size=200)).tolist()}
    assert pellucid.train(bell, "y", **QUICK).model.facts["settings"]["target_transform"] == "none"


def test_folds_choose_too() -> None:
    run = pellucid.train(growing(), "y", preset="best", epochs=8, verdict=False, report=False)
    assert len(run.model.members) > 1
    assert run.model.facts["settings"]["target_transform"] == "log"


@pytest.mark.parametrize(
    ("target", "words"), [("kind", "target_transform log is for numbers"), ("sign", "log needs targets of at least 0")]
)
def test_what_cannot_go_through_a_logarithm_is_refused(target: str, words: str) -> None:
    table = {"a": list(range(60)), "kind": ["x", "y", "z"] * 20, "sign": [(-1) ** i * i for i in range(60)]}
    with pytest.raises(UserError, match=words):
        pellucid.train(table, target, target_transform="log", **QUICK)


def test_the_trace_goes_through_the_logarithm(tmp_path: Path) -> None:
    table = growing(noise=0.1)
    pellucid.train(table, "y", target_transform="log", out=tmp_path / "run", **QUICK)
    found = trace(tmp_path / "run", table, row=3)
    logarithm, answer = answer_of(found.outcome, 0)
    assert answer.result == pytest.approx(found.answer, rel=1e-4)  # type: ignore[union-attr]
    assert logarithm.result == pytest.approx(np.log(found.answer), rel=1e-4)  # type: ignore[union-attr]
    assert found.row.back is not None
    scaler = found.model.scaler
    assert scaler is not None
    apart = (np.log(table["y"][3]) - scaler.mean) / scaler.scale - found.row.logits[0]
    assert found.row.back.loss == pytest.approx(apart**2, rel=1e-6)


def test_the_verdict_gives_the_linear_model_the_logarithm_too() -> None:
    run = pellucid.train(growing(noise=0.05), "y", preset="quick", verdict=True, report=False)
    assert run.verdict is not None
    peers = {peer.name: peer for peer in run.verdict.peers}
    assert peers["linear model"].value < 0.5 * peers["dummy"].value  # of the price itself it would be a poor model


def counted(n: int = 400) -> dict[str, list[float]]:
    rng = np.random.default_rng(8)
    a = rng.normal(size=n)
    return {"a": a.tolist(), "y": rng.poisson(np.exp(a)).tolist()}


def test_the_verdict_says_the_other_way() -> None:
    table = counted()
    number = pellucid.train(table, "y", preset="quick", verdict=True, report=False)
    assert number.model.task.kind == "regression"
    assert number.verdict is not None
    assert any("--task multiclass" in note for note in number.verdict.notes)
    named = {"a": table["a"], "y class": table["y"]}  # its name makes it a class
    classes = pellucid.train(named, "y class", preset="quick", verdict=True, report=False)
    assert classes.model.task.kind == "multiclass"
    assert classes.verdict is not None
    assert any("--task regression" in note and "R² of 0." in note for note in classes.verdict.notes)
    asked = pellucid.train(named, "y class", task="multiclass", preset="quick", verdict=True, report=False)
    assert asked.verdict is not None
    assert not any("--task regression" in note for note in asked.verdict.notes)
