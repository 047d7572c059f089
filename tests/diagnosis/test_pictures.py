"""Findings about networks for pictures: each planted fault is found, and its healthy neighbour is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pellucid.diagnosis import diagnose
from pellucid.diagnosis.evidence import Columns, Evidence, SampleRows
from pellucid.diagnosis.pictures import (
    augmentation_hurts,
    dead_channels,
    kernels_on_padding,
    padded_share,
    shrunk_too_early,
    small_receptive_field,
    too_few_pictures,
)
from pellucid.engines.torch_engine.module import build
from pellucid.network import Conv2d, Dense, Flatten, Layer, Network, cnn, mlp
from pellucid.network.layers import Leaf
from pellucid.settings.settings import Settings
from pellucid.training.history import Epoch
from pellucid.training.signals import LayerSignal, Snapshot

RNG = np.random.default_rng(0)
BASE = float(np.log(2))


def letters(n: int, *, mirrored: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Noisy pictures of 8 × 8: of class 0 a bar and a bow to its right, as of a b; of class 1 a cross.

    With ``mirrored``, class 1 is the mirrored class 0, as a d.
    """
    one, two = np.zeros((8, 8)), np.zeros((8, 8))
    one[:, 1], one[4, 1:5], one[7, 1:5], one[4:, 5] = 1, 1, 1, 1
    two[3:5, :], two[:, 3:5] = 1, 1
    if mirrored:
        two = one[:, ::-1]
    truth = np.arange(n) % 2
    pictures = np.where(truth[:, None, None] == 0, one, two) + 0.2 * RNG.normal(size=(n, 8, 8))
    return pictures.reshape(n, 64), truth


def seen(inputs: np.ndarray, truth: np.ndarray, sure: float = 0.9) -> SampleRows:
    answers = np.where(np.eye(2)[truth] == 1, sure, 1 - sure)
    return SampleRows(inputs=inputs, truth=truth, answers=answers, numbers=np.arange(len(truth)))


def epochs(*losses: tuple[float, float]) -> tuple[Epoch, ...]:
    made = []
    for k, (train, validation) in enumerate(losses, start=1):
        given = {"epoch": k, "train_loss": train * BASE, "validation_loss": validation * BASE}
        made.append(Epoch(**{**dict.fromkeys(Epoch.__dataclass_fields__, 0.0), **given}))
    return tuple(made)


def signal(index: int, units: int, dead: float | None, positions: int) -> LayerSignal:
    return LayerSignal(index=index, units=units, gradient=1.0, weight=1.0, moved=None, spread=1.0, dead=dead,
                       saturated=None, positions=positions)  # fmt: skip


def snapshot(*layers: LayerSignal) -> tuple[Snapshot, ...]:
    return (Snapshot(epoch=8, loss=0.3, layers=layers),)


SETTINGS: dict[str, Any] = {
    **Settings().to_json(),
    "network": "cnn", "channels": (8, 16), "kernel": 3, "depth": 1, "pool": "max", "augment": "none",
    "learning_rate": 0.01, "n_networks": 1, "batch_norm": True, "activation": "relu", "hidden": (), "batch_size": 32,
    "init_scale": 1.0, "patience": 10, "dropout": 0.0, "weight_decay": 0.0, "epochs": 3, "ensemble": "auto",
}  # fmt: skip


@pytest.fixture
def healthy() -> Evidence:
    """A convolutional network that separates two letters."""
    inputs, truth = letters(200)
    other = letters(60)
    return Evidence(
        settings=SETTINGS, kind="binary", classes=("b", "x"), target="letter", n_train=200, n_validation=60,
        n_parameters=500, n_classes_train=(100, 100), history=epochs((0.5, 0.5), (0.2, 0.2), (0.1, 0.1)),
        reason="epochs", snapshots=snapshot(signal(0, 8, 0.0, 64), signal(4, 16, 0.1, 16), signal(8, 1, None, 1)),
        base_loss=BASE, train=seen(inputs, truth), measured=seen(*other), unseen=seen(*other),
        columns=Columns(read={"image": slice(0, 64)}), network=cnn((1, 8, 8), (8, 16), 1), picture=(8, 8, 1),
    )  # fmt: skip


