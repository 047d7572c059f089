"""Decoding image files: formats, modes, damage, and sizes."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pellucid.data.images import decode, from_files
from pellucid.data.images import size as image_size
from pellucid.data.images.arrays import with_channels
from pellucid.data.images.read import image_table, is_image_source, read_images
from pellucid.errors import DataError, SettingError
from tests.data.images.drawn import Array, draw, draw_all, files, noise, one, pixels, said

# --- decoding

FORMATS: list[tuple[str, dict[str, Any]]] = [
    ("png", {}), ("bmp", {}), ("gif", {}), ("webp", {"lossless": True}), ("tif", {}),
    ("tiff", {"compression": "tiff_lzw"}), ("jpg", {"quality": 95}), ("jpeg", {"progressive": True}),
]  # fmt: skip


@pytest.mark.parametrize(("end", "options"), FORMATS)
def test_every_format_comes_back(tmp_path: Path, end: str, options: dict[str, Any]) -> None:
    y, x = np.mgrid[:24, :20]
    smooth = np.stack([10 * y, 12 * x, 5 * x + 3 * y], axis=2).astype(np.uint8)
    path = draw(tmp_path / f"x.{end}", smooth, **options)
    assert is_image_source(path)
    assert is_image_source(path.rename(tmp_path / "without_ending"))
    lossy = end in ("jpg", "jpeg", "gif")
    difference = np.abs(one(tmp_path / "without_ending").astype(int) - smooth)
    assert difference.mean() < (6 if lossy else 1e-9)


def test_a_fresh_interpreter_knows_every_format(tmp_path: Path) -> None:
    names = [str(draw(tmp_path / f"{i}.{end}", **options)) for i, (end, options) in enumerate(FORMATS)]
    code = "import sys; from pellucid.data.images.read import read_images as r; r(sys.argv[1:], expect_labels=False)"
    subprocess.run([sys.executable, "-W", "error", "-c", code, *names], check=True, timeout=60)


@pytest.mark.parametrize(("end", "options"), FORMATS)
def test_a_file_cut_anywhere_is_an_error_or_whole(
    tmp_path: Path, end: str, options: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    path = draw(tmp_path / f"x.{end}", noise(16, 12, 3), **options)
    content, whole = path.read_bytes(), one(path)
    for n in sorted({0, 1, 5, *range(8, len(content), 23), *range(len(content) - 20, len(content))}):
        path.write_bytes(content[:n])
        with contextlib.suppress(DataError):
            np.testing.assert_array_equal(one(path), whole)  # what is lacking may come after the pixels
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=rf"x\.{end}' is not a complete image file.*remove it or replace it"):
        one(path)
    capfd.readouterr()  # libtiff complains for itself


def test_modes(tmp_path: Path) -> None:
    grey, colour = noise(6, 5), noise(6, 5, 3)
    assert one(draw(tmp_path / "1.png", grey > 99)).shape == (6, 5, 1)
    np.testing.assert_array_equal(one(tmp_path / "1.png")[..., 0], (grey > 99) * 255)
    np.testing.assert_array_equal(one(draw(tmp_path / "L.png", grey))[..., 0], grey)
    equal = np.repeat(grey[..., None], 3, axis=2)
    np.testing.assert_array_equal(one(draw(tmp_path / "RGB.png", equal)), equal)  # colour, whatever its values

    deep = np.arange(30, dtype=np.uint16).reshape(6, 5) * 2259 + 7
    for name in ("deep.png", "deep.tif"):
        read = one(draw(tmp_path / name, deep))
        assert read.shape == (6, 5, 1)
        np.testing.assert_array_equal(read[..., 0], np.rint(deep / 257))
    np.testing.assert_array_equal(one(draw(tmp_path / "I.tif", deep.astype(np.int32)))[..., 0], np.rint(deep / 257))
    with pytest.raises(DataError, match="outside the 16 bits"):
        one(draw(tmp_path / "I.tif", deep.astype(np.int32) * 2))
    with pytest.raises(DataError, match="floating-point numbers"):
        one(draw(tmp_path / "F.tif", grey.astype(np.float32)))

    opaque = np.full((6, 5, 1), 255, np.uint8)
    half = np.concatenate([colour, opaque], axis=2)
    half[:3, :, 3] = 0
    read = one(draw(tmp_path / "RGBA.png", half))
    assert (read[:3] == 255).all()
    np.testing.assert_array_equal(read[3:], colour[3:])
    read = one(draw(tmp_path / "LA.png", np.concatenate([grey[..., None], half[..., 3:]], axis=2)))
    assert read.shape == (6, 5, 1)
    assert (read[:3] == 255).all()
    np.testing.assert_array_equal(read[3:, :, 0], grey[3:])

    palette = Image.fromarray(colour).quantize(8)
    palette.save(tmp_path / "P.png")
    np.testing.assert_array_equal(one(tmp_path / "P.png"), np.asarray(palette.convert("RGB")))
    palette.save(tmp_path / "Pt.png", transparency=0)
    transparent = np.asarray(palette) == 0
    read = one(tmp_path / "Pt.png")
    assert (read[transparent] == 255).all()
    np.testing.assert_array_equal(read[~transparent], np.asarray(palette.convert("RGB"))[~transparent])

    plain = np.broadcast_to(np.array([200, 40, 90], np.uint8), (16, 16, 3))
    Image.fromarray(np.ascontiguousarray(plain)).convert("CMYK").save(tmp_path / "cmyk.jpg", quality=100)
    assert np.abs(one(tmp_path / "cmyk.jpg").astype(int) - plain).max() <= 4


def test_the_shade_that_stands_for_transparent_in_16_bits(tmp_path: Path) -> None:
    deep = np.arange(30, dtype=np.uint16).reshape(6, 5) * 2000
    Image.fromarray(deep).save(tmp_path / "x.png", transparency=4000)
    expected = np.rint(deep / 257)
    expected[deep == 4000] = 255
    np.testing.assert_array_equal(one(tmp_path / "x.png")[..., 0], expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_turned_upright(tmp_path: Path, orientation: int) -> None:
    upright = np.zeros((8, 16, 3), np.uint8)
    upright[:, 8:] = 255
    upright[:4, :8] = 100  # so that no two ways of turning look alike
    stored: dict[int, Callable[[Array], Array]] = {  # as the EXIF standard describes where the first row and column lie
        1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2), 6: lambda a: np.rot90(a, 1), 7: lambda a: a.transpose(1, 0, 2)[::-1, ::-1],
        8: lambda a: np.rot90(a, -1),
    }  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    for end, options in (("jpg", {"quality": 100, "subsampling": 0}), ("png", {})):
        turned = np.ascontiguousarray(stored[orientation](upright))
        read = one(draw(tmp_path / f"x.{end}", turned, exif=exif, **options))
        assert read.shape == (8, 16, 3)
        assert np.abs(read.astype(int) - upright).mean() < 2
    assert "8 × 16 pixels" in said(read_images(tmp_path / "x.jpg", expect_labels=False).train)


def test_grey_only_if_every_image_is(tmp_path: Path) -> None:
    draw(tmp_path / "a" / "1.png", noise(6, 5))
    draw(tmp_path / "b" / "1.png", noise(6, 5))
    read = read_images(tmp_path)
    assert pixels(read.train).shape == (2, 6, 5, 1)
    assert "read as grey (1 channel), like every image" in said(read.train)
    forced = read_images(tmp_path, channels=3)
    assert "because of image_channels, though every image is grey" in said(forced.train)
    np.testing.assert_array_equal(pixels(forced.train), np.repeat(pixels(read.train), 3, axis=3))
    draw(tmp_path / "b" / "2.png")
    read = read_images(tmp_path)
    assert pixels(read.train).shape == (3, 6, 5, 3)
    assert "read in colour (3 channels); 1 of 3 images is in colour" in said(read.train)
    forced = read_images(tmp_path, channels=1)
    np.testing.assert_array_equal(pixels(forced.train)[0, :, :, 0], noise(6, 5))
    np.testing.assert_array_equal(pixels(forced.train)[2], with_channels(noise(6, 5, 3)[None], 1)[0])


def test_only_the_first_frame_is_read(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((6, 5), shade, np.uint8)) for shade in (0, 255)]
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:])
    read = read_images(tmp_path / "x.gif", expect_labels=False)
    assert not pixels(read.train).any()
    assert "1 image holds several frames or pages; the first is read" in said(read.train)


def test_images_of_absurd_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = draw(tmp_path / "x.png", noise(20, 20))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 300)  # 400 pixels: Pillow warns
    with pytest.raises(DataError, match=r"x.png' claims too many pixels.*remove it"):
        one(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # Pillow refuses
    with pytest.raises(DataError, match="too many pixels"):
        one(path)


def test_what_only_looks_like_an_image(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_text("a,b\n1,2\n")
    assert is_image_source(tmp_path / "x.png")
    with pytest.raises(DataError, match=r"x.png' is not a complete image file; remove it or replace it by a good copy"):
        one(tmp_path / "x.png")
    (tmp_path / "y.jpg").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    with pytest.raises(DataError, match="not a complete image file"):  # other formats are not even tried
        one(tmp_path / "y.jpg")


def test_the_first_damaged_file_is_named(tmp_path: Path) -> None:
    root = draw_all(tmp_path, *(f"{c}/{i:03}.png" for c in "ab" for i in range(200)))
    for name in ("a/150.png", "b/010.png", "a/199.png"):
        (root / name).write_bytes(b"junk")
    with pytest.raises(DataError, match=r"a/150\.png"):
        read_images(root)


# --- sizes


def test_the_most_common_size(tmp_path: Path) -> None:
    for i, shape in enumerate([(6, 5), (6, 5), (12, 10), (3, 9)]):
        draw(tmp_path / "ab"[i % 2] / f"{i}.png", np.full(shape, 40 * i, np.uint8))
    read = read_images(tmp_path)
    assert pixels(read.train).shape == (4, 6, 5, 1)
    assert files(read.train) == ["a/0.png", "a/2.png", "b/1.png", "b/3.png"]
    for image, shade in zip(pixels(read.train), (0, 80, 40, 120), strict=True):
        assert (image == shade).all()
    assert "the 4 images have 3 sizes, from 3 × 9 to 12 × 10 pixels (height × width); 2 of them have 6 × 5" in said(
        read.train
    )
    assert "2 of 4 images were resized to 6 × 5 pixels, stretched where their shape differs" in said(read.train)


def test_large_images_are_reduced_and_it_is_said(tmp_path: Path) -> None:
    draw(tmp_path / "a" / "1.png", np.full((400, 600), 7, np.uint8))
    draw(tmp_path / "b" / "1.png", np.full((400, 600), 9, np.uint8))
    read = read_images(tmp_path)
    assert pixels(read.train).shape == (2, 43, 64, 1)
    assert [np.unique(image).tolist() for image in pixels(read.train)] == [[7], [9]]
    assert "reduced from 400 × 600 to 43 × 64 pixels, which a network learns much faster;" in said(read.train)
    assert "image_size sets another" in said(read.train)
    assert "resized" not in said(read.train)
    read = read_images(tmp_path, size=(20, 30))
    assert pixels(read.train).shape == (2, 20, 30, 1)
    assert "2 of 2 images were resized to 20 × 30 pixels" in said(read.train)
    assert "stretched" not in said(read.train)
    assert pixels(read_images(tmp_path, size=(400, 600)).train).shape == (2, 400, 600, 1)


@pytest.mark.parametrize(
    ("sizes", "chosen"),
    [
        ([(64, 64)], (64, 64)),
        ([(65, 64)], (64, 63)),
        ([(30, 100)], (30, 100)),  # fewer pixels than 64 × 64
        ([(1, 10_000)], (1, 64)),
        ([(10, 10), (20, 20), (30, 30)], (20, 20)),  # all equally common: the middle one
        ([(10, 10), (20, 20), (20, 20)], (20, 20)),
    ],
)
def test_chosen_sizes(sizes: list[tuple[int, int]], chosen: tuple[int, int]) -> None:
    assert image_size.chosen_size(sizes, None)[0] == chosen
    assert image_size.chosen_size(list(reversed(sizes)), None)[0] == chosen


def hamming_weights(old: int, new: int) -> Array:
    """[new, old]: a sinc under a Hamming window, one new pixel wide to either side; no weight is negative."""
    scale = old / new
    centre = (np.arange(new)[:, None] + 0.5) * scale - 0.5
    distance = (np.arange(old)[None, :] - centre) / scale
    weights = np.where(np.abs(distance) < 1, np.sinc(distance) * (0.54 + 0.46 * np.cos(np.pi * distance)), 0)
    result: Array = weights / weights.sum(axis=1, keepdims=True)
    return result


def test_reducing_is_a_weighted_mean(tmp_path: Path) -> None:
    big = noise(30, 42)
    expected = hamming_weights(30, 20) @ big @ hamming_weights(42, 14).T
    read = one(draw(tmp_path / "x.png", big), size=(20, 14))[..., 0]
    assert np.abs(read - expected).max() <= 1.01  # Pillow rounds once for each direction
    np.savez(tmp_path / "x.npz", images=np.stack([big, big.T[:30, :30].repeat(2, axis=1)[:, :42]]))
    stored = read_images(tmp_path / "x.npz", size=(20, 14), expect_labels=False)
    np.testing.assert_array_equal(pixels(stored.train)[0, ..., 0], read)


def test_a_jpeg_decoded_small_is_close_to_one_decoded_whole(tmp_path: Path) -> None:
    y, x = np.mgrid[:512, :768]
    smooth = (127 + 60 * np.sin(y / 60) + 60 * np.cos(x / 70)).astype(np.uint8)
    path = draw(tmp_path / "x.jpg", smooth, quality=95)
    whole = Image.open(path).resize((48, 32), Image.Resampling.HAMMING)
    assert np.abs(one(path, size=(32, 48))[..., 0].astype(int) - np.asarray(whole)).max() <= 3


def test_sizes_and_channels_are_checked(tmp_path: Path) -> None:
    path = draw(tmp_path / "x.png")
    for size in ((0, 5), (5,), (5, 5000), (5.0, 5), (True, 5), "55", 5):
        with pytest.raises(SettingError, match=r"size must be \(height, width\)"):
            read_images(path, size=size, expect_labels=False)  # type: ignore[arg-type]
    for channels in (0, 2, 4, "3"):
        with pytest.raises(SettingError, match="channels must be 1"):
            read_images(path, channels=channels, expect_labels=False)  # type: ignore[arg-type]


def test_too_much_for_the_disk_is_refused_before_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = draw_all(tmp_path, "a/1.png", "b/1.png")
    monkeypatch.setattr(from_files, "IN_MEMORY", 2 * 6 * 5 * 3 - 1)
    monkeypatch.setenv("PELLUCID_CACHE_LIMIT", "1e-7")
    monkeypatch.setattr(decode, "_decoded", lambda *_: pytest.fail("decoded"))
    with pytest.raises(DataError, match=r"more than its limit of 1e-07 GB: set a smaller image_size, or a higher"):
        read_images(root)


def test_pixels_in_memory_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_size, "MAX_BYTES", 2 * 6 * 5 * 3 - 1)
    with pytest.raises(DataError, match=r"holds 2 images of 6 × 5 pixels and 3 channels.*smaller image_size"):
        image_table(noise(2, 6, 5, 3))
