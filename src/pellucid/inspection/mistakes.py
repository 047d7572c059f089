"""The rows with the worst predictions: their cells, the rows near them, and what misled the model."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DataError, SettingError
from pellucid.explanation.units import hidden_layers
from pellucid.inspection.explained_image import image_explained, pixels_of
from pellucid.inspection.explained_output import json_value
from pellucid.inspection.explained_row import row_explained
from pellucid.inspection.rows import RowsToInspect, rows_to_compare_with, rows_to_inspect
from pellucid.inspection.units_of_sequences import last_outputs
from pellucid.model.model import Model
from pellucid.numerals import numerals
from pellucid.plots.images import attributed_images, image_grid
from pellucid.preprocessing.features import Features, rows_for
from pellucid.runs.diagnosis import small_inputs
from pellucid.runs.run import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "Mistake",
    "Mistakes",
    "Neighbour",
    "cells_that_matter",
    "mistakes",
    "mistakes_of",
    "pushes",
]

Array = NDArray[Any]

_ALIKE = (
    "Nearest rows have the most similar network inputs: a difference of one standard deviation in one number is a "
    "distance of 1, a different category about 1.4."
)
_ALIKE_IMAGES = (
    "Nearest images are the most similar pixel by pixel: one standard deviation of one pixel is a distance of 1."
)
_ALIKE_BY_STEP = "Nearest rows are those for which the last hidden layer gives the most similar numbers."

_CELLS = 6  # of a row that are shown
_BUDGET = 20_000  # predictions made to explain one row
_REASONS = 3
_NEAREST = 3
_AT_ONCE = 1 << 23  # numbers
_AMONG = 20_000  # rows among which neighbours are looked for
_PRODUCTS = 2e10  # multiplications for the pixels of one image
_BACKGROUND = 100  # images whose mean a mistaken one is compared with


@dataclass(frozen=True, kw_only=True)
class Neighbour:
    """A row near a mistake: its number, its target, the model's prediction, and the distance.

    ``distance`` is the Euclidean distance between the network inputs of the two rows.
    """

    row: int
    truth: object
    prediction: object
    distance: float


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A row that was predicted wrongly.

    Attributes
    ----------
    row
        Its number in the table, counted from 0.
    file
        For an image, the file that it was read from.
    cells
        Column → cell.
    truth, prediction
        Its target, and the prediction.
    sure
        The probability of the wrong class; ``None`` for numbers.
    error
        How wrong: −ln of the probability of the right class, or the prediction minus the truth.
    neighbours
        The nearest rows among those given.
    reasons
        The columns that contributed most to the wrong prediction, with their Shapley values; empty for images.
    """

    row: int
    file: str | None
    cells: dict[str, object]
    truth: object
    prediction: object
    sure: float | None
    error: float
    neighbours: tuple[Neighbour, ...]
    reasons: tuple[tuple[str, float], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Mistakes:
    """The worst mistakes on some rows.

    Attributes
    ----------
    title
        Which rows they are.
    found
        The worst first.
    n_wrong, n_rows
        How many rows were predicted wrongly (for numbers: all), out of how many.
    images, maps
        For an image model the images ``[found, H, W, C]``, and what each pixel adds to the wrong class
        ``[found, H, W]``; no maps with ``explain=False``.
    where
        For a convolutional network, where its last feature maps speak for the wrong class (Grad-CAM),
        ``[found, H, W]``.
    notes
        Sentences for the user.
    """

    title: str
    model: Model
    found: tuple[Mistake, ...]
    n_wrong: int
    n_rows: int
    images: Array | None = None
    maps: Array | None = None
    notes: tuple[str, ...] = ()
    where: Array | None = None

    def figure(self) -> Figure | None:
        """The images, each with its class, the predicted class and the pixels that led to it; ``None`` for a table."""
        if self.images is None or not self.found:
            return None
        sure = ["" if each.sure is None else f" ({each.sure:.0%})" for each in self.found]
        captions = [f"{each.truth}, not {each.prediction}{s}" for each, s in zip(self.found, sure, strict=True)]
        if self.maps is not None:
            return attributed_images(self.images, self.maps, captions, name="wrong answer", where=self.where)
        return image_grid(self.images.squeeze(-1) if self.images.shape[-1] == 1 else self.images, captions, columns=5)

    @property
    def nearest(self) -> str:
        """What the distance of a near row means; empty if no row has neighbours."""
        if not any(each.neighbours for each in self.found):
            return ""
        if self.model.network.on_sequences:
            return _ALIKE_BY_STEP
        return _ALIKE if self.model.image is None else _ALIKE_IMAGES

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "title": self.title,
            "rows": self.n_rows,
            "wrong": self.n_wrong,
            "mistakes": [
                {
                    "row": each.row,
                    "file": each.file,
                    "cells": {name: json_value(cell) for name, cell in each.cells.items()},
                    "truth": json_value(each.truth),
                    "prediction": json_value(each.prediction),
                    "sure": each.sure,
                    "error": each.error,
                    "neighbours": [asdict(near) for near in each.neighbours],
                    "reasons": dict(each.reasons),
                }
                for each in self.found
            ],
        }


