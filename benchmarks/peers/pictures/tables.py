"""The section of IMAGES.md about speed, from what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from peers.entries import Entry
from peers.machine import described
from peers.measure import Table
from peers.pictures.entries import ANSWERING, CONVOLUTIONS, LEARNING, PLAIN, ROUNDED
from peers.summary import number
from peers.tables import against, factors, medians, reasons

__all__ = ["put", "rows", "section"]

_EVERYBODY = (*LEARNING, *ROUNDED, CONVOLUTIONS)
_OURS = ("fused_pictures", "torch_pictures", "textbook_pictures")


def section(steps: Mapping[str, Table], answers: Mapping[str, Table], *, threads: int, how: str) -> list[str]:
    """The lines of the section.

    Parameters
    ----------
    steps
        By network, microseconds a step of each contestant.
    answers
        By network and number of pictures, seconds a prediction.
    threads
        For everybody.
    how
        How it was measured.
    """
    lines = [described(threads), "", how, ""]
    lines += ["### Where we lose", "", *_losing(steps, answers), ""]
    lines += ["### A training step, in milliseconds", "", *medians(_EVERYBODY, steps, "", scale=1e-3), ""]
    lines += reasons(_EVERYBODY, steps)
    lines += ["### Times as fast as the plain loop in memory", "", *factors(_EVERYBODY, steps, PLAIN, ""), ""]
    lines += _shares(steps)
    if answers:
        lines += ["### A prediction, in milliseconds", "", *medians(ANSWERING, answers, "", scale=1e3), ""]
        lines += reasons(ANSWERING, answers)
    return [*lines, *_timed(steps)]


def rows(steps: Mapping[str, Table], answers: Mapping[str, Table]) -> list[str]:
    """What RESULTS.md says of it: the factors, and where we lose.

    Parameters
    ----------
    steps, answers
        As in `section`.
    """
    told = ["A training step of 128 pictures, times as fast as the plain PyTorch loop with tensors in memory:", ""]
    more = ["", "Times, predictions, bf16 and how they were measured: [IMAGES.md](IMAGES.md).", ""]
    return [*told, *factors(_EVERYBODY, steps, PLAIN, ""), *more, *_losing(steps, answers)]


def put(path: Path, title: str, lines: list[str]) -> None:
    """Write a section into the file, whose other sections stay.

    Parameters
    ----------
    path
        The file, which need not be there yet.
    title, lines
        Of the section.
    """
    before, after = "# Pictures\n\n", ""
    if path.exists():
        text = path.read_text(encoding="utf-8")
        head = f"## {title}\n"
        start = text.find(head)
        before = text if start < 0 else text[:start]
        rest = "" if start < 0 else text[start + len(head) :]
        end = rest.find("\n## ")
        after = "" if end < 0 else rest[end + 1 :]
    body = "\n".join(lines).rstrip()
    path.write_text(f"{before.rstrip()}\n\n## {title}\n\n{body}\n" + (f"\n{after}" if after else ""), encoding="utf-8")


def _losing(steps: Mapping[str, Table], answers: Mapping[str, Table]) -> list[str]:
    """Who was ahead of our best by more than three in a hundred."""
    lines: list[str] = []
    contests = [(f"A step of {name}", found, LEARNING, 1e-3) for name, found in steps.items()]
    contests += [(f"A step of {name} in bf16", found, ROUNDED, 1e-3) for name, found in steps.items()]
    contests += [(f"Predicting {name}", found, ANSWERING, 1e3) for name, found in answers.items()]
    for name, found, entries, scale in contests:
        there = {who.name: who for who in entries if who.name in found and found[who.name].is_there}
        mine = [each for each in there if each in _OURS or each == "fused_bf16"]
        if not mine:
            continue
        best = min(mine, key=lambda each: found[each].median)
        for each, who in there.items():
            if each not in mine and against(found[best], found[each]) > 1.03:
                lines.append(
                    f"- {name}: {_label(who)} takes {number(found[each].median * scale)} ms, ours at best "
                    f"{number(found[best].median * scale)} ms ({against(found[best], found[each]):.2f} times as long)."
                )
    return lines or ["Nowhere in what was measured, by more than three in a hundred."]


def _label(who: Entry) -> str:
    return who.label.strip("*")


def _shares(steps: Mapping[str, Table]) -> list[str]:
    lines = []
    for name, found in steps.items():
        limit, ours = found.get(CONVOLUTIONS.name), found.get("fused_pictures")
        if limit and ours and limit.is_there and ours.is_there:
            lines.append(
                f"Of a step of {name} by the fused engine, PyTorch's convolutions on channels-last tensors would take "
                f"{100 / against(ours, limit):.0f} % alone."
            )
    return [*lines, ""]


def _timed(steps: Mapping[str, Table]) -> list[str]:
    found = next(iter(steps.values()), {})
    told = [
        f"- {_label(who)}: {found[who.name].facts.get('timed', '')}"
        + (f"; {found[who.name].facts['note']}" if found[who.name].facts.get("note") else "")
        + "."
        for who in _EVERYBODY
        if who.name in found and found[who.name].is_there
    ]
    return ["What a step holds:", "", *told] if told else []
