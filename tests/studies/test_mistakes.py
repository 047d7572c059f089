"""The mistakes: what is said comes from real calls, and each shows as the study says."""

from __future__ import annotations

import json
from typing import get_args

import numpy as np
import pytest

from pellucid.errors import SettingError
from pellucid.network import mlp
from pellucid.studies import run
from pellucid.studies.basics.mistakes import ADDED_UP, SEEN
from pellucid.studies.basics.mistakes_caught import caught
from pellucid.studies.story import Paragraph, Story, plain
from pellucid.training.pace import Pace


@pytest.fixture(scope="module")
def story() -> Story:
    return run("mistakes")


def test_the_three_learning_rates_are_told_apart(story: Story) -> None:
    verdicts = story.result.verdicts
    assert verdicts["too small"].kind == "crawls"
    assert verdicts["right"].kind == "learns"
    assert verdicts["too large"].kind == "oscillates"
    losses = story.result.losses
    assert losses["too small"][-1] > 0.95 * losses["too small"][0]
    assert losses["right"][-1] < 0.3 * losses["right"][0]
    assert losses["too large"][-50:].mean() > losses["too large"][0]
    assert verdicts["too large"].rises > 0.4


@pytest.mark.parametrize("line", ["step", "backward"])
def test_without_step_or_backward_not_one_bit_changes(story: Story, line: str) -> None:
    result = story.result
    assert result.moved[f"no {line}"] == 0.0
    assert len(set(result.losses[f"no {line}"].tolist())) == 1
    assert result.verdicts[f"no {line}"].kind == "stands still"
    assert result.moved["right"] > 0.1


def test_without_zero_grad_gradients_add_up(story: Story) -> None:
    assert story.result.gradient_growth > 3
    assert story.result.losses["no zero_grad"][1] == story.result.losses["right"][1]  # the first step is the same
    assert story.result.losses["no zero_grad"][2] != story.result.losses["right"][2]


def test_what_is_said_names_the_rule_the_value_and_the_remedy(story: Story) -> None:
    said = {m.name: m.says for m in story.result.mistakes}
    for name, parts in {
        "A layer that does not fit": ("layer 2", "takes 17", "gives 16", "set its input width"),
        "Rows of the wrong width": ("layer 0", "[N, 2]", "[400, 3]", "give 2 columns"),
        "Targets [N] beside answers [N, 1]": ("mse", "[400, 1]", "[400]", "targets.reshape(-1, 1)"),
        "A column that is not standardised": ("epoch 1, batch", "0.01", "standardised inputs", "0.001"),
        "A learning rate too small": ("crawls", "to halve", "0.01"),
        "No step": ("stands still", "to the last digit"),
        "Another device": ("device", "is not available", "use auto or cpu"),
    }.items():
        assert all(part in said[name] for part in parts), (name, said[name])


def test_the_same_rate_suits_the_standardised_column(story: Story) -> None:
    losses = story.result.house_losses
    assert len(losses) == 20
    assert losses[-1] == pytest.approx(900, rel=0.25)  # the prices' own noise has a deviation of 30


def test_the_story_is_whole(story: Story) -> None:
    assert [b.role for b in story.blocks if isinstance(b, Paragraph)][-2:] == ["learned", "next"]
    assert [p.name for p in story.pictures] == ["losses", "gradients"]
    for picture in story.pictures:
        for axis in picture.figure.axes:
            assert axis.get_title()
            assert axis.get_xlabel()
            assert axis.get_ylabel()
    lines = story.pictures[0].figure.axes[0].get_lines()
    np.testing.assert_array_equal(lines[1].get_ydata(), story.result.losses["right"])
    assert len(lines) == 4
    json.dumps(plain(story.result), allow_nan=False)


def test_what_is_seen_follows_the_verdict(story: Story) -> None:
    verdicts = story.result.verdicts
    seen = {m.name: m.seen for m in story.result.mistakes}
    assert seen["A learning rate too large"] == SEEN[verdicts["too large"].kind]
    assert seen["No zero_grad"].endswith(ADDED_UP[verdicts["no zero_grad"].kind])
    assert [kind for kind, text in SEEN.items() if "nothing wrong" in text] == ["learns"]
    assert [kind for kind, text in ADDED_UP.items() if "again and again" in text] == ["oscillates"]
    assert set(SEEN) == set(ADDED_UP) == set(get_args(Pace))


def test_a_crawl_without_zero_grad_does_not_run_past_the_valley() -> None:
    story = run("mistakes", small=1e-8, right=1e-6, large=1e-5, epochs=20)
    verdict = story.result.verdicts["no zero_grad"]
    assert verdict.kind in ("crawls", "stands still")
    assert "again and again" not in story.to_markdown()
    caption = story.pictures[0].caption
    assert "lies close to it" in caption


def test_the_caption_says_close_only_of_a_line_that_is() -> None:
    story = run("mistakes", small=0.3, right=0.5, large=1.0)
    losses = story.result.losses["too small"]
    assert losses[-1] < 0.9 * losses[0]
    assert "lies close to it" not in story.pictures[0].caption
    assert "nothing wrong: the loss falls" in story.to_markdown()


def test_settings_change_the_outcome() -> None:
    story = run("mistakes", pictures=False, large=0.7, epochs=40)
    assert story.result.verdicts["too large"].kind != "oscillates"
    assert len(story.result.losses["right"]) == 40
    assert not story.pictures


@pytest.mark.parametrize(
    "wrong", [{"small": 0.0}, {"large": float("inf")}, {"small": 1.0}, {"epochs": 3}, {"seed": -1}, {"right": 20.0}]
)
def test_wrong_settings(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingError, match=next(iter(wrong))):
        run("mistakes", pictures=False, **wrong)


def test_caught_wants_an_error() -> None:
    assert "nothing" not in caught(lambda: mlp(0, [2], 1))
    with pytest.raises(AssertionError):
        caught(lambda: None)
