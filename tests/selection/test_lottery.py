"""The seed lottery: its runs are those of `pellucid.train`, stacked or not, and its numbers are theirs."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.errors import RunFolderError, SettingError
from pellucid.selection import lottery_runs
from pellucid.selection.lottery import Lottery, lottery
from pellucid.training.events import Event, Progress

QUICK: dict[str, Any] = {"hidden": (6,), "epochs": 6, "learning_rate": 0.02, "drop": "spends"}


@pytest.fixture(scope="module")
def found(people: Any) -> Lottery:
    """Twelve seeds and splits of a small network."""
    return lottery(people, "buys", seeds=12, metric="log_loss", **QUICK)


def test_the_first_seed_is_the_run_of_train(found: Lottery, people: Any) -> None:
    run = pellucid.train(people, "buys", **QUICK)
    assert found.seeds.runs[0].value == pytest.approx(run.metrics["log_loss"].value, rel=1e-4)
    assert found.splits is not None
    assert found.splits.runs[0].value == pytest.approx(run.metrics["log_loss"].value, rel=1e-4)
    assert found.seeds.runs[0].dummy == pytest.approx(run.summary["baseline"]["log_loss"]["value"], rel=1e-6)
    assert found.seeds.runs[0].epochs == len(run.history)


def test_another_split_is_the_one_that_train_takes_with_that_seed(found: Lottery, people: Any) -> None:
    """The rows of seed 3, but the first weights and batches of seed 0: so only the dummy's metric is train's."""
    run = pellucid.train(people, "buys", seed=3, **QUICK)
    assert found.splits is not None
    assert found.splits.runs[3].dummy == pytest.approx(run.summary["baseline"]["log_loss"]["value"], rel=1e-6)
    assert found.splits.runs[3].seed == 3


def test_what_is_drawn_differs_and_what_is_fixed_does_not(found: Lottery) -> None:
    assert found.splits is not None
    assert len({run.dummy for run in found.seeds.runs}) == 1
    assert len({run.value for run in found.seeds.runs}) == 12
    assert len({run.value for run in found.splits.runs}) == 12
    assert (found.metric, found.seeds.higher_is_better) == ("log_loss", False)


def test_ten_averaged_are_the_ensemble_of_train(found: Lottery, people: Any) -> None:
    run = pellucid.train(people, "buys", n_networks=10, **QUICK)
    assert len(found.ensembles) == 1
    assert found.ensembles[0] == pytest.approx(run.metrics["log_loss"].value, rel=1e-4)
    assert found.ensembles[0] <= np.mean(found.seeds.values[:10])  # Jensen
    assert "n_networks=10" in found.command
    assert any("The remedy is to average: 10 of these networks" in sentence for sentence in found.sentences)


def test_stacks_come_to_what_one_after_another_comes_to(
    found: Lottery, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lottery_runs, "worth_stacking", lambda *_: False)
    monkeypatch.setattr(lottery_runs, "stack_of", lambda *_: pytest.fail("a stack"))
    alone = lottery(people, "buys", seeds=5, metric="log_loss", **QUICK)
    assert found.splits is not None
    assert alone.splits is not None
    np.testing.assert_allclose(alone.seeds.values, found.seeds.values[:5], rtol=1e-3)
    np.testing.assert_allclose(alone.splits.values, found.splits.values[:5], rtol=1e-3)


def test_a_large_table_is_split_a_few_times_at_once(
    found: Lottery, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lottery_runs, "_CELLS", 20_000)
    heard: list[int] = []

    def listen(event: Event) -> None:
        if isinstance(event, Progress):
            heard.append(event.done)

    few = lottery(people, "buys", seeds=6, metric="log_loss", listener=listen, **QUICK)
    assert found.splits is not None
    assert few.splits is not None
    np.testing.assert_allclose(few.splits.values, found.splits.values[:6], rtol=1e-3)
    assert [run.seed for run in few.splits.runs] == list(range(6))
    assert heard[-1] == 6
    assert heard.count(6) == 2


def test_numbers_and_a_run_folder(people_csv: Path, tmp_path: Path) -> None:
    settings = {**QUICK, "drop": "buys"}
    run = pellucid.train(people_csv, "spends", out=tmp_path / "run", n_networks=2, **settings)
    seen: list[Event] = []
    found = lottery(tmp_path / "run", seeds=5, listener=seen.append, out=tmp_path / "out")
    assert found.metric == "rmse"
    member = replace(run.model, more=())
    held = found.seeds.runs[0].value
    assert held == pytest.approx(run.summary["ensemble"]["networks"][0]["metrics"]["rmse"], rel=1e-3)
    assert member.task.kind == "regression"
    assert seen[-1] == Progress(what="split", done=5, of=5)
    assert Progress(what="seed", done=5, of=5) in seen
    assert found.ensembles == ()
    assert any("All networks averaged" in sentence for sentence in found.sentences)
    assert any("not an ensemble" in note for note in found.notes)
    assert found.command.endswith("--n-networks 10")
    assert "--threads" not in found.command

    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"lottery.csv", "lottery.json", "lottery.png", "lottery.svg"}
    lines = list(csv.DictReader((tmp_path / "out" / "lottery.csv").read_text().splitlines()))
    assert [float(line["rmse"]) for line in lines if line["drawn"] == "seed"] == found.seeds.values.tolist()
    facts = json.loads((tmp_path / "out" / "lottery.json").read_text())
    assert facts["splits"]["runs"] == 5
    with pytest.raises(RunFolderError, match="not empty"):
        lottery(people_csv, "spends", seeds=5, out=tmp_path / "out", **settings)


def test_divergence_is_a_failure_and_no_error(people: Any) -> None:
    hot = {
        **QUICK,
        "drop": "buys",
        "learning_rate": 1e6,
        "optimizer": "sgd",
        "hidden": (8, 8),
        "activation": "identity",
    }
    for engine in ("fused", "torch"):
        found = lottery(people, "spends", seeds=5, engine=engine, **hot)
        assert found.seeds.n_failed == 5
        assert all(run.problem is not None and "training met" in run.problem for run in found.seeds.runs)
        assert "nothing can be said" in found.sentences[0]
        assert "5 of 5 seeds" in found.sentences[1]
        assert found.to_json()["ensemble_of_all"] is None
        assert ",nan," not in found.to_csv()
        assert found.figure() is not None


@pytest.mark.parametrize(
    ("more", "why"),
    [({"time": "joined"}, "a split by time"), ({"test_data": "people.csv"}, "the test rows are given")],
)
def test_splits_that_cannot_be_drawn(
    more: dict[str, Any], why: str, people: Any, people_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(people_csv.parent)
    rows = {name: values[:200] for name, values in people.items()}
    rows["age"] = [(a or 0) + 0.5 for a in rows["age"]]  # none of these rows is a test row
    found = lottery(rows, "buys", seeds=5, **QUICK, **more)
    assert found.splits is None
    assert any(why in note for note in found.notes)
    assert "split" not in found.sentences[0]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"seeds": 4}, "seeds must be a whole number from 5 to 1,000, got 4"),
        ({"seeds": True}, "got True"),
        ({"test": 0}, "set --test above 0"),
        ({"metric": "rmse"}, "not one of a binary task"),
    ],
)
def test_what_cannot_be_asked(more: dict[str, Any], said: str, people: Any) -> None:
    with pytest.raises(SettingError, match=said):
        lottery(people, "buys", **QUICK, **more)


def test_a_model_file_has_no_rows(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="holds no rows"):
        lottery(tmp_path / "model.safetensors", seeds=5)
