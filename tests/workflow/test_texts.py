"""From a folder of texts to a run: as bags of words by default, token by token where that is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import pellucid
from pellucid.errors import DataError, DataWarning, SettingError
from pellucid.preparation.prepare import prepare
from pellucid.settings.settings import Settings
from tests.evaluation.peers.test_text_peers import reviews

QUICK: dict[str, Any] = {"epochs": 4, "verdict": False}
GRU: dict[str, Any] = {"network": "gru", "width": 8, "embedding": 8, **QUICK}


def folder_of(path: Path, n: int = 160, *, seed: int = 0) -> Path:
    texts, truth = reviews(n, seed)
    for k, (text, good) in enumerate(zip(texts, truth, strict=True)):
        file = path / ("good" if good else "bad") / f"{k:03d}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return path


def test_a_folder_a_class_is_trained_on_and_predicted(tmp_path: Path) -> None:
    run = pellucid.train(folder_of(tmp_path / "reviews"), hidden=(8,), out=tmp_path / "run", epochs=40, verdict=False)
    assert run.model.task.classes == ("bad", "good")
    assert [(c.name, c.kind) for c in run.model.recipe.columns] == [("text", "text")]
    assert run.metrics["accuracy"].value > 0.8
    unseen = folder_of(tmp_path / "unseen", 40, seed=9)
    assert run.evaluate(unseen)["accuracy"].value > 0.8
    loose = tmp_path / "loose"
    loose.mkdir()
    (loose / "a.txt").write_text("a great and moving one, fine")
    (loose / "b.txt").write_text("dull, poor and grey")
    assert list(run.predict(loose)) == ["good", "bad"]


def test_parts_measure_the_run(tmp_path: Path) -> None:
    for part, n, seed in (("train", 100, 0), ("test", 40, 1)):
        folder_of(tmp_path / "reviews" / part, n, seed=seed)
    run = pellucid.train(tmp_path / "reviews", hidden=(8,), **QUICK)
    assert run.summary["rows"]["test"] == 40


def test_a_folder_is_read_token_by_token(tmp_path: Path) -> None:
    run = pellucid.train(folder_of(tmp_path / "reviews"), **{**GRU, "verdict": True})
    assert run.model.network.dtype == "int64"
    assert run.verdict is not None
    assert [peer.name for peer in run.verdict.peers] == ["dummy", "linear model on words"]
    assert [finding.name for finding in run.findings if "token" in finding.name or "copies" in finding.name] == []


@pytest.mark.parametrize(
    ("folders", "said"),
    [
        ({"good": 12}, "holds texts of one class only, 'good'"),
        ({"good": 1, "bad": 1}, "holds a single text in each of 2 class folders"),
    ],
)
def test_classes_that_cannot_be_learned(folders: dict[str, int], said: str, tmp_path: Path) -> None:
    for name, n in folders.items():
        (tmp_path / name).mkdir()
        for k in range(n):
            (tmp_path / name / f"{k}.txt").write_text(f"text number {k}")
    with pytest.raises(DataError, match=said):
        pellucid.train(tmp_path, **QUICK)


def table(n: int = 80) -> dict[str, Any]:
    texts, truth = reviews(n)
    return {"text": texts, "label": [("bad", "good")[k] for k in truth]}


def test_empty_texts() -> None:
    """All of them: an error with a remedy; some: counted and said."""
    data = table()
    with pytest.raises(DataError, match="cannot be text: every cell is missing; use --drop 'text'"):
        pellucid.train({**data, "text": [""] * 80}, "label", text=["text"], **GRU)
    some = {**data, "text": [None if k % 4 == 0 else text for k, text in enumerate(data["text"])]}
    run = pellucid.train(some, "label", text=["text"], **GRU)
    notes = prepare(some, Settings(target="label", text=["text"], network="gru")).notes
    assert any("training texts are empty" in note for note in notes)
    with pytest.warns(DataWarning, match="3 texts are empty or hold only tokens that are unknown"):
        assert len(run.predict({"text": ["", None, "☃☃ ☃"]})) == 3


def test_a_table_without_text_or_with_other_columns() -> None:
    numbers = {"x": [float(k % 9) for k in range(60)], "label": ["a", "b"] * 30}
    with pytest.raises(SettingError, match=r"network gru reads one column of texts.*--network mlp"):
        pellucid.train(numbers, "label", **GRU)
    mixed = {"stars": [float(k % 5) for k in range(80)], **table()}
    with pytest.raises(SettingError, match="beside 'text' the table has 'stars'"):
        pellucid.train(mixed, "label", text=["text"], **GRU)


def test_texts_of_unknown_words_are_said() -> None:
    run = pellucid.train(table(), "label", text=["text"], text_units="words", **GRU)
    assert any("unknown" in remark for remark in run.model.remarks(run.model.table({"text": ["quite new words"] * 3})))
