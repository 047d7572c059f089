"""No circle of imports within a room: counted are all imports, for types and inside functions as well."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src"
ROOMS = ("diagnosis", "lessons", "script_reader")


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


@pytest.mark.parametrize("room", ROOMS)
def test_no_circle_within_a_room(room: str) -> None:
    sources = {}
    for path in (SRC / "pellucid" / room).rglob("*.py"):
        parts = path.relative_to(SRC).with_suffix("").parts
        sources[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text(encoding="utf-8")
    assert len(sources) > 5
    assert circle(sources) == []


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
