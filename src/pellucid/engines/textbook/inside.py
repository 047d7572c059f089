"""What the layers of the textbook's forward pass give, and how a score depends on them by its backward pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from pellucid.engines.support import Inside
from pellucid.engines.textbook.backprop import StepBack, backward
from pellucid.engines.textbook.forward import forward
from pellucid.engines.textbook.layers.rule import Array, Parameters, Step
from pellucid.network import Network

__all__ = ["look_inside"]

_Any = TypeVar("_Any", Step, StepBack)


def look_inside(
    network: Network,
    parameters: Parameters,
    inputs: Array,
    names: Sequence[str] = (),
    towards: Callable[[Array], Array] | None = None,
) -> Inside:
    """As `pellucid.engines.inside.look_inside`, in NumPy.

    Parameters
    ----------
    network, parameters
        The description of the network, and its arrays by name.
    inputs
        A batch, ``[B, *network.shape]``.
    names
        The layers whose outputs are wanted.
    towards
        Maps the logits to ∂score/∂logits; ``None``: no way back.
    """
    w = dict[str, Array]()
    if network.dtype == "float":
        w = {n: np.asarray(array, dtype=inputs.dtype) for n, array in parameters.items() if array.dtype.kind == "f"}
    trace = forward(network, {**parameters, **w}, inputs)
    outputs = {step.name: step.outputs for step in _every(trace.steps) if step.name in names}
    if towards is None:
        return Inside(logits=trace.logits, outputs=outputs)
    back = backward({**parameters, **w}, trace, towards(trace.logits)).steps
    slopes = {step.name: step.d_outputs for step in _every(back) if step.name in names}
    return Inside(logits=trace.logits, outputs=outputs, d_inputs=back[0].d_inputs, d_outputs=slopes)


def _every(steps: Sequence[_Any]) -> Iterator[_Any]:
    """All steps, each composite before those inside it."""
    for step in steps:
        yield step
        yield from _every(step.inner)
