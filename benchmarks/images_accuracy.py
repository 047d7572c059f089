"""How good are networks for pictures? Whole trainings as a user starts them: writes the first part of IMAGES.md.

    python benchmarks/images_accuracy.py [--data FOLDER] [--only mnist,cifar10_sample] [--seeds 0,1,2] [--no-verdict]
    python benchmarks/images_accuracy.py --report-only

Each training is one line of images_accuracy.jsonl: what was asked for, the accuracy on the official test part, the
seconds of the whole call and of training alone, and the peers on the same test pictures. A line that is there already
is not trained again; quiet says whether nothing else ran on the machine, and only such lines give times.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import platform
import shutil
import statistics
import tempfile
import time
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

import pellucid

HERE = Path(__file__).resolve().parent
SHARED = HERE.parents[1] / "shared" / "data"
LINES = HERE / "images_accuracy.jsonl"
PAGE = HERE / "IMAGES.md"
BEGIN, END = "<!-- accuracy: begin -->", "<!-- accuracy: end -->"
DRAWINGS, LEARNED = 20, 15  # of each omniglot character

# What is to be reached: accuracy, minutes on two quiet cores.
GOALS: dict[str, tuple[float | None, float]] = {
    "mnist": (0.995, 2.0),
    "fashion_mnist": (0.93, 4.0),
    "cifar10_sample": (0.77, 8.0),
    "optdigits": (0.985, 0.5),
    "omniglot_small": (None, 3.0),
}
SETTINGS: dict[str, dict[str, Any]] = {}


def idx(data: Path, work: Path) -> list[tuple[str, object, object]]:
    """A folder of idx files, which Pellucid reads as it is."""
    return [(data.name, data, None)]


def cifar(data: Path, work: Path) -> list[tuple[str, object, object]]:
    """The zip with its own train and test folders."""
    return [(data.name, data / "cifar10_sample_jpg.zip", None)]


def optdigits(data: Path, work: Path) -> list[tuple[str, object, object]]:
    """Tables of 64 counts from 0 to 16, as pictures of 8 × 8."""

    def part(name: str) -> tuple[np.ndarray, np.ndarray]:
        with gzip.open(data / name, "rt") as file:
            table = np.array(list(csv.reader(file))[1:], dtype=np.int64)
        return np.minimum(table[:, :64] * 16, 255).astype(np.uint8).reshape(-1, 8, 8), table[:, 64]

    (x, y), (x_test, y_test) = part("optdigits.tra.csv.gz"), part("optdigits.tes.csv.gz")
    return [(data.name, {"image": x, "label": y}, {"image": x_test, "label": y_test})]


def omniglot(data: Path, work: Path) -> list[tuple[str, object, object]]:
    """Each alphabet by itself: of each character 15 drawings to learn from, by 15 people, and those of 5 others."""
    found = []
    for archive in sorted(data.glob("*.zip")):
        with zipfile.ZipFile(archive) as opened:
            for name in sorted(n for n in opened.namelist() if n.endswith(".png")):
                _, alphabet, character, file = name.split("/")
                person = int(file.rpartition("_")[2].removesuffix(".png"))
                part = "train" if person <= LEARNED else "test"
                place = work / alphabet / part / character / file
                if not place.exists():
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(opened.read(name))
                found.append(alphabet)
    return [(f"{data.name}: {alphabet}", work / alphabet, None) for alphabet in dict.fromkeys(found)]


SETS = {
    "mnist": idx, "fashion_mnist": idx, "cifar10_sample": cifar, "optdigits": optdigits, "omniglot_small": omniglot,
}  # fmt: skip


def main() -> None:
    """Train what is missing, and write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--only", default=",".join(SETS))
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--quiet", action="store_true", help="nothing else runs on this machine")
    parser.add_argument("--no-verdict", action="store_true", help="without the peers")
    parser.add_argument("--report-only", action="store_true")
    asked = parser.parse_args()
    if not asked.report_only:
        work = Path(tempfile.mkdtemp())
        try:
            for name in asked.only.split(","):
                for title, data, test in SETS[name](asked.data / name, work):
                    for seed in map(int, asked.seeds.split(",")):
                        run_one(name, title, data, test, seed, quiet=asked.quiet, verdict=not asked.no_verdict)
        finally:
            shutil.rmtree(work)
    write_page()


