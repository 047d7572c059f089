"""What is known of a value without running the script: a tensor's last activation, a module's layers, or nothing.

Everything unknown is `None` or `Unknown`, and no rule reports it. ``taint`` is what a value was computed
from: the roles of its rows (``train``, ``val``, ``test``), ``scored test`` where a model's answers to test rows went
into it, ``forward 7`` for the call of a model and ``sum 3`` for an accumulator.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

__all__ = [
    "BY_TRAINING",
    "DEVICES",
    "FOLD",
    "ROLES",
    "Arguments",
    "Array",
    "Class",
    "Const",
    "Dictionary",
    "External",
    "Fit",
    "Function",
    "Image",
    "Items",
    "Method",
    "Module",
    "Number",
    "Object",
    "Scope",
    "Unknown",
    "Value",
    "taints",
    "with_roles",
    "with_taint",
]

Image = tuple[int | None, int | None, int | None]

_NOTHING: frozenset[str] = frozenset()
ROLES = frozenset({"train", "val", "test"})
FOLD = "a fold"  # the taint of rows that cross-validation has chosen
BY_TRAINING = "by training"  # the taint of what depends on whether the model trains
DEVICES = ("cuda", "mps", "xpu", "cpu")


_V = TypeVar("_V", bound="Value")


class Scope:
    """Names and their values, and the scope around."""

    def __init__(self, parent: Scope | None = None) -> None:
        self.names: dict[str, Value] = {}
        self.parent = parent
        self.elsewhere: set[str] = set()  # declared global or nonlocal
        self.folder: Path | None = None  # of the file whose names these are

    @property
    def home(self) -> Path | None:
        """The folder of the file to which the scope belongs."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope.folder

    def holder(self, name: str) -> dict[str, Value] | None:
        """The names among which ``name`` is bound, or None."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names
            scope = scope.parent
        return None

    def find(self, name: str) -> Value | None:
        """The value of a name, or None."""
        names = self.holder(name)
        return names[name] if names is not None else None


@dataclass(frozen=True, eq=False, kw_only=True)
class Value:
    """Anything; compared by identity."""

    taint: frozenset[str] = _NOTHING


@dataclass(frozen=True, eq=False, kw_only=True)
class Unknown(Value):
    """A value of which nothing is known; ``name`` is how the script calls it."""

    name: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class Number(Value):
    """A Python number whose value is not known."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Const(Value):
    """A literal."""

    value: object


@dataclass(frozen=True, eq=False, kw_only=True)
class External(Value):
    """Something imported, by its full name: ``torch.nn.functional.softmax``."""

    path: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Module(Value):
    """A file of the script's own, imported as a whole."""

    path: str
    scope: Scope


@dataclass(frozen=True, eq=False, kw_only=True)
class Items(Value):
    """A list or a tuple whose members are known."""

    items: list[Value]
    depth: int = 0  # of the loops where it was made


@dataclass(frozen=True, eq=False, kw_only=True)
class Dictionary(Value):
    """A dictionary with literal keys."""

    entries: dict[object, Value]


@dataclass(frozen=True, eq=False, kw_only=True)
class Function(Value):
    """A function of the script, bound to ``receiver`` where it is a method."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: Scope
    receiver: Value | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Class(Value):
    """A class of the script."""

    node: ast.ClassDef
    bases: tuple[Value, ...]
    scope: Scope


@dataclass(frozen=True, eq=False, kw_only=True)
class Object(Value):
    """An instance: ``kind`` is the full name of the library's class, ``cls`` the script's own class."""

    kind: str
    line: int
    cls: Class | None = None
    args: tuple[Value, ...] = ()
    kwargs: Mapping[str, Value] = field(default_factory=dict)
    attrs: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, kw_only=True)
class Method(Value):
    """A library's method of a value, not yet called."""

    owner: Value
    name: str


