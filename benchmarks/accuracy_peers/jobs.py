"""What is to be run, in which order, and the file of results, which makes a run resumable.

A result is a line of JSON. A later line for the same table, seed and contestant replaces an earlier one, so the file
is only ever added to.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from accuracy_peers.contestants import contestant
from accuracy_peers.splits import MOST_TRAIN
from accuracy_peers.tables import group_of

__all__ = ["SEEDS", "Key", "Line", "add", "key_of", "ordered", "read", "run", "run_one"]

Key = tuple[str, int, str]  # table, seed, contestant
Line = dict[str, Any]
SEEDS = (0, 1, 2)
BENCHMARKS = Path(__file__).resolve().parents[1]
_THREADS = (
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS",
)  # fmt: skip


def key_of(line: Line) -> Key:
    """What a line is about."""
    return line["table"], line["seed"], line["contestant"]


def read(file: Path) -> dict[Key, Line]:
    """The last line for each table, seed and contestant; a line cut short by a power cut is passed over."""
    found: dict[Key, Line] = {}
    if file.exists():
        for text in file.read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(json.JSONDecodeError):
                line = json.loads(text)
                found[key_of(line)] = line
    return found


def add(file: Path, line: Line) -> None:
    """One more line, in one write, so that two runs may share the file."""
    text = json.dumps(line, ensure_ascii=False) + "\n"
    if file.exists() and file.stat().st_size:
        with file.open("rb") as stream:
            stream.seek(-1, os.SEEK_END)
            if stream.read() != b"\n":  # the last run was cut short in the middle of a line
                text = "\n" + text
    with file.open("ab") as stream:
        stream.write(text.encode())
        stream.flush()
        os.fsync(stream.fileno())


def ordered(
    tables: Iterable[str], seeds: Iterable[int], contestants: Sequence[str], done: dict[Key, Line]
) -> list[Key]:
    """Everything that is asked for: the quick contestants first, and the tables to develop on before the others.

    The slowest goes through one seed after the other, the smallest tables first, whose sizes are known from ``done``.
    """
    rows = {table: line["train_rows"] for (table, _, _), line in done.items() if "train_rows" in line}

    def place(key: Key) -> tuple[Any, ...]:
        table, seed, who = key
        cost, half = contestant(who).cost, group_of(table) == "second"
        turn = contestants.index(who)
        if cost > 1:
            return cost, seed, rows.get(table, MOST_TRAIN), half, table, turn
        return cost, half, seed, table, turn

    return sorted(((table, seed, who) for table in tables for seed in seeds for who in contestants), key=place)


def run_one(key: Key, *, data: Path, answers: Path, limit: float) -> Line | None:
    """One fit in a process of its own, on one thread, ended after ``limit`` seconds; None where somebody ended it."""
    table, seed, who = key
    job = {"table": table, "seed": seed, "contestant": who, "data": str(data), "answers": str(answers)}
    line: Line = {"table": table, "seed": seed, "contestant": who}
    path = os.pathsep.join([str(BENCHMARKS), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, **dict.fromkeys(_THREADS, "1"), "PYTHONPATH": path, "PYTHONHASHSEED": "0"}
    with tempfile.TemporaryDirectory() as folder:  # some libraries leave files where they stand
        try:
            done = subprocess.run(
                [sys.executable, "-m", "accuracy_peers.worker", json.dumps(job)],
                cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit,
                check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return {**line, "status": f"time limit of {limit:.0f} s"}
    if -done.returncode in (signal.SIGINT, signal.SIGTERM):
        return None
    last = done.stdout.strip().rpartition("\n")[2]
    try:
        return {**line, **json.loads(last)}
    except json.JSONDecodeError:
        return {**line, "status": f"failed: the process ended with {done.returncode}"}


def run(
    keys: Sequence[Key],
    file: Path,
    *,
    work: Callable[[Key], Line | None],
    jobs: int = 1,
    again: Sequence[str] = (),
    say: Callable[[str], None] = print,
) -> None:
    """Do what is not in ``file`` yet, and what is if its contestant is named in ``again``.

    A failure stands in the file like any result, and is not repeated unasked.
    """
    left = [key for key in keys if key[2] in again or key not in read(file)]

    def one(number: int) -> None:
        key = left[number]
        if key[2] not in again and key in read(file):  # another run has done it meanwhile
            return
        line = work(key)
        if line is None:
            return
        add(file, line)
        told = f"{line['error']:.4f} in {line['fit_cpu_s']:.1f} s" if line["status"] == "ok" else line["status"]
        say(f"{number + 1}/{len(left)} {key[0]} {key[1]} {key[2]}: {told}")

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        futures = [pool.submit(one, number) for number in range(len(left))]
        try:
            for each in futures:
                each.result()
        finally:  # after Ctrl-C or a full disk nothing further is begun
            pool.shutdown(cancel_futures=True)
