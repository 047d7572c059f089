"""The main job, timed from the outside: whole processes, as a user waits for them.

    python benchmarks/spine.py [--data FOLDER] [--rounds 5]

Each command runs in turn, ``rounds`` times, interleaved with the peer that it is compared with; the results file holds
medians, the spread, the processor time and the peak memory, and says what machine it was. A training is written as a
user types it: without ``--no-verdict`` and ``--no-report`` it is the whole of what the user gets, from start to finish.
Writes ``benchmarks/SPINE.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
PELLUCID = [sys.executable, "-m", "pellucid"]
SHARED = HERE.parents[1] / "shared" / "data"
TORCH = "import torch"
SPARE = ["--no-verdict", "--no-report"]

# scikit-learn on the same table: read with pandas, impute, scale, one-hot, and a network of the same shape.
PEER = """
import sys
import pandas as pd
from sklearn.compose import make_column_selector as of, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
train, test = (pd.read_csv(p, header=None, skipinitialspace=True, na_values="?") for p in sys.argv[1:3])
x, y = train.iloc[:, :-1], train.iloc[:, -1]
columns = make_column_transformer(
    (make_pipeline(SimpleImputer(), StandardScaler()), of(dtype_include="number")),
    (OneHotEncoder(handle_unknown="ignore"), of(dtype_exclude="number")),
)
network = MLPClassifier((64, 32), batch_size=256, early_stopping=True, n_iter_no_change=20, validation_fraction=0.15)
model = make_pipeline(columns, network).fit(x, y)
print(model.score(test.iloc[:, :-1], test.iloc[:, -1].str.rstrip(".")))
"""


PANDAS = """
import sys
import pandas as pd
pd.read_csv(sys.argv[1], header=None).nunique()
"""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One process that has ended: seconds by the clock and of the processors, peak memory in MB, what it printed."""

    seconds: float
    processor: float
    peak: int
    output: str


def measure(command: list[str], folder: str) -> Measured:
    """Run a command as a process of its own, with bytecode written and found again, as an installed package has it."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, env=kept, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = process.stdout.read() if process.stdout else b""
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    assert status == 0, output.decode()
    return Measured(
        seconds=seconds,
        processor=usage.ru_utime + usage.ru_stime,
        peak=usage.ru_maxrss // 1024,
        output=output.decode(),
    )


def commands(data: Path, folder: str) -> dict[str, tuple[list[str], str]]:
    """What is measured, and what it is to stay under: seconds, memory, or times the import of PyTorch."""
    iris = [*PELLUCID, "train", "iris", "-q"]
    plain = ["--preset", "plain"]
    jobs = {
        "python -c pass": ([sys.executable, "-c", "pass"], ""),
        "import pellucid": ([sys.executable, "-c", "import pellucid"], "0.3 s"),
        "pellucid --help": ([*PELLUCID, "--help"], "0.3 s"),
        TORCH: ([sys.executable, "-c", TORCH], ""),
        "train iris": (iris, "3.0 ×"),
        "train iris --no-verdict --no-report": ([*iris, *SPARE], "1.6 ×"),
        "train iris --preset plain": ([*iris, *plain], "3.0 ×"),
        "train iris --preset plain --no-verdict": ([*iris, *plain, SPARE[0]], ""),
        "train iris --preset plain --no-verdict --no-report": ([*iris, *plain, *SPARE], "1.6 ×"),
        "report of a run of iris": ([*PELLUCID, "report", f"{folder}/iris", "--out", "r.html"], "3 s"),
        "predict, 150 rows": ([*PELLUCID, "predict", f"{folder}/iris", "iris", "-o", "p.csv"], "1 s"),
    }
    if data.is_dir():
        train, test = (str(data / "adult" / f"adult-{part}.csv.gz") for part in ("train", "test"))
        kdd = str(data / "kdd99_10pct" / "kddcup.data_10_percent.csv.gz")
        adult = [*PELLUCID, "train", train, "--target", "column_15", "--test-data", test, "--json"]
        quick = ["--preset", "quick"]
        jobs |= {
            "report of a run of adult": ([*PELLUCID, "report", f"{folder}/adult", "--out", "r.html"], "15 s"),
            "train adult": (adult, ""),
            "train adult --no-verdict --no-report": ([*adult, *SPARE], ""),
            "train adult --preset quick": ([*adult, *quick], ""),
            "train adult --preset quick --no-verdict --no-report": ([*adult, *quick, *SPARE], "20 s, 1 GB"),
            "train adult --preset plain": ([*adult, *plain], ""),
            "train adult --preset plain --no-verdict --no-report": ([*adult, *plain, *SPARE], "20 s, 1 GB"),
            "the last network with scikit-learn": ([sys.executable, "-c", PEER, train, test], ""),
            "inspect kdd99 (494,021 rows)": ([*PELLUCID, "inspect", kdd], "5 s"),
            "pandas reads kdd99 and counts": ([sys.executable, "-c", PANDAS, kdd], ""),
        }
    return jobs


def accuracy(output: str) -> str:
    """The test accuracy that a training command printed."""
    value = json.loads(output)
    return f"{value['metrics']['accuracy']['value'] if isinstance(value, dict) else value:.4f}"


def row(name: str, found: list[Measured], torch: list[Measured], limit: str) -> str:
    """One line of the table."""
    seconds = [each.seconds for each in found]
    times = statistics.median(mine.seconds / theirs.seconds for mine, theirs in zip(found, torch, strict=True))
    processor = statistics.median(each.processor for each in found)
    trained = name.startswith("train adult") or "scikit-learn" in name
    return (
        f"| {name} | {statistics.median(seconds):.2f} | {min(seconds):.2f} – {max(seconds):.2f} | {times:.2f} "
        f"| {processor:.2f} | {max(each.peak for each in found)} | {limit} "
        f"| {accuracy(found[-1].output) if trained else ''} |"
    )


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure([*PELLUCID, "train", "iris", "-q", "--out", f"{folder}/iris"], folder)
        jobs = commands(given.data, folder)
        if "train adult" in jobs:
            measure([*jobs["train adult --no-verdict --no-report"][0], "--out", f"{folder}/adult"], folder)
        runs: dict[str, list[Measured]] = {name: [] for name in jobs}
        for _ in range(given.rounds):
            for name, (command, _limit) in jobs.items():
                runs[name].append(measure(command, folder))
    lines = [row(name, found, runs[TORCH], jobs[name][1]) for name, found in runs.items()]
    libraries = ", ".join(f"{p} {version(p)}" for p in ("torch", "numpy", "pyarrow", "scikit-learn", "pandas"))
    cores = len(os.sched_getaffinity(0))
    text = f"""# The main job, from the outside

`make bench`: whole processes, {given.rounds} rounds, interleaved. Seconds of wall-clock time.
"× torch": how many times as long as `import torch` of the same round, the median of the rounds. A busy hour makes
everything slower alike; with nobody else at work `import torch` takes 1.1 s. Trainings include the verdict and the
report where the command does not leave them out; adult has 48,842 rows.

| command | median | spread | × torch | processor | peak MB | to stay under | test accuracy |
|---|---:|---:|---:|---:|---:|---:|---:|
{chr(10).join(lines)}

{platform.system()} on {platform.machine()}, {cores} cores, shared with other machines.
Python {platform.python_version()}, {libraries}.
"""
    (HERE / "SPINE.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
