"""Where series come from: files, tables and arrays, told apart by what is given and by the settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.data.columns.series import series_of
from pellucid.data.tables import Table, read_table
from pellucid.errors import DataError, SettingError
from pellucid.preparation.division import split_of
from pellucid.preparation.prepare import examine, settings_for
from pellucid.preparation.sources import open_source, open_test_table
from pellucid.settings.settings import Settings

UCR = "".join(f"{1 + i % 2},{i}.5,{i % 3},{i % 5}\n" for i in range(12))
WIDE = {"kind": ["a", "b"] * 6, "t1": list(range(12)), "t2": [0.5] * 12, "t3": [1.5, 2.5] * 6}
LONG = {
    "id": [f"s{i // 3}" for i in range(36)],
    "t": [i % 3 for i in range(36)],
    "x": [float(i) for i in range(36)],
    "kind": ["ab"[i // 3 % 2] for i in range(36)],
}


def examined(data: Any, **given: Any) -> tuple[Table, Any, str, Settings]:
    return examine(data, settings_for(data, given))


def kinds(schema: Any) -> dict[str, tuple[str, str]]:
    return {column.name: (column.kind, column.role) for column in schema.columns}


def test_a_ucr_file_is_series_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "Sine_TRAIN.txt"
    path.write_text(UCR)
    (tmp_path / "Sine_TEST.txt").write_text(UCR)
    table, schema, name, settings = examined(str(path))
    assert name == "Sine"
    assert settings.target == "label"
    assert kinds(schema) == {"series": ("series", "feature"), "label": ("categorical", "target")}
    assert schema.column("series").shape == (3, 1)
    assert schema.to_json()["columns"][0]["shape"] == [3, 1]
    assert table.report.notes == ("'Sine_TEST.txt' lies beside it and is not read; --test-data measures on it",)
    tested = open_test_table(str(tmp_path / "Sine_TEST.txt"), settings, table)
    assert series_of(tested.column("series")).tolist() == series_of(table.column("series")).tolist()


def test_a_ucr_file_is_a_table_where_the_user_says_so(tmp_path: Path) -> None:
    path = tmp_path / "Sine_TRAIN.txt"
    path.write_text(UCR)
    plain = open_source(str(path), Settings(series=False, target="column_1")).table
    assert plain.names == ("column_1", "column_2", "column_3", "column_4")
    named = open_source(str(path), Settings(names=("y", "a", "b", "c"), target="y")).table
    assert named.names == ("y", "a", "b", "c")


def test_a_folder_has_its_own_test_part(tmp_path: Path) -> None:
    for part in ("TRAIN", "TEST"):
        (tmp_path / f"Sine_{part}.txt").write_text(UCR)
    source = open_source(str(tmp_path), Settings())
    assert source.test is not None
    assert "Sine_TEST.txt" in source.test.report.source


def test_the_rows_of_a_table_are_series() -> None:
    table, schema, _, settings = examined(WIDE, series=True, target="kind")
    assert kinds(schema) == {"series": ("series", "feature"), "kind": ("categorical", "target")}
    assert series_of(table.column("series"))[1, :, 0].tolist() == [1.0, 0.5, 2.5]
    tested = open_test_table({name: cells[:2] for name, cells in WIDE.items()}, settings, table)
    assert series_of(tested.column("series"))[1, :, 0].tolist() == [1.0, 0.5, 2.5]
    with pytest.raises(DataError, match=r"has 2 number columns .* the model was trained on series of 3 steps"):
        open_test_table({"kind": ["a"], "t1": [1.0], "t2": [2.0]}, settings, table)


def test_columns_beside_series_are_not_used() -> None:
    note = {"note": ["x", "y", "x"] * 4}
    _, schema, _, _ = examined({**WIDE, **note}, series=True, target="kind", drop=["t2"])
    assert kinds(schema)["note"] == ("categorical", "dropped")
    assert kinds(schema)["t2"] == ("constant", "dropped")
    assert schema.column("series").shape == (2, 1)


def test_the_steps_of_a_long_table_are_told_apart_by_group_and_time() -> None:
    table, schema, _, settings = examined(LONG, series=True, group="id", time="t", target="kind")
    assert (settings.series_id, settings.series_time, settings.group, settings.time) == ("id", "t", None, None)
    assert schema.column("id").role == "dropped"
    assert "tells the series apart" in schema.column("id").reason
    assert table.n_rows == 12
    split = split_of(table, schema, None, settings, test=0.25)
    assert len(split.test) == 3
    again = open_test_table({**LONG, "z": [0.0] * 36}, settings, table)
    assert series_of(again.column("series")).tolist() == series_of(table.column("series")).tolist()


def test_arrays_are_series_where_the_setting_says_so() -> None:
    values = np.arange(48.0).reshape(4, 6, 2)
    table, schema, _, settings = examined({"series": values, "label": [1, 2, 1, 2]}, series=True)
    assert settings.target == "label"
    assert series_of(table.column("series")).tolist() == values.tolist()
    assert schema.column("series").reason == "6 steps, 2 channels"


@pytest.mark.parametrize(
    ("data", "given", "error", "said"),
    [
        (WIDE, {}, SettingError, r"Give target \(--target\); the number columns beside it are the steps"),
        (WIDE, {"target": "kinds"}, DataError, "there is no column 'kinds' .* did you mean 'kind'"),
        (WIDE, {"target": "kind", "series_time": "t1"}, SettingError, r"give series_id \(--series-id\) too"),
        ({**WIDE, "kind": ["a"] * 12}, {"target": "series"}, DataError, "there is no column 'series'"),
        ({"series": np.ones((3, 4)), "y": [1, 2, 1]}, {"target": "series"}, DataError, "holds series and cannot be"),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    data: Any, given: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        examined(data, series=True, **given)


def test_other_channels_in_test_rows_are_refused(tmp_path: Path) -> None:
    like = open_source({"series": np.ones((3, 4)), "label": ["a", "b", "a"]}, Settings(series=True)).table
    path = tmp_path / "x.ts"
    path.write_text("@classLabel true a b\n@data\n1,2:3,4:a\n")
    with pytest.raises(DataError, match="has series of 2 channels, but the training data of 1; both must"):
        open_test_table(str(path), Settings(), like)


def test_copies_of_a_series_stay_together_and_contradictions_are_told() -> None:
    values = np.repeat(np.random.default_rng(0).normal(size=(20, 5)), 2, axis=0)
    labels = ["a", "b"] * 2 + ["a"] * 18 + ["b"] * 18
    table, schema, _, settings = examined({"series": values, "label": labels}, series=True)
    assert schema.column("series").n_distinct == 20
    from pellucid.data.target import read_target

    split = split_of(table, schema, read_target(table, "label"), settings, test=0.2)
    parts = [set((rows // 2).tolist()) for rows in (split.train, split.validation, split.test)]
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert any("hold a series that another row gives a different 'label'" in note for note in split.notes)


def test_a_table_of_series_is_taken_as_it_is() -> None:
    table = open_source({"series": np.ones((3, 4)), "label": ["a", "b", "a"]}, Settings(series=True)).table
    assert open_source(table, Settings(series=True)).table is table
    assert open_source(read_table(WIDE), Settings(series=True, target="kind")).table.names == ("series", "kind")
