"""Why a model of texts or series answers as it does: what each token, or each step of each channel, adds.

Integrated gradients say what each adds, compared with a text without words (all vectors are 0) or with the mean of
other series; occlusion says what is lost where a token, or a stretch of a series, is covered.

Legend: ``L`` steps of the row, ``C`` channels.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DataError, SettingError
from pellucid.explanation.gradients import POINTS, IntegratedGradients, integrated_gradients
from pellucid.explanation.occlusion import occlusion_of_steps, stretch_for
from pellucid.inspection.explained_output import ExplainedOutput, explained_output, json_value
from pellucid.inspection.rows import BACKGROUND, RowsToInspect, row_to_inspect, rows_to_compare_with
from pellucid.inspection.sequences import SequenceRow, sequence_row
from pellucid.model.model import Model
from pellucid.numerals import numeral
from pellucid.preprocessing.features import rows_for
from pellucid.preprocessing.steps.tokenizer import UNKNOWN
from pellucid.runs.rows_of_run import model_of
from pellucid.runs.run import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "COVERS_OF_TOKENS",
    "ExplainedSequence",
    "explain_sequence",
    "mean_series",
    "of_series",
    "of_text",
    "sequence_explained",
]

Array = NDArray[Any]

COVERS_OF_TOKENS = ("padding", "unknown")  # what occlusion puts in the place of a token
_MEAN = "mean"  # of a series
_COVERED = -1  # a token whose vector is 0, while the row keeps its length
_AT_ONCE = 32  # rows of vectors
_MOST_COVERED = 2_000  # covered rows that are answered: longer texts are covered in stretches


@dataclass(frozen=True, kw_only=True, eq=False)
class ExplainedSequence:
    """What each step of a row adds to the prediction.

    Attributes
    ----------
    title
        Which row.
    output
        What is explained: the probability of a class, or the number.
    shown
        The row itself.
    reference
        What it is compared with, in words.
    gradients
        How complete the integrated gradients are.
    by_step
        ``[L]``: what each step adds, by integrated gradients; ``by_channel`` ``[L, C]`` in each channel of a series.
    occlusion
        How much higher the answer is than where the step is covered: ``[L]``, or ``[L, C]`` of a series.
    window, cover
        How many steps were covered together, and by what: ``padding`` or ``unknown`` tokens, the ``mean`` of a series.
    prediction, truth
        The model's prediction, and the row's own target if it is known.
    notes
        Sentences for the user.
    """

    title: str
    output: ExplainedOutput
    shown: SequenceRow
    reference: str
    gradients: IntegratedGradients
    by_step: Array
    by_channel: Array | None
    occlusion: Array
    window: int
    cover: str
    prediction: object
    truth: object
    notes: tuple[str, ...] = ()

    @property
    def occlusion_by_step(self) -> Array:
        """``[L]``: of a series the sum over its channels, each covered by itself."""
        found: Array = self.occlusion if self.occlusion.ndim == 1 else self.occlusion.sum(axis=1)
        return found

    @property
    def sentences(self) -> tuple[str, ...]:
        """What speaks most for the answer and against it, by each method."""
        found = []
        for method, values in (("Integrated gradients", self.by_step), ("Occlusion", self.occlusion_by_step)):
            high, low = int(values.argmax()), int(values.argmin())
            said = []
            if values[high] > 0:
                said.append(f"{self.shown.named(high)} speaks for it most, by {numeral(values[high], 2)}")
            if values[low] < 0:
                said.append(f"{self.shown.named(low)} against it, by {numeral(-values[low], 2)}")
            found.append(f"{method}: {'; '.join(said) or 'no step matters'}")
        return tuple(found)

    @property
    def how_covered(self) -> str:
        """What occlusion did, in words."""
        one, more = ("token", "tokens") if self.shown.is_text else ("step", "steps")
        many = f"each {one}" if self.window == 1 else f"stretches of {self.window:,} {more}"
        what = {"unknown": "an unknown token", "padding": "padding, whose vector is 0"}
        return f"{many} covered by {what.get(self.cover, 'the mean of other series')}"

    def figure(self) -> Figure:
        """The row with what each step adds, by each method."""
        from pellucid.plots.sequences import explained_series, explained_text

        truth = "" if self.truth is None else f", is {self.truth}"
        title = f"{self.title}: answered {self.prediction}{truth}"
        methods = [("integrated gradients", self.by_step), (f"occlusion: {self.how_covered}", self.occlusion_by_step)]
        if self.shown.is_text:
            return explained_text(self.shown.steps, methods, title=title, name=self.output.name)
        assert self.by_channel is not None
        maps = [("integrated gradients", self.by_channel), (methods[1][0], self.occlusion)]
        return explained_series(
            self.shown.row[: self.shown.length], self.shown.channels, maps, title=title, name=self.output.name
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values: what each step adds, and how complete that is."""
        return {
            "title": self.title,
            "explained": self.output.name,
            "prediction": json_value(self.prediction),
            "truth": json_value(self.truth),
            "column": self.shown.column,
            "steps": list(self.shown.steps),
            **({} if self.shown.is_text else {"channels": list(self.shown.channels)}),
            "reference": self.reference,
            "integrated_gradients": {
                **self.gradients.to_json(),
                "steps": self.by_step.tolist(),
                **({} if self.by_channel is None else {"by_channel": self.by_channel.tolist()}),
            },
            "occlusion": {"window": self.window, "cover": self.cover, "steps": self.occlusion.tolist()},
            "notes": list(self.notes),
        }


