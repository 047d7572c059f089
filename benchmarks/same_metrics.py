"""Is speed paid for in accuracy? The same tables and seeds through every engine and precision: writes SAME_METRICS.md.

    python benchmarks/same_metrics.py [--data FOLDER] [--seeds 5]

A seed draws the split, the first weights, the batches and the dropout, the same for every contestant. So each row of
the table compares runs that differ in their arithmetic alone; the spread over seeds says how much that matters.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
from pathlib import Path

import numpy as np
import torch

import pellucid

HERE = Path(__file__).resolve().parent
SHARED = HERE.parents[1] / "shared" / "data"

TABLES = {  # file: (target, metric)
    "telco_churn/Telco-Customer-Churn.csv.gz": ("Churn", "roc_auc"),
    "covtype_20k/covtype.20k.csv.gz": ("column_55", "accuracy"),
    "optdigits/optdigits.tra.csv.gz": ("Class", "accuracy"),
    "concrete/concrete.csv.gz": ("strength", "rmse"),
    "california_housing/housing.csv.gz": ("median_house_value", "rmse"),
}
CONTESTANTS = {
    "torch (autograd)": {"engine": "torch"},
    "numpy (textbook)": {"engine": "textbook"},
    "fused": {"engine": "fused"},
    "fused, products by oneDNN": {"engine": "fused", "products": "onednn"},
    "fused, precision medium": {"engine": "fused", "precision": "medium"},
    "fused, precision bf16": {"engine": "fused", "precision": "bf16"},
}
SETTINGS = {"preset": "plain", "hidden": (256, 128), "dropout": 0.1, "epochs": 15, "batch_size": 256,
            "patience": None, "threads": 1, "verdict": False}  # fmt: skip


def main() -> None:
    """Train, compare and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--seeds", type=int, default=5)
    asked = parser.parse_args()
    lines = [
        "# The same metrics from every engine and precision",
        "",
        f"{len(os.sched_getaffinity(0))} cores of an {platform.machine()} server processor with AVX-512, Python "
        f"{platform.python_version()}, PyTorch {torch.__version__}, NumPy {np.__version__}.",
        "",
        "Test metric of a 256-128 network with dropout 0.1 after 15 epochs of batches of 256: mean over "
        f"{asked.seeds} seeds ± standard deviation. A seed draws split, weights, batches and dropout, the same for "
        "every line; the last column is the mean difference from autograd's run of the same seed ± its standard "
        "error. Higher is better for accuracy and AUC, lower for RMSE.",
        "",
        "| table | arithmetic | metric | mean ± deviation | minus autograd |",
        "|---|---|---|---:|---:|",
    ]
    for place, (target, metric) in TABLES.items():
        values = {
            name: [
                pellucid.train(asked.data / place, target, seed=seed, **SETTINGS, **way).metrics[metric].value
                for seed in range(asked.seeds)
            ]
            for name, way in CONTESTANTS.items()
        }
        first = next(iter(values.values()))
        for name, of_seeds in values.items():
            apart = [a - b for a, b in zip(of_seeds, first, strict=True)]
            error = statistics.stdev(apart) / len(apart) ** 0.5
            shown = f"{statistics.mean(of_seeds):.5g} ± {statistics.stdev(of_seeds):.2g}"
            difference = "" if of_seeds is first else f"{statistics.mean(apart):+.2g} ± {error:.1g}"
            cells = [place.partition("/")[0], name, metric, shown, difference]
            lines.append(f"| {' | '.join(cells)} |")
            print(lines[-1], flush=True)
    (HERE / "SAME_METRICS.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
