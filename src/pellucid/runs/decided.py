"""Everything that the settings leave open, decided one after the other before a run trains."""

from __future__ import annotations

from dataclasses import replace

from pellucid.preparation.prepare import Prepared
from pellucid.runs.flips import with_flips
from pellucid.runs.picture_epochs import with_picture_epochs
from pellucid.runs.plan import resolved
from pellucid.runs.target_transform import with_target_transform

__all__ = ["decided"]


def decided(prepared: Prepared) -> Prepared:
    """The same with the epochs of pictures, then sizes and engine, the target's transform, and flips decided."""
    prepared = with_picture_epochs(prepared)
    return with_flips(with_target_transform(replace(prepared, settings=resolved(prepared))))
