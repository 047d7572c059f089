"""A large network knows few rows by heart; what the remedies do is measured on rows that chose nothing."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pellucid.errors import SettingError
from pellucid.studies import run
from pellucid.studies.overfitting import study
from pellucid.studies.remedies import ALL, CHOSEN, DECAY, DROPOUT, EARLY, MEMORISES, draw_rows
from pellucid.studies.spread import mean_interval
from pellucid.studies.story import Paragraph, Story, plain

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
    assert mean_interval([0.0, 0.0, 0.0]).low == result[MEMORISES].gain.low == 0.0
