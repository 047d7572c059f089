"""How often the 95 % intervals of importance and of sampled Shapley values hold the truth; tables for COVERAGE.md.

    python benchmarks/explanation_coverage.py [--draws 300]

The truth of an importance is that of all rows of the kind, which is known in closed form; that of a Shapley value is
what all coalitions of the same background give. About two minutes on one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pellucid.explanation.importance import permutation_importance
from pellucid.explanation.shapley import shapley_values

Array = Any

ERRORS: dict[str, tuple[Callable[[np.random.Generator, int], Array], float]] = {  # how they are drawn, their variance
    "normal": (lambda rng, n: rng.normal(size=n), 1.0),
    "lognormal": (lambda rng, n: rng.lognormal(size=n) - np.exp(0.5), (np.e - 1) * np.e),
    "t₃": (lambda rng, n: rng.standard_t(3, size=n), 3.0),
}
WEIGHTS = np.random.default_rng(0).normal(size=(8, 6))
FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "sum of tanh": lambda x: np.tanh(x @ WEIGHTS / 2).sum(axis=1),
    "products of two and three": lambda x: x[:, 0] * x[:, 1] + x[:, 2] * x[:, 3] * x[:, 4] + x[:, 5:].sum(axis=1),
    "product of all": lambda x: np.prod(1 + x / 2, axis=1),
    "largest": lambda x: x.max(axis=1),
    "logistic": lambda x: 1 / (1 + np.exp(-2 * x.sum(axis=1))),
    "all six above 0": lambda x: (x[:, :6] > 0).all(axis=1).astype(float),
}
EIGHT = [slice(i, i + 1) for i in range(8)]


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=300)
    draws = parser.parse_args().draws
    print(
        "| errors | effect | error measured | 20 rows | 50 | 200 | 1,000 | 6,000 |\n|---|---|---|---|---|---|---|---|"
    )
    for name in ERRORS:
        for effect in (0.3, 1.0, 3.0):
            for root in (True, False):
                cells = [importance(name, effect, root, n, draws) for n in (20, 50, 200, 1_000, 6_000)]
                print(
                    f"| {name} | {effect:g} | {'RMSE' if root else 'squared error'} | {' | '.join(cells)} |", flush=True
                )
    print("\n| errors | error measured | 10 groups of 10 | 30 of 10 | 100 of 10 |\n|---|---|---|---|---|")
    for name in ERRORS:
        for root in (True, False):
            cells = [importance(name, 1.0, root, 10 * k, draws, per_group=10) for k in (10, 30, 100)]
            print(f"| {name} | {'RMSE' if root else 'squared error'} | {' | '.join(cells)} |", flush=True)
    pairs = (2, 3, 4, 6, 10)
    print(
        f"\n| answer | rows of the background | {' | '.join(map(str, pairs))} pairs |\n|---|---|{'---|' * len(pairs)}"
    )
    for name in FUNCTIONS:
        for rows in (100, 40, 8, 1):
            print(f"| {name} | {rows} | {' | '.join(shapley(name, rows, pairs, max(1, draws // 5)))} |", flush=True)


def importance(name: str, effect: float, root: bool, n: int, draws: int, *, per_group: int = 1) -> str:
    """Which share of the intervals holds the rise 2 w², or √(σ² + 2 w²) − σ, of y = w x + error."""
    draw, variance = ERRORS[name]
    true = np.sqrt(variance + 2 * effect**2) - np.sqrt(variance) if root else 2 * effect**2
    held = 0
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        x, error = rng.normal(size=n), draw(rng, n)
        group = np.arange(n) // per_group
        if per_group > 1:  # all of one group have one error, and the same size of x
            error, x = error[group], np.abs(x[group]) * rng.choice([-1.0, 1.0], size=n)
        y = effect * x + error
        found = permutation_importance(
            lambda rows, y=y: (effect * rows[:, 0] - y) ** 2, x[:, np.newaxis], [slice(0, 1)], root=root,
            together=None if per_group == 1 else group, seed=seed,
        )  # fmt: skip
        held += bool(found.low[0] <= true <= found.high[0])
    return f"{held / draws:.3f}"


def shapley(name: str, rows: int, pairs: tuple[int, ...], draws: int) -> Iterator[str]:
    """For each number of pairs which share of the intervals holds the exact value, of those that are printed."""
    truth = {}
    for seed in range(draws):
        x = np.random.default_rng(seed).normal(size=(rows + 1, 8))
        x[0] = np.abs(x[0]) if name == "all six above 0" else x[0]
        truth[seed] = x, shapley_values(FUNCTIONS[name], x[0], x[1:], EIGHT, budget=10**9).values
    for k in pairs:
        held: list[bool] = []
        n_all = 0
        for seed, (x, exact) in truth.items():
            found = shapley_values(FUNCTIONS[name], x[0], x[1:], EIGHT, budget=2 * rows * 9 * k, seed=seed)
            half = found.half_widths
            known = ~np.isnan(half)
            n_all += len(half)
            held += (np.abs(found.values - exact) <= half + 1e-12)[known].tolist()
        none = f" (none: {1 - len(held) / n_all:.0%})" if len(held) < n_all else ""
        yield f"{np.mean(held):.3f}{none}"


if __name__ == "__main__":
    main()
