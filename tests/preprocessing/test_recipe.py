"""The whole recipe: training rows only, columns by name, one row like a table, JSON there and back."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.errors import DataError, ModelFileError, SettingError, UserError
from pellucid.preprocessing import Recipe

KINDS = {"age": "numeric", "member": "boolean", "job": "categorical", "joined": "date"}
N = 40
RNG = np.random.default_rng(5)
COLUMNS: dict[str, list[Any]] = {
    "age": [None if i % 9 == 4 else float(a) for i, a in enumerate(RNG.integers(18, 80, N))],
    "member": [None if i % 11 == 3 else bool(b) for i, b in enumerate(RNG.integers(0, 2, N))],
    "job": [None if i % 13 == 5 else str(w) for i, w in enumerate(RNG.choice(["nurse", "cook", "clerk", "1"], N))],
    "joined": [dt.datetime(2020, 1, 1) + dt.timedelta(hours=int(h)) for h in RNG.integers(0, 30_000, N)],
}


@pytest.fixture(params=["standard", "robust", "quantile"])
def recipe(request, fit) -> Recipe:
    return fit(COLUMNS, KINDS, scaling=request.param, rare_below=2)


def row_of(columns: dict[str, list[Any]], i: int) -> dict[str, Any]:
    return {name: values[i] for name, values in columns.items()}


def test_names_slices_and_columns_fit_the_output(recipe):
    out = recipe.transform(pa.table(COLUMNS)).flat
    assert out.dtype == np.float32
    assert out.shape == (N, len(recipe.feature_names))
    assert [c.name for c in recipe.columns] == list(KINDS)
    assert [c.kind for c in recipe.columns] == list(KINDS.values())
    assert recipe.feature_names[recipe.places["age"]] == ("age", "age is missing")
    assert recipe.feature_names[recipe.places["job"]][-1] == "job = (missing)"
    assert sum(s.stop - s.start for s in recipe.places.values()) == out.shape[1]
    ages = np.array([a is None for a in COLUMNS["age"]])
    np.testing.assert_array_equal(out[:, recipe.feature_names.index("age is missing")], ages)


def test_statistics_come_from_the_given_rows_alone(fit):
    rows = np.arange(0, N, 2)
    other = {
        "age": [v if i % 2 == 0 else 1e9 for i, v in enumerate(COLUMNS["age"])],
        "member": [v if i % 2 == 0 else None for i, v in enumerate(COLUMNS["member"])],
        "job": [v if i % 2 == 0 else "spy" for i, v in enumerate(COLUMNS["job"])],
        "joined": [v if i % 2 == 0 else dt.datetime(1800, 5, 5) for i, v in enumerate(COLUMNS["joined"])],
    }
    for scaling in ("standard", "robust", "quantile"):
        one, two = (fit(c, KINDS, rows, scaling=scaling, rare_below=2) for c in (COLUMNS, other))
        assert one == two
        assert one != fit(other, KINDS, scaling=scaling, rare_below=2)


def test_a_bad_cell_outside_the_training_rows_does_not_stop_the_fit(fit):
    recipe = fit({"x": ["1", "2", "oops"]}, {"x": "numeric"}, [0, 1])
    with pytest.raises(DataError, match=r"'x'.*'oops'.*row 2"):
        recipe.transform({"x": ["1", "2", "oops"]})


def test_the_order_of_rows_does_not_matter(fit):
    order = RNG.permutation(N)
    shuffled = {name: [values[i] for i in order] for name, values in COLUMNS.items()}
    a, b = (fit(c, KINDS, rare_below=2) for c in (COLUMNS, shuffled))
    assert a.feature_names == b.feature_names
    np.testing.assert_allclose(
        a.transform(pa.table(COLUMNS)).flat[order], b.transform(pa.table(shuffled)).flat, atol=1e-6
    )


def test_columns_in_another_order_and_extra_ones(recipe):
    mixed = {"extra": [object()] * N, **dict(reversed(COLUMNS.items()))}
    np.testing.assert_array_equal(recipe.transform(mixed).flat, recipe.transform(pa.table(COLUMNS)).flat)
    assert (
        recipe.transform_row({"extra": object(), **row_of(mixed, 0)}).tolist()
        == recipe.transform(mixed).flat[0].tolist()
    )


@pytest.mark.parametrize("call", ["transform", "transform_row"])
def test_every_missing_column_is_named(recipe, call):
    def cell(value: Any) -> Any:
        return [value] if call == "transform" else value

    with pytest.raises(DataError, match=r"2 columns are missing.*'age', 'job'.*did you mean 'Age'"):
        getattr(recipe, call)({"Age": cell(1), "member": cell(True), "joined": cell("2020-01-01")})
    with pytest.raises(DataError, match=r"column 'job' is missing"):
        getattr(recipe, call)({"age": cell(1), "member": cell(True), "joined": cell("2020-01-01")})


def as_text(values: list[Any]) -> list[str | None]:
    return [None if v is None else str(v) for v in values]


def test_any_container_gives_the_same_numbers(recipe):
    expected = recipe.transform(pa.table(COLUMNS)).flat
    frame = pd.DataFrame(COLUMNS)
    containers = [
        COLUMNS,
        {name: pa.array(values) for name, values in COLUMNS.items()},
        {name: pa.chunked_array([values[:7], values[7:]]) for name, values in COLUMNS.items()},
        {name: np.array(values, dtype=object) for name, values in COLUMNS.items()},
        {name: frame[name] for name in frame},
        {name: as_text(values) for name, values in COLUMNS.items()},
        {**COLUMNS, "job": pd.Categorical(COLUMNS["job"]), "age": np.array(COLUMNS["age"], dtype=float)},
        dict(pl.DataFrame(COLUMNS).to_dict()),
        {
            **COLUMNS,
            "age": [v if i % 2 else str(v) if v is not None else "?" for i, v in enumerate(COLUMNS["age"])],
        },
        pa.Table.from_pandas(frame),
    ]
    for container in containers:
        np.testing.assert_array_equal(recipe.transform(container).flat, expected)


def test_float64_rounds_to_float32(recipe):
    double = recipe.transform(COLUMNS, dtype=np.float64).flat
    assert double.dtype == np.float64
    np.testing.assert_array_equal(double.astype(np.float32), recipe.transform(COLUMNS).flat)


def test_no_rows_and_one_row(recipe):
    assert recipe.transform(pa.table(COLUMNS).slice(0, 0)).flat.shape == (0, len(recipe.feature_names))
    assert recipe.transform({name: [] for name in COLUMNS}).flat.shape == (0, len(recipe.feature_names))
    np.testing.assert_array_equal(
        recipe.transform(pa.table(COLUMNS).slice(3, 1)).flat[0], recipe.transform(COLUMNS).flat[3]
    )


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"age": 3}, "for one row, use transform_row"),
        ({"age": "333"}, "for one row, use transform_row"),
        ({"age": np.zeros((3, 2))}, "one dimension"),
        ({"age": [1, 2]}, "equal lengths, got 2 for 'age' and 40 for 'member'"),
    ],
)
def test_columns_that_are_none(recipe, columns, words):
    with pytest.raises(DataError, match=words):
        recipe.transform({**columns, **{n: v for n, v in COLUMNS.items() if n not in columns}})


def test_a_bad_cell_in_a_mixed_list_names_its_row(recipe):
    with pytest.raises(DataError, match=r"'age'.*'x'.*row 1"):
        recipe.transform({**{n: v[:2] for n, v in COLUMNS.items()}, "age": [1, "x"]})


CELLS = {
    "age": st.one_of(
        st.none(), st.floats(allow_infinity=False), st.integers(), st.sampled_from(["7", " 8.5", "?", ""])
    ),
    "member": st.one_of(st.none(), st.booleans(), st.sampled_from(["yes", "0", 1, 0.0, "maybe", "NaN"])),
    "job": st.one_of(st.none(), st.sampled_from(["nurse", "cook ", "spy", 1, 1.0, True, "?"]), st.text(max_size=3)),
    "joined": st.one_of(
        st.none(), st.datetimes(), st.dates(), st.sampled_from(["2021-02-03", "2021-02-03 04:05", "NA"])
    ),
}


@given(
    st.fixed_dictionaries(CELLS),
    st.sampled_from(["standard", "robust", "quantile"]),
    st.sampled_from([np.float32, np.float64]),
)
def test_a_row_alone_gives_the_bits_of_a_row_in_a_table(row, scaling, dtype):
    recipe = RECIPES[scaling]
    alone = recipe.transform_row(row, dtype=dtype)
    assert alone.dtype == dtype
    assert np.isfinite(alone).all()
    np.testing.assert_array_equal(alone, recipe.transform({k: [v] for k, v in row.items()}, dtype=dtype).flat[0])


def test_rows_of_the_training_table(recipe):
    table = recipe.transform(COLUMNS).flat
    np.testing.assert_array_equal(table, [recipe.transform_row(row_of(COLUMNS, i)) for i in range(N)])
    numpy_row = {
        "age": np.float64(30),
        "member": np.bool_(True),
        "job": np.str_("cook"),
        "joined": np.datetime64("2021-01-01"),
    }
    plain_row = {"age": 30, "member": True, "job": "cook", "joined": dt.date(2021, 1, 1)}
    pandas_row = {
        "age": np.int64(30),
        "member": 1,
        "job": "cook",
        "joined": pd.Timestamp("2021-01-01", tz="UTC"),
    }
    assert recipe.transform_row(numpy_row).tolist() == recipe.transform_row(plain_row).tolist()
    assert recipe.transform_row(pandas_row).tolist() == recipe.transform_row(plain_row).tolist()
    nothing = [None, float("nan"), pd.NA, pd.NaT, np.datetime64("NaT"), "?"]
    rows = [recipe.transform_row(dict.fromkeys(KINDS, v)).tolist() for v in nothing]
    assert all(r == rows[0] for r in rows)


def test_a_row_must_be_a_mapping(recipe):
    with pytest.raises(DataError, match="column → value, got list"):
        recipe.transform_row([1, 2])


# --- settings


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"scaling": "standart"}, "did you mean 'standard'"),
        ({"max_categories": 0}, "max_categories"),
        ({"max_categories": 2.5}, "max_categories"),
        ({"rare_below": 0}, "rare_below"),
        ({"rare_below": 1.5}, "rare_below"),
        ({"rare_below": True}, "rare_below"),
    ],
)
def test_settings_out_of_range(fit, settings, words):
    with pytest.raises(SettingError, match=words):
        fit(COLUMNS, KINDS, **settings)


def test_rare_below_as_a_count_a_share_and_by_default(fit):
    words = ["a"] * 60 + ["b"] * 30 + ["c"] * 6 + ["d"] * 4
    names = {r: fit({"w": words}, {"w": "categorical"}, rare_below=r).feature_names for r in (5, 0.2, 0.05, 1, None)}
    assert names[5] == names[0.05] == names[None] == ("w = a", "w = b", "w = c")  # d's four rows make no bucket
    assert names[0.2] == ("w = a", "w = b")
    assert names[1] == ("w = a", "w = b", "w = c", "w = d")
    assert fit({"w": list("aab")}, {"w": "categorical"}).feature_names == ("w = a",)


def test_no_rows_and_nothing_to_learn_from(fit):
    with pytest.raises(DataError, match="no training rows"):
        fit(COLUMNS, KINDS, np.array([], dtype=np.int64))
    with pytest.raises(DataError, match="no column is left"):
        fit({"w": ["a", "b"]}, {"w": "categorical"}, rare_below=3)
    with pytest.raises(DataError, match="no column is left"):
        fit({"w": ["a", "b"]}, {})


def test_kept_columns_of_other_kinds_go_by_their_type(fit):
    columns = {
        "id": [1, 2, 3],
        "name": ["x", "x", "y"],
        "flag": [True, True, False],
        "day": [dt.datetime(2020, 1, d) for d in (1, 2, 3)],
    }
    recipe = fit(columns, {"id": "identifier", "name": "text", "flag": "constant", "day": "identifier"})
    assert [c.kind for c in recipe.columns] == ["numeric", "text", "boolean", "date"]


# --- JSON

RECIPES: dict[str, Recipe] = {}


@pytest.fixture(scope="module", autouse=True)
def _recipes(fit):
    for scaling in ("standard", "robust", "quantile"):
        RECIPES[scaling] = fit(COLUMNS, KINDS, scaling=scaling, rare_below=2)


def test_json_there_and_back_is_exact(recipe):
    text = json.dumps(recipe.to_json(), allow_nan=False)
    again = Recipe.from_json(json.loads(text))
    assert again == recipe
    assert again.to_json() == recipe.to_json()
    assert again.transform(COLUMNS).flat.tobytes() == recipe.transform(COLUMNS).flat.tobytes()


def test_json_keeps_no_rare_level_and_no_single_row(fit):
    names = [f"person {i}" for i in range(200)]
    recipe = fit({"name": names, "x": list(RNG.normal(size=200))}, {"name": "categorical", "x": "numeric"})
    text = json.dumps(recipe.to_json())
    assert "person" not in text
    assert len(text) < 500


def paths(value: Any, prefix: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [prefix]
    if isinstance(value, dict):
        items: Any = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    else:
        return found
    return found + [p for key, item in items for p in paths(item, (*prefix, key))]


HOSTILE = [
    None,
    True,
    -1,
    0,
    10**400,
    1.5,
    float("nan"),
    float("-inf"),
    1e308,
    "",
    "numeric",
    "\ud800",
    [],
    [[]],
    {},
    [1, "a"],
    {"kind": "date"},
]
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=6,
)


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


def check_hostile(value: Any) -> None:
    """Either refused by our own error, or a recipe that works."""
    try:
        recipe = Recipe.from_json(value)
    except ModelFileError:
        return
    try:
        out = recipe.transform(pa.table({c.name: COLUMNS.get(c.name, COLUMNS["age"]) for c in recipe.columns})).flat
    except UserError:
        return
    assert np.isfinite(out).all()
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe


@pytest.mark.parametrize("new", HOSTILE, ids=ascii)
def test_every_field_replaced_by_hostile_values(new):
    for value in (r.to_json() for r in RECIPES.values()):
        for path in paths(value):
            check_hostile(replaced(value, path, new))


@given(st.data())
def test_random_json_in_random_places(data):
    value = RECIPES["quantile"].to_json()
    path = data.draw(st.sampled_from(paths(value)))
    check_hostile(replaced(value, path, data.draw(JSON)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 2}, "recipe.format"),
        ({"more": 1}, "exactly the fields"),
        ({"steps": []}, "number of features"),
        ({"steps": [{"kind": "magic"}]}, r"recipe.steps\[0\].kind must be one of"),
    ],
)
def test_damage_is_named(recipe, change, words):
    with pytest.raises(ModelFileError, match=words):
        Recipe.from_json({**recipe.to_json(), **change})


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf"), 10**400, True, "1", None])
def test_a_number_must_be_finite_and_a_number(number):
    value = RECIPES["standard"].to_json()
    for field in ("scale", "centre", "fill"):
        with pytest.raises(ModelFileError, match=rf"recipe.steps\[0\].{field} must be a finite number"):
            Recipe.from_json(replaced(value, ("steps", 0, field), number))


def test_a_column_twice_and_knots_out_of_order_are_refused():
    value = RECIPES["quantile"].to_json()
    with pytest.raises(ModelFileError, match="must all differ"):
        Recipe.from_json({**value, "steps": value["steps"] * 2})
    knots = value["steps"][0]["knots"]
    with pytest.raises(ModelFileError, match=r"recipe.steps\[0\].knots\[1\] must be more than"):
        Recipe.from_json(replaced(value, ("steps", 0, "knots"), [knots[0], *knots[:-1]]))
