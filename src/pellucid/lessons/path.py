"""The lessons in order; telling one and asking its questions."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

from pellucid.errors import SettingError, nearest

if TYPE_CHECKING:
    from pellucid.lessons.question import Question
    from pellucid.studies.story import Block, Story

__all__ = ["PATH", "Lesson", "ask", "find", "tell"]


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """One lesson of the path, and the module that tells it."""

    title: str
    module: str


def _lesson(title: str, module: str) -> Lesson:
    return Lesson(title=title, module=f"pellucid.lessons.topics.{module}")


PATH: dict[str, Lesson] = {
    "perceptron": _lesson("One neuron that decides, and learns from its mistakes", "perceptron"),
    "mlp": _lesson("Layers of neurons, and why they need an activation between them", "mlp"),
    "activations": _lesson("Activations: sigmoid, tanh, ReLU and their slopes", "activations"),
    "forward-pass": _lesson("From a row to a prediction, shape by shape", "forward_pass"),
    "losses": _lesson("How wrong is a prediction? One number to minimise", "losses"),
    "gradient-descent": _lesson("Downhill by small steps: the learning rate", "gradient_descent"),
    "backpropagation": _lesson("The chain rule, from the loss back to every weight", "backpropagation"),
    "regularisation": _lesson("Learning without memorising", "regularisation"),
    "optimisers": _lesson("Better steps: momentum, RMSprop, Adam", "optimisers"),
    "cnn": _lesson("Convolutions: one small filter for the whole image", "cnn"),
    "rnn": _lesson("Recurrent networks: reading step by step", "rnn"),
    "attention": _lesson("Attention: every word looks at every other", "attention"),
}


def find(name: str) -> Lesson:
    """The lesson of this name.

    Raises
    ------
    SettingError
        There is no such lesson.

    >>> find("losses").module
    'pellucid.lessons.topics.losses'
    """
    if name not in PATH:
        raise SettingError(f"there is no lesson {name!r}{nearest(name, PATH)}")
    return PATH[name]


def tell(name: str, *, pictures: bool = False, listener: Callable[[Block], None] = lambda block: None) -> Story:
    """Compute the text of a lesson; parameters and errors as in `pellucid.lessons.reading.read`.

    >>> tell("perceptron").pictures
    ()
    """
    from pellucid.studies.story import Story

    module = _module(name)
    story = Story(listener, pictures=pictures)
    module.tell(story)
    return story


def ask(name: str, *, seed: int = 0) -> tuple[Question, ...]:
    """The questions of a lesson without its text; parameters and errors as in `pellucid.lessons.reading.read`.

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
    return importlib.import_module(find(name).module)
