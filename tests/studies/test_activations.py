"""Every activation and its derivative against PyTorch; softmax in two forms."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch

from pellucid.engines.textbook.activations import RULES
from pellucid.engines.torch_engine.module import activation_module
from pellucid.errors import SettingError
from pellucid.studies import run
from pellucid.studies.basics.activations import Activations, naive_softmax
from pellucid.studies.story import Story, Table
from tests.studies.checks import assert_labelled, closing, said


@pytest.fixture(scope="module")
def story() -> Story:
    return run("activations")


def figures(story: Story) -> Activations:
    result: Activations = story.result
    return result


@pytest.mark.parametrize("name", RULES)
def test_values_and_slopes_are_those_of_pytorch(name: str, story: Story) -> None:
    result = figures(story)
    z = torch.tensor(result.z, requires_grad=True)
    a = activation_module(name)(z)
    a.sum().backward()
    measured = result.functions[name]
    smooth = np.abs(result.z) > 1e-9
    np.testing.assert_allclose(measured.values, a.detach().numpy(), rtol=1e-12, atol=1e-12)
    assert z.grad is not None
    np.testing.assert_allclose(measured.derivative[smooth], z.grad.numpy()[smooth], rtol=1e-12, atol=1e-12)
    assert measured.largest_difference < 1e-9


def test_the_slopes_that_are_known(story: Story) -> None:
    """Of sigmoid a (1 − a) is largest at a = ½, of tanh 1 − a² at a = 0; ReLU has 0 and 1."""
    found = figures(story).functions
    assert found["sigmoid"].largest_slope == 0.25
    assert found["tanh"].largest_slope == 1
    assert found["relu"].slope_at_ends == (0, 1)
    assert found["sigmoid"].slope_at_ends[1] == pytest.approx(np.exp(-5) / (1 + np.exp(-5)) ** 2)
    assert "at most 0.25 and only 0.006648 at z = 5" in closing(story)


@pytest.mark.parametrize("name", RULES)
def test_the_range_that_is_told_is_kept(name: str) -> None:
    low, high = (
        float(part.replace("−", "-").replace("∞", "inf"))
        for part in re.fullmatch(r"[(\[](.+), (.+)[)\]]", RULES[name].range).groups()  # type: ignore[union-attr]
    )
    z = np.linspace(-60, 60, 24_001)
    values = RULES[name].f(z)
    assert values.min() >= low - 0.005
    assert values.max() <= high
    if np.isfinite(low):
        assert values.min() == pytest.approx(low, abs=0.005)
    if np.isfinite(high):
        assert values.max() == pytest.approx(high, abs=0.005)


def test_softmax_of_the_vector_by_hand(story: Story) -> None:
    result = figures(story)
    np.testing.assert_allclose(result.softmax, [0.6590, 0.2424, 0.0986], atol=5e-5)
    assert result.softmax.sum() == pytest.approx(1)


def test_the_formula_overflows_as_it_is_written_and_not_in_the_stable_form(story: Story) -> None:
    result = figures(story)
    assert result.far_scores.tolist() == [1000, 0, -1000]
    assert result.far_softmax.tolist() == [1, 0, 0]
    assert np.isnan(result.far_naive[0])
    np.testing.assert_allclose(naive_softmax(np.array([2.0, 1.0, 0.1])), result.softmax, rtol=1e-14)
    assert "NaN" in said(story)


def test_every_activation_has_its_line_in_both_tables(story: Story) -> None:
    tables = {block.title: block for block in story.blocks if isinstance(block, Table)}
    for title in ("Activations", "Derivatives; a stands for f(z)"):
        assert [row[0] for row in tables[title].rows] == list(RULES)


def test_another_vector_and_another_limit() -> None:
    story = run("activations", pictures=False, vector="0, 0,0,1000", limit=2)
    result = figures(story)
    assert result.softmax.tolist() == [0, 0, 0, 1]
    assert (result.z[0], result.z[-1]) == (-2, 2)
    assert "at z = 2" in closing(story)
    assert "Softmax of [0, 0, 0, 1,000]" in said(story)


def test_pictures(story: Story) -> None:
    assert_labelled(story, "classic", "all")
    classic, everything = (picture.figure for picture in story.pictures)
    assert [axis.get_title() for axis in classic.axes] == ["sigmoid", "tanh", "relu", "softmax of [z, 1, 0]"]
    shares = {line.get_label(): np.asarray(line.get_ydata()) for line in classic.axes[3].get_lines()}
    np.testing.assert_allclose(shares["share of z"] + shares["share of 1"] + shares["share of 0"], 1)
    slope = np.gradient(shares["share of z"], figures(story).z)
    np.testing.assert_allclose(shares["its derivative"][1:-1], slope[1:-1], atol=1e-4)
    assert [axis.get_title() for axis in everything.axes] == list(RULES)
    lines = {line.get_label(): np.asarray(line.get_ydata()) for line in everything.axes[2].get_lines()}
    np.testing.assert_allclose(lines["f(z)"], np.tanh(figures(story).z))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"vector": "2;1"}, "numbers separated by commas"),
        ({"vector": "2"}, "2 to 100 numbers"),
        ({"vector": "1,nan"}, "2 to 100 numbers"),
        ({"vector": "1,1e300"}, "2 to 100 numbers"),
        ({"limit": 0.0}, "limit must be"),
        ({"limit": float("nan")}, "limit must be"),
    ],
)
def test_wrong_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        run("activations", pictures=False, **settings)
