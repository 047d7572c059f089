"""Faults put into trainings on pictures: each is found by its name, and healthy runs get no finding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.diagnosis import Finding
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
