"""One neuron, three vectors and one forward pass by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from pellucid.engines.torch_engine.module import activation_module
from pellucid.errors import SettingError
from pellucid.studies import run
from pellucid.studies.basics.neuron import PARAMETERS, ROW
from tests.studies.checks import closing, said


def test_the_neuron_by_hand() -> None:
    """0.5 · 2 + 1 · (−1) + 0.25 = 0.25, and ReLU leaves it."""
    story = run("neuron", pictures=False)
    assert (story.result.z, story.result.output) == (0.25, 0.25)
    assert "products" in closing(story)


def test_the_vectors_by_hand() -> None:
    result = run("neuron", pictures=False).result
    assert result.relu.tolist() == [0, 0, 0.5, 2]
    np.testing.assert_allclose(result.sigmoid, [1 / (1 + math.exp(-v)) for v in (-2, 0, 0.5, 2)])
    powers = [math.exp(v) for v in (2, 1, 0.1)]
    np.testing.assert_allclose(result.softmax, [p / sum(powers) for p in powers])
    np.testing.assert_allclose(result.softmax, [0.6590, 0.2424, 0.0986], atol=5e-5)


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_the_forward_pass_is_that_of_pytorch(activation: str) -> None:
    """3 → 4 → 2, every number with its shape."""
    story = run("neuron", pictures=False, activation=activation)
    w = {name: torch.tensor(array) for name, array in PARAMETERS.items()}
    hidden = activation_module(activation)(torch.tensor(ROW) @ w["0.weight"].T + w["0.bias"])
    logits = hidden @ w["2.weight"].T + w["2.bias"]
    result = story.result
    np.testing.assert_allclose(result.hidden, hidden.numpy(), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(result.logits, logits.numpy(), rtol=1e-12)
    np.testing.assert_allclose(result.probabilities, torch.softmax(logits, 1).numpy(), rtol=1e-12)
    assert (result.hidden.shape, result.logits.shape, result.probabilities.shape) == ((1, 4), (1, 2), (1, 2))
    for piece in (f"a = {activation}(z)", "[1, 3]", "[1, 4]", "[1, 2]", "W [4, 3], b [4]", "W [2, 4], b [2]"):
        assert piece in said(story)


def test_the_hidden_neuron_that_is_written_out() -> None:
    """Unit 2 has the weights (1, 1, 1) and the bias −1: 1 + 2 − 0.5 − 1 = 1.5."""
    assert "1·1 + 1·2 + 1·(−0.5) + (−1) = 1.5." in said(run("neuron", pictures=False))


@pytest.mark.parametrize(("activation", "message"), [("rellu", "did you mean 'relu'"), ("identity", "nothing to see")])
def test_wrong_settings(activation: str, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        run("neuron", activation=activation)


def test_the_neuron_and_the_network_are_drawn_with_their_numbers() -> None:
    neuron, network = run("neuron").pictures
    assert (neuron.name, network.name) == ("neuron", "network")
    words = [text.get_text() for text in neuron.figure.axes[0].texts]
    assert {"x₁", "x₂", "w = 0.5", "w = 1", "w = 0.25", "relu(z)"} <= set(words)
    words = [text.get_text() for text in network.figure.axes[0].texts]
    assert {"3 inputs", "4 units\nrelu", "2 outputs", "x₁ = 1", "x₃ = −0.5", "logit 4.35"} <= set(words)
