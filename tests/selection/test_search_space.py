"""What is searched: only what is not given and means something here, from values that a training can take."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid.errors import SettingError
from pellucid.preparation.folds import Folds, cut_folds
from pellucid.preparation.prepare import settings_for
from pellucid.selection.cross_validate import cross_validate
from pellucid.selection.search_space import Choice, Range, searched_settings, space_for


class Drawing:
    """Proposes values at random, and records what it was asked for."""

    def __init__(self, seed: int) -> None:
        self.generator = np.random.default_rng(seed)
        self.asked: list[str] = []

    def suggest_categorical(self, name: str, choices: Any, /) -> Any:
        self.asked.append(name)
        return choices[self.generator.integers(len(choices))]

    def suggest_float(
        self, name: str, low: float, high: float, /, *, step: float | None = None, log: bool = False
    ) -> float:
        self.asked.append(name)
        if step is not None:
            return low + step * float(self.generator.integers(round((high - low) / step) + 1))
        if log:
            return float(np.exp(self.generator.uniform(np.log(low), np.log(high))))
        return float(self.generator.uniform(low, high))


def cut(data: Any, target: str | None = None, **given: Any) -> Folds:
    if target is not None:
        given["target"] = target
    return cut_folds(data, settings_for(data, given), folds=2)


def test_each_task_has_its_own_dimensions(people: Any) -> None:
    classes = searched_settings(space_for(cut(people, "buys"), "roc_auc", []))
    assert classes == (
        "hidden", "activation", "dropout", "batch_norm", "learning_rate", "weight_decay", "batch_size",
        "label_smoothing", "scaling", "number_encoding", "bins",
    )  # fmt: skip
    assert "class_weight" in searched_settings(space_for(cut(people, "buys"), "f1_macro", []))
    number = searched_settings(space_for(cut(people, "spends"), "rmse", []))
    assert "loss" in number
    assert "label_smoothing" not in number
    words = {name: [people[name][k] for k in range(300)] for name in ("job", "member", "buys")}
    words["place"] = [f"place {k % 40}" for k in range(300)]
    assert "scaling" not in searched_settings(space_for(cut(words, "buys"), "roc_auc", []))
    drawn = searched_settings(space_for(cut("iris", task="reconstruction"), "mse", []))
    assert not {"loss", "label_smoothing", "class_weight"} & set(drawn)


def test_what_is_given_is_not_searched(people: Any) -> None:
    folds = cut(people, "buys", hidden=(5,), weight_decay=0.1, number_encoding="piecewise")
    given = ["hidden", "weight_decay", "number_encoding"]
    space = space_for(folds, "roc_auc", given)
    assert not {*given, "bins"} & set(searched_settings(space))
    for seed in range(20):
        settings = space.settings(space.ask(Drawing(seed)))
        assert (settings.hidden, settings.weight_decay, settings.number_encoding) == ((5,), 0.1, "piecewise")
    everything = searched_settings(space_for(cut(people, "buys"), "roc_auc", []))
    with pytest.raises(SettingError, match="all settings"):
        space_for(folds, "roc_auc", everything)


@pytest.mark.parametrize(("target", "metric"), [("buys", "f1_macro"), ("spends", "rmse")])
def test_every_proposal_is_a_setting_within_its_range(people: Any, target: str, metric: str) -> None:
    folds = cut(people, target)
    space = space_for(folds, metric, [])
    seen = set()
    for seed in range(300):
        trial = Drawing(seed)
        values = space.ask(trial)
        settings = space.settings(values)
        seen.add(settings.hidden)
        assert 1 <= len(settings.hidden) <= 3
        assert settings.hidden[0] in (16, 32, 64, 128, 256, 512)
        assert all(a in (b, 2 * b) for a, b in zip(settings.hidden, settings.hidden[1:], strict=False))
        assert 1e-4 <= settings.learning_rate <= 3e-2
        assert settings.weight_decay == 0 or 1e-6 <= settings.weight_decay <= 0.1
        assert settings.batch_size is not None
        assert 4 <= settings.batch_size <= len(folds.splits[0].train)
        assert 0 <= settings.dropout <= 0.5
        assert round(settings.dropout * 20) == pytest.approx(settings.dropout * 20)
        assert ("log2_bins" in trial.asked) == (settings.number_encoding != "plain")
        assert ("weight_decay" in trial.asked) == (settings.weight_decay > 0)
        assert settings.target == target
    assert len(seen) > 15


def test_plain_gradient_descent_has_larger_rates(people: Any) -> None:
    (rate,) = (
        each for each in space_for(cut(people, "buys", optimizer="momentum"), "roc_auc", ["optimizer"]).dimensions
        if each.name == "learning_rate"
    )  # fmt: skip
    assert isinstance(rate, Range)
    assert (rate.low, rate.high) == (1e-3, 1.0)


def test_the_default_is_in_the_space_and_scores_as_a_training_without_a_search(people: Any) -> None:
    folds = cut(people, "buys", epochs=2, engine="textbook")
    space = space_for(folds, "roc_auc", ["epochs", "engine"])
    default = space.settings(space.default)
    assert {n: v for n, v in default.to_json().items() if n != "batch_size"} == {
        n: v for n, v in space.fixed.to_json().items() if n != "batch_size"
    }
    assert cross_validate(folds, default).scores == cross_validate(folds, {"epochs": 2}).scores


def test_a_preset_is_where_its_search_begins(people: Any) -> None:
    space = space_for(cut(people, "buys", preset="best", n_networks=1, ensemble="seeds"), "roc_auc", [])
    default = space.settings(space.default)
    fixed = space.fixed
    for name in ("hidden", "activation", "dropout", "scaling", "number_encoding", "weight_decay", "schedule"):
        assert getattr(default, name) == getattr(fixed, name), name
    assert (default.bins, fixed.bins) == (2, None)  # "auto" is a number in the space: two bins for so few rows


def test_numbers_that_are_not_of_the_space_are_refused(people: Any) -> None:
    space = space_for(cut(people, "buys"), "roc_auc", ["dropout"])
    for values in ({"dropout": 0.5}, {"layers": 2}, {"layers": "x", "log2_width": 3, "shape": "same"}):
        with pytest.raises(SettingError, match="trial of the study"):
            space.settings(values)
    with pytest.raises(SettingError, match="activation"):
        space.settings({"activation": "__import__"})


def test_the_description_is_plain_json(people: Any) -> None:
    import json

    space = space_for(cut(people, "buys"), "roc_auc", [])
    assert json.loads(json.dumps(space.to_json())) == space.to_json()
    assert all(isinstance(each, Choice | Range) for each in space.dimensions)
