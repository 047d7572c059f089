"""Rows of series: their lengths by their padding, and stretched to one length."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid.errors import DataError
from pellucid.evaluation.peers.series import checked, stretched

NAN = np.nan


def test_lengths_are_read_from_the_padding_and_rows_are_cut_to_the_longest() -> None:
    rows = np.full((3, 6, 2), NAN)
    rows[0, :4], rows[1, :1], rows[2, :2] = 1.0, 2.0, 3.0
    found, lengths = checked(rows)
    assert found.shape == (3, 4, 2)
    assert lengths.tolist() == [4, 1, 2]
    assert checked(np.ones((2, 5), np.float32))[0].shape == (2, 5, 1)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[1.0, NAN, 2.0]], r"row 0 of the series holds nan at step 1, channel 0: fill gaps first"),
        ([[1.0, 2.0], [np.inf, 1.0]], r"row 1 of the series holds inf at step 0"),
        ([[[1.0, 2.0], [3.0, NAN]]], r"row 0 of the series holds nan at step 1, channel 1"),
        ([[1.0, 2.0], [NAN, NAN]], r"row 1 of the series has no step: drop it"),
        ([1.0, 2.0], r"rows × steps × channels, with at least one of each; got the shape \(2,\)"),
        (np.zeros((0, 4)), r"got the shape \(0, 4\)"),
    ],
)
def test_odd_series_are_named(rows: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        checked(np.asarray(rows))


@pytest.mark.parametrize("steps", [1, 2, 7, 20])
def test_stretching_is_linear_interpolation_of_each_channel(steps: int) -> None:
    rng = np.random.default_rng(0)
    rows, lengths = np.full((4, 9, 2), NAN), np.array([9, 1, 2, 5])
    for row, length in zip(rows, lengths, strict=True):
        row[:length] = rng.normal(size=(length, 2))
    found = stretched(rows, lengths, steps)
    assert found.shape == (4, steps, 2)
    for each, row, length in zip(found, rows, lengths, strict=True):
        places = np.linspace(0, length - 1, steps)
        for c in range(2):
            np.testing.assert_allclose(each[:, c], np.interp(places, np.arange(length), row[:length, c]), atol=1e-12)


def test_rows_of_that_length_stay_as_they_are() -> None:
    rows = np.random.default_rng(0).normal(size=(3, 8, 1))
    assert stretched(rows, np.full(3, 8), 8) is rows
