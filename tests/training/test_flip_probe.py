"""Whether pictures may be mirrored is found and not guessed: where all, some or none of the classes forbid it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pellucid.training import flip_probe
from pellucid.training.flip_probe import FlipFinding, compare_learned, compare_mirrored, probe_flips

Pixels = NDArray[np.uint8]


def corners(n: int, kinds: str, seed: int = 0) -> tuple[Pixels, NDArray[Any]]:
    """Noisy pictures of 8 × 8 whose class is a bright place: left, right, top or bottom."""
    generator = np.random.default_rng(seed)
    places = {"left": np.s_[3:5, :3], "right": np.s_[3:5, 5:], "top": np.s_[:3, 3:5], "bottom": np.s_[5:, 3:5]}
    names = kinds.split()
    truth = generator.integers(0, len(names), n)
    pixels = generator.integers(0, 90, (n, 8, 8, 1))
    for i, k in enumerate(truth):
        pixels[i][places[names[k]]] += 140
    return pixels.astype(np.uint8), truth


def probed(kinds: str, n: int = 160, steps: int = 60) -> flip_probe.FlipFinding:
    return probe_flips(corners(n, kinds), corners(40, kinds, seed=1), len(kinds.split()), steps=steps)


def test_classes_that_are_mirror_images_are_found_and_named() -> None:
    found = probed("left right top bottom", n=240, steps=120)
    assert found.result == "harmful"
    assert found.lost_class in (0, 1)
    assert found.becomes == 1 - found.lost_class
    assert found.right > 0.9
    assert found.lost_mirrored < found.lost_right / 4


def test_a_class_that_always_points_to_one_side_costs_little_and_may_be_mirrored() -> None:
    """No class looks like a mirrored "left", whatever a network that has never seen one takes it for."""
    found = probed("left bottom", n=400, steps=240)
    assert found.mirrored < 0.8
    assert found.learned > 0.9
    assert found.result == "harmless"
    assert found.lost_class is None


def test_pictures_that_may_be_mirrored_are_found() -> None:
    found = probed("top bottom")
    assert found.result == "harmless"
    assert found.rows == 200  # too few are held out, so each picture is: two probes
    assert found.right > 0.9
    assert abs(found.right - found.mirrored) < 0.05


def test_labels_that_cannot_be_learned_say_nothing() -> None:
    pixels, truth = corners(160, "top bottom")
    wrong = np.random.default_rng(9).permutation(truth)
    assert probe_flips((pixels, wrong), (pixels[:0], wrong[:0]), 2, steps=40).result == "unknown"


@pytest.mark.parametrize("n", [0, 1, 3, 40])
def test_too_few_pictures_say_nothing(n: int) -> None:
    few, truth = corners(n, "top bottom")
    assert probe_flips((few, truth), (few[:0], truth[:0]), 2, steps=10).result == "unknown"


def answers(n: int, *, right: float, classes: int = 4, seed: int = 0) -> tuple[NDArray[Any], NDArray[Any]]:
    generator = np.random.default_rng(seed)
    truth = np.arange(n) % classes
    wrong = (truth + generator.integers(1, classes, n)) % classes
    return np.where(generator.random(n) < right, truth, wrong), truth


def logits(loss: float, truth: NDArray[Any], classes: int) -> NDArray[Any]:
    """That give each row this cross-entropy."""
    share = math.exp(-loss)
    return math.log(share / (1 - share) * (classes - 1)) * np.eye(classes)[truth]


@pytest.mark.parametrize(
    ("before", "after", "result"),
    [
        (0.1, 0.12, "harmless"),  # a fifth more, but next to nothing
        (0.1, 0.2, "harmful"),  # twice the loss
        (1.4, 1.44, "harmless"),
        (1.4, 1.52, "harmful"),  # 9 % of the loss, but 13 % of what was learned: digits after a few steps
        (0.85, 0.9, "harmless"),  # 6 % of the loss, and 3 % of what was learned: clothes
    ],
)
def test_what_learning_from_mirrored_pictures_may_cost(before: float, after: float, result: str) -> None:
    truth = np.arange(400) % 10
    finding = FlipFinding(result="harmful", rows=400, right=0.7, mirrored=0.3)
    found = compare_learned(finding, logits(before, truth, 10), logits(after, truth, 10), truth)
    assert found.result == result


def test_a_class_that_is_lost_when_mirrored_pictures_are_learned_decides() -> None:
    """The loss of all hardly changes, but of the class that the finding names a third is forgotten."""
    truth = np.repeat(np.arange(10), 60)
    plain, mixed = 3.0 * np.eye(10)[truth], 3.3 * np.eye(10)[truth]
    mixed[(truth == 4) & (np.arange(600) % 3 == 0)] = 1e-3 * np.eye(10)[5]
    named = FlipFinding(result="harmful", rows=600, lost_class=4, lost_right=60, lost_mirrored=5)
    assert compare_learned(named, plain, mixed, truth).result == "harmful"
    assert compare_learned(replace(named, lost_class=7), plain, mixed, truth).result == "harmless"


def test_a_probe_that_is_as_good_on_mirrored_pictures_allows_them() -> None:
    (given, truth), (mirrored, _) = answers(800, right=0.6), answers(800, right=0.6, seed=1)
    found = compare_mirrored(given, mirrored, truth)
    assert found.result == "harmless"
    assert (found.rows, found.right) == (800, float((given == truth).mean()))


def test_a_probe_that_is_a_little_worse_still_allows_them_and_a_much_worse_one_does_not() -> None:
    given, truth = answers(4000, right=0.8)
    a_little, much = answers(4000, right=0.75, seed=1)[0], answers(4000, right=0.5, seed=1)[0]
    assert compare_mirrored(given, a_little, truth).result == "harmless"
    assert compare_mirrored(given, much, truth).result == "harmful"


def test_two_classes_of_many_that_change_places_are_enough() -> None:
    """As "b" and "d" among signs that may be mirrored."""
    truth = np.arange(1200) % 12
    mirrored = np.select([truth == 3, truth == 7], [7, 3], truth)
    found = compare_mirrored(truth, mirrored, truth)
    assert (found.result, found.lost_class, found.becomes) == ("harmful", 3, 7)
    assert (found.lost_right, found.lost_mirrored) == (100, 0)
    assert found.mirrored == pytest.approx(10 / 12)


def test_nothing_is_said_by_a_probe_no_better_than_the_most_frequent_class() -> None:
    truth = (np.arange(500) % 10 == 0).astype(np.int64)
    assert compare_mirrored(np.zeros(500, int), np.zeros(500, int), truth).result == "unknown"


@pytest.mark.parametrize(
    ("constant", "value", "check"),
    [
        ("_CLASS_MAY_LOSE", 2.0, test_two_classes_of_many_that_change_places_are_enough),
        ("_MAY_LOSE", 0.0, test_a_probe_that_is_a_little_worse_still_allows_them_and_a_much_worse_one_does_not),
    ],
)
def test_the_limits_matter(monkeypatch: pytest.MonkeyPatch, constant: str, value: float, check: Any) -> None:
    monkeypatch.setattr(flip_probe, constant, value)
    with pytest.raises(AssertionError):
        check()
