"""The lessons in order, and how to read one."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, overload

from pellucid.errors import SettingError, nearest
from pellucid.lessons.reading import Reading

if TYPE_CHECKING:
    from pellucid.lessons.question import Question
    from pellucid.studies.story import Block

__all__ = ["PATH", "Lesson", "Reading", "ask", "find", "learn", "read"]


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """One line of the path; without a ``module`` its part is not built yet."""

    title: str
    module: str | None
    needs: str = ""  # what has to be built before it can be told


def _lesson(title: str, module: str) -> Lesson:
    return Lesson(title=title, module=f"pellucid.lessons.{module}")


PATH: dict[str, Lesson] = {
    "perceptron": _lesson("One neuron that decides, and learns from its mistakes", "perceptron"),
    "mlp": _lesson("Layers of neurons, and why they need a bend between them", "mlp"),
    "activations": _lesson("The bend: sigmoid, tanh, ReLU and their slopes", "activations"),
    "forward-pass": _lesson("From a row to an answer, shape by shape", "forward_pass"),
    "losses": _lesson("How wrong is an answer? One number to make smaller", "losses"),
    "gradient-descent": _lesson("Downhill by small steps: the learning rate", "gradient_descent"),
    "backpropagation": _lesson("The chain rule, from the loss back to every weight", "backpropagation"),
    "regularisation": _lesson("Learning without learning by heart", "regularisation"),
    "optimisers": _lesson("Better steps: momentum, RMSprop, Adam", "optimisers"),
    "cnn": Lesson(
        title="Convolutions: one small filter for the whole image", module=None, needs="convolutional layers"
    ),
    "rnn": Lesson(title="Recurrent networks: reading step by step", module=None, needs="recurrent layers"),
    "attention": Lesson(title="Attention: every word looks at every other", module=None, needs="attention layers"),
}


def find(name: str) -> Lesson:
    """The lesson of this name.

    Raises
    ------
    SettingError
        No such lesson, or its part of Pellucid is not built yet.

    >>> find("losses").module
    'pellucid.lessons.losses'
    """
    if name not in PATH:
        raise SettingError(f"there is no lesson {name!r}{nearest(name, PATH)}")
    lesson = PATH[name]
    if lesson.module is None:
        built = ", ".join(each for each, line in PATH.items() if line.module is not None)
        raise SettingError(f"the lesson {name!r} is not there yet: Pellucid has no {lesson.needs} so far; read {built}")
    return lesson


def read(
    name: str,
    *,
    seed: int = 0,
    pictures: bool = False,
    listener: Callable[[Block], None] = lambda block: None,
) -> Reading:
    """Compute a lesson and its questions.

    Parameters
    ----------
    name
        One of `PATH`.
    seed
        Another seed asks with other numbers, and sometimes for something else; the text stays.
    pictures
        Whether to draw; it takes a second.
    listener
        Is handed each block of the story as it is told.

    Raises
    ------
    SettingError
        No such lesson, its part of Pellucid is not built yet, or a seed below 0.

    >>> [question.mark(str(question.answer)) for question in read("perceptron").questions]
    [True, True, True, True, True]
    """
    from pellucid.lessons.interview import interview
    from pellucid.studies.story import Story

    questions = ask(name, seed=seed)
    story = Story(listener, pictures=pictures)
    _module(name).tell(story)
    return Reading(
        name=name, title=find(name).title, story=story, questions=questions, interview=interview(name), seed=seed
    )


@overload
def learn(name: None = None, *, seed: int = ..., pictures: bool = ..., quiz: bool = ...) -> dict[str, str]: ...
@overload
def learn(name: str, *, seed: int = ..., pictures: bool = ..., quiz: bool = ...) -> Reading: ...
def learn(
    name: str | None = None, *, seed: int = 0, pictures: bool = True, quiz: bool = False
) -> Reading | dict[str, str]:
    """Read a lesson: a short text with figures computed now, pictures, questions with answers, interview questions.

    Parameters
    ----------
    name
        One of the lessons; without, their names and titles are returned.
    seed
        Another seed asks with other numbers; the same one gives the same lesson.
    pictures
        Whether to draw.
    quiz
        Whether to ask the questions here, with ``input``, and mark what is typed; otherwise nothing is asked.

    Returns
    -------
    Reading
        Shows itself in a notebook and prints as text; has ``questions``, ``interview``, ``quiz()``, ``sheet(file)`` and
        ``save(folder)``.

    Raises
    ------
    SettingError
        No such lesson, its part of Pellucid is not built yet, or a seed below 0.

    >>> lesson = learn("backpropagation", seed=1, pictures=False)
    >>> [question.mark(question.shown_answer()[:1] if question.choices else question.shown_answer())
    ...  for question in lesson.questions]
    [True, True, True, True, True]
    >>> lesson.interview[0].text
    'Explain backpropagation, and why it is efficient.'
    >>> list(learn())[:3]
    ['perceptron', 'mlp', 'activations']
    """
    if name is None:
        return {each: lesson.title for each, lesson in PATH.items() if lesson.module is not None}
    reading = read(name, seed=seed, pictures=pictures)
    if quiz:
        reading.quiz()
    return reading


def ask(name: str, *, seed: int = 0) -> tuple[Question, ...]:
    """The questions of a lesson without its text; parameters and errors as in `read`.

    >>> len(ask("losses", seed=3))
    5
    """
    module = _module(name)
    if type(seed) is not int or seed < 0:
        raise SettingError(f"seed must be a whole number of at least 0, got {seed!r}")
    import numpy as np

    generator = np.random.default_rng([seed, list(PATH).index(name)])
    questions: tuple[Question, ...] = module.questions(generator)
    return questions


def _module(name: str) -> ModuleType:
    module = find(name).module
    assert module is not None, name
    return importlib.import_module(module)
