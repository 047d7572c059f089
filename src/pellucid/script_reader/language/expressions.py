"""Expressions: names, attributes, indices, arithmetic. Calls are in a separate file."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable

from pellucid.script_reader.language.branches import truth, truth_of
from pellucid.script_reader.language.calls import call
from pellucid.script_reader.language.members import item, uncalled_attribute
from pellucid.script_reader.reading import observe
from pellucid.script_reader.reading.duck_typing import as_used, undefined
from pellucid.script_reader.reading.iteration import elements
from pellucid.script_reader.reading.reader import Reader
from pellucid.script_reader.record.events import LoaderRead, ShapeMismatch
from pellucid.script_reader.values.merging import merge
from pellucid.script_reader.values.roles import role_of_path
from pellucid.script_reader.values.value import (
    BY_TRAINING,
    Array,
    Const,
    Dictionary,
    External,
    Fit,
    Function,
    Items,
    Number,
    Object,
    Scope,
    Unknown,
    Value,
    taints,
    with_taint,
)

__all__ = ["EXPRESSIONS", "combine"]

_FOLDED: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Div: operator.truediv,
}
_ORDER: dict[type[ast.cmpop], Callable[[int, int], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_NEVER_NONE = (Array, Object, Function, Items, Dictionary)
_BUILTINS = {
    "abs", "all", "any", "bool", "dict", "enumerate", "filter", "float", "getattr", "hasattr", "input", "int",
    "isinstance", "iter", "len", "list", "map", "max", "min", "next", "open", "print", "range", "reversed", "round",
    "set", "setattr", "sorted", "str", "sum", "super", "tuple", "type", "zip", "exit", "quit", "format", "id", "vars",
}  # fmt: skip


def _constant(reader: Reader, node: ast.Constant, scope: Scope) -> Value:
    return Const(value=node.value)


def _name(reader: Reader, node: ast.Name, scope: Scope) -> Value:
    holder = scope.holder(node.id)
    if holder is not None:
        return as_used(reader, node.id, holder[node.id], holder)
    if node.id in _BUILTINS:
        return External(path=f"builtins.{node.id}")
    if "torch.nn" in reader.stars and node.id[0].isupper():
        return External(path=f"torch.nn.{node.id}")
    return undefined(reader, node.id, scope)


def _attribute(reader: Reader, node: ast.Attribute, scope: Scope) -> Value:
    return uncalled_attribute(reader, reader.value(node.value, scope), node.attr, node.lineno)


def _subscript(reader: Reader, node: ast.Subscript, scope: Scope) -> Value:
    return item(reader, reader.value(node.value, scope), node, scope)


def _items(reader: Reader, node: ast.Tuple | ast.List | ast.Set, scope: Scope) -> Value:
    members: list[Value] = []
    for element in node.elts:
        if isinstance(element, ast.Starred):
            found = elements(reader, reader.value(element.value, scope))
            if found.every is None:
                return Unknown(taint=found.one.taint)
            members += found.every
        else:
            members.append(reader.value(element, scope))
    return Items(items=members, depth=len(reader.loops), taint=taints(*members[:32]))


def _dict(reader: Reader, node: ast.Dict, scope: Scope) -> Value:
    entries: dict[object, Value] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        found = reader.value(value, scope)
        name = reader.value(key, scope) if key is not None else None
        if isinstance(name, Const):
            entries[name.value] = found
        elif key is None and isinstance(found, Dictionary):
            entries.update(found.entries)
    return Dictionary(entries=entries)


def _comprehension(reader: Reader, node: ast.ListComp | ast.GeneratorExp | ast.SetComp, scope: Scope) -> Value:
    inner = Scope(scope)
    every: list[Value] | None = None
    roles, loader = frozenset[str](), None
    for generator in node.generators:
        found = elements(reader, reader.value(generator.iter, inner))
        every = found.every if len(node.generators) == 1 and not generator.ifs else None
        reader.assign(generator.target, found.one, inner)
        roles, loader = found.roles, found.loader
        for condition in generator.ifs:
            reader.value(condition, inner)
    if every is not None and len(every) <= 4 and every:
        members = []
        for member in every:
            reader.assign(node.generators[0].target, member, inner)
            members.append(reader.value(node.elt, inner))
        return Items(items=members, depth=len(reader.loops), taint=taints(*members))
    with reader.loop(node, roles, loader) as made:
        if loader is not None:
            reader.note(LoaderRead, node.lineno, loader=loader, loop=made)
        one = reader.value(node.elt, inner)
    return Items(
        items=[one, one], depth=len(reader.loops) + 1, taint=taints(one)
    )  # of unknown length; two represent all


def _dict_comprehension(reader: Reader, node: ast.DictComp, scope: Scope) -> Value:

    inner = Scope(scope)
    found = elements(reader, reader.value(node.generators[0].iter, scope))
    plain = len(node.generators) == 1 and not node.generators[0].ifs
    if plain and found.every is not None and len(found.every) <= 8:
        entries: dict[object, Value] = {}
        for member in found.every:
            reader.assign(node.generators[0].target, member, inner)
            key, value = reader.value(node.key, inner), reader.value(node.value, inner)
            if isinstance(key, Const):
                entries[key.value] = value
        return Dictionary(entries=entries)
    taint = taints(found.one)
    for generator in node.generators:
        one = elements(reader, reader.value(generator.iter, inner)).one if generator is not node.generators[0] else None
        reader.assign(generator.target, one or found.one, inner)
    return Unknown(taint=taint | taints(reader.value(node.key, inner), reader.value(node.value, inner)))


def _if_expression(reader: Reader, node: ast.IfExp, scope: Scope) -> Value:
    holds, test = truth_of(reader, node.test, scope)
    with reader.condition(node.test, test):
        if holds is not None:
            found = reader.value(node.body if holds else node.orelse, scope)
        else:
            found = merge(reader.value(node.body, scope), reader.value(node.orelse, scope))
    return with_taint(found, test.taint & {BY_TRAINING})


def _bool(reader: Reader, node: ast.BoolOp, scope: Scope) -> Value:
    values = [reader.value(v, scope) for v in node.values]
    known = [truth(v) for v in values]
    taint = taints(*values)
    decisive = isinstance(node.op, ast.Or)
    if decisive in known:
        return Const(value=decisive, taint=taint)
    if None not in known:
        return Const(value=not decisive, taint=taint)
    if decisive and len(values) == 2 and not isinstance(values[0], (Const, Number)):
        return merge(values[0], values[1])  # `x or default`
    return Unknown(taint=taint)


def _compare(reader: Reader, node: ast.Compare, scope: Scope) -> Value:
    left = reader.value(node.left, scope)
    rights = [reader.value(c, scope) for c in node.comparators]
    taint = taints(left, *rights)
    right = rights[0]
    if len(rights) == 1 and isinstance(left, Const) and isinstance(right, Const):
        same = type(left.value) is type(right.value) and left.value == right.value
        if isinstance(node.ops[0], (ast.Eq, ast.Is)):
            return Const(value=same, taint=taint)
        if isinstance(node.ops[0], (ast.NotEq, ast.IsNot)):
            return Const(value=not same, taint=taint)
        if type(node.ops[0]) in _ORDER and type(left.value) is int and type(right.value) is int:
            return Const(value=_ORDER[type(node.ops[0])](left.value, right.value), taint=taint)
    against_none = len(rights) == 1 and isinstance(right, Const) and right.value is None
    if against_none and isinstance(node.ops[0], (ast.Is, ast.IsNot)) and isinstance(left, _NEVER_NONE):
        return Const(value=isinstance(node.ops[0], ast.IsNot), taint=taint)
    for array in (left, right):
        if isinstance(array, Array):
            if isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
                _watch_shapes(reader, left, right, node.lineno)
            result = array.then(taint=taint, dtype="bool", activation="other", graph=False, loss=False)
            return observe.compared(reader, node.ops[0], left, right, result, node.lineno)
    return Unknown(taint=taint)


def _unary(reader: Reader, node: ast.UnaryOp, scope: Scope) -> Value:
    value = reader.value(node.operand, scope)
    known = truth(value)
    if isinstance(node.op, ast.Not):
        return Unknown(taint=taints(value)) if known is None else Const(value=not known, taint=value.taint)
    if isinstance(node.op, ast.USub) and isinstance(value, Const) and isinstance(value.value, (int, float)):
        return Const(value=-value.value, taint=value.taint)
    return value.then(activation="other") if isinstance(value, Array) else value


def _binary(reader: Reader, node: ast.BinOp, scope: Scope) -> Value:
    left, right = reader.value(node.left, scope), reader.value(node.right, scope)
    observe.scaled_by_itself(reader, node, left)
    return combine(reader, node.op, left, right, node.lineno)


def combine(reader: Reader, op: ast.operator, left: Value, right: Value, line: int) -> Value:  # noqa: PLR0911
    """The result of a binary operation.

    Parameters
    ----------
    reader
        Records what the rules look for, such as shapes that broadcast.
    op
        The operator.
    left, right
        Its operands.
    line
        The line of the operation.
    """
    if isinstance(op, ast.Mod) and isinstance(left, Const) and isinstance(left.value, str):
        return Unknown()  # a text, which keeps nothing of the values
    taint = taints(left, right) - observe.averaged(reader, op, left, right, line)
    if isinstance(left, Const) and isinstance(right, Const):
        return _fold(op, left.value, right.value, taint)
    if isinstance(left, Array) or isinstance(right, Array):
        if isinstance(left, Array) and isinstance(right, Array):
            return _arrays(reader, op, left, right, line, taint)
        array, other = (left, right) if isinstance(left, Array) else (right, left)
        assert isinstance(array, Array)
        if isinstance(other, (Const, Number)):
            return array.then(
                taint=taint,
                activation=None if array.activation is None else "other",
                activation_line=line,
                statistic_of=0,
            )
        return Array(
            ndim=_answers_of_rows(array, array),
            taint=taint,
            source=array.source,
            part=array.part,
            order=array.order,
            fitted=array.fitted,
            loss=array.loss,
            graph=array.graph or None if array.loss else None,
        )
    if isinstance(op, ast.Add) and all(
        isinstance(v, Object) and "parameters" in (v.kind, *(getattr(a, "kind", "") for a in v.args))
        for v in (left, right)
    ):
        return Items(items=[left, right])  # the parameters of two networks
    if isinstance(left, Items) and isinstance(right, Items) and isinstance(op, ast.Add):
        return Items(items=left.items + right.items, depth=min(left.depth, right.depth), taint=taint)
    if isinstance(left, (Const, Number)) and isinstance(right, (Const, Number)):
        return Number(taint=taint)
    return Unknown(taint=taint)


def _fold(op: ast.operator, a: object, b: object, taint: frozenset[str]) -> Value:
    numbers = all(isinstance(v, (int, float)) and abs(v) < 1e9 for v in (a, b))
    if numbers and type(op) in _FOLDED and not (isinstance(op, (ast.Div, ast.FloorDiv)) and not b):
        return Const(value=_FOLDED[type(op)](a, b), taint=taint)  # type: ignore[arg-type]
    return Number(taint=taint) if numbers else Unknown(taint=taint)


def _arrays(reader: Reader, op: ast.operator, a: Array, b: Array, line: int, taint: frozenset[str]) -> Array:
    fitted = a.fitted | b.fitted
    observe.own_statistic(reader, op, a, b, line)
    if isinstance(op, ast.MatMult):
        ndim = {(2, 2): 2, (2, 1): 1, (1, 2): 1}.get((a.ndim or 0, b.ndim or 0))
        return Array(ndim=ndim, taint=taint, fitted=fitted, device=_device(a, b), source=a.source, part=a.part)
    if isinstance(op, (ast.Sub, ast.Add)):
        _watch_shapes(reader, a, b, line)
    big = b if (b.ndim or 0) > (a.ndim or 0) and a.ndim is not None else a
    known = a.ndim is not None and b.ndim is not None
    scaled = b.statistic_of and b.statistic_of == a.source and a.part == "all" and isinstance(op, (ast.Sub, ast.Div))
    if scaled:
        fitted |= {Fit(line, "the manual scaling")}
    same = a.last if a.last == b.last and a.ndim == b.ndim else None
    wide = big.last if big.last != 1 else None  # a column is broadcast
    return Array(
        ndim=big.ndim if known else _answers_of_rows(a, b),
        last=wide if known and a.ndim != b.ndim else same, taint=taint,
        length=a.length if a.length == b.length else None, activation="other", activation_line=line,
        device=_device(a, b),
        dtype=a.dtype if a.dtype == b.dtype else None, source=a.source or b.source, part=a.part or b.part,
        order=a.order or b.order, fitted=fitted, graph=_graph(a, b), loss=a.loss or b.loss,
        image=a.image if a.image == b.image else None,
    )  # fmt: skip


def _answers_of_rows(a: Array, b: Array) -> int | None:
    """One answer a row and something of unknown shape, a number or one a row, make one a row."""
    return 1 if any(v.ndim == 1 and v.length != 1 and observe.from_model(v) for v in (a, b)) else None


def _device(a: Array, b: Array) -> str | None:
    return a.device if a.device == b.device else None


def _graph(a: Array, b: Array) -> bool | None:
    if a.graph or b.graph:
        return True
    return None if a.graph is None or b.graph is None else False


def _watch_shapes(reader: Reader, left: Value, right: Value, line: int) -> None:
    """Predictions of a column against targets of one dimension, in arithmetic."""
    if reader.models or not (isinstance(left, Array) and isinstance(right, Array)):
        return
    for prediction, target in ((left, right), (right, left)):
        answers = any(t.startswith("forward ") for t in prediction.taint)
        foreign = not any(t.startswith("forward ") for t in target.taint)
        column = prediction.last == 1 and prediction.ndim in (None, 2)
        if answers and foreign and column and target.ndim == 1 and target.length != 1 and target.statistic_of == 0:
            reader.note(ShapeMismatch, line, prediction=prediction, target=target)


def _lambda(reader: Reader, node: ast.Lambda, scope: Scope) -> Value:
    return Function(node=node, scope=scope)


def _named(reader: Reader, node: ast.NamedExpr, scope: Scope) -> Value:

    value = reader.value(node.value, scope)
    reader.assign(node.target, value, scope)
    return value


def _yield(reader: Reader, node: ast.Yield, scope: Scope) -> Value:
    if reader.frames:
        reader.frames[-1].yielded.append(reader.value(node.value, scope))
    return Unknown()


def _text(reader: Reader, node: ast.JoinedStr, scope: Scope) -> Value:
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            reader.value(part.value, scope)
    last = node.values[-1] if node.values else None
    text = last.value if isinstance(last, ast.Constant) and isinstance(last.value, str) else ""
    role = role_of_path(text) if "/" in text else None  # f"{folder}/val"
    return Unknown(taint=frozenset({role} if role else ()))


EXPRESSIONS: dict[type[ast.expr], Callable[..., Value]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.Tuple: _items,
    ast.List: _items,
    ast.Set: _items,
    ast.Dict: _dict,
    ast.ListComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.SetComp: _comprehension,
    ast.DictComp: _dict_comprehension,
    ast.IfExp: _if_expression,
    ast.BoolOp: _bool,
    ast.Compare: _compare,
    ast.UnaryOp: _unary,
    ast.BinOp: _binary,
    ast.Call: call,
    ast.Lambda: _lambda,
    ast.NamedExpr: _named,
    ast.Yield: _yield,
    ast.JoinedStr: _text,
}
