"""New series for a model of them, in each of the forms in which it could have been trained."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.data.columns.series import series_of
from pellucid.data.tables import read_table
from pellucid.errors import DataError
from pellucid.model.reading_series import read_new_series

pytest.importorskip("torch", reason="networks of series are trained by PyTorch")

RNG = np.random.default_rng(0)
VALUES = RNG.normal(size=(40, 6)).round(3)
LABELS = np.arange(40) % 2 + 1
SHORT: dict[str, Any] = {"network": "gru", "width": 4, "epochs": 1, "verdict": False, "save": False, "threads": 1}


def lines(values: Any, labels: Any = None) -> str:
    rows = values if labels is None else [[int(label), *row] for label, row in zip(labels, values, strict=True)]
    return "".join(",".join(map(str, row)) + "\n" for row in rows)


@pytest.fixture(scope="module")
def of_ucr(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("series") / "X_TRAIN.txt"
    path.write_text(lines(VALUES, LABELS))
    return pellucid.train(str(path), **SHORT).model


def wide(rows: slice) -> dict[str, Any]:
    return {"kind": LABELS[rows], **{f"t{i}": VALUES[rows, i] for i in range(6)}}


def long(rows: slice) -> dict[str, Any]:
    numbers = np.arange(40)[rows]
    return {
        "id": [f"s{row}" for row in numbers for _ in range(6)],
        "t": [step for _ in numbers for step in range(6)],
        "x": VALUES[rows].ravel(),
        "kind": np.repeat(LABELS[rows], 6),
    }


def values_read(model: Any, data: Any, **how: Any) -> list[list[float]]:
    table = read_new_series(model, data, how=how)
    read: list[list[float]] = series_of(table.column("series"))[:, :, 0].tolist()
    return read


def test_files_with_and_without_classes(of_ucr: Any, tmp_path: Path) -> None:
    labelled = lines(VALUES[:3], LABELS[:3])
    contents = {"X_TEST.txt": labelled, "new.csv": lines(VALUES[:3]), "old.csv": labelled}
    for name, content in contents.items():
        (tmp_path / name).write_text(content)
        assert values_read(of_ucr, tmp_path / name) == VALUES[:3].tolist()
    ts = "".join(",".join(map(str, row)) + ":1\n" for row in VALUES[:3])
    (tmp_path / "new.ts").write_text("@univariate true\n@classLabel true 1 2\n@data\n" + ts)
    assert values_read(of_ucr, tmp_path / "new.ts") == VALUES[:3].tolist()
    (tmp_path / "headed.csv").write_text("a,b,c,d,e,f\n" + lines(VALUES[:3]))
    assert values_read(of_ucr, tmp_path / "headed.csv") == VALUES[:3].tolist()


def test_arrays_and_frames(of_ucr: Any) -> None:
    expected = of_ucr.predict(VALUES[:3]).tolist()
    assert set(expected) <= {"1", "2"}
    assert of_ucr.predict(VALUES[:3, :, None]).tolist() == expected
    assert of_ucr.predict(list(VALUES[:3])).tolist() == expected
    assert of_ucr.predict({"series": VALUES[:3]}).tolist() == expected
    assert of_ucr.predict({f"t{i}": VALUES[:3, i] for i in range(6)}).tolist() == expected


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("0.5,1,2\n", r"line 1: each line must hold the 6 values of a series, or its class, .* got 3 fields"),
        ("a,b\n1,2\n", "has 2 number columns .* series of 6 steps"),
        ("", "is empty"),
    ],
)
def test_files_of_something_else_are_refused(of_ucr: Any, tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "new.csv").write_text(content)
    with pytest.raises(DataError, match=said):
        of_ucr.predict(tmp_path / "new.csv")


def test_other_channels_are_refused(of_ucr: Any) -> None:
    with pytest.raises(DataError, match="holds series of 2 channels, but the model was trained on 1 channel"):
        of_ucr.predict(np.zeros((2, 6, 2)))


def test_series_for_a_model_of_columns_are_refused(tmp_path: Path) -> None:
    model = pellucid.train({"a": VALUES[:, 0], "y": LABELS}, "y", hidden=(2,), epochs=1, verdict=False).model
    (tmp_path / "X_TEST.txt").write_text(lines(VALUES[:3], LABELS[:3]))
    with pytest.raises(DataError, match="holds series, but this model reads the columns of a table"):
        model.predict(tmp_path / "X_TEST.txt")


@pytest.mark.parametrize("rows_of", [wide, long])
def test_tables_are_read_as_they_were_for_training(rows_of: Any) -> None:
    how: Mapping[str, Any] = {"group": "id", "time": "t"} if rows_of is long else {}
    run = pellucid.train(rows_of(slice(0, 40)), "kind", series=True, **how, **SHORT)
    table = rows_of(slice(5, 8))
    table.pop("kind")
    assert values_read(run.model, table) == VALUES[5:8].tolist()
    assert values_read(run.model, read_table(table)) == VALUES[5:8].tolist()
    answers = run.model.prediction_table(run.model.read_rows(table))
    assert len(answers) == 3
    assert ("id" in answers.column_names) is (rows_of is long)


def test_what_is_cut_and_filled_is_said(of_ucr: Any) -> None:
    longer = np.concatenate([VALUES[:2], [[np.nan, 1.0], [1.0, 1.0]]], axis=1)
    read = read_new_series(of_ucr, longer)
    said = [str(note) for note in of_ucr.remarks(read)]
    assert any("2 of 2 series have more than 6 steps (up to 8) and are cut off there" in note for note in said)
    assert any("1 missing value in 1 series of 2 filled in" in note for note in said)


def test_a_fully_connected_network_of_series_has_no_column_to_vary(tmp_path: Path) -> None:
    path = tmp_path / "X_TRAIN.txt"
    path.write_text(lines(VALUES, LABELS))
    plain = {**SHORT, "network": "mlp", "hidden": (2,), "preset": "plain", "width": None, "save": True, "report": True}
    run = pellucid.train(str(path), out=tmp_path / "run", **plain)
    assert run.model.predict(path).shape == (40,)
    assert (tmp_path / "run" / "report.html").exists()
    found = pellucid.explain_columns(run, path)
    assert found.dependences == ()
