"""Our engines against a plain PyTorch loop, a step at a time, interleaved in one process: writes ENGINES.md.

The plain loop is what a tutorial writes: module, loss, ``zero_grad``, ``backward``, ``optimizer.step``, on batches that
are tensors already. Times are medians of rounds, ratios are of medians of the same rounds.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import nn

from pellucid.network import mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training.batches import batches
from pellucid.training.engine import make_engine

NETWORKS = [
    ((2, 5, 2, 1), 400, 400),
    ((4, 10, 3), 120, 120),
    ((54, 128, 64, 32, 7), 256, 2048),
    ((784, 256, 128, 10), 64, 1024),
    ((784, 1024, 1024, 10), 512, 2048),
]
ROUNDS = 15
SECONDS = 0.15  # an engine, a round


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, nargs="+", default=[1, len(os.sched_getaffinity(0))])
    threads = sorted(set(parser.parse_args().threads))
    lines = [
        "# A training step: our engines against a plain PyTorch loop",
        "",
        f"{len(os.sched_getaffinity(0))} cores of an {platform.machine()} server processor with AVX-512, "
        f"Python {platform.python_version()}, PyTorch {torch.__version__}, NumPy {np.__version__}. float32, Adam, "
        f"medians of {ROUNDS} interleaved rounds in µs a step, with the middle half of the rounds in brackets.",
        "",
        "| network | rows a step | threads | plain loop | torch engine | fused | fused against plain |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for widths, size, n_rows in NETWORKS:
        for count in threads:
            torch.set_num_threads(count)
            times = measure(widths, size, n_rows)
            shown = [f"{statistics.median(t):,.0f} ({spread(t)})" for t in times.values()]
            ratio = statistics.median(times["plain"]) / statistics.median(times["fused"])
            cells = ["-".join(map(str, widths)), str(size), str(count), *shown, f"{ratio:.1f}×"]
            lines.append(f"| {' | '.join(cells)} |")
            print(lines[-1], flush=True)
    Path(__file__).with_name("ENGINES.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def measure(widths: tuple[int, ...], size: int, n_rows: int) -> dict[str, list[float]]:
    """Seconds × 10⁶ a step of each engine, a number a round."""
    steps = {"plain": plain_loop(widths, size, n_rows)}
    steps |= {name: engine_step(name, widths, size, n_rows) for name in ("torch", "fused")}
    times: dict[str, list[float]] = {name: [] for name in steps}
    for step in steps.values():
        for _ in range(3):
            step()
    for _ in range(ROUNDS):
        for name, step in steps.items():
            count, began = 0, time.perf_counter()
            while time.perf_counter() - began < SECONDS:
                step()
                count += 1
            times[name].append((time.perf_counter() - began) / count * 1e6)
    return times


def rows(widths: tuple[int, ...], n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets drawn at random."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(n_rows, widths[0])).astype(np.float32)
    if widths[-1] == 1:
        return x, generator.integers(0, 2, (n_rows, 1)).astype(np.float32)
    return x, generator.integers(0, widths[-1], n_rows)


def engine_step(name: str, widths: tuple[int, ...], size: int, n_rows: int) -> Callable[[], object]:
    """One step of our engine on the next batch."""
    network = mlp(widths[0], widths[1:-1], widths[-1])
    loss = Loss(name="bce" if widths[-1] == 1 else "cross_entropy")
    engine = make_engine(name, network, loss, Optimizer(name="adam"), initialise(network, 0), device="cpu")
    engine.load_rows(*rows(widths, n_rows))
    order = list(batches(n_rows, size, 0, 0))
    place = iter(range(10**12))
    return lambda: engine.step(order[next(place) % len(order)], [], 1e-3)


def plain_loop(widths: tuple[int, ...], size: int, n_rows: int) -> Callable[[], object]:
    """One step of the loop that everybody writes."""
    layers: list[nn.Module] = []
    for i, (inputs, outputs) in enumerate(pairwise(widths)):
        layers += [nn.Linear(inputs, outputs), *([nn.ReLU()] if i < len(widths) - 2 else [])]
    model = nn.Sequential(*layers)
    criterion = nn.BCEWithLogitsLoss() if widths[-1] == 1 else nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    x, y = (torch.from_numpy(a) for a in rows(widths, n_rows))
    parts = list(zip(x.split(size), y.split(size), strict=True))
    place = iter(range(10**12))

    def step() -> None:
        inputs, targets = parts[next(place) % len(parts)]
        optimizer.zero_grad()
        loss = criterion(model(inputs), targets)
        loss.backward()
        optimizer.step()

    return step


def spread(values: list[float]) -> str:
    """The middle half."""
    low, _, high = statistics.quantiles(values, n=4)
    return f"{low:,.0f}–{high:,.0f}"


if __name__ == "__main__":
    main()
