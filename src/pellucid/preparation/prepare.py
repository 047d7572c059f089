"""From a table and settings to the numbers that training sees."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.builtin import BUILTIN
from pellucid.data.columns.series import series_shape
from pellucid.data.dependence.copies import counted_together
from pellucid.data.dependence.row_hashes import row_hashes
from pellucid.data.given import holds_images, holds_series, image_shape, is_builtin
from pellucid.data.notes import FlatteringNote, LeakNote
from pellucid.data.schema import Schema, infer_schema
from pellucid.data.splits import Split
from pellucid.data.tables import Table
from pellucid.data.target import Target, encode_target, read_target
from pellucid.data.texts.read import FORMATS as TEXT_FORMATS
from pellucid.errors import DataError, SettingError
from pellucid.network import Network
from pellucid.network.task import Task
from pellucid.preparation.augmenting import with_augmentation
from pellucid.preparation.division import split_of, without_test_rows
from pellucid.preparation.doubts import Divided, Doubt, doubts_of
from pellucid.preparation.edited import fit_to_split
from pellucid.preparation.forecast_rows import ForecastRows
from pellucid.preparation.reading import check_markers
from pellucid.preparation.rows import EvaluationRows, PreparedRows
from pellucid.preparation.series import notes_on_steps, unused_beside_series, with_series_columns
from pellucid.preparation.sources import Source, open_source, open_table, open_test_table
from pellucid.preparation.weights import WHY, check_weight_column, note_on_weights, weights_of, weights_where_given
from pellucid.preprocessing.encoded_images import EncodedImages
from pellucid.preprocessing.features import Features
from pellucid.preprocessing.recipe import Recipe
from pellucid.preprocessing.target import TargetScaler
from pellucid.settings.presets import usual_preset
from pellucid.settings.sequences import SEQUENCE_NETWORKS
from pellucid.settings.settings import Settings

__all__ = ["Prepared", "examine", "open_table", "prepare", "settings_for"]

Array = NDArray[Any]

LABEL, FILE = "label", "file"  # the columns that tables of images have beside the images
# Settings that the first checkpoints do not know, at their defaults for a fully connected network.
_LATER: dict[str, Any] = {
    "residual": False, "network": "mlp", "channels": None, "kernel": 3, "depth": None, "pool": "max",
    "head": "auto",
    "skip_unreadable": False,
    "vocabulary": None, "length": None, "width": None, "embedding": None, "heads": 4, "bidirectional": None,
    "step_pool": "auto", "train_minutes": None,
    "series": None, "series_id": None, "series_time": None, "series_scaling": "auto",
    "augment": "none", "average": "none", "decay_biases": True,
    "forecast": None, "horizon": 12, "window": None, "season": None, "known": [],
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Everything that training needs, and the decisions made on the way."""

    name: str
    settings: Settings
    table: Table
    schema: Schema
    target: Target | None  # None for a reconstruction
    split: Split
    recipe: Recipe
    scaler: TargetScaler | None
    task: Task
    network: Network
    train: PreparedRows
    validation: PreparedRows
    measured: EvaluationRows
    notes: tuple[str, ...]
    doubts: tuple[Doubt, ...] = ()
    forecast: ForecastRows | None = None  # of a forecast

    @property
    def flattering(self) -> tuple[str, ...]:
        """The notes on what makes the measured figures better than they will be on new rows."""
        return tuple(note for note in self.notes if isinstance(note, FlatteringNote))

    @property
    def cautions(self) -> tuple[str, ...]:
        """The same in one line each, with the option that helps."""
        short: dict[str, str] = {doubt.note: doubt.short for doubt in self.doubts}
        return tuple(note.short if isinstance(note, LeakNote) else short.get(note, note) for note in self.flattering)

    @property
    def n_choosing(self) -> int:
        """How many validation rows choose a network's best epoch; 0: the training rows choose it."""
        if len(self.split.validation) or self.settings.ensemble != "folds":
            return len(self.split.validation)
        return len(self.train) // self.settings.n_networks

    def fingerprint(self) -> str:
        """A digest of the settings and of every number that the run sees."""
        # As when the first checkpoints were written, so that they can be resumed: former names, and no later settings.
        settings = {name: value for name, value in self.settings.to_json().items() if _LATER.get(name, ...) != value}
        if settings["engine"] == "textbook":
            settings["engine"] = "numpy"
        digest = hashlib.sha256(repr(sorted(settings.items())).encode())
        digest.update(repr(self.network.to_json()).encode())
        seen = (self.train, self.validation)
        arrays = [*(a for rows in seen for a in (rows.inputs, rows.targets)), self.measured.inputs, self.measured.truth]
        arrays += [w for w in (*(rows.weights for rows in seen), self.measured.weights) if w is not None]
        for array in {id(a): a for a in arrays}.values():  # a reconstruction's targets are its inputs
            for block in array.blocks() if isinstance(array, EncodedImages) else [array]:
                digest.update(np.ascontiguousarray(block).data)
        return digest.hexdigest()


