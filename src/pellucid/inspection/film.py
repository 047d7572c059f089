"""A slice through a network's predictions while it trains: one picture per epoch."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pellucid.errors import SettingError
from pellucid.inspection.slice import Slice
from pellucid.io.files import write_bytes
from pellucid.model.model import Model
from pellucid.numerals import numeral
from pellucid.runs.replay import Moment, Replay

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Film", "check_film", "film_of"]

_ENDINGS = (".gif", ".png")


@dataclass(frozen=True, kw_only=True, eq=False)
class Film:
    """The predictions of network 1 over one slice, after some of its epochs.

    Attributes
    ----------
    slices
        One for each snapshot of the replay.
    replay
        Where they come from.
    """

    slices: tuple[Slice, ...]
    replay: Replay

    def figures(self) -> Iterator[Figure]:
        """The frames, with epoch and loss in the title; all have the same colours."""
        final = self.slices[-1]
        limits = None
        if not final.classes:  # of the second half: early predictions may be far off
            late = np.concatenate([each.answers.ravel() for each in self.slices[len(self.slices) // 2 :]])
            limits = float(late.min()), float(late.max())
            if final.truth is not None and np.isfinite(final.truth).any():
                ends = np.nanquantile(final.truth, [0.02, 0.98]).tolist()
                limits = min(limits[0], ends[0]), max(limits[1], ends[1])
        coloured = final.coloured()
        for each, moment in zip(self.slices, self.replay.moments, strict=True):
            title = f"{_words(moment, self.replay)}\n{each.title}"
            yield each.figure(title=title, limits=limits, coloured=coloured)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write an animated ``.gif`` or ``.png``."""
        from pellucid.plots.animation import animation

        target = check_film(path)
        write_bytes(target, animation(self.figures(), target.suffix.lower()[1:]))
        return target


def check_film(path: str | os.PathLike[str]) -> Path:
    """The path of a film; raises `SettingError` for a wrong file ending before any work is done."""
    target = Path(path)
    if target.suffix.lower() not in _ENDINGS:
        raise SettingError(f"a replay must end in {' or '.join(_ENDINGS)}, got {os.fspath(path)!r}")
    return target


def film_of(
    base: Slice, model: Model, replay: Replay, *, watcher: Callable[[int, int], None] = lambda done, of: None
) -> Film:
    """The slice ``base`` with the predictions of network 1 of ``model`` at each snapshot of its replay.

    Parameters
    ----------
    base
        The slice, which gives the axes and the fixed cells.
    model
        The run's model.
    replay
        The run's training, replayed.
    watcher
        Called after each snapshot with the number of snapshots done, and their total.
    """
    which = f", network 1 of {replay.n_networks}" if replay.n_networks > 1 else ""
    alone = replace(base, title=base.title.partition(" (the mean of ")[0] + which)
    slices = []
    for moment in replay.moments:
        slices.append(alone.answered_by(replace(model, parameters=moment.parameters, more=())))
        watcher(len(slices), len(replay.moments))
    return Film(slices=tuple(slices), replay=replay)


def _words(moment: Moment, replay: Replay) -> str:
    """``epoch 12 of 60, loss 0.31 (validation 0.35)``."""
    at = f"epoch {moment.epoch} of {replay.epochs}"
    if moment.line is None:
        return f"{at}: initial weights"
    loss, held = moment.line.train_loss, moment.line.validation_loss
    said = f", loss {loss:.3f}" if loss < 1e4 else f", loss {numeral(loss, 3)}"
    if math.isfinite(held):
        said += f" (validation {held:.3f})" if held < 1e4 else f" (validation {numeral(held, 3)})"
    return at + said + (" – the best, kept" if moment.epoch == replay.best_epoch else "")
