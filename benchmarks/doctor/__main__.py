"""Put every fault into several tables, over many seeds, and publish what the doctor found.

    python -m benchmarks.doctor --seeds 20
    python -m benchmarks.doctor --seeds 2 --only leak,no-signal --tables titanic,digits

Writes ``benchmarks/DOCTOR.md``, where all faults are tried.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter, defaultdict

import numpy as np
from benchmarks.doctor.campaign import Tried, try_fault, try_healthy
from benchmarks.doctor.faults import FAULTS
from benchmarks.doctor.tables import DEVELOPMENT, HELD_OUT, case


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--only", default="")
    parser.add_argument("--tables", default="")
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--healthy", default="plain,quick,best")
    asked = parser.parse_args()
    tables = asked.tables.split(",") if asked.tables else list(HELD_OUT if asked.held_out else DEVELOPMENT)
    only = set(asked.only.split(",")) - {""}
    for fault in FAULTS:
        if only and fault.name not in only:
            continue
        began = time.time()
        done: dict[str, list[Tried]] = defaultdict(list)
        for name in tables:
            for seed in range(asked.seeds):
                one = case(name, seed)
                if not fault.suits(one):
                    break
                try:
                    done[name].append(try_fault(fault, one))
                except Exception as error:
                    print("   ", name, seed, type(error).__name__, str(error)[:200])
        every = [t for each in done.values() for t in each]
        names = {fault.name, *fault.also}
        hit = [bool(names & set(t.found)) for t in every]
        better = [t.after < t.before for t in every if np.isfinite(t.before) or np.isfinite(t.after)]
        others = Counter(n for t in every for n in t.found if n not in names)
        print(f"{fault.name:28s} found {np.mean(hit):.2f} of {len(hit)}  fix better {np.mean(better) if better else float('nan'):.2f} of {len(better)}  {time.time() - began:.0f}s  others {dict(others)}")
        for name, each in done.items():
            print("     ", name, f"{np.mean([bool(names & set(t.found)) for t in each]):.2f}", f"{np.mean([t.after < t.before for t in each]):.2f}", [(round(t.before, 3), round(t.after, 3)) for t in each[:3]])
    for preset in asked.healthy.split(",") if asked.healthy and not only else ():
        counts: Counter[str] = Counter()
        where: dict[str, Counter[str]] = defaultdict(Counter)
        n = 0
        for name in tables:
            for seed in range(asked.seeds):
                tried = try_healthy(case(name, seed), preset)
                n += 1
                counts.update(set(tried.found))
                for each in set(tried.found):
                    where[each][name] += 1
        print(f"healthy {preset}: {n} runs", {k: (round(v / n, 3), dict(where[k])) for k, v in counts.most_common()})


main()
