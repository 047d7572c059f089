"""Reads a training script and finds its mistakes without running it."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

from pellucid.errors import DataError
from pellucid.script_reader.finding import ScriptFinding
from pellucid.script_reader.followed import Followed, followed, uses_torch
from pellucid.script_reader.language.interpreter import Interpreter
from pellucid.script_reader.reading.reader import TooMuch
from pellucid.script_reader.record.script import Script
from pellucid.script_reader.rules import NOT_CALLED, RULES, WITHOUT_TORCH
from pellucid.script_reader.source.cells import source_of
from pellucid.script_reader.source.parsing import parse_source
from pellucid.script_reader.source.text import Source

__all__ = ["Examined", "check_script", "events_of", "examine", "read_events"]


@dataclass(frozen=True, kw_only=True)
class Examined:
    """The mistakes in a script, and what was checked: without that, an empty list of findings says little."""

    findings: tuple[ScriptFinding, ...]
    followed: Followed


def check_script(text: str, name: str = "script.py") -> tuple[ScriptFinding, ...]:
    """Return the mistakes in a PyTorch training script, by line; empty if none were found.

    The script is read as a syntax tree and never executed. What cannot be followed (a model from another file, a
    framework's own loop) is not reported.

    Raises
    ------
    DataError
        When ``text`` is not Python, is too large, or is nested too deeply; the message names the line and the remedy.

    >>> found = check_script('''
    ... import torch
    ... model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Softmax(dim=1))
    ... loss = torch.nn.CrossEntropyLoss()(model(x), y)
    ... ''')
    >>> [(f.rule, f.line) for f in found]
    [('softmax-before-cross-entropy', 3)]
    """
    return examine(source_of(text, name)).findings


def examine(source: Source) -> Examined:
    """Return the mistakes in a script or notebook and what was checked; its own modules are read as well.

    Raises
    ------
    DataError
        When it is not Python, is too large, or is nested too deeply; the message names the line and the remedy.
    """
    script = events_of(source)
    found: dict[tuple[str, int], ScriptFinding] = {}
    for rule in RULES if uses_torch(script) else WITHOUT_TORCH:
        try:
            for finding in rule(script):
                found.setdefault((finding.rule, finding.line), finding)
        except Exception as error:  # an error in one rule is not a finding and hides no other
            script.notes.append(f"The check {rule.__name__!r} failed with {type(error).__name__}; all others ran.")
    bare = {f.rule for f in found.values() if f.finding.endswith(NOT_CALLED)}
    found = {k: f for k, f in found.items() if f.rule not in bare or f.finding.endswith(NOT_CALLED)}
    findings = sorted(found.values(), key=lambda f: (f.line, f.rule))
    return Examined(findings=tuple(_placed(script, f) for f in findings), followed=followed(script))


def _placed(script: Script, finding: ScriptFinding) -> ScriptFinding:
    """The finding with the line number within its own file and cell."""
    part = script.section(finding.line)
    return replace(finding, line=finding.line - part.first + 1, file=part.file, cell=part.cell)


def read_events(text: str, name: str = "script.py") -> Script:
    """Return what happens in a script, as far as it can be followed."""
    return events_of(source_of(text, name))


def events_of(source: Source) -> Script:
    """Return what happens in a script or notebook, as far as it can be followed."""
    parsed = parse_source(source)
    script = Script(
        source.name, parsed.lines, sections=parsed.sections, notes=parsed.notes, tree=ast.Module(list(parsed.body), [])
    )
    reader = Interpreter(script, source.folder)
    try:
        reader.read(parsed.body)
    except TooMuch:
        script.complete = False
    except RecursionError as error:
        raise DataError(f"{source.name} is nested too deeply to be read; split its longest expression") from error
    if reader.unimported:
        names = ", ".join(list(reader.unimported)[:6])
        script.notes.append(f"{source.name} uses names that it never imports ({names}); each was read with its "
                            "usual meaning.")  # fmt: skip
    return script
