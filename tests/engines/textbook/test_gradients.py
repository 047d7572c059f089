"""The textbook's gradients against central differences, which know no derivative formula."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pellucid.engines.textbook.activations import RULES, sigmoid, softmax
from pellucid.engines.textbook.backprop import backward
from pellucid.engines.textbook.forward import forward
from pellucid.engines.textbook.gradient_check import central_differences
from pellucid.engines.textbook.losses import loss_and_gradient
from pellucid.network import ACTIVATIONS, mlp
from pellucid.training.batches import dropout_masks
from tests.parity.cases import LOSSES, NETWORKS, make_network, make_parameters

Array = NDArray[Any]


@pytest.mark.parametrize("loss_name", LOSSES)
@pytest.mark.parametrize("network_name", NETWORKS)
def test_every_gradient_by_central_differences(network_name: str, loss_name: str) -> None:
    loss = LOSSES[loss_name]
    network = make_network(network_name, loss)
    parameters = make_parameters(network)
    generator = np.random.default_rng(1)
    x = generator.normal(size=(6, 4))
    y: Array = generator.integers(0, 3, 6)
    if loss.name != "cross_entropy":
        y = generator.integers(0, 2, (6, 1)).astype(float) if loss.name == "bce" else generator.normal(size=(6, 1))
    masks = dropout_masks(network, 6, seed=0, epoch=0, batch=0)

    def value(p: Mapping[str, Array]) -> float:
        logits = forward(network, p, x, training=True, masks=masks).logits
        return loss_and_gradient(loss, logits, y).value

    trace = forward(network, parameters, x, training=True, masks=masks)
    exact = backward(parameters, trace, loss_and_gradient(loss, trace.logits, y).d_logits).parameters
    names = tuple(p.name for p in network.trainable())
    near = central_differences(value, parameters, names)
    assert set(exact) == set(names)
    for name in names:
        np.testing.assert_allclose(exact[name], near[name], rtol=2e-5, atol=2e-8, err_msg=name)


def test_gradient_of_the_inputs_in_prediction_mode() -> None:
    """With running statistics a row stands alone, and the slope with respect to it is that of a plain function."""
    network = mlp(3, [5], 1, activation="tanh", batch_norm=True)
    parameters = make_parameters(network)
    x = np.random.default_rng(0).normal(size=(4, 3))
    trace = forward(network, parameters, x)
    exact = backward(parameters, trace, np.ones((4, 1))).d_inputs[0]
    near = central_differences(lambda p: float(forward(network, parameters, p["x"]).logits.sum()), {"x": x}, ("x",))
    np.testing.assert_allclose(exact, near["x"], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", ACTIVATIONS)
@settings(max_examples=50, deadline=None)
@given(z=st.floats(-30, 30).filter(lambda z: abs(z) > 1e-3))
def test_each_derivative_by_central_differences(name: str, z: float) -> None:
    rule, h = RULES[name], 1e-5
    at = np.array([z])
    near = (rule.f(at + h) - rule.f(at - h)) / (2 * h)
    np.testing.assert_allclose(rule.derivative(at, rule.f(at)), near, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_nothing_overflows_and_types_are_kept(name: str) -> None:
    rule = RULES[name]
    for dtype in (np.float32, np.float64):
        z = np.array([-1000.0, -88.0, -1.0, 0.0, 1.0, 88.0, 1000.0], dtype)
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            a = rule.f(z)
            slope = rule.derivative(z, a)
        assert np.isfinite(a).all()
        assert np.isfinite(slope).all()
        assert a.dtype == slope.dtype == dtype


@pytest.mark.parametrize("kink", ["relu"])
def test_slope_at_the_kink_is_zero(kink: str) -> None:
    assert RULES[kink].derivative(np.zeros(1), np.zeros(1)) == 0


def test_vectors_by_hand() -> None:
    z = np.array([-2.0, 0.0, 0.5, 2.0])
    np.testing.assert_array_equal(RULES["relu"].f(z), [0, 0, 0.5, 2])
    np.testing.assert_allclose(sigmoid(z), [0.1192, 0.5, 0.6225, 0.8808], atol=5e-5)
    np.testing.assert_allclose(softmax(np.array([2.0, 1.0, 0.1])), [0.6590, 0.2424, 0.0986], atol=5e-5)
    np.testing.assert_allclose(softmax(np.array([1000.0, 1000.0, -1000.0])), [0.5, 0.5, 0])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=8), st.floats(-1e3, 1e3))
def test_softmax_is_a_distribution_that_a_shift_does_not_change(z: list[float], shift: float) -> None:
    p = softmax(np.array(z))
    assert p.sum() == pytest.approx(1)
    assert (p >= 0).all()
    np.testing.assert_allclose(softmax(np.array(z) + shift), p, atol=1e-9)
