"""What the doctor's snapshots cost: training with and without them, interleaved in one process. Writes RECORDING.md.

    OMP_NUM_THREADS=1 python benchmarks/recording.py

Times are of the processor, so that other work on the machine counts less.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from pathlib import Path

import numpy as np
import torch

from pellucid.engines.fused.engine import FusedEngine
from pellucid.network import mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training.loop import Plan, Rows, fit
from pellucid.training.signals import SnapshotRecorder

CASES = [
    # widths, training rows, rows a batch, epochs
    ((4, 10, 3), 120, 16, 200),
    ((54, 128, 64, 32, 7), 12_000, 256, 20),
    ((784, 256, 128, 10), 12_000, 64, 8),
    ((784, 1024, 1024, 10), 6_000, 256, 4),
]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    rows = [_measured(*case, asked.rounds) for case in CASES]
    lines = [
        "# What the doctor's snapshots cost",
        "",
        f"{len(os.sched_getaffinity(0))} cores of an {platform.machine()} server processor, Python "
        f"{platform.python_version()}, PyTorch {torch.__version__}, NumPy {np.__version__}. The fused engine, float32,",
        f"Adam, one thread; medians of {asked.rounds} interleaved rounds of processor time. A look is taken before",
        "training, after epochs 1, 2, 3, 4, 7, 8, 15, 16, …, on 128 rows.",
        "",
        "| network | rows | batch | epochs | training (s) | with snapshots | quartiles of the ratio |",
        "|---|---:|---:|---:|---:|---:|---|",
        *rows,
    ]
    (Path(__file__).parent / "RECORDING.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _measured(widths: tuple[int, ...], n: int, batch: int, epochs: int, rounds: int) -> str:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(n, widths[0])).astype(np.float32)
    rows = Rows(inputs=inputs, targets=rng.integers(0, widths[-1], n))
    network, loss = mlp(widths[0], list(widths[1:-1]), widths[-1]), Loss(name="cross_entropy")
    plan = Plan(learning_rate=1e-3, batch_size=batch, epochs=epochs)
    held = rows.take(np.arange(min(n, 1_000)))

    def train(*, looking: bool) -> float:
        engine = FusedEngine(network, loss, Optimizer(name="adam"), initialise(network, seed=0), "float32", "cpu")
        began = time.process_time()
        recorder = SnapshotRecorder(network, loss, rows)
        if looking:
            recorder.after(0, engine.parameters)
        fit(
            engine, rows, held, plan,
            on_epoch=lambda line: recorder.after(line.epoch, engine.parameters) if looking else None,
        )  # fmt: skip
        return time.process_time() - began

    train(looking=True)
    pairs = [(train(looking=False), train(looking=True)) for _ in range(rounds)]
    ratios = sorted(seen / unseen for unseen, seen in pairs)
    quartiles = f"{ratios[len(ratios) // 4] - 1:+.1%} to {ratios[3 * len(ratios) // 4] - 1:+.1%}"
    seconds = statistics.median(unseen for unseen, _ in pairs)
    name = "-".join(map(str, widths))
    cost = f"{statistics.median(ratios) - 1:+.1%}"
    return f"| {name} | {n:,} | {batch} | {epochs} | {seconds:.2f} | {cost} | {quartiles} |"


if __name__ == "__main__":
    main()
