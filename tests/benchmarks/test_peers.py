"""The harness of the benchmark works, and its contestants learn: without the peers, which may not be installed."""

from __future__ import annotations

import doctest
import importlib
import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import growth
from peers.contestant import softmax
from peers.data_sets import make
from peers.entries import ENTRIES, MIXED, PRODUCTS, Entry, entry
from peers.host import Worker, Workers
from peers.job import Job
from peers.losing import Contest, losses
from peers.measure import Measured, steps
from peers.report import Results, written
from peers.tables import against, factors

JOB = Job(name="small", widths=(4, 8, 3), batch=30, rows=120)
LIGHT = ("contestant", "entries", "job", "limits", "machine", "mixed_pellucid", "summary", "tables")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three clouds of points, far apart."""
    generator = np.random.default_rng(0)
    for part, count in (("", 600), ("_test", 150)):
        y = generator.integers(0, 3, count)
        x = generator.normal(size=(count, 4)) + 4 * np.eye(4)[y]
        np.save(tmp_path / f"x{part}.npy", x.astype(np.float32))
        np.save(tmp_path / f"y{part}.npy", y)
    return tmp_path


def of(*values: float, status: str = "ok") -> Measured:
    return Measured(status=status, values=list(values), facts={"timed": "a step"})


@pytest.mark.parametrize("name", [*LIGHT, "../growth", "../results"])
def test_examples_run(name: str) -> None:
    module = importlib.import_module(name.removeprefix("../") if name.startswith("..") else f"peers.{name}")
    assert module.__doc__
    assert doctest.testmod(module).failed == 0


def test_every_entry_names_something_that_exists() -> None:
    names = [who.name for who in (*ENTRIES, PRODUCTS, *MIXED)]
    assert len(names) == len(set(names))
    for who in (*ENTRIES, PRODUCTS, *MIXED):
        module, _, name = who.make.partition(":")
        spec = find_spec(module)
        assert spec is not None
        assert spec.origin is not None
        text = Path(spec.origin).read_text(encoding="utf-8")
        assert f"class {name}(" in text or f"def {name}(" in text


def test_a_job_comes_back_from_json_and_checks_itself() -> None:
    assert Job.from_json(JOB.to_json()) == JOB
    with pytest.raises(ValueError, match="rows must be at least batch"):
        replace(JOB, rows=3)
    with pytest.raises(ValueError, match="threads must be at least 1"):
        replace(JOB, threads=0)


def clouds(folder: Path) -> Job:
    return Job(name="clouds", widths=(4, 16, 3), batch=30, epochs=15, folder=str(folder))


@pytest.mark.parametrize("name", ["loader", "fused", "torch"])
def test_contestants_learn(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from peers import worker

    monkeypatch.setattr(worker, "bind", lambda threads: None)  # to no core: this is the tests' own process
    server = worker.Server(entry(name))
    assert server.answer({"do": "prepare", "job": clouds(folder).to_json()})["status"] == "ok"
    assert server.answer({"do": "fit"})["accuracy"] > 0.9
    assert server.answer({"do": "predict", "rows": "7", "seconds": 0.0})["rows"] == 7


def test_a_contestant_learns_in_a_process_of_its_own(folder: Path) -> None:
    job = clouds(folder)
    worker = Worker(entry("plain"), job)
    worker.prepare(job)
    reply = worker.ask({"do": "fit"})
    answer = worker.ask({"do": "predict", "rows": "7", "seconds": 0.0})
    worker.close()
    assert worker.status == "ok"
    assert reply["accuracy"] > 0.9
    assert reply["peak_mib"] >= worker.prepared["import_mib"] > 10
    assert answer["rows"] == 7


def test_the_plain_loop_gives_probabilities_of_both_kinds() -> None:
    from peers.plain import Plain

    for widths in ((4, 8, 3), (4, 8, 1)):
        job = replace(JOB, widths=widths)
        contestant = Plain(job, job.arrays())
        assert contestant.steps(5) == 5
        p = contestant.probabilities(job.arrays().x_test)
        assert p.shape == (120, job.classes)
        np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-6)


def test_a_round_measures_all_who_can_and_says_why_others_cannot() -> None:
    missing = Entry(
        name="plain", label="absent", make="a_library_that_is_not_here:X", needs=("a_library_that_is_not_here",)
    )
    broken = Entry(name="loader", label="broken", make="peers.plain:Nothing")
    with Workers((missing, broken), JOB) as workers:
        assert workers.all["plain"].status == "not installed"
        assert workers.all["loader"].status.startswith("failed: AttributeError")
        assert workers.round({"do": "fit"}, 0) == {"plain": {}, "loader": {}}
    found = steps(JOB, [entry("plain")], rounds=2, seconds=0.01, say=lambda text: None)
    assert len(found["plain"].values) == 2
    assert found["plain"].median > 0
    assert found["products"].is_there


def test_a_process_that_ends_or_hangs_fails_alone() -> None:
    worker = Worker(entry("plain"), JOB, patience=60)
    worker.prepare(JOB)
    worker.process.kill()
    worker.process.wait()
    assert worker.ask({"do": "fit"}) == {}
    assert worker.status.startswith("failed: ended with")
    worker.close()
    slow = Worker(entry("plain"), JOB, patience=0.01)  # shorter than any import
    slow.prepare(JOB)
    assert "no answer" in slow.status
    slow.close()


def test_ratios_go_the_right_way() -> None:
    assert against(of(10, 20), of(5, 10)) == 2
    assert against(of(10, 20, 30), of(5)) == 4
    lines = factors([entry("plain"), entry("fused")], {"a job": {"plain": of(10), "fused": of(4)}}, "plain", "who")
    assert "| **Pellucid, fused** | 2.50× |" in lines


def test_losses_are_told_and_wins_are_not() -> None:
    lost = Contest(name="a step", unit="µs", found={"fused": of(6), "torch": of(9), "plain": of(8), "jax": of(3)})
    won = Contest(name="a fit", unit="s", found={"fused": of(1), "plain": of(2), "jax": of(status="not installed")})
    lines = losses([won, lost])
    assert len(lines) == 1
    assert "6 µs (Pellucid, fused)" in lines[0]
    assert "JAX, compiled loop 3 µs" in lines[0]
    assert "2.00 times" in lines[0]


def test_the_report_is_written_whatever_is_missing() -> None:
    assert "Nowhere" in written(Results(threads=1, how="how"))
    found = {
        "fused": of(5), "plain": of(10), "products": of(4), "jax": of(status="not installed"),
        "keras_jax": of(status="failed: ValueError: no"),
    }  # fmt: skip
    text = written(Results(threads=1, how="how", steps={"2-5-2-1, 400": found}, cold={"plain": of(status="failed: x")}))
    assert "| **Pellucid, fused** | 2.00× |" in text
    assert "| **Pellucid, fused** | 80% |" in text
    assert "| JAX, compiled loop | not installed |" in text
    assert "Keras on JAX on 2-5-2-1, 400: failed: ValueError: no" in text


def test_a_set_that_is_absent_is_left_out(tmp_path: Path) -> None:
    assert make("mnist", tmp_path, tmp_path / "arrays") is None
    assert not (tmp_path / "arrays").exists()


def test_the_arrays_of_a_table_are_those_of_its_file(tmp_path: Path, shared_data: Path) -> None:
    assert make("covtype_20k", shared_data, tmp_path) == (16_000, 52, 7)
    arrays = Job(name="covtype", widths=(52, 7), batch=64, folder=str(tmp_path)).arrays()
    assert arrays.x.dtype == np.float32
    assert len(arrays.x_test) == len(arrays.y_test) == 4000
    assert set(np.unique(arrays.y)) == set(range(7))
    assert abs(arrays.x[:, :10].mean()) < 0.05  # the ten numbers are standardised


def test_growth_is_told_and_drawn(tmp_path: Path) -> None:
    sweeps = [replace(sweep, values=sweep.values[:2]) for sweep in growth.SWEEPS]
    points = {
        name: [
            growth.Point(value=10, seconds=s, mib=20),
            growth.Point(value=20, reason="would take about 90 s an epoch"),
        ]
        for name, s in (("fused", 1.0), ("kernel_runs", 0.5), ("plain", 3.0))
    }
    found = {sweep.name: points for sweep in sweeps}
    text = growth.text(sweeps, found, 1, quick=False)
    assert "3.00×" in text
    assert "PyTorch, plain loop from 20 on: would take about 90 s an epoch" in text
    growth.draw(sweeps, found, tmp_path / "growth.png")
    assert (tmp_path / "growth.png").stat().st_size > 10_000


def test_softmax_is_that_of_pytorch() -> None:
    import torch

    z = np.random.default_rng(0).normal(size=(5, 4)) * 100
    np.testing.assert_allclose(softmax(z), torch.from_numpy(z).softmax(dim=1).numpy(), rtol=1e-12)


def test_json_of_a_worker_is_plain() -> None:
    from peers.worker import Server

    server = Server(entry("plain"))
    assert server.answer({"do": "fit"})["status"].startswith("failed: RuntimeError")
    assert json.dumps(server.answer({"do": "nothing"})).startswith('{"status": "failed: KeyError')
