"""Calls: the script's own functions and classes, modules, methods, and functions of libraries."""

from __future__ import annotations

import ast

from pellucid.script_reader.language.builtins import BUILTINS
from pellucid.script_reader.language.members import attribute
from pellucid.script_reader.libraries.library import call_library
from pellucid.script_reader.libraries.methods import call_method
from pellucid.script_reader.libraries.modules import call_module
from pellucid.script_reader.libraries.unknown_calls import pass_to_unknown
from pellucid.script_reader.reading import observe
from pellucid.script_reader.reading.iteration import elements
from pellucid.script_reader.reading.reader import Reader
from pellucid.script_reader.record.events import HiddenLayers
from pellucid.script_reader.values.classes import find_method, method_of
from pellucid.script_reader.values.data_roles import role_given
from pellucid.script_reader.values.torch_objects import is_module, modules_in
from pellucid.script_reader.values.value import (
    Arguments,
    Array,
    Class,
    Const,
    Dictionary,
    External,
    Function,
    Items,
    Method,
    Object,
    Scope,
    Unknown,
    Value,
    taints,
)

__all__ = ["call", "call_value", "instantiate"]


def call(reader: Reader, node: ast.Call, scope: Scope) -> Value:
    """What a call gives, and what it does."""
    function = _called(reader, node.func, scope)
    given = _arguments(reader, node, scope)
    if isinstance(function, External) and function.path == "builtins.super":
        return _super(reader, scope)
    if isinstance(function, External) and function.path == "builtins.setattr":
        return _setattr(reader, given)
    return call_value(reader, function, given, hint=_text(node.func))


def _called(reader: Reader, node: ast.expr, scope: Scope) -> Value:
    if isinstance(node, ast.Attribute):
        reader.spend()
        return attribute(reader, reader.value(node.value, scope), node.attr, node.lineno)
    return reader.value(node, scope)


