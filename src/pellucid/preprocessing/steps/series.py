"""Series: each step of each channel becomes one number, brought to a common scale.

Legend: N rows, T steps, C channels.

For a value x of channel c, the mean μ and the standard deviation σ (of N, not N − 1):

| scaling | μ and σ of | result |
|---|---|---|
| rows | channel c, over all steps of all training rows | (x − μ_c) / σ_c |
| series | channel c, over the steps of the same series | (x − μ_c) / σ_c |
| none | | x, for series that were scaled before |

``auto`` is ``rows``. It keeps what tells series apart by their level and their spread, and hardly changes series that
each have mean 0 and deviation 1 already, as most of the UCR archive do. ``series`` leaves the shape alone (Keogh &
Kasetty 2003, "On the need for time series data mining benchmarks"; Rakthanmanon et al. 2012): right where level and
spread depend on the sensor and not on the class. It cannot be told from the series which of the two is the case, and
only ``series`` loses something: by the nearest training series, 0.94 of the test part of JapaneseVowels are right with
``rows`` and 0.56 with ``series`` (of BasicMotions 0.58 and 0.73; of four sets of the UCR archive the same).

A series has T places, the steps of the longest training series:

* of a **longer series** the first T steps are read;
* a **shorter series** is filled up with zeros at its end, and its length says so;
* a **gap** inside is filled along the straight line between its neighbours, before the first value with the first and
  after the last value of the channel with the last; a channel without any value is taken for its training mean.

`SeriesStep.counts` says how many series that concerns, and `SeriesStep.notes` says it in sentences. A channel with one
value in all training rows becomes 0 everywhere, because the network has not learned what a change of it means. Results
are limited to ±10⁶.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import pyarrow as pa

from pellucid.data.columns.series import is_series_type, series_column, series_lengths, series_of
from pellucid.data.notes import ColumnNote
from pellucid.errors import DataError, SettingError, nearest
from pellucid.preprocessing import checks
from pellucid.preprocessing.feature_arrays import Series
from pellucid.preprocessing.steps.numeric import BOUND, LARGEST, centre_and_spread
from pellucid.preprocessing.values import FloatArray, IntArray

__all__ = ["MAX_VALUES", "SERIES_SCALINGS", "SeriesCounts", "SeriesScaling", "SeriesStep", "fit_series"]

SeriesScaling = Literal["auto", "rows", "series", "none"]
SERIES_SCALINGS: tuple[str, ...] = get_args(SeriesScaling)
MAX_VALUES = 2**18  # steps × channels of one series

_FLAT = 1e-12  # a series that varies by less than this share of its largest value has one value, but for rounding


@dataclass(frozen=True, kw_only=True)
class SeriesCounts:
    """What the rows of a column of series come to.

    Attributes
    ----------
    rows
        All rows.
    cut
        Rows with more steps than are read.
    longest
        The most steps of a row.
    gaps
        Values that are missing between the first and the last step of their series.
    gap_rows
        How many rows have such gaps.
    """

    rows: int
    cut: int
    longest: int
    gaps: int
    gap_rows: int


@dataclass(frozen=True, kw_only=True)
class SeriesStep:
    """How a column of series becomes features.

    Parameters
    ----------
    name
        The column.
    steps, channels
        T and C of every row.
    mean, deviation
        μ and σ of all training rows, one a channel; deviation 0 means that they held one value.
    scaling
        ``rows``, ``series`` or ``none``.
    channel_names
        One a channel.

    >>> step = fit_series("load", series_column(np.array([[[1.0], [3.0]], [[5.0], [np.nan]]])), scaling="none")
    >>> read = step.series(series_column(np.array([[[4.0], [np.nan], [6.0]]])))
    >>> read.values.tolist(), read.lengths.tolist()
    ([[[4.0], [5.0]]], [2])
    """

    name: str
    steps: int
    channels: int
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    scaling: SeriesScaling
    channel_names: tuple[str, ...]

    kind: ClassVar[str] = "series"

    @property
    def shape(self) -> tuple[int, int]:
        """T and C."""
        return self.steps, self.channels

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The names of the features: ``load[0]``, or ``load[0,x]`` where there is more than one channel."""
        one = self.channels == 1
        return tuple(
            f"{self.name}[{step}]" if one else f"{self.name}[{step},{channel}]"
            for step in range(self.steps)
            for channel in self.channel_names
        )

    def series(self, column: Any) -> Series:
        """An Arrow column of series as scaled values ``[N, T, C]``, zeros in padded steps, and lengths ``[N]``.

        Raises
        ------
        DataError
            The column holds no series, series of other channels, an infinity, or a row without any value.
        """
        values = self._values(column)
        found = series_lengths(values)
        self._check(values, found)
        values, lengths = _fitted(self._filled(values, found), self.steps), np.minimum(found, self.steps)
        counted = np.arange(self.steps) < lengths[:, None]  # [N, T]
        scaled = self._by_series(values, counted) if self.scaling == "series" else self._by_rows(values)
        return Series(values=np.where(counted[..., None], scaled, 0.0), lengths=lengths)

    def encode(self, column: Any, out: FloatArray) -> None:
        """Write the scaled values of an Arrow column into ``out`` ``[rows, features]``, zeros in padded steps."""
        out[:] = self.series(column).values.reshape(len(out), -1)

    def encode_one(self, value: object) -> tuple[float, ...]:
        """The features of one series ``[T, C]`` (or ``[T]``): the same numbers as `encode` gives."""
        try:
            values: FloatArray = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError):
            values = np.zeros(())
        if values.ndim == 1:
            values = values[:, None]
        if values.ndim != 2 or not values.size:
            raise DataError(
                f"a series of column {self.name!r} must be numbers [steps, channels], got {type(value).__name__}"
            )
        return tuple(self.series(series_column(values[None])).values.ravel().tolist())

    def counts(self, column: Any) -> SeriesCounts:
        """How many series of an Arrow column are cut, and how many have gaps."""
        values = self._values(column)
        lengths = series_lengths(values)
        gaps = np.isnan(values) & (np.arange(values.shape[1]) < lengths[:, None])[..., None]
        return SeriesCounts(
            rows=len(values),
            cut=int(np.count_nonzero(lengths > self.steps)),
            longest=int(lengths.max(initial=0)),
            gaps=int(np.count_nonzero(gaps)),
            gap_rows=int(np.count_nonzero(gaps.any(axis=(1, 2)))),
        )

    def notes(self, counts: SeriesCounts) -> tuple[ColumnNote, ...]:
        """Sentences on series that are cut and on gaps that are filled.

        >>> step = fit_series("load", series_column(np.ones((1, 2, 1))))
        >>> step.notes(SeriesCounts(rows=9, cut=1, longest=7, gaps=0, gap_rows=0))
        ("column 'load': 1 of 9 series has more than 2 steps (up to 7) and is cut off there",)
        """
        said: list[ColumnNote] = []

        def note(text: str, what: str, cells: int) -> None:
            said.append(ColumnNote(f"column {self.name!r}: {text}", columns=(self.name,), what=what, cells=cells))

        if counts.cut:
            has, is_cut = ("has", "is") if counts.cut == 1 else ("have", "are")
            text = (
                f"{counts.cut:,} of {counts.rows:,} series {has} more than {self.steps:,} steps (up to "
                f"{counts.longest:,}) and {is_cut} cut off there"
            )
            note(text, "cut", counts.cut)
        if counts.gaps:
            values = "1 missing value" if counts.gaps == 1 else f"{counts.gaps:,} missing values"
            of = "1 series" if counts.gap_rows == 1 else f"{counts.gap_rows:,} series"
            text = f"{values} in {of} of {counts.rows:,} filled in from the steps before and after"
            note(text, "gaps", counts.gaps)
        return tuple(said)

    def decode(self, features: FloatArray) -> FloatArray:
        """From scaled values ``[…, T, C]`` back to the unit of the column; those of ``series`` stay as they are."""
        if self.scaling == "rows":
            return np.asarray(features, np.float64) * self._deviation + self._mean
        return np.asarray(features, np.float64)

    @cached_property
    def _mean(self) -> FloatArray:
        return np.array(self.mean)

    @cached_property
    def _deviation(self) -> FloatArray:
        return np.array(self.deviation)

    def _values(self, column: Any) -> FloatArray:
        """``[N, T′, C]`` of a column with any number of steps."""
        if not is_series_type(column.type):
            raise DataError(
                f"column {self.name!r} must hold series of {_channels(self.channels)}, as the model was trained on, "
                f"got {column.type} cells; give the same kind of file, or an array [N, steps, channels] with "
                "series=True"
            )
        values = series_of(column)
        if values.shape[2] != self.channels:
            raise DataError(
                f"column {self.name!r} holds series of {_channels(values.shape[2])}, but the model was trained on "
                f"{_channels(self.channels)} ({_shown(self.channel_names)}); give the same channels in the same order"
            )
        return values

    def _check(self, values: FloatArray, lengths: IntArray) -> None:
        infinite = np.argwhere(np.isinf(values))
        if len(infinite):
            row, step, _ = infinite[0].tolist()
            raise DataError(
                f"column {self.name!r} holds an infinity (row {row:,}, step {step:,}); give NaN for a missing value"
            )
        empty = np.flatnonzero(lengths == 0)
        if len(empty):
            rows = "1 row" if len(empty) == 1 else f"{len(empty):,} rows"
            raise DataError(
                f"column {self.name!r} holds a series without any value in {rows} (first: row {empty[0]:,}); leave "
                "those rows out"
            )

    def _filled(self, values: FloatArray, lengths: IntArray) -> FloatArray:
        """The same with a value in each gap."""
        missing = np.isnan(values)
        inside = (np.arange(values.shape[1]) < lengths[:, None])[..., None]  # [N, T, 1]
        pairs = np.argwhere((missing & inside).any(axis=1))  # row and channel
        if not len(pairs):
            return values
        values, steps = values.copy(), np.arange(values.shape[1])
        for row, channel in pairs.tolist():
            line, gone = values[row, :, channel], missing[row, :, channel]
            line[gone] = np.interp(steps[gone], steps[~gone], line[~gone]) if not gone.all() else self.mean[channel]
        return values

    def _by_rows(self, values: FloatArray) -> FloatArray:
        mean, deviation = self._mean, self._deviation
        if self.scaling == "none":
            mean, deviation = np.zeros_like(mean), np.sign(deviation)
        with np.errstate(over="ignore", under="ignore"):
            z = (np.clip(values, -LARGEST, LARGEST) - mean) / np.where(deviation > 0, deviation, 1.0)
        return np.where(deviation > 0, np.clip(z, -BOUND, BOUND), 0.0)

    def _by_series(self, values: FloatArray, counted: Any) -> FloatArray:
        inside, n = counted[..., None], np.maximum(counted.sum(axis=1), 1)[:, None, None]
        unit = np.abs(np.where(inside, values, 0.0)).max(axis=1, keepdims=True, initial=0.0)  # [N, 1, C]
        with np.errstate(under="ignore"):
            y = np.where(inside, values, 0.0) / np.where(unit > 0, unit, 1.0)
            y = np.where(inside, y - y.sum(axis=1, keepdims=True) / n, 0.0)
            deviation = np.sqrt(np.square(y).sum(axis=1, keepdims=True) / n)
        varies = (deviation > _FLAT) & (self._deviation > 0)
        return np.where(varies, y / np.where(varies, deviation, 1.0), 0.0)

    def to_json(self) -> dict[str, Any]:
        """The step as plain JSON values."""
        return {
            "kind": self.kind,
            "name": self.name,
            "steps": self.steps,
            "channels": self.channels,
            "mean": list(self.mean),
            "deviation": list(self.deviation),
            "scaling": self.scaling,
            "channel_names": list(self.channel_names),
        }

    @classmethod
    def from_json(cls, value: object, where: str) -> SeriesStep:
        """Read what `to_json` wrote; raises `ModelFileError`."""
        names = ("kind", "name", "steps", "channels", "mean", "deviation", "scaling", "channel_names")
        v = checks.fields(value, where, names)
        channels = checks.whole(v["channels"], f"{where}.channels", 1, MAX_VALUES)
        # The features are named one by one, so their number is bounded before they are.
        steps = checks.whole(v["steps"], f"{where}.steps", 1, MAX_VALUES // channels)
        means = checks.listing(v["mean"], f"{where}.mean", MAX_VALUES, length=channels)
        deviations = checks.listing(v["deviation"], f"{where}.deviation", MAX_VALUES, length=channels)
        named = checks.listing(v["channel_names"], f"{where}.channel_names", MAX_VALUES, length=channels)
        scaling: Any = checks.choice(v["scaling"], f"{where}.scaling", SERIES_SCALINGS[1:])
        return cls(
            name=checks.text(v["name"], f"{where}.name"),
            steps=steps,
            channels=channels,
            mean=tuple(checks.number(m, f"{where}.mean[{i}]", -LARGEST, LARGEST) for i, m in enumerate(means)),
            deviation=tuple(checks.number(d, f"{where}.deviation[{i}]", 0.0) for i, d in enumerate(deviations)),
            scaling=scaling,
            channel_names=checks.unique(
                [checks.text(n, f"{where}.channel_names[{i}]") for i, n in enumerate(named)], f"{where}.channel_names"
            ),
        )


def fit_series(
    name: str,
    column: Any,
    rows: IntArray | None = None,
    *,
    scaling: SeriesScaling = "auto",
    channel_names: Sequence[str] = (),
) -> SeriesStep:
    """Take the length and the statistics of an Arrow column of series, from the training ``rows`` only.

    Parameters
    ----------
    name
        The column's name.
    column
        ``[N]``, the Arrow column.
    rows
        The numbers (from 0) of the training rows; ``None``: all.
    scaling
        ``rows``, ``series``, ``none``, or ``auto`` (which is ``rows``).
    channel_names
        One a channel; not given: ``0``, ``1``, ….

    Raises
    ------
    DataError
        The column holds no series, a row without any value, an infinity, or series of more than 262,144 values.

    >>> step = fit_series("load", series_column(np.array([[[1.0], [3.0]], [[5.0], [7.0]]])), np.array([0]))
    >>> step.features, step.mean, step.deviation, step.encode_one([1.0, 5.0])
    (('load[0]', 'load[1]'), (2.0,), (1.0,), (-1.0, 3.0))
    """
    if scaling not in SERIES_SCALINGS:
        raise SettingError(f"series_scaling {scaling!r} is not known{nearest(str(scaling), SERIES_SCALINGS)}")
    if not is_series_type(column.type):
        raise DataError(f"column {name!r} must hold series, got {column.type} cells")
    values = series_of(column if rows is None else column.take(pa.array(rows)))
    channels = values.shape[2]
    lengths = series_lengths(values)
    steps = int(lengths.max(initial=1))
    if steps * channels > MAX_VALUES:
        raise DataError(
            f"column {name!r} holds series of {steps:,} steps and {_channels(channels)}, {steps * channels:,} values "
            f"each, but a network takes at most {MAX_VALUES:,}; cut them into shorter windows, or thin out the steps"
        )
    present = np.clip(values, -LARGEST, LARGEST).reshape(-1, channels)
    moments = [centre_and_spread(each[~np.isnan(each)]) for each in present.T]
    made = SeriesStep(
        name=name,
        steps=steps,
        channels=channels,
        mean=tuple(mean for mean, _ in moments),
        deviation=tuple(deviation for _, deviation in moments),
        scaling="rows" if scaling == "auto" else scaling,
        channel_names=tuple(channel_names) or tuple(map(str, range(channels))),
    )
    made._check(values, lengths)
    return made


def _fitted(values: FloatArray, steps: int) -> FloatArray:
    """``[N, T, C]`` of ``[N, T′, C]``: cut at the end, or filled up with zeros."""
    lacking = steps - values.shape[1]
    return values[:, :steps] if lacking <= 0 else np.pad(values, [(0, 0), (0, lacking), (0, 0)])


def _channels(n: int) -> str:
    return "1 channel" if n == 1 else f"{n:,} channels"


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6:,} more" if len(names) > 6 else "")
