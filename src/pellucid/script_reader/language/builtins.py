"""Python's built-in functions: ``len``, ``list``, ``getattr`` …"""

from __future__ import annotations

from collections.abc import Callable

from pellucid.script_reader.language.members import attribute
from pellucid.script_reader.reading import observe
from pellucid.script_reader.reading.iteration import elements
from pellucid.script_reader.reading.reader import Reader
from pellucid.script_reader.values.value import (
    Arguments,
    Array,
    Const,
    Dictionary,
    Items,
    Number,
    Object,
    Unknown,
    Value,
    taints,
    with_taint,
)

__all__ = ["BUILTINS"]


def _number(reader: Reader, path: str, given: Arguments) -> Value:
    return Number(taint=taints(*given.every()))


def _length(reader: Reader, path: str, given: Arguments) -> Value:
    x = given.get(0)
    if isinstance(x, Items) or (isinstance(x, Object) and x.kind in ("torch.nn.ModuleList", "torch.nn.Sequential")):
        every = elements(reader, x).every
        return Number() if every is None else Const(value=len(every))
    return Number(taint=observe.length(x))


def _open(reader: Reader, path: str, given: Arguments) -> Value:
    return Unknown()


def _int(reader: Reader, path: str, given: Arguments) -> Value:
    x = given.get(0)
    return x if isinstance(x, Const) and type(x.value) is int else Number(taint=taints(x))


def _list(reader: Reader, path: str, given: Arguments) -> Value:
    x = given.get(0)
    if x is None:
        return Items(items=[], depth=len(reader.loops))
    if isinstance(x, Items):
        return Items(items=list(x.items), depth=max(x.depth, len(reader.loops)), taint=x.taint)
    return Object(kind=path, line=given.line, args=(x,), taint=taints(x))


def _dict(reader: Reader, path: str, given: Arguments) -> Value:
    x = given.get(0)
    entries: dict[object, Value] = dict(x.entries) if isinstance(x, Dictionary) else {}
    return Dictionary(entries=entries | dict(given.kwargs))


def _sum(reader: Reader, path: str, given: Arguments) -> Value:
    found = elements(reader, given.get(0) or Unknown())
    one = with_taint(found.one, taints(given.get(0)))
    return one.then(activation="other") if isinstance(one, Array) else Unknown(taint=one.taint)


def _next(reader: Reader, path: str, given: Arguments) -> Value:
    return elements(reader, given.get(0) or Unknown()).one


def _second(reader: Reader, path: str, given: Arguments) -> Value:
    return given.get(1) or Unknown()


def _getattr(reader: Reader, path: str, given: Arguments) -> Value:
    owner, name = given.get(0), given.get(1)
    if owner is not None and isinstance(name, Const) and isinstance(name.value, str):
        return attribute(reader, owner, name.value, given.line)
    return Unknown(taint=taints(owner))


def _map(reader: Reader, path: str, given: Arguments) -> Value:

    function, over = given.get(0), elements(reader, given.get(1) or Unknown())
    one = reader.call(function, Arguments((over.one,), {}, given.line)) if function is not None else Unknown()
    return Items(items=[one], depth=len(reader.loops) + 1, taint=taints(one))


def _print(reader: Reader, path: str, given: Arguments) -> Value:
    return Const(value=None)


BUILTINS: dict[str, Callable[[Reader, str, Arguments], Value]] = {
    **{f"builtins.{name}": _number for name in ("float", "abs", "round")},
    "builtins.int": _int,
    "builtins.len": _length,
    **{f"builtins.{name}": _open for name in ("isinstance", "hasattr", "input", "type", "str", "bool", "any", "all")},
    "builtins.list": _list,
    "builtins.tuple": _list,
    "builtins.dict": _dict,
    "builtins.sum": _sum,
    "builtins.next": _next,
    "builtins.filter": _second,
    "builtins.getattr": _getattr,
    "builtins.map": _map,
    "builtins.print": _print,
}  # fmt: skip
