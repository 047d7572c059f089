"""The main job, timed from the outside: whole processes, as a user waits for them.

    python benchmarks/spine.py [--data FOLDER] [--rounds 5]

Each command runs in turn, ``rounds`` times, interleaved with the peer that it is compared with; the results file holds
medians, the spread and the peak memory, and says what machine it was. Writes ``benchmarks/SPINE.md``.
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
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
PELLUCID = [sys.executable, "-m", "pellucid"]
SHARED = HERE.parents[1] / "shared" / "data"
ADULT = "train adult (48,842 rows)"

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


def measure(command: list[str], folder: str) -> tuple[float, int, str]:
    """Seconds, peak memory in MB and the output of one process."""
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = process.stdout.read() if process.stdout else b""
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    assert status == 0, output.decode()
    return seconds, usage.ru_maxrss // 1024, output.decode()


def commands(data: Path, folder: str) -> dict[str, tuple[list[str], str]]:
    """What is measured, and what it is to stay under."""
    jobs = {
        "python -c pass": ([sys.executable, "-c", "pass"], ""),
        "import pellucid": ([sys.executable, "-c", "import pellucid"], "0.3 s"),
        "pellucid --help": ([*PELLUCID, "--help"], "0.3 s"),
        "import torch": ([sys.executable, "-c", "import torch"], ""),
        "train iris": ([*PELLUCID, "train", "iris", "-q"], "4 s"),
        "train iris --preset plain": ([*PELLUCID, "train", "iris", "-q", "--preset", "plain"], "4 s"),
        "the same with --no-verdict": ([*PELLUCID, "train", "iris", "-q", "--preset", "plain", "--no-verdict"], "4 s"),
        "the same with --no-report": (
            [*PELLUCID, "train", "iris", "-q", "--preset", "plain", "--no-verdict", "--no-report"],
            "4 s",
        ),
        "report of a run of iris": ([*PELLUCID, "report", f"{folder}/iris", "--out", "r.html"], "3 s"),
        "predict, 150 rows": ([*PELLUCID, "predict", f"{folder}/iris", "iris", "-o", "p.csv"], "1 s"),
    }
    if data.is_dir():
        train, test = (str(data / "adult" / f"adult-{part}.csv.gz") for part in ("train", "test"))
        kdd = str(data / "kdd99_10pct" / "kddcup.data_10_percent.csv.gz")
        adult = [*PELLUCID, "train", train, "--target", "column_15", "--test-data", test, "--json"]
        adult += ["--no-verdict", "--no-report"]
        jobs |= {
            "report of a run of adult": ([*PELLUCID, "report", f"{folder}/adult", "--out", "r.html"], "15 s"),
            ADULT: (adult, ""),
            "train adult --preset quick": ([*adult, "--preset", "quick"], "20 s, 1 GB"),
            "train adult --preset plain": ([*adult, "--preset", "plain"], "20 s, 1 GB"),
            "that network with scikit-learn": ([sys.executable, "-c", PEER, train, test], ""),
            "inspect kdd99 (494,021 rows)": ([*PELLUCID, "inspect", kdd], "5 s"),
            "pandas reads kdd99 and counts": ([sys.executable, "-c", PANDAS, kdd], ""),
        }
    return jobs


def accuracy(output: str) -> str:
    """The test accuracy that a training command printed."""
    value = json.loads(output)
    return f"{value['metrics']['accuracy']['value'] if isinstance(value, dict) else value:.4f}"


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure([*PELLUCID, "train", "iris", "-q", "--out", f"{folder}/iris"], folder)
        jobs = commands(given.data, folder)
        if ADULT in jobs:
            measure([*jobs[ADULT][0], "--out", f"{folder}/adult"], folder)
        seconds: dict[str, list[float]] = {name: [] for name in jobs}
        memory = dict.fromkeys(jobs, 0)
        scores = {}
        for _ in range(given.rounds):
            for name, (command, _limit) in jobs.items():
                took, peak, output = measure(command, folder)
                seconds[name].append(took)
                memory[name] = max(memory[name], peak)
                if ("adult" in name and "report" not in name) or "scikit-learn" in name:
                    scores[name] = accuracy(output)
    lines = [
        f"| {name} | {statistics.median(s):.2f} | {min(s):.2f} – {max(s):.2f} | {memory[name]} | {jobs[name][1]} "
        f"| {scores.get(name, '')} |"
        for name, s in seconds.items()
    ]
    libraries = ", ".join(f"{p} {version(p)}" for p in ("torch", "numpy", "pyarrow", "scikit-learn", "pandas"))
    cores = len(os.sched_getaffinity(0))
    text = f"""# The main job, from the outside

`make bench`: whole processes, {given.rounds} rounds, interleaved. Seconds of wall-clock time.
Read them beside `import torch` of the same run, which takes 1.1 s where nobody else is at work: a busy hour makes
everything slower alike.

| command | median | spread | peak MB | to stay under | test accuracy |
|---|---:|---:|---:|---:|---:|
{chr(10).join(lines)}

{platform.system()} on {platform.machine()}, {cores} cores, shared with other machines.
Python {platform.python_version()}, {libraries}.
"""
    (HERE / "SPINE.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
