"""Features: rows and columns are taken, put together and replaced, and nothing else moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pellucid.errors import DataError
from pellucid.preprocessing.feature_arrays import Columns, FeatureArray, Images, Series, Tokens
from pellucid.preprocessing.features import Features, rows_for

Array = NDArray[Any]

names = st.text(min_size=1, max_size=6)


def every_kind(n: int, seed: int = 0, widths: tuple[int, ...] = (1, 3, 0, 2), columns: Any = None) -> Features:
    """N rows of all kinds of array, in which every number tells its row."""
    rng = np.random.default_rng(seed)
    columns = [f"column {i}" for i in range(len(widths))] if columns is None else columns
    edges = np.cumsum([0, *widths])
    places = {name: slice(int(a), int(b)) for name, a, b in zip(columns, edges[:-1], edges[1:], strict=True)}
    of_row = 1000.0 * np.arange(n)
    return Features(
        {
            "columns": Columns(values=of_row[:, None] + rng.random((n, edges[-1])), places=places),
            "an image": Images(values=(of_row[:, None, None, None] + rng.random((n, 4, 3, 2))).astype(np.float32)),
            "a text": Tokens(
                values=1000 * np.arange(n)[:, None] + rng.integers(0, 9, (n, 5)), lengths=np.arange(n) % 6
            ),
            "a series": Series(values=of_row[:, None, None] + rng.random((n, 7, 2)), lengths=(np.arange(n) + seed) % 8),
        }
    )


def parts(features: Features) -> dict[str, Array]:
    """Every array in full, lengths too, taken past the methods under test."""
    found: dict[str, Array] = {}
    for name, array in features.arrays.items():
        found[name] = array.values
        if isinstance(array, Tokens | Series):
            found[name + ".lengths"] = array.lengths
    return found


def same(one: Features, other: dict[str, Array]) -> None:
    assert parts(one).keys() == other.keys()
    for name, array in parts(one).items():
        np.testing.assert_array_equal(array, other[name], err_msg=name)


# ── what must hold, for each way of making new features ──


def check_take(n: int, rows: Array) -> None:
    features = every_kind(n)
    same(features.take(rows), {name: array[rows] for name, array in parts(features).items()})


def check_concat(n: int, at: int) -> None:
    features = every_kind(n)
    same(Features.concat([features.take(slice(None, at)), features.take(slice(at, None))]), parts(features))


def check_replace(n: int, column: str) -> None:
    features, other = every_kind(n), every_kind(n, seed=1)
    before, wanted = {name: array.copy() for name, array in parts(features).items()}, parts(features)
    order = np.arange(n)[::-1]
    if column in ("an image", "a text", "a series"):
        wanted |= {name: array[order] for name, array in parts(other).items() if name.startswith(column)}
    else:
        place = features.arrays["columns"].places_or_none[column]  # type: ignore[index]
        wanted["columns"] = wanted["columns"].copy()
        wanted["columns"][:, place] = parts(other)["columns"][order, place]
    found = features.replace(column, other.column(column).take(order))
    same(found, wanted)
    same(features, before)  # a new value: the old one is as it was


def check_mixed(n: int, seed: int) -> None:
    features, other = every_kind(n), every_kind(n, seed=1)
    known = np.random.default_rng(seed).random((n, len(features.columns))) < 0.5
    wanted = features
    for k, column in enumerate(features.columns):
        # One column after the other, by what `check_replace` holds.
        rows = Features.concat([features.column(column), other.column(column)])
        wanted = wanted.replace(column, rows.take(np.arange(n) + n * known[:, k]))
    same(features.mixed(other, known), parts(wanted))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_rows_are_taken_from_every_array(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 9))
    rows = data.draw(st.lists(st.integers(0, n - 1), max_size=12))
    check_take(n, np.array(rows, dtype=np.int64))
    check_take(n, np.isin(np.arange(n), rows))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 9), st.integers(0, 9))
def test_what_was_cut_is_put_together_again(n: int, at: int) -> None:
    check_concat(n, min(at, n))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 9), st.sampled_from([*(f"column {i}" for i in range(4)), "an image", "a text", "a series"]))
def test_a_column_is_replaced_and_no_other(n: int, column: str) -> None:
    check_replace(n, column)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 9), st.integers(0, 99))
def test_columns_are_mixed_row_by_row(n: int, seed: int) -> None:
    check_mixed(n, seed)


@settings(max_examples=30, deadline=None)
@given(st.lists(names, min_size=1, max_size=5, unique=True))
def test_any_name_will_do(columns: list[str]) -> None:
    features = Features.of_columns(np.arange(3.0 * len(columns)).reshape(3, -1), columns)
    assert features.columns == tuple(columns)
    for i, name in enumerate(columns):
        assert features.column(name).flat.tolist() == [[float(i + len(columns) * row)] for row in range(3)]


# ── planted mistakes ──


def mixed_up_rows(self: Features, rows: Any) -> Features:
    """The rows of one array in another order."""
    arrays = {name: array.take(rows) for name, array in self.arrays.items()}
    first = next(iter(arrays))
    return Features({**arrays, first: arrays[first].take(np.arange(arrays[first].n)[::-1])})


def without_lengths(self: FeatureArray, rows: Any) -> FeatureArray:
    """The lengths of the first rows, whichever were taken."""
    values, lengths = self.values[rows], self.lengths_or_none
    return self._made(values, None if lengths is None else lengths[: len(values)])


def into_the_neighbour(self: FeatureArray, columns: Any) -> FeatureArray:
    """One feature too many."""
    values = self.values.copy()
    for column, new in columns.items():
        place = (self.places_or_none or {})[column]
        values[:, place] = new.values
        values[:, place.stop] = new.values[:, 0]
    return self._made(values, None)


def in_place(self: FeatureArray, columns: Any) -> FeatureArray:
    """The old features are changed as well."""
    for column, new in columns.items():
        self.values[:, (self.places_or_none or {})[column]] = new.values
    return self


def other_order(self: FeatureArray, others: Any) -> FeatureArray:
    """The parts in another order."""
    return self._made(np.concatenate([*(o.values for o in others), self.values]), None)


def lengths_of_the_old(self: FeatureArray, other: FeatureArray, known: Array) -> FeatureArray:
    """The texts of the others with the lengths of the old ones."""
    right = mixed(self, other, known)
    return right if self.lengths_or_none is None else self._made(right.values, self.lengths_or_none)


mixed = FeatureArray.mixed

MISTAKES: list[tuple[type, str, Callable[..., Any], Callable[[], None]]] = [
    (Features, "take", mixed_up_rows, lambda: check_take(4, np.array([2, 0, 1]))),
    (FeatureArray, "take", without_lengths, lambda: check_take(4, np.array([2, 0, 1]))),
    (FeatureArray, "replace", into_the_neighbour, lambda: check_replace(4, "column 1")),
    (FeatureArray, "replace", in_place, lambda: check_replace(4, "column 1")),
    (FeatureArray, "joined", other_order, lambda: check_concat(4, 2)),
    (FeatureArray, "mixed", lengths_of_the_old, lambda: check_mixed(6, 0)),
]


@pytest.mark.parametrize(("of", "name", "wrong", "check"), MISTAKES, ids=lambda x: getattr(x, "__name__", None))
def test_a_planted_mistake_is_caught(
    of: type, name: str, wrong: Any, check: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    check()
    monkeypatch.setattr(of, name, wrong)
    with pytest.raises(AssertionError):
        check()


# ── shapes ──


def test_the_shape_of_a_row_is_the_networks() -> None:
    kinds = every_kind(2).arrays
    shapes = {name: Features({name: array}).shape for name, array in kinds.items()}
    assert shapes == {"columns": (6,), "an image": (2, 4, 3), "a text": (5,), "a series": (7, 2)}
    assert Features({"a text": kinds["a text"]}).dtype.kind == "i"


def test_an_engine_gets_images_with_channels_first_and_flat_ones_pixel_by_pixel() -> None:
    pixels = np.arange(2 * 4 * 3 * 2, dtype=np.float32).reshape(2, 24)
    images = Features({"photo": Images.of_pixels(pixels, (4, 3, 2))})
    assert images.flat is pixels
    batch = images.batch(np.array([1]))["photo"]
    assert batch.shape == (1, 2, 4, 3)
    assert batch[0, 1, 2, 0] == pixels[1, (2 * 3 + 0) * 2 + 1]
    taken = images.take(np.array([1, 0, 1])).flat
    np.testing.assert_array_equal(taken, pixels[[1, 0, 1]])


def test_a_batch_takes_the_lengths_along() -> None:
    batch = every_kind(5).batch(np.array([4, 2]))
    assert batch["a text.lengths"].tolist() == [4, 2]
    assert batch["a series.lengths"].tolist() == [4, 2]
    assert batch["an image"].shape == (2, 2, 4, 3)


def test_texts_of_other_lengths_are_filled_up() -> None:
    short = Features({"t": Tokens(values=np.array([[1, 2]]), lengths=np.array([2]))})
    long = Features({"t": Tokens(values=np.array([[3, 4, 5]]), lengths=np.array([3]))})
    both = Features.concat([short, long]).arrays["t"]
    assert isinstance(both, Tokens)
    assert both.values.tolist() == [[1, 2, 0], [3, 4, 5]]
    assert both.lengths.tolist() == [2, 3]


def test_taking_a_slice_and_a_column_copies_nothing() -> None:
    features = every_kind(6)
    for made in (features.take(slice(1, 4)), features.column("column 1"), features.column("an image")):
        for name, array in made.arrays.items():
            assert np.shares_memory(array.values, features.arrays[name].values)


def test_numbers_keep_their_type_when_a_column_is_replaced() -> None:
    features = Features.of_columns(np.ones((2, 2), dtype=np.float32), ["a", "b"])
    assert features.replace("a", np.array([[0.1], [0.2]])).dtype == np.float32
    assert features.mixed(features.take(np.array([0])), np.ones((2, 2), bool)).dtype == np.float32


def test_several_columns_are_replaced_as_one_after_the_other() -> None:
    features, other = every_kind(5), every_kind(5, seed=1)
    columns = {name: other.column(name) for name in ("column 0", "column 3", "an image", "a text")}
    wanted = features
    for name, values in columns.items():
        wanted = wanted.replace(name, values)
    same(features.replace_all(columns), parts(wanted))


def test_like_reads_gradients_by_column() -> None:
    features = every_kind(2)
    of_table = Features({"columns": features.arrays["columns"]})
    assert of_table.like(np.arange(6.0)[None]).column("column 3").flat.tolist() == [[4.0, 5.0]]
    of_image = Features({"an image": features.arrays["an image"]})
    assert of_image.like(np.arange(24.0)[None]).shape == (2, 4, 3)
    with pytest.raises(DataError, match="tokens have lengths"):
        Features({"a text": features.arrays["a text"]}).like(np.zeros((1, 5)))


def test_arrays_go_through_the_networks_door_as_they_are() -> None:
    matrix = np.ones((2, 3))
    assert rows_for((3,), matrix) is matrix
    assert rows_for((3,), Features.of_columns(matrix, ["a", "b", "c"])) is matrix


# ── wrong use ──

TWO = Features.of_columns(np.ones((2, 3)), {"age": slice(0, 1), "job": slice(1, 3)})
TEXT = Tokens(values=np.array([[1, 2], [3, 4]]), lengths=np.array([2, 1]))
TOO_LONG = Tokens(values=TEXT.values, lengths=np.array([3, 1]))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Features({}), "at least one array"),
        (lambda: Features({"t": TEXT, "u": TEXT.take(np.array([0]))}), "same number of rows: 't' has 2, 'u' has 1"),
        (lambda: Features.of_columns(np.array([[1.0], [np.nan]]), ["age"]), "holds nan in row 1"),
        (lambda: Features.of_columns(np.array([[np.inf]]), ["age"]), "holds inf in row 0"),
        (lambda: Features.of_columns(np.array([[1]]), ["age"]), "floating-point numbers, got int64"),
        (lambda: Features.of_columns(np.ones(3), ["age"]), r"array \[N, F\], got ndarray \[3\]"),
        (lambda: Features.of_columns(np.ones((1, 2)), ["age", "age"]), "must differ"),
        (lambda: Features.of_columns(np.ones((1, 3)), ["age", "job"]), "has 3 features, but its columns have 2"),
        (lambda: Features.of_columns(np.ones((1, 3)), {"a": slice(1, 3)}), "'a' must stand from 0 on"),
        (lambda: Features({"columns": TWO.arrays["columns"], "age": TEXT}), "'age' is in two arrays"),
        (
            lambda: Features({"t": Tokens(values=TEXT.values, lengths=np.array([3, 1]))}),
            "between 0 and 2, got 3 in row 0",
        ),
        (lambda: Features({"t": Tokens(values=TEXT.values, lengths=np.array([1]))}), "2 rows, so its lengths"),
        (lambda: Features({"t": Tokens(values=-TEXT.values, lengths=TEXT.lengths)}), "at least 0, got -4"),
        (lambda: Features({"t": Tokens(values=TEXT.values * 1.0, lengths=TEXT.lengths)}), "whole numbers, got float64"),
        (lambda: Features({"i": Images(values=np.ones((1, 2, 2)))}), r"\[N, H, W, C\]"),
        (lambda: Features({"t": TEXT, "c": TWO.arrays["columns"]}).shape, "takes one array.* several: 't', 'c'"),
        (lambda: TWO.column("agee"), "no column 'agee'.*'age'"),
        (lambda: TWO.replace("job", np.ones((2, 1))), r"shape \[2, 2\].* by values of shape \[2, 1\]"),
        (lambda: TWO.replace("age", np.array([np.nan])), "must be finite"),
        (lambda: Features({"t": TEXT}).replace("t", TEXT.values), "holds tokens with lengths"),
        (lambda: TWO.mixed(TWO, np.ones((2, 3), bool)), r"known must be \[2, 2\]"),
        (lambda: TWO.mixed(Features.of_columns(np.ones((2, 3)), "abc"), np.ones((2, 2), bool)), "differ in 'columns'"),
        (lambda: Features.concat([]), "no features to put together"),
        (lambda: Features.concat([TWO, Features({"t": TEXT})]), "differ in their arrays"),
    ],
)
def test_wrong_use_says_what_is_wrong(wrong: Callable[[], object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        wrong()
