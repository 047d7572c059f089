"""An open question as it is asked in an interview: a model answer, and what a good answer mentions."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["OpenQuestion"]


@dataclass(frozen=True, kw_only=True)
class OpenQuestion:
    """One open question.

    Parameters
    ----------
    text
        What is asked.
    answer
        A model answer, as one would speak it in a minute.
    points
        Three things that a good answer mentions.
    """

    text: str
    answer: str
    points: tuple[str, str, str]
