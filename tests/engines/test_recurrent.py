"""Recurrent layers: a unit by hand, and the same network in plain ``torch.nn``; rows of any length, in both engines."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, tanh
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from pellucid.engines.textbook.backprop import backward
from pellucid.engines.textbook.forward import forward
from pellucid.engines.torch_engine.module import build
from pellucid.engines.torch_engine.module import forward as torch_forward
from pellucid.network import GRU, LSTM, RNN, Dense, Flatten, Layer, Network, StepPool
from pellucid.network.layers.recurrent import Recurrent
from tests.parity.cases import make_parameters

Array = NDArray[Any]
Parameters = dict[str, Array]
KINDS: dict[str, tuple[type[Recurrent], type[nn.RNNBase], dict[str, Any]]] = {
    "RNN": (RNN, nn.RNN, {}),
    "RNN with relu": (RNN, nn.RNN, {"function": "relu"}),
    "LSTM": (LSTM, nn.LSTM, {}),
    "GRU": (GRU, nn.GRU, {}),
}
EACH = pytest.mark.parametrize("name", KINDS)


def by_textbook(network: Network, w: Parameters, x: Array) -> Array:
    return forward(network, w, x).logits


def by_pytorch(network: Network, w: Parameters, x: Array) -> Array:
    return torch_forward(build(network, w, torch.float64).eval(), torch.from_numpy(x)).detach().numpy()


WAYS = pytest.mark.parametrize("compute", [by_textbook, by_pytorch])

# ── by hand ───────────────────────────────────────────────────────────────────────────────────────────────────────


def sigmoid(z: float) -> float:
    return 1 / (1 + exp(-z))


def arrays(w: list[float], u: list[float], b: list[float], c: list[float], suffix: str = "_l0") -> Parameters:
    """The arrays of one unit with one input: a number for each gate."""
    return {
        f"0.weight_ih{suffix}": np.array(w)[:, np.newaxis],
        f"0.weight_hh{suffix}": np.array(u)[:, np.newaxis],
        f"0.bias_ih{suffix}": np.array(b),
        f"0.bias_hh{suffix}": np.array(c),
    }


SERIES = np.array([[[2.0], [-1.0], [np.nan]], [[1.0], [0.5], [3.0]]])  # of 2 and of 3 steps


@WAYS
def test_a_unit_of_an_rnn_by_hand(compute: Callable[..., Array]) -> None:
    network = Network(shape=(3, 1), layers=(RNN(inputs=1, width=1), Flatten()))
    w = arrays([0.5], [-2.0], [0.25], [0.125])
    one = tanh(0.5 * 2 + 0.25 + 0.125)
    two = tanh(0.5 * -1 - 2 * one + 0.375)
    np.testing.assert_allclose(compute(network, w, SERIES)[0], [one, two, 0], rtol=1e-13)


@WAYS
def test_a_unit_of_an_rnn_backwards_by_hand(compute: Callable[..., Array]) -> None:
    network = Network(shape=(3, 1), layers=(RNN(inputs=1, width=1, bidirectional=True, function="relu"), Flatten()))
    there, back = arrays([1.0], [1.0], [0.0], [0.0]), arrays([2.0], [0.5], [0.0], [1.0], "_l0_reverse")
    answers = compute(network, there | back, SERIES)
    # Forwards: 2, 2 − 1. Backwards from step 1: max(0, 2·(−1) + 1) = 0, then 2·2 + 1 + 0.5·0 = 5; padding gives 0.
    np.testing.assert_allclose(answers[0], [2, 5, 1, 0, 0, 0], rtol=1e-13)
    # Forwards: 1, 1.5, 4.5. Backwards: 7, 1 + 1 + 3.5 = 5.5, 2 + 1 + 2.75 = 5.75.
    np.testing.assert_allclose(answers[1], [1, 5.75, 1.5, 5.5, 4.5, 7], rtol=1e-13)


@WAYS
def test_a_unit_of_an_lstm_by_hand(compute: Callable[..., Array]) -> None:
    """Gates in PyTorch's order: input, forget, candidate, output."""
    network = Network(shape=(3, 1), layers=(LSTM(inputs=1, width=1), Flatten()))
    w, u, b = (0.5, -1.0, 2.0, 0.25), (1.0, 0.5, -0.5, 2.0), (0.1, 0.2, 0.3, 0.4)
    found, h, c = [], 0.0, 0.0
    for x in (2.0, -1.0):
        i, f, g, o = (w[k] * x + u[k] * h + b[k] + 0.05 for k in range(4))
        c = sigmoid(f) * c + sigmoid(i) * tanh(g)
        h = sigmoid(o) * tanh(c)
        found.append(h)
    answers = compute(network, arrays(list(w), list(u), list(b), [0.05] * 4), SERIES)
    np.testing.assert_allclose(answers[0], [*found, 0], rtol=1e-13)


