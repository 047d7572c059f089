"""Which rows are augmented in training, and how, as far as that is decided before anything is trained."""

from __future__ import annotations

from dataclasses import replace

from pellucid.augmentation import Augmentation
from pellucid.errors import SettingError
from pellucid.network.task import Task
from pellucid.preparation.rows import PreparedRows
from pellucid.settings.settings import Settings

__all__ = ["with_augmentation"]


def with_augmentation(train: PreparedRows, settings: Settings, task: Task) -> PreparedRows:
    """The training rows with the augmentation that the settings ask for.

    ``auto`` is a shift here, and nothing where a number is predicted, which may depend on where things are; whether
    pictures may be mirrored as well is found later (`pellucid.runs.flips`).

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
        changes = f"augment {asked} changes pictures while training, but"
        if pictures is None:
            raise SettingError(
                f"{changes} the network sees something else, or more: use augment=none (--augment none), or leave the "
                "other columns out (--drop)"
            )
        raise SettingError(
            f"{changes} a reconstruction is compared with the unchanged ones: use augment=none (--augment none)"
        )
    _, _, height, width = pictures.shape
    if asked == "auto" and task.kind == "regression":
        return train
    augmentation = Augmentation.of("shift" if asked == "auto" else asked, (height, width))
    return train if augmentation.is_none else replace(train, augmentation=augmentation)
