"""A row of a user's table traced: the model's own answer, in the table's names, and clear words for what cannot be."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.errors import UserError
from pellucid.explanation.trace import trace_row
from pellucid.explanation.words.loss import why_it_rose
from pellucid.inspection.trace import trace
from pellucid.network.optimizer import Optimizer
from tests.people import Columns

SHORT: dict[str, Any] = {"hidden": (6, 4), "epochs": 3, "verdict": False}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("traced")
    rng = np.random.default_rng(0)
    age, job = rng.uniform(20, 70, 120), rng.choice(["nurse", "cook", "judge"], 120)
    lines = [
        f"{a:.1f},{j},{'yes' if a > 45 or j == 'cook' else 'no'},{a * 3 + 7:.2f}" for a, j in zip(age, job, strict=True)
    ]
    (path / "people.csv").write_text("age,job,buys,spends\n" + "\n".join(lines) + "\n,judge,no,\n")
    people = path / "people.csv"
    pellucid.train(people, "buys", out=path / "plain", drop="spends", **SHORT)
    pellucid.train(people, "buys", out=path / "best", drop="spends", preset="best", **SHORT)
    pellucid.train(people, "spends", out=path / "number", drop="buys", batch_norm=True, dropout=0.2, **SHORT)
    pellucid.train(people, "job", out=path / "several", drop=("buys", "spends"), scaling="quantile", **SHORT)
    return path


@pytest.mark.parametrize("run", ["plain", "best", "number", "several"])
@pytest.mark.parametrize("row", [0, 17, 119])
def test_the_answer_is_the_models_and_everything_agrees(folder: Path, run: str, row: int) -> None:
    found = trace(folder / run, row=row)
    model = found.model
    rows = model.table(folder / "people.csv").take(np.array([row]))
    together = np.ravel(model.answers(rows))
    said = list(found.together.values()) if isinstance(found.together, dict) else [found.together]
    np.testing.assert_allclose(said, together, rtol=1e-6)
    alone = model.answers_of_members(model.inputs(rows))[0]
    np.testing.assert_allclose(
        list(found.answer.values()) if isinstance(found.answer, dict) else [found.answer], np.ravel(alone), rtol=1e-6
    )
    np.testing.assert_allclose(
        [value for cell in found.cells for _, value in cell.features], found.row.layers[0].inputs, atol=1e-12
    )
    assert found.row.back is not None
    agreement = found.row.agreement
    assert max(agreement.logits or 0, agreement.gradients or 0) < 1e-12
    assert agreement.central_differences is not None
    assert agreement.central_differences < 1e-6
    json.dumps(found.to_json())


def test_the_loss_is_that_of_the_rows_own_target(folder: Path) -> None:
    found = trace(folder / "plain", row=3)
    assert isinstance(found.answer, dict)
    assert found.row.back is not None
    assert found.row.back.loss == pytest.approx(-np.log(found.answer[str(found.truth)]), rel=1e-5)
    number = trace(folder / "number", row=3)
    assert number.model.scaler is not None
    assert number.row.back is not None
    apart = (float(number.answer) - float(number.truth)) / number.model.scaler.scale  # type: ignore[arg-type]
    assert number.row.back.loss == pytest.approx(apart**2, rel=1e-4)


@pytest.mark.parametrize(("optimizer", "words"), [("adam", "every weight by about 30,"), ("sgd", "of 30 times the")])
def test_a_step_that_makes_the_loss_worse_is_explained(optimizer: str, words: str, folder: Path) -> None:
    found = trace(folder / "number", row=3)
    model, features = found.model, found.row.layers[0].inputs
    for rate in (1e-4, 30.0):
        back = trace_row(
            model.network, model.parameters, features, loss=model.task.loss, target=np.array([[1.0]]),
            optimizer=Optimizer(name=optimizer), learning_rate=rate,
        ).back  # fmt: skip
        assert back is not None
        assert (back.loss_after > back.loss) == (rate == 30.0)  # towards the target and far beyond it
        assert (words in why_it_rose(back)) == (rate == 30.0)
    assert why_it_rose(replace(back, loss_after=back.loss)) == ""


def test_units_and_features_have_names(folder: Path) -> None:
    found = trace(folder / "plain")
    assert found.names_of_inputs(0) == found.model.recipe.feature_names
    assert found.names_of_inputs(1)[:2] == ("unit 1.1", "unit 1.2")
    assert found.names_of_inputs(len(found.row.layers) - 1) == ("unit 2.1", "unit 2.2", "unit 2.3", "unit 2.4")


def test_cells_are_told_as_arithmetic(folder: Path) -> None:
    row = {"age": 41, "job": "cook"}
    age, job = trace(folder / "plain", inputs=row).cells
    step = trace(folder / "plain").model.recipe.steps[0]
    assert age.how.startswith("(41 − ")
    assert age.how.endswith(f"= {age.features[0][1]:.4g}".replace("-", "−"))
    assert age.features[0][1] == step.encode_one(41)[0]
    assert job.how == "1 for 'job = cook', 0 for the others"
    (both, _) = trace(folder / "best", inputs=row).cells
    assert "z / √(1 + (z/3)²)" in both.how
    assert "in bin 1 of 2: (41 − 20.7) / (43.5 − 20.7) = 0.8904" in both.how
    (quantile,) = trace(folder / "several", inputs={"age": 41}).cells
    assert "normal score" in quantile.how


def test_a_row_by_itself_has_no_way_back_without_its_target(folder: Path) -> None:
    found = trace(folder / "plain", inputs={"age": "41"})
    assert found.row.back is None
    assert found.truth is None
    assert found.notes == ("not given, so taken as missing: 'job'",)
    assert trace(folder / "plain", inputs={"age": 41, "job": "cook", "buys": "yes"}).truth == "yes"
    missing = trace(folder / "plain", row=120).cells[0]
    assert missing.cell is None
    assert "missing" in missing.how


def test_each_network_of_an_ensemble(folder: Path) -> None:
    several = [trace(folder / "best", row=5, network=k) for k in (1, 2, 3, 4)]
    mean = np.mean([list(each.answer.values()) for each in several], axis=0)  # type: ignore[union-attr]
    np.testing.assert_allclose(mean, list(several[0].together.values()), rtol=1e-5)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"row": 121}, "row must be a whole number from 0 to 120, got 121"),
        ({"row": -1}, "row must be"),
        ({"network": 2}, "network must be a whole number from 1 to 1, got 2"),
        ({"inputs": {"aeg": 41}}, "no column 'aeg'; did you mean 'age'"),
        ({"inputs": {"age": "old"}}, "'age'"),
        ({"inputs": {"age": 4}, "data": "x.csv"}, "not both"),
        ({"data": "nosuch.csv"}, "no file 'nosuch.csv'"),
    ],
)
def test_what_cannot_be_traced_is_said(folder: Path, asked: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        trace(folder / "plain", **asked)


def test_reconstructions_and_tables_in_memory(tmp_path: Path, people: Columns) -> None:
    pellucid.train("iris", task="reconstruction", hidden=(2,), epochs=1, verdict=False, out=tmp_path / "drawn")
    found = trace(tmp_path / "drawn")
    assert found.truth is None
    assert found.row.back is not None
    pellucid.train(people, "buys", out=tmp_path / "run", **SHORT)
    with pytest.raises(UserError, match="name the rows"):
        trace(tmp_path / "run")
    assert trace(tmp_path / "run", people, row=2).truth == people["buys"][2]
