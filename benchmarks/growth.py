"""How time and memory grow with rows, width and depth, ours beside the plain PyTorch loop: GROWTH.md and growth.png.

    python benchmarks/growth.py [--quick] [--threads 2]

Each point is a process of its own, so that its peak memory is its own. A point that would take more than a minute an
epoch or more than 8 GiB, going by the one before, is left out and said to be.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from peers.entries import entry
from peers.host import BENCHMARKS, Worker
from peers.job import Job
from peers.limits import all_cores
from peers.machine import described
from peers.summary import number
from peers.tables import grid

CONTESTANTS = ("fused", "kernel_runs", "plain")
COLORS = {"fused": "#0b5fa5", "kernel_runs": "#1a9850", "plain": "#d95f02"}
MARKERS = {"fused": "o", "kernel_runs": "^", "plain": "s"}
SECONDS, MEMORY = 60.0, 8 * 1024.0  # an epoch; MiB
COLUMNS, CLASSES, BATCH, ROWS = 20, 3, 256, 10_000


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """One direction of growth."""

    name: str
    axis: str
    values: tuple[int, ...]
    job: Callable[[int], Job]
    cost: Callable[[int], float]  # what time and memory grow with, at most


@dataclass(frozen=True, kw_only=True)
class Point:
    """What one process showed; ``reason`` says why there is nothing."""

    value: int
    seconds: float = 0.0
    mib: float = 0.0
    reason: str = ""


def job_of(rows: int = ROWS, hidden: tuple[int, ...] = (64, 32)) -> Job:
    """One epoch over rows drawn at random."""
    return Job(name="growth", widths=(COLUMNS, *hidden, CLASSES), batch=BATCH, rows=rows)


SWEEPS = (
    Sweep(
        name="rows",
        axis=f"rows ({COLUMNS} columns, hidden 64-32)",
        values=(10**3, 10**4, 10**5, 10**6, 10**7),
        job=lambda rows: job_of(rows=rows),
        cost=float,
    ),
    Sweep(
        name="width",
        axis=f"width of both hidden layers ({ROWS:,} rows)",
        values=(32, 64, 128, 256, 512, 1024, 2048, 4096),
        job=lambda width: job_of(hidden=(width, width)),
        cost=lambda width: float(width**2),
    ),
    Sweep(
        name="depth",
        axis=f"hidden layers of 64 ({ROWS:,} rows)",
        values=(1, 2, 4, 8, 16, 32),
        job=lambda depth: job_of(hidden=(64,) * depth),
        cost=float,
    ),
)


def main() -> None:
    """Measure, draw and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=all_cores())
    parser.add_argument("--rounds", type=int, default=3, help="epochs timed at a point, after one that is not")
    parser.add_argument("--quick", action="store_true", help="a few small points: does everything run?")
    parser.add_argument("--out", type=Path, default=BENCHMARKS, help="the folder for GROWTH.md and growth.png")
    given = parser.parse_args()
    sweeps = [replace(s, values=s.values[:3]) for s in SWEEPS] if given.quick else SWEEPS
    rounds = 1 if given.quick else given.rounds
    began = time.perf_counter()
    found: dict[str, dict[str, list[Point]]] = {}
    for sweep in sweeps:
        found[sweep.name] = run(sweep, given.threads, rounds)
        print(f"{time.perf_counter() - began:6.0f} s  {sweep.name}", flush=True)
    (given.out / "GROWTH.md").write_text(text(sweeps, found, given.threads, quick=given.quick), encoding="utf-8")
    draw(sweeps, found, given.out / "growth.png")


def run(sweep: Sweep, threads: int, rounds: int) -> dict[str, list[Point]]:
    """All points of a sweep, the contestants in turn."""
    found: dict[str, list[Point]] = {name: [] for name in CONTESTANTS}
    for value in sweep.values:
        for name, points in found.items():
            before = points[-1] if points else None
            reason = too_much(before, sweep.cost(value) / sweep.cost(before.value)) if before else ""
            job = replace(sweep.job(value), threads=threads)
            points.append(Point(value=value, reason=reason) if reason else measure(name, job, value, rounds))
    return found


def too_much(before: Point, growth: float) -> str:
    """Why the next point is left out, going by the one before; nothing where it is not.

    >>> too_much(Point(value=10, seconds=9.0, mib=100.0), 10)
    'would take about 90 s an epoch'
    >>> too_much(Point(value=10, seconds=1.0, mib=100.0), 10)
    ''
    """
    if before.reason:
        return before.reason
    if before.seconds * growth > SECONDS:
        return f"would take about {before.seconds * growth:.0f} s an epoch"
    if before.mib * growth > MEMORY and before.mib > MEMORY / 50:
        return f"would take about {before.mib * growth / 1024:.0f} GiB"
    return ""


