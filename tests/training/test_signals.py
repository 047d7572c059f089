"""Snapshots of a network: gradients beside PyTorch's, what moved, dead and saturated units; they change nothing."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch

import pellucid
from pellucid.engines.torch_engine.module import build, loss_value
from pellucid.network import Activation, Dense, Network, StepPool, cnn, mlp, rnn, transformer
from pellucid.network.initialise import initialise
from pellucid.network.task import Loss
from pellucid.training.loop import Rows
from pellucid.training.signals import Snapshot, SnapshotRecorder


def rows(n: int = 60) -> Rows:
    rng = np.random.default_rng(0)
    return Rows(inputs=rng.normal(size=(n, 5)), targets=rng.integers(0, 3, n))


def test_gradients_are_those_of_autograd() -> None:
    network, loss = mlp(5, [7, 4], 3, activation="tanh"), Loss(name="cross_entropy")
    parameters = initialise(network, seed=1)
    recorder = SnapshotRecorder(network, loss, rows())
    recorder.take(0, parameters)
    module = build(network, parameters, torch.float64)
    value = loss_value(loss, module(torch.from_numpy(rows().inputs)), torch.from_numpy(rows().targets), None)
    value.backward()
    for layer in recorder.snapshots[0].layers:
        gradient = module.get_parameter(f"{layer.index}.weight").grad
        assert gradient is not None
        assert layer.gradient == pytest.approx(float((gradient**2).mean().sqrt()), rel=1e-10)
        assert layer.moved is None
    assert recorder.snapshots[0].loss == pytest.approx(float(value.detach()))


def test_what_moved_is_seen_in_pairs_of_epochs() -> None:
    network = mlp(5, [6], 3)
    one = initialise(network, seed=0)
    two = {name: array * 1.25 for name, array in one.items()}
    recorder = SnapshotRecorder(network, Loss(name="cross_entropy"), rows())
    for epoch, parameters in ((3, one), (4, two), (7, one), (5, two)):
        recorder.after(epoch, lambda parameters=parameters: parameters)
    assert [snapshot.epoch for snapshot in recorder.snapshots] == [3, 4, 7]
    assert [layer.moved for layer in recorder.snapshots[1].layers] == [pytest.approx(0.2)] * 2
    assert recorder.snapshots[2].layers[0].moved is None


def test_dead_and_saturated_units_are_counted() -> None:
    network = mlp(5, [8], 3)
    parameters = initialise(network, seed=0)
    parameters["0.bias"][:6] = -100
    recorder = SnapshotRecorder(network, Loss(name="cross_entropy"), rows())
    recorder.take(0, parameters)
    assert recorder.snapshots[0].layers[0].dead == pytest.approx(0.75)
    assert recorder.snapshots[0].layers[0].saturated is None
    network = mlp(5, [8], 3, activation="sigmoid")
    parameters = initialise(network, seed=0)
    parameters["0.bias"][:4] = -100
    parameters["0.bias"][4:6] = 100
    recorder = SnapshotRecorder(network, Loss(name="cross_entropy"), rows())
    recorder.take(0, parameters)
    assert recorder.snapshots[0].layers[0].saturated == pytest.approx(0.75)
    assert recorder.snapshots[0].layers[0].dead is None
    assert Snapshot.from_json(recorder.snapshots[0].to_json()) == recorder.snapshots[0]


@pytest.mark.parametrize("settings", [{}, {"n_networks": 2}, {"n_networks": 5, "batch_size": 16}])
def test_looking_changes_nothing(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    how = {"preset": "plain", "hidden": (8,), "epochs": 5, "verdict": False, **settings}
    seen = pellucid.train("iris", **how)
    assert seen.snapshots
    monkeypatch.setattr(SnapshotRecorder, "take", lambda self, epoch, parameters: None)
    unseen = pellucid.train("iris", **how)
    assert not unseen.snapshots
    for one, other in zip(seen.model.members, unseen.model.members, strict=True):
        assert all((one[name] == other[name]).all() for name in one)


def test_dead_channels_are_those_that_are_0_everywhere() -> None:
    """A channel counts as dead only where it is 0 at every position of every picture, through pooling and BatchNorm."""
    network = cnn((1, 8, 8), (4, 3), 2)
    weights = initialise(network, 0)
    weights["2.bias"][[0, 2]] = -100.0  # BatchNorm, before the first activation
    rng = np.random.default_rng(0)
    pictures = Rows(inputs=rng.normal(size=(40, 1, 8, 8)), targets=np.arange(40) % 2)
    snapshot = SnapshotRecorder(network, Loss(name="cross_entropy"), pictures).take(0, weights)
    assert [(layer.index, layer.units, layer.positions, layer.dead) for layer in snapshot.layers] == [
        (0, 4, 16, 0.5), (4, 3, 16, 0.0), (8, 2, 1, None)
    ]  # fmt: skip
    assert Snapshot.from_json(json.loads(json.dumps(snapshot.to_json()))) == snapshot


def test_fewer_large_pictures_are_sampled() -> None:
    network = cnn((3, 96, 96), (16, 32), 2)
    pictures = Rows(inputs=np.zeros((60, 3, 96, 96), np.float32), targets=np.arange(60) % 2)
    recorder = SnapshotRecorder(network, Loss(name="cross_entropy"), pictures)
    assert 8 <= len(recorder._rows) < 60


@pytest.mark.parametrize("vocabulary", [9, None])
def test_layers_of_sequences_are_seen_by_unit(vocabulary: int | None) -> None:
    """All matrices of attention count together; the units of a sequence are those of a step."""
    rng = np.random.default_rng(0)
    shape = (6,) if vocabulary else (6, 2)
    network = transformer(shape, 8, 3, vocabulary=vocabulary, heads=2, depth=1, feed=2)
    inputs = rng.integers(1, 9, (20, 6)) if vocabulary else rng.normal(size=(20, 6, 2))
    inputs[:5, 4:] = 0 if vocabulary else np.nan
    parameters, loss = initialise(network, 1), Loss(name="cross_entropy")
    recorder = SnapshotRecorder(network, loss, Rows(inputs=inputs, targets=rng.integers(0, 3, 20)))
    snapshot = recorder.take(0, parameters)
    assert [(layer.index, layer.units, layer.positions) for layer in snapshot.layers] == [
        (0, 8, 6), (2, 8, 6), (3, 16, 6), (3, 8, 6), (6, 3, 1)
    ]  # fmt: skip
    weights = np.concatenate([parameters[f"2.1.{name}"].ravel() for name in ("in_proj_weight", "out_proj.weight")])
    assert snapshot.layers[1].weight == pytest.approx(float(np.sqrt((weights**2).mean())))
    moved = recorder.take(1, {name: array * 1.1 for name, array in parameters.items()}).layers[1].moved
    assert moved == pytest.approx(0.1 / 1.1)


def test_padded_steps_are_not_counted() -> None:
    """At padding a Dense unit gives its bias; it is dead all the same if it is 0 wherever there is a step."""
    network = transformer((4,), 2, 1, vocabulary=3, heads=1, depth=1)
    dense = Network(
        shape=(4, 1),
        layers=[
            Dense(inputs=1, outputs=2),
            Activation(function="relu"),
            StepPool(how="mean"),
            Dense(inputs=2, outputs=1),
        ],
    )
    parameters = initialise(dense, seed=0)
    parameters["0.weight"][:] = [[1.0], [1.0]]
    parameters["0.bias"][:] = [0.5, 0.0]
    series = np.full((2, 4, 1), -1.0)
    series[0, 2:] = series[1, 3:] = np.nan  # there the first unit gives relu(0 + 0.5)
    recorder = SnapshotRecorder(dense, Loss(name="mse"), Rows(inputs=series, targets=np.zeros((2, 1))))
    (first, _) = recorder.take(0, parameters).layers
    assert (first.dead, first.spread, first.positions) == (1.0, 0.0, 4)
    tokens = np.array([[1, 2, 0, 0], [2, 0, 0, 0]])
    recorder = SnapshotRecorder(network, Loss(name="mse"), Rows(inputs=tokens, targets=np.zeros((2, 1))))
    padded = recorder.take(0, initialise(network, seed=0))
    short = transformer((2,), 2, 1, vocabulary=3, heads=1, depth=1)
    recorder = SnapshotRecorder(short, Loss(name="mse"), Rows(inputs=tokens[:, :2], targets=np.zeros((2, 1))))
    for one, other in zip(padded.layers, recorder.take(0, initialise(network, seed=0)).layers, strict=True):
        assert one.spread == pytest.approx(other.spread)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_gradients_at_the_ends_of_sequences_are_those_of_autograd(cell: Any) -> None:
    """Of the longer half of the rows, at the first step and at the last that counts."""
    rng = np.random.default_rng(0)
    network, loss = rnn((12, 2), (4,), 3, cell=cell, pool="last"), Loss(name="cross_entropy")
    parameters = initialise(network, seed=1)
    lengths, x = np.array([12, 5, 9, 12, 7]), rng.normal(size=(5, 12, 2))
    padded = np.where(np.arange(12)[:, None] < lengths[:, None, None], x, np.nan)
    targets = rng.integers(0, 3, 5)
    recorder = SnapshotRecorder(network, loss, Rows(inputs=padded, targets=targets))
    recorder.take(0, parameters)
    (layer, last) = recorder.snapshots[0].layers
    assert (last.first_step, last.last_step) == (None, None)
    sizes = []
    for row in (0, 2, 3):  # of 9 steps and more
        steps = torch.from_numpy(padded[[row], : lengths[row]]).requires_grad_()
        short = build(rnn((int(lengths[row]), 2), (4,), 3, cell=cell, pool="last"), parameters, torch.float64)
        loss_value(loss, short(steps), torch.from_numpy(targets[[row]]), None).backward()
        assert steps.grad is not None
        sizes.append(steps.grad[0].norm(dim=1)[[0, -1]].numpy() / 5)  # the mean over all rows
    assert [layer.first_step, layer.last_step] == pytest.approx(np.mean(sizes, axis=0).tolist(), rel=1e-9)
    assert Snapshot.from_json(json.loads(json.dumps(recorder.snapshots[0].to_json()))) == recorder.snapshots[0]
