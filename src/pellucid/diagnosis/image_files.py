"""Findings about image files: what tells the class besides the content, copies, and files that cannot be read."""

from __future__ import annotations

import numpy as np

from pellucid.diagnosis.evidence import Evidence
from pellucid.diagnosis.file_evidence import SURE, deviation
from pellucid.diagnosis.finding import Finding, shown_share

__all__ = [
    "border_tells_class",
    "contradicting_copies",
    "copies_of_images",
    "files_tell_class",
    "unreadable_files",
]

_BORDER_GAIN = 0.15
_BORDER_AHEAD = 0.05
_OF_NETWORK = 0.8  # of the network's accuracy; with less the border is not what it uses
_ROWS = 20


def files_tell_class(e: Evidence) -> Finding | None:
    """Size, format, quality, camera … of the files tell the class."""
    telling = sorted(
        (fact for fact in (() if e.files is None else e.files.facts) if fact.is_telling),
        key=lambda fact: -fact.accuracy,
    )
    if not telling:
        return None
    listed = "; ".join(
        f"{fact.what} alone is right for {shown_share(fact.accuracy)} of {fact.n:,} files, always one class for "
        f"{shown_share(fact.base)} ({fact.example})"
        for fact in telling[:3]
    )
    names = ", ".join(fact.what for fact in telling)
    return Finding(
        name="files-tell-the-class",
        finding=f"The files give {e.target!r} away: {names}.",
        evidence=listed,
        consequence="resizing, compression and cameras leave traces in the pixels, so the network may recognise the "
        "file instead of what it shows, and fail on other files",
        fix="take the images of all classes in the same way: one source, one size, one format, one quality",
    )


def border_tells_class(e: Evidence) -> Finding | None:
    """The outer pixels tell the class better than the rest of the image."""
    border = None if e.files is None else e.files.border
    if border is None or not len(e.measured):
        return None
    ahead = border.border - border.centre
    noise = deviation(border.border, border.n) + deviation(border.centre, border.n)
    gain = border.border - border.base
    if ahead < max(_BORDER_AHEAD, 3 * noise):
        return None
    if gain < _BORDER_GAIN * (1 - border.base) or gain < SURE * deviation(border.base, border.n):
        return None
    network = float((e.measured.answers.argmax(axis=1) == e.measured.truth).mean())
    if border.border < _OF_NETWORK * network:
        return None
    return Finding(
        name="border-tells-the-class",
        finding=f"The border of the images gives {e.target!r} away.",
        evidence=(
            f"a linear model on the outer sixteenth of each side is right for {shown_share(border.border)} of "
            f"{border.n:,} images, on the rest for {shown_share(border.centre)}, always one class for "
            f"{shown_share(border.base)}; the network for {shown_share(network)}"
        ),
        consequence="frames, stamps or scanner edges may be what the network recognises",
        fix="crop the images, or make the border of all classes alike",
    )


def copies_of_images(e: Evidence) -> Finding | None:
    """Images that were used for scoring are nearly the same as images in training."""
    one = next((shared for shared in e.shared if shared.kind == "copies"), None)
    if e.files is None or one is None:
        return None
    return Finding(
        name="image-copies-across-the-split",
        finding="Images that measure the network have near copies in training.",
        evidence=one.fact,
        consequence="the network has seen them, so the score is better than on new images",
        fix="leave these images out of one of the parts",
    )


def contradicting_copies(e: Evidence) -> Finding | None:
    """Equal or nearly equal images have different labels."""
    pairs = None if e.files is None else e.files.contradicting
    if pairs is None or not len(pairs):
        return None
    n = len(np.unique(pairs))
    return Finding(
        name="copies-with-different-labels",
        finding=f"Copies of one image have different labels ({n:,} images).",
        evidence=f"{len(pairs):,} pair{'s' * (len(pairs) > 1)} of images are equal or nearly so, but their "
        f"{e.target!r} differs",
        consequence="no network can be right on both, and training learns from a wrong label",
        fix="look at the pairs, and correct or remove the wrong ones",
        rows=tuple(dict.fromkeys(pairs.reshape(-1).tolist()))[:_ROWS],
    )


def unreadable_files(e: Evidence) -> Finding | None:
    """Files that cannot be read were left out."""
    names = () if e.files is None else e.files.unreadable
    if not names:
        return None
    more = f" and {len(names) - _ROWS:,} more" if len(names) > _ROWS else ""
    return Finding(
        name="unreadable-files",
        finding=f"Image files that cannot be read were left out ({len(names):,}).",
        evidence=", ".join(map(repr, names[:_ROWS])) + more,
        consequence="the network was neither trained nor measured on them",
        fix="replace them by good copies, or remove them",
    )
