"""A column of free text through training, answers, explanations and the peers."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.data.schema import infer_schema
from pellucid.data.tables import read_table
from pellucid.errors import DataError, SettingError
from pellucid.inspection.boundary import boundary
from pellucid.inspection.explained_columns import explain_columns
from pellucid.inspection.explained_row import explain_row
from pellucid.inspection.trace import trace
from pellucid.preparation.prepare import prepare
from pellucid.runs.peer_inputs import WORDS_FOR_TREES, columns_for_trees, inputs_for_lines
from pellucid.settings.settings import Settings

WHO = ("my friend", "the office", "our shop", "a neighbour", "the school", "your bank")
GOOD = ("sends greetings and hopes to see you", "will be late for dinner again", "asks whether you are at home")
BAD = ("offers a free prize to all callers", "says call now to win some cash", "has a free ticket, call to claim it")
END = ("before the weekend starts", "this evening at eight", "as soon as you can", "on the first of the month")


def messages() -> dict[str, list[Any]]:
    rows = [(f"{a} {b} {c}", "ham") for a, b, c in product(WHO, GOOD, END)]
    rows += [(f"{a} {b} {c}", "spam") for a, b, c in product(WHO, BAD, END)]
    order = np.random.default_rng(0).permutation(len(rows))
    return {
        "message": [rows[i][0] for i in order],
        "hour": [float(i * 7 % 24) for i in order],
        "night": [float(i * 5 % 3) for i in order],
        "label": [rows[i][1] for i in order],
    }


SMALL: dict[str, Any] = {"preset": "plain", "hidden": (4,), "epochs": 30, "learning_rate": 0.02, "report": False}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> pellucid.Run:
    folder = tmp_path_factory.mktemp("text") / "run"
    return pellucid.train(messages(), "label", out=folder, verdict=False, **SMALL)


def test_words_are_learned(run: pellucid.Run) -> None:
    assert run.metrics["accuracy"].value > 0.9
    assert {c.name: c.kind for c in run.model.recipe.columns}["message"] == "text"


def test_it_says_by_what_it_reads_the_column_and_how_to_change_that() -> None:
    prepared = prepare(messages(), Settings(target="label", max_words=30))
    note = next(note for note in prepared.notes if "'message'" in note)
    assert "words and pairs of words (30 kept, --max-words)" in note
    assert "--drop 'message'" in note


def test_words_come_from_the_training_rows_only() -> None:
    table = messages()
    prepared = prepare(table, Settings(target="label"))
    marked = {**table, "message": list(table["message"])}
    for row in prepared.measured.rows.tolist():
        marked["message"][row] += " qwertz uiopas"
    step = prepare(marked, Settings(target="label")).recipe.steps[0]
    assert not any("qwertz" in name for name in step.features)


@pytest.mark.filterwarnings("ignore::pellucid.DataWarning")
def test_a_file_that_was_trained_answers_alike(run: pellucid.Run) -> None:
    model = pellucid.load(str(run.path))
    table = messages()
    one = {name: cells[5] for name, cells in table.items() if name != "label"}
    np.testing.assert_allclose(model.predict_proba(one)[0], model.predict_proba(table)[5], rtol=1e-5)
    odd = {"message": [None, "", "NA", "12345", "😀"], "hour": [1.0] * 5, "night": [0.0] * 5}
    assert np.isfinite(model.predict_proba(odd)).all()


def test_missing_text_is_a_feature_of_its_own(tmp_path: Path) -> None:
    table = messages()
    for row in range(0, 60, 3):
        table["message"][row] = None
    recipe = prepare(table, Settings(target="label")).recipe
    assert "message is missing" in recipe.feature_names


def test_explained_by_column_and_by_word(run: pellucid.Run) -> None:
    table = messages()
    row = table["label"].index("spam")
    found = explain_row(run, table, row=row)
    assert [cell.column for cell in found.cells] == ["message", "hour", "night"]
    words = dict(found.words_of("message"))
    assert words
    assert found.words_of("hour") == ()
    facts = json.loads(json.dumps(found.to_json()))
    assert facts["columns"][0]["words"] == pytest.approx(words)
    every = found.words_of("message", most=10_000)
    assert sum(value for _, value in every) == pytest.approx(float(found.by_column[0]))


def test_the_trace_names_words_and_agrees(run: pellucid.Run) -> None:
    table = messages()
    row = next(i for i, text in enumerate(table["message"]) if "free prize" in text)
    found = trace(str(run.path), table, row=row)
    assert 'TF-IDF brought to length 1: "' in found.cells[0].how
    features = dict(found.cells[0].features)
    assert features['message: "free prize"'] > 0
    assert features['message: "at home"'] == 0
    assert found.row.agreement.logits < 1e-9
    assert len(found.names_of_inputs(0)) == len(found.row.layers[0].inputs)


def test_importance_without_a_dependence_on_texts(run: pellucid.Run) -> None:
    found = explain_columns(run, messages())
    assert found.columns[found.order[0]] == "message"
    assert "message" not in [found.columns[i] for i, _, _ in found.dependences]


def test_no_slice_along_a_text(run: pellucid.Run) -> None:
    with pytest.raises(DataError, match="'message' holds free text"):
        boundary(str(run.path), messages(), x="message", y="hour")
    found = boundary(str(run.path), messages())
    assert {found.x.column, found.y.column} == {"hour", "night"}
    assert found.held[0].cell in messages()["message"]  # that of the row nearest to what is typical


def test_the_linear_model_sees_the_same_words_and_trees_the_first() -> None:
    for encoding in ("plain", "both"):
        prepared = prepare(messages(), Settings(target="label", number_encoding=encoding))
        learned, _ = inputs_for_lines(prepared)
        place = prepared.recipe.places["message"]
        both = np.concatenate([prepared.train.inputs, prepared.validation.inputs])
        np.testing.assert_array_equal(learned.toarray()[:, place], both[:, place])
        columns, categorical, names = columns_for_trees(prepared.recipe, both)
        assert names.count("message") == min(WORDS_FOR_TREES, place.stop - place.start)
        assert columns.shape[1] == len(names) == len(categorical)


def test_a_verdict_with_text(tmp_path: Path) -> None:
    run = pellucid.train(messages(), "label", out=tmp_path / "run", verdict=True, **SMALL)
    assert run.verdict is not None
    assert [peer.name for peer in run.verdict.peers][1] == "linear model"


def test_short_texts_wait_to_be_asked_for() -> None:
    names = {
        "name": [f"Mr. {a} {b} of {c}" for a, b, c in product("ABCDE", "VWXYZ", ("Ham", "Kew", "Lee", "Rye"))],
        "age": [float(i * 7 % 51) for i in range(100)],
        "paid": [i % 3 % 2 for i in range(100)],
    }
    schema = infer_schema(read_table(names), target="paid")
    assert (schema.column("name").kind, schema.column("name").role) == ("text", "dropped")
    assert any("--text 'name'" in warning for warning in schema.warnings)
    asked = infer_schema(read_table(names), target="paid", text=["name"])
    assert (asked.column("name").kind, asked.column("name").role) == ("text", "feature")
    kept = infer_schema(read_table(names), target="paid", keep=["name"])
    assert kept.column("name").role == "feature"
    alone = infer_schema(read_table({name: names[name] for name in ("name", "paid")}), target="paid")
    assert alone.column("name").role == "feature"
    assert not any("--text" in warning for warning in alone.warnings)


def test_text_without_spaces_is_text() -> None:
    parts = product(
        ("这部电影", "那家餐馆", "新的手机", "我的老师"),
        ("真的", "其实", "昨天"),
        ("很好看很喜欢", "非常糟糕不值", "还可以没意思", "让人失望极了", "值得推荐给人"),
    )
    texts = ["".join(part) + "。" for part in parts]
    table = {"text": texts, "y": [i % 2 for i in range(len(texts))]}
    assert infer_schema(read_table(table), target="y").column("text").kind == "text"
    step = prepare(table, Settings(target="y")).recipe.steps[0]
    assert step.units == "characters"  # type: ignore[attr-defined]


def test_a_text_can_be_a_target_of_few_classes_only_as_before() -> None:
    table = messages()
    column = infer_schema(read_table(table), target="message").column("message")
    assert (column.kind, column.role) == ("categorical", "target")


def test_columns_named_for_two_kinds() -> None:
    with pytest.raises(SettingError, match="cannot be both"):
        infer_schema(read_table(messages()), text=["message"], categorical=["message"])
    with pytest.raises(DataError, match="no column 'mesage'"):
        infer_schema(read_table(messages()), text=["mesage"])


def test_estimators_read_text_in_frames() -> None:
    pd = pytest.importorskip("pandas")
    from pellucid.estimators import NeuralClassifier

    frame = pd.DataFrame(messages())
    model = NeuralClassifier((8,), preset="plain", learning_rate=0.02, max_iter=40, random_state=0)
    model.fit(frame[["message", "hour"]][:100], frame["label"][:100])
    assert model.score(frame[["message", "hour"]][100:], frame["label"][100:]) > 0.9
