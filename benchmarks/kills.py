"""Kill a training run with SIGKILL at random moments, resume it, and compare the weights bit for bit.

    python benchmarks/kills.py --kills 300

Every run is killed again and again (also while it is being resumed) until it ends by itself; its model must then be
the one of a run that was never stopped. Writes ``benchmarks/KILLS.md``.
"""

from __future__ import annotations

import argparse
import platform
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import pellucid

HERE = Path(__file__).resolve().parent
SETTINGS = {
    "fused": ["--engine", "fused", "--optimizer", "adamw", "--weight-decay", "0.01", "--dropout", "0.2"],
    "torch": ["--engine", "torch", "--optimizer", "adamw", "--weight-decay", "0.01", "--dropout", "0.2"],
    "numpy": ["--engine", "textbook", "--optimizer", "nesterov", "--dropout", "0.1", "--schedule", "plateau"],
}
EPOCHS = {"fused": "3000", "torch": "900", "numpy": "1500"}
LATE = 1.15  # moments are drawn up to so many times the length of a whole run


@dataclass
class Tally:
    """What happened in the campaign of one engine."""

    kills: int = 0
    runs: int = 0
    before_config: int = 0
    before_checkpoint: int = 0
    in_training: int = 0
    after_training: int = 0
    different: int = 0
    refused: int = 0
    leftovers: int = 0
    seconds: list[float] = field(default_factory=list)


def command(*arguments: str) -> list[str]:
    """The command line of this environment."""
    return [sys.executable, "-m", "pellucid", "train", *arguments, "--preset", "plain", "--quiet"]


def run(arguments: list[str], kill_after: float | None) -> int:
    """The exit code, -9 if it was killed."""
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return process.wait(timeout=kill_after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        return process.wait()


def weights(path: Path) -> dict[str, np.ndarray]:
    """The weights of a finished run."""
    return dict(pellucid.load(path / "model.safetensors").parameters)  # type: ignore[union-attr]


def campaign(engine: str, kills: int, generator: random.Random, folder: Path) -> Tally:
    """Kill runs of one engine so many times."""
    options = ["breast_cancer", "--epochs", EPOCHS[engine], "--patience", "none", *SETTINGS[engine]]
    began = time.monotonic()
    assert run(command(*options, "--out", str(folder / "straight")), None) == 0
    whole = time.monotonic() - began
    expected = weights(folder / "straight")
    tally = Tally()
    while tally.kills < kills:
        out = folder / f"run-{tally.runs}"
        tally.runs += 1
        while not (out / "metrics.json").exists():
            begun = (out / "config.yaml").exists()
            arguments = command(str(out), "--resume") if begun else command(*options, "--out", str(out))
            code = run(arguments, generator.uniform(0, whole * LATE) if tally.kills < kills else None)
            if code == -9:
                tally.kills += 1
                if not (out / "config.yaml").exists():
                    tally.before_config += 1
                elif not (out / "checkpoints" / "last.safetensors").exists():
                    tally.before_checkpoint += 1
                elif not (out / "model.safetensors").exists():
                    tally.in_training += 1
                else:
                    tally.after_training += 1
            elif code != 0:
                tally.refused += 1
                break
        if (out / "metrics.json").exists():
            got = weights(out)
            tally.different += any(not np.array_equal(got[name], expected[name]) for name in expected)
            tally.leftovers += len(list(out.rglob(".*.part")))
    tally.seconds.append(whole)
    return tally


def main() -> None:
    """Run the campaign and write its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    generator = random.Random(given.seed)
    rows = []
    for engine in SETTINGS:
        with tempfile.TemporaryDirectory() as folder:
            t = campaign(engine, given.kills // len(SETTINGS), generator, Path(folder))
        rows.append(
            f"| {engine} | {t.kills} | {t.runs} | {t.before_config} | {t.before_checkpoint} | {t.in_training} "
            f"| {t.after_training} | {t.different} | {t.refused} | {t.leftovers} |"
        )
        print(rows[-1], flush=True)
        assert not t.different
        assert not t.refused
    (HERE / "KILLS.md").write_text(
        f"""# Killed and resumed

`python benchmarks/kills.py --kills {given.kills} --seed {given.seed}` trains a network on breast_cancer (with dropout,
BatchNorm, a schedule), kills the process with SIGKILL at moments drawn evenly over a whole run and a little beyond,
resumes it with `--resume`, and kills it again until it ends by itself. The weights are then compared bit for bit with
those of a run that was never stopped. A killed process was

1. starting: there was no run folder yet, and the command was given anew,
2. preparing: there was a run folder and no checkpoint,
3. training,
4. writing the outcome.

| engine | kills | runs | 1 | 2 | 3 | 4 | different weights | refused to resume | files left over |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|
{chr(10).join(rows)}

{platform.system()}, {platform.machine()}, 2 cores; Python {platform.python_version()}, NumPy {np.__version__}.
""",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
