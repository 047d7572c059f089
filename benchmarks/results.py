"""Pellucid against what one might use instead, in one command: writes RESULTS.md.

    python benchmarks/results.py [--quick] [--threads 2] [--rounds 7] [--fit-rounds 3] [--data FOLDER] [--only steps …]

One process a contestant, kept alive; only one of them works at a time, and they take turns. Who is not installed or
fails is shown as such and stops nobody. The file is written anew after each part, so that an interrupted run leaves
what it has.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from peers.data_sets import make
from peers.entries import ENTRIES, MIXED, Entry, entry
from peers.host import BENCHMARKS
from peers.job import Job
from peers.limits import all_cores
from peers.measure import cold_fits, fits, steps
from peers.report import Results, written

PARTS = ("steps", "fits", "cold", "mixed")
STEPS = (
    Job(name="2-5-2-1", widths=(2, 5, 2, 1), batch=400, rows=400),
    Job(name="4-10-3", widths=(4, 10, 3), batch=120, rows=120),
    Job(name="54-128-64-32-7", widths=(54, 128, 64, 32, 7), batch=256, rows=2048),
    Job(name="784-256-128-10", widths=(784, 256, 128, 10), batch=64, rows=1024),
    Job(name="784-1024-1024-10", widths=(784, 1024, 1024, 10), batch=512, rows=2048),
)
FITS = {  # hidden widths, rows a step, epochs, dropout
    "adult": ((64, 32), 256, 10, 0.0),
    "covtype_20k": ((128, 64, 32), 256, 10, 0.0),
    "mnist": ((256, 128), 64, 5, 0.2),
}
MANY = 100_000  # rows
QUICK = ("fused", "plain", "sklearn", "jax")  # whose processes a smoke run starts cold


def main() -> None:
    """Measure and write."""
    given = arguments()
    began = time.perf_counter()

    def say(text: str) -> None:
        print(f"{time.perf_counter() - began:6.0f} s  {text}", flush=True)

    entries = tuple(entry(name) for name in given.contestants) if given.contestants else ENTRIES
    results = Results(threads=given.threads, how=_how(given))
    with tempfile.TemporaryDirectory() as folder:
        for part in given.only:
            measure_part(part, given, entries, results, Path(folder), say)
            given.out.write_text(written(results), encoding="utf-8")
    say(f"written to {given.out.name}")


def arguments() -> argparse.Namespace:
    """The command line."""
    data = os.environ.get("PELLUCID_DATA") or BENCHMARKS.parents[1] / "shared" / "data"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=all_cores(), help="for everybody; else one a core")
    parser.add_argument("--rounds", type=int, help="of steps and predictions; else 7")
    parser.add_argument("--fit-rounds", type=int, help="of whole fits and processes; else 3")
    parser.add_argument("--seconds", type=float, help="of a round of steps; else 0.3")
    parser.add_argument("--data", type=Path, default=Path(data), help="the folder of real tables; else PELLUCID_DATA")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--contestants", nargs="+", choices=[who.name for who in ENTRIES])
    parser.add_argument("--quick", action="store_true", help="a few networks and rounds: does everything run?")
    parser.add_argument("--out", type=Path, default=BENCHMARKS / "RESULTS.md")
    given = parser.parse_args()
    for name, usual, quick in (("rounds", 7, 2), ("fit_rounds", 3, 1), ("seconds", 0.3, 0.05)):
        if getattr(given, name) is None:
            setattr(given, name, quick if given.quick else usual)
    return given


def measure_part(
    part: str, given: argparse.Namespace, entries: Sequence[Entry], results: Results, folder: Path, say: object
) -> None:
    """One part of the benchmark, into ``results``."""
    assert callable(say)
    if part == "steps":
        for job in STEPS[:1] if given.quick else STEPS:
            job = replace(job, threads=given.threads)  # noqa: PLW2901
            found = steps(job, entries, rounds=given.rounds, seconds=given.seconds, say=say)
            results.steps[f"{job.name}, {job.batch}"] = found
    elif part == "mixed":
        made = make("adult-mixed", given.data, folder / "mixed")
        if made is None:
            results.left_out.append(f"mixed columns: there is no folder {given.data.name}/adult")
            return
        job = Job(name="mixed", widths=(12, 64, 32, 1), batch=256, folder=str(folder / "mixed"), threads=given.threads)
        many = MANY // 10 if given.quick else MANY
        sizes = ("1", "1000 dicts", f"{many} dicts", f"{many} columns")
        results.mixed_fit, found = fits(
            job, MIXED, rounds=given.fit_rounds, say=say, sizes=sizes, seconds=given.seconds, answer_rounds=given.rounds
        )
        names = ("1 row", "1,000 rows as dicts", f"{many:,} rows as dicts", f"{many:,} rows as columns")
        results.mixed = dict(zip(names, found.values(), strict=True))
    else:
        for name in ("adult",) if given.quick or part == "cold" else FITS:
            job = fit_job(name, given, folder)
            if job is None:
                results.left_out.append(f"{name}: there is no such folder in {given.data.name}")
            elif part == "cold":
                few = [who for who in entries if who.name in QUICK] if given.quick else entries
                results.cold = cold_fits(replace(job, epochs=1), few, rounds=given.fit_rounds, say=say)
            else:
                many = MANY // 10 if given.quick else MANY
                sizes = ("1", str(many)) if name == "adult" else ()
                job = replace(job, epochs=1) if given.quick else job
                results.fits[name], found = fits(
                    job,
                    entries,
                    rounds=given.fit_rounds,
                    say=say,
                    sizes=sizes,
                    seconds=given.seconds,
                    answer_rounds=given.rounds,
                )
                results.answers |= {f"{int(size):,} {'row' if size == '1' else 'rows'}": f for size, f in found.items()}


def fit_job(name: str, given: argparse.Namespace, folder: Path) -> Job | None:
    """A whole fit of a real set, whose arrays are made at the first call."""
    arrays = folder / name
    made = make(name, given.data, arrays)
    if made is None:
        return None
    hidden, batch, epochs, dropout = FITS[name]
    _, inputs, classes = made
    widths = (inputs, *hidden, 1 if classes == 2 else classes)
    return Job(
        name=name, widths=widths, batch=batch, epochs=epochs, dropout=dropout, folder=str(arrays), threads=given.threads
    )


def _how(given: argparse.Namespace) -> str:
    quick = "**A smoke run (`--quick`): the figures mean little.** " if given.quick else ""
    return (
        f"{quick}`make bench`: one process a contestant, taking turns; {given.rounds} rounds of steps and "
        f"{given.fit_rounds} of whole fits. Medians, with the middle half of the rounds in brackets. All see the same "
        "rows and the same network (ReLU) with the same batch size and number of epochs, in float32, under Adam at "
        "1e-3; nobody validates, logs or saves. Thread pools are set alike and each process is bound to as many cores, "
        "because XLA follows no setting of its own everywhere; compilers may use further threads on these cores."
    )


if __name__ == "__main__":
    main()
