"""What `pellucid doctor` says of a folder of real training scripts: findings by rule, errors, and the time it takes.

    python benchmarks/doctor_scripts/on_a_folder.py FOLDER [--show]

Every ``.py`` file that speaks of PyTorch and of ``backward()`` is read, none is executed. With ``--show`` each finding
is printed with its lines, to be judged by eye: the share of false alarms decides whether such a check is of use.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path

from pellucid.errors import UserError
from pellucid.script_reader import check_script, read_script


def main() -> None:
    """Check every training script below a folder and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--show", action="store_true", help="print every finding with its lines")
    given = parser.parse_args()
    rules: Counter[str] = Counter()
    seconds: list[float] = []
    with_findings = refused = 0
    for path in sorted(given.folder.rglob("*.py")):
        text = path.read_bytes()
        if b"torch" not in text or b".backward(" not in text:
            continue
        start = time.perf_counter()
        try:
            found = check_script(read_script(path), path.name)
        except UserError as error:
            refused += 1
            print(f"{path}: {error}")
            continue
        seconds.append(time.perf_counter() - start)
        rules.update(f.rule for f in found)
        with_findings += bool(found)
        for f in found if given.show else ():
            print(f"{path}:{f.line} [{f.rule}] {f.finding}\n    " + f.evidence.replace("\n", "\n    "))
    if seconds:
        middle = sorted(seconds)[len(seconds) // 2]
        print(f"{len(seconds)} scripts read, {refused} refused, {with_findings} with findings")
        print(f"seconds: {middle:.3f} in the middle, {max(seconds):.2f} the longest")
    for rule, count in rules.most_common():
        print(f"{count:6} {rule}")


if __name__ == "__main__":
    main()
