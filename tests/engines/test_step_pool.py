"""Pooling over steps by hand, in both engines: what a row gives depends on its own steps alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pellucid.engines.inside import look_inside
from pellucid.engines.textbook.forward import forward
from pellucid.engines.torch_engine.module import build
from pellucid.engines.torch_engine.module import forward as torch_forward
from pellucid.network import Network, StepPool

Array = NDArray[Any]
NAN = np.nan

# Rows of 3, of 2 and of 1 steps.
ROWS = np.array([
    [[1.0, 4.0], [3.0, -2.0], [-4.0, 1.0]],
    [[-1.0, -4.0], [-3.0, -2.0], [NAN, NAN]],
    [[-5.0, 7.0], [NAN, NAN], [NAN, NAN]],
])  # fmt: skip

BY_HAND: dict[str, tuple[StepPool, list[list[float]]]] = {
    "last": (StepPool(), [[-4, 1], [-3, -2], [-5, 7]]),
    "last of two directions": (StepPool(bidirectional=True), [[-4, 4], [-3, -4], [-5, 7]]),
    "mean": (StepPool(how="mean"), [[0, 1], [-2, -3], [-5, 7]]),
    "max": (StepPool(how="max"), [[3, 4], [-1, -2], [-5, 7]]),
}


def by_textbook(network: Network, x: Array) -> Array:
    return forward(network, {}, x).logits


def by_pytorch(network: Network, x: Array) -> Array:
    return torch_forward(build(network, {}, torch.float64), torch.from_numpy(x)).numpy()


def by_looking_inside(network: Network, x: Array) -> Array:
    return look_inside(network, {}, x, names=["0"]).outputs["0"]


WAYS = pytest.mark.parametrize("compute", [by_textbook, by_pytorch, by_looking_inside])


@WAYS
@pytest.mark.parametrize("name", BY_HAND)
def test_by_hand(name: str, compute: Callable[[Network, Array], Array]) -> None:
    pool, expected = BY_HAND[name]
    np.testing.assert_allclose(compute(Network(shape=(3, 2), layers=(pool,)), ROWS), expected, rtol=1e-14, atol=1e-15)


@WAYS
@pytest.mark.parametrize("name", BY_HAND)
def test_the_other_rows_and_further_padding_change_nothing(
    name: str, compute: Callable[[Network, Array], Array]
) -> None:
    pool, expected = BY_HAND[name]
    longer = np.full((3, 9, 2), NAN)
    longer[:, :3] = ROWS
    np.testing.assert_allclose(compute(Network(shape=(9, 2), layers=(pool,)), longer), expected, rtol=1e-14, atol=1e-15)
    alone = ROWS[1:2, :2]
    np.testing.assert_allclose(
        compute(Network(shape=(2, 2), layers=(pool,)), alone), expected[1:2], rtol=1e-14, atol=1e-15
    )


@WAYS
@pytest.mark.parametrize("name", BY_HAND)
def test_a_row_of_padding_alone_counts_as_one_step_of_zeros(
    name: str, compute: Callable[[Network, Array], Array]
) -> None:
    network = Network(shape=(3, 2), layers=(BY_HAND[name][0],))
    np.testing.assert_array_equal(compute(network, np.full((1, 3, 2), NAN)), np.zeros((1, 2)))
