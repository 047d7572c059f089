"""What tokens, or the steps of series, add to the predictions of many rows: the means of what they add to each.

Legend: ``M`` tokens, ``T`` steps, ``C`` channels.
"""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DataError
from pellucid.explanation.gradients import POINTS
from pellucid.inspection.explained_output import ExplainedOutput, explained_output
from pellucid.inspection.explained_sequence import mean_series, of_series, of_text
from pellucid.inspection.rows import BACKGROUND, RowsToInspect, rows_to_inspect
from pellucid.inspection.sequences import sequence_row
from pellucid.model.model import Model
from pellucid.network.shapes import products_of
from pellucid.preprocessing.features import rows_for
from pellucid.runs.rows_of_run import model_of
from pellucid.runs.run import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ExplainedSequences", "explain_sequences", "sequences_explained"]

Array = NDArray[Any]

_ROWS, _FEWEST = 200, 10
_PRODUCTS = 4e10  # multiplications that it may take
_OFTEN = 3  # rows in which a token must be, to have a mean that is shown
_DRAWN = 12  # tokens for the answer, and as many against it


@dataclass(frozen=True, kw_only=True, eq=False)
class ExplainedSequences:
    """What the steps of many rows add.

    Attributes
    ----------
    title, n_rows
        Which rows, and how many of them were looked at.
    output
        What is explained: the probability of a class, or the number.
    tokens, rows, means
        Of texts: each token, in how many of the rows it is, and the mean of what it adds to one, the largest first.
    channels, by_step
        Of series: the names of the channels, and the mean of the absolute value of what each step adds, ``[T, C]``.
    notes
        Sentences for the user.
    """

    title: str
    n_rows: int
    output: ExplainedOutput
    tokens: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()
    means: Array
    channels: tuple[str, ...] = ()
    by_step: Array
    notes: tuple[str, ...] = ()

    @property
    def is_text(self) -> bool:
        """Whether the rows are texts."""
        return not self.channels

    @property
    def often(self) -> list[int]:
        """The tokens that are in enough rows, by what they add: the largest first."""
        enough = [k for k, many in enumerate(self.rows) if many >= min(_OFTEN, self.n_rows)]
        return sorted(enough, key=lambda k: -self.means[k])

    @property
    def strongest(self) -> tuple[list[int], list[int]]:
        """The tokens that speak most for the answer, and those that speak most against it."""
        order = self.often
        for_it = [k for k in order if self.means[k] > 0][:_DRAWN]
        against = [k for k in reversed(order) if self.means[k] < 0][:_DRAWN]
        return for_it, against

    def figure(self) -> Figure:
        """The strongest tokens as bars; of series the steps of each channel."""
        from pellucid.plots.tokens import mean_steps, token_bars

        title = f"What {'tokens' if self.is_text else 'steps'} add to the {self.output.name}, {self.title}"
        if not self.is_text:
            return mean_steps(self.by_step, self.channels, title=title)
        for_it, against = self.strongest
        order = [*for_it, *reversed(against)]
        return token_bars([self.tokens[k] for k in order], self.means[order], title=title)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        found: dict[str, Any] = {
            "title": self.title, "rows": self.n_rows, "explained": self.output.name, "notes": list(self.notes),
        }  # fmt: skip
        if self.is_text:
            each = zip(self.tokens, self.rows, self.means, strict=True)
            return {**found, "tokens": [{"token": t, "rows": n, "mean": float(m)} for t, n, m in each]}
        return {**found, "channels": list(self.channels), "steps": self.by_step.tolist()}


def explain_sequences(
    run: str | os.PathLike[str] | Run | Model, data: object = None, *, label: object = None, seed: int = 0
) -> ExplainedSequences:
    """What tokens, or the steps of series, add to the predictions of many rows, by integrated gradients.

    Parameters
    ----------
    run
        A run folder, a model file, or a run or model in memory.
    data
        Rows, as `Model.predict` takes them; default: those that measured the run.
    label
        The class whose probability is explained; default: the second.
    seed
        Random seed for the rows: at most 200 are drawn, of a large network fewer.

    Raises
    ------
    DataError
        The model's network does not read its rows step by step.
    SettingError
        There is no such class.
    RunFolderError
        The run's own rows are needed and cannot be read again.
    """
    if not model_of(run).network.on_sequences:
        raise DataError("the model does not read its rows step by step: explain its columns with explain_columns")
    return sequences_explained(rows_to_inspect(run, data), label=label, seed=seed)


def sequences_explained(rows: RowsToInspect, *, label: object = None, seed: int = 0) -> ExplainedSequences:
    """The same for rows that are read already."""
    model = rows.model
    points = POINTS[0]
    most = int(np.clip(_PRODUCTS / (3 * points * products_of(model.network)), _FEWEST, _ROWS))
    some = rows.sample(most, seed)
    output = explained_output(model, label)
    notes = (f"{some.features.n:,} of these rows were drawn",) if some is not rows else ()
    if model.network.dtype == "int64":
        of_tokens: dict[str, list[float]] = defaultdict(list)
        for place in range(some.features.n):
            shown = sequence_row(model, some.features, place)
            _, values = of_text(output, shown, numbers=(points,))
            own: dict[str, float] = defaultdict(float)
            for token, value in zip(shown.steps, values.sum(axis=(0, 2)), strict=True):
                own[token] += float(value)
            for token, value in own.items():
                of_tokens[token].append(value)
        order = sorted(of_tokens, key=lambda token: -float(np.mean(of_tokens[token])))
        return ExplainedSequences(
            title=rows.title,
            n_rows=some.features.n,
            output=output,
            tokens=tuple(order),
            rows=tuple(len(of_tokens[token]) for token in order),
            means=np.array([np.mean(of_tokens[token]) for token in order]),
            by_step=np.zeros((0, 0)),
            notes=notes,
        )
    mean = mean_series(np.asarray(rows_for(model.network.shape, rows.sample(BACKGROUND, seed).features)))
    total, times = np.zeros(model.network.shape), np.zeros(model.network.shape[0])
    channels: tuple[str, ...] = ()
    for place in range(some.features.n):
        shown = sequence_row(model, some.features, place)
        _, values = of_series(output, shown, mean, numbers=(points,))
        channels = shown.channels
        total[: shown.length] += np.abs(values)
        times[: shown.length] += 1
    return ExplainedSequences(
        title=rows.title,
        n_rows=some.features.n,
        output=output,
        means=np.zeros(0),
        channels=channels,
        by_step=total / np.maximum(times, 1)[:, np.newaxis],
        notes=notes,
    )
