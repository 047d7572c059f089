"""Repeating the last chord, and counting notes: by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pellucid.errors import DataError
from pellucid.evaluation.peers.repeated_steps import notes_right, pairs_of_steps, repeated_answers


def test_pairs_do_not_cross_from_one_piece_to_the_next() -> None:
    first, second, short = np.array([[1, 2], [3, 4], [5, 6]]), np.array([[7, 8], [9, 0]]), np.array([[4, 4]])
    before, after = pairs_of_steps([first, short, second])
    assert before.tolist() == [[1, 2], [3, 4], [7, 8]]
    assert after.tolist() == [[3, 4], [5, 6], [9, 0]]


def test_notes_are_counted_over_all_steps_and_over_those_that_change() -> None:
    before = np.array([[60, 55, 50], [60, 55, 50], [62, 55, 50], [62, 57, 53]])
    after = np.array([[60, 55, 50], [62, 55, 50], [62, 57, 53], [62, 57, 53]])
    found = notes_right(repeated_answers(before), before, after)
    assert (found.steps, found.changing_steps) == (4, 2)
    assert found.overall == pytest.approx((3 + 2 + 1 + 3) / 12)
    assert found.changing == pytest.approx((2 + 1) / 6)
    assert notes_right(after, before, after).changing == 1.0
    assert math.isnan(notes_right(before, before, before).changing)


def test_repeating_is_a_copy() -> None:
    before = np.array([[1, 2]])
    repeated_answers(before)[0, 0] = 9
    assert before[0, 0] == 1


def test_odd_pieces() -> None:
    with pytest.raises(DataError, match=r"no piece has two steps, so none has a next one: give longer pieces"):
        pairs_of_steps([np.zeros((1, 4))])
    with pytest.raises(
        DataError, match=r"tables of the same shape, steps × notes; got \(2, 4\), \(3, 4\) and \(3, 4\)"
    ):
        notes_right(np.zeros((2, 4)), np.zeros((3, 4)), np.zeros((3, 4)))
