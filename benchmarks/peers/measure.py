"""The rounds: every contestant in turn, one at a time, again and again.

Each function returns plain data: for each contestant its status, and one number a round.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from peers.entries import PRODUCTS, Entry
from peers.host import BENCHMARKS, Workers
from peers.job import Job
from peers.limits import environment

__all__ = ["Measured", "Table", "cold_fits", "fits", "steps"]

Say = Callable[[str], None]


@dataclass
class Measured:
    """What was measured of one contestant on one job.

    Attributes
    ----------
    status
        ``ok``, ``not installed``, ``does not apply: …`` or ``failed: …``.
    values
        One number a round.
    facts
        Whatever else was told: ``timed``, ``note``, ``import_mib``, ``accuracy``, ….
    """

    status: str = "ok"
    values: list[float] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def is_there(self) -> bool:
        """Whether there is a number."""
        return self.status == "ok" and bool(self.values)

    @property
    def median(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.values)


Table = dict[str, Measured]


def _start(workers: Workers) -> Table:
    return {name: Measured(status=w.status, facts=dict(w.prepared)) for name, w in workers.all.items()}


def _rounds(
    workers: Workers, request: dict[str, Any], rounds: int, found: Table, value: Callable[[dict[str, Any]], float]
) -> None:
    """Ask so many times; the first answer of each may also tell facts."""
    for turn in range(rounds):
        for name, reply in workers.round(request, turn).items():
            measured = found[name]
            measured.status = workers.all[name].status
            if reply:
                measured.values.append(value(reply))
                measured.facts |= reply.pop("facts", {})
                for key, told in reply.items():
                    measured.facts.setdefault(f"{key}_by_round", []).append(told)


def steps(job: Job, entries: Sequence[Entry], *, rounds: int, seconds: float, say: Say) -> Table:
    """Microseconds a training step, with the matrix products alone as one more contestant."""
    with Workers((*entries, PRODUCTS), job) as workers:
        found = _start(workers)
        request = {"do": "steps", "seconds": seconds}
        _rounds(workers, request, rounds, found, lambda r: r["seconds"] / r["count"] * 1e6)
    say(f"steps of {job.shape}")
    return found


def fits(
    job: Job,
    entries: Sequence[Entry],
    *,
    rounds: int,
    say: Say,
    sizes: Sequence[str] = (),
    seconds: float = 0.3,
    answer_rounds: int = 3,
) -> tuple[Table, dict[str, Table]]:
    """Seconds of a whole fit; then, through the fitted networks, seconds a prediction of so many rows.

    ``accuracy_by_round`` and ``peak_mib_by_round`` are among the facts.
    """
    with Workers(tuple(entries), job) as workers:
        found = _start(workers)
        _rounds(workers, {"do": "fit"}, rounds, found, lambda r: r["seconds"])
        say(f"fits of {job.name}")
        answers = {size: _start(workers) for size in sizes}
        for size in sizes:
            request = {"do": "predict", "rows": size, "seconds": seconds}
            _rounds(workers, request, answer_rounds, answers[size], lambda r: r["seconds"] / r["count"])
            say(f"predictions of {size} rows of {job.name}")
    return found, answers


def cold_fits(job: Job, entries: Sequence[Entry], *, rounds: int, say: Say) -> Table:
    """Wall-clock seconds and peak memory of whole processes: start, import, fit, exit."""
    found = {who.name: Measured() for who in entries}
    for _ in range(rounds):
        for who in entries:
            measured = found[who.name]
            if measured.status == "ok":
                took, memory, status = _cold(who, job)
                measured.status = status
                measured.values.append(took)
                measured.facts.setdefault("peak_mib_by_round", []).append(memory)
    say(f"cold fits of {job.name}")
    return found


def _cold(who: Entry, job: Job) -> tuple[float, float, str]:
    command = [sys.executable, "-m", "peers.cold", who.name, job.to_json()]
    surroundings = environment(job.threads, who.environment)
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=BENCHMARKS, env=surroundings, stdout=output, stderr=subprocess.DEVNULL)
        process.wait()
        took = time.perf_counter() - began
        output.seek(0)
        lines = output.read().decode(errors="replace").splitlines()
    if process.returncode or not lines:
        return took, 0.0, f"failed: ended with {process.returncode}"
    told = json.loads(lines[-1])
    return took, told["peak_mib"], told["status"]
