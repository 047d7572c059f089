"""A trained network with its weights, its preprocessing and its task: from preprocessed rows to answers.

A model is one network or an ensemble of K networks of the same description, whose probabilities (or numbers) are
averaged. The forward pass is the textbook's (`pellucid.engines.textbook`), so a model predicts wherever NumPy and
PyArrow are. `pellucid.model.model.Model` adds what a user asks for: rows of any kind, tables, metrics, the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.dependence.row_hashes import row_hashes
from pellucid.data.numbers.style import styles_from_json
from pellucid.data.origins import labels_of
from pellucid.data.tables import Table
from pellucid.model.answering import answers_of, logits_of, mean_logits
from pellucid.model.forecasting import Forecaster
from pellucid.model.odd_cells import notes_on_odd_cells
from pellucid.model.seen import Seen
from pellucid.network import Network
from pellucid.network.task import Task
from pellucid.preparation.reading import settings_in
from pellucid.preprocessing.features import Features, rows_for
from pellucid.preprocessing.recipe import Recipe
from pellucid.preprocessing.steps.image import ImageStep
from pellucid.preprocessing.steps.series import SeriesStep
from pellucid.preprocessing.target import TargetScaler
from pellucid.settings.settings import Settings

__all__ = ["TrainedModel"]

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class TrainedModel:
    """A network, or an ensemble of them, with its weights, its preprocessing and its task.

    Attributes
    ----------
    network, task, recipe, scaler
        What turns a row into an answer; ``scaler`` maps a regression's output back to the target's own unit.
    parameters
        The weights, by name; of an ensemble those of its first network (`members` holds all).
    facts
        What else the model file says: ``metrics``, ``libraries``, ``settings``, ``schema``; and ``residuals``, if an
        estimator stored them.
    more
        The weights of the second network of an ensemble, the third, ….
    """

    network: Network
    task: Task
    recipe: Recipe
    scaler: TargetScaler | None
    parameters: Mapping[str, Array]
    facts: Mapping[str, Any]
    more: tuple[Mapping[str, Array], ...] = ()

    def __repr__(self) -> str:
        """One line; the weights are in ``parameters``."""
        several = f"{len(self.members):,} networks of " if self.more else ""
        return (
            f"<Model: {self.task.question}, {several}{self.network.outline()}, {self.network.n_trainable:,} parameters>"
        )

    @property
    def members(self) -> tuple[Mapping[str, Array], ...]:
        """The weights of every network, by name: one set, or K of an ensemble."""
        return (self.parameters, *self.more)

    @cached_property
    def seen(self) -> Seen:
        """What it remembers of the rows it was trained on: little, and nothing in a file of an older Pellucid."""
        return Seen.of_schema(self.facts.get("schema"))

    @cached_property
    def forecaster(self) -> Forecaster | None:
        """What it keeps of its series, if it forecasts; else None."""
        schema = self.facts.get("schema")
        kept = schema.get("forecast") if isinstance(schema, Mapping) else None
        return None if kept is None else Forecaster.from_json(kept)

    @property
    def image(self) -> ImageStep | None:
        """How images are read, for a model of images; else None."""
        return next((step for step in self.recipe.steps if isinstance(step, ImageStep)), None)

    @property
    def series(self) -> SeriesStep | None:
        """How series are read, for a model of series; else None."""
        return next((step for step in self.recipe.steps if isinstance(step, SeriesStep)), None)

    def features(self, table: Table) -> Features:
        """What the network sees of the rows of a table."""
        return self.recipe.transform(table, dtype=next(iter(self.parameters.values())).dtype)

    def inputs(self, table: Table) -> Array:
        """The same as the array that the network takes: ``[N, features]``, or pictures ``[N, C, H, W]``."""
        return rows_for(self.network.shape, self.features(table))

    def answers(self, table: Table) -> Array:
        """Probabilities ``[N, classes]``, values ``[N]`` in the target's own unit, or features ``[N, features]``."""
        return self.answers_to(self.inputs(table))

    def answers_to(self, inputs: Features | Array) -> Array:
        """The same for rows that are preprocessed already: features, or an array as `rows_for` takes it.

        Of an ensemble the mean.
        """
        inputs = rows_for(self.network.shape, inputs)
        total = self._answers_of(self.parameters, inputs)
        for parameters in self.more:
            total += self._answers_of(parameters, inputs)
        if self.more:
            total /= len(self.members)
        return total

    def answers_of_members(self, inputs: Features | Array) -> Array:
        """What each of the K networks answers alone: ``[K, N, classes]``, ``[K, N]`` or ``[K, N, features]``."""
        inputs = rows_for(self.network.shape, inputs)
        return np.stack([self._answers_of(parameters, inputs) for parameters in self.members])

    def _answers_of(self, parameters: Mapping[str, Array], inputs: Array) -> Array:
        return answers_of(self.network, self.task, self.scaler, parameters, inputs)

    def logits(self, inputs: Array) -> Array:
        """What the network's last layer gives for preprocessed rows ``[N, features]``: ``[N, outputs]``.

        Of an ensemble the logits that belong to its answers; see `mean_logits`.
        """
        inputs = rows_for(self.network.shape, inputs)
        each = [logits_of(self.network, parameters, inputs) for parameters in self.members]
        return mean_logits(self.task, np.stack(each)) if self.more else each[0]

    def labels(self, answers: Array) -> Array:
        """From probabilities ``[N, classes]`` to the most probable class; numbers stay as they are.

        Of two classes, the second from the threshold on that an estimator was fitted with, if it was another than ½.
        """
        if not self.task.is_classification:
            return answers
        chosen: Array = labels_of(None, self.task.classes)[self.class_numbers(answers)]
        return chosen

    def class_numbers(self, answers: Array) -> Array:
        """From probabilities ``[N, classes]`` to the numbers ``[N]`` of the classes that are answered."""
        if len(self.task.classes) == 2 and (threshold := self._threshold()) is not None:
            second: Array = (answers[:, 1] >= threshold).astype(np.intp)
            return second
        most_probable: Array = answers.argmax(axis=1)
        return most_probable

    @cached_property
    def classes_as_given(self) -> Array:
        """The classes ``[C]`` in the type that the target had: numbers, truth values, dates, intervals, texts."""
        schema = self.facts.get("schema")
        return labels_of(schema.get("labels") if isinstance(schema, Mapping) else None, self.task.classes)

    def _threshold(self) -> float | None:
        """What an estimator stored beside the schema; ``None`` for ½, where the more probable class is meant."""
        schema = self.facts.get("schema")
        stored = schema.get("estimator") if isinstance(schema, Mapping) else None
        value = stored.get("threshold") if isinstance(stored, Mapping) else None
        return value if isinstance(value, float) and 0 <= value <= 1 and value != 0.5 else None

    def read_settings(self) -> Settings:
        """The settings that also matter after training, checked: they come from the file."""
        return settings_in(self.facts.get("settings", {}))

    def groups_of(self, table: Table) -> Array | None:
        """``[N]`` which rows belong together, by the column that the training was told of; `None` without it."""
        group = self.read_settings().group
        return row_hashes(table, [group]) if group in table.names else None

    def remarks(self, table: Table) -> tuple[str, ...]:
        """What the user should know of rows that the model answers: how they were read, and which cells are odd."""
        styles = styles_from_json(self.facts.get("schema"))
        percents = [name for name, style in styles.items() if style is not None and style.percent == "percent"]
        return (*table.report.notes, *notes_on_odd_cells(self.recipe, table, self.seen.columns, percents))
