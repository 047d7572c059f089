"""How fast pictures are learned and answered, beside what one might use instead: a section of IMAGES.md and RESULTS.md.

    python benchmarks/images.py [--quick] [--threads 2] [--rounds 7] [--seconds 1] [--only mnist cifar]

One process a contestant, kept alive; only one of them works at a time, and they take turns.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

from peers.host import BENCHMARKS, Workers
from peers.limits import all_cores
from peers.measure import Measured, Table
from peers.pictures.entries import ANSWERING, CONVOLUTIONS, LEARNING, ROUNDED
from peers.pictures.job import PictureJob
from peers.pictures.tables import put, rows, section

JOBS = {
    "mnist": PictureJob(
        name="MNIST's network, 1×28×28 → 16, 32, 64", widths=(784, 10), shape_of=(1, 28, 28), channels=(16, 32, 64),
        batch=128, rows=2048,
    ),
    "cifar": PictureJob(
        name="CIFAR's network, 3×32×32 → 32, 32, 64, 64, 128, 128", widths=(3072, 10), shape_of=(3, 32, 32),
        channels=(32, 64, 128), depth=2, batch=128, rows=1024,
    ),
}  # fmt: skip
SIZES = ("1", "10000")


def main() -> None:
    """Measure and write."""
    given = arguments()
    began = time.perf_counter()
    steps: dict[str, Table] = {}
    answers: dict[str, Table] = {}
    for name in given.only:
        job = replace(JOBS[name], threads=given.threads)
        if "steps" in given.parts:
            who = (*LEARNING, *ROUNDED, CONVOLUTIONS)
            with Workers(tuple(w for w in who if not given.contestants or w.name in given.contestants), job) as workers:
                request = {"do": "steps", "seconds": given.seconds}
                steps[job.name] = rounds_of(workers, request, given.rounds, "count", 1e6)
        if "answers" in given.parts:
            chosen = tuple(w for w in ANSWERING if not given.contestants or w.name in given.contestants)
            with Workers(chosen, job) as workers:
                for size in SIZES[:1] if given.quick else SIZES:
                    request = {"do": "predict", "rows": size, "seconds": given.seconds / 2}
                    few = given.rounds if size == "1" else max(1, given.rounds // 2)
                    label = f"{name}: {int(size):,} picture{'s' * (size != '1')}"
                    answers[label] = rounds_of(workers, request, few, "count", 1.0)
        print(f"{time.perf_counter() - began:6.0f} s  {job.name}", flush=True)
        put(given.out, "How fast it trains", section(steps, answers, threads=given.threads, how=_how(given)))
    if not given.quick and steps:
        put(given.results, "Networks on pictures", rows(steps, answers))


def rounds_of(workers: Workers, request: dict[str, object], rounds: int, count: str, scale: float) -> Table:
    """So many rounds: for each contestant the time of one, in seconds over ``scale``."""
    found: Table = {name: Measured(status=w.status, facts=dict(w.prepared)) for name, w in workers.all.items()}
    for turn in range(rounds):
        for name, reply in workers.round(request, turn).items():
            found[name].status = workers.all[name].status
            if reply:
                found[name].values.append(reply["seconds"] / reply[count] * scale)
    return found


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=all_cores(), help="for everybody; else one a core")
    parser.add_argument("--rounds", type=int, help="else 7")
    parser.add_argument("--seconds", type=float, help="of a round of one contestant; else 1")
    parser.add_argument("--only", nargs="+", choices=list(JOBS), default=list(JOBS))
    parser.add_argument("--parts", nargs="+", choices=("steps", "answers"), default=["steps", "answers"])
    parser.add_argument("--contestants", nargs="+", help="by name; else all")
    parser.add_argument("--quick", action="store_true", help="few rounds: does everything run?")
    parser.add_argument("--out", type=Path, default=BENCHMARKS / "IMAGES.md")
    parser.add_argument("--results", type=Path, default=BENCHMARKS / "RESULTS.md")
    given = parser.parse_args()
    for name, usual, quick in (("rounds", 7, 1), ("seconds", 1.0, 0.05)):
        if getattr(given, name) is None:
            setattr(given, name, quick if given.quick else usual)
    return given


def _how(given: argparse.Namespace) -> str:
    quick = "**A smoke run (`--quick`): the figures mean little.** " if given.quick else ""
    return (
        f"{quick}`benchmarks/images.py`: one process a contestant, taking turns; {given.rounds} rounds. Medians, with "
        "the middle half of the rounds in brackets. All train the same network on the same 128 pictures a step in "
        "random order, in float32 unless another precision is named, under Adam at 1e-3. The pictures are drawn at "
        "random, because a step takes the same time whatever they show. Compiling is never timed. Of the two limits "
        "on threads, pools are set alike and each process is bound to as many cores."
    )


if __name__ == "__main__":
    main()
