"""Reads a training script and says what is wrong with it, without running it."""

from __future__ import annotations

from contextlib import suppress

from pellucid.errors import DataError
from pellucid.explanation.script.finding import ScriptFinding
from pellucid.explanation.script.reader import Reader, TooMuch
from pellucid.explanation.script.record import Script
from pellucid.explanation.script.rules import RULES, WITHOUT_TORCH
from pellucid.explanation.script.source import parse_script

__all__ = ["check_script", "read_events"]

_TORCH = {"torch", "torchvision", "lightning", "pytorch_lightning"}


def check_script(text: str, name: str = "script.py") -> tuple[ScriptFinding, ...]:
    """Return what is wrong with a PyTorch training script, by line; empty where nothing was found.

    The script is read as a syntax tree and never executed. What cannot be followed (a model from another file, a
    framework's own loop) is left alone.

    Raises
    ------
    DataError
        When ``text`` is no Python, too large, or nested too deeply; the message names the line and the remedy.

    >>> found = check_script('''
    ... import torch
    ... model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Softmax(dim=1))
    ... loss = torch.nn.CrossEntropyLoss()(model(x), y)
    ... ''')
    >>> [(f.rule, f.line) for f in found]
    [('softmax-before-cross-entropy', 3)]
    """
    script = read_events(text, name)
    torch = any(origin.partition(".")[0] in _TORCH for origin in script.imports)
    found: dict[tuple[str, int], ScriptFinding] = {}
    for rule in RULES if torch else WITHOUT_TORCH:
        for finding in rule(script):
            found.setdefault((finding.rule, finding.line), finding)
    return tuple(sorted(found.values(), key=lambda f: (f.line, f.rule)))


def read_events(text: str, name: str = "script.py") -> Script:
    """Return what happens in a script, as far as it can be followed."""
    tree = parse_script(text, name)
    script = Script(name, text.splitlines(), tree=tree)
    try:
        with suppress(TooMuch):
            Reader(script).read(tree)
    except RecursionError as error:
        raise DataError(f"{name} is nested too deeply to be read: split its longest expression") from error
    return script
