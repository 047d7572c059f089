"""Statements: assignments, conditions, loops, imports."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace

from pellucid.script_reader.language.branches import decide, either, truth_of
from pellucid.script_reader.language.expressions import combine
from pellucid.script_reader.language.imports import import_from, import_names
from pellucid.script_reader.reading import observe
from pellucid.script_reader.reading.iteration import elements
from pellucid.script_reader.reading.reader import Reader
from pellucid.script_reader.record.events import Accumulated, Backward, LoaderRead, MoveNotKept, ZeroGrad
from pellucid.script_reader.values.roles import role_of_name
from pellucid.script_reader.values.torch_objects import is_module
from pellucid.script_reader.values.value import (
    FOLD,
    Array,
    Class,
    Const,
    Dictionary,
    Function,
    Items,
    Method,
    Number,
    Object,
    Scope,
    Unknown,
    Value,
    taints,
    with_roles,
    with_taint,
)

__all__ = ["STATEMENTS", "assign"]

_UNROLLED = 4


# ── names ─────────────────────────────────────────────────────────────────────────────────────────────────────


def assign(reader: Reader, target: ast.expr, value: Value, scope: Scope) -> None:
    """Bind what a target names.

    Parameters
    ----------
    reader
        The reading so far, which also records the events.
    target
        A name, an attribute, an item, or a tuple of these.
    value
        What is assigned.
    scope
        Where names are bound.
    """
    if isinstance(target, ast.Name):
        _assign_name(target.id, value, scope)
    elif isinstance(target, (ast.Tuple, ast.List)):
        for part, item in zip(target.elts, _unpacked(target, value), strict=True):
            assign(reader, part.value if isinstance(part, ast.Starred) else part, item, scope)
    elif isinstance(target, ast.Attribute):
        _assign_attribute(reader, target, value, scope)
    elif isinstance(target, ast.Subscript):
        _assign_item(reader, target, value, scope)


def _assign_name(name: str, value: Value, scope: Scope) -> None:
    role = role_of_name(name)
    if role == "test" and _of_a_fold(value):
        role = "val"  # the rows that a fold leaves out, whatever they are called
    if role and not isinstance(value, (Const, Number)):
        if isinstance(value, Object):
            if not is_module(value):
                value.attrs.setdefault("role " + role, Const(value=True))
        else:
            value = with_roles(value, frozenset({role}))  # what a name says counts more than where rows were taken from
            if isinstance(value, Array) and value.unread and value.part == "all":
                value = value.then(part=role)
    if isinstance(value, Unknown):
        value = replace(value, name=name)
    home = scope
    while name in home.elsewhere and home.parent is not None:
        home = home.parent
    home.names[name] = value


def _of_a_fold(value: Value, depth: int = 0) -> bool:
    if isinstance(value, Object) and depth < 4 and not is_module(value):
        return any(_of_a_fold(v, depth + 1) for v in (*value.args, *value.kwargs.values()))
    return FOLD in taints(value)


def _unpacked(target: ast.Tuple | ast.List, value: Value) -> list[Value]:
    n = len(target.elts)
    starred = any(isinstance(e, ast.Starred) for e in target.elts)
    if isinstance(value, Items) and not starred and len(value.items) == n:
        return list(value.items)
    if isinstance(value, Array) and value.ndim is not None and value.ndim > 0:
        return [value.then(ndim=value.ndim - 1, length=None) for _ in range(n)]
    return [Unknown(taint=taints(value)) for _ in range(n)]


def _assign_attribute(reader: Reader, target: ast.Attribute, value: Value, scope: Scope) -> None:
    owner = reader.value(target.value, scope)
    if target.attr == "grad":
        reader.note(ZeroGrad, target.lineno, of=None)
    if target.attr == "requires_grad":
        observe.frozen(reader, owner, value, target.lineno)
        if isinstance(owner, Array) and isinstance(target.value, (ast.Name, ast.Attribute)) and not owner.loss:
            assign(reader, target.value, observe.leaf(reader, owner), scope)
    if isinstance(owner, Object):
        reader.attribute_lines[owner, target.attr] = target.lineno
        owner.attrs[target.attr] = value
    _put_inside(owner, target, value)


def _put_inside(owner: Value, target: ast.Attribute | ast.Subscript, value: Value) -> None:
    """``model.classifier[6] = nn.Linear(4096, 2)``: a layer goes into a part of a library's network."""
    while isinstance(owner, Method) and not isinstance(owner.owner, Object):
        owner = owner.owner
    if isinstance(owner, Method) and isinstance(owner.owner, Object) and is_module(owner.owner) and is_module(value):
        owner.owner.attrs[f"added {target.lineno} {len(owner.owner.attrs)}"] = value