def settings_for(data: object, *given: Mapping[str, Any]) -> Settings:
    """The settings for a table: its default preset and the settings of a built-in set; those given override both."""
    asked = Settings.of(*given)
    drawn = asked.task == "reconstruction"
    known: dict[str, Any] = {"preset": usual_preset(_kind_of_training(data, asked))}
    if is_builtin(data):
        known |= {"target": BUILTIN[str(data)].target, **BUILTIN[str(data)].settings}
        if drawn:
            del known["target"]
    return Settings.of(known, *given)


def _kind_of_training(data: object, asked: Settings) -> str:
    """What `usual_preset` is asked about."""
    if asked.forecast is not None:
        return "forecast"
    if asked.task == "reconstruction":
        return asked.task
    series = holds_series(data, asked.series)
    if series and asked.network in ("auto", "conv"):
        return "series"
    if asked.network in SEQUENCE_NETWORKS:
        return "sequence"
    if holds_images(data) and not series:
        return "pictures" if asked.network != "mlp" else "pixels"
    return "table"


def prepare(data: object, settings: Settings, *, test_data: object = None, split: Split | None = None) -> Prepared:
    """Read, type, split and preprocess; everything that is fitted is fitted on training rows only.

    Parameters
    ----------
    data, settings
        The rows, and those of the run.
    test_data
        Separate test rows.
    split
        The parts of a series, which follow one another in time.

    Raises
    ------
    DataError, SettingError
        The table or a setting cannot be used; the message says which column or line, and the remedy.
    """
    source, schema, settings = _examine(data, settings)
    table = source.table
    weights = weights_of(table, settings)
    target = _target(table, settings, weights)
    _check_features(schema, target)
    notes = [*table.report.notes, *schema.warnings, *(target.notes if target is not None else ())]

    given_test = test_data if test_data is not None else settings.test_data
    test_table = source.test if given_test is None else open_test_table(given_test, settings, table)
    by_time = split is not None
    if test_table is None:
        split = split if split is not None else split_of(table, schema, target, settings, test=settings.test)
        test_table, test_rows = table, split.test
        test_truth = None if target is None else target.at(test_rows)
    else:
        split = split_of(table, schema, target, settings, test=0.0, test_table=test_table)
        test_truth, test_rows, test_notes = _truth(test_table, target, weights_where_given(test_table, settings)[0])
        split, dropped = without_test_rows(split, table, schema, target, test_table, test_truth, test_rows)
        where = f"those of {test_table.report.source}" if given_test is not None else "the source's own test part"
        split = replace(split, how=f"{split.how}; the test rows are {where}")
        notes += [*(note for note in test_table.report.notes if given_test is not None), *test_notes, *dropped]
    elsewhere: dict[str, Any] = {} if test_table is table else {"test_table": test_table, "test_rows": test_rows}
    divided = Divided(table=table, schema=schema, target=target, split=split, **elsewhere)
    doubts, dated = ((), ()) if by_time else doubts_of(divided)
    whole = split  # the rows that measure the outcome keep their labels
    split, fitted = fit_to_split(split, table, schema, target, settings)
    notes += [
        *notes_on_steps(fitted.recipe, table, split.train, **elsewhere),
        *split.notes,
        *(doubt.note for doubt in doubts),
        *dated,
        *fitted.notes,
    ]
    notes += [] if weights is None else [note_on_weights(weights, str(settings.sample_weight))]
    if not len(split.validation):
        notes.append("no validation rows: the best epoch is chosen by the loss of the training rows themselves")

    def encoded(of: Table, rows: Array) -> Features:
        return fitted.recipe.transform(of, rows=rows, dtype=np.dtype(settings.dtype))

    train = fitted.rows(encoded(table, split.train), None if target is None else target.at(split.train))
    validation = train = train.weighted(weights, split.train)
    train = with_augmentation(train, fitted.settings, fitted.task)
    if len(split.validation):
        values = None if target is None else target.at(split.validation)
        validation = fitted.rows(encoded(table, split.validation), values).weighted(weights, split.validation)
    if len(test_rows):
        name, source_rows, rows, truth = "test", test_table, test_rows, test_truth
        tested = encoded(test_table, test_rows)
    else:
        name, rows = ("validation", whole.validation) if len(whole.validation) else ("training", whole.train)
        tested = validation.features if whole is split else encoded(table, rows)
        source_rows, truth = table, None if target is None else target.at(rows)
    truth, shape = tested.flat if truth is None else truth, fitted.network.shape
    measured = EvaluationRows(name=name, source=source_rows, rows=rows, features=tested, truth=truth, shape=shape)
    columns = [column.name for column in schema.features]
    measured, said = _with_groups_and_files(measured, source_rows, settings.group, columns)
    measured, unweighted = _weighted(measured, settings)
    notes += [*said, *unweighted]
    return Prepared(
        name=source.name,
        settings=fitted.settings,
        table=table,
        schema=schema,
        target=target,
        split=split,
        recipe=fitted.recipe,
        scaler=fitted.scaler,
        task=fitted.task,
        network=fitted.network,
        train=train,
        validation=validation,
        measured=measured,
        notes=tuple(dict.fromkeys(notes)),
        doubts=doubts,
    )


