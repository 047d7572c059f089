"""No circle of imports between modules or rooms: counted are all imports, for types and inside functions as well."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src"


def imports(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """Which module imports which, of modules given by their text."""
    graph: dict[str, set[str]] = {}
    for name, text in sources.items():
        found = graph.setdefault(name, set())
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and node.module:
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                found |= (inner & sources.keys()) or ({node.module} & sources.keys())
            elif isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names} & sources.keys()
        found.discard(name)
    return graph


def circle(sources: Mapping[str, str]) -> list[str]:
    """A circle of modules that import one another, or an empty list."""
    try:
        TopologicalSorter(imports(sources)).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def sources_of_the_package() -> dict[str, str]:
    """The text of every module, but of `pellucid` itself, which hands names on."""
    sources = {}
    for path in (SRC / "pellucid").rglob("*.py"):
        parts = path.relative_to(SRC).with_suffix("").parts
        sources[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text(encoding="utf-8")
    del sources["pellucid"]
    return sources


def test_no_modules_import_one_another() -> None:
    sources = sources_of_the_package()
    assert len(sources) > 500
    assert circle(sources) == []


def test_no_rooms_import_one_another() -> None:
    rooms: dict[str, set[str]] = {}
    for module, imported in imports(sources_of_the_package()).items():
        room = module.split(".")[1]
        rooms.setdefault(room, set()).update({each.split(".")[1] for each in imported} - {room})
    TopologicalSorter(rooms).prepare()


@pytest.mark.parametrize(
    "back",
    [
        "from room import a",
        "from room.a import f",
        "import room.a",
        "def g():\n    from room.a import f",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from room.a import f",
    ],
)
def test_a_planted_circle_is_found(back: str) -> None:
    sources = {"room": "", "room.a": "from room.b import g\nf = g", "room.b": back, "room.c": "from room.a import f"}
    assert set(circle(sources)) == {"room.a", "room.b"}
    assert circle(sources | {"room.b": "from typing import Any"}) == []
