"""Reads a script as it would run, with what is known of each value instead of the value (abstract interpretation).

Functions of the script are entered where they are called, both sides of a condition are read unless its value is
known, and the body of a loop is read twice. Nothing is executed, and a budget limits the reading of any text.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pellucid.script_reader.language.calls import call_value, instantiate
from pellucid.script_reader.language.expressions import EXPRESSIONS
from pellucid.script_reader.language.statements import STATEMENTS, assign
from pellucid.script_reader.reading.reader import Reader, TooMuch
from pellucid.script_reader.record.events import Backward, Step
from pellucid.script_reader.record.script import Script
from pellucid.script_reader.source.syntax import called_models
from pellucid.script_reader.values.merging import merge
from pellucid.script_reader.values.roles import role_of_name
from pellucid.script_reader.values.state import Frame, State, outcome
from pellucid.script_reader.values.torch_objects import is_module, modules_in
from pellucid.script_reader.values.value import (
    Arguments,
    Class,
    Const,
    External,
    Function,
    Items,
    Object,
    Scope,
    Unknown,
    Value,
    taints,
)

__all__ = ["Interpreter"]

_MAX_CALLS = 20


class Interpreter(Reader):
    """Reads a script with the handlers of `STATEMENTS` and `EXPRESSIONS`."""

    def __init__(self, script: Script, folder: Path | None = None) -> None:
        super().__init__(script, folder)
        self.module = Scope()
        self.module.folder = folder.resolve() if folder is not None else None
        self.module.names["__name__"] = Const(value="__main__")

    # ── running ───────────────────────────────────────────────────────────────────────────────────────────

    def read(self, body: Sequence[ast.stmt]) -> None:
        """Read the script, then the functions and classes that it never calls."""
        self.used_as_models = called_models(body)
        self.block(body, self.module)
        self.called = False
        for value in list(self.module.names.values()):
            try:
                self._read_uncalled(value)
            except TooMuch:
                raise
            except Exception as error:
                self.note_unfollowed(value.node.lineno if isinstance(value, (Function, Class)) else 1, error)

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

    def _read_method(self, method: Function, made: Object) -> None:
        if method.node in self.entered:  # called by one that was read before it
            return
        inner = isinstance(method.node, ast.FunctionDef) and method.node.name == "forward" and is_module(made)
        self.models += [made] * inner  # calls within a model's forward are parts of its own
        self.state = State(devices=dict.fromkeys(modules_in(made), (None, 0)))
        try:
            with self._on_its_own():
                self.call_function(method, [], {}, method.node.lineno)
        finally:
            self.models = []

    @contextmanager
    def _on_its_own(self) -> Iterator[None]:
        """Read code that is never called; if it contains a whole training, its events count as called."""
        first = len(self.script.events)
        yield
        made = self.script.events[first:]
        if any(isinstance(e, Backward) for e in made) and any(isinstance(e, Step) for e in made):
            self.script.events[first:] = [replace(e, where=replace(e.where, called=True)) for e in made]

    def make_instance(self, cls: Class) -> Object:
        """An instance of a class of the script, from arguments of which nothing is known."""
        made = instantiate(self, cls, Arguments((), {}, cls.node.lineno, open=True))
        assert isinstance(made, Object)
        return made

    def block(self, body: Sequence[ast.stmt], scope: Scope) -> str | None:
        """Read statements; the jump that ends them (``return``, ``break`` …), or None."""
        for statement in body:
            self.spend()
            handler = STATEMENTS.get(type(statement))
            try:
                jump = handler(self, statement, scope) if handler else None
            except TooMuch:
                raise
            except Exception as error:  # an error in the reader only loses this statement
                self.note_unfollowed(statement.lineno, error)
                continue
            if jump:
                return jump
        return None

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

    def assign(self, target: ast.expr, value: Value, scope: Scope) -> None:
        assign(self, target, value, scope)

    def call(self, function: Value, given: Arguments, hint: str = "") -> Value:
        return call_value(self, function, given, hint)

    def read_file(self, body: Sequence[ast.stmt], scope: Scope) -> None:
        self.used_as_models |= called_models(body)
        with self.at_top_level():
            self.block(body, scope)

    # ── calls of the script's own functions ───────────────────────────────────────────────────────────────

    def call_function(
        self, function: Function, args: Sequence[Value], kwargs: dict[str, Value], line: int, rest: bool = False
    ) -> Value:
        """Enter a function of the script; what it returns, unknown where calls are nested too deep.

        Parameters
        ----------
        function
            The function, with its receiver where it is a method.
        args, kwargs
            The arguments by position and by name.
        line
            Where the script calls it.
        rest
            Whether there are more arguments, of unknown content (``*args``).
        """
        node = function.node
        if len(self.frames) >= _MAX_CALLS or sum(f.node is node for f in self.frames) >= 2:
            return Unknown(taint=taints(*args, *kwargs.values()))
        self.entered.add(node)
        scope = Scope(function.scope)
        given = [function.receiver, *args] if function.receiver is not None else list(args)
        self._bind(function, [g for g in given if g is not None], kwargs, scope, unknown=rest or not self.called)
        frame = Frame(node, line)
        self.frames.append(frame)
        changed_in_loop, self.changed_in_loop = self.changed_in_loop, []
        reset_in_loop, self.reset_in_loop = self.reset_in_loop, []
        grad = self.state.grad
        try:
            if isinstance(node, ast.Lambda):
                return self.value(node.body, scope)
            if _without_gradient(self, node, function.scope):
                self.state.grad = False
            self.block(node.body, scope)
        finally:
            self.frames.pop()
            self.if_training -= frame.training_checks
            self.changed_in_loop, self.reset_in_loop = changed_in_loop, reset_in_loop
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
            extra = args[len(names) :]
            scope.names[spec.vararg.arg] = Unknown() if unknown or not args else Items(items=extra)
        if spec.kwarg:
            scope.names[spec.kwarg.arg] = Unknown()


def _without_gradient(reader: Reader, node: ast.AST, scope: Scope) -> bool:
    for decorator in getattr(node, "decorator_list", []):
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        value = reader.value(target, scope)
        if isinstance(value, External) and value.path in ("torch.no_grad", "torch.inference_mode"):
            return True
    return False
