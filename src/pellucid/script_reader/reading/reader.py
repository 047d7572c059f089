"""The reader as its handlers see it: its place in the run, its record, and the ways to read on.

Handlers of statements, expressions, calls and methods are given a `Reader`. It keeps the place in the run (loops,
conditions, calls) and the record. How code is read is defined in ``language.interpreter``, its only subclass.
"""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pellucid.script_reader.reading.own_files import OwnFiles
from pellucid.script_reader.record.events import Event, Loop, Where
from pellucid.script_reader.record.script import Script, Unfollowed
from pellucid.script_reader.source.syntax import always_reassigned
from pellucid.script_reader.values.state import Frame, State
from pellucid.script_reader.values.value import BY_TRAINING, Arguments, Function, Object, Scope, Value

__all__ = ["Reader", "TooMuch"]

_BUDGET = 150_000  # expressions and statements, a loop's counted in each pass
_MAX_LOST = 100
_PLACE = ("frames", "loops", "passes", "guards", "changed_in_loop", "reset_in_loop", "models")


class TooMuch(Exception):  # noqa: N818  not an error: the reading ends
    """The budget is used up; what was found so far stays valid."""


class Reader(ABC):
    """The state of a reading, and what a handler asks of it."""

    def __init__(self, script: Script, folder: Path | None = None) -> None:
        self.script = script
        self.own_files = OwnFiles(script, folder, self.read_file)
        self.stars: list[str] = []  # libraries imported with `*`
        self.unimported: dict[str, None] = {}  # usual names of libraries that the script never imports
        self.used_as_models: frozenset[str] = frozenset()
        self.state = State()
        self.frames: list[Frame] = []
        self.loops: list[Loop] = []
        self.passes: list[int] = []
        self.guards: list[int] = [0]
        self.changed_in_loop: list[frozenset[str]] = []  # names that the loops of this function assign
        self.reset_in_loop: list[frozenset[str]] = []  # names that they assign anew in every round
        self.models: list[Object] = []  # whose forward is being read
        self.if_training = 0  # enclosing conditions that ask whether the model is training
        self.entered: set[ast.AST] = set()
        self.called = True
        self.spent = 0
        self.counter = 0
        self.default_device: str | None = "cpu"
        self.attribute_lines: dict[tuple[Object, str], int] = {}
        self.shuffled: set[int] = set()  # sources whose rows were shuffled in place
        self.slices: dict[tuple[int, int, str], dict[str, int]] = {}  # where arrays were cut by position

    # ── reading on ────────────────────────────────────────────────────────────────────────────────────────

    @abstractmethod
    def value(self, node: ast.expr | None, scope: Scope) -> Value:
        """What is known of an expression's value."""

    @abstractmethod
    def block(self, body: Sequence[ast.stmt], scope: Scope) -> str | None:
        """Read statements; the jump that ends them (``return``, ``break`` …), or None."""

    @abstractmethod
    def assign(self, target: ast.expr, value: Value, scope: Scope) -> None:
        """Assign a value to a target."""

    @abstractmethod
    def call(self, function: Value, given: Arguments, hint: str = "") -> Value:
        """Call a value; ``hint`` is how the script names it (``self.optimizer.step``)."""

    @abstractmethod
    def call_function(
        self, function: Function, args: Sequence[Value], kwargs: dict[str, Value], line: int, rest: bool = False
    ) -> Value:
        """Read a function of the script as called here; return its result.

        Parameters
        ----------
        function
            The function, bound to its object if it is a method.
        args, kwargs
            The arguments that are known.
        line
            The line of the call.
        rest
            Whether further arguments of unknown content are passed (``*args``, ``**kwargs``).
        """

    @abstractmethod
    def read_file(self, body: Sequence[ast.stmt], scope: Scope) -> None:
        """Read the statements of a file that the script imports."""

    # ── the record ────────────────────────────────────────────────────────────────────────────────────────

    def spend(self) -> None:
        """Count one expression or statement."""
        self.spent += 1
        if self.spent > _BUDGET:
            raise TooMuch

    def number(self) -> int:
        """The next number for an event that others refer to."""
        self.counter += 1
        return self.counter

    def where(self, line: int) -> Where:
        """The current point in the run."""
        return Where(
            line, len(self.script.events), tuple(self.loops), tuple(self.passes), tuple(self.guards[1:]),
            sum(self.guards) > 0, self.called,
        )  # fmt: skip

    def note(self, event: type[Event], line: int, **what: Any) -> None:
        """Record an event."""
        self.script.events.append(event(where=self.where(line), **what))

    def note_unfollowed(self, line: int, error: Exception) -> None:
        """Record a statement that could not be followed."""
        last = error.__traceback__
        while last is not None and last.tb_next is not None:
            last = last.tb_next
        file = Path(last.tb_frame.f_code.co_filename).name if last is not None else ""
        lost = Unfollowed(line, f"{type(error).__name__} in {file}" if file else type(error).__name__)
        if lost not in self.script.unfollowed and len(self.script.unfollowed) < _MAX_LOST:
            self.script.unfollowed.append(lost)

    # ── the place in the run ──────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def at_top_level(self) -> Iterator[None]:
        """Leave all loops, functions and conditions for a while, to read a file from its first statement."""
        kept = {name: getattr(self, name) for name in _PLACE}
        self.frames, self.loops, self.passes, self.guards = [], [], [], [0]
        self.changed_in_loop, self.reset_in_loop, self.models = [], [], []
        try:
            yield
        finally:
            for name, value in kept.items():
                setattr(self, name, value)

    @contextmanager
    def condition(self, test: ast.expr, value: Value) -> Iterator[None]:
        """Enter a branch; note if its condition asks whether the model is training."""
        names = (n.id if isinstance(n, ast.Name) else getattr(n, "attr", "") for n in ast.walk(test))
        asks = BY_TRAINING in value.taint or any("train" in name.lower() for name in names)
        self.if_training += asks
        try:
            yield
        finally:
            self.if_training -= asks

    @contextmanager
    def loop(self, node: ast.stmt | ast.expr, roles: frozenset[str], loader: Object | None) -> Iterator[Loop]:
        """Enter a loop."""
        line = getattr(node, "lineno", 0)
        made = Loop(
            line,
            getattr(node, "end_lineno", None) or line,
            (*(f.line for f in self.frames), line, getattr(node, "col_offset", 0)),
            roles,
            loader,
        )
        assigned = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        self.loops.append(made)
        self.passes.append(0)
        self.guards.append(0)
        self.changed_in_loop.append(frozenset(assigned))
        self.reset_in_loop.append(always_reassigned(node))
        try:
            yield made
        finally:
            self.loops.pop()
            self.passes.pop()
            self.guards.pop()
            self.changed_in_loop.pop()
            self.reset_in_loop.pop()

    @property
    def n_passes(self) -> int:
        """How often a loop's body is read: twice, or once if deeply nested."""
        return 2 if len(self.loops) <= 4 else 1
