"""What happens in a script, in the order in which it would happen: calls of models and losses, steps, splits, fits.

A loop's body is read twice, so that what its end does to its next beginning is seen; `Where` says in which pass.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from pellucid.script_reader.values import Array, Fit, Obj, Value

__all__ = [
    "Accumulated",
    "Backward",
    "Decision",
    "Dropped",
    "Event",
    "Fitted",
    "Forward",
    "FunctionalDropout",
    "Handed",
    "HiddenLayers",
    "LoaderRead",
    "Loop",
    "LossCall",
    "Lost",
    "Mismatch",
    "Mode",
    "Part",
    "Script",
    "Seen",
    "Split",
    "Step",
    "Where",
    "ZeroGrad",
]


@dataclass(frozen=True)
class Loop:
    """A loop, by its place and by the calls that led to it; ``roles`` are those of the rows that it runs over."""

    line: int
    end: int
    key: tuple[int, ...]
    roles: frozenset[str] = field(default=frozenset(), compare=False)
    loader: Obj | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Where:
    """A point in the run: ``passes`` and ``guards`` (open conditions) go with ``loops``, from the outside in."""

    line: int
    order: int
    loops: tuple[Loop, ...] = ()
    passes: tuple[int, ...] = ()
    guards: tuple[int, ...] = ()
    guarded: bool = False
    called: bool = True

    def guarded_in(self, loop: Loop) -> bool:
        """Whether a condition stands between ``loop`` and this point."""
        return sum(self.guards[self.loops.index(loop) :]) > 0


@dataclass(frozen=True, eq=False, kw_only=True)
class Event:
    """Something that happens at a point."""

    where: Where


_E = TypeVar("_E", bound=Event)


@dataclass(frozen=True, eq=False, kw_only=True)
class Forward(Event):
    """A model is called; ``mode`` is ``train``, ``eval``, ``maybe eval`` or None, ``mode_line`` who set it."""

    number: int
    module: Obj | None
    inputs: tuple[Value, ...]
    output: Value
    grad: bool | None
    mode: str | None
    mode_line: int
    noise: str | None
    device: str | None
    device_line: int


@dataclass(frozen=True, eq=False, kw_only=True)
class LossCall(Event):
    """A loss of PyTorch is computed; ``kind`` is such as ``cross_entropy``."""

    kind: str
    name: str
    prediction: Value
    target: Value
    function_line: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Mismatch(Event):
    """Predictions of (n, 1) meet targets of (n,) in arithmetic."""

    prediction: Array
    target: Array


@dataclass(frozen=True, eq=False, kw_only=True)
class Backward(Event):
    """Gradients are computed; ``of`` is the loss."""

    of: Value | None


@dataclass(frozen=True, eq=False, kw_only=True)
class Step(Event):
    """An optimizer steps; None where it is not known which."""

    optimizer: Obj | None
    name: str = ""
    closure: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class ZeroGrad(Event):
    """Gradients are forgotten: an optimizer's, a model's, or (None) some."""

    of: Obj | None
    name: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class Mode(Event):
    """``model.train()`` or ``model.eval()``."""

    module: Obj | None
    training: bool | None


@dataclass(frozen=True, eq=False, kw_only=True)
class Handed(Event):
    """Values go to a function that cannot be read here."""

    values: tuple[Value, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Fitted(Event):
    """A transformer learns from rows."""

    rows: Value
    fit: Fit


@dataclass(frozen=True, eq=False, kw_only=True)
class Split(Event):
    """Rows are divided; ``how`` is ``random``, ``position`` or ``folds``."""

    rows: tuple[Value, ...]
    how: str
    call: str
    first_line: int = 0


@dataclass(frozen=True, eq=False, kw_only=True)
class LoaderRead(Event):
    """A loop runs over a `DataLoader`."""

    loader: Obj
    loop: Loop


@dataclass(frozen=True, eq=False, kw_only=True)
class Decision(Event):
    """A condition on a score, or a scheduler that is given one; ``acts`` says what depends on it."""

    taint: frozenset[str]
    acts: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Accumulated(Event):
    """A loss that carries its graph is added to what outlives the batch."""

    number: int
    name: str
    how: str
    value: Value | None = None  # what was added, where only a later `backward` says that it is a loss


@dataclass(frozen=True, eq=False, kw_only=True)
class Dropped(Event):
    """``x.to(device)`` whose result is not kept."""

    text: str


@dataclass(frozen=True, eq=False, kw_only=True)
class FunctionalDropout(Event):
    """``F.dropout`` that is not told whether the model trains."""

    name: str


@dataclass(frozen=True, eq=False, kw_only=True)
class HiddenLayers(Event):
    """Layers in a plain list or dictionary of a module."""

    attribute: str
    owner: str
    container: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Seen(Event):
    """Something that one rule asks for; ``watch`` says which kinds there are and what their values are."""

    kind: str
    value: Value | None = None
    other: Value | None = None
    text: str = ""
    number: int = 0


@dataclass(frozen=True)
class Part:
    """Where a file or a notebook's cell begins among all lines; ``file`` is empty in the script itself."""

    first: int
    file: str = ""
    cell: int = 0


