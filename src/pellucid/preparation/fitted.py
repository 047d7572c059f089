"""Everything that is fitted to training rows only: the recipe, the target's scale, the task and its network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.schema import Schema
from pellucid.data.tables import Table
from pellucid.data.target import Target
from pellucid.errors import SettingError
from pellucid.network import Network
from pellucid.network.task import Loss, Task
from pellucid.preparation.networks import network_of, notes_on_network, with_network
from pellucid.preparation.rows import PreparedRows, prepared_rows
from pellucid.preparation.sequence_network import tokens_for
from pellucid.preparation.weights import weights_of
from pellucid.preprocessing.features import Features
from pellucid.preprocessing.recipe import Recipe
from pellucid.preprocessing.steps.categorical import CategoricalStep
from pellucid.preprocessing.steps.piecewise import Bins, auto_bins
from pellucid.preprocessing.steps.text import TextStep, Words
from pellucid.preprocessing.steps.tokens import TokenStep
from pellucid.preprocessing.target import TargetScaler
from pellucid.settings.presets import PICTURES
from pellucid.settings.settings import Settings

__all__ = ["Fitted", "fit_to"]

Array = NDArray[Any]

_MANY_IN_ONE = 0.2  # of the rows in the feature of the rarer categories: worth a word
_TEXTS = 5_000  # of which tokens are counted


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What the training rows decide."""

    recipe: Recipe
    scaler: TargetScaler | None  # of a regression only
    task: Task
    network: Network
    settings: Settings  # with the network decided
    notes: tuple[str, ...]

    def rows(self, features: Features, values: Array | None) -> PreparedRows:
        """Encoded rows with the targets ``[N]`` that belong to them (``None``: a reconstruction)."""
        return prepared_rows(self.task, self.scaler, features, values, self.network.shape)


def fit_to(rows: Array, table: Table, schema: Schema, target: Target | None, settings: Settings) -> Fitted:
    """Fit everything to ``rows`` of a table.

    Parameters
    ----------
    rows
        The numbers (from 0) of the training rows.
    table, schema
        The table, and what its columns are.
    target
        What is predicted; ``None`` for a reconstruction.
    settings
        Those of the run.

    Raises
    ------
    DataError, SettingError
        A column cannot be encoded, or a setting does not suit the target.
    """
    values = None if target is None else target.at(rows)
    weights = weights_of(table, settings)
    weights = None if weights is None else weights[rows]
    tokens = tokens_for(settings)
    recipe = Recipe.fit(
        table,
        schema,
        rows,
        scaling=settings.scaling,  # type: ignore[arg-type]
        bins=_bins(settings, target, values, len(rows)),
        max_categories=settings.max_categories,
        rare_below=settings.rare_below,
        weights=weights,
        words=None if tokens else _words(settings, target, values),
        tokens=tokens,
        series_scaling=settings.series_scaling,  # type: ignore[arg-type]
    )
    width = len(recipe.feature_names)
    if settings.label_smoothing == PICTURES["label_smoothing"] and settings.preset == "pictures":
        classes = target is not None and target.task_kind != "regression"
        settings = settings if classes else replace(settings, label_smoothing=0.0)  # the preset means it for classes
    task = _task(settings, target, values, width, weights)
    scaler = _scaler(settings, task, values, weights)
    settings = with_network(settings, recipe, len(rows), reconstruction=target is None)
    return Fitted(
        recipe=recipe,
        scaler=scaler,
        task=task,
        network=network_of(settings, recipe, task),
        settings=settings,
        notes=(*_notes(recipe), *_notes_on_tokens(recipe, table, rows), *notes_on_network(settings, recipe)),
    )


def _notes_on_tokens(recipe: Recipe, table: Table, rows: Array) -> list[str]:
    """How many training texts are empty or cut, of many texts by a sample of them."""
    step = recipe.only
    if not isinstance(step, TokenStep):
        return []
    some = rows[np.linspace(0, len(rows) - 1, min(len(rows), _TEXTS)).astype(np.int64)]
    counts = step.counts(table.take(some).column(step.name))
    sample = " training texts" if len(some) == len(rows) else " sampled training texts"
    empty = f"column {step.name!r}: {counts.empty:,} of {counts.rows:,}{sample} {'is' if counts.empty == 1 else 'are'}"
    cut = step.cut_note(counts)
    return ([f"{empty} empty, so only their share of the classes is known"] if counts.empty else []) + (
        [cut] if cut is not None else []
    )


