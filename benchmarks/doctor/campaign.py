"""One training with a fault, or healthy; what the doctor says; and whether its fix helps."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from benchmarks.doctor.faults import Fault
from benchmarks.doctor.tables import Case

import pellucid
from pellucid.errors import DivergenceError, PellucidError

__all__ = ["Tried", "try_fault", "try_healthy"]


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What came out: the names found, and the judge's figure (lower is better) before and after the fix."""

    table: str
    seed: int
    found: tuple[str, ...]
    before: float = float("nan")
    after: float = float("nan")


def try_healthy(case: Case, preset: str) -> Tried:
    """A training as users have it."""
    run = _train(case, {"preset": preset, "verdict": True})
    return Tried(table=case.name, seed=case.seed, found=tuple(f.name for f in run.findings))


def try_fault(fault: Fault, case: Case) -> Tried:
    """A training with the fault, and one more with what the doctor says."""
    changed = fault.change(case)
    with fault.around():
        try:
            run = _train(changed, fault.settings, shifted=fault.name == "shifted-rows")
        except DivergenceError:  # in the first epoch: no network, and the message says what to do
            return _diverged(fault, changed)
        found = tuple(f.name for f in run.findings)
        mine = next((f for f in run.findings if f.name in (fault.name, *fault.also)), None)
        before = after = float("nan")
        if mine is not None and fault.judge != "none":
            before = _figure(run, changed, fault.judge)
            again = _train(changed, {**fault.settings, **mine.change})
            after = _figure(again, changed, fault.judge)
    return Tried(table=case.name, seed=case.seed, found=found, before=before, after=after)


def _diverged(fault: Fault, case: Case) -> Tried:
    change = {"learning_rate": fault.settings["learning_rate"] / 10, "clip_norm": 1.0}
    again = _train(case, {**fault.settings, **change})
    after = _figure(again, case, fault.judge)
    return Tried(table=case.name, seed=case.seed, found=("diverging",), before=float("inf"), after=after)


def _train(case: Case, settings: dict[str, Any], *, shifted: bool = False) -> Any:
    kind = {} if case.classes else {"task": "regression"}
    given = {"verdict": False, "seed": case.seed, "threads": 1, **kind, **settings}
    test = None
    if shifted:
        test = {name: list(cells) for name, cells in case.apart.items()}
        name = case.numbers[case.seed % len(case.numbers)]
        spread = float(np.std([v for v in test[name] if v is not None]))
        test[name] = [v if v is None else v + 1.5 * spread for v in test[name]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pellucid.train(case.columns, case.target, test_data=test, **given)


def _figure(run: Any, case: Case, judge: str) -> float:
    truth = case.apart[case.target]
    if judge == "loss":
        try:
            metrics = run.evaluate(case.apart)
        except PellucidError:
            return float("nan")
        name = "log_loss" if "log_loss" in metrics else "rmse"
        value = metrics[name].value
        return value if np.isfinite(value) else float("inf")
    if judge == "balanced accuracy":
        return -run.evaluate(case.apart)["balanced_accuracy"].value
    answers = np.asarray(run.predict(case.apart), dtype=float).round()
    return -float((answers == np.asarray(truth, dtype=float)).mean())