@dataclass(frozen=True)
class Fit:
    """Where a statistic of rows was computed, and by what."""

    line: int
    by: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Array(Value):
    """A tensor, an array, a frame or a column.

    ``activation`` is the last operation on it: ``linear``, ``softmax``, ``log_softmax``, ``sigmoid``, ``relu``,
    ``other``, or None where it is not known; ``activation_line`` is its line. ``length`` is the number of rows,
    where it is a literal.
    """

    ndim: int | None = None
    last: int | None = None
    length: int | None = None
    activation: str | None = None
    activation_line: int = 0
    device: str | None = None
    dtype: str | None = None
    source: int = 0  # the line where all rows were read or made
    part: str | None = None  # "all", "train", "test", "first", "second"
    order: str | None = None  # "kept", "random", "time"
    fitted: frozenset[Fit] = frozenset()
    statistic_of: int = 0  # the source whose statistic this is
    centred: Fit | None = None
    graph: bool | None = None
    loss: bool = False
    unread: bool = False  # it came through a function that was not read
    layer: Object | None = None  # the layer whose answer this is, with no more than dropout since
    image: Image | None = None  # channels, height and width of each row's picture
    statistic: Array | None = None  # the array whose mean, standard deviation … this is

    def __post_init__(self) -> None:
        assert self.ndim is None or self.ndim >= 0

    def then(self, **changes: object) -> Array:
        """A value computed from this one."""
        if not {"layer"} & changes.keys() and {"activation", "ndim", "last", "dtype"} & changes.keys():
            changes["layer"] = None
        if "image" not in changes and {"ndim", "last"} & changes.keys():
            changes["image"] = None
        return replace(self, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Arguments:
    """The arguments of a call."""

    args: tuple[Value, ...]
    kwargs: Mapping[str, Value]
    line: int
    open: bool = False  # *args or **kwargs of unknown content

    def get(self, position: int | None, name: str = "") -> Value | None:
        """The argument at ``position`` or of ``name``, or None."""
        if name and name in self.kwargs:
            return self.kwargs[name]
        if position is not None and position < len(self.args):
            return self.args[position]
        return None

    def const(self, position: int | None, name: str = "", default: object = None) -> object:
        """The literal argument, ``default`` if none was given, or ``...`` if it is not known."""
        value = self.get(position, name)
        if value is None:
            return ... if self.open else default
        return value.value if isinstance(value, Const) else ...

    def every(self) -> Iterator[Value]:
        """All arguments."""
        yield from self.args
        yield from self.kwargs.values()


def taints(*values: Value | None) -> frozenset[str]:
    """The union of what the values were computed from; including the members of containers."""
    found: frozenset[str] = _NOTHING
    for value in values:
        if value is not None:
            found |= value.taint
            if isinstance(value, Items):
                found |= taints(*value.items[:16])
    return found


def with_taint(value: _V, taint: frozenset[str]) -> _V:
    """The same value with more taint; an object keeps its identity and is left alone."""
    if isinstance(value, Items) and len(value.items) <= 16:
        return replace(value, items=[with_taint(v, taint) for v in value.items], taint=value.taint | taint)
    if isinstance(value, Dictionary):
        return replace(value, entries={k: with_taint(v, taint) for k, v in value.entries.items()})
    return value if taint <= value.taint or isinstance(value, Object) else replace(value, taint=value.taint | taint)


def with_roles(value: _V, roles: frozenset[str]) -> _V:
    """The same value as rows of ``roles`` and of no other; objects and what a model was given keep theirs."""
    if isinstance(value, Items) and len(value.items) <= 16:
        inside = [with_roles(v, roles) for v in value.items]
        return replace(value, items=inside, taint=(value.taint - ROLES) | roles)
    if isinstance(value, Dictionary):
        return replace(value, entries={k: with_roles(v, roles) for k, v in value.entries.items()})
    computed = any(t.startswith(("forward ", "scored ")) for t in value.taint)
    if computed or isinstance(value, Object) or value.taint & ROLES == roles:
        return with_taint(value, roles)
    return replace(value, taint=(value.taint - ROLES) | roles)
