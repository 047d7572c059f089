"""Piecewise-linear encodings: the paper's formula in a loop, what they keep of a number, and where the bins end."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import pellucid
from pellucid.errors import DataError, ModelFileError, SettingError, UserError
from pellucid.preparation.prepare import prepare
from pellucid.preprocessing import Bins, PiecewiseStep, Recipe
from pellucid.preprocessing.steps.numeric import BOUND
from pellucid.preprocessing.steps.piecewise import BINS_BY, MAX_BINS, TREE_ROWS, fit_piecewise
from pellucid.settings.settings import Settings

RNG = np.random.default_rng(3)
HUGE = [1e300, -1e300, 0.0, 1.7e308, -1.7e308, 5e-324, 1e-300]
QUANTILE = Bins(most=16, by="quantile")

EDGES = st.lists(st.integers(-200, 200), min_size=2, max_size=12, unique=True).map(lambda e: sorted(map(float, e)))
ANY_FLOAT = st.floats(allow_nan=True, allow_infinity=False)
COLUMN = st.lists(st.one_of(ANY_FLOAT, st.integers(-3, 3).map(float), st.none()), min_size=1, max_size=60)


def with_edges(edges: list[float], **fields: Any) -> PiecewiseStep:
    return PiecewiseStep(name="x", edges=tuple(edges), fill=0.0, **fields)


def encoded(step: PiecewiseStep, column: object, dtype: type = np.float64) -> np.ndarray:
    array = pa.array(column)
    out = np.zeros((len(array), len(step.features)), dtype=dtype)
    step.encode(array, out)
    return out


def by_tree(target: Any, most: int = 16, *, classes: bool = False) -> Bins:
    return Bins(most=most, by="tree", target=np.asarray(target), classes=classes)


def by_definition(x: float, edges: list[float]) -> list[float]:
    """Equation 1 of the paper, read aloud: bins are counted from 1 to T."""
    bins, result = len(edges) - 1, []
    for t in range(1, bins + 1):
        low, high = edges[t - 1], edges[t]
        if x < low and t > 1:
            result.append(0.0)
        elif x >= high and t < bins:
            result.append(1.0)
        else:
            result.append((x - low) / (high - low))
    return result


# --- the formula


@given(EDGES, st.lists(st.one_of(st.floats(-500, 500), st.integers(-200, 200).map(float)), min_size=1, max_size=20))
def test_it_is_the_formula_of_the_paper(edges: list[float], values: list[float]) -> None:
    np.testing.assert_allclose(
        encoded(with_edges(edges), values), [by_definition(x, edges) for x in values], rtol=1e-15
    )


@given(EDGES, st.floats(-500, 500))
def test_the_number_can_be_had_back(edges: list[float], x: float) -> None:
    code = encoded(with_edges(edges), [x])[0]
    assert edges[0] + code @ np.diff(edges) == pytest.approx(x, abs=1e-9)


@given(EDGES, st.floats(-500, 500), st.floats(0, 50))
def test_every_feature_rises_with_the_number_and_no_faster_than_its_slope(
    edges: list[float], x: float, further: float
) -> None:
    here, there = encoded(with_edges(edges), [x, x + further])
    assert (there >= here).all()
    # no jump at an edge: the difference is at most slope × distance
    assert (there - here <= further / np.diff(edges) + 1e-9).all()


@given(EDGES, st.floats(0, 1))
def test_inside_the_range_all_lie_between_0_and_1_in_falling_order(edges: list[float], share: float) -> None:
    x = min(edges[0] + share * (edges[-1] - edges[0]), edges[-1])
    code = encoded(with_edges(edges), [x])[0]
    assert ((code >= 0.0) & (code <= 1.0)).all()
    assert (np.diff(code) <= 0.0).all()
    assert ((code > 0.0) & (code < 1.0)).sum() <= 1


def test_outside_the_range_the_first_and_the_last_line_go_on() -> None:
    step = with_edges([0.0, 2.0, 3.0, 7.0])
    first, middle, last = encoded(step, [-4.0, 0.0, 7.0, 15.0]).T.tolist()
    assert (first, middle, last) == ([-2.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 3.0])
    assert encoded(step, [-1e300, 1e300])[[0, 1], [0, 2]].tolist() == [-BOUND, BOUND]


# --- where the bins end


def test_quantile_bins_end_at_the_values_nearest_to_the_quantiles() -> None:
    values = RNG.lognormal(3.0, 1.5, 1004)  # 1003 / 15 lies nowhere half-way
    step = fit_piecewise("x", pa.array(values), Bins(most=15, by="quantile"))
    assert step.edges == tuple(np.quantile(values, np.linspace(0, 1, 16), method="nearest").tolist())
    counts, _ = np.histogram(values, step.edges)
    assert counts.max() - counts.min() <= 2


def test_a_column_that_is_mostly_one_value_has_fewer_bins_by_quantiles_and_a_tree_still_finds_the_others() -> None:
    values = np.where(np.arange(4000) % 10, 0.0, RNG.integers(1, 1000, 4000))
    quantile = fit_piecewise("gain", pa.array(values), QUANTILE)
    assert quantile.edges[0] == 0.0
    assert 2 <= len(quantile.edges) < 6
    tree = fit_piecewise("gain", pa.array(values), by_tree(np.where(values > 500, 3.0, values / 1000)))
    assert len(tree.edges) > len(quantile.edges)
    for step in (quantile, tree):
        assert (np.diff(step.edges) > 0).all()


def test_a_tree_finds_the_steps_of_the_target_half_way_between_two_values() -> None:
    values = np.arange(400.0)
    labels = ((values > 99) ^ (values > 299)).astype(int)
    for classes in (True, False):
        step = fit_piecewise("x", pa.array(values), by_tree(labels, classes=classes))
        assert step.edges == (0.0, 99.5, 299.5, 399.0)
    # float32 cannot tell these numbers apart, the ranks can
    moments = 1.6e9 + values
    assert fit_piecewise("x", pa.array(moments), by_tree(labels)).edges == (
        1.6e9,
        1.6e9 + 99.5,
        1.6e9 + 299.5,
        1.6e9 + 399,
    )


@pytest.mark.parametrize("classes", [True, False])
def test_tree_bins_are_scikit_learns(classes: bool) -> None:
    values = RNG.normal(size=2000)
    target = np.sin(3 * values) + RNG.normal(0, 0.3, 2000)
    if classes:
        target = np.digitize(target, [-0.5, 0.5])
    step = fit_piecewise("x", pa.array(values), by_tree(target, 8, classes=classes))
    make = DecisionTreeClassifier if classes else DecisionTreeRegressor
    least = 1e-4 if classes else 1e-4 * target.var()
    tree = make(max_leaf_nodes=8, min_samples_leaf=40, min_impurity_decrease=least).fit(values[:, None], target).tree_
    thresholds = np.sort(tree.threshold[tree.children_left >= 0])
    assert len(thresholds) == 7
    np.testing.assert_allclose(step.edges, [values.min(), *thresholds, values.max()], atol=1e-6)
    if not classes:  # in whatever unit the target is
        assert fit_piecewise("x", pa.array(values), by_tree(target * 2.0**-14, 8)) == step


def test_a_tree_on_a_sample_of_a_long_column_still_has_its_ends_and_its_step() -> None:
    values = RNG.permutation(TREE_ROWS * 2).astype(float)
    step = fit_piecewise("x", pa.array(values), by_tree(values > 30_000, classes=True))
    assert (step.edges[0], len(step.edges), step.edges[-1]) == (0.0, 3, TREE_ROWS * 2 - 1.0)
    assert abs(step.edges[1] - 30_000) < 4


def test_missing_cells_and_their_targets_are_left_out_of_the_tree() -> None:
    values = [float(i // 2) if i % 2 else None for i in range(800)]
    target = [float(i // 2 > 150) if i % 2 else 1e9 for i in range(800)]
    assert fit_piecewise("x", pa.array(values), by_tree(target)).edges == (0.0, 150.5, 399.0)


def test_a_constant_target_gives_one_bin_and_one_bin_is_the_range() -> None:
    values, labels = RNG.normal(size=5000), RNG.integers(0, 2, 5000)
    assert len(fit_piecewise("x", pa.array(values), by_tree(np.zeros(5000))).edges) == 2
    step = fit_piecewise("x", pa.array(values), by_tree(labels, 1))
    assert step.edges == (values.min(), values.max())
    assert fit_piecewise("x", pa.array(values), Bins(most=1, by="quantile")).edges == step.edges


def test_tree_bins_see_the_training_rows_alone() -> None:
    """The held-out rows get a step that no training row has: a fit that looked at them would put an edge there."""
    values = np.linspace(0.0, 10.0, 1000)[RNG.permutation(1000)]
    honest = np.where(values > 3.0, 100.0, 0.0) + RNG.normal(size=1000)
    settings = Settings(target="y", number_encoding="piecewise", bins=2)
    plain = prepare({"x": values, "y": honest}, settings)
    leaking = honest.copy()
    held = np.setdiff1d(np.arange(1000), plain.split.train)
    leaking[held] = np.where(values[held] > 7.0, 1e6, 0.0)
    leaky = prepare({"x": values, "y": leaking}, settings)
    np.testing.assert_array_equal(leaky.split.train, plain.split.train)
    assert leaky.recipe == plain.recipe
    (step,) = leaky.recipe.steps
    assert isinstance(step, PiecewiseStep)
    assert step.edges[1] == pytest.approx(3.0, abs=0.05)
    all_rows = fit_piecewise("x", pa.array(values), by_tree(leaking, 2))
    assert all_rows.edges[1] == pytest.approx(7.0, abs=0.05)


# --- missing, constant, and the ends of float64


def test_missing_is_all_zeros_and_is_told() -> None:
    step = fit_piecewise("age", pa.array([18.0, None, 25.0, 31.0, 60.0]), Bins(most=3, by="quantile"))
    assert step.features == ("age 18–25", "age 25–31", "age 31–60", "age is missing")
    for column in ([None, 28.0], [float("nan"), 28.0]):
        np.testing.assert_array_equal(encoded(step, column), [[0, 0, 0, 1], [1, 0.5, 0, 0]])


def test_missing_later_only_takes_the_median() -> None:
    step = fit_piecewise("age", pa.array([1.0, 2.0, 9.0]), Bins(most=2, by="quantile"))
    assert len(step.features) == 2
    np.testing.assert_array_equal(encoded(step, [None, 5.5]), encoded(step, [2.0, 5.5]))
    assert step.encode_one(None) == step.encode_one(2.0) == (1.0, 0.0)


@pytest.mark.parametrize("by", BINS_BY)
@pytest.mark.parametrize("column", [[0.1] * 7, [None, 5.0], [42], [1e300, 1e300], [None, None]])
def test_one_value_or_none_gives_no_bin(by: Any, column: list[Any]) -> None:
    bins = Bins(by=by, target=np.arange(len(column)) * 1.0)
    step = fit_piecewise("x", pa.array(column, pa.float64()), bins)
    assert step.features == (("x is missing",) if None in column else ())
    assert encoded(step, [3.0, None, -1e9]).tolist() == [list(step.encode_one(v)) for v in (3.0, None, -1e9)]
    assert step == PiecewiseStep.from_json(json.loads(json.dumps(step.to_json())), "step")


def test_a_constant_column_costs_no_input(fit: Any) -> None:
    recipe = fit({"a": [1.0] * 9, "b": [1.0, 2, 3] * 3}, {"a": "numeric", "b": "numeric"}, bins=QUANTILE)
    assert recipe.feature_names == ("b 1–2", "b 2–3")
    assert recipe.transform({"a": [7.0], "b": [1.5]}).flat.tolist() == [[0.5, 0.0]]
    with pytest.raises(DataError, match="no column is left"):
        fit({"a": [1.0] * 9}, {"a": "numeric"}, bins=QUANTILE)


@pytest.mark.parametrize("by", BINS_BY)
@pytest.mark.parametrize("training", [HUGE * 3, [1.0, 2.0] * 9, [5e-324, 0.0] * 9, [1e300, 1e300 * (1 + 1e-15)] * 9])
def test_output_is_finite_at_the_ends_of_float64(by: Any, training: list[float]) -> None:
    target = np.array(training)
    step = fit_piecewise("x", pa.array(training), Bins(by=by, target=target))
    assert step.n_bins >= 1
    out = encoded(step, training + HUGE, np.float32)
    assert np.isfinite(out).all()
    assert np.abs(out).max() <= BOUND
    assert step == PiecewiseStep.from_json(json.loads(json.dumps(step.to_json(), allow_nan=False)), "step")


@hypothesis_settings(deadline=None)
@given(st.sampled_from(BINS_BY), st.integers(1, 9), COLUMN, COLUMN)
def test_any_column_gives_the_bits_of_its_values_and_survives_json(
    by: Any, most: int, training: list[Any], later: list[Any]
) -> None:
    target = np.arange(len(training)) % 3
    step = fit_piecewise("x", pa.array(training, pa.float64()), Bins(most=most, by=by, target=target, classes=True))
    assert step.n_bins <= most
    assert len(set(step.features)) == len(step.features)
    out = encoded(step, pa.array(later, pa.float64()))
    assert np.isfinite(out).all()
    np.testing.assert_array_equal(out, np.array([step.encode_one(v) for v in later]).reshape(out.shape))
    assert PiecewiseStep.from_json(json.loads(json.dumps(step.to_json(), allow_nan=False)), "step") == step


@pytest.mark.parametrize("value", [math.inf, -math.inf, "1e999"])
def test_an_infinity_names_column_and_row(value: Any) -> None:
    step = fit_piecewise("age", pa.array([1.0, 2.0]), QUANTILE)
    with pytest.raises(DataError, match=r"'age'.*infinite.*row 1"):
        encoded(step, [type(value)(1), value])
    with pytest.raises(DataError, match="infinite"):
        step.encode_one(value)
    with pytest.raises(DataError, match=r"'age'.*infinite.*row 0"):
        fit_piecewise("age", pa.array([value, value]), QUANTILE)


# --- names


@pytest.mark.parametrize(
    ("edges", "names"),
    [
        ([18.0, 25.0, 31.0], ("x 18–25", "x 25–31")),
        ([1998.5, 1999.5], ("x 1998.5–1999.5",)),
        ([-1.5, 0.0, 2.0], ("x -1.5 to 0", "x 0 to 2")),
        ([0.0, 12345.6, 1e6, 2.5e7], ("x 0–12,346", "x 12,346–1,000,000", "x 1,000,000–25,000,000")),
        ([0.1234561, 0.1234568], ("x 0.123456–0.123457",)),
        ([1e-9, 1e20], ("x 1e-09–1e+20",)),
    ],
)
def test_a_person_can_read_the_names(edges: list[float], names: tuple[str, ...]) -> None:
    assert with_edges(edges).features == names


# --- settings, recipe, model file


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"most": 0}, "from 1 to 256"),
        ({"most": MAX_BINS + 1}, "from 1 to 256"),
        ({"most": 2.0}, "whole number"),
        ({"by": "quantiles"}, "did you mean 'quantile'"),
        ({"by": "tree"}, "needs a target"),
    ],
)
def test_settings_out_of_range(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        Bins(**settings)


def test_a_target_for_other_rows_is_refused(fit: Any) -> None:
    with pytest.raises(SettingError, match="each of 4 training rows, got 3"):
        fit({"x": [1.0, 2, 3, 4]}, {"x": "numeric"}, bins=by_tree([0, 1, 1]))


TABLE = {
    "size": [None if i % 17 == 3 else float(v) for i, v in enumerate(RNG.normal(50, 10, 300))],
    "rooms": RNG.integers(1, 9, 300).tolist(),
    "town": RNG.choice(["north", "south"], 300).tolist(),
}
TABLE["sold"] = ["yes" if (s or 50) + 3 * r > 62 else "no" for s, r in zip(TABLE["size"], TABLE["rooms"], strict=True)]
KINDS = {"size": "numeric", "rooms": "numeric", "town": "categorical"}
STORED: Any = json.loads(
    '{"format": 1, "steps": [{"kind": "piecewise", "name": "size", "edges": [-1.5, 0, 2.25], "fill": 0.5, '
    '"indicator": true}]}'
)


@pytest.mark.parametrize("by", BINS_BY)
def test_a_trained_model_answers_the_same_after_it_is_saved_and_loaded(by: str, tmp_path: Path) -> None:
    run = pellucid.train(TABLE, "sold", number_encoding="piecewise", bins=8, bins_by=by, hidden=(8,), epochs=2)
    assert {c.kind for c in run.model.recipe.columns} == {"piecewise", "categorical"}
    run.save(tmp_path / "model.safetensors")
    loaded = pellucid.load(tmp_path / "model.safetensors")
    expected = run.predict_proba(TABLE)
    np.testing.assert_array_equal(loaded.predict_proba(TABLE), expected)
    assert np.ptp(expected[:, 1]) > 0
    for i in (0, 3):  # a plain row, and one with a missing cell
        row = {name: values[i] for name, values in TABLE.items()}
        np.testing.assert_allclose(loaded.predict_proba(row)[0], expected[i], atol=1e-6)


def test_a_reconstruction_has_no_target_for_a_tree_but_quantiles() -> None:
    table = {name: TABLE[name] for name in KINDS}
    settings: dict[str, Any] = {"task": "reconstruction", "number_encoding": "piecewise", "bins": 4}
    with pytest.raises(SettingError, match="use bins_by quantile"):
        prepare(table, Settings(**settings))
    ready = prepare(table, Settings(**settings, bins_by="quantile"))
    assert ready.train.targets.shape[1] == len(ready.recipe.feature_names)


def test_a_recipe_gives_a_row_the_bits_of_a_table_and_survives_json(fit: Any) -> None:
    bins = by_tree([word == "yes" for word in TABLE["sold"]], classes=True)
    recipe = fit({name: TABLE[name] for name in KINDS}, KINDS, bins=bins)
    again = Recipe.from_json(json.loads(json.dumps(recipe.to_json(), allow_nan=False)))
    assert again == recipe
    table = again.transform(TABLE).flat
    assert table.shape == (300, len(recipe.feature_names))
    for i in range(0, 300, 7):
        row = {name: values[i] for name, values in TABLE.items()}
        np.testing.assert_array_equal(recipe.transform_row(row), table[i])
    assert recipe.transform(pa.table(TABLE).slice(0, 0)).flat.shape == (0, len(recipe.feature_names))


@pytest.mark.parametrize(
    ("file", "target"), [("titanic/titanic.csv.gz", "Fare"), ("oil_spill/oil-spill.csv.gz", "column_50")]
)
def test_real_tables(shared_data: Path, file: str, target: str) -> None:
    for by in BINS_BY:
        ready = prepare(shared_data / file, Settings(target=target, number_encoding="piecewise", bins_by=by))
        recipe = Recipe.from_json(json.loads(json.dumps(ready.recipe.to_json(), allow_nan=False)))
        assert "piecewise" in {column.kind for column in recipe.columns}
        inputs = recipe.transform(ready.table).flat
        for i, row in enumerate(ready.table.arrow.slice(0, 20).to_pylist()):
            np.testing.assert_array_equal(recipe.transform_row(row), inputs[i])


HOSTILE: list[Any] = [None, True, -1, 10**400, 1.5, float("nan"), float("-inf"), 1e308, "", "numeric", "\ud800"]
HOSTILE += [{}, [], [[]], [1, "a"], [2, 1], [3.0], [0.0, 5e-324], [1.0, 1.0], list(range(MAX_BINS + 2))]


@pytest.mark.parametrize("new", HOSTILE, ids=lambda v: ascii(v)[:20])
def test_every_field_replaced_by_hostile_values(new: Any) -> None:
    """Either refused by our own error, or a recipe that works."""
    for field in STORED["steps"][0]:
        try:
            recipe = Recipe.from_json({"format": 1, "steps": [{**STORED["steps"][0], field: new}]})
            out = recipe.transform({recipe.columns[0].name: [None, 0.0, 1e300, -1e300, 5e-324]}).flat
        except UserError:
            continue
        assert np.isfinite(out).all()
        assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe


def test_edges_out_of_order_and_too_many_are_refused() -> None:
    step = STORED["steps"][0]
    with pytest.raises(ModelFileError, match=r"step.edges\[1\] must be more than 2.0"):
        PiecewiseStep.from_json({**step, "edges": [2.0, 1.0]}, "step")
    with pytest.raises(ModelFileError, match=r"step.edges must be a list of at most 257"):
        PiecewiseStep.from_json({**step, "edges": list(range(258))}, "step")
    assert PiecewiseStep.from_json(step, "step").encode_one(1.125) == (1.0, 0.5, 0.0)