def explain_sequence(
    run: str | os.PathLike[str] | Run | Model,
    data: object = None,
    *,
    row: int = 0,
    inputs: Mapping[str, object] | None = None,
    label: object = None,
    cover: str | None = None,
    seed: int = 0,
) -> ExplainedSequence:
    """What each token of a text, or each step of a series, adds to the prediction.

    By integrated gradients (Sundararajan, Taly & Yan 2017) and by occlusion (Zeiler & Fergus 2014).

    Parameters
    ----------
    run
        A run folder, a model file, or a run or model in memory.
    data
        Rows, as `Model.predict` takes them; default: the run's own.
    row
        Which of them, counted from 0.
    inputs
        The row itself, column → value, instead of ``data``.
    label
        The class whose probability is explained; default: the second of two, or the most probable of several.
    cover
        What occlusion puts in the place of a token: ``padding``, whose vector is 0 (the default), or ``unknown``; a
        network that met no unknown token in training has learned nothing about it.
    seed
        Random seed for the series that a series is compared with.

    Raises
    ------
    DataError
        There is no such row, or the model's network does not read its rows step by step.
    SettingError
        There is no such class or cover.
    RunFolderError
        The run's own rows are needed and cannot be read again.
    """
    model = model_of(run)
    if not model.network.on_sequences:
        raise DataError("the model does not read its rows step by step: explain a row of its table with explain_row")
    one = row_to_inspect(run, model, data, row, inputs)
    background = None
    if model.network.dtype == "float":
        background = rows_to_compare_with(run, data).sample(BACKGROUND, seed)
    return sequence_explained(one, background, label=label, cover=cover)


