"""Reads a script as it would run, with what is known of each value in the place of the values: statements.

Functions of the script are entered where they are called, both sides of a condition are read unless it is a literal
that decides, and the body of a loop is read twice. Nothing is executed, and a budget bounds the reading of any text.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pellucid.script_reader.assumed import called_models
from pellucid.script_reader.bodies import acts_of, plainly_assigned
from pellucid.script_reader.expressions import EXPRESSIONS, truth
from pellucid.script_reader.kinds import is_module, parts_of
from pellucid.script_reader.record import Backward, Decision, Event, Loop, Lost, Script, Step, Where
from pellucid.script_reader.roles import role_of_name
from pellucid.script_reader.siblings import Siblings
from pellucid.script_reader.state import Frame, State, join_states, outcome
from pellucid.script_reader.statements import STATEMENTS
from pellucid.script_reader.values import (
    BY_TRAINING,
    Class,
    Const,
    Function,
    Obj,
    Scope,
    Unknown,
    Value,
    merge,
    taints,
)

__all__ = ["Reader", "State", "TooMuch"]

_BUDGET = 150_000  # expressions and statements, a loop's counted in each pass
_MAX_CALLS = 20
_MAX_LOST = 100
_PLACE = ("frames", "loops", "passes", "guards", "volatile", "bodies", "models")


class TooMuch(Exception):  # noqa: N818  not an error: the reading ends
    """The budget is spent; what was found until here stands."""


class Reader:
    """Holds the state of the reading; the knowledge of libraries stands in the modules beside this one."""

    def __init__(self, script: Script, folder: Path | None = None) -> None:
        self.script = script
        self.module = Scope()
        self.module.folder = folder.resolve() if folder is not None else None
        self.siblings = Siblings(self, folder)
        self.stars: list[str] = []  # libraries of which everything is imported
        self.unimported: dict[str, None] = {}  # usual names of libraries that the script imports nowhere
        self.used_as_models: frozenset[str] = frozenset()
        self.module.names["__name__"] = Const(value="__main__")
        self.state = State()
        self.frames: list[Frame] = []
        self.loops: list[Loop] = []
        self.passes: list[int] = []
        self.guards: list[int] = [0]
        self.volatile: list[frozenset[str]] = []  # names that the loops of this function change
        self.bodies: list[frozenset[str]] = []  # names that they set anew in each round
        self.models: list[Obj] = []  # whose forward is being read
        self.if_training = 0  # conditions around that ask whether the model trains
        self.entered: set[ast.AST] = set()
        self.called = True
        self.spent = 0
        self.counter = 0
        self.default_device: str | None = "cpu"
        self.attribute_lines: dict[tuple[Obj, str], int] = {}
        self.shuffled: set[int] = set()  # sources whose rows were shuffled in place
        self.slices: dict[tuple[int, int, str], dict[str, int]] = {}  # where arrays were cut by position

    # ── running ───────────────────────────────────────────────────────────────────────────────────────────

    def read(self, body: Sequence[ast.stmt]) -> None:
        """Read the script, and after it the functions and classes that it never calls."""
        self.used_as_models = called_models(body)
        self.block(body, self.module)
        self.called = False
        for value in list(self.module.names.values()):
            try:
                self._read_uncalled(value)
            except TooMuch:
                raise
            except Exception as error:
                self.lose(value.node.lineno if isinstance(value, (Function, Class)) else 1, error)

    def _read_uncalled(self, value: Value) -> None:
        self.state = State()
        if isinstance(value, Function) and value.scope is self.module and value.node not in self.entered:
            with self._on_its_own():
                self.call_function(value, [], {}, value.node.lineno)
        elif isinstance(value, Class) and value.scope.parent is self.module:
            methods = [m for m in value.node.body if isinstance(m, ast.FunctionDef) and m not in self.entered]
            device, self.default_device = self.default_device, None  # who makes one says where it is
            try:
                made = next((o for o in reversed(self.script.objects) if o.cls is value), None)
                made = made or (self.make_instance(value) if methods else None)
                for method in methods:
                    assert made is not None
                    self._read_method(Function(node=method, scope=value.scope, receiver=made), made)
            finally:
                self.default_device = device

    def _read_method(self, method: Function, made: Obj) -> None:
        if method.node in self.entered:  # called by one that was read before it
            return
        inner = isinstance(method.node, ast.FunctionDef) and method.node.name == "forward" and is_module(made)
        self.models += [made] * inner  # calls within a model's forward are parts of its own
        self.state = State(devices=dict.fromkeys(parts_of(made), (None, 0)))
        try:
            with self._on_its_own():
                self.call_function(method, [], {}, method.node.lineno)
        finally:
            self.models = []

    @contextmanager
    def _on_its_own(self) -> Iterator[None]:
        """Read what is never called; where it holds a whole training, it counts as if it were."""
        first = len(self.script.events)
        yield
        made = self.script.events[first:]
        if any(isinstance(e, Backward) for e in made) and any(isinstance(e, Step) for e in made):
            self.script.events[first:] = [replace(e, where=replace(e.where, called=True)) for e in made]

    def make_instance(self, cls: Class) -> Obj:
        """An instance of a class of the script, from arguments of which nothing is known."""
        from pellucid.script_reader.calls import instantiate
        from pellucid.script_reader.values import Arguments

        made = instantiate(self, cls, Arguments((), {}, cls.node.lineno, open=True))
        assert isinstance(made, Obj)
        return made

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
        """This point of the run."""
        return Where(
            line, len(self.script.events), tuple(self.loops), tuple(self.passes), tuple(self.guards[1:]),
            sum(self.guards) > 0, self.called,
        )  # fmt: skip

    def note(self, event: type[Event], line: int, **what: Any) -> None:
        """Record an event."""
        self.script.events.append(event(where=self.where(line), **what))

    def block(self, body: Sequence[ast.stmt], scope: Scope) -> str | None:
        """Read statements; the jump that ends them (``return``, ``break`` …), or None."""
        for statement in body:
            self.spend()
            handler = STATEMENTS.get(type(statement))
            try:
                jump = handler(self, statement, scope) if handler else None
            except TooMuch:
                raise
            except Exception as error:  # a fault of this reader costs the statement and no more
                self.lose(statement.lineno, error)
                continue
            if jump:
                return jump
        return None

    def lose(self, line: int, error: Exception) -> None:
        """Remember a statement that could not be followed."""
        last = error.__traceback__
        while last is not None and last.tb_next is not None:
            last = last.tb_next
        file = Path(last.tb_frame.f_code.co_filename).name if last is not None else ""
        lost = Lost(line, f"{type(error).__name__} in {file}" if file else type(error).__name__)
        if lost not in self.script.lost and len(self.script.lost) < _MAX_LOST:
            self.script.lost.append(lost)

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Stand outside of all loops, functions and conditions, as the first statement of a file does."""
        kept = {name: getattr(self, name) for name in _PLACE}
        self.frames, self.loops, self.passes, self.guards = [], [], [], [0]
        self.volatile, self.bodies, self.models = [], [], []
        try:
            yield
        finally:
            for name, value in kept.items():
                setattr(self, name, value)

    def value(self, node: ast.expr | None, scope: Scope) -> Value:
        """What is known of an expression's value."""
        if node is None:
            return Const(value=None)
        self.spend()
        handler = EXPRESSIONS.get(type(node))
        return handler(self, node, scope) if handler else self._any(node, scope)

    def _any(self, node: ast.expr, scope: Scope) -> Value:
        parts = [self.value(child, scope) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        return Unknown(taint=taints(*parts))

    # ── conditions ────────────────────────────────────────────────────────────────────────────────────────

    def truth(self, node: ast.expr, scope: Scope) -> tuple[bool | None, Value]:
        """Whether a condition holds, None where that is open, and its value."""
        value = self.value(node, scope)
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        if any(names & changing for changing in self.volatile):
            return None, value
        return truth(value), value

    @contextmanager
    def condition(self, test: ast.expr, value: Value) -> Iterator[None]:
        """Stand in a branch; one whose condition asks whether the model trains is remembered."""
        names = (n.id if isinstance(n, ast.Name) else getattr(n, "attr", "") for n in ast.walk(test))
        asks = BY_TRAINING in value.taint or any("train" in name.lower() for name in names)
        self.if_training += asks
        try:
            yield
        finally:
            self.if_training -= asks

    def either(self, scope: Scope, sides: Sequence[Callable[[], str | None]]) -> str | None:
        """Read two sides of a condition, each from the same start, and join what they leave behind."""
        places = self._places(scope)
        before, state = [dict(place) for place in places], self.state
        ends: list[tuple[list[dict[str, Value]], State]] = []
        jumps = []
        for side in sides:
            for place, kept in zip(places, before, strict=True):
                place.clear()
                place.update(kept)
            self.state = state.copy()
            self.guards[-1] += 1
            try:
                jump = side()
            finally:
                self.guards[-1] -= 1
            jumps.append(jump)
            if jump is None:
                ends.append(([dict(place) for place in places], self.state))
        if not ends:
            return jumps[0]
        self._join(places, ends, state)
        return None

    def _places(self, scope: Scope) -> list[dict[str, Value]]:
        own = [scope.names]
        for value in scope.names.values():
            if isinstance(value, Obj) and value.cls is not None and value.attrs not in own:
                own.append(value.attrs)
        return own

    def _join(
        self, places: list[dict[str, Value]], ends: list[tuple[list[dict[str, Value]], State]], was: State
    ) -> None:
        first, *others = ends
        self.state = first[1]
        for place, names in zip(places, first[0], strict=True):
            place.clear()
            place.update(names)
        for contents, state in others:
            for place, names in zip(places, contents, strict=True):
                for name, value in names.items():
                    place[name] = merge(place[name], value) if name in place else value
            self.state = join_states(self.state, state, was)

    # ── loops ─────────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def loop(self, node: ast.stmt | ast.expr, roles: frozenset[str], loader: Obj | None) -> Iterator[Loop]:
        """Stand inside a loop."""
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
        self.volatile.append(frozenset(assigned))
        self.bodies.append(plainly_assigned(node))
        try:
            yield made
        finally:
            self.loops.pop()
            self.passes.pop()
            self.guards.pop()
            self.volatile.pop()
            self.bodies.pop()

    @property
    def n_passes(self) -> int:
        """How often a body is read: twice, deep inside once."""
        return 2 if len(self.loops) <= 4 else 1

    # ── calls of the script's own functions ───────────────────────────────────────────────────────────────

    def call_function(
        self, function: Function, args: Sequence[Value], kwargs: dict[str, Value], line: int, rest: bool = False
    ) -> Value:
        """Enter a function of the script; what it returns."""
        node = function.node
        if len(self.frames) >= _MAX_CALLS or sum(f.node is node for f in self.frames) >= 2:
            return Unknown(taint=taints(*args, *kwargs.values()))
        self.entered.add(node)
        scope = Scope(function.scope)
        given = [function.receiver, *args] if function.receiver is not None else list(args)
        self._bind(function, [g for g in given if g is not None], kwargs, scope, unknown=rest or not self.called)
        frame = Frame(node, line)
        self.frames.append(frame)
        volatile, self.volatile = self.volatile, []
        bodies, self.bodies = self.bodies, []
        grad = self.state.grad
        try:
            if isinstance(node, ast.Lambda):
                return self.value(node.body, scope)
            if _without_gradient(self, node, function.scope):
                self.state.grad = False
            self.block(node.body, scope)
        finally:
            self.frames.pop()
            self.if_training -= frame.told
            self.volatile, self.bodies = volatile, bodies
            self.state.grad = grad
        return outcome(frame)

    def _bind(
        self, function: Function, args: list[Value], kwargs: dict[str, Value], scope: Scope, *, unknown: bool
    ) -> None:
        spec = function.node.args
        names = [a.arg for a in (*spec.posonlyargs, *spec.args)]
        defaults: dict[str, ast.expr] = dict(zip(names[len(names) - len(spec.defaults) :], spec.defaults, strict=True))
        defaults |= {a.arg: d for a, d in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if d is not None}
        for name in (*names, *(a.arg for a in spec.kwonlyargs)):
            role = role_of_name(name)
            blank = Unknown(name=name, taint=frozenset({role} if role else ()))
            if name in defaults:
                plain = self.value(defaults[name], function.scope)
                scope.names[name] = merge(plain, blank) if unknown else plain
            else:
                scope.names[name] = blank
        scope.names.update(zip(names, args, strict=False))
        scope.names.update({n: v for n, v in kwargs.items() if n in scope.names})
        if spec.vararg:
            from pellucid.script_reader.values import Items

            extra = args[len(names) :]
            scope.names[spec.vararg.arg] = Unknown() if unknown or not args else Items(items=extra)
        if spec.kwarg:
            scope.names[spec.kwarg.arg] = Unknown()

    def decide(self, node: ast.If, value: Value) -> None:
        """Record a condition on a score that stops, saves or chooses."""
        acts = acts_of(node.body) or acts_of(node.orelse)
        if acts and any(t.startswith("scored") for t in value.taint):
            self.note(Decision, node.lineno, taint=value.taint, acts=acts)


def _without_gradient(reader: Reader, node: ast.AST, scope: Scope) -> bool:
    from pellucid.script_reader.values import External

    for decorator in getattr(node, "decorator_list", []):
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        value = reader.value(target, scope)
        if isinstance(value, External) and value.path in ("torch.no_grad", "torch.inference_mode"):
            return True
    return False
