"""The units of dense layers of an image model as pictures: their weights, and the pictures that excite them most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.explanation.units import HiddenLayer, activations
from pellucid.model.model import Model
from pellucid.preprocessing.features import Features

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ExcitingPictures", "exciting_pictures", "first_weights", "weights_as_images"]

Array = NDArray[Any]

_MOST_IMAGES = 40
_UNITS = 8
_PICTURES, _PICTURES_OF_MANY = 8, 4  # of a unit: with one moment, with several


@dataclass(frozen=True, kw_only=True, eq=False)
class ExcitingPictures:
    """The pictures for which some units of a layer are largest.

    Attributes
    ----------
    layer
        Which.
    units
        ``[U]``: the numbers of the units, from 1: those that vary most.
    moments
        Headings, and the pictures ``[U, K, H, W, C]``, bytes, the most exciting first.
    """

    layer: HiddenLayer
    units: tuple[int, ...]
    moments: tuple[tuple[str, Array], ...]

    def figure(self) -> Figure:
        """A panel for each moment, a line for each unit."""
        from pellucid.plots.channels import exciting_patches

        title = f"Pictures that excite layer {self.layer.number} most ({self.layer.text})"
        return exciting_patches(self.moments, self.units, title=title, what="unit")


def exciting_pictures(
    model: Model,
    features: Features,
    moments: Sequence[tuple[str, Mapping[str, Array]]],
    layers: Sequence[HiddenLayer],
) -> tuple[ExcitingPictures, ...]:
    """The pictures that excite the units of each of some layers most; of a model of tables none.

    Parameters
    ----------
    model
        The model.
    features
        The encoded pictures.
    moments
        Headings, and the weights by name; the last say which units vary most.
    layers
        Of `pellucid.explanation.units.hidden_layers`.
    """
    image = model.image
    if image is None:
        return ()
    inputs, found = features.flat, []
    most = _PICTURES if len(moments) == 1 else _PICTURES_OF_MANY
    for layer in layers:
        outputs = [activations(model.network, parameters, inputs, layer) for _, parameters in moments]
        units = np.sort(np.argsort(-outputs[-1].std(axis=0), kind="stable")[:_UNITS])
        each = []
        for (heading, _), of_moment in zip(moments, outputs, strict=True):
            best = np.argsort(-of_moment[:, units], axis=0, kind="stable")[:most].T  # [U, K]
            pixels = image.decode(features.take(best.ravel()).column(image.name).flat)
            each.append((heading, pixels.reshape(*best.shape, *image.shape)))
        found.append(ExcitingPictures(layer=layer, units=tuple(int(u) + 1 for u in units), moments=tuple(each)))
    return tuple(found)


def first_weights(model: Model) -> tuple[Array | None, tuple[int, ...]]:
    """The first layer's weights as images of their pixels, those with the largest weights, and their numbers."""
    if model.image is None:
        return None, ()
    weights = weights_as_images(model, model.parameters["0.weight"])
    order = np.argsort(-np.linalg.norm(weights.reshape(len(weights), -1), axis=1), kind="stable")[:_MOST_IMAGES]
    return weights[order], tuple(int(k) + 1 for k in order)


def weights_as_images(model: Model, weights: Array) -> Array:
    """First-layer weights ``[U, features]`` at their pixels, ``[U, H, W, channels]``."""
    image = model.image
    assert image is not None
    of_pixels = model.recipe.features_of(weights).column(image.name).flat.astype(np.float64)
    return of_pixels.reshape(-1, *image.shape)
