"""Lessons: short texts and questions; every figure and every answer is computed when a lesson is read.

`path` lists the lessons in order; `question` defines a question and how an answer is marked. Each lesson has a file of
its own: ``tell(story)`` writes its text, ``questions(generator)`` returns five questions. `interview` holds the open
questions, `quiz` asks and marks, `sheet` makes a page to print, `reading` joins all of it.

    >>> from pellucid.lessons import read
    >>> reading = read("perceptron")
    >>> len(reading.questions)
    5
"""

from pellucid.lessons.path import PATH, ask
from pellucid.lessons.reading import learn, read

__all__ = ["PATH", "ask", "learn", "read"]
