"""What ``pellucid doctor script.py`` shows: each mistake with its lines, what follows from it, and what to write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from pellucid.cli.streams import say
from pellucid.explanation.script import ScriptFinding, check_script, read_script

if TYPE_CHECKING:
    from pellucid.workflow.traced_script import TracedScript

__all__ = ["show_script"]

_LOOKED_FOR = (
    "activations that the loss applies itself, shapes that broadcast, the order of zero_grad, backward and step, train "
    "and eval modes, no_grad, statistics taken before the split, choices made by the test rows, shuffling, and devices"
)


def show_script(path: Path, *, run: bool, as_json: bool) -> int:
    """Print what is wrong with a script; 1 where something was found, else 0.

    Parameters
    ----------
    path
        The script. It is read and, only with ``run``, executed until its first steps and its first evaluation.
    as_json
        Print one JSON object.

    Raises
    ------
    UserError
        When the script cannot be read or is no Python.
    """
    findings = check_script(read_script(path), path.name)
    traced: TracedScript | None = None
    if run:
        from pellucid.workflow.traced_script import trace_script

        traced = trace_script(path)
        known = {f.rule for f in findings}
        seen = [f for f in traced.findings if f.rule not in known]
        findings = tuple(sorted((*findings, *seen), key=lambda f: f.line))
    if as_json:
        found: dict[str, object] = {"script": path.name, "findings": [f.to_json() for f in findings]}
        if traced is not None:
            found |= {"run": traced.sentence, "facts": dict(traced.facts)}
        say(json.dumps(found))
    else:
        _print(path, findings, traced)
    return 1 if findings else 0


def _print(path: Path, findings: tuple[ScriptFinding, ...], traced: TracedScript | None) -> None:
    from pellucid.cli.console import console

    def line(text: str, style: str = "") -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True, style=style or None)

    for number, finding in enumerate(findings, 1):
        where = f"line {finding.line}: " if finding.line else ""
        line(f"{number}. {path.name}, {where}{finding.finding}", "bold")
        for source in finding.evidence.splitlines():
            line(f"     {source}", "cyan")
        line(f"   {finding.consequence}")
        line(f"   Fix: {finding.fix}", "green")
        line("")
    if traced is not None:
        line(traced.sentence)
    count = len(findings)
    if count:
        line(f"{count} finding{'s' * (count > 1)} in {path.name}.")
    else:
        line(
            f"Nothing found in {path.name}. Looked for: {_LOOKED_FOR}. "
            "What the script imports from other files is not read."
        )
