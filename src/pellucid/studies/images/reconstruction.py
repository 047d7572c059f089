"""The part of ``study shapes`` that trains an autoencoder and compares it with its baselines."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.evaluation.bootstrap import Estimate
from pellucid.plots import images
from pellucid.studies.images.autoencoder import Components, components, nearest_agrees, train_autoencoder
from pellucid.studies.images.image_sets import ImageSet, rows_of
from pellucid.studies.spread import mean_interval
from pellucid.studies.story import Story

__all__ = ["HIDDEN", "Reconstruction", "reconstruct"]

Array = NDArray[Any]

HIDDEN = (64, 32)  # on each side of the waist
LR, EPOCHS = 0.005, 40


@dataclass(frozen=True, kw_only=True, eq=False)
class Reconstruction:
    """How well test digits are reconstructed through a waist.

    Attributes
    ----------
    waist
        Numbers in the code.
    network, pca, mean_image
        The mean squared error per pixel, brightness from 0 to 1.
    gain
        PCA's error minus the network's, the mean over test images with its 95 % interval over them.
    better
        The share of test images that the network reconstructs better than PCA.
    per_pixel
        The network's error of each pixel, ``[8, 8]``.
    neighbours, pca_neighbours
        The share of test digits whose nearest training code belongs to the same digit.
    seconds
        Of training.
    """

    waist: int
    network: float
    pca: float
    mean_image: float
    gain: Estimate
    better: float
    per_pixel: Array
    neighbours: float
    pca_neighbours: float
    seconds: float


def reconstruct(story: Story, data: ImageSet, waist: int, *, first: bool, seed: int, device: str) -> Reconstruction:
    """Train an autoencoder on the training images, tell its errors on the test images, and draw them.

    Parameters
    ----------
    story
        Is told the result.
    data
        The images.
    waist
        Numbers in the code; with 2, the codes are also drawn as a map.
    first
        Whether to explain what an autoencoder is, and to draw originals above reconstructions.
    seed
        Of the initial weights and the batches.
    device
        ``cpu``, ``cuda``, ``mps`` or ``auto``.
    """
    known, asked = (rows_of(data, each) for each in (data.train_images, data.test_images))
    widths = (*HIDDEN, waist, *reversed(HIDDEN))
    path = " → ".join(map(str, (data.pixels, *widths, data.pixels)))
    if first:
        story.heading("An hourglass that reproduces its input")
        story.say(
            f"An autoencoder needs no labels: its target is its own input. In {path} the {data.pixels} pixels must "
            f"pass a waist of {waist} number{'s' * (waist != 1)}, the code, so the network has to find what matters "
            f"about a digit. It learns for {EPOCHS} epochs from all {len(known):,} digits outside the test set; the "
            "test digits choose nothing. It is compared with two baselines: the mean image for every digit, and "
            "principal components (PCA), the best linear code with as many numbers."
        )
    else:
        story.heading("A waist of 2, drawn as a map")
        story.say("With two numbers in the waist, the code of each image is a point. Images of the same digit should "
                  "lie together, although the network has never seen a label.")  # fmt: skip
    began = time.perf_counter()
    network = train_autoencoder(known, HIDDEN, waist, lr=LR, epochs=EPOCHS, seed=seed, device=device)
    seconds = time.perf_counter() - began
    pca = components(known.astype(np.float64), waist)
    answers = {
        "mean image": np.broadcast_to(pca.mean, asked.shape),
        f"PCA, {waist}": pca.reconstruct(asked),
        f"network, {waist}": network.reconstruct(asked),
    }
    squared = {name: (answer - asked) ** 2 for name, answer in answers.items()}  # [N, 64] each
    mean_error, pca_error, own = squared.values()
    gain = mean_interval(pca_error.mean(axis=1) - own.mean(axis=1))
    found = Reconstruction(
        waist=waist,
        network=float(own.mean()),
        pca=float(pca_error.mean()),
        mean_image=float(mean_error.mean()),
        gain=gain,
        better=float((own.mean(axis=1) < pca_error.mean(axis=1)).mean()),
        per_pixel=own.mean(axis=0).reshape(data.test_images.shape[1:]),
        neighbours=nearest_agrees(network.encode(known), data.train_labels, network.encode(asked), data.test_labels),
        pca_neighbours=nearest_agrees(pca.encode(known), data.train_labels, pca.encode(asked), data.test_labels),
        seconds=seconds,
    )
    fitted = (data.pixels, _size(pca), network.network.n_trainable)
    _tell_errors(story, squared, fitted, found, len(asked))
    side = data.test_images.shape[1:]
    if first:
        shown = [int(np.flatnonzero(data.test_labels == digit)[0]) for digit in range(10)]
        story.draw(
            f"reconstructions-{waist}",
            lambda: images.pairs(
                asked[shown].reshape(-1, *side),
                {name: answer[shown].reshape(-1, *side) for name, answer in answers.items()},
                {name: each[shown].mean(axis=1) for name, each in squared.items()},
                f"Test digits and their reconstructions (mse: mean squared error per pixel; {waist} numbers per digit)",
                captions=data.names,
                limits=(0, 1),
                error_name="mse",
            ),
            "The first test image of each digit, above the mean image and the reconstructions by PCA and the network.",
        )
        story.draw(
            f"pixel-errors-{waist}",
            lambda: images.error_maps(
                {name: each.mean(axis=0).reshape(side) for name, each in list(squared.items())[1:]},
                title="Which pixels are hard: mean squared error over the test digits",
                unit="mean squared error",
            ),
            "Brighter pixels are reconstructed less well; both maps share one scale.",
        )
    if waist == 2:
        codes = network.encode(asked)
        story.draw(
            "codes",
            lambda: images.code_map(
                codes,
                data.test_labels,
                data.names,
                title="The two numbers in the waist for each test digit",
                axis_labels=("first number of the code (no unit)", "second number of the code (no unit)"),
            ),
            "Each test image at its code; the large digits mark the centre of each class.",
        )
        story.say(
            f"For {100 * found.neighbours:.0f} % of the test images the nearest training code belongs to the same "
            f"digit; with PCA's two numbers, for {100 * found.pca_neighbours:.0f} %. Guessing would give about 10 %."
        )
    return found


def _size(pca: Components) -> int:
    return int(pca.mean.size + pca.axes.size)


def _tell_errors(
    story: Story, squared: Mapping[str, Array], fitted: tuple[int, ...], found: Reconstruction, rows: int
) -> None:
    lines = []
    for (name, each), size in zip(squared.items(), fitted, strict=True):
        by_pixel = each.mean(axis=0)
        worst = divmod(int(by_pixel.argmax()), found.per_pixel.shape[1])
        lines.append(
            (
                name,
                size,
                f"{each.mean():.4f}",
                f"{np.sqrt(each.mean()):.3f}",
                f"{by_pixel.max():.4f}",
                f"row {worst[0]}, column {worst[1]}",
            )
        )
    story.table(
        f"Error per pixel on the {rows} test digits, brightness from 0 to 1",
        ("method", "parameters", "mean squared", "its root", "worst pixel", "which"),
        lines,
    )
    story.say(
        f"The network reconstructs {100 * found.better:.0f} % of the test digits better than PCA; its mean squared "
        f"error is lower by {found.gain.value:.4f} (95 % interval over the digits {found.gain.low:.4f} to "
        f"{found.gain.high:.4f})."
        if found.gain.low > 0
        else f"The network is not clearly better than PCA here: PCA's mean squared error minus the network's is "
        f"{found.gain.value:.4f} (95 % interval over the digits {found.gain.low:.4f} to {found.gain.high:.4f}), and "
        f"{100 * found.better:.0f} % of the digits are reconstructed better. A larger waist leaves less to gain from "
        "non-linearity."
    )
