"""The recipe: how the columns of a table become the features of a network, fitted to the training rows only.

A recipe is a value: one step per column, each a frozen description with the statistics it needs. It finds columns by
name, so a later table may have them in any order, among others, and in other types. It is stored as JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import DTypeLike

from pellucid.data.columns.series import channel_names
from pellucid.errors import DataError, SettingError, nearest
from pellucid.preprocessing import checks
from pellucid.preprocessing.columns_given import as_arrow, check_present, columns_by_name
from pellucid.preprocessing.features import (
    COLUMNS,
    Columns,
    FeatureArray,
    Features,
    Images,
    Series,
    StoredImages,
    Tokens,
    unchecked,
)
from pellucid.preprocessing.steps.boolean import BooleanStep, fit_boolean
from pellucid.preprocessing.steps.both import BothStep, fit_both
from pellucid.preprocessing.steps.categorical import CategoricalStep, fit_categorical
from pellucid.preprocessing.steps.dates import DateStep, fit_date
from pellucid.preprocessing.steps.image import ImageStep, fit_image
from pellucid.preprocessing.steps.numeric import SCALINGS, NumericStep, Scaling, fit_numeric
from pellucid.preprocessing.steps.piecewise import Bins, PiecewiseStep, fit_piecewise
from pellucid.preprocessing.steps.series import SeriesScaling, SeriesStep, fit_series
from pellucid.preprocessing.steps.text import TextStep, Words, fit_text
from pellucid.preprocessing.steps.tokens import TokenStep, fit_tokens
from pellucid.preprocessing.steps.vocabulary import TokenSettings
from pellucid.preprocessing.values import FloatArray, IntArray, one_array

if TYPE_CHECKING:
    from pellucid.data.schema import Schema
    from pellucid.data.tables import Table

__all__ = ["InputColumn", "Recipe", "Step", "fit_number"]

FORMAT = 1


class Step(Protocol):
    """What every step offers: the names of its features, and the features of a column or of one value."""

    kind: ClassVar[str]

    @property
    def name(self) -> str:
        """The column."""

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the features."""

    def encode(self, column: Any, out: FloatArray) -> None:
        """Write the features of an Arrow column into ``out`` ``[rows, features]``, which holds zeros."""

    def encode_one(self, value: object) -> tuple[float, ...]:
        """The features of one value."""

    def to_json(self) -> dict[str, Any]:
        """The step as plain JSON values."""


_READERS: dict[str, Callable[[object, str], Step]] = {
    "numeric": NumericStep.from_json,
    "piecewise": PiecewiseStep.from_json,
    "both": BothStep.from_json,
    "boolean": BooleanStep.from_json,
    "categorical": CategoricalStep.from_json,
    "date": DateStep.from_json,
    "image": ImageStep.from_json,
    "text": TextStep.from_json,
    "tokens": TokenStep.from_json,
    "series": SeriesStep.from_json,
}


