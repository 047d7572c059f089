"""What the hidden units of a network do on rows: outputs, dead or saturated units, a projection to two dimensions.

Legend: N rows, H units of a hidden layer, G groups of rows (classes, or thirds of a number).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.forward import forward
from pellucid.network import Network, Role

__all__ = [
    "CAN_DIE",
    "HiddenLayer",
    "LayerStatistics",
    "Projection",
    "activations",
    "hidden_layers",
    "project",
    "statistics",
]

Array = NDArray[Any]
Parameters = Mapping[str, Array]

BINS = 40
_ROWS_AT_ONCE = 4096
_CLOSE = 0.01  # of a bound
_NEARLY_ALL = 0.95  # of the rows
_NEXT_TO_NOTHING = 1e-3
# Functions that vanish on the left, so that a unit can stay there for every row: relu is 0, the others nearly.
CAN_DIE = {"relu": 0.0, "gelu": _NEXT_TO_NOTHING, "silu": _NEXT_TO_NOTHING, "mish": _NEXT_TO_NOTHING,
            "softplus": _NEXT_TO_NOTHING}  # fmt: skip
_BOUNDS = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}


@dataclass(frozen=True, kw_only=True)
class HiddenLayer:
    """A hidden layer: a block of the network (`Network.blocks`) except the last.

    ``number`` counts from 1; ``last`` is the index of the network layer that gives its output; ``function`` is its
    activation, ``identity`` if it has none.
    """

    number: int
    last: int
    units: int
    function: str
    text: str


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerStatistics:
    """The behaviour of a hidden layer's units on N rows.

    Attributes
    ----------
    layer
        Which.
    dead
        ``[H]`` units whose output is 0 in every row (relu), or at most 0.001 (gelu, silu, mish, softplus).
    saturated
        ``[H]`` units of sigmoid or tanh that are within 0.01 of one of their bounds in more than 95 % of the rows.
    zeros
        The share of all outputs that are 0.
    means, deviations
        ``[H]``: the mean and standard deviation of each unit's output.
    edges, counts
        ``[41]`` and ``[G, 40]``: a histogram of all units' outputs for each group of rows.
    """

    layer: HiddenLayer
    dead: Array
    saturated: Array
    zeros: float
    means: Array
    deviations: Array
    edges: Array
    counts: Array

    @property
    def sentence(self) -> str:
        """The layer in words."""
        units, what = self.layer.units, f"layer {self.layer.number} ({self.layer.text})"
        n = int(self.dead.sum())
        if self.layer.function in CAN_DIE:
            alive = f"{n:,} of {units:,} units ({n / units:.0%}) are dead: 0 in every row" if n else "no unit is dead"
            rest = f"; {self.zeros:.0%} of all outputs are 0" if self.layer.function == "relu" else ""
            return f"{what}: {alive}{rest}"
        if self.layer.function in _BOUNDS:
            n = int(self.saturated.sum())
            stuck = "no unit is saturated" if not n else (
                f"{n:,} of {units:,} units ({n / units:.0%}) are saturated: at a bound in more than 95 % of the rows, "
                "where almost no gradient passes"
            )  # fmt: skip
            return f"{what}: {stuck}"
        return f"{what}: {self.layer.function} neither dies nor saturates on both sides"


@dataclass(frozen=True, kw_only=True, eq=False)
class Projection:
    """Rows projected on the two directions in which they differ most.

    ``places`` are ``[N, 2]``, ``shares`` the parts of the total variance in each direction, ``axes`` ``[2, H]`` the
    directions.
    """

    places: Array
    shares: tuple[float, float]
    axes: Array


def hidden_layers(network: Network) -> tuple[HiddenLayer, ...]:
    """The hidden layers, first to last.

    >>> from pellucid.network import mlp
    >>> [(layer.text, layer.last) for layer in hidden_layers(mlp(4, [8, 3], 1, activation="tanh", dropout=0.5))]
    [('8 tanh', 2), ('3 tanh', 5)]
    """
    shapes, found = network.shapes(), list[HiddenLayer]()
    for number, block in enumerate(network.blocks()[:-1], start=1):
        units, layers = prod(shapes[block.start]), [network.layers[i] for i in block]
        functions = [layer.words() for layer in layers if layer.role is Role.ACTIVATING]
        function = functions[-1] if functions else "identity"
        # A composite's output is not bounded by the function inside it: a residual block adds its input.
        what = function if functions or not layers[0].inner() else layers[0].words().split()[0].lower()
        found.append(
            HiddenLayer(number=number, last=block[-1], units=units, function=function, text=f"{units:,} {what}")
        )
    return tuple(found)


def activations(network: Network, parameters: Parameters, inputs: Array, layer: HiddenLayer) -> Array:
    """The outputs of a hidden layer, ``[N, H]``; dropout is inactive.

    Parameters
    ----------
    network, parameters
        The description of the network, and its weights by name.
    inputs
        The features ``[N, F]`` of the rows.
    layer
        One of `hidden_layers`.
    """
    parts = [
        forward(network, parameters, inputs[i : i + _ROWS_AT_ONCE]).steps[layer.last].outputs
        for i in range(0, len(inputs), _ROWS_AT_ONCE)
    ]
    return np.concatenate(parts)


def statistics(
    network: Network, parameters: Parameters, inputs: Array, groups: Array | None = None, n_groups: int = 1
) -> tuple[LayerStatistics, ...]:
    """The behaviour of every hidden layer on rows.

    Parameters
    ----------
    inputs
        ``[N, F]`` preprocessed rows, at least one.
    groups, n_groups
        ``[N]``: the group of each row, from 0, and -1 for none; ``None`` for a single group.

    >>> from pellucid.network import mlp
    >>> net = mlp(1, [2], 1)
    >>> w = {"0.weight": np.array([[1.0], [1.0]]), "0.bias": np.array([0.0, -9.0]),
    ...      "2.weight": np.ones((1, 2)), "2.bias": np.zeros(1)}
    >>> found, = statistics(net, w, np.array([[1.0], [2.0]]))
    >>> found.dead.tolist(), found.zeros
    ([False, True], 0.5)
    """
    of = np.zeros(len(inputs), dtype=np.int64) if groups is None else groups
    return tuple(
        of_layer(layer, activations(network, parameters, inputs, layer), of, n_groups)
        for layer in hidden_layers(network)
    )


def of_layer(layer: HiddenLayer, outputs: Array, groups: Array, n_groups: int) -> LayerStatistics:
    """The behaviour of a hidden layer's units.

    Parameters
    ----------
    layer
        Which.
    outputs
        ``[N, H]``, what its units give for N rows.
    groups, n_groups
        As of `statistics`.
    """
    outputs = outputs.astype(np.float64)  # [N, H]
    dead = saturated = np.zeros(layer.units, dtype=bool)
    if layer.function in CAN_DIE:
        dead = np.abs(outputs).max(axis=0) <= CAN_DIE[layer.function]
    if layer.function in _BOUNDS:
        low, high = _BOUNDS[layer.function]
        at_bound = (outputs <= low + _CLOSE) | (outputs >= high - _CLOSE)
        saturated = at_bound.mean(axis=0) > _NEARLY_ALL
    low, high = float(outputs.min()), float(outputs.max())
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    counts = np.array([np.histogram(outputs[groups == g], edges)[0] for g in range(n_groups)])
    return LayerStatistics(
        layer=layer,
        dead=dead,
        saturated=saturated,
        zeros=float((outputs == 0).mean()),
        means=outputs.mean(axis=0),
        deviations=outputs.std(axis=0),
        edges=edges,
        counts=counts,
    )


def project(values: Array, like: Projection | None = None) -> Projection:
    """Principal components: rows in the two directions of the largest variance, by the singular values of X − mean.

    Parameters
    ----------
    values
        ``[N, H]``. With one unit, or if all rows are equal, a direction has no variance and its places are 0.
    like
        An earlier projection of the same rows, such as an epoch before: the signs, which are arbitrary, are chosen to
        match it. Without it, the largest component of each direction is positive.

    Source: Pearson 1901, "On lines and planes of closest fit to systems of points in space".

    >>> found = project(np.array([[0.0, 0.0], [2.0, 0.0], [4.0, 0.1]]))
    >>> found.places[:, 0].round(2).tolist(), round(found.shares[0], 3)
    ([-2.0, -0.0, 2.0], 1.0)
    """
    x = values.astype(np.float64)
    x = x - x.mean(axis=0)
    _, sizes, axes = np.linalg.svd(x, full_matrices=False)
    axes = np.vstack([axes, np.zeros((2, x.shape[1]))])[:2]
    sizes = np.concatenate([sizes, np.zeros(2)])
    places = x @ axes.T
    for k in range(2):
        against = (
            float(places[:, k] @ like.places[:, k]) if like is not None else float(axes[k][np.abs(axes[k]).argmax()])
        )
        if against < 0:
            axes[k], places[:, k] = -axes[k], -places[:, k]
    whole = float((sizes**2).sum())
    shares = sizes[:2] ** 2 / whole if whole > 0 else np.zeros(2)
    return Projection(places=places, shares=(float(shares[0]), float(shares[1])), axes=axes)
