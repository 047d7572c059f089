"""Faults put into trainings on pictures: each is found by its name, and healthy runs get no finding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.diagnosis import Finding
from pellucid.diagnosis.evidence import Evidence
from pellucid.preprocessing.steps.image import ImageStep
from pellucid.runs import outcome
from pellucid.runs.diagnosis import evidence_of
from tests.picture_models import bright_parts

SMALL: dict[str, Any] = {"network": "cnn", "channels": (8, 16), "verdict": False}


def found(table: dict[str, Any], **settings: Any) -> dict[str, Finding]:
    run = pellucid.train(table, "label", **{**SMALL, **settings})
    return {finding.name: finding for finding in run.findings}


def letters(n: int, other: str) -> dict[str, Any]:
    """Noisy pictures of a b, and of a d (its mirror image) or an o."""
    rng = np.random.default_rng(0)
    one, two = np.zeros((10, 10)), np.zeros((10, 10))
    one[1:9, 2], one[5, 2:7], one[8, 2:7], one[5:9, 6] = 1, 1, 1, 1
    two[5, 2:7], two[8, 2:7], two[5:9, 2], two[5:9, 6] = 1, 1, 1, 1
    kinds = [one, one[:, ::-1] if other == "d" else two]
    images = np.stack([kinds[k % 2] for k in range(n)]) * 150 + rng.integers(0, 60, (n, 10, 10))
    return {"image": images.astype(np.uint8), "label": ["b" if k % 2 == 0 else other for k in range(n)]}


@pytest.mark.parametrize("network", ["cnn", "mlp"])
def test_nothing_is_found_where_all_is_well(network: str) -> None:
    how = {"network": network, **({"channels": None} if network == "mlp" else {})}
    assert found(bright_parts(240, 1), epochs=60, **how) == {}


def test_channels_that_died_are_found() -> None:
    one = found(bright_parts(200, 1), batch_norm=False, learning_rate=1.0, epochs=10)["dead-channels"]
    assert "at every position of every picture" in one.evidence
    assert one.change["batch_norm"] is True


def test_kernels_that_are_wider_than_their_maps_are_found() -> None:
    one = found(bright_parts(120, 1), kernel=11, epochs=2)["kernel-wider-than-its-input"]
    assert "on maps of 6 × 6" in one.evidence
    assert one.change["kernel"] == 5
    assert "kernel-wider-than-its-input" not in found(bright_parts(120, 1), kernel=5, epochs=2)


def test_flips_are_found_where_they_turn_a_class_into_another() -> None:
    one = found(letters(160, "d"), augment="shift=1,flip", epochs=4)["augmentation-hurts"]
    assert one.change["augment"] == "shift"
    for harmless in ({"augment": "shift=1,flip"}, {"augment": "none"}):
        table = letters(160, "o" if harmless["augment"] != "none" else "d")
        assert "augmentation-hurts" not in found(table, epochs=4, **harmless)


def test_a_class_of_few_pictures_is_found() -> None:
    table = bright_parts(840, 1)
    squares = [k for k, label in enumerate(table["label"]) if label == "square"][:10]
    kept = [k for k, label in enumerate(table["label"]) if label == "cross"] + squares
    few = {"image": table["image"][kept], "label": [table["label"][k] for k in kept]}
    one = found(few, epochs=2)["too-few-pictures"]
    assert "'square'" in one.evidence


def test_evidence_of_a_table_with_a_picture_and_a_number() -> None:
    """Pictures beside other columns are no pictures alone: rules that look at pixels leave them out."""
    table = {**bright_parts(80, 1), "age": [float(k % 7) for k in range(80)]}
    run = pellucid.train(table, "label", preset="plain", epochs=2, verdict=False)
    assert "augmentation-hurts" not in [finding.name for finding in run.findings]


def test_large_pictures_are_made_smaller_for_the_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mirrored b is a d in pictures of any size, and the sample of large ones is not as large as they are."""
    seen = []

    def kept(*given: Any) -> Evidence:
        seen.append(evidence_of(*given))
        return seen[-1]

    monkeypatch.setattr(outcome, "evidence_of", kept)
    large = letters(160, "d")
    large["image"] = large["image"].repeat(7, axis=1).repeat(7, axis=2)  # 70 × 70
    run = pellucid.train(large, "label", verdict=False, channels=(4, 8), epochs=3, augment="shift=1,flip")
    assert "augmentation-hurts" in [finding.name for finding in run.findings]
    (e,) = seen
    assert e.picture == (35, 35, 1)
    assert [len(rows.inputs[0]) for rows in (e.train, e.measured, e.unseen)] == [35 * 35] * 3
    (step,) = run.model.recipe.steps
    assert isinstance(step, ImageStep)
    first = (large["image"][e.train.numbers[0]] / 255 - step.mean[0]) / step.deviation[0]
    means = first.reshape(35, 2, 35, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(e.train.inputs[0].reshape(35, 35), means, rtol=1e-5, atol=1e-5)