@dataclass(frozen=True, kw_only=True)
class InputColumn:
    """A column that the recipe reads, and what it is read as."""

    name: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One step for each column that the network reads, in the order of its inputs.

    Make one with `Recipe.fit`; `transform` and `transform_row` apply it.
    """

    steps: tuple[Step, ...]

    @classmethod
    def fit(
        cls,
        table: Table,
        schema: Schema,
        rows: IntArray,
        *,
        scaling: Scaling = "standard",
        bins: Bins | None = None,
        max_categories: int = 50,
        rare_below: int | float | None = None,
        weights: FloatArray | None = None,
        words: Words | None = None,
        tokens: TokenSettings | None = None,
        series_scaling: SeriesScaling = "auto",
        known: Mapping[str, Step] | None = None,
    ) -> Recipe:
        """Take the statistics of the schema's features from the training ``rows`` only.

        Parameters
        ----------
        table, schema
            The table, and what its columns are.
        rows
            The numbers (from 0) of the training rows.
        scaling
            For numeric columns: ``standard``, ``robust`` or ``quantile`` (see `numeric`).
        bins
            How numeric columns are encoded piecewise (see `piecewise`), instead of scaled; its target has a value for
            each of ``rows``. Not given: a number stays one feature.
        max_categories
            The most levels that a categorical column keeps; the others go into ``(rare)``.
        rare_below
            Levels seen fewer times than this go into ``(rare)``: a count, or a share of the training rows (a
            float below 1). Not given: 5, or 2 where there are fewer than 100 training rows.
        weights
            For each of ``rows`` how often it counts in the mean and the standard deviation of numbers.
        words
            How the terms of text columns are found; its target has a value for each of ``rows``.
        tokens
            What tokens text columns become, for a network that reads them one after the other; not given: texts become
            the weights of their words.
        series_scaling
            How columns of series are scaled (see `series`).
        known
            Steps of columns that are taken as they are, fitted before.

        Raises
        ------
        DataError, SettingError
            For a column that is not what the schema says, no rows, no features, a setting out of range.
        """
        if scaling not in SCALINGS:
            raise SettingError(f"scaling {scaling!r} is not known{nearest(str(scaling), SCALINGS)}")
        if type(max_categories) is not int or max_categories < 1:
            raise SettingError(f"max_categories must be a whole number of at least 1, got {max_categories!r}")
        rows = np.asarray(rows)
        threshold = _rare_count(rare_below, len(rows))
        if not len(rows):
            raise DataError("there are no training rows; give a table with more rows, or hold fewer out")
        for what, given in (("bins", bins), ("words", words)):
            if given is not None and given.target is not None and len(given.target) != len(rows):
                raise SettingError(
                    f"{what} need a target for each of {len(rows):,} training rows, got {len(given.target):,}"
                )
        columns = columns_by_name(table)
        check_present([c.name for c in schema.features], columns)
        n_texts = sum(column.kind == "text" for column in schema.features)
        index = pa.array(rows)
        fitted = dict(known or {})

        def fit_one(name: str, kind: str, layout: str | None) -> Step:
            cells = one_array(columns[name])
            kind = _kind_of_step(kind, cells.type)
            if kind == "image":
                return fit_image(name, cells, rows)
            if kind == "series":
                named = channel_names(table.arrow.schema.field(name))
                return fit_series(name, cells, rows, scaling=series_scaling, channel_names=named)
            return fit_cells(name, kind, cells.take(index), layout)

        def fit_cells(name: str, kind: str, cells: Any, layout: str | None) -> Step:
            match kind:
                case "numeric":
                    return fit_number(name, cells, scaling, bins, weights)
                case "boolean":
                    return fit_boolean(name, cells)
                case "date":
                    return fit_date(name, cells, layout=layout)
                case "text":
                    texts = fit_text(name, cells, words, n_columns=n_texts) if tokens is None else None
                    return texts or fit_tokens(name, cells, tokens)
                case _:
                    return fit_categorical(name, cells, max_categories=max_categories, rare_below=threshold)

        steps = [fitted.get(c.name) or fit_one(c.name, c.kind, c.layout) for c in schema.features]
        recipe = cls(steps=tuple(steps))
        if not recipe.feature_names:
            raise DataError(
                "no column is left to learn from: all are dropped, constant, or have only rare levels; "
                "see `pellucid inspect` for the reasons, and keep a column with --keep"
            )
        return recipe

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the network's inputs, in order."""
        return tuple(name for step in self.steps for name in step.features)

    @cached_property
    def columns(self) -> tuple[InputColumn, ...]:
        """The columns that are read."""
        return tuple(InputColumn(name=step.name, kind=step.kind) for step in self.steps)

    @cached_property
    def places(self) -> dict[str, slice]:
        """For each column, where its features stand among the network's inputs; `features_of` puts them to use."""
        found: dict[str, slice] = {}
        at = 0
        for step in self.steps:
            found[step.name] = slice(at, at + len(step.features))
            at += len(step.features)
        return found

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shapes that a row can have for a network: a list of numbers; pictures alone also channels of maps."""
        flat = (len(self.feature_names),)
        match self.only:
            case ImageStep() as image:
                return flat, (image.channels, image.height, image.width)
            case SeriesStep() as series:
                return flat, series.shape
            case _:
                return (flat,)

    def features_of(self, values: FloatArray) -> Features:
        """The columns of numbers ``[N, F]`` in the order of the network's inputs: encoded rows, weights, gradients.

        Images alone are an array of images; beside other columns their pixels are features of the matrix, since a
        network takes one array. Nothing is copied, and the numbers are not checked.
        """
        match self.only:
            case ImageStep() as image:
                return unchecked({image.name: Images.of_pixels(values, image.shape)})
            case TokenStep() as text:
                return unchecked({text.name: Tokens.of_ids(values)})
            case SeriesStep() as series:
                whole = np.full(len(values), series.steps)
                return unchecked({series.name: Series(values=values.reshape(-1, *series.shape), lengths=whole)})
            case _:
                return unchecked({COLUMNS: Columns(values=values, places=self.places)})

    @cached_property
    def only(self) -> Step | None:
        """The step of the only column; ``None`` where there are several columns."""
        return self.steps[0] if len(self.steps) == 1 else None

    def transform(
        self, table: Table | Mapping[str, Any], *, rows: IntArray | None = None, dtype: DTypeLike = np.float32
    ) -> Features:
        """What the network sees of the rows of a table; its numbers are always finite.

        Images alone stay bytes (`StoredImages`): no pixel is copied, and none encoded before it is needed. Tokens are
        whole numbers, whatever ``dtype`` says.

        Parameters
        ----------
        table
            A `Table`, an Arrow table, or columns by name (Arrow, NumPy, pandas or polars columns, or lists).
        rows
            The numbers (from 0) of the rows that are meant, of a `Table` or an Arrow table; ``None``: all.
        dtype
            ``float32`` or ``float64``.

        Raises
        ------
        DataError
            For missing columns (all are named), a text in place of a number, an infinity, unequal lengths.
        """
        columns = columns_by_name(table)
        check_present([step.name for step in self.steps], columns)
        if isinstance(table, Mapping):
            columns = as_arrow({step.name: columns[step.name] for step in self.steps})
        only = self.only
        if isinstance(only, ImageStep) and not isinstance(columns[only.name], list):
            encoded = only.encoded(one_array(columns[only.name]), rows, dtype)
            return unchecked({only.name: StoredImages(encoded)})
        if rows is not None:
            columns = {step.name: columns[step.name].take(pa.array(rows)) for step in self.steps}
        if isinstance(only, TokenStep | SeriesStep) and not isinstance(columns[only.name], list):
            return unchecked({only.name: _sequences(only, one_array(columns[only.name]), dtype)})
        n_rows = len(next(iter(columns.values()))) if columns else 0
        out = np.zeros((n_rows, len(self.feature_names)), dtype=dtype)
        for step in self.steps:
            block = out[:, self.places[step.name]]
            column = columns[step.name]
            if isinstance(column, list):
                _encode_cells(step, column, block)
            else:
                step.encode(one_array(column), block)
        return self.features_of(out)

    def transform_row(self, row: Mapping[str, object], *, dtype: DTypeLike = np.float32) -> FloatArray:
        """The network's inputs ``[features]`` of one row, column → value: the same numbers as ``transform(…).flat``.

        Raises
        ------
        DataError
            As `transform` does.
        """
        if not isinstance(row, Mapping):
            raise DataError(f"a row must be given as column → value, got {type(row).__name__}")
        values: list[float] = []
        try:
            for step in self.steps:
                values += step.encode_one(row[step.name])
        except KeyError:
            check_present([step.name for step in self.steps], row)
            raise
        return np.array(values, dtype=np.float64).astype(np.int64 if isinstance(self.only, TokenStep) else dtype)

    def to_json(self) -> dict[str, Any]:
        """The recipe as plain JSON values; numbers survive the way there and back exactly."""
        return {"format": FORMAT, "steps": [step.to_json() for step in self.steps]}

    @classmethod
    def from_json(cls, value: object) -> Recipe:
        """Read what `to_json` wrote, checking every field; raises `ModelFileError` and nothing else."""
        v = checks.fields(value, "recipe", ("format", "steps"))
        checks.whole(v["format"], "recipe.format", FORMAT, FORMAT)
        steps: list[Step] = []
        width = 0
        for i, item in enumerate(checks.listing(v["steps"], "recipe.steps", checks.MAX_COLUMNS)):
            where = f"recipe.steps[{i}]"
            kind = checks.choice(item.get("kind") if isinstance(item, dict) else item, f"{where}.kind", _READERS)
            steps.append(_READERS[kind](item, where))
            width += len(steps[-1].features)
            checks.whole(width, "the number of features", 0, checks.MAX_COLUMNS)
        checks.whole(width, "the number of features", 1)
        checks.unique([step.name for step in steps], "the columns of recipe.steps")
        return cls(steps=tuple(steps))


def _rare_count(rare_below: int | float | None, n_rows: int) -> int:
    if rare_below is None:
        return 5 if n_rows >= 100 else 2
    if type(rare_below) is int and rare_below >= 1:
        return rare_below
    if type(rare_below) is float and 0.0 <= rare_below < 1.0:
        return max(1, int(np.ceil(rare_below * n_rows)))
    raise SettingError(f"rare_below must be a count of at least 1 or a share of the rows below 1.0, got {rare_below!r}")


def fit_number(name: str, cells: Any, scaling: Scaling, bins: Bins | None, weights: FloatArray | None = None) -> Step:
    """The step of a numeric column: scaled, cut into bins, or both.

    Parameters
    ----------
    name
        The column's name.
    cells
        ``[N]``, the Arrow column of the training rows.
    scaling
        How the number is scaled (see `numeric`).
    bins
        How it is cut into bins (see `piecewise`); ``None``: scaled only.
    weights
        How much each row counts in the mean and the standard deviation, ``[N]``.
    """
    if bins is None:
        return fit_numeric(name, cells, scaling=scaling, weights=weights)
    return fit_both(name, cells, scaling, bins, weights) if bins.scaled_too else fit_piecewise(name, cells, bins)


def _kind_of_step(kind: str, arrow_type: Any) -> str:
    """The step for a kind; an identifier, constant or text that was kept goes by its Arrow type."""
    if kind in _READERS:
        return kind
    if pa.types.is_boolean(arrow_type):
        return "boolean"
    if pa.types.is_integer(arrow_type) or pa.types.is_floating(arrow_type):
        return "numeric"
    return "date" if pa.types.is_timestamp(arrow_type) else "categorical"


def _sequences(step: TokenStep | SeriesStep, column: Any, dtype: DTypeLike) -> FeatureArray:
    if isinstance(step, TokenStep):
        return step.tokens(column)
    series = step.series(column)
    return Series(values=series.values.astype(dtype, copy=False), lengths=series.lengths)


def _encode_cells(step: Step, cells: list[Any], out: FloatArray) -> None:
    for i, cell in enumerate(cells):
        try:
            out[i] = step.encode_one(cell)
        except DataError as error:
            raise DataError(f"{error} (row {i:,})") from None