def _check_features(schema: Schema, target: Target | None) -> None:
    if not schema.features:
        asked = f"predict {target.name!r} from" if target is not None else "reconstruct"
        raise DataError(
            f"no column is left to {asked}: all were dropped "
            "(see the schema with 'pellucid inspect'); keep one with keep=… (--keep)"
        )


def examine(data: object, settings: Settings) -> tuple[Table, Schema, str, Settings]:
    """Read ``data`` and guess its schema; returns both, a name for the data and the settings with names resolved."""
    source, schema, settings = _examine(data, settings)
    return source.table, schema, source.name, settings


def _examine(data: object, settings: Settings) -> tuple[Source, Schema, Settings]:
    if settings.task == "continuation":
        raise SettingError(
            "a text to be continued is no table with rows and a target: 'pellucid train' trains on it, and 'pellucid "
            "generate' lets the network write; leave out --task continuation for a table"
        )
    if settings.forecast is not None:
        raise SettingError(
            f"this command takes the rows of a table one by one, and {settings.forecast!r} is to be forecast from the "
            "rows before it: only 'pellucid train' does that; leave forecast out"
        )
    settings = with_series_columns(settings)
    source = open_source(data, settings)
    table = source.table
    check_markers(settings.missing, table)
    settings = _resolve_names(settings, table)
    of_texts = table.report.format in TEXT_FORMATS
    unused: dict[str, str] = {FILE: "the name of the file of each text"} if of_texts else {}
    if settings.task == "reconstruction":
        if settings.target is not None:
            raise SettingError(
                f"a reconstruction has no target, because it learns to reproduce its inputs, but target is "
                f"{settings.target!r}; leave it out (--drop {settings.target!r} hides the column from the network)"
            )
        unused |= _unused(data, table)
    elif settings.target is None and (_of_arrays(table) or of_texts) and LABEL in table.names:
        settings = replace(settings, target=LABEL)
    unused = {**unused, **unused_beside_series(table, settings)}
    if settings.sample_weight is not None:
        check_weight_column(settings)
        unused = {**unused, settings.sample_weight: WHY}
    schema = infer_schema(
        table,
        target=settings.target,
        numeric=settings.numeric,
        categorical=settings.categorical,
        boolean=settings.boolean,
        date=settings.date,
        text=("text", *settings.text) if of_texts and "text" not in settings.text else settings.text,
        drop=settings.drop,
        keep=settings.keep,
        group=settings.group,
        time=settings.time,
        unused=unused,
        day_first=settings.day_first,
    )
    return source, schema, settings


def _unused(data: object, table: Table) -> dict[str, str]:
    """The columns that a reconstruction does not use unless they are kept, and why."""
    if is_builtin(data):
        return {BUILTIN[str(data)].target: "the set's target, which a reconstruction does not use"}
    what = "images" if image_shape(table) is not None else "series"
    return {LABEL: f"reconstruction uses the {what} only"} if _of_arrays(table) else {}


def _of_arrays(table: Table) -> bool:
    return image_shape(table) is not None or series_shape(table) is not None


