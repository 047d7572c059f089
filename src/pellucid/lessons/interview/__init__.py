"""Interview questions: five open ones for each lesson, with model answers; a file for each lesson.

Whatever in an answer can be computed is computed anew by the tests.

    >>> from pellucid.lessons.interview import interview
    >>> interview("losses")[0].text
    'Why is cross-entropy preferred to the squared error for classification?'
"""

from __future__ import annotations

import importlib

from pellucid.lessons.interview.open_question import OpenQuestion

__all__ = ["OpenQuestion", "interview"]


def interview(lesson: str) -> tuple[OpenQuestion, ...]:
    """The open questions of a lesson that is built."""
    questions: tuple[OpenQuestion, ...] = importlib.import_module(f"{__name__}.{lesson.replace('-', '_')}").QUESTIONS
    return questions
