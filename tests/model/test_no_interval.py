"""Where an interval is not defined none is printed: a dash, not 'nan', and no claim that would need one."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.cli.commands.doctor import _show_retry
from pellucid.cli.console import no_better_than_the_mean
from pellucid.diagnosis.evidence import Peer
from pellucid.diagnosis.rows import no_signal
from pellucid.evaluation.bootstrap import Estimate
from pellucid.reports.parts.outcome import metrics
from pellucid.runs.run import Run

UNKNOWN = Estimate(value=0.5, low=math.nan, high=math.nan)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One that was measured on a single row, which tells nothing of how rows differ."""
    rng = np.random.default_rng(0)
    table = {"x": rng.normal(size=40), "y": rng.normal(size=40)}
    one = {"x": [0.1], "y": [0.3]}
    return pellucid.train(
        table, "y", test_data=one, preset="plain", hidden=(4,), epochs=2, verdict=False,
        out=tmp_path_factory.mktemp("one") / "run",
    )  # fmt: skip


def test_a_run_of_one_test_row(run: Run) -> None:
    assert math.isnan(run.metrics["rmse"].low)
    assert "nan" not in repr(run)
    assert "rmse" in repr(run)


def test_the_report(run: Run) -> None:
    told: Any = SimpleNamespace(
        run=run, measured=SimpleNamespace(features=[0]), prepared=SimpleNamespace(flattering=())
    )
    (table,) = metrics(told)
    assert all(row[2].startswith("none: ") for row in table.rows[:2])  # type: ignore[attr-defined]


def test_what_the_doctor_tried(capsys: pytest.CaptureFixture[str]) -> None:
    finding = SimpleNamespace(fix="more epochs")
    retry: Any = SimpleNamespace(
        finding=finding, before={"rmse": UNKNOWN}, after={"rmse": UNKNOWN}, same_rows=True, left=()
    )
    found: Any = None
    _show_retry(found, retry)
    shown = capsys.readouterr().out
    assert "nan" not in shown
    assert shown.count("—") == 2


def test_no_claim_without_an_interval() -> None:
    base = {"mse": replace(UNKNOWN, value=0.4)}
    assert no_better_than_the_mean({"mse": UNKNOWN}, base) is None
    assert no_better_than_the_mean({"mse": replace(UNKNOWN, low=0.45, high=0.6)}, base) is not None
    dummy = Peer(name="dummy", value=0.5, difference=-0.1, low=math.nan, high=math.nan)
    evidence: Any = SimpleNamespace(peers=(dummy,))
    assert no_signal(evidence) is None


def test_the_folder_still_reads(run: Run) -> None:
    assert run.path is not None
    assert "nan" not in repr(pellucid.load(Path(run.path)))
