"""How long all contestants of accuracy.py take, timed in one run: writes accuracy_times.jsonl.

    python benchmarks/accuracy_times.py [--data FOLDER] [--minutes 18] [--limit SECONDS] [--times FILE]

One fit at a time, each a process of its own on one thread, all contestants of a table one after another, seed 0. After
so many minutes no further table is begun; what is there is a run. A new run replaces the file, so that times of two
runs are never mixed; accuracy.py --report-only then writes the report.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from accuracy_peers.contestants import CONTESTANTS, available
from accuracy_peers.jobs import add, run_one
from accuracy_peers.tables import TABLES
from accuracy_peers.times import in_turn, source_commit, today

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("PELLUCID_DATA") or HERE.parents[1] / "shared" / "data")


def main() -> None:
    """Time everybody who is installed, on the tables that are there."""
    given = arguments()
    there = [name for name in TABLES if (given.data / name / TABLES[name].file).exists()]
    if not there:
        raise SystemExit(f"--data: none of the tables is in {given.data}; give the folder of real tables")
    here = [who.name for who in CONTESTANTS if available(who)]
    print(f"not installed: {', '.join(who.name for who in CONTESTANTS if who.name not in here) or 'nobody'}")
    given.times.unlink(missing_ok=True)
    began, table = time.perf_counter(), ""
    stamp = {"date": today(), "commit": source_commit()}
    with tempfile.TemporaryDirectory() as answers:
        for key in in_turn(there, here):
            past = time.perf_counter() - began
            if key[0] != table and past > 60 * given.minutes:
                break
            table = key[0]
            line = run_one(key, data=given.data.resolve(), answers=Path(answers), limit=given.limit)
            if line is None:
                raise SystemExit("stopped; what was timed is kept")
            add(given.times, {**line, **stamp})
            print(f"{past:6.0f} s  {key[0]} {key[2]}: {line.get('fit_cpu_s', line['status'])}", flush=True)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=SHARED, help="the folder of real tables; else PELLUCID_DATA")
    parser.add_argument("--minutes", type=float, default=18.0, help="after these no further table is begun")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds that a fit may take")
    parser.add_argument("--times", type=Path, default=HERE / "accuracy_times.jsonl")
    given = parser.parse_args()
    for name in ("minutes", "limit"):
        if getattr(given, name) <= 0:
            parser.error(f"--{name} must be above 0, got {getattr(given, name)}")
    return given


if __name__ == "__main__":
    main()
