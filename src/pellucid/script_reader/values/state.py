"""What changes while a script runs, and how the states of two branches are merged."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from pellucid.script_reader.values.merging import merge
from pellucid.script_reader.values.value import Const, Items, Object, Value

__all__ = ["Frame", "State", "join_states", "outcome"]


@dataclass
class State:
    """What changes while the script runs: modes, devices, whether gradients are recorded."""

    modes: dict[Object, tuple[str | None, int]] = field(default_factory=dict)
    devices: dict[Object, tuple[str | None, int]] = field(default_factory=dict)
    grad: bool | None = True

    def copy(self) -> State:
        """The state at this point."""
        return State(dict(self.modes), dict(self.devices), self.grad)


@dataclass
class Frame:
    """One call of a function of the script."""

    node: ast.AST
    line: int
    returned: list[Value] = field(default_factory=list)
    yielded: list[Value] = field(default_factory=list)
    training_checks: int = 0  # conditions on the model's training that hold for the rest of it


def outcome(frame: Frame) -> Value:
    """A function's result: the union of what it returns, or a sequence of what it yields."""
    if frame.yielded:
        joined = frame.yielded[0]
        for other in frame.yielded[1:]:
            joined = merge(joined, other)
        return Items(items=[joined])
    if not frame.returned:
        return Const(value=None)
    result = frame.returned[0]
    for other in frame.returned[1:]:
        result = merge(result, other)
    return result


def join_states(a: State, b: State, was: State) -> State:
    """Either state may hold; a mode that only one side changed is a ``maybe``."""
    joined = a.copy()
    for obj in {*a.modes, *b.modes}:
        x, y, old = (s.modes.get(obj, ("train", 0)) for s in (a, b, was))
        if x != y:
            changed = [m for m in (x, y) if m != old]
            lone = changed[0] if len(changed) == 1 else (None, 0)
            joined.modes[obj] = ("maybe eval", lone[1]) if lone[0] in ("eval", "maybe eval") else (None, 0)
            if x[0] == y[0]:
                joined.modes[obj] = x
    for obj in {*a.devices, *b.devices}:
        d, e = a.devices.get(obj, ("cpu", 0)), b.devices.get(obj, ("cpu", 0))
        if d[0] != e[0]:
            joined.devices[obj] = (None, max(d[1], e[1]))
    joined.grad = a.grad if a.grad == b.grad else None
    return joined
