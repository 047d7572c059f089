"""The predictions of a network over two of its columns: as values, as a picture, in words."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import SettingError
from pellucid.explanation.fixed_columns import FixedColumn, cell_text, held_text
from pellucid.explanation.slices import SliceAxis, density
from pellucid.io.files import write_bytes
from pellucid.model.answering import rows_at_once
from pellucid.model.model import Model
from pellucid.numerals import numerals
from pellucid.plots.canvas import COLOURS
from pellucid.preprocessing.features import Features
from pellucid.runs.rows_of_run import drawn_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Slice", "answers_over", "check_picture"]

Array = NDArray[Any]

MOST_POINTS = 2_000
_MOST_COLOURS = len(COLOURS)


@dataclass(frozen=True, kw_only=True, eq=False)
class Slice:
    """The predictions of a network over two of its columns; all others are held constant.

    Legend: Gx and Gy points along the axes, N rows, C classes.

    Attributes
    ----------
    title
        What is predicted, and for which rows.
    target, classes
        The target column and its classes; none for a number.
    label
        The class whose probability is shown; ``None`` for the most probable of several, and for a number.
    x, y
        The axes: points in the columns' own units, and where the rows lie on them.
    answers
        ``[Gy, Gx, C]`` probabilities, or ``[Gy, Gx]`` numbers.
    threshold
        The probability of the second of two classes from which on that class is predicted.
    held
        The other columns and their constant cells.
    empty
        ``[Gy, Gx]`` where there are no rows nearby; see `pellucid.explanation.slices.without_data` for the rule.
    truth
        ``[N]`` each row's class number or value, NaN if unknown; ``None`` if no row has one.
    measured
        ``[N]`` which rows are test rows of the run; ``None`` if that is unknown.
    mark
        Where the row that gave the constant cells lies; ``None`` if there is none, or it is not on the axes.
    notes
        Sentences for the user.
    features
        One row: the encoded fixed cells, 0 in the two columns that vary.
    """

    title: str
    target: str
    classes: tuple[str, ...]
    label: int | None
    x: SliceAxis
    y: SliceAxis
    answers: Array
    threshold: float
    held: tuple[FixedColumn, ...]
    empty: Array
    truth: Array | None
    mark: tuple[float, float] | None
    notes: tuple[str, ...]
    features: Features
    measured: Array | None = None

    def answered_by(self, model: Model) -> Slice:
        """The same points with the predictions of another network with the same preprocessing."""
        return replace(self, answers=answers_over(model, self.features, (self.x, self.y)))

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the picture shows: how it is divided, and how much of it has no rows nearby."""
        grey = f"{self.empty.mean():.0%} of the picture has no rows nearby and is grey"
        seen = ~self.empty
        if not seen.any():
            return ("No part of the picture has rows nearby.",)
        if not self.classes:
            found = self.answers[seen]
            least, most = numerals([float(found.min()), float(found.max())])
            return (f"Where there are rows, the predicted {self.target} ranges from {least} to {most}; {grey}.",)
        shares = np.bincount(self.decided()[seen], minlength=len(self.classes)) / seen.sum()
        order = [int(k) for k in np.argsort(-shares, kind="stable") if shares[k] > 0]
        said = ", ".join(f"{self.classes[k]} on {shares[k]:.0%}" for k in order[:6])
        more = f" and {len(order) - 6} more classes" if len(order) > 6 else ""
        return (f"Where there are rows, the prediction is {said}{more}; {grey}.",)

    def decided(self) -> Array:
        """The number of the predicted class at each point, ``[Gy, Gx]``."""
        if len(self.classes) == 2:
            return np.asarray(self.answers[..., 1] >= self.threshold, dtype=np.int64)
        return np.asarray(self.answers.argmax(axis=-1))

    def coloured(self) -> tuple[int, ...]:
        """The classes with a colour of their own: those with the largest part of the picture, or the most rows."""
        if len(self.classes) <= _MOST_COLOURS:
            return tuple(range(len(self.classes)))
        weight = np.bincount(self.decided()[~self.empty], minlength=len(self.classes)).astype(np.float64)
        if self.truth is not None:
            weight += 1e-9 * np.bincount(self.truth[np.isfinite(self.truth)].astype(int), minlength=len(weight))
        return tuple(sorted(np.argsort(-weight, kind="stable")[:_MOST_COLOURS].tolist()))

    def figure(
        self,
        *,
        title: str | None = None,
        limits: tuple[float, float] | None = None,
        coloured: Sequence[int] | None = None,
        points: bool = True,
        size: tuple[float, float] = (7.4, 5.8),
    ) -> Figure:
        """Predictions as colours, the decision boundary as a line, rows as points; grey where no rows are nearby.

        Parameters
        ----------
        title
            The heading; default: that of the slice.
        limits
            The numbers at the ends of the colour scale, to make several pictures alike; default: those of this slice.
        coloured
            The numbers of the classes with a colour of their own, for the same purpose; default: `coloured`.
        points
            Whether single rows are drawn.
        size
            Width and height, in inches.
        """
        from pellucid.plots.slice import slice_figure

        drawn = drawn_rows(len(self.x.rows), MOST_POINTS if points else 0)
        contours = None
        if len(self.x.rows) > len(drawn) and "bands" not in (self.x.kind, self.y.kind):
            contours = density(self.x, self.y)
        return slice_figure(
            self.x,
            self.y,
            self.answers,
            classes=self.classes,
            label=self.label,
            threshold=self.threshold,
            empty=self.empty,
            points=(self.x.rows[drawn], self.y.rows[drawn]),
            truth=None if self.truth is None else self.truth[drawn],
            contours=contours,
            coloured=self.coloured() if coloured is None else coloured,
            limits=limits,
            mark=self.mark,
            target=self.target,
            title=title or self.title,
            held=held_text(self.held),
            size=size,
            measured=None if self.measured is None else self.measured[drawn],
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture as ``.png`` or ``.svg``."""
        from pellucid.plots.canvas import encode

        target = check_picture(path)
        write_bytes(target, encode(self.figure(), target.suffix.lower()[1:]))
        return target

    def to_json(self) -> dict[str, Any]:
        """Everything that the picture shows except the rows, as JSON values; predictions to six digits."""
        answers: dict[str, Any]
        if not self.classes:
            answers = {"numbers": _digits(self.answers)}
        elif self.label is not None:
            answers = {"probabilities": _digits(self.answers[..., self.label])}
        else:
            answers = {"classes": self.decided().tolist(), "probabilities": _digits(self.answers.max(axis=-1))}
        return {
            "title": self.title,
            "target": self.target,
            "classes": list(self.classes),
            "class": None if self.label is None else self.classes[self.label],
            **{name: _axis_to_json(axis) for name, axis in (("x", self.x), ("y", self.y))},
            "answers": answers,
            "without_data": self.empty.astype(int).tolist(),
            "held": [{"column": h.column, "cell": _json_cell(h.cell), "how": h.how} for h in self.held],
            "sentences": list(self.sentences),
            "notes": list(self.notes),
        }


def answers_over(model: Model, fixed: Features, axes: Sequence[SliceAxis]) -> Array:
    """Predictions ``[Gy, Gx, …]``: each cell of an axis is encoded once, and replaces that of the fixed row."""
    dtype = next(iter(model.parameters.values())).dtype
    steps = {step.name: step for step in model.recipe.steps}
    of_x, of_y = (np.array([steps[axis.column].encode_one(cell) for cell in axis.cells]).astype(dtype) for axis in axes)
    fixed = model.recipe.features_of(fixed.flat.astype(dtype))
    lines = max(1, rows_at_once(model.network) // len(of_x))
    parts = []
    for low in range(0, len(of_y), lines):
        few = of_y[low : low + lines]
        rows = fixed.take(np.zeros(len(few) * len(of_x), dtype=np.intp))
        varied = {axes[0].column: np.tile(of_x, (len(few), 1)), axes[1].column: np.repeat(few, len(of_x), axis=0)}
        parts.append(model.answers_to(rows.replace_all(varied)))
    answers = np.concatenate(parts)
    return answers.reshape(len(of_y), len(of_x), *answers.shape[1:])


def check_picture(path: str | os.PathLike[str]) -> Path:
    """The path of a picture; raises `SettingError` for a wrong file ending before any work is done."""
    target = Path(path)
    if target.suffix.lower() not in (".png", ".svg"):
        raise SettingError(f"the picture must end in .png or .svg, got {os.fspath(path)!r}")
    return target


def _json_cell(cell: object) -> object:
    if cell is None or isinstance(cell, bool | int | float | str):
        return cell
    return cell_text(cell)


def _digits(values: Array) -> Any:
    return [[float(f"{value:.6g}") for value in line] for line in values]


def _axis_to_json(axis: SliceAxis) -> dict[str, Any]:
    return {"column": axis.column, "kind": axis.kind, "cells": [_json_cell(cell) for cell in axis.cells]}
