"""Filters, extents and parameters against SciPy and PyTorch; shifted digits, counted again."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d

from pellucid.errors import SettingError
from pellucid.studies import run
from pellucid.studies.images.convolution import (
    CONVOLVED,
    DENSE,
    FILTERS,
    SHIFTED,
    Convolution,
    _moved_at_random,
    convolve,
    house,
    shifted,
)
from pellucid.studies.story import Story, Table
from tests.studies.checks import closing, said


@pytest.fixture(scope="module")
def story() -> Story:
    return run("convolution", epochs=6)


@pytest.fixture(scope="module")
def result(story: Story) -> Convolution:
    assert isinstance(story.result, Convolution)
    return story.result


def table(story: Story, title: str) -> Table:
    (found,) = [block for block in story.blocks if isinstance(block, Table) and block.title.startswith(title)]
    return found


@pytest.mark.parametrize("name", FILTERS)
def test_the_maps_are_those_of_scipy(name: str, result: Convolution) -> None:
    """SciPy's correlation, because the filter is not flipped; a flipped one differs."""
    expected = correlate2d(house(), FILTERS[name], mode="valid")
    np.testing.assert_allclose(result.maps[name], expected, atol=1e-12)
    if "edges" in name and name != "all edges":
        assert np.abs(result.maps[name] - correlate2d(house(), FILTERS[name][::-1, ::-1], mode="valid")).max() > 1


def test_filters_do_what_their_names_say(story: Story, result: Convolution) -> None:
    sums = {row[0]: (row[2], row[3]) for row in table(story, "Filters").rows}
    assert all(sums[name] == ("0", "0") for name in FILTERS if "edges" in name)
    assert sums["blur"] == sums["sharpen"] == ("1", "0.5")
    brighter = np.tile([0.0, 0.0, 1.0, 1.0], (4, 1))  # to the right
    assert (convolve(brighter, FILTERS["vertical edges"]) > 0).all()
    assert not convolve(brighter, FILTERS["horizontal edges"]).any()
    assert (convolve(brighter.T, FILTERS["horizontal edges"]) > 0).all()
    dark = np.array([[1.0, 1, 1], [1, 0, 1], [1, 1, 1]])
    assert convolve(dark, FILTERS["all edges"])[0, 0] > 0
    inner = house()[1:-1, 1:-1]
    assert result.maps["blur"].std() < inner.std() < result.maps["sharpen"].std()


def test_the_window_by_hand_adds_up(story: Story) -> None:
    sentence = re.search(r"counted from 0: (.+?) = (−?\d+) \(weights", said(story))
    assert sentence is not None
    products = re.findall(r"\(?(−?\d+)\)?·(\d+)", sentence[1])
    assert len(products) == 6
    total = sum(float(w.replace("−", "-")) * float(x) for w, x in products)
    assert total == float(sentence[2].replace("−", "-"))


def test_sides_are_pytorchs(story: Story, result: Convolution) -> None:
    for (kernel, padding, stride), side in result.sides.items():
        layer = torch.nn.Conv2d(1, 1, kernel, padding=padding, stride=stride)
        assert layer(torch.zeros(1, 1, 28, 28)).shape[-1] == side
    assert [int(row[-1]) for row in table(story, "The side").rows] == list(result.sides.values())


def test_parameters_are_counted(result: Convolution) -> None:
    for side, (shared, dense) in result.parameters.items():
        assert shared == 16 * (9 + 1)
        assert dense == (side**2 + 1) * 16 * side**2


def test_what_a_shift_is() -> None:
    some = np.arange(1, 13).reshape(1, 3, 4)
    np.testing.assert_array_equal(shifted(some, 0, 0), some)
    np.testing.assert_array_equal(shifted(some, 1, -2)[0], [[0, 0, 0, 0], [3, 4, 0, 0], [7, 8, 0, 0]])
    framed = np.pad(some, ((0, 0), (4, 4), (4, 4)))
    np.testing.assert_array_equal(shifted(shifted(framed, 3, -4), -3, 4), framed)  # nothing was cut
    moved = _moved_at_random(np.tile(framed, (200, 1, 1)), 4, 0)
    assert (moved.sum(axis=(1, 2)) == some.sum()).all()
    assert len(np.unique(moved, axis=0)) > 60  # of 81 places


def test_the_convolutional_network_bears_a_shift_and_the_other_does_not(story: Story, result: Convolution) -> None:
    assert result.shifts == (0, 1, 2, 3, 4)
    dense, convolved = result.accuracy[DENSE], result.accuracy[CONVOLVED]
    assert dense[0] > 0.85
    assert dense[4] < 0.4
    assert convolved[2] > dense[2] + 0.3
    assert result.network_parameters[CONVOLVED] == pytest.approx(result.network_parameters[DENSE], rel=0.05)
    for row in table(story, "Accuracy").rows:
        assert row[2:] == tuple(f"{value:.3f}" for value in result.accuracy[row[0]])
    text = said(story)
    for name in (DENSE, CONVOLVED):
        assert f"{100 * (result.accuracy[name][0] - min(result.accuracy[name])):.1f}" in text
    assert f"{100 * max(result.accuracy[SHIFTED]):.1f} %" in text
    assert f"recognised in {100 * dense[4]:.1f} %" in closing(story)


def test_the_pictures(story: Story) -> None:
    drawn = {picture.name: picture.figure for picture in story.pictures}
    assert list(drawn) == ["filters", "window", "stride", "shifted", "digits"]
    assert [axis.get_title() for axis in drawn["filters"].axes] == ["the picture", *FILTERS]
    np.testing.assert_array_equal(drawn["filters"].axes[0].images[0].get_array(), house())
    numbers = [text.get_text() for text in drawn["window"].axes[1].texts]
    assert numbers == ["−1", "0", "1", "−2", "0", "2", "−1", "0", "1"]
    assert [axis.get_title().split("\n")[1] for axis in drawn["stride"].axes] == ["48 × 48", "24 × 24", "12 × 12"]
    (axis,) = drawn["shifted"].axes
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("moved by … pixels", "accuracy on the test digits")
    assert all(picture.caption.endswith(".") for picture in story.pictures)


@pytest.mark.parametrize(("wrong", "said"), [({"epochs": 0}, "epochs"), ({"most": 0}, "most"), ({"most": 5}, "most")])
def test_wrong_settings(wrong: dict[str, int], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        run("convolution", **wrong)
