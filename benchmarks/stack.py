"""Networks in a stack against one after another in the fused plan, interleaved in one process: writes STACK.md.

First a step of training alone; then whole runs with batches, validation and history, `fit_many` against `fit`.
Times are medians of rounds, ratios are of medians of the same rounds.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from pellucid.engines.fused.engine import FusedEngine
from pellucid.engines.fused.stack import StackEngine
from pellucid.network import Network, mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training.batches import batches
from pellucid.training.loop import Plan, Rows, fit
from pellucid.training.many import fit_many, worth_stacking

NETWORKS = [
    ((2, 5, 2, 1), 400, 400),
    ((4, 10, 3), 120, 120),
    ((4, 10, 3), 16, 120),
    ((64, 64, 10), 64, 1024),
    ((64, 64, 10), 1024, 1024),
    ((54, 128, 64, 32, 7), 64, 1024),
    ((54, 128, 64, 32, 7), 256, 1024),
    ((784, 256, 128, 10), 64, 1024),
]
MANY = (1, 4, 16, 64)
ADAM = Optimizer(name="adam")


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    lines = [
        "# A stack of networks against one after another",
        "",
        f"{len(os.sched_getaffinity(0))} cores of an {platform.machine()} server processor, Python "
        f"{platform.python_version()}, PyTorch {torch.__version__}. float32, Adam, medians of {asked.rounds} "
        "interleaved rounds of processor time (other work was going on), on one thread. K networks learn together; the "
        "ratios say how many times faster that is than the fused plan one network after another (below 1: slower).",
        "",
        "## A step",
        "",
        "`one` is a step of one network in the fused plan; each network of the stack has its own rows, but for full "
        "batches. `worth it` is what `worth_stacking` answers.",
        "",
        f"| network | parameters | rows a step | one, µs | {' | '.join(f'K = {k}' for k in MANY)} | worth it |",
        f"|---|---:|---:|---:|{'---:|' * len(MANY)}---|",
    ]
    for widths, size, n_rows in NETWORKS:
        network = mlp(widths[0], widths[1:-1], widths[-1])
        one, ratios = steps(network, size, n_rows, asked.rounds)
        cells = ["-".join(map(str, widths)), f"{network.n_trainable:,}", str(size), f"{one:,.0f}"]
        cells += [*(f"{ratio:.2f}×" for ratio in ratios), "yes" if worth_stacking(network, size) else "no"]
        lines.append(f"| {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    lines += [
        "",
        "A stack of one is slower than the fused plan, which has less to look after. From four on it is faster where "
        "parameters × rows stay below 2,000,000; beyond, the products of matrices take nearly all the time and are the "
        "same, and many weights at once no longer fit into the caches.",
        "",
        "## Whole runs",
        "",
        "10 epochs with a validation set as large as the training set; `one` is a run of `fit`.",
        "",
        f"| network | rows a step | rows | one, ms | {' | '.join(f'K = {k}' for k in MANY[:3])} |",
        f"|---|---:|---:|---:|{'---:|' * len(MANY[:3])}",
    ]
    for widths, size, n_rows in NETWORKS[:5]:
        network = mlp(widths[0], widths[1:-1], widths[-1])
        one, ratios = runs(network, size, n_rows, max(3, asked.rounds // 3))
        cells = ["-".join(map(str, widths)), str(size), f"{n_rows:,}", f"{one / 1e3:,.1f}"]
        lines.append(f"| {' | '.join([*cells, *(f'{ratio:.2f}×' for ratio in ratios)])} |")
        print(lines[-1], flush=True)
    Path(__file__).with_name("STACK.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def steps(network: Network, size: int, n_rows: int, rounds: int) -> tuple[float, list[float]]:
    """Microseconds a step of one network alone, and the ratio for each K."""
    loss, (x, y) = loss_of(network), rows(network, n_rows)
    alone = FusedEngine(network, loss, ADAM, initialise(network, 0))
    alone.load_rows(x, y)
    order = list(batches(n_rows, size, 0, 0))
    turn = iter(range(10**12))
    calls: dict[int, Callable[[], object]] = {0: lambda: alone.step(order[next(turn) % len(order)], [], 1e-3)}
    for many in MANY:
        calls[many] = stack_step(network, loss, many, x, y, size)
    times = interleaved(calls, rounds, seconds=0.04)
    return times[0], [times[0] / (times[many] / many) for many in MANY]


def stack_step(
    network: Network, loss: Loss, many: int, x: np.ndarray, y: np.ndarray, size: int
) -> Callable[[], object]:
    """One step of a stack on the next batch."""
    stack = StackEngine(network, loss, ADAM, [initialise(network, k) for k in range(many)])
    stack.load_rows(x, y)
    if size == len(x):
        return lambda: stack.step(None, (), 1e-3)
    orders = [np.stack(part) for part in zip(*(batches(len(x), size, k, 0) for k in range(many)), strict=True)]
    turn = iter(range(10**12))
    none: list[list[np.ndarray]] = [[]] * many
    return lambda: stack.step(orders[next(turn) % len(orders)], none, 1e-3)


def runs(network: Network, size: int, n_rows: int, rounds: int) -> tuple[float, list[float]]:
    """Microseconds a run of `fit`, and the ratio for each K of `fit_many`."""
    loss, (x, y) = loss_of(network), rows(network, n_rows)
    part = Rows(inputs=x, targets=y)
    plan = Plan(learning_rate=1e-3, batch_size=size, epochs=10)

    def alone() -> None:
        fit(FusedEngine(network, loss, ADAM, initialise(network, 0)), part, part, plan)

    def together(many: int) -> Callable[[], object]:
        def go() -> None:
            stack = StackEngine(network, loss, ADAM, [initialise(network, k) for k in range(many)])
            fit_many(stack, part, part, plan, range(many))

        return go

    times = interleaved({0: alone, **{k: together(k) for k in MANY[:3]}}, rounds, seconds=0.05)
    return times[0], [times[0] / (times[k] / k) for k in MANY[:3]]


def interleaved(calls: dict[int, Callable[[], object]], rounds: int, seconds: float) -> dict[int, float]:
    """The median microseconds of each call."""
    times: dict[int, list[float]] = {key: [] for key in calls}
    for call in calls.values():
        for _ in range(3):
            call()
    for _ in range(rounds):
        for key, call in calls.items():
            count, began = 0, time.process_time()
            while time.process_time() - began < seconds or not count:
                call()
                count += 1
            times[key].append((time.process_time() - began) / count * 1e6)
    return {key: statistics.median(found) for key, found in times.items()}


def rows(network: Network, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets drawn at random."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(n_rows, network.inputs)).astype(np.float32)
    if network.outputs == 1:
        return x, generator.integers(0, 2, (n_rows, 1)).astype(np.float32)
    return x, generator.integers(0, network.outputs, n_rows)


def loss_of(network: Network) -> Loss:
    """The loss for its outputs."""
    return Loss(name="bce" if network.outputs == 1 else "cross_entropy")


if __name__ == "__main__":
    main()
