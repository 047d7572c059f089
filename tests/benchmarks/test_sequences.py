"""The benchmark on sequences: ours and the plain loops learn the same network from the same rows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sequences import JOBS, PlainRecurrent, PlainTransformer, contestants, line, measure

SMALL = {
    name: replace(job, steps=8, shortest=job.shortest and 3, width=8, rows=8, batch=4) for name, job in JOBS.items()
}


@pytest.mark.parametrize("name", JOBS)
def test_everybody_learns_a_network_of_the_same_size(name: str) -> None:
    job = JOBS[name]
    plain = PlainTransformer(job) if job.kind == "transformer" else PlainRecurrent(job, packed=False)
    assert sum(p.numel() for p in plain.parameters()) == job.network().n_trainable


@pytest.mark.parametrize("name", JOBS)
def test_everybody_takes_turns(name: str) -> None:
    times = measure(SMALL[name], rounds=2, seconds=0.0)
    assert list(times) == list(contestants(SMALL[name]))
    assert all(len(each) == 2 for each in times.values())


def test_a_ratio_is_the_median_of_those_of_the_rounds() -> None:
    times = {"ours": [1.0, 2.0, 4.0], "plain": [3.0, 4.0, 10.0]}
    assert line("series", JOBS["series"], times).split("|")[5:8] == [" 2.0 ", " 4.0 ", " **2.50** (2.25–2.75) "]
