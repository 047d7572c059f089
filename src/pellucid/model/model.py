"""What a user asks of a trained model: answers to rows of any kind, predictions as tables, metrics, its file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.tables import Table
from pellucid.engines.textbook.forward import forward
from pellucid.errors import DataError, ModelFileError, SettingError
from pellucid.evaluation.bootstrap import Estimate
from pellucid.model.answering import rows_at_once
from pellucid.model.forecasting import coverage_noted
from pellucid.model.generating import LENGTH, Sampling, generated, refuse_text
from pellucid.model.measuring import evaluation_of
from pellucid.model.model_file import ModelContents, read_model, write_model
from pellucid.model.new_rows import made_to_fit
from pellucid.model.one_row import is_plain
from pellucid.model.predicting import Kept, answer_table, framed, kept_columns, warn_of
from pellucid.model.reading_rows import read_history, read_rows
from pellucid.model.seen import Seen
from pellucid.model.trained import TrainedModel
from pellucid.preprocessing.recipe import Recipe
from pellucid.preprocessing.target import TargetScaler

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["MODEL_FILE", "Model"]

Array = NDArray[Any]

MODEL_FILE = "model.safetensors"


class Model(TrainedModel):
    """A `TrainedModel` with what a user asks of it: answers to rows of any kind, tables, metrics, the file."""

    # ── answers ──

    def predict(
        self,
        data: object = None,
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
            and test images, the test images are taken. For a model of series: a ``.ts`` or UCR file, an array
            ``[N, T]`` or ``[N, T, C]``, or a table like that of training.
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
        if self.forecaster is not None:
            if keep is not None:
                raise SettingError("keep is not for forecasts, whose rows are still to come: leave it out")
            found = self.forecast(data, interval=interval)
            return found if interval is not None else found["prediction"]
        if data is None:
            raise SettingError("which rows? Give data: only a model that forecasts goes on without")
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
            chosen: Array = self.classes_as_given[self.class_numbers(answers)]
            return chosen
        return answers

    def forecast(
        self, data: object = None, *, steps: int | None = None, interval: float | None = None
    ) -> dict[str, Array]:
        """Continue the series that the model was trained on, or those of ``data``.

        Parameters
        ----------
        data
            A table with a longer or another history, as `train` takes it; rows without a value of the forecast column
            hold what is known in advance. Default: the training table's own end.
        steps
            How many steps; default: the horizon. Beyond it, forecasts were not tested.
        interval
            A share such as 0.9: with each forecast an interval that holds the true value in so many cases.

        Returns
        -------
        dict
            Columns: the series (if there are several), the time, ``prediction``, and the ends of the interval.

        Raises
        ------
        SettingError
            The model does not forecast.
        """
        found, notes = self.forecast_table(data, steps=steps, interval=interval)
        warn_of(notes)
        return dict(framed(None, Kept(), found))

    def forecast_table(
        self,
        data: object = None,
        *,
        steps: int | None = None,
        interval: float | None = None,
        how: Mapping[str, Any] | None = None,
    ) -> tuple[pa.Table, tuple[str, ...]]:
        """The same as a table, with notes for the user.

        Parameters
        ----------
        data, steps, interval
            As for `forecast`.
        how
            Reading settings for these rows alone.
        """
        forecaster, notes = self.forecaster, list[str]()
        if forecaster is None:
            raise SettingError(
                f"this model predicts {self.task.target!r} row by row and continues no series: train one with forecast="
            )
        if data is not None:
            table = read_history(self, data, how=how or {})
            forecaster, said = forecaster.read(table)
            notes += [*table.report.notes, *said]
        found = forecaster.forecast(self.answers, steps, interval=interval)
        notes += forecaster.notes(steps or forecaster.design.horizon, interval=interval)
        if interval is not None:
            notes += coverage_noted(self.facts.get("metrics", {}).get("forecast"))
        return found, tuple(notes)

    def predict_proba(self, data: object, *, strict: bool = False, fill_missing: bool = False) -> Array:
        """The probability of each class of ``task.classes`` for each row, ``[N, classes]``."""
        if self.task.kind == "reconstruction":
            raise DataError("a reconstruction has no classes, so there are no probabilities: use predict")
        refuse_text(self)
        if not self.task.is_classification:
            raise DataError(f"{self.task.target!r} is a number, so there are no probabilities: use predict")
        return self._answers(data, strict=strict, fill_missing=fill_missing)

    def _answers(self, data: object, *, strict: bool, fill_missing: bool) -> Array:
        """The answers for rows of any kind; one plain row goes past the reading of tables, which takes 2 ms."""
        refuse_text(self)
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
        blocks, shapes = self.network.blocks(), self.network.shapes()
        if len(blocks) < 2:
            raise SettingError("this network has no hidden layer, so there is no code: train one with hidden=(32,)")
        last = min(blocks[:-1], key=lambda block: prod(shapes[block.start]))[-1]
        inputs = self.inputs(self.table(data))
        many = rows_at_once(self.network)
        parts = [
            forward(self.network, self.parameters, inputs[i : i + many]).steps[last].outputs
            for i in range(0, len(inputs), many)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, *shapes[last]))

    # ── texts ──

    def generate(
        self,
        prompt: str = "",
        *,
        length: int = LENGTH,
        temperature: float = 0.8,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int = 0,
    ) -> Iterator[str]:
        """How a text goes on, piece by piece, by a model that was trained on a text.

        The same seed gives the same text on every machine.

        Parameters
        ----------
        prompt
            What to go on from; it is not repeated. Empty: as after an empty line.
        length
            How many characters to write.
        temperature, top_k, top_p
            How each token is drawn; see `pellucid.model.generating.Sampling`. Temperature 0 always takes the most
            probable token.
        seed
            Of the draws.

        Raises
        ------
        SettingError
            The model was trained for something else, or a number is out of range.
        DataError
            The prompt holds characters that the training text did not have.
        """
        sampling = Sampling(temperature=temperature, top_k=top_k, top_p=top_p)
        return generated(self, prompt, length=length, sampling=sampling, seed=seed)

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

        Parameters
        ----------
        data, strict, fill_missing
            As for `predict`.
        test_part_only
            Whether to read only the test images of a source that has both training and test images.
        how
            Reading settings for these rows alone.
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
        """Rows read as the training table was.

        Parameters
        ----------
        data, test_part_only, as_text, how
            See `pellucid.model.reading_rows.read_rows`.
        """
        return read_rows(self, data, test_part_only=test_part_only, as_text=as_text, how=how or {})

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
        """The metrics on rows whose target is known (for a reconstruction: any), with 95 % intervals.

        Parameters
        ----------
        data
            As for `predict`, with the target.
        seed
            Seed of the resampling that gives the intervals.
        strict, fill_missing
            As for `predict`.
        """
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
        """The metrics, on how many rows they were measured, and notes on these rows.

        Parameters
        ----------
        data, seed, strict, fill_missing
            As for `evaluate`.
        how
            Reading settings for these rows alone.
        """
        table = self.table(data, strict=strict, fill_missing=fill_missing, how=how)
        metrics, n_rows, said = evaluation_of(self, table, seed=seed)
        return metrics, n_rows, (*self.remarks(table), *said)

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
        n_inputs = len(recipe.feature_names)
        if contents.network.shape not in recipe.shapes:
            shapes = " or ".join("×".join(map(str, shape)) for shape in recipe.shapes)
            raise ModelFileError(
                f"{file}: the preprocessing gives rows of {shapes} numbers, the network takes "
                f"{'×'.join(map(str, contents.network.shape))}: the file is not consistent"
            )
        task = contents.task
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
        forecaster = model.forecaster
        if forecaster is not None and {*forecaster.design.names} < {step.name for step in recipe.steps}:
            raise ModelFileError(f"{file}: the windows and the preprocessing do not belong together")
        Seen.of_schema(model.facts["schema"])  # checked now, and not when it is asked for
        return model
