"""Augmented pictures: each kind does what it says, by hand and against other libraries, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pellucid.augmentation import Augmentation, looks, moves, pictures
from pellucid.augmentation.pictures import draws
from tests.augmentation.test_wording import DESCRIPTIONS

Pixels = NDArray[np.uint8]
ALL = Augmentation(shift=2, flip="both", rotate=20.0, crop=0.3, colour=0.4, erase=0.4)
EACH = [Augmentation(**{kind: value}) for kind, value in ALL.given.items()]


def some(*shape: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def applied(augmentation: Augmentation, pixels: Pixels, **counters: int) -> Pixels:
    return augmentation.apply(pixels, **{"seed": 0, "epoch": 0, "batch": 0, **counters})


SHAPES = st.tuples(st.integers(1, 5), st.integers(8, 17), st.integers(8, 17), st.integers(1, 4))


@settings(max_examples=40, deadline=None)
@given(DESCRIPTIONS, SHAPES, st.integers(0, 2**31))
def test_whatever_is_asked_pictures_stay_pictures_and_the_given_ones_are_left(
    made: Augmentation, shape: tuple[int, ...], seed: int
) -> None:
    pixels = some(*shape, seed=seed)
    before = pixels.copy()
    changed = applied(made, pixels, seed=seed)
    assert changed.shape == pixels.shape
    assert changed.dtype == np.uint8
    assert np.array_equal(pixels, before)
    if not made.colour:  # nothing but colour makes a value beyond those of its own picture and channel
        assert (changed.max(axis=(1, 2)) <= pixels.max(axis=(1, 2))).all()
        assert (changed.min(axis=(1, 2)) >= pixels.min(axis=(1, 2))).all()


@settings(max_examples=25, deadline=None)
@given(DESCRIPTIONS, st.integers(0, 4))
def test_no_picture_touches_another(made: Augmentation, place: int) -> None:
    pixels = some(5, 9, 11, 3)
    other = pixels.copy()
    other[np.arange(5) != place] = some(4, 9, 11, 3, seed=1)
    assert np.array_equal(applied(made, pixels)[place], applied(made, other)[place])
    assert np.array_equal(applied(made, pixels[: place + 1])[place], applied(made, pixels)[place])


def test_what_happens_depends_on_seed_epoch_and_batch_alone() -> None:
    pixels = some(6, 12, 12, 3)
    forwards = [applied(ALL, pixels, batch=b) for b in range(4)]
    backwards = [applied(ALL, pixels, batch=b) for b in reversed(range(4))][::-1]
    assert all(np.array_equal(a, b) for a, b in zip(forwards, backwards, strict=True))
    others = [forwards[0], forwards[1], applied(ALL, pixels, epoch=1), applied(ALL, pixels, seed=1)]
    assert len({each.tobytes() for each in others}) == 4


def test_the_parts_that_are_worked_on_together_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = some(7, 12, 10, 3)
    whole = applied(ALL, pixels)
    monkeypatch.setattr(pictures, "_PIXELS_AT_ONCE", 250)
    assert np.array_equal(applied(ALL, pixels), whole)


@pytest.mark.parametrize("made", EACH, ids=lambda made: made.text)
def test_a_kind_draws_the_same_whichever_others_there_are(made: Augmentation) -> None:
    (kind,) = made.given
    assert np.array_equal(draws(kind, 4, 3, 2, 1), draws(kind, 9, 3, 2, 1)[:, :4])
    assert not np.array_equal(draws(kind, 4, 3, 2, 1), draws("shift" if kind != "shift" else "flip", 4, 3, 2, 1))


@pytest.mark.parametrize("made", EACH, ids=lambda made: made.text)
def test_every_kind_changes_something(made: Augmentation) -> None:
    pixels = some(20, 16, 16, 3)
    changed = applied(made, pixels)
    differ = (changed != pixels).any(axis=(1, 2, 3))
    assert differ.mean() > 0.5
    assert len({picture.tobytes() for picture in applied(made, np.repeat(pixels[:1], 20, axis=0))}) > 1


def test_nothing_asked_nothing_done() -> None:
    pixels = some(3, 8, 8, 1)
    assert np.array_equal(applied(Augmentation(), pixels), pixels)


# ── shift and flip ──


def test_shift_by_hand() -> None:
    picture = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], np.uint8)[None, ..., None]
    moved = moves.shift(picture, np.array([1]), np.array([-1]))[0, ..., 0]
    assert moved.tolist() == [
        [5, 6, 5],
        [2, 3, 2],
        [5, 6, 5],
    ]  # down, left; the rows and columns that come in: mirrored


def test_shifts_are_spread_evenly_over_all_distances() -> None:
    ramp = np.tile(np.arange(100, 116, dtype=np.uint8)[:, None, None], (1, 16, 1))  # each row its own number
    moved = applied(Augmentation(shift=2), np.repeat(ramp[None], 4000, axis=0))
    distance = 108 - moved[:, 8, 8, 0].astype(int)
    counts = np.array([(distance == d).sum() for d in range(-2, 3)])
    assert counts.sum() == 4000
    assert np.abs(counts - 800).max() < 5 * np.sqrt(4000 * 0.2 * 0.8)


@pytest.mark.parametrize("axis", [1, 2])
def test_flip_is_numpys_and_twice_is_nothing(axis: int) -> None:
    pixels, yes, no = some(2, 5, 6, 3), np.array([True, True]), np.array([False, False])
    once = moves.flip(pixels, yes if axis == 2 else no, yes if axis == 1 else no)
    assert np.array_equal(once, np.flip(pixels, axis))
    assert np.array_equal(moves.flip(once, yes if axis == 2 else no, yes if axis == 1 else no), pixels)


def test_half_of_the_pictures_are_mirrored() -> None:
    pixels = np.repeat(some(1, 6, 6, 1), 2000, axis=0)
    mirrored = (applied(Augmentation(flip="horizontal"), pixels) == np.flip(pixels, 2)).all(axis=(1, 2, 3))
    assert abs(mirrored.mean() - 0.5) < 0.06
    assert np.array_equal(applied(Augmentation(flip="horizontal"), pixels)[~mirrored], pixels[~mirrored])


# ── rotate and crop ──


@pytest.mark.parametrize("turns", [-1, 1, 2, 3])
def test_a_rotation_by_right_angles_is_numpys(turns: int) -> None:
    pixels = some(2, 9, 9, 3)
    middle = (np.zeros(2), np.zeros(2))
    turned = moves.resample(pixels, np.full(2, 90.0 * turns), np.ones(2), middle)
    assert np.array_equal(turned, np.rot90(pixels, turns, axes=(1, 2)))


def test_resampling_is_scipys_affine_transformation_with_bilinear_interpolation() -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    pixels = some(1, 14, 19, 1)
    degrees, share, down, right = 25.0, 0.7, -0.5, 0.8
    ours = moves.resample(pixels, np.array([degrees]), np.array([share]), (np.array([down]), np.array([right])))[
        0, ..., 0
    ]
    turn = np.deg2rad(degrees)
    matrix = share * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    half = np.array([13, 18]) / 2
    window = half + np.array([down, right]) * (1 - share) * half
    theirs = ndimage.affine_transform(
        pixels[0, ..., 0].astype(float), matrix, window - matrix @ half, order=1, mode="mirror"
    )
    assert np.abs(ours - theirs).max() < 2.0  # places are rounded to 1/256 of a pixel, neighbours differ by up to 255


def test_the_whole_window_unrotated_is_the_picture() -> None:
    pixels = some(3, 8, 11, 2)
    assert np.array_equal(moves.resample(pixels, np.zeros(3), np.ones(3), (np.zeros(3), np.ones(3))), pixels)


def test_a_crop_shows_its_corner_of_the_picture() -> None:
    pixels = np.zeros((1, 9, 9, 1), np.uint8)
    pixels[0, 0, 0] = 200
    half = np.array([0.5])
    upper_left = moves.resample(pixels, np.zeros(1), half, (-np.ones(1), -np.ones(1)))[0, ..., 0]
    assert upper_left[0, 0] == 200
    assert upper_left[1, 0] == 100  # half-way to its neighbour: the window is enlarged to twice its size
    assert not moves.resample(pixels, np.zeros(1), half, (np.ones(1), np.ones(1))).any()


@given(st.integers(-200, 200), st.integers(1, 20))
def test_reflection_is_numpys(place: int, length: int) -> None:
    wide = np.pad(np.arange(length), 200, mode="reflect") if length > 1 else np.zeros(401, int)
    assert moves.reflect(np.array([place]), length)[0] == wide[200 + place]


# ── colour and erase ──


def test_colour_by_hand() -> None:
    picture = np.array([[[[10, 20, 30], [50, 60, 70]]]], np.uint8)
    one = np.ones(1)
    assert np.array_equal(looks.colour(picture, one, one, one), picture)
    assert looks.colour(picture, 2 * one, one, one).tolist() == [[[[20, 40, 60], [100, 120, 140]]]]
    # Grey is 0.299 · 10 + 0.587 · 20 + 0.114 · 30 = 18.15 and 58.15; their mean is 38.15.
    assert looks.colour(picture, one, one, 0 * one).tolist() == [[[[18, 18, 18], [58, 58, 58]]]]
    assert looks.colour(picture, one, 0.5 * one, one)[0, 0, 0].tolist() == [24, 29, 34]  # (10 + 38.15) / 2 = 24.07
    assert looks.colour(picture, 20 * one, one, one).max() == 255


def test_colour_is_pillows() -> None:
    enhance = pytest.importorskip("PIL.ImageEnhance")
    image = pytest.importorskip("PIL.Image")
    pixels, one = some(1, 12, 12, 3), np.ones(1)
    picture = image.fromarray(pixels[0])
    cases: list[tuple[Any, Pixels]] = [
        (enhance.Brightness(picture).enhance(0.7), looks.colour(pixels, 0.7 * one, one, one)),
        (enhance.Contrast(picture).enhance(0.7), looks.colour(pixels, one, 0.7 * one, one)),
        (enhance.Color(picture).enhance(0.7), looks.colour(pixels, one, one, 0.7 * one)),
    ]
    for theirs, ours in cases:
        assert np.abs(np.asarray(theirs).astype(int) - ours[0]).max() <= 1  # Pillow cuts off fractions


def test_grey_pictures_have_no_saturation() -> None:
    pixels, one = some(2, 6, 6, 1), np.ones(2)
    assert np.array_equal(looks.colour(pixels, one, one, 0 * one), pixels)


def test_erasing_by_hand() -> None:
    picture = np.zeros((1, 4, 4, 1), np.uint8)
    picture[0, 3] = 80  # the mean is 20
    erased = looks.erase(picture, 2, 2, (np.array([0]), np.array([2])))[0, ..., 0]
    assert erased.tolist() == [[0, 20, 20, 0], [0, 0, 0, 0], [0, 0, 0, 0], [80, 80, 80, 80]]


def test_the_erased_square_has_its_size_and_is_anywhere() -> None:
    pixels = np.zeros((3000, 8, 8, 1), np.uint8)
    pixels[:, ::2, ::2] = 255
    pixels[:, 1::2, 1::2] = 255  # a chessboard: its mean, 128, is nowhere else
    gone = applied(Augmentation(erase=0.25), pixels)[..., 0] == 128
    sizes = gone.sum(axis=(1, 2))
    assert set(np.unique(sizes)) == {1, 2, 4}  # at a corner, at a side, inside
    assert gone.any(axis=0).all()


# ── planted mistakes: each must be found by a check of this file ──


def planted(monkeypatch: pytest.MonkeyPatch, mistake: str) -> None:
    shift, flip = moves.shift, moves.flip
    if mistake == "one draw for all":
        alike = {"shift": lambda p, d, r: shift(p, d[:1].repeat(len(p)), r[:1].repeat(len(p)))}
        monkeypatch.setattr(pictures, "shift", alike["shift"])
    elif mistake == "always mirrored":
        monkeypatch.setattr(pictures, "flip", lambda p, h, v: flip(p, np.ones_like(h), v))
    elif mistake == "in place":
        monkeypatch.setattr(pictures, "erase", lambda p, h, w, at: np.multiply(p, 0, out=p))
    elif mistake == "transposed":
        monkeypatch.setattr(pictures, "flip", lambda p, h, v: flip(p, v, h))


@pytest.mark.parametrize(
    ("mistake", "check"),
    [
        ("one draw for all", lambda: test_every_kind_changes_something(EACH[0])),
        ("always mirrored", test_half_of_the_pictures_are_mirrored),
        ("in place", test_the_erased_square_has_its_size_and_is_anywhere),
        ("transposed", test_half_of_the_pictures_are_mirrored),
    ],
)
def test_planted_mistakes_are_caught(monkeypatch: pytest.MonkeyPatch, mistake: str, check: Any) -> None:
    check()
    planted(monkeypatch, mistake)
    with pytest.raises(AssertionError):
        check()
