"""Which columns a model relies on over many rows, their effect on predictions, and their interactions."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import SettingError
from pellucid.explanation.dependence import Dependence, interactions, partial_dependence
from pellucid.explanation.grids import Grid, grid_of
from pellucid.explanation.importance import Importance, permutation_importance
from pellucid.inspection.explained_output import ExplainedOutput, explained_output
from pellucid.inspection.explained_row import check_explainable
from pellucid.inspection.rows import RowsToInspect, rows_to_inspect
from pellucid.model.model import Model
from pellucid.plots.attribution import Varied, dependence_panels, importance_bars
from pellucid.preprocessing.features import Features
from pellucid.preprocessing.steps.series import SeriesStep
from pellucid.runs.run import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ExplainedColumns", "columns_explained", "explain_columns"]

Array = NDArray[Any]

_ROWS_OF_IMPORTANCE = 2_000
_ROWS_OF_DEPENDENCE = 200
_ROWS_OF_INTERACTION = 60
_TOP = 6  # columns whose dependence is shown
_PAIRED = 4  # and whose pairs are examined
_LINES = 40  # single rows that a picture shows
_CLASSES = 7  # of several classes, those that are drawn


@dataclass(frozen=True, kw_only=True, eq=False)
class ExplainedColumns:
    """The importance, dependence and interactions of a model's columns.

    Attributes
    ----------
    title
        The rows they were computed on.
    output
        The output whose dependence on the columns was computed.
    columns
        The columns' names, in the table's order.
    importance, rise
        How much the error rises when a column is shuffled, and which error: ``log loss``, or ``RMSE`` in the target's
        unit.
    dependences
        For each of the most important columns its number, the grid, and the predictions on it: ``[N, V]``, or for
        several classes ``[N, V, C]``.
    interactions
        Friedman and Popescu's H for pairs of the most important columns, the largest first.
    sampled
        How many rows each of the three was computed on.
    """

    title: str
    output: ExplainedOutput
    columns: tuple[str, ...]
    importance: Importance
    rise: str
    dependences: tuple[tuple[int, Grid, Dependence], ...]
    interactions: tuple[tuple[str, str, float], ...]
    sampled: tuple[int, int, int]

    @property
    def score(self) -> ExplainedOutput:
        """`output`, by its former name."""
        return self.output

    @property
    def order(self) -> tuple[int, ...]:
        """The columns' numbers, the most important first."""
        return tuple(int(i) for i in np.argsort(-self.importance.values, kind="stable"))

    def importance_figure(self) -> Figure:
        """Bars with intervals."""
        found = self.importance
        return importance_bars(self.columns, found.values, found.low, found.high, rise=self.rise)

    def dependence_figure(self) -> Figure:
        """A panel for each of the most important columns."""
        return dependence_panels([self._varied(*each) for each in self.dependences], name=self.explained)

    @property
    def explained(self) -> str:
        """What the dependences show: the probability of one class or of each, or the number."""
        return "probability" if self._several else self.output.name

    @property
    def _several(self) -> bool:
        return bool(self.dependences) and self.dependences[0][2].rows.ndim == 3

    def _varied(self, i: int, grid: Grid, found: Dependence) -> Varied:
        classes = self.output.model.task.classes
        if self._several:
            means = [(str(classes[k]), found.mean[:, k]) for k in range(min(_CLASSES, len(classes)))]
        else:
            means = [("mean", found.mean)]
        return Varied(
            column=self.columns[i],
            values=grid.values,
            means=means,
            rows=() if self._several else found.rows[:_LINES],
            at=grid.seen,
        )

    def to_json(self) -> dict[str, Any]:
        """JSON values, the most important column first."""
        found = self.importance
        return {
            "title": self.title,
            "explained": self.explained,
            "error": {"name": self.rise, "value": found.error, "repeats": found.repeats, "rows": self.sampled[0]},
            "importance": [
                {
                    "column": self.columns[i],
                    "value": float(found.values[i]),
                    "low": _known(found.low[i]),
                    "high": _known(found.high[i]),
                }
                for i in self.order
            ],
            "dependence": [
                {"column": self.columns[i], "values": list(grid.values), "mean": each.mean.tolist()}
                for i, grid, each in self.dependences
            ],
            "interactions": [{"columns": [a, b], "h": h} for a, b, h in self.interactions],
        }


