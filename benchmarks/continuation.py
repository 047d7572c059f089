"""Networks that continue tiny Shakespeare: nats a character on its last tenth, beside n-grams, within a quarter hour.

    python benchmarks/continuation.py gru lstm transformer --seeds 0 1 2
    python benchmarks/continuation.py gru --seeds 0 --set width=384 --set dropout=0.3   # another recipe
    python benchmarks/continuation.py --show                                            # what was measured

Each run and seed is a line of JSON in ``continuation.jsonl``: the figures, the settings as they were resolved, the
seconds of training and of all, and how many characters a second the network writes. A line that is there already is not
measured again (``--again`` does). Run it on a quiet machine: the epochs are those that fit into the time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

import pellucid

HERE = Path(__file__).parent
LINES = HERE / "continuation.jsonl"
TEXT = Path(os.environ.get("PELLUCID_DATA", HERE.parent.parent / "shared" / "data")) / "tiny_shakespeare"
RECIPES: dict[str, dict[str, Any]] = {
    "gru": {"network": "gru"},
    "lstm": {"network": "lstm"},
    "transformer": {"network": "transformer"},
}
TO_REACH = {"gru": 1.60, "lstm": 1.60, "transformer": 1.75}
PEERS = "beside: 5-grams 1.677, a well-known small GPT's recipe for CPUs 1.88"
CHARACTERS = 2_000  # written to time it
KEPT = (
    "network", "width", "depth", "heads", "embedding", "length", "batch_size", "learning_rate", "dropout", "epochs",
    "schedule", "weight_decay", "clip_norm", "threads", "validation", "test",
)  # fmt: skip


def measured(name: str, seed: int, text: Path, changes: dict[str, Any]) -> dict[str, Any]:
    """One run: a line of the file."""
    began = time.perf_counter()
    run = pellucid.train(text, task="continuation", **{**RECIPES[name], "seed": seed, **changes})
    seconds = time.perf_counter() - began
    began = time.perf_counter()
    written = sum(map(len, run.generate(length=CHARACTERS, seed=seed)))
    speed = written / (time.perf_counter() - began)
    peers = {} if run.verdict is None else {peer.name: round(peer.value, 4) for peer in run.verdict.peers}
    settings = run.model.facts["settings"]
    return {
        "recipe": name,
        "seed": seed,
        "changes": changes,
        "nats": round(run.metrics["nats_per_token"].value, 4),
        "low": round(run.metrics["nats_per_token"].low, 4),
        "high": round(run.metrics["nats_per_token"].high, 4),
        "bits_per_character": round(run.metrics["bits_per_character"].value, 4),
        "peers": peers,
        "best_epoch": run.summary["best_epoch"],
        "epochs": run.summary["epochs"],
        "history": [round(line.validation_loss, 4) for line in run.history],
        "seconds_training": round(sum(line.seconds for line in run.history), 1),
        "seconds": round(seconds, 1),
        "weights": run.model.network.n_trainable,
        "characters_a_second": round(speed),
        "settings": {name: settings[name] for name in KEPT},
        "load": os.getloadavg()[0],
    }


def known() -> list[dict[str, Any]]:
    """The lines so far."""
    if not LINES.exists():
        return []
    return [json.loads(line) for line in LINES.read_text(encoding="utf-8").splitlines() if line.strip()]


def show() -> None:
    """The mean of the seeds of each recipe, with their spread."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for line in known():
        groups.setdefault((line["recipe"], json.dumps(line["changes"], sort_keys=True)), []).append(line)
    for (name, changes), lines in groups.items():
        nats = [line["nats"] for line in lines]
        spread = f" ± {statistics.stdev(nats):.4f}" if len(nats) > 1 else ""
        minutes = statistics.mean(line["seconds"] for line in lines) / 60
        peers = ", ".join(f"{peer} {value:.3f}" for peer, value in lines[0]["peers"].items())
        print(
            f"{name:12s} {changes if changes != '{}' else '':30s} {statistics.mean(nats):.4f}{spread} nats "
            f"({len(nats)} seeds; to reach {TO_REACH[name]}); {minutes:.1f} minutes; epoch "
            f"{'/'.join(str(line['best_epoch']) for line in lines)} of {lines[0]['epochs']}; "
            f"{min(line['characters_a_second'] for line in lines):,} characters/s; {peers}"
        )
    print(PEERS)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is asked for, and show everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", metavar="RECIPE", help=f"{', '.join(RECIPES)}; default: all")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of every run")
    parser.add_argument("--text", type=Path, help="another text than tiny Shakespeare")
    parser.add_argument("--again", action="store_true", help="measure again what is there already")
    parser.add_argument("--show", action="store_true", help="only show what was measured")
    asked = parser.parse_args(arguments)
    changes = {name: yaml.safe_load(value) for name, _, value in (each.partition("=") for each in asked.set)}
    text = asked.text or next((each for each in sorted(TEXT.glob("input.txt*"))), None)
    if text is not None and asked.text:
        changes["text"] = text.name
    there = {(line["recipe"], line["seed"], json.dumps(line["changes"], sort_keys=True)) for line in known()}
    for seed in () if asked.show else asked.seeds:
        for name in asked.recipes or RECIPES:
            if (name, seed, json.dumps(changes, sort_keys=True)) in there and not asked.again:
                continue
            if text is None:
                raise SystemExit(f"there is no text in {TEXT}: name one with --text, or set PELLUCID_DATA")
            line = measured(name, seed, text, {key: value for key, value in changes.items() if key != "text"})
            line["changes"] = changes
            with LINES.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(line) + "\n")
            print(f"{name} seed {seed}: {line['nats']:.4f} nats in {line['seconds']:.0f} s", flush=True)
    show()


if __name__ == "__main__":
    main()
