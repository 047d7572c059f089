"""Settings side by side: the order, the ties, the honest number, and what is kept."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.errors import DataError, RunFolderError, SettingError
from pellucid.evaluation.fold_interval import mean_over_folds
from pellucid.selection import compare as module
from pellucid.selection.compare import compare
from pellucid.selection.comparison import Compared, Comparison, ranked
from pellucid.selection.cross_validate import FoldScore, FoldScores, cross_validate
from pellucid.settings.config import read_config
from pellucid.settings.settings import Settings
from tests.people import Columns

SHORT: dict[str, Any] = {"hidden": (6,), "epochs": 4, "engine": "textbook"}


@pytest.fixture(scope="module")
def found(people: Columns) -> Comparison:
    """Two rates that learn and one that learns next to nothing."""
    return compare(people, "buys", **SHORT, learning_rate=[1e-7, 0.01, 0.03], folds=3)


def scores(*values: float, seconds: float = 1.0, higher: bool = True, n_folds: int | None = None) -> FoldScores:
    folds = tuple(
        FoldScore(
            score=v, best_epoch=1, epochs=2, seconds=seconds / len(values), n_train=60, n_held=20,
            problem="too large" if math.isnan(v) else None,
        )
        for v in values
    )  # fmt: skip
    return FoldScores(
        metric="accuracy" if higher else "rmse", higher_is_better=higher, settings=Settings(), folds=folds,
        n_folds=n_folds or len(values), n_parameters=10, size_ratio=0.25,
    )  # fmt: skip


def rows(**each: FoldScores) -> tuple[Compared, ...]:
    return tuple(Compared(values={"activation": name}, settings=Settings(), scores=s) for name, s in each.items())


def result(**each: FoldScores) -> Comparison:
    return Comparison(rows=ranked(rows(**each)), how="3 folds, at random", n_rows=60, wanted=len(each), command="c")


def names(compared: tuple[Compared, ...]) -> list[str]:
    return [row.values["activation"] for row in compared]


# ── order and ties ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_order_and_the_paired_differences() -> None:
    best, noisy, worse = scores(0.9, 0.8, 0.95), scores(0.95, 0.7, 0.9), scores(0.7, 0.61, 0.74)
    found = ranked(rows(c=worse, a=best, b=noisy))
    assert names(found) == ["a", "b", "c"]
    assert [row.is_best for row in found] == [True, False, False]
    assert [row.is_tied for row in found] == [False, True, False]
    assert found[0].behind is None
    expected = mean_over_folds([0.2, 0.19, 0.21], size_ratio=0.25)
    assert found[2].behind is not None
    assert (found[2].behind.value, found[2].behind.low) == pytest.approx((expected.value, expected.low))


def test_many_comparisons_are_said_to_be_many() -> None:
    """Each interval promises for itself: where some one of many is called worse, the page says how often that errs."""
    best, tied, worse = scores(0.9, 0.8, 0.95), scores(0.95, 0.7, 0.9), scores(0.7, 0.61, 0.74)
    few = result(a=best, b=tied, c=worse).sentences()
    many = result(a=best, b=worse, c=worse, d=worse, e=tied).sentences()
    equal = result(a=best, b=tied, c=tied, d=tied, e=tied).sentences()
    assert [any("called worse in" in said for said in each) for each in (few, many, equal)] == [False, True, False]


def test_of_errors_the_smallest_is_best_and_behind_is_still_positive() -> None:
    found = ranked(rows(a=scores(5, 6, 5.5, higher=False), b=scores(3, 4, 3.4, higher=False)))
    assert names(found) == ["b", "a"]
    assert found[1].behind is not None
    assert found[1].behind.value == pytest.approx(6.1 / 3)
    assert not found[1].is_tied


def test_equal_scores_tie_and_the_quicker_comes_first() -> None:
    found = result(slow=scores(0.9, 0.8, seconds=4), quick=scores(0.9, 0.8, seconds=2))
    assert names(found.rows) == ["quick", "slow"]
    assert found.rows[1].is_tied
    assert found.cheapest is found.best


def test_the_cheapest_is_looked_for_among_the_tied_only() -> None:
    found = result(
        best=scores(0.9, 0.8, 0.95, seconds=9),
        tied=scores(0.95, 0.7, 0.9, seconds=3),
        poor=scores(0.2, 0.1, 0.3, seconds=0.1),
    )
    assert found.cheapest.values == {"activation": "tied"}
    said = " ".join(found.sentences())
    assert "The best and 1 of the 2 others are tied: 3 folds cannot separate them." in said
    assert "took 3.0 s instead of 9.0 s: activation tied." in said
    assert "Nadeau & Bengio 2003" in said


def test_what_diverged_comes_last_and_is_neither_best_nor_tied() -> None:
    found = result(
        wild=scores(math.nan, n_folds=3), good=scores(0.9, 0.8, 0.85), half=scores(0.99, math.nan, n_folds=3)
    )
    assert names(found.rows) == ["good", "wild", "half"]
    assert not any(row.is_tied or row.is_best for row in found.rows[1:])
    _, cells = found.table()
    assert [row[1] for row in cells[1:]] == ["diverged", "diverged"]
    lost = result(wild=scores(math.nan, n_folds=3), wilder=scores(math.nan, n_folds=3))
    assert "Every combination diverged" in " ".join(lost.sentences())
    assert json.loads(json.dumps(lost.to_json(), allow_nan=False))["rows"][0]["problem"] == "fold 1 of 3: too large"


def test_a_clear_winner_is_called_one() -> None:
    assert "better than the other." in " ".join(
        result(a=scores(0.9, 0.91, 0.95), b=scores(0.5, 0.52, 0.54)).sentences()
    )


# ── the whole ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_row_is_what_cross_validation_gives(found: Comparison, people: Columns) -> None:
    assert [row.values["learning_rate"] for row in found.rows][-1] == 1e-7
    assert len(found.rows) == found.wanted == 3
    assert found.is_complete
    for row in found.rows:
        alone = cross_validate(people, {**SHORT, "target": "buys", **row.values}, folds=3)
        assert alone.scores == row.scores.scores
    assert not found.rows[-1].is_tied
    assert found.n_rows == 240


def test_the_best_is_measured_on_the_test_rows_as_its_command_would(found: Comparison, people: Columns) -> None:
    run = pellucid.train(people, "buys", **SHORT, **found.best.values)
    assert found.measured is not None
    assert found.run is not None
    assert found.measured.n_rows == 60
    assert found.measured.value == run.metrics["roc_auc"]
    assert np.array_equal(found.run.predict(people), run.predict(people))
    rate = found.best.values["learning_rate"]
    assert found.command == (
        f"pellucid.train(data, target='buys', hidden=(6,), learning_rate={rate}, epochs=4, engine='textbook')"
    )
    assert any("60 test rows, which are in no fold: ROC AUC" in sentence for sentence in found.sentences())


def test_as_csv_markdown_and_json(found: Comparison) -> None:
    lines = list(csv.DictReader(io.StringIO(found.to_csv())))
    assert [float(line["learning_rate"]) for line in lines] == [row.values["learning_rate"] for row in found.rows]
    assert [float(line["roc_auc"]) for line in lines] == [row.scores.mean for row in found.rows]
    assert [float(lines[1][f"fold_{k}"]) for k in (1, 2, 3)] == list(found.rows[1].scores.scores)
    assert lines[0]["behind"] == ""
    assert lines[2]["tied"] == ""
    text = found.to_markdown()
    assert text.splitlines()[0].startswith("| learning_rate | ROC AUC | 95 % interval | behind |")
    assert found.command in text
    facts = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert facts["rows"][0]["values"] == {"learning_rate": found.best.values["learning_rate"]}
    assert facts["test"]["rows"] == 60
    assert Settings.of(facts["settings_of_the_best"]) == found.best.settings


def test_the_figure_has_a_line_for_each(found: Comparison) -> None:
    left, right = found.figure().axes
    assert [label.get_text() for label in left.get_yticklabels()] == [
        str(row.values["learning_rate"]) for row in found.rows
    ]
    assert left.get_ylabel() == "learning rate"
    assert right.get_xlabel() == "ROC AUC behind the best"


def test_the_folder_holds_table_figure_and_a_config_that_trains_the_best(people_csv: Path, tmp_path: Path) -> None:
    out = tmp_path / "kept"
    found = compare(people_csv, "buys", **SHORT, activation=["relu", "tanh"], folds=2, out=out)
    assert found.path == out
    assert sorted(path.name for path in out.iterdir()) == [
        "best.yaml", "comparison.csv", "comparison.json", "figure.png",
    ]  # fmt: skip
    assert (out / "comparison.csv").read_text() == found.to_csv()
    assert (out / "figure.png").read_bytes()[:4] == b"\x89PNG"
    settings, data = read_config(out / "best.yaml")
    assert Settings.of(settings) == found.best.settings
    assert data == str(people_csv.absolute())
    run = pellucid.train(None, config=out / "best.yaml")
    assert found.measured is not None
    assert run.metrics["roc_auc"] == found.measured.value
    with pytest.raises(RunFolderError, match="not empty"):
        compare(people_csv, "buys", **SHORT, activation=["relu", "tanh"], out=out)
    compare(people_csv, "buys", **SHORT, activation=["relu", "elu"], folds=2, out=out, overwrite=True)
    assert "elu" in (out / "comparison.csv").read_text()


def test_the_config_may_hold_lists(people_csv: Path, tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(f"data: {people_csv}\ntarget: buys\nhidden: [[4], [4, 2]]\nactivation: [relu, tanh]\nepochs: 9\n")
    found = compare(None, config=config, epochs=2, engine="textbook", activation="relu", folds=2)
    assert sorted(row.values["hidden"] for row in found.rows) == [(4,), (4, 2)]
    assert found.best.settings.epochs == 2


def test_without_test_rows_the_best_is_not_measured(people: Columns) -> None:
    found = compare(people, "buys", **SHORT, activation=["relu", "tanh"], folds=2, test=0)
    assert found.measured is None
    assert found.n_rows == 300
    assert any("no test rows" in note for note in found.notes)


def test_a_combination_that_diverges_does_not_end_the_others(people: Columns) -> None:
    found = compare(people, "spends", hidden=(6,), epochs=3, optimizer="sgd", learning_rate=[1e6, 0.01], folds=2)
    assert [row.scores.diverged for row in found.rows] == [False, True]
    assert found.best.values == {"learning_rate": 0.01}
    assert found.measured is not None


# ── wrong input, and ends before the end ──────────────────────────────────────────────────────────────────────


def test_nothing_to_compare_or_too_much(people: Columns) -> None:
    with pytest.raises(SettingError, match=r"nothing to compare.*--hidden 64 --hidden 128,64"):
        compare(people, "buys", activation="relu")
    with pytest.raises(SettingError, match=r"3 epochs × 2 dropout are 6 combinations, but the limit is 5"):
        compare(people, "buys", epochs=[1, 2, 3], dropout=[0, 0.1], limit=5)
    with pytest.raises(SettingError, match="no table was given"):
        compare(None, activation=["relu", "tanh"])
    with pytest.raises(DataError, match=r"no target column|there is no column"):
        compare(people, "buy", activation=["relu", "tanh"])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"target": "spends", "class_weight": ["none", "balanced"]}, "class_weight balanced is for classes"),
        ({"target": "buys", "batch_norm": True, "batch_size": [16, 1]}, "BatchNorm cannot train on one row"),
        ({"target": "buys", "n_networks": [2, 1], "ensemble": "folds"}, "n_networks from 2"),
        ({"target": "buys", "activation": ["relu", "tanh"], "metric": "rmse"}, "metric 'rmse'"),
        ({"target": "buys", "activation": ["relu", "tanh"], "folds": 1}, "folds must be"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_trained_or_written(
    people: Columns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], said: str
) -> None:
    monkeypatch.setattr(module, "cross_validate", lambda *a, **k: pytest.fail("something was trained"))
    with pytest.raises(SettingError, match=said):
        compare(people, **settings, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


class Interrupting:
    """Presses Ctrl-C in the course of one combination, or while the best is measured."""

    def __init__(self, at: int, *, ask: bool = False) -> None:
        self.at, self.ask, self.left = at, ask, []  # type: ignore[var-annotated]

    def began(self, folds: Any, grid: Any, metric: str) -> None:
        self.total = len(grid)

    def epoch(self, combination: int, fold: int, epoch: Any) -> None:
        if combination == self.at and fold == 2 and not self.ask:
            raise KeyboardInterrupt

    def scored(self, row: Compared, left: int, seconds_left: float) -> bool:
        self.left.append((left, seconds_left))
        return not (self.ask and self.total - left == self.at)

    def measuring(self, best: Compared) -> None:
        if self.at > self.total:
            raise KeyboardInterrupt


@pytest.mark.parametrize("ask", [False, True])
def test_what_is_done_is_kept_when_it_ends_early(people: Columns, tmp_path: Path, ask: bool) -> None:
    done = 2 if ask else 1
    watcher = Interrupting(2, ask=ask)
    found = compare(
        people, "buys", **SHORT, activation=["relu", "tanh", "elu"], folds=2, out=tmp_path / "o", watcher=watcher
    )
    assert len(found.rows) == done
    assert (found.is_complete, found.is_interrupted, found.measured) == (False, not ask, None)
    assert any(f"ended after {done} of 3 combinations" in note for note in found.notes)
    assert len((tmp_path / "o" / "comparison.csv").read_text().splitlines()) == 1 + done
    assert json.loads((tmp_path / "o" / "comparison.json").read_text())["is_complete"] is False
    assert [left for left, _ in watcher.left] == [2, 1][:done]
    assert watcher.left[0][1] == pytest.approx(
        2 * sum(r.scores.seconds for r in found.rows) if done == 1 else watcher.left[0][1]
    )


def test_interrupted_in_the_first_combination_nothing_is_left(people: Columns, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        compare(
            people, "buys", **SHORT, activation=["relu", "tanh"], folds=2, out=tmp_path / "o", watcher=Interrupting(1)
        )
    assert not (tmp_path / "o").exists()


def test_interrupted_while_the_best_is_measured(people: Columns) -> None:
    found = compare(people, "buys", **SHORT, activation=["relu", "tanh"], folds=2, watcher=Interrupting(3))
    assert found.is_complete
    assert found.is_interrupted
    assert found.measured is None
    assert any("before the best setting was measured" in note for note in found.notes)


def test_every_combination_is_on_disk_as_soon_as_it_is_scored(people: Columns, tmp_path: Path) -> None:
    seen: list[int] = []

    class Looking(Interrupting):
        def scored(self, row: Compared, left: int, seconds_left: float) -> bool:
            seen.append(len((tmp_path / "o" / "comparison.csv").read_text().splitlines()) - 1)
            return True

    compare(
        people, "buys", **SHORT, activation=["relu", "tanh"], folds=2, out=tmp_path / "o", watcher=Looking(0, ask=True)
    )
    assert seen == [1, 2]


def test_runs_find_a_free_name(people: Columns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "table-comparison-1").mkdir(parents=True)
    found = compare(people, "buys", **SHORT, activation=["relu", "tanh"], folds=2, save=True)
    assert found.path == Path("runs/table-comparison-2")
    (tmp_path / "file").write_text("")
    with pytest.raises(RunFolderError, match="is a file"):
        compare(people, "buys", **SHORT, activation=["relu", "tanh"], folds=2, out="file")


def test_one_row_is_not_called_the_best_of_several() -> None:
    found = result(only=scores(0.5, 0.6))
    measured = module.Measured(value=mean_over_folds([0.5, 0.7], size_ratio=0), n_rows=9)
    assert "luck" not in " ".join(replace(found, measured=measured).sentences())
