"""Dynamic time warping against its plain recursion; the search with lower bounds against all distances."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid.errors import SettingError
from pellucid.evaluation.peers import dtw as module
from pellucid.evaluation.peers.dtw import dtw, nearest_warped


def plain(x: Any, y: Any, band: int | None) -> float:
    """The recursion as it stands in the literature, cell by cell."""
    n, m = len(x), len(y)
    w = max(n, m) if band is None else max(band, abs(n - m))
    table = np.full((n + 1, m + 1), np.inf)
    table[0, 0] = 0
    for i in range(1, n + 1):
        for j in range(max(1, i - w), min(m, i + w) + 1):
            cost = ((x[i - 1] - y[j - 1]) ** 2).sum()
            table[i, j] = cost + min(table[i - 1, j], table[i, j - 1], table[i - 1, j - 1])
    return float(np.sqrt(table[n, m]))


def walks(rng: Any, lengths: Any, channels: int) -> Any:
    """Random walks, padded with NaN: ``[N, T, C]``."""
    rows = np.full((len(lengths), max(lengths), channels), np.nan)
    for row, length in zip(rows, lengths, strict=True):
        row[:length] = rng.normal(size=(length, channels)).cumsum(axis=0)
    return rows


def valid(row: Any) -> Any:
    return row[~np.isnan(row).all(axis=1)]


@pytest.mark.parametrize("band", [None, 0, 1, 2, 5, 40])
@pytest.mark.parametrize(("n", "m"), [(12, 12), (12, 9), (5, 13), (1, 7), (7, 1), (1, 1), (2, 2)])
def test_the_distance_is_that_of_the_recursion(n: int, m: int, band: int | None) -> None:
    rng = np.random.default_rng([n, m])
    for channels in (1, 3):
        x, y = rng.normal(size=(n, channels)), rng.normal(size=(m, channels))
        np.testing.assert_allclose(dtw(x, y, band), plain(x, y, band), rtol=1e-12)


def test_by_hand() -> None:
    """x = 0 2, y = 0 1 2: the 1 is paired with the 0 or the 2, at a cost of 1."""
    assert dtw(np.array([0.0, 2.0]), np.array([0.0, 1.0, 2.0])) == 1.0
    assert dtw(np.array([3.0]), np.array([0.0, 1.0, 3.0])) == np.sqrt(9 + 4)
    x, y = np.array([[0.0, 1.0], [2.0, 0.0]]), np.array([[0.0, 0.0], [2.0, 2.0]])
    assert dtw(x, y, 0) == np.sqrt(1 + 4)


def test_a_band_forbids_what_is_far_away() -> None:
    early, late = np.zeros(20), np.zeros(20)
    early[3], late[9] = 1.0, 1.0
    assert dtw(early, late) == dtw(early, late, 6) == 0.0
    assert dtw(early, late, 5) == np.sqrt(2)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("band", [None, 0, 1, 3])
@pytest.mark.parametrize("equal", [True, False])
def test_the_nearest_is_that_of_all_distances(equal: bool, band: int | None, channels: int) -> None:
    rng = np.random.default_rng(7)
    lengths = np.full(40, 15) if equal else rng.integers(1, 18, 40)
    rows = walks(rng, lengths, channels)
    train, asked = rows[:30], rows[30:]
    every = np.array([[plain(valid(x), valid(y), band) for y in train] for x in asked])
    found, distances = nearest_warped(train, asked, band)
    np.testing.assert_array_equal(found, every.argmin(axis=1))
    np.testing.assert_allclose(distances, every.min(axis=1), rtol=1e-12)


@pytest.mark.parametrize("equal", [True, False])
def test_no_bound_exceeds_its_distance(equal: bool) -> None:
    rng = np.random.default_rng(3)
    lengths = np.full(16, 12) if equal else rng.integers(4, 13, 16)
    rows = walks(rng, lengths, 2)
    x, y = module._Rows.of(rows[:8]), module._Rows.of(rows[8:])
    tight = 0
    for band in (0, 1, 3):
        reach = max(band, int(lengths.max() - lengths.min()))
        bounds = module._bounds(y, x, np.arange(8), (y.ranges(reach, 12), x.ranges(reach, 12)))
        every = np.array([[plain(valid(a), valid(b), band) ** 2 for b in rows[8:]] for a in rows[:8]])
        assert (bounds <= every * (1 + 1e-9)).all()
        tight += int((bounds > 0.2 * every).sum())
    assert tight > 20  # and they say something


def test_bounds_spare_most_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    shapes = np.sin(np.linspace(0, 9, 50) * rng.uniform(0.5, 3, (60, 1)) + rng.uniform(0, 6, (60, 1)))
    computed = 0
    real = module._warped

    def counting(x: Any, n: Any, *rest: Any) -> Any:
        nonlocal computed
        computed += len(n)
        return real(x, n, *rest)

    monkeypatch.setattr(module, "_warped", counting)
    nearest_warped(shapes[:40], shapes[40:], 2)
    assert 20 * 4 <= computed < 20 * 40 / 2


def test_what_a_row_gives_does_not_depend_on_the_others() -> None:
    """Neither on how long they are nor on how many are computed at once."""
    rng = np.random.default_rng(11)
    rows = walks(rng, rng.integers(5, 30, 25), 1)
    together, distances = nearest_warped(rows[:15], rows[15:], 2)
    for k, row in enumerate(rows[15:]):
        alone, distance = nearest_warped(rows[:15], valid(row)[np.newaxis], 2)
        assert alone[0] == together[k]
        np.testing.assert_allclose(distance[0], distances[k], rtol=1e-12)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_VALUES_AT_ONCE", 64)
        patch.setattr(module, "_BOUNDS_AT_ONCE", 32)
        few = nearest_warped(rows[:15], rows[15:], 2)
    np.testing.assert_array_equal(few[0], together)
    np.testing.assert_allclose(few[1], distances, rtol=1e-12)


def test_of_equals_the_first_and_never_oneself() -> None:
    rows = np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])
    found, distances = nearest_warped(rows, rows, 1, own=np.arange(4))
    assert found.tolist() == [2, 0, 0, 0]
    assert distances[[0, 2, 3]].tolist() == [0, 0, 0]
    assert nearest_warped(rows, rows, 1)[0].tolist() == [0, 1, 0, 0]


def test_bad_settings() -> None:
    with pytest.raises(SettingError, match=r"the same channels, got 2 and 1"):
        dtw(np.zeros((4, 2)), np.zeros((4, 1)))
    with pytest.raises(SettingError, match=r"band must be 0 or more steps, got -1; None pairs"):
        dtw(np.zeros(4), np.zeros(4), -1)
    with pytest.raises(SettingError, match=r"at least two training rows, got 1"):
        nearest_warped(np.zeros((1, 3)), np.zeros((1, 3)), own=np.array([0]))


@pytest.mark.parametrize("band", [0, 1, None])
def test_of_many_equals_the_first_whatever_their_bounds(band: int | None) -> None:
    """Zeros and ones: many distances are equal, and exactly so."""
    rows = np.random.default_rng(0).integers(0, 2, (140, 6)).astype(float)
    train, asked = rows[:100], rows[100:]
    every = np.array([[plain(x[:, None], y[:, None], band) for y in train] for x in asked[:, :5]])
    found, _ = nearest_warped(train, asked[:, :5], band)
    np.testing.assert_array_equal(found, every.argmin(axis=1))