def test_nothing_is_found_where_all_is_well(healthy: Evidence) -> None:
    rules = (dead_channels, kernels_on_padding, shrunk_too_early, small_receptive_field, augmentation_hurts,
             too_few_pictures)  # fmt: skip
    flipped = replace(healthy, augmentation={"flip": "horizontal"})  # a cross stays a cross, and a b is no cross
    for e in (
        healthy,
        replace(healthy, network=mlp(64, [8], 1)),
        replace(healthy, network=None, picture=None),
        flipped,
    ):
        assert [rule(e) for rule in rules] == [None] * len(rules)


@pytest.mark.parametrize(("share", "is_found"), [(0.5, True), (0.25, True), (0.125, False), (0.0, False)])
def test_dead_channels(share: float, is_found: bool, healthy: Evidence) -> None:
    layers = (signal(0, 8, share, 64), signal(4, 16, 0.0, 16), signal(8, 1, None, 1))
    one = dead_channels(replace(healthy, snapshots=snapshot(*layers)))
    assert (one is not None) == is_found
    if one is not None:
        assert one.finding == f"{share:.0%} of the channels of layer 0 are dead."
        assert f"{round(share * 8)} of 8 in layer 0, 0 of 16 in layer 4" in one.evidence
        assert one.change["batch_norm"] is True


def test_units_are_no_channels(healthy: Evidence) -> None:
    layers = (signal(0, 8, 0.0, 64), signal(4, 16, 0.9, 1), signal(8, 1, None, 1))
    assert [f.name for f in diagnose(replace(healthy, snapshots=snapshot(*layers)))] == ["dead-units"]


@pytest.mark.parametrize(
    ("kernel", "channels", "is_found"), [(3, (8, 16), False), (5, (8, 16), False), (9, (8, 16), True)]
)
def test_kernels_on_padding(kernel: int, channels: tuple[int, ...], is_found: bool, healthy: Evidence) -> None:
    one = kernels_on_padding(replace(healthy, network=cnn((1, 8, 8), channels, 1, kernel=kernel)))
    assert (one is not None) == is_found
    if one is not None:
        assert one.finding == "The kernels of layer 4 are too large for its input."
        assert "on maps of 4 × 4" in one.evidence
        assert one.change == {"kernel": 3}
    picture = kernels_on_padding(replace(healthy, network=cnn((1, 8, 8), (8,), 1, kernel=19)))
    assert picture is not None
    assert picture.finding == "The kernels of layer 0 are too large for the picture."
    assert picture.change == {"kernel": 7}


@pytest.mark.parametrize(
    ("shape", "layer"),
    [
        ((1, 5, 7), Conv2d(in_channels=1, out_channels=1, kernel_size=3, padding="same", bias=False)),
        ((1, 4, 4), Conv2d(in_channels=1, out_channels=1, kernel_size=(5, 2), padding=(2, 1), stride=2, bias=False)),
        ((1, 6, 6), Conv2d(in_channels=1, out_channels=1, kernel_size=3, padding=4, dilation=2, bias=False)),
        ((1, 6, 6), Conv2d(in_channels=1, out_channels=1, kernel_size=3, bias=False)),
    ],
)
def test_the_share_on_padding_is_what_ones_lose(shape: tuple[int, ...], layer: Conv2d) -> None:
    """A kernel of ones on a picture of ones counts the pixels that it covers."""
    import torch

    weights = {"0.weight": np.ones((1, 1, *layer.kernel))}
    counted = build(Network(shape=shape, layers=[layer]), weights, torch.float64)(torch.ones((1, *shape)).double())
    covered = float(counted.detach().mean()) / np.prod(layer.kernel)
    assert padded_share(Leaf(name="0", layer=layer, shape=shape)) == pytest.approx(1 - covered)


def to_one(*, late: bool) -> Network:
    """8 → 4 → 2 → 1 positions by strides, then a wide convolution; ``late``: that one comes first."""
    wide = Conv2d(in_channels=8, out_channels=64, kernel_size=3, padding=1)
    strided = [Conv2d(in_channels=c, out_channels=8, kernel_size=2, stride=2) for c in (64 if late else 8, 8, 8)]
    first = Conv2d(in_channels=1, out_channels=8, kernel_size=1)
    layers: list[Layer] = [first, wide, *strided] if late else [first, *strided, wide]
    width = 8 if late else 64
    return Network(shape=(1, 8, 8), layers=[*layers, Flatten(), Dense(inputs=width, outputs=1)])


