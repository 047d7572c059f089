"""May training pictures be mirrored left to right? Found by a small network that has never seen one mirrored.

If the pictures of every class are as likely to be one way round as the other, mirrored held-out pictures are no
different from new ones: the network answers them as often right, though it was not trained on any. Where it answers
them less often, mirroring leads away from what the network will meet, or turns one class into another (a "b" into a
"d", an arrow to the left into one to the right). That may concern a few classes only, so each is looked at as well.

Then a second network tells one from the other: it learns from the same pictures, half of them mirrored. A shoe that
always points to the left costs it little, because no other class looks like the mirrored shoe; of a "b" and a "d", it
can only guess.

Legend: N pictures of K classes, H × W pixels, C channels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DivergenceError
from pellucid.network.cnn import cnn
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training.engine import make_engine
from pellucid.training.loop import Plan, Rows, fit
from pellucid.training.pictures import EncodesPixels, made_smaller
from pellucid.training.schedules import Schedule

__all__ = ["FlipFinding", "compare_learned", "compare_mirrored", "probe_flips", "thinned"]

Array = NDArray[Any]
Logits = Callable[[Array], Array]  # pictures [N, H, W, C] → [N, K]

_SIDE, _CHANNELS = 32, (16, 32)  # pictures larger than this are made smaller for the probe
_BATCH, _RATE = 64, 0.01
_AT_ONCE = 64  # pictures that are made smaller together
_MOST, _ENOUGH_HELD, _FEWEST = 10_000, 1_000, 60
_SURE = 1.64  # standard deviations: one-sided 95 %
_LEARNED = 0.1  # of what a perfect probe would be better than the most frequent class
_MAY_LOSE, _CLASS_MAY_LOSE = 0.3, 0.5  # of what the probe is better by, and of a class's right answers
_MAY_COST, _CLASS_MAY_COST = 0.1, 0.25  # of the loss, and of a class's right answers, where mirrored ones are learned
_MAY_FORGET = 0.06  # of what has been learned: the loss of a network that has learned nothing, less its own
_NEXT_TO_NOTHING = 0.01  # of the loss of a network that has learned nothing
_IN_A_CLASS = 3.3  # standard deviations, so that one of many classes is not found by chance


@dataclass(frozen=True, kw_only=True)
class FlipFinding:
    """What a probe found.

    Attributes
    ----------
    result
        ``harmless``, ``harmful``, or ``unknown``: too few pictures, or the probe has not learned enough.
    rows
        How many held-out pictures were compared.
    right, mirrored
        The share answered right, as they are and mirrored.
    lost_class
        The number of the class that loses most, if that decided: of its ``lost_right`` right answers, ``lost_mirrored``
        stay right when its pictures are mirrored.
    becomes
        The most frequent answer to the mirrored pictures of that class.
    learned
        The share that a second network, which learned from mirrored pictures too, answers right as they are; NaN where
        none was asked.
    """

    result: Literal["harmless", "harmful", "unknown"]
    rows: int
    right: float = math.nan
    mirrored: float = math.nan
    lost_class: int | None = None
    lost_right: int = 0
    lost_mirrored: int = 0
    becomes: int | None = None
    learned: float = math.nan


def probe_flips(
    train: tuple[Array, Array],
    held: tuple[Array, Array],
    classes: int,
    *,
    steps: int = 300,
    seed: int = 0,
    engine: str = "auto",
) -> FlipFinding:
    """Train a small network on pictures as they are, and compare its answers to held-out ones mirrored.

    With fewer than 1,000 held-out pictures, all are used: two probes learn from one half of them and of the training
    pictures, and answer the other.

    Parameters
    ----------
    train, held
        Small pictures ``[N, H, W, C]`` and their classes ``[N]``: to learn from, and held out (`thinned`).
    classes
        K.
    steps
        Of training, each with 64 pictures.
    seed
        Of the probe's initial weights and batches.
    engine
        That trains the probe.
    """
    if len(held[0]) < _ENOUGH_HELD:
        pixels, truth = (np.concatenate(parts) for parts in zip(train, held, strict=True))
        order = np.random.Generator(np.random.Philox(key=[seed, 21])).permutation(len(pixels))
        pixels, truth = pixels[order], truth[order]
        half = len(pixels) // 2
        parts = [((pixels[a], truth[a]), (pixels[b], truth[b])) for a, b in
                 ((np.s_[:half], np.s_[half:]), (np.s_[half:], np.s_[:half]))]  # fmt: skip
    else:
        parts = [(train, held)]
    if sum(len(shown[0]) for _, shown in parts) < _FEWEST or min(len(learned[0]) for learned, _ in parts) < 2:
        return FlipFinding(result="unknown", rows=sum(len(shown[0]) for _, shown in parts))
    how: dict[str, Any] = {"classes": classes, "steps": steps // len(parts), "seed": seed, "engine_name": engine}
    found = []
    for learned, (pixels, truth) in parts:
        logits = _trained(*learned, **how)
        if logits is None:
            return FlipFinding(result="unknown", rows=len(pixels))
        found.append((logits(pixels), logits(pixels[:, :, ::-1]), truth))
    plain, mirrored, truth = (np.concatenate(each) for each in zip(*found, strict=True))
    finding = compare_mirrored(plain.argmax(axis=1), mirrored.argmax(axis=1), truth)
    if finding.result != "harmful":
        return finding
    second = [_trained(_half_mirrored(learned[0], seed), learned[1], **how) for learned, _ in parts]
    if any(logits is None for logits in second):
        return finding
    mixed = [logits(pixels) for logits, (_, (pixels, _)) in zip(second, parts, strict=True) if logits]
    return compare_learned(finding, plain, np.concatenate(mixed), truth)


def compare_mirrored(answers: Array, mirrored: Array, truth: Array) -> FlipFinding:
    """Judge the answers ``[N]`` to pictures as they are and mirrored, by their classes ``[N]``.

    >>> truth = np.arange(200) % 2
    >>> compare_mirrored(truth, truth, truth).result, compare_mirrored(truth, 1 - truth, truth).result
    ('harmless', 'harmful')
    """
    n = len(truth)
    was, stays = answers == truth, mirrored == truth
    lost, gained = int((was & ~stays).sum()), int((stays & ~was).sum())
    right, chance = float(was.mean()), float(np.bincount(truth).max() / n)
    finding = FlipFinding(result="unknown", rows=n, right=right, mirrored=float(stays.mean()))
    skill = right - chance
    if n < _FEWEST or skill < max(3 * math.sqrt(chance * (1 - chance) / n), _LEARNED * (1 - chance)):
        return finding
    worst = _worst_class(was, stays, mirrored, truth)
    if worst is not None:
        return replace(finding, result="harmful", **worst)
    drop, noise = (lost - gained) / n, math.sqrt(lost + gained) / n
    if drop + _SURE * noise <= _MAY_LOSE * skill:
        return replace(finding, result="harmless")
    return replace(finding, result="harmful" if drop > _SURE * noise else "unknown")


def compare_learned(finding: FlipFinding, plain: Array, mixed: Array, truth: Array) -> FlipFinding:
    """Judge a finding that mirroring is harmful anew, by two networks' logits ``[N, K]`` of pictures as they are.

    Parameters
    ----------
    finding
        Of `compare_mirrored`.
    plain, mixed
        Of a network that has seen no mirrored picture, and of one that half of the pictures were mirrored for.
    truth
        The classes ``[N]``.

    >>> finding = FlipFinding(result="harmful", rows=200, right=1.0, mirrored=0.5)
    >>> truth = np.arange(200) % 2
    >>> knows, guesses = 4.0 * np.eye(2)[truth], np.zeros((200, 2))
    >>> compare_learned(finding, knows, knows, truth).result, compare_learned(finding, knows, guesses, truth).result
    ('harmless', 'harmful')
    """
    before, after = _losses(plain, truth), _losses(mixed, truth)
    right, learned = plain.argmax(axis=1) == truth, mixed.argmax(axis=1) == truth
    finding = replace(finding, learned=float(learned.mean()))
    more, noise = float((after - before).mean()), float((after - before).std()) / math.sqrt(len(truth))
    nothing = float(-np.log(np.bincount(truth)[truth] / len(truth)).mean())  # the loss of the classes' shares
    left = float(before.mean())
    may_cost = min(max(_MAY_COST * left, _NEXT_TO_NOTHING * nothing), _MAY_FORGET * (nothing - left))
    if more + _SURE * noise > may_cost:
        return finding
    if finding.lost_class is not None:
        of = truth == finding.lost_class
        if learned[of].sum() < (1 - _CLASS_MAY_COST) * right[of].sum():
            return finding
    return replace(finding, result="harmless", lost_class=None, lost_right=0, lost_mirrored=0, becomes=None)


def _losses(logits: Array, truth: Array) -> Array:
    """The cross-entropy of each row ``[N]``."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    losses: Array = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(truth)), truth]
    return losses


