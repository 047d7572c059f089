"""Errors of forecasts by the steps ahead, and which model to use: expected values by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pellucid.errors import ModelFileError
from pellucid.evaluation.forecast_verdict import AUTOREGRESSION, LINE, PERSISTENCE, judge_forecast
from pellucid.evaluation.forecasts import errors_by_horizon, errors_from_json, errors_to_json
from pellucid.evaluation.verdict import Peer

NAN = math.nan


def test_errors_by_hand() -> None:
    truth = np.array([[1.0, 4.0], [3.0, NAN]])
    found = np.array([[2.0, 6.0], [0.0, 9.0]])
    last = np.array([[0.0, 0.0], [1.0, 1.0]])
    low, high = found - 2, found + 2
    one, two = errors_by_horizon(truth, found, last, scale=np.array([1.0, 2.0]), low=low, high=high)
    assert (one.steps, one.count, two.steps, two.count) == (1, 2, 2, 1)
    assert one.rmse == pytest.approx(math.sqrt((1 + 9) / 2))
    assert one.mae == pytest.approx(2)
    assert one.mase == pytest.approx((1 / 1 + 3 / 2) / 2)
    assert one.persistence == pytest.approx(math.sqrt((1 + 4) / 2))
    assert (one.coverage, one.width) == (0.5, 4.0)
    assert (two.rmse, two.coverage) == (2.0, 1.0)


def test_without_intervals_nothing_is_covered_and_an_unknown_step_is_left_out() -> None:
    truth = np.array([[1.0, NAN]])
    (only,) = errors_by_horizon(truth, truth + 1, truth, scale=np.array([0.0]), low=truth * NAN, high=truth * NAN)
    assert (only.coverage, only.width, only.mase) == (None, None, None)


def test_they_are_read_again() -> None:
    truth = np.array([[1.0, 2.0]])
    errors = errors_by_horizon(truth, truth + 1, truth, scale=np.ones(1))
    assert errors_from_json(errors_to_json(errors)) == errors
    with pytest.raises(ModelFileError, match="errors of forecasts"):
        errors_from_json([{"steps": 1}])


def peer(name: str, value: float, low: float, high: float) -> Peer:
    return Peer(name=name, value=value, difference=(low + high) / 2, low=low, high=high, rows=99)


@pytest.mark.parametrize(
    ("peers", "winner", "said"),
    [
        ([peer(PERSISTENCE, 9, 3, 5), peer(LINE, 4, -2, -0.5)], LINE, "Use the linear model: its RMSE of 4"),
        ([peer(PERSISTENCE, 5, -0.4, 0.2)], PERSISTENCE, "A tie with persistence .* the simpler model is enough"),
        ([peer(AUTOREGRESSION, 5, -1, 2)], None, "A tie with linear autoregression .* too few forecasts"),
        ([peer(PERSISTENCE, 9, 3, 5), peer(LINE, 6, 0.5, 1.5)], "network", "worth it: .* smaller by 1 .*linear model"),
        ([], None, "nothing else"),
    ],
)
def test_the_sentence_says_which_to_use(peers: list[Peer], winner: str | None, said: str) -> None:
    found = judge_forecast(5.0, 50, peers)
    assert found.winner == winner
    import re

    assert re.search(said, found.sentence), found.sentence
