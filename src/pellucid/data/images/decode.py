"""Decode image files to pixels, with Pillow.

Every file is opened twice: first only its header, for the size and whether it is grey; then, once the size and the
number of channels of the whole source are decided, its pixels, directly into one array. Files that cannot be read are
collected, so that all of them can be named at once.

``N`` images, ``H`` rows of pixels, ``W`` columns of pixels, ``C`` channels (1 grey, 3 red, green, blue).
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import numpy as np
from numpy.typing import NDArray

from pellucid.data.files.pictures import Unreadable
from pellucid.data.files.stores import Store
from pellucid.errors import StorageError, UserError
from pellucid.io.files import could_not

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["SLICE", "Header", "check_files", "decode_files", "in_threads", "read_headers", "resize_pixels"]

_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")
_GREY = ("1", "L", "LA", "La", "I", "F")  # and every I;16
_ORIENTATION = 0x0112  # the EXIF tag
_CAMERA = (0x010F, 0x0110)  # make and model
SLICE = 64  # images that a thread takes at a time
_THREADS = min(8, os.cpu_count() or 1)
_LARGE = 1 << 23  # pixels; larger images are decoded one at a time, as each needs up to a gigabyte meanwhile
_one_at_a_time = threading.Lock()
_WIDTH, _HEIGHT, _PHOTOMETRIC = 256, 257, (262, 0)  # tags of TIFF; the last with the value for inverted shades
_INVERTED = "pellucid inverted"
_GREY_PNG = (0, 4)  # the byte of a PNG file's header that says grey, without and with transparency

_Result = TypeVar("_Result")


@dataclass(frozen=True, kw_only=True)
class Header:
    """The header of an image file: its upright size, whether it is grey, whether it has several frames, other facts."""

    height: int
    width: int
    grey: bool
    several: bool = False
    format: str = ""
    mode: str = ""
    n_bytes: int = 0
    quality: str = ""  # of a JPEG file: the sum of its first table of quantisation, which the quality decides
    camera: str = ""
    orientation: str = ""


def read_headers(store: Store, names: Sequence[str]) -> tuple[list[Header | None], list[Unreadable]]:
    """Read the headers of these files, in order: None where a file cannot be read, and these files."""
    return _each(store, names, _header)


def check_files(store: Store, names: Sequence[str]) -> list[Unreadable]:
    """Decode files without keeping their pixels; returns those that cannot be read."""
    return _each(store, names, lambda stream: _decoded(stream, (1, 1), 3)[0, 0, 0])[1]


def decode_files(
    store: Store, names: Sequence[str], *, size: tuple[int, int], channels: int, keep: Callable[[int, Any], None]
) -> list[Unreadable]:
    """Decode files slice by slice in threads, each resized to the same size; returns those that cannot be read.

    Transparent parts are put on white, 16 bits per channel become 8, and images are turned upright.

    Parameters
    ----------
    store
        Where the files are.
    names
        The files, in order.
    size
        Height and width.
    channels
        1 (grey) or 3 (red, green, blue).
    keep
        Called by the threads with the place of the first file and the pixels ``[n, H, W, C]`` of each slice; those of
        a file that cannot be read are 0.
    """

    def work(part: range) -> list[Unreadable]:
        pixels = np.zeros((len(part), *size, channels), np.uint8)
        bad = []
        for k, i in enumerate(part):
            decoded = _guarded(store, names[i], i, lambda stream: _decoded(stream, size, channels))
            if isinstance(decoded, Unreadable):
                bad.append(decoded)
            else:
                pixels[k] = decoded
        keep(part.start, pixels)
        return bad

    with _strict():
        return [one for bad in in_threads(work, len(names)) for one in bad]


def resize_pixels(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Resize images to another height and width."""
    from PIL import Image

    resized = np.empty((len(pixels), *size, pixels.shape[3]), np.uint8)

    def work(part: range) -> None:
        for i in part:
            flat = pixels[i, :, :, 0] if pixels.shape[3] == 1 else pixels[i]
            resized[i] = _array(_resized(Image.fromarray(flat), size))

    for _ in in_threads(work, len(pixels)):
        pass
    return resized


def _each(
    store: Store, names: Sequence[str], read: Callable[[BinaryIO], _Result]
) -> tuple[list[_Result | None], list[Unreadable]]:
    """What is read of each file, None where that fails, and the files where it does."""

    def work(part: range) -> list[_Result | Unreadable]:
        return [_guarded(store, names[i], i, read) for i in part]

    with _strict():
        found = [one for part in in_threads(work, len(names)) for one in part]
    bad = [one for one in found if isinstance(one, Unreadable)]
    return [None if isinstance(one, Unreadable) else one for one in found], bad


def in_threads(work: Callable[[range], _Result], n: int) -> Iterator[_Result]:
    """Work slice by slice in threads; results and the first error come in the order of the images."""
    slices = [range(start, min(start + SLICE, n)) for start in range(0, n, SLICE)]
    pool = ThreadPoolExecutor(_THREADS)
    try:
        yield from pool.map(work, slices)
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _strict() -> Iterator[None]:
    """Make an absurd image size an error, and silence Pillow's warnings on odd metadata.

    Warning filters belong to the whole process, so they are set around all threads and not in each.
    """
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def _guarded(store: Store, name: str, place: int, work: Callable[[BinaryIO], _Result]) -> _Result | Unreadable:
    from PIL import Image, UnidentifiedImageError

    by_system = False
    try:
        with store.open(name) as stream:
            return work(stream)
    except UserError as error:
        message, by_system = str(error), isinstance(error, StorageError)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        message = f"{store.shown(name)} claims too many pixels to be a real image; remove it"
    except _UnusableError as error:
        message = f"{store.shown(name)} {error}"
    except Exception as error:  # Pillow meets damaged files with many kinds of exceptions
        by_system = isinstance(error, OSError) and error.errno is not None
        if isinstance(error, OSError) and by_system:
            message = could_not("read", store.shown(name).strip("'"), error)
        else:
            told = "" if isinstance(error, UnidentifiedImageError) else f" ({error or type(error).__name__})"
            message = f"{store.shown(name)} is not a complete image file{told}; remove it or replace it by a good copy"
    return Unreadable(place=place, name=name, message=message, by_system=by_system)