def measure(name: str, job: Job, value: int, rounds: int) -> Point:
    """A point, in a process of its own."""
    worker = Worker(entry(name), job)
    try:
        worker.prepare(job)
        replies = [worker.ask({"do": "fit"})]
        if worker.status == "ok" and replies[0]["seconds"] < SECONDS / (rounds + 1):
            replies = [worker.ask({"do": "fit"}) for _ in range(rounds)]
        if worker.status != "ok":
            return Point(value=value, reason=worker.status)
        seconds = statistics.median(reply["seconds"] for reply in replies)
        return Point(value=value, seconds=seconds, mib=replies[-1]["peak_mib"] - worker.prepared["import_mib"])
    finally:
        worker.close()


def text(sweeps: Sequence[Sweep], found: dict[str, dict[str, list[Point]]], threads: int, *, quick: bool) -> str:
    """GROWTH.md."""
    lines = ["# Growth: an epoch and its memory against rows, width and depth", "", described(threads), ""]
    lines += ["**A smoke run (`--quick`): the figures mean little.**", ""] if quick else []
    lines += [
        f"Tables drawn at random, {COLUMNS} columns, {CLASSES} classes, batches of {BATCH}, Adam, float32. A whole "
        "epoch with new weights, in random order; memory is the peak of the process less what it was after importing, "
        "the table included. A run of ours first measures which threads and products are fastest, here for a tenth to "
        "half a second from a width of 256 on, which one epoch of 40 steps does not earn back; a step by itself is 1.2 "
        f"to 1.5 times as fast there. Points over {SECONDS:.0f} s or {MEMORY / 1024:.0f} GiB are left out.",
        "",
        "![Three panels](growth.png)",
        "",
    ]
    for sweep in sweeps:
        of = found[sweep.name]
        names = [name for name in CONTESTANTS if any(not p.reason for p in of[name])]
        labels = [entry(name).label.strip("*") for name in names]
        head = [sweep.axis, *(f"{label}, s" for label in labels), "plain / fused", *(f"{x}, MiB" for x in labels)]
        rows = []
        for i, value in enumerate(sweep.values):
            points = {name: of[name][i] for name in names}
            both = [points.get(name) for name in ("plain", "fused")]
            ratio = f"{both[0].seconds / both[1].seconds:.2f}×" if all(p and not p.reason for p in both) else "–"
            cells = [number(p.seconds) if not p.reason else "–" for p in points.values()]
            memory = [f"{p.mib:,.0f}" if not p.reason else "–" for p in points.values()]
            rows.append([f"{value:,}", *cells, ratio, *memory])
        lines += [f"## {sweep.name.capitalize()}", "", *grid(head, rows), ""]
        # What is left out once is left out from there on, for the same reason.
        out = {name: next((p for p in of[name] if p.reason), None) for name in CONTESTANTS}
        told = [f"- {entry(name).label.strip('*')} from {p.value:,} on: {p.reason}." for name, p in out.items() if p]
        lines += [*told, ""] if told else []
    return "\n".join(lines).rstrip() + "\n"


def draw(sweeps: Sequence[Sweep], found: dict[str, dict[str, list[Point]]], path: Path) -> None:
    """A panel a sweep: time above, memory below, both axes logarithmic with plain numbers."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(2, len(sweeps), figsize=(14, 7.2), sharex="col", constrained_layout=True)
    for column, sweep in enumerate(sweeps):
        for panel, kind in zip(panels[:, column], ("seconds", "mib"), strict=True):
            for name in CONTESTANTS:
                points = [p for p in found[sweep.name][name] if not p.reason]
                heights = [max(getattr(p, kind), 1e-6) for p in points]
                style = {"color": COLORS[name], "marker": MARKERS[name], "label": entry(name).label.strip("*")}
                panel.plot([p.value for p in points], heights, **style)
            panel.set_xscale("log")
            panel.set_yscale("log")
            low, high = panel.get_ylim()  # whole powers of ten, so that there are at least two to read
            panel.set_ylim(10 ** math.floor(math.log10(low)), 10 ** math.ceil(math.log10(high)))
            panel.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
            panel.yaxis.set_minor_formatter("")
            panel.grid(alpha=0.3)
        panels[0, column].set_title(f"Against {sweep.name}")
        panels[1, column].set_xlabel(sweep.axis)
        panels[1, column].set_xticks(sweep.values, [_short(value) for value in sweep.values], rotation=0)
        panels[1, column].minorticks_off()
    panels[0, 0].set_ylabel("seconds an epoch")
    panels[1, 0].set_ylabel("memory beyond the imports, MiB")
    lines, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(lines, labels, loc="outside upper center", ncols=len(labels), frameon=False)
    figure.savefig(path, dpi=110)


def _short(value: int) -> str:
    """A number for an axis.

    >>> _short(64), _short(4096), _short(10_000_000)
    ('64', '4,096', '10⁷')
    """
    power = len(str(value)) - 1
    if value >= 1000 and value == 10**power:
        return "10" + str(power).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{value:,}"


if __name__ == "__main__":
    main()
