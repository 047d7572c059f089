"""A model that continues series: what it keeps of them in its file, and its forecasts with intervals.

A forecast needs the end of the history, so the file of such a model keeps it: as many steps as a window holds.

Legend: N forecasts, H steps ahead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pellucid.data.forecast.calendar import CYCLES
from pellucid.data.forecast.series import OneSeries, SeriesSet, read_future, read_series
from pellucid.data.forecast.steps import Step
from pellucid.data.tables import ReadReport, Table
from pellucid.errors import DataError, ModelFileError, SettingError
from pellucid.evaluation.conformal import MOST_SCORES, Scores, check_level, intervals, rows_needed
from pellucid.evaluation.forecasts import errors_from_json
from pellucid.preprocessing import checks
from pellucid.preprocessing.windows import WindowDesign, ahead_of, continued

__all__ = ["Forecaster", "coverage_noted", "forecaster_of", "recursive_forecasts", "windows_as_table", "windows_of"]

Array = NDArray[Any]
Answers = Callable[[Table], Array]

_FIELDS = ("windows", "step", "time", "group", "layout", "known_columns", "series", "scores")
_LARGEST = 1e300
_MOST_SERIES, _MOST_STEPS, _MOST_AHEAD = 10_000, 100_000, 100_000
_FIRST_DAY, _LAST_DAY = np.datetime64("0001-01-01"), np.datetime64("9999-12-31")
_TOO_FEW = 0.8  # of true values in intervals of 0.9
_UNITS = ("row", "number", "second", "weekday", "month")


@dataclass(frozen=True, kw_only=True, eq=False)
class Forecaster:
    """What a model keeps so that it can continue its series.

    Attributes
    ----------
    design, step
        The columns of a window, and how far apart the steps are.
    time, group, layout
        The columns with the time and the series' names, and how dates are written; None where there is none.
    known_columns
        The columns of a table that are known in advance.
    series
        The ends of the series.
    units
        Of each series, in which residuals are measured: the mean step from value to value in training.
    scores
        For each step ahead, residuals of the validation part in these units; empty where there were none.
    """

    design: WindowDesign
    step: Step
    time: str | None
    group: str | None
    layout: str | None
    known_columns: tuple[str, ...]
    series: tuple[OneSeries, ...]
    units: tuple[float, ...]
    scores: tuple[Scores, ...]

    # ── forecasts ──

    def read(self, table: Table) -> tuple[Forecaster, tuple[str, ...]]:
        """The same with the series of another table, whose end is continued, and notes on them.

        Raises
        ------
        DataError
            A column is missing, or a series is too short or at other steps.
        """
        target = self.design.target
        if self.known_columns and (target not in table.names or table.column(target).null_count == table.n_rows):
            kept = SeriesSet(
                target=target, time=self.time, group=self.group, layout=self.layout, step=self.step,
                series=self.series, known=self.design.known,
            )  # fmt: skip
            return replace(self, series=read_future(table, kept, known=self.known_columns).series), ()
        step = self.step
        if step.unit == "row":
            step = replace(step, origin=0.0)
        found = read_series(
            table, self.design.target, time=self.time, group=self.group, known=self.known_columns,
            others=self.design.others, step=step, levels=self.design.known, layout=self.layout,
        )  # fmt: skip
        units = dict(zip((each.name for each in self.series), self.units, strict=True))
        usual = float(np.median(self.units))
        known = tuple(units.get(each.name, usual) for each in found.series)
        return replace(self, step=found.step, series=found.series, units=known), found.notes

    def forecast(self, answers: Answers, n_steps: int | None = None, *, interval: float | None = None) -> pa.Table:
        """The next steps of every series, with the time of each.

        Parameters
        ----------
        answers
            The model's answers to a table of windows.
        n_steps
            How many steps; None for the horizon that it was trained for.
        interval
            The share of true values that the intervals are to hold; None for none.

        Raises
        ------
        DataError, SettingError
            A series is shorter than a window, or an interval cannot be made.
        """
        steps = self.design.horizon if n_steps is None else n_steps
        if not 1 <= steps <= _MOST_AHEAD:
            raise SettingError(f"steps must be from 1 to {_MOST_AHEAD:,}, got {steps:,}")
        parts: dict[str, list[Any]] = {}
        for one, unit in zip(self.series, self.units, strict=True):
            need = self.design.first
            if len(one) < need:
                of = f" of {self.group} {one.name!r}" if self.group else ""
                raise DataError(
                    f"the history{of} has {len(one):,} steps, and a forecast sees {need:,}: give a longer one"
                )
            origins = np.array([len(one)])
            found = recursive_forecasts(answers, self.design, one, self.step, origins=origins, n_steps=steps)[0]
            times = self.step.times(one.end + np.arange(steps))
            if self.step.is_date and not _FIRST_DAY <= times[0] <= times[-1] <= _LAST_DAY:
                raise SettingError(f"{steps:,} steps reach beyond the year 9999: forecast fewer")
            columns: dict[str, Any] = {}
            if self.group is not None:
                columns[self.group] = [one.name] * steps
            columns[self.time or "step"] = self._written(times) if self.time is not None else one.end + np.arange(steps)
            columns["prediction"] = found
            if interval is not None:
                low, high = self.interval(found, unit, interval)
                columns |= {"prediction_low": low, "prediction_high": high}
            for name, values in columns.items():
                parts.setdefault(name, []).extend(list(values))
        return pa.table(parts)

    def interval(self, found: Array, unit: float, level: float) -> tuple[Array, Array]:
        """The ends of intervals around forecasts ``[H]`` from 1 to H steps ahead; NaN where residuals are too few.

        Beyond the horizon, the interval of its last step is taken.
        """
        share = check_level(level)
        centres = np.log(np.maximum(found, 1e-300)) if self.design.log else found
        low, high = np.full(len(found), np.nan), np.full(len(found), np.nan)
        for k, centre in enumerate(centres):
            scores = self.scores[min(k, len(self.scores) - 1)] if self.scores else None
            if scores is None or scores.count < rows_needed(share):
                continue
            _, half = intervals(np.zeros((1, 1)), [scores], share)
            low[k], high[k] = centre - half[0] * unit, centre + half[0] * unit
        return (np.exp(low), np.exp(high)) if self.design.log else (low, high)

    def notes(self, n_steps: int, *, interval: float | None) -> tuple[str, ...]:
        """What to know of forecasts so far ahead."""
        notes = []
        horizon = self.design.horizon
        if n_steps > horizon:
            notes.append(
                f"forecasts beyond {horizon} steps were not tested; their intervals are those of step {horizon}"
            )
        if self.design.others and n_steps > horizon:
            notes.append(f"beyond {horizon} steps, the other columns keep their last values")
        if self.design.known and any(len(one.known) - len(one) < n_steps for one in self.series):
            notes.append(
                f"the columns known in advance ({', '.join(self.known_columns)}) are not given for all {n_steps} "
                "steps: they keep their last values; give a table whose last rows hold them, without a value of "
                f"{self.design.target!r}"
            )
        if interval is not None and self.scores:
            count = min(each.count for each in self.scores)
            if count < rows_needed(interval):
                notes.append(
                    f"no interval of {interval:g} where fewer than {rows_needed(interval)} validation forecasts are "
                    "known; ask for a smaller share, or train with more validation steps (--validation)"
                )
        return tuple(notes)

    def _written(self, times: Array) -> list[Any]:
        if not self.step.is_date:
            return [int(each) if float(each).is_integer() else float(each) for each in times]
        form = self.layout if self.layout is not None and self.layout.startswith("%") else None
        days = bool((times.astype("datetime64[D]").astype("datetime64[s]") == times).all())
        if form is not None:
            return [each.astype(object).strftime(form) for each in times]
        return [str(each.astype("datetime64[D]")) if days else str(each).replace("T", " ") for each in times]

    # ── the file ──

    def to_json(self) -> dict[str, Any]:
        """What the model file keeps, as plain JSON values."""
        return {
            "windows": self.design.to_json(),
            "step": self.step.to_json(),
            "time": self.time,
            "group": self.group,
            "layout": self.layout,
            "known_columns": list(self.known_columns),
            "series": [
                {
                    "name": one.name, "start": one.start, "unit": unit, "values": one.values.tolist(),
                    "others": one.others.tolist(), "known": one.known.tolist(),
                }
                for one, unit in zip(self.series, self.units, strict=True)
            ],
            "scores": [{"count": each.count, "kept": each.kept.tolist()} for each in self.scores],
        }  # fmt: skip

    @classmethod
    def from_json(cls, value: object) -> Forecaster:
        """Read what `to_json` wrote; raises `ModelFileError`."""
        v = checks.fields(value, "forecast", _FIELDS)
        design = WindowDesign.from_json(v["windows"])
        if any(name not in CYCLES for name in design.cycles):
            raise _damaged("windows.cycles")
        s = checks.fields(v["step"], "forecast.step", ("unit", "size", "origin", "inside"))
        unit = checks.choice(s["unit"], "forecast.step.unit", _UNITS)
        size = checks.number(s["size"], "forecast.step.size", 1e-300, 1e12)
        if unit in ("second", "month", "weekday") and (size < 1 or not float(size).is_integer()):
            raise _damaged("step.size")
        step = Step(
            unit=unit,  # type: ignore[arg-type]
            size=size,
            origin=checks.number(s["origin"], "forecast.step.origin", -1e12, 1e12),
            inside=checks.whole(s["inside"], "forecast.step.inside", -1, 31 * 86_400),
        )
        series, units = [], []
        for each in checks.listing(v["series"], "forecast.series", _MOST_SERIES):
            one, own = _series_from(each, design)
            series.append(one)
            units.append(own)
        if not series:
            raise _damaged("series")
        return cls(
            design=design,
            step=step,
            time=_name(v["time"], "forecast.time"),
            group=_name(v["group"], "forecast.group"),
            layout=_name(v["layout"], "forecast.layout"),
            known_columns=checks.texts(v["known_columns"], "forecast.known_columns", 10_000),
            series=tuple(series),
            units=tuple(units),
            scores=tuple(_scores_from(each) for each in checks.listing(v["scores"], "forecast.scores", 10_000)),
        )


def recursive_forecasts(
    answers: Answers, design: WindowDesign, series: OneSeries, step: Step, *, origins: Array, n_steps: int
) -> Array:
    """Forecasts ``[N, n_steps]`` of a series from each origin (`pellucid.preprocessing.windows.continued`).

    Parameters
    ----------
    answers
        The model's answers to a table of windows.
    design, series, step, origins, n_steps
        As for `continued`.
    """

    def answer(columns: Mapping[str, Array]) -> Array:
        return np.asarray(answers(windows_as_table(columns)), dtype=np.float64)

    return continued(answer, design, series, step, origins=origins, n_steps=n_steps)


def windows_as_table(columns: Mapping[str, Array]) -> Table:
    """The columns of windows as a table, which a recipe reads."""
    arrow = pa.table({name: np.asarray(values, dtype=np.float64) for name, values in columns.items()})
    report = ReadReport(source="windows", format="array", n_rows=arrow.num_rows, n_columns=arrow.num_columns)
    return Table(arrow=arrow, report=report)


def windows_of(forecaster: Forecaster, table: Table) -> Table:
    """Every window of the series of a table with the value that follows it, as rows that the model can answer.

    Raises
    ------
    DataError
        No series is as long as a window and the value after it.
    """
    (found, _), design = forecaster.read(table), forecaster.design
    parts: list[dict[str, Array]] = []
    for one in found.series:
        at = np.arange(design.first, len(one))
        windows = one.values[at[:, np.newaxis] - design.window + np.arange(design.window)]
        columns = design.columns(windows, ahead_of(design, one, found.step, at))
        parts.append({**columns, design.target: one.values[at]})
    together = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    if not len(together[design.target]):
        raise DataError(
            f"the table has no series of more than {design.first:,} steps, which a forecast sees: give a longer history"
        )
    made = windows_as_table(together)
    return replace(made, report=replace(made.report, source=table.report.source, notes=table.report.notes))


def forecaster_of(
    series: SeriesSet,
    design: WindowDesign,
    *,
    known_columns: Sequence[str],
    units: Sequence[float],
    scores: Sequence[Scores],
) -> Forecaster:
    """The ends of the series, as a model keeps them.

    Parameters
    ----------
    series, design
        All that was read, and the columns of a window.
    known_columns
        The columns of the table that are known in advance.
    units
        Of each series (`Forecaster.units`).
    scores
        For each step ahead.
    """
    kept = []
    for one in series.series:
        cut = max(0, len(one) - design.first)
        kept.append(
            OneSeries(
                name=one.name, start=one.start + cut, values=one.values[cut:], others=one.others[cut:],
                known=one.known[cut:],
            )
        )  # fmt: skip
    return Forecaster(
        design=design, step=series.step, time=series.time, group=series.group, layout=series.layout,
        known_columns=tuple(known_columns), series=tuple(kept), units=tuple(units), scores=tuple(scores),
    )  # fmt: skip


def coverage_noted(errors: object) -> tuple[str, ...]:
    """A note where the intervals of the test part held clearly fewer true values than they should have."""
    found = [each.coverage for each in errors_from_json(errors) if each.coverage is not None]
    if not found or float(np.mean(found)) > _TOO_FEW:
        return ()
    return (
        f"in the test part, intervals of 0.9 held only {np.mean(found):.0%} of the true values: the series has changed "
        "since the validation part, whose errors they come from",
    )


def _series_from(value: object, design: WindowDesign) -> tuple[OneSeries, float]:
    v = checks.fields(value, "forecast.series", ("name", "start", "unit", "values", "others", "known"))
    values = _numbers(v["values"], "forecast.series.values", None)
    others = _numbers(v["others"], "forecast.series.others", len(design.others))
    known = _numbers(v["known"], "forecast.series.known", len(design.known))
    if not len(values) or len(others) != len(values) or len(known) < len(values):
        raise _damaged("series")
    if design.log and values.min() <= 0:
        raise _damaged("series.values")
    one = OneSeries(
        name=checks.text(v["name"], "forecast.series.name"),
        start=checks.whole(v["start"], "forecast.series.start", -(10**9), 10**9),
        values=values,
        others=others,
        known=known,
    )
    return one, checks.number(v["unit"], "forecast.series.unit", 0.0, _LARGEST)


def _numbers(value: object, where: str, width: int | None) -> Array:
    """A list of numbers, or of as many lists of numbers."""
    rows = checks.listing(value, where, _MOST_STEPS)
    if width is None:
        return np.array([checks.number(each, where, -_LARGEST, _LARGEST) for each in rows], dtype=np.float64)
    lists = [checks.listing(each, where, width, width) for each in rows]
    cells = [[checks.number(x, where, -_LARGEST, _LARGEST) for x in each] for each in lists]
    return np.array(cells, dtype=np.float64).reshape(len(rows), width)


def _scores_from(value: object) -> Scores:
    v = checks.fields(value, "forecast.scores", ("count", "kept"))
    numbers = checks.listing(v["kept"], "forecast.scores.kept", MOST_SCORES)
    kept = np.array([checks.number(x, "forecast.scores.kept", 0.0, _LARGEST) for x in numbers])
    count = checks.whole(v["count"], "forecast.scores.count", len(kept))
    if (np.diff(kept) < 0).any() or (count and not len(kept)):
        raise _damaged("scores")
    return Scores(kept=kept, count=count)


def _name(value: object, where: str) -> str | None:
    return None if value is None else checks.text(value, where)


def _damaged(what: str) -> ModelFileError:
    return ModelFileError(f"forecast.{what} is not what was written: the file is damaged, so take another copy")