@WAYS
def test_a_unit_of_a_gru_by_hand(compute: Callable[..., Array]) -> None:
    """Gates in PyTorch's order: reset, update, candidate; the reset gate multiplies the state's part with its bias."""
    network = Network(shape=(3, 1), layers=(GRU(inputs=1, width=1), Flatten()))
    w, u, b, c = (0.5, -1.0, 2.0), (1.0, 0.5, -0.5), (0.1, 0.2, 0.3), (0.4, -0.3, 0.7)
    found, h = [], 0.0
    for x in (2.0, -1.0):
        r = sigmoid(w[0] * x + b[0] + u[0] * h + c[0])
        z = sigmoid(w[1] * x + b[1] + u[1] * h + c[1])
        n = tanh(w[2] * x + b[2] + r * (u[2] * h + c[2]))
        h = (1 - z) * n + z * h
        found.append(h)
    answers = compute(network, arrays(list(w), list(u), list(b), list(c)), SERIES)
    np.testing.assert_allclose(answers[0], [*found, 0], rtol=1e-13)


# ── a twin in plain torch.nn ──────────────────────────────────────────────────────────────────────────────────────


class Twin(nn.Module):
    """As a tutorial writes it: packed rows, the last states of the upper layer, a linear head."""

    def __init__(self, kind: type[nn.RNNBase], both: bool, **fields: Any) -> None:
        super().__init__()
        self.add_module("0", kind(2, 3, num_layers=2, bidirectional=both, batch_first=True, **fields))
        self.add_module("2", nn.Linear(6 if both else 3, 2))
        self.both = both

    def forward(self, x: Tensor, lengths: list[int]) -> Tensor:
        modules = dict(self.named_children())
        packed = pack_padded_sequence(x, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
        last = modules["0"](packed)[1]
        h = last[0] if isinstance(last, tuple) else last
        logits: Tensor = modules["2"](torch.cat([h[-2], h[-1]], dim=1) if self.both else h[-1])
        return logits


LENGTHS = [5, 1, 3, 5, 2]


def padded(steps: int, seed: int = 0) -> Array:
    """Five rows of two channels, padded to so many steps."""
    x = np.random.default_rng(seed).normal(size=(len(LENGTHS), 5, 2))
    longer = np.full((len(LENGTHS), steps, 2), np.nan)
    for row, length in enumerate(LENGTHS):
        longer[row, :length] = x[row, :length]
    return longer


def network_of(name: str, steps: int, *, both: bool, end: Layer | None = None) -> Network:
    kind, _, fields = KINDS[name]
    layer = kind(inputs=2, width=3, layers=2, bidirectional=both, **fields)
    last = (end or StepPool(bidirectional=both), Dense(inputs=layer.outputs, outputs=2))
    return Network(shape=(steps, 2), layers=(layer, *last))


@EACH
@pytest.mark.parametrize("both", [False, True])
def test_the_weights_load_into_the_same_network_in_plain_pytorch(name: str, both: bool) -> None:
    _, theirs, fields = KINDS[name]
    network, x = network_of(name, 7, both=both), padded(7)
    w = make_parameters(network)
    twin = Twin(theirs, both, **({"nonlinearity": "relu"} if fields else {})).double()
    state = build(network, w, torch.float64).state_dict()
    assert list(state) == list(twin.state_dict())
    twin.load_state_dict(state)
    logits = twin(torch.from_numpy(np.nan_to_num(x)), LENGTHS)
    logits.square().sum().backward()
    trace = forward(network, w, x)
    np.testing.assert_allclose(trace.logits, logits.detach().numpy(), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(by_pytorch(network, w, x), logits.detach().numpy(), rtol=1e-12, atol=1e-13)
    ours = backward(w, trace, 2 * trace.logits).parameters
    for each, parameter in twin.named_parameters():
        assert parameter.grad is not None
        np.testing.assert_allclose(ours[each], parameter.grad.numpy(), rtol=1e-11, atol=1e-12, err_msg=each)


# ── rows of any length ────────────────────────────────────────────────────────────────────────────────────────────


@EACH
@WAYS
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("end", [None, StepPool(how="mean"), StepPool(how="max")])
def test_the_other_rows_and_further_padding_change_nothing(
    name: str, compute: Callable[..., Array], both: bool, end: Layer | None
) -> None:
    network = network_of(name, 5, both=both, end=end)
    w = make_parameters(network)
    answers = compute(network, w, padded(5))
    longer = network_of(name, 12, both=both, end=end)
    np.testing.assert_allclose(compute(longer, w, padded(12)), answers, rtol=1e-12)
    for row, length in enumerate(LENGTHS):
        alone = network_of(name, length, both=both, end=end)
        x = padded(5)[row : row + 1, :length]
        np.testing.assert_allclose(compute(alone, w, x), answers[row : row + 1], rtol=1e-12)


@WAYS
def test_a_state_that_grows_does_not_grow_in_the_padding(compute: Callable[..., Array]) -> None:
    """A relu that doubles its state at each step: 2,000 padded steps would overflow."""
    network = Network(shape=(2_000, 1), layers=(RNN(inputs=1, width=1, function="relu"), StepPool()))
    x = np.full((2, 2_000, 1), np.nan)
    x[:, :3] = 1.0
    answers = compute(network, arrays([1.0], [2.0], [0.0], [0.0]), x)
    np.testing.assert_array_equal(answers, [[7.0], [7.0]])
