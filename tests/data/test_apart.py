"""Rows and targets given apart, and columns of any name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import pellucid
from pellucid.errors import DataError, SettingError

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")

QUICK = {"preset": "plain", "hidden": (4,), "epochs": 2, "verdict": False}
X = np.random.default_rng(0).normal(size=(60, 3))
Y = (X[:, 0] > 0).astype(int)

ROWS = {
    "array": lambda x: x,
    "lists": lambda x: x.tolist(),
    "pandas": lambda x: pd.DataFrame(x, columns=["a", "b", "c"]),
    "polars": lambda x: pl.DataFrame(x, schema=["a", "b", "c"]),
    "arrow": lambda x: pa.table({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2]}),
    "dict": lambda x: {"a": x[:, 0], "b": x[:, 1], "c": x[:, 2]},
    "records": lambda x: [{"a": a, "b": b, "c": c} for a, b, c in x.tolist()],
    "sparse": sparse.csr_matrix,
}
TARGETS = {
    "array": lambda y: y,
    "column": lambda y: y[:, None],
    "list": lambda y: y.tolist(),
    "tuple": lambda y: tuple(y.tolist()),
    "pandas": lambda y: pd.Series(y, name="answer"),
    "frame": lambda y: pd.DataFrame({"answer": y}),
    "polars": lambda y: pl.Series("answer", y),
    "arrow": pa.array,
}


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("targets", TARGETS)
def test_rows_and_targets_apart_are_one_table(rows: str, targets: str) -> None:
    asked, y = ROWS[rows](X), TARGETS[targets](Y)
    run = pellucid.train(asked, y, **QUICK)
    named = "answer" if targets in ("pandas", "frame", "polars") else "y"
    assert run.model.task.target == named
    names = ["a", "b", "c"] if rows in ("pandas", "polars", "arrow", "dict", "records") else None
    columns = dict(zip(names or ["column_1", "column_2", "column_3"], X.T, strict=True))
    whole = pellucid.train({**columns, named: Y}, named, **QUICK)
    np.testing.assert_array_equal(run.predict_proba(asked), whole.predict_proba(asked if names else X))
    assert run.predict(asked).dtype == np.int64


def test_a_test_part_is_given_apart_as_well() -> None:
    run = pellucid.train(X, Y, test_data=(X[:20] + 0.01, Y[:20]), **QUICK)
    assert run.summary["rows"]["test"] == 20
    with pytest.raises(SettingError, match=r"test_data must be a table, or \(X, y\)"):
        pellucid.train(X, Y, test_data=(X,), **QUICK)


def test_images_and_labels_apart() -> None:
    images = np.random.default_rng(0).integers(0, 255, (40, 6, 6), dtype=np.uint8)
    run = pellucid.train(images, np.arange(40) % 2, **QUICK)
    assert run.model.task.target == "label"
    assert run.model.image is not None
    both = pellucid.train({"image": images, "size": np.arange(40.0) ** 2}, ["a", "b"] * 20, **QUICK)
    assert set(both.predict({"image": images, "size": np.arange(40.0)})) <= {"a", "b"}


def test_what_does_not_belong_together_is_refused(tmp_path: Path) -> None:
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    frame["y"] = Y
    shuffled = frame["y"].rename("z").sample(frac=1, random_state=0)
    refused = {
        "60 rows and y 59 values": (X, Y[:59]),
        r"X already has a column 'y', the name of y.*X\.drop": (frame, frame["y"]),
        "y has 2 columns, and a run predicts one.*MultiOutputClassifier": (X, np.c_[Y, Y]),
        r"same row labels in a different order.*y\.loc\[X\.index\]": (frame, shuffled),
    }
    for words, given_ in refused.items():
        with pytest.raises(DataError, match=words):
            pellucid.train(*given_, **QUICK)
    frame.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(SettingError, match=r"y holds values, but the rows come from .*t\.csv"):
        pellucid.train(tmp_path / "t.csv", Y, **QUICK)
    with pytest.raises(SettingError, match=r"train\(X, y\)"):
        pellucid.train((X, Y), **QUICK)
    with pytest.raises(SettingError, match="there is no column 3: the array has 3 columns, 0 to 2"):
        pellucid.train(X, 3, **QUICK)


NAMES: list[Any] = [0, 2, -7, 1.5, True, ("price", "mean"), pd.Timestamp("2021-03-01"), None, " a ", "ä/b", np.int64(9)]


@settings(max_examples=30)
@given(st.permutations(range(len(NAMES))))
def test_columns_of_any_names_are_rows_beside_their_targets(chosen: list[int]) -> None:
    frame = pd.DataFrame(X)
    frame.columns = pd.Index([NAMES[i] for i in chosen[:3]], dtype=object, tupleize_cols=False)
    run = pellucid.train(frame, pd.Series(Y, name=NAMES[chosen[3]]), **QUICK)
    plain = pellucid.train(X, Y, **QUICK)
    np.testing.assert_array_equal(run.predict_proba(frame), plain.predict_proba(X))


@pytest.mark.parametrize(
    "name", [2, np.int64(2), ("v", "sum"), 1.5, True, pd.Timestamp("2021-03-01"), " spaced ", "a,b"]
)
def test_a_target_is_found_by_its_own_name(name: Any) -> None:
    frame = pd.DataFrame({"x": X[:, 0], "z": X[:, 1]})
    columns = [("x", "of"), ("z", "of"), name] if isinstance(name, tuple) else ["x", "z", name]
    frame = pd.concat([frame, pd.Series(Y == 1)], axis=1)
    frame.columns = pd.MultiIndex.from_tuples(columns) if isinstance(name, tuple) else pd.Index(columns, dtype=object)
    run = pellucid.train(frame, name, drop=[columns[1]], **QUICK)
    assert run.model.recipe.feature_names == ("x of",) if isinstance(name, tuple) else ("x",)
    assert run.predict(frame).dtype == bool
    same = pellucid.train(frame, target=name, drop=frame.columns[[1]], **QUICK)
    np.testing.assert_array_equal(run.predict_proba(frame), same.predict_proba(frame))


def test_an_arrays_column_is_found_by_its_place() -> None:
    array = np.c_[X, Y]
    for place in (3, -1, np.int64(3)):
        assert pellucid.train(array, place, **QUICK).model.task.target == "column_4"


def test_names_that_would_be_one_are_told() -> None:
    frame = pd.DataFrame(np.c_[X, Y])
    frame.columns = pd.MultiIndex.from_tuples([("a", "b c"), ("a b", "c"), ("d", ""), ("y", "")])
    with pytest.raises(DataError, match="the name 'a b c' is used for columns 1 and 2"):
        pellucid.train(frame, ("y", ""), **QUICK)


def test_a_column_of_lists_is_named_as_a_whole() -> None:
    frame = pd.DataFrame({"e": X.tolist(), "v": X[:, 1], "y": Y})
    run = pellucid.train(frame, "y", **QUICK)
    assert run.model.recipe.feature_names == ("e_1", "e_2", "e_3", "v")
    assert np.isfinite(run.predict_proba([{"e": [0.1, 0.2, 0.3], "v": 1.0}])).all()
    assert pellucid.train(frame, "y", drop="e", **QUICK).model.recipe.feature_names == ("v",)
    model = pellucid.NeuralClassifier((4,), max_iter=2).fit(frame[["e", "v"]], Y)
    assert model.recipe_.feature_names == ("e_1", "e_2", "e_3", "v")


# ── pandas' own arrays and row labels ──


@pytest.mark.parametrize(
    "values",
    [
        pd.Categorical(np.where(Y, "yes", "no")),
        pd.Categorical(Y.tolist()),
        pd.array(Y.tolist(), dtype="Int64"),
        pd.array(np.where(Y, "yes", "no").tolist(), dtype="string"),
        pd.Index(np.where(Y, "yes", "no")),
    ],
    ids=lambda values: f"{type(values).__name__} of {values.dtype}",
)
def test_an_array_of_pandas_is_as_a_series_of_it(values: Any) -> None:
    run, same = pellucid.train(X, values, **QUICK), pellucid.train(X, pd.Series(values, name="y"), **QUICK)
    np.testing.assert_array_equal(run.predict(X), same.predict(X))
    assert run.predict(X).dtype == same.predict(X).dtype
    columns = {"x": X[:, 0], "k": values}
    np.testing.assert_array_equal(
        pellucid.train(columns, Y, **QUICK).predict_proba(columns),
        pellucid.train(pd.DataFrame(columns), Y, **QUICK).predict_proba(columns),
    )


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ("c", "'c'"),
        (["b", "c"], "levels 'b', 'c'"),
    ],
)
def test_row_labels_that_were_columns_are_not_lost_in_silence(labels: Any, says: str) -> None:
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    with pytest.warns(pellucid.DataWarning, match="reset_index") as told:
        run = pellucid.train(frame.set_index(labels), Y, **QUICK)
    (note,) = told
    assert str(note.message).startswith(f"the index {says} of the frame")
    run.predict(frame.set_index(labels))  # which says nothing, nor does a frame of plain rows: warnings are errors
    pellucid.train(frame, Y, **QUICK)


@pytest.mark.parametrize(
    "table",
    [
        {"a": X[:, 0], "z": X[:, 1] + 1j},
        pd.DataFrame({"a": X[:, 0], "z": X[:, 1] + 1j}),
        [{"a": a, "z": complex(a, 1)} for a in X[:, 0].tolist()],
    ],
    ids=["dict", "pandas", "rows"],
)
def test_complex_numbers_come_with_a_remedy(table: Any) -> None:
    with pytest.raises(DataError, match=r"'z' holds .*complex.*real and imaginary parts"):
        pellucid.train(table, Y, **QUICK)


def test_a_target_made_of_a_column_may_be_renamed() -> None:
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    with pytest.raises(DataError, match=r"y\.rename\('target'\)"):
        pellucid.train(frame, frame.a > 0, **QUICK)
    assert pellucid.train(frame, (frame.a > 0).rename("target"), **QUICK).model.task.target == "target"


def test_an_array_for_a_model_of_named_columns() -> None:
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    run = pellucid.train(frame, Y, **QUICK)
    for rows in (X, X.tolist(), X[:, :2]):
        with pytest.raises(DataError, match=r"have no names.*a frame, or a dict, with the columns 'a', 'b', 'c'"):
            run.predict(rows)
