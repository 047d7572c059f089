"""Faults of pictures: each is put into small pictures made on the spot, beside the same training without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.doctor.planted import Planted, Trial
from numpy.typing import NDArray
from PIL import Image

__all__ = ["PICTURE_FAULTS"]

Pixels = NDArray[np.uint8]
Numbers = np.random.Generator
SMALL: dict[str, Any] = {"network": "cnn", "channels": (8, 16), "epochs": 12, "augment": "none"}


def _shapes(rng: Numbers, n: int, side: int = 12, *, noise: int = 60) -> dict[str, Any]:
    """Noise with a bright cross or a bright square somewhere."""
    images = rng.integers(0, noise, (n, side, side), dtype=np.uint8)
    truth = rng.permutation(np.arange(n) % 2)
    for image, square in zip(images, truth, strict=True):
        y, x = rng.integers(1, side - 6, 2)
        if square:
            image[y : y + 5, x : x + 5] = 220
        else:
            image[y + 2, x : x + 5] = 220
            image[y : y + 5, x + 2] = 220
    return {"image": images, "label": ["square" if square else "cross" for square in truth]}


def _letters(rng: Numbers, n: int, other: str = "d") -> dict[str, Any]:
    """Noisy pictures of a b, and of a d (its mirror image) or an o."""
    b, o = np.zeros((10, 10)), np.zeros((10, 10))
    b[1:9, 2], b[5, 2:7], b[8, 2:7], b[5:9, 6] = 1, 1, 1, 1
    o[5, 2:7], o[8, 2:7], o[5:9, 2], o[5:9, 6] = 1, 1, 1, 1
    kinds = [b, b[:, ::-1] if other == "d" else o]
    images = np.stack([kinds[k % 2] for k in range(n)]) * 150 + rng.integers(0, 60, (n, 10, 10))
    return {"image": images.astype(np.uint8), "label": ["b" if k % 2 == 0 else other for k in range(n)]}


def _bars(rng: Numbers, n: int) -> dict[str, Any]:
    """Two bright dots, 20 pixels apart, next to each other or one above the other: what only a wide view tells."""
    images = rng.integers(0, 60, (n, 32, 32), dtype=np.uint8)
    truth = rng.permutation(np.arange(n) % 2)
    for image, upright in zip(images, truth, strict=True):
        y, x = rng.integers(1, 8, 2)
        far_y, far_x = (y + 20, x) if upright else (y, x + 20)
        image[y : y + 3, x : x + 3] = 220
        image[far_y : far_y + 3, far_x : far_x + 3] = 220
    return {"image": images, "label": ["upright" if upright else "flat" for upright in truth]}


def _dead_channels(rng: Numbers, _: Path, fault: bool) -> Trial:
    more = {"batch_norm": False, "learning_rate": 1.0} if fault else {}
    return Trial(data=_shapes(rng, 200), settings={**SMALL, **more})


def _large_kernels(rng: Numbers, _: Path, fault: bool) -> Trial:
    return Trial(data=_shapes(rng, 200), settings={**SMALL, **({"kernel": 11} if fault else {})})


def _narrow_view(rng: Numbers, _: Path, fault: bool) -> Trial:
    view = {"channels": (8,), "pool": "none"} if fault else {"depth": 3}
    return Trial(data=_bars(rng, 300), settings={**SMALL, "head": "average", "epochs": 30, **view})


def _flips(rng: Numbers, _: Path, fault: bool) -> Trial:
    table = _letters(rng, 200, "d" if fault else "o")
    return Trial(data=table, settings={**SMALL, "augment": "shift=1,flip"})


def _too_strong(rng: Numbers, _: Path, fault: bool) -> Trial:
    how = "erase=0.8,rotate=45,shift=4" if fault else "shift=1"
    return Trial(data=_shapes(rng, 400, noise=120), settings={**SMALL, "augment": how})


def _few_of_a_class(rng: Numbers, _: Path, fault: bool) -> Trial:
    table = _shapes(rng, 900)
    squares = [k for k, label in enumerate(table["label"]) if label == "square"]
    kept = sorted(set(range(900)) - set(squares[10 if fault else 300 :]))
    data = {"image": table["image"][kept], "label": [table["label"][k] for k in kept]}
    return Trial(data=data, settings=SMALL)


def _files(folder: Path, table: dict[str, Any], how: Any) -> Path:
    """A folder a class; ``how`` gives the ending and the side of a file from its class and number."""
    for k, (image, label) in enumerate(zip(table["image"], table["label"], strict=True)):
        ending, side = how(label, k)
        path = folder / label / f"{k:04d}.{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).resize((side, side)).save(path)
    return folder


def _by_format(rng: Numbers, folder: Path, fault: bool) -> Trial:
    def how(label: str, k: int) -> tuple[str, int]:
        return ("jpg" if (label == "dark" if fault else k % 3 == 0) else "png"), 24

    return Trial(data=_files(folder, _smooth(rng, 200), how), settings=SMALL)


def _by_size(rng: Numbers, folder: Path, fault: bool) -> Trial:
    def how(label: str, k: int) -> tuple[str, int]:
        return "png", 48 if (label == "dark" if fault else k % 3 == 0) else 24

    return Trial(data=_files(folder, _smooth(rng, 200), how), settings={**SMALL, "image_size": 24})


def _border(rng: Numbers, _: Path, fault: bool) -> Trial:
    """A frame around the pictures of one class; in the twin around every second picture."""
    table = _shapes(rng, 300, 32)
    for k, (image, label) in enumerate(zip(table["image"], table["label"], strict=True)):
        if label == "square" if fault else k % 2:
            image[[0, -1]] = image[:, [0, -1]] = 200
    return Trial(data=table, settings=SMALL)


def _saved_again(rng: Numbers, _: Path, fault: bool) -> Trial:
    """Test pictures of which a third are training pictures, off by a shade or two, as a JPEG file makes them."""
    table, test = _smooth(rng, 240), _smooth(rng, 60)
    if fault:
        again = table["image"][:20].astype(int) + rng.integers(-2, 3, table["image"][:20].shape)
        test["image"][:20] = again.clip(0, 255).astype(np.uint8)
        test["label"][:20] = table["label"][:20]
    return Trial(data=table, test=test, settings=SMALL)


def _contradicting(rng: Numbers, _: Path, fault: bool) -> Trial:
    table = _smooth(rng, 240)
    table["image"][220:] = table["image"][:20]
    other = {"bright": "dark", "dark": "bright"}
    table["label"][220:] = [other[label] if fault else label for label in table["label"][:20]]
    return Trial(data=table, settings=SMALL)


def _smooth(rng: Numbers, n: int) -> dict[str, Any]:
    """Blurred noise, no two alike, with a bright or a dark middle."""
    coarse = rng.integers(40, 200, (n, 6, 6), dtype=np.uint8)
    images = np.stack([np.asarray(Image.fromarray(one).resize((24, 24), Image.Resampling.BICUBIC)) for one in coarse])
    truth = rng.permutation(np.arange(n) % 2)
    images[:, 9:15, 9:15] = np.where(truth == 1, 250, 5)[:, np.newaxis, np.newaxis]
    return {"image": images, "label": ["bright" if one else "dark" for one in truth]}


def _wrong_labels(rng: Numbers, _: Path, fault: bool) -> Trial:
    """The labels of 10 % of the pictures are the other class's."""
    table = _shapes(rng, 400)
    wrong = set(rng.choice(400, 40 if fault else 0, replace=False).tolist())
    other = {"cross": "square", "square": "cross"}
    table["label"] = [other[label] if k in wrong else label for k, label in enumerate(table["label"])]
    return Trial(data=table, settings={**SMALL, "epochs": 30})


