"""What is known of a value that is one of two: after a condition, or for one element representing a list."""

from __future__ import annotations

from dataclasses import fields, replace

from pellucid.script_reader.values.torch_objects import ASSUMED, is_module
from pellucid.script_reader.values.value import (
    DEVICES,
    Array,
    Const,
    External,
    Items,
    Number,
    Object,
    Unknown,
    Value,
    taints,
)

__all__ = ["merge"]


def merge(a: Value, b: Value) -> Value:  # noqa: PLR0911, PLR0912
    """What is known of a value that is ``a`` or ``b``."""
    if a is b:
        return a
    taint = taints(a, b)
    if isinstance(a, Const) and isinstance(b, Const):
        return _merge_literals(a, b, taint)
    for one, other in ((a, b), (b, a)):
        if isinstance(one, Const) and one.value is None and not isinstance(other, Unknown):
            return other
    if isinstance(a, Array) and isinstance(b, Array):
        return _merge_arrays(a, b)
    if isinstance(a, Items) and isinstance(b, Items) and len(a.items) == len(b.items):
        return Items(items=[merge(x, y) for x, y in zip(a.items, b.items, strict=True)], depth=a.depth)
    if isinstance(a, Object) and isinstance(b, Object):
        if a.kind == b.kind == "torch.device" and a.args and b.args:
            return replace(a, args=(merge(a.args[0], b.args[0]),))
        if all(o.kind.startswith("torch.optim.") for o in (a, b)):
            return b
        return _merge_objects(a, b, taint)
    if isinstance(a, External) and isinstance(b, External):
        for one, other in ((a, b), (b, a)):
            if one.path == other.path or one.path.replace("torch.cuda.", "torch.", 1) == other.path:
                return one  # the accelerator's type where there is one
    if isinstance(a, (Number, Const)) and isinstance(b, (Number, Const)):
        return Number(taint=taint)
    return Unknown(taint=taint, name=getattr(a, "name", ""))


def _merge_objects(a: Object, b: Object, taint: frozenset[str]) -> Value:
    """Either of two modules is a module; of other objects nothing is known."""
    if not (is_module(a) and is_module(b)):
        return Unknown(taint=taint)
    either = [part for o in (a, b) for part in (o.args if o.kind == ASSUMED and o.args else (o,))]
    return Object(kind=ASSUMED, line=b.line, args=tuple(dict.fromkeys(either)), taint=taint)


def _merge_literals(a: Const, b: Const, taint: frozenset[str]) -> Value:
    if type(a.value) is type(b.value) and a.value == b.value:
        return replace(a, taint=taint)
    kinds = [c.value.partition(":")[0] if isinstance(c.value, str) else "" for c in (a, b)]
    if all(k in DEVICES for k in kinds):  # the accelerator where there is one
        return a if kinds[1] == "cpu" else b
    if isinstance(a.value, (int, float)) and isinstance(b.value, (int, float)):
        return Number(taint=taint)
    return Unknown(taint=taint)


_UNITED = {"taint", "fitted"}


def _merge_arrays(a: Array, b: Array) -> Array:
    changes: dict[str, object] = {}
    for f in fields(Array):
        x, y = getattr(a, f.name), getattr(b, f.name)
        if f.name in _UNITED:
            changes[f.name] = x | y
        elif x != y:
            changes[f.name] = f.default
    return replace(b, **changes)  # type: ignore[arg-type]
