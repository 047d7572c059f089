"""Findings about the layers: units that do not learn, gradients that fade or grow, first weights out of scale."""

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

_USUAL_RATE = 0.003  # at which units seldom die
_DEAD = 0.5
_SATURATED = 0.5
_FADES = 1e-3  # first layer's gradient for each of the last one's
_GROWS = 30.0
_DEEP = 5  # layers; in fewer it is their scale that is wrong
_HIGH_LOSS = 6.0  # of the base loss, before training
_WIDE, _NARROW = 8.0, 0.02  # standard deviation that a layer gives to the next, before training
_FEW_FOR_NORM = 8


def dead_units(e: Evidence) -> Finding | None:
    """ReLU units that are 0 for every row get no gradient and never come back."""
    snapshot = e.last_snapshot
    dead = [(layer.index, layer.dead) for layer in e.hidden(snapshot) if layer.dead is not None]
    if not dead or max(share for _, share in dead) < _DEAD:
        return None
    index, share = max(dead, key=lambda found: found[1])
    assert snapshot is not None
    rate = min(_USUAL_RATE, float(f"{e.settings['learning_rate'] / 10:.2g}"))
    return Finding(
        name="dead-units",
        finding=f"{shown_share(share)} of the ReLU units of layer {index} are dead.",
        evidence=f"after epoch {snapshot.epoch} they give 0 for every row of the sample, where their slope is 0",
        consequence="they learn nothing more, and the network is as if it were that much narrower",
        fix=(
            f"an activation with a slope everywhere, leaky_relu or silu, a learning rate of {rate:g}, and the mean of "
            "several networks"
        ),
        change={
            "activation": "silu",
            "learning_rate": rate,
            "n_networks": max(4, int(e.settings["n_networks"])),
        },
    )


def saturated_units(e: Evidence) -> Finding | None:
    """Sigmoids and tanhs at the ends of their range have almost no slope."""
    snapshot = e.last_snapshot
    full = [(layer.index, layer.saturated) for layer in e.hidden(snapshot) if layer.saturated is not None]
    if not full or max(share for _, share in full) < _SATURATED:
        return None
    index, share = max(full, key=lambda found: found[1])
    function = e.settings["activation"]
    return Finding(
        name="saturated-units",
        finding=f"The {function} units of layer {index} are saturated.",
        evidence=f"{shown_share(share)} of their values are within 1 % of the ends of their range",
        consequence="there the slope is almost 0, so the layers before learn next to nothing",
        fix="smaller first weights, inputs on one scale, or an activation without ends, such as silu",
        change={"activation": "silu", "init_scale": 1.0, "scaling": "robust"},
    )


def vanishing_gradients(e: Evidence) -> Finding | None:
    """From the last layer to the first the gradient fades to nothing."""
    snapshot = e.first_snapshot
    if snapshot is None or len(snapshot.layers) < 3:
        return None
    first, last = snapshot.layers[0].gradient, snapshot.layers[-1].gradient
    if not last or not first < _FADES * last or bad_first_scale(e):
        return None
    return Finding(
        name="vanishing-gradients",
        finding="The gradient fades on its way to the first layer.",
        evidence=(
            f"before training it is {last:.1e} at the last of {len(snapshot.layers)} layers, "
            f"and {first:.1e} at the first"
        ),
        consequence="the first layers hardly learn, and the others learn from what those make of the rows by chance",
        fix="silu or relu in place of a sigmoid, and fewer layers",
        change={"activation": "silu", "hidden": tuple(e.settings["hidden"][:2])},
    )


def exploding_gradients(e: Evidence) -> Finding | None:
    """From the last layer to the first the gradient grows out of bounds."""
    snapshot = e.first_snapshot
    if snapshot is None or len(snapshot.layers) < _DEEP:
        return None
    middle = [layer.spread for layer in snapshot.layers]
    grows = float(np.exp(np.mean(np.diff(np.log(np.maximum(middle, 1e-30))))))
    if not np.isfinite(grows) or grows < 2.0 or middle[-1] < _GROWS:
        return None
    return Finding(
        name="exploding-gradients",
        finding="Signals and gradients grow from layer to layer.",
        evidence=(
            f"before training a layer multiplies the signal by {grows:.1f} on average: it leaves the last one with a "
            f"spread of {middle[-1]:.3g}, and the gradient at the first layer is {snapshot.layers[0].gradient:.1e}"
        ),
        consequence="the first steps throw the weights far off, and training is lost or slow",
        fix="first weights of the usual scale, BatchNorm, and a limit to the gradient's norm",
        change={"init_scale": 1.0, "init": "auto", "clip_norm": 1.0},
    )


def bad_first_scale(e: Evidence) -> Finding | None:
    """First weights that are far too large or too small."""
    snapshot = e.first_snapshot
    if snapshot is None or exploding_gradients(e):
        return None
    spreads = [layer.spread for layer in snapshot.layers]
    too_large = snapshot.loss > _HIGH_LOSS * e.base_loss and max(spreads) > _WIDE
    too_small = len(spreads) > 1 and spreads[-2] < _NARROW and e.settings["init_scale"] < 1
    if not (too_large or too_small):
        return None
    size = "large" if too_large else "small"
    shown = f"a loss of {snapshot.loss:.3g}, where an answer that looks at no column has {e.base_loss:.3g}; "
    seen = ", ".join(f"{spread:.2g}" for spread in spreads)
    return Finding(
        name="bad-initial-scale",
        finding=f"The first weights are too {size}.",
        evidence=f"before training: {shown if too_large else ''}the layers give values with spreads of {seen}",
        consequence="much of the training goes into undoing them"
        if too_large
        else "all rows look nearly the same to the network, and its gradients are almost 0",
        fix="the usual scale for the activation: init auto, init_scale 1",
        change={"init": "auto", "init_scale": 1.0},
    )


def tiny_norm_batches(e: Evidence) -> Finding | None:
    """BatchNorm takes mean and variance from each batch; from a few rows they are mostly noise."""
    size = min(int(e.settings["batch_size"] or e.n_train), e.n_train)
    if not e.settings["batch_norm"] or size >= _FEW_FOR_NORM:
        return None
    return Finding(
        name="tiny-batches-with-batch-norm",
        finding=f"BatchNorm learns from batches of {size} rows.",
        evidence=f"each mean and variance comes from {size} rows, so it is wrong by about {1 / np.sqrt(size):.0%}",
        consequence="what the network sees in training is mostly noise, and differs from what it sees when it predicts",
        fix="batches of 32 rows or more, or no BatchNorm",
        change={"batch_size": min(32, e.n_train)},
    )
