"""What the syntax alone tells, without following any values."""

from __future__ import annotations

import ast
from collections.abc import Iterable

__all__ = ["always_reassigned", "branch_effect", "called_models"]


def always_reassigned(loop: ast.AST) -> frozenset[str]:
    """Names that a loop's body assigns anew in every round; not those it only updates or assigns under a condition."""
    names: set[str] = set()
    left = [loop]
    while left:
        node = left.pop()
        left += [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.If)]
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            set_here = {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
            read = (
                node.value.left.id
                if isinstance(node.value, ast.BinOp) and isinstance(node.value.left, ast.Name)
                else ""
            )
            names |= set_here - {read}
    return frozenset(names)


def branch_effect(body: Iterable[ast.stmt]) -> str:
    """What a branch does if it stops training, keeps the model or keeps the best score; else an empty text."""
    for node in (n for statement in body for n in ast.walk(statement)):
        if isinstance(node, ast.Break):
            return "stops the training"
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in ("save", "state_dict", "deepcopy") or name.startswith(("save_", "_save")):
                return "keeps the model"
    for node in (n for statement in body for n in ast.walk(statement)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and "best" in node.id.lower():
            return "keeps the best score"
        name = node.attr if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) else ""
        if name in ("early_stop", "stop"):
            return "stops the training"
        if "best" in name.lower():
            return "keeps the best score"
    return ""


def called_models(body: Iterable[ast.stmt]) -> frozenset[str]:
    """Names that are used as models: called, and with ``parameters()`` or a mode (``model`` for ``self.model``)."""
    called, owners = set(), set()
    for node in (n for statement in body for n in ast.walk(statement)):
        if not isinstance(node, ast.Call):
            continue
        called.add(_word(node.func))
        if isinstance(node.func, ast.Attribute):
            bare = not node.args and not node.keywords
            if node.func.attr in _OF_MODULES or (node.func.attr in _MODES and bare):
                owners.add(_word(node.func.value))
    return frozenset((called & owners) - {"", "self", "super"})


def _word(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return "" if node.attr in ("module",) and isinstance(node.value, ast.Call) else node.attr
    return node.id if isinstance(node, ast.Name) else ""


_OF_MODULES = {"parameters", "named_parameters", "named_modules", "children"}


_MODES = {"eval", "train"}