def run_one(name: str, title: str, data: object, test: object, seed: int, *, quiet: bool, verdict: bool) -> None:
    """One training as a user starts it, kept as a line."""
    done = {(line["title"], line["seed"], line["verdict"]) for line in read_lines() if line["quiet"] or not quiet}
    if (title, seed, verdict) in done:
        return
    settings = SETTINGS.get(name, {})
    began = time.perf_counter()
    run = pellucid.train(data, test_data=test, seed=seed, verdict=verdict, report=False, save=False, **settings)
    seconds = time.perf_counter() - began
    line = {
        "set": name, "title": title, "seed": seed, "settings": settings, "quiet": quiet, "verdict": verdict,
        "accuracy": run.metrics["accuracy"].value, "seconds": seconds,
        "training_seconds": sum(epoch.seconds for epoch in run.history), "epochs": len(run.history),
        "weights": run.model.network.n_trainable, "network": run.model.network.outline(), "peers": peers_of(run),
        "version": pellucid.__version__, "torch": torch.__version__, "threads": torch.get_num_threads(),
    }  # fmt: skip
    with LINES.open("a") as file:
        file.write(json.dumps(line) + "\n")
    print(json.dumps(line), flush=True)


def peers_of(run: Any) -> dict[str, float]:
    """The accuracy of each peer of the verdict, where that is its metric."""
    if run.verdict is None or run.verdict.metric != "accuracy":
        return {}
    return {peer.name: peer.value for peer in run.verdict.peers if peer.value is not None}


def read_lines() -> list[dict[str, Any]]:
    """All lines so far; of a training done twice, the last."""
    if not LINES.exists():
        return []
    lines = [json.loads(line) for line in LINES.read_text().splitlines()]
    return list({(line["title"], line["seed"], line["quiet"], line["verdict"]): line for line in lines}.values())


def write_page() -> None:
    """Put the table into its part of the page."""
    lines = read_lines()
    table = "\n".join([*_head(lines), *_rows(lines)])
    page = PAGE.read_text() if PAGE.exists() else f"# Pictures\n\n{BEGIN}\n{END}\n"
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}")


def _head(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    torch_version = lines[-1]["torch"] if lines else torch.__version__
    return [
        "## How good the networks are",
        "",
        f"{len(os.sched_getaffinity(0))} cores of an {platform.machine()} server processor with AVX-512, Python "
        f"{platform.python_version()}, PyTorch {torch_version}. Accuracy on the official test part: mean over seeds ± "
        "standard deviation. Minutes are those of the whole call with its peers, on the quiet machine.",
        "",
        "| set | network | weights | epochs | accuracy | to reach | minutes | to reach | peers on the same pictures |",
        "|---|---|---:|---:|---:|---:|---:|---:|---|",
    ]


def _rows(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = []
    for title in sorted({line["title"] for line in lines}, key=lambda t: ([*SETS].index(t.partition(":")[0]), t)):
        mine = [line for line in lines if line["title"] == title]
        by_seed = {line["seed"]: line["accuracy"] for line in mine}
        goal, minutes = GOALS[mine[0]["set"]]
        timed = [line["seconds"] / 60 for line in mine if line["quiet"] and line["verdict"]]
        spread = f" ± {statistics.stdev(by_seed.values()):.4f}" if len(by_seed) > 1 else ""
        peers = next((line["peers"] for line in mine if line["peers"]), {})
        cells = [
            title, mine[0]["network"], f"{mine[0]['weights']:,}", str(mine[0]["epochs"]),
            f"{statistics.mean(by_seed.values()):.4f}{spread} ({len(by_seed)} seed{'s' * (len(by_seed) > 1)})",
            "" if goal is None else f"{goal}", f"{statistics.mean(timed):.1f}" if timed else "", f"{minutes:g}",
            ", ".join(f"{name} {value:.3f}" for name, value in peers.items()),
        ]  # fmt: skip
        rows.append(f"| {' | '.join(cells)} |")
    return rows


if __name__ == "__main__":
    main()