def test_shrunk_too_early(healthy: Evidence) -> None:
    one = shrunk_too_early(replace(healthy, network=to_one(late=False)))
    assert one is not None
    assert one.finding == "The maps shrink to 1 × 1 before layer 4, too early."
    assert "8 × 8 → 8 × 8 → 4 × 4 → 2 × 2 → 1 × 1" in one.evidence
    assert shrunk_too_early(replace(healthy, network=to_one(late=True))) is None
    names = [each.name for each in diagnose(replace(healthy, network=to_one(late=False)))]
    assert names == ["shrunk-too-early"]  # and nothing of the padding that follows from it


@pytest.mark.parametrize(
    ("side", "head", "loss", "is_found"),
    [(32, "average", 0.6, True), (32, "average", 0.1, False), (32, "flatten", 0.6, False), (16, "average", 0.6, False)],
)
def test_small_receptive_field(side: int, head: str, loss: float, is_found: bool, healthy: Evidence) -> None:
    network = cnn((1, side, side), (8, 16), 1, head=head)  # 8 × 8 pixels
    one = small_receptive_field(replace(healthy, network=network, history=epochs((0.9, 0.9), (loss, loss))))
    assert (one is not None) == is_found
    if one is not None:
        assert "8 × 8 of 32 × 32 pixels" in one.evidence
        # Wider by the change: kernels of 7 see 7, 8 and then 8 + 6 · 2 = 20 pixels.
        assert one.change == {"depth": 2}


@pytest.mark.parametrize("mirrored", [True, False])
def test_flips_that_turn_a_class_into_another(mirrored: bool, healthy: Evidence) -> None:
    train, unseen = letters(200, mirrored=mirrored), letters(60, mirrored=mirrored)
    e = replace(healthy, train=seen(*train), unseen=seen(*unseen), augmentation={"shift": 1, "flip": "horizontal"})
    one = augmentation_hurts(e)
    assert (one is not None) == mirrored
    assert one is None or one.change == {"augment": "shift"}
    assert augmentation_hurts(replace(e, augmentation={"shift": 1})) is None
    upside_down = augmentation_hurts(replace(e, augmentation={"flip": "vertical"}))
    assert upside_down is None  # a p or a q is neither b nor d, and still nearer to its own


@pytest.mark.parametrize(
    ("augmented", "plain", "is_found"),
    [(0.9, 0.5, True), (0.6, 0.5, False), (0.9, 0.2, False)],
    ids=["too strong", "mild", "of use against overfitting"],
)
def test_augmentation_that_is_too_strong(augmented: float, plain: float, is_found: bool, healthy: Evidence) -> None:
    """Shares of the base loss: of augmented and of plain training pictures; unseen ones have 0.55."""
    train = seen(*letters(200), sure=float(np.exp(-plain * BASE)))
    e = replace(healthy, train=train, history=epochs((1.0, 0.9), (augmented, 0.55)), augmentation={"erase": 0.9})
    one = augmentation_hurts(e)
    assert (one is not None) == is_found
    assert one is None or one.change == {"augment": "none"}


@pytest.mark.parametrize(("counts", "is_found"), [((190, 4), True), ((190, 12), False), ((190, 0), False)])
def test_too_few_pictures(counts: tuple[int, int], is_found: bool, healthy: Evidence) -> None:
    e = replace(healthy, n_classes_train=counts, n_train=max(sum(counts), 400))
    one = too_few_pictures(e)
    assert (one is not None) == is_found
    if one is not None:
        assert "the fewest, 4, are of 'x'" in one.evidence
        assert one.change == {"augment": "auto", "n_networks": 5}
    assert too_few_pictures(replace(e, picture=None)) is None


def test_dead_channels_make_no_augmentation_too_strong(healthy: Evidence) -> None:
    """They learn nothing, so training pictures look hard for another reason."""
    e = replace(
        healthy, train=seen(*letters(200), sure=float(np.exp(-0.5 * BASE))), augmentation={"erase": 0.9},
        history=epochs((1.0, 0.9), (0.9, 0.55)),
    )  # fmt: skip
    assert [f.name for f in diagnose(e)] == ["augmentation-hurts"]
    dead = snapshot(signal(0, 8, 0.0, 64), signal(4, 16, 0.9, 16), signal(8, 1, None, 1))
    assert [f.name for f in diagnose(replace(e, snapshots=dead))] == ["dead-channels"]