def _assign_item(reader: Reader, target: ast.Subscript, value: Value, scope: Scope) -> None:
    owner = reader.value(target.value, scope)
    key = reader.value(target.slice, scope)
    if isinstance(owner, Dictionary) and isinstance(key, Const):
        owner.entries[key.value] = value
    elif isinstance(owner, Method):
        _put_inside(owner, target, value)
    elif isinstance(owner, Array) and isinstance(value, Array) and isinstance(target.value, ast.Name):
        found = scope.find(target.value.id)
        if found is owner and value.fitted:
            scope.names[target.value.id] = owner.then(fitted=owner.fitted | value.fitted)


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _assign(reader: Reader, node: ast.Assign, scope: Scope) -> None:
    target, added = node.targets[0], node.value
    if isinstance(target, ast.Name) and isinstance(added, ast.BinOp) and _is_name(added.left, target.id):
        summed = ast.AugAssign(target, added.op, added.right, lineno=node.lineno)
        return _aug_assign(reader, summed, scope)  # `total = total + loss` is `total += loss`
    value = reader.value(node.value, scope)
    for target in node.targets:
        assign(reader, target, value, scope)
    return None


def _ann_assign(reader: Reader, node: ast.AnnAssign, scope: Scope) -> None:
    if node.value is not None:
        assign(reader, node.target, reader.value(node.value, scope), scope)


def _aug_assign(reader: Reader, node: ast.AugAssign, scope: Scope) -> None:
    old = reader.value(_loaded(node.target), scope)
    added = reader.value(node.value, scope)
    new = combine(reader, node.op, old, added, node.lineno)
    if isinstance(node.target, ast.Name) and isinstance(added, Array) and isinstance(node.op, ast.Add):
        fresh = not isinstance(old, Array) or any(t.startswith("sum ") for t in old.taint)
        if _is_loss(reader, added) and added.graph and fresh and _outlives(reader, node.target.id):
            number = reader.number()
            reader.note(Accumulated, node.lineno, number=number, name=node.target.id, how="+=")
            new = with_taint(new, frozenset({f"sum {number}"}))
    new = _perhaps_loss(reader, node, old, added, new)
    if isinstance(new, Const):
        new = Number(taint=new.taint)  # a counter: it changes
    assign(reader, node.target, new, scope)


def _perhaps_loss(reader: Reader, node: ast.AugAssign, old: Value, added: Value, new: Value) -> Value:
    """A model's answer is added up before `backward` says that it is a loss: the rule asks whether it does."""
    tensor = isinstance(added, Unknown) or (isinstance(added, Array) and not added.loss and added.graph is not False)
    if not tensor or not isinstance(node.target, ast.Name) or not isinstance(node.op, ast.Add) or reader.models:
        return new
    fresh = not isinstance(old, Array) or any(t.startswith("sum ") for t in old.taint)
    if reader.state.grad is not True or not fresh or not observe.from_model(added):
        return new
    if not _outlives(reader, node.target.id) or _is_loss(reader, added):
        return new
    number = reader.number()
    reader.note(Accumulated, node.lineno, number=number, name=node.target.id, how="+=", value=added)
    return with_taint(new, frozenset({f"sum {number}"}))


def _is_loss(reader: Reader, added: Value) -> bool:
    """Whether a value is a loss: PyTorch's own, or what `backward` was called on."""
    return getattr(added, "loss", False) or any(
        e.of is added for e in reader.script.events[-12:] if isinstance(e, Backward)
    )


