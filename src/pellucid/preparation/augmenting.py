"""Which rows are augmented in training, and how, as far as that is decided before anything is trained."""

from __future__ import annotations

from dataclasses import replace

from pellucid.augmentation import Augmentation
from pellucid.errors import SettingError
from pellucid.network.task import Task
from pellucid.preparation.picture_network import usual_changes
from pellucid.preparation.rows import PreparedRows
from pellucid.settings.settings import Settings

__all__ = ["with_augmentation"]


def with_augmentation(train: PreparedRows, settings: Settings, task: Task) -> PreparedRows:
    """The training rows with the augmentation that the settings ask for.

    ``auto`` is a small shift or rotation here (`usual_changes`), and nothing where a number is predicted, which may
    depend on where things are; whether pictures may be mirrored as well is found later (`pellucid.runs.flips`).

    Parameters
    ----------
    train
        The training rows.
    settings
        Those of the run.
    task
        What is predicted.

    Raises
    ------
    SettingError
        The rows are no pictures, or are to be reconstructed; or a strength does not suit the size of the pictures.
    """
    asked, pictures = settings.augment, train.pictures
    if asked == "none":
        return train
    if pictures is None or task.kind == "reconstruction":
        if asked == "auto":
            return train
        said = f"augment {asked} changes pictures while training, but"
        if pictures is None:
            raise SettingError(
                f"{said} the network sees something else, or more: use augment=none (--augment none), or leave the "
                "other columns out (--drop)"
            )
        raise SettingError(
            f"{said} a reconstruction is compared with the unchanged ones: use augment=none (--augment none)"
        )
    n, *shape = pictures.shape
    if asked == "auto" and task.kind == "regression":
        return train
    changes = usual_changes(tuple(shape), n) if asked == "auto" else asked
    augmentation = Augmentation.of(changes, shape[1:])
    return train if augmentation.is_none else replace(train, augmentation=augmentation)
