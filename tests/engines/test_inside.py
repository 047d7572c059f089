"""The inside of a network: PyTorch's hooks and the textbook's steps see the same, and slopes are those of autograd."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from pellucid.engines.inside import look_inside
from pellucid.engines.textbook.inside import look_inside as by_textbook
from pellucid.engines.torch_engine.inside import look_inside as by_torch
from pellucid.engines.torch_engine.module import build
from pellucid.network import Activation, Dense, Network, Residual, cnn, mlp
from pellucid.network.initialise import initialise

RNG = np.random.default_rng(1)
BLOCK = (Dense(inputs=4, outputs=4), Activation(function="tanh"))
SKIPPING = Network(inputs=3, layers=(Dense(inputs=3, outputs=4), Residual(block=BLOCK), Dense(inputs=4, outputs=2)))
NORMED = mlp(3, [5, 4], 2, batch_norm=True, dropout=0.5)


def squares(z: np.ndarray) -> np.ndarray:
    """∂/∂z of the sum of squares: depends on the logits."""
    return 2 * z


@pytest.mark.parametrize("towards", [None, squares])
@pytest.mark.parametrize(
    ("network", "names"),
    [
        (SKIPPING, ["0", "1.0", "1.1", "1"]), (NORMED, ["2", "6"]),
        (cnn((2, 6, 7), (3, 4), 2, depth=2, residual=True), ["0", "3", "4.2", "4", "7"]),
    ],
)  # fmt: skip
def test_both_engines_see_the_same(
    network: Network, names: list[str], towards: Callable[..., np.ndarray] | None
) -> None:
    weights, rows = initialise(network, 0), RNG.normal(size=(6, *network.shape))
    one = by_textbook(network, weights, rows, names, towards)
    other = by_torch(network, weights, rows, names, towards)
    np.testing.assert_allclose(one.logits, other.logits, atol=1e-12)
    assert list(other.outputs) == names
    for name in names:
        np.testing.assert_allclose(one.outputs[name], other.outputs[name], atol=1e-12)
        if towards is not None:
            np.testing.assert_allclose(one.d_outputs[name], other.d_outputs[name], atol=1e-12)
    if towards is None:
        assert one.d_inputs is other.d_inputs is None
    else:
        np.testing.assert_allclose(one.d_inputs, other.d_inputs, atol=1e-12)


def test_slopes_of_pictures_are_autograds() -> None:
    network = cnn((2, 6, 7), (3, 4), 2)
    weights, rows = initialise(network, 0), RNG.normal(size=(5, 2, 6, 7))
    found = look_inside(network, weights, rows, names=["3"], towards=squares)
    module, x = build(network, weights, torch.float64).eval(), torch.from_numpy(rows).requires_grad_(True)
    (module(x) ** 2).sum().backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    np.testing.assert_allclose(found.d_inputs, x.grad.numpy(), atol=1e-12)
    assert found.outputs["3"].shape == found.d_outputs["3"].shape == (5, 3, 3, 3)


def test_rows_in_single_precision_stay_so() -> None:
    network = cnn((1, 6, 6), (3,), 2)
    rows = RNG.normal(size=(2, 1, 6, 6)).astype(np.float32)
    found = look_inside(network, initialise(network, 0), rows, names=["0"], towards=squares)
    assert found.d_inputs is not None
    assert {found.logits.dtype, found.outputs["0"].dtype, found.d_inputs.dtype} == {np.dtype(np.float32)}
