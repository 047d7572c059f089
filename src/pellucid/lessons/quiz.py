"""Asks questions one after another: an answer is marked, asked for again, skipped or given up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from pellucid.lessons.question import Question
from pellucid.visible import visible

__all__ = ["Score", "Teller", "asked", "quiz"]

AGAIN = 2  # how often an invalid answer is asked for again
_SHOWN = 40  # characters of an invalid answer


class Teller(Protocol):
    """How a quiz writes a text: after a highlighted word, and about a right answer, a wrong one or neither."""

    def __call__(self, text: str, head: str = "", right: bool | None = None) -> None:
        """Write it."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """The result of a quiz, in numbers of questions."""

    right: int = 0
    wrong: int = 0
    unanswered: int = 0
    skipped: int = 0
    left: int = 0  # not asked
    interrupted: bool = False

    @property
    def questions(self) -> int:
        """How many there are."""
        return self.right + self.wrong + self.unanswered + self.skipped + self.left

    def __str__(self) -> str:
        """One line.

        >>> str(Score(right=2, wrong=3)), str(Score(right=1, wrong=1, skipped=1, left=2))
        ('2 of 5 right', '1 of 5 right; 1 wrong; 1 skipped; 2 not asked')
        """
        rest = {
            "wrong": self.wrong,
            "without an answer": self.unanswered,
            "skipped": self.skipped,
            "not asked": self.left,
        }
        if not any(list(rest.values())[1:]):
            rest = {}
        parts = [f"{number} {what}" for what, number in rest.items() if number]
        return "; ".join([f"{self.right} of {self.questions} right", *parts])


class _Way(Enum):
    """What a learner may do instead of answering."""

    UNANSWERED = "unanswered"
    SKIP = "skipped"
    QUIT = "left"


def _print(text: str, head: str = "", right: bool | None = None) -> None:
    print(visible(f"   {head} {text}" if head else text))


def quiz(questions: Sequence[Question], *, read: Callable[[str], str] | None = None, tell: Teller = _print) -> Score:
    """Ask the questions and mark the answers.

    An invalid answer, such as a word instead of a number, is asked for again at most twice. An empty line gives up on a
    question and shows its answer, ``s`` skips it without showing it, and ``q`` ends the quiz, as do the end of the
    input and Ctrl-C.

    Parameters
    ----------
    questions
        In order.
    read
        Called with a prompt, returns what was typed, and raises `EOFError` at the end of the input. The default is
        ``input``, looked up at the call, since a notebook replaces it.
    tell
        Called with each text, and with a word before it that says whether an answer was right.

    >>> from pellucid.lessons.question import number
    >>> typed = iter(["four", "4"])
    >>> str(quiz([number("2 + 2?", 4, "Two and two.")], read=lambda prompt: next(typed)))
    1. 2 + 2?
       'four' is not a number: type one, such as −0.5 (s skips, q quits).
       Right. Two and two.
    '1 of 1 right'
    """
    counts = {"right": 0, "wrong": 0, "unanswered": 0, "skipped": 0}
    interrupted = False
    reader = read or input
    try:
        for place, question in enumerate(questions, 1):
            tell(asked(place, question))
            given = _answer(question, reader, tell)
            if given is _Way.QUIT:
                break
            counts[_mark(question, given, tell)] += 1
    except KeyboardInterrupt:
        interrupted = True
        tell("")
    return Score(**counts, left=len(questions) - sum(counts.values()), interrupted=interrupted)


def asked(place: int, question: Question) -> str:
    """A question with its number, and its choices below it."""
    choices = [f"   {chr(ord('a') + i)}) {choice}" for i, choice in enumerate(question.choices)]
    return "\n".join([f"{place}. {question.text}", *choices])


def _mark(question: Question, given: str | _Way, tell: Teller) -> str:
    """Say whether it is right; returns the field of the score to increase."""
    if given is _Way.SKIP:
        tell("", "Skipped.")
        return "skipped"
    answer = f"{question.shown_answer()}. {question.why}"
    if isinstance(given, _Way):
        tell(answer, "The answer is")
        return "unanswered"
    if question.mark(given):
        tell(question.why, "Right.", right=True)
        return "right"
    tell(answer, "Wrong:", right=False)
    return "wrong"


def _answer(question: Question, read: Callable[[str], str], tell: Teller) -> str | _Way:
    """What was typed, if it is a valid answer, or what the learner does instead."""
    for more in reversed(range(AGAIN + 1)):
        try:
            given = read("   your answer: ").strip()
        except EOFError:
            tell("")
            return _Way.QUIT
        word = given.casefold()
        if question.understands(given):
            return given
        if word in ("q", "quit", "exit"):
            return _Way.QUIT
        if word in ("s", "skip"):
            return _Way.SKIP
        if not given:
            return _Way.UNANSWERED
        if more:
            tell(_expected(question, given))
    return _Way.UNANSWERED


def _expected(question: Question, given: str) -> str:
    seen = given if len(given) <= _SHOWN else given[: _SHOWN - 1] + "…"
    last = chr(ord("a") + len(question.choices) - 1)
    kind = (
        f"not one of the choices: type a letter from a to {last}"
        if question.choices
        else "not a number: type one, such as −0.5"
    )
    return f"   {seen!r} is {kind} (s skips, q quits)."
