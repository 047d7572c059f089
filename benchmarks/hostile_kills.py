"""Kill comparisons, searches, lotteries, ensembles and the writing of models and reports with SIGKILL, at random.

    python benchmarks/hostile_kills.py --kills 300

Each piece of work is killed again and again and repeated as a user would repeat it, until it ends by itself. Half of
the moments are drawn evenly over its length and a little beyond, half over its last quarter, where most is written.
After every kill the files that are there must be whole, the
folder's lock free, and the table, a finished run and notes in the folder untouched; at the end nothing may lie about,
and the outcome must be that of the same work undisturbed. Workers are forked from a process that has imported
everything, so that no kill is spent on imports. Writes ``benchmarks/hostile_kills.jsonl``, a line for each kind.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.cli.main import main as command_line
from pellucid.errors import RunFolderError
from pellucid.io import safe_tensors
from pellucid.io.lock import locked
from pellucid.model.model import Model
from pellucid.settings.config import read_config

HERE = Path(__file__).resolve().parent
LATE = 1.15  # moments are drawn up to so many times the length of the work undisturbed
TABLE, MINE = "t.csv", ".mine.part"
TRAIN = ["--target", "y", "--preset", "plain", "--engine", "textbook", "--threads", "1"]


@dataclass
class Tally:
    """What happened to one kind of work; all from ``damaged`` on is to be 0."""

    kind: str
    kills: int = 0
    finished: int = 0
    before_files: int = 0  # kills before there was any file
    between: int = 0  # kills with some of the files there
    after_files: int = 0  # kills with all of them there
    left_aside: int = 0  # kills that left a file being written
    seconds: float = 0.0  # of the work undisturbed
    damaged: int = 0
    locks: int = 0
    foreign: int = 0
    refused: int = 0
    leftovers: int = 0
    different: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Work:
    """One kind of work.

    Attributes
    ----------
    do
        The work, in a folder of its own name; called again after a kill.
    files
        What is there at its end.
    outcome
        What must be the same as undisturbed; ``None`` where chance takes part.
    begin
        Brings about what the work goes on from, undisturbed.
    sweeps
        Whether a repetition removes what a kill left of a file being written: in a run's folder it does, beside a file
        of the user's own it does not.
    """

    kind: str
    do: Callable[[str], None]
    files: tuple[str, ...]
    outcome: Callable[[Path], Any] = lambda folder: None
    begin: Callable[[str], None] = lambda out: None
    sweeps: bool = True


# ── the work ──


def typed(*words: str) -> None:
    """A command of the command line, in this process."""
    sys.argv = ["pellucid", *words]
    command_line()


def compare(out: str) -> None:
    """Four combinations on two folds."""
    grid = ["--hidden", "4", "--hidden", "6", "--activation", "relu,tanh", "--folds", "2", "--epochs", "30"]
    typed("compare", TABLE, *TRAIN, *grid, "--out", out, "--overwrite", "-q", "-y")


def search(out: str) -> None:
    """Six trials of one study."""
    fixed = ["--target", "y", "--engine", "textbook", "--threads", "1", "--hidden", "6", "--epochs", "12"]
    typed("search", TABLE, *fixed, "--trials", "6", "--folds", "2", "--out", out, "-q")


def lottery(out: str) -> None:
    """Five seeds and five splits."""
    typed("lottery", TABLE, *TRAIN, "--hidden", "4", "--epochs", "20", "--seeds", "5", "--out", out)


def ensemble(out: str, *options: str) -> None:
    """Four networks; a run that was begun is resumed."""
    if Path(out, "config.yaml").exists():
        typed("train", out, "--resume", "-q")
    else:
        quick = ["--no-verdict", "--no-report", "--hidden", "6", "--epochs", "60", "--patience", "none"]
        typed("train", TABLE, *TRAIN, *quick, "--n-networks", "4", *options, "--out", out, "-q")


def by_folds(out: str) -> None:
    """The same, each network with a fold of its own."""
    ensemble(out, "--ensemble", "folds")


def models(out: str) -> None:
    """Two model files in turn under one name, many times."""
    Path(out).mkdir(exist_ok=True)
    pair = [Model.read(name) for name in ("whole", "other")]
    for k in range(200):
        pair[k % 2].save(Path(out, "model.safetensors"))


def plain_run(out: str) -> None:
    """A run to be reported."""
    quick = ["--no-verdict", "--no-report", "--hidden", "6", "--epochs", "15"]
    typed("train", TABLE, *TRAIN, *quick, "--out", out, "-q")


def report(out: str) -> None:
    """The page of a run."""
    typed("report", out)


# ── outcomes ──


def weights(folder: Path) -> Any:
    """Of all networks of a run."""
    model = Model.read(folder)
    return [{name: array.tolist() for name, array in member.items()} for member in (model.parameters, *model.more)]


def scores(folder: Path) -> Any:
    """Of a comparison, by combination, but for the time that they took."""
    rows = json.loads((folder / "comparison.json").read_text())["rows"]
    return sorted(json.dumps([row["values"], row["folds"]]) for row in rows)


def draws(folder: Path) -> Any:
    """Of a lottery."""
    facts = json.loads((folder / "lottery.json").read_text())
    return [facts["seeds"], facts["splits"]]


def trials(folder: Path) -> Any:
    """Whether a study has what was asked for: which trials those are depends on the ones that were killed."""
    counts = json.loads((folder / "search.json").read_text())["trials"]
    return counts.get("complete", 0) + counts.get("pruned", 0) >= 6


COMPARISON = ("comparison.csv", "comparison.json", "figure.png", "best.yaml")
SEARCH = ("study.journal", "search.json", "trials.csv", "best.yaml", "search.png", "search.svg")
RUN = ("config.yaml", "log.txt", "model.safetensors", "history.csv", "predictions.csv", "doctor.json", "metrics.json")
LOTTERY = tuple(f"lottery.{ending}" for ending in ("json", "csv", "png", "svg"))
WORKS = (
    Work("compare", compare, COMPARISON, scores),
    Work("search", search, SEARCH, trials),
    Work("lottery", lottery, LOTTERY, draws),
    Work("ensemble by seeds", ensemble, RUN, weights),
    Work("ensemble by folds", by_folds, RUN, weights),
    Work("a model file", models, ("model.safetensors",), sweeps=False),
    Work("a report", report, (*RUN, "report.html"), weights, plain_run),
)


# ── kills ──


def fork(do: Callable[[str], None], out: str, kill_after: float | None) -> int:
    """The exit code of the work in a process of its own, -9 if it was killed."""
    sys.stdout.flush()  # else the worker writes it again
    process = os.fork()
    if not process:
        code = 1
        try:
            with Path("output.txt").open("ab", buffering=0) as stream:
                os.dup2(stream.fileno(), 1)
                os.dup2(stream.fileno(), 2)
            do(out)
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        finally:
            sys.stdout.flush()
            os._exit(code)
    end = None if kill_after is None else time.monotonic() + kill_after
    while end is None or time.monotonic() < end:
        gone, status = os.waitpid(process, 0 if end is None else os.WNOHANG)
        if gone:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.001)
    os.kill(process, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def damages(folder: Path) -> Iterator[str]:
    """The files in a folder that cannot be read, each with what is wrong."""
    for file in sorted(folder.rglob("*")):
        if file.is_dir() or file.name.endswith(".part") or file.name == "notes.txt":
            continue
        try:
            check(file)
        except Exception as error:  # whatever it is, it is to be counted
            yield f"{file.name}: {type(error).__name__} {error}"


def check(file: Path) -> None:
    """Raise where a file is not whole."""
    content = file.read_bytes()
    match file.suffix:
        case ".json":
            json.loads(content)
        case ".yaml":
            read_config(file)
        case ".safetensors" if file.name == "model.safetensors":
            Model.read(file)
        case ".safetensors":
            safe_tensors.read(file)
        case ".csv" | ".txt" | ".journal":
            assert content.endswith(b"\n"), "its last line is torn"
        case ".png":
            assert content.endswith(b"IEND\xaeB`\x82"), "it is torn"
        case ".svg":
            assert content.rstrip().endswith(b"</svg>"), "it is torn"
        case ".html":
            assert content.rstrip().endswith(b"</html>"), "it is torn"


def campaign(work: Work, kills: int, generator: random.Random, deadline: float) -> Tally:
    """Kill one kind of work so many times, or until ``deadline``."""
    tally = Tally(work.kind)
    assert fork(work.begin, "straight", None) == 0
    began = time.monotonic()
    assert fork(work.do, "straight", None) == 0, Path("output.txt").read_text()[-2000:]
    tally.seconds = round(time.monotonic() - began, 2)
    expected = work.outcome(Path("straight"))
    apart = {path: path.read_bytes() for path in (Path(TABLE), *Path("whole").rglob("*")) if path.is_file()}
    while tally.kills < kills and time.monotonic() < deadline:
        out, noted = Path(f"out-{tally.finished}"), False
        assert fork(work.begin, str(out), None) == 0
        while True:
            first = generator.choice((0.0, 0.75))
            after = tally.seconds * generator.uniform(first, LATE) if tally.kills < kills else None
            code = fork(work.do, str(out), after)
            if code != -9:
                break
            tally.kills += 1
            look(work, out, tally, apart)
            if noted:
                tally.foreign += any(not file.is_file() or file.read_text() != "mine" for file in notes_in(out))
            if work.kind != "lottery" and any((out / name).exists() for name in work.files):
                noted = True  # a lottery alone goes into a folder with nothing else in it
                for file in notes_in(out):
                    file.write_text("mine")
        if code:
            tally.refused += 1
            tally.problems.append(f"exit {code}: {Path('output.txt').read_text()[-300:]}")
            break
        tally.finished += 1
        tally.leftovers += work.sweeps and len([part for part in out.rglob("*.part") if part.name != MINE])
        tally.different += work.outcome(out) != expected
        tally.different += not all((out / name).exists() for name in work.files)
    return tally


def notes_in(folder: Path) -> tuple[Path, ...]:
    """Files that are none of ours."""
    return folder / "notes.txt", folder / MINE


def look(work: Work, out: Path, tally: Tally, apart: dict[Path, bytes]) -> None:
    """After a kill: count where it fell, and what is wrong."""
    there = [(out / name).exists() for name in work.files]
    tally.before_files += not any(there)
    tally.between += any(there) and not all(there)
    tally.after_files += all(there)
    tally.foreign += any(path.read_bytes() != content for path, content in apart.items())
    if not out.is_dir():
        return
    tally.left_aside += any(part.name != MINE for part in out.rglob("*.part"))
    found = list(damages(out))
    tally.damaged += len(found)
    tally.problems += found
    try:
        with locked(out):
            pass
    except RunFolderError:
        tally.locks += 1


def write_table() -> None:
    """400 rows, two numbers and a word, of which the target follows with noise."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 400))
    word = rng.choice(list("pqr"), 400)
    yes = a + b + (word == "p") + rng.normal(size=400) / 2 > 0.2
    lines = (f"{x:.3f},{y:.3f},{w},{'yes' if t else 'no'}" for x, y, w, t in zip(a, b, word, yes, strict=True))
    Path(TABLE).write_text("a,b,c,y\n" + "".join(f"{line}\n" for line in lines))


