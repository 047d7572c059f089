"""Why a model predicts what it does for one row, in the user's own columns."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.columns.tensors import cell_at
from pellucid.errors import DataError, SettingError
from pellucid.explanation.fixed_columns import cell_text
from pellucid.explanation.gradients import IntegratedGradients, integrated_gradients
from pellucid.explanation.shapley import ShapleyValues, shapley_values
from pellucid.inspection.explained_output import ExplainedOutput, explained_output, json_value
from pellucid.inspection.rows import BACKGROUND, RowsToInspect, row_to_inspect, rows_to_compare_with
from pellucid.model.model import Model
from pellucid.plots.attribution import contributions
from pellucid.preprocessing.encoded_cells import EncodedCell, encoded_cells
from pellucid.preprocessing.steps.text import TextStep
from pellucid.runs.rows_of_run import model_of
from pellucid.runs.run import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ExplainedRow", "check_explainable", "explain_row", "row_explained"]

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class ExplainedRow:
    """What each column of a row adds to the prediction.

    Attributes
    ----------
    title, background_title
        Which row, and which rows it is compared with.
    output
        What is explained: the probability of a class, or the number.
    cells
        The row's cells, one per column.
    shapley
        The Shapley values ``[columns]``.
    gradients
        Integrated gradients ``[features]`` from the mean of the background's features; `by_column` sums them.
    prediction, truth
        The model's prediction, and the row's target if it is known.
    notes
        Sentences for the user.
    """

    title: str
    background_title: str
    output: ExplainedOutput
    cells: tuple[EncodedCell, ...]
    shapley: ShapleyValues
    gradients: IntegratedGradients
    prediction: object
    truth: object
    notes: tuple[str, ...] = ()

    @property
    def score(self) -> ExplainedOutput:
        """`output`, by its former name."""
        return self.output

    def words_of(self, column: str, most: int = 10) -> tuple[tuple[str, float], ...]:
        """The terms of a text column with the largest integrated gradients, the largest first; empty for other columns.

        They include terms that the text does not contain: the absence of a word counts, too.
        """
        recipe = self.output.model.recipe
        step = next((step for step in recipe.steps if step.name == column), None)
        if not isinstance(step, TextStep):
            return ()
        values = recipe.features_of(self.gradients.values[np.newaxis]).column(column).flat[0, : len(step.terms)]
        places = [int(i) for i in np.argsort(-np.abs(values), kind="stable")[:most] if values[i]]
        return tuple((step.terms[i], float(values[i])) for i in places)

    @property
    def by_column(self) -> Array:
        """Integrated gradients of each column, summed over its features: ``[columns]``."""
        gradients = self.output.model.recipe.features_of(self.gradients.values[np.newaxis])
        return np.array([gradients.column(name).flat[0].sum() for name in gradients.columns])

    def figure(self) -> Figure:
        """Bars from the mean prediction to that of the row."""
        names = [f"{cell.column} = {cell_text(cell.cell)}" for cell in self.cells]
        shapley = self.shapley
        return contributions(
            names, shapley.values, shapley.half_width, base=shapley.base, answer=shapley.answer, name=self.output.name
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; the columns in the table's order.

        ``half_width`` is half of the 95 % interval of a Shapley value (`ShapleyValues.half_width`), computed from
        ``standard_error``.
        """
        shapley, gradients = self.shapley, self.gradients
        return {
            "title": self.title,
            "background": self.background_title,
            "explained": self.output.name,
            "prediction": json_value(self.prediction),
            "truth": json_value(self.truth),
            "columns": [
                {
                    "column": cell.column,
                    "cell": json_value(cell.cell),
                    "shapley": float(value),
                    "standard_error": float(error),
                    "half_width": float(half) if math.isfinite(half) else None,
                    "integrated_gradients": float(slope),
                    **({"words": dict(words)} if (words := self.words_of(cell.column)) else {}),
                }
                for cell, value, error, half, slope in zip(
                    self.cells, shapley.values, shapley.errors, shapley.half_widths, self.by_column, strict=True
                )
            ],
            "shapley": {
                "base": shapley.base,
                "answer": shapley.answer,
                "gap": shapley.gap,
                "exact": shapley.exact,
                "rows_asked": shapley.asked,
            },
            "integrated_gradients": gradients.to_json(),
            "notes": list(self.notes),
        }


