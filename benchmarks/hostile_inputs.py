"""Give Pellucid files made to break it: each is answered, or refused with a word and exit code 2.

Every input is written from a seed, and read by a worker, a process of its own that runs the commands ``inspect``,
``train`` and ``predict`` as the command line does, in 4 GiB of address space beyond its own and at most a minute.

What counts as a failure:

- a traceback, or any exception but Pellucid's own;
- a worker that a signal ends, that the memory does not suffice for, or that takes more than a minute;
- a message of more than 4,000 characters.

Run it with ``python benchmarks/hostile_inputs.py``; it prints the fragment of ``benchmarks/HOSTILE.md`` on inputs.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import multiprocessing
import os
import random
import resource
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from hostile_files import KINDS, Case

SECONDS, BYTES, LETTERS = 60.0, 4 << 30, 4_000
TRAIN = [
    "--preset",
    "plain",
    "--engine",
    "numpy",
    "--epochs",
    "1",
    "--hidden",
    "4",
    "--no-verdict",
    "--no-report",
    "-q",
]


@dataclass
class Tally:
    """What became of the inputs of one kind."""

    tried: int = 0
    became: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    peak: int = 0  # bytes beyond what the worker had before


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a worker says of one command."""

    became: str  # "answered" | "refused" | "failed"
    said: str
    seconds: float
    peak: int


def commands(case: Case, folder: Path, model: Path) -> list[list[str]]:
    """The command lines that an input is given to."""
    data, target = str(case.path), ["--target", case.target] if case.target else []
    if case.what == "config":
        table = str(model.parent / "table.csv")
        return [["train", table, "-c", data, "--out", str(folder / "run"), *TRAIN, "--target", "y"]]
    trained = ["train", data, *target, "--out", str(folder / "run"), *TRAIN]
    asked = [["inspect", data], trained]
    return asked if case.what == "images" else [*asked, ["predict", str(model), data, "-o", str(folder / "p.csv")]]


def run_one(arguments: Sequence[str]) -> tuple[str, str]:
    """One command within this process: what became of it, and what it said last."""
    from pellucid.cli import main

    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            sys.argv = ["pellucid", *arguments]
            main.main()
    except SystemExit as stopped:
        code = stopped.code
    except BaseException:
        return "failed", traceback.format_exc()[-1_500:]
    else:
        code = 0
    said = out.getvalue()
    if "Traceback" in said or code not in (0, 1, 2, None) or len(said) > LETTERS * (8 if code in (0, None) else 1):
        return "failed", f"exit code {code}, {len(said):,} letters: {said[-1_000:]}"
    if code == 2 and "not enough memory" in said:
        return "failed", "memory: " + said[-300:]
    return "answered" if code in (0, 1, None) else "refused", said[-300:]


def peak_bytes() -> int:
    """The most memory that this process has held since its peak was forgotten."""
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024


def worker(line: Connection) -> None:
    """Read command lines and answer them, until there are no more."""
    run_one(["data"])
    import pellucid.workflow.train  # noqa: F401 (what a first time needs is not counted)

    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + BYTES, now + BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    line.send("ready")
    while (arguments := line.recv()) is not None:
        Path("/proc/self/clear_refs").write_text("5")
        before, began = peak_bytes(), time.perf_counter()
        became, said = run_one(arguments)
        line.send(Answer(became=became, said=said, seconds=time.perf_counter() - began, peak=peak_bytes() - before))


