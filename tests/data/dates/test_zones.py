"""Times with a zone keep the local time of their zone, in whatever way they come in."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pellucid.data.dates.formats import parse_dates
from pellucid.data.schema import infer_schema
from pellucid.data.tables import read_table
from pellucid.preprocessing.steps.dates import DateStep, fit_date
from pellucid.preprocessing.values import text_of

BERLIN = ZoneInfo("Europe/Berlin")
LOCAL = [dt.datetime(2023, 1, 1) + dt.timedelta(days=9 * i) for i in range(40)]
AWARE = [each.replace(tzinfo=BERLIN) for each in LOCAL]
SOURCES = {
    "pandas": pd.DataFrame({"t": pd.DatetimeIndex(LOCAL).tz_localize("Europe/Berlin")}),
    "polars": pl.DataFrame({"t": LOCAL}).with_columns(pl.col("t").dt.replace_time_zone("Europe/Berlin")),
    "arrow": pa.table({"t": pa.array(AWARE, pa.timestamp("ms", "Europe/Berlin"))}),
    "cells": {"t": AWARE},
    "rows": [{"t": each} for each in AWARE],
}


def stamps(table, layout=None):
    return parse_dates(table.column("t"), format=layout)[0].to_pylist()


@pytest.mark.parametrize("source", SOURCES)
def test_a_table_in_memory_keeps_local_times(source):
    assert stamps(read_table(SOURCES[source])) == LOCAL


def test_files_keep_local_times(tmp_path):
    pq.write_table(SOURCES["arrow"], tmp_path / "t.parquet")
    assert stamps(read_table(tmp_path / "t.parquet")) == LOCAL
    SOURCES["pandas"].to_csv(tmp_path / "t.csv", index=False)  # +01:00 in winter, +02:00 in summer
    table = read_table(tmp_path / "t.csv")
    assert stamps(table) == LOCAL
    assert not infer_schema(table).warnings


@pytest.mark.parametrize("ending", ["+01:00", " +01:00", "+01", "-0530", "Z", " Z"])
def test_a_text_keeps_its_own_local_time(ending):
    texts = [f"{each:%Y-%m-%d %H:%M}{ending}" for each in LOCAL]
    assert stamps(read_table({"t": texts})) == LOCAL
    with_an_odd_one = [*texts, "2023-02-30 00:00+01:00"]
    assert stamps(read_table({"t": with_an_odd_one}), "iso") == [*LOCAL, None]


def test_a_model_of_local_times_reads_local_times():
    step = fit_date("t", pa.array(LOCAL))
    first = step.encode_one("2023-01-01 00:00:00")
    for value in (
        "2023-01-01 00:00:00+01:00", "2023-01-01T00:00:00-08:00", AWARE[0], pd.Timestamp(AWARE[0]),
    ):  # fmt: skip
        assert step.encode_one(value) == first
        out = np.zeros((1, len(step.features)))
        step.encode(pa.array([value]), out)
        assert tuple(out[0]) == first
    assert text_of(AWARE[0]) == text_of(LOCAL[0])


def test_several_zones_become_utc_and_one_note_says_so():
    zones = [dt.timezone(dt.timedelta(hours=h)) for h in (1, -5, 9)]
    mixed = [each.replace(tzinfo=zones[i % 3]) for i, each in enumerate(LOCAL)]
    utc = [each.astimezone(dt.UTC).replace(tzinfo=None) for each in mixed]
    for cells in (mixed, [each.isoformat(sep=" ") for each in mixed]):
        table = read_table({"t": cells})
        schema = infer_schema(table)
        assert schema.column("t").kind == "date"
        (note,) = schema.warnings
        assert "several time zones (-05:00, +01:00, +09:00)" in note
        assert "UTC" in note
        layout = schema.column("t").layout
        assert stamps(table, layout) == utc
        step = DateStep.from_json(fit_date("t", table.column("t"), layout=layout).to_json(), "step")
        assert step.encode_one(mixed[1]) == step.encode_one(utc[1]) == step.encode_one(mixed[1].isoformat())


def test_two_zones_of_neighbours_are_no_summer_time():
    texts = [f"{each:%Y-%m-%d %H:%M}+0{1 + i % 2}:00" for i, each in enumerate(LOCAL)]
    assert parse_dates(pa.array(texts))[1] == "iso utc"
