"""What a learner types, and how it is marked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.lessons.question import Question, choose, number, read_numbers

VALUES = st.floats(-1e5, 1e5).map(lambda v: round(v, 2))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("0.5", (0.5,)), ("0,5", (0.5,)), (" .5 ", (0.5,)), ("5.", (5.0,)), ("+3", (3.0,)), ("1e-3", (0.001,)),
        ("-2", (-2.0,)), ("−2", (-2.0,)), ("− 2", (-2.0,)), ("–2", (-2.0,)), ("−0,25", (-0.25,)),
        ("62%", (62.0, 0.62)), ("62 %", (62.0, 0.62)), ("−6,5 %", (-6.5, -0.065)),
        ("1/4", (0.25,)), ("-1 / 4", (-0.25,)), ("0,5/2", (0.25,)),
        ("1,234", (1.234, 1234.0)), ("1,234.5", (1234.5,)), ("1 234", (1234.0,)), ("1,234,567", (1234567.0,)),
        ("12,34", (12.34,)),
    ],
)  # fmt: skip
def test_numbers_as_people_type_them(typed: str, meant: tuple[float, ...]) -> None:
    assert read_numbers(typed) == pytest.approx(meant)


@pytest.mark.parametrize(
    "typed",
    ["", " ", "two", "nan", "inf", "-infinity", "1e999", "1/0", "1/", "/2", "1/2/3", "--1", "1 2", "6%2", "%", "1_000",
     "1.2.3", "1,2,3", "0x10", "1.234,5", "٣"],
)  # fmt: skip
def test_what_is_no_number(typed: str) -> None:
    assert read_numbers(typed) == ()
    assert not number("?", 1, "because").understands(typed)
    assert not number("?", 1, "because").mark(typed)


@given(
    VALUES, st.sampled_from([".", ","]), st.sampled_from(["-", "−", "–", "− "]), st.sampled_from(["", " ", "\t", "  "])
)
def test_a_right_number_is_right_however_it_is_typed(value: float, point: str, minus: str, space: str) -> None:
    question = number("?", value, "because", digits=2)
    typed = f"{space}{value:.2f}{space}".replace(".", point).replace("-", minus)
    assert question.understands(typed)
    assert question.mark(typed)
    assert question.mark(question.shown_answer())
    assert question.mark(f"{100 * value:.6f} %")  # a share as per cent
    assert question.mark(f"{value:.2f} %")  # per cent was asked for


@given(VALUES, st.floats(0.006, 1e3), st.sampled_from([1, -1]))
def test_a_wrong_number_is_wrong(value: float, off: float, sign: int) -> None:
    assert not number("?", value, "because", digits=2).mark(repr(value + sign * off))


@given(st.floats(-1e6, 1e6))
def test_rounding_either_way_is_right(value: float) -> None:
    """Half a unit of the last digit counts from the unrounded answer: 0.125 may be given as 0.12 and as 0.13."""
    question = number("?", value, "because", digits=2)
    assert question.mark(f"{value:.2f}")
    assert question.mark(f"{value:.5f}")
    assert number("?", 0.125, "because", digits=2).mark("0.12")
    assert number("?", 0.125, "because", digits=2).mark("0.13")
    assert not number("?", 0.125, "because", digits=2).mark("0.14")


@given(st.integers(-(10**6), 10**6))
def test_a_whole_number_is_exact(value: int) -> None:
    for question in (number("?", value, "because"), number("?", value, "because", digits=0)):
        assert question.mark(f"{value}")
        assert question.mark(f"{value:,}")
        assert not question.mark(str(value + 1))


@given(st.text(max_size=12))
def test_whatever_is_typed_is_marked_without_a_fault(typed: str) -> None:
    choice = choose("?", "sum", ["product", "power"], "because", np.random.default_rng(0))
    for question in (number("?", 7, "because"), choice):
        if question.mark(typed):
            assert question.understands(typed)
        assert isinstance(question.mark(typed), bool)


@given(st.permutations(["−0.5", "0.5", "it stays", "Two words"]), st.integers(0, 3))
def test_a_choice_by_letter_or_words(choices: list[str], right: int) -> None:
    question = Question(text="?", answer=choices[right], why="because", choices=tuple(choices))
    for place, choice in enumerate(choices):
        letter = chr(ord("a") + place)
        for typed in (
            letter,
            letter.upper(),
            f"{letter})",
            f" {letter}. ",
            choice,
            choice.upper(),
            choice.replace("−", "-"),
            f"{letter}) {choice}",
        ):
            assert question.understands(typed)
            assert question.mark(typed) == (place == right), typed
    for typed in ("e", "", "z)", "perhaps", "1", "ab", f"a) {choices[1]}"):
        assert not question.understands(typed)
        assert not question.mark(typed)
    assert question.shown_answer().endswith(f") {choices[right]}")


def test_a_question_that_cannot_be_marked_is_refused() -> None:
    with pytest.raises(AssertionError):
        Question(text="?", answer="c", why="because", choices=("a1", "b1"))
    with pytest.raises(AssertionError):
        Question(text="?", answer="same", why="because", choices=("same", "Same"))
    with pytest.raises(AssertionError):
        Question(text="?", answer="b", why="because", choices=("a1", "b"))  # is "b" the words or the place?
    with pytest.raises(AssertionError):
        number("?", float("nan"), "because")


def test_how_many_digits_are_asked_for() -> None:
    asked = [number("?", 1, "because", digits=digits).text for digits in (None, 0, 1, 2)]
    assert asked == ["?", "? (a whole number)", "? (1 digit after the point)", "? (2 digits after the point)"]
    assert number("?", -2 / 3, "because", digits=2).shown_answer() == "−0.67"
    assert number("?", 235146, "because").shown_answer() == "235146"
