"""The quiz: what is typed is marked, asked for again at most twice, skipped, or ends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from pellucid.lessons.question import choose, number
from pellucid.lessons.quiz import Score, quiz

QUESTIONS = (
    number("2 + 2?", 4, "Two and two."),
    choose("Which adds?", "plus", ["minus", "times"], "It does.", np.random.default_rng(0)),
    number("1 / 4?", 0.25, "A quarter.", digits=2),
)
RIGHT = ("4", "plus", "0,25")


def typing(*lines: str | type[BaseException]) -> Callable[[str], str]:
    """A reader that gives these lines, raises these errors, and then ends."""
    left: Iterator[str | type[BaseException]] = iter(lines)

    def read(prompt: str) -> str:
        line = next(left, EOFError)
        if isinstance(line, str):
            return line
        raise line

    return read


def asked(*lines: str | type[BaseException]) -> tuple[Score, list[str]]:
    said: list[str] = []

    def tell(text: str, head: str = "", right: bool | None = None) -> None:
        said.append(f"{head} {text}".strip())

    return quiz(QUESTIONS, read=typing(*lines), tell=tell), said


def test_all_right_and_one_wrong() -> None:
    assert asked(*RIGHT)[0] == Score(right=3)
    score, said = asked("5", *RIGHT[1:])
    assert score == Score(right=2, wrong=1)
    assert "Wrong: 4. Two and two." in said


@pytest.mark.parametrize("wrong_kind", ["four", "a", "1/0", "nan", "2 apples", "\x1b[2J", "x" * 5000])
def test_no_number_is_asked_for_again_twice_and_then_the_quiz_goes_on(wrong_kind: str) -> None:
    score, said = asked(wrong_kind, wrong_kind, wrong_kind, *RIGHT[1:])
    assert score == Score(right=2, unanswered=1)
    assert sum("is not a number: type one, such as −0.5 (s skips, q quits)" in each for each in said) == 2
    assert "The answer is 4. Two and two." in said
    assert max(len(each) for each in said) < 200
    assert asked(wrong_kind, wrong_kind, *RIGHT)[0] == Score(right=3)


@pytest.mark.parametrize("wrong_kind", ["3", "d", "perhaps", "−1", "ab", "a b", "?"])
def test_no_choice_is_asked_for_again_twice_and_then_the_quiz_goes_on(wrong_kind: str) -> None:
    score, said = asked(RIGHT[0], wrong_kind, wrong_kind, wrong_kind, RIGHT[2])
    assert score == Score(right=2, unanswered=1)
    assert sum("is not one of the choices: type a letter from a to c (s skips, q quits)" in each for each in said) == 2
    assert asked(RIGHT[0], wrong_kind, wrong_kind, *RIGHT[1:])[0] == Score(right=3)


def test_tries_are_counted_for_each_question_anew() -> None:
    assert asked("x", "x", RIGHT[0], "9", "9", RIGHT[1], "y", "y", RIGHT[2])[0] == Score(right=3)


@pytest.mark.parametrize("skip", ["s", "S", " skip "])
def test_s_skips_without_showing_the_answer(skip: str) -> None:
    score, said = asked(skip, *RIGHT[1:])
    assert score == Score(right=2, skipped=1)
    assert not any("Two and two" in each for each in said)


@pytest.mark.parametrize("quits", ["q", "Q", " quit ", EOFError])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_q_and_the_end_of_the_input_end_the_quiz(quits: str | type[BaseException], place: int) -> None:
    assert asked(*RIGHT[:place], quits)[0] == Score(right=place, left=3 - place)
    assert asked(*RIGHT[:place], "?", quits)[0] == Score(right=place, left=3 - place)  # also when asked again


def test_ctrl_c_ends_it_with_what_was_answered() -> None:
    assert asked(RIGHT[0], KeyboardInterrupt)[0] == Score(right=1, left=2, interrupted=True)


def test_an_empty_line_shows_the_answer() -> None:
    score, said = asked("", *RIGHT[1:])
    assert score == Score(right=2, unanswered=1)
    assert "The answer is 4. Two and two." in said


def test_a_choice_that_is_called_like_a_command_can_be_chosen() -> None:
    question = choose("Which?", "quit", ["skip", "stay"], "So.", np.random.default_rng(0))
    assert quiz([question], read=typing("quit"), tell=lambda *_, **__: None) == Score(right=1)


@pytest.mark.parametrize(
    ("score", "line"),
    [
        (Score(right=3), "3 of 3 right"), (Score(right=2, wrong=1), "2 of 3 right"),
        (Score(right=1, left=2), "1 of 3 right; 2 not asked"),
        (Score(right=1, wrong=1, unanswered=1, skipped=1, left=1),
         "1 of 5 right; 1 wrong; 1 without an answer; 1 skipped; 1 not asked"),
    ],
)  # fmt: skip
def test_the_line_at_the_end(score: Score, line: str) -> None:
    assert str(score) == line
