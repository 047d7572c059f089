"""How good are networks for series? Whole trainings as a user starts them, on the official parts: writes SERIES.md.

    python benchmarks/series.py [--data FOLDER] [--only ECG200,50words] [--networks default,gru] [--seeds 0,1] [--quiet]
    python benchmarks/series.py --report-only

Each training is one line of series.jsonl: what was asked for, the accuracy on the official test part and the seconds of
the whole call. A line that is there already is not trained again; quiet says that nothing else ran on the machine.
Beside them stand what is to be reached, and the figures of the fully convolutional network and the residual network of
Wang, Yan & Oates (2017) on the same parts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import torch

import pellucid

HERE = Path(__file__).resolve().parent
SHARED = HERE.parents[1] / "shared" / "data"
LINES, PAGE = HERE / "series.jsonl", HERE / "SERIES.md"

# For each set: its folder, the end of its files, what the default and a recurrent network are to reach, FCN, ResNet.
SETS: dict[str, tuple[str, str, float, float | None, float | None, float | None]] = {
    "ECG200": ("ucr_time_series", ".txt.gz", 0.90, None, 0.889, 0.874),
    "Gun_Point": ("ucr_time_series", ".txt.gz", 0.99, None, 1.000, 0.991),
    "ItalyPowerDemand": ("ucr_time_series", ".txt.gz", 0.967, None, 0.961, 0.963),
    "50words": ("ucr_time_series", ".txt.gz", 0.76, None, 0.627, 0.740),
    "JapaneseVowels": ("uea_multivariate", ".ts.gz", 0.985, 0.96, 0.993, None),
    "BasicMotions": ("uea_multivariate", ".ts.gz", 1.0, 0.95, None, None),
}
NETWORKS: dict[str, dict[str, Any]] = {"default": {}, "lstm": {"network": "lstm"}, "gru": {"network": "gru"}}
RECURRENT = ("lstm", "gru")


def main() -> None:
    """Train what is missing, and write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--only", default=",".join(SETS))
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--quiet", action="store_true", help="nothing else runs on this machine")
    parser.add_argument("--report-only", action="store_true")
    asked = parser.parse_args()
    if not asked.report_only:
        for seed in map(int, asked.seeds.split(",")):
            for name in asked.only.split(","):
                for network in asked.networks.split(","):
                    if network not in RECURRENT or SETS[name][3] is not None:
                        run_one(name, network, asked.data, seed, quiet=asked.quiet)
    PAGE.write_text(page(), encoding="utf-8")


def run_one(name: str, network: str, data: Path, seed: int, *, quiet: bool) -> None:
    """One training as a user starts it, kept as a line."""
    done = {(line["set"], line["network"], line["seed"], line["quiet"]) for line in read_lines()}
    if (name, network, seed, quiet) in done:
        return
    folder, ending, *_ = SETS[name]
    learned, asked = (data / folder / f"{name}_{part}{ending}" for part in ("TRAIN", "TEST"))
    began = time.perf_counter()
    run = pellucid.train(
        learned, test_data=asked, seed=seed, verdict=False, report=False, save=False, **NETWORKS[network]
    )
    line = {
        "set": name, "network": network, "seed": seed, "quiet": quiet, "accuracy": run.metrics["accuracy"].value,
        "seconds": round(time.perf_counter() - began, 1), "epochs": len(run.history),
        "weights": run.model.network.n_trainable, "outline": run.model.network.outline(),
        "version": pellucid.__version__, "torch": torch.__version__, "threads": torch.get_num_threads(),
    }  # fmt: skip
    with LINES.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    print(json.dumps(line), flush=True)


def read_lines() -> list[dict[str, Any]]:
    """All lines so far."""
    if not LINES.exists():
        return []
    return [json.loads(line) for line in LINES.read_text("utf-8").splitlines()]


def page() -> str:
    """The table of means over seeds, with their standard deviation."""
    out = [
        "# Series, by default settings",
        "",
        "Made by `benchmarks/series.py`: accuracy on the official test part, mean over seeds ± standard deviation.",
        "Nothing is set but the network where one is named. FCN and ResNet are those of Wang, Yan & Oates (2017).",
        "",
        "| set | network | weights | epochs | accuracy | to reach | seconds, quiet | FCN | ResNet |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines = read_lines()
    for name, (_, _, goal, recurrent, *peers) in SETS.items():
        for network in NETWORKS:
            mine = [line for line in lines if (line["set"], line["network"]) == (name, network)]
            if mine:
                wanted = recurrent if network in RECURRENT else goal
                out.append(row(name, network, mine, [wanted, *peers]))
    return "\n".join([*out, ""])


def row(name: str, network: str, lines: list[dict[str, Any]], beside: list[float | None]) -> str:
    """One network on one set."""
    values = list({line["seed"]: line["accuracy"] for line in lines}.values())
    spread = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    timed = [line["seconds"] for line in lines if line["quiet"]]
    wanted, *peers = ("" if value is None else f"{value:.3f}" for value in beside)
    cells = [
        name, f"{network}: {lines[-1]['outline']}", f"{lines[-1]['weights']:,}", str(lines[-1]["epochs"]),
        f"{statistics.mean(values):.4f}{spread} ({len(values)} seed{'s' * (len(values) > 1)})", wanted,
        f"{statistics.mean(timed):.0f}" if timed else "", *peers,
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