def sequence_explained(
    one: RowsToInspect, background: RowsToInspect | None = None, *, label: object = None, cover: str | None = None
) -> ExplainedSequence:
    """The same for a row that is read already.

    Parameters
    ----------
    one
        The row.
    background
        The series with whose mean a series is compared; texts need none.
    label, cover
        As of `explain_sequence`.
    """
    model = one.model
    shown = sequence_row(model, one.features)
    known = COVERS_OF_TOKENS if shown.is_text else (_MEAN,)
    cover = next(iter(known)) if cover is None else cover
    if cover not in known:
        rows = "texts" if shown.is_text else "series"
        raise SettingError(f"cover of {rows} must be {' or '.join(known)}, got {cover!r}")
    output = explained_output(model, label, inputs=shown.row)
    if shown.is_text:
        reference, gradients, by_channel = "a text of the same length whose vectors are all 0", *of_text(output, shown)
        by_step = by_channel.sum(axis=(0, 2))
        window = max(1, -(-shown.length // _MOST_COVERED))
        answers, fill = (
            (partial(_answers_without, output, shown), _COVERED) if cover == "padding" else (output.values, UNKNOWN)
        )
        covered = occlusion_of_steps(
            answers, shown.row, np.array(fill), length=shown.length, window=window, step=window
        )
        maps = None
    else:
        assert background is not None
        mean = mean_series(np.asarray(rows_for(model.network.shape, background.features)))
        gradients, maps = of_series(output, shown, mean)
        reference, by_step = f"the mean of {background.features.n:,} of {background.title}", maps.sum(axis=1)
        window, step = stretch_for(shown.length)
        covered = np.stack(
            [
                occlusion_of_steps(
                    output.values,
                    shown.row,
                    np.where(np.arange(len(shown.channels)) == c, mean, shown.row),
                    length=shown.length,
                    window=window,
                    step=step,
                )
                for c in range(len(shown.channels))
            ],
            axis=1,
        )
    return ExplainedSequence(
        title=one.title,
        output=output,
        shown=shown,
        reference=reference,
        gradients=gradients,
        by_step=by_step,
        by_channel=maps,
        occlusion=covered,
        window=window,
        cover=cover,
        prediction=model.labels(model.answers_to(one.features))[0],
        truth=one.target_of(0),
        notes=(
            *one.notes,
            *(note for note in (background.notes if background is not None else ()) if note not in one.notes),
        ),
    )


def _answers_without(output: ExplainedOutput, shown: SequenceRow, rows: Array) -> Array:
    """The outputs ``[M]`` for rows ``[M, T]`` of which some tokens are covered: their vectors are 0."""
    own, found = output.vectors_of(shown.row), np.zeros(len(rows))
    for i in range(0, len(rows), _AT_ONCE):
        part = rows[i : i + _AT_ONCE, : shown.length]
        vectors = np.where((part == _COVERED)[:, np.newaxis, :, np.newaxis], 0.0, own)
        found[i : i + _AT_ONCE] = output.slopes_of_vectors(vectors)[0]
    return found


def of_text(
    output: ExplainedOutput, shown: SequenceRow, numbers: Sequence[int] = POINTS
) -> tuple[IntegratedGradients, Array]:
    """What each number of each token's vector adds, ``[K, L, D]``; ``numbers`` as of `integrated_gradients`."""
    vectors = output.vectors_of(shown.row)

    def slopes(rows: Array) -> tuple[Array, Array]:
        scores, found = output.slopes_of_vectors(rows.reshape(len(rows), *vectors.shape))
        return scores, found.reshape(len(rows), -1)

    found = integrated_gradients(slopes, vectors.ravel(), np.zeros(vectors.size), numbers=numbers)
    return found, found.values.reshape(vectors.shape)


def of_series(
    output: ExplainedOutput, shown: SequenceRow, mean: Array, numbers: Sequence[int] = POINTS
) -> tuple[IntegratedGradients, Array]:
    """What each number of a series adds, ``[L, C]``; steps after the last are left alone.

    Parameters
    ----------
    output, shown
        What is explained, and the series.
    mean
        ``[T, C]``, what it is compared with.
    numbers
        As of `integrated_gradients`.
    """
    length, channels = shown.length, len(shown.channels)
    few = shown.row[:length].astype(np.float64)

    def slopes(rows: Array) -> tuple[Array, Array]:
        whole = np.full((len(rows), *shown.row.shape), np.nan)
        whole[:, :length] = rows.reshape(len(rows), length, channels)
        scores, found = output.slopes(whole)
        return scores, found.reshape(whole.shape)[:, :length].reshape(len(rows), -1)

    found = integrated_gradients(slopes, few.ravel(), mean[:length].ravel(), numbers=numbers)
    return found, found.values.reshape(length, channels)


def mean_series(rows: Array) -> Array:
    """The mean ``[T, C]`` of series ``[N, T, C]`` at each step; where none has the step, the mean of the channel.

    >>> mean_series(np.array([[[1.0], [np.nan], [np.nan]], [[3.0], [5.0], [np.nan]]])).tolist()
    [[2.0], [5.0], [3.0]]
    """
    rows = rows.astype(np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of steps that no series has
        found: Array = np.nanmean(rows, axis=0)
    missing = np.isnan(found)
    found[missing] = np.broadcast_to(np.nanmean(rows, axis=(0, 1)), found.shape)[missing]
    return found
