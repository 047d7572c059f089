"""Methods of the script's own classes, found in the class or in its bases."""

from __future__ import annotations

import ast

from pellucid.script_reader.values.value import Class, Function, Object, Value

__all__ = ["ancestors", "find_method", "method_of"]


def ancestors(cls: Class) -> list[Class]:
    found = [cls]
    for base in cls.bases:
        if isinstance(base, Class) and base is not cls and len(found) < 20:
            found += [c for c in ancestors(base) if c not in found]
    return found


def find_method(cls: Class, name: str) -> Function | None:
    """A method by its name, in the class or one of its bases in the script."""
    for ancestor in ancestors(cls):
        for node in ancestor.node.body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == name:
                return Function(node=node, scope=ancestor.scope.parent or ancestor.scope)
    return None


def method_of(owner: Object, name: str) -> Value | None:
    """A method or a class's attribute, bound to ``owner``."""
    if owner.cls is None:
        return None
    found = find_method(owner.cls, name)
    if found is not None:
        static = any(
            isinstance(d, ast.Name) and d.id == "staticmethod" for d in getattr(found.node, "decorator_list", [])
        )
        return found if static else Function(node=found.node, scope=found.scope, receiver=owner)
    for ancestor in ancestors(owner.cls):
        if name in ancestor.scope.names:
            return ancestor.scope.names[name]
    return None
