"""Near copies of images: saved again or resized ones are found, simple and similar pictures are not."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from pellucid.data.dependence import near_images
from pellucid.data.dependence.near_images import SeveralSources, alike_sets, near_pairs, thumbnails
from pellucid.data.images.read import read_images
from tests.data.images.drawn import draw, files, pixels

Array = np.ndarray


def scene(seed: int, height: int = 128, width: int = 128) -> Array:
    """Colours whose spectrum falls as that of photographs does, [H, W, 3]."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None, :])
    frequency[0, 0] = 1.0
    waves = (rng.normal(size=(height, width, 3)) + 1j * rng.normal(size=(height, width, 3))) / frequency[..., None]
    made = np.fft.ifft2(waves, axes=(0, 1)).real
    made = made.mean(axis=2, keepdims=True) + 0.3 * made  # mostly grey, as in photographs
    return np.clip(128 + 45 * made / made.std(), 0, 255).astype(np.uint8)


def saved(image: Array, quality: int, scale: float = 1.0) -> bytes:
    picture = Image.fromarray(image)
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def test_saved_again_and_resized_files_are_found(tmp_path: Path) -> None:
    """40 scenes; of six of them there is another file, each made in another way."""
    for i in range(40):
        draw(tmp_path / "a" / f"{i:02}.png", scene(i))
    ways = [(95, 1.0), (60, 1.0), (30, 1.0), (90, 0.5), (75, 2.0), (80, 0.8)]
    for i, (quality, scale) in enumerate(ways):
        path = tmp_path / "b" / f"{i:02}.jpg"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(saved(scene(i), quality, scale))
    read = read_images(tmp_path, size=(128, 128)).train
    names = files(read)
    found = {(names[i], names[j]) for i, j in near_pairs(pixels(read))}
    assert found == {(f"a/{i:02}.png", f"b/{i:02}.jpg") for i in range(len(ways))}


def test_simple_pictures_are_no_copies_of_each_other() -> None:
    digits = load_digits().images  # 1,797 of 8 × 8; many are very similar
    large = np.kron(digits * 15, np.ones((4, 4))).astype(np.uint8)[..., None]
    found = near_pairs(large)
    assert len(found) <= 2


def test_a_brighter_copy_is_one_but_another_colour_is_not() -> None:
    rng = np.random.default_rng(0)
    square = np.zeros((64, 64, 3), np.uint8)
    square[20:40, 25:50, 0] = 200
    other = square[..., ::-1].copy()  # the same in another colour
    noise = rng.integers(0, 256, (3, 64, 64, 3)).astype(np.uint8)
    assert near_pairs(np.stack([square, other, square + 3, *noise])).tolist() == [[0, 2]]


def test_equal_images_are_not_near_but_lead_to_their_near_copies() -> None:
    images = np.stack([scene(i) for i in range(6)])
    again = np.asarray(Image.open(io.BytesIO(saved(images[2], 80))))
    found = near_pairs(np.concatenate([images, images[2:3], again[None]]))
    assert found.tolist() in ([[2, 7]], [[2, 7], [6, 7]])  # 6 equals 2, which the hashes of pixels find


def test_flat_tiny_and_single_images_have_no_copies() -> None:
    flat = np.full((5, 64, 64, 1), 100, np.uint8)
    flat[1:] += np.arange(4, dtype=np.uint8)[:, None, None, None]
    assert len(near_pairs(flat)) == 0
    assert len(near_pairs(np.random.default_rng(0).integers(0, 255, (9, 4, 4, 1)).astype(np.uint8))) == 0
    assert len(near_pairs(scene(0)[None])) == 0


def test_sets_join_pairs_unless_they_are_large() -> None:
    assert alike_sets(np.array([[0, 2], [2, 5]]), 7).tolist() == [0, 1, 0, 2, 3, 0, 4]
    chain = np.column_stack([np.arange(30), np.arange(1, 31)])
    np.testing.assert_array_equal(alike_sets(chain, 100), np.arange(100))
    assert len(np.unique(alike_sets(chain, 1000))) == 970


def test_thumbnails_are_means_of_blocks() -> None:
    image = scene(3, 50, 70)[None]
    found = thumbnails(image, 16)
    assert found.shape == (1, 12, 14, 3)  # blocks of 4 × 5
    by_hand = image[0, 4:8, 10:15].astype(float).mean(axis=(0, 1))
    np.testing.assert_allclose(found[0, 1, 2], by_hand, rtol=1e-6)


def test_several_sources_are_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_images, "_BLOCK", 128 * 128 * 3 * 4)
    train = np.stack([scene(i) for i in range(9)])
    test = np.asarray(Image.open(io.BytesIO(saved(train[4], 70))))[None]
    both = SeveralSources(train, np.concatenate([np.stack([scene(77)]), test]))
    np.testing.assert_array_equal(both[np.array([10, 0])], np.stack([test[0], train[0]]))
    assert near_pairs(both).tolist() == [[4, 10]]
