"""Attributions of trained models: slopes by central differences, integrated gradients beside Captum, columns summed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import pellucid
from pellucid.engines.torch_engine.module import build
from pellucid.errors import DataError, RunFolderError, SettingError
from pellucid.explanation.gradients import integrated_gradients
from pellucid.inspection.explained_columns import explain_columns
from pellucid.inspection.explained_output import explained_output
from pellucid.inspection.explained_row import explain_row
from pellucid.inspection.mistakes import mistakes
from pellucid.inspection.rows import rows_to_inspect
from pellucid.model.model import Model
from tests.people import make_people

PEOPLE = make_people()


def trained(folder: Path, **settings: Any) -> Path:
    usual = {"preset": "plain", "hidden": (8,), "epochs": 15, "learning_rate": 0.02, "verdict": False, "drop": ("id",)}
    pellucid.train(PEOPLE, **{**usual, **settings}, out=folder)
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run of each kind of target, with layers of every kind between them; the last an ensemble with bins."""
    place = tmp_path_factory.mktemp("attribution")
    return {
        "binary": trained(place / "b", target="buys", activation="silu"),
        "multiclass": trained(place / "m", target="job", activation="tanh", batch_norm=True),
        "regression": trained(place / "r", target="spends", activation="gelu"),
        "ensemble": trained(place / "e", target="buys", preset="best", epochs=3, n_networks=2),
    }


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression", "ensemble"])
def test_slopes_by_central_differences(kind: str, runs: dict[str, Path]) -> None:
    model = Model.read(runs[kind])
    inputs = model.inputs(model.table(PEOPLE))[:5].astype(np.float64)
    for label in model.task.classes or (None,):
        output = explained_output(model, label)
        values, slopes = output.slopes(inputs)
        np.testing.assert_allclose(values, output(inputs), rtol=1e-5)
        for j in range(inputs.shape[1]):
            h = np.zeros(inputs.shape[1])
            h[j] = 1e-5
            by_difference = (output.slopes(inputs + h)[0] - output.slopes(inputs - h)[0]) / 2e-5
            np.testing.assert_allclose(slopes[:, j], by_difference, atol=2e-6, rtol=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_captum_finds_the_same(runs: dict[str, Path]) -> None:
    attr = pytest.importorskip("captum.attr", reason="Captum is not installed: pip install captum")
    model = Model.read(runs["multiclass"])
    module = build(model.network, model.parameters, torch.float64).eval()
    inputs = model.inputs(model.table(PEOPLE)).astype(np.float64)
    row, reference = inputs[3], inputs.mean(axis=0)
    output = explained_output(model, "clerk" if "clerk" in model.task.classes else model.task.classes[0])
    ours = integrated_gradients(output.slopes, row, reference, tolerance=1e-12)
    theirs = attr.IntegratedGradients(lambda x: torch.softmax(module(x), 1)).attribute(
        torch.from_numpy(row[None]), torch.from_numpy(reference[None]), target=output.index, n_steps=ours.points,
        method="gausslegendre",
    )  # fmt: skip
    np.testing.assert_allclose(ours.values, theirs[0].numpy(), atol=1e-9)


@pytest.mark.filterwarnings("ignore")
def test_shap_finds_the_same_of_a_network(runs: dict[str, Path]) -> None:
    shap = pytest.importorskip("shap", reason="SHAP is not installed: pip install shap")
    run = pellucid.train("iris", preset="plain", hidden=(8,), verdict=False, out=runs["binary"].parent / "iris")
    assert run.path is not None
    found = explain_row(run.path, "iris", row=60, label="virginica")
    rows = rows_to_inspect(run.path, "iris").sample(100)
    theirs = shap.KernelExplainer(
        lambda x: run.model.answers_to(x.astype(np.float32))[:, 2], rows.inputs.astype(np.float64)
    ).shap_values(  # with 1,000 samples it asks all sixteen coalitions of four columns, and is exact
        rows_to_inspect(run.path, "iris").inputs[60].astype(np.float64), nsamples=1_000, l1_reg=0, silent=True
    )
    np.testing.assert_allclose(found.shapley.values, theirs, atol=1e-6)


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression", "ensemble"])
def test_a_row_is_explained_in_its_own_columns(kind: str, runs: dict[str, Path]) -> None:
    found = explain_row(runs[kind], PEOPLE, row=4)
    model = found.output.model
    assert [cell.column for cell in found.cells] == [step.name for step in model.recipe.steps]
    answers = model.answers(model.table(PEOPLE))[4]
    answer = answers if found.output.index is None else answers[found.output.index]
    assert found.shapley.answer == pytest.approx(float(answer), rel=1e-5)
    assert abs(found.shapley.gap) < 1e-5 * max(1, abs(answer))
    assert abs(found.gradients.gap) <= 1e-3 * abs(found.gradients.answer - found.gradients.reference) + 1e-9
    assert found.by_column.sum() == pytest.approx(found.gradients.values.sum())
    if kind == "multiclass":
        assert found.output.index == answers.argmax()
    assert found.truth == (PEOPLE[model.task.target][4])
    facts = found.to_json()
    assert sum(column["shapley"] for column in facts["columns"]) == pytest.approx(
        answer - facts["shapley"]["base"], abs=1e-4
    )
    assert len(found.figure().axes) == 1


def test_cells_given_and_the_runs_own_rows(runs: dict[str, Path]) -> None:
    found = explain_row(runs["binary"], PEOPLE, inputs={"age": 30, "job": "nurse"})
    assert found.title == "the row given"
    assert any("taken as missing" in note for note in found.notes)
    with pytest.raises(RunFolderError, match="in memory"):
        explain_row(runs["binary"], row=0)


def test_a_run_or_model_at_hand() -> None:
    run = pellucid.train(PEOPLE, "buys", preset="plain", hidden=(4,), epochs=2, verdict=False, drop=("id",))
    found = explain_row(run, PEOPLE, row=3)
    assert found.shapley.values.tolist() == explain_row(run.model, PEOPLE, row=3).shapley.values.tolist()
    assert explain_columns(run, PEOPLE).columns == explain_columns(run.model, PEOPLE).columns
    for at_hand in (run, run.model):
        with pytest.raises(SettingError, match="in memory only"):
            explain_columns(at_hand)


def test_columns_are_ranked_by_what_matters(runs: dict[str, Path]) -> None:
    found = explain_columns(runs["regression"], PEOPLE)
    assert found.rise == "RMSE"
    assert found.importance.error == pytest.approx(
        pellucid.load(runs["regression"]).evaluate(PEOPLE)["rmse"].value, rel=1e-3
    )
    assert found.importance.low[found.order[0]] > 0
    assert [pair[2] for pair in found.interactions] == sorted((pair[2] for pair in found.interactions), reverse=True)
    several = explain_columns(runs["multiclass"], PEOPLE)
    assert several.dependences[0][2].rows.ndim == 3
    np.testing.assert_allclose(several.dependences[0][2].rows.sum(axis=2), 1, atol=1e-5)
    assert len(several.importance_figure().axes) == 1
    assert several.dependence_figure().legends
    one = explain_columns(runs["multiclass"], PEOPLE, label=several.output.model.task.classes[0])
    assert one.dependences[0][2].rows.ndim == 2


def test_what_cannot_be_explained_says_so(runs: dict[str, Path], tmp_path: Path) -> None:
    for wrong, error, words in (
        ({"row": 300}, DataError, "from 0 to 299"),
        ({"label": "maybe"}, SettingError, "class must be one of no, yes"),
        ({"budget": 0}, SettingError, "budget must be"),
        ({"inputs": {"agee": 3}}, DataError, "did you mean 'age'"),
    ):
        with pytest.raises(error, match=words):
            explain_row(runs["binary"], PEOPLE, **wrong)
    with pytest.raises(SettingError, match="no class"):
        explain_row(runs["regression"], PEOPLE, label="yes")
    without = {name: column for name, column in PEOPLE.items() if name != "buys"}
    with pytest.raises(DataError, match="no row has a value of 'buys'"):
        explain_columns(runs["binary"], without)
    assert explain_row(runs["binary"], without, row=1).truth is None
    again = pellucid.train("iris", preset="plain", task="reconstruction", hidden=(2,), epochs=1, out=tmp_path / "again")
    with pytest.raises(DataError, match="no column explains it"):
        explain_columns(again.path or "", "iris")


def test_a_row_whose_target_is_missing_is_explained_all_the_same(runs: dict[str, Path]) -> None:
    gap = {**PEOPLE, "buys": [None if i == 3 else v for i, v in enumerate(PEOPLE["buys"])]}
    found = explain_row(runs["binary"], gap, row=3)
    assert found.truth is None
    assert found.to_json()["truth"] is None
    assert explain_row(runs["binary"], gap, row=4).truth == PEOPLE["buys"][4]


def test_importance_knows_groups_and_what_it_cannot_tell(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    family = np.arange(60).repeat(5)
    x = rng.normal(size=60)[family]
    table = {"family": family, "x": x, "flag": rng.random(300) < 0.5, "y": 2 * x + rng.normal(size=60)[family]}
    settings: dict[str, Any] = {"preset": "plain", "hidden": (4,), "epochs": 5, "verdict": False}
    run = pellucid.train(table, "y", group="family", out=tmp_path / "run", **settings)
    grouped = explain_columns(run, table).importance
    without = explain_columns(run, {name: column for name, column in table.items() if name != "family"}).importance
    place = explain_columns(run, table).columns.index("x")
    assert grouped.values[place] == without.values[place]
    assert np.ptp([grouped.low[place], grouped.high[place]]) > 1.3 * np.ptp([without.low[place], without.high[place]])
    always = explain_columns(run, {**table, "flag": np.ones(300, dtype=bool)})
    place = always.columns.index("flag")
    assert np.isnan([always.importance.low[place], always.importance.high[place]]).all()
    facts = next(each for each in always.to_json()["importance"] if each["column"] == "flag")
    assert (facts["value"], facts["low"], facts["high"]) == (0, None, None)
    assert len(always.importance_figure().axes) == 1


def test_a_row_of_a_small_file_is_compared_with_the_runs_own_rows(tmp_path: Path) -> None:
    """Among three rows an odd one, or the row itself, would be the mean that it is compared with."""
    run = pellucid.train("iris", preset="plain", hidden=(4,), epochs=20, verdict=False, out=tmp_path / "run")
    names = [step.name for step in run.model.recipe.steps]
    small = {name: [5.0, 6.0, 1e6] for name in names}
    found = explain_row(run, small, row=1, label="virginica")
    assert found.background_title == "the 30 test rows of iris"
    assert found.shapley.base == pytest.approx(explain_row(run, row=1, label="virginica").shapley.base)
    assert found.title == "row 1 of the table"
    assert not found.notes
    alone = explain_row(run.model, small, row=1)
    assert alone.background_title == "the 3 rows of the table"
    assert any("only 3 rows of the table" in note and "run's folder" in note for note in alone.notes)
    assert any("only 1 row " in note for note in explain_row(run.model, {n: [5.0] for n in names}).notes)
    assert not explain_row(run, "iris", row=1).notes


def test_mistakes_of_a_small_file_are_explained_beside_the_runs_own_rows(tmp_path: Path) -> None:
    run = pellucid.train("iris", preset="plain", hidden=(4,), epochs=60, verdict=False, out=tmp_path / "run")
    names = [step.name for step in run.model.recipe.steps]
    cells = {name: [value] for name, value in zip(names, (5.0, 3.4, 1.5, 0.2), strict=True)}
    (mistake,) = mistakes(run, {**cells, "species": ["virginica"]}, most=1).found
    assert mistake.reasons  # beside itself alone nothing would set it apart
