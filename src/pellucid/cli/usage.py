"""Messages for a command line that is wrong: the option, the rule, the value seen, and what to do."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

import typer

from pellucid.visible import one_line

__all__ = ["UsageProblem", "explained"]

# Typer brings its own copy of Click or uses the one installed, by version; this is the root of its errors in either.
UsageProblem: Any = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")


def explained(error: Any, arguments: Sequence[str] | None = None) -> str | None:
    """A line on what is wrong, and the command that shows the options; ``None`` if the help has been printed.

    Parameters
    ----------
    error
        The exception from Click; its kinds are distinguished by name.
    arguments
        The words of the command line; default: those of this process.
    """
    kind, context = type(error).__name__, getattr(error, "ctx", None)
    if kind == "NoArgsIsHelpError":
        return None
    words = sys.argv[1:] if arguments is None else arguments
    parameter, said = getattr(error, "param", None), str(error.format_message()).rstrip(".")
    if kind == "NoSuchOption":
        names = [name for each in (context.command.params if context else ()) for name in _names(each)]
        said = f"there is no option {error.option_name!r}{_nearest(error.option_name, names)}"
    elif kind == "MissingParameter" and parameter is not None:
        said = f"{_called(parameter)} is missing: {(getattr(parameter, 'help', None) or 'give it').rstrip('.')}"
    elif kind == "BadParameter" and parameter is not None:
        given = _given(parameter, words)
        said = f"{_called(parameter)} must be {_rule(parameter, said)}" + (
            f", got {given!r}" if given is not None else ""
        )
    elif kind == "BadOptionUsage":
        flag = "not take" in said
        given = next((word.partition("=")[2] for word in words if word.startswith(f"{error.option_name}=")), "")
        said = f"{error.option_name} " + (f"is a switch and takes no value, got {given!r}" if flag else "needs a value")
    elif kind == "UsageError" and said.startswith("Got unexpected extra argument"):
        extra = said.partition("(")[2].rpartition(")")[0].partition("(")[2] if "(s)" in said else said.partition("(")[2]
        said = f"unexpected argument {extra.rstrip(')')!r}"
    begun = words[:1] if kind == "BadOptionUsage" else []
    command = context.command_path if context is not None else " ".join(["pellucid", *begun])
    return one_line(f"error: {said[:1].lower()}{said[1:]}; see: {command} --help")


def _called(parameter: Any) -> str:
    names = _names(parameter)
    if names:
        return max(names, key=len)
    return f"the argument {str(parameter.metavar or parameter.name).upper()}"


def _names(parameter: Any) -> list[str]:
    """``-n``, ``--most`` of an option; nothing of an argument."""
    every: Iterable[str] = (*parameter.opts, *parameter.secondary_opts)
    return [name for name in every if name.startswith("-")]


def _nearest(name: str, names: Sequence[str]) -> str:
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def _rule(parameter: Any, said: str) -> str:
    """The rule of an option that Typer converts; the settings have their own rules."""
    if "float" in said or "valid number" in said:
        return "a number"
    kind = getattr(parameter, "type", None)
    low, high = (getattr(parameter, end, getattr(kind, end, None)) for end in ("min", "max"))
    if low is not None and high is not None:
        return f"a whole number from {low:,} to {high:,}"
    return "a whole number" + (f" of at least {low:,}" if low is not None else "")


def _given(parameter: Any, words: Sequence[str]) -> str | None:
    """The word after the last use of an option."""
    found = None
    for place, word in enumerate(words):
        for name in _names(parameter):
            if word == name and place + 1 < len(words):
                found = words[place + 1]
            elif name.startswith("--") and word.startswith(f"{name}="):
                found = word[len(name) + 1 :]
            elif not name.startswith("--") and word.startswith(name) and len(word) > len(name):
                found = word[len(name) :]
    return found
