"""Conditions: whether one holds, and what is known after both branches."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from pellucid.script_reader.reading.reader import Reader
from pellucid.script_reader.record.events import Decision
from pellucid.script_reader.source.syntax import branch_effect
from pellucid.script_reader.values.merging import merge
from pellucid.script_reader.values.state import State, join_states
from pellucid.script_reader.values.value import Const, Object, Scope, Value

__all__ = ["decide", "either", "truth", "truth_of"]


def truth(value: Value) -> bool | None:
    """Whether a value is truthy; None if that is not known."""
    return bool(value.value) if isinstance(value, Const) else None


def truth_of(reader: Reader, node: ast.expr, scope: Scope) -> tuple[bool | None, Value]:
    """Whether a condition holds (None if that is not known), and its value."""
    value = reader.value(node, scope)
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    if any(names & changing for changing in reader.changed_in_loop):
        return None, value
    return truth(value), value


def decide(reader: Reader, node: ast.If, value: Value) -> None:
    """Record a condition on a score that stops, saves or chooses."""
    acts = branch_effect(node.body) or branch_effect(node.orelse)
    if acts and any(t.startswith("scored") for t in value.taint):
        reader.note(Decision, node.lineno, taint=value.taint, acts=acts)


def either(reader: Reader, scope: Scope, sides: Sequence[Callable[[], str | None]]) -> str | None:
    """Read both branches of a condition from the same state, and merge the states after them."""
    places = _places(scope)
    before, state = [dict(place) for place in places], reader.state
    ends: list[tuple[list[dict[str, Value]], State]] = []
    jumps = []
    for side in sides:
        for place, kept in zip(places, before, strict=True):
            place.clear()
            place.update(kept)
        reader.state = state.copy()
        reader.guards[-1] += 1
        try:
            jump = side()
        finally:
            reader.guards[-1] -= 1
        jumps.append(jump)
        if jump is None:
            ends.append(([dict(place) for place in places], reader.state))
    if not ends:
        return jumps[0]
    reader.state = _joined(places, ends, state)
    return None


def _places(scope: Scope) -> list[dict[str, Value]]:
    own = [scope.names]
    for value in scope.names.values():
        if isinstance(value, Object) and value.cls is not None and value.attrs not in own:
            own.append(value.attrs)
    return own


def _joined(places: list[dict[str, Value]], ends: list[tuple[list[dict[str, Value]], State]], was: State) -> State:
    first, *others = ends
    joined = first[1]
    for place, names in zip(places, first[0], strict=True):
        place.clear()
        place.update(names)
    for contents, state in others:
        for place, names in zip(places, contents, strict=True):
            for name, value in names.items():
                place[name] = merge(place[name], value) if name in place else value
        joined = join_states(joined, state, was)
    return joined
