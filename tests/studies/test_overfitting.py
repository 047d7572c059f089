"""A large network knows few rows by heart; what the remedies do is measured on rows that chose nothing."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pellucid.errors import SettingError
from pellucid.evaluation.bootstrap import Estimate
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.studies import run
from pellucid.studies.learning import Line
from pellucid.studies.story import Paragraph, Story, plain
from pellucid.studies.tables.overfitting import _highest, _tell_memorising, study
from pellucid.studies.tables.remedies import (
    ALL,
    CHOSEN,
    DECAY,
    DROPOUT,
    EARLY,
    MEMORISES,
    Remedy,
    Run,
    Way,
    draw_rows,
    network_of,
    swapped_rows,
)
from pellucid.training.engine import make_engine

NAMES = [MEMORISES, CHOSEN, DROPOUT, DECAY, EARLY, ALL]


@pytest.fixture(scope="module")
def story() -> Story:
    return run("overfitting", seeds=2)


def test_the_network_memorises(story: Story) -> None:
    none = story.result[MEMORISES]
    assert none.train_accuracy.value > 0.98
    assert none.gap.value > 0.1
    epochs, train, validation = zip(*story.result.lines[MEMORISES], strict=True)
    assert epochs == tuple(range(401))
    assert train[-1] < 0.05
    assert validation[-1] > 3 * min(validation)
    assert np.argmin(validation) < 100


def test_each_remedy_lowers_the_test_loss_and_the_gap(story: Story) -> None:
    assert [r.name for r in story.result.remedies] == NAMES
    none = story.result[MEMORISES]
    for name in NAMES[1:]:
        remedy = story.result[name]
        assert remedy.test_loss.value < 0.6 * none.test_loss.value
        assert remedy.gap.value < none.gap.value
        assert remedy.loss_saved.value == pytest.approx(none.test_loss.value - remedy.test_loss.value)
        assert remedy.gain.value == pytest.approx(remedy.test_accuracy.value - none.test_accuracy.value)
        assert remedy.test_accuracy.value < story.result.ceiling + 0.03  # swapped labels cannot be foreseen


def test_epochs(story: Story) -> None:
    result = story.result
    for name in (MEMORISES, DROPOUT, DECAY):
        assert result[name].epochs_run == result[name].epoch_kept == 400
    assert result[CHOSEN].epochs_run == 400
    assert result[CHOSEN].epoch_kept < 100
    for name in (EARLY, ALL):
        assert result[name].epochs_run < 400
        assert result[name].epochs_run == result[name].epoch_kept + 30  # the patience
        assert len(result.lines[name]) <= 400
    # Early stopping walks the same way as no remedy, only less far.
    short = result.lines[EARLY]
    assert short == result.lines[MEMORISES][: len(short)]


@pytest.mark.slow
def test_the_headline() -> None:
    result = run("overfitting", pictures=False).result
    assert result[MEMORISES].train_accuracy.value > 0.99
    assert all(result[name].loss_saved.low > 0 for name in NAMES[1:])
    assert result[DECAY].gain.value > 0.03


def test_the_story_is_whole_and_true(story: Story) -> None:
    assert [b.role for b in story.blocks if isinstance(b, Paragraph)][-2:] == ["learned", "next"]
    assert [p.name for p in story.pictures] == ["losses", "accuracy", "boundaries"]
    for picture in story.pictures:
        for axis in picture.figure.axes:
            assert axis.get_xlabel() or axis.get_label() == "<colorbar>"
            assert axis.get_title() or axis.get_label() == "<colorbar>"
    panels = story.pictures[0].figure.axes
    assert [axis.get_title() for axis in panels] == NAMES
    assert len({axis.get_xlim() for axis in panels}) == len({axis.get_ylim() for axis in panels}) == 1
    learned = next(b.text for b in story.blocks if isinstance(b, Paragraph) and b.role == "learned")
    for r in story.result.remedies[1:]:
        if r.gain.low <= 0 <= r.gain.high:
            assert r.name not in learned.partition("accuracy was higher with")[2].partition(";")[0].partition(".")[0]
    json.dumps(plain(story.result), allow_nan=False)


def test_labels_are_swapped_in_the_share_that_was_asked_for() -> None:
    clean, noisy = draw_rows(400, 0.0, 1), draw_rows(400, 0.25, 1)
    for name in ("train", "validation", "test"):
        np.testing.assert_array_equal(clean[name].inputs, noisy[name].inputs)
        assert (clean[name].targets != noisy[name].targets).mean() == pytest.approx(0.25, abs=0.07)
    assert not np.isin(clean["train"].inputs, clean["validation"].inputs).any()
    assert not np.array_equal(draw_rows(400, 0.0, 1)["train"].inputs, draw_rows(400, 0.0, 2)["train"].inputs)


def test_many_rows_are_a_remedy_too() -> None:
    few = run("overfitting", pictures=False, seeds=2, epochs=60, hidden=(32, 32)).result[MEMORISES]
    many = run("overfitting", pictures=False, seeds=2, epochs=60, hidden=(32, 32), rows=600).result[MEMORISES]
    assert many.gap.value < few.gap.value
    assert many.test_loss.value < few.test_loss.value


@pytest.mark.parametrize(
    ("name", "value"),
    [("rows", 3), ("noise", 0.5), ("noise", -0.1), ("hidden", ()), ("epochs", 1), ("seeds", 1), ("dropout", 0.0),
     ("dropout", 1.0), ("weight_decay", 0.0), ("patience", 0)],
)  # fmt: skip
def test_wrong_settings(name: str, value: object) -> None:
    with pytest.raises(SettingError, match=name.partition("_")[0]):
        run("overfitting", pictures=False, **{name: value})


def test_intervals_are_over_draws() -> None:
    story = Story(pictures=False)
    result = study(story, rows=20, epochs=5, seeds=3, hidden=(4,), patience=2)
    gain = result[CHOSEN].gain
    assert gain.low <= gain.value <= gain.high
    for r in result.remedies:
        assert np.mean(r.accuracies) == pytest.approx(r.test_accuracy.value)
        assert not r.test_accuracy.low < 0
        assert not r.test_accuracy.high > 1
    none = result[MEMORISES].gain  # no run differs from itself, which is no interval
    assert none.value == 0
    assert np.isnan(none.low)


def test_intervals_of_accuracies_stay_within_0_and_1() -> None:
    """Of two draws Student's interval is wide; it was 0.6 to 1.15."""
    for r in run("overfitting", pictures=False, seeds=2, epochs=40, hidden=(16,), noise=0.02).result.remedies:
        for share in (r.train_accuracy, r.test_accuracy):
            assert not share.high > 1
            assert not share.low < 0
        assert not r.test_loss.low < 0


