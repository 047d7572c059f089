"""A question, its computed answer, and how what a learner types is marked."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

__all__ = ["Question", "choose", "number"]


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question.

    Parameters
    ----------
    text
        What is asked.
    answer
        A number, or one of ``choices``.
    why
        How one comes to it, with the numbers; shown after the answer was given.
    choices
        What may be chosen; empty where a number is asked for.
    tolerance
        How far a number may be off; half a unit of the last digit that is asked for, and a hair more.
    """

    text: str
    answer: float | str
    why: str
    choices: tuple[str, ...] = ()
    tolerance: float = 0.0

    def __post_init__(self) -> None:
        """Check that there is something to mark by."""
        if self.choices:
            assert self.answer in self.choices, self
            assert len(set(self.choices)) == len(self.choices), self
        else:
            assert isinstance(self.answer, int | float), self
            assert math.isfinite(self.answer), self

    def mark(self, given: str) -> bool:
        """Whether ``given`` is right: a number with point or comma, a choice by its letter or its words.

        >>> number("2 + 2?", 4, "two and two").mark(" 4,0 ")
        True
        >>> choose("Which?", "sum", ("sum", "product"), "because").mark("a")
        True
        """
        given = given.strip()
        if self.choices:
            letter = given.rstrip(").").lower()
            if len(letter) == 1 and "a" <= letter < chr(ord("a") + len(self.choices)):
                return self.choices[ord(letter) - ord("a")] == self.answer
            return given.casefold() == str(self.answer).casefold()
        seen = read_number(given)
        return seen is not None and abs(seen - float(self.answer)) <= self.tolerance * 1.0001 + 1e-12

    def shown_answer(self) -> str:
        """The answer as text."""
        if isinstance(self.answer, str):
            letter = chr(ord("a") + self.choices.index(self.answer))
            return f"{letter}) {self.answer}"
        return f"{self.answer:.6g}".replace("-", "−")


def read_number(given: str) -> float | None:
    """A number as people type it, or ``None``: a decimal comma, a typographic minus, a per cent sign.

    >>> read_number("−0,5"), read_number("62 %"), read_number("two")
    (-0.5, 62.0, None)
    """
    text = re.sub(r"[%\s]", "", given.replace("−", "-"))
    if text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def number(text: str, answer: float, why: str, *, digits: int | None = None) -> Question:
    """A question for a number, rounded to ``digits`` after the point (``None``: exact).

    >>> number("a third?", 1 / 3, "1/3", digits=2).mark("0.33")
    True
    """
    if digits is None:
        return Question(text=text, answer=float(answer), why=why)
    asked = f"{text} ({digits} digits after the point)" if digits else f"{text} (a whole number)"
    return Question(text=asked, answer=round(float(answer), digits), why=why, tolerance=0.5 * 10**-digits)


def choose(text: str, answer: str, choices: tuple[str, ...], why: str) -> Question:
    """A question with choices; their order is as given, so put the right one in different places."""
    return Question(text=text, answer=answer, choices=choices, why=why)
