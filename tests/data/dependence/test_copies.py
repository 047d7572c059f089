"""Copies with noise are found as equal rows are; rows that agree by chance or by rounding are none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid.data.dependence.copies import copies_in, counted_together, drop_rows_seen_in
from pellucid.data.schema import infer_schema
from pellucid.data.splits import split_rows
from pellucid.data.tables import Table, read_table
from pellucid.data.target import read_target

N, COPIED = 2_000, 600
RNG = np.random.default_rng(11)
FINE = RNG.normal(size=(N, 8)) * [1, 1, 10, 1e3, 1e5, 1, 1, 1] + [0, 5, 300, 0, 0, 1, -3, 0]
CENTS = np.round(RNG.normal(size=(N, 8)) * 20 + 50, 2)
WHOLE = RNG.integers(0, 50, (N, 8)).astype(np.float64)


def table_of(x: Any, **more: Any) -> Table:
    return read_table({**{f"x{j}": column for j, column in enumerate(np.asarray(x).T)}, **more})


def one_cell(x: Any) -> Any:
    return x + 1e-9 * (np.arange(x.shape[1]) == 3)


def any_cell(x: Any) -> Any:
    return x + 1e-9 * np.eye(x.shape[1])[np.arange(len(x)) % x.shape[1]]


def all_cells(x: Any) -> Any:
    return x * (1 + 1e-9) + 1e-10


def six_digits(x: Any) -> Any:
    return np.array([[float(f"{cell:.6g}") for cell in row] for row in x])


@pytest.mark.parametrize("noise", [one_cell, any_cell, all_cells, six_digits])
@pytest.mark.parametrize("x", [FINE, CENTS, WHOLE], ids=["fine", "cents", "whole"])
def test_copies_with_noise_are_found(x: Any, noise: Any) -> None:
    copied = np.concatenate([x, noise(x[:COPIED])])
    found = copies_in(table_of(copied), [f"x{j}" for j in range(8)])
    assert found.n_equal + found.n_nearly == COPIED
    assert np.array_equal(found.of_row, np.concatenate([np.arange(N), np.arange(COPIED)]))


def test_holes_texts_and_ids() -> None:
    x = np.where(RNG.uniform(size=FINE.shape) < 0.05, np.nan, FINE)
    kind = RNG.choice(["a", "b"], N)
    copied = np.concatenate([x, one_cell(x[:COPIED])])
    names = np.arange(N + COPIED).astype(str)
    kinds = np.concatenate([kind, kind[:COPIED]])
    table = table_of(copied, kind=kinds, name=names)
    columns = [*(f"x{j}" for j in range(8)), "kind"]
    holed_there = int(np.isnan(x[:COPIED, 3]).sum())  # NaN + 1e-9 is NaN: equal
    found = copies_in(table, columns)
    assert (found.n_equal, found.n_nearly) == (holed_there, COPIED - holed_there)
    other = table_of(copied, kind=np.concatenate([kind, np.where(kind[:COPIED] == "a", "b", "a")]))
    assert copies_in(other, columns).n_nearly == 0


@pytest.mark.parametrize(
    "x",
    [
        FINE,
        CENTS,
        WHOLE,
        RNG.normal(size=(20_000, 1)),
        RNG.normal(size=(20_000, 2)),
        np.round(RNG.normal(size=(20_000, 2)), 3),
        np.column_stack([np.cumsum(RNG.normal(size=20_000) * 1e-4)] * 3) * [1, 2, 3],  # a slow series
        np.column_stack([np.sin(np.linspace(0, 6, 20_000)), np.cos(np.linspace(0, 6, 20_000))]),
        np.where(RNG.uniform(size=(5_000, 3)) < 0.95, 0.0, RNG.lognormal(0, 4, (5_000, 3))),
    ],
)
def test_rows_that_are_alike_by_chance_are_no_copies(x: Any) -> None:
    assert copies_in(table_of(x), [f"x{j}" for j in range(x.shape[1])]).n_nearly == 0


def test_a_split_keeps_copies_with_noise_together_and_says_so() -> None:
    copied = np.concatenate([FINE, one_cell(FINE[:COPIED])])
    table = table_of(copied, id=[f"r{i}" for i in range(N + COPIED)], y=np.where(copied[:, 0] > 0, "yes", "no"))
    split = split_rows(table, infer_schema(table, target="y"), read_target(table, "y"))
    part = np.zeros(N + COPIED, dtype=int)
    part[split.validation], part[split.test] = 1, 2
    assert np.array_equal(part[:COPIED], part[N:])
    assert any("600 rows are equal to an earlier one except for tiny differences" in note for note in split.notes)


def test_rows_of_another_table_are_found_through_noise() -> None:
    assert drop_rows_seen_in(table_of(all_cells(FINE[5:9])), table_of(FINE)).tolist() == [5, 6, 7, 8]
    assert drop_rows_seen_in(table_of(FINE[5:9] + 0.1), table_of(FINE)).tolist() == []


def test_copies_count_together_where_they_measure() -> None:
    table = table_of(np.concatenate([FINE, one_cell(FINE[:COPIED])]))
    rows = np.arange(table.n_rows)
    groups, notes = counted_together(table, table.names, rows, "rows")
    assert groups is not None
    assert len(np.unique(groups)) == N
    assert notes[0].startswith("only 2,000 of the 2,600 rows differ in their features")
    assert counted_together(table, table.names, rows[:N], "rows") == (None, ())
