"""Faults planted one at a time into healthy scripts: how many `pellucid doctor` names, and what it says of the healthy.

    python -m benchmarks.doctor_scripts [--show]

Every fault of ``faults.py`` is put into its script and looked for: it counts as found where a rule that speaks of it
names its line. The healthy scripts are read as they are; each mistake named in one of them is a false alarm. Nothing
is executed. The figures go to ``benchmarks/DOCTOR_SCRIPTS.md``.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from benchmarks.doctor_scripts.faults import ACCEPTED, FAULTS, Fault
from benchmarks.doctor_scripts.faults_later import LATER

from pellucid.script_reader import ScriptFinding, check_script

HERE = Path(__file__).parent
PAGE = HERE.parent / "DOCTOR_SCRIPTS.md"
FIRST_LOOK = HERE / "first_look.md"


@dataclass(frozen=True)
class Outcome:
    """One planted fault: whether it was found, and what else was said of the script."""

    fault: Fault
    found: bool
    others: tuple[ScriptFinding, ...]


def healthy() -> dict[str, str]:
    """The scripts without a fault, by their names."""
    return {f.stem: f.read_text(encoding="utf-8") for f in sorted((HERE / "healthy").glob("*.txt"))}


def planted(fault: Fault, scripts: dict[str, str]) -> str:
    """A script with one fault in it."""
    text = scripts[fault[1]]
    for old, new in fault[2]:
        assert old in text, (fault[0], fault[1], old)
        text = text.replace(old, new)
    return text


def outcome(fault: Fault, scripts: dict[str, str]) -> Outcome:
    """Look for one planted fault."""
    text = planted(fault, scripts)
    lines = text.splitlines()
    findings = check_script(text, f"{fault[1]}.py")
    rules = ACCEPTED.get(fault[0], {fault[0]})
    right = [f for f in findings if f.rule in rules and f.line and fault[3] in lines[f.line - 1]]
    return Outcome(fault, bool(right), tuple(f for f in findings if f not in right))


def main() -> None:
    """Look for every fault, read every healthy script, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--show", action="store_true", help="print what was missed and what was said besides")
    given = parser.parse_args()
    scripts = healthy()
    outcomes = [outcome(fault, scripts) for fault in (*FAULTS, *LATER)]
    said = {name: check_script(text, f"{name}.py") for name, text in scripts.items()}
    if given.show:
        for o in outcomes:
            for word in [] if o.found else ["MISSED"]:
                print(word, o.fault[0], o.fault[1], repr(o.fault[3]), [(f.rule, f.line) for f in o.others])
        for o in outcomes:
            if o.found and any(not f.remark for f in o.others):
                print("besides", o.fault[0], o.fault[1], [(f.rule, f.line, f.finding) for f in o.others])
        for name, findings in said.items():
            for f in findings:
                print("remark" if f.remark else "FALSE ALARM", name, f.line, f.rule, f.finding)
    page = _page(outcomes, said)
    PAGE.write_text(page, encoding="utf-8")
    print(page)


def _page(outcomes: list[Outcome], said: dict[str, tuple[ScriptFinding, ...]]) -> str:
    found = sum(o.found for o in outcomes)
    mistakes = [f for findings in said.values() for f in findings if not f.remark]
    remarks = [f for findings in said.values() for f in findings if f.remark]
    besides = sum(any(not f.remark for f in o.others) for o in outcomes)
    kinds: dict[str, list[Outcome]] = defaultdict(list)
    for o in outcomes:
        kinds[o.fault[0]].append(o)
    rows = [
        f"| {kind} | {len(group)} | {sum(o.found for o in group)} | "
        + ", ".join(sorted({o.fault[1] for o in group if not o.found}))
        + " |"
        for kind, group in sorted(kinds.items())
    ]
    return "\n".join([
        "# The doctor for scripts, on planted faults",
        "",
        f"`python -m benchmarks.doctor_scripts` puts {len(outcomes)} faults of {len(kinds)} kinds, one at a time, into "
        f"{len(said)} healthy scripts of many styles",
        "(functions, trainer classes, notebooks, GANs, recurrent networks, Lightning, reinforcement learning, tables, "
        "images; `benchmarks/doctor_scripts`). A fault counts as found where",
        "a rule that speaks of it names its very line.",
        "",
        f"- found: **{found} of {len(outcomes)}** (recall {found / len(outcomes):.3f})",
        f"- false alarms: **{len(mistakes)} in {len(said)} healthy scripts** ({len(mistakes) / len(said):.3f} a "
        f"script), and {len(remarks)} remarks",
        f"- scripts with a planted fault of which another mistake is said besides: {besides} (most are the same fault "
        "seen from its other side)",
        "",
        FIRST_LOOK.read_text(encoding="utf-8").strip() if FIRST_LOOK.exists() else "",
        "",
        "| fault | planted | found | missed in |",
        "|---|---|---|---|",
        *rows,
        "",
    ])  # fmt: skip


if __name__ == "__main__":
    main()
