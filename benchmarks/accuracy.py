"""How right Pellucid is beside what one might use instead: adds to accuracy.jsonl, writes ACCURACY.md.

    python benchmarks/accuracy.py [--data FOLDER] [--tables …] [--seeds 0 1 2] [--contestants …] [--jobs 1]
                                  [--again NAME …] [--limit SECONDS] [--report-only]

Every fit is a process of its own on one thread, ended at a time limit. What stands in accuracy.jsonl is not run again
unless asked, so an interrupted run goes on where it was. Who is not installed is left out, and the report says so.
The report's times come from accuracy_times.py, which times all contestants in one run.
"""

from __future__ import annotations

import argparse
import os
import time
from functools import partial
from pathlib import Path

from accuracy_peers.comparison import peers_of
from accuracy_peers.contestants import CONTESTANTS, OURS, available
from accuracy_peers.jobs import SEEDS, Key, Line, ordered, read, run, run_one
from accuracy_peers.paired import outcomes, tallied
from accuracy_peers.report import written
from accuracy_peers.tables import TABLES
from accuracy_peers.times import source_commit, today

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("PELLUCID_DATA") or HERE.parents[1] / "shared" / "data")


def main() -> None:
    """Measure what is missing, and write."""
    given = arguments()
    if not given.report_only:
        try:
            measure(given)
        except KeyboardInterrupt:
            raise SystemExit("stopped; what is measured is kept, and the same command goes on") from None
    results = read(given.results)
    peers = peers_of([who.name for who in CONTESTANTS])
    tested = {who: outcomes(given.answers, results, who, peers) for who in OURS}
    tallies = tallied(tested, results, peers, given.results.with_name("accuracy_paired.json"))
    given.out.write_text(written(results, read(given.times), tallies), encoding="utf-8")
    print(f"written to {given.out.name}")


def arguments() -> argparse.Namespace:
    """The command line."""
    names = [who.name for who in CONTESTANTS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=SHARED, help="the folder of real tables; else PELLUCID_DATA")
    parser.add_argument("--tables", nargs="+", choices=sorted(TABLES), default=sorted(TABLES))
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--contestants", nargs="+", choices=names, default=names)
    parser.add_argument("--jobs", type=int, default=1, help="fits at a time")
    parser.add_argument("--again", nargs="+", choices=names, default=[], help="run these anew")
    parser.add_argument("--limit", type=float, default=3600.0, help="seconds that a fit may take")
    parser.add_argument("--report-only", action="store_true")
    parser.add_argument("--results", type=Path, default=HERE / "accuracy.jsonl")
    parser.add_argument("--times", type=Path, default=HERE / "accuracy_times.jsonl", help="of accuracy_times.py")
    parser.add_argument("--answers", type=Path, default=HERE.parent / "runs" / "accuracy", help="kept for paired tests")
    parser.add_argument("--out", type=Path, default=HERE / "ACCURACY.md")
    given = parser.parse_args()
    for name in ("jobs", "limit"):
        if getattr(given, name) <= 0:
            parser.error(f"--{name} must be above 0, got {getattr(given, name)}")
    given.there = [name for name in given.tables if (given.data / name / TABLES[name].file).exists()]
    if not given.there and not given.report_only:
        parser.error(f"--data: none of the tables is in {given.data}; give the folder of real tables")
    return given


def measure(given: argparse.Namespace) -> None:
    """Everything asked for that can be run here and has not been."""
    began = time.perf_counter()

    def say(text: str) -> None:
        print(f"{time.perf_counter() - began:7.0f} s  {text}", flush=True)

    here = [who.name for who in CONTESTANTS if who.name in given.contestants and available(who)]
    for name in given.contestants:
        if name not in here:
            say(f"{name} is not to be had here, and left out")
    for name in given.tables:
        if name not in given.there:
            say(f"{name} is not in {given.data.name}, and left out")
    keys = ordered(given.there, given.seeds, here, read(given.results))
    fit = partial(run_one, data=given.data.resolve(), answers=given.answers.resolve(), limit=given.limit)
    commit = source_commit()

    def work(key: Key) -> Line | None:
        line = fit(key)
        return line and {**line, "date": today(), "commit": commit}

    run(keys, given.results, work=work, jobs=given.jobs, again=given.again, say=say)


if __name__ == "__main__":
    main()
