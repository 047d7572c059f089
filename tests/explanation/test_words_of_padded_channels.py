"""The arithmetic of a convolutional network on a padded series: what is shown adds up, and padding is said to be it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid.explanation import trace_row
from pellucid.explanation.words import NamedStep, named_steps, words_of
from pellucid.explanation.words.unit_names import input_names
from pellucid.explanation.words.values import Derivatives, Note
from pellucid.network import (
    Activation,
    AvgPool1d,
    BatchNorm,
    Conv1d,
    Dense,
    GlobalAvgPool,
    Layer,
    MaxPool1d,
    Network,
    Transpose,
)
from pellucid.network.task import Loss
from tests.arithmetic import assert_holds
from tests.parity.cases import make_parameters

WINDOW: Any = {"kernel_size": 3, "stride": 2, "padding": 1}
FIRST = Conv1d(in_channels=2, out_channels=3, kernel_size=3, padding="same")
LAYERS: dict[str, Layer] = {
    "Conv1d": Conv1d(in_channels=3, out_channels=3, **WINDOW),
    "MaxPool1d": MaxPool1d(**WINDOW),
    "AvgPool1d": AvgPool1d(**WINDOW),
    "BatchNorm": BatchNorm(width=3),
}


def traced(layer: Layer) -> tuple[NamedStep, ...]:
    """A row of eight steps, of which five count."""
    layers = Transpose(), FIRST, Activation(function="sigmoid"), layer, GlobalAvgPool(), Dense(inputs=3, outputs=2)
    network = Network(shape=(8, 2), layers=layers)
    row = np.random.default_rng(1).normal(size=(8, 2))
    row[5:] = np.nan
    found = trace_row(network, make_parameters(network, 3), row, loss=Loss(name="mse"), target=np.ones((1, 2)))
    return named_steps(found, input_names(network.shape), ["y", "z"])


def last_number(parts: Any) -> float:
    return [part.result for part in parts if not isinstance(part, Note | Derivatives)][-1]


@pytest.mark.parametrize("name", LAYERS)
def test_whatever_is_shown_adds_up(name: str) -> None:
    for step in traced(LAYERS[name])[1:5]:
        words, work = words_of(step.work.layer), step.work
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
        for k in words.owners(step):
            for part in words.derivatives(step, k):
                assert_holds(part)


def test_padding_is_said_to_be_padding() -> None:
    steps = traced(LAYERS["BatchNorm"])
    note = words_of(steps[3].work.layer).forward(steps[3], 6)[0]
    assert isinstance(note, Note)
    assert note.text == "Step 6 is padding: it gives 0."
    mean = words_of(steps[4].work.layer)
    assert "over the first 5 positions" in mean.explain(steps[4])
    back = mean.backward(steps[4], 7)[0]
    assert isinstance(back, Note)
    assert back.text.startswith("Step 7 is padding")
