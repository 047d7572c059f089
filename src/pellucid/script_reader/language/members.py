"""Attributes and indices: what is known of ``a.b`` and ``a[b]``."""

from __future__ import annotations

import ast

from pellucid.script_reader.reading import observe
from pellucid.script_reader.reading.duck_typing import as_used
from pellucid.script_reader.reading.iteration import elements
from pellucid.script_reader.reading.reader import Reader
from pellucid.script_reader.record.events import Split
from pellucid.script_reader.values.classes import ancestors, find_method, method_of
from pellucid.script_reader.values.merging import merge
from pellucid.script_reader.values.roles import role_of_name
from pellucid.script_reader.values.torch_objects import is_module
from pellucid.script_reader.values.value import (
    BY_TRAINING,
    FOLD,
    Array,
    Class,
    Const,
    Dictionary,
    External,
    Function,
    Items,
    Method,
    Module,
    Number,
    Object,
    Scope,
    Unknown,
    Value,
    taints,
    with_taint,
)

__all__ = ["attribute", "item", "uncalled_attribute"]

_NO_COLUMN = {
    "loc", "iloc", "iat", "at", "grad", "grad_fn", "str", "dt", "cat", "sparse", "plot", "is_cuda", "requires_grad",
    "is_leaf", "layout", "names", "nbytes", "itemsize", "strides", "flat", "base", "flags", "empty", "axes", "dtypes",
    "attrs", "name", "hist", "imag", "append", "apply", "map", "pop", "mean", "sum", "std", "min", "max",
}  # fmt: skip
_SAME = {"values", "data", "real", "loc", "iloc", "iat", "at"}


# ── a.b ───────────────────────────────────────────────────────────────────────────────────────────────────────


def attribute(reader: Reader, owner: Value, name: str, line: int) -> Value:  # noqa: PLR0911
    """What is known of ``owner.name``.

    Parameters
    ----------
    reader
        The reading so far, which also records the events.
    owner
        The value whose attribute it is.
    name
        The attribute's name.
    line
        Where the script reads it.
    """
    if isinstance(owner, External):
        return External(path=f"{owner.path}.{name}")
    if isinstance(owner, Module):
        return owner.scope.names.get(name) or External(path=f"{owner.path}.{name}")
    if isinstance(owner, Object):
        return _of_object(reader, owner, name)
    if isinstance(owner, Array):
        return _of_array(reader, owner, name, line)
    if isinstance(owner, Items) and len(owner.items) == 2 and name in ("values", "indices"):
        return owner.items[name == "indices"]  # of `x.max(dim=1)`
    if isinstance(owner, Class):
        return owner.scope.names.get(name) or find_method(owner, name) or Method(owner=owner, name=name)
    return Method(owner=owner, name=name, taint=owner.taint)


def _of_object(reader: Reader, owner: Object, name: str) -> Value:  # noqa: PLR0911
    if owner.kind == "builtins.super":
        return _of_super(owner, name)
    if name in owner.attrs:
        return as_used(reader, name, owner.attrs[name], owner.attrs)
    if name == "training":
        mode = reader.state.modes.get(owner, ("train", 0))[0]
        taint = frozenset({BY_TRAINING})
        return Const(value=mode == "train", taint=taint) if mode in ("train", "eval") else Unknown(taint=taint)
    if owner.cls is not None:
        found = method_of(owner, name)
        if isinstance(found, Function) and _is_property(found.node):
            return reader.call_function(found, [], {}, found.node.lineno)
        if found is not None:
            return found
        if name in reader.used_as_models:
            return as_used(reader, name, Unknown(name=name), owner.attrs)
    if owner.kind.startswith("sklearn.datasets.") and name in ("data", "target"):
        order = "kept"
        return Array(ndim=2 if name == "data" else 1, source=owner.line, part="all", order=order)
    if name == "dataset" and (owner.args or "dataset" in owner.kwargs):
        return owner.args[0] if owner.args else owner.kwargs["dataset"]
    return Method(owner=owner, name=name, taint=owner.taint)


def _of_super(owner: Object, name: str) -> Value:
    self_, current = owner.attrs["self"], owner.attrs.get("current")
    if isinstance(self_, Object) and self_.cls is not None and isinstance(current, Function):
        line = ancestors(self_.cls)
        holder = next((i for i, c in enumerate(line) if current.node in c.node.body), len(line))
        for cls in line[holder + 1 :]:
            for node in cls.node.body:
                if isinstance(node, ast.FunctionDef) and node.name == name:
                    return Function(node=node, scope=cls.scope.parent or cls.scope, receiver=self_)
    return Method(owner=self_, name=name)


def uncalled_attribute(reader: Reader, owner: Value, name: str, line: int) -> Value:
    """What is known of ``owner.name`` where it is not called: of a table, a name that is no method is a column.

    Parameters
    ----------
    reader, owner, name, line
        As in `attribute`.
    """
    found = attribute(reader, owner, name, line)
    if not isinstance(found, Method) or not isinstance(owner, Array) or name in _NO_COLUMN:
        return found
    if any(t.startswith("forward ") for t in owner.taint):  # a field of a model's answer
        whole = name == "loss"
        return Array(taint=owner.taint, graph=owner.graph, loss=whole, ndim=0 if whole else None, device=owner.device)
    return owner.then(ndim=1, last=None) if owner.source and owner.ndim in (2, None) else found


