"""Each operation of a kind's rule is left out in turn: autograd must disagree every time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pellucid.engines.fused.engine import FusedEngine
from pellucid.engines.fused.layers import RULES
from pellucid.engines.fused.layers.rule import Backward, Operations, Planned
from pellucid.engines.torch_engine.engine import TorchEngine
from pellucid.network import Layer, Network

RATE = 0.05


def apart(one: dict[str, Any], other: dict[str, Any]) -> float:
    """The largest difference between two dictionaries of arrays, which must have the same names and shapes."""
    assert set(one) == set(other)
    assert all(array.shape == other[name].shape for name, array in one.items())
    return max(float(np.abs(array - other[name]).max()) for name, array in one.items())


def check_no_operation_could_be_left_out(
    kind: type[Layer],
    network: Network,
    made: Callable[..., Any],
    masks: Sequence[Any],
    rows: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Fail if the plan still agrees with autograd without one of the operations of this kind's two passes.

    Parameters
    ----------
    kind
        Whose rule is made incomplete.
    network
        Has a layer of it.
    made
        From a class of engines and a network to an engine with its rows loaded.
    masks
        Of a step.
    rows
        How many rows the engine has.
    monkeypatch
        Puts the incomplete rule into its table.
    """
    right, theirs = RULES[kind], made(TorchEngine, network)
    wanted = theirs.step(np.arange(rows), masks, RATE), theirs.gradient_arrays(), theirs.parameters()
    seen = {"forward": 0, "backward": 0}

    def agrees(which: str, left_out: int) -> bool:
        def plan(*arguments: Any) -> Planned:
            planned: Planned = right.plan(*arguments)

            def backward(d: Any, more: bool) -> tuple[Operations, Any]:
                operations, d_x = planned.backward(d, more)
                return without(operations, "backward"), d_x

            made_backward: Backward = backward
            return replace(planned, forward=without(planned.forward, "forward"), backward=made_backward)

        def without(operations: Operations, part: str) -> Operations:
            seen[part] = max(seen[part], len(operations))
            return [each for i, each in enumerate(operations) if (part, i) != (which, left_out)]

        monkeypatch.setitem(RULES, kind, replace(right, plan=plan))
        ours = made(FusedEngine, network)
        loss = ours.backward(np.arange(rows), masks)
        found = ours.gradient_arrays()
        ours.update(RATE)
        close = abs(loss - wanted[0]) <= 1e-10 and apart(found, wanted[1]) <= 1e-10
        return close and apart(ours.parameters(), wanted[2]) <= 1e-10

    assert agrees("forward", -1)
    assert min(seen.values()) > 0
    for part, count in list(seen.items()):
        for operation in range(count):
            assert not agrees(part, operation), (part, operation)
