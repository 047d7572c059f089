"""From a table in time order to what training needs for a forecast: windows, split by time, a line to begin with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pellucid.data.forecast.calendar import cycles_of
from pellucid.data.forecast.series import SeriesSet, find_time, read_series
from pellucid.data.splits import Split
from pellucid.data.tables import Table
from pellucid.errors import DataError, SettingError, nearest
from pellucid.network.skip import beside_a_line
from pellucid.preparation.forecast_line import fit_line
from pellucid.preparation.forecast_rows import ForecastRows, WindowRows, window_rows
from pellucid.preparation.prepare import Prepared, prepare
from pellucid.preparation.sources import open_source
from pellucid.preprocessing.windows import WindowDesign
from pellucid.settings.settings import Settings

__all__ = ["prepare_forecast"]

Array = NDArray[Any]

_SHORTEST, _LONGEST = 14, 96  # steps of a window
_WINDOWS_IN_TRAINING = 3  # times the window that the training part is to hold
_FEWEST_ROWS = 10
_MOST_OTHERS = 20
_BETTER = 0.99  # of the RMSE without the logarithm


def prepare_forecast(data: object, settings: Settings) -> Prepared:
    """Read the series of a table, cut windows, and prepare them as rows of a regression, split by time.

    Raises
    ------
    DataError, SettingError
        The table is no series that can be forecast, or a setting does not suit a forecast.
    """
    check_settings(settings)
    source = open_source(data, replace(settings, target=None))
    table, settings = source.table, _named(settings, source.table)
    series, settings = _series_of(table, settings)
    season = settings.season or next(iter(series.step.seasons()), None)
    begin, end = min(one.start for one in series.series), max(one.end for one in series.series)
    test = end - round(settings.test * (end - begin))
    validation = test - round(settings.validation * (end - begin))
    design = _design(series, settings, season, validation)
    _check_lengths(series, design, settings, (begin, validation, test, end))
    design, rows, said = _with_scale(series, design, settings, validation, test)
    split = _split(rows, validation, test)
    if len(split.train) < _FEWEST_ROWS:
        raise DataError(
            f"{len(split.train)} windows of {design.window} steps are left to learn from, {_FEWEST_ROWS} are needed: "
            "give a longer history, or a shorter --window"
        )
    windows = _table_of(table, series, rows)
    inner = replace(
        settings,
        forecast=None, target=design.target, task="regression", time=None, group=None, known=(), categorical=(),
        boolean=(), date=(), text=(), numeric=tuple(rows.columns), keep=(), drop=_beside(series),
        target_transform="log" if design.log else "none", ensemble="seeds",
    )  # fmt: skip
    prepared = prepare(windows, inner, split=split)
    prepared = _with_network(prepared, settings)
    forecast = ForecastRows(series=series, design=design, season=season, validation=validation, test=test, rows=rows)
    forecast = _with_line(prepared, forecast)
    kept = {name: getattr(settings, name) for name in _OUTER}
    return replace(
        prepared,
        name=source.name,
        settings=replace(prepared.settings, **kept, window=design.window, season=season),
        notes=tuple(dict.fromkeys((*table.report.notes, *series.notes, *said, *prepared.notes))),
        forecast=forecast,
    )


_OUTER = (
    "forecast", "target", "task", "time", "group", "known", "categorical", "boolean", "date", "text", "numeric",
    "keep", "drop", "ensemble",
)  # fmt: skip


def check_settings(settings: Settings) -> None:
    """Raise `SettingError` for settings that mean nothing to a forecast."""
    if settings.target is not None and settings.target != settings.forecast:
        raise SettingError(
            f"forecast is {settings.forecast!r} and target is {settings.target!r}: a forecast continues one column, so "
            "leave target out"
        )
    if settings.task not in ("auto", "regression"):
        raise SettingError(f"forecast predicts numbers, but task is {settings.task}: leave it out")
    for name in ("test_data", "sample_weight"):
        if getattr(settings, name) is not None:
            raise SettingError(f"{name} is not for forecasts, whose last steps are the test part: leave it out")
    if settings.ensemble == "folds" or settings.edit_labels:
        name = "edit_labels" if settings.edit_labels else "ensemble folds"
        raise SettingError(f"{name} is not for forecasts, whose parts follow one another in time: leave it out")
    if settings.network not in ("auto", "mlp"):
        raise SettingError(f"network {settings.network} is not for forecasts: use network=mlp (--network mlp)")


def _named(settings: Settings, table: Table) -> Settings:
    """The settings with the columns as the table calls them."""
    if settings.forecast not in table.names:
        raise SettingError(
            f"there is no column {settings.forecast!r} to forecast in {table.report.source}"
            f"{nearest(str(settings.forecast), table.names)}"
        )

    def parts(names: tuple[str, ...]) -> tuple[str, ...]:
        found = [piece.strip() for name in names for piece in (name.split(",") if name not in table.names else [name])]
        for name in found:
            if name not in table.names:
                raise SettingError(f"there is no column {name!r}{nearest(name, table.names)}")
        return tuple(dict.fromkeys(found))

    drop = parts(settings.drop)
    return replace(settings, known=tuple(name for name in parts(settings.known) if name not in drop), drop=drop)


def _series_of(table: Table, settings: Settings) -> tuple[SeriesSet, Settings]:
    """The series, and the settings with the time's column."""
    target = str(settings.forecast)
    used = {target, settings.group, *settings.known, *settings.drop}
    time = settings.time if settings.time is not None else find_time(table, [each for each in used if each])
    names = [name for name in table.names if name not in used and name != time]
    others = [name for name in names if _is_number(table, name)]
    unused = [name for name in names if name not in others]
    notes = []
    if len(others) > _MOST_OTHERS:
        notes.append(
            f"of {len(others):,} columns of numbers, the first {_MOST_OTHERS} are used; --drop leaves some out"
        )
        others = others[:_MOST_OTHERS]
    series = read_series(table, target, time=time, group=settings.group, known=settings.known, others=others)
    if time is None:
        notes.append("no column says when each row is (--time), so the rows are steps in the order of the file")
    if others:
        are, was = ("is", "it was") if len(others) == 1 else ("are", "they were")
        notes.append(
            f"{_listed(others)} {are} seen as {was} {settings.horizon} steps before the one to forecast, because later "
            "values are not known yet; --known names columns that are known in advance, --drop leaves them out"
        )
    if unused:
        are = "is" if len(unused) == 1 else "are"
        notes.append(f"{_listed(unused)} {are} not used; --known names what is known in advance")
    return replace(series, notes=(*series.notes, *notes)), replace(settings, time=time)


