"""How numbers enter a network: scaled, or piecewise-linear with bins by quantiles or by trees; writes ENCODINGS.md.

    python benchmarks/number_encodings.py [--data FOLDER] [--seeds 3] [--tables …] [--networks …] [--quick]

Every table is trained with the same settings; nothing is tuned for one of them. A seed draws split, first weights and
batches, the same for every encoding. The file is written anew after each table, so that an interrupted run leaves what
it has.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

import pellucid

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("PELLUCID_DATA") or HERE.parents[1] / "shared" / "data")

Settings = dict[str, Any]
TABLES: dict[str, tuple[str, str, Settings]] = {  # name: (file, metric, settings)
    "abalone": ("abalone.csv.gz", "r2", {"target": "column_9", "task": "regression"}),
    "concrete": ("concrete.csv.gz", "r2", {"target": "strength"}),
    "german_credit": ("german.csv.gz", "roc_auc", {"target": "column_21"}),
    "pima_diabetes": ("pima-indians-diabetes.csv.gz", "roc_auc", {"target": "column_9"}),
    "titanic": ("titanic.csv.gz", "roc_auc", {"target": "Survived"}),
    "telco_churn": ("Telco-Customer-Churn.csv.gz", "roc_auc", {"target": "Churn"}),
    "wine_quality": ("winequality-white.csv.gz", "r2", {"target": "quality", "task": "regression"}),
    "nyc_taxis": ("taxis.csv.gz", "r2", {"target": "tip_amount", "drop": ("total_amount",)}),
    "higgs_sample": ("binary.train.tsv.gz", "roc_auc", {"target": "column_1"}),
    "optdigits": ("optdigits.tra.csv.gz", "accuracy", {"target": "Class"}),
    "california_housing": ("housing.csv.gz", "r2", {"target": "median_house_value"}),
    "hotel_rates": ("hotel_rates.csv.gz", "r2", {"target": "avg_price_per_room"}),
    "covtype_20k": ("covtype.20k.csv.gz", "accuracy", {"target": "column_55"}),
    "adult": ("adult-train.csv.gz", "roc_auc", {"target": "column_15"}),
    "beijing_pm25": ("pollution.csv.gz", "r2", {"target": "pm2.5"}),
    "diamonds": ("diamonds.csv.gz", "r2", {"target": "price"}),
    "cps_wages": ("CPSSW8.csv.gz", "r2", {"target": "earnings"}),
    "give_me_some_credit": ("creditsample-training.csv.gz", "roc_auc", {"target": "SeriousDlqin2yrs"}),
}
QUICK = ("abalone", "concrete", "german_credit", "pima_diabetes", "titanic", "wine_quality")
NETWORKS = {"256-128": (256, 128), "64-32": (64, 32)}
ENCODINGS: dict[str, Settings] = {
    **{scaling: {"scaling": scaling} for scaling in ("standard", "robust", "quantile")},
    **{
        f"{name} {most}": {"number_encoding": "piecewise", "bins": most, "bins_by": by}
        for by, name in (("quantile", "Q"), ("tree", "T"))
        for most in (16, 32, 64)
    },
}
FIT: Settings = {"engine": "fused", "products": "blas", "threads": 1, "epochs": 60, "patience": 10}
EVEN = 0.002  # a smaller difference is none

# scores[network][table][encoding]: a score and a time for each seed
Scores = dict[str, dict[str, dict[str, list[tuple[float, float]]]]]


def main() -> None:
    """Train, compare and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tables", nargs="+", choices=list(TABLES), default=list(TABLES))
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--quick", action="store_true", help="one seed, one network, six small tables")
    parser.add_argument("--out", type=Path, default=HERE / "ENCODINGS.md")
    asked = parser.parse_args()
    if asked.quick:
        asked.seeds, asked.tables, asked.networks = 1, list(QUICK), asked.networks[:1]
    scores: Scores = {network: {} for network in asked.networks}
    for table in asked.tables:
        for network in asked.networks:
            scores[network][table] = measured(table, network, asked.data, asked.seeds)
            print(line(table, scores[network][table]), flush=True)
            asked.out.write_text(written(scores, asked.seeds), encoding="utf-8")


