"""The learning path: short lessons and questions; every figure and every answer is computed when it is read.

`path` lists the lessons in order; `question` holds what can be asked and how an answer is marked. Each lesson is the
file of its name: ``tell(story)`` tells a `Story`, ``questions(generator)`` returns five questions. `interview` holds
the open questions, `quiz` asks and marks, `sheet` prints a lesson on paper.

    >>> from pellucid.lessons import read
    >>> reading = read("perceptron")
    >>> len(reading.questions)
    5
"""

from pellucid.lessons.path import PATH, ask
from pellucid.lessons.reading import learn, read

__all__ = ["PATH", "ask", "learn", "read"]
