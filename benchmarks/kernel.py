"""The kernel against a plain PyTorch loop and the fused plan, interleaved in one process: writes KERNEL.md.

The plain loop and the fused plan go step by step, as `training.loop` calls them; the kernel does whole runs, and also a
step at a time. Times are medians of rounds, ratios are of medians of the same rounds.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
import torch

from engines import plain_loop, rows, spread
from pellucid.engines.kernel.engine import KernelEngine
from pellucid.engines.kernel.runs import prepare, train_runs
from pellucid.network import mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training.engine import make_engine

NETWORKS = [((2, 5, 2, 1), 400), ((4, 10, 3), 120), ((10, 32, 32, 3), 256), ((54, 64, 64, 7), 256),
            ((54, 128, 64, 32, 7), 256)]  # fmt: skip
ROUNDS = 15
SECONDS = 0.1  # a way, a round
ADAM = Optimizer(name="adam")
START = """
import time
began = time.perf_counter()
import numba
imported = time.perf_counter()
from pellucid.engines.kernel.runs import prepare
prepare("float32")
print(imported - began, time.perf_counter() - imported)
"""


def main() -> None:
    """Measure and write."""
    torch.set_num_threads(1)
    for dtype in ("float32", "float64"):
        prepare(dtype)
    cores = len(os.sched_getaffinity(0))
    lines = [
        "# Small networks: the compiled run against a plain PyTorch loop and the fused plan",
        "",
        f"{cores} cores of an {platform.machine()} server processor with AVX-512, Python {platform.python_version()}, "
        f"PyTorch {torch.__version__}, Numba {numba.__version__}, NumPy {np.__version__}. Adam, full batch, one "
        f"thread, float32 where nothing else is said; medians of {ROUNDS} interleaved rounds in µs a step, with the "
        "middle half of the rounds in brackets. A whole run does not work out the value of the loss, which no update "
        "needs; the kernel a step at a time does, as do the others.",
        "",
        "| network | parameters | rows | plain loop | fused | kernel, a step at a time | kernel, whole runs "
        "| in float64 | whole runs against plain | against fused |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for widths, n in NETWORKS:
        lines.append(row_for(widths, n))
        print(lines[-1], flush=True)
    lines += ["", *circles(cores), "", *starting()]
    Path(__file__).with_name("KERNEL.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def row_for(widths: tuple[int, ...], n: int) -> str:
    """One line of the table."""
    ways = {
        "plain": each(plain_loop(widths, n, n)),
        "fused": each(step_of("fused", widths, n)),
        "step": each(step_of("kernel", widths, n)),
        "float32": run_of(widths, n, "float32"),
        "float64": run_of(widths, n, "float64"),
    }
    times = interleaved(ways)
    medians = {name: statistics.median(values) for name, values in times.items()}
    shown = [f"{medians[name]:,.2f} ({spread_of(values)})" for name, values in times.items()]
    against = [f"{medians[name] / medians['float32']:,.1f}×" for name in ("plain", "fused")]
    parameters = mlp(widths[0], widths[1:-1], widths[-1]).n_trainable
    return f"| {' | '.join(['-'.join(map(str, widths)), f'{parameters:,}', str(n), *shown, *against])} |"


def interleaved(ways: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    """µs a step of each way, a number a round; a way returns its own."""
    for way in ways.values():
        way()
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            times[name].append(way())
    return times


def each(step: Callable[[], object]) -> Callable[[], float]:
    """Repeat a step for a while."""

    def way() -> float:
        count, began = 0, time.perf_counter()
        while time.perf_counter() - began < SECONDS:
            step()
            count += 1
        return (time.perf_counter() - began) / count * 1e6

    return way


def loss_for(widths: tuple[int, ...]) -> Loss:
    """By the width of the output."""
    return Loss(name="bce" if widths[-1] == 1 else "cross_entropy")


def step_of(name: str, widths: tuple[int, ...], n: int) -> Callable[[], object]:
    """One step of an engine on all rows."""
    network = mlp(widths[0], widths[1:-1], widths[-1])
    first = initialise(network, 0)
    engine: Any
    if name == "kernel":
        engine = KernelEngine(network, loss_for(widths), ADAM, first)
    else:
        engine = make_engine(name, network, loss_for(widths), ADAM, first, device="cpu")
    engine.load_rows(*rows(widths, n))
    order = np.arange(n)
    return lambda: engine.step(order, [], 1e-3)


def run_of(widths: tuple[int, ...], n: int, dtype: str) -> Callable[[], float]:
    """A run of the kernel that takes about as long as a round."""
    network = mlp(widths[0], widths[1:-1], widths[-1])
    first, data, epochs = initialise(network, 0), rows(widths, n), 100

    def way() -> float:
        nonlocal epochs
        began = time.perf_counter()
        train_runs(network, loss_for(widths), ADAM, [first], *data, learning_rate=1e-3, epochs=epochs, dtype=dtype,
                   threads=1)  # fmt: skip
        took = time.perf_counter() - began
        micro = took / epochs * 1e6
        epochs = max(20, int(SECONDS / took * epochs))
        return micro

    return way


def circles(cores: int) -> list[str]:
    """The lottery of the circles: a hundred seeds on the study's own rows."""
    from pellucid.studies.tables import circles as study

    _, _, train, _ = study._data()
    network, loss = mlp(2, [5, 2], 1), Loss(name="bce")
    firsts = [initialise(network, seed, scheme="uniform") for seed in range(100)]
    ways = {
        f"{dtype}, {threads} thread{'s' * (threads > 1)}": (dtype, threads)
        for dtype in ("float32", "float64")
        for threads in sorted({1, cores})
    }

    def way(dtype: str, threads: int) -> Callable[[], float]:
        def go() -> float:
            began = time.perf_counter()
            train_runs(network, loss, ADAM, firsts, train.inputs, train.targets, learning_rate=0.01, epochs=150,
                       dtype=dtype, threads=threads)  # fmt: skip
            return (time.perf_counter() - began) * 1e3

        return go

    times = interleaved({name: way(*settings) for name, settings in ways.items()})
    lines = ["100 networks 2-5-2-1, 150 full-batch steps each on the circles' 400 rows, 100 first weights in hand:", ""]
    lines += ["| arithmetic | ms for all |", "|---|---:|"]
    lines += [f"| {name} | {statistics.median(t):,.1f} ({spread_of(t)}) |" for name, t in times.items()]
    print("\n".join(lines), flush=True)
    return lines


def starting() -> list[str]:
    """What the first run of a process waits for: once compiling, later loading."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(4):
            done = subprocess.run(
                [sys.executable, "-c", START], env={**os.environ, "NUMBA_CACHE_DIR": folder}, check=True,
                capture_output=True, text=True,
            )  # fmt: skip
            found.append([float(part) for part in done.stdout.split()])
    cold, warm = found[0], [statistics.median(part) for part in zip(*found[1:], strict=True)]
    lines = [
        f"The first run in one arithmetic compiles for {cold[1]:.1f} s, and the machine code is kept on disk. After "
        f"that a process waits {warm[0]:.2f} s to import Numba and {warm[1]:.2f} s to load it."
    ]
    print(lines[0], flush=True)
    return lines


def spread_of(values: list[float]) -> str:
    """The middle half, with decimals for small numbers."""
    if statistics.median(values) >= 100:
        return spread(values)
    low, _, high = statistics.quantiles(values, n=4)
    return f"{low:,.2f}–{high:,.2f}"


if __name__ == "__main__":
    main()
