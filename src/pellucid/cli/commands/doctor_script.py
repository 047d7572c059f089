"""What ``pellucid doctor script.py`` shows: each mistake with its lines, what follows from it, and what to write."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pellucid.cli.streams import say
from pellucid.errors import SettingError
from pellucid.script_reader import Examined, ScriptFinding, Source, examine, piped_script, read_source, source_of

if TYPE_CHECKING:
    from pellucid.script_reader.tracing.trace import TracedScript

__all__ = ["show_script"]

_LOOKED_FOR = (
    "activations that the loss applies itself, shapes that broadcast, the order of zero_grad, backward and step, train "
    "and eval modes, no_grad, networks that no step changes, layers that do not fit, learning rates, names that are "
    "misspelt or not called, how scores are computed, statistics taken before the split, choices made by the test "
    "rows, test sets, shuffling, and devices"
)


def show_script(path: Path, *, run: bool, as_json: bool, text: str | None = None) -> int:
    """Print what is wrong with a script; 1 where a mistake was found, 0 where there are none or only remarks.

    Parameters
    ----------
    path
        The script, notebook or saved text. It is read and, only with ``run``, executed until its first steps and its
        first evaluation.
    as_json
        Print one JSON object.
    text
        What the script says, where it does not come from a file: it is called ``path`` then, and its own modules are
        looked for in the current folder.

    Raises
    ------
    UserError
        When the script cannot be read or is no Python, or is to be run and is no ``.py`` file.
    """
    if run and (text is not None or path.suffix.lower() not in (".py", ".pyw")):
        raise SettingError(f"--run is for .py files, got {path.name!r}: save the code as a script first")
    source = read_source(path) if text is None else source_of(text, path.name, Path.cwd())
    examined = examine(source)
    findings = examined.findings
    traced: TracedScript | None = None
    if run:
        from pellucid.script_reader.tracing.trace import trace_script

        traced = trace_script(path)
        known = {f.rule for f in findings}
        seen = [f for f in traced.findings if f.rule not in known]
        findings = tuple(sorted((*findings, *seen), key=lambda f: (f.file, f.cell, f.line)))
    if as_json:
        found: dict[str, object] = {"script": path.name, "findings": [f.to_json() for f in findings]}
        found |= examined.followed.to_json()
        if traced is not None:
            found |= {"run": traced.sentence, "facts": dict(traced.facts)}
        say(json.dumps(found))
    else:
        _print(source, examined, findings, traced)
    return 1 if any(not f.remark for f in findings) else 0


def _print(
    source: Source, examined: Examined, findings: tuple[ScriptFinding, ...], traced: TracedScript | None
) -> None:
    from pellucid.cli.console import console

    def line(text: str, style: str = "") -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True, style=style or None)

    name, seen = source.name, examined.followed
    for number, finding in enumerate(findings, 1):
        remark = "(remark) " if finding.remark else ""
        line(f"{number}. {finding.place(name)}: {remark}{finding.finding}", "bold")
        for text in finding.evidence.splitlines():
            line(f"     {text}", "cyan")
        line(f"   {finding.consequence}")
        line(f"   Fix: {finding.fix}", "green")
        line("")
    if traced is not None:
        line(traced.sentence)
    if findings:
        remarks = sum(f.remark for f in findings)
        counts = {"finding": len(findings) - remarks, "remark": remarks}
        said = [f"{count} {word}{'s' * (count > 1)}" for word, count in counts.items() if count]
        line(f"{' and '.join(said)} in {name}.")
        for text in (*seen.unread, *seen.notes):
            line(text)
        return
    if seen.torch:
        line(f"Nothing found in {name}. Looked for: {_LOOKED_FOR}.")
    for text in seen.sentences(name):
        line(text)
    if seen.torch and traced is None and Path(name).suffix == ".py":
        line(f"To see shapes, modes and gradients as they come, run its first batches: pellucid doctor {name} --run")


def read_standard_input() -> str:
    """The text that is piped in, in UTF-8.

    Raises
    ------
    DataError
        When it is too large or is not text.
    """
    return piped_script(sys.stdin.buffer)
