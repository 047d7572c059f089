"""Hostile names and cells through every command: what reaches the terminal, and how the command ends.

Each round draws names of columns, classes, cells, a file and a folder from pieces that steer terminals, markup, HTML
and spreadsheets, and runs every command that quotes them, each in a process of its own. Counted are raw control
characters in the output (and in log.txt, report.html, story.md), tracebacks, and cells of CSV that a spreadsheet would
run.

    python benchmarks/hostile_terminal.py [ROUNDS]
"""

from __future__ import annotations

import csv
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

HIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
RUN = re.compile('(?m)(^|,)"?[=@\t\r]')
PIECES = [
    "\x1b[2J", "\x1b]0;title\x07", "\x1b]8;;http://x\x1b\\", "\x9b31m", "\x90q\x9c", "\r", "\x08\x08", "\x7f", "\x00",
    "\u202e", "\u2066", "\u200b", "\u2028", "\ufeff", "\U000e0041", "[bold]", "[/]", "[link=x]", "[/nothing]",
    ":smile:", "$x_1$", "</script>", '" onload="x', "<b>", "&amp;", "=1+1", "@SUM(A1)", "-1+1", "\t=1", "\uff1d1",
    "{0}", "%s", "\\", "'", "a", "b c", "é", "年", "🙂",
]  # fmt: skip
Q = ["--preset", "plain", "--engine", "textbook", "--epochs", "2", "--threads", "1"]


def commands(target: str, table: str, run: str, word: str) -> list[list[str]]:
    """Every command that quotes a user's words: right ones, and some that are refused."""
    return [
        ["train", table, "--target", target, *Q, "--out", run],
        ["inspect", table], ["inspect", table, "--json"], ["inspect", run], ["evaluate", run, table],
        ["predict", run, table], ["predict", run, table, "--json"], ["predict", run, table, "-o", f"{word}.csv"],
        ["explain", run, table, "--budget", "500"], ["explain", run, table, "--row", "3", "--budget", "500"],
        ["mistakes", run, table], ["trace", run, table, "--row", "1"], ["trace", run, table, "--html", "t.html"],
        ["units", run, table], ["boundary", run], ["doctor", run], ["report", run], ["train", run, "--resume"],
        ["doctor", table, "--target", target, *Q], ["init", table, "--target", target, "-o", f"{word}.yaml"],
        ["compare", table, "--target", target, *Q, "--hidden", "2", "--hidden", "3", "--folds", "2", "--out", "c"],
        ["lottery", table, "--target", target, *Q, "--seeds", "5", "--out", "l"],
        ["lr", table, "--target", target, "--threads", "1", "--out", "r"],
        ["predict", run, f"no{word}"], ["evaluate", f"no{word}", table], ["train", table, "--target", f"no{word}"],
        [f"no{word}"], ["train", table, f"--no{word}"], ["mistakes", run, table, "--most", word],
        ["evaluate", run, table, word], ["study", f"no{word}"], ["learn", f"no{word}"], ["doctor", f"no{word}.py"],
        ["explain", run, table, "--row", "1", "--class", f"no{word}"], ["trace", run, "--input", f"no{word}=1"],
        ["train", table, "--target", target, "--optimizer", f"no{word}"],
    ]  # fmt: skip


def a_round(seed: int, folder: Path, found: Counter[str], slowest: list[tuple[float, str]]) -> None:
    """One table, one run, every command."""
    draw = random.Random(seed)

    def word(*, of_file: bool = False) -> str:
        text = "".join(draw.sample(PIECES, draw.randint(2, 4)))
        return re.sub("[/\x00-]", "", text)[:60].lstrip("-=") or "x" if of_file else text.replace("\0", "")

    names = [f"{word()}{i}" for i in range(4)]
    classes = [f"{word()}{i}" for i in range(2)]
    cells = [word() for _ in range(8)]
    table, run = f"t{word(of_file=True)}.csv", f"r{word(of_file=True)}"
    with (folder / table).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(names)
        for _ in range(120):
            a = draw.random()
            writer.writerow([f"{a:.3f}", draw.choice(cells), draw.random(), classes[a + draw.gauss(0, 0.3) > 0.5]])
    for line in commands(names[3].strip(), table, run, f"w{word(of_file=True)}"):
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "pellucid", *line], cwd=folder, capture_output=True, check=False, timeout=300,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        slowest.append((time.perf_counter() - began, line[0]))
        shown = (done.stdout + done.stderr).decode("utf-8", "surrogateescape")
        found[f"exit {done.returncode}"] += 1
        found["raw control characters"] += len(HIDDEN.findall(shown))
        found["tracebacks"] += "Traceback" in shown
        if HIDDEN.search(shown) or "Traceback" in shown or done.returncode not in (0, 1, 2):
            print(f"round {seed}: {line!r} ended with {done.returncode}: {shown[-600:]!r}")
    for path in folder.rglob("*"):
        if path.name in ("log.txt", "report.html", "t.html", "story.md"):
            found["raw control characters"] += len(HIDDEN.findall(path.read_text(encoding="utf-8").replace("\t", "")))
        elif path.suffix == ".csv" and path.name != table:
            found["cells that a spreadsheet runs"] += len(RUN.findall(path.read_text(encoding="utf-8")))


def main(rounds: int) -> None:
    """Run, and print the figures."""
    found: Counter[str] = Counter({"raw control characters": 0, "tracebacks": 0, "cells that a spreadsheet runs": 0})
    slowest: list[tuple[float, str]] = []
    for seed in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            a_round(seed, Path(folder), found, slowest)
    longest, name = max(slowest)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{len(slowest)} commands in {rounds} rounds; slowest {longest:.1f} s ({name}); peak memory {peak:,.0f} MB")
    for what, count in sorted(found.items()):
        print(f"{what}: {count}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