def _unreadable(rng: Numbers, folder: Path, fault: bool) -> Trial:
    """Three files are cut in the middle."""
    path = _files(folder, _smooth(rng, 120), lambda label, k: ("png", 24))
    for file in sorted(path.rglob("*.png"))[: 3 if fault else 0]:
        file.write_bytes(file.read_bytes()[:60])
    return Trial(data=path, settings={**SMALL, "skip_unreadable": True})


def _fresh_shapes(rng: Numbers) -> dict[str, Any]:
    return _shapes(rng, 300)


PICTURE_FAULTS: tuple[Planted, ...] = (
    Planted(name="dead-channels", make=_dead_channels, fresh=_fresh_shapes),
    Planted(name="kernel-wider-than-its-input", make=_large_kernels, fresh=_fresh_shapes),
    Planted(name="receptive-field-too-small", make=_narrow_view, fresh=lambda rng: _bars(rng, 300)),
    Planted(name="augmentation-hurts", kind="flips", make=_flips, fresh=lambda rng: _letters(rng, 200)),
    Planted(
        name="augmentation-hurts", kind="too strong", make=_too_strong, fresh=lambda rng: _shapes(rng, 300, noise=120)
    ),
    Planted(name="too-few-pictures", make=_few_of_a_class, fresh=_fresh_shapes),
    Planted(name="files-tell-the-class", kind="file type", make=_by_format),
    Planted(name="files-tell-the-class", kind="size", make=_by_size),
    Planted(name="border-tells-the-class", make=_border),
    Planted(name="image-copies-across-the-split", kind="saved again", make=_saved_again),
    Planted(name="copies-with-different-labels", make=_contradicting),
    Planted(name="labels-look-wrong", kind="pictures", make=_wrong_labels, fresh=_fresh_shapes),
    Planted(name="unreadable-files", make=_unreadable),
)