def _loaded(target: ast.expr) -> ast.expr:
    copy = type(target)(**{name: getattr(target, name) for name in target._fields})
    copy.ctx = ast.Load()  # type: ignore[attr-defined]
    return ast.copy_location(copy, target)


def _outlives(reader: Reader, name: str) -> bool:
    """Whether the innermost loop of this function adds to a name that it does not begin anew."""
    return bool(reader.reset_in_loop) and name not in reader.reset_in_loop[-1]


# ── flow ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _if(reader: Reader, node: ast.If, scope: Scope) -> str | None:
    holds, value = truth_of(reader, node.test, scope)
    decide(reader, node, value)
    sides = [lambda: reader.block(node.body, scope), lambda: reader.block(node.orelse, scope)]
    with reader.condition(node.test, value):
        jump = sides[not holds]() if holds is not None else either(reader, scope, sides)
        leaves = isinstance(node.body[-1], ast.Return) and jump is None
        told = reader.if_training > 0
    if leaves and told and reader.frames:
        reader.if_training += 1  # `if not self.training: return x`: what follows only happens in training
        reader.frames[-1].training_checks += 1
    return jump


def _for(reader: Reader, node: ast.For | ast.AsyncFor, scope: Scope) -> str | None:
    found = elements(reader, reader.value(node.iter, scope))
    if found.every is not None and 0 < len(found.every) <= _UNROLLED and not _numbers(found.every):
        for item in found.every:
            assign(reader, node.target, item, scope)
            jump = reader.block(node.body, scope)
            if jump in ("return", "raise"):
                return jump
            if jump == "break":
                break
        return None
    with reader.loop(node, found.roles, found.loader) as made:
        for turn in range(reader.n_passes):
            reader.passes[-1] = turn
            if made.loader is not None:
                reader.note(LoaderRead, node.lineno, loader=made.loader, loop=made)
            assign(reader, node.target, found.one, scope)
            if reader.block(node.body, scope) in ("return", "raise", "break"):
                break  # it always leaves in its first round; what follows is read all the same
    _forget_pictures(node, scope)
    return reader.block(node.orelse, scope)


def _forget_pictures(loop: ast.AST, scope: Scope) -> None:
    """A loop that is read twice may run more often: the sizes of pictures after it are not known."""
    for node in ast.walk(loop):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            value = scope.names.get(node.id)
            if isinstance(value, Array) and value.image is not None:
                scope.names[node.id] = value.then(image=None)


def _numbers(values: list[Value]) -> bool:
    return all(isinstance(v, Const) and isinstance(v.value, (int, float)) for v in values)


def _while(reader: Reader, node: ast.While, scope: Scope) -> str | None:
    with reader.loop(node, frozenset(), None):
        for turn in range(reader.n_passes):
            reader.passes[-1] = turn
            reader.value(node.test, scope)
            if reader.block(node.body, scope) in ("return", "raise", "break"):
                break
    _forget_pictures(node, scope)
    return reader.block(node.orelse, scope)


def _with(reader: Reader, node: ast.With | ast.AsyncWith, scope: Scope) -> str | None:
    grad = reader.state.grad
    changed = False
    for item in node.items:
        value = reader.value(item.context_expr, scope)
        switch = _gradient_switch(value)
        if switch is not ...:
            reader.state.grad, changed = switch, True  # type: ignore[assignment]
        if isinstance(value, Object) and value.kind == "torch.device":
            reader.default_device = None  # what is made from here on is made there
        if item.optional_vars is not None:
            assign(reader, item.optional_vars, value, scope)
    jump = reader.block(node.body, scope)
    if changed:
        reader.state.grad = grad
    return jump


def _gradient_switch(value: Value) -> object:
    """The new state of recording under a context manager, ``...`` where it leaves that alone."""
    if not isinstance(value, Object):
        return None if isinstance(value, Unknown) else ...
    if value.kind in (
        "torch.no_grad",
        "torch.inference_mode",
        "torch.autograd.no_grad",
        "torch.autograd.grad_mode.no_grad",
    ):
        mode = value.args[0] if value.args else None
        return False if mode is None or (isinstance(mode, Const) and mode.value is True) else None
    if value.kind == "torch.enable_grad":
        return True
    if value.kind == "torch.set_grad_enabled":
        mode = value.args[0] if value.args else None
        return mode.value if isinstance(mode, Const) and isinstance(mode.value, bool) else None
    return ...