def _of_array(reader: Reader, owner: Array, name: str, line: int) -> Value:
    if name in _SAME:
        changed = observe.cut(reader, owner, ".data", line) if name == "data" else owner
        return Method(owner=changed, name=name, taint=owner.taint) if name in ("loc", "iloc", "iat", "at") else changed
    if name in ("T", "mT"):
        return owner.then(last=None, length=None) if owner.ndim != 1 else owner
    if name == "shape":
        return Items(items=[Number()] * owner.ndim) if owner.ndim else Unknown(name="shape")
    if name in ("device", "dtype", "ndim", "index", "columns", "size"):
        return (
            Object(kind="builtins.device", line=0, args=(Const(value=owner.device),)) if name == "device" else Unknown()
        )
    return Method(owner=owner, name=name, taint=owner.taint)


def _is_property(node: ast.AST) -> bool:
    return any(
        isinstance(d, ast.Name) and d.id in ("property", "cached_property") for d in getattr(node, "decorator_list", [])
    )


# ── a[b] ──────────────────────────────────────────────────────────────────────────────────────────────────────


def item(reader: Reader, owner: Value, node: ast.Subscript, scope: Scope) -> Value:  # noqa: PLR0911
    """What is known of ``owner[…]``.

    Parameters
    ----------
    reader
        The reading so far, which also records the events.
    owner
        The value that is indexed.
    node
        The expression, with the index in its brackets.
    scope
        Where the index's names are looked up.
    """
    if isinstance(owner, Method) and isinstance(owner.owner, Array) and owner.name in ("loc", "iloc", "iat", "at"):
        return _of_rows(reader, owner.owner, node, scope, labels=owner.name)
    if isinstance(owner, Array):
        return _of_rows(reader, owner, node, scope)
    observe.sliced(reader, owner, node.slice, node.lineno)
    key = Unknown() if isinstance(node.slice, ast.Slice) else reader.value(node.slice, scope)
    if isinstance(owner, Dictionary):
        return _of_role(_entry(owner, key), key)
    if isinstance(owner, Items):
        return _member(reader, owner, node.slice, key, scope)
    if isinstance(owner, Object):
        if owner.kind.startswith("sklearn.datasets.") and isinstance(key, Const) and key.value in ("data", "target"):
            return _of_object(reader, owner, str(key.value))
        if owner.kind in ("torch.nn.Sequential", "torch.nn.ModuleList"):
            inside = elements(reader, owner).every or []
            if isinstance(key, Const) and isinstance(key.value, int) and -len(inside) <= key.value < len(inside):
                return inside[key.value]
        if owner.kind == "torch.nn.ModuleDict" and owner.args and isinstance(owner.args[0], Dictionary):
            return _entry(owner.args[0], key)
    sizes = isinstance(owner, Unknown) and owner.name == "shape"
    return Number() if sizes and not isinstance(node.slice, ast.Slice) else _of_role(Unknown(taint=taints(owner)), key)


def _of_role(value: Value, key: Value) -> Value:
    """``loaders["test"]`` is of the test rows, whatever was known of it."""
    role = role_of_name(key.value) if isinstance(key, Const) and isinstance(key.value, str) else None
    if isinstance(key, Array) and FOLD in key.taint and isinstance(value, Unknown):
        return with_taint(value, key.taint)
    if role is None or value.taint & {"train", "val", "test"}:
        return value
    if isinstance(value, Object):
        if not is_module(value) and not any(name.startswith("role ") for name in value.attrs):
            value.attrs["role " + role] = Const(value=True)
        return value
    return value if isinstance(value, (Const, Number)) else with_taint(value, frozenset({role}))


def _entry(owner: Dictionary, key: Value) -> Value:
    if isinstance(key, Const):
        return owner.entries.get(key.value, Unknown())
    values = list(owner.entries.values())
    if not values:
        return Unknown()
    found = values[0]
    for other in values[1:]:
        found = merge(found, other)
    return found


def _member(reader: Reader, owner: Items, index: ast.expr, key: Value, scope: Scope) -> Value:
    n = len(owner.items)
    if (
        isinstance(key, Const)
        and isinstance(key.value, int)
        and -n <= key.value < n
        and owner.depth <= len(reader.loops)
    ):
        return owner.items[key.value]
    if isinstance(index, ast.Slice):
        low, high = (reader.value(b, scope) if b is not None else Const(value=None) for b in (index.lower, index.upper))
        a, b = (v.value if isinstance(v, Const) else ... for v in (low, high))
        if index.step is None and (a is None or isinstance(a, int)) and (b is None or isinstance(b, int)):
            return Items(items=owner.items[a:b], depth=owner.depth)
        return Unknown(taint=taints(owner))
    return elements(reader, owner).one


