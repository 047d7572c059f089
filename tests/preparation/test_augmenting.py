"""Which rows are augmented: training pictures, and no others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.augmentation import Augmentation
from pellucid.errors import SettingError
from pellucid.preparation.folds import with_split
from pellucid.preparation.members import prepare_run
from pellucid.preparation.prepare import Prepared, prepare
from pellucid.runs.plan import may_stack, optimizer_of, plan_of, resolved, sized_for
from pellucid.settings.presets import PICTURES
from pellucid.settings.settings import Settings

RNG = np.random.default_rng(5)
N = 60
PIXELS = RNG.integers(0, 256, (N, 10, 12, 3)).astype(np.uint8)
KINDS = {"image": PIXELS, "y": ["cat", "dog", "owl"] * (N // 3)}


def prepared(data: Any = KINDS, **settings: Any) -> Prepared:
    return prepare(data, Settings.of({"target": "y", "network": "cnn", "channels": (4,), **settings}))


def test_training_rows_are_augmented_and_the_others_stay() -> None:
    made = prepared(augment="shift=2,flip")
    assert made.train.augmentation == Augmentation(shift=2, flip="horizontal")
    assert made.train.rows.augmentation == made.train.augmentation
    assert made.validation.augmentation is None
    assert made.validation.rows.augmentation is None
    plain = prepared()
    assert np.array_equal(np.asarray(made.train.inputs), np.asarray(plain.train.inputs))
    assert made.train.take(np.array([1, 2])).rows.augmentation == made.train.augmentation
    assert with_split(made, made.split).train.augmentation == made.train.augmentation


def test_without_validation_rows_the_training_rows_choose_as_they_are() -> None:
    made = prepared(augment="shift", validation=0.0)
    assert made.train.augmentation is not None
    assert made.validation.augmentation is None


def test_auto_is_a_small_change_until_it_is_known_whether_to_flip_and_nothing_where_a_number_is_predicted() -> None:
    assert prepared(augment="auto").train.augmentation == Augmentation(rotate=10.0)
    larger = {"image": PIXELS.repeat(2, axis=1).repeat(2, axis=2), "y": KINDS["y"]}
    assert prepared(larger, augment="auto").train.augmentation == Augmentation(shift=2)
    numbers = {"image": PIXELS, "y": RNG.normal(size=N)}
    assert prepared(numbers, augment="auto").train.augmentation is None
    assert prepared(numbers, augment="rotate").train.augmentation == Augmentation(rotate=10.0)


def test_auto_is_nothing_for_a_table() -> None:
    table = {"a": RNG.normal(size=N), "y": ["no", "yes"] * (N // 2)}
    assert prepare(table, Settings.of({"target": "y", "augment": "auto"})).train.augmentation is None


@pytest.mark.parametrize(
    ("data", "settings", "words"),
    [
        ({"a": np.arange(60.0), "y": KINDS["y"]}, {"network": "mlp"}, "the network sees something else, or more"),
        ({"a": np.arange(60.0), **KINDS}, {"network": "mlp"}, "the network sees something else, or more"),
        (
            {"image": PIXELS},
            {"task": "reconstruction", "target": None, "network": "mlp"},
            "a reconstruction is compared with",
        ),
        (KINDS, {"augment": "shift=10"}, "pictures of 10 × 12 pixels cannot be shifted by 10"),
    ],
)
def test_what_cannot_be_augmented_is_said(data: Any, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        prepared(data, **{"augment": "shift", **settings})


@pytest.mark.parametrize("value", [3, None, True, ["shift", 2]])
def test_a_setting_that_is_no_text(value: Any) -> None:
    with pytest.raises(SettingError, match="augment must be auto, none, or kinds such as shift,flip"):
        Settings(augment=value)


def test_a_setting_is_written_in_one_way() -> None:
    assert Settings(augment="Shift ; color=0.2,rotate=15").augment == "shift,colour,rotate=15"
    assert Settings(augment=["shift", "flip"]).augment == "shift,flip"  # type: ignore[arg-type]
    assert (Settings(augment="AUTO").augment, Settings(augment=()).augment) == ("auto", "none")  # type: ignore[arg-type]


def test_a_network_of_columns_learns_from_the_same_changed_pictures() -> None:
    made = prepared(augment="shift=2", network="mlp", hidden=(4,))
    rows = made.train.rows
    assert rows.inputs.ndim == 2
    assert rows.pictures is not None
    assert len(rows.take(np.array([3, 1])).pictures) == 2


@pytest.mark.parametrize("network", ["cnn", "mlp"])
def test_two_runs_see_the_same_pictures_and_a_run_without_sees_others(network: str) -> None:
    def trained(**more: Any) -> dict[str, Any]:
        how = {"network": network, "channels": (4,), "hidden": (), "epochs": 2, "batch_size": 16, "verdict": False}
        run = pellucid.train(KINDS, "y", **{**how, "augment": "shift=2,flip,erase", **more})
        return dict(run.model.members[0])

    one, again, other = trained(), trained(), trained(augment="none")
    assert all(np.array_equal(one[name], again[name]) for name in one)
    assert not all(np.array_equal(one[name], other[name]) for name in one)


def test_a_resumed_run_with_augmentation_and_an_average_ends_with_the_same_weights(tmp_path: Any) -> None:
    from tests.listening import StopAfter

    class StopError(Exception):
        pass

    images = {"images": PIXELS, "labels": np.arange(N) % 3}
    np.savez(tmp_path / "pictures.npz", **images)
    how: dict[str, Any] = {
        "target": "label", "network": "cnn", "channels": (4,), "epochs": 4, "augment": "shift,flip", "average": "ema",
        "verdict": False, "engine": "torch",
    }  # fmt: skip
    straight = pellucid.train(tmp_path / "pictures.npz", out=tmp_path / "straight", **how)
    with pytest.MonkeyPatch.context() as patch:
        from pellucid.runs import checkpoint

        patch.setattr(checkpoint.Checkpointer.__init__, "__defaults__", (0.0,))
        with pytest.raises(StopError):
            pellucid.train(tmp_path / "pictures.npz", out=tmp_path / "stopped", listener=StopAfter(2, StopError), **how)
    resumed = pellucid.resume(tmp_path / "stopped")
    before, after = (run.model.members[0] for run in (straight, resumed))
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_the_preset_for_pictures() -> None:
    made = prepare_run(KINDS, Settings.of({"target": "y", "preset": "pictures", "network": "cnn", "channels": (4,)}))
    settings = resolved(made)
    plan, rule = plan_of(settings), optimizer_of(settings)
    assert (plan.schedule.name, plan.patience, plan.epochs) == ("one_cycle", None, 60)
    assert (plan.batch_size, plan.learning_rate) == (32, 0.005)
    assert (rule.name, rule.decay_biases, made.task.loss.label_smoothing) == ("adamw", False, 0.05)
    assert made.network.has_batch_norm
    assert not may_stack(settings)


@pytest.mark.parametrize(
    ("rows", "batch", "epochs", "rate"),
    [(499, 32, 60, 0.005), (500, 64, 60, 0.01), (3_250, 64, 40, 0.01), (5_000, 128, 52, 0.01), (20_000, 256, 15, 0.02)],
)
def test_sizes_follow_the_number_of_pictures(rows: int, batch: int, epochs: int, rate: float) -> None:
    sized = sized_for(rows, Settings.of({"preset": "pictures", "network": "cnn"}))
    assert (sized.batch_size, sized.epochs, sized.learning_rate) == (batch, epochs, rate)
    given = sized_for(rows, Settings.of({"preset": "pictures", "network": "cnn", "learning_rate": 0.003, "epochs": 5}))
    assert (given.batch_size, given.epochs, given.learning_rate) == (batch, 5, 0.003)


def test_the_preset_smooths_no_numbers() -> None:
    numbers = {"image": PIXELS, "y": RNG.normal(size=N)}
    how = {"target": "y", "preset": "pictures", "network": "cnn", "channels": (4,)}
    made = prepare_run(numbers, Settings.of(how))
    assert (made.settings.label_smoothing, made.task.loss.label_smoothing) == (0.0, 0.0)
    with pytest.raises(SettingError, match="label_smoothing"):
        prepare_run(numbers, Settings.of({**how, "label_smoothing": 0.2}))
    assert PICTURES["label_smoothing"] == 0.05


def test_nothing_that_is_averaged_or_augmented_is_stacked() -> None:
    base = Settings(engine="fused", products="blas")
    assert may_stack(base)
    assert not may_stack(Settings(engine="fused", products="blas", average="ema"))
    assert not may_stack(Settings(engine="fused", products="blas", augment="shift"))
