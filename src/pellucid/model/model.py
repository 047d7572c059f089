"""A trained model: from a table with the columns it knows to answers, without PyTorch.

A model is one network or an ensemble of K networks of the same description, whose probabilities (or numbers) are
averaged. The forward pass is the textbook's (`pellucid.engines.textbook`), so a model file predicts wherever NumPy and
PyArrow are.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.dependence.row_hashes import row_hashes
from pellucid.data.numbers.style import styles_from_json
from pellucid.data.origins import labels_of
from pellucid.data.tables import Table
from pellucid.engines.textbook.forward import forward
from pellucid.errors import DataError, ModelFileError, SettingError
from pellucid.evaluation.bootstrap import Estimate
from pellucid.model.answering import ROWS_AT_ONCE, answers_of, logits_of, mean_logits
from pellucid.model.measuring import evaluation_of
from pellucid.model.model_file import ModelContents, read_model, write_model
from pellucid.model.new_rows import made_to_fit
from pellucid.model.odd_cells import notes_on_odd_cells
from pellucid.model.one_row import is_plain
from pellucid.model.predicting import answer_table, framed, kept_columns, warn_of
from pellucid.model.seen import Seen
from pellucid.network import Dense, Network
from pellucid.network.task import Task
from pellucid.preparation.reading import settings_in
from pellucid.preparation.reading_rows import read_rows
from pellucid.preprocessing.image import ImageStep
from pellucid.preprocessing.recipe import Recipe
from pellucid.preprocessing.target import TargetScaler
from pellucid.settings.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["MODEL_FILE", "Model"]

Array = NDArray[Any]

MODEL_FILE = "model.safetensors"


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Model:
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
        layers = [layer for layer in self.network.layers if isinstance(layer, Dense)]
        widths = " → ".join(map(str, (self.network.inputs, *(layer.outputs for layer in layers))))
        several = f"{len(self.members):,} networks of " if self.more else ""
        return f"<Model: {self.task.question}, {several}{widths}, {self.network.n_trainable:,} parameters>"

    @property
    def members(self) -> tuple[Mapping[str, Array], ...]:
        """The weights of every network, by name: one set, or K of an ensemble."""
        return (self.parameters, *self.more)

    @cached_property
    def seen(self) -> Seen:
        """What it remembers of the rows it was trained on: little, and nothing in a file of an older Pellucid."""
        return Seen.of_schema(self.facts.get("schema"))

    @property
    def image(self) -> ImageStep | None:
        """How images are read, for a model of images; else None."""
        return next((step for step in self.recipe.steps if isinstance(step, ImageStep)), None)

    # ── answers ──

    def predict(
        self,
        data: object,
        *,
        keep: object = None,
        interval: float | None = None,
        strict: bool = False,
        fill_missing: bool = False,
    ) -> Any:
        """The answer for each row: a class label, a number in the target's own unit, or the row drawn again.

        What is to be said of odd cells comes as a `DataWarning` a column.

        Parameters
        ----------
        data
            A path, a pandas or polars frame, a dict of columns or a list of dicts, with the columns that the model
            was trained on in any order; others are ignored. For a model of images: a path of images (a folder, one
            image, a zip, idx or npz file), or an array ``[N, H, W]`` or ``[N, H, W, C]``: whole numbers from 0 to
            255, truth values, or fractions from 0 to 1; the type of the array says which, whatever its values are.
            Image files are brought to the size and channels that the model knows; of a source that brings training
            and test images, the test images are taken.
        keep
            Columns of ``data`` to carry along: a name, several, or ``"all"``.
        interval
            A share such as 0.9: with each number an interval that holds the true value in so many rows.
        strict
            Whether a cell that cannot be read is an error; else it is taken as missing.
        fill_missing
            Whether columns that ``data`` lacks are taken as missing in every row; else they are an error.

        Returns
        -------
        ndarray
            ``[N]``. Classes have the type that the target's cells had: whole numbers, truth values, dates, intervals or
            texts. For a reconstruction of images their pixels, ``[N, H, W, C]`` of bytes; for one of tables the
            standardised features that the network sees (``recipe.feature_names``), ``[N, features]``.
            With ``keep`` or ``interval`` a table instead, with columns as `prediction_table` has them: a frame of
            pandas or polars where ``data`` is one, else a dict of columns.
        """
        if keep is not None or interval is not None:
            read = self.read_rows(data)
            table = made_to_fit(self, read, strict=strict, fill_missing=fill_missing)
            found = self.prediction_table(table, interval=interval)
            kept = kept_columns(self, data, read, keep, found.column_names, as_written=False)
            warn_of(self.remarks(table))
            return framed(data, kept, found)
        answers = self._answers(data, strict=strict, fill_missing=fill_missing)
        if self.task.kind == "reconstruction" and len(self.recipe.steps) == 1 and self.image is not None:
            return self.image.decode(answers)
        if self.task.is_classification:
            chosen: Array = self._classes[self.class_numbers(answers)]
            return chosen
        return answers

    def predict_proba(self, data: object, *, strict: bool = False, fill_missing: bool = False) -> Array:
        """The probability of each class of ``task.classes`` for each row, ``[N, classes]``."""
        if self.task.kind == "reconstruction":
            raise DataError("a reconstruction has no classes, so there are no probabilities: use predict")
        if not self.task.is_classification:
            raise DataError(f"{self.task.target!r} is a number, so there are no probabilities: use predict")
        return self._answers(data, strict=strict, fill_missing=fill_missing)

    def _answers(self, data: object, *, strict: bool, fill_missing: bool) -> Array:
        """The answers for rows of any kind; one plain row goes past the reading of tables, which takes 2 ms."""
        row = data[0] if isinstance(data, list | tuple) and len(data) == 1 else data
        if isinstance(row, Mapping) and all(is_plain(step, row.get(step.name)) for step in self.recipe.steps):
            dtype = next(iter(self.parameters.values())).dtype
            return self.answers_to(self.recipe.transform_row(row, dtype=dtype)[np.newaxis])
        table = self.table(data, strict=strict, fill_missing=fill_missing)
        warn_of(self.remarks(table))
        return self.answers(table)

    def code(self, data: object) -> Array:
        """What the narrowest hidden layer makes of each row, ``[N, width]``: the first of equally narrow ones.

        Taken after the layer's activation, if it has one. For an autoencoder, whose waist is linear, this is its short
        description of the row.

        Raises
        ------
        SettingError
            The network has no hidden layer, or there are several networks, each with a code of its own.
        """
        if self.more:
            raise SettingError(
                f"each of these {len(self.members):,} networks has a code of its own, and their mean says nothing: "
                "train with n_networks=1 for one code"
            )
        places = [i for i, layer in enumerate(self.network.layers) if isinstance(layer, Dense)]
        if len(places) < 2:
            raise SettingError("this network has no hidden layer, so there is no code: train one with hidden=(32,)")
        widths = self.network.widths()
        narrowest = min(range(len(places) - 1), key=lambda i: widths[places[i]])
        last = places[narrowest + 1] - 1  # what stands before the next dense layer
        inputs = self.inputs(self.table(data))
        parts = [
            forward(self.network, self.parameters, inputs[i : i + ROWS_AT_ONCE]).steps[last].outputs
            for i in range(0, len(inputs), ROWS_AT_ONCE)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, widths[last]))

    def inputs(self, table: Table) -> Array:
        """What the network sees of a table: ``[N, features]``."""
        return self.recipe.transform(table, dtype=next(iter(self.parameters.values())).dtype)

    def answers(self, table: Table) -> Array:
        """Probabilities ``[N, classes]``, values ``[N]`` in the target's own unit, or features ``[N, features]``."""
        return self.answers_to(self.inputs(table))

    def answers_to(self, inputs: Array) -> Array:
        """The same for rows that are preprocessed already, ``[N, features]``; of an ensemble the mean."""
        total = self._answers_of(self.parameters, inputs)
        for parameters in self.more:
            total += self._answers_of(parameters, inputs)
        if self.more:
            total /= len(self.members)
        return total

    def answers_of_members(self, inputs: Array) -> Array:
        """What each of the K networks answers alone: ``[K, N, classes]``, ``[K, N]`` or ``[K, N, features]``."""
        return np.stack([self._answers_of(parameters, inputs) for parameters in self.members])

    def _answers_of(self, parameters: Mapping[str, Array], inputs: Array) -> Array:
        return answers_of(self.network, self.task, self.scaler, parameters, inputs)

    def logits(self, inputs: Array) -> Array:
        """What the network's last layer gives for preprocessed rows ``[N, features]``: ``[N, outputs]``.

        Of an ensemble the logits that belong to its answers; see `mean_logits`.
        """
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
    def _classes(self) -> Array:
        """The classes ``[C]`` in the type that the target had: numbers, truth values, dates, intervals, texts."""
        schema = self.facts.get("schema")
        return labels_of(schema.get("labels") if isinstance(schema, Mapping) else None, self.task.classes)

    def _threshold(self) -> float | None:
        """What an estimator stored beside the schema; ``None`` for ½, where the more probable class is meant."""
        schema = self.facts.get("schema")
        stored = schema.get("estimator") if isinstance(schema, Mapping) else None
        value = stored.get("threshold") if isinstance(stored, Mapping) else None
        return value if isinstance(value, float) and 0 <= value <= 1 and value != 0.5 else None

    # ── tables ──

    def table(
        self,
        data: object,
        *,
        test_part_only: bool = True,
        strict: bool = False,
        fill_missing: bool = False,
        how: Mapping[str, Any] | None = None,
    ) -> Table:
        """Rows that the model can answer: read as the training table was, and made to fit it (see `made_to_fit`).

        ``how`` are settings of reading for these rows alone.
        """
        read = self.read_rows(data, test_part_only=test_part_only, how=how)
        return made_to_fit(self, read, strict=strict, fill_missing=fill_missing)

    def read_rows(
        self,
        data: object,
        *,
        test_part_only: bool = True,
        as_text: Sequence[str] = (),
        how: Mapping[str, Any] | None = None,
    ) -> Table:
        """Rows read as the training table was (see `pellucid.preparation.reading_rows.read_rows`)."""
        return read_rows(self, data, test_part_only=test_part_only, as_text=as_text, how=how or {})

    def read_settings(self) -> Settings:
        """The settings that also matter after training, checked: they come from the file."""
        return settings_in(self.facts.get("settings", {}))

    def prediction_table(self, table: Table, *, interval: object = None) -> pa.Table:
        """``prediction`` and, for classes, ``probability_<class>`` for each row.

        With an ``interval`` such as 0.9, ``prediction_low`` and ``prediction_high`` as well. Of images that were read
        from files, ``file`` comes first. A reconstruction has one column ``reconstruction_error`` instead: the mean
        squared error over the standardised features.
        """
        return answer_table(self, table, interval)

    def evaluate(
        self, data: object, *, seed: int = 0, strict: bool = False, fill_missing: bool = False
    ) -> dict[str, Estimate]:
        """The metrics on rows whose target is known (for a reconstruction: any), with 95 % intervals."""
        found = self.evaluation(data, seed=seed, strict=strict, fill_missing=fill_missing)
        warn_of(found[2])
        return found[0]

    def evaluation(
        self,
        data: object,
        *,
        seed: int = 0,
        strict: bool = False,
        fill_missing: bool = False,
        how: Mapping[str, Any] | None = None,
    ) -> tuple[dict[str, Estimate], int, tuple[str, ...]]:
        """The metrics, on how many rows they were measured, and what the user should know of these rows."""
        table = self.table(data, strict=strict, fill_missing=fill_missing, how=how)
        metrics, n_rows, said = evaluation_of(self, table, seed=seed)
        return metrics, n_rows, (*self.remarks(table), *said)

    def groups_of(self, table: Table) -> Array | None:
        """``[N]`` which rows belong together, by the column that the training was told of; `None` without it."""
        group = self.read_settings().group
        return row_hashes(table, [group]) if group in table.names else None

    def remarks(self, table: Table) -> tuple[str, ...]:
        """What the user should know of rows that the model answers: how they were read, and which cells are odd."""
        styles = styles_from_json(self.facts.get("schema"))
        percents = [name for name, style in styles.items() if style is not None and style.percent == "percent"]
        return (*table.report.notes, *notes_on_odd_cells(self.recipe, table, self.seen.columns, percents))

    # ── the file ──

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file, whole or not at all.

        Raises
        ------
        SettingError
            A file is there whose name is not that of a model file.
        """
        if Path(path).suffix != ".safetensors" and Path(path).exists():
            raise SettingError(
                f"{os.fspath(path)!r} is there already, and a model file's name ends in .safetensors: name another"
            )
        contents = ModelContents(
            network=self.network,
            task=self.task,
            recipe=self.recipe.to_json(),
            target_scaler=None if self.scaler is None else self.scaler.to_json(),
            parameters=dict(self.parameters),
            more=tuple(dict(parameters) for parameters in self.more),
            residuals=self.facts.get("residuals"),
            **{name: self.facts.get(name, {}) for name in ("metrics", "libraries", "settings", "schema")},
        )
        write_model(Path(path), contents)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Model:
        """Read a model file, or the one in a run folder; every field is checked and nothing is executed.

        Raises
        ------
        ModelFileError
            The file is missing, damaged, altered, newer or hostile.
        """
        file = Path(path)
        if file.is_dir():
            file = file / MODEL_FILE
            if not file.exists():
                raise ModelFileError(f"{os.fspath(path)!r} holds no {MODEL_FILE}: is its run finished?")
        contents = read_model(file)
        recipe = Recipe.from_json(contents.recipe)
        scaler = None if contents.target_scaler is None else TargetScaler.from_json(contents.target_scaler)
        if len(recipe.feature_names) != contents.network.inputs:
            raise ModelFileError(
                f"{file}: the preprocessing gives {len(recipe.feature_names)} columns, the network takes "
                f"{contents.network.inputs}: the file is not consistent"
            )
        task, n_inputs = contents.task, contents.network.inputs
        fits = contents.network.outputs == task.outputs and (scaler is not None) == (task.kind == "regression")
        if not fits or (task.kind == "reconstruction" and task.outputs != n_inputs):
            raise ModelFileError(f"{file}: network, task and target scaling do not belong together")
        facts = {name: getattr(contents, name) for name in ("metrics", "libraries", "settings", "schema")}
        if contents.residuals is not None:
            facts["residuals"] = contents.residuals
        model = cls(
            network=contents.network,
            task=contents.task,
            recipe=recipe,
            scaler=scaler,
            parameters=contents.parameters,
            more=contents.more,
            facts=facts,
        )
        Seen.of_schema(model.facts["schema"])  # checked now, and not when it is asked for
        return model
