"""Remembering the first symbol: the task, the gradients by step against PyTorch, and what the text says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pellucid.errors import SettingError
from pellucid.network.initialise import initialise
from pellucid.studies import run
from pellucid.studies.sequences.memory import ATTENTION, CELLS, KINDS, Memory, gradients_by_step, network_of, sequences
from pellucid.studies.story import Story
from tests.studies.checks import assert_labelled, closing, said


@pytest.fixture(scope="module")
def story() -> Story:
    return run("memory", lengths=(3, 30), epochs=8, seeds=2, width=8)


@pytest.fixture(scope="module")
def result(story: Story) -> Memory:
    assert isinstance(story.result, Memory)
    return story.result


def test_only_the_first_step_says_what_it_was() -> None:
    rows = sequences(400, 6, np.random.default_rng(3))
    assert set(rows.inputs[:, 0].tolist()) == {1, 2, 3, 4}
    assert set(rows.inputs[:, 1:].ravel().tolist()) == {5, 6, 7, 8}
    np.testing.assert_array_equal(rows.inputs[:, 0], rows.targets + 1)


@pytest.mark.parametrize("kind", CELLS)
def test_gradients_by_step_are_those_of_pytorch_unrolled_by_hand(kind: str) -> None:
    network = network_of(kind, 5, 4)
    weights = initialise(network, 1)
    rows = sequences(1, 5, np.random.default_rng(0))
    cell = {"RNN": torch.nn.RNNCell, "LSTM": torch.nn.LSTMCell, "GRU": torch.nn.GRUCell}[kind](8, 4).double()
    t = {name: torch.as_tensor(np.asarray(value, np.float64)) for name, value in weights.items()}
    cell.load_state_dict({name: t[f"1.{name}_l0"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")})
    h = c = torch.zeros(1, 4, dtype=torch.float64)
    states = []
    for token in rows.inputs[0].tolist():
        x = t["0.weight"][token][None]
        if kind == "LSTM":
            h, c = cell(x, (h, c))
        else:
            h = cell(x, h)
        h.retain_grad()
        states.append(h)
    logits = h @ t["3.weight"].T + t["3.bias"]
    torch.nn.functional.cross_entropy(logits, torch.as_tensor(rows.targets)).backward()
    expected = [float(state.grad.norm()) for state in states]
    np.testing.assert_allclose(gradients_by_step(network, weights, rows), expected, rtol=1e-9)


def test_figures_have_the_shape_of_the_settings(result: Memory) -> None:
    assert result.lengths == (3, 30)
    assert all(result.accuracy[kind].shape == (2, 2) for kind in KINDS)
    assert all(gradients.shape == (30,) for gradients in result.gradients.values())


def test_three_steps_are_easy_and_the_gradient_of_an_rnn_vanishes(result: Memory) -> None:
    assert result.accuracy[ATTENTION][0].min() > 0.6  # guessing: 0.25
    assert result.accuracy["RNN"][1].max() < 0.6
    assert result.gradients["RNN"][0] < 0.01 * result.gradients["RNN"][-1]


def test_the_text_follows_the_numbers(story: Story, result: Memory) -> None:
    text = said(story)
    for kind in KINDS:
        assert f"{result.accuracy[kind][1].mean():.3f}" in text
    assert "From only 2 seeds no difference is claimed" in text
    for kind in KINDS:
        whole = [s for s, row in zip(result.lengths, result.accuracy[kind], strict=True) if (row > 0.9).all()]
        assert f"{kind}: {f'{whole[-1]} steps' if whole else 'none of the lengths'}" in closing(story)


def test_the_pictures(story: Story, result: Memory) -> None:
    assert_labelled(story, "accuracy", "gradients")
    first = story.pictures[0].figure.axes[0].get_lines()[1]
    np.testing.assert_array_equal(first.get_ydata(), result.accuracy["RNN"].mean(axis=1))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"lengths": ()}, "lengths"),
        ({"lengths": (20, 5)}, "lengths"),
        ({"lengths": (1, 5)}, "lengths"),
        ({"lengths": (5, 5_000)}, "lengths"),
        ({"width": 7}, "width"),
        ({"epochs": 0}, "epochs"),
        ({"seeds": 0}, "seeds"),
    ],
)
def test_wrong_settings(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        run("memory", **wrong)
