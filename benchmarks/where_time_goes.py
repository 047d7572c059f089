"""Where the time of ``pellucid train`` goes: whole processes, sampled while they run.

    python benchmarks/where_time_goes.py [--data FOLDER] [--rounds 3] [--before CHECKOUT]

Each training is a process of its own, which is asked every two milliseconds of processor time what it is doing; the
time since it was last asked belongs to the innermost function of `PHASES` that is being called, or to the package
that is being imported. ``--before`` names another checkout of Pellucid whose trainings run in turn with these. Writes
``benchmarks/WHERE_TIME_GOES.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import runpy
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from types import FrameType

HERE = Path(__file__).resolve().parent
SHARED = HERE.parents[1] / "shared" / "data"
EVERY = 0.002  # seconds of processor time
LEAST = 0.02  # seconds: a phase that is shown
PRESETS = ("best", "quick", "plain")
Command = list[str]
Times = dict[str, list[float]]  # processor seconds and wall-clock seconds of each phase

# (part of a file's name, a function or "" for all of them): the phase. The innermost call decides.
PHASES = {
    ("preparation/members.py", "prepare_run"): "preparing: the rest",
    ("preparation/sources.py", "open_source"): "reading the table",
    ("preparation/sources.py", "open_test_table"): "reading the table",
    ("data/schema.py", "infer_schema"): "column types, leaks",
    ("data/dependence/row_hashes.py", ""): "equal rows",
    ("data/splits.py", ""): "splitting",
    ("preparation/edited.py", ""): "preprocessing",
    ("preparation/fitted.py", ""): "preprocessing",
    ("preprocessing/recipe.py", ""): "preprocessing",
    ("preparation/prepare.py", "fingerprint"): "checkpoints",
    ("runs/members.py", "fit_members"): "training",
    ("runs/machine.py", ""): "measuring the fastest step",
    ("runs/checkpoint.py", ""): "checkpoints",
    ("training/signals.py", ""): "doctor",
    ("pellucid/diagnosis/", ""): "doctor",
    ("runs/diagnosis.py", ""): "doctor",
    ("model/measuring.py", "measure"): "metrics and their intervals",
    ("runs/outcome.py", "_baseline"): "metrics and their intervals",
    ("runs/verdict.py", "reach_verdict"): "verdict: the comparison",
    ("evaluation/baselines.py", "linear_answers"): "verdict: linear model",
    ("evaluation/baselines.py", "boosting_answers"): "verdict: boosting",
    ("runs/outcome.py", "finish_run"): "answers and files of the run",
    ("reports/report.py", "write_report"): "report: the rest",
    ("inspection/explained_columns.py", "columns_explained"): "report: importance, dependence",
    ("inspection/boundary.py", "boundary_of"): "report: the slice",
    ("inspection/mistakes.py", "mistakes_of"): "report: mistakes",
    ("reports/parts/report_input.py", "picture"): "report: drawing",
}
PACKAGES = ("torch", "sklearn", "matplotlib", "pandas", "numba", "pyarrow", "typer", "rich")
CUT = """## What was cut

- **Looking for cyclic garbage.** Imports leave 400,000 objects that Python's collector went through several times, and
  once more at the end of the process: a quarter of `import torch` itself. A command collects seldom, and leaves
  without.
- **pandas**, which PyArrow and scikit-learn import where it is installed, only to recognise frames that a command
  reading files does not have.
- **scikit-learn in preprocessing.** The trees that cut numbers into bins are grown by our own NumPy, to the same cuts
  and in half the time; without a verdict neither scikit-learn nor SciPy is loaded.
- **Memory given back and taken anew.** glibc returned the memory of every large array and had the system clear it
  again for the next one; a command keeps what it has, for a few MB more at its peak.
- **The sigmoid**, half of the time of the many answers that a report asks for: two exponentials without a choice
  between two results take less than half as long, to the same bits.

