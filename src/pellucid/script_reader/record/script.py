"""All that was found out about a script: its events, its lines, and what could not be read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from pellucid.script_reader.record.events import Event, Loop, Observation
from pellucid.script_reader.source.text import Section
from pellucid.script_reader.values.value import Object

__all__ = ["Script", "Unfollowed"]


_E = TypeVar("_E", bound=Event)


@dataclass(frozen=True)
class Unfollowed:
    """A statement that could not be followed, and the error that ended it."""

    line: int
    why: str


@dataclass
class Script:
    """All that was found out about a script.

    Lines are counted through all files: those of the script come first, those of the files that it imports follow.
    ``unread`` is what it takes from files that are not here: a module's name, and the names taken from it.
    """

    name: str
    lines: list[str]
    events: list[Event] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)
    objects: list[Object] = field(default_factory=list)
    sections: list[Section] = field(default_factory=lambda: [Section(1)])
    unfollowed: list[Unfollowed] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unread: dict[str, list[str]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)  # of its own that were read as well
    skipped: list[str] = field(default_factory=list)  # of its own that were too many or too large
    complete: bool = True
    tree: ast.Module = field(default_factory=lambda: ast.Module([], []))

    def section(self, line: int) -> Section:
        """The file and cell of a line."""
        return max((p for p in self.sections if p.first <= line), key=lambda p: p.first, default=Section(1))

    def place_of(self, line: int) -> str:
        """How a line is named: ``line 5``, ``cell 3, line 5``, ``model.py, line 5``."""
        return f"line {line}" if self.section(line) == Section(1) else self._label(line)

    def _label(self, line: int) -> str:
        part = self.section(line)
        cell = f"cell {part.cell}" if part.cell else ""
        own = line - part.first + 1
        if not part.file and not cell:
            return str(own)
        return ", ".join(word for word in (part.file, cell, f"line {own}") if word)

    def of(self, kind: type[_E]) -> list[_E]:
        """The events of one kind, in order."""
        return [e for e in self.events if isinstance(e, kind)]

    def observed(self, *kinds: str) -> list[Observation]:
        """What was seen of these kinds, in order."""
        return [e for e in self.of(Observation) if e.kind in kinds]

    def inside(self, loop: Loop) -> Iterator[Event]:
        """The events in ``loop``, of the first pass of all loops around it."""
        for e in self.events:
            if loop in e.where.loops:
                depth = e.where.loops.index(loop)
                if not any(e.where.passes[:depth]):
                    yield e

    def mentions(self, loop: Loop, *words: str) -> bool:
        """Whether one of these words stands in the loop's own lines."""
        return any(word in text for text in self.lines[loop.line - 1 : loop.end] for word in words)

    def evidence(self, *lines: int) -> str:
        """The lines themselves, a line each, in their order: ``12: loss = criterion(out, y)``."""
        wanted = sorted({n for n in lines if 0 < n <= len(self.lines)})
        several = len({self.section(n).file for n in wanted}) > 1  # then each line says whose it is
        own = {n: f"{self.name}, " if several and not self.section(n).file else "" for n in wanted}
        labels = {
            n: f"{own[n]}{'line ' * (own[n] != '' and self.section(n) == Section(1))}{self._label(n)}" for n in wanted
        }
        return "\n".join(f"{labels[n]}: {self.lines[n - 1].strip()[:200]}" for n in wanted)
