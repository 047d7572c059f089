"""``DOCTOR.md`` from the lines of a campaign."""

from __future__ import annotations

import json
import math
import platform
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks.doctor.faults import FAULTS
from benchmarks.doctor.picture_faults import PICTURE_FAULTS
from benchmarks.doctor.sequence_faults import SEQUENCE_FAULTS

from pellucid.diagnosis import NAMES

__all__ = ["write_page"]

_PICTURES = tuple(fault.label for fault in PICTURE_FAULTS)
_TEXTS = tuple(fault.label for fault in SEQUENCE_FAULTS)

_HOW = {
    "loss": "log loss or RMSE",
    "balanced accuracy": "balanced accuracy",
    "accuracy": "accuracy",
    "none": "no setting mends it",
}


def write_page(path: Path, lines: Path, planted: Path | None = None) -> None:
    """Write the tables: faults, healthy trainings, and what was planted in data made on the spot."""
    every = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    of: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for each in every:
        of[each["what"]].append(each)
    tables = sorted({each["table"] for each in every})
    seeds = len({each["seed"] for each in every})
    text = [
        "# What the doctor finds",
        "",
        f"{len(every):,} trainings over {seeds} seeds on {', '.join(tables)}:",
        "at most 1,200 rows each, other rows for each seed, a quarter of them kept apart to judge by; ids, known leaks",
        "and constant columns are taken out before. Each fault is put into up to four of the tables",
        "(`benchmarks/doctor/faults.py` says how). Thresholds were chosen on other tables; two looks at these led",
        "to the changes that `docs/log.md` names. *Found*: the doctor",
        "names the fault. *Fix better*: trained again with the change that the finding gives, the network is better on",
        "the rows kept apart, by the figure in the last column. Made by `python -m benchmarks.doctor`",
        f"(Python {platform.python_version()}, two shared cores).",
        "",
        "Copies are off by a ten-thousandth: nearer ones (a millionth, of which all were found before) are kept in one",
        "part by the split. Their row was measured later than the others.",
        "",
        "| fault | trainings | found | fix better | judged by |",
        "|---|---:|---:|---:|---|",
    ]
    for place, fault in enumerate(FAULTS):
        mine = of.get(f"{place:02d} {fault.name}", [])
        if not mine:
            continue
        names = {fault.name, *fault.also}
        found = [bool(names & set(each["found"])) for each in mine]
        tried = [each for each in mine if not math.isnan(each["before"])]
        better = [each["after"] < each["before"] for each in tried]
        share = f"{sum(better) / len(better):.2f} of {len(better)}" if better else "—"
        kind = f", {fault.kind}" if fault.kind else f" (or {', '.join(fault.also)})" if fault.also else ""
        text.append(
            f"| {fault.name}{kind} | {len(mine)} | {sum(found) / len(found):.2f} | {share} | {_HOW[fault.judge]} |"
        )
    text += ["", "False alarms: the share of healthy trainings in which a finding came up.", ""]
    presets = [what for what in of if what.startswith("healthy")]
    text += ["| finding | " + " | ".join(presets) + " |", "|---" * (len(presets) + 1) + "|"]
    for name in NAMES:
        shares = [sum(name in each["found"] for each in of[what]) / len(of[what]) for what in presets]
        if any(shares):
            text.append(f"| {name} | " + " | ".join(f"{share:.3f}" for share in shares) + " |")
    text.append("| trainings | " + " | ".join(str(len(of[what])) for what in presets) + " |")
    text += [] if planted is None or not planted.exists() else _planted(planted)
    path.write_text("\n".join(text) + "\n", encoding="utf-8")


def _planted(lines: Path) -> list[str]:
    """The tables of faults in data made on the spot."""
    every = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    seeds, seeds_of_texts = (
        len({each["seed"] for each in every if each["what"] in labels}) for labels in (_PICTURES, _TEXTS)
    )
    pictures = [
        "",
        "## Pictures",
        "",
        f"Small pictures made on the spot, {seeds} seeds (`python -m benchmarks.doctor.planted`; the faults are in",
        "`benchmarks/doctor/picture_faults.py`). Each fault has a twin, the same training without it. *Twin silent*:",
        "the doctor does not name the fault there; *nothing at all*: it finds nothing. Fixes are judged by log loss on",
        "pictures that no training saw. Not here: maps that shrink to 1 × 1 too early (the settings build no such",
        "network; `tests/diagnosis/test_pictures.py` does), kernels larger than the picture itself (an error before",
        "training), and exact copies (kept in one part by the split, or left out of a separate test folder).",
        "",
        *_table(every, _PICTURES),
    ]
    texts = [
        "",
        "## Texts read token by token",
        "",
        f"The same on small texts, {seeds_of_texts} seeds (`benchmarks/doctor/sequence_faults.py`). Not here:",
        "gradients that explode over the steps, and networks that see the future (`tests/diagnosis/test_sequences.py`,",
        "`tests/runs/test_sequence_evidence.py`).",
        "",
        *_table(every, _TEXTS),
    ]
    return [*pictures, *texts]


def _table(every: list[dict[str, Any]], labels: tuple[str, ...]) -> list[str]:
    text = [
        "| fault | trainings | found | twin silent | nothing at all | fix better |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for label in labels:
        mine = [each for each in every if each["what"] == label]
        if not mine:
            continue
        name = label.split(",")[0]
        shares = [
            sum(name in each["found"] for each in mine),
            sum(name not in each["twin"] for each in mine),
            sum(not each["twin"] for each in mine),
        ]
        tried = [each["after"] < each["before"] for each in mine if not math.isnan(each["before"])]
        better = f"{sum(tried) / len(tried):.2f} of {len(tried)}" if tried else "—"
        found, silent, nothing = (f"{share / len(mine):.2f}" for share in shares)
        text.append(f"| {label} | {len(mine)} | {found} | {silent} | {nothing} | {better} |")
    return text