def explain_columns(
    run: str | os.PathLike[str] | Run | Model, data: object = None, *, label: object = None, seed: int = 0
) -> ExplainedColumns:
    """Importance, dependence and interactions of a model's columns.

    Parameters
    ----------
    run
        A run folder, a model file, or a run or model in memory.
    data
        Rows with their target, as `Model.predict` takes them; default: the rows that measured the run.
    label
        The class whose probability is explained; default: the second of two, or all of several classes.
    seed
        Random seed for drawing rows and shuffling columns.

    Raises
    ------
    DataError
        No row has its target, or the model is an image model or a reconstruction.
    SettingError
        There is no such class.

    >>> import tempfile
    >>> import pellucid
    >>> folder = tempfile.mkdtemp() + "/run"
    >>> run = pellucid.train("iris", preset="plain", hidden=(8,), learning_rate=0.01, verdict=False, out=folder)
    >>> found = explain_columns(folder)
    >>> found.columns[found.order[0]].startswith("petal")
    True
    """
    rows = rows_to_inspect(run, data)
    check_explainable(rows.model)
    return columns_explained(rows.known(), label=label, seed=seed)


def columns_explained(rows: RowsToInspect, *, label: object = None, seed: int = 0) -> ExplainedColumns:
    """`explain_columns` of rows in memory whose target is known."""
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise SettingError(f"seed must be a whole number of at least 0, got {seed!r}")
    model = rows.model
    output = explained_output(model, label)
    many = rows.sample(_ROWS_OF_IMPORTANCE, seed)
    importance = permutation_importance(
        lambda features: _row_errors(many, features),
        many.features,
        root=output.index is None,
        together=many.groups,
        seed=seed,
    )
    order = np.argsort(-importance.values, kind="stable")
    some = rows.sample(_ROWS_OF_DEPENDENCE, seed)
    every_class = model.task.kind == "multiclass" and label is None
    answers = model.answers_to if every_class else output
    dependences: list[tuple[int, Grid, Dependence]] = []
    for i in order:
        step = model.recipe.steps[int(i)]
        if len(dependences) == _TOP or not step.features or isinstance(step, SeriesStep):  # a series has no grid
            continue
        grid = grid_of(step, some.table.column(step.name))
        if len(grid.values) > 1:
            dependences.append((int(i), grid, partial_dependence(answers, some.features, step.name, grid.encoded)))
    few = rows.sample(_ROWS_OF_INTERACTION, seed)
    together = interactions(output, few.features, [model.recipe.steps[int(i)].name for i in order[:_PAIRED]])
    pairs = [(one, other, h) for (one, other), h in together.items()]
    return ExplainedColumns(
        title=rows.title,
        output=output,
        columns=tuple(step.name for step in model.recipe.steps),
        importance=importance,
        rise="RMSE" if output.index is None else "log loss",
        dependences=tuple(dependences),
        interactions=tuple(sorted(pairs, key=lambda pair: -pair[2])),
        sampled=(len(many.inputs), len(some.inputs), len(few.inputs)),
    )


def _known(end: float) -> float | None:
    return float(end) if math.isfinite(end) else None


def _row_errors(rows: RowsToInspect, features: Features) -> Array:
    """The log loss or squared error of each row ``[N]``, with these features in place of its own."""
    answers, truth = rows.model.answers_to(features), rows.truth
    assert truth is not None
    if rows.model.task.is_classification:
        losses: Array = -np.log(np.clip(answers[np.arange(len(truth)), truth.astype(np.int64)], 1e-15, None))
        return losses
    squared: Array = (answers - truth) ** 2
    return squared