def test_swapped_labels_are_counted() -> None:
    for rows, noise, draw in ((60, 0.1, 500), (8, 0.05, 500), (8, 0.05, 501)):
        swapped = swapped_rows(rows, noise, draw)
        same = (draw_rows(rows, noise, draw)["train"].targets == draw_rows(rows, 0.0, draw)["train"].targets).sum()
        assert swapped + same == rows
    draw = next(d for d in range(100) if swapped_rows(8, 0.05, d) == 0)
    small = {"pictures": False, "rows": 8, "seeds": 2, "epochs": 5, "hidden": (4,)}
    text = run("overfitting", noise=0.05, seed=draw, **small).to_markdown()  # type: ignore[arg-type]
    assert "none of their labels is swapped" in text
    assert "it has memorised them" not in text
    draw = next(d for d in range(100) if swapped_rows(8, 0.4, d) == 3)
    text = run("overfitting", noise=0.4, seed=draw, **small).to_markdown()  # type: ignore[arg-type]
    assert "with 3 of these 8 labels swapped" in text


def _remedy(name: str, *accuracies: float) -> Remedy:
    mean = Estimate(value=float(np.mean(accuracies)), low=0.0, high=1.0)
    other = dict.fromkeys(("train_accuracy", "test_loss", "gap", "gain", "loss_saved"), mean)
    return Remedy(name=name, test_accuracy=mean, epochs_run=1, epoch_kept=1, accuracies=accuracies, **other)


def test_the_highest_names_ties_and_claims_no_more_than_the_draws() -> None:
    a, b = [0.9, 0.91, 0.9, 0.92, 0.9], [0.85, 0.86, 0.86, 0.86, 0.84]
    clear = _highest([_remedy(DECAY, *a), _remedy(ALL, *b)], 5)
    assert clear.startswith("Highest on average was weight decay, 90.6 %;")
    assert "need not help more" in clear
    for unclear in (
        _highest([_remedy(DECAY, *a[:4]), _remedy(ALL, *b[:4])], 4),
        _highest([_remedy(DECAY, *a), _remedy(ALL, 0.8, 0.95, 0.92, 0.9, 0.93)], 5),
    ):
        assert "not clearly different" in unclear
        assert "need not" not in unclear
    tie = _highest([_remedy(DECAY, *a), _remedy(DROPOUT, *a[::-1]), _remedy(ALL, *b)], 5)
    assert "were weight decay and dropout, 90.6 % each" in tie
    assert _highest([_remedy(DECAY, *b), _remedy(ALL, *a)], 5) == "Highest on average was all together, 90.6 %."


@pytest.mark.parametrize(("train_loss", "falls"), [(0.1, True), (0.5, False)])
def test_the_train_loss_is_looked_at_before_it_is_said_to_fall(train_loss: float, falls: bool) -> None:
    scores = {"train": 1.0, "validation": 0.8}
    lines = tuple(
        Line(epoch=i, losses={"train": a, "validation": b}, scores=scores)
        for i, (a, b) in enumerate([(1.0, 1.0), (0.3, 0.4), (train_loss, 0.9)])
    )
    story, network = Story(pictures=False), network_of((2,), Way())
    engine = make_engine("textbook", network, Loss(name="bce"), Optimizer(), initialise(network, 0))
    _tell_memorising(story, Run(kept=lines[1], last=lines[2], epochs_run=2, lines=lines, engine=engine), 10, 0)
    assert ("went on falling" in story.to_markdown()) == falls