class _UnusableError(Exception):
    """A complete image file whose pixels cannot be used; the text continues after the file name."""


def _header(stream: BinaryIO) -> Header:
    from PIL import Image

    with Image.open(stream, formats=_FORMATS) as image:
        width, height = image.size
        # A PNG would be decoded completely to search for metadata after its pixels
        tags = image.getexif() if image.format != "PNG" or "exif" in image.info else {}
        is_turned = image.format == "TIFF" and image.size != (tags.get(_WIDTH), tags.get(_HEIGHT))  # by Pillow
        if tags.get(_ORIENTATION) in (5, 6, 7, 8) and not is_turned:  # lying on its side
            width, height = height, width
        mode = image.mode
        tables = getattr(image, "quantization", None)
        n_bytes = stream.seek(0, os.SEEK_END)
        stream.seek(0)
        is_grey_png = image.format == "PNG" and stream.read(26)[25] in _GREY_PNG
        return Header(
            height=height,
            width=width,
            grey=is_grey_png or image.mode in _GREY or image.mode.startswith("I;16"),
            several=image.format not in ("JPEG", "MPO") and bool(getattr(image, "is_animated", False)),
            format=str(image.format),
            mode=mode,
            n_bytes=n_bytes,
            quality=str(sum(next(iter(tables.values())))) if tables else "",
            camera=" ".join(str(tags[tag]).strip("\0 ") for tag in _CAMERA if tag in tags),
            orientation=str(tags.get(_ORIENTATION, "")),
        )


def _decoded(stream: BinaryIO, size: tuple[int, int], channels: int) -> NDArray[np.uint8]:
    from PIL import Image, ImageOps

    with Image.open(stream, formats=_FORMATS) as image:
        side = 2 * max(size)
        image.draft(
            None, (side, side)
        )  # a JPEG file can be decoded at an eighth of its size, at a fraction of the cost
        with _one_at_a_time if image.width * image.height > _LARGE else nullcontext():
            image.load()
            _note_oddities(image, stream)
            upright = ImageOps.exif_transpose(image)
            return _array(_resized(_grey_or_rgb(upright, channels), size))


def _note_oddities(image: Image, stream: BinaryIO) -> None:
    """Correct or record what Pillow ignores."""
    key = image.info.get("transparency")
    if image.format == "PNG" and image.mode == "L" and isinstance(key, int):
        stream.seek(24)
        image.info["transparency"] = key * 255 // (2 ** stream.read(1)[0] - 1)  # written in 2, 4 or 8 bits
    tag, white_is_zero = _PHOTOMETRIC
    if image.format == "TIFF" and image.mode.startswith("I;16"):
        image.info[_INVERTED] = image.getexif().get(tag) == white_is_zero


def _grey_or_rgb(image: Image, channels: int) -> Image:
    """The image in mode L or RGB, transparent parts on white."""
    from PIL import Image as Images

    if image.mode == "F":
        raise _UnusableError(
            "has pixels of floating-point numbers, whose range is unknown; save it with 8 or 16 bits a channel"
        )
    if image.mode.startswith("I"):
        image = _eight_bits(image)
    if image.has_transparency_data:
        white = Images.new("RGBA", image.size, "white")
        image = Images.alpha_composite(white, image.convert("RGBA"))
    return image.convert("L" if channels == 1 else "RGB")


def _eight_bits(image: Image) -> Image:
    """Convert 16 bits per pixel to 8: 65,535 becomes 255, so values are divided by 257."""
    from PIL import Image as Images

    deep = np.asarray(image).astype(np.int64)
    if deep.min() < 0 or deep.max() > 65_535:
        raise _UnusableError(
            f"has pixels from {deep.min():,} to {deep.max():,}, outside the 16 bits from 0 to 65,535; save it with "
            "8 or 16 bits a channel"
        )
    shallow = ((deep + 128) // 257).astype(np.uint8)
    if image.info.get(_INVERTED):
        shallow = 255 - shallow
    key = image.info.get("transparency")
    if isinstance(key, int):  # the one shade that stands for transparent
        shallow[deep == key] = 255
    return Images.fromarray(shallow)


def _resized(image: Image, size: tuple[int, int]) -> Image:
    """Resize an image to this height and width.

    A pixel becomes a weighted mean of the old pixels it covers. The weights are never negative, so the new values stay
    in the range of the old ones. The sharper Lanczos filter has negative weights, which draw bright rims around dark
    strokes; the box filter has equal weights, with which strokes jump if the sizes are not multiples.
    """
    from PIL import Image as Images

    height, width = size
    if image.size == (width, height):
        return image
    smaller = width <= image.width and height <= image.height
    method = Images.Resampling.HAMMING if smaller else Images.Resampling.BILINEAR
    return image.resize((width, height), method, reducing_gap=3.0)


def _array(image: Image) -> NDArray[np.uint8]:
    array = np.asarray(image)  # [H, W] or [H, W, 3]
    return array[..., None] if array.ndim == 2 else array
