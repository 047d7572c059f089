"""The arithmetic of a traced sequence: what is shown adds up, ends in the layer's own numbers, and names its steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid.explanation import RowTrace, trace_row
from pellucid.explanation.words import NamedStep, named_steps, words_of
from pellucid.explanation.words.unit_names import input_names
from pellucid.explanation.words.values import Derivatives, Equation, Note, Sum
from pellucid.network import GRU, LSTM, RNN, Dense, Layer, Network, StepPool
from pellucid.network.task import Loss
from tests.arithmetic import assert_holds
from tests.parity.cases import make_parameters

LAYERS: dict[str, Layer] = {
    "RNN": RNN(inputs=2, width=3),
    "RNN, relu, both": RNN(inputs=2, width=2, bidirectional=True, function="relu"),
    "LSTM": LSTM(inputs=2, width=3),
    "LSTM, two layers": LSTM(inputs=2, width=2, layers=2, bidirectional=True),
    "GRU": GRU(inputs=2, width=3),
    "GRU, two layers": GRU(inputs=2, width=2, layers=2, bidirectional=True),
}
POOLS = [StepPool(), StepPool(how="mean"), StepPool(how="max")]


def traced(*layers: Layer, steps: int = 4, padded: int = 1) -> tuple[RowTrace, tuple[NamedStep, ...]]:
    """A row of two channels, with padding at its end."""
    width = Network(shape=(steps, 2), layers=layers).outputs
    network = Network(shape=(steps, 2), layers=(*layers, Dense(inputs=width, outputs=2)))
    row = np.random.default_rng(1).normal(size=(steps, 2))
    row[steps - padded :] = np.nan
    found = trace_row(network, make_parameters(network, 3), row, loss=Loss(name="mse"), target=np.ones((1, 2)))
    return found, named_steps(found, input_names(network.shape), ["y", "z"])


def last_number(parts: Any) -> float:
    return [part.result for part in parts if not isinstance(part, Note | Derivatives)][-1]


@pytest.mark.parametrize("pool", POOLS, ids=lambda pool: pool.how)
@pytest.mark.parametrize("name", LAYERS)
def test_whatever_is_shown_adds_up(name: str, pool: StepPool) -> None:
    _, steps = traced(LAYERS[name], pool)
    for step in steps[:2]:
        words, work = words_of(step.work.layer), step.work
        assert len(step.names_in) == len(work.inputs)
        assert len(step.names_out) == len(work.outputs)
        assert words.explain(step)
        for k in range(len(work.outputs)):
            parts = words.forward(step, k)
            for part in parts:
                assert_holds(part)
            assert last_number(parts) == work.outputs[k]
        for k in range(len(work.inputs)):
            parts = words.backward(step, k)
            for part in parts:
                assert_holds(part)
            assert last_number(parts) == step.d_inputs[k]


@pytest.mark.parametrize("name", LAYERS)
def test_every_weight_is_spoken_of_once(name: str) -> None:
    _, steps = traced(LAYERS[name], StepPool())
    step, words = steps[0], words_of(LAYERS[name])
    parts = [part for k in words.owners(step) for part in words.derivatives(step, k)]
    for part in parts:
        assert_holds(part)
    said = [row.gradient for part in parts if isinstance(part, Derivatives) for row in (*part.weights(), *part.own)]
    there = np.concatenate([array.ravel() for array in step.work.gradients.values()])
    np.testing.assert_allclose(sorted(said), np.sort(there))


def test_steps_and_states_have_names() -> None:
    _, steps = traced(LSTM(inputs=2, width=2), StepPool(how="max"))
    first, second = steps[0].names_out, steps[1].names_out
    assert steps[0].names_in[3] == "channel 2 at step 1"
    assert [first[0], first[3], second[1]] == ["unit 1.1 at step 0", "unit 1.2 at step 1", "unit 1.2"]
    words = words_of(steps[0].work.layer)
    sums = [part for part in words.forward(steps[0], 2) if isinstance(part, Sum)]
    assert [part.symbol for part in sums] == ["z(i)", "z(f)", "z(g)", "z(o)"]
    assert list(sums[0].names) == [
        "channel 1 at step 1", "channel 2 at step 1", "h of unit 1 at step 0", "h of unit 2 at step 0",
    ]  # fmt: skip
    begin = words.forward(steps[0], 0)[0]
    assert isinstance(begin, Sum)
    assert list(begin.names)[2:] == ["h of unit 1 at the start", "h of unit 2 at the start"]


def test_padding_is_said_to_be_padding() -> None:
    _, steps = traced(GRU(inputs=2, width=2), StepPool(), padded=2)
    note, equation = words_of(steps[0].work.layer).forward(steps[0], 7)
    assert isinstance(note, Note)
    assert note.text.startswith("Step 3 is padding")
    assert isinstance(equation, Equation)
    assert equation.result == 0


def test_a_backward_direction_takes_the_state_of_the_step_after() -> None:
    _, steps = traced(RNN(inputs=2, width=1, bidirectional=True), StepPool(bidirectional=True))
    words = words_of(steps[0].work.layer)
    found = [words.forward(steps[0], unit)[0] for unit in (1, 5)]  # the backward unit at step 0 and at step 2
    assert all(isinstance(part, Sum) for part in found)
    assert [list(part.names)[-1] for part in found] == ["h of unit 1 at step 1", "h of unit 1 at the start"]  # type: ignore[union-attr]


def test_a_wrong_gate_would_be_seen() -> None:
    """The check above has teeth: the numbers of another gate do not add up."""
    _, steps = traced(LSTM(inputs=2, width=2), StepPool())
    parts = [part for part in words_of(steps[0].work.layer).forward(steps[0], 0) if isinstance(part, Equation)]
    cell = next(part for part in parts if part.symbol == "c")
    swapped = Equation(
        symbol="c", calculation=cell.calculation, result=cell.result,
        values={**cell.values, "i": cell.values["f"], "f": cell.values["i"]},
    )  # fmt: skip
    with pytest.raises(AssertionError):
        assert_holds(swapped)