def explain_row(
    run: str | os.PathLike[str] | Run | Model,
    data: object = None,
    *,
    row: int = 0,
    inputs: Mapping[str, object] | None = None,
    label: object = None,
    budget: int = 200_000,
    seed: int = 0,
) -> ExplainedRow:
    """What each column of one row adds to the model's prediction.

    Parameters
    ----------
    run
        A run folder, a model file, or a run or model in memory.
    data
        Rows, as `Model.predict` takes them: the row is one of them, and it is compared with 100 of them. By default,
        the row is from the table that the run was trained on. Then, and if ``data`` has fewer than 100 rows, it is
        compared with up to 100 of the rows that measured the run.
    row
        The row, counted from 0.
    inputs
        The row itself, column → value, instead of its number; columns that are not given are missing.
    label
        The class whose probability is explained; default: the second of two, or the most probable of several.
    budget
        The maximum number of predictions for the Shapley values; see `shapley_values`.
    seed
        Random seed for the rows it is compared with, and for the column orders.

    Raises
    ------
    DataError
        There is no such row or column, or the model is an image model or a reconstruction.
    SettingError
        There is no such class.
    RunFolderError
        The run's own table is needed and cannot be read again.

    >>> import tempfile
    >>> import pellucid
    >>> folder = tempfile.mkdtemp() + "/run"
    >>> run = pellucid.train("iris", preset="plain", hidden=(4,), epochs=3, verdict=False, out=folder)
    >>> found = explain_row(folder, "iris", row=7)
    >>> found.cells[0].column, abs(found.shapley.gap) < 1e-6
    ('sepal length (cm)', True)
    """
    model = model_of(run)
    check_explainable(model)
    if isinstance(budget, bool) or not isinstance(budget, int) or budget < 1:
        raise SettingError(f"budget must be a whole number of rows of at least 1, got {budget!r}")
    one = row_to_inspect(run, model, data if inputs is None else None, row, inputs)
    return row_explained(one, rows_to_compare_with(run, data), label=label, budget=budget, seed=seed)


def row_explained(
    one: RowsToInspect, among: RowsToInspect, *, label: object = None, budget: int = 200_000, seed: int = 0
) -> ExplainedRow:
    """`explain_row` of a row in memory.

    Parameters
    ----------
    one
        The row, from `row_to_inspect`.
    among
        The rows that it is compared with: at most 100 of them, drawn at random.
    label, budget, seed
        As of `explain_row`.

    Raises
    ------
    SettingError
        There is no such class.
    """
    model = one.model
    background = among.sample(BACKGROUND, seed)
    output = explained_output(model, label, inputs=one.inputs[0])
    reference = background.inputs.astype(np.float64).mean(axis=0)
    shapley = shapley_values(output, one.features, background.features, budget=budget, seed=seed)
    sampled = f"{len(background.inputs):,} of " if len(background.inputs) < len(among.inputs) else ""
    return ExplainedRow(
        title=one.title,
        background_title=f"{sampled}{among.title}",
        output=output,
        cells=encoded_cells(model.recipe, {s.name: cell_at(one.table.column(s.name), 0) for s in model.recipe.steps}),
        shapley=shapley,
        gradients=integrated_gradients(output.slopes, one.inputs[0].astype(np.float64), reference),
        prediction=model.labels(model.answers_to(one.inputs))[0],
        truth=one.target_of(0),
        notes=(*one.notes, *(note for note in among.notes if note not in one.notes)),
    )


def check_explainable(model: Model) -> None:
    """Check that a model predicts a target from the columns of a table.

    Raises
    ------
    DataError
        It is an image model or a reconstruction.
    """
    if model.task.kind == "reconstruction":
        raise DataError(
            "a reconstruction predicts all columns at once, so no column explains it: 'pellucid predict' writes the "
            "error of each row"
        )
    if model.image is not None:
        raise DataError(
            "images have pixels instead of columns: explain one image with --row N (in Python: explain_image), or see "
            "the worst mistakes with 'pellucid mistakes'"
        )