def measured(table: str, network: str, data: Path, seeds: int) -> dict[str, list[tuple[float, float]]]:
    """Score and processor seconds of each encoding, a pair a seed."""
    file, metric, settings = TABLES[table]
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ENCODINGS}
    for seed in range(seeds):
        for name, encoding in ENCODINGS.items():
            began = time.process_time()
            asked = {**FIT, **settings, **encoding, "hidden": NETWORKS[network], "seed": seed}
            run = pellucid.train(data / table / file, preset="plain", **asked)
            found[name].append((run.metrics[metric].value, time.process_time() - began))
    return found


def line(table: str, found: dict[str, list[tuple[float, float]]]) -> str:
    """A table's line: the mean of each encoding, the best in bold."""
    means = mean_scores(found)
    best = max(means.values())
    cells = [f"**{m:.4f}**" if m == best else f"{m:.4f}" for m in means.values()]
    return f"| {table} ({TABLES[table][1]}) | {' | '.join(cells)} |"


def mean_scores(found: dict[str, list[tuple[float, float]]]) -> dict[str, float]:
    """The mean over seeds of each encoding."""
    return {name: statistics.fmean(score for score, _ in pairs) for name, pairs in found.items()}


def summary(tables: dict[str, dict[str, list[tuple[float, float]]]]) -> list[str]:
    """Over all tables, each encoding's mean rank, its difference from standard scaling, and its time."""
    means = np.array([list(mean_scores(found).values()) for found in tables.values()])  # [tables, encodings]
    above = (means[:, None, :] > means[:, :, None]).sum(axis=2)
    equal = (means[:, None, :] == means[:, :, None]).sum(axis=2)
    ranks = (above + (equal + 1) / 2).mean(axis=0)
    gains = means - means[:, :1]
    times = np.array([[statistics.fmean(s for _, s in pairs) for pairs in found.values()] for found in tables.values()])
    slower = np.median(times / times[:, :1], axis=0)
    return [
        "| | " + " | ".join(ENCODINGS) + " |",
        "|---|" + "---:|" * len(ENCODINGS),
        "| mean rank | " + " | ".join(f"{r:.2f}" for r in ranks) + " |",
        "| better than standard, worse | "
        + " | ".join(f"{(g > EVEN).sum()}, {(g < -EVEN).sum()}" for g in gains.T)
        + " |",
        "| median gain | " + " | ".join(f"{g:+.4f}" for g in np.median(gains, axis=0)) + " |",
        "| mean gain | " + " | ".join(f"{g:+.4f}" for g in gains.mean(axis=0)) + " |",
        "| worst loss | " + " | ".join(f"{g:+.4f}" for g in gains.min(axis=0)) + " |",
        "| median time | " + " | ".join(f"{s:.1f}×" for s in slower) + " |",
    ]


def written(scores: Scores, seeds: int) -> str:
    """The whole file."""
    lines = [
        "# How numbers enter a network",
        "",
        f"{len(os.sched_getaffinity(0))} cores of an {platform.machine()} server processor, one thread, Python "
        f"{platform.python_version()}. {seeds} seed{'s' if seeds > 1 else ''}; a seed draws split, first weights and "
        f"batches, the same for every encoding. Adam at 1e-3, at most {FIT['epochs']} epochs, patience "
        f"{FIT['patience']}, batch size by the rule of the default; nothing is tuned for a table.",
        "",
        "`standard`, `robust` and `quantile` scale a number and keep it one feature. `Q` and `T` encode it piecewise, "
        "with at most so many bins by quantiles or by a tree. The scores are of the test rows, higher is better for "
        "all: R² for numbers, area under the ROC curve for two classes, accuracy for more. A table counts as better "
        f"or worse than with standard scaling from a difference of {EVEN} on. Times are the processor time of a whole "
        "call, from reading the file to the intervals of the metrics, relative to standard scaling.",
    ]
    for network, tables in scores.items():
        if tables:
            lines += ["", f"## Network {network}, {len(tables)} tables", "", *summary(tables), ""]
            lines += [f"| table | {' | '.join(ENCODINGS)} |", "|---|" + "---:|" * len(ENCODINGS)]
            lines += [line(table, found) for table, found in tables.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