def other_run(out: str) -> None:
    """A run with other weights."""
    typed(
        "train",
        TABLE,
        *TRAIN,
        "--no-verdict",
        "--no-report",
        "--hidden",
        "5",
        "--seed",
        "1",
        "--epochs",
        "9",
        "--out",
        out,
    )


def main() -> None:
    """Run the campaigns and write their figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=60, help="end after about so long, with fewer kills")
    parser.add_argument("--out", type=Path, default=HERE / "hostile_kills.jsonl")
    given = parser.parse_args()
    import matplotlib.figure  # noqa: F401
    import optuna  # noqa: F401
    import sklearn  # noqa: F401

    generator, end = random.Random(given.seed), time.monotonic() + 60 * given.minutes
    machine = f"{platform.system()}, {platform.machine()}, {os.cpu_count()} cores; Python {platform.python_version()}"
    lines, wrong = [], 0
    print("| work | kills | 0 | some | all | aside | ended | damaged | locks | foreign | refused | left over | other |")
    for place, work in enumerate(WORKS):
        share = given.kills // len(WORKS) + (place < given.kills % len(WORKS))
        deadline = time.monotonic() + (end - time.monotonic()) / (len(WORKS) - place)
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            write_table()
            assert fork(plain_run, "whole", None) == 0
            assert fork(other_run, "other", None) == 0
            t = campaign(work, share, generator, deadline)
            os.chdir(HERE)
        bad = t.damaged + t.locks + t.foreign + t.refused + t.leftovers + t.different
        wrong += bad
        facts = {name: value for name, value in asdict(t).items() if name != "problems" or value}
        facts |= {"seed": given.seed, "date": datetime.now(UTC).date().isoformat(), "machine": machine}
        lines.append(json.dumps(facts))
        counted = [t.kills, t.before_files, t.between, t.after_files, t.left_aside, t.finished]
        counted += [t.damaged, t.locks, t.foreign, t.refused, t.leftovers, t.different]
        print(f"| {t.kind} | {' | '.join(map(str, counted))} |", *t.problems[:3], flush=True)
    given.out.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    if wrong:
        raise SystemExit(f"{wrong} things went wrong")


if __name__ == "__main__":
    main()
