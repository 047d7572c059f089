"""Which network a run trains: the family, and the numbers that are left open, decided from what the network sees."""

from __future__ import annotations

from dataclasses import replace

from pellucid.errors import SettingError
from pellucid.network import Network, autoencoder, cnn, mlp
from pellucid.network.layers import Shape
from pellucid.network.task import Task
from pellucid.preparation.picture_network import SMALLEST_SIDE, usual_channels, usual_head
from pellucid.preparation.sequence_network import first_of, reads_steps, sequence_network, with_sequence_network
from pellucid.preprocessing.recipe import Recipe
from pellucid.preprocessing.steps.image import ImageStep
from pellucid.preprocessing.steps.series import SeriesStep
from pellucid.settings.settings import Settings

__all__ = ["network_of", "notes_on_network", "with_network"]

_HIDDEN = (64, 32)  # of a fully connected network, if neither a preset nor the user says


def with_network(settings: Settings, recipe: Recipe, n_rows: int, *, reconstruction: bool = False) -> Settings:
    """The settings with the family of the network and its sizes decided.

    Parameters
    ----------
    settings
        Those of the run.
    recipe
        The columns that the network sees.
    n_rows
        How many rows there are to learn from.
    reconstruction
        Whether the network is to reproduce its inputs.

    Raises
    ------
    SettingError
        A convolutional network is asked for, and the rows are no pictures, or too small.
    """
    if settings.network == "auto" and isinstance(recipe.only, SeriesStep) and not reconstruction:
        settings = replace(settings, network="conv")
    if reads_steps(settings):
        if reconstruction:
            raise SettingError(
                f"network {settings.network} predicts a class or a number, but this is a reconstruction: use "
                "network=mlp (--network mlp)"
            )
        return with_sequence_network(settings, recipe)
    shape = _picture(recipe)
    if settings.network == "cnn":
        _check_pictures(shape, recipe, settings, reconstruction=reconstruction)
        family = "cnn"
    elif settings.network == "auto":
        large = shape is not None and min(shape[1:]) >= SMALLEST_SIDE
        family = "cnn" if large and not reconstruction else "mlp"
    else:
        family = "mlp"
    if family == "mlp" or shape is None:
        return replace(settings, network="mlp", hidden=_HIDDEN if settings.hidden is None else settings.hidden)
    _check_kernel(shape, settings)
    return replace(
        settings,
        network="cnn",
        channels=settings.channels or usual_channels(shape, n_rows),
        depth=settings.depth or 1,
        head=usual_head(shape, n_rows) if settings.head == "auto" else settings.head,
        hidden=settings.hidden or (),
    )


def network_of(settings: Settings, recipe: Recipe, task: Task) -> Network:
    """The network that the settings describe, once `with_network` has decided what was left open.

    Raises
    ------
    SettingError
        The layers do not fit together.
    """
    assert settings.hidden is not None
    if reads_steps(settings):
        return sequence_network(settings, recipe, task.outputs)
    shape = _picture(recipe)
    if settings.network == "cnn":
        assert shape is not None
        assert settings.channels is not None
        assert settings.depth is not None
        return cnn(
            shape,
            settings.channels,
            task.outputs,
            kernel=settings.kernel,
            depth=settings.depth,
            pool=settings.pool,
            head=settings.head,
            hidden=settings.hidden,
            activation=settings.activation,
            batch_norm=settings.batch_norm,
            residual=settings.residual,
            dropout=settings.dropout,
        )
    width = len(recipe.feature_names)
    layers = {name: getattr(settings, name) for name in ("activation", "batch_norm", "dropout", "residual")}
    if task.kind == "reconstruction":
        return autoencoder(width, settings.hidden, **layers)
    return mlp(width, settings.hidden, task.outputs, **layers)


def notes_on_network(settings: Settings, recipe: Recipe) -> list[str]:
    """Why pictures get a fully connected network although that was not asked for, and settings that it does not use.

    Parameters
    ----------
    settings
        With the network decided.
    recipe
        The columns that the network sees.
    """
    if settings.network != "mlp":
        return []
    notes = []
    images = [step for step in recipe.steps if isinstance(step, ImageStep)]
    if len(images) < len(recipe.steps) and images:
        others = len(recipe.steps) - len(images)
        notes.append(
            f"beside the pictures in column {images[0].name!r} there {'is' if others == 1 else 'are'} {others:,} other "
            f"column{'s' * (others != 1)}, so the network is fully connected; with the pictures alone (--drop) it "
            "would be convolutional"
        )
    unused = [name for name, open_ in (("channels", None), ("head", "auto")) if getattr(settings, name) != open_]
    if unused:
        are = "is not used: it shapes" if len(unused) == 1 else "are not used: they shape"
        notes.append(
            f"the network is fully connected, so {' and '.join(unused)} {are} a convolutional network (--network cnn)"
        )
    return notes


def _picture(recipe: Recipe) -> Shape | None:
    """``(channels, height, width)`` of the pictures, if the network sees nothing else."""
    step = recipe.steps[0]
    if len(recipe.steps) > 1 or not isinstance(step, ImageStep):
        return None
    return step.channels, step.height, step.width


def _check_pictures(shape: Shape | None, recipe: Recipe, settings: Settings, *, reconstruction: bool) -> None:
    """Raise `SettingError` where a convolutional network cannot take what it is to see."""
    if shape is None:
        names = [step.name for step in recipe.steps if not isinstance(step, ImageStep)]
        seen = (
            f"the table has the column{'s' * (len(names) != 1)} {first_of(names)}"
            if names
            else "there are several in a row"
        )
        raise SettingError(
            f"network cnn takes one column of pictures and nothing else, but {seen}: use network=mlp (--network mlp), "
            "or leave the other columns out (--drop)"
        )
    if reconstruction:
        raise SettingError(
            "network cnn predicts a class or a number, but this is a reconstruction, whose network must give back all "
            "pixels: use network=mlp (--network mlp)"
        )


def _check_kernel(shape: Shape, settings: Settings) -> None:
    _, height, width = shape
    if min(height, width) < settings.kernel:
        raise SettingError(
            f"a kernel of {settings.kernel} × {settings.kernel} pixels is wider than the pictures, which are "
            f"{height} × {width}: set kernel to at most {min(height, width)} (--kernel), give larger pictures "
            "(--image-size), or use network=mlp (--network mlp)"
        )
