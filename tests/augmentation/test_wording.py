"""How an augmentation is asked for, and what is said where that is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.augmentation import Augmentation
from pellucid.augmentation.wording import KINDS, asked
from pellucid.errors import SettingError


def test_kinds_get_their_usual_strength_for_the_size_of_the_pictures() -> None:
    made = Augmentation.of("shift, flip, rotate, crop, colour, erase", (32, 40, 3))
    assert made == Augmentation(shift=3, flip="horizontal", rotate=10.0, crop=0.2, colour=0.2, erase=0.25)
    assert [Augmentation.of("shift", (side, side)).shift for side in (1, 8, 28, 224)] == [0, 1, 2, 22]


def test_strengths_are_taken_as_given() -> None:
    made = Augmentation.of("shift=0.1;rotate=180,Flip=both", (50, 60))
    assert (made.shift, made.rotate, made.flip) == (5, 180.0, "both")


def test_other_usual_names_are_understood() -> None:
    assert set(asked("color,cutout,zoom,mirror,rotation")) == set(KINDS) - {"shift"}


@pytest.mark.parametrize("text", ["none", "", " None "])
def test_none_changes_nothing(text: str) -> None:
    assert Augmentation.of(text, (28, 28)).is_none


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("flipp", "augment 'flipp' is not known; did you mean 'flip'"),
        ("auto,shift", "augment 'auto' is not known"),
        ("shift,shift=2", "names shift twice"),
        ("shift=2.5", "shift must be from 0 to 4096 .a whole number of pixels.*got '2.5'"),
        ("shift=-1", "shift must be from 0"),
        ("rotate=200", "rotate must be from 0 to 180 .degrees.*got '200'"),
        ("rotate=much", "rotate must be .*got 'much'"),
        ("rotate=nan", "rotate must be .*got 'nan'"),
        ("crop=1", "crop must be from 0 to 0.9"),
        ("flip=up", "flip must be horizontal, vertical or both, got 'up'"),
        ("colour=", "colour must be .*got ''"),
        ("shift=28", "pictures of 28 × 28 pixels cannot be shifted by 28; give a shift of at most 27"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_value_and_the_remedy(text: str, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        Augmentation.of(text, (28, 28))


@pytest.mark.parametrize("wrong", [{"shift": 1.0}, {"shift": True}, {"rotate": -1.0}, {"flip": "left"}, {"erase": 2.0}])
def test_a_description_checks_itself(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingError):
        Augmentation(**wrong)  # type: ignore[arg-type]


DESCRIPTIONS = st.builds(
    Augmentation,
    shift=st.integers(0, 7),
    flip=st.sampled_from(["", "horizontal", "vertical", "both"]),
    rotate=st.integers(0, 180).map(float),
    crop=st.integers(0, 9).map(lambda tenths: tenths / 10),
    colour=st.integers(0, 10).map(lambda tenths: tenths / 10),
    erase=st.integers(0, 10).map(lambda tenths: tenths / 10),
)


@given(DESCRIPTIONS)
def test_a_description_comes_back_from_its_text_and_from_json(made: Augmentation) -> None:
    assert Augmentation.of(made.text, (28, 28)) == made
    assert Augmentation.from_json(made.to_json()) == made


def test_json_of_something_else_is_refused() -> None:
    with pytest.raises(SettingError, match="exactly the fields"):
        Augmentation.from_json({"shift": 1})


def test_words_say_what_may_happen() -> None:
    said = Augmentation(shift=1, flip="both", rotate=15.0, crop=0.1, colour=0.3, erase=0.5).words()
    assert said == (
        "shifted by up to 1 pixel, mirrored left to right and upside down in half of the cases, rotated by up to 15°, "
        "cropped by up to 10% of each side and enlarged again, brightness, contrast and saturation changed by up to "
        "30%, a square of 50% of the sides erased"
    )
    assert Augmentation().words() == "unchanged"
