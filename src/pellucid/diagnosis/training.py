"""Findings about the training: learning rates that do not fit, divergence, stopping too early, overfitting."""

from __future__ import annotations

import numpy as np

from pellucid.diagnosis.evidence import Evidence
from pellucid.diagnosis.finding import Finding

__all__ = ["diverging", "overfitting", "rate_too_high", "rate_too_low", "stopped_early"]

_FAST = 0.25  # ‖ΔW‖/‖W‖ of one epoch after the third: the weights change too fast to converge
_REPLACED = 0.75  # the same for any epoch: almost nothing of the old weights is left
_BLOWN_UP = 10.0  # times the base loss
_SLOW = 0.005  # the same for the fastest epoch: the weights hardly moved
_BRISK = 0.05  # the same, as it should be
_STILL_FALLING = 0.02  # share of the base loss by which the last fifth of the epochs lowered the loss
_STILL_FALLING_IN_A_CYCLE = 0.1  # the same where the falling rate itself lowers the loss
_STILL_FASTER = 0.25  # or this share of the whole improvement
# Shares of the base loss by which the validation loss rose after its best epoch, and the training loss's share of it.
# A squared error rises more slowly than a log loss, which penalises confident mistakes without bound.
_TURNED_UP, _TURNED_UP_GENTLY, _BY_HEART = 0.3, 0.08, 0.1
_STEEPLY, _HALF_BY_HEART = 3.0, 0.5  # this many times that rise; then a larger share is enough


def diverging(e: Evidence) -> Finding | None:
    """The loss became NaN or infinite, or ended far above that of a constant prediction."""
    rate = e.settings["learning_rate"]
    last = float(np.median(e.train_losses[-3:])) if len(e.train_losses) else np.inf
    if e.reason == "diverged":
        seen = f"the loss became NaN or infinite in epoch {len(e.history) + 1}"
    elif len(e.history) >= 3 and float(e.train_losses[1:].max()) > _BLOWN_UP * e.base_loss:
        seen = f"the training loss reached {e.train_losses.max():.3g}; a constant prediction has {e.base_loss:.3g}"
    elif len(e.history) >= 3 and last > 3 * e.base_loss and last > float(e.train_losses.min()) * 1.5:
        seen = (
            f"the training loss ends at {last:.3g}; a constant prediction has {e.base_loss:.3g}, and the lowest was "
            f"{e.train_losses.min():.3g}"
        )
    else:
        return None
    return Finding(
        name="diverging",
        finding=f"Training diverges at learning rate {rate:g}.",
        evidence=seen,
        consequence="each step overshoots the minimum by more than the last, and what was learned is lost",
        fix=f"a learning rate of {rate / 10:g} and gradient clipping",
        change={"learning_rate": _round(rate / 10), "clip_norm": 1.0},
    )


def rate_too_high(e: Evidence) -> Finding | None:
    """Steps so large that they replace the weights instead of improving them."""
    moves = _moves(e)
    if not moves or e.reason == "diverged" or (_one_cycle(e) and e.best >= 0.8 * len(e.history) - 1):
        return None  # a cycle begins with large steps on purpose and ends with small ones
    rate, (epoch, moved) = e.settings["learning_rate"], max(moves, key=lambda each: each[1])
    if moved < _REPLACED:
        epoch, moved = max(((n, m) for n, m in moves if n > 3), key=lambda each: each[1], default=(0, 0.0))
        if moved < _FAST:
            return None
    return Finding(
        name="learning-rate-too-high",
        finding=f"The learning rate {rate:g} is too high.",
        evidence=f"epoch {epoch} alone changes the weights by {moved:.0%} of their size",
        consequence="the weights jump around and do not converge, so the loss stays higher than necessary",
        fix=f"a tenth of it, {_round(rate / 10):g}; 'pellucid lr' finds a good rate with a range test",
        change={"learning_rate": _round(rate / 10)},
    )