def _try(reader: Reader, node: ast.Try, scope: Scope) -> str | None:
    jump = reader.block(node.body, scope)
    if jump is None:
        jump = reader.block(node.orelse, scope)
    for handler in node.handlers:
        either(reader, scope, [lambda h=handler: reader.block(h.body, scope), lambda: None])  # type: ignore[misc]
    return reader.block(node.finalbody, scope) or jump


def _match(reader: Reader, node: ast.Match, scope: Scope) -> str | None:
    reader.value(node.subject, scope)
    sides: list[Callable[[], str | None]] = [lambda c=case: reader.block(c.body, scope) for case in node.cases]  # type: ignore[misc]
    return either(reader, scope, sides)


def _return(reader: Reader, node: ast.Return, scope: Scope) -> str:
    value = reader.value(node.value, scope)
    if reader.frames:
        reader.frames[-1].returned.append(value)
    return "return"


def _expression(reader: Reader, node: ast.Expr, scope: Scope) -> None:
    call = node.value
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in ("to", "cuda"):
        owner = reader.value(call.func.value, scope)
        if isinstance(owner, Array) and owner.device == "cpu":
            reader.note(MoveNotKept, node.lineno, text=ast.unparse(call.func.value))
    result = reader.value(node.value, scope)
    if isinstance(call, ast.Call) and isinstance(result, Array) and result.fitted:
        _change_in_place(call, result, scope)


def _change_in_place(call: ast.Call, result: Array, scope: Scope) -> None:
    """``df["age"].fillna(df["age"].median(), inplace=True)`` changes ``df``."""
    base = call.func.value if isinstance(call.func, ast.Attribute) else None
    while isinstance(base, (ast.Subscript, ast.Attribute)):
        base = base.value
    found = scope.names.get(base.id) if isinstance(base, ast.Name) else None
    if isinstance(base, ast.Name) and isinstance(found, Array) and any(k.arg == "inplace" for k in call.keywords):
        scope.names[base.id] = found.then(fitted=found.fitted | result.fitted)


# ── definitions ───────────────────────────────────────────────────────────────────────────────────────────────


def _function(reader: Reader, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> None:
    scope.names[node.name] = Function(node=node, scope=scope)


def _class(reader: Reader, node: ast.ClassDef, scope: Scope) -> None:
    bases = tuple(reader.value(base, scope) for base in node.bases)
    inner = Scope(scope)
    made = Class(node=node, bases=bases, scope=inner)
    scope.names[node.name] = made
    for statement in node.body:
        if isinstance(statement, (ast.Assign, ast.AnnAssign)):
            reader.block([statement], inner)


def _elsewhere(reader: Reader, node: ast.Global | ast.Nonlocal, scope: Scope) -> None:
    scope.elsewhere.update(node.names)


def _delete(reader: Reader, node: ast.Delete, scope: Scope) -> None:
    """A deleted name may be read no more: nothing to remember."""


STATEMENTS: dict[type[ast.stmt], Callable[..., str | None]] = {
    ast.Assign: _assign,
    ast.AnnAssign: _ann_assign,
    ast.AugAssign: _aug_assign,
    ast.If: _if,
    ast.For: _for,
    ast.AsyncFor: _for,
    ast.While: _while,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.Try: _try,
    ast.Match: _match,
    ast.Return: _return,
    ast.Expr: _expression,
    ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function,
    ast.ClassDef: _class,
    ast.Import: import_names,
    ast.ImportFrom: import_from,
    ast.Global: _elsewhere,
    ast.Nonlocal: _elsewhere,
    ast.Delete: _delete,
    ast.Raise: lambda *_: "raise",
    ast.Break: lambda *_: "break",
    ast.Continue: lambda *_: "continue",
}