def _half_mirrored(pixels: Array, seed: int) -> Array:
    """The pictures, each mirrored with probability ½."""
    mirrored = np.random.Generator(np.random.Philox(key=[seed, 22])).random(len(pixels)) < 0.5
    return np.where(mirrored[:, np.newaxis, np.newaxis, np.newaxis], pixels[:, :, ::-1], pixels)


def _worst_class(was: Array, stays: Array, mirrored: Array, truth: Array) -> dict[str, Any] | None:
    """The class that loses more than half of its right answers, and more than chance explains."""
    worst, most = None, _CLASS_MAY_LOSE
    for k in np.unique(truth):
        of = truth == k
        right, lost, gained = int(was[of].sum()), int((was & ~stays)[of].sum()), int((stays & ~was)[of].sum())
        sure = lost - gained > _IN_A_CLASS * math.sqrt(max(1, lost + gained))
        if sure and (lost - gained) / right > most:
            most = (lost - gained) / right
            becomes = int(np.bincount(mirrored[of]).argmax())
            worst = {"lost_class": int(k), "lost_right": right, "lost_mirrored": int(stays[of].sum()),
                     "becomes": becomes if becomes != k else None}  # fmt: skip
    return worst


def _trained(pixels: Array, truth: Array, classes: int, steps: int, seed: int, engine_name: str) -> Logits | None:
    """What a small network answers that was trained on these pictures; ``None`` if training diverges."""
    mean, spread = float(pixels.mean()), float(pixels.std()) or 1.0

    def encoded(some: Array) -> Array:
        return ((some - np.float32(mean)) / np.float32(spread)).astype(np.float32).transpose(0, 3, 1, 2)

    shape = (pixels.shape[3], *pixels.shape[1:3])
    network = cnn(shape, _CHANNELS, classes)
    engine = make_engine(
        engine_name, network, Loss(name="cross_entropy"), Optimizer(), initialise(network, seed), dtype="float32"
    )
    few = np.linspace(0, len(pixels) - 1, min(len(pixels), _BATCH)).astype(np.int64)
    rows = Rows(inputs=encoded(pixels), targets=truth.astype(np.int64))
    batch = min(_BATCH, len(pixels))
    plan = Plan(
        learning_rate=_RATE, batch_size=batch, epochs=max(1, round(steps * batch / len(pixels))), keep="last",
        schedule=Schedule(name="one_cycle"), seed=seed,
    )  # fmt: skip
    try:
        fit(engine, rows, rows.take(few), plan)
    except DivergenceError:
        return None
    return lambda some: engine.logits(encoded(some)).astype(np.float64)


def thinned(pictures: EncodesPixels, truth: Array) -> tuple[Array, Array]:
    """At most 10,000 of the pictures, evenly spaced, made smaller where they are large, with their classes ``[N]``."""
    n = len(pictures)
    rows = np.arange(n) if n <= _MOST else np.linspace(0, n - 1, _MOST).astype(np.int64)
    parts = [made_smaller(pictures.pixels(rows[i : i + _AT_ONCE]), _SIDE) for i in range(0, len(rows), _AT_ONCE)]
    return (np.concatenate(parts) if parts else made_smaller(pictures.pixels(rows), _SIDE)), truth[rows]
