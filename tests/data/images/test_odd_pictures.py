"""Pictures that are stored in unusual ways look as a person sees them; bombs are refused before they are unpacked.

The expected values are worked out here, from the bits that are written, without Pillow.
"""

from __future__ import annotations

import gzip
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid.data.files import compression as packed
from pellucid.data.files import stores as store
from pellucid.data.images import decode
from pellucid.data.images.read import read_images
from pellucid.errors import DataError
from tests.data.images.drawn import Array, draw_all, noise, one, pixels, zipped

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6


def png(path: Path, rows: list[bytes], *, width: int, depth: int, colour: int, **chunks: bytes) -> Path:
    """A PNG file, bit by bit, as its specification says."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", width, len(rows), depth, colour, 0, 0, 0)
    parts = [chunk(b"IHDR", head), *(chunk(name.encode(), content) for name, content in chunks.items())]
    parts += [chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))), chunk(b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    return path


def on_white(colour: Array, opaque: Array) -> Array:
    """Colours [..., C] of which a share ``opaque`` [...] covers a white ground."""
    laid: Array = colour * opaque[..., None] + 255 * (1 - opaque[..., None])
    return laid


def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path: Path) -> None:
    deep = np.array([[0, 128, 129, 1_000, 32_768, 65_407, 65_535]], ">u2")
    read = one(png(tmp_path / "x.png", [deep.tobytes()], width=7, depth=16, colour=GREY))
    np.testing.assert_array_equal(read[..., 0], np.rint(deep / 257.0))
    colour = np.array([[[0, 1_000, 65_535], [32_768, 257, 255]]], ">u2")
    read = one(png(tmp_path / "x.png", [colour.tobytes()], width=2, depth=16, colour=RGB))
    assert np.abs(read - colour / 257.0).max() <= 1  # Pillow leaves out the lower byte
    clear = np.array([[[65_535, 0, 0, 32_768], [0, 0, 0, 0], [9_000, 9_000, 9_000, 65_535]]], ">u2")
    read = one(png(tmp_path / "x.png", [clear.tobytes()], width=3, depth=16, colour=RGBA))
    expected = on_white(clear[..., :3] / 257.0, clear[..., 3] / 65_535.0)
    assert np.abs(read - expected).max() <= 1


@pytest.mark.parametrize("depth", [8, 16])
def test_grey_with_transparency_is_grey_on_white(tmp_path: Path, depth: int) -> None:
    most = 2**depth - 1
    cells = np.array([[[0, most // 2], [most, most], [0, 0], [most // 3, most]]], ">u2" if depth == 16 else "u1")
    read = one(png(tmp_path / "x.png", [cells.tobytes()], width=4, depth=depth, colour=GREY_ALPHA))
    assert read.shape == (1, 4, 1)
    expected = on_white(cells[..., :1] * (255.0 / most), cells[..., 1] / float(most))
    assert np.abs(read - expected).max() <= 1


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_few_bits_a_pixel(tmp_path: Path, depth: int) -> None:
    shades = np.arange(2**depth)
    bits = "".join(f"{shade:0{depth}b}" for shade in shades)
    row = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    given = {"width": len(shades), "depth": depth, "colour": GREY}
    expected = shades * 255 // (2**depth - 1)
    np.testing.assert_array_equal(one(png(tmp_path / "x.png", [row], **given))[0, :, 0], expected)
    key = 2**depth - 2  # of the shades, the one that stands for transparent
    read = one(png(tmp_path / "x.png", [row], **given, tRNS=struct.pack(">H", key)))
    np.testing.assert_array_equal(read[0, :, 0], np.where(shades == key, 255, expected))


def test_palettes_with_and_without_transparency(tmp_path: Path) -> None:
    colours = np.array([[255, 0, 0], [0, 255, 0], [9, 9, 9]], np.uint8)
    given = {"width": 3, "depth": 8, "colour": PALETTE, "PLTE": colours.tobytes()}
    np.testing.assert_array_equal(one(png(tmp_path / "x.png", [bytes([0, 1, 2])], **given))[0], colours)
    read = one(png(tmp_path / "x.png", [bytes([0, 1, 2])], **given, tRNS=bytes([0, 128])))
    expected = on_white(colours.astype(float), np.array([0, 128 / 255, 1]))
    assert np.abs(read[0] - expected).max() <= 1


def test_a_colour_that_stands_for_transparent(tmp_path: Path) -> None:
    row = bytes([1, 2, 3, 1, 2, 4])
    read = one(png(tmp_path / "x.png", [row], width=2, depth=8, colour=RGB, tRNS=struct.pack(">HHH", 1, 2, 3)))
    assert read[0].tolist() == [[255, 255, 255], [1, 2, 4]]


@pytest.mark.parametrize("name", ["x.jpg", "x.tif"])
@pytest.mark.parametrize("inks", [(0, 255, 255, 0), (255, 0, 255, 0), (0, 0, 0, 128), (255, 0, 0, 102)])
def test_the_four_inks_of_printers(tmp_path: Path, name: str, inks: tuple[int, int, int, int]) -> None:
    Image.new("CMYK", (16, 16), inks).save(tmp_path / name, **({"quality": 100} if name.endswith("jpg") else {}))
    expected = [255 * (1 - ink / 255) * (1 - inks[3] / 255) for ink in inks[:3]]
    assert np.abs(one(tmp_path / name)[8, 8] - np.array(expected)).max() <= 3


@pytest.mark.parametrize("end", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_format_is_turned_upright_and_its_size_with_it(tmp_path: Path, end: str, orientation: int) -> None:
    upright = np.zeros((8, 16), np.uint8)
    upright[:, 8:], upright[:4, :8] = 255, 100
    turned = {
        1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1], 5: upright.T,
        6: np.rot90(upright), 7: upright.T[::-1, ::-1], 8: np.rot90(upright, -1),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    how = {"jpg": {"quality": 100}, "webp": {"lossless": True}}.get(end, {})
    Image.fromarray(np.ascontiguousarray(turned)).save(tmp_path / f"x.{end}", exif=exif, **how)
    read = one(tmp_path / f"x.{end}")
    assert read.shape[:2] == (8, 16)
    assert np.abs(read[..., 0].astype(int) - upright).mean() < 2


def test_white_is_zero_in_sixteen_bits(tmp_path: Path) -> None:
    cells = np.array([[0, 257, 65_535]], "<u2")
    entries = [(256, 3, 1, 3), (257, 3, 1, 1), (258, 3, 1, 16), (259, 3, 1, 1), (262, 3, 1, 0), (273, 4, 1, 200)]
    entries += [(277, 3, 1, 1), (278, 3, 1, 1), (279, 4, 1, 6)]
    listed = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    (tmp_path / "x.tif").write_bytes((b"II*\0" + struct.pack("<I", 8) + listed).ljust(200, b"\0") + cells.tobytes())
    assert one(tmp_path / "x.tif")[0, :, 0].tolist() == [255, 254, 0]


def test_the_first_picture_of_a_moving_one_with_transparency(tmp_path: Path) -> None:
    first = Image.new("P", (2, 1))
    first.putpalette([255, 0, 0, 0, 255, 0] + [0] * 762)
    first.putdata([0, 1])
    first.save(tmp_path / "x.gif", save_all=True, append_images=[Image.new("RGB", (2, 1), "blue")], transparency=0)
    assert one(tmp_path / "x.gif")[0].tolist() == [[255, 255, 255], [0, 255, 0]]


# --- bombs


def test_a_picture_that_says_it_is_huge_is_named(tmp_path: Path) -> None:
    png(tmp_path / "x.png", [b"\0"], width=1_000_000, depth=8, colour=GREY)
    with pytest.raises(DataError, match=r"x\.png' claims too many pixels|x\.png' is not a complete image"):
        one(tmp_path / "x.png")
    content = bytearray((tmp_path / "x.png").read_bytes())
    content[16:24] = struct.pack(">II", 30_000, 30_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(DataError, match=r"x\.png' claims too many pixels"):
        one(tmp_path / "x.png")


def test_large_pictures_are_decoded_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[bool] = []
    inner = decode._grey_or_rgb

    def plain(image: Image.Image, channels: int) -> Image.Image:
        held.append(decode._one_at_a_time.locked())
        return inner(image, channels)

    monkeypatch.setattr(decode, "_grey_or_rgb", plain)
    monkeypatch.setattr(decode, "_LARGE", 99)
    Image.fromarray(noise(10, 10)).save(tmp_path / "large.png")
    Image.fromarray(noise(9, 10)).save(tmp_path / "small.png")
    one(tmp_path / "large.png")
    one(tmp_path / "small.png")
    assert held == [True, False]


def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "_FREE", 1_000_000)
    monkeypatch.setattr(packed, "_RATIO", 2)


def test_a_zip_of_pictures_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = draw_all(tmp_path / "set", "a/1.png", "b/1.png")
    with zipfile.ZipFile(zipped(source, tmp_path / "x.zip"), "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/2.png", (source / "a" / "1.png").read_bytes() + bytes(1_999_000))  # more follows its end
    few(monkeypatch)
    with pytest.raises(DataError, match=r"unpacks to 2 MB, but at most 1 MB .*--max-unpacked 2"):
        read_images(tmp_path / "x.zip")
    assert len(pixels(read_images(tmp_path / "x.zip", max_unpacked=3).train)) == 3


def test_arrays_that_unpack_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.zeros((2_000, 30, 30), np.uint8)
    np.savez_compressed(tmp_path / "x.npz", x_train=images, y_train=np.arange(2_000) % 2)
    head = bytes([0, 0, 8, 3]) + struct.pack(">III", *images.shape)
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(head + images.tobytes()))
    labels = bytes([0, 0, 8, 1]) + struct.pack(">I", 2_000) + bytes(i % 2 for i in range(2_000))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))
    few(monkeypatch)
    for name in ("x.npz", "train-images-idx3-ubyte.gz"):
        with pytest.raises(DataError, match=r"unpacks to 2 MB, but at most 1 MB"):
            read_images(tmp_path / name)
        assert len(pixels(read_images(tmp_path / name, max_unpacked=2).train)) == 2_000


def test_folders_without_end_are_passed_over(tmp_path: Path) -> None:
    source = draw_all(tmp_path / "set", "a/1.png", "b/1.png")
    with zipfile.ZipFile(zipped(source, tmp_path / "x.zip"), "a") as archive:
        archive.write(source / "a" / "1.png", "a/" * 30_000 + "1.png")
    assert len(pixels(read_images(tmp_path / "x.zip").train)) == 2
    assert store.MAX_DEPTH == 64


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    source = draw_all(tmp_path / "set", "a/1.png", "b/1.png")
    try:
        (source / "b").rename(source / "b\udcff")
        (source / "a" / "1.png").rename(source / "a" / "\udcfe.png")
    except (OSError, UnicodeError):
        pytest.skip("this file system has names in UTF-8 alone")
    table = read_images(source).train
    assert table.column("label").to_pylist() == ["a", r"b\udcff"]
    assert table.column("file").to_pylist() == [r"a/\udcfe.png", r"b\udcff/1.png"]