def mistakes(
    run: str | os.PathLike[str] | Run | Model, data: object = None, *, most: int = 10, explain: bool = True
) -> Mistakes:
    """The rows with the worst predictions of a model.

    Parameters
    ----------
    run
        A run folder, a model file, or a run or model in memory.
    data
        Rows with their target, as `Model.predict` takes them; default: the rows that measured the run.
    most
        How many to return.
    explain
        Whether to find the columns that misled the model (Shapley values).

    Raises
    ------
    DataError
        No row has its target, or the model is a reconstruction.
    SettingError
        ``most`` is not a whole number of at least 1.

    >>> import tempfile
    >>> import pellucid
    >>> folder = tempfile.mkdtemp() + "/run"
    >>> run = pellucid.train("iris", preset="plain", hidden=(4,), epochs=3, verdict=False, out=folder)
    >>> found = mistakes(folder, most=2)
    >>> len(found.found), found.found[0].error >= found.found[1].error
    (2, True)
    """
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise SettingError(f"most must be a whole number of at least 1, got {most!r}")
    rows = rows_to_inspect(run, data)
    if rows.model.task.kind == "reconstruction":
        raise DataError("a reconstruction has no wrong predictions: 'pellucid predict' writes the error of each row")
    against = rows_to_compare_with(run, data, rows) if explain and rows.model.image is None else None
    return mistakes_of(rows.known(), most=most, explain=explain, against=against)


