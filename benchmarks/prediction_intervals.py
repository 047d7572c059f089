"""How often prediction intervals hold the true value of new rows, and how long they are, on ten tables.

    python benchmarks/prediction_intervals.py [--seeds 3] [--rows 1500] [--transform none]

Each table is drawn from anew for each seed: up to ``--rows`` rows to train on, and up to 3,000 others that no part of
the training sees. Beside Pellucid's intervals (conformal, ``run.predict(rows, interval=0.9)``) stand those of
scikit-learn's gradient boosting, fitted to the two quantiles on the same rows. Writes
``benchmarks/PREDICTION_INTERVALS.md``. Tables are read from ``$PELLUCID_DATA``; those that are not there are left out.
"""

from __future__ import annotations

import argparse
import math
import os
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import pellucid
from pellucid.data.tables import Table, read_table

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("PELLUCID_DATA") or HERE.parents[1] / "shared" / "data")
LEVELS = (0.8, 0.9, 0.95)
MOST_NEW = 3_000
# File, target, columns left out.
TABLES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "abalone": ("abalone/abalone.csv.gz", "column_9", ()),
    "automobile": ("automobile/auto_imports.csv.gz", "column_26", ()),
    "California housing": ("california_housing/housing.csv.gz", "median_house_value", ()),
    "concrete": ("concrete/concrete.csv.gz", "", ()),
    "wages": ("cps_wages/CPSSW8.csv.gz", "earnings", ("rownames",)),
    "diamonds": ("diamonds/diamonds.csv.gz", "price", ()),
    "hotel rates": ("hotel_rates/hotel_rates.csv.gz", "avg_price_per_room", ("rownames",)),
    "taxi fares": ("nyc_taxis/taxis.csv.gz", "fare_amount", ("total_amount", "tip_amount", "tolls_amount")),
    "Parkinson's": ("parkinsons_telemonitoring/parkinsons.csv.gz", "total_UPDRS", ("motor_UPDRS", "subject#")),
    "wine": ("wine_quality/winequality-white.csv.gz", "quality", ()),
}
WAYS: dict[str, dict[str, Any]] = {
    "ensemble by folds": {"preset": "best"},
    "one network": {"preset": "quick"},
}
PEER = "quantile boosting"


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1_500)
    parser.add_argument("--transform", default="none", help="target_transform of the trainings")
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    warnings.simplefilter("ignore", pellucid.DataWarning)
    found: dict[tuple[str, str, float], list[tuple[float, float]]] = {}
    sizes: dict[str, tuple[int, int]] = {}
    for name, (file, given, drop) in TABLES.items():
        if not (SHARED / file).exists() or (asked.only and asked.only not in name):
            continue
        table = read_table(SHARED / file)
        target = given or table.names[-1]
        began = time.perf_counter()
        for seed in range(asked.seeds):
            train, new = drawn(table, target, asked.rows, seed)
            sizes[name] = train.n_rows, new.n_rows
            for way, level, low, high in intervals(train, new, target, drop, seed, asked.transform):
                truth = np.asarray(new.column(target), dtype=np.float64)
                held = float(((truth >= low) & (truth <= high)).mean())
                found.setdefault((name, way, level), []).append((held, float((high - low).mean() / truth.std())))
        print(name, f"{time.perf_counter() - began:.0f} s", flush=True)
        for (table_name, way, level), each in found.items():
            if table_name == name:
                print("  ", way, level, np.round(np.mean(each, axis=0), 3), flush=True)
        if not asked.only:
            (HERE / "PREDICTION_INTERVALS.md").write_text(report(found, sizes, asked), encoding="utf-8")