What is left on small tables is mostly other packages: PyTorch; scikit-learn, nearly half of whose import is SciPy's
`stats`, which it loads by itself; matplotlib and its drawing. On larger tables it is training, the peers of the
verdict, and the answers that the report asks of the network for importance, interactions and mistakes.
"""
REST, LEAVING = "start, command line, all else", "leaving Python"


def phase_of(frame: FrameType | None) -> str:
    """What these calls, from the innermost outwards, are doing: a phase, or the import of a package."""
    asked: list[str] = []
    while frame is not None:
        file, function = frame.f_code.co_filename, frame.f_code.co_name
        if function == "_find_and_load" and file.startswith("<frozen importlib"):
            asked.append(str(frame.f_locals.get("name")).partition(".")[0])
        elif "/pellucid/" in file and function != "<module>":
            of_file = [(f, phase) for (part, f), phase in PHASES.items() if part in file]
            phase = next((phase for f, phase in of_file if f in ("", function)), None)
            if phase is not None:
                return imported(asked) or phase
        frame = frame.f_back
    return imported(asked) or REST


def imported(asked: list[str]) -> str | None:
    """Of these imports, from the innermost outwards, the one that a reader knows."""
    if not asked:
        return None
    foreign = [name for name in asked if name != "pellucid"]
    package = foreign[-1] if foreign else "Pellucid's own modules"
    return f"import of {package if not foreign or package in PACKAGES else 'other packages'}"


def child(result: str, arguments: list[str]) -> None:
    """Run ``pellucid`` with these arguments in this process and write what its time went into."""
    phases: Times = {}
    last = [0.0, time.perf_counter()]

    def note(_signal: int, frame: FrameType | None) -> None:
        now = [time.process_time(), time.perf_counter()]
        spent = phases.setdefault(phase_of(frame), [0.0, 0.0])
        for k in range(2):
            spent[k] += now[k] - last[k]
        last[:] = now

    signal.signal(signal.SIGPROF, note)
    signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
    sys.argv = ["pellucid", *arguments]
    try:
        runpy.run_module("pellucid", run_name="__main__")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        note(0, None)
        Path(result).write_text(json.dumps(phases), encoding="utf-8")


def run(arguments: list[str], source: Path, folder: str) -> Times:
    """One training in a process of its own; under ``total`` what the operating system counted."""
    result, errors = Path(folder) / "phases.json", Path(folder) / "errors.txt"
    command = [sys.executable, __file__, "--child", str(result), *arguments, "--out", f"{folder}/run", "--overwrite"]
    began = time.perf_counter()
    with errors.open("wb") as sink:
        process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.DEVNULL, stderr=sink,
            env=environment(PYTHONPATH=str(source)),
        )  # fmt: skip
        _, status, usage = os.wait4(process.pid, 0)
    total = [usage.ru_utime + usage.ru_stime, time.perf_counter() - began]
    assert status == 0, errors.read_text(encoding="utf-8")
    phases: Times = json.loads(result.read_text(encoding="utf-8"))
    phases[LEAVING] = [whole - sum(each[k] for each in phases.values()) for k, whole in enumerate(total)]
    return {**phases, "total": total}


def tables(data: Path) -> dict[str, Command]:
    """What is trained on."""
    adult = [str(data / "adult" / f"adult-{part}.csv.gz") for part in ("train", "test")]
    return {
        "iris, 150 rows": ["iris"],
        "pima, 768 rows": [str(data / "pima_diabetes" / "pima-indians-diabetes.csv.gz"), "--target", "column_9"],
        "white wine, 4,898 rows": [str(data / "wine_quality" / "winequality-white.csv.gz"), "--target", "quality"],
        "Adult, 48,842 rows": [adult[0], "--target", "column_15", "--test-data", adult[1]],
    }


def medians(runs: list[Times]) -> Times:
    """Of each phase over the runs."""
    names = dict.fromkeys(name for run in runs for name in run)
    return {n: [statistics.median(r.get(n, [0.0, 0.0])[k] for r in runs) for k in range(2)] for n in names}


def shown(name: str, found: dict[tuple[str, str], Times], codes: list[str]) -> str:
    """One table of the data set ``name``: a phase a row, a preset a column, and of each the code before and after."""

    def cells(phase: str, k: int) -> str:
        row = []
        for preset in PRESETS:
            values = [found[preset, code].get(phase, [0.0, 0.0])[k] for code in codes]
            row.append(" → ".join("–" if value < LEAST / 2 else f"{value:.2f}" for value in values))
        return " | ".join(row)

    largest = {
        phase: max(times.get(phase, [0.0])[0] for times in found.values())
        for phase in dict.fromkeys(p for times in found.values() for p in times if p != "total")
    }
    lines = [f"## {name}", "", f"| processor seconds | {' | '.join(PRESETS)} |", "|---|" + "---:|" * len(PRESETS)]
    rows = [phase for phase in sorted(largest, key=lambda p: -largest[p]) if largest[phase] >= LEAST]
    lines += [f"| {phase} | {cells(phase, 0)} |" for phase in rows]
    lines += [f"| **all** | {cells('total', 0)} |", f"| *wall-clock seconds* | {cells('total', 1)} |"]
    return "\n".join(lines)


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--before", type=Path, help="another checkout, whose trainings run in turn with these")
    given = parser.parse_args()
    sources = {"after": HERE.parent / "src"}
    if given.before:
        sources = {"before": given.before.resolve() / "src", **sources}
    parts, torch_seconds = [], []
    with tempfile.TemporaryDirectory() as folder:
        run(["train", "iris", "-q"], sources["after"], folder)  # bytecode and caches are there for all that follows
        for name, table in tables(given.data).items():
            runs: dict[tuple[str, str], list[Times]] = {}
            for _ in range(given.rounds):
                torch_seconds.append(import_of_torch())
                for preset in PRESETS:
                    for code, source in sources.items():
                        line = ["train", *table, "--preset", preset, "-q"]
                        runs.setdefault((preset, code), []).append(run(line, source, folder))
            parts.append(shown(name, {key: medians(each) for key, each in runs.items()}, list(sources)))
            print(parts[-1], flush=True)
            write(parts, torch_seconds, given.rounds, compared=len(sources) > 1)


def write(parts: list[str], torch_seconds: list[list[float]], rounds: int, *, compared: bool) -> None:
    """The results so far."""
    both = "Each cell: before what is listed below → after it, in turn. " if compared else ""
    libraries = ", ".join(f"{p} {version(p)}" for p in ("torch", "numpy", "pyarrow", "scikit-learn", "matplotlib"))
    torch = [statistics.median(each[k] for each in torch_seconds) for k in range(2)]
    text = f"""# Where the time of a training goes

`python benchmarks/where_time_goes.py`: whole processes of `pellucid train` with verdict and report, medians of
{rounds} runs, one thread. {both}A process that does nothing but `import torch` took {torch[0]:.2f} processor
seconds ({torch[1]:.2f} by the clock) in between. The machine was shared: processor time tells more than the clock.
Phases under {LEAST:g} s are left out of the rows, not of the sum.

{(chr(10) * 2).join(parts)}

{CUT}
{platform.system()} on {platform.machine()}, {len(os.sched_getaffinity(0))} cores, shared with other machines.
Python {platform.python_version()}, {libraries}.
"""
    (HERE / "WHERE_TIME_GOES.md").write_text(text, encoding="utf-8")


def import_of_torch() -> list[float]:
    """Processor and wall-clock seconds of a process that imports PyTorch and ends."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", "import torch"], env=environment())
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0
    return [usage.ru_utime + usage.ru_stime, time.perf_counter() - began]


def environment(**more: str) -> dict[str, str]:
    """With bytecode written and found again, as an installed package has it."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "OMP_NUM_THREADS": "1", **more}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], sys.argv[3:])
    else:
        main()
