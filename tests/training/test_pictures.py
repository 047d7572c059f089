"""Augmented training pictures: the same in every engine, in every run and after a stop, and nothing else is changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pellucid.augmentation import Augmentation
from pellucid.network import mlp
from pellucid.network.cnn import cnn
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training import pictures
from pellucid.training.batches import batches
from pellucid.training.engine import make_engine
from pellucid.training.loop import Outcome, Plan, State, fit
from pellucid.training.pictures import AugmentedRows, made_smaller
from pellucid.training.rows import Rows

SHAPE = (2, 6, 6)
SHIFTED = Augmentation(shift=1, flip="horizontal", colour=0.3)


class Encoded:
    """Pictures that are encoded where they are asked for."""

    dtype = np.dtype(np.float64)

    def __init__(self, store: NDArray[np.uint8]) -> None:
        self.store, self.asked = store, 0

    def __len__(self) -> int:
        return len(self.store)

    def pixels(self, rows: Any) -> NDArray[np.uint8]:
        self.asked += 1
        return self.store[rows]

    def encode(self, pixels: NDArray[np.uint8]) -> NDArray[Any]:
        return (pixels / 255 - 0.5).transpose(0, 3, 1, 2)


def given(n: int = 22) -> Rows:
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (n, 6, 6, 2)).astype(np.uint8)
    targets = (pixels[:, :3].mean(axis=(1, 2, 3)) > pixels[:, 3:].mean(axis=(1, 2, 3))).astype(np.int64)
    return Rows(inputs=Encoded(pixels), targets=targets)  # type: ignore[arg-type]


def seen() -> Rows:
    rows = given()
    return Rows(inputs=rows.inputs.encode(rows.inputs.store), targets=rows.targets)  # type: ignore[attr-defined]


def engine(name: str = "torch", network: Any = None) -> Any:
    made = network or cnn(SHAPE, (3,), 2)
    return make_engine(
        name, made, Loss(name="cross_entropy"), Optimizer(), initialise(made, 0), dtype="float64", device="cpu"
    )


def plan(**changes: Any) -> Plan:
    return Plan(**{"learning_rate": 0.01, "batch_size": 5, "epochs": 3, "seed": 4, **changes})


class Taking:
    """An engine that keeps what it is given."""

    def __init__(self, reads_batches: bool) -> None:
        self.reads_batches, self.loads = reads_batches, 0

    def load_rows(self, inputs: Any, targets: Any, weights: Any = None) -> None:
        self.inputs, self.targets, self.loads = inputs, targets, self.loads + 1


@pytest.mark.parametrize("reads", [True, False])
def test_every_batch_is_taken_augmented_and_encoded_with_its_targets(reads: bool) -> None:
    rows, taker = given(), Taking(reads)
    source = AugmentedRows(replace(rows, augmentation=SHIFTED))
    source.load(taker)
    drawn = []
    for number, chosen in enumerate(source.batches(5, 7, 2)):
        at = source.ready(taker, chosen)
        changed = SHIFTED.apply(rows.inputs.store[chosen], seed=7, epoch=2, batch=number)  # type: ignore[attr-defined]
        assert np.array_equal(taker.inputs[at], rows.inputs.encode(changed))  # type: ignore[attr-defined]
        assert np.array_equal(taker.targets[at], rows.targets[chosen])
        assert np.array_equal(source.take(chosen).inputs, taker.inputs[at])
        drawn.append(chosen.tolist())
    assert drawn == [rows.tolist() for rows in batches(22, 5, 7, 2)]
    assert taker.loads == (1 if reads else 5)
    if reads:
        assert (taker.inputs.shape, taker.inputs.ndim, len(taker.inputs)) == ((22, *SHAPE), 4, 22)


def test_rows_of_no_batch_are_as_they_are() -> None:
    rows = given()
    source = AugmentedRows(replace(rows, augmentation=SHIFTED))
    some = np.array([3, 1])
    assert np.array_equal(source.take(some).inputs, seen().inputs[some])
    for _ in source.batches(5, 0, 0):
        assert np.array_equal(source.take(some).inputs, seen().inputs[some])
    assert source.mass() == 22


def test_without_augmentation_it_is_training_on_all_rows() -> None:
    outcomes = [fit(engine(), each, seen(), plan()) for each in (AugmentedRows(given()), seen())]
    assert outcomes[0].history[-1].train_loss == pytest.approx(outcomes[1].history[-1].train_loss, rel=1e-12)
    assert outcomes[0].history[-1].validation_loss == pytest.approx(outcomes[1].history[-1].validation_loss, rel=1e-12)


def test_a_network_of_columns_gets_rows_columns_and_channels_in_order() -> None:
    rows = given()
    columns = replace(_flat(seen()), augmentation=SHIFTED, pictures=rows.inputs)
    source = AugmentedRows(columns)
    flat = source.take(np.array([2])).inputs
    assert np.array_equal(flat[0], rows.inputs.store[2].ravel() / 255 - 0.5)  # type: ignore[attr-defined]
    outcome = fit(engine("fused", mlp(72, (4,), 2)), AugmentedRows(columns), _flat(seen()), plan())
    again = fit(engine("torch", mlp(72, (4,), 2)), AugmentedRows(columns), _flat(seen()), plan())
    assert outcome.history[-1].train_loss == pytest.approx(again.history[-1].train_loss, rel=1e-9)


def _flat(rows: Rows) -> Rows:
    return Rows(inputs=rows.inputs.transpose(0, 2, 3, 1).reshape(len(rows), -1), targets=rows.targets)


def test_any_epoch_can_be_gone_on_from() -> None:
    states: list[State] = []

    def run(start: State | None = None) -> Outcome:
        source = AugmentedRows(replace(given(), augmentation=SHIFTED))
        how = plan(average="ema")
        return fit(engine(), source, seen(), how, start=start, save=lambda state: states.append(state()))

    straight = run()
    for state in states[:3]:
        again = run(state)
        assert all(np.array_equal(again.parameters[n], straight.parameters[n]) for n in straight.parameters)


def test_an_interrupt_ends_what_is_prepared() -> None:
    rows = given(200)
    source = AugmentedRows(replace(rows, augmentation=SHIFTED))
    fit(engine(), source, seen(), plan(), interrupted=lambda: True)
    assert rows.inputs.asked <= 4  # type: ignore[attr-defined]  # the first batch, and two ahead


def test_training_does_see_other_pictures_in_each_epoch() -> None:
    source = AugmentedRows(replace(given(), augmentation=SHIFTED))
    epochs = []
    for epoch in range(2):
        order, inputs = [], []
        for chosen in source.batches(5, 0, epoch):
            order.append(chosen)
            inputs.append(source.take(chosen).inputs)
        epochs.append(np.concatenate(inputs)[np.argsort(np.concatenate(order))])
    assert not np.array_equal(epochs[0], epochs[1])


def test_a_planted_mistake_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches that are prepared with the number of the next."""
    right = pictures.prefetched
    monkeypatch.setattr(
        pictures, "prefetched", lambda items, prepare: right(items, lambda number, item: prepare(number + 1, item))
    )
    with pytest.raises(AssertionError):
        test_every_batch_is_taken_augmented_and_encoded_with_its_targets(True)


def test_large_pictures_are_made_smaller_by_means() -> None:
    picture = np.zeros((2, 70, 100, 3), np.uint8)
    picture[:, :4, :4] = 80  # blocks of 4 × 4
    small = made_smaller(picture, 32)
    assert small.shape == (2, 17, 25, 3)
    assert small[0, 0, 0, 0] == 80
    assert small.sum() == 2 * 3 * 80
    assert np.array_equal(made_smaller(picture[:, :32, :20], 32), picture[:, :32, :20])