def drawn(table: Table, target: str, rows: int, seed: int) -> tuple[Table, Table]:
    """Rows to train on and others, drawn from those whose target is known; of a short table a third is new."""
    there = np.flatnonzero(np.asarray(table.column(target).is_valid()))
    order = np.random.default_rng(seed).permutation(there)
    n_train = min(rows, len(order) * 2 // 3)
    return table.take(order[:n_train]), table.take(order[n_train : n_train + MOST_NEW])


def intervals(
    train: Table, new: Table, target: str, drop: tuple[str, ...], seed: int, transform: str
) -> Iterator[tuple[str, float, Any, Any]]:
    """Way, level and the two ends for each row of ``new``."""
    for way, settings in WAYS.items():
        run = pellucid.train(
            train,
            target,
            task="regression",
            drop=drop,
            seed=seed,
            verdict=False,
            report=False,
            test=0.0,
            target_transform=transform,
            **settings,
        )
        for level in LEVELS:
            try:
                answers = run.predict(new, interval=level)
            except pellucid.SettingError:  # too few rows held out for this level
                continue
            yield way, level, answers["prediction_low"], answers["prediction_high"]
    inputs = [name for name in train.names if name not in (target, *drop)]
    seen, asked = encoded(train, new, inputs)
    for level in LEVELS:
        yield PEER, level, *quantiles(seen, np.asarray(train.column(target), dtype=np.float64), asked, level, seed)


def encoded(train: Table, new: Table, names: list[str]) -> tuple[Any, Any]:
    """Numbers as they are, categories as the number of their level in the training rows."""
    columns = []
    for name in names:
        one, other = train.column(name), new.column(name)
        if hasattr(one, "dictionary"):
            levels = {text: i for i, text in enumerate(dict.fromkeys(one.to_pylist()))}
            columns.append(
                [np.array([levels.get(cell, math.nan) for cell in each.to_pylist()]) for each in (one, other)]
            )
        elif "timestamp" in str(one.type):
            columns.append([np.asarray(each.cast("int64").to_pylist(), dtype=np.float64) for each in (one, other)])
        else:
            columns.append([np.array(each.to_pylist(), dtype=np.float64) for each in (one, other)])
    columns = [pair for pair in columns if np.isfinite(pair[0]).any()]
    return np.column_stack([one for one, _ in columns]), np.column_stack([other for _, other in columns])


def quantiles(x: Any, y: Any, new: Any, level: float, seed: int) -> tuple[Any, Any]:
    """The two quantiles by gradient boosting, in order."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    ends = [
        HistGradientBoostingRegressor(loss="quantile", quantile=q, random_state=seed).fit(x, y).predict(new)
        for q in ((1 - level) / 2, (1 + level) / 2)
    ]
    return np.minimum(*ends), np.maximum(*ends)


def report(found: dict[tuple[str, str, float], list[tuple[float, float]]], sizes: Any, asked: Any) -> str:
    """The page."""
    ways = [*WAYS, PEER]
    lines = [
        "# Prediction intervals on ten tables",
        "",
        f"By `python benchmarks/prediction_intervals.py --seeds {asked.seeds} --transform {asked.transform}`. Each "
        "cell: the share of new rows whose true value lies within the interval, and the mean length of the interval "
        "in standard deviations of the new rows' "
        f"target; means over {asked.seeds} seeds, each with other rows and other networks. The intervals of "
        "Pellucid are conformal (`src/pellucid/evaluation/conformal.py`): CV+ for the ensemble by folds (the default), "
        "split conformal by the validation rows for one network. The rows that make them also chose the best epoch. "
        f'{PEER.capitalize()} is scikit-learn\'s `HistGradientBoostingRegressor(loss="quantile")`, once for each end, '
        "as it comes.",
        "",
    ]
    for level in LEVELS:
        lines += [
            f"## {level:g}",
            "",
            f"| table | rows: training, new | {' | '.join(ways)} |",
            "|---" * (len(ways) + 2) + "|",
        ]
        for name, (n_train, n_new) in sizes.items():
            cells = [cell(found.get((name, way, level))) for way in ways]
            lines.append(f"| {name} | {n_train:,}, {n_new:,} | {' | '.join(cells)} |")
        means = [
            [np.mean(values, axis=0) for name in sizes if (values := found.get((name, way, level))) is not None]
            for way in ways
        ]
        cells = [f"**{np.mean([m[0] for m in each]):.3f}**, {np.mean([m[1] for m in each]):.2f}" for each in means]
        least = [f"{min(m[0] for m in each):.3f}" for each in means]
        lines += [f"| **mean** | | {' | '.join(cells)} |", f"| least | | {' | '.join(least)} |", ""]
    return "\n".join(lines)


def cell(values: list[tuple[float, float]] | None) -> str:
    """Share held and length."""
    if values is None:
        return "too few rows"
    held, length = np.mean(values, axis=0)
    return f"{held:.3f}, {length:.2f}"


if __name__ == "__main__":
    main()
