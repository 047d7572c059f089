"""Whether training pictures are mirrored, where the settings leave it open: a small network finds it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pellucid.augmentation import Augmentation
from pellucid.numerals import numeral
from pellucid.preparation.prepare import Prepared
from pellucid.training.batches import n_batches
from pellucid.training.flip_probe import FlipFinding, probe_flips, thinned

__all__ = ["note_on_flips", "with_flips"]

_MOST_STEPS, _FEWEST_STEPS = 300, 100
_OF_TRAINING = 10  # at most one step for so many of the training, and the probe's network is several times as small


def with_flips(prepared: Prepared) -> Prepared:
    """The same with ``augment`` decided if it is automatic, and a note on what was found.

    The settings must be resolved (`plan.resolved`). Only pictures of classes may be mirrored: a number to predict may
    depend on where things are.
    """
    settings = prepared.settings
    if settings.augment != "auto":
        return prepared
    train, classes = prepared.train, prepared.task.classes
    if train.augmentation is None or train.pictures is None or not classes:
        return replace(prepared, settings=replace(settings, augment="none"))
    assert settings.epochs is not None
    assert settings.batch_size is not None
    steps = settings.epochs * n_batches(len(train), settings.batch_size) // _OF_TRAINING
    held = prepared.validation if len(prepared.split.validation) else train.take(np.arange(0))
    assert held.pictures is not None
    finding = probe_flips(
        thinned(train.pictures, train.targets.ravel().astype(np.int64)),
        thinned(held.pictures, held.targets.ravel().astype(np.int64)),
        len(classes),
        steps=min(_MOST_STEPS, max(_FEWEST_STEPS, steps)),
        seed=settings.seed,
        engine="textbook" if settings.engine == "textbook" else "auto",
    )
    flip = "horizontal" if finding.result == "harmless" else ""
    augmentation = replace(train.augmentation, flip=flip)
    return replace(
        prepared,
        settings=replace(settings, augment=augmentation.text),
        train=replace(train, augmentation=augmentation),
        notes=(*prepared.notes, note_on_flips(finding, augmentation, classes)),
    )


def note_on_flips(finding: FlipFinding, augmentation: Augmentation, classes: tuple[object, ...]) -> str:
    """What was decided, and on what evidence.

    >>> finding = FlipFinding(result="harmless", rows=1_500, right=0.42, mirrored=0.41)
    >>> print(note_on_flips(finding, Augmentation(shift=3, flip="horizontal"), ("cat", "dog")))
    training pictures are shifted by up to 3 pixels, mirrored left to right in half of the cases: a small network that
    had seen none mirrored is right on 0.42 of 1,500 other pictures and on 0.41 of the same mirrored (--augment
    shift=3 leaves them as they are; 'pellucid inspect --augment auto' shows them)
    """
    does = f"training pictures are {augmentation.words()}"
    without = replace(augmentation, flip="").text
    seen = f"right on {numeral(finding.right)} of {finding.rows:,} other pictures and on {numeral(finding.mirrored)} of"
    probe = f"a small network that had seen none mirrored is {seen} the same mirrored"
    if finding.result == "harmless":
        if not np.isnan(finding.learned):
            probe += f", and one that learned from mirrored ones too is right on {numeral(finding.learned)} as they are"
        shows = "'pellucid inspect --augment auto' shows them"
        return f"{does}: {probe} (--augment {without} leaves them as they are; {shows})"
    does, instead = f"{does}, and not mirrored", f"(--augment {without},flip mirrors them all the same)"
    if finding.result == "unknown":
        why = "there are too few pictures" if np.isnan(finding.right) else f"{probe}: too little"
        return f"{does}: {why} to tell whether that would change their classes {instead}"
    if finding.lost_class is not None:
        lost = repr(str(classes[finding.lost_class]))
        probe += f"; of {lost} it knew {finding.lost_right:,} pictures, and mirrored {finding.lost_mirrored:,}"
        if finding.becomes is not None:
            probe += f" (most are taken for {str(classes[finding.becomes])!r})"
    return f"{does}: {probe} {instead}"