def _scaler(settings: Settings, task: Task, values: Array | None, weights: Array | None) -> TargetScaler | None:
    """The scale of a number to predict."""
    log = settings.target_transform == "log"
    if task.kind == "regression" and values is not None:
        return TargetScaler.fit(values, weights, log=log)
    if log:
        raise SettingError(f"target_transform log is for numbers, but this is a {task.kind}: leave it out")
    return None


def _bins(settings: Settings, target: Target | None, train_values: Array | None, n_rows: int) -> Bins | None:
    """How numbers are cut into bins, given the number of training rows; ``None`` if they are not."""
    if settings.number_encoding == "plain":
        return None
    return Bins(
        most=settings.bins or auto_bins(n_rows),
        by=settings.bins_by,  # type: ignore[arg-type]
        target=train_values,
        classes=target is not None and target.task_kind != "regression",
        scaled_too=settings.number_encoding == "both",
    )


def _words(settings: Settings, target: Target | None, train_values: Array | None) -> Words:
    """How the terms of text columns are found."""
    return Words(
        most=settings.max_words,
        units=settings.text_units,
        target=train_values,
        classes=target is not None and target.task_kind != "regression",
    )


def _task(
    settings: Settings, target: Target | None, train_values: Array | None, width: int, row_weights: Array | None
) -> Task:
    kind = "reconstruction" if target is None else target.task_kind
    defaults = {"binary": "bce", "multiclass": "cross_entropy"}
    name = defaults.get(kind, "mse") if settings.loss == "auto" else settings.loss
    weights = None
    if settings.class_weight == "balanced":
        if target is None or train_values is None or target.task_kind == "regression":
            seen = "a reconstruction has none" if target is None else "the target is a number"
            raise SettingError(f"class_weight balanced is for classes, but {seen}")
        counts = np.bincount(train_values, weights=row_weights, minlength=len(target.classes))
        least = 1 if row_weights is None else row_weights.min()
        weights = tuple(float(w) for w in counts.sum() / (len(counts) * np.maximum(counts, least)))
    loss = Loss(
        name=name,  # type: ignore[arg-type]
        label_smoothing=settings.label_smoothing,
        class_weights=weights,
        delta=settings.huber_delta,
    )
    if target is None:
        return replace(Task.reconstruction(width), loss=loss)
    return Task(kind=target.task_kind, target=target.name, classes=tuple(target.classes), loss=loss)


def _notes(recipe: Recipe) -> list[str]:
    """How columns of text are encoded, and columns in which many rows hold rare categories."""
    notes = [_said_of_text(step) for step in recipe.steps if isinstance(step, TextStep)]
    for step in recipe.steps:
        if isinstance(step, CategoricalStep) and (rows := sum(step.counts) + step.rare):
            share = step.rare / rows
            if share > _MANY_IN_ONE:
                notes.append(
                    f"column {step.name!r}: {share:.0%} of the training rows hold rare categories, which share one "
                    f"feature ({len(step.levels):,} have their own); --max-categories keeps more, --rare-below keeps "
                    "rarer ones"
                )
    return notes


def _said_of_text(step: TextStep) -> str:
    """How a column of text is encoded, and how to change that."""
    if not step.terms:
        return f"column {step.name!r} is text without words, so it is not used"
    if step.units == "characters":
        return (
            f"column {step.name!r} is text, encoded by runs of one to three characters ({len(step.terms):,} kept, "
            f"--max-words), as for languages without spaces; --text-units words splits it at spaces"
        )
    return (
        f"column {step.name!r} is text, encoded by words and pairs of words ({len(step.terms):,} kept, --max-words); "
        f"--drop {step.name!r} leaves it out"
    )
