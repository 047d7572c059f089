"""From a table and settings to the numbers that training sees."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.builtin import BUILTIN, load_builtin
from pellucid.data.duplicates import drop_rows_seen_in, row_hashes
from pellucid.data.schema import Schema, infer_schema
from pellucid.data.splits import Split, split_rows
from pellucid.data.tables import Table, read_table
from pellucid.data.target import Target, encode_target, read_target
from pellucid.errors import DataError, SettingError
from pellucid.network import Network, mlp
from pellucid.preprocessing.categorical import CategoricalStep
from pellucid.preprocessing.recipe import Recipe
from pellucid.preprocessing.target import TargetScaler
from pellucid.task import Loss, Task
from pellucid.training.loop import Rows
from pellucid.workflow.settings import Settings

__all__ = ["Held", "Prepared", "examine", "open_table", "prepare", "settings_for"]

Array = NDArray[Any]

_MANY_IN_ONE = 0.2  # of the rows in the feature of the rarer categories: worth a word


@dataclass(frozen=True, kw_only=True)
class Held:
    """The rows that measure the outcome."""

    name: str  # "test", "validation" or "training"
    rows: Array  # [N] row numbers of their table
    inputs: Array  # [N, features] what the network sees of them
    truth: Array  # [N] class numbers, or values in the target's own unit
    groups: Array | None = None  # [N] which rows belong together


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """All that training needs, and what was decided on the way."""

    name: str
    settings: Settings
    table: Table
    schema: Schema
    target: Target
    split: Split
    recipe: Recipe
    scaler: TargetScaler | None
    task: Task
    network: Network
    train: Rows
    validation: Rows
    measured: Held
    notes: tuple[str, ...]

    def fingerprint(self) -> str:
        """A digest of the settings and of every number that the run sees."""
        digest = hashlib.sha256(repr(sorted(self.settings.to_json().items())).encode())
        digest.update(repr(self.network.to_json()).encode())
        seen = (self.train, self.validation)
        for array in (
            *(a for rows in seen for a in (rows.inputs, rows.targets)),
            self.measured.inputs,
            self.measured.truth,
        ):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


def settings_for(data: object, *given: Mapping[str, Any]) -> Settings:
    """The settings for a table: a built-in set knows its target and more; what is given goes before that."""
    if _is_builtin(data):
        return Settings.of({"target": BUILTIN[str(data)].target, **BUILTIN[str(data)].settings}, *given)
    return Settings.of(*given)


def _is_builtin(data: object) -> bool:
    return isinstance(data, str) and data in BUILTIN and not Path(data).is_file()


def open_table(data: object, settings: Settings) -> tuple[Table, str]:
    """Read ``data``, a path, a built-in name or a frame; returns the table and a name for it."""
    if _is_builtin(data):
        return load_builtin(str(data))[0], str(data)
    if isinstance(data, Table):
        return data, "table"
    if not isinstance(data, str | os.PathLike):
        return read_table(data, **_reading(settings, file=False)), "table"
    try:
        table = read_table(data, **_reading(settings, file=True))
    except DataError as error:
        if not Path(data).exists() and os.sep not in str(data) and "." not in str(data):
            raise DataError(f"{error}; built-in sets are {', '.join(BUILTIN)}") from error
        raise
    return table, Path(data).name.split(".")[0] or "table"


def prepare(data: object, settings: Settings, *, test_data: object = None) -> Prepared:
    """Read, type, split and preprocess; everything that is fitted is fitted on training rows only.

    Raises
    ------
    DataError, SettingError
        The table or a setting cannot be used; the message says which column or line, and the remedy.
    """
    table, schema, name, settings = examine(data, settings)
    if settings.target is None:
        last = table.arrow.column_names[-1]
        raise SettingError(f"which column is to be predicted? Give target (--target); the last is {last!r}")
    target = read_target(table, settings.target, task=settings.task)  # type: ignore[arg-type]
    if not schema.features:
        raise DataError(
            f"no column is left to predict {settings.target!r} from: all others were dropped "
            "(see the schema with 'pellucid inspect'); keep one with keep=… (--keep)"
        )
    notes = [*table.report.notes, *schema.warnings, *target.notes]

    given_test = test_data if test_data is not None else settings.test_data
    if given_test is None:
        split = split_rows(
            table, schema, target, validation=settings.validation, test=settings.test, seed=settings.seed
        )
        test_table, test_rows, test_truth = table, split.test, target.at(split.test)
    else:
        test_table = read_table(given_test, **_reading(settings, file=isinstance(given_test, str | os.PathLike)))
        split = split_rows(table, schema, target, validation=settings.validation, test=0.0, seed=settings.seed)
        test_truth, test_rows, test_notes = encode_target(test_table, settings.target, target.task_kind, target.classes)
        split, dropped = _without_test_rows(split, test_table, table, schema)
        split = replace(split, how=f"{split.how}; the test rows are those of {test_table.report.source}")
        notes += [*test_notes, *dropped]
    notes += split.notes

    recipe = Recipe.fit(
        table,
        schema,
        split.train,
        scaling=settings.scaling,  # type: ignore[arg-type]
        max_categories=settings.max_categories,
        rare_below=settings.rare_below,
    )
    notes += _shared_features(recipe)
    if not len(split.validation):
        notes.append("no validation rows: the best epoch is chosen by the loss of the training rows themselves")
    train_values = target.at(split.train)
    task = _task(settings, target, train_values)
    scaler = None if task.is_classification else TargetScaler.fit(train_values)
    network = mlp(
        len(recipe.feature_names),
        settings.hidden,
        task.outputs,
        activation=settings.activation,
        batch_norm=settings.batch_norm,
        dropout=settings.dropout,
    )

    inputs = recipe.transform(table, dtype=np.dtype(settings.precision))
    train = _rows(task, scaler, inputs[split.train], train_values)
    has_validation = len(split.validation) > 0
    validation = _rows(task, scaler, inputs[split.validation], target.at(split.validation)) if has_validation else train
    if len(test_rows):
        same = test_table is table
        test_inputs = inputs[test_rows] if same else recipe.transform(test_table.take(test_rows), dtype=inputs.dtype)
        measured = Held(name="test", rows=test_rows, inputs=test_inputs, truth=test_truth)
        measured_table = test_table
    else:
        part, rows = ("validation", split.validation) if has_validation else ("training", split.train)
        measured = Held(name=part, rows=rows, inputs=inputs[rows], truth=target.at(rows))
        measured_table = table
    if settings.group is not None and settings.group in measured_table.names:
        groups = row_hashes(measured_table, [settings.group])[measured.rows]
        measured = replace(measured, groups=groups)
        notes.append(
            f"the {measured.name} rows come from {len(np.unique(groups)):,} groups of {settings.group!r}; "
            "the intervals resample whole groups"
        )
    return Prepared(
        name=name,
        settings=settings,
        table=table,
        schema=schema,
        target=target,
        split=split,
        recipe=recipe,
        scaler=scaler,
        task=task,
        network=network,
        train=train,
        validation=validation,
        measured=measured,
        notes=tuple(dict.fromkeys(notes)),
    )


def examine(data: object, settings: Settings) -> tuple[Table, Schema, str, Settings]:
    """Read ``data`` and guess its schema; returns both, a name for the data and the settings with names resolved."""
    table, name = open_table(data, settings)
    settings = _resolve_names(settings, table.arrow.column_names)
    schema = infer_schema(
        table,
        target=settings.target,
        numeric=settings.numeric,
        categorical=settings.categorical,
        boolean=settings.boolean,
        date=settings.date,
        drop=settings.drop,
        keep=settings.keep,
        group=settings.group,
        time=settings.time,
    )
    return table, schema, name, settings


def _reading(settings: Settings, *, file: bool) -> dict[str, Any]:
    if not file:
        return {"missing": settings.missing} if settings.missing else {}
    return {
        "header": settings.header,
        "separator": settings.separator,
        "missing": settings.missing or None,
        "encoding": settings.encoding,
        "numeric_columns": settings.numeric,
    }


def _resolve_names(settings: Settings, columns: Sequence[str]) -> Settings:
    """Split ``"a,b"`` into two names where only the parts are columns."""
    there = set(columns)

    def parts(names: tuple[str, ...]) -> tuple[str, ...]:
        split: list[str] = []
        for name in names:
            pieces = [piece.strip() for piece in name.split(",")]
            split += pieces if name not in there and all(piece in there for piece in pieces) else [name]
        return tuple(split)

    lists = ("numeric", "categorical", "boolean", "date", "drop", "keep")
    return replace(settings, **{name: parts(getattr(settings, name)) for name in lists})  # type: ignore[arg-type]


def _without_test_rows(split: Split, test_table: Table, table: Table, schema: Schema) -> tuple[Split, list[str]]:
    seen = drop_rows_seen_in(test_table, table, schema)
    train, validation = np.setdiff1d(split.train, seen), np.setdiff1d(split.validation, seen)
    dropped = len(split.train) + len(split.validation) - len(train) - len(validation)
    if not dropped:
        return split, []
    if not len(train):
        raise DataError("every row to learn from is also a row of the test file: give other test rows")
    note = f"{dropped:,} rows are also in the test file and were left out of training"
    return replace(split, train=train, validation=validation), [note]


def _shared_features(recipe: Recipe) -> list[str]:
    """Columns of which many rows are known only as one of the rarer categories."""
    notes = []
    for step in recipe.steps:
        if isinstance(step, CategoricalStep) and (rows := sum(step.counts) + step.rare):
            share = step.rare / rows
            if share > _MANY_IN_ONE:
                notes.append(
                    f"column {step.name!r}: {share:.0%} of the training rows hold one of its rarer categories, which "
                    f"share one feature; max_categories (now {len(step.levels):,} kept) and rare_below decide which"
                )
    return notes


def _task(settings: Settings, target: Target, train_values: Array) -> Task:
    defaults = {"binary": "bce", "multiclass": "cross_entropy", "regression": "mse"}
    name = defaults[target.task_kind] if settings.loss == "auto" else settings.loss
    weights = None
    if settings.class_weight == "balanced":
        if target.task_kind == "regression":
            raise SettingError("class_weight balanced is for classes, but the target is a number")
        counts = np.bincount(train_values, minlength=len(target.classes))
        weights = tuple(float(w) for w in len(train_values) / (len(counts) * np.maximum(counts, 1)))
    loss = Loss(
        name=name,  # type: ignore[arg-type]
        label_smoothing=settings.label_smoothing,
        class_weights=weights,
        delta=settings.huber_delta,
    )
    assert settings.target is not None
    return Task(kind=target.task_kind, target=settings.target, classes=tuple(target.classes), loss=loss)


def _rows(task: Task, scaler: TargetScaler | None, inputs: Array, values: Array) -> Rows:
    """Targets in the shape that the loss takes: class numbers ``[N]``, or numbers ``[N, 1]``."""
    if task.kind == "multiclass":
        return Rows(inputs=inputs, targets=values.astype(np.int64))
    scaled = values.astype(np.float64) if scaler is None else scaler.transform(values)
    return Rows(inputs=inputs, targets=scaled[:, None])
