"""Folds are cut as a split is, nothing looks at a row held out, and a fold is trained as `pellucid.train` trains."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.errors import DataError, SettingError
from pellucid.model.measuring import measure
from pellucid.preparation.folds import ROW_SETTINGS, Folds, cut_folds, prepare_fold, with_split
from pellucid.preparation.prepare import prepare
from pellucid.runs import flips
from pellucid.runs.plan import auto_batch_size
from pellucid.selection.cross_validate import FoldBegan, _score, _train, cross_validate
from pellucid.settings.presets import BEST
from pellucid.settings.settings import Settings
from pellucid.training.events import EpochEnded, Event, ignore
from pellucid.training.flip_probe import FlipFinding, probe_flips
from tests.people import Columns, make_people
from tests.training.test_flip_probe import corners

SHORT: dict[str, Any] = {"target": "buys", "hidden": (6,), "epochs": 4, "engine": "textbook"}


def cut(data: object, folds: int = 5, **settings: Any) -> Folds:
    return cut_folds(data, Settings(**settings), folds=folds)


# ── the folds ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("folds", [2, 3, 5, 10])
def test_each_row_outside_the_test_part_is_held_out_once(people: Columns, folds: int) -> None:
    found = cut(people, folds, target="buys")
    tested = prepare(people, Settings(target="buys")).split.test
    held = np.concatenate([split.test for split in found.splits])
    assert sorted([*held, *tested]) == list(range(300))
    for split in found.splits:
        assert sorted([*split.train, *split.validation, *split.test, *tested]) == list(range(300))
        assert abs(len(split.test) - 240 / folds) <= 2
        # as large a part of what is learned from as in a run: 0.15 of 0.8
        assert len(split.validation) / (len(split.train) + len(split.validation)) == pytest.approx(0.1875, abs=0.02)
        values = np.array(people["buys"])[split.test]
        assert abs((values == "yes").mean() - 0.5) < 0.06


def test_they_depend_on_the_seed_and_on_nothing_that_is_compared(people: Columns) -> None:
    one = cut(people, target="buys", seed=3)
    same = cut(people, target="buys", seed=3, hidden=(99,), scaling="quantile", epochs=7, dropout=0.4)
    other = cut(people, target="buys", seed=4)
    for a, b in zip(one.splits, same.splits, strict=True):
        for part in ("train", "validation", "test"):
            assert np.array_equal(getattr(a, part), getattr(b, part))
    assert not np.array_equal(one.splits[0].test, other.splits[0].test)


def test_equal_rows_are_in_one_fold() -> None:
    rng = np.random.default_rng(0)
    x = np.repeat(rng.normal(size=60), 3)
    table = {"x": x.tolist(), "y": (np.sin(9 * x)).round(2).tolist()}
    fold_of = np.full(len(x), -1)
    for k, split in enumerate(cut(table, 4, target="y").splits):
        fold_of[split.test] = k
        for part in (split.train, split.validation):
            assert not set(x[part]) & set(x[split.test])
        assert not set(x[split.train]) & set(x[split.validation])
    assert (fold_of.reshape(-1, 3) == fold_of.reshape(-1, 3)[:, :1]).all()


def test_a_group_is_in_one_fold() -> None:
    people = make_people()
    group = np.random.default_rng(1).integers(0, 30, 300)
    people["family"] = [f"F{g}" for g in group]
    found = cut(people, 4, target="buys", group="family")
    assert sum(len(split.test) for split in found.splits) + len(found.base.split.test) == 300
    for split in found.splits:
        parts = [set(group[rows]) for rows in (split.train, split.validation, split.test, found.base.split.test)]
        assert sum(map(len, parts)) == len(set.union(*parts))
        assert all(parts)


def test_by_time_the_past_answers_for_the_future() -> None:
    people = make_people()
    joined = np.array(people["joined"], dtype="datetime64[D]").astype(int)
    found = cut(people, 4, target="buys", time="joined")
    ends: list[int] = []
    for split in found.splits:
        assert joined[split.train].max() < joined[split.validation].min()
        assert joined[split.validation].max() < joined[split.test].min()
        assert joined[split.test].max() < joined[found.base.split.test].min()
        ends.append(joined[split.test].max())
    assert ends == sorted(ends)
    sizes = [len(split.train) for split in found.splits]
    assert sizes == sorted(sizes)
    assert sizes[-1] > 3 * sizes[0]
    assert "joined" in found.how


def test_a_test_file_leaves_all_other_rows_to_the_folds(people: Columns, people_csv: Path) -> None:
    found = cut(make_people(200, seed=5), 4, target="buys", test_data=str(people_csv))
    assert sum(len(split.test) for split in found.splits) == 200
    assert len(found.base.measured.rows) == 300


def test_without_validation_rows_the_training_rows_choose_the_epoch(people: Columns) -> None:
    found = cut(people, 3, target="buys", validation=0)
    fold = prepare_fold(found, 0, found.base.settings)
    assert len(fold.train) + len(fold.measured.rows) == 240
    assert fold.validation is fold.train


@pytest.mark.parametrize("folds", [1, 0, 101, 2.5, True, "3"])
def test_wrong_numbers_of_folds(people: Columns, folds: Any) -> None:
    with pytest.raises(SettingError, match="folds must be a whole number from 2 to 100, got"):
        cut(people, folds, target="buys")


def test_too_few_rows_groups_or_rows_of_a_class(people: Columns) -> None:
    with pytest.raises(DataError, match=r"there are 240 rows.*100 folds need 500.*fewer folds"):
        cut(people, 100, target="buys")
    grouped = {**people, "half": ["a", "b", "c"] * 100}
    with pytest.raises(DataError, match=r"cannot be cut into 5 folds.*half.*fewer folds"):
        cut(grouped, 5, target="buys", group="half")
    rare = {**people, "buys": ["yes"] * 4 + ["no"] * 296}
    with pytest.raises(DataError, match=r"no row of the class 'yes' of 'buys'.*ROC AUC.*log_loss"):
        cross_validate(rare, SHORT, folds=5)
    assert any("'yes'" in note and "some folds hold none" in note for note in cut(rare, 5, target="buys").notes)


# ── a fold is trained as a run is ─────────────────────────────────────────────────────────────────────────────

# Each differs from the default: were one of them not passed on, a fold would be trained as if it had not been given.
OTHER: dict[str, Any] = {
    "scaling": "quantile", "number_encoding": "piecewise", "bins": 5, "bins_by": "quantile", "max_categories": 2,
    "rare_below": 90, "edit_labels": True, "target_transform": "log", "hidden": (5, 4), "activation": "tanh",
    "batch_norm": True, "dropout": 0.3, "init": "uniform",
    "init_scale": 0.5, "loss": "mse", "label_smoothing": 0.2, "class_weight": "balanced", "huber_delta": 0.2,
    "residual": True, "average": "ema", "decay_biases": False,
    "optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.5, "weight_decay": 0.1, "clip_norm": 0.01,
    "schedule": "step", "schedule_gamma": 0.5, "schedule_every": 2, "batch_size": 17, "epochs": 3, "patience": 1,
}  # fmt: skip
BESIDE: dict[str, dict[str, Any]] = {
    "residual": {"hidden": (6, 6), "residual": True},
    "bins": {"number_encoding": "piecewise"}, "bins_by": {"number_encoding": "piecewise"},
    "target_transform": {"target": "spends", "target_transform": "log"},
    "loss": {"target": "spends", "loss": "mae"}, "huber_delta": {"target": "spends", "loss": "huber"},
    "momentum": {"optimizer": "momentum"}, "weight_decay": {"optimizer": "adamw"},
    "schedule_gamma": {"schedule": "step", "schedule_every": 2}, "schedule_every": {"schedule": "step"},
    "decay_biases": {"optimizer": "adamw", "weight_decay": 0.2, "decay_biases": False},
    "patience": {"learning_rate": 0.5, "epochs": 30},
}  # fmt: skip
OF_PICTURES = {"series_scaling", "network", "channels", "kernel", "depth", "pool", "head", "augment"}
OF_SEQUENCES = {"train_minutes", "vocabulary", "length", "width", "embedding", "heads", "bidirectional", "step_pool"}
ELSEWHERE = (
    OF_PICTURES
    | OF_SEQUENCES
    | {
        "n_networks",
        "ensemble",
        "preset",
        "max_words",
        "text_units",
    }
)  # in tests of their own, or nothing that a fold does


def test_no_setting_of_the_network_is_forgotten() -> None:
    asked = {
        f.name for f in fields(Settings) if f.metadata["section"] in ("preset", "preprocessing", "network", "training")
    }
    assert asked - ELSEWHERE == set(OTHER), "give a value to each new setting above"
    rest = {f.name for f in fields(Settings) if f.metadata["section"] in ("data", "split", "forecast")}
    assert rest == set(ROW_SETTINGS)


@pytest.mark.parametrize("name", OTHER)
def test_a_fold_is_trained_as_a_run_is(people: Columns, name: str) -> None:
    beside = BESIDE.get(name, {})
    settings = Settings(**{**SHORT, "epochs": 6, **beside, **({} if name in beside else {name: OTHER[name]})})
    run = pellucid.train(people, **{**settings.to_json(), "hidden": settings.hidden})
    prepared, split = prepare(people, settings), prepare(people, replace(settings, edit_labels=False)).split
    fold = with_split(replace(prepared, recipe=None, scaler=None, task=None, network=None), split)  # type: ignore[arg-type]
    assert fold.network == run.model.network
    assert fold.task == run.model.task
    (outcome,) = _train(replace(fold, settings=replace(settings, threads=1)), lambda epoch: None)
    assert len(outcome.history) == len(run.history)
    assert outcome.best_epoch == run.summary["best_epoch"]
    for key, array in run.model.parameters.items():
        assert np.array_equal(outcome.parameters[key], array), key
    assert np.array_equal(fold.measured.inputs, prepared.measured.inputs)
    score = _score(replace(fold, settings=settings), "rmse" if fold.scaler else "roc_auc", ignore)
    assert score.score == pytest.approx(run.metrics["rmse" if fold.scaler else "roc_auc"].value, rel=1e-12)


def test_the_default_batch_size_is_that_of_the_folds_rows(people: Columns) -> None:
    found = cut(people, 2, target="buys")
    fold = prepare_fold(found, 0, Settings(**SHORT))
    explicit = replace(fold, settings=replace(fold.settings, batch_size=auto_batch_size(len(fold.train))))
    (auto,), (given,) = (_train(each, lambda epoch: None) for each in (fold, explicit))
    assert np.array_equal(auto.parameters["0.weight"], given.parameters["0.weight"])


@pytest.mark.parametrize("encoding", ["plain", "piecewise"])
def test_what_training_sees_does_not_depend_on_the_rows_held_out(encoding: str) -> None:
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=(200, 2)), rng.normal(size=200)
    found = cut({"a": x[:, 0], "b": x[:, 1], "y": x[:, 0] + noise}, 4, target="y", number_encoding=encoding)
    split = found.splits[1]
    changed = x.copy()
    changed[split.test] *= 1000
    changed[found.base.split.test] -= 500
    other = cut({"a": changed[:, 0], "b": changed[:, 1], "y": x[:, 0] + noise}, 4, target="y", number_encoding=encoding)
    before, after = (prepare_fold(each, 1, each.base.settings) for each in (found, other))
    assert np.array_equal(after.split.test, split.test)
    assert np.array_equal(before.train.inputs, after.train.inputs)
    assert np.array_equal(before.validation.inputs, after.validation.inputs)
    assert not np.array_equal(before.measured.inputs, after.measured.inputs)


# ── the scores ────────────────────────────────────────────────────────────────────────────────────────────────


def test_scores_of_each_task(people: Columns) -> None:
    binary = cross_validate(people, SHORT, folds=3)
    assert (binary.metric, binary.higher_is_better, binary.n_folds) == ("roc_auc", True, 3)
    assert binary.is_complete
    assert binary.mean == pytest.approx(np.mean(binary.scores))
    assert binary.interval.low < binary.mean < binary.interval.high <= 1
    assert binary.size_ratio == pytest.approx(0.5, rel=0.01)
    assert binary.seconds == pytest.approx(sum(fold.seconds for fold in binary.folds))
    assert all(1 <= best <= 4 for best in binary.best_epochs)
    numbers = cross_validate(people, {**SHORT, "target": "spends"}, folds=3)
    assert (numbers.metric, numbers.higher_is_better) == ("rmse", False)
    assert numbers.mean > 1  # in the target's own unit
    many = cross_validate("iris", {"hidden": (), "epochs": 2, "engine": "textbook"}, folds=2, metric="log_loss")
    assert (many.metric, many.higher_is_better) == ("log_loss", False)
    drawn = cross_validate(
        "iris", {"task": "reconstruction", "hidden": (2,), "epochs": 2, "engine": "textbook"}, folds=2
    )
    assert drawn.metric == "mse"
    assert drawn.is_complete


def test_the_same_folds_and_settings_give_the_same_scores(people: Columns) -> None:
    folds = cut_folds(people, Settings(**SHORT), folds=3)
    one, other = cross_validate(folds), cross_validate(people, Settings(**SHORT), folds=3)
    assert one.scores == other.scores
    assert cross_validate(folds, {"hidden": (2,)}).scores != one.scores
    assert cross_validate(folds, {"hidden": (2,)}).settings.epochs == 4


def test_a_setting_that_diverges_is_a_score(people: Columns) -> None:
    told: list[float] = []
    found = cross_validate(
        people, {**SHORT, "target": "spends", "optimizer": "sgd", "learning_rate": 1e6, "engine": "fused"}, folds=3,
        on_fold=lambda k, score: told.append(score),
    )  # fmt: skip
    assert found.diverged
    assert not found.is_complete
    assert math.isnan(found.mean)
    assert found.problem is not None
    assert found.problem.startswith("fold 1 of 3: ")
    assert len(found.folds) == 1  # the others would cost time and change nothing
    assert len(told) == 1
    assert math.isnan(told[0])


def test_a_hook_may_stop_or_raise(people: Columns) -> None:
    told: list[tuple[int, float]] = []

    def stop(k: int, score: float) -> bool:
        told.append((k, score))
        return k == 2

    found = cross_validate(people, SHORT, folds=4, on_fold=stop)
    assert [k for k, _ in told] == [1, 2]
    assert tuple(score for _, score in told) == found.scores
    assert not found.is_complete
    assert found.mean == pytest.approx(np.mean(found.scores))

    def prune(k: int, score: float) -> bool:
        raise LookupError(k)

    with pytest.raises(LookupError):
        cross_validate(people, SHORT, folds=3, on_fold=prune)


def test_a_listener_hears_every_epoch_of_every_fold(people: Columns) -> None:
    heard: list[Event] = []
    cross_validate(people, SHORT, folds=2, listener=heard.append)
    told = [
        each.fold if isinstance(each, FoldBegan) else each.epoch.epoch
        for each in heard
        if isinstance(each, FoldBegan | EpochEnded)
    ]
    assert told == [1, 1, 2, 3, 4, 2, 1, 2, 3, 4]


@pytest.mark.parametrize("engine", ["textbook", "fused"])
@pytest.mark.parametrize("ensemble", ["seeds", "folds"])
def test_an_ensemble_is_trained_as_in_a_run(people: Columns, ensemble: str, engine: str) -> None:
    settings = Settings(**{**SHORT, "engine": engine, "n_networks": 4, "ensemble": ensemble})
    run = pellucid.train(people, **{**settings.to_json(), "hidden": settings.hidden})
    base = prepare(people, settings)
    whole = Folds(base=base, splits=(base.split,), how="")
    fold = prepare_fold(whole, 0, replace(settings, threads=1, products="blas"))
    outcomes = _train(fold, ignore)
    assert len(outcomes) == len(run.model.members) == 4
    for outcome, parameters in zip(outcomes, run.model.members, strict=True):
        for key, array in parameters.items():
            assert np.array_equal(outcome.parameters[key], array), key
    assert _score(fold, "roc_auc", ignore).score == run.metrics["roc_auc"].value


def test_a_preset_is_scored_with_its_own_values(people: Columns) -> None:
    given = {"preset": "best", "epochs": 2, "hidden": (8,)}
    folds = cut_folds(people, Settings(target="buys"), folds=2)
    found = cross_validate(folds, given)
    whole = cross_validate(people, {"target": "buys", **given}, folds=2)
    assert found.settings == whole.settings
    assert found.scores == whole.scores
    assert found.settings.number_encoding == BEST["number_encoding"] != Settings().number_encoding
    assert (found.settings.epochs, found.settings.hidden) == (2, (8,))


def test_several_networks_cost_as_many_parameters(people: Columns) -> None:
    folds = cut_folds(people, Settings(**SHORT), folds=2)
    one, three = cross_validate(folds), cross_validate(folds, {"n_networks": 3})
    assert three.n_parameters == 3 * one.n_parameters
    assert three.scores != one.scores
    with pytest.raises(SettingError, match="n_networks from 2"):
        cross_validate(folds, {"ensemble": "folds"})


def test_the_metric_is_the_one_that_a_run_reports() -> None:
    from pellucid.network.task import Task
    from pellucid.selection.cross_validate import METRICS, metric_for

    rng = np.random.default_rng(0)
    p = rng.dirichlet([1, 1, 1], 40)
    task = Task.multiclass("y", ("a", "b", "c"))
    full = measure(task, rng.integers(0, 3, 40), p)
    for name in ("roc_auc", "accuracy", "balanced_accuracy", "f1_macro", "log_loss", "brier"):
        assert metric_for(task, name) in full
    assert set(METRICS) >= set(full) - {"f1[a]", "f1[b]", "f1[c]"}
    with pytest.raises(SettingError, match="metric 'rmse' is not one of a multiclass task"):
        metric_for(task, "rmse")


def test_folds_refuse_settings_that_would_cut_others(people: Columns) -> None:
    folds = cut_folds(people, Settings(**SHORT), folds=2)
    for other in ({"seed": 1}, {"test": 0.3}, {"drop": ["age"]}, {"target": "spends"}):
        with pytest.raises(SettingError, match=f"cut with {next(iter(other))} .*cut_folds"):
            cross_validate(folds, other)
    with pytest.raises(SettingError, match=r"no setting 'hiden'.*hidden"):
        cross_validate(folds, {"hiden": 3})


def test_each_fold_finds_out_by_its_own_pictures_whether_they_may_be_mirrored(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    def probe(train: Any, held: Any, classes: int, **how: Any) -> FlipFinding:
        asked.append((len(train[0]), len(held[0])))
        return probe_flips(train, held, classes, **how)

    monkeypatch.setattr(flips, "probe_flips", probe)
    pixels, truth = corners(120, "top bottom")
    how: dict[str, Any] = {"target": "label", "network": "cnn", "channels": (4,), "epochs": 2, "augment": "auto"}
    table = {"image": pixels, "label": np.array(["top", "bottom"])[truth]}
    found = cross_validate(table, how, folds=2)
    splits = cut(table, 2, **how).splits
    assert asked == [(len(split.train), len(split.validation)) for split in splits]
    assert [fold.n_train for fold in found.folds] == [n for n, _ in asked]
