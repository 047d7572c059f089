"""What the channels of a run's convolutions learned to see: filters, exciting patches, feature maps, dead channels.

Legend: N pictures, C channels of a layer, K patches of a channel, H × W pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.inside import look_inside
from pellucid.explanation.channels import (
    ChannelStatistics,
    channel_statistics,
    feature_maps,
    map_layers,
    pictures_at_once,
    products_of,
)
from pellucid.explanation.receptive_fields import ReceptiveField, receptive_fields
from pellucid.explanation.units import BINS, HiddenLayer, LayerStatistics, hidden_layers, of_layer
from pellucid.model.model import Model
from pellucid.network import Dense, Network
from pellucid.preprocessing.features import Features, rows_for
from pellucid.preprocessing.steps.image import ImageStep

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "PATCH_SHEETS",
    "ChannelMoment",
    "Channels",
    "channels_of",
    "layers_of_pictures",
    "outputs_of",
    "pictures_to_take",
    "seen_by",
]

Array = NDArray[Any]
Parameters = Mapping[str, Array]

PATCH_SHEETS = 12  # layers that have one
_CHANNELS, _FILTERS, _MAPS = 8, 16, 8  # that are drawn
_PATCHES, _PATCHES_OF_MANY = 8, 4  # of a channel: with one moment, with several
_COLUMNS = 5  # layers whose maps are drawn
_PRODUCTS = 3e11  # multiplications that looking may take
_FEWEST, _MOST = 100, 1_000  # pictures


@dataclass(frozen=True, kw_only=True, eq=False)
class ChannelMoment:
    """The channels after an epoch: the ``heading`` of it, statistics of each layer, and the maps of the picture."""

    heading: str
    layers: tuple[ChannelStatistics, ...]
    maps: tuple[Array, ...]
    filters: Array  # [C, h, w, channels], of the first layer


@dataclass(frozen=True, kw_only=True, eq=False)
class Channels:
    """The channels of all convolutions on N pictures.

    Attributes
    ----------
    moments
        Several epochs, or the trained network alone.
    fields
        The receptive field of each convolution's maps.
    kept
        The place of the moment whose network predicts.
    pictures, numbers, image
        The N pictures, encoded; the number of each in its table, from 0; and how they were encoded.
    picture, picture_title
        The bytes ``[H, W, C]`` of the picture whose maps are drawn, and which it is.
    """

    moments: tuple[ChannelMoment, ...]
    kept: int
    fields: tuple[ReceptiveField, ...]
    numbers: Array
    pictures: Features
    image: ImageStep
    picture: Array
    picture_title: str

    @property
    def last(self) -> ChannelMoment:
        """The network that predicts."""
        return self.moments[self.kept]

    @property
    def sentences(self) -> tuple[str, ...]:
        """Dead channels of each layer, how they became so, and what the last layer's positions cover."""
        found = [each.sentence for each in self.last.layers]
        counts = [[int(each.dead.sum()) for each in moment.layers] for moment in self.moments]
        if len(self.moments) > 1 and any(map(any, counts)):
            course = "; ".join(
                f"{moment.heading}: {', '.join(map(str, dead))}"
                for moment, dead in zip(self.moments, counts, strict=True)
            )
            found.append(f"dead channels of the layers in order: {course}")
        field = self.fields[-1]
        found.append(
            f"a position of layer {len(self.fields)} depends on {_times(field.extent)} pixels of the picture "
            f"({_times(field.picture)}), and two neighbours are {_times(field.step)} apart"
        )
        return tuple(found)

    def figures(self) -> dict[str, Figure]:
        """The pictures by name: ``filters``, ``maps``, ``fields`` and ``patches-1`` …"""
        from pellucid.plots.channels import exciting_patches, feature_map_sheet, field_outlines, filters_over_time

        order = np.argsort(
            -np.linalg.norm(self.last.filters.reshape(len(self.last.filters), -1), axis=1), kind="stable"
        )
        shown = np.sort(order[:_FILTERS])
        found = {
            "filters": filters_over_time(
                [(moment.heading, moment.filters[shown]) for moment in self.moments],
                [str(k + 1) for k in shown],
                title="Filters of the first layer, one a channel",
            ),
            "maps": self._maps(feature_map_sheet),
            "fields": field_outlines(
                self.picture,
                [(self._named(k), self._middle(k)) for k in range(len(self.fields))],
                title="Receptive fields: what the middle position of each layer depends on",
            ),
        }
        for k, layer in enumerate(self.last.layers[:PATCH_SHEETS]):
            chosen = self.shown_channels(layer)
            most = _PATCHES if len(self.moments) == 1 else _PATCHES_OF_MANY
            found[f"patches-{k + 1}"] = exciting_patches(
                [(moment.heading, self.patches(moment.layers[k], chosen, most)) for moment in self.moments],
                [int(c) + 1 for c in chosen],
                title=f"Patches that excite layer {k + 1} most ({layer.layer.text})",
            )
        return found

    def shown_channels(self, found: ChannelStatistics) -> Array:
        """The channels whose patches are drawn: of those that are not dead, the ones that vary most."""
        order = np.argsort(-np.where(found.dead, -1.0, found.deviations), kind="stable")
        return np.sort(order[: min(_CHANNELS, max(1, int((~found.dead).sum())))])

    def patches(self, found: ChannelStatistics, channels: Sequence[int] | Array, most: int) -> Array:
        """What some channels see where they are excited most, ``[channels, K, h, w, C]`` bytes.

        A patch is what the position's receptive field covers; what lies outside the picture has the mean colour.
        """
        field = self.fields[found.layer.number - 1]
        best = found.excitation
        few = [int(k) for k in channels]
        needed, places = np.unique(best.pictures[few, :most], return_inverse=True)
        pixels = self._pixels(needed)
        sides = tuple(min(e, n) for e, n in zip(field.extent, field.picture, strict=True))
        fill = np.rint(np.array(self.image.mean) * 255).astype(np.uint8)
        patches = np.empty((len(few), best.pictures[few, :most].shape[1], *sides, pixels.shape[-1]), np.uint8)
        places = places.reshape(patches.shape[:2])
        for i, channel in enumerate(few):
            for j in range(patches.shape[1]):
                window = field.window(best.positions[channel, j])
                # Of a field that is wider than the picture, the whole picture is shown.
                corner = [a if e < n else 0 for (a, _), e, n in zip(window, field.extent, field.picture, strict=True)]
                patches[i, j] = _cut(pixels[places[i, j]], corner, sides, fill)
        return patches

    def to_json(self) -> dict[str, Any]:
        """The numbers as JSON values."""
        return {
            "picture": self.picture_title,
            "layers": [
                {
                    "layer": each.layer.number,
                    "convolution": each.layer.words,
                    "channels": each.layer.channels,
                    "function": each.layer.function,
                    "dead": np.flatnonzero(each.dead).tolist(),
                    "largest": each.largest.tolist(),
                    "receptive_field": {"extent": list(f.extent), "step": list(f.step), "offset": list(f.offset)},
                    "most_exciting": [
                        [
                            {"row": int(self.numbers[picture]), "position": position.tolist(), "output": float(value)}
                            for value, picture, position in zip(*of_channel, strict=True)
                        ]
                        for of_channel in zip(
                            each.excitation.values, each.excitation.pictures, each.excitation.positions, strict=True
                        )
                    ],
                }
                for each, f in zip(self.last.layers, self.fields, strict=True)
            ],
            "moments": [
                {"moment": moment.heading, "dead": [int(each.dead.sum()) for each in moment.layers]}
                for moment in self.moments
            ],
        }

    def _maps(self, draw: Any) -> Figure:
        layers = self.last.layers
        columns = np.unique(np.linspace(0, len(layers) - 1, min(len(layers), _COLUMNS)).astype(int))
        best = [np.sort(np.argsort(-self.last.maps[k].max(axis=(1, 2)), kind="stable")[:_MAPS]) for k in columns]
        lines = [
            (moment.heading, [moment.maps[k][chosen] for k, chosen in zip(columns, best, strict=True)])
            for moment in self.moments
        ]
        figure: Figure = draw(
            self.picture, lines, [f"layer {k + 1}: {_times(layers[k].layer.shape[1:])}" for k in columns],
            title=f"Feature maps of {self.picture_title}: the {_MAPS} strongest channels of each layer",
        )  # fmt: skip
        return figure

    def _named(self, k: int) -> str:
        field = self.fields[k]
        wide = (
            "" if all(e <= n for e, n in zip(field.extent, field.picture, strict=True)) else ", more than the picture"
        )
        kind = self.last.layers[k].layer.words.partition(",")[0]  # Conv2d 16 → 32, without its kernel
        return f"layer {k + 1} ({kind}): {_times(field.extent)}{wide}"

    def _middle(self, k: int) -> Any:
        field = self.fields[k]
        return field.window([(n - 1) // 2 for n in field.shape[1:]])

    def _pixels(self, which: Array) -> Array:
        return self.image.decode(self.pictures.take(which).column(self.image.name).flat)


def seen_by(
    network: Network, parameters: Parameters, inputs: Array, picture: Array, heading: str, most: int
) -> ChannelMoment:
    """The channels of a network with these weights.

    Parameters
    ----------
    network, parameters
        The description of the network, and its arrays by name.
    inputs
        Encoded pictures ``[N, channels, H, W]``.
    picture
        The one whose maps are kept, ``[channels, H, W]``.
    heading
        What the moment is called.
    most
        How many patches of a channel are kept.
    """
    first = map_layers(network)[0]
    return ChannelMoment(
        heading=heading,
        layers=channel_statistics(network, parameters, inputs, most=most),
        maps=feature_maps(network, parameters, picture),
        filters=np.asarray(parameters[f"{first.name}.weight"], dtype=np.float64).transpose(0, 2, 3, 1),
    )


def channels_of(
    model: Model,
    moments: Sequence[tuple[str, Parameters]],
    kept: int,
    pictures: Features,
    numbers: Array,
    picture: Features,
    title: str,
) -> Channels:
    """The channels of a model of pictures, whose network has convolutions, at several moments.

    Parameters
    ----------
    model
        The model.
    moments, kept
        Headings, and the weights by name; and the place of those that predict.
    pictures, numbers
        The encoded pictures, and the number of each in its table.
    picture, title
        The picture whose maps are drawn, and which it is.
    """
    network, image = model.network, model.image
    assert image is not None
    inputs = rows_for(network.shape, pictures)
    one = np.asarray(rows_for(network.shape, picture)[:1])[0]
    fields = receptive_fields(network)
    most = _PATCHES if len(moments) == 1 else _PATCHES_OF_MANY
    return Channels(
        moments=tuple(seen_by(network, weights, inputs, one, heading, most) for heading, weights in moments),
        kept=kept,
        fields=tuple(fields[layer.last] for layer in map_layers(network)),
        numbers=numbers,
        pictures=pictures,
        image=image,
        picture=image.decode(picture.column(image.name).flat)[0],
        picture_title=title,
    )


def layers_of_pictures(
    model: Model, channels: Channels, inputs: Array, groups: Array | None, n_groups: int
) -> tuple[LayerStatistics, ...]:
    """Statistics of all hidden layers: of convolutions, whose units are their channels, and of the dense ones after.

    Parameters
    ----------
    model, channels
        The model, and what was seen of its channels.
    inputs
        The same encoded pictures, ``[N, channels, H, W]``.
    groups, n_groups
        As of `pellucid.explanation.units.statistics`; a histogram of a convolution counts a sample of its outputs.
    """
    of = np.zeros(len(inputs), np.int64) if groups is None else groups
    found = [_layer_of_maps(each, of, n_groups) for each in channels.last.layers]
    network, blocks = model.network, model.network.blocks()
    dense = [
        layer for layer in hidden_layers(network) if isinstance(network.layers[blocks[layer.number - 1][0]], Dense)
    ]
    for layer in dense:
        outputs = outputs_of(network, model.parameters, inputs, layer)
        found.append(of_layer(replace(layer, number=len(found) + 1), outputs, of, n_groups))
    return tuple(found)


def _layer_of_maps(found: ChannelStatistics, groups: Array, n_groups: int) -> LayerStatistics:
    layer, sample = found.layer, found.sample
    low, high = float(sample.min()), float(sample.max())
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    last = int(layer.last.partition(".")[0])
    return LayerStatistics(
        layer=HiddenLayer(
            number=layer.number, last=last, units=layer.channels, function=layer.function, text=layer.text
        ),
        dead=found.dead,
        saturated=np.zeros(layer.channels, bool),
        zeros=found.zeros,
        means=found.means,
        deviations=found.deviations,
        edges=edges,
        counts=np.array([np.histogram(sample[groups == g], edges)[0] for g in range(n_groups)]),
    )


def pictures_to_take(network: Network, moments: int) -> int:
    """How many pictures are looked at, so that it takes seconds: fewer where the network is large.

    >>> from pellucid.network import cnn
    >>> pictures_to_take(cnn((1, 28, 28), (16, 32, 64), 10), 6), pictures_to_take(cnn((3, 224, 224), (64, 128), 10), 6)
    (1000, 100)
    """
    return int(np.clip(_PRODUCTS / max(1, products_of(network) * moments), _FEWEST, _MOST))


def outputs_of(network: Network, parameters: Parameters, inputs: Array, layer: HiddenLayer) -> Array:
    """The outputs of a hidden layer for pictures, ``[N, H]``; a few pictures at a time.

    Parameters
    ----------
    network, parameters
        The description of the network, and its arrays by name.
    inputs
        Encoded pictures ``[N, channels, H, W]``.
    layer
        One of `pellucid.explanation.units.hidden_layers`.
    """
    at_once, name, parts = pictures_at_once(network), str(layer.last), list[Array]()
    for i in range(0, len(inputs), at_once):
        found = look_inside(network, parameters, np.asarray(inputs[i : i + at_once]), names=[name]).outputs[name]
        parts.append(found.reshape(len(found), -1))
    return np.concatenate(parts)


def _cut(picture: Array, corner: Sequence[int], sides: Sequence[int], fill: Array) -> Array:
    """The part of a picture ``[H, W, C]`` from a corner on, which may lie outside of it."""
    patch = np.empty((*sides, picture.shape[-1]), picture.dtype)
    patch[...] = fill
    low = [max(0, -c) for c in corner]
    high = [min(side, n - c) for side, c, n in zip(sides, corner, picture.shape, strict=False)]
    if all(a < b for a, b in zip(low, high, strict=True)):
        patch[low[0] : high[0], low[1] : high[1]] = picture[
            corner[0] + low[0] : corner[0] + high[0], corner[1] + low[1] : corner[1] + high[1]
        ]
    return patch


def _times(numbers: Sequence[int]) -> str:
    return " × ".join(map(str, numbers))