def _target(table: Table, settings: Settings, weights: Array | None) -> Target | None:
    """The target column, or None for a reconstruction; rows of weight 0 have none."""
    left_out = None if weights is None else weights == 0
    if settings.task == "reconstruction":
        if left_out is not None and left_out.any():
            raise DataError(
                f"sample_weight {settings.sample_weight!r} is 0 in {int(left_out.sum()):,} rows, and a reconstruction "
                "cannot leave rows out: remove them from the table"
            )
        return None
    if settings.target is None:
        if _of_arrays(table):
            what, all_ = ("image shows", "images") if image_shape(table) is not None else ("series is", "series")
            raise SettingError(
                f"which column says what each {what}? Give target (--target); without labels, "
                f"--task reconstruction learns to reproduce the {all_}"
            )
        last = table.arrow.column_names[-1]
        raise SettingError(f"which column is to be predicted? Give target (--target); the last is {last!r}")
    of_texts = table.report.format in TEXT_FORMATS
    labels = (_of_arrays(table) or of_texts) and settings.target == LABEL
    if labels and FILE in table.names and settings.task == "auto":
        _check_class_folders(table, "texts" if of_texts else "images")
    return read_target(table, settings.target, task=settings.task, labels=labels, left_out=left_out)  # type: ignore[arg-type]


def _check_class_folders(table: Table, what: str) -> None:
    """Refuse files of a single class, or with a single one in every class; ``what``: ``images`` or ``texts``."""
    counts = {each["values"]: each["counts"] for each in table.column(LABEL).value_counts().to_pylist()}
    source = table.report.source
    if len(counts) == 1:
        raise DataError(
            f"{source} holds {what} of one class only, {next(iter(counts))!r}, so there is nothing to tell apart: put "
            f"the {what} of each class in a folder of its own"
            + (", or use --task reconstruction, which needs no classes" if what == "images" else "")
        )
    if len(counts) > 1 and max(counts.values()) == 1:
        raise DataError(
            f"{source} holds a single {what[:-1]} in each of {len(counts):,} class folders: a network learns a class "
            f"from several; give at least 2 {what} in each folder, better 20 or more"
        )


def _truth(table: Table, target: Target | None, weights: Array | None) -> tuple[Array | None, Array, tuple[str, ...]]:
    """The targets of a further table (None for a reconstruction), the rows that have one, and notes."""
    if target is None:
        return None, np.arange(table.n_rows, dtype=np.int64), ()
    left_out = None if weights is None else weights == 0
    return encode_target(table, target.name, target.task_kind, target.classes, left_out=left_out)


def _weighted(held: EvaluationRows, settings: Settings) -> tuple[EvaluationRows, tuple[str, ...]]:
    weights, notes = weights_where_given(held.source, settings)
    return replace(held, weights=None if weights is None else weights[held.rows]), notes


def _with_groups_and_files(
    held: EvaluationRows, table: Table, group: str | None, features: Sequence[str]
) -> tuple[EvaluationRows, list[str]]:
    """The rows that measure, with what else their table knows of them, and a note on it."""
    notes: list[str] = []
    if group is not None and group in table.names:
        groups = row_hashes(table, [group])[held.rows]
        held = replace(held, groups=groups)
        notes.append(
            f"the {held.name} rows come from {len(np.unique(groups)):,} groups of {group!r}; "
            "the intervals take the groups into account"
        )
    elif held.groups is None:
        together, said = counted_together(table, features, held.rows, f"{held.name} rows")
        held = replace(held, groups=together)
        notes += said
    if image_shape(table) is not None and FILE in table.names:
        held = replace(held, files=table.column(FILE).take(held.rows))
    return held, notes


def _resolve_names(settings: Settings, table: Table) -> Settings:
    """The table's own names: ``"a,b"`` is two if only its parts are columns; a list's name is all its columns."""
    there, lists = set(table.names), table.report.lists

    def bare(name: str) -> str:
        return name if name in there or name.strip() not in there else name.strip()

    def parts(names: tuple[str, ...]) -> tuple[str, ...]:
        split: list[str] = []
        for name in map(bare, names):
            pieces = [piece.strip() for piece in name.split(",")]
            split += pieces if name not in there and all(piece in there for piece in pieces) else [name]
        return tuple(part for name in split for part in lists.get(name, (name,)))

    many = ("numeric", "categorical", "boolean", "date", "text", "drop", "keep")
    one = [name for name in ("target", "group", "time", "sample_weight") if getattr(settings, name) is not None]
    resolved: dict[str, Any] = {name: parts(getattr(settings, name)) for name in many}
    resolved |= {name: bare(getattr(settings, name)) for name in one}
    return replace(settings, **resolved)
