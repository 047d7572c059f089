"""Findings about the layers: units that do not learn, vanishing or exploding gradients, badly scaled weights."""

from __future__ import annotations

import numpy as np

from pellucid.diagnosis.evidence import Evidence
from pellucid.diagnosis.finding import Finding, shown_share

__all__ = [
    "bad_first_scale",
    "dead_units",
    "exploding_gradients",
    "saturated_units",
    "tiny_norm_batches",
    "vanishing_gradients",
]

_USUAL_RATE = 0.003  # a learning rate at which units rarely die
_DEAD = 0.5
_SATURATED = 0.5
_FADES = 1e-3  # the first layer's gradient divided by the last layer's
_GROWS = 30.0
_DEEP = 5  # layers; with fewer, the scale of the weights is the cause
_HIGH_LOSS = 6.0  # times the base loss, before training
_WIDE, _NARROW = 8.0, 0.02  # standard deviation of a layer's outputs before training
_FEW_FOR_NORM = 8


def dead_units(e: Evidence) -> Finding | None:
    """ReLU units that are 0 for every row get no gradient and never recover."""
    snapshot = e.last_snapshot
    dead = [
        (layer.index, layer.dead) for layer in e.hidden(snapshot) if layer.dead is not None and layer.positions == 1
    ]
    if not dead or max(share for _, share in dead) < _DEAD:
        return None
    index, share = max(dead, key=lambda found: found[1])
    assert snapshot is not None
    rate = min(_USUAL_RATE, float(f"{e.settings['learning_rate'] / 10:.2g}"))
    return Finding(
        name="dead-units",
        finding=f"{shown_share(share)} of the ReLU units of layer {index} are dead.",
        evidence=f"after epoch {snapshot.epoch} their output is 0 for every row of the sample, and so is their slope",
        consequence="these units no longer learn, so the network is in effect narrower",
        fix=(
            f"an activation with a slope everywhere (leaky_relu or silu), a learning rate of {rate:g}, and the mean of "
            "several networks"
        ),
        change={
            "activation": "silu",
            "learning_rate": rate,
            "n_networks": max(4, int(e.settings["n_networks"])),
        },
    )


def saturated_units(e: Evidence) -> Finding | None:
    """Sigmoid and tanh units near the ends of their range have almost no slope."""
    snapshot = e.last_snapshot
    full = [(layer.index, layer.saturated) for layer in e.hidden(snapshot) if layer.saturated is not None]
    if not full or max(share for _, share in full) < _SATURATED:
        return None
    index, share = max(full, key=lambda found: found[1])
    function = e.settings["activation"]
    return Finding(
        name="saturated-units",
        finding=f"The {function} units of layer {index} are saturated.",
        evidence=f"{shown_share(share)} of their outputs are within 1 % of the ends of their range",
        consequence="there the slope is almost 0, so the layers before learn almost nothing",
        fix="smaller initial weights, inputs on one scale, or an activation that does not saturate, such as silu",
        change={"activation": "silu", "init_scale": 1.0, "scaling": "robust"},
    )


def vanishing_gradients(e: Evidence) -> Finding | None:
    """From the last layer to the first, the gradient vanishes."""
    snapshot = e.first_snapshot
    layers = e.weighted(snapshot)
    if len(layers) < 3 or e.settings.get("forecast") is not None:
        return None  # a forecast begins as a line, beside which the layers are still
    first, last = layers[0].gradient, layers[-1].gradient
    if not last or not first < _FADES * last or bad_first_scale(e):
        return None
    return Finding(
        name="vanishing-gradients",
        finding="The gradient vanishes on its way back to the first layer.",
        evidence=(
            f"before training it is {last:.1e} at the last of {len(layers)} layers, but {first:.1e} at the first"
        ),
        consequence="the first layers hardly learn, so the later layers learn from nearly random features",
        fix="silu or relu instead of sigmoid, and fewer layers",
        change={"activation": "silu", "hidden": tuple((e.settings["hidden"] or ())[:2])},
    )


def exploding_gradients(e: Evidence) -> Finding | None:
    """From the last layer to the first, the gradient grows without bound."""
    snapshot = e.first_snapshot
    layers = e.weighted(snapshot)
    if len(layers) < _DEEP:
        return None
    middle = [layer.spread for layer in layers]
    grows = float(np.exp(np.mean(np.diff(np.log(np.maximum(middle, 1e-30))))))
    if not np.isfinite(grows) or grows < 2.0 or middle[-1] < _GROWS:
        return None
    return Finding(
        name="exploding-gradients",
        finding="Signals and gradients grow from layer to layer.",
        evidence=(
            f"before training, a layer multiplies the signal by {grows:.1f} on average: the last layer's output has a "
            f"spread of {middle[-1]:.3g}, and the gradient at the first layer is {layers[0].gradient:.1e}"
        ),
        consequence="the first steps change the weights far too much, so training fails or is slow",
        fix="initial weights of the usual scale, BatchNorm, and gradient clipping",
        change={"init_scale": 1.0, "init": "auto", "clip_norm": 1.0},
    )


def bad_first_scale(e: Evidence) -> Finding | None:
    """Initial weights that are far too large or too small."""
    snapshot = e.first_snapshot
    if snapshot is None or exploding_gradients(e):
        return None
    spreads = [layer.spread for layer in e.weighted(snapshot)]
    too_large = snapshot.loss > _HIGH_LOSS * e.base_loss and max(spreads) > _WIDE
    too_small = len(spreads) > 1 and spreads[-2] < _NARROW and e.settings["init_scale"] < 1
    if not (too_large or too_small):
        return None
    size = "large" if too_large else "small"
    shown = f"the loss is {snapshot.loss:.3g}, while a constant prediction has {e.base_loss:.3g}; "
    seen = ", ".join(f"{spread:.2g}" for spread in spreads)
    return Finding(
        name="bad-initial-scale",
        finding=f"The initial weights are too {size}.",
        evidence=f"before training: {shown if too_large else ''}the layers' outputs have spreads of {seen}",
        consequence="much of the training is spent on correcting them"
        if too_large
        else "all rows look nearly the same to the network, and its gradients are almost 0",
        fix="the usual scale for the activation: init auto, init_scale 1",
        change={"init": "auto", "init_scale": 1.0},
    )


def tiny_norm_batches(e: Evidence) -> Finding | None:
    """BatchNorm takes mean and variance from each batch; with few rows they are mostly noise."""
    size = min(int(e.settings["batch_size"] or e.n_train), e.n_train)
    if not e.settings["batch_norm"] or size >= _FEW_FOR_NORM:
        return None
    return Finding(
        name="tiny-batches-with-batch-norm",
        finding=f"BatchNorm is used with batches of only {size} rows.",
        evidence=f"each mean and variance is computed from {size} rows, so it is off by about {1 / np.sqrt(size):.0%}",
        consequence="training is very noisy, and the network computes something else when it predicts",
        fix="batches of 32 rows or more, or no BatchNorm",
        change={"batch_size": min(32, e.n_train)},
    )