class Worker:
    """A process that answers command lines, replaced by a new one when it ends or hangs."""

    def __init__(self) -> None:
        self.context = multiprocessing.get_context("spawn")
        self.start()

    def start(self) -> None:
        """Start the process and wait until it is ready."""
        self.line, theirs = self.context.Pipe()
        self.process = self.context.Process(target=worker, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self.line.recv()

    def ask(self, arguments: Sequence[str]) -> Answer:
        """What becomes of a command line."""
        began = time.perf_counter()
        self.line.send(list(arguments))
        how = f"took more than {SECONDS:g} s"
        try:
            if self.line.poll(SECONDS):
                answer: Answer = self.line.recv()
                return answer
        except (EOFError, ConnectionError):
            self.process.join()
            how = f"ended with {self.process.exitcode}"
        self.process.kill()
        self.process.join()
        self.start()
        return Answer(became="failed", said=how, seconds=time.perf_counter() - began, peak=0)

    def stop(self) -> None:
        """End the process."""
        self.line.send(None)
        self.process.join()


def campaign(
    n: int,
    seed: int,
    folder: Path,
    kinds: Sequence[Callable[[random.Random, Path], Case]] = KINDS,
    keep: Path | None = None,
) -> tuple[dict[str, Tally], list[str]]:
    """Try ``n`` inputs: the tally of each kind, and what failed."""
    tallies, failures = {kind.__name__: Tally() for kind in kinds}, []
    model = a_model(folder)
    asked = Worker()
    for number in range(n):
        kind = kinds[number % len(kinds)]
        place = folder / str(number)
        place.mkdir()
        case = kind(random.Random(f"{seed} {number}"), place)
        tally, became = tallies[kind.__name__], "refused"
        for arguments in commands(case, place, model):
            answer = asked.ask(arguments)
            tally.slowest, tally.peak = max(tally.slowest, answer.seconds), max(tally.peak, answer.peak)
            if answer.became == "failed":
                became = "failed"
                failures.append(f"{kind.__name__}, input {number} ({case.how}), {arguments[0]}: {answer.said}")
                break
            became = "answered" if answer.became == "answered" else became
        tally.tried += 1
        tally.became[became] += 1
        if became == "failed" and keep is not None:
            shutil.copytree(place, keep / str(number), symlinks=True, ignore=shutil.ignore_patterns("pipe"))
        shutil.rmtree(place)
    asked.stop()
    return tallies, failures


def a_model(folder: Path) -> Path:
    """A small model that predicts from columns ``a``, ``b`` and ``c``."""
    rng = random.Random(0)
    rows = [
        f"{rng.gauss(0, 1):.3f},{rng.gauss(0, 1):.3f},{rng.choice('pqr')},{rng.choice(['yes', 'no'])}"
        for _ in range(80)
    ]
    (folder / "table.csv").write_text("a,b,c,y\n" + "\n".join(rows) + "\n", encoding="utf-8")
    done = run_one(["train", str(folder / "table.csv"), "--target", "y", "--out", str(folder / "model"), *TRAIN])
    assert done[0] == "answered", done
    return folder / "model"


def report(tallies: dict[str, Tally], failures: Sequence[str], seed: int, seconds: float) -> str:
    """The results as a fragment of Markdown."""
    total = sum(t.tried for t in tallies.values())
    all_of: Counter[str] = sum((t.became for t in tallies.values()), Counter())
    lines = [
        "## Tables, pictures, archives and configurations",
        "",
        f"{total:,} inputs were tried: {all_of['refused']:,} were refused with a word and exit code 2, "
        f"{all_of['answered']:,} answered, **{all_of['failed']:,} failed** (a traceback, a signal, more than "
        f"{SECONDS:g} s, more than {BYTES >> 30} GiB, a message of pages). The slowest command took "
        f"{max(t.slowest for t in tallies.values()):.1f} s; the most memory taken was "
        f"{max(t.peak for t in tallies.values()) / 1e6:,.0f} MB.",
        "",
        "`python benchmarks/hostile_inputs.py` makes this table; `benchmarks/hostile_files.py` says what each kind is. "
        "Each input goes through `inspect`, `train` and `predict`; a configuration and images through fewer.",
        "",
        "| kind | tried | refused | answered | failed | slowest (s) | memory (MB) |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, t in tallies.items():
        counts = " | ".join(f"{t.became[word]:,}" for word in ("refused", "answered", "failed"))
        words = name.replace("_", " ")
        lines.append(f"| {words} | {t.tried:,} | {counts} | {t.slowest:.1f} | {t.peak / 1e6:,.0f} |")
    lines += ["", f"Seed {seed}; {seconds:,.0f} s on one of {os.cpu_count()} cores."]
    if failures:
        lines += ["", "### Failures", "", *(f"- {failure}" for failure in failures[:100])]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run the campaign and print the fragment; 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--inputs", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=20_261)
    parser.add_argument("--kind", default=None, help="only this kind")
    parser.add_argument("--keep", type=Path, default=None, help="a new folder for the inputs that failed")
    parser.add_argument("--out", type=Path, default=None)
    given = parser.parse_args()
    kinds: Any = [kind for kind in KINDS if given.kind in (None, kind.__name__)]
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        tallies, failures = campaign(given.inputs, given.seed, Path(folder), kinds, given.keep)
    text = report(tallies, failures, given.seed, time.perf_counter() - began)
    if given.out is not None:
        given.out.write_text(text, encoding="utf-8")
    print(text)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
