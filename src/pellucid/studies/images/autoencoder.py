"""An autoencoder, a network that learns to reproduce its input through a narrow waist, and baselines for it.

Legend: ``N`` rows, ``P`` pixels of an image, ``K`` numbers in the waist (the code). The baselines use only the
training rows: the mean image needs no code; principal components (PCA) are the best *linear* code of K numbers on the
training rows (Eckart & Young 1936), so any gain of the network over PCA comes from its non-linearity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.forward import forward
from pellucid.errors import SettingError
from pellucid.network import Activation, Dense, Layer, Network
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training.engine import make_engine
from pellucid.training.loop import Plan, Rows, fit

__all__ = ["Autoencoder", "Components", "components", "hourglass", "nearest_agrees", "train_autoencoder"]

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Autoencoder:
    """A trained network, its weights, and the layer whose output is the code."""

    network: Network
    parameters: Mapping[str, Array]
    waist: int  # the index of the layer that gives the code

    def encode(self, rows: Array) -> Array:
        """Rows ``[N, P]`` to codes ``[N, K]``."""
        return forward(self.network, self.parameters, rows).steps[self.waist].outputs

    def reconstruct(self, rows: Array) -> Array:
        """Rows ``[N, P]`` to the network's reconstructions, ``[N, P]``."""
        return forward(self.network, self.parameters, rows).logits


@dataclass(frozen=True, kw_only=True, eq=False)
class Components:
    """The mean image ``[P]`` and K orthonormal principal components ``[K, P]``."""

    mean: Array
    axes: Array

    def encode(self, rows: Array) -> Array:
        """Rows ``[N, P]`` to codes ``[N, K]``: c = (x − mean) Aᵀ."""
        return (rows - self.mean) @ self.axes.T

    def reconstruct(self, rows: Array) -> Array:
        """Rows ``[N, P]`` to their reconstructions ``[N, P]``: mean + c A."""
        return self.encode(rows) @ self.axes + self.mean


def hourglass(pixels: int, hidden: Sequence[int], waist: int) -> tuple[Network, int]:
    """A network that narrows over ``hidden`` to ``waist`` and widens again symmetrically; and its code layer's index.

    ReLU follows every layer except the waist and the last: codes and reconstructions may be negative.

    Raises
    ------
    SettingError
        The waist is below 1, or not smaller than the number of pixels.

    >>> network, code = hourglass(64, (32,), 2)
    >>> network.outline(), code
    ('64 → 32 → 2 → 32 → 64', 2)
    """
    if not 1 <= waist < pixels:
        raise SettingError(
            f"waist must be from 1 to {pixels - 1}, narrower than the {pixels} pixels of an image; got {waist!r}"
        )
    layers: list[Layer] = []
    width = pixels
    for units in hidden:
        layers += [Dense(inputs=width, outputs=units), Activation(function="relu")]
        width = units
    layers.append(Dense(inputs=width, outputs=waist))
    code, width = len(layers) - 1, waist
    for units in reversed(hidden):
        layers += [Dense(inputs=width, outputs=units), Activation(function="relu")]
        width = units
    layers.append(Dense(inputs=width, outputs=pixels))
    return Network(inputs=pixels, layers=tuple(layers)), code


def train_autoencoder(
    rows: Array, hidden: Sequence[int], waist: int, *, lr: float, epochs: int, seed: int, device: str = "cpu"
) -> Autoencoder:
    """Train an autoencoder: mean squared error, Adam, mini-batches of 64, the last weights.

    Parameters
    ----------
    rows
        Training images ``[N, P]``, inputs and targets at once.
    hidden, waist
        Widths of the layers before the waist, and of the waist; see `hourglass`.
    lr
        The learning rate, constant.
    epochs
        Passes over the rows.
    seed
        Of the initial weights and the batches.
    device
        ``cpu``, ``cuda``, ``mps`` or ``auto``.
    """
    network, code = hourglass(rows.shape[1], hidden, waist)
    first = initialise(network, seed)
    engine = make_engine("torch", network, Loss(name="mse"), Optimizer(name="adam"), first, device=device)
    plan = Plan(learning_rate=lr, batch_size=64, epochs=epochs, keep="last", seed=seed)
    x = rows.astype(np.float32)
    fit(engine, Rows(inputs=x, targets=x), Rows(inputs=x[:1], targets=x[:1]), plan)
    return Autoencoder(network=network, parameters=engine.parameters(), waist=code)


def components(rows: Array, k: int) -> Components:
    """The mean of rows ``[N, P]`` and their first ``k`` principal components, by singular value decomposition.

    >>> found = components(np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]), 1)
    >>> found.mean.tolist(), np.abs(found.axes).round(3).tolist()
    ([2.0, 3.0], [[0.707, 0.707]])
    """
    mean = rows.mean(axis=0)
    _, _, axes = np.linalg.svd(rows - mean, full_matrices=False)
    return Components(mean=mean, axes=axes[:k])


def nearest_agrees(known: Array, known_labels: Array, asked: Array, labels: Array) -> float:
    """The share of codes whose nearest known code has the same label.

    Parameters
    ----------
    known, known_labels
        Codes ``[N, K]`` and their labels ``[N]``.
    asked, labels
        The codes to look up ``[M, K]``, and their labels ``[M]``.

    >>> nearest_agrees(np.array([[0.0], [9.0]]), np.array([0, 1]), np.array([[1.0], [8.0], [2.0]]), np.array([0, 1, 1]))
    0.6666666666666666
    """
    # |a − b|² = |a|² − 2ab + |b|²; |a|² is the same for every candidate
    distance = (known * known).sum(axis=1) - 2 * asked @ known.T  # [M, N]
    return float((known_labels[distance.argmin(axis=1)] == labels).mean())
