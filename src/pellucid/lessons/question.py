"""A question with its computed answer, and how a learner's answer is marked."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Question", "choose", "number", "read_numbers"]

_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_GROUPS = re.compile(r"[+-]?\d{1,3}(?P<mark>[, ])\d{3}((?P=mark)\d{3})*(\.\d+)?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question.

    Parameters
    ----------
    text
        What is asked.
    answer
        A number, unrounded, or one of ``choices``.
    why
        How the answer is computed, with the numbers; shown after an answer was given.
    choices
        The options; empty for a question with a number as its answer.
    digits
        The number of digits after the point; ``None`` for an exact answer.
    """

    text: str
    answer: float | str
    why: str
    choices: tuple[str, ...] = ()
    digits: int | None = None

    def __post_init__(self) -> None:
        """Check that an answer can be marked."""
        if self.choices:
            assert self.answer in self.choices, self
            assert len({choice.casefold() for choice in self.choices}) == len(self.choices), self
            assert all(len(choice) > 1 or choice.isdigit() for choice in self.choices), (
                self
            )  # "a" would be read as a letter
        else:
            assert isinstance(self.answer, int | float), self
            assert math.isfinite(self.answer), self

    def understands(self, given: str) -> bool:
        """Whether ``given`` is a valid answer, right or wrong.

        >>> number("2 + 2?", 4, "two and two").understands("four")
        False
        """
        return bool(self._chosen(given) if self.choices else read_numbers(given))

    def mark(self, given: str) -> bool:
        """Whether ``given`` is right: a number with point or comma, a choice by its letter or its words.

        A rounded number may be off by half a unit of its last digit, plus a tiny tolerance.

        >>> number("2 + 2?", 4, "two and two").mark(" 4,0 ")
        True
        >>> choose("Which?", "sum", ["product"], "because", np.random.default_rng(0)).mark("SUM")
        True
        """
        if self.choices:
            return self._chosen(given) == self.answer
        right = float(self.answer)
        off = 1e-9 * max(1.0, abs(right)) + (0.0 if self.digits is None else 0.5 * 10**-self.digits)
        return any(abs(seen - right) <= off for seen in read_numbers(given))

    def shown_answer(self) -> str:
        """The answer as text: a choice with its letter, a number rounded as the question asks.

        >>> number("a third?", 1 / 3, "1/3", digits=2).shown_answer()
        '0.33'
        """
        if isinstance(self.answer, str):
            return f"{chr(ord('a') + self.choices.index(self.answer))}) {self.answer}"
        text = f"{self.answer:.10g}" if self.digits is None else f"{self.answer:.{self.digits}f}"
        return text.replace("-", "−")

    def _chosen(self, given: str) -> str | None:
        words = _folded(given)
        letter = words.rstrip(").")
        if len(letter) == 1 and "a" <= letter < chr(ord("a") + len(self.choices)):
            return self.choices[ord(letter) - ord("a")]
        for i, choice in enumerate(self.choices):
            if words in (_folded(choice), f"{chr(ord('a') + i)}) {_folded(choice)}"):  # "b) sum" as it is printed
                return choice
        return None


def _folded(words: str) -> str:
    return " ".join(words.replace("−", "-").split()).casefold()


def read_numbers(given: str) -> tuple[float, ...]:
    """Every number that ``given`` may mean, as people type it; empty if it is not a number.

    A decimal comma or point, a typographic minus, a fraction. A comma before three digits may also separate
    thousands, and "62 %" may mean a share or a percentage: such an answer has two readings.

    >>> read_numbers("−0,5"), read_numbers("1/4"), read_numbers("two")
    ((-0.5,), (0.25,), ())
    >>> read_numbers("62 %"), read_numbers("1,234")
    ((62.0, 0.62), (1.234, 1234.0))
    """
    text = " ".join(given.replace("−", "-").replace("–", "-").split())
    percent = text.endswith("%")
    text = text.removesuffix("%").rstrip()
    text = re.sub(r"^([+-]) ", r"\1", text)
    above, slash, below = text.partition("/")
    values = _readings(above.rstrip())
    if slash:
        values = [a / b for a in values for b in _readings(below.lstrip()) if b]
    values = [value for value in values if math.isfinite(value)]
    return tuple([*values, *(value / 100 for value in values)] if percent else values)


def _readings(text: str) -> list[float]:
    found = []
    decimal = text.replace(",", ".") if text.count(",") == 1 and "." not in text else text
    if _DECIMAL.fullmatch(decimal):
        found.append(float(decimal))
    if _GROUPS.fullmatch(text):
        found.append(float(re.sub("[, ]", "", text)))
    return found


def number(text: str, answer: float, why: str, *, digits: int | None = None) -> Question:
    """A question with a number as its answer.

    Parameters
    ----------
    text
        The question; the number of digits asked for is added to it.
    answer
        The number, unrounded.
    why
        How the answer is computed, with the numbers.
    digits
        How many digits after the point are asked for; ``None`` for an exact answer, 0 for a whole number.

    >>> number("a third?", 1 / 3, "1/3", digits=2).text
    'a third? (2 digits after the point)'
    """
    asked = {None: "", 0: " (a whole number)", 1: " (1 digit after the point)"}
    text += asked.get(digits, f" ({digits} digits after the point)")
    return Question(text=text, answer=float(answer), why=why, digits=digits)


def choose(text: str, answer: str, others: Sequence[str], why: str, generator: np.random.Generator) -> Question:
    """A question with choices: the right one at a random place among the ``others``.

    Parameters
    ----------
    text
        The question.
    answer
        The right choice.
    others
        The wrong choices; one that equals ``answer`` is left out.
    why
        Why the answer is right, with the numbers.
    generator
        Draws the order of the choices.

    >>> sorted(choose("Which?", "sum", ["product", "power"], "because", np.random.default_rng(0)).choices)
    ['power', 'product', 'sum']
    """
    choices = [*(other for other in others if other != answer), answer]
    order = generator.permutation(len(choices))
    return Question(text=text, answer=answer, choices=tuple(choices[i] for i in order), why=why)
