"""The verdict of a run on pictures: its peers, how they see the pictures, and how long they may take."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.evaluation.verdict import DENSE, OF_PICTURES, Verdict
from pellucid.network.cnn import cnn
from pellucid.preparation.prepare import Prepared, prepare
from pellucid.runs import picture_peers as peers
from pellucid.runs import verdict as module
from pellucid.runs.picture_peers import picture_step, pictures_of
from pellucid.runs.verdict import reach_verdict
from pellucid.settings.settings import Settings
from tests.runs.test_verdict import outcome


def bars(n: int, seed: int = 0, *, side: int = 12, channels: int = 1) -> dict[str, Any]:
    """Pictures with a bright bar somewhere: lying or standing, in noise."""
    rng = np.random.default_rng(seed)
    pictures = rng.integers(0, 130, (n, side, side, channels), dtype=np.uint8)
    kinds, at = rng.integers(0, 2, n), rng.integers(1, side - 1, n)
    for i in range(n):
        place = np.s_[i, at[i], :] if kinds[i] else np.s_[i, :, at[i]]
        pictures[place] = pictures[place] // 2 + 120
    return {"image": pictures, "label": [("standing", "lying")[k] for k in kinds]}


def prepared_for(data: dict[str, Any], **settings: Any) -> Prepared:
    return prepare(data, Settings(**{"target": "label", "network": "mlp", **settings}))


def judged(prepared: Prepared, **how: Any) -> Verdict:
    """The verdict on a network that knows every answer."""
    held = prepared.measured
    known = np.eye(2)[held.truth] * 0.98 + 0.01
    found = reach_verdict(prepared, outcome(), known, **how)
    assert found is not None
    return found


def test_a_run_on_pictures_is_compared_with_models_for_pictures() -> None:
    run = pellucid.train(bars(300), "label", hidden=(8,), epochs=2, network="mlp")
    assert run.verdict is not None
    assert [peer.name for peer in run.verdict.peers] == ["dummy", *OF_PICTURES[:3]]
    assert all(peer.rows == 240 for peer in run.verdict.peers)


def test_a_convolutional_run_is_compared_with_a_fully_connected_network_too() -> None:
    run = pellucid.train(bars(300), "label", network="cnn", channels=(4,), epochs=1)
    assert run.verdict is not None
    assert [peer.name for peer in run.verdict.peers] == ["dummy", *OF_PICTURES]
    assert all(peer.rows == 240 for peer in run.verdict.peers)


def test_beside_a_convolutional_network_a_fully_connected_one_is_trained() -> None:
    prepared = prepared_for(bars(300))
    found = judged(replace(prepared, network=cnn((1, 12, 12), (4,), 1)))
    assert [peer.name for peer in found.peers] == ["dummy", *OF_PICTURES]
    values = {peer.name: peer.value for peer in found.peers}
    assert values["linear model on edges"] > 0.95  # what the pictures are made of
    assert values[DENSE] > 0.6
    assert found.winner in ("network", None)


def test_a_better_fully_connected_network_is_named_with_its_option() -> None:
    prepared = prepared_for(bars(400))
    prepared = replace(prepared, network=cnn((1, 12, 12), (4,), 1))
    rng, held = np.random.default_rng(0), prepared.measured
    weak = np.clip(0.5 + 0.4 * (held.truth - 0.5) + 0.3 * rng.normal(size=len(held.rows)), 0.01, 0.99)
    with pytest.MonkeyPatch.context() as patch:
        perfect = np.eye(2)[held.truth]
        for name in ("picture_line_answers", "neighbour_answers", "edge_answers"):
            patch.setattr(peers, name, lambda x, y, asked, classes, **_: np.full((len(asked), classes), 0.5))
        patch.setattr(peers, "_dense_answers", lambda *_, **__: perfect)
        found = reach_verdict(prepared, outcome(), np.stack([1 - weak, weak], axis=1))
    assert found is not None
    assert found.winner == DENSE
    assert "use it (--network mlp)" in found.sentence


@pytest.mark.parametrize("kind", ["flat", "maps", "encoded"])
def test_pictures_are_read_back_from_whatever_the_network_sees(kind: str) -> None:
    data = bars(20, channels=3)
    prepared = prepared_for(data)
    step = picture_step(prepared)
    assert step is not None
    at = prepared.split.train
    rows = prepared.recipe.transform(prepared.table.take(at)).flat

    class Encoded:
        def __len__(self) -> int:
            return len(at)

        def pixels(self, rows: Any) -> Any:
            return data["image"][at][rows]

    maps = rows.reshape(-1, 12, 12, 3).transpose(0, 3, 1, 2)
    inputs: Any = {"flat": rows, "maps": maps, "encoded": Encoded()}[kind]
    np.testing.assert_array_equal(pictures_of(inputs, step, 12), data["image"][at])
    assert pictures_of(inputs, step, 6).shape == (len(at), 6, 6, 3)


def test_no_peer_learns_from_test_rows_and_rare_classes_count_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def spy(x: Any, y: Any, asked: Any, classes: int, *, weights: Any) -> Any:
        seen.update(x=x, y=y, asked=asked, weights=weights)
        return np.full((len(asked), classes), 0.5)

    monkeypatch.setattr(peers, "picture_line_answers", spy)
    data = bars(200)
    prepared = prepared_for(data, class_weight="balanced")
    judged(prepared)
    learned = np.concatenate([prepared.split.train, prepared.split.validation])
    np.testing.assert_allclose(seen["x"], data["image"][learned].reshape(len(learned), -1) / 255, atol=1e-6)
    np.testing.assert_allclose(seen["asked"], data["image"][prepared.split.test].reshape(-1, 144) / 255, atol=1e-6)
    sums = np.bincount(seen["y"], weights=seen["weights"])
    np.testing.assert_allclose(sums[0], sums[1])


def test_a_peer_gets_an_eighth_of_the_training_time_or_fifteen_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    budgets: list[float] = []
    real = module.within_budget
    monkeypatch.setattr(module, "within_budget", lambda *a, **k: budgets.append(k["budget"]) or real(*a, **k))
    prepared = prepared_for(bars(200))
    judged(prepared)
    assert budgets == [15.0] * 3
    budgets.clear()
    long = outcome()
    long = replace(long, history=(replace(long.history[0], seconds=800.0),))
    reach_verdict(prepared, long, np.full((len(prepared.measured.rows), 2), 0.5))
    assert budgets == [100.0] * 3


def test_large_pictures_are_reduced_and_that_is_said() -> None:
    found = judged(prepared_for(bars(120, side=40)))
    assert found.notes[0].startswith("the simpler models saw the pictures of 40 × 40 pixels reduced to at most 32 ")
    assert not judged(prepared_for(bars(120))).notes


def test_numbers_are_predicted_from_pictures() -> None:
    data = bars(200)
    bright = data["image"].mean(axis=(1, 2, 3))
    prepared = prepare({"image": data["image"], "light": bright}, Settings(target="light", network="mlp"))
    prepared = replace(prepared, network=cnn((1, 12, 12), (4,), 1))
    found = reach_verdict(prepared, outcome(), np.full(len(prepared.measured.rows), bright.mean()))
    assert found is not None
    assert [peer.name for peer in found.peers] == ["dummy", *OF_PICTURES]
    values = {peer.name: peer.value for peer in found.peers}
    assert values["linear model"] < 0.2 * values["dummy"]