@dataclass(frozen=True)
class Lost:
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
    objects: list[Obj] = field(default_factory=list)
    parts: list[Part] = field(default_factory=lambda: [Part(1)])
    lost: list[Lost] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unread: dict[str, list[str]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)  # of its own that were read as well
    skipped: list[str] = field(default_factory=list)  # of its own that were too many or too large
    complete: bool = True
    tree: ast.Module = field(default_factory=lambda: ast.Module([], []))

    def part(self, line: int) -> Part:
        """The file and cell of a line."""
        return max((p for p in self.parts if p.first <= line), key=lambda p: p.first, default=Part(1))

    def said(self, line: int) -> str:
        """How a line is named: ``line 5``, ``cell 3, line 5``, ``model.py, line 5``."""
        return f"line {line}" if self.part(line) == Part(1) else self._label(line)

    def _label(self, line: int) -> str:
        part = self.part(line)
        cell = f"cell {part.cell}" if part.cell else ""
        own = line - part.first + 1
        if not part.file and not cell:
            return str(own)
        return ", ".join(word for word in (part.file, cell, f"line {own}") if word)

    def of(self, kind: type[_E]) -> list[_E]:
        """The events of one kind, in order."""
        return [e for e in self.events if isinstance(e, kind)]

    def seen(self, *kinds: str) -> list[Seen]:
        """What was seen of these kinds, in order."""
        return [e for e in self.of(Seen) if e.kind in kinds]

    def inside(self, loop: Loop) -> Iterator[Event]:
        """The events in ``loop``, of the first pass of all loops around it."""
        for e in self.events:
            if loop in e.where.loops:
                depth = e.where.loops.index(loop)
                if not any(e.where.passes[:depth]):
                    yield e

    def speaks(self, loop: Loop, *words: str) -> bool:
        """Whether one of these words stands in the loop's own lines."""
        return any(word in text for text in self.lines[loop.line - 1 : loop.end] for word in words)

    def evidence(self, *lines: int) -> str:
        """The lines themselves, a line each, in their order: ``12: loss = criterion(out, y)``."""
        wanted = sorted({n for n in lines if 0 < n <= len(self.lines)})
        several = len({self.part(n).file for n in wanted}) > 1  # then each line says whose it is
        own = {n: f"{self.name}, " if several and not self.part(n).file else "" for n in wanted}
        labels = {n: f"{own[n]}{'line ' * (own[n] != '' and self.part(n) == Part(1))}{self._label(n)}" for n in wanted}
        return "\n".join(f"{labels[n]}: {self.lines[n - 1].strip()[:200]}" for n in wanted)
