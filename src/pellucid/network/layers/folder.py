"""A folder with one file per kind of layer, read as a whole: a new file is found without being listed anywhere."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType
from typing import TypeVar

from pellucid.network.layers.layer import Layer

__all__ = ["modules_in", "table_of"]

T = TypeVar("T")


def modules_in(package: str, path: Iterable[str]) -> Iterator[ModuleType]:
    """The modules of a package, from its name and ``__path__``, sorted by name."""
    for found in pkgutil.iter_modules(path):
        if not found.name.startswith("_"):
            yield importlib.import_module(f"{package}.{found.name}")


def table_of(package: str, path: Iterable[str], kind: type[T]) -> dict[type[Layer], T]:
    """The entries for each kind of layer, from the ``TABLE`` of each file in a folder.

    Parameters
    ----------
    package, path
        The folder: ``__name__`` and ``__path__`` of its package.
    kind
        What a ``TABLE`` holds, such as an engine's ``Rule``.

    Raises
    ------
    TypeError
        A ``TABLE`` holds something else, or two files have the same kind of layer.
    """
    table: dict[type[Layer], T] = {}
    for module in modules_in(package, path):
        own: Mapping[type[Layer], T] = getattr(module, "TABLE", {})
        for layer, entry in own.items():
            if not isinstance(entry, kind) or layer in table:
                said = "a second time" if layer in table else f"and no {kind.__name__}"
                raise TypeError(f"{module.__name__}: TABLE has {layer.__name__} {said}")
            table[layer] = entry
    return table
