"""Occlusion: by hand, and against Captum."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from pellucid.engines.torch_engine.module import build
from pellucid.explanation.occlusion import blurred, occlusion, window_for
from pellucid.network import cnn
from pellucid.network.initialise import initialise

RNG = np.random.default_rng(2)


def test_by_hand() -> None:
    """The answer is the sum of all positions, so a window takes away what it covers, less its fill."""
    picture = np.arange(6.0).reshape(2, 3, 1)
    found = occlusion(lambda p: p.sum(axis=(1, 2, 3)), picture, np.array(1.0), window=(1, 2), step=(1, 1))
    # Of the windows (0,1) and (1,2) of each line: 0 + 1 − 2 and 1 + 2 − 2; 3 + 4 − 2 and 4 + 5 − 2.
    np.testing.assert_allclose(found, [[-1, 0, 1], [5, 6, 7]])


@pytest.mark.parametrize(
    ("shape", "window", "step"),
    [((1, 9, 11), (3, 2), (2, 2)), ((3, 8, 8), (3, 3), (1, 2)), ((2, 7, 5), (7, 5), (1, 1))],
)
def test_captum_finds_the_same(shape: tuple[int, int, int], window: tuple[int, int], step: tuple[int, int]) -> None:
    attr = pytest.importorskip("captum.attr", reason="Captum is not installed: pip install captum")
    network = cnn(shape, (4, 5), 3, activation="tanh")
    module = build(network, initialise(network, 1), torch.float64).eval()
    picture, fill = RNG.normal(size=shape), RNG.normal(size=shape)
    theirs = attr.Occlusion(module).attribute(
        torch.from_numpy(picture[np.newaxis]), target=2, sliding_window_shapes=(shape[0], *window),
        strides=(shape[0], *step), baselines=torch.from_numpy(fill[np.newaxis]),
    )  # fmt: skip

    def answer(pictures: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return module(torch.from_numpy(pictures.transpose(0, 3, 1, 2).copy())).numpy()[:, 2]

    ours = occlusion(answer, picture.transpose(1, 2, 0), fill.transpose(1, 2, 0), window=window, step=step)
    np.testing.assert_allclose(ours, theirs.numpy()[0, 0], atol=1e-6)  # Captum sums in single precision
    planted = occlusion(answer, picture.transpose(1, 2, 0), np.array(0.0), window=window, step=step)
    assert np.abs(planted - theirs.numpy()[0, 0]).max() > 1e-3  # another fill is noticed


def test_every_position_is_covered() -> None:
    for height, width in ((1, 1), (2, 5), (8, 8), (28, 28), (50, 33), (224, 224)):
        side, step = window_for(height, width)
        assert 1 <= step <= side <= min(height, width)
        picture = np.ones((height, width, 1))
        found = occlusion(
            lambda p: p.sum(axis=(1, 2, 3)), picture, np.array(0.0), window=(side, side), step=(step, step)
        )
        assert (found > 0).all()


def test_blurring_is_scipys() -> None:
    picture = RNG.normal(size=(12, 9, 2))
    wanted = gaussian_filter(picture, (1.5, 1.5, 0), mode="nearest", truncate=5 / 1.5)
    np.testing.assert_allclose(blurred(picture, 1.5), wanted, rtol=1e-10, atol=1e-12)