def mistakes_of(
    rows: RowsToInspect, *, most: int = 10, explain: bool = True, against: RowsToInspect | None = None
) -> Mistakes:
    """`mistakes` of rows in memory.

    Parameters
    ----------
    rows
        Rows whose target is known (`RowsToInspect.known`). The neighbours are looked for among 20,000 of them.
    most
        The maximum number of mistakes.
    explain
        Whether to find the columns, or pixels, that misled the model.
    against
        The rows that explanations of a table's rows compare them with; default: ``rows``.
    """
    model, truth = rows.model, rows.truth
    assert truth is not None
    answers = model.answers_to(rows.features)
    labels = model.labels(answers)
    if model.task.is_classification:
        right = truth.astype(np.int64)
        p = np.clip(answers[np.arange(len(right)), right], 1e-15, None)
        own = np.array([model.task.classes[k] for k in right], dtype=object)
        wrong = np.flatnonzero(labels != own)
        errors = -np.log(p)
    else:
        own, wrong, errors = truth, np.arange(len(truth)), answers - truth
    worst = wrong[np.argsort(-np.abs(errors[wrong]), kind="stable")][:most]
    few = rows.take(worst)
    among = rows.sample(_AMONG)
    step = max(1, _AT_ONCE // max(1, math.prod(few.features.shape)))  # large images are not all encoded at once
    blocks = (among.features.take(slice(i, i + step)) for i in range(0, among.features.n, step))
    picture = model.image.shape if model.image is not None and len(model.recipe.steps) == 1 else None
    seen = partial(_seen_by_network, model) if model.network.on_sequences else partial(small_inputs, picture=picture)
    own_inputs = seen(few.features)
    distances = np.concatenate([_distances(own_inputs, seen(block)) for block in blocks], axis=1)
    among_answers = model.labels(model.answers_to(among.features)) if len(worst) else labels
    of_columns, found = model.network.on_columns and model.image is None, []
    for place, at in enumerate(worst):
        near = [k for k in np.argsort(distances[place], kind="stable") if among.numbers[k] != rows.numbers[at]]
        found.append(
            Mistake(
                row=int(rows.numbers[at]),
                file=str(few.table.column("file")[place].as_py()) if "file" in few.table.names else None,
                cells=_cells(few, place),
                truth=json_value(own[at]),
                prediction=json_value(labels[at]),
                sure=float(answers[at].max()) if model.task.is_classification else None,
                error=float(errors[at]),
                neighbours=tuple(
                    Neighbour(
                        row=int(among.numbers[k]),
                        truth=json_value(among.target_of(int(k))),
                        prediction=json_value(among_answers[k]),
                        distance=float(distances[place][k]),
                    )
                    for k in near[:_NEAREST]
                ),
                reasons=_reasons(few, place, against or rows) if explain and of_columns else (),
            )
        )
    of_images = model.image is not None and bool(found)
    maps, where = _maps(few, among) if of_images and explain and model.task.is_classification else (None, None)
    return Mistakes(
        title=rows.title,
        model=model,
        found=tuple(found),
        n_wrong=len(wrong),
        n_rows=len(truth),
        images=pixels_of(few) if of_images else None,
        maps=maps,
        notes=rows.notes,
        where=where,
    )


def cells_that_matter(mistake: Mistake, leading: Sequence[str] = (), most: int = _CELLS) -> list[tuple[str, object]]:
    """Columns and cells of a mistake: first those that misled the network, then ``leading`` ones, then the others.

    >>> row = Mistake(row=0, file=None, cells={"a": 1.0, "b": 2.0, "c": 3.0}, truth="x", prediction="y", sure=0.9,
    ...     error=2.3, neighbours=(), reasons=(("b", 0.4),))
    >>> cells_that_matter(row, ["c"], most=2)
    [('b', 2.0), ('c', 3.0)]
    """
    order = dict.fromkeys([*(name for name, _ in mistake.reasons), *leading, *mistake.cells])
    return [(name, mistake.cells[name]) for name in order if name in mistake.cells][:most]


def pushes(mistake: Mistake) -> list[tuple[str, str]]:
    """The columns that misled the network and by how much, all with the same precision.

    >>> row = Mistake(row=0, file=None, cells={}, truth="x", prediction="y", sure=0.9, error=2.3, neighbours=(),
    ...     reasons=(("age", 0.16), ("sex", 0.0853), ("job", -0.02)))
    >>> pushes(row)
    [('age', '+0.160'), ('sex', '+0.085'), ('job', '−0.020')]
    """
    shown = numerals([value for _, value in mistake.reasons], 3)
    signed = (text if text.startswith("−") else f"+{text}" for text in shown)
    return [(name, text) for (name, _), text in zip(mistake.reasons, signed, strict=True)]


def _cells(rows: RowsToInspect, place: int) -> dict[str, object]:
    names = [s.name for s in rows.model.recipe.steps if s.kind not in ("image", "series")]
    return {name: rows.table.column(name)[place].as_py() for name in names}


def _maps(few: RowsToInspect, among: RowsToInspect) -> tuple[Array, Array | None]:
    """What each image's pixels add to the probability of the predicted class, and where feature maps speak for it."""
    background, labels = among.sample(_BACKGROUND), few.model.labels(few.model.answers_to(few.features))
    ones = [few.take(np.array([k])) for k in range(len(labels))]
    found = [
        image_explained(one, background, label=labels[k], cover=None, products=_PRODUCTS) for k, one in enumerate(ones)
    ]
    where = [each.grad_cam for each in found if each.grad_cam is not None]
    return np.stack([each.by_pixel for each in found]), np.stack(where) if where else None


def _reasons(few: RowsToInspect, place: int, against: RowsToInspect) -> tuple[tuple[str, float], ...]:
    """The columns that pushed most towards the wrong prediction, beyond the chance of the drawn orders."""
    one = few.take(np.array([place]))
    label = None
    if few.model.task.is_classification:
        label = few.model.labels(few.model.answers_to(one.features))[0]
    explained = row_explained(one, against, label=label, budget=_BUDGET)
    values, chance = explained.shapley.values, np.nan_to_num(explained.shapley.half_widths)
    sign = 1.0
    if label is None:
        assert one.truth is not None
        sign = float(np.sign(explained.shapley.answer - one.truth[0]))
    order = np.argsort(-sign * values, kind="stable")[:_REASONS]
    return tuple((explained.cells[i].column, float(values[i])) for i in order if sign * values[i] > chance[i])


def _seen_by_network(model: Model, features: Features) -> Array:
    """What the last hidden layer makes of texts or series ``[n, D]``: the numbers of tokens have no distance."""
    rows = np.asarray(rows_for(model.network.shape, features))
    if not hidden_layers(model.network):
        return rows.reshape(len(rows), math.prod(rows.shape[1:]))
    if not len(rows):  # no mistakes
        return np.zeros((0, model.network.shapes()[hidden_layers(model.network)[-1].last][-1]))
    return last_outputs(model.network, model.parameters, rows)


def _distances(rows: Array, among: Array) -> Array:
    x, y = rows.astype(np.float64), among.astype(np.float64)
    squares = (x**2).sum(axis=1)[:, np.newaxis] - 2 * x @ y.T + (y**2).sum(axis=1)
    found: Array = np.sqrt(np.maximum(squares, 0))
    return found
