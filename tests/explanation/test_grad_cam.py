"""Grad-CAM: by hand, and against Captum and PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812, the name that PyTorch's own documentation uses

from pellucid.engines.inside import look_inside
from pellucid.engines.torch_engine.module import build
from pellucid.explanation.grad_cam import enlarged, grad_cam
from pellucid.network import cnn
from pellucid.network.initialise import initialise

RNG = np.random.default_rng(4)


def test_by_hand() -> None:
    maps = np.array([[[1.0, 2.0], [3.0, 4.0]], [[1.0, 0.0], [1.0, 8.0]]])
    slopes = np.array([[[1.0, 1.0], [1.0, 1.0]], [[-2.0, 0.0], [0.0, 0.0]]])  # means 1 and −½
    np.testing.assert_allclose(grad_cam(maps, slopes), [[0.5, 2.0], [2.5, 0.0]])


@pytest.mark.parametrize("head", ["average", "flatten"])
def test_captum_finds_the_same(head: str) -> None:
    attr = pytest.importorskip("captum.attr", reason="Captum is not installed: pip install captum")
    network = cnn((2, 12, 10), (4, 6), 3, head=head, hidden=(5,))
    weights = initialise(network, 0)
    module = build(network, weights, torch.float64).eval()
    rows = RNG.normal(size=(3, 2, 12, 10))
    last = next(i for i, shape in enumerate(network.shapes()) if len(shape) == 1) - 1
    theirs = attr.LayerGradCam(module, module[last]).attribute(torch.from_numpy(rows), target=1, relu_attributions=True)
    found = look_inside(network, weights, rows, names=[str(last)], towards=lambda z: np.eye(3)[np.ones(len(z), int)])
    maps, slopes = found.outputs[str(last)], found.d_outputs[str(last)]
    ours = np.stack([grad_cam(a, d) for a, d in zip(maps, slopes, strict=True)])
    np.testing.assert_allclose(ours, theirs.detach().numpy()[:, 0], rtol=1e-10, atol=1e-14)
    assert ours.max() > 0


@pytest.mark.parametrize("size", [(9, 7), (3, 4), (2, 2), (28, 28)])
def test_enlarging_is_pytorchs(size: tuple[int, int]) -> None:
    values = RNG.normal(size=(3, 4))
    theirs = F.interpolate(torch.from_numpy(values[None, None]), size=size, mode="bilinear", align_corners=False)
    np.testing.assert_allclose(enlarged(values, *size), theirs.numpy()[0, 0], atol=1e-12)
