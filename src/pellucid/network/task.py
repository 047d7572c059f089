"""The task of a network: the width of its output, its loss, and the link from logits to answers.

| task | outputs | default loss | link |
|---|---|---|---|
| binary | 1 logit, for the second class | ``bce`` | sigmoid |
| multiclass | 1 logit per class | ``cross_entropy`` | softmax |
| regression | 1 value, in standardised units | ``mse`` | identity |
| reconstruction | its own inputs, in standardised units | ``mse`` | identity |
| continuation | at each step of a text, 1 logit per token: which comes next | ``cross_entropy`` | softmax |
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from pellucid.errors import SettingError, nearest

__all__ = ["LOSSES", "Label", "Loss", "LossName", "Task", "TaskKind"]

TaskKind = Literal["binary", "multiclass", "regression", "reconstruction", "continuation"]
LossName = Literal["bce", "cross_entropy", "mse", "mae", "huber"]
Label = str | int | float | bool

LOSSES: tuple[str, ...] = get_args(LossName)
_CLASSIFICATION_LOSSES = {"binary": ("bce",), "multiclass": ("cross_entropy",), "continuation": ("cross_entropy",)}
_OF_WIDTH = {"reconstruction": "inputs", "continuation": "vocabulary"}  # kinds without a target column
_REGRESSION_LOSSES = ("mse", "mae", "huber")


@dataclass(frozen=True, kw_only=True)
class Loss:
    """A loss by name; the mean over rows (weighted where class weights are given).

    Parameters
    ----------
    name
        ``bce`` (binary cross-entropy on logits), ``cross_entropy`` (on logits), ``mse`` (no ½), ``mae``, ``huber``.
    label_smoothing
        The share ε of each target spread evenly over the classes; ``bce`` and ``cross_entropy`` only.
    class_weights
        One positive weight per class (two for ``bce``); the mean is then divided by the sum of the rows' weights.
    delta
        Where ``huber`` turns from a parabola into a line.
    """

    name: LossName
    label_smoothing: float = 0.0
    class_weights: tuple[float, ...] | None = None
    delta: float = 1.0

    def __post_init__(self) -> None:
        """Check name and constants."""
        if self.name not in LOSSES:
            raise SettingError(f"loss {self.name!r} is not known{nearest(str(self.name), LOSSES)}")
        if not _is_number(self.label_smoothing) or not 0 <= self.label_smoothing < 1:
            raise SettingError(f"label_smoothing must be at least 0 and below 1, got {self.label_smoothing!r}")
        if not _is_number(self.delta) or not 0 < self.delta < math.inf:
            raise SettingError(f"huber's delta must be above 0 and finite, got {self.delta!r}")
        of_classes = self.name in ("bce", "cross_entropy")
        if not of_classes and (self.label_smoothing or self.class_weights is not None):
            raise SettingError(f"label_smoothing and class_weights are for classes; {self.name} has none")
        if self.class_weights is not None:
            weights = self.class_weights
            if not weights or not all(_is_number(w) and 0 < w < math.inf for w in weights):
                raise SettingError(f"class_weights must be positive and finite, got {weights!r}")
            if self.name == "bce" and len(weights) != 2:
                raise SettingError(f"bce needs two class weights, got {len(weights)}")

    def to_json(self) -> dict[str, Any]:
        """The loss as plain JSON values."""
        value = asdict(self)
        value["class_weights"] = list(self.class_weights) if self.class_weights is not None else None
        return value

    @classmethod
    def from_json(cls, value: object) -> Loss:
        """Read what `to_json` wrote; raises `SettingError`."""
        names = {"name", "label_smoothing", "class_weights", "delta"}
        if not isinstance(value, Mapping) or set(value) != names:
            raise SettingError(f"loss must have exactly the fields {sorted(names)}")
        weights = value["class_weights"]
        if weights is not None and not isinstance(weights, list):
            raise SettingError("loss.class_weights must be a list or null")
        return cls(**{**value, "class_weights": tuple(weights) if weights is not None else None})


@dataclass(frozen=True, kw_only=True)
class Task:
    """The question that a network answers: about one target column, about its own inputs, or how a text goes on.

    Parameters
    ----------
    kind
        ``binary``, ``multiclass``, ``regression``, ``reconstruction`` or ``continuation``.
    target
        The name of the target column; empty for reconstruction and continuation, which have none.
    classes
        The labels in order (logit ``i`` belongs to ``classes[i]``); empty for all but binary and multiclass.
    loss
        The loss that training minimises.
    width
        For reconstruction: the number of inputs to reconstruct; for continuation: of tokens in the vocabulary, with
        padding (0); else ``None``.

    >>> Task.binary("ill", ("no", "yes")).outputs
    1
    """

    kind: TaskKind
    target: str
    loss: Loss
    classes: tuple[Label, ...] = ()
    width: int | None = None

    def __post_init__(self) -> None:
        """Check that kind, classes and loss match."""
        if self.kind not in get_args(TaskKind):
            raise SettingError(f"task {self.kind!r} is not known{nearest(str(self.kind), get_args(TaskKind))}")
        if not isinstance(self.target, str):
            raise SettingError(f"the target must be a column's name, got {self.target!r}")
        if len({(type(c).__name__, c) for c in self.classes}) != len(self.classes):
            raise SettingError(f"the classes of {self.target!r} are not all different")
        if not all(isinstance(c, str | int | float | bool) for c in self.classes):
            raise SettingError(f"the classes of {self.target!r} must be texts, numbers or booleans")
        n = len(self.classes)
        fits = {"binary": n == 2, "multiclass": n >= 2}
        if not fits.get(self.kind, n == 0):
            raise SettingError(f"a {self.kind} task cannot have {n} classes (column {self.target!r})")
        self._check_width()
        allowed = _CLASSIFICATION_LOSSES.get(self.kind, _REGRESSION_LOSSES)
        if self.loss.name not in allowed:
            raise SettingError(f"loss {self.loss.name!r} does not suit a {self.kind} task: use {' or '.join(allowed)}")
        weights = self.loss.class_weights
        if weights is not None and len(weights) != n:
            raise SettingError(f"{n} classes need {n} class weights, got {len(weights)}")

    def _check_width(self) -> None:
        if self.kind not in _OF_WIDTH:
            if self.width is not None:
                raise SettingError(f"width is for a reconstruction; a {self.kind} task has none, got {self.width!r}")
            return
        if type(self.width) is not int or self.width < 1:
            of = _OF_WIDTH[self.kind]
            raise SettingError(f"a {self.kind} needs the width of its {of}, at least 1, got {self.width!r}")
        if self.target:
            raise SettingError(f"a {self.kind} has no target column, got {self.target!r}")

    @classmethod
    def binary(cls, target: str, classes: tuple[Label, Label]) -> Task:
        """Two classes, one logit, BCE."""
        return cls(kind="binary", target=target, classes=classes, loss=Loss(name="bce"))

    @classmethod
    def multiclass(cls, target: str, classes: tuple[Label, ...]) -> Task:
        """One logit per class, cross-entropy."""
        return cls(kind="multiclass", target=target, classes=classes, loss=Loss(name="cross_entropy"))

    @classmethod
    def regression(cls, target: str) -> Task:
        """One value, MSE."""
        return cls(kind="regression", target=target, loss=Loss(name="mse"))

    @classmethod
    def reconstruction(cls, width: int) -> Task:
        """As many values as there are inputs, MSE.

        >>> Task.reconstruction(784).outputs
        784
        """
        return cls(kind="reconstruction", target="", width=width, loss=Loss(name="mse"))

    @classmethod
    def continuation(cls, vocabulary: int) -> Task:
        """At each step of a text the next token, cross-entropy.

        >>> Task.continuation(67).outputs
        67
        """
        return cls(kind="continuation", target="", width=vocabulary, loss=Loss(name="cross_entropy"))

    @property
    def is_classification(self) -> bool:
        """Whether the answer is a class."""
        return self.kind in ("binary", "multiclass")

    @property
    def question(self) -> str:
        """The task in a few words.

        >>> Task.binary("ill", ("no", "yes")).question, Task.reconstruction(4).question
        ("binary classification of 'ill'", 'reconstruction of its 4 inputs')
        """
        if self.kind == "continuation":
            return f"continuation of texts of {self.outputs:,} tokens"
        if self.width is not None:
            return f"reconstruction of its {self.width:,} inputs"
        return f"{self.kind}{' classification' if self.classes else ''} of {self.target!r}"

    @property
    def outputs(self) -> int:
        """The number of logits of the network."""
        if self.width is not None:
            return self.width
        return len(self.classes) if self.kind == "multiclass" else 1

    @property
    def link(self) -> Literal["sigmoid", "softmax", "identity"]:
        """The function from logits to probabilities (or to the value itself)."""
        links: dict[TaskKind, Literal["sigmoid", "softmax", "identity"]] = {
            "binary": "sigmoid",
            "multiclass": "softmax",
            "regression": "identity",
            "reconstruction": "identity",
            "continuation": "softmax",
        }
        return links[self.kind]

    def to_json(self) -> dict[str, Any]:
        """The task as plain JSON values."""
        value: dict[str, Any] = {
            "kind": self.kind,
            "target": self.target,
            "classes": list(self.classes),
            "loss": self.loss.to_json(),
        }
        return value if self.width is None else {**value, "width": self.width}

    @classmethod
    def from_json(cls, value: object) -> Task:
        """Read what `to_json` wrote; raises `SettingError`."""
        names = {"kind", "target", "classes", "loss"}
        if isinstance(value, Mapping) and value.get("kind") in tuple(_OF_WIDTH):
            names.add("width")
        if not isinstance(value, Mapping) or set(value) != names or not isinstance(value["classes"], list):
            raise SettingError(f"task must have exactly the fields {sorted(names)}, classes a list")
        return cls(
            kind=value["kind"],
            target=value["target"],
            classes=tuple(value["classes"]),
            loss=Loss.from_json(value["loss"]),
            width=value.get("width"),
        )


def _is_number(value: object) -> bool:
    return type(value) in (int, float)