def _of_rows(reader: Reader, owner: Array, node: ast.Subscript, scope: Scope, labels: str = "") -> Value:
    """Rows and columns of an array, a tensor or a frame."""
    index = node.slice
    parts = list(index.elts) if isinstance(index, ast.Tuple) else [index]
    if len(parts) == 1 and not labels and not isinstance(parts[0], ast.Slice):
        key = reader.value(parts[0], scope)
        column = _column(owner, key)
        if column is not None:
            return column
    observe.sliced(reader, owner, parts[0], node.lineno)
    observe.recurrent_index(reader, owner, parts, node.lineno)
    ndim, last, known = owner.ndim, owner.last, True
    length, fixed = owner.length, len(parts)
    for place, part in enumerate(parts):
        drop = _dropped(reader, part, scope)
        if drop is None:
            known = False
        elif drop == 1 and place == len(parts) - 1:
            last = None if fixed > 1 or owner.ndim == 1 else last
        elif drop == -1 and place == len(parts) - 1:
            last = 1
        if place == 0 and drop != -1:
            length = None
        if place == len(parts) - 1 > 0 and drop == 0 and not _whole(part):
            last = _width(reader, part, scope)
        ndim = None if ndim is None or drop is None else max(ndim - drop, 0)
    result = owner.then(ndim=ndim if known else None, last=last if known else None, length=length)
    result = _shuffled(reader, result, parts[0], scope)
    return _positional(reader, owner, result, parts[0], node.lineno)


def _column(owner: Array, key: Value) -> Array | None:
    if isinstance(key, Const) and isinstance(key.value, str):
        if any(t.startswith("forward ") for t in owner.taint):  # a field of a model's answer
            return Array(taint=owner.taint, graph=owner.graph, loss=key.value == "loss", device=owner.device)
        return owner.then(ndim=1, last=None)
    if (
        isinstance(key, Items)
        and key.items
        and all(isinstance(k, Const) and isinstance(k.value, str) for k in key.items)
    ):
        return owner.then(ndim=2, last=len(key.items))
    return None


def _dropped(reader: Reader, part: ast.expr, scope: Scope) -> int | None:
    """How many dimensions an index takes away (−1: it adds one), None where that is not known."""
    if isinstance(part, ast.Slice):
        return 0
    value = reader.value(part, scope)
    if isinstance(value, Const):
        if value.value is None:
            return -1
        return 0 if value.value is ... else 1
    if isinstance(value, Number):
        return 1
    if isinstance(value, Items) or (isinstance(value, Array) and value.ndim == 1):
        return 0
    return -1 if isinstance(value, External) and value.path.endswith("newaxis") else None


def _whole(part: ast.expr) -> bool:
    ellipsis = isinstance(part, ast.Constant) and part.value is ...
    return ellipsis or (isinstance(part, ast.Slice) and part.lower is None and part.upper is None)


def _width(reader: Reader, part: ast.expr, scope: Scope) -> int | None:
    if isinstance(part, ast.Slice):
        return None
    value = reader.value(part, scope)
    return len(value.items) if isinstance(value, Items) else None


def _shuffled(reader: Reader, result: Array, part: ast.expr, scope: Scope) -> Array:
    if isinstance(part, ast.Slice):
        window = not isinstance(part.lower, (ast.Constant, type(None)))
        window = window and part.upper is not None and not _to_the_end(part.upper)
        return result.then(order="time") if window and result.order == "kept" else result
    value = reader.value(part, scope)
    if isinstance(value, Array):  # X[train_index]
        result = result.then(taint=result.taint | (value.taint & {"train", "val", "test", FOLD}))
    if isinstance(value, Array) and value.order == "random":
        return result.then(order="random")
    return result.then(order=None) if result.order == "kept" else result


def _positional(reader: Reader, owner: Array, result: Array, part: ast.expr, line: int) -> Array:
    """``X[:n]`` and ``X[n:]``: a split by position, seen when both have been read."""
    if not isinstance(part, ast.Slice) or part.step is not None:
        return result
    lower = None if isinstance(part.lower, ast.Constant) and part.lower.value == 0 else part.lower
    upper = None if part.upper is not None and _to_the_end(part.upper) else part.upper
    bound = upper if lower is None else lower
    if bound is None or (lower is not None and upper is not None) or owner.part != "all" or not owner.source:
        return result
    side = "first" if lower is None else "second"
    key = (owner.source, owner.ndim or 0, ast.dump(bound))
    seen = reader.slices.setdefault(key, {})
    other = seen.get("second" if side == "first" else "first")
    if other is not None and side not in seen:
        reader.note(Split, line, rows=(owner,), how="position", call="", first_line=other)
    seen.setdefault(side, line)
    return result.then(part=side)


def _to_the_end(bound: ast.expr) -> bool:
    """``len(x)``, ``x.shape[0]`` and ``x.size(0)`` as the end of a slice."""
    if isinstance(bound, ast.Call):
        name = bound.func.attr if isinstance(bound.func, ast.Attribute) else getattr(bound.func, "id", "")
        return name in ("len", "size")
    return isinstance(bound, ast.Subscript) and isinstance(bound.value, ast.Attribute) and bound.value.attr == "shape"