def rate_too_low(e: Evidence) -> Finding | None:
    """Steps so small that the weights hardly change."""
    if len(e.history) < 2 or e.first_snapshot is None or e.reason == "diverged":
        return None
    moved = max((pair[1] for pair in _moves(e)), default=None)
    if moved is None or moved > _SLOW or not _falling(e) or e.best < 0.9 * len(e.history) - 1:
        return None
    rate = e.settings["learning_rate"]
    better = _round(rate * float(np.clip(_BRISK / max(moved, 1e-12), 10, 1_000)))
    return Finding(
        name="learning-rate-too-low",
        finding=f"The learning rate {rate:g} is too low.",
        evidence=(
            f"an epoch changes the weights by at most {moved:.2%} of their size; after {len(e.history):,} epochs the "
            f"loss is still falling, from {e.validation_losses[0]:.3g} to {e.validation_losses[-1]:.3g}"
        ),
        consequence="training ends long before the network has learned what it could",
        fix=f"{better / rate:,.0f} times as much: {better:g}",
        change={"learning_rate": better},
    )


def stopped_early(e: Evidence) -> Finding | None:
    """The last epoch was the best, and the loss was still falling clearly."""
    epochs = len(e.history)
    if e.reason != "all epochs done" or rate_too_low(e) or epochs < 2 or e.best < epochs - 1 - epochs // 20:
        return None
    losses = e.validation_losses
    fifth = max(1, epochs // 5)
    fell = float(losses[-1 - fifth] - losses[-1]) / e.base_loss
    whole = float(losses[0] - losses[-1]) / e.base_loss
    if fell < _STILL_FALLING and not (fell > 0.002 and fell > _STILL_FASTER * whole):
        return None
    if _one_cycle(e) and fell < _STILL_FALLING_IN_A_CYCLE:
        return None
    return Finding(
        name="stopped-too-early",
        finding=f"Training stopped too early, after {epochs:,} epochs.",
        evidence=(
            f"the best epoch is {e.best + 1:,}, and {_last(fifth)} alone lowered the loss by {fell:.1%} of the loss of "
            "a constant prediction"
        ),
        consequence="the network had not finished learning",
        fix=f"{4 * epochs:,} epochs",
        change={"epochs": 4 * epochs},
    )


def _last(epochs: int) -> str:
    return "the last epoch" if epochs == 1 else f"the last {epochs:,} epochs"


def overfitting(e: Evidence) -> Finding | None:
    """The network overfits the training rows.

    Not reported for an ensemble by folds: each network keeps its best epoch by its own validation rows, and their mean
    is already the fix.
    """
    if not e.n_validation or len(e.history) < 3 or e.settings["ensemble"] == "folds":
        return None
    losses, best = e.validation_losses, e.best
    rise = float(losses[-1] - losses[best]) / e.base_loss
    least = _TURNED_UP if e.is_classification else _TURNED_UP_GENTLY
    left = _HALF_BY_HEART if rise > _STEEPLY * least else _BY_HEART
    if rise < least or float(e.train_losses[-1]) > left * float(losses[-1]):
        return None
    dropout = max(0.3, float(e.settings["dropout"]))
    return Finding(
        name="overfitting",
        finding="The network overfits: it memorises the training rows.",
        evidence=(
            f"the training loss falls to {e.train_losses[-1]:.3g}, the validation loss rises from {losses[best]:.3g} "
            f"(epoch {best + 1}) to {losses[-1]:.3g} (epoch {len(losses)})"
        ),
        consequence="on rows that it has not seen it gets worse"
        + (", and overconfident" if e.is_classification else ""),
        fix="dropout, weight decay and the mean of several networks; more rows help most",
        change={
            "dropout": dropout,
            "optimizer": "adamw",
            "weight_decay": max(0.1, float(e.settings["weight_decay"])),
            "n_networks": max(8, int(e.settings["n_networks"])),
        },
    )


def _moves(e: Evidence) -> list[tuple[int, float]]:
    """Epochs with a snapshot before and after, and how much they changed the weights: the median over layers."""
    return [
        (snapshot.epoch, float(np.median([layer.moved for layer in snapshot.layers if layer.moved is not None])))
        for snapshot in e.snapshots
        if any(layer.moved is not None for layer in snapshot.layers)
    ]


def _one_cycle(e: Evidence) -> bool:
    return bool(e.settings["schedule"] == "one_cycle")


def _falling(e: Evidence) -> bool:
    steps = np.diff(e.validation_losses)
    return float((steps < 0).mean()) > 0.8


def _round(rate: float) -> float:
    return float(f"{rate:.2g}")