def _listed(names: list[str]) -> str:
    shown = ", ".join(map(repr, names[:4])) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    return f"column{'s' * (len(names) > 1)} {shown}"


def _is_number(table: Table, name: str) -> bool:
    kind = table.column(name).type
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _design(series: SeriesSet, settings: Settings, season: int | None, validation: int) -> WindowDesign:
    shortest = min(max(1, validation - one.start) for one in series.series)
    usual = min(_LONGEST, max(_SHORTEST, 2 * (season or 0)))
    window = settings.window or max(1, min(usual, shortest // _WINDOWS_IN_TRAINING))
    n_steps = max(len(one) for one in series.series)
    return WindowDesign(
        target=series.target,
        window=window,
        horizon=settings.horizon,
        cycles=cycles_of(series.step, n_steps),
        others=series.others,
        known=series.known,
    )


def _check_lengths(
    series: SeriesSet, design: WindowDesign, settings: Settings, parts: tuple[int, int, int, int]
) -> None:
    """Raise `DataError` where the series are too short for the horizon or the window."""
    begin, validation, test, end = parts
    n_steps, horizon = end - begin, settings.horizon
    if horizon >= n_steps:
        raise DataError(
            f"a horizon of {horizon:,} steps is longer than the series, which has {n_steps:,}: forecast fewer steps "
            "(--horizon)"
        )
    if settings.test and horizon > end - test:
        raise DataError(
            f"a horizon of {horizon:,} steps cannot be tested on the last {end - test:,} of {n_steps:,} steps: "
            f"forecast at most {end - test:,} (--horizon), or test on more (--test)"
        )
    if validation - begin <= design.first + 1:
        raise DataError(
            f"the training part has {max(0, validation - begin):,} of {n_steps:,} steps, too few for windows of "
            f"{design.first}: give a longer history, or a shorter --window"
            + (" or --horizon" if design.first > design.window else "")
        )


def _with_scale(
    series: SeriesSet, design: WindowDesign, settings: Settings, validation: int, test: int
) -> tuple[WindowDesign, WindowRows, list[str]]:
    """The design with or without the logarithm: whichever line forecasts the validation part better."""
    rows = window_rows(series, design)
    if settings.target_transform == "none":
        return design, rows, []
    smallest = min(float(one.values.min()) for one in series.series)
    if smallest <= 0:
        if settings.target_transform == "log":
            raise DataError(
                f"target_transform log needs values above 0, but {design.target!r} is {smallest:g} at its lowest: "
                "leave it out"
            )
        return design, rows, []
    other = replace(design, log=True)
    logged = window_rows(series, other)
    if settings.target_transform == "log":
        return other, logged, []
    held = (rows.at >= validation) & (rows.at < test)
    if held.sum() < _FEWEST_ROWS:
        return design, rows, []
    plain, bent = _rmse(rows, validation, held), _rmse(logged, validation, held, log=True)
    if not bent < _BETTER * plain:
        return design, rows, []
    said = (
        f"{design.target!r} is forecast through its logarithm, because a line then forecasts the validation part "
        f"better (RMSE {bent:.4g} rather than {plain:.4g}); --target-transform none leaves it as it is"
    )
    return other, logged, [said]


def _rmse(rows: WindowRows, validation: int, held: Array, *, log: bool = False) -> float:
    x = np.column_stack(list(rows.columns.values()))
    z, last = (np.log(rows.truth), np.log(rows.last)) if log else (rows.truth, rows.last)
    train = rows.at < validation
    line = fit_line(x[train], z[train], last[train], held=(x[held], z[held], last[held]))
    found = line.answers(x[held], last[held])
    found = np.exp(found) if log else found
    return float(np.sqrt(np.mean((found - rows.truth[held]) ** 2)))


def _split(rows: WindowRows, validation: int, test: int) -> Split:
    return Split(
        train=np.flatnonzero(rows.at < validation),
        validation=np.flatnonzero((rows.at >= validation) & (rows.at < test)),
        test=np.flatnonzero(rows.at >= test),
        how="by time: the last steps are the test part, those before them the validation part",
    )


def _table_of(table: Table, series: SeriesSet, rows: WindowRows) -> Table:
    """The windows as a table, with the time and the series of each beside them."""
    columns: dict[str, Any] = {}
    if series.time is not None:
        times = series.step.times(rows.at)
        dates = series.step.is_date
        columns[series.time] = pa.array(times, pa.timestamp("s")).cast(pa.timestamp("us")) if dates else times
    if series.group is not None:
        columns[series.group] = pa.array([series.series[k].name for k in rows.series]).dictionary_encode()
    columns |= rows.columns
    columns[series.target] = rows.truth
    arrow = pa.table(columns)
    report = replace(
        table.report, notes=(), missing={}, infinite={}, origins={}, lists={}, styles={},
        n_rows=arrow.num_rows, n_columns=arrow.num_columns,
    )  # fmt: skip
    return Table(arrow=arrow, report=report)


def _beside(series: SeriesSet) -> tuple[str, ...]:
    return tuple(name for name in (series.time, series.group) if name is not None)


def _with_network(prepared: Prepared, settings: Settings) -> Prepared:
    """The same with a network that begins as a line."""
    assert prepared.settings.hidden is not None
    network = beside_a_line(
        len(prepared.recipe.feature_names),
        prepared.settings.hidden,
        prepared.task.outputs,
        activation=settings.activation,
        dropout=settings.dropout,
    )
    return replace(prepared, network=network)


def _with_line(prepared: Prepared, forecast: ForecastRows) -> ForecastRows:
    """The line that the network begins with, over its inputs and in the unit of its output."""
    assert prepared.scaler is not None
    scaler, split, rows = prepared.scaler, prepared.split, forecast.rows
    z, last = scaler.transform(rows.truth), scaler.transform(rows.last)
    x = prepared.train.inputs.astype(np.float64)
    held = prepared.validation.inputs.astype(np.float64) if len(split.validation) else x[:0]
    train, validation = split.train, split.validation
    line = fit_line(x, z[train], last[train], held=(held, z[validation], last[validation]))
    slope, level = np.polyfit(x[:, 0], last[train], 1) if np.ptp(x[:, 0]) > 0 else (0.0, float(last[train].mean()))
    weights = line.change.copy()
    weights[0] += slope
    return replace(forecast, weights=weights, constant=line.constant + float(level), penalty=line.penalty)
