"""Findings about networks for pictures: dead channels, kernels on padding, lost positions, narrow views, augmentation.

Legend: ``n`` pictures of H × W pixels, ``F`` = H·W·channels features.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.diagnosis.evidence import Evidence
from pellucid.diagnosis.finding import Finding, shown_share
from pellucid.diagnosis.rows import too_few_rows
from pellucid.explanation.receptive_fields import receptive_fields
from pellucid.network import GlobalAvgPool, Leaf, Network, cnn
from pellucid.network.layers.convolution import Convolution

__all__ = [
    "augmentation_hurts",
    "dead_channels",
    "kernels_on_padding",
    "padded_share",
    "shrunk_too_early",
    "small_receptive_field",
    "too_few_pictures",
]

Array = NDArray[Any]

_DEAD = 0.25  # of a layer's channels
_USUAL_RATE = 0.003
_ON_PADDING = 0.6  # of what a kernel covers
_MOST_WEIGHTS = 0.5
_NARROW, _WIDE = 1 / 3, 1 / 2  # of the picture
_UNSOLVED = 0.2  # of the base loss
_FEW_PICTURES = 10  # of a class
_RECOGNISED, _LOST = 0.75, 0.1  # shares of the pictures
_AS_NEAR = 0.9  # quantile of the distances of unseen pictures to their nearest training picture
_TOO_HARD, _NO_GAP = 1.5, 0.1  # training loss ÷ validation loss; difference of losses as a share of the base loss
_COMPARED = 500  # pictures


def dead_channels(e: Evidence) -> Finding | None:
    """Channels that are 0 at every position of every picture get no gradient and never recover."""
    snapshot = e.last_snapshot
    dead = [layer for layer in e.hidden(snapshot) if layer.positions > 1 and layer.dead is not None]
    worst = max(dead, key=lambda layer: layer.dead or 0.0, default=None)
    share = 0.0 if worst is None else worst.dead or 0.0
    if snapshot is None or worst is None or share < _DEAD:
        return None
    rate = min(_USUAL_RATE, float(f"{e.settings['learning_rate'] / 10:.2g}"))
    counts = ", ".join(
        f"{round((layer.dead or 0.0) * layer.units)} of {layer.units} in layer {layer.index}" for layer in dead
    )
    return Finding(
        name="dead-channels",
        finding=f"{shown_share(share)} of the channels of layer {worst.index} are dead.",
        evidence=(
            f"after epoch {snapshot.epoch} they are 0 at every position of every "
            f"{'picture' if e.sequence is None else 'row'} of the sample: {counts}"
        ),
        consequence="these channels no longer learn, so the network is in effect narrower",
        fix=f"BatchNorm, an activation with a slope everywhere (silu), and a learning rate of {rate:g}",
        change={"batch_norm": True, "activation": "silu", "learning_rate": rate},
    )


def kernels_on_padding(e: Evidence) -> Finding | None:
    """A kernel that is wider than its input covers mostly padding, whose zeros teach its outer weights nothing."""
    worst = max(_convolutions(e.network), key=padded_share, default=None)
    if worst is None or padded_share(worst) <= _ON_PADDING:
        return None
    layer, extents = worst.layer, worst.shape[1:]
    assert isinstance(layer, Convolution)
    whose = "its input" if worst.name != "0" else "the picture" if e.sequence is None else "the series"
    fitting = _odd(min(extents))
    by_settings = e.settings.get("network") != "mlp" and "kernel" in e.settings
    return Finding(
        name="kernel-wider-than-its-input",
        finding=f"The kernels of layer {worst.name} are too large for {whose}.",
        evidence=(
            f"{layer.words()} stands on maps of {_times(extents)}: {shown_share(padded_share(worst))} of what its "
            "kernels cover is padding"
        ),
        consequence="weights that only meet zeros learn nothing, and each output sees little but the border",
        fix=f"kernels of {fitting}, or fewer stages that halve the maps before this layer",
        change={"kernel": fitting} if by_settings else {},
    )


def shrunk_too_early(e: Evidence) -> Finding | None:
    """Where the maps are down to one position, further convolutions are dense layers: nothing is shared any more."""
    layers = _convolutions(e.network)
    if e.network is None or not layers or prod(e.network.shape[1:]) == 1:
        return None
    weights = [sum(p.size for p in leaf.layer.parameters(leaf.shape) if p.trainable) for leaf in layers]
    single = [prod(leaf.shape[1:]) == 1 for leaf in layers]
    share = sum(w for w, one in zip(weights, single, strict=True) if one) / sum(weights)
    if share <= _MOST_WEIGHTS:
        return None
    first, what = layers[single.index(True)], "picture" if e.sequence is None else "row"
    return Finding(
        name="shrunk-too-early",
        finding=f"The maps shrink to {_times(first.shape[1:])} before layer {first.name}, too early.",
        evidence=(
            f"{shown_share(share)} of the weights of the convolutions come after the last position is lost "
            f"({' → '.join(_times(leaf.shape[1:]) for leaf in layers)})"
        ),
        consequence=f"where something is in the {what} no longer counts for most of the network, and nothing is shared "
        "over positions there",
        fix="fewer or weaker poolings and strides, or padding, so that the last maps have 4 to 8 positions a side",
    )


def small_receptive_field(e: Evidence) -> Finding | None:
    """With a global average, each position votes for itself; if it sees little of the picture, so does the network."""
    if e.network is None or not e.history or e.reason == "diverged":
        return None
    share, extent = _view_of(e.network)
    left = float(e.validation_losses[e.best]) / e.base_loss if e.base_loss else 0.0
    if extent is None or share >= _NARROW or left <= _UNSOLVED:
        return None
    change = _wider(e)
    how = ", ".join(f"{name} {value}" for name, value in change.items())
    return Finding(
        name="receptive-field-too-small",
        finding="No position of the last maps sees more than a small part of the picture.",
        evidence=(
            f"its receptive field is {_times(extent)} of {_times(e.network.shape[1:])} pixels, and the head averages "
            f"over the positions; the validation loss is {shown_share(min(1.0, left))} of that of a constant prediction"
        ),
        consequence="shapes larger than that, and how parts lie to each other, cannot be recognised",
        fix=f"more or wider convolutions{f' ({how})' if how else ''}, or a head that keeps the positions",
        change=change,
    )


def augmentation_hurts(e: Evidence) -> Finding | None:
    """Augmented pictures that no longer look like their class, or are harder than they are of use."""
    if e.picture is None or not e.augmentation or not e.is_classification or not e.history:
        return None
    return _turned_into_others(e) or _too_strong(e)


def too_few_pictures(e: Evidence) -> Finding | None:
    """So few pictures of a class that the network learns them by heart."""
    if e.picture is None or not e.is_classification or too_few_rows(e) is not None:
        return None
    counts = np.array(e.n_classes_train)
    there = np.flatnonzero(counts)
    if len(there) < 2 or counts[there].min() >= _FEW_PICTURES:
        return None
    rarest, fewest = e.classes[int(there[counts[there].argmin()])], int(counts[there].min())
    few = int((counts[there] < _FEW_PICTURES).sum())
    plain = e.settings.get("augment") == "none"
    return Finding(
        name="too-few-pictures",
        finding=f"{few:,} of {len(there):,} classes have fewer than {_FEW_PICTURES} pictures to learn from.",
        evidence=f"the fewest, {fewest}, are of {rarest!r}; the median is {np.median(counts[there]):g}",
        consequence="the network learns these pictures by heart rather than what they have in common",
        fix="more pictures of these classes; until then augmentation, and the mean of several networks",
        change={**({"augment": "auto"} if plain else {}), "n_networks": max(5, int(e.settings["n_networks"]))},
    )


def padded_share(leaf: Leaf) -> float:
    """How much of what a convolution's kernels cover is padding, over all positions; 0 for other layers.

    >>> from pellucid.network import Conv2d
    >>> layer = Conv2d(in_channels=1, out_channels=1, kernel_size=3, padding="same")
    >>> round(padded_share(Leaf(name="0", layer=layer, shape=(1, 2, 2))), 3)  # 4 of 9, everywhere
    0.556
    """
    layer = leaf.layer
    if not isinstance(layer, Convolution):
        return 0.0
    inside, after = 1.0, layer.output_shape(leaf.shape)[1:]
    axes = zip(leaf.shape[1:], after, layer.kernel, layer.strides, layer.dilations, layer.pads, strict=True)
    for n, positions, kernel, stride, dilation, (before, _) in axes:
        taps = np.arange(positions)[:, np.newaxis] * stride - before + np.arange(kernel) * dilation
        inside *= float(((taps >= 0) & (taps < n)).mean())
    return 1 - inside


def _turned_into_others(e: Evidence) -> Finding | None:
    """Whether mirrored pictures look like other classes: judged by the nearest training picture."""
    flip = str(e.augmentation.get("flip", ""))
    if not flip or e.picture is None or len(e.unseen) < _FEW_PICTURES:
        return None
    among, labels = e.train.inputs, e.train.truth.astype(np.int64)
    few = np.linspace(0, len(e.unseen) - 1, min(len(e.unseen), _COMPARED)).astype(np.int64)
    pictures, truth = e.unseen.inputs[few], e.unseen.truth[few].astype(np.int64)
    axis = 1 if flip == "vertical" else 2
    mirrored = np.flip(pictures.reshape(len(few), *e.picture), axis=axis).reshape(len(few), -1)
    near, distances = _nearest(pictures, among)
    reach, other = float(np.quantile(distances, _AS_NEAR)), labels[near] != truth
    plain = float((other & (distances <= reach)).mean())
    near, distances = _nearest(mirrored, among)
    turned = float(((labels[near] != truth) & (distances <= reach)).mean())
    if 1 - other.mean() < _RECOGNISED or turned < plain + _LOST:
        return None
    others = [kind for kind in e.augmentation if kind != "flip"]
    return Finding(
        name="augmentation-hurts",
        finding="Mirrored pictures look like other classes.",
        evidence=(
            f"{shown_share(turned)} of the unseen pictures, once mirrored, are as near to a training picture of "
            f"another class as unseen ones are to any; unmirrored it is {shown_share(plain)}"
        ),
        consequence="in training, mirrored pictures keep their label, so the network learns to confuse these classes",
        fix="augmentation without flips",
        change={"augment": ",".join(others) if others else "none"},
    )


def _too_strong(e: Evidence) -> Finding | None:
    """Whether the network fits its plain training pictures no better than unseen ones, but augmented ones far worse."""
    if not e.n_validation or e.base_loss <= 0:
        return None
    last = float(e.train_losses[e.best])
    unseen = float(e.validation_losses[e.best])
    truth = e.train.truth.astype(np.int64)
    plain = float(-np.log(np.clip(e.train.answers[np.arange(len(truth)), truth], 1e-12, None)).mean())
    if last < _TOO_HARD * unseen or unseen - plain > _NO_GAP * e.base_loss or unseen < _UNSOLVED * e.base_loss:
        return None
    return Finding(
        name="augmentation-hurts",
        finding="The augmentation is too strong.",
        evidence=(
            f"on augmented training pictures the loss is {last:.3g}, on the same pictures unchanged {plain:.3g}, on "
            f"unseen ones {unseen:.3g}: there is no overfitting left to prevent"
        ),
        consequence="the network spends its weights on pictures that do not occur",
        fix="weaker augmentation, or none",
        change={"augment": "none"},
    )


def _nearest(rows: Array, among: Array) -> tuple[Array, Array]:
    """Of each row the nearest among others, by its place, and the distance."""
    x, y = rows.astype(np.float64), among.astype(np.float64)
    near = ((y**2).sum(axis=1) - 2 * x @ y.T).argmin(axis=1)
    return near, np.sqrt(np.square(x - y[near]).sum(axis=1))


def _convolutions(network: Network | None) -> Sequence[Leaf]:
    return () if network is None else [leaf for leaf in network.leaves() if isinstance(leaf.layer, Convolution)]


def _view_of(network: Network) -> tuple[float, tuple[int, ...] | None]:
    """How much of the picture a position of the last maps covers, if the head averages over positions."""
    heads = [index for index, layer in enumerate(network.layers) if isinstance(layer, GlobalAvgPool)]
    if not heads or heads[0] == 0 or len(network.shape) < 3:
        return 1.0, None
    field = receptive_fields(network)[str(heads[0] - 1)]
    return field.share, field.extent


def _wider(e: Evidence) -> dict[str, Any]:
    """The smallest change of the settings by which the last maps cover half of the picture; empty if none is found."""
    s, network = e.settings, e.network
    if network is None or not s.get("channels"):
        return {}
    depth, kernel = int(s.get("depth") or 1), int(s.get("kernel") or 3)
    for more in _candidates(depth, kernel):
        other = cnn(
            network.shape, tuple(s["channels"]), network.outputs, pool=str(s.get("pool", "max")),
            kernel=more.get("kernel", kernel), depth=more.get("depth", depth),
        )  # fmt: skip
        if _view_of(other)[0] >= _WIDE:
            return more
    return {}


def _candidates(depth: int, kernel: int) -> Iterator[dict[str, int]]:
    for far in (1, 2, 3):
        yield {"depth": depth + far}
        yield {"kernel": kernel + 2 * far}


def _odd(number: int) -> int:
    return max(1, number if number % 2 else number - 1)


def _times(numbers: Sequence[int]) -> str:
    return " × ".join(map(str, numbers))
