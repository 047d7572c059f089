"""Put every fault into several tables, over many seeds, beside healthy trainings, and publish what the doctor found.

    python -m benchmarks.doctor                      # two hours: 20 seeds; a campaign that was stopped goes on
    python -m benchmarks.doctor --development --seeds 3 --only leak --out elsewhere

Every training is a line of ``doctor.jsonl``; ``DOCTOR.md`` is written from all of them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.doctor.campaign import try_fault, try_healthy
from benchmarks.doctor.faults import FAULTS, Fault
from benchmarks.doctor.page import write_page
from benchmarks.doctor.tables import DEVELOPMENT, HELD_OUT, Case, case

HERE = Path(__file__).resolve().parent
TABLES_A_FAULT = 4
PRESETS = ("plain", "quick", "best")


def main() -> None:
    """Parse, go on where the lines end, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="the first seed, where several processes share the work")
    parser.add_argument("--only", default="", help="names of faults, or 'healthy', with commas between")
    parser.add_argument("--development", action="store_true", help="the tables that thresholds were chosen on")
    parser.add_argument("--out", type=Path, default=HERE)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    lines = asked.out / "doctor.jsonl"
    done = _read(lines)
    tables = DEVELOPMENT if asked.development else HELD_OUT
    only = set(asked.only.split(",")) - {""}
    with lines.open("a", encoding="utf-8") as stream:
        for what, name, seed, make in _trainings(tables, range(asked.first, asked.first + asked.seeds), only):
            if (what, name, seed) in done:
                continue
            tried = make()
            stream.write(json.dumps({"what": what, **asdict(tried)}) + "\n")
            stream.flush()
    write_page(asked.out / "DOCTOR.md", lines, HERE / "planted.jsonl")


def _trainings(tables: tuple[str, ...], seeds: range, only: set[str]) -> Iterator[tuple[str, str, int, Any]]:
    """What to train, on which table, with which seed; seed by seed, so that a campaign that is stopped is even."""
    for seed in seeds:
        cases = {name: case(name, seed) for name in tables}
        for preset in PRESETS if not only or "healthy" in only else ():
            for name, one in cases.items():
                yield f"healthy {preset}", name, seed, lambda one=one, preset=preset: try_healthy(one, preset)
        for place, fault in enumerate(FAULTS):
            if only and fault.name not in only:
                continue
            for one in _of_fault(fault, place, cases):
                label = f"{place:02d} {fault.name}"
                yield label, one.name, seed, lambda one=one, fault=fault: try_fault(fault, one)


def _of_fault(fault: Fault, place: int, cases: dict[str, Case]) -> list[Case]:
    """At most four tables that suit, others for each fault."""
    names = list(cases)
    turned = names[place % len(names) :] + names[: place % len(names)]
    return [cases[name] for name in turned if fault.suits(cases[name])][:TABLES_A_FAULT]


def _read(lines: Path) -> set[tuple[str, str, int]]:
    if not lines.exists():
        return set()
    found = (json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines())
    return {(each["what"], each["table"], each["seed"]) for each in found}


if __name__ == "__main__":
    main()
