"""The hidden state of a recurrent network, carried from batch to batch together with the graph of all batches."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pellucid.script_reader.finding import ScriptFinding
from pellucid.script_reader.record.events import Forward
from pellucid.script_reader.record.script import Script
from pellucid.script_reader.values.torch_objects import is_module

__all__ = ["carried_state"]

_LOOPS = (ast.For, ast.While)
_CUTS = ("detach", ".data", "repackage", "retain_graph")


def carried_state(script: Script) -> Iterator[ScriptFinding]:
    """``out, h = model(x, h)`` and ``loss.backward()`` in one loop, with ``h`` from before it: the second backward
    pass enters the first batch's graph, which has been freed ("Trying to backward through the graph a second time").
    """
    models = {f.where.line for f in script.of(Forward) if is_module(f.module) and f.grad is True and len(f.inputs) > 1}
    for loop in (n for n in ast.walk(script.tree) if isinstance(n, _LOOPS)):
        backward = _backward_in(loop)
        if backward is None:
            continue
        for name, line in _carried(loop, models):
            yield ScriptFinding(
                rule="state-not-detached", line=line,
                finding=f"The state {name!r} is carried from batch to batch together with its graph.",
                evidence=script.evidence(loop.lineno, line, backward),
                consequence="The second backward() stops with “Trying to backward through the graph a second time”; "
                "with retain_graph=True memory and time would grow with every batch.",
                fix=f"{name} = {name}.detach()  # before the next batch; for an LSTM: tuple(s.detach() for s in "
                f"{name})",
            )  # fmt: skip


def _own(loop: ast.For | ast.While) -> Iterator[ast.AST]:
    for statement in loop.body:
        yield from ast.walk(statement)


def _backward_in(loop: ast.For | ast.While) -> int | None:
    """The line of a plain ``backward()`` in this very loop, not in one inside it."""
    inner = {id(n) for child in _own(loop) if isinstance(child, _LOOPS) for n in ast.walk(child) if n is not child}
    for node in _own(loop):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "backward":
            return None if id(node) in inner or node.keywords or node.args else node.lineno
    return None


def _carried(loop: ast.For | ast.While, models: set[int]) -> Iterator[tuple[str, int]]:
    stores: dict[str, list[ast.AST]] = {}
    calls: dict[str, int] = {}
    for node in _own(loop):
        if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Store):
            stores.setdefault(ast.unparse(node), []).append(node)
        if isinstance(node, (ast.For, ast.comprehension)):
            stores.setdefault(ast.unparse(node.target), []).append(node)
        if not isinstance(node, ast.Assign) or len(node.targets) != 1 or not isinstance(node.value, ast.Call):
            continue
        target = node.targets[0]
        names = target.elts[1:] if isinstance(target, ast.Tuple) and len(target.elts) == 2 else []
        given = {ast.unparse(a) for a in (*node.value.args, *(k.value for k in node.value.keywords))}
        for name in names:
            texts = [ast.unparse(e) for e in name.elts] if isinstance(name, ast.Tuple) else [ast.unparse(name)]
            whole = "(" + ", ".join(texts) + ")"
            if node.lineno in models and (set(texts) <= given or whole in given):
                calls[texts[0]] = node.lineno
    body = "\n".join(ast.unparse(s) for s in loop.body)
    for state, line in calls.items():
        if len(stores.get(state, [])) == 1 and not any(word in body for word in _CUTS):
            yield state, line
