"""The usual network has the shapes of the scope, and each loss does what is said of it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pellucid.engines.textbook.losses import loss_and_gradient
from pellucid.errors import SettingError
from pellucid.evaluation.bootstrap import Estimate
from pellucid.network.task import Loss
from pellucid.plots.fits import fitted_curves
from pellucid.studies import run
from pellucid.studies.basics import losses_compared
from pellucid.studies.basics.losses_compared import CONTENDERS, FORMULAS, HUBER, OneLoss
from pellucid.studies.story import Paragraph, Story, Table, plain


@pytest.fixture(scope="module")
def story() -> Story:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(losses_compared, "DRAWS", 5)  # the fewest that a difference is claimed from
        return run("mlp", epochs=15)


def test_the_network_is_that_of_the_scope(story: Story) -> None:
    result = story.result
    layers = [name for name, _ in result.shapes]
    hidden = ["Dense 20 → 128, no bias", "BatchNorm 128", "relu", "Dropout 0.3"]
    assert layers[:4] == hidden
    assert layers[4:] == [
        "Dense 128 → 64, no bias", "BatchNorm 64", "relu", "Dropout 0.3",
        "Dense 64 → 32, no bias", "BatchNorm 32", "relu", "Dropout 0.3", "Dense 32 → 3",
    ]  # fmt: skip
    assert [shape[1] for _, shape in result.shapes] == [128] * 4 + [64] * 4 + [32] * 4 + [3]
    # By hand: 20·128 + 128·64 + 64·32 weights, two numbers for each of 224 normalised columns, 32·3 + 3.
    assert result.n_trainable == 2_560 + 8_192 + 2_048 + 2 * 224 + 99


def test_recipes_have_what_their_names_say(story: Story) -> None:
    recipes = {r.name: r for r in story.result.recipes}
    assert list(recipes)[:2] == ["everything", "nothing"]
    for name, r in recipes.items():
        assert r.network.has_batch_norm == (name in ("everything", "BatchNorm alone"))
        assert bool(r.network.masks()) == (name in ("everything", "Dropout alone"))
        assert r.weight_decay == (1e-4 if name in ("everything", "weight decay alone") else 0.0)
        assert [line.epoch for line in r.lines] == list(range(16))
        assert r.confusion.sum() == 1_000
        assert np.trace(r.confusion) / 1_000 == r.accuracy.value == pytest.approx(r.lines[-1].scores["test"])
        assert r.accuracy.low < r.accuracy.value < r.accuracy.high


def test_the_network_learns_and_dropout_keeps_the_gap_small(story: Story) -> None:
    everything, nothing = story.result.recipes[:2]
    assert everything.accuracy.value > 0.6
    gaps = [r.lines[-1].losses["test"] - r.lines[-1].losses["train"] for r in (everything, nothing)]
    assert gaps[0] < 0.5 * gaps[1]


@pytest.mark.slow
def test_the_headline() -> None:
    everything, nothing = run("mlp", pictures=False, outliers=0.0).result.recipes[:2]
    assert everything.accuracy.value > 0.75
    assert nothing.lines[-1].scores["train"] > 0.995
    assert everything.lines[-1].losses["test"] < nothing.lines[-1].losses["test"] - 0.1


def test_huber_and_mae_do_not_feel_outliers_and_mse_does(story: Story) -> None:
    robust = story.result.robust
    assert (robust.share, robust.count) == (0.1, 15)
    for name in ("Huber", "MAE"):
        assert robust.spoilt[name].max() < 0.3
    assert robust.spoilt["MSE"].min() > 0.35
    assert robust.gain.low > 0.1
    for errors in robust.clean.values():
        assert 0.17 < errors.mean() < 0.25  # the noise of honest rows is 0.2
    assert losses_compared.verdict(robust).startswith("Huber's loss was more robust than MSE: with 15 of 150 targets")
    few = replace(robust, spoilt={name: errors[:4] for name, errors in robust.spoilt.items()})
    assert losses_compared.verdict(few).startswith("Huber's loss and MSE did not differ clearly over 4 draws")
    worse = replace(robust, gain=Estimate(value=-0.2, low=-0.3, high=-0.1))
    assert losses_compared.verdict(worse).startswith("Huber's loss was worse than MSE here")


def test_networks_are_compared_on_the_same_rows(story: Story) -> None:
    recipes = story.result.recipes
    nothing = recipes[1]
    assert (nothing.over_nothing.first, nothing.over_nothing.second, nothing.over_nothing.p) == (0, 0, 1.0)
    for r in recipes:
        versus = r.over_nothing
        assert versus.first - versus.second == np.trace(r.confusion) - np.trace(nothing.confusion)
    text = story.to_markdown()
    assert "overlap" not in text
    learned = next(b.text for b in story.blocks if isinstance(b, Paragraph) and b.role == "learned")
    assert ("is more than chance" in learned) == (recipes[0].over_nothing.p < 0.05 / 4)
    (table,) = [b for b in story.blocks if isinstance(b, Table) and b.title.startswith("Against the network")]
    for (name, first, second, _, told), r in zip(table.rows, [recipes[0], *recipes[2:]], strict=True):
        assert (name, int(first), int(second)) == (r.name, r.over_nothing.first, r.over_nothing.second)
        assert (told == "no") == (r.over_nothing.p >= 0.0125)


def test_the_pull_of_a_row_is_the_derivative_of_the_loss() -> None:
    step = 1e-6
    for loss in CONTENDERS.values():
        for error in (-5.0, -0.2, 0.1, 1.0, 5.0):
            at = [loss_and_gradient(loss, np.array([[error + d]]), np.zeros((1, 1))) for d in (-step, 0.0, step)]
            assert (at[2].value - at[0].value) / (2 * step) == pytest.approx(at[1].d_logits[0, 0], abs=1e-6)
    assert abs(loss_and_gradient(HUBER, np.array([[9.0]]), np.zeros((1, 1))).d_logits[0, 0]) == HUBER.delta


def test_one_network_for_each_loss(story: Story) -> None:
    losses: dict[str, OneLoss] = {r.formula: r for r in story.result.losses}
    assert set(losses) == set(FORMULAS.values())
    assert [(r.logits, r.link) for r in story.result.losses] == [
        ("1", "sigmoid"), ("1 a class", "softmax"), ("1", "none"), ("1", "none"),
    ]  # fmt: skip
    assert losses[FORMULAS["bce"]].value > 0.88
    assert losses[FORMULAS["cross_entropy"]].value == story.result.recipes[0].accuracy.value
    assert losses[FORMULAS["mse"]].value > 0.9
    assert losses[FORMULAS["huber"]].value < 0.22


def test_the_same_draw_has_the_same_rows_with_and_without_outliers() -> None:
    x, y, bad = losses_compared._wave(3, 100, 0.2)
    x0, y0, none = losses_compared._wave(3, 100, 0.0)
    np.testing.assert_array_equal(x, x0)
    np.testing.assert_array_equal(y[~bad], y0[~bad])
    assert bad.sum() == 20
    assert not none.any()
    assert ((y - y0)[bad] >= 3).all()


def test_the_story_is_whole(story: Story) -> None:
    assert [b.role for b in story.blocks if isinstance(b, Paragraph)][-2:] == ["learned", "next"]
    assert [p.name for p in story.pictures] == ["network", "curves", "accuracy", "confusion", "outliers", "losses"]
    for picture in story.pictures:
        for axis in (axis for axis in picture.figure.axes if axis.axison):  # and not the drawing of the network
            assert axis.get_xlabel() or axis.get_ylabel()
            assert axis.get_title() or axis.get_label() == "<colorbar>"
    json.dumps(plain(story.result), allow_nan=False)


def test_without_outliers_and_with_other_widths() -> None:
    story = run("mlp", pictures=False, epochs=2, outliers=0.0, hidden=(8,), dropout=0.5)
    assert story.result.robust is None
    assert [name for name, _ in story.result.shapes] == ["Dense 20 → 8, no bias", "BatchNorm 8", "relu",
                                                         "Dropout 0.5", "Dense 8 → 3"]  # fmt: skip
    assert "Huber" not in next(b.text for b in story.blocks if isinstance(b, Paragraph) and b.role == "learned")


@pytest.mark.parametrize(
    ("name", "value"),
    [("hidden", ()), ("dropout", 0.0), ("dropout", 1.0), ("outliers", 0.5), ("outliers", -0.1), ("outliers", 0.003),
     ("seed", -1), ("epochs", 0), ("lr", 0.0), ("device", "gpu"), ("hidden", (0,))],
)  # fmt: skip
def test_wrong_settings(name: str, value: object) -> None:
    with pytest.raises(SettingError):
        run("mlp", pictures=False, **{"epochs": 1, name: value})


def test_fitted_curves_hold_what_went_in() -> None:
    x, bad = np.arange(4.0), np.array([False, True, False, False])
    figure = fitted_curves((x, x**2), bad, x, {"a": x, "b": 2 * x}, truth=3 * x, title="t", x_label="u", y_label="v")
    (axis,) = figure.axes
    assert [line.get_label() for line in axis.get_lines()] == ["a", "b", "truth"]
    np.testing.assert_array_equal(axis.get_lines()[1].get_ydata(), 2 * x)
    honest, spoilt = axis.collections
    np.testing.assert_array_equal(spoilt.get_offsets(), [[1, 1]])
    assert len(honest.get_offsets()) == 3
    assert (axis.get_title(), axis.get_xlabel(), axis.get_ylabel()) == ("t", "u", "v")
    assert Loss(name="huber", delta=0.3) == HUBER