def _text(node: ast.expr) -> str:
    """``self.optimizer.step`` of the expression that says so."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        parts.append(node.id)
    return ".".join(reversed(parts))


def _arguments(reader: Reader, node: ast.Call, scope: Scope) -> Arguments:
    args: list[Value] = []
    spread: list[Value] = []
    unknown = False
    for argument in node.args:
        if isinstance(argument, ast.Starred):
            value = reader.value(argument.value, scope)
            every = elements(reader, value).every
            unknown = unknown or every is None
            args += every or (value.items if isinstance(value, Items) else [])  # two layers stand for all of them
            spread += [value] if every is None and value.taint else []
        else:
            args.append(reader.value(argument, scope))
    kwargs: dict[str, Value] = {}
    for keyword in node.keywords:
        value = reader.value(keyword.value, scope)
        if keyword.arg is not None:
            kwargs[keyword.arg] = value
        elif isinstance(value, Dictionary):
            kwargs |= {str(k): v for k, v in value.entries.items()}
        else:
            unknown = True
            spread += [value] if value.taint else []
    kwargs |= {f"*{place}": value for place, value in enumerate(spread)}  # what they were computed from is kept
    return Arguments(tuple(args), kwargs, node.lineno, unknown)


def call_value(reader: Reader, function: Value, given: Arguments, hint: str = "") -> Value:  # noqa: PLR0911
    """Call a value; what the call gives.

    Parameters
    ----------
    reader
        The reading so far, which also records the events.
    function
        What is called: a function, class, module, method or name of a library; perhaps unknown.
    given
        The arguments.
    hint
        How the script names it, such as ``self.optimizer.step``.
    """
    reader.spend()
    if isinstance(function, Function) and isinstance(function.receiver, Object) and _is_forward(reader, function):
        return call_module(reader, function.receiver, given)  # `model.forward(x)`
    if isinstance(function, Function):
        return reader.call_function(function, given.args, dict(given.kwargs), given.line, rest=given.open)
    if isinstance(function, Class):
        return instantiate(reader, function, given)
    if isinstance(function, External):
        own = BUILTINS.get(function.path)
        return own(reader, function.path, given) if own is not None else call_library(reader, function.path, given)
    if isinstance(function, Object):
        return _object(reader, function, given)
    if isinstance(function, Method):
        return call_method(reader, function, given, hint)
    pass_to_unknown(reader, given)
    taint = taints(function, *given.every())
    if reader.loops:  # perhaps a model that was made elsewhere
        taint |= {f"scored {role}" for role in taint & {"train", "val", "test"}}
    return Unknown(taint=taint)


def _is_forward(reader: Reader, function: Function) -> bool:
    named = isinstance(function.node, ast.FunctionDef) and function.node.name == "forward"
    if not named or reader.models or not isinstance(function.receiver, Object) or not is_module(function.receiver):
        return False
    found = method_of(function.receiver, "forward")  # not `super().forward(x)`, which is another class's
    return isinstance(found, Function) and found.node is function.node


def _super(reader: Reader, scope: Scope) -> Value:
    frame = reader.frames[-1].node if reader.frames else None
    names = frame.args.args if isinstance(frame, ast.FunctionDef) else []
    self_ = scope.find(names[0].arg) if names else None
    if self_ is None or not isinstance(frame, ast.FunctionDef):
        return Unknown()
    current = Function(node=frame, scope=scope)
    return Object(kind="builtins.super", line=0, attrs={"self": self_, "current": current})


def _setattr(reader: Reader, given: Arguments) -> Value:
    owner, name, value = (given.get(i) for i in range(3))
    if isinstance(owner, Object) and value is not None:
        key = name.value if isinstance(name, Const) else f"setattr {given.line} {len(owner.attrs)}"
        owner.attrs[str(key)] = value
    return Const(value=None)


# ── the script's own classes ──────────────────────────────────────────────────────────────────────────────────


def instantiate(reader: Reader, cls: Class, given: Arguments) -> Value:
    """An object of a class of the script, after its ``__init__``."""
    reader.entered.add(cls.node)
    made = Object(kind=cls.node.name, line=given.line, cls=cls, args=given.args, kwargs=given.kwargs)
    reader.script.objects.append(made)
    if reader.default_device != "cpu":
        reader.state.devices[made] = (None, given.line)
    role = role_given(*given.every())
    if role is not None and find_method(cls, "__getitem__") is not None and not is_module(made):
        made.attrs["role " + role] = Const(value=True)
    start = find_method(cls, "__init__")
    if start is not None:
        bound = Function(node=start.node, scope=start.scope, receiver=made)
        reader.call_function(bound, given.args, dict(given.kwargs), given.line, rest=given.open)
    else:
        fields = [n.target.id for n in cls.node.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)]
        made.attrs.update(zip(fields, given.args, strict=False))
        made.attrs.update({k: v for k, v in given.kwargs.items() if k in fields})
    if is_module(made) and find_method(cls, "parameters") is None:
        _look_for_hidden_layers(reader, made, cls)
        observe.made(reader, made)
    return made


_TRAINED = ("Linear", "Conv", "LSTM", "GRU", "RNN", "Embedding", "BatchNorm", "LayerNorm", "Transformer", "Multihead")


def _look_for_hidden_layers(reader: Reader, made: Object, cls: Class) -> None:
    """Layers in a plain list or dictionary are no parameters of the module."""
    registered = {id(p) for v in made.attrs.values() if isinstance(v, Object) for p in modules_in(v)}
    first, last = cls.node.lineno, cls.node.end_lineno or cls.node.lineno
    for name, value in list(made.attrs.items()):
        hidden = (
            [p for p in modules_in(value) if id(p) not in registered] if isinstance(value, (Items, Dictionary)) else []
        )
        trained = any(
            p.cls is None and p.kind.rpartition(".")[2].startswith(_TRAINED) and first <= p.line <= last for p in hidden
        )
        line = reader.attribute_lines.get((made, name), 0)
        if trained and line:
            kind = "list" if isinstance(value, Items) else "dict"
            reader.note(HiddenLayers, line, attribute=name, owner=cls.node.name, container=kind)


def _object(reader: Reader, made: Object, given: Arguments) -> Value:
    if is_module(made):
        return call_module(reader, made, given)
    found = method_of(made, "__call__")
    if isinstance(found, Function):
        return reader.call_function(found, given.args, dict(given.kwargs), given.line, rest=given.open)
    if method_of(made, "forward") is not None:
        return call_module(reader, made, given)
    return _foreign_object(reader, made, given)


def _foreign_object(reader: Reader, made: Object, given: Arguments) -> Value:
    """An object of a library that is no module of PyTorch: perhaps a model of another library."""
    rows = any(isinstance(a, (Array, Unknown)) for a in given.args) and not any(
        isinstance(a, Object) for a in given.args
    )
    if rows and not made.kind.startswith("builtins."):
        return call_module(reader, made, given)
    pass_to_unknown(reader, given)
    return Unknown(taint=taints(*given.every()))


# ── libraries ─────────────────────────────────────────────────────────────────────────────────────────────────
