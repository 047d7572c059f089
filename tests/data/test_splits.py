"""Splits: whole, disjoint, seeded, stratified, and nothing that belongs together on two sides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.data.dependence.copies import drop_rows_seen_in
from pellucid.data.dependence.row_hashes import row_hashes
from pellucid.data.schema import infer_schema
from pellucid.data.splits import Split, split_rows
from pellucid.data.tables import Table, read_table
from pellucid.data.target import read_target
from pellucid.errors import DataError, SettingError

RNG = np.random.default_rng(3)


def split_of(columns: Any, target: str | None = "y", *, group: Any = None, time: Any = None, **shares: Any) -> Split:
    table = columns if isinstance(columns, Table) else read_table(columns)
    schema = infer_schema(table, target=target, group=group, time=time)
    read = read_target(table, target) if target is not None else None
    split = split_rows(table, schema, read, **shares)
    parts = (split.train, split.validation, split.test)
    rows = np.concatenate(parts)
    expected = read.keep_rows if read is not None else np.arange(table.n_rows)
    assert np.array_equal(np.sort(rows), expected)  # each row that has a target once
    assert all(np.array_equal(part, np.sort(part)) for part in parts)
    return split


def parts_of(split: Split, n: int) -> np.ndarray:
    part = np.full(n, -1)
    for i, rows in enumerate((split.train, split.validation, split.test)):
        part[rows] = i
    return part


def distinct(n: int, **columns: Any) -> dict[str, Any]:
    return {"x": RNG.normal(size=n), **columns}


@settings(max_examples=80, deadline=None)
@given(
    n=st.integers(10, 120),
    n_classes=st.integers(2, 5),
    n_values=st.integers(2, 60),
    seed=st.integers(0, 5),
    shares=st.sampled_from([(0.15, 0.2), (0.0, 0.3), (0.3, 0.0), (0.1, 0.1), (0.45, 0.45)]),
)
def test_classes_duplicates_and_seeds(
    n: int, n_classes: int, n_values: int, seed: int, shares: tuple[float, float]
) -> None:
    rng = np.random.default_rng(n * 1000 + n_values)
    y = rng.integers(0, n_classes, n).astype(str)
    x = rng.integers(0, n_values, n) * 0.5
    if len(np.unique(y)) < 2 or len(set(zip(x, y, strict=True))) < 3:
        return
    columns = {"x": x, "z": np.zeros(n), "y": np.char.add("class ", y)}
    validation, test = shares
    split = split_of(columns, validation=validation, test=test, seed=seed)
    again = split_of(columns, validation=validation, test=test, seed=seed)
    assert np.array_equal(split.train, again.train)
    assert np.array_equal(split.test, again.test)
    part = parts_of(split, n)
    where: dict[Any, set[int]] = {}
    for key, p in zip(zip(x, y, strict=True), part, strict=True):
        where.setdefault(key, set()).add(int(p))
    assert all(len(p) == 1 for p in where.values())  # equal rows are on one side
    for label in np.unique(y):
        units = {key for key in where if key[1] == label}
        if len(units) >= 2 and (validation == 0 or test == 0):
            assert (part[y == label] == 0).any()
    assert (len(split.validation) > 0) == (validation > 0)
    assert (len(split.test) > 0) == (test > 0)


def test_shares_are_kept_in_each_class() -> None:
    n = 2_000
    y = RNG.choice(["common", "seldom", "rare"], n, p=[0.9, 0.08, 0.02])
    split = split_of(distinct(n, y=y))
    for label in ("common", "seldom", "rare"):
        total = int((y == label).sum())
        for rows, share in ((split.validation, 0.15), (split.test, 0.2)):
            assert abs((y[rows] == label).sum() - share * total) <= 1.5
    assert (len(split.validation), len(split.test)) == (300, 400)
    other = split_of(distinct(n, y=y), seed=1)
    assert not np.array_equal(split.test, other.test)


def test_a_class_of_large_units_takes_no_rows_from_the_next() -> None:
    """Eight rows, each four hundred times, go in whole units; the other class still has its share in every part."""
    x = np.concatenate([np.repeat(np.arange(8.0), 400), 100 + np.arange(150.0)])
    columns = {"x": x, "y": np.where(x < 100, "many", "few")}
    split = split_of(columns, validation=0.2, test=0.2)
    for rows in (split.test, split.validation):
        assert (x[rows] >= 100).sum() == pytest.approx(30, abs=2)


def test_every_class_of_two_rows_has_one_in_training(shared_data: Path) -> None:
    for path, name in (
        ("arrhythmia/arrhythmia.csv.gz", "class"),
        ("kdd99_10pct/kddcup.data_10_percent.csv.gz", "column_42"),
    ):
        table = read_table(shared_data / path)
        target = read_target(table, name)
        split = split_of(table, name)
        assert set(np.unique(target.at(split.train))) == set(range(len(target.classes)))
        assert 0.1 < len(split.test) / table.n_rows < 0.3
        hashes = row_hashes(table, table.names)
        train = np.unique(hashes[split.train])
        assert not np.isin(hashes[split.test], train).any()
        assert not np.isin(hashes[split.validation], train).any()


def test_equal_rows_are_those_that_pandas_calls_equal(shared_data: Path) -> None:
    import pandas as pd

    for path in ("wine_quality/winequality-red.csv.gz", "diamonds/diamonds.csv.gz", "titanic/titanic.csv.gz"):
        table = read_table(shared_data / path)
        frame: pd.DataFrame = table.arrow.to_pandas()
        hashes = row_hashes(table, table.names)
        assert len(hashes) - len(np.unique(hashes)) == int(frame.duplicated().sum())


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 3), n_groups=st.integers(3, 25), classes=st.booleans())
def test_a_group_is_in_one_part(seed: int, n_groups: int, classes: bool) -> None:
    rng = np.random.default_rng(n_groups)
    n = 150
    group = rng.integers(0, n_groups, n)
    group[:3] = [0, 1, 2]
    y = rng.choice(["a", "b"], n) if classes else rng.normal(size=n)
    split = split_of({"x": rng.normal(size=n), "subject": group, "y": y}, group="subject", seed=seed)
    part = parts_of(split, n)
    assert all(len(np.unique(part[group == g])) == 1 for g in np.unique(group))
    assert len(split.validation)
    assert len(split.test)


def test_equal_rows_join_their_groups() -> None:
    n = 60
    x, group = RNG.normal(size=n), np.repeat([f"g{i}" for i in range(12)], 5)
    x[0] = x[7]  # equal but for the group, which is an identifier here only by the schema of the pair below
    columns = {"x": x, "g": group, "y": np.where(np.arange(n) % 2, "p", "q")}
    split = split_of(columns, group="g")
    part = parts_of(split, n)
    assert all(len(np.unique(part[group == g])) == 1 for g in np.unique(group))


def test_rows_without_a_group_stand_alone() -> None:
    n = 100
    group = [None if i % 2 else f"g{i % 10}" for i in range(n)]
    split = split_of(distinct(n, g=group, y=RNG.normal(size=n)), group="g")
    assert 10 <= len(split.test) <= 30


def test_by_time_the_latest_rows_are_held_out() -> None:
    n = 400
    day = RNG.permutation(np.repeat(np.arange(100), 4))
    dates = np.datetime64("2020-01-01") + day
    for when in (dates, day, [f"{d.astype(object):%d/%m/%Y}" for d in dates]):
        split = split_of(distinct(n, when=when, y=RNG.normal(size=n)), time="when", seed=5)
        assert day[split.train].max() < day[split.validation].min()
        assert day[split.validation].max() < day[split.test].min()
        assert (len(split.validation), len(split.test)) == (60, 80)


def test_rows_without_a_time_are_for_training() -> None:
    when = [None, None, *range(98)]
    split = split_of(distinct(100, when=when, y=RNG.normal(size=100)), time="when")
    assert {0, 1} <= set(split.train.tolist())
    assert any("no 'when'" in note for note in split.notes)


def test_by_time_and_group() -> None:
    n = 200
    day = np.arange(n)
    group = np.array([f"g{i // 10}" for i in range(n)])
    split = split_of(distinct(n, day=day * 1.5, g=group, y=RNG.normal(size=n)), time="day", group="g")
    part = parts_of(split, n)
    assert all(len(np.unique(part[group == g])) == 1 for g in np.unique(group))
    assert day[split.train].max() < day[split.test].min()


def test_nothing_held_out_takes_any_number_of_rows() -> None:
    split = split_of({"a": [0, 0, 1, 1], "b": [0, 1, 0, 1], "y": [0, 1, 1, 0]}, validation=0, test=0)
    assert split.train.tolist() == [0, 1, 2, 3]
    assert len(split.validation) == len(split.test) == 0


def test_without_a_target() -> None:
    split = split_of(distinct(100, z=np.arange(100) % 7), None)
    assert len(split.test) == 20


def test_repeated_rows_are_said() -> None:
    columns = {"x": np.repeat(RNG.normal(size=50), 2), "y": np.repeat(RNG.choice(["a", "b"], 50), 2)}
    assert any("50 rows are equal to an earlier one" in note for note in split_of(columns).notes)


@pytest.mark.parametrize(
    ("n", "said", "error", "message"),
    [
        (9, {}, DataError, "9 rows cannot be split .*at least 10 are needed"),
        (1, {}, DataError, "1 row cannot be split"),
        (40, {"group": "same"}, DataError, "'same' has 1 group .*leave out --group"),
        (40, {"group": "two"}, DataError, "'two' has 2 groups .*3 parts are requested"),
        (40, {"time": "two"}, DataError, "'two' has 2 different times"),
        (40, {"time": "words"}, DataError, "neither numbers nor dates"),
        (40, {"validation": -0.1}, SettingError, "validation must be a share"),
        (40, {"test": 1.0}, SettingError, "test must be a share"),
        (40, {"test": True}, SettingError, "test must be a share"),
        (40, {"test": 0.6, "validation": 0.4}, SettingError, "leaves none to train on"),
    ],
)
def test_what_cannot_be_divided(n: int, said: dict[str, Any], error: type[Exception], message: str) -> None:
    columns = distinct(
        n, same=["s"] * n, two=np.arange(n) % 2, words=[f"w{i % 5}" for i in range(n)], y=RNG.normal(size=n)
    )
    table = read_table(columns)
    schema = infer_schema(table, group=said.pop("group", None), time=said.pop("time", None))
    with pytest.raises(error, match=message):
        split_rows(table, schema, None, **said)


def test_all_rows_equal() -> None:
    with pytest.raises(DataError, match="there are 2 different rows"):
        split_of({"x": [1, 2] * 10, "z": [3, 4] * 10, "y": [0, 1] * 10})


def test_rows_of_the_test_file_are_found(shared_data: Path) -> None:
    train, test = (read_table(shared_data / f"adult/adult-{part}.csv.gz") for part in ("train", "test"))
    frames = [t.arrow.to_pandas().astype(str).apply(lambda c: c.str.rstrip(". ")) for t in (train, test)]
    keys = set(map(tuple, frames[1].to_numpy()))
    expected = [i for i, row in enumerate(map(tuple, frames[0].to_numpy())) if row in keys]
    assert len(expected) > 0
    assert drop_rows_seen_in(test, train).tolist() == expected


def test_comparing_tables_by_what_cells_hold() -> None:
    one = read_table({"id": [1, 2, 3], "a": [1, 2, None], "b": ["x", "y", "z"], "c": [0.0, 1.5, -0.0]})
    other = read_table({"c": [-0.0, 7.0, 0.0], "b": ["z", "y", "x."], "a": [None, 2.0, 1.0], "id": [7, 8, 9]})
    assert drop_rows_seen_in(other, one).tolist() == []
    schema = infer_schema(one)
    assert drop_rows_seen_in(other, read_table({k: one.column(k) for k in "abc"}), schema).tolist() == [0, 2]
    assert drop_rows_seen_in(read_table({"else": [1]}), one).tolist() == []


def test_targets_are_compared_as_the_network_knows_them() -> None:
    """1 and "1" are one class; a row whose target differs, or is missing, is another row."""
    one = read_table({"x": [0.5, 1.5, 2.5, 3.5], "y": [0, 1, 0, 1]})
    other = read_table({"x": [3.5, 2.5, 0.5, 1.5], "y": ["1", "1", "0", None]})
    schema = infer_schema(one, target="y")
    codes = np.array([1, 1, 0, np.nan]), np.array([0.0, 1, 0, 1])
    assert drop_rows_seen_in(other, one, schema, targets=codes).tolist() == [0, 3]
    assert drop_rows_seen_in(read_table({"y": [0, 1]}), one, schema, targets=(codes[0][:2], codes[1])).tolist() == []


def test_a_seed_means_the_same_for_a_file_and_for_a_frame() -> None:
    days = np.datetime64("2020-01-01") + RNG.integers(0, 300, 200)
    columns = distinct(200, day=days, y=RNG.choice(["a", "b"], 200))
    as_text = {**columns, "day": days.astype(str)}
    assert np.array_equal(split_of(columns).test, split_of(as_text).test)


@pytest.mark.parametrize("how", ["dropped by the user", "an identifier", "short text"])
def test_rows_that_are_equal_to_the_network_stay_together(how: str) -> None:
    """A column that is no feature must not hide that two rows are equal."""
    rng = np.random.default_rng(0)
    n = 200
    twice = {
        "a": np.tile(rng.normal(size=n), 2),
        "b": np.tile(rng.normal(size=n), 2),
        "y": np.tile(rng.integers(0, 2, n), 2),
    }
    words = [" ".join(f"w{k}" for k in rng.integers(0, 900, 4)) for _ in range(2 * n)]
    other = {
        "dropped by the user": rng.normal(size=2 * n),
        "an identifier": np.arange(2 * n),
        "short text": np.array(words),
    }
    table = read_table({**twice, "other": other[how]})
    drop = ("other",) if how == "dropped by the user" else ()
    schema = infer_schema(table, target="y", drop=drop)
    assert schema.column("other").role == "dropped"
    split = split_rows(table, schema, read_target(table, "y"))
    part = np.zeros(2 * n, dtype=int)
    part[split.validation], part[split.test] = 1, 2
    assert (part[:n] == part[n:]).all()
