"""Networks that answer at each step, and rows to learn from that do not fit them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid.errors import DataError, SettingError
from pellucid.network import rnn, transformer
from pellucid.network.shapes import check_rows
from pellucid.network.task import Loss

NETWORK = rnn((4,), (3,), 6, vocabulary=6, embedding=2, pool="none")
INPUTS = np.ones((2, 4), np.int64)
LOSS = Loss(name="cross_entropy")


def test_the_outputs_are_those_of_a_step() -> None:
    assert (NETWORK.outputs, NETWORK.answers_steps, NETWORK.shapes()[-1]) == (6, True, (4, 6))
    assert transformer((4,), 4, 6, vocabulary=6, pool="none").answers_steps
    assert not rnn((4,), (3,), 6, vocabulary=6).answers_steps
    with pytest.raises(SettingError, match="pool 'nothing' is not known"):
        rnn((4,), (3,), 6, vocabulary=6, pool="nothing")


def test_rows_that_fit() -> None:
    targets = np.array([[0, 1, 5, 0], [2, 0, 0, 0]])
    check_rows(NETWORK, LOSS, INPUTS, targets)
    check_rows(NETWORK, LOSS, INPUTS, targets, np.ones(2))


@pytest.mark.parametrize(
    ("targets", "loss", "said"),
    [
        (np.ones(2, np.int64), LOSS, r"got the shape \[2\]"),
        (np.ones((2, 3), np.int64), LOSS, r"got the shape \[2, 3\]"),
        (np.ones((2, 4)), LOSS, "got the type float64"),
        (np.full((2, 4), 6), LOSS, "from 1 to 5.*got 6"),
        (np.full((2, 4), -1), LOSS, "got -1"),
        (np.zeros((2, 4), np.int64), LOSS, "no step counts"),
        (np.ones((2, 4), np.int64), Loss(name="mse"), "the loss is mse"),
        (np.ones((2, 4), np.int64), Loss(name="cross_entropy", class_weights=(1.0,) * 6), "with class weights"),
    ],
)
def test_rows_that_do_not_fit(targets: Any, loss: Loss, said: str) -> None:
    with pytest.raises(DataError, match=said):
        check_rows(NETWORK, loss, INPUTS, targets)
