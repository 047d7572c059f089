"""Imports: of libraries, by their full names, and of the script's own files, which are read."""

from __future__ import annotations

import ast

from pellucid.script_reader.reading.own_files import well_known
from pellucid.script_reader.reading.reader import Reader
from pellucid.script_reader.values.value import External, Module, Scope, Value

__all__ = ["import_from", "import_names"]


def import_names(reader: Reader, node: ast.Import, scope: Scope) -> None:
    """``import torch.nn as nn``, ``import utils``."""
    for alias in node.names:
        reader.script.imports.add(alias.name)
        first = alias.name.partition(".")[0]
        own = _whole(reader, alias.name, scope, named=bool(alias.asname))
        if own is None and not well_known(first) and reader.own_files.find(alias.name, 0, scope.home) is None:
            reader.script.unread.setdefault(alias.name, [])
        scope.names[alias.asname or first] = own or External(path=alias.name if alias.asname else first)


def _whole(reader: Reader, name: str, scope: Scope, *, named: bool) -> Module | None:
    """The script's own module of that name, perhaps inside packages."""
    path = reader.own_files.find(name, 0, scope.home)
    found = reader.own_files.module(path, name) if path is not None else None
    first, _, rest = name.partition(".")
    if found is None or named or not rest:
        return found
    outer_path = reader.own_files.find(first, 0, scope.home)
    outer = reader.own_files.module(outer_path, first) if outer_path is not None else None
    outer = outer or Module(path=first, scope=Scope())
    holder = outer.scope
    *between, last = rest.split(".")
    for part in between:
        inner = holder.names.get(part)
        if not isinstance(inner, Module):
            inner = Module(path=part, scope=Scope())
            holder.names[part] = inner
        holder = inner.scope
    holder.names[last] = found
    return outer


def import_from(reader: Reader, node: ast.ImportFrom, scope: Scope) -> None:
    """``from torch import nn``, ``from model import Net``, ``from .layers import *``."""
    origin = ("." * node.level) + (node.module or "")
    reader.script.imports.add(origin)
    path = reader.own_files.find(node.module or "", node.level, scope.home)
    own = reader.own_files.module(path, node.module or "") if path is not None else None
    for alias in node.names:
        if alias.name == "*":
            if own is not None:
                scope.names.update({k: v for k, v in own.scope.names.items() if not k.startswith("_")})
            elif well_known(origin):
                reader.stars.append(origin)
        else:
            scope.names[alias.asname or alias.name] = _member(reader, node, own, origin, alias.name, scope)
        if own is None and path is None and (node.level or not well_known(origin)):
            names = reader.script.unread.setdefault(origin, [])
            if alias.name not in (*names, "*"):
                names.append(alias.name)


def _member(reader: Reader, node: ast.ImportFrom, own: Module | None, origin: str, name: str, scope: Scope) -> Value:
    if own is not None:
        held = own.scope.names.get(name)
        if held is not None:
            return held
        inner = ".".join(word for word in (node.module, name) if word)
        path = reader.own_files.find(inner, node.level, scope.home)
        module = reader.own_files.module(path, inner) if path is not None else None
        if module is not None:
            return module
    return External(path=f"{origin}.{name}")
