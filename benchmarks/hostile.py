"""Everything hostile that was tried, on one page: kills, hostile inputs, hostile names; writes HOSTILE.md.

    python benchmarks/hostile.py [--kills 300] [--minutes 30] [--inputs 600] [--rounds 3]

Each part is a benchmark of its own and can be run alone; a part that finds something wrong says so on the page, and
this ends with 1.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa

HERE = Path(__file__).resolve().parent


def part(name: str, *arguments: str) -> tuple[str, bool]:
    """What a benchmark printed, and whether it found nothing wrong."""
    command = [sys.executable, str(HERE / name), *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        print(f"{name} ended with {done.returncode}:\n{done.stderr[-2000:]}", file=sys.stderr)
    return done.stdout.strip(), not done.returncode


def main() -> int:
    """Run the parts and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--minutes", type=float, default=30, help="that the kills may take about")
    parser.add_argument("--inputs", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fragment = Path(folder) / "inputs.md"
        inputs, inputs_well = part("hostile_inputs.py", "--inputs", str(given.inputs), "--out", str(fragment))
    names, names_well = part("hostile_terminal.py", str(given.rounds))
    kills, kills_well = part("hostile_kills.py", "--kills", str(given.kills), "--minutes", str(given.minutes))
    head, *rows = kills.splitlines()
    count = sum(int(row.split("|")[2]) for row in rows)
    page = [
        "# Hostile inputs, hostile names, and kills",
        "`python benchmarks/hostile.py` makes this page. Damaged and hostile model files have one of their own, "
        "[MODEL_FILE_FUZZ.md](MODEL_FILE_FUZZ.md), and so have trainings that are killed and resumed, "
        "[KILLS.md](KILLS.md).",
        inputs,
        "## Names, cells and the terminal",
        "`python benchmarks/hostile_terminal.py`: columns, classes, cells, files and folders named by what steers "
        "terminals, markup, HTML and spreadsheets, through every command but `search`. Counted are commands that were "
        "answered and refused, and what must be 0: control characters in what is shown (log.txt and pages included), "
        "tracebacks, and cells of CSV that a spreadsheet would run.",
        "\n".join(f"- {line}" for line in names.splitlines()),
        "## Killed with SIGKILL",
        f"`python benchmarks/hostile_kills.py`: {count:,} kills at random moments, half of them in the last quarter "
        "of the work, where most is written; the work is repeated until it ends by itself. Kills came when no "
        "file was there yet (*0*), *some* or *all* of them, or while one was written *aside*. What must be 0: "
        "*damaged* files, *locks* that stayed, *foreign* files lost, repetitions *refused*, files *left over* in a "
        "folder of ours, and outcomes *other* than that of the same work undisturbed. A model that is saved to a place "
        "of the user's may leave a hidden `.part` file beside it.",
        "\n".join([head, "|---|" + "---:|" * (head.count("|") - 2), *(row[: row.rindex("|") + 1] for row in rows)]),
        f"{platform.system()}, {platform.machine()}, {os.cpu_count()} cores; Python {platform.python_version()}, NumPy "
        f"{np.__version__}, PyArrow {pa.__version__}.",
    ]
    (HERE / "HOSTILE.md").write_text("\n\n".join(page) + "\n", encoding="utf-8")
    return 0 if inputs_well and names_well and kills_well else 1


if __name__ == "__main__":
    sys.exit(main())
